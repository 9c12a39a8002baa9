//! Sharing out ground: several areas, old and new, get what is drawn for each, in one go.
//!
//! ```text
//!      ┌─────┬─────┐          ┌───┬───┬───┐
//!      │  a ┌┼┄┐   │          │ a │ n │   │     pieces given away, taken and made anew meet
//!      │┄┄┄┄┘│b┆   │    ─▶    ├───┘   │ b │     in lines that no single transfer could draw
//!      │┄┄┄┄┄┴┄┘   │          ├───────┘   │
//!      └─────┴─────┘          └─────┴─────┘
//! ```
//!
//! The rings are taken exactly as drawn, without snapping: who shares out ground knows the
//! vertices that are there. They may run over the outline, and what is narrow is not taken
//! for a slip of the hand.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::pairs::{Crowded, near_pairs};
use crate::polygon::Polygon;
use crate::segment::{Segment, cross, holds};
use crate::topology::FaceId;

use super::desk::{Desk, MOST_AREAS, Roster};
use super::draft::Draft;
use super::inside::{Rim, insides};
use super::refusal::{Reason, Refusal};
use super::rules::Rules;
use super::{Code, Deed, Edited, NewArea, drawn};

/// Vertices of all rings together.
const MOST_VERTICES: usize = 200_000;
/// Ground of an ended area that no share holds, and that rounding may have left.
const CRUMB_M2: f64 = 1.0;

/// Who gets ground.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// An area that is there.
    Area(Code),
    /// A new area of the finest level.
    New(NewArea),
    /// Nobody: it becomes land outside all areas.
    Nobody,
}

/// Ground and who gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Who gets it.
    pub to: Receiver,
    /// The ground.
    pub polygons: Vec<Polygon>,
}

pub(super) fn share(desk: &Desk<'_>, shares: &[Share], ends: &[Code]) -> Result<Edited, Refusal> {
    if shares.len().max(ends.len()) > MOST_AREAS {
        let message = format!("one edit takes on at most {MOST_AREAS} areas: do it in parts");
        return Err(Refusal::new(Reason::Limit, message));
    }
    let desk = &Desk { base: desk.base, rules: &Rules { sliver_width_m: 0.0, ..*desk.rules } };
    let ended = desk.leaves(ends)?;
    let lines = lines(shares)?;
    let segments = lines.iter().flat_map(|l| l.line.windows(2)).map(|w| [w[0], w[1]]);
    let boxes: Vec<Bounds> = shares.iter().flat_map(|s| &s.polygons).map(Polygon::bounds).collect();
    check_apart(&segments.collect::<Vec<Segment>>())?;

    let drawn: Vec<Vec<Point>> = lines.iter().map(|l| l.line.clone()).collect();
    let mut faces = desk.faces_near(&boxes)?;
    faces.extend(ended.iter().flat_map(|a| desk.base.faces_of(*a)));
    let mut draft = Draft::open(desk.base, faces.iter().copied());
    let mut cut = draft.cut(&drawn)?;
    if !cut.elsewhere.is_empty() {
        // Over the outline: what lies around everything is cut as well, which is long.
        faces.push(FaceId::OUTSIDE);
        draft = Draft::open(desk.base, faces);
        cut = draft.cut(&drawn)?;
    }
    let rims: Vec<Rim<'_>> = lines.iter().zip(&cut.paths).map(|(line, path)| Rim { path, sides: line.sides }).collect();
    let inside = insides(&draft, &rims);

    let mut roster = Roster { drop: ended.clone(), ..Roster::default() };
    let mut owners: Vec<Option<AreaId>> = Vec::with_capacity(shares.len());
    for (i, share) in (0u32..).zip(shares) {
        owners.push(match &share.to {
            Receiver::Area(code) => Some(desk.area(code)?),
            Receiver::Nobody => None,
            Receiver::New(new) => {
                Some(desk.create(&mut roster, new, giver(&draft, &inside, i, desk), desk.base.finest())?)
            }
        });
    }
    let mut gains: BTreeSet<u32> = BTreeSet::new();
    for cell in draft.live_cells() {
        let Some(share) = inside[cell as usize] else { continue };
        let to = owners[share as usize];
        if draft.cells[cell as usize].owner != to {
            draft.cells[cell as usize].owner = to;
            gains.insert(share);
        }
    }
    let is_new = |i: &u32| matches!(shares[*i as usize].to, Receiver::New(_));
    let without = (0..shares.len() as u32).find(|i| is_new(i) && !gains.contains(i));
    if let Some(i) = without.or((gains.is_empty() && ended.is_empty()).then_some(0)) {
        let polygons = shares.get(i as usize).map_or(&[][..], |s| &s.polygons);
        let place = polygons.first().and_then(|p| p.shell.first()).copied();
        let message = "there is no ground to give there, or it is the receiver's already";
        return Err(Refusal::new(Reason::NoChange, message).at(place));
    }
    sweep(desk, &mut draft, &ended)?;
    run_alike(&mut draft, cut.first);
    desk.finish(draft, roster, Deed::Transfer)
}

