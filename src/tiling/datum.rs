//! The datum that a tile is drawn in.

use boundaries::{Frame, Point};
use tiles::World;

use crate::crs::Crs;

/// The datum of a tile's coordinates. Base maps of Chinese providers are in GCJ-02;
/// what is drawn over them has to be, too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datum {
    /// WGS-84, as everything is kept.
    #[default]
    Wgs84,
    /// GCJ-02, some 500 m off it.
    Gcj02,
}

/// GCJ-02 bends straight edges: on 300 m by 1 cm, on 1 km by 11 cm, on 3 km by 1 m.
/// Longer ones get vertices in between.
const STRAIGHT_M: f64 = 300.0;

/// No place is farther off in GCJ-02, in 1e-7 degree: 0.01 degree is over 700 m everywhere in China.
const FARTHEST_E7: i32 = 100_000;

impl Datum {
    /// The datum of that name, as in `datum=`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "wgs84" | "cgcs2000" => Some(Self::Wgs84),
            "gcj02" => Some(Self::Gcj02),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => "wgs84",
            Self::Gcj02 => "gcj02",
        }
    }

    /// Where a place of the lattice is drawn.
    #[inline]
    pub(super) fn project(self, p: Point) -> World {
        match self {
            Self::Wgs84 => World::from_e7(p.x, p.y),
            // Outside of China, where GCJ-02 has no meaning, it is WGS-84.
            Self::Gcj02 => match Crs::Gcj02.from_wgs84([p.lon(), p.lat()]) {
                Ok([lon, lat]) => World::from_degrees(lon, lat),
                Err(_) => World::from_e7(p.x, p.y),
            },
        }
    }

    /// By how much a box on the lattice has to grow to hold all that is drawn in it.
    pub(super) fn reach_e7(self) -> i32 {
        match self {
            Self::Wgs84 => 0,
            Self::Gcj02 => FARTHEST_E7,
        }
    }

    /// The places between `a` and `b`, ends not included, that an edge has to pass to
    /// lie where it should. The same for the edge walked back.
    pub(super) fn between(self, a: Point, b: Point) -> impl Iterator<Item = Point> {
        let pieces = match self {
            Self::Wgs84 => 1,
            Self::Gcj02 => (Frame::between(a, b).distance_m(a, b) / STRAIGHT_M).ceil().clamp(1.0, 10_000.0) as i64,
        };
        // From the lesser end, so that rounding doesn't depend on the direction.
        let (low, high, backward) = if a <= b { (a, b, false) } else { (b, a, true) };
        let at = move |low: i32, high: i32, i: i64| {
            (i64::from(low) + (i64::from(high) - i64::from(low)) * i / pieces) as i32
        };
        (1..pieces).map(move |i| {
            let i = if backward { pieces - i } else { i };
            Point::new(at(low.x, high.x, i), at(low.y, high.y, i))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_edge_bends_the_same_way_from_both_ends() {
        let (a, b) = (Point::new(1_203_000_000, 360_000_000), Point::new(1_203_300_001, 360_100_003));
        let there: Vec<_> = Datum::Gcj02.between(a, b).collect();
        let mut back: Vec<_> = Datum::Gcj02.between(b, a).collect();
        back.reverse();
        assert_eq!(there, back);
        let frame = Frame::between(a, b);
        let all: Vec<_> = std::iter::once(a).chain(there).chain([b]).collect();
        assert!(all.windows(2).all(|w| frame.distance_m(w[0], w[1]) <= STRAIGHT_M + 0.1));
        assert_eq!(Datum::Wgs84.between(a, b).count(), 0);
    }

    #[test]
    fn a_short_edge_stays_as_it_is() {
        let (a, b) = (Point::new(1_203_000_000, 360_000_000), Point::new(1_203_010_000, 360_010_000));
        assert_eq!(Datum::Gcj02.between(a, b).count(), 0);
    }
}
