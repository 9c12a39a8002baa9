//! Writers: features out to a file, in the format that its ending names.
//!
//! Invariant: a file appears under its name only when it is whole. It is written beside
//! its place and renamed at the end; a writer that is dropped before leaves nothing.
//! Coordinates are WGS-84, lon then lat, as the exact decimals of the lattice; shells
//! run counter-clockwise, holes clockwise, except where a format wants it otherwise.

mod flatgeobuf;
mod geopackage;
mod shapefile;
mod text;
mod tiles;

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::feature::{Feature, Value};
use crate::snapshot::Field;

pub use tiles::{Pyramid, TileWriter};

/// What the features of a file are: most formats hold one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// Places.
    Point,
    /// Lines.
    Lines,
    /// Ground.
    Polygons,
    /// Nothing: rows alone, for formats that are text.
    Rows,
}

/// The head of a file: what all its features have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The name that formats with names carry.
    pub name: String,
    /// What the features are.
    pub shape: ShapeKind,
    /// Their attributes, in order.
    pub columns: Vec<Field>,
}

/// Why a file could not be written; it does not exist then.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct WriteError {
    /// The file.
    pub file: PathBuf,
    /// What went wrong.
    pub reason: String,
}

/// A file that is being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    table: Table,
    sink: Sink,
    count: u64,
}

/// What each format needs while it is written.
#[derive(Debug)]
enum Sink {
    Text(text::TextWriter),
    Shapefile(Box<shapefile::ShapefileWriter>),
    FlatGeobuf(Box<flatgeobuf::FlatGeobufWriter>),
    GeoPackage(geopackage::GeoPackageWriter),
}

/// The endings that [`Writer`] knows.
pub const ENDINGS: [&str; 6] = [".geojson", ".geojsonl", ".csv", ".gpkg", ".shp", ".fgb"];

impl Writer {
    /// Begins a file in the format that its ending names.
    ///
    /// # Errors
    ///
    /// An ending that names no format, a table that the format cannot hold, or a folder
    /// that cannot be written to.
    pub fn create(path: &Path, table: Table) -> Result<Self, WriteError> {
        let fail = |reason: String| WriteError { file: path.into(), reason };
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        let sink = match ending.as_deref() {
            Some("geojson" | "json") => text::TextWriter::geojson(path, &table).map(Sink::Text),
            Some("geojsonl" | "ndjson" | "jsonl") => text::TextWriter::geojson_lines(path).map(Sink::Text),
            Some("csv") => text::TextWriter::csv(path, &table).map(Sink::Text),
            Some("shp") => shapefile::ShapefileWriter::create(path, &table).map(|w| Sink::Shapefile(Box::new(w))),
            Some("fgb") => flatgeobuf::FlatGeobufWriter::create(path, &table).map(|w| Sink::FlatGeobuf(Box::new(w))),
            Some("gpkg") => geopackage::GeoPackageWriter::create(path, &table).map(Sink::GeoPackage),
            _ => Err(format!("its ending names no format; {} do", ENDINGS.join(" "))),
        };
        Ok(Self { path: path.into(), table, sink: sink.map_err(fail)?, count: 0 })
    }

    /// Puts one feature at the end. Its properties are found by name; what it lacks is null.
    ///
    /// # Errors
    ///
    /// A geometry of another kind than the table's, or a file that cannot be written to.
    pub fn write(&mut self, feature: &Feature) -> Result<(), WriteError> {
        let done = match &mut self.sink {
            Sink::Text(w) => w.write(&self.table, feature),
            Sink::Shapefile(w) => w.write(&self.table, feature),
            Sink::FlatGeobuf(w) => w.write(&self.table, feature),
            Sink::GeoPackage(w) => w.write(&self.table, feature),
        };
        self.count += 1;
        done.map_err(|reason| WriteError { file: self.path.clone(), reason: format!("{}: {reason}", feature.id) })
    }

    /// Ends the file and gives it its name. Returns how many features it holds.
    ///
    /// # Errors
    ///
    /// A file that cannot be written to or renamed.
    pub fn finish(self) -> Result<u64, WriteError> {
        let done = match self.sink {
            Sink::Text(w) => w.finish(&self.path),
            Sink::Shapefile(w) => w.finish(&self.path),
            Sink::FlatGeobuf(w) => w.finish(&self.path),
            Sink::GeoPackage(w) => w.finish(&self.path),
        };
        done.map_err(|reason| WriteError { file: self.path, reason })?;
        Ok(self.count)
    }
}

/// The value of a column, found at its own position or by name.
fn value<'a>(feature: &'a Feature, at: usize, name: &str) -> &'a Value {
    match feature.properties.get(at) {
        Some((n, v)) if **n == *name => v,
        _ => feature.properties.iter().find(|(n, _)| **n == *name).map_or(&Value::Null, |(_, v)| v),
    }
}

/// A file beside `path`, to be renamed to it.
fn beside(path: &Path) -> Result<NamedTempFile<File>, String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refused = |e: std::io::Error| format!("its folder cannot be written to: {e}");
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    // What was left by one that was killed; whoever is still at work holds his.
    for entry in std::fs::read_dir(folder).map_err(refused)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix)
            && name.ends_with(PART)
            && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok())
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "{name}, which an earlier export left, stays there");
        }
    }
    let part = tempfile::Builder::new().prefix(&prefix).suffix(PART).tempfile_in(folder).map_err(refused)?;
    if let Err(error) = part.as_file().try_lock() {
        tracing::debug!(%error, "no locks here: another export to the same name takes this one's file away");
    }
    Ok(part)
}

/// How the name of a file ends that is not whole yet.
const PART: &str = ".part";

/// Gives a finished file its name, with the rights that new files have.
fn persist(file: NamedTempFile<File>, path: &Path) -> Result<(), String> {
    file.as_file().sync_all().map_err(|e| e.to_string())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A temporary file is private; what is exported is for whoever may read the folder.
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(|e| e.to_string())?;
    }
    file.persist(path).map_err(|e| e.to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests;
