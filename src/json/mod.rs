//! JSON text written straight from the lattice: exact decimals, strings, GeoJSON.
//!
//! What is answered and exported by the million is written here, byte by byte, without
//! a tree of values and without a float on the way. This room must not know who reads it.

mod geometry;
mod text;

pub(crate) use geometry::{push_bbox, push_geometry, push_polygons, push_value};
pub(crate) use text::{push_degrees, push_metres, push_text};
