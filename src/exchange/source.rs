//! A file opened for reading, whatever its format: a stream of records and the CRS that
//! their numbers are in.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::bytes::{self, Progress, Window};
use super::csv::Csv;
use super::error::{Cause, Fault, ReadError};
use super::flatgeobuf::FlatGeobuf;
use super::format::{self, Format};
use super::geojson::GeoJson;
use super::geopackage::GeoPackage;
use super::hints::{self, Extent};
use super::raw::{GeometryError, Place, Record};
use super::shapefile::Shapefile;
use crate::crs::{AxisOrder, Crs, CrsError, Declared};
use crate::feature::{Geometry, Properties};

/// What the person says of a file, where it doesn't say it itself.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// The CRS, whatever the file declares.
    pub crs: Option<Crs>,
    /// CSV: the column with the longitude or easting.
    pub lon: Option<String>,
    /// CSV: the column with the latitude or northing.
    pub lat: Option<String>,
    /// CSV: the column with the geometry as WKT.
    pub wkt: Option<String>,
    /// GeoPackage: the layer, where there are several.
    pub layer: Option<String>,
}

/// A file that is being read. Iterate for its records; after an error it ends.
pub struct Source {
    file: PathBuf,
    format: Format,
    reader: Reader,
    progress: Progress,
    crs: Crs,
    is_crs_stated: bool,
    /// What the file declares, while no position has shown which order it means.
    undecided: Option<Declared>,
    axes: AxisOrder,
    extent: Extent,
    is_done: bool,
}

enum Reader {
    GeoJson(Box<GeoJson>),
    Csv(Box<Csv>),
    Shapefile(Box<Shapefile>),
    FlatGeobuf(Box<FlatGeobuf>),
    GeoPackage(Box<GeoPackage>),
}

/// A record whose geometry has been put on the lattice.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// Where it stands in the file.
    pub place: Place,
    /// Its attributes.
    pub properties: Properties,
    /// Where it lies; `None` where the file says nothing.
    pub geometry: Option<Geometry>,
}

/// Opens a file.
///
/// # Errors
/// It can't be read, is empty, is no format that is supported, is not what its ending
/// says, or declares a CRS that is not supported while `options` names none.
pub fn open(file: &Path, options: &ReadOptions) -> Result<Source, ReadError> {
    open_inner(file, options).map_err(|fault| fault.in_file(file))
}

fn open_inner(file: &Path, options: &ReadOptions) -> Result<Source, Fault> {
    let (mut input, progress) = bytes::open(file)?;
    let mut head = vec![0; 4096];
    let filled = bytes::read_up_to(&mut input, &mut head).map_err(bytes::cause_of)?;
    head.truncate(filled);
    let format = format::agree(file, &head)?;
    let (reader, declared) = open_reader(format, file, &head, input, options)?;
    let (crs, undecided) = match (options.crs, declared) {
        (Some(crs), _) => (crs, None),
        (None, Some(declared)) => declared.map(|d| (d.crs, Some(d)))?,
        (None, None) => (Crs::Wgs84, None),
    };
    Ok(Source {
        file: file.to_path_buf(),
        format,
        reader,
        progress,
        crs,
        is_crs_stated: options.crs.is_some() || undecided.is_some(),
        undecided,
        axes: AxisOrder::EastNorth,
        extent: Extent::EMPTY,
        is_done: false,
    })
}

type Declaration = Option<Result<Declared, CrsError>>;

