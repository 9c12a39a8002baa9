//! Why a request for tiles can't be answered.

use std::fmt;

/// Why a request for tiles can't be answered: the request's fault, all but the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TilingError {
    /// The list names no layer.
    NoLayers,
    /// The list names more layers than a tile may have.
    TooManyLayers {
        /// How many it may have.
        limit: usize,
    },
    /// The list names a layer twice: a tile may have it once.
    RepeatedLayer {
        /// The name.
        name: String,
    },
    /// There is no such layer.
    UnknownLayer {
        /// The name (its first 64 characters).
        name: String,
        /// What could have been asked for.
        known: Vec<String>,
    },
    /// The zoom is deeper than [`MAX_ZOOM`](super::MAX_ZOOM).
    ZoomTooDeep {
        /// The zoom.
        z: u8,
    },
    /// There is no such style.
    UnknownStyle {
        /// The name (its first 64 characters).
        name: String,
        /// What could have been asked for.
        known: Vec<String>,
    },
    /// A field that the layer does not have, or that its tiles may not show.
    UnknownField {
        /// The parameter that names it.
        parameter: &'static str,
        /// The layer.
        layer: String,
        /// The name (its first 64 characters).
        name: String,
        /// What could have been asked for.
        known: Vec<String>,
    },
    /// A choice that can't be followed.
    BadChoice {
        /// The parameter that makes it.
        parameter: &'static str,
        /// What is wrong with it.
        why: String,
        /// Where in the parameter's text, in characters from 1.
        position: Option<usize>,
    },
    /// The packer refused, which only a defect of this program can make it do.
    NotPacked {
        /// What it said.
        why: String,
    },
}

impl TilingError {
    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoLayers => "no_layers",
            Self::TooManyLayers { .. } => "too_many_layers",
            Self::RepeatedLayer { .. } => "repeated_layer",
            Self::UnknownLayer { .. } => "unknown_layer",
            Self::ZoomTooDeep { .. } => "zoom_too_deep",
            Self::UnknownStyle { .. } => "unknown_style",
            Self::UnknownField { .. } => "unknown_field",
            Self::BadChoice { .. } => "bad_choice",
            Self::NotPacked { .. } => "not_packed",
        }
    }
}

impl fmt::Display for TilingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLayers => f.write_str("no layer is named"),
            Self::TooManyLayers { limit } => write!(f, "a tile has at most {limit} layers"),
            Self::RepeatedLayer { name } => write!(f, "the layer {name} is named twice"),
            Self::UnknownLayer { name, known } => {
                write!(f, "there is no layer {name}; there are {}", known.join(", "))
            }
            Self::ZoomTooDeep { z } => {
                write!(f, "zoom {z} is not served; the deepest is {}", super::MAX_ZOOM)
            }
            Self::UnknownStyle { name, known } => {
                write!(f, "there is no style {name}; there are {}", known.join(", "))
            }
            Self::UnknownField { layer, name, known, .. } => {
                write!(f, "{layer} has no {name} that tiles show; there are {}", known.join(", "))
            }
            Self::BadChoice { parameter, why, .. } => write!(f, "{parameter}: {why}"),
            Self::NotPacked { why } => write!(f, "the tile could not be packed: {why}"),
        }
    }
}

impl std::error::Error for TilingError {}
