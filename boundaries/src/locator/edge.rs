//! One edge of a border as a leaf sees it: what crossing it does to the face.
//!
//! The face of a point p of a leaf is the face at the leaf's south-west corner plus
//! what is met on the way from there: up the west side, then east to p. Faces are
//! numbers, each edge knows the difference of the two at its sides, and the sum of
//! the differences of all edges met, each at most once up and once east, is the
//! face: no edge has to be the nearest, nothing is sorted, and it is exact.
//!
//! ```text
//!      ┌─────────────────┐
//!      │       \    y ···│·········  p is reached at the height y: an edge that passes
//!      ├────────\───▶ p  │           west of p and east of the corner's column adds
//!      │         \       │           its difference; so did every edge that the west
//!      ▲          \______│           side met below y.
//!      o  corner         │
//!      └─────────────────┘
//! ```
//!
//! All of it happens at (x + ε, y + ε²), for the corner as for p: see [`super`]. An
//! edge that touches the closed square of a leaf, its far sides included, is among
//! the edges of the leaf.

use crate::lattice::Point;

/// A square of the lattice: from its south-west corner, 2^shift units wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Square {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) shift: u32,
}

/// An edge, its lower end first (the western one when it is level).
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) a: Point,
    pub(super) b: Point,
    /// East face minus west face; for a level edge north minus south. Wraps.
    pub(super) delta: u32,
    /// The border that it is a part of.
    pub(super) border: u32,
}

impl Edge {
    /// The edge from `p` to `q`, with the faces at its left and right.
    pub(super) fn new(p: Point, q: Point, left: u32, right: u32, border: u32) -> Self {
        let level = p.y == q.y;
        let is_forward = if level { p.x < q.x } else { p.y < q.y };
        // Upwards the right side is the east; eastwards the left side is the north.
        let delta = if is_forward == level { left.wrapping_sub(right) } else { right.wrapping_sub(left) };
        let (a, b) = if is_forward { (p, q) } else { (q, p) };
        Self { a, b, delta, border }
    }
}

/// How the west side of a leaf meets an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum West {
    /// Not at all, or below the corner.
    None = 0,
    /// Below `low` the side lies south-east of the edge: rising past it takes the difference off.
    Rising = 1,
    /// From `high` on the side lies north-east of the edge: rising past it adds the difference.
    Falling = 2,
}

/// What of an edge counts in a leaf. Heights are above the leaf's south side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clip {
    /// The lattice rows low .. high at which the edge passes east of the west side.
    pub(super) low: u32,
    pub(super) high: u32,
    pub(super) west: West,
}

impl Clip {
    /// What of `e` counts in the leaf `at`.
    pub(super) fn new(e: &Edge, at: Square) -> Self {
        let size = 1i64 << at.shift;
        let (ax, ay) = (i64::from(e.a.x) - at.x, i64::from(e.a.y) - at.y);
        let (bx, by) = (i64::from(e.b.x) - at.x, i64::from(e.b.y) - at.y);
        let (dx, dy) = (bx - ax, by - ay);
        let inside = |y: i64| y.clamp(0, size) as u32;
        if dy == 0 {
            let met = ax <= 0 && 0 < bx && 0 < ay && ay <= size;
            return Self { low: inside(ay), high: inside(ay), west: if met { West::Falling } else { West::None } };
        }
        // The rows of the edge, as if the west side were nowhere near.
        let all = Self { low: inside(ay), high: inside(by), west: West::None };
        let none = Self { low: 0, high: 0, west: West::None };
        if dx > 0 && ax <= 0 {
            if bx <= 0 {
                return none;
            }
            // The first row at which the edge passes east of the side; the side lies above it from there on.
            let first = ay + floor_of(-ax, dy, dx) + 1;
            let west = if 0 < first && first <= size { West::Rising } else { West::None };
            let low = inside(first);
            Self { low, high: all.high.max(low), west }
        } else if dx < 0 && bx <= 0 {
            if ax <= 0 {
                return none;
            }
            // The first row at which it no longer does.
            let end = ay - floor_of(-ax, dy, -dx);
            let west = if 0 < end && end <= size { West::Falling } else { West::None };
            let high = inside(end);
            Self { low: all.low.min(high), high, west }
        } else if ax <= 0 && dx == 0 {
            none
        } else {
            all
        }
    }

    /// What the way from the corner to (x, y), heights and widths above the corner,
    /// adds to the face, given whether (x, y) lies on or east of the edge.
    #[inline]
    pub(super) fn crossing(self, y: u32, is_east: bool, delta: u32) -> u32 {
        let along = self.low <= y && y < self.high && is_east;
        let up = self.west == West::Falling && self.high <= y;
        let down = self.west == West::Rising && self.low <= y;
        delta.wrapping_mul((u32::from(along) + u32::from(up)).wrapping_sub(u32::from(down)))
    }
}

/// Floor of n · dy / d, with d > 0.
fn floor_of(n: i64, dy: i64, d: i64) -> i64 {
    match n.checked_mul(dy) {
        Some(product) => product.div_euclid(d),
        // The quotient is a height within the edge, so it fits.
        None => (i128::from(n) * i128::from(dy)).div_euclid(i128::from(d)) as i64,
    }
}

/// Whether `p` lies on the line through the edge `a`-`b` (a the lower end) or east of
/// it. Exact for all points.
#[inline]
pub(super) fn is_east(a: (i64, i64), b: (i64, i64), p: (i64, i64)) -> bool {
    // Differences take 33 bits, so the products may take 66.
    let product = |u: i64, v: i64| i128::from(u) * i128::from(v);
    product(b.0 - a.0, p.1 - a.1) <= product(b.1 - a.1, p.0 - a.0)
}
