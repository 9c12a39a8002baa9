//! Finding things by what people know of them: a code, a name, an address, or numbers that
//! are a place.
//!
//! ```text
//!   texts, folded:   ␞ 370202001 ␟ 八大峡街道 ␟ ␞ b0000017 ␟ 3号楼 ␟ 市南区…3号楼 ␞ ...
//!                          one run of bytes for each coverage and layer, searched from end to end
//! ```
//!
//! There is no index of words: Chinese has no spaces to part them at. All texts of a city
//! lie in memory side by side, and a substring of them is found by reading them, some
//! gigabytes a second; so every answer is exact, whatever part of a name was typed.
//!
//! Invariant: the answer is that of asking each thing for itself and sorting: docs and tests
//! call that the reference.
//!
//! This room must not know: HTTP, stores.

mod coordinates;
mod texts;

mod searcher;

pub use coordinates::{Read, coordinates};
pub use searcher::{Answer, Hit, Matched, Searcher};
pub use texts::{MOST_QUERY_CHARS, Thing, fold};

#[cfg(test)]
mod tests;
