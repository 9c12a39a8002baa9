//! What must hold of the outcome of every edit, looked at only where lines are new.
//!
//! Invariant: a coverage that passes is valid as far as the edit touched it: no line
//! crosses or touches another but in nodes, what lies in a face lies in it still, nothing
//! narrower than the limits is left, and no border above the mandate has moved.

use rustc_hash::FxHashSet;

use crate::area::AreaId;
use crate::change::Changes;
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::locator::is_crossed;
use crate::pairs::{Crowded, near_pairs};
use crate::segment::{Segment, cross, holds};
use crate::topology::{BorderId, FaceId, HalfEdge};

use super::refusal::{Reason, Refusal};
use super::rules::Rules;

/// Places after which a check stops looking for more.
const MOST_PLACES: usize = 100;

fn turned([a, b]: Segment) -> Segment {
    [a.min(b), a.max(b)]
}

/// A segment with its border and its number in it.
type Placed = (Segment, BorderId, usize);

/// The places where new segments meet others outside nodes.
pub(super) fn meetings(base: &Coverage, next: &Coverage, changes: &Changes) -> Vec<Point> {
    let before = changes.drop_borders.iter().copied().chain(changes.put_borders.iter().map(|b| b.id));
    let lines = before.filter_map(|id| base.border(id)).flat_map(|b| b.line.windows(2));
    let known: FxHashSet<Segment> = lines.map(|w| turned([w[0], w[1]])).collect();
    let mut faces: Vec<FaceId> = Vec::new();
    let mut reach = Bounds::EMPTY;
    for record in &changes.put_borders {
        let own = record.line.windows(2).filter(|w| !known.contains(&turned([w[0], w[1]])));
        let bounds = Bounds::of(own.flatten().copied());
        if !bounds.is_empty() {
            reach = reach.union(bounds);
            faces.extend([record.left, record.right]);
        }
    }
    faces.sort_unstable();
    faces.dedup();
    let around = faces.iter().flat_map(|f| next.rings(*f)).flat_map(|ring| next.ring(ring));
    let mut borders: Vec<BorderId> = around.map(HalfEdge::border).collect();
    borders.sort_unstable();
    borders.dedup();
    let mut placed: Vec<Placed> = Vec::new();
    for id in borders {
        let line = next.border(id).map_or(&[][..], |b| &b.line);
        let near = line.windows(2).enumerate().filter(|(_, w)| Bounds::of([w[0], w[1]]).meets(reach));
        placed.extend(near.map(|(i, w)| ([w[0], w[1]], id, i)));
    }
    let segments: Vec<Segment> = placed.iter().map(|p| p.0).collect();
    let is_new: Vec<bool> = segments.iter().map(|s| !known.contains(&turned(*s))).collect();
    let meetings = near_pairs(&segments, [0, 0], &|i| is_new[i], &|i, j, out: &mut Vec<Point>| {
        out.extend(meeting(next, placed[i], placed[j]));
    });
    let mut places = meetings.unwrap_or_else(|Crowded(place)| vec![place]);
    places.extend(shared_inside(next, &placed));
    places.sort_unstable();
    places.dedup();
    places.truncate(MOST_PLACES);
    places
}

/// The vertices inside a line that are passed once more. Of very many segments at one vertex
/// not every two are looked at.
fn shared_inside(next: &Coverage, placed: &[Placed]) -> Vec<Point> {
    let mut passes: Vec<(Point, BorderId, usize)> =
        placed.iter().flat_map(|(s, id, i)| [(s[0], *id, *i), (s[1], *id, i + 1)]).collect();
    passes.sort_unstable();
    passes.dedup();
    let is_inside =
        |(_, id, i): &(Point, BorderId, usize)| next.border(*id).is_some_and(|b| *i > 0 && *i + 1 < b.line.len());
    let shared = passes.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1 && same.iter().any(is_inside));
    shared.map(|same| same[0].0).collect()
}

/// Where two segments meet though they may not.
fn meeting(next: &Coverage, one: Placed, other: Placed) -> Option<Point> {
    let ((e, a, i), (f, b, j)) = (one, other);
    if turned(e) == turned(f) {
        return Some(e[0]);
    }
    let is_end = |(s, id, i): Placed, p: Point| {
        let segments = next.border(id).map_or(0, |b| b.line.len() - 1);
        (i == 0 && s[0] == p) || (i + 1 == segments && s[1] == p)
    };
    if let Some(p) = e.into_iter().find(|p| f.contains(p)) {
        let follows = a == b && i.abs_diff(j) == 1;
        // Two that leave one vertex meet again only if one runs along the other.
        let [q, r] = [e, f].map(|s| if s[0] == p { s[1] } else { s[0] });
        let overlaps = holds(e, r) || holds(f, q);
        return (overlaps || !(follows || (is_end(one, p) && is_end(other, p)))).then_some(p);
    }
    let touch = f.into_iter().find(|p| holds(e, *p)).or_else(|| e.into_iter().find(|p| holds(f, *p)));
    touch.or_else(|| cross(e, f).then_some(e[0]))
}

