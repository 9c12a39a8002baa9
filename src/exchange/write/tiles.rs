//! A pyramid of vector tiles in one file: PMTiles or MBTiles.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use pmtiles::{Compression, PmTilesStreamWriter, PmTilesWriter, TileCoord, TileType};
use tempfile::NamedTempFile;

use super::{WriteError, beside, persist};
use crate::store::foreign::TilesOut;

/// What a file of tiles says of itself.
#[derive(Clone, Debug)]
pub struct Pyramid {
    /// Its name.
    pub name: String,
    /// The lowest and the highest zoom.
    pub zooms: (u8, u8),
    /// West, south, east and north, in degrees.
    pub bounds: [f64; 4],
    /// Longitude and latitude, in degrees, and a zoom to begin with.
    pub center: (f64, f64, u8),
    /// The `vector_layers` of TileJSON 3, as JSON.
    pub vector_layers: serde_json::Value,
}

/// A file of tiles that is being written.
pub struct TileWriter {
    path: PathBuf,
    out: NamedTempFile<File>,
    sink: Sink,
    count: u64,
}

enum Sink {
    PmTiles(Box<PmTilesStreamWriter<BufWriter<File>>>),
    MbTiles(TilesOut),
}

impl std::fmt::Debug for TileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TileWriter").field("path", &self.path).field("count", &self.count).finish_non_exhaustive()
    }
}

impl TileWriter {
    /// Begins a file in the format that its ending names.
    ///
    /// # Errors
    ///
    /// Another ending than `.pmtiles` and `.mbtiles`, or a folder that can't be written to.
    pub fn create(path: &Path, pyramid: &Pyramid) -> Result<Self, WriteError> {
        let fail = |reason: String| WriteError { file: path.into(), reason };
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        let is_pmtiles = match ending.as_deref() {
            Some("pmtiles") => true,
            Some("mbtiles") => false,
            _ => return Err(fail("tiles go into a file that ends in .pmtiles or .mbtiles".into())),
        };
        let out = beside(path).map_err(fail)?;
        let sink = if is_pmtiles { pmtiles(&out, pyramid) } else { mbtiles(out.path(), pyramid) };
        Ok(Self { path: path.into(), out, sink: sink.map_err(fail)?, count: 0 })
    }

    /// Puts a tile in, packed by gzip; `y` counts from the north.
    ///
    /// # Errors
    ///
    /// An address off the map, or a file that can't be written to.
    pub fn write(&mut self, z: u8, x: u32, y: u32, gzip: &[u8]) -> Result<(), WriteError> {
        let done = match &mut self.sink {
            Sink::PmTiles(file) => {
                TileCoord::new(z, x, y).and_then(|at| file.add_tile(at, gzip)).map_err(|e| e.to_string())
            }
            Sink::MbTiles(file) => file.push(z, x, y, gzip.to_vec()).map_err(|e| e.to_string()),
        };
        self.count += 1;
        done.map_err(|reason| WriteError { file: self.path.clone(), reason: format!("tile {z}/{x}/{y}: {reason}") })
    }

    /// Ends the file and gives it its name. Returns how many tiles it holds.
    ///
    /// # Errors
    ///
    /// A file that can't be written to or renamed.
    pub fn finish(self) -> Result<u64, WriteError> {
        let done = match self.sink {
            Sink::PmTiles(file) => file.finalize().map_err(|e| e.to_string()),
            Sink::MbTiles(file) => file.finish().map_err(|e| e.to_string()),
        };
        done.and_then(|()| persist(self.out, &self.path)).map_err(|reason| WriteError { file: self.path, reason })?;
        Ok(self.count)
    }
}

fn pmtiles(out: &NamedTempFile<File>, pyramid: &Pyramid) -> Result<Sink, String> {
    let [west, south, east, north] = pyramid.bounds;
    let (lon, lat, zoom) = pyramid.center;
    let metadata = serde_json::json!({ "name": pyramid.name, "vector_layers": pyramid.vector_layers });
    let file = out.reopen().map_err(|e| e.to_string())?;
    let writer = PmTilesWriter::new(TileType::Mvt)
        .precompressed(Compression::Gzip)
        .min_zoom(pyramid.zooms.0)
        .max_zoom(pyramid.zooms.1)
        .bounds(west, south, east, north)
        .center(lon, lat)
        .center_zoom(zoom)
        .metadata(metadata.to_string())
        .create(BufWriter::new(file));
    writer.map(|file| Sink::PmTiles(Box::new(file))).map_err(|e| e.to_string())
}

fn mbtiles(path: &Path, pyramid: &Pyramid) -> Result<Sink, String> {
    let [west, south, east, north] = pyramid.bounds;
    let (lon, lat, zoom) = pyramid.center;
    let json = serde_json::json!({ "vector_layers": pyramid.vector_layers });
    let metadata = [
        ("name", pyramid.name.clone()),
        ("format", "pbf".into()),
        ("minzoom", pyramid.zooms.0.to_string()),
        ("maxzoom", pyramid.zooms.1.to_string()),
        ("bounds", format!("{west},{south},{east},{north}")),
        ("center", format!("{lon},{lat},{zoom}")),
        ("type", "overlay".into()),
        ("json", json.to_string()),
    ];
    let metadata = metadata.map(|(name, value)| (name.to_owned(), value)).to_vec();
    TilesOut::create(path, metadata).map(Sink::MbTiles).map_err(|e| e.to_string())
}
