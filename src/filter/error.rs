//! Why a text is no filter, or none for what it is asked of.

use std::fmt;

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// The place in the text, in characters from 1.
    pub position: usize,
    /// What is wrong there.
    pub why: String,
}

impl FilterError {
    pub(super) fn new(position: usize, why: impl Into<String>) -> Self {
        Self { position, why: why.into() }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.position, self.why)
    }
}

impl std::error::Error for FilterError {}
