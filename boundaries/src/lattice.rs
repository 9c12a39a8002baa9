//! The lattice: where every coordinate of a coverage lives.
//!
//! A point is a pair of `i32` in units of 1e-7 degree, WGS-84, longitude first:
//! about 1.1 cm north-south. All predicates on it are exact; there is no epsilon.

use std::cmp::Ordering;

/// Lattice units in one degree.
pub const UNITS_PER_DEGREE: i32 = 10_000_000;

/// A place on the lattice: longitude and latitude in units of 1e-7 degree (WGS-84).
///
/// Ordered by x (longitude), then y (latitude).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Point {
    /// Longitude in 1e-7 degree, -1_800_000_000 ..= 1_800_000_000.
    pub x: i32,
    /// Latitude in 1e-7 degree, -900_000_000 ..= 900_000_000.
    pub y: i32,
}

impl Point {
    /// The point at lattice coordinates `x`, `y`.
    #[inline]
    #[must_use]
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }

    /// The lattice point nearest to a longitude and latitude in degrees (halves go
    /// away from zero), or `None` where they are not finite or outside the globe.
    #[must_use]
    pub fn from_degrees(lon: f64, lat: f64) -> Option<Self> {
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            return None;
        }
        let units = f64::from(UNITS_PER_DEGREE);
        // The range was checked: at most 1.8e9 in absolute value, so the casts are exact.
        Some(Self::new((lon * units).round() as i32, (lat * units).round() as i32))
    }

    /// Whether it is a place on the globe. Sums and products of such points' coordinates
    /// fit the integers that the predicates use; those of any two `i32` would not.
    #[inline]
    #[must_use]
    pub const fn is_on_globe(self) -> bool {
        -1_800_000_000 <= self.x && self.x <= 1_800_000_000 && -900_000_000 <= self.y && self.y <= 900_000_000
    }

    /// Its place on a Z-shaped curve that mostly stays near: the bits of x and y in turns
    /// (Morton 1966). What is stored along it lies beside what is near on the ground.
    #[must_use]
    pub fn curve(self) -> u64 {
        let spread = |v: i32| {
            let mut v = u64::from(v as u32 ^ 0x8000_0000);
            v = (v | v << 16) & 0x0000_FFFF_0000_FFFF;
            v = (v | v << 8) & 0x00FF_00FF_00FF_00FF;
            v = (v | v << 4) & 0x0F0F_0F0F_0F0F_0F0F;
            v = (v | v << 2) & 0x3333_3333_3333_3333;
            (v | v << 1) & 0x5555_5555_5555_5555
        };
        spread(self.x) | spread(self.y) << 1
    }

    /// Longitude in degrees: the shortest decimal that rounds back to this point.
    #[inline]
    #[must_use]
    pub fn lon(self) -> f64 {
        f64::from(self.x) / f64::from(UNITS_PER_DEGREE)
    }

    /// Latitude in degrees.
    #[inline]
    #[must_use]
    pub fn lat(self) -> f64 {
        f64::from(self.y) / f64::from(UNITS_PER_DEGREE)
    }
}

/// On which side of the line from `a` to `b` the point `c` lies: `Greater` to the
/// left (counter-clockwise), `Less` to the right, `Equal` on the line. Exact for points
/// [on the globe](Point::is_on_globe), and a coverage holds no others.
#[inline]
#[must_use]
pub fn orient(a: Point, b: Point, c: Point) -> Ordering {
    // |dx| < 2^32 and |dy| < 2^31, so each product fits an i64; their difference might not.
    let left = (i64::from(b.x) - i64::from(a.x)) * (i64::from(c.y) - i64::from(a.y));
    let right = (i64::from(b.y) - i64::from(a.y)) * (i64::from(c.x) - i64::from(a.x));
    left.cmp(&right)
}

/// Whether the direction `a` from `o` comes before `b` counter-clockwise from due east.
#[inline]
pub(crate) fn by_angle(o: Point, a: Point, b: Point) -> Ordering {
    // The upper half plane, due east included, comes first.
    let lower = |p: Point| p.y < o.y || (p.y == o.y && p.x < o.x);
    lower(a).cmp(&lower(b)).then_with(|| orient(o, a, b).reverse())
}

/// A closed box on the lattice: both corners belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// South-west corner.
    pub min: Point,
    /// North-east corner.
    pub max: Point,
}

impl Bounds {
    /// The box that holds nothing; growing it by a point gives the box of that point.
    pub const EMPTY: Self = Self { min: Point::new(i32::MAX, i32::MAX), max: Point::new(i32::MIN, i32::MIN) };

    /// The smallest box around some points.
    #[must_use]
    pub fn of(points: impl IntoIterator<Item = Point>) -> Self {
        points.into_iter().fold(Self::EMPTY, Self::with)
    }

    /// This box grown to hold `p`.
    #[inline]
    #[must_use]
    pub fn with(self, p: Point) -> Self {
        Self {
            min: Point::new(self.min.x.min(p.x), self.min.y.min(p.y)),
            max: Point::new(self.max.x.max(p.x), self.max.y.max(p.y)),
        }
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            min: Point::new(self.min.x.min(other.min.x), self.min.y.min(other.min.y)),
            max: Point::new(self.max.x.max(other.max.x), self.max.y.max(other.max.y)),
        }
    }

    /// Whether no point lies in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.min.x > self.max.x || self.min.y > self.max.y
    }

    /// Whether `p` lies in it, its rim included.
    #[inline]
    #[must_use]
    pub fn contains(self, p: Point) -> bool {
        self.min.x <= p.x && p.x <= self.max.x && self.min.y <= p.y && p.y <= self.max.y
    }

    /// Whether the two boxes share a point.
    #[inline]
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.min.x <= other.max.x && other.min.x <= self.max.x && self.min.y <= other.max.y && other.min.y <= self.max.y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_of_a_line_is_exact_across_the_whole_globe() {
        let west = Point::new(-1_800_000_000, -900_000_000);
        let east = Point::new(1_800_000_000, 900_000_000);
        assert_eq!(orient(west, east, Point::new(0, 0)), Ordering::Equal);
        assert_eq!(orient(west, east, Point::new(0, 1)), Ordering::Greater);
        assert_eq!(orient(west, east, Point::new(1, 0)), Ordering::Less);
    }

    #[test]
    fn degrees_off_the_globe_are_no_place() {
        assert_eq!(Point::from_degrees(181.0, 0.0), None);
        assert_eq!(Point::from_degrees(0.0, f64::NAN), None);
        assert_eq!(Point::from_degrees(f64::INFINITY, 0.0), None);
        assert!(Point::new(1_800_000_000, -900_000_000).is_on_globe());
        assert!(!Point::new(1_800_000_001, 0).is_on_globe() && !Point::new(0, i32::MIN).is_on_globe());
        assert_eq!(Point::from_degrees(120.123_456_74, -36.5), Some(Point::new(1_201_234_567, -365_000_000)));
    }

    #[test]
    fn degrees_come_back_as_the_same_lattice_point() {
        for x in [1_799_999_999, -1, 0, 1, 1_201_234_567, 333_333_333] {
            let p = Point::new(x, x / 2);
            assert_eq!(Point::from_degrees(p.lon(), p.lat()), Some(p));
        }
    }
}
