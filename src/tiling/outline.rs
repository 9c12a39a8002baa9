//! The outlines of a level's areas, ring by ring, as half-edges of the graph.
//!
//! An outline half-edge is one whose two sides differ at the level. Rings follow the
//! `next` links, and step over the borders inside an area:
//!
//! ```text
//!            │ inside the area: its sides agree, so it is
//!            │ stepped over: next, or the next of its twin
//!   ─────────o─────────▶
//! ```
//!
//! Which shell a hole belongs to is no question of geometry: both go around the same
//! connected set of faces.

use boundaries::{AreaId, Bounds, Coverage, FaceId, HalfEdge, Level, Point};
use rustc_hash::FxHashMap;

/// A connected piece of an area: its outer ring, then its holes.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) area: AreaId,
    pub(super) bounds: Bounds,
    /// Where in the outlines' half-edges each ring ends; the first is the shell.
    rings: std::ops::Range<usize>,
    /// Twice its area in square lattice units.
    pub(super) twice_area: i128,
}

/// The outlines of all areas of one level.
#[derive(Clone, Debug, Default)]
pub(super) struct Outlines {
    half_edges: Vec<HalfEdge>,
    /// Each ring's first half-edge and its end in `half_edges`.
    rings: Vec<(usize, usize)>,
    /// Ascending by area.
    pub(super) parts: Vec<Part>,
}

impl Outlines {
    /// The outlines of a level.
    pub(super) fn trace(coverage: &Coverage, level: Level) -> Self {
        let owners = owners_at(coverage, level);
        let owner = |face: Option<FaceId>| owners[face.map_or(0, |f| f.0 as usize)];
        let is_outline = |h: HalfEdge| owner(coverage.face_left_of(h)) != owner(coverage.face_left_of(h.twin()));
        let mut pieces = Pieces::of(coverage, |h| !is_outline(h));

        let mut all = Self::default();
        // Of each connected piece: its area, its shell's ring, its holes' rings.
        let mut found: FxHashMap<u32, (AreaId, Vec<(usize, i128)>)> = FxHashMap::default();
        let mut seen = vec![false; coverage.border_slots() * 2];
        for (id, _) in coverage.borders() {
            for start in [HalfEdge::new(id, true), HalfEdge::new(id, false)] {
                let Some(face) = coverage.face_left_of(start) else { continue };
                let Some(area) = owner(Some(face)) else { continue };
                if seen[start.0 as usize] || !is_outline(start) {
                    continue;
                }
                let from = all.half_edges.len();
                let mut h = start;
                while !seen[h.0 as usize] {
                    seen[h.0 as usize] = true;
                    all.half_edges.push(h);
                    let Some(mut next) = coverage.next(h) else { break };
                    while !is_outline(next) {
                        let Some(over) = coverage.next(next.twin()) else { break };
                        next = over;
                    }
                    h = next;
                }
                let twice_area = twice_area(coverage, &all.half_edges[from..]);
                let entry = found.entry(pieces.root(face)).or_insert((area, Vec::new()));
                entry.1.push((all.rings.len(), twice_area));
                all.rings.push((from, all.half_edges.len()));
            }
        }

        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_unstable_by_key(|(root, (area, _))| (*area, *root));
        let mut ordered = Vec::with_capacity(all.rings.len());
        for (_, (area, mut rings)) in found {
            // The shell is the one ring with ground at its inside.
            rings.sort_by_key(|(ring, twice_area)| (*twice_area <= 0, *ring));
            let from = ordered.len();
            ordered.extend(rings.iter().map(|(ring, _)| all.rings[*ring]));
            let shell = all.rings[rings[0].0];
            let bounds = Bounds::of(
                all.half_edges[shell.0..shell.1]
                    .iter()
                    .filter_map(|h| coverage.border(h.border()))
                    .flat_map(|b| b.line.iter().copied()),
            );
            let twice_area = rings.iter().map(|(_, twice_area)| twice_area).sum();
            all.parts.push(Part { area, bounds, rings: from..ordered.len(), twice_area });
        }
        all.rings = ordered;
        all
    }

    /// The rings of a part, the shell first, each as the half-edges around it.
    pub(super) fn rings(&self, part: &Part) -> impl Iterator<Item = &[HalfEdge]> {
        self.rings[part.rings.clone()].iter().map(|&(from, to)| &self.half_edges[from..to])
    }
}

/// The vertices around a ring of half-edges, each once.
pub(super) fn ring_points<'a>(coverage: &'a Coverage, ring: &'a [HalfEdge]) -> impl Iterator<Item = Point> + 'a {
    ring.iter().flat_map(move |h| {
        let line = coverage.border(h.border()).map_or(&[][..], |b| &b.line);
        let n = line.len();
        let forward = h.is_forward();
        (1..n).map(move |i| if forward { line[i] } else { line[n - 1 - i] })
    })
}

fn twice_area(coverage: &Coverage, ring: &[HalfEdge]) -> i128 {
    let mut points = ring_points(coverage, ring);
    let Some(first) = points.next() else { return 0 };
    let off = |p: Point| (i128::from(p.x) - i128::from(first.x), i128::from(p.y) - i128::from(first.y));
    let (mut before, mut sum) = ((0, 0), 0);
    for p in points.map(off) {
        sum += before.0 * p.1 - p.0 * before.1;
        before = p;
    }
    sum
}

/// The owner of every face at a level, by face id.
fn owners_at(coverage: &Coverage, level: Level) -> Vec<Option<AreaId>> {
    let mut owners = vec![None; coverage.face_slots()];
    for (id, _) in coverage.faces() {
        owners[id.0 as usize] = coverage.owner_at(id, level);
    }
    owners
}

/// Which faces hang together (union-find with path halving).
struct Pieces {
    parent: Vec<u32>,
}

impl Pieces {
    fn of(coverage: &Coverage, joins: impl Fn(HalfEdge) -> bool) -> Self {
        let mut pieces = Self { parent: (0..coverage.face_slots() as u32).collect() };
        for (id, border) in coverage.borders() {
            if joins(HalfEdge::new(id, true)) {
                let (a, b) = (pieces.root(border.left), pieces.root(border.right));
                pieces.parent[a.max(b) as usize] = a.min(b);
            }
        }
        pieces
    }

    fn root(&mut self, face: FaceId) -> u32 {
        let mut at = face.0;
        while self.parent[at as usize] != at {
            self.parent[at as usize] = self.parent[self.parent[at as usize] as usize];
            at = self.parent[at as usize];
        }
        at
    }
}
