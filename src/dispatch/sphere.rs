//! Distances over the sphere between lattice points.
//!
//! Order is decided by the haversine, `sin²(d / 2R)`, which grows with the distance
//! `d`: comparing it needs no arcsine. Differences of coordinates are taken in
//! integers, so that points a centimetre apart, or either side of the antimeridian,
//! lose no digits. Source: R. W. Sinnott, "Virtues of the Haversine", 1984.

use boundaries::{Point, UNITS_PER_DEGREE};

/// The mean radius of the earth (IUGG, R1) in metres.
pub const RADIUS_M: f64 = 6_371_008.8;
/// Once around, in lattice units.
pub(super) const TURN: i64 = 360 * UNITS_PER_DEGREE as i64;
/// The latitude of the north pole in lattice units.
pub(super) const POLE: i64 = 90 * UNITS_PER_DEGREE as i64;

const RADIANS_PER_UNIT: f64 = std::f64::consts::PI / (180.0 * UNITS_PER_DEGREE as f64);

/// Lattice units of latitude that an angle in radians spans.
pub(super) fn units(radians: f64) -> f64 {
    radians / RADIANS_PER_UNIT
}

/// The cosine of a latitude in lattice units; exactly 0 at the poles, where all
/// longitudes are the same place.
pub(super) fn cos_of(y: i64) -> f64 {
    if y.abs() >= POLE { 0.0 } else { (y as f64 * RADIANS_PER_UNIT).cos() }
}

/// `sin²` of half a difference of coordinates.
#[inline]
pub(super) fn half_sine_2(difference: i64) -> f64 {
    let t = difference as f64 * (RADIANS_PER_UNIT / 2.0);
    // Below 0.02 (a difference of 2.3 degrees) the series is exact to the last digit,
    // and several times faster than the library's sine.
    let t2 = t * t;
    let sine = if t2 < 4e-4 { t * (1.0 - t2 / 6.0 * (1.0 - t2 / 20.0 * (1.0 - t2 / 42.0))) } else { t.sin() };
    sine * sine
}

/// The difference of two longitudes the short way around, 0 ..= half a turn.
#[inline]
pub(super) fn turn_between(a: i64, b: i64) -> i64 {
    let d = (a - b).abs();
    if d > TURN / 2 { TURN - d } else { d }
}

/// A place with the cosine of its latitude, which every distance from it needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) cos: f64,
}

impl Spot {
    pub(super) fn at(p: Point) -> Self {
        Self { x: p.x, y: p.y, cos: cos_of(i64::from(p.y)) }
    }

    pub(super) fn point(self) -> Point {
        Point::new(self.x, self.y)
    }

    /// The haversine of the distance to another spot: the same from either end.
    #[inline]
    pub(super) fn haversine(self, other: Self) -> f64 {
        self.haversine_within(other, f64::INFINITY).unwrap_or(f64::INFINITY)
    }

    /// The same, if it is at most `limit`: latitude alone often says that it is not.
    #[inline]
    pub(super) fn haversine_within(self, other: Self, limit: f64) -> Option<f64> {
        let north = half_sine_2(i64::from(self.y) - i64::from(other.y));
        if north > limit {
            return None;
        }
        let dx = turn_between(i64::from(self.x), i64::from(other.x));
        let haversine = north + self.cos * other.cos * half_sine_2(dx);
        (haversine <= limit).then_some(haversine)
    }
}

/// The angle in radians that has this haversine.
pub(super) fn angle_of(haversine: f64) -> f64 {
    2.0 * haversine.sqrt().min(1.0).asin()
}

/// The haversine of an angle in radians; 1 for half a turn and more.
pub(super) fn haversine_of(angle: f64) -> f64 {
    let sine = (angle / 2.0).min(std::f64::consts::FRAC_PI_2).sin();
    sine * sine
}

/// The distance in metres that has this haversine.
pub(super) fn metres(haversine: f64) -> f64 {
    RADIUS_M * angle_of(haversine)
}

/// The great-circle distance between two points in metres.
#[must_use]
pub fn distance_m(a: Point, b: Point) -> f64 {
    metres(Spot::at(a).haversine(Spot::at(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn degrees(lon: f64, lat: f64) -> Point {
        Point::from_degrees(lon, lat).unwrap()
    }

    #[test]
    fn a_quarter_of_the_equator_and_a_meridian_are_as_long_as_the_sphere_says() {
        let quarter = RADIUS_M * std::f64::consts::FRAC_PI_2;
        assert!((distance_m(degrees(0.0, 0.0), degrees(90.0, 0.0)) - quarter).abs() < 1e-6);
        assert!((distance_m(degrees(120.0, 0.0), degrees(120.0, 90.0)) - quarter).abs() < 1e-6);
        assert!((distance_m(degrees(0.0, 0.0), degrees(180.0, 0.0)) - 2.0 * quarter).abs() < 1e-6);
    }

    #[test]
    fn the_antimeridian_is_no_distance() {
        assert_eq!(distance_m(degrees(180.0, 12.0), degrees(-180.0, 12.0)), 0.0);
        let across = distance_m(degrees(179.999, 12.0), degrees(-179.999, 12.0));
        let inland = distance_m(degrees(10.001, 12.0), degrees(9.999, 12.0));
        assert_eq!(across, inland);
    }

    #[test]
    fn at_a_pole_every_longitude_is_the_same_place() {
        assert_eq!(distance_m(degrees(0.0, 90.0), degrees(77.0, 90.0)), 0.0);
        assert_eq!(
            distance_m(degrees(0.0, 90.0), degrees(0.0, 89.0)),
            distance_m(degrees(170.0, 90.0), degrees(0.0, 89.0))
        );
    }

    #[test]
    fn the_series_meets_the_sine_where_it_takes_over() {
        for units in [1_i64, 1_000, 1_000_000, 22_918_311, 22_918_312] {
            let exact = (units as f64 * RADIANS_PER_UNIT / 2.0).sin().powi(2);
            assert!((half_sine_2(units) / exact - 1.0).abs() < 1e-15, "{units}");
        }
    }
}
