//! Files in and out: formats, and nothing of what they are for.
//!
//! A reader hands out records whose geometry is well-formed but raw ([`raw`]): in the
//! file's CRS, dirty as it came. Every error names the file, the feature and the place
//! in it. It must not know areas, layers or the store's schema.

mod error;
mod format;
pub mod hints;
pub mod raw;
mod source;

mod bytes;
mod csv;
mod encoding;
mod flatgeobuf;
mod geojson;
mod geopackage;
mod json;
mod shapefile;
pub mod wkb;
mod wkt;

pub mod write;

pub use bytes::Progress;
pub use error::{Cause, ReadError};
pub use format::Format;
pub use raw::{Place, RawGeometry, Record};
pub use source::{Located, ReadOptions, Source, open};

#[cfg(test)]
mod tests;
