//! FlatGeobuf, feature by feature.
//!
//! The crate's own reader allocates what a file states and asserts on odd headers, so the
//! framing is walked here, with limits; the tables in it are the crate's, verified.

use std::io::{self, Read};
use std::sync::Arc;

use ::flatgeobuf as fgb;
use fgb::{ColumnType, GeometryType};

use super::bytes::read_up_to;
use super::error::{Cause, Fault};
use super::raw::{Place, RawGeometry, RawPolygon, Record, Start};
use crate::crs::{AxisOrder, Crs, CrsError, Declared, Position};
use crate::feature::{Properties, Value};

const LIMIT_HEADER_BYTES: u32 = 10 << 20;
const LIMIT_FEATURE_BYTES: u32 = 1 << 30;
/// Geometry in geometry, as in a MultiPolygon of a collection.
const LIMIT_DEPTH: u32 = 4;
/// Bytes of a node of the spatial index.
const NODE_BYTES: u64 = 40;

/// A reader of FlatGeobuf.
pub(super) struct FlatGeobuf {
    input: Box<dyn Read + Send>,
    columns: Vec<(Arc<str>, ColumnType)>,
    /// The kind of all geometries, or `Unknown` where each says its own.
    kind: GeometryType,
    offset: u64,
    ordinal: u64,
    buffer: Vec<u8>,
    /// What its header says, if it says.
    pub(super) declared: Option<Result<Declared, CrsError>>,
}

impl FlatGeobuf {
    pub(super) fn open(mut input: Box<dyn Read + Send>) -> Result<Self, Fault> {
        let mut magic = [0; 8];
        read_up_to(&mut input, &mut magic).map_err(super::bytes::cause_of)?;
        let mut buffer = Vec::new();
        if !framed(&mut input, LIMIT_HEADER_BYTES, &mut buffer)? {
            return Err(Cause::CutOff("it ends before its header".into()).into());
        }
        let header = fgb::size_prefixed_root_as_header(&buffer).map_err(|e| corrupt(&e))?;
        let columns = header.columns().map(|all| all.iter().map(|c| (Arc::from(c.name()), c.type_())).collect());
        let index_bytes = index_bytes(header.features_count(), header.index_node_size())?;
        let declared = header.crs().and_then(declared);
        let kind = header.geometry_type();
        let header_bytes = buffer.len() as u64;
        let skipped = io::copy(&mut (&mut input).take(index_bytes), &mut io::sink()).map_err(super::bytes::cause_of)?;
        if skipped < index_bytes {
            return Err(Cause::CutOff("it ends in its spatial index".into()).into());
        }
        Ok(Self {
            input,
            columns: columns.unwrap_or_default(),
            kind,
            offset: 8 + header_bytes + index_bytes,
            ordinal: 0,
            buffer,
            declared,
        })
    }

    pub(super) fn next(&mut self) -> Option<Result<Record, Fault>> {
        self.ordinal += 1;
        let place = Place { ordinal: self.ordinal, start: Start::Byte(self.offset) };
        match framed(&mut self.input, LIMIT_FEATURE_BYTES, &mut self.buffer) {
            Ok(false) => None,
            Ok(true) => {
                self.offset += self.buffer.len() as u64;
                Some(self.record(place).map_err(|cause| Fault::at(place, cause)))
            }
            Err(cause) => Some(Err(Fault::at(place, cause))),
        }
    }

    fn record(&self, place: Place) -> Result<Record, Cause> {
        let feature = fgb::size_prefixed_root_as_feature(&self.buffer).map_err(|e| corrupt(&e))?;
        let properties = match feature.properties() {
            Some(bytes) => properties(bytes.bytes(), &self.columns)?,
            None => Properties::new(),
        };
        let geometry = feature.geometry().map(|g| geometry(&g, self.kind, 0)).transpose()?;
        Ok(Record { place, properties, geometry: geometry.filter(|g| !g.is_empty()) })
    }
}

