//! A seeded city that takes the same way in as a file.
//!
//! [`City::new`] draws the ground, [`things`] puts buildings, party units, workers and
//! events on it, [`files`] writes all of it as GeoJSON lines, which the import reads
//! like anybody's. docs/demo-city.md shows the steps.
//!
//! Invariant: the same size and seed give the same city, byte for byte, on every
//! machine. Names below the districts are invented; nothing here is real data.
//!
//! This room must not know: stores, SQL, HTTP.

mod random;

mod land;

mod cells;

mod borders;
mod names;
mod regions;

mod city;
pub mod things;

pub mod files;
pub mod live;

pub use city::{City, FEWEST_GRIDS, Grid, MOST_GRIDS, Unit};
pub use random::Random;

#[cfg(test)]
mod tests;
