//! The coverage: areas, faces and borders as one planar graph.
//!
//! It is made from records that say what is true (areas, faces with their owners,
//! borders with their lines and sides); everything else, the `next` links, the
//! rings, the sizes, follows from those and is worked out here, once. The same
//! records therefore give the identical graph, and that is what a store keeps.

use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::area::{Area, AreaId, Level};
use crate::chunks::Chunked;
use crate::lattice::{Bounds, Point, by_angle};
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

fn refuse<T>(reason: impl Into<String>, place: Option<Point>) -> Result<T, BuildError> {
    Err(BuildError { reason: reason.into(), place })
}

/// An area with what belongs to it, both lists ascending.
#[derive(Clone, Debug)]
struct Entry {
    area: Arc<Area>,
    faces: Arc<[FaceId]>,
    children: Arc<[AreaId]>,
}

/// How many buckets the table of codes has: an edit that changes a code copies one.
const CODE_BUCKETS: usize = 1024;

/// The planar graph of one coverage, valid and immutable. Clones share everything.
#[derive(Clone, Debug)]
pub struct Coverage {
    levels: Arc<[Arc<str>]>,
    areas: Chunked<Option<Entry>>,
    codes: Vec<Arc<Vec<AreaId>>>,
    borders: Chunked<Option<Border>>,
    faces: Chunked<Option<Face>>,
}

impl Coverage {
    /// Builds the graph from its records. `levels` are the names of the levels,
    /// topmost first. Ids may have holes; each may stand once.
    ///
    /// # Errors
    ///
    /// The first contradiction between the records, with its place: a parent that is
    /// missing or not above its child, a code given twice, faces that don't fit
    /// around a node, a face without exactly one outer ring. That lines don't cross
    /// is not tested here (it costs more than all the rest): see
    /// [`sanity_check`](Self::sanity_check).
    pub fn build(
        levels: Arc<[Arc<str>]>,
        areas: impl IntoIterator<Item = (AreaId, Area)>,
        faces: impl IntoIterator<Item = FaceRecord>,
        borders: impl IntoIterator<Item = BorderRecord>,
    ) -> Result<Self, BuildError> {
        let mut table = place_areas(&levels, areas)?;
        let codes = hash_codes(&table)?;
        let mut borders = place_borders(borders)?;
        link(&mut borders)?;
        let faces = trace(&borders, faces)?;

        let mut owned: Vec<Vec<FaceId>> = vec![Vec::new(); table.len()];
        for (i, face) in faces.iter().enumerate() {
            let Some(owner) = face.as_ref().and_then(|f| f.owner) else { continue };
            match table.get(owner.0 as usize) {
                Some(Some(_)) => owned[owner.0 as usize].push(FaceId(i as u32)),
                _ => return refuse(format!("face {i} is owned by area {} that does not exist", owner.0), None),
            }
        }
        for (entry, faces) in table.iter_mut().zip(owned) {
            if let Some(entry) = entry {
                entry.faces = faces.into();
            }
        }
        Ok(Self {
            levels,
            areas: table.into_iter().collect(),
            codes,
            borders: borders.into_iter().collect(),
            faces: faces.into_iter().collect(),
        })
    }

