//! Polygons as outsiders draw them: loose rings on the lattice, of any direction,
//! with or without a repeated last point. What they enclose is decided by parity.

use crate::lattice::{Bounds, Point};
use crate::metres::Frame;

/// A closed ring; the last point is joined to the first and need not repeat it.
pub type Ring = Vec<Point>;

/// One part of an area or a feature: a shell and its holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polygon {
    /// The outer ring.
    pub shell: Ring,
    /// The rings cut out of it.
    pub holes: Vec<Ring>,
}

impl Polygon {
    /// Shell, then holes.
    pub fn rings(&self) -> impl Iterator<Item = &[Point]> {
        std::iter::once(self.shell.as_slice()).chain(self.holes.iter().map(Vec::as_slice))
    }

    /// The box around the shell.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds::of(self.shell.iter().copied())
    }

    /// Its ground in square metres, the holes taken off; in the plane of its middle
    /// latitude, so good to 0.1 % over some tens of kilometres.
    #[must_use]
    pub fn area_m2(&self) -> f64 {
        let bounds = self.bounds();
        let ring_2 = |ring: &[Point]| twice_area(ring).unsigned_abs() as f64;
        let holes_2: f64 = self.holes.iter().map(|hole| ring_2(hole)).sum();
        (ring_2(&self.shell) - holes_2) / 2.0 * Frame::between(bounds.min, bounds.max).unit_area_m2()
    }
}

/// Twice the signed area of a ring in square units: positive when it runs
/// counter-clockwise. Exact.
#[must_use]
pub(crate) fn twice_area(ring: &[Point]) -> i128 {
    let Some((&first, rest)) = ring.split_first() else { return 0 };
    // Relative to the first point, so that the partial sums stay small.
    let of = |a: Point, b: Point| {
        let (ax, ay) = (i128::from(a.x) - i128::from(first.x), i128::from(a.y) - i128::from(first.y));
        let (bx, by) = (i128::from(b.x) - i128::from(first.x), i128::from(b.y) - i128::from(first.y));
        ax * by - bx * ay
    };
    rest.windows(2).map(|w| of(w[0], w[1])).sum()
}
