//! What a state of a coverage that was drawn elsewhere has changed: which ground went from
//! whom to whom, each connected piece with its outline.
//!
//! ```text
//!      earlier   ┌────┬────┐      ┌────┬─┬──┐
//!                │ a  │ b  │      │ a  │▒│b │     ▒ went from b to a: what lies in other
//!      later     ┌──────┬──┐  ─▶  │    │▒│  │       rings of the later state than of the
//!                │ a    │ b│      └────┴─┴──┘       earlier one
//!                └──────┴──┘
//! ```
//!
//! The later lines are first brought to the earlier ones that they nearly meet, so a
//! border that was merely written anew is no difference; then the two are laid over each
//! other. Areas are the same where their codes are, whatever their ids, and only those
//! whose own outlines differ are looked at.
//!
//! Invariant: pieces have their vertices on the lattice and share them with each other,
//! with the earlier state or with the later one. It must not know what becomes of them.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::area::AreaId;
use crate::coverage::{BuildError, Coverage};
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::near::Near;
use crate::pairs::Crowded;
use crate::polygon::{Polygon, Ring};
use crate::segment::Segment;
use crate::topology::FaceId;

use super::mesh::Mesh;
use super::node;
use super::overlay::{Overlay, Owners, refuse};

/// A connected piece of ground that has another owner than it had. Areas are the same
/// where their codes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Who owned it; an id in the earlier state.
    pub from: Option<AreaId>,
    /// Who owns it; an id in the later state.
    pub to: Option<AreaId>,
    /// The ground: the shell counter-clockwise, holes clockwise.
    pub polygon: Polygon,
}

/// What a state has changed of another one.
#[derive(Clone, Debug, Default)]
pub struct Exchanges {
    /// The ground that changed hands.
    pub exchanged: Vec<Exchange>,
    /// How much ground, in square metres, each owner of the earlier state has in common
    /// with each of the later one, of areas whose own outlines differ.
    pub common: Vec<(Option<AreaId>, Option<AreaId>, f64)>,
}

/// An owner of either state: by its id in the earlier one, where that has its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Earlier(AreaId),
    Later(AreaId),
}

/// The two states and who is who.
struct Pair<'a> {
    old: &'a Coverage,
    new: &'a Coverage,
}

impl Pair<'_> {
    fn earlier(&self, face: FaceId) -> Option<Name> {
        self.old.face(face).and_then(|f| f.owner).map(Name::Earlier)
    }

    fn later(&self, face: FaceId) -> Option<Name> {
        self.new.face(face).and_then(|f| f.owner).and_then(|id| self.name(id))
    }

    fn name(&self, id: AreaId) -> Option<Name> {
        let code = &self.new.area(id)?.code;
        Some(self.old.area_by_code(code).map_or(Name::Later(id), Name::Earlier))
    }

    /// The owners whose own ground may differ: all whose set of edges does, and some more.
    fn redrawn(&self) -> BTreeSet<Name> {
        let difference = self.new.difference(self.old);
        let faces = difference.faces.iter().flat_map(|id| [self.earlier(*id), self.later(*id)]);
        let mut redrawn: BTreeSet<Name> = faces.flatten().collect();
        // Where an id stands for two areas, equal records say nothing.
        for (id, area) in self.new.areas() {
            if self.old.area(id).is_some_and(|a| a.code != area.code) {
                redrawn.insert(Name::Earlier(id));
                redrawn.extend(self.name(id));
            }
        }
        let mut edges: FxHashSet<(Name, Point, Point)> = FxHashSet::default();
        let mut toggle = |edge| {
            if !edges.remove(&edge) {
                edges.insert(edge);
            }
        };
        for &id in &difference.borders {
            let before = self.old.border(id).map(|b| (&b.line, [b.left, b.right].map(|f| self.earlier(f))));
            let after = self.new.border(id).map(|b| (&b.line, [b.left, b.right].map(|f| self.later(f))));
            for (line, [left, right]) in [before, after].into_iter().flatten().filter(|(_, s)| s[0] != s[1]) {
                for w in line.windows(2) {
                    left.into_iter().for_each(|name| toggle((name, w[0], w[1])));
                    right.into_iter().for_each(|name| toggle((name, w[1], w[0])));
                }
            }
        }
        redrawn.extend(edges.into_iter().map(|(name, ..)| name));
        redrawn
    }
}