    /// A coverage without ground or areas.
    #[must_use]
    pub fn empty(levels: Arc<[Arc<str>]>) -> Self {
        Self {
            levels,
            areas: Chunked::default(),
            codes: vec![Arc::default(); CODE_BUCKETS],
            borders: Chunked::default(),
            faces: std::iter::once(Some(outside(Vec::new()))).collect(),
        }
    }

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

/// The vertices of a line in the direction of a half-edge.
pub(crate) fn walk(line: &[Point], h: HalfEdge) -> impl Iterator<Item = Point> {
    let n = line.len();
    (0..n).map(move |i| if h.is_forward() { line[i] } else { line[n - 1 - i] })
}

fn outside(mut holes: Vec<HalfEdge>) -> Face {
    holes.sort_unstable();
    Face { owner: None, outer: None, holes: holes.into(), bounds: Bounds::EMPTY, twice_area: 0 }
}

/// Puts `item` at `index`, growing the table; `None` where the place is taken.
fn put<T>(table: &mut Vec<Option<T>>, index: u32, item: T) -> Option<()> {
    let index = index as usize;
    if table.len() <= index {
        table.resize_with(index + 1, || None);
    }
    table[index].is_none().then(|| table[index] = Some(item))
}

fn place_areas(
    levels: &[Arc<str>],
    areas: impl IntoIterator<Item = (AreaId, Area)>,
) -> Result<Vec<Option<Entry>>, BuildError> {
    let mut table = Vec::new();
    for (id, area) in areas {
        if usize::from(area.level.0) >= levels.len() {
            return refuse(format!("area {} has a level that the coverage lacks", area.code), None);
        }
        let code = area.code.clone();
        let entry = Entry { area: Arc::new(area), faces: Arc::default(), children: Arc::default() };
        if put(&mut table, id.0, entry).is_none() {
            return refuse(format!("area {code} has an id that another area has"), None);
        }
    }
    let mut children: Vec<Vec<AreaId>> = vec![Vec::new(); table.len()];
    for (i, entry) in table.iter().enumerate() {
        let Some(area) = entry.as_ref().map(|e: &Entry| &e.area) else { continue };
        let Some(parent) = area.parent else { continue };
        match table.get(parent.0 as usize).and_then(Option::as_ref) {
            Some(above) if above.area.level < area.level => children[parent.0 as usize].push(AreaId(i as u32)),
            Some(above) => {
                return refuse(
                    format!("area {} has a parent, {}, that is not above it", area.code, above.area.code),
                    None,
                );
            }
            None => return refuse(format!("area {} has a parent that does not exist", area.code), None),
        }
    }
    for (entry, children) in table.iter_mut().zip(children) {
        if let Some(entry) = entry {
            entry.children = children.into();
        }
    }
    Ok(table)
}

fn bucket(code: &str) -> usize {
    BuildHasherDefault::<FxHasher>::default().hash_one(code) as usize % CODE_BUCKETS
}

fn hash_codes(table: &[Option<Entry>]) -> Result<Vec<Arc<Vec<AreaId>>>, BuildError> {
    let code = |id: &AreaId| table[id.0 as usize].as_ref().map(|e| e.area.code.clone());
    let mut codes: Vec<Vec<AreaId>> = vec![Vec::new(); CODE_BUCKETS];
    for (i, entry) in table.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let ids = &mut codes[bucket(&entry.area.code)];
        if ids.iter().any(|id| code(id).as_ref() == Some(&entry.area.code)) {
            return refuse(format!("the code {} is given twice", entry.area.code), None);
        }
        ids.push(AreaId(i as u32));
    }
    Ok(codes.into_iter().map(Arc::new).collect())
}

fn place_borders(records: impl IntoIterator<Item = BorderRecord>) -> Result<Vec<Option<Border>>, BuildError> {
    let mut table = Vec::new();
    for BorderRecord { id, left, right, line } in records {
        let place = line.first().copied();
        if line.len() < 2 || line.windows(2).any(|w| w[0] == w[1]) {
            return refuse(format!("border {} has fewer than two vertices or one twice in a row", id.0), place);
        }
        if id.0 >= u32::MAX / 2 {
            return refuse(format!("border {} has an id out of range", id.0), place);
        }
        // Until it is linked, a border follows itself.
        let next = [HalfEdge::new(id, true), HalfEdge::new(id, false)];
        if put(&mut table, id.0, Border { line, left, right, next }).is_none() {
            return refuse(format!("border {} stands twice", id.0), place);
        }
    }
    Ok(table)
}

/// Works out the `next` links: around each node, whoever arrives leaves by the
/// half-edge next clockwise, so that the same face stays at the left.
fn link(borders: &mut [Option<Border>]) -> Result<(), BuildError> {
    struct Out {
        node: Point,
        to: Point,
        h: HalfEdge,
        left: FaceId,
        right: FaceId,
    }
    let mut outs = Vec::with_capacity(borders.len() * 2);
    for (i, border) in borders.iter().enumerate() {
        let Some(b) = border else { continue };
        let (id, n) = (BorderId(i as u32), b.line.len());
        outs.push(Out { node: b.line[0], to: b.line[1], h: HalfEdge::new(id, true), left: b.left, right: b.right });
        outs.push(Out {
            node: b.line[n - 1],
            to: b.line[n - 2],
            h: HalfEdge::new(id, false),
            left: b.right,
            right: b.left,
        });
    }
    outs.sort_unstable_by(|a, b| a.node.cmp(&b.node).then_with(|| by_angle(a.node, a.to, b.to)));
    for around in outs.chunk_by(|a, b| a.node == b.node) {
        if around.len() < 2 {
            return refuse(
                format!("border {} ends where no other begins", around[0].h.border().0),
                Some(around[0].node),
            );
        }
        for (i, out) in around.iter().enumerate() {
            // `before` is the one clockwise from `out`; whoever comes in against `out` leaves by it.
            let before = &around[(i + around.len() - 1) % around.len()];
            if out.right != before.left {
                return refuse("the faces around a node contradict each other", Some(out.node));
            }
            let arriving = out.h.twin();
            if let Some(b) = &mut borders[arriving.border().0 as usize] {
                b.next[usize::from(!arriving.is_forward())] = before.h;
            }
        }
    }
    Ok(())
}

