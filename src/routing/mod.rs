//! Who answers for an event where the map alone doesn't say: rules above the map.
//!
//! ```text
//!   event ─▶ rule 1 ─no─▶ rule 2 ─no─▶ ... ─no─▶ the owner of the ground
//!              │ yes        │ yes
//!              ▼            ▼
//!         an area, or a body (a department, a company): parts go to their owner first
//! ```
//!
//! Rules are configuration. The first that fits an event decides; one that would name the
//! owner of a thing (a lamp, a manhole) and doesn't find it fits nothing.
//!
//! Invariant: [`Routing`] that exists makes sense: its names are given once and its polygons
//! are rings on the globe. What it decides follows from the event, the rules and the things
//! that it asks for, and from nothing else.
//!
//! This room must not know: stores, HTTP, snapshots. Who owns a thing is asked of the caller.

mod rules;

pub use rules::{Asset, Case, Defect, Owner, Routed, Routing, RuleSettings, To};

#[cfg(test)]
mod tests;
