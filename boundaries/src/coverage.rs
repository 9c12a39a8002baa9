//! The coverage: areas, faces and borders as one planar graph.
//!
//! It is made from records that say what is true (areas, faces with their owners,
//! borders with their lines and sides); everything else, the `next` links, the
//! rings, the sizes, follows from those and is worked out here, once. The same
//! records therefore give the identical graph, and that is what a store keeps.

use std::fmt;
use std::sync::Arc;

use crate::area::{Area, AreaId, Level};
use crate::build::bucket;
use crate::chunks::Chunked;
use crate::lattice::{Bounds, Point};
use crate::topology::{Border, BorderId, Face, FaceId, HalfEdge};

/// What is true of a face: its id and who owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaceRecord {
    /// Its id; [`FaceId::OUTSIDE`] needs no record.
    pub id: FaceId,
    /// The deepest area known there; `None` in a gap.
    pub owner: Option<AreaId>,
}

/// What is true of a border: its id, its line and the faces at its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BorderRecord {
    /// Its id.
    pub id: BorderId,
    /// The face to the left of the line.
    pub left: FaceId,
    /// The face to the right of the line.
    pub right: FaceId,
    /// The vertices from node to node.
    pub line: Arc<[Point]>,
}

/// Why records make no coverage, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildError {
    /// What is wrong, for people.
    pub reason: String,
    /// The place, where the defect has one.
    pub place: Option<Point>,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(p) => write!(f, "{} at {:.7} {:.7}", self.reason, p.lon(), p.lat()),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for BuildError {}

/// An area with what belongs to it, both lists ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) area: Arc<Area>,
    pub(crate) faces: Arc<[FaceId]>,
    pub(crate) children: Arc<[AreaId]>,
}

/// The planar graph of one coverage, valid and immutable. Clones share everything.
#[derive(Clone, Debug)]
pub struct Coverage {
    pub(crate) levels: Arc<[Arc<str>]>,
    pub(crate) areas: Chunked<Option<Entry>>,
    pub(crate) codes: Vec<Arc<Vec<AreaId>>>,
    pub(crate) borders: Chunked<Option<Border>>,
    pub(crate) faces: Chunked<Option<Face>>,
}

impl Coverage {
    /// The names of the levels, topmost first.
    #[must_use]
    pub fn levels(&self) -> &[Arc<str>] {
        &self.levels
    }

    /// The level of that name.
    #[must_use]
    pub fn level(&self, name: &str) -> Option<Level> {
        self.levels.iter().position(|l| &**l == name).map(|i| Level(i as u8))
    }

    /// The finest level.
    #[must_use]
    pub fn finest(&self) -> Level {
        Level(self.levels.len().saturating_sub(1) as u8)
    }

    /// The areas of all levels by ascending id.
    pub fn areas(&self) -> impl Iterator<Item = (AreaId, &Arc<Area>)> {
        self.areas.iter().enumerate().filter_map(|(i, e)| Some((AreaId(i as u32), &e.as_ref()?.area)))
    }

    /// One past the highest area id in use: the size of a table indexed by area.
    #[must_use]
    pub fn area_slots(&self) -> usize {
        self.areas.len()
    }

    /// The area of that id.
    #[inline]
    #[must_use]
    pub fn area(&self, id: AreaId) -> Option<&Arc<Area>> {
        self.entry(id).map(|e| &e.area)
    }

    /// The area of that code, at whatever level.
    #[must_use]
    pub fn area_by_code(&self, code: &str) -> Option<AreaId> {
        self.codes[bucket(code)].iter().copied().find(|id| self.area(*id).is_some_and(|a| &*a.code == code))
    }

    /// The areas right below an area, by ascending id.
    #[must_use]
    pub fn children(&self, id: AreaId) -> &[AreaId] {
        self.entry(id).map_or(&[], |e| &e.children)
    }

    /// The faces that an area owns itself, without those of the areas below it.
    #[must_use]
    pub fn faces_of(&self, id: AreaId) -> &[FaceId] {
        self.entry(id).map_or(&[], |e| &e.faces)
    }

    /// An area and the areas above it, topmost first.
    #[must_use]
    pub fn chain(&self, id: AreaId) -> Vec<AreaId> {
        let mut chain: Vec<_> = std::iter::successors(Some(id), |id| self.area(*id)?.parent).collect();
        chain.reverse();
        chain
    }

