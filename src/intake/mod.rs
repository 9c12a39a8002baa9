//! Events on their way in: read, judged, filed.
//!
//! ```text
//!   JSON ─▶ report ─▶ judged by the ground at its time, and by that of now ─▶ store
//!            │           outside? near a border? in which building?            │
//!            └── rejected, with a reason that names what is wrong ◀── in conflict
//! ```
//!
//! Invariant: what an event is filed under follows from the event and the boundaries in
//! force at its time, not from the order in which events come; one bad event changes
//! nothing for the others. What is attached to an event is text: nothing that it names is
//! ever fetched.
//!
//! This room must not know: HTTP, SQL, who is asking.

mod limits;
mod report;

mod above;
mod judge;
mod place;
mod ties;

mod assign;
mod filing;
mod ruling;

pub use assign::Assignment;
pub use filing::{Answer, Intake, IntakeError};
pub use limits::{Limits, Rules};
pub use report::{Fault, Rejected, Report};
pub use ruling::{Pin, StepReport, Verdict};
