//! What an edit must keep to, and the names and numbers that it may give.
//!
//! It must not know how codes are laid out: whoever calls does.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::area::{AreaId, Level};
use crate::carry::FreeIds;
use crate::coverage::Coverage;

/// The ids that were never given in a coverage, counting on from these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Of borders and faces.
    pub ids: FreeIds,
    /// The first free area id.
    pub area: u32,
}

impl Fresh {
    /// The ids after those in use: right where the coverage never lost one.
    #[must_use]
    pub fn after(coverage: &Coverage) -> Self {
        Self { ids: FreeIds::after(coverage), area: coverage.area_slots() as u32 }
    }

    /// These, or those after the ones in use where they are higher: an id in use is never
    /// given again.
    pub(super) fn or_after(self, coverage: &Coverage) -> Self {
        let after = Self::after(coverage);
        let ids = FreeIds { border: self.ids.border.max(after.ids.border), face: self.ids.face.max(after.ids.face) };
        Self { ids, area: self.area.max(after.area) }
    }
}

/// A code wanted for a new area.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The coverage before the edit.
    pub coverage: &'a Coverage,
    /// The area that the new one comes out of: its code is kept by the rest of it.
    pub from: Option<AreaId>,
    /// The parent to be.
    pub parent: Option<AreaId>,
    /// The level to be.
    pub level: Level,
    /// Codes that the same edit has given already.
    pub given: &'a [Arc<str>],
}

/// Who gives codes, and knows which ones were ever given.
pub trait Codes {
    /// A code that was never used, or none where the layout has no more.
    fn next(&self, wanted: &Wanted<'_>) -> Option<Arc<str>>;

    /// Whether an area had that code once; those that have it now need not be known.
    fn was_used(&self, code: &str) -> bool;
}

/// Codes without a layout: the kept code and -2, -3 ..., never one used before. What was
/// used and is no longer in the coverage must be listed.
#[derive(Clone, Debug, Default)]
pub struct Suffixes {
    /// Codes that were in use once.
    pub used: BTreeSet<Arc<str>>,
}

impl Codes for Suffixes {
    fn next(&self, wanted: &Wanted<'_>) -> Option<Arc<str>> {
        let kept = wanted.coverage.area(wanted.from.or(wanted.parent)?)?;
        (2u32..).map(|n| Arc::from(format!("{}-{n}", kept.code))).find(|code: &Arc<str>| {
            !self.was_used(code) && wanted.coverage.area_by_code(code).is_none() && !wanted.given.contains(code)
        })
    }

    fn was_used(&self, code: &str) -> bool {
        self.used.contains(code)
    }
}

/// What an edit must keep to.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// How near a drawn line must come to a vertex or border to be taken to mean it, in
    /// metres; what is more than 10 is taken for 10.
    pub tolerance_m: f64,
    /// What is left is a sliver when it is narrower than this, in metres, ...
    pub sliver_width_m: f64,
    /// ... and smaller than this, in square metres.
    pub sliver_area_m2: f64,
    /// The uppermost level whose borders may move: level 0 allows everything.
    pub mandate: Level,
    /// Areas that must stay as they are, with all below them.
    pub locked: &'a BTreeSet<AreaId>,
    /// Who gives codes.
    pub codes: &'a dyn Codes,
    /// The ids that may be given.
    pub fresh: Fresh,
}

impl<'a> Rules<'a> {
    /// Rules without locks or mandate: drawn lines snap within half a metre, and what is
    /// narrower than 0.2 m and smaller than 5 m² is a sliver, as at import.
    #[must_use]
    pub fn new(codes: &'a dyn Codes, fresh: Fresh) -> Self {
        const NONE: &BTreeSet<AreaId> = &BTreeSet::new();
        let (sliver_width_m, sliver_area_m2) = (0.2, 5.0);
        Self { tolerance_m: 0.5, sliver_width_m, sliver_area_m2, mandate: Level(0), locked: NONE, codes, fresh }
    }
}

/// What is known of an area to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewArea {
    /// Its code; given by [`Codes`] where it is open.
    pub code: Option<Arc<str>>,
    /// Its name; empty where it is open.
    pub name: Option<Arc<str>>,
    /// Its kind; that of the area it comes out of where it is open.
    pub kind: Option<Arc<str>>,
    /// The code of its parent; that of the area it comes out of where it is open.
    pub parent: Option<Arc<str>>,
}
