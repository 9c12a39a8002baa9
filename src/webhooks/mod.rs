//! Telling others what happens to events: whom, of what, how it is signed and sent.
//!
//! ```text
//!  log of what happens ─▶ wanted ─▶ a message ─▶ signature ─▶ send ─▶ taken, refused or away
//! ```
//!
//! Invariant: a message has the same id however often it is sent, so whoever takes it can
//! tell a repetition. Where it goes is configured: nothing that an event names is asked.
//!
//! This room must not know: stores, how far anybody has been told, axum.

mod settings;
mod signature;

mod wanted;

mod send;

pub use send::{Outcome, Sender, trusted};
pub use settings::{Defect, Settings, Subscription};
pub use signature::{Key, sign};
pub use wanted::{Interest, Kind};