    /// The area at `level` that `id` is or lies below.
    #[must_use]
    pub fn ancestor_at(&self, id: AreaId, level: Level) -> Option<AreaId> {
        std::iter::successors(Some(id), |id| self.area(*id)?.parent)
            .find(|id| self.area(*id).is_some_and(|a| a.level == level))
    }

    /// The area at `level` whose ground a face is; `None` where no area of that
    /// level claims it.
    #[must_use]
    pub fn owner_at(&self, face: FaceId, level: Level) -> Option<AreaId> {
        self.ancestor_at(self.face(face)?.owner?, level)
    }

    /// The borders by ascending id.
    pub fn borders(&self) -> impl Iterator<Item = (BorderId, &Border)> {
        self.borders.iter().enumerate().filter_map(|(i, b)| Some((BorderId(i as u32), b.as_ref()?)))
    }

    /// One past the highest border id in use: the size of a table indexed by border.
    #[must_use]
    pub fn border_slots(&self) -> usize {
        self.borders.len()
    }

    /// The border of that id.
    #[inline]
    #[must_use]
    pub fn border(&self, id: BorderId) -> Option<&Border> {
        self.borders.get(id.0 as usize)?.as_ref()
    }

    /// The faces by ascending id, [`FaceId::OUTSIDE`] first.
    pub fn faces(&self) -> impl Iterator<Item = (FaceId, &Face)> {
        self.faces.iter().enumerate().filter_map(|(i, f)| Some((FaceId(i as u32), f.as_ref()?)))
    }

    /// One past the highest face id in use: the size of a table indexed by face.
    #[must_use]
    pub fn face_slots(&self) -> usize {
        self.faces.len()
    }

    /// The face of that id.
    #[inline]
    #[must_use]
    pub fn face(&self, id: FaceId) -> Option<&Face> {
        self.faces.get(id.0 as usize)?.as_ref()
    }

    /// The face to the left of a half-edge.
    #[inline]
    #[must_use]
    pub fn face_left_of(&self, h: HalfEdge) -> Option<FaceId> {
        self.border(h.border()).map(|b| if h.is_forward() { b.left } else { b.right })
    }

    /// The half-edge that follows around the face at the left.
    #[inline]
    #[must_use]
    pub fn next(&self, h: HalfEdge) -> Option<HalfEdge> {
        self.border(h.border()).map(|b| b.next[usize::from(!h.is_forward())])
    }

    /// The ring that begins with `h`, half-edge by half-edge, once around.
    pub fn ring(&self, h: HalfEdge) -> impl Iterator<Item = HalfEdge> {
        std::iter::successors(Some(h), move |at| self.next(*at).filter(|n| *n != h))
    }

    /// The rings of a face, the outer one first.
    pub fn rings(&self, face: FaceId) -> impl Iterator<Item = HalfEdge> {
        self.face(face).into_iter().flat_map(|f| f.outer.into_iter().chain(f.holes.iter().copied()))
    }

    /// The vertices of a ring that begins with `h`; the first is not repeated.
    pub fn ring_points(&self, h: HalfEdge) -> Vec<Point> {
        let mut points = Vec::new();
        for h in self.ring(h) {
            points.extend(walk(self.border(h.border()).map_or(&[][..], |b| &b.line), h).skip(1));
        }
        // Every line gave all but its first vertex, so the ring starts at its second.
        let last = points.len().min(1);
        points.rotate_right(last);
        points
    }

    /// The box around all ground; empty for a coverage without any.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.faces().map(|(_, f)| f.bounds).fold(Bounds::EMPTY, Bounds::union)
    }

    fn entry(&self, id: AreaId) -> Option<&Entry> {
        self.areas.get(id.0 as usize)?.as_ref()
    }
}

/// Two coverages are equal when all their records and all that follows from them are;
/// how much memory they share doesn't matter.
impl PartialEq for Coverage {
    fn eq(&self, other: &Self) -> bool {
        self.levels == other.levels
            && self.areas.iter().flatten().eq(other.areas.iter().flatten())
            && self.areas().map(|a| a.0).eq(other.areas().map(|a| a.0))
            && self.borders().eq(other.borders())
            && self.faces().eq(other.faces())
    }
}

impl Eq for Coverage {}

