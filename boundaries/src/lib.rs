//! Administrative boundaries as one exact planar graph.
//!
//! A [`Coverage`] is not a heap of polygons: it is one planar graph on an integer
//! lattice. Its *borders* are stored once, each between the two *faces* at its
//! sides, and every face has at most one owner, an *area*. Outlines of any level,
//! neighbours, dissolves and answers to "who owns this place" are readings of that
//! graph, so they cannot disagree.
//!
//! Invariant: a `Coverage` that exists is valid (see [`Coverage::sanity_check`])
//! and never changes; an edit makes another one that shares what it did not touch.
//!
//! This crate must not know: files, stores, JSON, HTTP, datums other than WGS-84,
//! clocks, threads of control. It does no IO, so it cannot fail for reasons of its
//! own: what it refuses, it refuses for the input, with a place.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod lattice;
mod metres;
mod near;
mod pairs;
mod polygon;
mod segment;
mod west;

mod area;
mod build;
mod carry;
mod change;
mod chunks;
mod coverage;
mod difference;
mod levels;
mod measure;
mod topology;
mod validate;

mod assemble;
mod finding;
#[cfg(test)]
mod samples;

pub mod edit;
mod locator;
pub mod simplify;

pub use area::{Area, AreaId, Level};
pub use assemble::{Assembly, Claim, Exchange, Exchanges, Overlay, Owners, Settings, assemble};
pub use carry::{FreeIds, area_ids, carry_ids};
pub use change::Changes;
pub use chunks::Chunked;
pub use coverage::{BorderRecord, BuildError, Coverage, FaceRecord};
pub use difference::{Difference, together};
pub use finding::{Finding, FindingKind};
pub use lattice::{Bounds, Point, UNITS_PER_DEGREE, orient};
pub use levels::{Outline, Part};
pub use locator::{FaceTree, Locator, Nearest, Place};
pub use metres::{Frame, Ground};
pub use polygon::{Polygon, Ring};
pub use topology::{Border, BorderId, Face, FaceId, HalfEdge};
pub use validate::Defect;
