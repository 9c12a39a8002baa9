//! Plans: drafts of changes to the boundaries, seen before they are published.
//!
//! A plan is a base revision and a list of edits; the store keeps both. What the
//! boundaries would be is a [`Draft`], made from them and kept while it is worked on.
//! Every consequence is read off the draft as it would be read off a published state.
//!
//! Invariant: nothing here changes what is published but [`Plans::publish`] and
//! [`Plans::roll_back`], each one transaction of the store. It must not know HTTP, SQL, or how an edit is done.

mod codes;
mod draft;
mod figures;
mod monthly;
mod numbering;
mod op;

mod lineage;
mod preview;
mod spread;

mod crosswalk;
mod register;

mod toward;

mod plans;

mod publish;
mod rebase;
mod rollback;

pub mod told;

pub use codes::{CodeBook, Layout};
pub use crosswalk::{Common, Crossing, Side, crosswalk};
pub use draft::{Draft, Refused, Step, Terms};
pub use figures::{Figures, Target, sums};
pub use lineage::{Cause, lineage};
pub use numbering::Numbering;
pub use op::{Kept, New, Op, Portion, Position};
pub use plans::{Drafting, PlanError, Plans, Settings};
pub use preview::{AreaChange, MovedThing, Preview};
pub use rebase::Conflict;
pub use register::{Alteration, Entry, Standing, register};
pub use spread::{Evenness, Measure, Spread};
pub use toward::{Goal, toward};
