//! What lies beside a border: the other borders around its two faces.
//!
//! A triangle of a border's corner is in one of those faces where it leaves the line.
//! To hold anything at all it must hold a vertex of the first border met from there.

use std::sync::Arc;

use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use rustc_hash::{FxHashMap, FxHashSet};

use super::is_closed;
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::topology::{Border, BorderId, FaceId};

/// From so many borders around one face on, they are looked up in a tree.
const MANY: usize = 96;

/// The borders around some faces of a coverage.
pub(super) struct Beside {
    faces: FxHashMap<FaceId, Around>,
}

/// The borders around a face, each once, with their boxes.
struct Around {
    borders: Vec<(Bounds, BorderId)>,
    /// The pairs of nodes that more than one of them joins.
    twins: FxHashSet<(Point, Point)>,
    /// For a face with many: their numbers by box. In i64, as the tree adds coordinates up.
    tree: Option<RTree<GeomWithData<Rectangle<[i64; 2]>, u32>>>,
}

impl Beside {
    /// What lies in the faces beside some borders.
    pub(super) fn of<'a>(coverage: &Coverage, borders: impl Iterator<Item = &'a Border>) -> Self {
        let faces: FxHashSet<FaceId> = borders.flat_map(|b| [b.left, b.right]).collect();
        let faces: Vec<FaceId> = faces.into_iter().collect();
        Self { faces: faces.into_par_iter().with_min_len(64).map(|f| (f, Around::new(coverage, f))).collect() }
    }

    /// How many inner vertices a border keeps for its rings to enclose ground.
    pub(super) fn kept_of(&self, b: &Border) -> usize {
        if is_closed(b) {
            return 2;
        }
        let is_twin = |face| self.faces.get(&face).is_some_and(|around| around.twins.contains(&ends(b)));
        usize::from(is_twin(b.left) || is_twin(b.right))
    }

    /// The vertices of the other borders in a border's box, but for its own nodes.
    pub(super) fn vertices(&self, coverage: &Coverage, id: BorderId, b: &Border) -> Vec<Point> {
        let bounds = bounds(&b.line);
        let (first, last) = (b.line[0], b.line[b.line.len() - 1]);
        let mut found = Vec::new();
        let one_face = [b.left].into_iter().chain((b.left != b.right).then_some(b.right));
        for around in one_face.filter_map(|face| self.faces.get(&face)) {
            around.meeting(bounds, |other| {
                if other == id {
                    return;
                }
                let line = coverage.border(other).map_or(&[][..], |o| &o.line);
                found.extend(line.iter().filter(|p| bounds.contains(**p) && **p != first && **p != last));
            });
        }
        found
    }
}

impl Around {
    fn new(coverage: &Coverage, face: FaceId) -> Self {
        let mut ids: Vec<BorderId> =
            coverage.rings(face).flat_map(|ring| coverage.ring(ring)).map(|h| h.border()).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = ids.into_iter().filter_map(|id| Some((id, coverage.border(id)?)));
        let (mut borders, mut pairs) = (Vec::new(), Vec::new());
        for (id, border) in found {
            borders.push((bounds(&border.line), id));
            if !is_closed(border) {
                pairs.push(ends(border));
            }
        }
        pairs.sort_unstable();
        let twins = pairs.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
        let tree = (borders.len() >= MANY).then(|| {
            let boxes = borders.iter().zip(0..).map(|((b, _), i)| GeomWithData::new(rectangle(*b), i));
            RTree::bulk_load(boxes.collect())
        });
        Self { borders, twins, tree }
    }

    /// Visits the borders whose boxes meet a box.
    fn meeting(&self, bounds: Bounds, mut visit: impl FnMut(BorderId)) {
        match &self.tree {
            Some(tree) => {
                let query = AABB::from_corners(corner(bounds.min), corner(bounds.max));
                tree.locate_in_envelope_intersecting(query).for_each(|f| visit(self.borders[f.data as usize].1));
            }
            None => self.borders.iter().filter(|(b, _)| b.meets(bounds)).for_each(|(_, id)| visit(*id)),
        }
    }
}

/// The borders whose weights may be other ones in `new` than in `old`, ascending: those
/// that differ, and those in whose box a differing one came, went or changed, around a
/// face that both have at a side.
pub(super) fn stale(old: &Coverage, new: &Coverage) -> Vec<BorderId> {
    let changed = new.difference(old).borders;
    if changed.len() * 4 > new.border_slots() {
        let slots = old.border_slots().max(new.border_slots()) as u32;
        return (0..slots).map(BorderId).collect();
    }
    let mut stale = changed.clone();
    for coverage in [old, new] {
        let differing: Vec<&Border> = changed.iter().filter_map(|id| coverage.border(*id)).collect();
        let beside = Beside::of(coverage, differing.iter().copied());
        for border in differing {
            let bounds = bounds(&border.line);
            for around in [border.left, border.right].into_iter().filter_map(|face| beside.faces.get(&face)) {
                around.meeting(bounds, |id| stale.push(id));
            }
        }
    }
    stale.sort_unstable();
    stale.dedup();
    stale
}

/// The two nodes of a border, the lesser first.
fn ends(b: &Border) -> (Point, Point) {
    let (a, z) = (b.line[0], b.line[b.line.len() - 1]);
    (a.min(z), a.max(z))
}

fn bounds(line: &Arc<[Point]>) -> Bounds {
    Bounds::of(line.iter().copied())
}

fn corner(p: Point) -> [i64; 2] {
    [p.x, p.y].map(i64::from)
}

fn rectangle(b: Bounds) -> Rectangle<[i64; 2]> {
    Rectangle::from_corners(corner(b.min), corner(b.max))
}
