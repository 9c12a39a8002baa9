//! A condition on attributes, as a client writes it: a small part of CQL2 text (OGC 21-065).
//!
//! ```text
//!   text ─▶ tokens ─▶ Expr ─▶ Predicate ─▶ true, false or unknown for each feature
//!           token    parse    predicate
//! ```
//!
//! Comparison (`=` `<>` `<` `<=` `>` `>=`), `in`, `like`, `between`, `is null`, `and`, `or`,
//! `not` and parentheses, of a property on the left with constants on the right. What is
//! absent makes a comparison unknown, as in SQL; what is unknown is not let through.
//!
//! Invariant: text of any kind is an [`Expr`] or a [`FilterError`] with its place, in time and
//! stack that the limits bound; a [`Predicate`] can't fail.
//!
//! Predicates know no layers; [`LayerFilter`] and [`AreaFilter`] bring the two together.
//!
//! This room must not know: tiles, stores, HTTP.

mod error;
mod expr;

mod token;

mod parse;

mod like;
mod predicate;

mod of_areas;
mod of_layer;

#[cfg(test)]
mod tests;

pub use error::FilterError;
pub use expr::{Constant, Expr, Operator, Test};
pub use of_areas::AreaFilter;
pub use of_layer::LayerFilter;
pub use parse::{MAX_DEPTH, MAX_LENGTH, MAX_LISTED, MAX_TESTS};
pub use predicate::{Given, Holds, Predicate, Schema};