/// A face's rings, and whose it is.
struct Ground {
    owner: Option<AreaId>,
    is_later: bool,
    rings: Vec<Ring>,
}

impl Coverage {
    /// What this state has changed of an earlier one. A line of it nearer than
    /// `tolerance_m` metres to an earlier one is taken for that.
    ///
    /// # Errors
    ///
    /// Where the lines of the two meet so often that no end is found.
    pub fn exchanged_since(&self, old: &Self, tolerance_m: f64) -> Result<Exchanges, BuildError> {
        let pair = Pair { old, new: self };
        let redrawn = pair.redrawn();
        if redrawn.is_empty() {
            return Ok(Exchanges::default());
        }
        let of = |c: &Self, id: AreaId, is_later| -> Vec<Ground> {
            let rings = |f: &FaceId| c.rings(*f).map(|ring| c.ring_points(ring)).collect();
            c.faces_of(id).iter().map(|f| Ground { owner: Some(id), is_later, rings: rings(f) }).collect()
        };
        let mut grounds: Vec<Ground> = Vec::new();
        for name in &redrawn {
            let twin = match name {
                Name::Earlier(id) => {
                    grounds.extend(of(old, *id, false));
                    old.area(*id).and_then(|a| self.area_by_code(&a.code))
                }
                Name::Later(id) => Some(*id),
            };
            grounds.extend(twin.into_iter().flat_map(|id| of(self, id, true)));
        }
        align(&mut grounds, tolerance_m).map_err(|Crowded(place)| refuse(Some(place)))?;
        let mut found = pieces(&pair, &grounds)?;
        // What is left between lines that were brought together only at their vertices; of
        // who is gone nothing may be left.
        let stays =
            |e: &Exchange| e.from.and_then(|id| old.area(id)).is_none_or(|a| self.area_by_code(&a.code).is_some());
        found.exchanged.retain(|e| !stays(e) || width_m(&e.polygon) >= tolerance_m / 4.0);
        Ok(found)
    }
}

fn segments(ring: &[Point]) -> impl Iterator<Item = Segment> + '_ {
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| [*a, *b]).filter(|s| s[0] != s[1])
}

/// Twice the area through the perimeter: the width of a long strip.
fn width_m(polygon: &Polygon) -> f64 {
    let bounds = polygon.bounds();
    let frame = Frame::between(bounds.min, bounds.max);
    let rim = polygon.rings().flat_map(segments);
    2.0 * polygon.area_m2() / rim.map(|[a, b]| frame.distance_m(a, b)).sum::<f64>().max(f64::MIN_POSITIVE)
}

fn lesser_first([a, b]: Segment) -> Segment {
    [a.min(b), a.max(b)]
}

