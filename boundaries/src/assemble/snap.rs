//! Seventh step: where ground is left open, what nearly meets is brought together.
//!
//! ```text
//!      A │ a          a vertex of A and one of B become one;
//!     ───●                ┌──●──┐   a vertex of C near an edge of A
//!     ───○ b              │  C  │   is put into that edge
//!      B │
//! ```
//!
//! Narrow gaps and overlaps that are closed in themselves were given away whole and
//! need no vertex moved. What remains are slits that open to the outside or to a large
//! gap, and narrow strips too long to be given away. So only vertices and edges at such
//! ground are loose (or all without a partner, where the polygons nearly meet
//! everywhere); all others keep their place. Two vertices, or a vertex and an
//! edge, of the same ring stay as their author drew them, however near. Of vertices
//! that come together, those that are not loose win, then those that more rings use,
//! then the western, then the southern: a vertex moves onto such a leader or stays, so
//! nothing moves further than the tolerance and the order of the input has no say.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::area::AreaId;
use crate::finding::{Finding, FindingKind};
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::pairs::{Crowded, near_pairs};
use crate::segment::along;

use super::claims::Rings;
use super::graph::Graph;
use super::mesh::{Mesh, Rewiring};

/// The widest tolerance: what is further apart was not meant to meet, and looking for it
/// would compare everything with everything.
const MOST_M: f64 = 10.0;
/// Beyond this latitude (lattice units) metres east-west no longer shrink for us.
const POLAR: i32 = 890_000_000;

/// The vertices at faces that are `open`.
pub(super) fn at_open_ground(mesh: &Mesh, graph: &Graph, open: &[bool]) -> Vec<bool> {
    loose(mesh, |e| open[graph.face[2 * e] as usize] || open[graph.face[2 * e + 1] as usize])
}

/// The vertices of edges that have no partner: along which not exactly two polygons of
/// each level that is there meet.
pub(super) fn without_partner(mesh: &Mesh, rings: &Rings) -> Vec<bool> {
    let of = |r: &u32| &rings.of[*r as usize];
    loose(mesh, |e| {
        let toggles = mesh.toggles(e);
        let partners = |r: &u32| toggles.iter().filter(|o| of(o).level == of(r).level).count();
        toggles.iter().any(|r| partners(r) != 2)
    })
}

fn loose(mesh: &Mesh, is_loose: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut loose = vec![false; mesh.points.len()];
    for (e, ends) in mesh.edges.iter().enumerate() {
        if is_loose(e) {
            ends.iter().for_each(|v| loose[*v as usize] = true);
        }
    }
    loose
}

/// Brings together what nearly meets, where one of the two is `loose`. Says whether
/// anything was, and records it.
pub(super) fn snap(
    mesh: &mut Mesh,
    loose: &[bool],
    tolerance_m: f64,
    near: &mut NearMisses<'_>,
) -> Result<bool, Crowded> {
    if tolerance_m.is_nan() || tolerance_m <= 0.0 {
        return Ok(false);
    }
    let tolerance_m = tolerance_m.min(MOST_M);
    let joined = join_vertices(mesh, loose, tolerance_m, near);
    Ok(join_junctions(mesh, loose, tolerance_m, near)? || joined)
}

/// Which rings use each of some vertices.
struct Users {
    pairs: Vec<(u32, u32)>,
}

