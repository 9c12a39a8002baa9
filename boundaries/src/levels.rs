//! Levels: the outlines of areas, read off the graph by leaving out the borders whose
//! two sides belong to the same area.
//!
//! ```text
//!     ┌───┬───┐        ┌───────┐      no arithmetic: every outline is a walk over
//!     │ 1 │ 2 │   ─▶   │   A   │      half-edges, so the outlines of neighbours, and
//!     └───┴───┘        └───────┘      those of all levels, have the same vertices
//! ```
//!
//! Every ring is simple. Where ground touches itself in a node, the ring that runs
//! through it twice is cut there, which makes of it a shell and a hole that touch.

use rustc_hash::FxHashMap;

use crate::area::{AreaId, Level};
use crate::build::twice_area_along;
use crate::coverage::{Coverage, walk};
use crate::lattice::Point;
use crate::polygon::Polygon;
use crate::topology::{FaceId, HalfEdge};

/// All ground of one area, with what lies below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Whose ground it is.
    pub area: AreaId,
    /// Its connected parts.
    pub parts: Vec<Part>,
}

/// One connected part of an area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The half-edges around it, counter-clockwise, the area at their left.
    pub shell: Vec<HalfEdge>,
    /// The half-edges around what is cut out of it, clockwise.
    pub holes: Vec<Vec<HalfEdge>>,
}

impl Coverage {
    /// The outlines of all areas of a level that have ground, by ascending id.
    #[must_use]
    pub fn outlines(&self, level: Level) -> Vec<Outline> {
        let above: Vec<Option<AreaId>> =
            (0..self.area_slots()).map(|i| self.ancestor_at(AreaId(i as u32), level)).collect();
        let mut owners = vec![None; self.face_slots()];
        for (id, face) in self.faces() {
            owners[id.0 as usize] = face.owner.and_then(|o| above.get(o.0 as usize).copied().flatten());
        }
        let of = |face: FaceId| owners.get(face.0 as usize).copied().flatten();
        let mut regions = Regions((0..self.face_slots() as u32).collect());
        let mut rim = Vec::new();
        for (id, border) in self.borders() {
            let (left, right) = (of(border.left), of(border.right));
            if left == right {
                regions.join(border.left.0, border.right.0);
                continue;
            }
            rim.extend(left.map(|_| HalfEdge::new(id, true)));
            rim.extend(right.map(|_| HalfEdge::new(id, false)));
        }
        self.draw(&rim, of, |face| regions.find(face.0))
    }

    /// The outline of one area, looking only at its own ground; `None` where it has none.
    #[must_use]
    pub fn outline(&self, area: AreaId) -> Option<Outline> {
        let faces = self.ground(area);
        let number = |face: FaceId| faces.binary_search(&face).ok();
        let mut regions = Regions((0..faces.len() as u32).collect());
        let mut rim = Vec::new();
        for &face in &faces {
            for h in self.rings(face).flat_map(|ring| self.ring(ring)) {
                match self.face_left_of(h.twin()).and_then(number) {
                    Some(beyond) => regions.join(number(face)? as u32, beyond as u32),
                    None => rim.push(h),
                }
            }
        }
        rim.sort_unstable();
        let of = |face: FaceId| number(face).map(|_| area);
        self.draw(&rim, of, |face| regions.find(number(face).map_or(0, |n| n as u32))).pop()
    }

    /// The ground of an area as polygons: shells counter-clockwise, holes clockwise, no
    /// point repeated at the end.
    ///
    /// Each ring begins at its most south-western point (the least longitude, then
    /// latitude), and parts and holes are in the order of where they begin: ground that is
    /// the same is written the same, whatever borders it is made of.
    #[must_use]
    pub fn polygons(&self, area: AreaId) -> Vec<Polygon> {
        self.outline(area).map_or_else(Vec::new, |outline| self.polygons_of(&outline))
    }

    /// An outline as points, as [`polygons`](Self::polygons) gives them.
    #[must_use]
    pub fn polygons_of(&self, outline: &Outline) -> Vec<Polygon> {
        let mut polygons: Vec<_> = outline.parts.iter().map(|part| self.polygon(part)).collect();
        polygons.sort_unstable_by(|a, b| a.shell.cmp(&b.shell));
        polygons
    }

    /// A part of an outline as points.
    #[must_use]
    pub fn polygon(&self, part: &Part) -> Polygon {
        let ring = |half_edges: &Vec<HalfEdge>| {
            let mut points = self.points(half_edges);
            let first = (0..points.len()).min_by_key(|i| points[*i]).unwrap_or(0);
            points.rotate_left(first);
            points
        };
        let mut holes: Vec<_> = part.holes.iter().map(ring).collect();
        holes.sort_unstable();
        Polygon { shell: ring(&part.shell), holes }
    }

