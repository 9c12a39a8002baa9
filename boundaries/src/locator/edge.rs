//! One edge of a border, and what passing it does to the face.
//!
//! The face of a point p is found on the level way that comes from far in the west: it
//! begins on ground whose face is known, and every edge that it meets on or west of p
//! adds the face at its east less the face at its west. Faces are numbers, sums wrap; no
//! edge has to be the nearest, nothing is sorted, and it is exact.
//!
//! ```text
//!             ▲ b      ╱
//!    west     │       ╱            going up, an edge has west at its left: it adds
//!  ·········· │ ··· ╱ ·····▶ p     right less left; going down it takes the same off.
//!             │    ▼               A level edge is never met.
//!             a
//! ```
//!
//! All of it happens at the height y + ε², so an edge counts from its lower end on, that
//! end included, up to its upper end, that one not; and a point on it lies east of it.

use crate::lattice::Point;

/// A square of the lattice: from its south-west corner, 2^shift units wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Square {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) shift: u32,
}

impl Square {
    /// The middle.
    #[inline]
    pub(super) fn centre(&self) -> (i64, i64) {
        let half = 1i64 << self.shift >> 1;
        (self.x + half, self.y + half)
    }
}

/// An edge, in the direction of its border.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) a: Point,
    pub(super) b: Point,
    /// The face at its right less the face at its left. Wraps.
    pub(super) delta: u32,
    /// The border that it is a part of.
    pub(super) border: u32,
}

impl Edge {
    /// The same edge from its lower to its upper end.
    pub(super) fn upwards(&self) -> (Point, Point) {
        if self.a.y <= self.b.y { (self.a, self.b) } else { (self.b, self.a) }
    }

    /// What the way from the west to `p` adds to the face where it meets this edge.
    pub(super) fn crossing(&self, p: (i64, i64)) -> u32 {
        let end = |q: Point| (i64::from(q.x), i64::from(q.y));
        self.delta.wrapping_mul(passage(end(self.a), end(self.b), p) as u32)
    }
}

/// How the way from the west to `p` passes the edge `a`-`b`: 1 where the edge goes up,
/// -1 where it goes down, 0 where the way ends before or does not meet it. Exact.
#[inline]
pub(super) fn passage(a: (i64, i64), b: (i64, i64), p: (i64, i64)) -> i32 {
    let way = i32::from(a.1 <= p.1) - i32::from(b.1 <= p.1);
    if way == 0 {
        return 0;
    }
    // Differences take 33 bits, so the products may take 66.
    let product = |u: i64, v: i64| i128::from(u) * i128::from(v);
    let side = product(b.0 - a.0, p.1 - a.1).cmp(&product(b.1 - a.1, p.0 - a.0)) as i32;
    if side * way <= 0 { way } else { 0 }
}
