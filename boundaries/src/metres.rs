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

/// Ground in square metres on the WGS-84 ellipsoid, edges taken straight in longitude
/// and latitude.
///
/// The ground between an edge and a reference latitude is the integral over longitude
/// of Q, the ground per unit of longitude north of that latitude: dQ/dφ = M N cos φ
/// (Snyder, *Map Projections: A Working Manual*, 1987, eq. 3-12). Around one latitude
/// Q is a cubic within 1e-9 for a degree of extent, and Simpson's rule integrates
/// cubics exactly; for larger extents Q is taken in closed form.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    y0: f64,
    series: Option<[f64; 3]>,
    q0: f64,
}

impl Ground {
    /// The measure for rings whose latitudes (lattice units) lie between two.
    #[must_use]
    pub fn between(south: i32, north: i32) -> Self {
        let y0 = (i64::from(south) + i64::from(north)).div_euclid(2) as i32;
        let small = i64::from(north) - i64::from(south) < i64::from(UNITS_PER_DEGREE);
        let series = small.then(|| {
            let step = UNITS_PER_DEGREE / 4;
            let at = |y: i32| Frame::at(y.clamp(-900_000_000, 900_000_000)).unit_area_m2();
            let (low, mid, high) = (at(y0 - step), at(y0), at(y0 + step));
            let h = f64::from(step);
            // The integral of mid + slope y + bend y²/2.
            [mid, (high - low) / (2.0 * h) / 2.0, (high - 2.0 * mid + low) / (h * h) / 6.0]
        });
        Self { y0: f64::from(y0), series, q0: closed(f64::from(y0)) }
    }

    fn q(self, y: f64) -> f64 {
        match self.series {
            Some([a, b, c]) => {
                let d = y - self.y0;
                d * (a + d * (b + d * c))
            }
            None => closed(y) - self.q0,
        }
    }

    /// What an edge adds to the ground of a ring that runs counter-clockwise.
    #[inline]
    #[must_use]
    pub fn beside_m2(self, a: Point, b: Point) -> f64 {
        let (ya, yb) = (f64::from(a.y), f64::from(b.y));
        let mean = (self.q(ya) + 4.0 * self.q((ya + yb) / 2.0) + self.q(yb)) / 6.0;
        (f64::from(a.x) - f64::from(b.x)) * mean
    }
}

/// Ground per unit of longitude from the equator to a latitude, both in lattice units.
fn closed(y: f64) -> f64 {
    let unit = (1.0 / f64::from(UNITS_PER_DEGREE)).to_radians();
    let (sin, e) = ((y * unit).sin(), E2.sqrt());
    unit * A_M * A_M * (1.0 - E2) / 2.0 * (sin / (1.0 - E2 * sin * sin) + (e * sin).atanh() / e)
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

    #[test]
    fn the_ground_of_a_box_agrees_with_the_ellipsoid_in_series_and_in_closed_form() {
        let ring = |half: i32| {
            let (w, s, e, n) = (1_200_000_000, 360_000_000 - half, 1_200_000_000 + half, 360_000_000 + half);
            [Point::new(w, s), Point::new(e, s), Point::new(e, n), Point::new(w, n)]
        };
        let measure = |half: i32, ground: Ground| -> f64 {
            let r = ring(half);
            (0..4).map(|i| ground.beside_m2(r[i], r[(i + 1) % 4])).sum()
        };
        // All of the ellipsoid's north: half of 510,065,621.7 km².
        let hemisphere = closed(900_000_000.0) * 3_600_000_000.0;
        assert!((hemisphere / 255_032_810_857_000.0 - 1.0).abs() < 1e-9, "{hemisphere}");
        for half in [1_000, 100_000, 4_900_000] {
            let series = measure(half, Ground::between(360_000_000 - half, 360_000_000 + half));
            let exact = measure(half, Ground { series: None, ..Ground::between(0, 720_000_000) });
            assert!((series / exact - 1.0).abs() < 1e-6, "{half}: {series} {exact}");
        }
    }
}
