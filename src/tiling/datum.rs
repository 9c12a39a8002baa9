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
    /// BD-09, of Baidu: GCJ-02 bent once more, some 1 km off.
    Bd09,
}

impl Datum {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wgs84, Self::Gcj02, Self::Bd09];

    /// Longer edges get vertices in between, so that they bend as they must: GCJ-02 bends
    /// straight ones on 300 m by 1 cm, on 1 km by 11 cm, on 3 km by 1 m; BD-09, whose second
    /// bend is a wave of 11 km and 40 m, on 100 m by 2 cm, on 300 m by 15 cm, on 3 km by 15 m.
    fn straight_m(self) -> f64 {
        match self {
            Self::Wgs84 => f64::INFINITY,
            Self::Gcj02 => 300.0,
            Self::Bd09 => 100.0,
        }
    }

    /// These vertices are drawn from this zoom on: above it a tile unit is longer than
    /// the bend of a kilometre.
    pub(super) fn bend_zoom(self) -> u8 {
        match self {
            Self::Wgs84 | Self::Gcj02 => 13,
            Self::Bd09 => 11,
        }
    }

    /// The datum of that name, as in `datum=`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "wgs84" | "cgcs2000" => Some(Self::Wgs84),
            "gcj02" => Some(Self::Gcj02),
            "bd09" => Some(Self::Bd09),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => "wgs84",
            Self::Gcj02 => "gcj02",
            Self::Bd09 => "bd09",
        }
    }

    /// Where a place of the lattice is drawn.
    #[inline]
    pub(super) fn project(self, p: Point) -> World {
        let crs = match self {
            Self::Wgs84 => return World::from_e7(p.x, p.y),
            Self::Gcj02 => Crs::Gcj02,
            Self::Bd09 => Crs::Bd09,
        };
        // Where the datum has no meaning it is WGS-84.
        match crs.from_wgs84([p.lon(), p.lat()]) {
            Ok([lon, lat]) => World::from_degrees(lon, lat),
            Err(_) => World::from_e7(p.x, p.y),
        }
    }

    /// By how much a box on the lattice has to grow to hold all that is drawn in it, in
    /// 1e-7 degree: GCJ-02 is within 700 m (0.01 degree) everywhere in China, BD-09 within
    /// 0.0066 degree of that.
    pub(super) fn reach_e7(self) -> i32 {
        match self {
            Self::Wgs84 => 0,
            Self::Gcj02 => 100_000,
            Self::Bd09 => 170_000,
        }
    }

    /// The places between `a` and `b`, ends not included, that an edge has to pass to
    /// lie where it should. The same for the edge walked back.
    pub(super) fn between(self, a: Point, b: Point) -> impl Iterator<Item = Point> {
        let pieces = match self {
            Self::Wgs84 => 1,
            bent => (Frame::between(a, b).distance_m(a, b) / bent.straight_m()).ceil().clamp(1.0, 10_000.0) as i64,
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
        for datum in [Datum::Gcj02, Datum::Bd09] {
            let there: Vec<_> = datum.between(a, b).collect();
            let mut back: Vec<_> = datum.between(b, a).collect();
            back.reverse();
            assert_eq!(there, back);
            let frame = Frame::between(a, b);
            let all: Vec<_> = std::iter::once(a).chain(there).chain([b]).collect();
            assert!(all.windows(2).all(|w| frame.distance_m(w[0], w[1]) <= datum.straight_m() + 0.1));
        }
        assert_eq!(Datum::Wgs84.between(a, b).count(), 0);
    }

    /// ```text
    ///   a ──────────────── b     as it should be drawn: where the datum puts each of its points
    ///   a ─.__          __.b     as it is drawn: straight from each vertex in between to the next
    ///         `──v───v─´
    /// ```
    #[test]
    fn a_bent_edge_lies_where_the_datum_puts_it() {
        // World units, of which one is 7.5 mm here.
        let unit_m = 40_075_016.7 / 4_294_967_296.0 * 36.0_f64.to_radians().cos();
        for (datum, crs) in [(Datum::Gcj02, Crs::Gcj02), (Datum::Bd09, Crs::Bd09)] {
            for k in 0..40 {
                let a = Point::new(1_203_000_000 + k * 100_003, 360_000_000 + k * 50_021);
                let b = Point::new(a.x + 300_017, a.y + (k - 20) * 10_007);
                let ends = [b];
                let vertices: Vec<Point> = std::iter::once(a).chain(datum.between(a, b)).chain(ends).collect();
                for w in vertices.windows(2) {
                    let drawn = w.iter().map(|p| datum.project(*p)).collect::<Vec<_>>();
                    let middle =
                        [0, 1].map(|i| (if i == 0 { w[0].lon() + w[1].lon() } else { w[0].lat() + w[1].lat() }) / 2.0);
                    let [lon, lat] = crs.from_wgs84(middle).unwrap();
                    let wanted = World::from_degrees(lon, lat);
                    let off = |a: i32, b: i32, w: i32| (f64::from(a) + f64::from(b)) / 2.0 - f64::from(w);
                    let (x, y) = (off(drawn[0].x, drawn[1].x, wanted.x), off(drawn[0].y, drawn[1].y, wanted.y));
                    assert!(x.hypot(y) * unit_m < 0.05, "{datum:?}: {} m off", x.hypot(y) * unit_m);
                }
            }
        }
    }

    #[test]
    fn nothing_is_drawn_farther_off_than_is_reckoned_with() {
        for (lon, lat) in (74..134).flat_map(|lon| (19..53).map(move |lat| (lon, lat))) {
            for fine in 0..8 {
                let p = Point::new(lon * 10_000_000 + fine * 1_234_567, lat * 10_000_000 + fine * 1_111_117);
                for (datum, crs) in [(Datum::Gcj02, Crs::Gcj02), (Datum::Bd09, Crs::Bd09)] {
                    let [x, y] = crs.from_wgs84([p.lon(), p.lat()]).unwrap();
                    let off = (x - p.lon()).abs().max((y - p.lat()).abs());
                    assert!(off * 1e7 < f64::from(datum.reach_e7()), "{datum:?} at {lon} {lat}: {off}");
                }
            }
        }
    }

    #[test]
    fn a_short_edge_stays_as_it_is() {
        let (a, b) = (Point::new(1_203_000_000, 360_000_000), Point::new(1_203_010_000, 360_005_000));
        assert_eq!(Datum::Gcj02.between(a, b).count(), 0);
        assert_eq!(Datum::Bd09.between(a, Point::new(a.x + 5_000, a.y + 5_000)).count(), 0);
    }
}
