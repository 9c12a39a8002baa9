//! Well-known binary: ISO and the extended form of PostGIS, either byte order.
//!
//! Reading is bounded by the bytes that are there: a count that states more than the
//! rest of the input could hold is refused before anything is allocated, and nesting is
//! limited. Z and M are dropped. Writing is little-endian ISO, two dimensions, on the
//! lattice's degrees: shells counter-clockwise as given, every ring closed.

use boundaries::{Point, Polygon};

use super::raw::{RawGeometry, RawPolygon};
use crate::crs::Position;
use crate::feature::Geometry;

/// Collections in collections beyond this are refused.
const LIMIT_DEPTH: u32 = 8;

/// Why bytes are no WKB.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WkbError {
    /// The bytes end before the geometry does.
    #[error("WKB cut off at byte {at}")]
    CutOff {
        /// Offset in the WKB.
        at: usize,
    },
    /// A count that the bytes that follow can't hold.
    #[error("WKB states {count} items at byte {at}, the {left} bytes that follow can't hold them")]
    Count {
        /// What it states.
        count: u32,
        /// Offset of the count.
        at: usize,
        /// Bytes after it.
        left: usize,
    },
    /// A byte order that is neither.
    #[error("WKB byte order {0} at the start of a geometry")]
    ByteOrder(u8),
    /// Curves, surfaces and anything else without straight edges.
    #[error("WKB geometry type {0} is not supported (points, lines and polygons are)")]
    Type(u32),
    /// Kinds that can't be one geometry, or nesting without end.
    #[error("WKB mixes kinds of geometry or nests them too deeply")]
    Mixed,
    /// More after the geometry.
    #[error("{0} bytes after the end of the WKB")]
    Trailing(usize),
}

/// Reads one geometry and the SRID it carries (extended WKB only). Empty geometries
/// are `None`.
///
/// # Errors
/// The first thing that is no WKB, with its offset.
pub fn read(bytes: &[u8]) -> Result<(Option<RawGeometry>, Option<u32>), WkbError> {
    let mut cursor = Cursor { bytes, at: 0 };
    let mut gathered = Gathered::default();
    let srid = cursor.geometry(&mut gathered, 0)?;
    match bytes.len() - cursor.at {
        0 => Ok((gathered.finish()?, srid)),
        left => Err(WkbError::Trailing(left)),
    }
}

#[derive(Default)]
struct Gathered {
    points: Vec<Position>,
    lines: Vec<Vec<Position>>,
    polygons: Vec<RawPolygon>,
}

