//! Whose ground a geometry stands on, and how much of it is whose.
//!
//! A place belongs to the owner that the locator names. A line belongs to the owner
//! of its middle vertex. A polygon belongs to the area with the largest share of its
//! ground; of equal shares the lower code has it. Shares are rounded to a millionth,
//! so that they are equal wherever they are worked out.
//!
//! The area common to a polygon and a face is a sum over pairs of their edges:
//!
//! ```text
//!   y │    ____ e           for a fixed x, the polygon is Σ ±[0, y_e(x)] and the face
//!     │   /    \            Σ ±[0, y_f(x)], + for edges that run west (the ground is
//!     │  /  ----\--- f      below them), - for those that run east; so what they have
//!     │ /        \          in common is Σ Σ ±± ∫ min(y_e, y_f) dx
//!     └──────────── x
//! ```
//!
//! No new vertex is made and no topology is asked of the polygon, so there is no
//! input on which it fails.

use std::sync::Arc;

use boundaries::{AreaId, Border, BorderId, Bounds, Coverage, FaceId, Point};
use rstar::{AABB, RTree, RTreeObject};
use rustc_hash::FxHashSet;

use super::CoverageView;
use super::shapes::{GeometryRef, Parts};

/// How much of a polygon's ground is an area's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The deepest area that owns that ground.
    pub area: AreaId,
    /// Its part of the polygon, above 0 and at most 1, to a millionth.
    pub share: f64,
}

/// The owner of a geometry, and the shares where a border cuts it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) owner: Option<AreaId>,
    /// Largest first; empty where all of the ground is the owner's.
    pub(crate) shares: Vec<Share>,
}

/// Segments in one run of a border.
const RUN: usize = 16;

/// A few segments of a border with the box around them.
#[derive(Clone, Copy, Debug)]
struct Run {
    bounds: Bounds,
    border: u32,
    first: u32,
}

impl RTreeObject for Run {
    type Envelope = AABB<[i32; 2]>;
    fn envelope(&self) -> Self::Envelope {
        envelope(self.bounds)
    }
}

pub(super) fn envelope(b: Bounds) -> AABB<[i32; 2]> {
    AABB::from_corners([b.min.x, b.min.y], [b.max.x, b.max.y])
}

/// All borders of a coverage in short runs, found by box. After an edit the large tree is
/// shared with the coverage before, and the borders that differ lie beside it.
#[derive(Clone, Debug)]
pub(super) struct BorderRuns {
    tree: Arc<RTree<Run>>,
    /// Borders of which the tree no longer tells the truth, and what is true of them.
    stale: Arc<FxHashSet<u32>>,
    later: Arc<RTree<Run>>,
}

/// With more borders than these beside it, and more than a part of all, the tree is made anew.
const STALE_MIN: usize = 1024;
const STALE_PART: usize = 8;

impl BorderRuns {
    pub(super) fn build(coverage: &Coverage) -> Self {
        let mut runs = Vec::new();
        coverage.borders().for_each(|(id, border)| runs_of(id, border, &mut runs));
        Self { tree: Arc::new(RTree::bulk_load(runs)), stale: Arc::default(), later: Arc::default() }
    }

    /// The same for a coverage that came from the one that these are of.
    pub(super) fn updated(&self, old: &Coverage, new: &Coverage) -> Self {
        let changed = new.difference(old).borders;
        let stale: FxHashSet<u32> = self.stale.iter().copied().chain(changed.iter().map(|id| id.0)).collect();
        if stale.len() > STALE_MIN.max(new.border_slots() / STALE_PART) {
            return Self::build(new);
        }
        let mut runs = Vec::new();
        for id in stale.iter().map(|id| BorderId(*id)) {
            new.border(id).into_iter().for_each(|border| runs_of(id, border, &mut runs));
        }
        Self { tree: self.tree.clone(), stale: Arc::new(stale), later: Arc::new(RTree::bulk_load(runs)) }
    }

    /// How many bytes it holds beyond those that are the same memory in another. A tree
    /// takes twice its runs, as a rule.
    pub(super) fn bytes_not_shared_with(&self, other: Option<&Self>) -> usize {
        let tree = if other.is_some_and(|o| Arc::ptr_eq(&o.tree, &self.tree)) { 0 } else { self.tree.size() };
        2 * (tree + self.later.size()) * size_of::<Run>() + self.stale.capacity() * size_of::<u32>() * 2
    }

    /// The faces at the sides of segments that meet `bounds`, ascending; none where `bounds`
    /// lies wholly in one face.
    fn faces_near(&self, coverage: &Coverage, bounds: Bounds, faces: &mut Vec<FaceId>) {
        faces.clear();
        let near = envelope(bounds);
        let lasting = self.tree.locate_in_envelope_intersecting(near).filter(|run| !self.stale.contains(&run.border));
        for run in lasting.chain(self.later.locate_in_envelope_intersecting(near)) {
            let Some(border) = coverage.border(BorderId(run.border)) else { continue };
            let first = run.first as usize;
            let until = (first + RUN + 1).min(border.line.len());
            if border.line[first..until].windows(2).any(|w| meets(w[0], w[1], bounds)) {
                faces.extend([border.left, border.right]);
            }
        }
        faces.sort_unstable();
        faces.dedup();
    }
}

