//! Geometry as the two databases keep it: WKB behind a GeoPackage header, and EWKB.
//!
//! Both hold degrees as f64. An i32 of 1e-7 degree survives the way there and back
//! exactly, because 1e-7 degree is far above what an f64 rounds off.
//!
//! Reading is bounds-checked throughout: a count is believed only as far as the bytes
//! behind it go, so that bytes that state 2³² points are refused and not allocated for.

use boundaries::{Bounds, Point, Polygon};

use crate::exchange::wkb;
use crate::feature::Geometry;

use super::Error;

/// WGS-84.
const SRS_ID: u32 = 4326;
/// In the type of EWKB: an SRID follows.
const HAS_SRID: u32 = 0x2000_0000;

/// How a column declares what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parts {
    /// Anything: one part is written as the single kind.
    AsTheyAre,
    /// A multi, also of one part.
    Multi,
}

/// GeoPackageBinary: magic, version, flags, SRS, envelope, WKB (OGC 12-128r18, 2.1.3).
pub(super) fn geopackage(geometry: &Geometry, parts: Parts) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + geometry.vertices() * 16);
    let bounds = geometry.bounds();
    let is_empty = bounds.is_empty();
    let with_envelope = !is_empty && !matches!(geometry, Geometry::Point(_));
    // Little-endian; an envelope of four numbers; the flag of an empty geometry.
    let flags = 0b1 | if with_envelope { 0b10 } else { 0 } | if is_empty { 0b1_0000 } else { 0 };
    out.extend_from_slice(&[b'G', b'P', 0, flags]);
    out.extend_from_slice(&SRS_ID.to_le_bytes());
    if with_envelope {
        for degrees in [bounds.min.lon(), bounds.max.lon(), bounds.min.lat(), bounds.max.lat()] {
            out.extend_from_slice(&degrees.to_le_bytes());
        }
    }
    body(geometry, parts, &mut out);
    out
}

/// PostGIS's EWKB: WKB whose outermost type says that an SRID follows, and the SRID.
pub(super) fn ewkb(geometry: &Geometry, parts: Parts) -> Vec<u8> {
    let mut plain = Vec::with_capacity(32 + geometry.vertices() * 16);
    body(geometry, parts, &mut plain);
    let mut out = Vec::with_capacity(plain.len() + 4);
    out.push(1);
    let kind = plain.get(1..5).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    out.extend_from_slice(&(kind | HAS_SRID).to_le_bytes());
    out.extend_from_slice(&SRS_ID.to_le_bytes());
    out.extend_from_slice(plain.get(5..).unwrap_or_default());
    out
}

fn body(geometry: &Geometry, parts: Parts, out: &mut Vec<u8>) {
    match parts {
        Parts::AsTheyAre => wkb::write(geometry, out),
        Parts::Multi => wkb::write_multi(geometry, out),
    }
}

/// What stands before the WKB of a GeoPackageBinary, and the WKB itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framed<'a> {
    /// The SRS of the geometry, as its file numbers them.
    pub srs_id: i32,
    /// Whether the geometry says it is empty.
    pub is_empty: bool,
    /// What follows the header.
    pub wkb: &'a [u8],
}

/// Takes the header off a GeoPackageBinary; `None` where it is none.
#[must_use]
pub fn unframed(blob: &[u8]) -> Option<Framed<'_>> {
    let (head, rest) = blob.split_at_checked(8)?;
    if &head[..2] != b"GP" {
        return None;
    }
    let flags = head[3];
    let id = [head[4], head[5], head[6], head[7]];
    let srs_id = if flags & 1 == 1 { i32::from_le_bytes(id) } else { i32::from_be_bytes(id) };
    let envelope = match flags >> 1 & 0b111 {
        0 => 0,
        1 => 32,
        2 | 3 => 48,
        4 => 64,
        _ => return None,
    };
    // Extended types (bit 5) hold no WKB that anyone else could read.
    if flags & 0b10_0000 != 0 {
        return None;
    }
    Some(Framed { srs_id, is_empty: flags & 0b1_0000 != 0, wkb: rest.get(envelope..)? })
}

