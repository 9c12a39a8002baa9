//! CSV: a table whose place is in two columns, or in one as WKT.
//!
//! The file is read twice: once to learn its encoding and what each column holds (a
//! column of whole numbers, of numbers, or text), once for the records. So a column has
//! one type from the first row to the last, and `007` stays the text that it is.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use csv::{ByteRecord, Reader, ReaderBuilder};
use encoding_rs::Encoding;

use super::bytes;
use super::encoding::{self, Guess};
use super::error::{Cause, Fault};
use super::raw::{Place, RawGeometry, Record, Start};
use super::source::ReadOptions;
use super::wkt;
use crate::feature::Value;

/// Columns beyond this are no table of attributes.
const LIMIT_COLUMNS: usize = 4096;

/// Names that are taken for what they say, in this order, where none is passed.
const LON_NAMES: [&str; 8] = ["lon", "lng", "longitude", "经度", "x", "easting", "x坐标", "point_x"];
const LAT_NAMES: [&str; 8] = ["lat", "latitude", "纬度", "y", "northing", "y坐标", "point_y", "lat."];
const WKT_NAMES: [&str; 6] = ["wkt", "geom", "geometry", "the_geom", "wkt_geom", "geom_wkt"];

/// What a column holds; each holds what those before it do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Nothing,
    Integer,
    Real,
    Text,
}

impl Kind {
    /// Text that would not come back the same as a number is no number: codes keep
    /// their zeros, house numbers their letters.
    fn of(field: &[u8]) -> Self {
        let Ok(text) = std::str::from_utf8(field) else { return Self::Text };
        if text.is_empty() {
            return Self::Nothing;
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') && digits.len() <= 17;
        let has_zero_in_front = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
        if !is_plain || has_zero_in_front || !digits.ends_with(|c: char| c.is_ascii_digit()) || digits.starts_with('.')
        {
            return Self::Text;
        }
        match digits.bytes().filter(|b| *b == b'.').count() {
            0 if text.parse::<i64>().is_ok() => Self::Integer,
            1 => Self::Real,
            _ => Self::Text,
        }
    }
}

enum Geometry {
    Columns { lon: usize, lat: usize },
    Wkt(usize),
}

/// A reader of CSV.
pub(super) struct Csv {
    reader: Reader<Box<dyn Read + Send>>,
    encoding: &'static Encoding,
    columns: Vec<(Arc<str>, Kind)>,
    geometry: Geometry,
    row: ByteRecord,
    ordinal: u64,
    /// The reader takes the line feed behind a carriage return for part of the next line.
    lines_behind: u64,
}

impl Csv {
    pub(super) fn open(
        path: &Path,
        head: &[u8],
        input: Box<dyn Read + Send>,
        options: &ReadOptions,
    ) -> Result<Self, Fault> {
        let delimiter = delimiter_of(head);
        let (headers, encoding, kinds) = survey(path, delimiter)?;
        let decoded = |field: &[u8]| encoding::decode(field, encoding).map(|name| name.trim().to_owned());
        let names: Vec<String> = headers
            .iter()
            .map(decoded)
            .collect::<Option<_>>()
            .ok_or_else(|| Cause::Syntax("its column names are neither UTF-8 nor GBK".into()))?;
        let geometry = geometry_columns(&names, options)?;
        let lines_behind = u64::from(head.split(|b| *b == b'\n').next().is_some_and(|line| line.ends_with(b"\r")));
        let mut reader = reader(input, delimiter);
        reader.byte_headers().map_err(|e| fault(&e, 0))?;
        let columns = names.iter().map(|name| Arc::from(name.as_str())).zip(kinds).collect();
        Ok(Self { reader, encoding, columns, geometry, row: ByteRecord::new(), ordinal: 0, lines_behind })
    }

    pub(super) fn next(&mut self) -> Option<Result<Record, Fault>> {
        match self.reader.read_byte_record(&mut self.row) {
            Ok(false) => None,
            Ok(true) => {
                self.ordinal += 1;
                let line = self.row.position().map_or(0, csv::Position::line) + self.lines_behind;
                let place = Place { ordinal: self.ordinal, start: Start::Line(line) };
                Some(self.record(place).map_err(|cause| Fault::at(place, cause)))
            }
            Err(error) => Some(Err(fault(&error, self.ordinal + 1))),
        }
    }