/// Reads a little-endian size and as many bytes behind it, into `buffer` with the size in
/// front; false at the end of the input.
fn framed(input: &mut impl Read, limit: u32, buffer: &mut Vec<u8>) -> Result<bool, Cause> {
    let mut size = [0; 4];
    match read_up_to(input, &mut size).map_err(super::bytes::cause_of)? {
        0 => return Ok(false),
        4 => {}
        _ => return Err(Cause::CutOff("it ends in the size of a part".into())),
    }
    let bytes = u32::from_le_bytes(size);
    if bytes > limit {
        return Err(Cause::Limit { what: "the stated size of a part", limit: format!("{} MiB", limit >> 20) });
    }
    buffer.clear();
    buffer.extend_from_slice(&size);
    let read = input.take(u64::from(bytes)).read_to_end(buffer).map_err(super::bytes::cause_of)?;
    if read < bytes as usize {
        return Err(Cause::CutOff(format!("a part states {bytes} bytes, {read} are there")));
    }
    Ok(true)
}

/// Size of the packed tree over `features` boxes.
fn index_bytes(features: u64, node_size: u16) -> Result<u64, Cause> {
    if features == 0 || node_size == 0 {
        return Ok(0);
    }
    // A million million features is no file; below it nothing here overflows.
    if features > 1_000_000_000_000 || node_size < 2 {
        return Err(Cause::Syntax(format!("its header states {features} features and nodes of {node_size}")));
    }
    let (mut level, mut nodes) = (features, features);
    while level > 1 {
        level = level.div_ceil(u64::from(node_size));
        nodes += level;
    }
    // One feature alone still has a root above it.
    Ok(NODE_BYTES * if features == 1 { 2 } else { nodes })
}

fn declared(crs: fgb::Crs<'_>) -> Option<Result<Declared, CrsError>> {
    let is_epsg = crs.org().is_none_or(|org| org.eq_ignore_ascii_case("EPSG"));
    if is_epsg && crs.code() > 0 {
        let known = Crs::from_epsg(crs.code().unsigned_abs());
        let unknown = CrsError::Unknown { given: format!("EPSG:{}", crs.code()) };
        // The format's description: x is longitude or easting, whatever the authority says.
        return Some(known.map(|crs| Declared { crs, axes: AxisOrder::EastNorth }).ok_or(unknown));
    }
    crs.wkt().filter(|wkt| !wkt.is_empty()).map(Declared::from_wkt)
}

fn geometry(g: &fgb::Geometry<'_>, of_file: GeometryType, depth: u32) -> Result<RawGeometry, Cause> {
    let kind = if of_file == GeometryType::Unknown { g.type_() } else { of_file };
    let parts = || g.parts().into_iter().flat_map(|parts| parts.iter());
    Ok(match kind {
        GeometryType::Point | GeometryType::MultiPoint => RawGeometry::Points(positions(g)),
        GeometryType::LineString | GeometryType::MultiLineString => RawGeometry::Lines(split(g)?),
        GeometryType::Polygon => RawGeometry::Polygons(vec![split(g)?]),
        GeometryType::MultiPolygon => {
            RawGeometry::Polygons(parts().map(|part| split(&part)).collect::<Result<Vec<RawPolygon>, _>>()?)
        }
        GeometryType::GeometryCollection if depth < LIMIT_DEPTH => {
            let mut members = parts().map(|part| geometry(&part, GeometryType::Unknown, depth + 1));
            let mut whole = members.next().transpose()?.unwrap_or(RawGeometry::Points(Vec::new()));
            for member in members {
                match (&mut whole, member?) {
                    (RawGeometry::Points(all), RawGeometry::Points(more)) => all.extend(more),
                    (RawGeometry::Lines(all), RawGeometry::Lines(more)) => all.extend(more),
                    (RawGeometry::Polygons(all), RawGeometry::Polygons(more)) => all.extend(more),
                    _ => return Err(Cause::Syntax("a collection of different kinds can't be read".into())),
                }
            }
            whole
        }
        other => return Err(Cause::Unsupported(format!("geometries of type {other:?} are not read"))),
    })
}

