//! Portraits: what there is to say of an area: its people, its place, its party units, who
//! works there, and what happens there.
//!
//! Invariant: a portrait is of one state of the city; the figures of an area are those of
//! its parts together, so that a map of a level adds up to the area above it (what lies on
//! ground without an area of that level is in the area above alone).
//!
//! This room must not know: SQL, HTTP, the clock. Counts of events are handed to it.

mod ground;
mod happened;
mod party;

pub use ground::{Neighbour, People, Place, Staff, sums_by_area};
pub use happened::{Day, Happened, Period, Totals, quantile};
pub use party::{Gaps, Party, Unit};

use boundaries::{AreaId, Coverage};

/// How a city wants its portraits.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Numbers of buildings that count a group of people who live there.
    pub groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let groups = ["elderly", "children", "disabled", "low_income", "floating", "living_alone"];
        Self { groups: groups.map(str::to_owned).into() }
    }
}

/// An area and all that lies below it.
fn subtree(coverage: &Coverage, area: AreaId) -> Vec<AreaId> {
    let mut all = vec![area];
    let mut at = 0;
    while let Some(id) = all.get(at).copied() {
        all.extend_from_slice(coverage.children(id));
        at += 1;
    }
    all
}

#[cfg(test)]
mod tests;
