//! A snapshot read as vector tiles.
//!
//! A request names layers and a tile; what comes back is the layers' MVT, each as it
//! stands in one coverage and one snapshot, compressed and with a digest. Areas come
//! from the graph (their lines are shared, so they cannot crack), everything else
//! from the layers' columns.
//!
//! Invariant: a tile is a pure function of the coverage, the layers and the request;
//! the cache only saves work. What a tile leaves out, it says.
//!
//! This room must not know: HTTP, SQL, files, who is asking.

mod choice;
mod error;
mod names;
mod shown;
mod tile;

mod datum;
mod label;

mod ground;
mod lines;
mod traced;
mod zoom;

mod areas;
mod blocks;
mod changed;
mod features;
mod footprints;
mod gathered;

mod prepared;
mod tiler;

mod document;
mod pyramid;
mod style;

pub use areas::AreaTiles;
pub use changed::Changed;
pub use choice::{Choice, Wish};
pub use datum::Datum;
pub use error::TilingError;
pub(crate) use label::interior_point;
pub use names::{LayerList, LayerName};
pub use pyramid::{Batch, Pyramid};
pub use style::{BaseMap, BaseMapKind, Language, StyleSettings};
pub use tile::{Encoding, Tile};
pub use tiler::{Differing, MAX_TILE_BYTES, TileOptions, Tiler};

/// The deepest zoom that is served.
pub const MAX_ZOOM: u8 = 18;

/// The deepest zoom that is worth making: a tile unit is 12 cm there, so maps draw
/// what lies deeper from these.
pub const DETAIL_ZOOM: u8 = 16;