fn positions(g: &fgb::Geometry<'_>) -> Vec<Position> {
    let Some(xy) = g.xy() else { return Vec::new() };
    (0..xy.len() / 2).map(|i| [xy.get(2 * i), xy.get(2 * i + 1)]).collect()
}

/// The lines of a geometry: its `ends` count positions.
fn split(g: &fgb::Geometry<'_>) -> Result<Vec<Vec<Position>>, Cause> {
    let all = positions(g);
    let Some(ends) = g.ends().filter(|ends| !ends.is_empty()) else {
        return Ok(if all.is_empty() { Vec::new() } else { vec![all] });
    };
    let mut start = 0;
    let mut lines = Vec::new();
    for end in ends.iter().map(|end| end as usize) {
        let line = all.get(start..end).ok_or_else(|| Cause::Syntax("the ends of its rings are out of order".into()))?;
        lines.extend((!line.is_empty()).then(|| line.to_vec()));
        start = end;
    }
    Ok(lines)
}

fn properties(bytes: &[u8], columns: &[(Arc<str>, ColumnType)]) -> Result<Properties, Cause> {
    let mut rest = bytes;
    let mut all: Properties = columns.iter().map(|(name, _)| (Arc::clone(name), Value::Null)).collect();
    while !rest.is_empty() {
        let column = u16::from_le_bytes(take(&mut rest)?);
        let (_, kind) =
            columns.get(usize::from(column)).ok_or_else(|| Cause::Syntax(format!("it has no column {column}")))?;
        all[usize::from(column)].1 = value(*kind, &mut rest)?;
    }
    Ok(all)
}

fn value(kind: ColumnType, rest: &mut &[u8]) -> Result<Value, Cause> {
    let real = |x: f64| if x.is_finite() { Value::Real(x) } else { Value::Null };
    Ok(match kind {
        ColumnType::Byte => Value::Integer(i8::from_le_bytes(take(rest)?).into()),
        ColumnType::UByte => Value::Integer(u8::from_le_bytes(take(rest)?).into()),
        ColumnType::Bool => Value::Bool(take::<1>(rest)? != [0]),
        ColumnType::Short => Value::Integer(i16::from_le_bytes(take(rest)?).into()),
        ColumnType::UShort => Value::Integer(u16::from_le_bytes(take(rest)?).into()),
        ColumnType::Int => Value::Integer(i32::from_le_bytes(take(rest)?).into()),
        ColumnType::UInt => Value::Integer(u32::from_le_bytes(take(rest)?).into()),
        ColumnType::Long => Value::Integer(i64::from_le_bytes(take(rest)?)),
        ColumnType::ULong => {
            let x = u64::from_le_bytes(take(rest)?);
            i64::try_from(x).map_or_else(|_| Value::Text(x.to_string().into()), Value::Integer)
        }
        ColumnType::Float => real(f32::from_le_bytes(take(rest)?).into()),
        ColumnType::Double => real(f64::from_le_bytes(take(rest)?)),
        ColumnType::String | ColumnType::Json | ColumnType::DateTime => {
            let text = std::str::from_utf8(counted(rest)?).map_err(|_| Cause::Syntax("a text is not UTF-8".into()))?;
            Value::Text(text.into())
        }
        ColumnType::Binary => {
            counted(rest)?;
            Value::Null
        }
        other => return Err(Cause::Unsupported(format!("columns of type {other:?} are not read"))),
    })
}

fn counted<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Cause> {
    let bytes = u32::from_le_bytes(take(rest)?) as usize;
    let (text, after) = rest.split_at_checked(bytes).ok_or_else(too_short)?;
    *rest = after;
    Ok(text)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Cause> {
    let (first, after) = rest.split_first_chunk::<N>().ok_or_else(too_short)?;
    *rest = after;
    Ok(*first)
}

fn too_short() -> Cause {
    Cause::Syntax("the attributes of a feature end in the middle".into())
}

fn corrupt(error: &dyn std::fmt::Display) -> Cause {
    Cause::Syntax(format!("it is corrupt: {error}"))
}
