//! Places in, owners out: one at a time or millions, as JSON lines or CSV.
//!
//! [`scan`] reads a line, [`sheet`] has ready what is written of each area, [`batch`]
//! takes blocks of lines through both, [`table`] does the same for CSV. The service
//! and the command line share it, so they can't answer differently.
//!
//! Invariant: answers stand in the order of their places, one for each, and name the
//! lattice point that was asked about. This room must not know: HTTP, stores, threads.

mod scan;

pub(crate) mod building;
mod sheet;

mod batch;
mod table;

pub use batch::{Detail, Question, locate_items, locate_lines, locate_one};
pub use scan::{Asked, Refused};
pub use sheet::{Sheet, Sheets};
pub use table::{Rows, TableError, add_to_csv, add_to_lines};

#[cfg(test)]
mod tests;
