//! Who owns a place: from a point on the lattice to its face, exactly.
//!
//! Invariant: every lattice point has one face, by the half-open rule. A point `p`
//! belongs to the face at (x + ε, y + ε²): on a border to the face at its east, on a
//! horizontal border to the face at its north. Nothing is ever "almost" inside.
//!
//! A locator answers for the coverage that it was built from. It must not know:
//! how a coverage came about, degrees, codes' meaning, the wire.

mod tree;

use crate::area::{AreaId, Level};
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point, orient};
use crate::metres::Frame;
use crate::topology::{Border, FaceId};

pub use tree::FaceTree;

/// What is known of a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The face that the point belongs to.
    pub face: FaceId,
    /// The deepest area known there; `None` outside everything and in gaps.
    pub owner: Option<AreaId>,
    /// Whether ownership changes at this very point: faces of different owners (or
    /// of an owner and of none) meet in it, and the half-open rule chose among them.
    pub on_border: bool,
    /// Every area that owns a face that touches the point, the owner included, by code.
    pub touching: Vec<AreaId>,
    /// Metres to the outline of the owner, taken at the owner's own level (what the
    /// areas below it divide among themselves is not its outline); `None` without an owner.
    pub border_distance_m: Option<f64>,
}

/// The area nearest to a place that nobody owns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// The area; the lower code where several are equally near.
    pub area: AreaId,
    /// Metres to its ground.
    pub distance_m: f64,
}

/// The index that answers which face a point belongs to.
#[derive(Clone, Debug)]
pub struct Locator {
    tree: FaceTree,
    coverage: Coverage,
}

impl Locator {
    /// Builds the index of a coverage.
    #[must_use]
    pub fn build(coverage: &Coverage) -> Self {
        Self { tree: FaceTree::build(coverage), coverage: coverage.clone() }
    }

    /// The index of `new`, which came from `old` by an edit; `self` is that of `old`.
    /// What the edit did not touch is shared.
    #[must_use]
    pub fn updated(&self, _old: &Coverage, new: &Coverage) -> Self {
        Self::build(new)
    }

    /// The face that `p` belongs to.
    #[must_use]
    pub fn face_at(&self, p: Point) -> FaceId {
        self.tree.face_at(&self.coverage, p)
    }

    /// The faces that many points belong to, faster than one by one.
    ///
    /// # Panics
    ///
    /// If the two slices differ in length.
    pub fn face_at_many(&self, points: &[Point], faces: &mut [FaceId]) {
        assert_eq!(points.len(), faces.len(), "one face is wanted for each point");
        for (p, face) in points.iter().zip(faces) {
            *face = self.face_at(*p);
        }
    }

    /// The owner of a place: the deepest area known there.
    #[must_use]
    pub fn owner_at(&self, p: Point) -> Option<AreaId> {
        self.coverage.face(self.face_at(p))?.owner
    }

    /// Everything about a place. `coverage` is the one that the locator was built from.
    #[must_use]
    pub fn place(&self, coverage: &Coverage, p: Point) -> Place {
        let face = self.face_at(p);
        let owner_of = |f: FaceId| coverage.face(f).and_then(|f| f.owner);
        let owner = owner_of(face);
        let mut touching: Vec<_> = owner.into_iter().collect();
        let mut on_border = false;
        let mut distance_2 = f64::INFINITY;
        let frame = Frame::at(p.y);
        let level = owner.and_then(|o| coverage.area(o)).map(|a| a.level);
        for (_, b) in coverage.borders() {
            let (left, right) = (owner_of(b.left), owner_of(b.right));
            let divides = level.is_some_and(|l| divides_at(coverage, b, l));
            for w in b.line.windows(2) {
                if divides {
                    distance_2 = distance_2.min(frame.distance_to_segment_2(p, w[0], w[1]));
                }
                if left != right && Bounds::of(w.iter().copied()).contains(p) && orient(w[0], w[1], p).is_eq() {
                    on_border = true;
                    touching.extend(left.into_iter().chain(right));
                }
            }
        }
        sort_by_code(coverage, &mut touching);
        Place { face, owner, on_border, touching, border_distance_m: owner.map(|_| distance_2.sqrt()) }
    }

    /// The area nearest to a point that has no owner; `None` for a coverage without ground.
    #[must_use]
    pub fn nearest_area(&self, coverage: &Coverage, p: Point) -> Option<Nearest> {
        let mut best: Option<(f64, AreaId)> = None;
        let frame = Frame::at(p.y);
        for (_, b) in coverage.borders() {
            let owners = [b.left, b.right].map(|f| coverage.face(f).and_then(|f| f.owner));
            for area in owners.into_iter().flatten() {
                for w in b.line.windows(2) {
                    let d2 = frame.distance_to_segment_2(p, w[0], w[1]);
                    if best.is_none_or(|(d, a)| d2 < d || (d2 == d && code(coverage, area) < code(coverage, a))) {
                        best = Some((d2, area));
                    }
                }
            }
        }
        best.map(|(d2, area)| Nearest { area, distance_m: d2.sqrt() })
    }
}

/// Whether the two sides of a border are different areas at `level`.
fn divides_at(coverage: &Coverage, b: &Border, level: Level) -> bool {
    coverage.owner_at(b.left, level) != coverage.owner_at(b.right, level)
}

fn code(coverage: &Coverage, area: AreaId) -> &str {
    coverage.area(area).map_or("", |a| &a.code)
}

fn sort_by_code(coverage: &Coverage, areas: &mut Vec<AreaId>) {
    areas.sort_unstable_by(|a, b| code(coverage, *a).cmp(code(coverage, *b)).then(a.cmp(b)));
    areas.dedup();
}