/// Whether a segment and a box have a place in common. That their boxes have is not enough:
///
/// ```text
///    y ┌──┐   . ╱      the house lies wholly in y, whose border is the dotted line,
///      └──┘ . ╱        yet in the box around the segment, which knows nothing of y
///         . ╱
/// ```
fn meets(a: Point, b: Point, bounds: Bounds) -> bool {
    if !Bounds::of([a, b]).meets(bounds) {
        return false;
    }
    let [ax, ay, bx, by] = [a.x, a.y, b.x, b.y].map(i128::from);
    let turn = |x: i32, y: i32| ((bx - ax) * (i128::from(y) - ay) - (by - ay) * (i128::from(x) - ax)).signum();
    let Bounds { min, max } = bounds;
    let corners = [turn(min.x, min.y), turn(max.x, min.y), turn(max.x, max.y), turn(min.x, max.y)];
    // All on one side: the segment passes beside the box.
    corners != [1; 4] && corners != [-1; 4]
}

fn runs_of(id: BorderId, border: &Border, runs: &mut Vec<Run>) {
    for first in (0..border.line.len() - 1).step_by(RUN) {
        let until = (first + RUN + 1).min(border.line.len());
        let bounds = Bounds::of(border.line[first..until].iter().copied());
        runs.push(Run { bounds, border: id.0, first: first as u32 });
    }
}

/// Room for the work on one geometry, kept from one to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    faces: Vec<FaceId>,
    own: Vec<Edge>,
    other: Vec<Edge>,
}

/// Who owns a geometry.
pub(super) fn verdict(view: &CoverageView, geometry: GeometryRef<'_>, scratch: &mut Scratch) -> Verdict {
    let at = |p: Option<Point>| Verdict { owner: p.and_then(|p| view.locator.owner_at(p)), shares: Vec::new() };
    let parts = match geometry {
        GeometryRef::Point(p) => return at(Some(p)),
        GeometryRef::Lines(parts) => {
            let longest = parts.iter().max_by_key(|line| line.points.len());
            return at(longest.and_then(|line| line.points.get(line.points.len() / 2).copied()));
        }
        GeometryRef::Polygons(parts) => parts,
    };
    let first = parts.iter().flat_map(|ring| ring.points.first().copied()).next();
    let bounds = geometry.bounds();
    view.runs().faces_near(&view.coverage, bounds, &mut scratch.faces);
    let owner_of = |face: FaceId| view.coverage.face(face).and_then(|f| f.owner);
    match scratch.faces.as_slice() {
        [] => return at(first),
        faces if faces.iter().all(|f| owner_of(*f) == owner_of(faces[0])) => {
            return Verdict { owner: owner_of(faces[0]), shares: Vec::new() };
        }
        _ => {}
    }

    scratch.own.clear();
    let total_2 = edges_of_polygon(parts, bounds, &mut scratch.own);
    if total_2 <= 0.0 {
        return at(first);
    }
    let mut by_area: Vec<(AreaId, f64)> = Vec::new();
    for i in 0..scratch.faces.len() {
        let face = scratch.faces[i];
        let Some(area) = owner_of(face) else { continue };
        scratch.other.clear();
        edges_of_face(&view.coverage, face, bounds, &mut scratch.other);
        let common = common_area(&scratch.own, &scratch.other);
        match by_area.iter_mut().find(|(a, _)| *a == area) {
            Some((_, sum)) => *sum += common,
            None => by_area.push((area, common)),
        }
    }
    let mut shares: Vec<Share> = by_area
        .into_iter()
        .map(|(area, common)| Share { area, share: (common / total_2 * 1e6).round().clamp(0.0, 1e6) / 1e6 })
        .filter(|s| s.share > 0.0)
        .collect();
    let code = |s: &Share| view.coverage.area(s.area).map(|a| a.code.clone());
    shares.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| code(a).cmp(&code(b))));
    match shares.as_slice() {
        [] => Verdict::default(),
        [all] if all.share >= 1.0 => Verdict { owner: Some(all.area), shares: Vec::new() },
        [largest, ..] => Verdict { owner: Some(largest.area), shares },
    }
}

/// An edge that is not vertical, from west to east, in units from the south-west
/// corner of the polygon's box.
#[derive(Clone, Copy, Debug)]
struct Edge {
    x0: f64,
    x1: f64,
    y0: f64,
    y1: f64,
    /// +1 where the ground lies below, -1 where it lies above.
    sign: f64,
}

impl Edge {
    fn y_at(&self, x: f64) -> f64 {
        self.y0 + (self.y1 - self.y0) * ((x - self.x0) / (self.x1 - self.x0))
    }
}