    fn record(&self, place: Place) -> Result<Record, Cause> {
        let field = |i: usize| self.row.get(i).unwrap_or_default();
        let text = |i: usize| {
            encoding::decode(field(i), self.encoding)
                .ok_or_else(|| Cause::Syntax(format!("column {} is not {}", self.columns[i].0, self.encoding.name())))
        };
        let is_place = |i: usize| match self.geometry {
            Geometry::Columns { lon, lat } => i == lon || i == lat,
            Geometry::Wkt(column) => i == column,
        };
        let mut properties = Vec::with_capacity(self.columns.len());
        for (i, (name, kind)) in self.columns.iter().enumerate().filter(|(i, _)| !is_place(*i)) {
            let text = text(i)?;
            let value = match kind {
                _ if text.is_empty() => Value::Null,
                Kind::Integer => text.parse().map_or_else(|_| Value::Text(text.as_ref().into()), Value::Integer),
                Kind::Real => text.parse().map_or_else(|_| Value::Text(text.as_ref().into()), Value::Real),
                Kind::Nothing | Kind::Text => Value::Text(text.as_ref().into()),
            };
            properties.push((Arc::clone(name), value));
        }
        let number = |i: usize| -> Result<Option<f64>, Cause> {
            let text = text(i)?;
            match text.trim() {
                "" => Ok(None),
                text => text
                    .parse()
                    .map(Some)
                    .map_err(|_| Cause::Syntax(format!("{text:?} in column {} is no number", self.columns[i].0))),
            }
        };
        let geometry = match self.geometry {
            Geometry::Wkt(column) => match text(column)?.trim() {
                "" => None,
                text => wkt::read(text).map_err(Cause::Syntax)?,
            },
            Geometry::Columns { lon, lat } => match (number(lon)?, number(lat)?) {
                (Some(x), Some(y)) => Some(RawGeometry::Points(vec![[x, y]])),
                (None, None) => None,
                _ => return Err(Cause::Syntax("it has one coordinate and lacks the other".into())),
            },
        };
        Ok(Record { place, properties, geometry })
    }
}

fn reader(input: Box<dyn Read + Send>, delimiter: u8) -> Reader<Box<dyn Read + Send>> {
    ReaderBuilder::new().delimiter(delimiter).buffer_capacity(1 << 18).from_reader(input)
}

/// Reads the whole file once: its header, its encoding, and what its columns hold.
fn survey(path: &Path, delimiter: u8) -> Result<(ByteRecord, &'static Encoding, Vec<Kind>), Fault> {
    let (input, _) = bytes::open(path)?;
    let mut reader = reader(input, delimiter);
    let headers = reader.byte_headers().map_err(|e| fault(&e, 0))?.clone();
    if headers.len() > LIMIT_COLUMNS {
        return Err(Cause::Limit { what: "the number of columns", limit: LIMIT_COLUMNS.to_string() }.into());
    }
    let mut guess = Guess::default();
    headers.iter().for_each(|name| guess.see(name, false));
    let mut kinds = vec![Kind::Nothing; headers.len()];
    let mut row = ByteRecord::new();
    let mut ordinal = 0;
    while reader.read_byte_record(&mut row).map_err(|e| fault(&e, ordinal + 1))? {
        ordinal += 1;
        for (kind, field) in kinds.iter_mut().zip(&row) {
            guess.see(field, false);
            if *kind < Kind::Text {
                *kind = Kind::of(field).max(*kind);
            }
        }
    }
    Ok((headers, guess.conclude(), kinds))
}

/// The separator that the header line has most of.
fn delimiter_of(head: &[u8]) -> u8 {
    let line = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |d: u8| line.iter().filter(|b| **b == d).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|d| count(*d)).unwrap_or(b',')
}

fn geometry_columns(names: &[String], options: &ReadOptions) -> Result<Geometry, Cause> {
    let find = |name: &str| names.iter().position(|n| n.eq_ignore_ascii_case(name));
    let any = |candidates: &[&str]| candidates.iter().find_map(|name| find(name));
    let passed = |name: &str| {
        find(name).ok_or_else(|| Cause::Choice(format!("there is no column {name:?}; there are {}", names.join(", "))))
    };
    if let Some(name) = &options.wkt {
        return passed(name).map(Geometry::Wkt);
    }
    if options.lon.is_none()
        && options.lat.is_none()
        && let Some(column) = any(&WKT_NAMES)
    {
        return Ok(Geometry::Wkt(column));
    }
    let lon = options.lon.as_deref().map_or_else(|| Ok(any(&LON_NAMES)), |name| passed(name).map(Some))?;
    let lat = options.lat.as_deref().map_or_else(|| Ok(any(&LAT_NAMES)), |name| passed(name).map(Some))?;
    match (lon, lat) {
        (Some(lon), Some(lat)) if lon != lat => Ok(Geometry::Columns { lon, lat }),
        _ => Err(Cause::Choice(format!(
            "no column says where: pass --lon and --lat with their names; there are {}",
            names.join(", ")
        ))),
    }
}

fn fault(error: &csv::Error, ordinal: u64) -> Fault {
    let cause = match error.kind() {
        csv::ErrorKind::Io(io) => bytes::cause_of(std::io::Error::new(io.kind(), io.to_string())),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Cause::Syntax(format!("it has {len} fields, the header has {expected_len}"))
        }
        _ => Cause::Syntax(error.to_string()),
    };
    match error.position() {
        Some(position) => Fault::at(Place { ordinal, start: Start::Line(position.line()) }, cause),
        None => cause.into(),
    }
}