    /// The faces of an area and of all areas below it, ascending.
    #[must_use]
    pub fn ground(&self, area: AreaId) -> Vec<FaceId> {
        let (mut faces, mut areas) = (Vec::new(), vec![area]);
        while let Some(area) = areas.pop() {
            faces.extend_from_slice(self.faces_of(area));
            areas.extend_from_slice(self.children(area));
        }
        faces.sort_unstable();
        faces
    }

    fn points(&self, ring: &[HalfEdge]) -> Vec<Point> {
        let mut points = Vec::new();
        for &h in ring {
            let line = self.border(h.border()).map_or(&[][..], |b| &b.line);
            points.extend(walk(line, h).take(line.len().saturating_sub(1)));
        }
        points
    }

    fn origin(&self, h: HalfEdge) -> Point {
        let line = self.border(h.border()).map_or(&[][..], |b| &b.line);
        let end = if h.is_forward() { line.first() } else { line.last() };
        end.copied().unwrap_or_default()
    }

    /// Walks the `rim`, half-edges (ascending) whose left side is of an area and whose
    /// right side is not, and puts the rings together by the region at their left.
    fn draw(
        &self,
        rim: &[HalfEdge],
        of: impl Fn(FaceId) -> Option<AreaId>,
        mut region: impl FnMut(FaceId) -> u32,
    ) -> Vec<Outline> {
        let mut drawn = vec![false; rim.len()];
        let mut parts: FxHashMap<u32, usize> = FxHashMap::default();
        let mut found: Vec<(AreaId, Part)> = Vec::new();
        for (i, &start) in rim.iter().enumerate() {
            let Some(left) = self.face_left_of(start).filter(|_| !drawn[i]) else { continue };
            let Some(area) = of(left) else { continue };
            let mut ring = Vec::new();
            let mut h = start;
            while let Some(at) = rim.binary_search(&h).ok().filter(|at| !drawn[*at]) {
                drawn[at] = true;
                ring.push(h);
                // Half-edges within the area are crossed, clockwise around the node.
                let mut onward = self.next(h);
                while let Some(n) = onward.filter(|n| of_twin(self, *n, &of) == Some(area)) {
                    onward = self.next(n.twin());
                }
                match onward {
                    Some(n) => h = n,
                    None => break,
                }
            }
            let at = *parts.entry(region(left)).or_insert_with(|| {
                found.push((area, Part { shell: Vec::new(), holes: Vec::new() }));
                found.len() - 1
            });
            let part = &mut found[at].1;
            for simple in self.cut_at_nodes(ring) {
                if self.runs_counter_clockwise(&simple) {
                    part.shell = simple;
                } else {
                    part.holes.push(simple);
                }
            }
        }
        found.sort_by_key(|f| f.0);
        let mut outlines: Vec<Outline> = Vec::new();
        for (area, part) in found {
            match outlines.last_mut().filter(|o| o.area == area) {
                Some(outline) => outline.parts.push(part),
                None => outlines.push(Outline { area, parts: vec![part] }),
            }
        }
        outlines
    }

    /// Cuts a ring where it runs through a node again.
    fn cut_at_nodes(&self, ring: Vec<HalfEdge>) -> Vec<Vec<HalfEdge>> {
        let mut at: FxHashMap<Point, usize> = FxHashMap::default();
        let mut simple = Vec::new();
        let mut open: Vec<HalfEdge> = Vec::with_capacity(ring.len());
        for h in ring {
            let node = self.origin(h);
            if let Some(&from) = at.get(&node) {
                let closed = open.split_off(from);
                for h in &closed[1..] {
                    at.remove(&self.origin(*h));
                }
                simple.push(closed);
            }
            at.insert(node, open.len());
            open.push(h);
        }
        simple.push(open);
        simple
    }

    fn runs_counter_clockwise(&self, ring: &[HalfEdge]) -> bool {
        let Some(origin) = ring.first().map(|h| self.origin(*h)) else { return false };
        let along = |h: &HalfEdge| {
            let twice = self.border(h.border()).map_or(0, |b| twice_area_along(&b.line, origin));
            if h.is_forward() { twice } else { -twice }
        };
        ring.iter().map(along).sum::<i128>() > 0
    }
}

fn of_twin(coverage: &Coverage, h: HalfEdge, of: &impl Fn(FaceId) -> Option<AreaId>) -> Option<AreaId> {
    coverage.face_left_of(h.twin()).and_then(of)
}

/// Faces that hang together, as a forest that points to the lowest of each group.
pub(crate) struct Regions(pub(crate) Vec<u32>);

impl Regions {
    pub(crate) fn find(&mut self, mut of: u32) -> u32 {
        while self.0[of as usize] != of {
            let above = self.0[of as usize];
            self.0[of as usize] = self.0[above as usize];
            of = above;
        }
        of
    }

    pub(crate) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}

#[cfg(test)]
mod tests;
