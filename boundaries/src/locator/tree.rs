//! An R-tree over the boxes of the faces: candidates for an exact integer test.
//!
//! It is made in a moment and needs nothing but the faces, so drafts and small
//! coverages are answered by it; the cell index must agree with it on every point.
//! It must not know: the cell index.

use rstar::{AABB, RTree, RTreeObject};

use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::topology::{Border, FaceId};

/// The box of a face. The coordinates are lattice units; an `f64` holds every `i32`.
#[derive(Clone, Debug)]
struct FaceBox {
    face: FaceId,
    bounds: Bounds,
}

impl RTreeObject for FaceBox {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        AABB::from_corners(corner(self.bounds.min), corner(self.bounds.max))
    }
}

fn corner(p: Point) -> [f64; 2] {
    [f64::from(p.x), f64::from(p.y)]
}

/// The faces of one coverage by their boxes. It answers for that coverage only.
#[derive(Clone, Debug)]
pub struct FaceTree {
    tree: RTree<FaceBox>,
}

impl FaceTree {
    /// Sorts the faces of a coverage into a tree.
    #[must_use]
    pub fn build(coverage: &Coverage) -> Self {
        let boxes =
            coverage.faces().filter(|(_, f)| f.outer.is_some()).map(|(face, f)| FaceBox { face, bounds: f.bounds });
        Self { tree: RTree::bulk_load(boxes.collect()) }
    }

    /// The face that `p` belongs to by the half-open rule: the one at (x + ε, y + ε²).
    #[must_use]
    pub fn face_at(&self, coverage: &Coverage, p: Point) -> FaceId {
        self.near(p).find(|face| holds(coverage, *face, p)).unwrap_or(FaceId::OUTSIDE)
    }

    /// The faces whose closed box holds `p`.
    pub fn near(&self, p: Point) -> impl Iterator<Item = FaceId> {
        self.tree.locate_in_envelope_intersecting(AABB::from_point(corner(p))).map(|b| b.face)
    }
}

/// Whether a face holds `p` by the half-open rule: an odd number of its edges lies
/// at or west of `p` at the height just above it.
pub(crate) fn holds(coverage: &Coverage, face: FaceId, p: Point) -> bool {
    let crossed = |b: &Border| b.line.windows(2).filter(|w| is_crossed(w[0], w[1], p)).count();
    coverage
        .rings(face)
        .flat_map(|ring| coverage.ring(ring))
        .filter_map(|h| coverage.border(h.border()))
        .map(crossed)
        .sum::<usize>()
        % 2
        == 1
}

/// Whether the edge `a`-`b` lies at or west of `p` where it passes the height of `p`,
/// its upper end not counted. Exact.
#[inline]
#[must_use]
pub(crate) fn is_crossed(a: Point, b: Point, p: Point) -> bool {
    let (a, b) = if a.y <= b.y { (a, b) } else { (b, a) };
    if !(a.y <= p.y && p.y < b.y) {
        return false;
    }
    // i128, because nothing binds a caller to the globe: differences take 33 bits.
    let (dx, dy) = (i128::from(b.x) - i128::from(a.x), i128::from(b.y) - i128::from(a.y));
    dx * (i128::from(p.y) - i128::from(a.y)) <= dy * (i128::from(p.x) - i128::from(a.x))
}