impl Gathered {
    fn finish(self) -> Result<Option<RawGeometry>, WkbError> {
        match (self.points.is_empty(), self.lines.is_empty(), self.polygons.is_empty()) {
            (true, true, true) => Ok(None),
            (false, true, true) => Ok(Some(RawGeometry::Points(self.points))),
            (true, false, true) => Ok(Some(RawGeometry::Lines(self.lines))),
            (true, true, false) => Ok(Some(RawGeometry::Polygons(self.polygons))),
            _ => Err(WkbError::Mixed),
        }
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// How the numbers that follow are laid out.
#[derive(Clone, Copy)]
struct Layout {
    is_little: bool,
    /// Numbers in a position: 2, 3 or 4.
    dimensions: usize,
}

impl Cursor<'_> {
    /// One geometry with its header, into `out`; its SRID where it states one.
    fn geometry(&mut self, out: &mut Gathered, depth: u32) -> Result<Option<u32>, WkbError> {
        if depth > LIMIT_DEPTH {
            return Err(WkbError::Mixed);
        }
        let is_little = match self.take::<1>()? {
            [0] => false,
            [1] => true,
            [other] => return Err(WkbError::ByteOrder(other)),
        };
        let stated = self.u32(is_little)?;
        // PostGIS flags Z, M and SRID in the top bits; ISO adds thousands.
        let srid = if stated & 0x2000_0000 != 0 { Some(self.u32(is_little)?) } else { None };
        let iso = stated & 0x1fff_ffff;
        let flagged = usize::from(stated & 0x8000_0000 != 0) + usize::from(stated & 0x4000_0000 != 0);
        let dimensions = match iso / 1000 {
            0 => 2 + flagged,
            1 | 2 => 3,
            3 => 4,
            _ => return Err(WkbError::Type(stated)),
        };
        let layout = Layout { is_little, dimensions };
        match iso % 1000 {
            1 => {
                let p = self.position(layout)?;
                // An empty point is written as two NaN.
                if !(p[0].is_nan() && p[1].is_nan()) {
                    out.points.push(p);
                }
            }
            2 => {
                let line = self.positions(layout)?;
                if !line.is_empty() {
                    out.lines.push(line);
                }
            }
            3 | 17 => {
                let rings = self.count(is_little, 4)?;
                let polygon = (0..rings).map(|_| self.positions(layout)).collect::<Result<RawPolygon, _>>()?;
                if !polygon.is_empty() {
                    out.polygons.push(polygon);
                }
            }
            // The three multis, a collection, a polyhedral surface, a TIN.
            4..=7 | 15 | 16 => {
                for _ in 0..self.count(is_little, 5)? {
                    self.geometry(out, depth + 1)?;
                }
            }
            _ => return Err(WkbError::Type(stated)),
        }
        Ok(srid)
    }

    fn positions(&mut self, layout: Layout) -> Result<Vec<Position>, WkbError> {
        let count = self.count(layout.is_little, 8 * layout.dimensions)?;
        (0..count).map(|_| self.position(layout)).collect()
    }

    fn position(&mut self, layout: Layout) -> Result<Position, WkbError> {
        let p = [self.f64(layout.is_little)?, self.f64(layout.is_little)?];
        for _ in 2..layout.dimensions {
            self.take::<8>()?;
        }
        Ok(p)
    }

    /// A count of things of which each takes at least `bytes_each`.
    fn count(&mut self, is_little: bool, bytes_each: usize) -> Result<u32, WkbError> {
        let at = self.at;
        let count = self.u32(is_little)?;
        let left = self.bytes.len() - self.at;
        if count as usize > left / bytes_each {
            return Err(WkbError::Count { count, at, left });
        }
        Ok(count)
    }

    fn u32(&mut self, is_little: bool) -> Result<u32, WkbError> {
        let bytes = self.take()?;
        Ok(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn f64(&mut self, is_little: bool) -> Result<f64, WkbError> {
        let bytes = self.take()?;
        Ok(if is_little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], WkbError> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let &bytes = bytes.ok_or(WkbError::CutOff { at: self.at })?;
        self.at += N;
        Ok(bytes)
    }
}

const POINT: u32 = 1;
const LINE: u32 = 2;
const POLYGON: u32 = 3;
const MULTI_LINE: u32 = 5;
const MULTI_POLYGON: u32 = 6;

/// Writes a geometry as ISO WKB: a single part as the single kind, several as a multi.
pub fn write(geometry: &Geometry, out: &mut Vec<u8>) {
    match geometry {
        Geometry::Point(p) => {
            header(POINT, out);
            position(*p, out);
        }
        Geometry::Lines(lines) => multi(MULTI_LINE, lines, out, |l, out| line(l, out)),
        Geometry::Polygons(parts) => multi(MULTI_POLYGON, parts, out, polygon),
    }
}

/// Writes a geometry of lines or polygons as a multi, even of one part: what a column
/// that is declared as a multi holds.
pub fn write_multi(geometry: &Geometry, out: &mut Vec<u8>) {
    match geometry {
        Geometry::Point(_) => write(geometry, out),
        Geometry::Lines(lines) => many(MULTI_LINE, lines, out, |l, out| line(l, out)),
        Geometry::Polygons(parts) => many(MULTI_POLYGON, parts, out, polygon),
    }
}

fn multi<T>(kind: u32, parts: &[T], out: &mut Vec<u8>, one: impl Fn(&T, &mut Vec<u8>)) {
    match parts {
        [single] => one(single, out),
        _ => many(kind, parts, out, one),
    }
}

fn many<T>(kind: u32, parts: &[T], out: &mut Vec<u8>, one: impl Fn(&T, &mut Vec<u8>)) {
    header(kind, out);
    count(parts.len(), out);
    parts.iter().for_each(|part| one(part, out));
}

fn line(points: &[Point], out: &mut Vec<u8>) {
    header(LINE, out);
    count(points.len(), out);
    points.iter().for_each(|p| position(*p, out));
}

fn polygon(part: &Polygon, out: &mut Vec<u8>) {
    header(POLYGON, out);
    count(1 + part.holes.len(), out);
    for ring in part.rings() {
        let closing = ring.first().filter(|first| ring.last() != Some(first) || ring.len() == 1);
        count(ring.len() + usize::from(closing.is_some()), out);
        ring.iter().chain(closing).for_each(|p| position(*p, out));
    }
}

fn header(kind: u32, out: &mut Vec<u8>) {
    out.push(1);
    out.extend_from_slice(&kind.to_le_bytes());
}

fn count(count: usize, out: &mut Vec<u8>) {
    // The memory of a geometry is bounded far below 2^32 positions by the readers' limits.
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    out.extend_from_slice(&count.to_le_bytes());
}

fn position(p: Point, out: &mut Vec<u8>) {
    out.extend_from_slice(&p.lon().to_le_bytes());
    out.extend_from_slice(&p.lat().to_le_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crs::Crs;

    fn points(min: usize) -> impl Strategy<Value = Vec<Point>> {
        let point =
            (-1_700_000_000..1_700_000_000_i32, -800_000_000..800_000_000_i32).prop_map(|(x, y)| Point::new(x, y));
        prop::collection::vec(point, min..9)
    }

    fn geometry() -> impl Strategy<Value = Geometry> {
        let polygon = (points(3), prop::collection::vec(points(3), 0..3)).prop_map(|(mut shell, mut holes)| {
            std::iter::once(&mut shell).chain(&mut holes).for_each(|ring| ring.push(ring[0]));
            Polygon { shell, holes }
        });
        prop_oneof![
            points(1).prop_map(|p| Geometry::Point(p[0])),
            prop::collection::vec(points(2), 1..4).prop_map(Geometry::Lines),
            prop::collection::vec(polygon, 1..4).prop_map(Geometry::Polygons),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(geometry in geometry(), as_multi: bool) {
            let mut bytes = Vec::new();
            if as_multi { write_multi(&geometry, &mut bytes) } else { write(&geometry, &mut bytes) }
            let (back, srid) = read(&bytes).unwrap();
            let same = match (back.unwrap(), &geometry) {
                (RawGeometry::Points(p), Geometry::Point(q)) => Crs::Wgs84.to_lattice(p[0]).unwrap() == *q,
                (RawGeometry::Lines(lines), Geometry::Lines(expected)) => {
                    lines.iter().map(|l| l.iter().map(|p| Crs::Wgs84.to_lattice(*p).unwrap()).collect::<Vec<_>>())
                        .eq(expected.iter().cloned())
                }
                (RawGeometry::Polygons(parts), Geometry::Polygons(expected)) => {
                    parts.iter().flatten().map(|l| l.iter().map(|p| Crs::Wgs84.to_lattice(*p).unwrap()).collect::<Vec<_>>())
                        .eq(expected.iter().flat_map(|p| p.rings().map(<[Point]>::to_vec)))
                }
                _ => false,
            };
            prop_assert!(same);
            prop_assert_eq!(srid, None);
        }

        #[test]
        fn cut_off_or_overwritten_bytes_never_panic(geometry in geometry(), cut in 0..400_usize, at in 0..400_usize, byte: u8) {
            let mut bytes = Vec::new();
            write(&geometry, &mut bytes);
            let cut = cut % bytes.len();
            prop_assert!(read(&bytes[..cut]).is_err());
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }

    #[test]
    fn a_stated_count_beyond_the_input_is_refused_before_any_allocation() {
        for kind in [2_u32, 3, 4, 5, 6, 7] {
            let mut bytes = vec![1];
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&u32::MAX.to_le_bytes());
            bytes.extend_from_slice(&[0; 16]);
            assert_eq!(read(&bytes), Err(WkbError::Count { count: u32::MAX, at: 5, left: 16 }));
        }
    }

    #[test]
    fn extended_and_iso_forms_lose_their_z_and_m() {
        let mut extended = vec![1];
        extended.extend_from_slice(&(0x8000_0000_u32 | 0x2000_0000 | 1).to_le_bytes());
        extended.extend_from_slice(&4490_u32.to_le_bytes());
        [120.0, 36.0, 7.0_f64].iter().for_each(|x| extended.extend_from_slice(&x.to_le_bytes()));
        let point = Some(RawGeometry::Points(vec![[120.0, 36.0]]));
        assert_eq!(read(&extended), Ok((point.clone(), Some(4490))));
        let mut iso = vec![0];
        iso.extend_from_slice(&3001_u32.to_be_bytes());
        [120.0, 36.0, 7.0, 8.0_f64].iter().for_each(|x| iso.extend_from_slice(&x.to_be_bytes()));
        assert_eq!(read(&iso), Ok((point, None)));
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let mut bytes = Vec::new();
        for _ in 0..10_000 {
            bytes.push(1);
            bytes.extend_from_slice(&7_u32.to_le_bytes());
            bytes.extend_from_slice(&1_u32.to_le_bytes());
        }
        assert_eq!(read(&bytes), Err(WkbError::Mixed));
    }
}
