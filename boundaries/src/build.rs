//! Making a coverage from its records, from nothing.
//!
//! Invariant: what is worked out here follows from the records alone, whatever their
//! order. It must not know how records come about.

use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::Arc;

use rustc_hash::FxHasher;

use crate::area::{Area, AreaId};
use crate::chunks::Chunked;
use crate::coverage::{BorderRecord, BuildError, Coverage, Entry, FaceRecord};
use crate::lattice::{Bounds, Point, by_angle};
use crate::topology::{Border, BorderId, Face, FaceId, HalfEdge};

/// How many buckets the table of codes has: an edit that changes a code copies one.
const CODE_BUCKETS: usize = 1024;

pub(crate) fn refuse<T>(reason: impl Into<String>, place: Option<Point>) -> Result<T, BuildError> {
    Err(BuildError { reason: reason.into(), place })
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
            faces: std::iter::once(Some(Face {
                owner: None,
                outer: None,
                holes: Arc::default(),
                bounds: Bounds::EMPTY,
                twice_area: 0,
            }))
            .collect(),
        }
    }
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

pub(crate) fn bucket(code: &str) -> usize {
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

/// Refuses a line that is none: too short, standing still, or off the globe.
pub(crate) fn check_line(id: BorderId, line: &[Point]) -> Result<(), BuildError> {
    if let Some(off) = line.iter().find(|p| !p.is_on_globe()) {
        let reason = format!(
            "border {} leaves the globe: a place is within 180 degrees east or west and 90 north or south",
            id.0
        );
        return refuse(reason, Some(*off));
    }
    if line.len() < 2 || line.windows(2).any(|w| w[0] == w[1]) {
        let reason = format!("border {} has fewer than two vertices or one twice in a row", id.0);
        return refuse(reason, line.first().copied());
    }
    Ok(())
}

fn place_borders(records: impl IntoIterator<Item = BorderRecord>) -> Result<Vec<Option<Border>>, BuildError> {
    let mut table = Vec::new();
    for BorderRecord { id, left, right, line } in records {
        check_line(id, &line)?;
        let place = line.first().copied();
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

/// A half-edge that leaves a node.
#[derive(Clone, Copy)]
pub(crate) struct Out {
    node: Point,
    to: Point,
    pub(crate) h: HalfEdge,
    left: FaceId,
    right: FaceId,
}

impl Out {
    pub(crate) fn of(h: HalfEdge, b: &Border) -> Self {
        let n = b.line.len();
        if h.is_forward() {
            Self { node: b.line[0], to: b.line[1], h, left: b.left, right: b.right }
        } else {
            Self { node: b.line[n - 1], to: b.line[n - 2], h, left: b.right, right: b.left }
        }
    }
}

/// Works out the links around one node: whoever arrives leaves by the half-edge next
/// clockwise, so that the same face stays at the left. Gives (arriving, leaving).
pub(crate) fn links_around(around: &mut [Out]) -> Result<Vec<(HalfEdge, HalfEdge)>, BuildError> {
    around.sort_unstable_by(|a, b| by_angle(a.node, a.to, b.to));
    if let [only] = around {
        return refuse(format!("border {} ends where no other begins", only.h.border().0), Some(only.node));
    }
    let before = |i: usize| &around[(i + around.len() - 1) % around.len()];
    let mut links = Vec::with_capacity(around.len());
    for (i, out) in around.iter().enumerate() {
        if out.right != before(i).left {
            return refuse("the faces around a node contradict each other", Some(out.node));
        }
        links.push((out.h.twin(), before(i).h));
    }
    Ok(links)
}

fn link(borders: &mut [Option<Border>]) -> Result<(), BuildError> {
    let mut outs = Vec::with_capacity(borders.len() * 2);
    for (i, border) in borders.iter().enumerate() {
        let Some(b) = border else { continue };
        outs.extend([true, false].map(|forward| Out::of(HalfEdge::new(BorderId(i as u32), forward), b)));
    }
    outs.sort_unstable_by_key(|o| o.node);
    for around in outs.chunk_by_mut(|a, b| a.node == b.node) {
        for (arriving, leaving) in links_around(around)? {
            if let Some(b) = &mut borders[arriving.border().0 as usize] {
                b.next[usize::from(!arriving.is_forward())] = leaving;
            }
        }
    }
    Ok(())
}

/// Makes the faces of the records and of the half-edges at whose left they lie.
fn trace(
    borders: &[Option<Border>],
    records: impl IntoIterator<Item = FaceRecord>,
) -> Result<Vec<Option<Face>>, BuildError> {
    let mut owners: Vec<Option<Option<AreaId>>> = vec![Some(None)];
    let mut seen_outside = false;
    for FaceRecord { id, owner } in records {
        if id == FaceId::OUTSIDE {
            if owner.is_some() || std::mem::replace(&mut seen_outside, true) {
                return refuse("the outside has an owner or stands twice", None);
            }
        } else if put(&mut owners, id.0, owner).is_none() {
            return refuse(format!("face {} stands twice", id.0), None);
        }
    }
    let mut sides: Vec<(FaceId, HalfEdge)> = Vec::with_capacity(borders.len() * 2);
    for (i, border) in borders.iter().enumerate() {
        let Some(b) = border else { continue };
        let id = BorderId(i as u32);
        sides.extend([(b.left, HalfEdge::new(id, true)), (b.right, HalfEdge::new(id, false))]);
    }
    sides.sort_unstable();
    if let Some((face, h)) = sides.iter().find(|s| !matches!(owners.get(s.0.0 as usize), Some(Some(_)))) {
        let place = borders[h.border().0 as usize].as_ref().map(|b| b.line[0]);
        return refuse(format!("border {} has a face, {}, that does not exist", h.border().0, face.0), place);
    }
    let mut rest = &sides[..];
    let mut faces = Vec::with_capacity(owners.len());
    for (i, owner) in owners.into_iter().enumerate() {
        let (own, after) = rest.split_at(rest.partition_point(|s| s.0.0 as usize <= i));
        rest = after;
        let around: Vec<HalfEdge> = own.iter().map(|s| s.1).collect();
        faces.push(match owner {
            Some(owner) => Some(survey(FaceId(i as u32), owner, &around, &|id| borders.get(id.0 as usize)?.as_ref())?),
            None => None,
        });
    }
    Ok(faces)
}

/// Works out a face from the half-edges (ascending) at whose left it lies: its rings,
/// its box and its size.
pub(crate) fn survey<'a>(
    face: FaceId,
    owner: Option<AreaId>,
    around: &[HalfEdge],
    border: &impl Fn(BorderId) -> Option<&'a Border>,
) -> Result<Face, BuildError> {
    let mut found = Face { owner, outer: None, holes: Arc::default(), bounds: Bounds::EMPTY, twice_area: 0 };
    let mut holes = Vec::new();
    let mut seen = vec![false; around.len()];
    for (i, &start) in around.iter().enumerate() {
        if seen[i] {
            continue;
        }
        let Some(origin) = border(start.border()).map(|b| b.line[0]) else { continue };
        let (mut twice_area, mut bounds, mut h) = (0i128, Bounds::EMPTY, start);
        loop {
            // A half-edge that is not around this face, or was met before, ends no ring of it.
            let fresh = around.binary_search(&h).ok().filter(|at| !std::mem::replace(&mut seen[*at], true));
            let (Some(_), Some(b)) = (fresh, border(h.border())) else {
                return refuse(format!("a ring of face {} runs on along another face", face.0), Some(origin));
            };
            bounds = b.line.iter().fold(bounds, |all, p| all.with(*p));
            let along = twice_area_along(&b.line, origin);
            twice_area += if h.is_forward() { along } else { -along };
            h = b.next[usize::from(!h.is_forward())];
            if h == start {
                break;
            }
        }
        if twice_area > 0 && face != FaceId::OUTSIDE && found.outer.is_none() {
            found.outer = Some(start);
            found.bounds = bounds;
        } else if twice_area < 0 {
            holes.push(start);
        } else {
            return refuse(format!("face {} has a ring that does not fit it", face.0), Some(origin));
        }
        found.twice_area += twice_area;
    }
    found.holes = holes.into();
    if face == FaceId::OUTSIDE {
        found.twice_area = 0;
    } else if found.outer.is_none() || found.twice_area <= 0 {
        return refuse(format!("face {} has no outer ring, or holes larger than it", face.0), None);
    }
    Ok(found)
}

/// The line's share of twice the area of a ring, seen from `origin`. Exact.
pub(crate) fn twice_area_along(line: &[Point], origin: Point) -> i128 {
    let off = |p: Point| (i64::from(p.x) - i64::from(origin.x), i64::from(p.y) - i64::from(origin.y));
    line.windows(2)
        .map(|w| {
            let ((ax, ay), (bx, by)) = (off(w[0]), off(w[1]));
            i128::from(ax) * i128::from(by) - i128::from(bx) * i128::from(ay)
        })
        .sum()
}