/// The places of inner rings that no longer lie in the face that they are rings of, among
/// the faces beside some borders.
pub(super) fn strays(next: &Coverage, borders: &[BorderId]) -> Vec<Point> {
    let sides = borders.iter().filter_map(|id| next.border(*id)).flat_map(|b| [b.left, b.right]);
    let mut faces: Vec<FaceId> = sides.collect();
    faces.sort_unstable();
    faces.dedup();
    let rim = |ring: HalfEdge| next.ring(ring).filter_map(|h| next.border(h.border())).flat_map(|b| b.line.windows(2));
    let crossed = |ring: HalfEdge, p: Point| rim(ring).filter(|w| is_crossed(w[0], w[1], p)).count() % 2 == 1;
    let mut strays = Vec::new();
    for &id in &faces {
        let Some(face) = next.face(id) else { continue };
        let holes: Vec<(HalfEdge, Bounds)> =
            face.holes.iter().map(|hole| (*hole, Bounds::of(rim(*hole).flatten().copied()))).collect();
        for &(hole, bounds) in &holes {
            let Some(p) = rim(hole).flatten().copied().filter(|p| p.x == bounds.min.x).min() else { continue };
            let fits = match face.outer {
                Some(outer) => {
                    let within = |(ring, b): &(HalfEdge, Bounds)| *ring != hole && b.contains(p) && crossed(*ring, p);
                    crossed(outer, p) && !holes.iter().any(within)
                }
                // Outside, only what has changed can have come over it.
                None => faces.iter().filter_map(|f| next.face(*f)?.outer).all(|ring| {
                    let own = next.ring(ring).any(|h| next.ring(hole).any(|o| o.border() == h.border()));
                    own || !crossed(ring, p)
                }),
            };
            if !fits {
                strays.push(p);
            }
        }
    }
    strays
}

/// Refuses slivers: faces that are new or have shrunk and are below both limits.
pub(super) fn check_slivers(
    base: &Coverage,
    next: &Coverage,
    changes: &Changes,
    rules: &Rules<'_>,
) -> Result<(), Refusal> {
    let sides = changes.put_borders.iter().flat_map(|b| [b.left, b.right]);
    let mut faces: Vec<FaceId> = sides.chain(changes.put_faces.iter().map(|f| f.id)).collect();
    faces.sort_unstable();
    faces.dedup();
    let (mut places, mut areas) = (Vec::new(), Vec::new());
    for id in faces {
        let Some(face) = next.face(id).filter(|f| f.outer.is_some()) else { continue };
        let area_m2 = next.face_area_m2(id);
        if area_m2 >= rules.sliver_area_m2 || base.face(id).is_some_and(|f| f.twice_area <= face.twice_area) {
            continue;
        }
        let around = next.rings(id).flat_map(|ring| next.ring(ring));
        let perimeter_m: f64 = around.map(|h| next.border_length_m(h.border())).sum();
        if 2.0 * area_m2 < rules.sliver_width_m * perimeter_m {
            places.extend(face.outer.and_then(|h| next.ring_points(h).into_iter().min()));
            areas.extend(face.owner.filter(|a| base.area(*a).is_some()));
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    let message = format!(
        "a sliver would be left, narrower than {} m and smaller than {} m²: draw the line along the border or further from it",
        rules.sliver_width_m, rules.sliver_area_m2
    );
    Err(Refusal::new(Reason::Sliver, message).at(places).of(areas))
}

/// The first level above the mandate at which ground would go from one owner to another.
pub(super) fn above_mandate(
    (base, was): (&Coverage, Option<AreaId>),
    (next, is): (&Coverage, Option<AreaId>),
    rules: &Rules<'_>,
) -> Option<Refusal> {
    let at = |c: &Coverage, owner: Option<AreaId>, level| owner.and_then(|o| c.ancestor_at(o, level));
    let levels = (0..rules.mandate.0).map(crate::area::Level);
    let level = levels.into_iter().find(|l| at(base, was, *l) != at(next, is, *l))?;
    let name = base.levels().get(usize::from(level.0)).map_or("", |n| n);
    let message = format!("a border of the level {name} would move, which is above the mandate of this plan");
    let owners = [at(base, was, level), at(base, at(next, is, level).filter(|a| base.area(*a).is_some()), level)];
    Some(Refusal::new(Reason::AboveMandate, message).of(owners.into_iter().flatten()))
}
