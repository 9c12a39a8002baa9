//! What is written of each area, made once for each state of a coverage.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use boundaries::{AreaId, Coverage, FaceId};
use rustc_hash::FxHashSet;

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

/// Areas whose members stand in one chunk, which states of a coverage share.
const CHUNK: u32 = 256;

/// What is written of the areas of one state of a coverage.
#[derive(Debug)]
struct Written {
    /// `"code"` of each area by its id.
    codes: Texts,
    /// `"code":..,"level":..,"name":..,"chain":[..]` of each area by its id, in chunks.
    members: Vec<Arc<Texts>>,
    /// The owner of each face by its id.
    owners: Vec<u32>,
    /// `"coverage":".."`.
    coverage: Vec<u8>,
}

/// A coverage with the JSON of its areas at hand.
#[derive(Debug)]
pub struct Sheet {
    /// The coverage.
    pub view: Arc<CoverageView>,
    written: Arc<Written>,
}

/// Stands for "nobody" in the table of owners.
const NOBODY: u32 = u32::MAX;

impl Written {
    /// Writes down what is said of each area of a coverage. What another state of it has
    /// and no change has touched is shared with that.
    fn of(view: &CoverageView, other: Option<(&CoverageView, &Self)>) -> Self {
        let coverage = &view.coverage;
        let slots = coverage.area_slots() as u32;
        let mut codes = Texts::default();
        for i in 0..slots {
            codes.push(|out| {
                if let Some(area) = coverage.area(AreaId(i)) {
                    push_text(out, &area.code);
                }
            });
        }
        let other = other.filter(|(held, _)| held.coverage.levels() == coverage.levels());
        let touched = other.map(|(held, _)| rewritten(&held.coverage, coverage));
        let kept = |chunk: u32| -> Option<Arc<Texts>> {
            let is_touched = touched.as_ref()?.contains(&chunk);
            other.filter(|_| !is_touched)?.1.members.get(chunk as usize).cloned()
        };
        let chunks = (0..slots.div_ceil(CHUNK)).map(|chunk| {
            kept(chunk).unwrap_or_else(|| {
                let mut members = Texts::default();
                let ids = chunk * CHUNK..(chunk * CHUNK + CHUNK).min(slots);
                ids.for_each(|i| members.push(|out| push_members(out, view, AreaId(i))));
                Arc::new(members)
            })
        });
        let members = chunks.collect();
        let mut owners = vec![NOBODY; coverage.face_slots()];
        for (id, face) in coverage.faces() {
            owners[id.0 as usize] = face.owner.map_or(NOBODY, |o| o.0);
        }
        let mut name = b"\"coverage\":".to_vec();
        push_text(&mut name, &view.name);
        Self { codes, members, owners, coverage: name }
    }
}

/// The chunks in which something else is written of an area, or of one below it.
fn rewritten(before: &Coverage, after: &Coverage) -> FxHashSet<u32> {
    let mut open = after.difference(before).areas;
    // A chunk at the end of the shorter table ends elsewhere in the longer one.
    let ends = [before, after].map(|c| AreaId((c.area_slots() as u32).saturating_sub(1)));
    let mut chunks: FxHashSet<u32> = ends.iter().map(|id| id.0 / CHUNK).collect();
    while let Some(id) = open.pop() {
        chunks.insert(id.0 / CHUNK);
        open.extend_from_slice(after.children(id));
    }
    chunks
}

impl Sheet {
    /// The owner of a face.
    #[inline]
    pub(super) fn owner(&self, face: FaceId) -> Option<AreaId> {
        self.written.owners.get(face.0 as usize).filter(|o| **o != NOBODY).map(|o| AreaId(*o))
    }

    /// The code of an area as a JSON string.
    #[inline]
    pub(super) fn code(&self, id: AreaId) -> &[u8] {
        self.written.codes.get(id.0)
    }

