//! The way of an event: its states and who may move it on, how long each part of the way
//! may take, and how late it is.
//!
//! ```text
//!     collected ─ filed ─ dispatched ─ handled ─ fed_back ─ closed ─ rated
//!         │         └────────┬───────────┴──────────┘
//!   not_accepted    returned · extended · parked · cancelled
//! ```
//!
//! The table of states, the limits and the calendars are configuration ([`Settings`]); what
//! is shipped is the common one. The state of an event is the name of its last step.
//!
//! Invariant: a [`Steps`] that exists makes sense: every state that a move or a limit names
//! is in the table, every calendar has hours, and each walk through a calendar ends.
//!
//! This room must not know: stores, HTTP, areas, the clock. Whoever asks says what time it
//! is, and what happened to an event before.

mod settings;

mod calendar;
mod limits;
mod table;

pub use calendar::Span;
pub use limits::{Clock, DueState, Standing, Subject};
pub use settings::{CalendarSettings, CardSettings, Defect, LimitSettings, Move, Settings, StateSettings};
pub use table::{Asked, Refused, Steps, Taken};

#[cfg(test)]
mod tests;
