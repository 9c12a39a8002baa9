//! Who owns each row of a table in one coverage, and which rows an area has.

use std::sync::{Arc, OnceLock};

use boundaries::{AreaId, Bounds, Coverage};
use rayon::prelude::*;

use super::shares::{Scratch, Share, Verdict, verdict};
use super::table::Table;
use super::view::CoverageView;

/// The owners of the rows of one table in one coverage.
#[derive(Debug)]
pub(super) struct Owners {
    pub(super) view: Arc<CoverageView>,
    /// Area id plus one; 0 is nobody.
    owner: Vec<u32>,
    /// Rows that a border cuts, ascending, with their shares.
    cut: Vec<Cut>,
    /// The rows in the order of their owners, and where each owner's begin.
    rows: Vec<u32>,
    begins: Vec<u32>,
}

/// A row that a border cuts, and its shares.
type Cut = (u32, Box<[Share]>);

/// Rows that one thread takes at a time.
const STRIDE: usize = 2048;

impl Owners {
    pub(super) fn of(table: &Table, view: &Arc<CoverageView>) -> Self {
        let strides: Vec<usize> = (0..table.len()).step_by(STRIDE).collect();
        let found: Vec<(Vec<u32>, Vec<Cut>)> = strides
            .into_par_iter()
            .map(|from| {
                let mut scratch = Scratch::default();
                let mut cut = Vec::new();
                let owners = (from..(from + STRIDE).min(table.len()))
                    .map(|row| {
                        let Some(geometry) = table.geometry(row) else { return 0 };
                        let Verdict { owner, shares } = verdict(view, geometry, &mut scratch);
                        if !shares.is_empty() {
                            cut.push((row as u32, shares.into_boxed_slice()));
                        }
                        owner.map_or(0, |a| a.0 + 1)
                    })
                    .collect();
                (owners, cut)
            })
            .collect();
        let mut owner = Vec::with_capacity(table.len());
        let mut cut = Vec::new();
        for (owners, cuts) in found {
            owner.extend(owners);
            cut.extend(cuts);
        }
        let (rows, begins) = by_owner(&owner, view.coverage.area_slots());
        Self { view: view.clone(), owner, cut, rows, begins }
    }

    /// The same for a state of the coverage that came from the one that these are of:
    /// only rows that `near` gives for ground that changed hands are judged again.
    pub(super) fn updated(&self, table: &Table, view: &Arc<CoverageView>, near: impl Fn(Bounds) -> Vec<usize>) -> Self {
        let ground = view.coverage.changed_ground(&self.view.coverage);
        let mut again: Vec<usize> = ground.into_iter().flat_map(near).collect();
        again.sort_unstable();
        again.dedup();
        let mut owner = self.owner.clone();
        let mut cut: Vec<Cut> =
            self.cut.iter().filter(|(row, _)| again.binary_search(&(*row as usize)).is_err()).cloned().collect();
        let judged: Vec<(usize, Verdict)> = again
            .par_chunks(STRIDE)
            .flat_map_iter(|rows| {
                let mut scratch = Scratch::default();
                let judge = |row: &usize| Some((*row, verdict(view, table.geometry(*row)?, &mut scratch)));
                rows.iter().filter_map(judge).collect::<Vec<_>>()
            })
            .collect();
        for (row, Verdict { owner: of_row, shares }) in judged {
            owner[row] = of_row.map_or(0, |a| a.0 + 1);
            if !shares.is_empty() {
                cut.push((row as u32, shares.into_boxed_slice()));
            }
        }
        cut.sort_unstable_by_key(|(row, _)| *row);
        let (rows, begins) = by_owner(&owner, view.coverage.area_slots());
        Self { view: view.clone(), owner, cut, rows, begins }
    }

    pub(super) fn owner(&self, row: usize) -> Option<AreaId> {
        self.owner.get(row)?.checked_sub(1).map(AreaId)
    }

    pub(super) fn shares(&self, row: usize) -> &[Share] {
        self.cut.binary_search_by_key(&(row as u32), |(r, _)| *r).map_or(&[], |i| &self.cut[i].1)
    }

    pub(super) fn cut(&self) -> impl Iterator<Item = usize> {
        self.cut.iter().map(|(row, _)| *row as usize)
    }

    /// The rows that `area` itself owns, ascending.
    pub(super) fn rows_of(&self, area: AreaId) -> &[u32] {
        let at = |i: usize| self.begins.get(i).map_or(self.rows.len(), |b| *b as usize);
        &self.rows[at(area.0 as usize + 1)..at(area.0 as usize + 2)]
    }
}

/// The owners in one state of a coverage, worked out when they are first asked for: most who
/// look at the past ask for places, not for what stands there.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) view: Arc<CoverageView>,
    /// The owners in another state, to make these from.
    near: Option<Arc<Owners>>,
    made: OnceLock<Arc<Owners>>,
}

impl Owned {
    /// Owners that are known.
    pub(super) fn known(owners: Arc<Owners>) -> Self {
        Self { view: owners.view.clone(), near: None, made: OnceLock::from(owners) }
    }

    /// Owners to be worked out, from those in another state where there are some.
    pub(super) fn later(view: &Arc<CoverageView>, other: Option<&Self>) -> Self {
        let near = other.and_then(|other| other.made.get().or(other.near.as_ref())).cloned();
        Self { view: view.clone(), near, made: OnceLock::new() }
    }

    /// The owners of the rows of a table, which is the same each time.
    pub(super) fn made(&self, table: &Table, near: impl Fn(Bounds) -> Vec<usize>) -> &Arc<Owners> {
        self.made.get_or_init(|| {
            Arc::new(match &self.near {
                Some(other) => other.updated(table, &self.view, near),
                None => Owners::of(table, &self.view),
            })
        })
    }
}

/// Counting sort: rows by owner, and where each begins; place 0 is nobody's.
fn by_owner(owner: &[u32], areas: usize) -> (Vec<u32>, Vec<u32>) {
    let mut begins = vec![0u32; areas + 2];
    for o in owner {
        begins[*o as usize + 1] += 1;
    }
    for i in 1..begins.len() {
        begins[i] += begins[i - 1];
    }
    let mut next = begins.clone();
    let mut rows = vec![0u32; owner.len()];
    for (row, o) in owner.iter().enumerate() {
        rows[next[*o as usize] as usize] = row as u32;
        next[*o as usize] += 1;
    }
    (rows, begins)
}

/// An area and all areas below it.
pub(super) fn with_descendants(coverage: &Coverage, area: AreaId) -> Vec<AreaId> {
    let mut all = vec![area];
    let mut at = 0;
    while let Some(id) = all.get(at).copied() {
        all.extend_from_slice(coverage.children(id));
        at += 1;
    }
    all
}