/// Walks every ring once and makes the faces of them.
fn trace(
    borders: &[Option<Border>],
    records: impl IntoIterator<Item = FaceRecord>,
) -> Result<Vec<Option<Face>>, BuildError> {
    struct Found {
        owner: Option<AreaId>,
        outer: Option<HalfEdge>,
        holes: Vec<HalfEdge>,
        bounds: Bounds,
        twice_area: i128,
    }
    let new = |owner| Found { owner, outer: None, holes: Vec::new(), bounds: Bounds::EMPTY, twice_area: 0 };
    let mut table: Vec<Option<Found>> = Vec::new();
    for FaceRecord { id, owner } in records {
        if id == FaceId::OUTSIDE && owner.is_some() {
            return refuse("the outside has an owner", None);
        }
        if put(&mut table, id.0, new(owner)).is_none() {
            return refuse(format!("face {} stands twice", id.0), None);
        }
    }
    if table.first().is_none_or(Option::is_none) {
        put(&mut table, 0, new(None));
    }

    let mut seen = vec![false; borders.len() * 2];
    let side = |h: HalfEdge| {
        borders[h.border().0 as usize].as_ref().map(|b| (b, if h.is_forward() { b.left } else { b.right }))
    };
    for start in 0..seen.len() as u32 {
        let start = HalfEdge(start);
        let Some((first, face)) = side(start) else { continue };
        if seen[start.0 as usize] {
            continue;
        }
        let origin = first.line[0];
        let (mut twice_area, mut bounds, mut h) = (0i128, Bounds::EMPTY, start);
        while let Some((b, f)) = side(h).filter(|_| !seen[h.0 as usize]) {
            if f != face {
                return refuse(
                    format!("a ring has face {} at one place and face {} at another", face.0, f.0),
                    Some(b.line[0]),
                );
            }
            seen[h.0 as usize] = true;
            bounds = b.line.iter().fold(bounds, |all, p| all.with(*p));
            let along = twice_area_along(&b.line, origin);
            twice_area += if h.is_forward() { along } else { -along };
            h = b.next[usize::from(!h.is_forward())];
        }
        let Some(found) = table.get_mut(face.0 as usize).and_then(Option::as_mut) else {
            return refuse(
                format!("border {} has a face, {}, that does not exist", start.border().0, face.0),
                Some(origin),
            );
        };
        if twice_area > 0 && face != FaceId::OUTSIDE && found.outer.is_none() {
            found.outer = Some(start);
            found.bounds = bounds;
        } else if twice_area < 0 {
            found.holes.push(start);
        } else {
            return refuse(format!("face {} has a ring that does not fit it", face.0), Some(origin));
        }
        found.twice_area += twice_area;
    }

    let mut faces = Vec::with_capacity(table.len());
    for (i, found) in table.into_iter().enumerate() {
        faces.push(match found {
            None => None,
            Some(found) if i == 0 => Some(outside(found.holes)),
            Some(Found { owner, outer: Some(outer), holes, bounds, twice_area }) if twice_area > 0 => {
                Some(Face { owner, outer: Some(outer), holes: holes.into(), bounds, twice_area })
            }
            Some(_) => return refuse(format!("face {i} has no outer ring, or holes larger than it"), None),
        });
    }
    Ok(faces)
}

/// The line's share of twice the area of a ring, seen from `origin`. Exact.
fn twice_area_along(line: &[Point], origin: Point) -> i128 {
    let off = |p: Point| (i64::from(p.x) - i64::from(origin.x), i64::from(p.y) - i64::from(origin.y));
    line.windows(2)
        .map(|w| {
            let ((ax, ay), (bx, by)) = (off(w[0]), off(w[1]));
            i128::from(ax) * i128::from(by) - i128::from(bx) * i128::from(ay)
        })
        .sum()
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
}