/// Gives what is left of ended areas to who lies beyond the longest border, where it is so
/// small that only rounding left it.
fn sweep(desk: &Desk<'_>, draft: &mut Draft<'_>, ended: &[AreaId]) -> Result<(), Refusal> {
    let is_left = |draft: &Draft<'_>, cell: u32| draft.cells[cell as usize].owner.filter(|o| ended.contains(o));
    for cell in draft.live_cells() {
        let Some(area) = is_left(draft, cell) else { continue };
        let own = draft.chains.iter().filter(|c| c.sides.contains(&cell));
        let (mut widest, mut beyond) = (-1.0, None);
        for chain in own {
            let other = chain.sides[usize::from(chain.sides[0] == cell)];
            let length_m: f64 = chain.line.windows(2).map(|w| Frame::between(w[0], w[1]).distance_m(w[0], w[1])).sum();
            if length_m > widest && is_left(draft, other).is_none() {
                (widest, beyond) = (length_m, Some(draft.cells[other as usize].owner));
            }
        }
        let place = draft.place(cell);
        let unit_m2 = place.map_or(0.0, |p| Frame::at(p.y).unit_area_m2());
        let area_m2 = draft.cells[cell as usize].twice_area as f64 / 2.0 * unit_m2;
        let Some(owner) = beyond.filter(|_| area_m2 < CRUMB_M2) else {
            let message = format!("{} can't end while it has ground: share out all of it", desk.code(area));
            return Err(Refusal::new(Reason::Owned, message).at(place).of([area]));
        };
        draft.cells[cell as usize].owner = owner;
    }
    Ok(())
}

/// The area that a new one comes out of, and its parent to be: of those that give ground
/// the one that gives most, the lowest of equals.
fn giver(draft: &Draft<'_>, inside: &[Option<u32>], share: u32, desk: &Desk<'_>) -> (Option<AreaId>, Option<AreaId>) {
    let mut given: Vec<(i128, AreaId)> = Vec::new();
    for cell in draft.live_cells().into_iter().filter(|c| inside[*c as usize] == Some(share)) {
        let cell = &draft.cells[cell as usize];
        let Some(owner) = cell.was else { continue };
        match given.iter_mut().find(|g| g.1 == owner) {
            Some(known) => known.0 += cell.twice_area,
            None => given.push((cell.twice_area, owner)),
        }
    }
    let most = given.into_iter().max_by_key(|(area, id)| (*area, std::cmp::Reverse(*id)));
    let Some((_, giver)) = most else { return (None, None) };
    let known = desk.base.area(giver).filter(|a| a.level == desk.base.finest());
    known.map_or((None, Some(giver)), |a| (Some(giver), a.parent))
}

/// Turns drawn chains so that those between the same two owners run alike: a vertex in
/// which two of them follow each other is then known to be there for a border that went.
fn run_alike(draft: &mut Draft<'_>, first: usize) {
    for i in first..draft.chains.len() {
        let [left, right] = draft.chains[i].sides.map(|s| draft.cells[s as usize].owner);
        if right < left {
            let chain = &mut draft.chains[i];
            chain.line = chain.line.iter().rev().copied().collect();
            chain.sides.reverse();
        }
    }
}

/// A stretch of rings from where several meet to the next such place, or all around.
struct Line {
    line: Vec<Point>,
    /// The shares to its left and to its right.
    sides: [Option<u32>; 2],
}

