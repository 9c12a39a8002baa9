//! What requests choose of the features of a tile, decoded and held against the layer.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../tiling/city.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod city;
#[path = "../../tiles/tests/support/mod.rs"]
mod support;

mod fields;
mod filter;
mod gathered;
mod small;
mod town;