/// The vertices of a line in the direction of a half-edge.
pub(crate) fn walk(line: &[Point], h: HalfEdge) -> impl Iterator<Item = Point> {
    let n = line.len();
    (0..n).map(move |i| if h.is_forward() { line[i] } else { line[n - 1 - i] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(i32, i32)]) -> Arc<[Point]> {
        points.iter().map(|&(x, y)| Point::new(x, y)).collect()
    }

    fn area(code: &str) -> Area {
        Area {
            code: code.into(),
            name: "".into(),
            level: Level(0),
            parent: None,
            kind: "".into(),
            attributes: "{}".into(),
        }
    }

    /// ```text
    ///  (0,10)───────(10,10)──────(20,10)
    ///    │     a      │      b      │
    ///    │            │   ┌──┐      │
    ///    │            │   │ a│      │     a in two parts: face 1 and an island, face 3, in b (face 2)
    ///    │            │   └──┘      │
    ///  (0,0)────────(10,0)───────(20,0)
    /// ```
    fn two_and_an_island() -> Coverage {
        let (a, b) = (AreaId(0), AreaId(1));
        Coverage::build(
            Arc::from(["grid".into()]),
            [(a, area("a")), (b, area("b"))],
            [(1, a), (2, b), (3, a)].map(|(id, owner)| FaceRecord { id: FaceId(id), owner: Some(owner) }),
            [
                (0, 1, 0, &[(10, 10), (0, 10), (0, 0), (10, 0)][..]),
                (1, 2, 0, &[(10, 0), (20, 0), (20, 10), (10, 10)]),
                (2, 1, 2, &[(10, 0), (10, 10)]),
                (3, 3, 2, &[(14, 4), (16, 4), (16, 6), (14, 6), (14, 4)]),
            ]
            .map(|(id, l, r, p)| BorderRecord {
                id: BorderId(id),
                left: FaceId(l),
                right: FaceId(r),
                line: line(p),
            }),
        )
        .unwrap()
    }

    #[test]
    fn rings_areas_and_owners_follow_from_the_records() {
        let c = two_and_an_island();
        let face = |i| c.face(FaceId(i)).unwrap();
        assert_eq!(face(1).twice_area, 200);
        assert_eq!(face(2).twice_area, 200 - 8);
        assert_eq!(face(3).twice_area, 8);
        assert_eq!(face(2).holes.len(), 1);
        assert_eq!(face(0).holes.len(), 1);
        assert_eq!(c.faces_of(AreaId(0)), [FaceId(1), FaceId(3)]);
        assert_eq!(c.area_by_code("b"), Some(AreaId(1)));
        assert_eq!(c.bounds(), Bounds { min: Point::new(0, 0), max: Point::new(20, 10) });
        let mut ring = c.ring_points(face(1).outer.unwrap());
        ring.sort_unstable();
        assert_eq!(ring, [(0, 0), (0, 10), (10, 0), (10, 10)].map(|(x, y)| Point::new(x, y)));
    }

    #[test]
    fn records_that_contradict_each_other_are_refused_with_the_place() {
        let broken = Coverage::build(
            Arc::from(["grid".into()]),
            [(AreaId(0), area("a"))],
            [FaceRecord { id: FaceId(1), owner: Some(AreaId(0)) }],
            [BorderRecord {
                id: BorderId(0),
                left: FaceId(1),
                right: FaceId(0),
                line: line(&[(5, 5), (6, 7), (8, 8)]),
            }],
        );
        assert_eq!(broken.unwrap_err().place, Some(Point::new(5, 5)));
    }
    #[test]
    fn lines_off_the_globe_are_refused_with_the_place() {
        let globe = [(-1_800_000_000, -900_000_000), (1_800_000_000, -900_000_000), (0, 900_000_000)];
        let triangle = |off: (i32, i32)| {
            let [a, b, _] = globe;
            Coverage::build(
                Arc::from(["grid".into()]),
                [(AreaId(0), area("a"))],
                [FaceRecord { id: FaceId(1), owner: Some(AreaId(0)) }],
                [BorderRecord { id: BorderId(0), left: FaceId(1), right: FaceId(0), line: line(&[a, b, off, a]) }],
            )
        };
        assert_eq!(triangle(globe[2]).map(|c| c.sanity_check()), Ok(Ok(())));
        for off in [(0, 900_000_001), (1_800_000_001, 0), (i32::MIN, i32::MIN), (i32::MAX, i32::MAX)] {
            assert_eq!(triangle(off).unwrap_err().place, Some(Point::new(off.0, off.1)), "{off:?}");
        }
    }
}