/// Brings the later rings to the vertices and lines of the earlier ones.
fn align(grounds: &mut [Ground], tolerance_m: f64) -> Result<(), Crowded> {
    let rings = |is_later: bool| grounds.iter().filter(move |g| g.is_later == is_later).flat_map(|g| &g.rings);
    let unique = |segments: &mut Vec<Segment>| {
        segments.sort_unstable();
        segments.dedup();
    };
    let mut borders: Vec<Segment> = rings(false).flat_map(|r| segments(r)).map(lesser_first).collect();
    unique(&mut borders);
    let known: FxHashSet<Point> = borders.iter().flatten().copied().collect();
    let mut points: Vec<Point> = rings(true).flatten().copied().filter(|p| !known.contains(p)).collect();
    points.sort_unstable();
    points.dedup();
    let bounds = Bounds::of(rings(true).flatten().chain(&known).copied());
    let Some(near) = Near::within(tolerance_m, bounds) else { return Ok(()) };
    let moved: FxHashMap<Point, Point> =
        near.targets(&points, &borders)?.into_iter().map(|(i, to)| (points[i], to)).collect();
    for ring in grounds.iter_mut().filter(|g| g.is_later).flat_map(|g| &mut g.rings) {
        ring.iter_mut().for_each(|p| *p = moved.get(p).copied().unwrap_or(*p));
    }
    let later = grounds.iter().filter(|g| g.is_later).flat_map(|g| &g.rings);
    let mut steps: Vec<Segment> = later.flat_map(|r| segments(r)).map(lesser_first).collect();
    unique(&mut steps);
    steps.retain(|s| borders.binary_search(s).is_err());
    let mut passed: FxHashMap<Segment, Vec<Point>> = FxHashMap::default();
    for (step, p) in near.passed(&steps, &borders)? {
        passed.entry(steps[step]).or_default().push(p);
    }
    for ring in grounds.iter_mut().filter(|g| g.is_later).flat_map(|g| &mut g.rings) {
        let mut through: Ring = Vec::with_capacity(ring.len());
        for s in segments(ring) {
            through.push(s[0]);
            let own = passed.get(&lesser_first(s)).map_or(&[][..], |p| p);
            if s[0] < s[1] {
                through.extend(own);
            } else {
                through.extend(own.iter().rev());
            }
        }
        *ring = through;
    }
    Ok(())
}

/// Breaks all rings where they meet, and puts together what has the same two owners.
fn pieces(pair: &Pair<'_>, grounds: &[Ground]) -> Result<Exchanges, BuildError> {
    let mut edges: Vec<(Segment, u32)> = Vec::new();
    for (number, ground) in (0..).zip(grounds) {
        edges.extend(ground.rings.iter().flat_map(|ring| segments(ring)).map(|s| (s, number)));
    }
    let mut mesh = Mesh::of_edges(&edges);
    drop(edges);
    // Lines that were brought to each other lie within half a unit: all are led through
    // every vertex that near.
    let all = vec![true; mesh.edges.len()];
    node::settle(&mut mesh, Some(all)).map_err(|e| refuse(Some(e.place())))?;
    let overlay = Overlay::of(&mesh, BTreeSet::new(), &|around| owners_of(pair, grounds, around))?;
    let differ = |(from, to): Owners| from.map(Name::Earlier) != to.and_then(|to| pair.name(to));
    let mut found = Exchanges::default();
    for ((from, to), _, polygons) in overlay.by(|owners| differ(owners).then_some(owners))? {
        found.exchanged.extend(polygons.into_iter().map(|polygon| Exchange { from, to, polygon }));
    }
    found.common = overlay.pieces().map(|((from, to), m2)| (from, to, m2)).collect();
    Ok(found)
}

/// Who had a face and who has it; `None` where nobody did and does. Where lines that were
/// brought together leave it with two owners, there is less of it than the tolerance, and
/// it stays whose it was.
fn owners_of(pair: &Pair<'_>, grounds: &[Ground], around: &[u32]) -> Option<Owners> {
    let inside = around.iter().map(|ground| &grounds[*ground as usize]);
    let (mut had, mut has): (Vec<AreaId>, Vec<AreaId>) = (Vec::new(), Vec::new());
    for ground in inside {
        if ground.is_later { &mut has } else { &mut had }.extend(ground.owner);
    }
    let from = had.first().copied();
    let twin = || pair.new.area_by_code(&pair.old.area(from?)?.code);
    let to = if has.len() > 1 || had.len() > 1 { twin().or(has.first().copied()) } else { has.first().copied() };
    (from.is_some() || to.is_some()).then_some((from, to))
}

#[cfg(test)]
mod tests;
