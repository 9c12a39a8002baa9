//! One coverage as it is read: the graph, its locator, and which revision it is.

use std::sync::{Arc, OnceLock};

use boundaries::{Bounds, Coverage, Locator};
use jiff::Timestamp;

use super::shares::BorderRuns;

/// A coverage at one revision.
#[derive(Debug)]
pub struct CoverageView {
    /// `responsibility`, `cell`, `police` ...
    pub name: Arc<str>,
    /// The graph; it knows the names of its levels.
    pub coverage: Coverage,
    /// Who owns a place.
    pub locator: Locator,
    /// The revision that made it; 0 for one that was never published.
    pub revision: u64,
    /// From when it is in force; `None` for the first, which reaches back without limit.
    pub effective: Option<Timestamp>,
    runs: OnceLock<BorderRuns>,
    bounds: OnceLock<Bounds>,
}

impl CoverageView {
    /// Makes a coverage readable: builds its locator.
    #[must_use]
    pub fn new(name: Arc<str>, coverage: Coverage, revision: u64, effective: Option<Timestamp>) -> Self {
        let locator = Locator::build(&coverage);
        Self { name, coverage, locator, revision, effective, runs: OnceLock::new(), bounds: OnceLock::new() }
    }

    /// The same for a coverage that came from this one by an edit: what the edit
    /// left alone is shared.
    #[must_use]
    pub fn updated(&self, coverage: Coverage, revision: u64, effective: Option<Timestamp>) -> Self {
        let locator = self.locator.updated(&self.coverage, &coverage);
        let runs = self.runs.get().map(|runs| runs.updated(&self.coverage, &coverage));
        let runs = runs.map_or_else(OnceLock::new, OnceLock::from);
        Self { name: self.name.clone(), coverage, locator, revision, effective, runs, bounds: OnceLock::new() }
    }

    /// How many bytes it holds beyond those that are the same memory in another state.
    #[must_use]
    pub fn bytes_not_shared_with(&self, other: Option<&Self>) -> usize {
        let runs = self.runs.get().map_or(0, |runs| runs.bytes_not_shared_with(other.and_then(|o| o.runs.get())));
        let graph = match other {
            Some(other) => self.coverage.bytes_not_shared_with(&other.coverage),
            None => self.coverage.bytes_not_shared_with(&Coverage::empty(self.coverage.levels().into())),
        };
        size_of::<Self>() + graph + self.locator.bytes_not_shared_with(other.map(|o| &o.locator)) + runs
    }

    /// The names of its levels, topmost first.
    #[must_use]
    pub fn levels(&self) -> &[Arc<str>] {
        self.coverage.levels()
    }

    /// The box around all ground; looked for when first asked for.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        *self.bounds.get_or_init(|| self.coverage.bounds())
    }

    /// The borders in short runs, found by box; made when first asked for.
    pub(super) fn runs(&self) -> &BorderRuns {
        self.runs.get_or_init(|| BorderRuns::build(&self.coverage))
    }
}
