//! Events from a NATS JetStream, by the same rules as those that are posted.
//!
//! ```text
//!   stream ─▶ a batch ─▶ intake ─▶ kept, or was kept ──▶ acked
//!     ▲                    │ └── makes no sense ─▶ put under `rejected`, with the reason ─▶ done with
//!     └── comes again ◀────┘ the store did not take it
//! ```
//!
//! Invariant: a message is acked after the commit of its event, and done with for another
//! reason only once it lies where rejected ones go. So each comes at least once, whatever
//! ends in between, and what comes again is no second event.
//!
//! This room must not know: HTTP, SQL.

mod settings;
mod take;

#[cfg(test)]
mod tests;

pub use settings::{Nonsense, Settings};
pub use take::follow;