    /// Code, level, name and chain of an area as members of a JSON object.
    #[inline]
    pub(super) fn members(&self, id: AreaId) -> &[u8] {
        self.written.members.get((id.0 / CHUNK) as usize).map_or(&[], |chunk| chunk.get(id.0 % CHUNK))
    }

    /// `"coverage":".."`.
    #[inline]
    pub(super) fn coverage(&self) -> &[u8] {
        &self.written.coverage
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

/// The sheets of the coverages that are in use, made when first asked for. They keep no
/// coverage alive, and go with it.
#[derive(Debug, Default)]
pub struct Sheets {
    /// The one used last is at the end.
    known: Mutex<Vec<(Weak<CoverageView>, Arc<Written>)>>,
}

/// Sheets that are kept: more than there are coverages at the present and a few
/// moments of the past that somebody asks about.
const KEPT: usize = 24;

impl Sheets {
    /// The sheet of a state of a coverage.
    #[must_use]
    pub fn of(&self, view: &Arc<CoverageView>) -> Arc<Sheet> {
        let other = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = known.iter().position(|k| std::ptr::eq(k.0.as_ptr(), Arc::as_ptr(view))) {
                // In place while it is the last but for a few, which it mostly is.
                let written = known[at].1.clone();
                if at + 4 < known.len() {
                    let used = known.remove(at);
                    known.push(used);
                }
                return Arc::new(Sheet { view: view.clone(), written });
            }
            known.retain(|(view, _)| view.strong_count() > 0);
            let same = known.iter().rev().filter_map(|(held, written)| Some((held.upgrade()?, written.clone())));
            same.filter(|(held, _)| held.name == view.name)
                .min_by_key(|(held, _)| held.revision.abs_diff(view.revision))
        };
        // Outside the lock: two who ask at once both make it, which is harmless.
        let other = other.as_ref().map(|(held, written)| (&**held, &**written));
        let written = Arc::new(Written::of(view, other));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.remove(0);
        }
        known.push((Arc::downgrade(view), written.clone()));
        Arc::new(Sheet { view: view.clone(), written })
    }
}

#[cfg(test)]
mod tests {
    use boundaries::Changes;

    use super::*;
    use crate::snapshot::tests::three_grids;

    fn view(coverage: Coverage, revision: u64) -> Arc<CoverageView> {
        Arc::new(CoverageView::new("responsibility".into(), coverage, revision, None))
    }

    #[test]
    fn a_sheet_made_from_another_says_what_one_made_anew_says_and_goes_with_its_coverage() {
        let first = three_grids();
        let rename = |coverage: &Coverage, code: &str, name: &str| {
            let id = coverage.area_by_code(code).unwrap();
            let area = boundaries::Area { name: name.into(), ..(**coverage.area(id).unwrap()).clone() };
            coverage.with_changes(Changes { put_areas: vec![(id, area)], ..Changes::default() }).unwrap()
        };
        let codes: Vec<Arc<str>> = first.areas().map(|(_, a)| a.code.clone()).collect();
        let sheets = Sheets::default();
        let mut states = vec![view(first.clone(), 1)];
        for (i, code) in codes.iter().enumerate() {
            let next = rename(&states[i].coverage, code, &format!("第{i}"));
            states.push(view(next, i as u64 + 2));
        }
        for state in states.iter().chain(states.iter().rev()) {
            let (made, anew) = (sheets.of(state), Written::of(state, None));
            for (id, area) in state.coverage.areas() {
                let anew =
                    Sheet { view: state.clone(), written: Arc::new(Written::of(state, None)) }.members(id).to_vec();
                assert_eq!(made.members(id), anew, "{}", area.code);
            }
            assert_eq!((&made.written.owners, &made.written.codes.bytes), (&anew.owners, &anew.codes.bytes));
        }
        assert_eq!(sheets.known.lock().unwrap().len(), states.len());
        let gone = Arc::downgrade(&states[0]);
        states.truncate(1);
        drop(sheets.of(&states[0]));
        states.clear();
        assert_eq!(gone.strong_count(), 0);
    }
}
