//! Vector tiles: tile coordinates, clipping, quantising, clustering, encoding.
//!
//! Pure, and all in integers once a coordinate is in a tile. This crate must not
//! know: grids, coverages, stores, HTTP.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
