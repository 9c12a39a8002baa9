//! Live workers and who is nearest.
//!
//! [`Workers`] knows every worker of the city, where each was last seen and when, and
//! answers who is nearest to a place: over the sphere, in exact order, with filters
//! inside the search. See docs/nearest.md for how and how fast.
//!
//! Invariant: a position is only ever replaced by a later one ([`Position`] says what
//! "later" is), so the state after a set of reports does not depend on their order.
//!
//! This room must not know: HTTP, JSON, stores, datums other than WGS-84. It does not
//! look at the clock either: the caller says what time it is.

mod bands;
mod sphere;

mod buckets;
mod search;
mod traits;

mod nearest;
mod passed;
mod propose;
mod workers;

mod ground;
mod standing;

pub(crate) use ground::is_done;
pub use nearest::{Found, Ground, MAX_K, Order, Query, Why};
pub use passed::{MOST_PASSED, Passed, Reason};
pub use propose::{COST_LIMIT, Candidate, propose};
pub use sphere::{RADIUS_M, distance_m};
pub use standing::{LAG_S, Standing};
pub use workers::{LEAD_S, Position, Recorded, Seen, Synced, Worker, Workers};

#[cfg(test)]
mod tests;
