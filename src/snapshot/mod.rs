//! What a request reads: one consistent state of the city, held in memory.
//!
//! A [`Snapshot`] never changes; what changes is which one the [`Atlas`] hands out.
//! Whatever did not change between two snapshots (a coverage, a layer) is the same
//! memory in both. A reader takes one snapshot at its start and asks nothing else.
//!
//! This room must not know: SQL, HTTP, file formats, or who is asking.

use std::collections::BTreeMap;
use std::sync::Arc;

mod moment;
mod timeline;
mod view;

mod shapes;
mod strings;
mod table;

mod layer;
mod owners;
mod shares;

mod past;

mod atlas;

#[cfg(test)]
pub(crate) mod tests;

pub use atlas::Atlas;
pub use layer::{Base, Layer, Moved};
pub use moment::{Moment, MomentError};
pub use shapes::{GeometryRef, Part, Parts};
pub use shares::Share;
pub use strings::Sym;
pub(crate) use table::fitted;
pub use table::{Cell, Field, Kind, Table, ValueRef};
pub use timeline::{Course, Timeline};
pub use view::CoverageView;

/// The name of the coverage that is asked where none is named.
pub const DEFAULT_COVERAGE: &str = "responsibility";

/// The state of a city at one revision.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The identity of the store that this came from: another one after a restore.
    pub epoch: Arc<str>,
    /// The highest revision in force, over all coverages; 0 before the first.
    pub revision: u64,
    /// The number of the last change that is in this snapshot, layers included.
    pub change: u64,
    /// What was published by then, in force or not.
    pub timeline: Arc<Timeline>,
    /// The coverages, the default one first, the others as they were made.
    pub coverages: Vec<Arc<CoverageView>>,
    /// The layers by name.
    pub layers: BTreeMap<Arc<str>, Arc<Layer>>,
}

impl Snapshot {
    /// A city without coverages or layers.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            epoch: "".into(),
            revision: 0,
            change: 0,
            timeline: Arc::default(),
            coverages: Vec::new(),
            layers: BTreeMap::new(),
        }
    }

    /// The same features over other states of the coverages.
    #[must_use]
    pub fn over(&self, coverages: Vec<Arc<CoverageView>>) -> Self {
        let layers = self.layers.iter().map(|(name, layer)| (name.clone(), Arc::new(layer.reowned(&coverages))));
        Self {
            epoch: self.epoch.clone(),
            revision: coverages.iter().map(|c| c.revision).max().unwrap_or(0),
            change: self.change,
            timeline: self.timeline.clone(),
            layers: layers.collect(),
            coverages,
        }
    }

    /// The place in [`coverages`](Self::coverages) of the coverage of that name.
    #[must_use]
    pub fn coverage_index(&self, name: &str) -> Option<usize> {
        self.coverages.iter().position(|c| &*c.name == name)
    }

    /// The coverage of that name.
    #[must_use]
    pub fn coverage(&self, name: &str) -> Option<&Arc<CoverageView>> {
        self.coverages.iter().find(|c| &*c.name == name)
    }

    /// The layer of that name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<&Arc<Layer>> {
        self.layers.get(name)
    }
}
