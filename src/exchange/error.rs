//! Why a file can't be read: always with the file, and with the feature and the place
//! in it where there is one.

use std::path::{Path, PathBuf};

use super::raw::{GeometryError, Place};
use super::wkb::WkbError;
use crate::crs::CrsError;

/// A file that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}{cause}", file.display(), place.map(|p| format!("{p}: ")).unwrap_or_default())]
pub struct ReadError {
    /// The file as it was named.
    pub file: PathBuf,
    /// The feature and where it starts, where the fault lies in one.
    pub place: Option<Place>,
    /// What is wrong.
    #[source]
    pub cause: Box<Cause>,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// It can't be opened or read at all.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It holds nothing.
    #[error("the file is empty")]
    Empty,
    /// It ends in the middle.
    #[error("the file is cut off: {0}")]
    CutOff(String),
    /// Its ending says one thing and its bytes another.
    #[error("its ending says {expected}, but it holds {found}")]
    WrongEnding {
        /// What the ending stands for.
        expected: &'static str,
        /// What it really is.
        found: &'static str,
    },
    /// A format, or a part of one, that is not supported.
    #[error("{0}")]
    Unsupported(String),
    /// Against the rules of its format.
    #[error("{0}")]
    Syntax(String),
    /// A geometry that can't be put on a map.
    #[error("{0}")]
    Geometry(#[from] GeometryError),
    /// A geometry that can't be put on a map, and what seems to have happened.
    #[error("{error}: {hint}")]
    GeometryHinted {
        /// What can't be.
        error: GeometryError,
        /// What seems to have happened, and what to do.
        hint: String,
    },
    /// Bytes that are no WKB.
    #[error("{0}")]
    Wkb(#[from] WkbError),
    /// Its coordinate system is not known or not supported.
    #[error("{0}")]
    Crs(#[from] CrsError),
    /// A layer or column that the file lacks, or a choice that has to be made.
    #[error("{0}")]
    Choice(String),
    /// More than is read in one piece.
    #[error("{what} is over the limit of {limit}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// The limit, with its unit.
        limit: String,
    },
}

/// A fault inside a reader, which does not know the file's name.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) place: Option<Place>,
    pub(super) cause: Cause,
}

impl Fault {
    pub(super) fn at(place: Place, cause: impl Into<Cause>) -> Self {
        Self { place: Some(place), cause: cause.into() }
    }

    pub(super) fn in_file(self, file: &Path) -> ReadError {
        ReadError { file: file.to_path_buf(), place: self.place, cause: Box::new(self.cause) }
    }
}

impl<C: Into<Cause>> From<C> for Fault {
    fn from(cause: C) -> Self {
        Self { place: None, cause: cause.into() }
    }
}