/// The edges of a polygon, each ring turned as it must be. Returns its area.
fn edges_of_polygon(parts: Parts<'_>, bounds: Bounds, edges: &mut Vec<Edge>) -> f64 {
    let mut total = 0.0;
    for ring in parts.iter() {
        let begin = edges.len();
        let mut area = 0.0;
        for (i, a) in ring.points.iter().enumerate() {
            let b = ring.points[(i + 1) % ring.points.len()];
            let (ax, ay) = relative(*a, bounds);
            let (bx, by) = relative(b, bounds);
            area += (ax - bx) * (ay + by) / 2.0;
            if ax > bx {
                edges.push(Edge { x0: bx, y0: by, x1: ax, y1: ay, sign: 1.0 });
            } else if ax < bx {
                edges.push(Edge { x0: ax, y0: ay, x1: bx, y1: by, sign: -1.0 });
            }
        }
        // A shell must run counter-clockwise, a hole clockwise.
        if (area < 0.0) != ring.is_hole {
            edges[begin..].iter_mut().for_each(|e| e.sign = -e.sign);
            area = -area;
        }
        total += area;
    }
    total
}

fn relative(p: Point, bounds: Bounds) -> (f64, f64) {
    (f64::from(p.x) - f64::from(bounds.min.x), f64::from(p.y) - f64::from(bounds.min.y))
}

/// The edges of a face above the box's south side, cut to the box, what lies north
/// of it pressed down onto its north side.
fn edges_of_face(coverage: &Coverage, face: FaceId, bounds: Bounds, edges: &mut Vec<Edge>) {
    for start in coverage.rings(face) {
        for h in coverage.ring(start) {
            let Some(border) = coverage.border(h.border()) else { continue };
            for w in border.line.windows(2) {
                let (west, east) = if w[0].x < w[1].x { (w[0], w[1]) } else { (w[1], w[0]) };
                if east.x <= bounds.min.x || west.x >= bounds.max.x || west.x == east.x {
                    continue;
                }
                if west.y <= bounds.min.y && east.y <= bounds.min.y {
                    continue;
                }
                let runs_west = (w[0].x > w[1].x) == h.is_forward();
                press(west, east, bounds, if runs_west { 1.0 } else { -1.0 }, edges);
            }
        }
    }
}

/// Cuts one edge to the box; up to three pieces: below (dropped), within, above.
fn press(west: Point, east: Point, bounds: Bounds, sign: f64, edges: &mut Vec<Edge>) {
    let (width, height) = relative(bounds.max, bounds);
    let ((x0, y0), (x1, y1)) = (relative(west, bounds), relative(east, bounds));
    let line = Edge { x0, y0, x1, y1, sign };
    let x_at = |y: f64| (x0 + (x1 - x0) * ((y - y0) / (y1 - y0))).clamp(x0, x1);
    let mut cuts = [x0.max(0.0), x0.max(0.0), x1.min(width), x1.min(width)];
    if y0 != y1 {
        let (a, b) = (x_at(0.0), x_at(height));
        cuts[1] = a.min(b).clamp(cuts[0], cuts[3]);
        cuts[2] = a.max(b).clamp(cuts[0], cuts[3]);
    }
    for w in cuts.windows(2).filter(|w| w[0] < w[1]) {
        let (ya, yb) = (line.y_at(w[0]).clamp(0.0, height), line.y_at(w[1]).clamp(0.0, height));
        if ya > 0.0 || yb > 0.0 {
            edges.push(Edge { x0: w[0], x1: w[1], y0: ya, y1: yb, sign });
        }
    }
}

fn common_area(own: &[Edge], other: &[Edge]) -> f64 {
    let mut sum = 0.0;
    for e in own {
        for f in other {
            let (x0, x1) = (e.x0.max(f.x0), e.x1.min(f.x1));
            if x0 < x1 {
                sum += e.sign * f.sign * integral_of_min(e, f, x0, x1);
            }
        }
    }
    sum
}

fn integral_of_min(e: &Edge, f: &Edge, x0: f64, x1: f64) -> f64 {
    let (e0, e1, f0, f1) = (e.y_at(x0), e.y_at(x1), f.y_at(x0), f.y_at(x1));
    let (d0, d1) = (e0 - f0, e1 - f1);
    let flat = (e0.min(f0) + e1.min(f1)) / 2.0 * (x1 - x0);
    if (d0 < 0.0) == (d1 < 0.0) || d0 == 0.0 || d1 == 0.0 {
        return flat;
    }
    // The lines cross: the lower of them is higher in between than the chord says.
    let t = d0 / (d0 - d1);
    let y = e0 + (e1 - e0) * t;
    (e0.min(f0) + y) / 2.0 * (x1 - x0) * t + (y + e1.min(f1)) / 2.0 * (x1 - x0) * (1.0 - t)
}
