//! Metres on the ground around one latitude.
//!
//! Lengths and areas of boundaries are small (below some tens of kilometres), so a
//! plane whose two scales are the ellipsoid's at one latitude serves: the error of
//! a length d is of the order d · (d / 6,371 km), that is 0.1 % at 6 km north-south
//! extent and less for what is nearer to the frame's latitude.

use crate::lattice::{Point, UNITS_PER_DEGREE};

/// Semi-major axis of WGS-84 in metres.
const A_M: f64 = 6_378_137.0;
/// First eccentricity of WGS-84, squared.
const E2: f64 = 0.006_694_379_990_141_317;

/// A local plane: how many metres one lattice unit is, east-west and north-south,
/// at one latitude of the WGS-84 ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Metres of one unit of x (longitude).
    pub east_m: f64,
    /// Metres of one unit of y (latitude).
    pub north_m: f64,
}

impl Frame {
    /// The frame at the latitude `y` (lattice units).
    #[must_use]
    pub fn at(y: i32) -> Self {
        let (sin, cos) = (f64::from(y) / f64::from(UNITS_PER_DEGREE)).to_radians().sin_cos();
        let w2 = 1.0 - E2 * sin * sin;
        let radians = (1.0 / f64::from(UNITS_PER_DEGREE)).to_radians();
        Self { east_m: radians * cos * A_M / w2.sqrt(), north_m: radians * A_M * (1.0 - E2) / (w2 * w2.sqrt()) }
    }

    /// The frame half way between two points: best for the distance between them.
    #[must_use]
    pub fn between(a: Point, b: Point) -> Self {
        Self::at(((i64::from(a.y) + i64::from(b.y)) / 2) as i32)
    }

    /// Distance in metres.
    #[inline]
    #[must_use]
    pub fn distance_m(self, a: Point, b: Point) -> f64 {
        self.distance_2(a, b).sqrt()
    }

    /// Squared distance in square metres.
    #[inline]
    #[must_use]
    pub fn distance_2(self, a: Point, b: Point) -> f64 {
        let dx = (f64::from(b.x) - f64::from(a.x)) * self.east_m;
        let dy = (f64::from(b.y) - f64::from(a.y)) * self.north_m;
        dx * dx + dy * dy
    }

    /// Squared distance in square metres from `p` to the nearest point of the segment `a`-`b`.
    #[inline]
    #[must_use]
    pub fn distance_to_segment_2(self, p: Point, a: Point, b: Point) -> f64 {
        let (ax, ay) = self.offset(p, a);
        let (bx, by) = self.offset(p, b);
        let (dx, dy) = (bx - ax, by - ay);
        let length_2 = dx * dx + dy * dy;
        let t = if length_2 > 0.0 { (-(ax * dx + ay * dy) / length_2).clamp(0.0, 1.0) } else { 0.0 };
        let (x, y) = (ax + t * dx, ay + t * dy);
        x * x + y * y
    }

    /// Square metres of one square unit.
    #[inline]
    #[must_use]
    pub fn unit_area_m2(self) -> f64 {
        self.east_m * self.north_m
    }

    /// Where `q` lies seen from `p`, metres east and north.
    #[inline]
    #[must_use]
    pub fn offset(self, p: Point, q: Point) -> (f64, f64) {
        ((f64::from(q.x) - f64::from(p.x)) * self.east_m, (f64::from(q.y) - f64::from(p.y)) * self.north_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_at_36_north_has_the_ellipsoid_s_length() {
        // PROJ geod: 1e-4 degree at 36 N is 9.0163 m east-west, 11.0958 m north-south.
        let frame = Frame::at(360_000_000);
        assert!((frame.east_m * 1_000.0 - 9.016_4).abs() < 1e-3, "{}", frame.east_m * 1_000.0);
        assert!((frame.north_m * 1_000.0 - 11.095_8).abs() < 1e-3, "{}", frame.north_m * 1_000.0);
    }
}
