//! What is written of each area, made once for each state of a coverage.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use boundaries::{AreaId, FaceId};

use crate::json::push_text;
use crate::snapshot::CoverageView;

/// Many short byte strings end to end.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Texts {
    /// Adds a text; `false` once all of them pass 4 GB.
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    #[inline]
    fn get(&self, i: u32) -> &[u8] {
        let i = i as usize;
        let begin = if i == 0 { 0 } else { self.ends.get(i - 1).copied().unwrap_or_default() };
        let end = self.ends.get(i).copied().unwrap_or_default();
        self.bytes.get(begin as usize..end as usize).unwrap_or_default()
    }
}

/// A coverage with the JSON of its areas at hand.
#[derive(Debug)]
pub struct Sheet {
    /// The coverage.
    pub view: Arc<CoverageView>,
    /// `"code"` of each area by its id.
    codes: Texts,
    /// `"code":..,"level":..,"name":..,"chain":[..]` of each area by its id.
    members: Texts,
    /// The owner of each face by its id.
    owners: Vec<u32>,
    /// `"coverage":".."`.
    pub(super) coverage: Vec<u8>,
}

/// Stands for "nobody" in the table of owners.
const NOBODY: u32 = u32::MAX;

impl Sheet {
    /// Writes down what is said of each area of a coverage.
    #[must_use]
    pub fn of(view: Arc<CoverageView>) -> Self {
        let coverage = &view.coverage;
        let (mut codes, mut members) = (Texts::default(), Texts::default());
        for i in 0..coverage.area_slots() as u32 {
            let id = AreaId(i);
            codes.push(|out| {
                if let Some(area) = coverage.area(id) {
                    push_text(out, &area.code);
                }
            });
            members.push(|out| push_members(out, &view, id));
        }
        let mut owners = vec![NOBODY; coverage.face_slots()];
        for (id, face) in coverage.faces() {
            owners[id.0 as usize] = face.owner.map_or(NOBODY, |o| o.0);
        }
        let mut name = b"\"coverage\":".to_vec();
        push_text(&mut name, &view.name);
        Self { codes, members, owners, coverage: name, view }
    }

    /// The owner of a face.
    #[inline]
    pub(super) fn owner(&self, face: FaceId) -> Option<AreaId> {
        self.owners.get(face.0 as usize).filter(|o| **o != NOBODY).map(|o| AreaId(*o))
    }

    /// The code of an area as a JSON string.
    #[inline]
    pub(super) fn code(&self, id: AreaId) -> &[u8] {
        self.codes.get(id.0)
    }

    /// Code, level, name and chain of an area as members of a JSON object.
    #[inline]
    pub(super) fn members(&self, id: AreaId) -> &[u8] {
        self.members.get(id.0)
    }
}

fn push_members(out: &mut Vec<u8>, view: &CoverageView, id: AreaId) {
    let Some(area) = view.coverage.area(id) else { return };
    let level = |l: boundaries::Level| view.levels().get(usize::from(l.0)).map_or("", |l| &**l);
    out.extend_from_slice(b"\"code\":");
    push_text(out, &area.code);
    out.extend_from_slice(b",\"level\":");
    push_text(out, level(area.level));
    out.extend_from_slice(b",\"name\":");
    push_text(out, &area.name);
    out.extend_from_slice(b",\"chain\":[");
    for (i, link) in view.coverage.chain(id).into_iter().enumerate() {
        let Some(area) = view.coverage.area(link) else { continue };
        out.extend_from_slice(if i > 0 { b",{\"level\":" } else { b"{\"level\":" });
        push_text(out, level(area.level));
        out.extend_from_slice(b",\"code\":");
        push_text(out, &area.code);
        out.extend_from_slice(b",\"name\":");
        push_text(out, &area.name);
        out.push(b'}');
    }
    out.push(b']');
}

/// The sheets of the coverages that are in use, made when first asked for.
#[derive(Debug, Default)]
pub struct Sheets {
    known: Mutex<Vec<(Weak<CoverageView>, Arc<Sheet>)>>,
}

/// Sheets that are kept: more than there are coverages at the present and a few
/// moments of the past that somebody asks about.
const KEPT: usize = 24;

impl Sheets {
    /// The sheet of a state of a coverage.
    #[must_use]
    pub fn of(&self, view: &Arc<CoverageView>) -> Arc<Sheet> {
        let is_it = |known: &(Weak<CoverageView>, Arc<Sheet>)| std::ptr::eq(known.0.as_ptr(), Arc::as_ptr(view));
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, sheet)) = known.iter().find(|k| is_it(k)) {
                return sheet.clone();
            }
        }
        // Outside the lock: two who ask at once both make it, which is harmless.
        let sheet = Arc::new(Sheet::of(view.clone()));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // A sheet holds its view, so only those that nobody else holds are dead.
        known.retain(|(view, sheet)| Weak::strong_count(view) > 1 || Arc::strong_count(sheet) > 1);
        if known.len() >= KEPT {
            known.remove(0);
        }
        known.push((Arc::downgrade(view), sheet.clone()));
        sheet
    }
}