impl Users {
    fn of(mesh: &Mesh, mut vertices: Vec<u32>) -> Self {
        vertices.sort_unstable();
        vertices.dedup();
        let mut wanted = vec![false; mesh.points.len()];
        vertices.iter().for_each(|v| wanted[*v as usize] = true);
        let mut pairs = Vec::with_capacity(vertices.len() * 4);
        for (e, ends) in mesh.edges.iter().enumerate() {
            for &v in ends {
                if wanted[v as usize] {
                    pairs.extend(mesh.toggles(e).iter().map(|r| (v, *r)));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        Self { pairs }
    }

    fn at(&self, v: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        let from = self.pairs.partition_point(|p| p.0 < v);
        self.pairs[from..].iter().take_while(move |p| p.0 == v).map(|p| p.1)
    }
}

fn disjoint(a: impl Iterator<Item = u32>, b: impl Iterator<Item = u32> + Clone) -> bool {
    let mut a = a;
    a.all(|x| b.clone().all(|y| x != y))
}

fn join_vertices(mesh: &mut Mesh, loose: &[bool], tolerance_m: f64, near: &mut NearMisses<'_>) -> bool {
    let close = close_vertices(mesh, loose, tolerance_m);
    if close.is_empty() {
        return false;
    }
    let mut order: Vec<u32> = close.iter().map(|c| c.0).collect();
    order.dedup();
    let users = Users::of(mesh, order.clone());
    order.sort_by_cached_key(|&v| (loose[v as usize], Reverse(users.at(v).count()), v));

    let mut leads = vec![false; mesh.points.len()];
    let mut becomes: Vec<u32> = (0..mesh.points.len() as u32).collect();
    for v in order {
        let from = close.partition_point(|c| c.0 < v);
        let here = mesh.points[v as usize];
        let frame = frame_at(here);
        let leader = close[from..]
            .iter()
            .take_while(|c| c.0 == v && loose[v as usize])
            .map(|c| c.1)
            .filter(|&l| leads[l as usize] && disjoint(users.at(v), users.at(l)))
            .map(|l| (frame.distance_m(here, mesh.points[l as usize]), l))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        match leader {
            Some((moved_m, l)) => {
                becomes[v as usize] = l;
                near.add(users.at(v), users.at(l), mesh.points[l as usize], moved_m);
            }
            None => leads[v as usize] = true,
        }
    }

    let mut rewiring = Rewiring::default();
    for (e, ends) in mesh.edges.iter().enumerate() {
        let moved = ends.map(|v| becomes[v as usize]);
        if moved != *ends {
            rewiring.replace(e as u32, moved);
        }
    }
    mesh.rewire(&rewiring);
    !rewiring.is_empty()
}

/// Both ways round, the pairs of vertices within the tolerance of which one is loose.
fn close_vertices(mesh: &Mesh, loose: &[bool], tolerance_m: f64) -> Vec<(u32, u32)> {
    // By x, then y: those in reach lie in a window of x. Nearly in order already.
    let mut used = vec![false; mesh.points.len()];
    mesh.edges.iter().flatten().for_each(|v| used[*v as usize] = true);
    let mut ids: Vec<u32> = (0..mesh.points.len() as u32).filter(|v| used[*v as usize]).collect();
    ids.sort_by_key(|v| mesh.points[*v as usize]);
    let points: Vec<Point> = ids.iter().map(|v| mesh.points[*v as usize]).collect();
    let mut close = Vec::new();
    for &v in ids.iter().filter(|v| loose[**v as usize]) {
        let p = mesh.points[v as usize];
        let frame = frame_at(p);
        let [reach_x, reach_y] = reach(frame, tolerance_m);
        let (low, high) = (p.y.saturating_sub(reach_y), p.y.saturating_add(reach_y));
        let last = p.x.saturating_add(reach_x);
        let mut i = points.partition_point(|q| *q < Point::new(p.x.saturating_sub(reach_x), low));
        while let Some(&q) = points.get(i).filter(|q| q.x <= last) {
            if q.y < low {
                i += points[i..].partition_point(|o| *o < Point::new(q.x, low));
            } else if q.y > high {
                let next_x = Point::new(q.x.saturating_add(1), low);
                i += points[i..].partition_point(|o| *o < next_x).max(1);
            } else {
                if ids[i] != v && frame.distance_2(p, q) <= tolerance_m * tolerance_m {
                    close.push((v, ids[i]));
                    close.push((ids[i], v));
                }
                i += 1;
            }
        }
    }
    close.sort_unstable();
    close.dedup();
    close
}

fn join_junctions(
    mesh: &mut Mesh,
    loose: &[bool],
    tolerance_m: f64,
    near: &mut NearMisses<'_>,
) -> Result<bool, Crowded> {
    let segments = mesh.segments();
    let widest = segments.iter().flatten().map(|p| p.y.saturating_abs().min(POLAR)).max().unwrap_or(0);
    let margin = reach(Frame::at(widest), tolerance_m).map(|r| r.saturating_add(1));
    let active = |e: usize| mesh.edges[e].iter().any(|v| loose[*v as usize]);
    let mut found = near_pairs(&segments, margin, &active, &|i, j, out: &mut Vec<(u32, u32)>| {
        if !disjoint(mesh.toggles(i).iter().copied(), mesh.toggles(j).iter().copied()) {
            return;
        }
        for (e, other) in [(i, j), (j, i)] {
            for v in mesh.edges[other] {
                let fits = !loose[v as usize] && !mesh.edges[e].iter().all(|v| loose[*v as usize]);
                let p = mesh.points[v as usize];
                let may = !fits && !mesh.edges[e].contains(&v) && !is_far_off(segments[e], p, margin);
                if may && beside(segments[e], p, tolerance_m) {
                    out.push((e as u32, v));
                }
            }
        }
    })?;
    found.sort_unstable();
    found.dedup();
    let users = Users::of(mesh, found.iter().map(|f| f.1).collect());
    found.retain(|&(e, v)| disjoint(users.at(v), mesh.toggles(e as usize).iter().copied()));

    let mut rewiring = Rewiring::default();
    for group in found.chunk_by(|a, b| a.0 == b.0) {
        let e = group[0].0;
        let ([a, b], segment) = (mesh.edges[e as usize], segments[e as usize]);
        let mut through: Vec<u32> = group.iter().map(|f| f.1).collect();
        through.sort_by_key(|&v| (along(segment, mesh.points[v as usize]), mesh.points[v as usize]));
        for &v in &through {
            let p = mesh.points[v as usize];
            let moved_m = frame_at(p).distance_to_segment_2(p, segment[0], segment[1]).sqrt();
            near.add(users.at(v), mesh.toggles(e as usize).iter().copied(), p, moved_m);
        }
        rewiring.replace(e, std::iter::once(a).chain(through).chain(std::iter::once(b)));
    }
    mesh.rewire(&rewiring);
    Ok(!rewiring.is_empty())
}

/// Whether a point lies further off the line through a segment than the margin, in lattice
/// units: measured in metres it need not be then. Errs towards "no".
fn is_far_off([a, b]: [Point; 2], p: Point, margin: [i32; 2]) -> bool {
    let off = |q: Point| (f64::from(q.x) - f64::from(a.x), f64::from(q.y) - f64::from(a.y));
    let ((dx, dy), (px, py)) = (off(b), off(p));
    let reach = f64::from(margin[0]).hypot(f64::from(margin[1])) + 1.0;
    (dx * py - dy * px).abs() > reach * dx.hypot(dy)
}

/// Whether a point lies within the tolerance beside a segment, not off its ends.
fn beside(segment: [Point; 2], p: Point, tolerance_m: f64) -> bool {
    let frame = frame_at(p);
    let (ax, ay) = frame.offset(p, segment[0]);
    let (bx, by) = frame.offset(p, segment[1]);
    let (dx, dy) = (bx - ax, by - ay);
    let t = -(ax * dx + ay * dy);
    t > 0.0
        && t < dx * dx + dy * dy
        && frame.distance_to_segment_2(p, segment[0], segment[1]) <= tolerance_m * tolerance_m
}

fn frame_at(p: Point) -> Frame {
    Frame::at(p.y.clamp(-POLAR, POLAR))
}

/// How many lattice units a distance is at most, east-west and north-south.
fn reach(frame: Frame, distance_m: f64) -> [i32; 2] {
    // In range: the tolerance is 10 m at most and a unit 0.2 mm at least.
    [(distance_m / frame.east_m).ceil() as i32, (distance_m / frame.north_m).ceil() as i32]
}

/// What came together, kept by pair of areas: one finding for each.
pub(super) struct NearMisses<'a> {
    rings: &'a Rings,
    found: BTreeMap<(AreaId, AreaId), Near>,
}

struct Near {
    furthest_m: f64,
    place: Point,
    bounds: Bounds,
    places: usize,
}

impl<'a> NearMisses<'a> {
    /// None yet.
    pub(super) fn of(rings: &'a Rings) -> Self {
        Self { rings, found: BTreeMap::new() }
    }

    fn add(
        &mut self,
        some: impl Iterator<Item = u32>,
        others: impl Iterator<Item = u32> + Clone,
        place: Point,
        moved_m: f64,
    ) {
        // A vertex exactly on an edge is a plain T-junction: nothing moved.
        if moved_m <= 0.0 {
            return;
        }
        for a in some {
            for b in others.clone() {
                let (a, b) = (self.rings.of[a as usize].area, self.rings.of[b as usize].area);
                let near = self.found.entry((a.min(b), a.max(b))).or_insert(Near {
                    furthest_m: 0.0,
                    place,
                    bounds: Bounds::EMPTY,
                    places: 0,
                });
                if moved_m > near.furthest_m {
                    (near.furthest_m, near.place) = (moved_m, place);
                }
                near.bounds = near.bounds.with(place);
                near.places += 1;
            }
        }
    }

    pub(super) fn into_findings(self) -> impl Iterator<Item = Finding> {
        self.found.into_iter().map(|((a, b), near)| {
            let owners = if a == b { vec![a] } else { vec![a, b] };
            let note = match near.places {
                1 => "a vertex that nearly met was brought together".to_owned(),
                n => format!("{n} vertices that nearly met were brought together"),
            };
            Finding {
                place: Some(near.place),
                bounds: near.bounds,
                width_m: near.furthest_m,
                ..Finding::new(FindingKind::NearMiss, false, owners, note)
            }
        })
    }
}