/// `head` has been read from `input` already.
fn open_reader(
    format: Format,
    file: &Path,
    head: &[u8],
    input: Box<dyn Read + Send>,
    options: &ReadOptions,
) -> Result<(Reader, Declaration), Fault> {
    let input: Box<dyn Read + Send> = Box::new(io::Cursor::new(head.to_vec()).chain(input));
    Ok(match format {
        Format::GeoJson => {
            let reader = GeoJson::open_value(Window::new(input)?)?;
            let declared = reader.declared.clone();
            (Reader::GeoJson(Box::new(reader)), declared)
        }
        Format::GeoJsonLines => (Reader::GeoJson(Box::new(GeoJson::open_sequence(Window::new(input)?)?)), None),
        Format::Shapefile => {
            let reader = Shapefile::open(file)?;
            let declared = reader.declared.clone();
            (Reader::Shapefile(Box::new(reader)), declared)
        }
        Format::ZippedShapefile => {
            let reader = Shapefile::open_zip(file, options)?;
            let declared = reader.declared.clone();
            (Reader::Shapefile(Box::new(reader)), declared)
        }
        Format::FlatGeobuf => {
            let reader = FlatGeobuf::open(input)?;
            let declared = reader.declared.clone();
            (Reader::FlatGeobuf(Box::new(reader)), declared)
        }
        Format::Csv => (Reader::Csv(Box::new(Csv::open(file, head, input, options)?)), None),
        Format::GeoPackage => {
            let mut input = input;
            let reader = GeoPackage::open(file, &mut input, options)?;
            let declared = reader.declared.clone();
            (Reader::GeoPackage(Box::new(reader)), declared)
        }
    })
}

impl Source {
    /// The file as it was named.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// What its numbers mean: what was passed, else what it declares, else WGS-84.
    #[must_use]
    pub fn crs(&self) -> Crs {
        self.crs
    }

    /// Whether the CRS was passed or declared; otherwise it is an assumption.
    #[must_use]
    pub fn is_crs_stated(&self) -> bool {
        self.is_crs_stated
    }

    /// The box around the positions read so far, in the file's CRS.
    #[must_use]
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// How far the file has been read; a handle that can be watched from elsewhere.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Puts a record on the lattice.
    ///
    /// # Errors
    /// Numbers that mean no place in the file's CRS (with what seems to have happened:
    /// swapped axes, metres without a CRS), an edge across the antimeridian, several
    /// points in one feature.
    pub fn locate(&self, record: Record) -> Result<Located, ReadError> {
        let Record { place, properties, geometry } = record;
        let geometry = match geometry {
            None => None,
            Some(raw) => {
                let around = Extent::of(raw.positions());
                Some(raw.into_lattice(self.crs).map_err(|error| self.misplaced(place, error, around))?)
            }
        };
        Ok(Located { place, properties, geometry })
    }

    /// An error of this file, with the place of the record that it is about.
    #[must_use]
    pub fn error_at(&self, place: Place, cause: impl Into<Cause>) -> ReadError {
        Fault::at(place, cause).in_file(&self.file)
    }

    fn misplaced(&self, place: Place, error: GeometryError, around: Extent) -> ReadError {
        let cause = match (&error, hints::suspect(around, self.crs)) {
            (GeometryError::OutOfDomain(_), Some(hint)) => Cause::GeometryHinted { error, hint: hint.to_string() },
            _ => Cause::Geometry(error),
        };
        self.error_at(place, cause)
    }

    fn read(&mut self) -> Option<Result<Record, Fault>> {
        let mut record = match match &mut self.reader {
            Reader::GeoJson(reader) => reader.next(),
            Reader::Csv(reader) => reader.next(),
            Reader::Shapefile(reader) => reader.next(),
            Reader::FlatGeobuf(reader) => reader.next(),
            Reader::GeoPackage(reader) => reader.next(),
        }? {
            Ok(record) => record,
            Err(fault) => return Some(Err(fault)),
        };
        if let Some(geometry) = &mut record.geometry {
            if let Err(error) = geometry.check() {
                return Some(Err(Fault::at(record.place, error)));
            }
            if let Some(declared) = self.undecided.take() {
                let sample: Vec<_> = geometry.positions().take(64).collect();
                self.axes = declared.order_for(&sample);
            }
            geometry.reorder(self.axes);
            self.extent = geometry.positions().fold(self.extent, Extent::with);
        }
        Some(Ok(record))
    }
}

impl Iterator for Source {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let next = self.read();
        self.is_done = !matches!(next, Some(Ok(_)));
        next.map(|outcome| outcome.map_err(|fault| fault.in_file(&self.file)))
    }
}
