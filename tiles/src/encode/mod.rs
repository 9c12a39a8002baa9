//! Vector tiles on the wire: Mapbox Vector Tile 2.1 in protobuf.
//!
//! ```text
//! tile     layer*                                      concatenated, nothing around them
//! layer    version name feature* key* value* extent
//! feature  id tags type geometry                       tags: key index, value index, ...
//! ```
//!
//! Layers are written one by one and can be kept: a tile is their concatenation.

mod geometry;
mod layer;
mod wire;

pub use geometry::GeometryKind;
pub use layer::{LayerWriter, Scratch, TagValue};
