//! From a file to a published state, or to a plan: read, assemble, compare, publish.
//!
//! Invariant: all or nothing. A store is written in one transaction at the very end,
//! when everything is known to be good; whatever refuses before leaves it as it was.
//! A re-import is a sync: it writes what differs. This room must not know file
//! formats, SQL or HTTP.

use crate::exchange::{Cause, ReadError};
use crate::store;

mod compare;
mod datum;
mod draft;
mod parents;
mod plan;
mod progress;

mod areas;
mod as_plan;
mod events;
mod layer;
mod levels;
mod page;
mod report;

pub use areas::{AreasOptions, areas};
pub use as_plan::{AsPlan, Planned};
pub use events::{EventsOptions, EventsOutcome, events};
pub use layer::{LayerOptions, LayerOutcome, Unplaced, WELL_KNOWN, WithoutPlace, layer};
pub use levels::{Levels, LevelsError};
pub use progress::Progress;
pub use report::{Counts, Report, Row, summary};

pub use crate::snapshot::DEFAULT_COVERAGE;

/// Why an import did not come to a report.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It was asked for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The file, or what it holds, is not acceptable; nothing changed.
    #[error("{0}")]
    Refused(String),
    /// The file or the store did not work; nothing changed.
    #[error("{0}")]
    CouldNot(String),
}

impl From<LevelsError> for ImportError {
    fn from(e: LevelsError) -> Self {
        Self::Usage(e.0)
    }
}

impl From<ReadError> for ImportError {
    fn from(e: ReadError) -> Self {
        let reason = e.to_string();
        match *e.cause {
            Cause::Geometry(_) | Cause::GeometryHinted { .. } => Self::Refused(reason),
            Cause::Choice(_) => Self::Usage(reason),
            _ => Self::CouldNot(reason),
        }
    }
}

impl From<store::Error> for ImportError {
    fn from(e: store::Error) -> Self {
        match e {
            store::Error::Moved { .. } | store::Error::TooManyRemoved { .. } | store::Error::Refused(_) => {
                Self::Refused(e.to_string())
            }
            _ => Self::CouldNot(e.to_string()),
        }
    }
}