/// A geometry that this store wrote, framed either way. Rings lose their repeated
/// last point.
pub(super) fn geometry(bytes: &[u8]) -> Result<Geometry, Error> {
    let wkb = if bytes.starts_with(b"GP") { unframed(bytes).map(|f| f.wkb) } else { Some(bytes) };
    let read = wkb.and_then(|wkb| Reader(wkb).geometry());
    read.ok_or_else(|| Error::Damaged("a geometry is not what the store writes".into()))
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    /// The kind; an SRID after it is skipped.
    fn kind(&mut self) -> Option<u32> {
        if self.take::<1>()? != [1] {
            return None;
        }
        let kind = u32::from_le_bytes(self.take()?);
        if kind & HAS_SRID != 0 {
            self.take::<4>()?;
        }
        Some(kind & !HAS_SRID)
    }

    /// A count of things that take at least `bytes` each.
    fn count(&mut self, bytes: usize) -> Option<usize> {
        let count = u32::from_le_bytes(self.take()?) as usize;
        (count <= self.0.len() / bytes).then_some(count)
    }

    fn position(&mut self) -> Option<Point> {
        let (x, y) = (f64::from_le_bytes(self.take()?), f64::from_le_bytes(self.take()?));
        Point::from_degrees(x, y)
    }

    fn points(&mut self) -> Option<Vec<Point>> {
        let count = self.count(16)?;
        (0..count).map(|_| self.position()).collect()
    }

    fn polygon(&mut self) -> Option<Polygon> {
        let rings = self.count(4)?;
        let mut polygon = Polygon::default();
        for i in 0..rings {
            let mut ring = self.points()?;
            open(&mut ring);
            if i == 0 {
                polygon.shell = ring;
            } else {
                polygon.holes.push(ring);
            }
        }
        Some(polygon)
    }

    fn geometry(&mut self) -> Option<Geometry> {
        let geometry = match self.kind()? {
            1 => Geometry::Point(self.position()?),
            2 => Geometry::Lines(vec![self.points()?]),
            3 => Geometry::Polygons(vec![self.polygon()?]),
            5 => {
                let count = self.count(9)?;
                let line = |r: &mut Self| (r.kind()? == 2).then(|| r.points())?;
                Geometry::Lines((0..count).map(|_| line(self)).collect::<Option<_>>()?)
            }
            6 => {
                let count = self.count(9)?;
                let part = |r: &mut Self| (r.kind()? == 3).then(|| r.polygon())?;
                Geometry::Polygons((0..count).map(|_| part(self)).collect::<Option<_>>()?)
            }
            _ => return None,
        };
        self.0.is_empty().then_some(geometry)
    }
}

/// Takes the repeated last point off a ring, however often it is repeated: with one
/// left, the ring would come back shorter than it went, and never equal its file.
fn open(ring: &mut Vec<Point>) {
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
}

/// The geometry as it comes back from a store: rings without their repeated last point.
pub(super) fn opened(mut geometry: Geometry) -> Geometry {
    if let Geometry::Polygons(parts) = &mut geometry {
        for part in parts {
            open(&mut part.shell);
            part.holes.iter_mut().for_each(open);
        }
    }
    geometry
}

/// The lattice points of a border as bytes.
pub(super) fn line_bytes(line: &[Point]) -> Vec<u8> {
    line.iter().flat_map(|p| [p.x.to_le_bytes(), p.y.to_le_bytes()]).flatten().collect()
}

/// The lattice points of a border from its bytes.
pub(super) fn line(bytes: &[u8]) -> Result<std::sync::Arc<[Point]>, Error> {
    let (pairs, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Error::Damaged("a border ends within a point".into()));
    }
    let i32_at = |b: &[u8; 8], i: usize| i32::from_le_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]);
    Ok(pairs.iter().map(|b| Point::new(i32_at(b, 0), i32_at(b, 4))).collect())
}

/// A box in degrees, west, east, south, north, for the columns of an index.
pub(super) fn degrees(bounds: Bounds) -> [f64; 4] {
    [bounds.min.lon(), bounds.max.lon(), bounds.min.lat(), bounds.max.lat()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(at: i32) -> Vec<Point> {
        [(0, 0), (1_234_567, 7), (-9, 1_199_999_999 / 2)].map(|(x, y)| Point::new(at + x, y)).to_vec()
    }

    #[test]
    fn every_geometry_comes_back_exactly_from_both_framings() {
        let all = [
            Geometry::Point(Point::new(1_203_456_789, -359_999_999)),
            Geometry::Lines(vec![ring(0)]),
            Geometry::Lines(vec![ring(5), ring(6)]),
            Geometry::Polygons(vec![Polygon { shell: ring(0), holes: vec![ring(1)] }]),
            Geometry::Polygons(vec![Polygon { shell: ring(0), holes: vec![] }, Polygon::default()]),
            Geometry::Polygons(vec![]),
        ];
        for g in all {
            for parts in [Parts::AsTheyAre, Parts::Multi] {
                assert_eq!(geometry(&geopackage(&g, parts)).unwrap(), g);
                assert_eq!(geometry(&ewkb(&g, parts)).unwrap(), g);
            }
        }
    }

    #[test]
    fn cut_or_lying_bytes_are_refused_and_not_allocated_for() {
        let whole = ewkb(&Geometry::Polygons(vec![Polygon { shell: ring(0), holes: vec![ring(9)] }; 3]), Parts::Multi);
        for cut in 0..whole.len() {
            assert!(geometry(&whole[..cut]).is_err());
        }
        let mut lying = vec![1, 2, 0, 0, 0];
        lying.extend_from_slice(&u32::MAX.to_le_bytes());
        assert!(geometry(&lying).is_err());
        assert!(geometry(b"GP").is_err());
        assert!(geometry(&[]).is_err());
    }

    #[test]
    fn a_border_comes_back_from_its_bytes() {
        let points = ring(3);
        assert_eq!(&*line(&line_bytes(&points)).unwrap(), points);
        assert!(line(&[1, 2, 3]).is_err());
    }
}