/// The rings of all shares, each stretch once.
fn lines(shares: &[Share]) -> Result<Vec<Line>, Refusal> {
    let vertices: usize = shares.iter().flat_map(|s| &s.polygons).flat_map(Polygon::rings).map(<[Point]>::len).sum();
    if vertices > MOST_VERTICES {
        let message = format!("all rings together have at most {MOST_VERTICES} vertices: do it in parts");
        return Err(Refusal::new(Reason::Limit, message));
    }
    // Who lies to the left of each directed edge.
    let mut left: FxHashMap<(Point, Point), u32> = FxHashMap::default();
    for (i, polygon) in (0u32..).zip(shares).flat_map(|(i, s)| s.polygons.iter().map(move |p| (i, p))) {
        for (n, ring) in polygon.rings().enumerate() {
            if let Some(p) = ring.iter().find(|p| !p.is_on_globe()) {
                return Err(Refusal::new(Reason::OffGlobe, "a point is no place on the globe").at([*p]));
            }
            let mut ring = drawn::ring(ring)?;
            if n > 0 {
                ring.reverse();
            }
            for w in ring.windows(2) {
                if left.insert((w[0], w[1]), i).is_some() {
                    let message = "two shares, or two parts of one, lie on each other";
                    return Err(Refusal::new(Reason::Owned, message).at([w[0]]));
                }
            }
        }
    }
    // Edges with one share at both sides are no rim.
    let is_rim = |(a, b): &(Point, Point)| left.get(&(*b, *a)) != left.get(&(*a, *b));
    let mut outs: FxHashMap<Point, Vec<Point>> = FxHashMap::default();
    let mut edges: Vec<(Point, Point)> =
        left.keys().filter(|e| is_rim(e)).map(|(a, b)| (*a.min(b), *a.max(b))).collect();
    edges.sort_unstable();
    edges.dedup();
    for &(a, b) in &edges {
        outs.entry(a).or_default().push(b);
        outs.entry(b).or_default().push(a);
    }
    let sides = |a: Point, b: Point| [left.get(&(a, b)).copied(), left.get(&(b, a)).copied()];
    let mut used: FxHashSet<(Point, Point)> = FxHashSet::default();
    let mut lines = Vec::new();
    let is_joint = |p: &Point| outs.get(p).is_none_or(|o| o.len() != 2);
    let mut walk = |from: Point, to: Point| {
        if !used.insert((from.min(to), from.max(to))) {
            return;
        }
        let mut line = vec![from, to];
        let mut at = to;
        while let Some(next) = outs
            .get(&at)
            .filter(|_| !is_joint(&at))
            .and_then(|o| o.iter().copied().find(|q| !used.contains(&(at.min(*q), at.max(*q)))))
        {
            used.insert((at.min(next), at.max(next)));
            line.push(next);
            at = next;
        }
        lines.push(Line { line, sides: sides(from, to) });
    };
    // From joints first; what is left then is closed.
    for &(a, b) in &edges {
        for (from, to) in [(a, b), (b, a)] {
            if is_joint(&from) {
                walk(from, to);
            }
        }
    }
    edges.iter().for_each(|(a, b)| walk(*a, *b));
    Ok(lines)
}

/// Refuses rings that meet but in vertices that both have.
fn check_apart(segments: &[Segment]) -> Result<(), Refusal> {
    let places = near_pairs(segments, [0, 0], &|_| true, &|i, j, out: &mut Vec<Point>| {
        let (e, f) = (segments[i], segments[j]);
        let touch = e.into_iter().filter(|p| holds(f, *p)).chain(f.into_iter().filter(|p| holds(e, *p)));
        out.extend(touch.filter(|p| !(e.contains(p) && f.contains(p))).take(1));
        if out.len() < 100 && cross(e, f) {
            out.push(e[0]);
        }
    });
    let mut places = places.unwrap_or_else(|Crowded(place)| vec![place]);
    places.sort_unstable();
    places.dedup();
    if places.is_empty() {
        return Ok(());
    }
    let message = "rings meet between their vertices: give both the vertex, or draw them apart";
    Err(Refusal::new(Reason::Crossing, message).at(places))
}
