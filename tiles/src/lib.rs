//! Vector tiles: tile coordinates, the projection to a global integer grid,
//! clipping, and MVT 2.1 encoding.
//!
//! A position goes through floating point exactly once, on its way from the lattice
//! (1e-7 degree, WGS-84) to the [`World`] grid. From there on everything is integers
//! and a pure function of the world position and the zoom, so two areas that share a
//! vertex, and two tiles that show it, hold the same one.
//!
//! Lines that belong together are put on a zoom's grid together ([`snap`]), ground is
//! [traced](trace()) from what that leaves, and [cut](Cut) to a tile at vertices that are
//! there already. Loose features are cut one by one ([`Shape`]). Points are gathered
//! ([`Clusters`], [`Heat`]) once for the globe, not tile by tile.
//!
//! Invariant: what [`LayerWriter`] writes is valid MVT 2.1: outer rings of positive
//! area, holes of negative, no degenerate ring or line, no feature without geometry.
//!
//! This crate must not know: grids, coverages, stores, JSON, HTTP. It does no IO.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod coord;
mod grid;
mod world;

mod ring;
mod space;

mod clip;
mod shape;

mod snap;
mod trace;

mod cut;

mod cluster;
mod heat;

mod encode;

pub use clip::ClipBox;
pub use cluster::{Cluster, Clusters, DEEPEST_CLUSTERS, RADIUS, Site};
pub use coord::{MAX_ZOOM, TileCoord, TileCoordError};
pub use cut::Cut;
pub use encode::{GeometryKind, LayerWriter, Scratch, TagValue};
pub use grid::{Grid, GridBox, GridPoint};
pub use heat::{CELL, Heat, Warm};
pub use ring::{clean_ring, twice_area};
pub use shape::{Role, Shape};
pub use snap::{Chains, Snapped, snap};
pub use space::{BUFFER, EXTENT, TilePoint, TileSpace};
pub use trace::{Edge, GridPolygon, trace};
pub use world::{LatticeBox, World};
