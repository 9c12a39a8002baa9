//! Files in and out: formats, and nothing of what they are for.
//!
//! A reader hands out records whose geometry is well-formed but raw ([`raw`]): in the
//! file's CRS, dirty as it came. Every error names the file, the feature and the place
//! in it. It must not know areas, layers or the store's schema.

pub mod raw;
pub mod wkb;
pub mod write;
