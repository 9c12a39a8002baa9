//! Fourth step: the half-edges around each vertex in order of angle, the cycles that
//! follow, and the faces that those bound.
//!
//! Half-edge `2 e` runs along edge `e` from its lower vertex, `2 e + 1` back. A cycle
//! that runs counter-clockwise is the outer one of a face; every other is the outline
//! of a connected piece of the mesh, seen from outside, and lies in the face that is
//! met first when one looks west from its westernmost vertex.

use std::cmp::Ordering;

use crate::lattice::{Point, by_angle, orient};

use super::mesh::Mesh;

/// The unbounded face.
pub(super) const OUTSIDE: u32 = 0;

/// Faces of a mesh and how to walk around them.
#[derive(Debug)]
pub(super) struct Graph {
    /// The half-edge that follows each one around the face at its left.
    pub(super) next: Vec<u32>,
    /// The face to the left of each half-edge.
    pub(super) face: Vec<u32>,
    /// One half-edge of each cycle, by face: see [`cycles`](Self::cycles).
    seeds: Vec<u32>,
    starts: Vec<u32>,
}

impl Graph {
    /// Traces the faces of a mesh whose edges meet in vertices alone.
    pub(super) fn of(mesh: &Mesh) -> Self {
        let next = link(mesh);
        let (cycle, cycles) = trace(mesh, &next);

        // Faces are the counter-clockwise cycles, in their order; the others are put into them.
        let mut face_of: Vec<u32> = vec![OUTSIDE; cycles.len()];
        let mut faces = 1u32;
        for (c, face) in cycles.iter().zip(&mut face_of) {
            if c.twice_area > 0 {
                *face = faces;
                faces += 1;
            }
        }
        let mut outlines: Vec<u32> = (0..cycles.len() as u32).filter(|c| cycles[*c as usize].twice_area <= 0).collect();
        outlines.sort_unstable_by_key(|c| (cycles[*c as usize].west, *c));
        let seen = look_west(mesh, &outlines.iter().map(|c| cycles[*c as usize].west).collect::<Vec<_>>());
        // Whoever is seen begins further west, so its own face is settled already.
        for (c, seen) in outlines.iter().zip(seen) {
            face_of[*c as usize] = seen.map_or(OUTSIDE, |h| face_of[cycle[h as usize] as usize]);
        }

        let mut starts = vec![0u32; faces as usize + 1];
        face_of.iter().for_each(|f| starts[*f as usize + 1] += 1);
        for f in 0..faces as usize {
            starts[f + 1] += starts[f];
        }
        let mut at = starts.clone();
        let mut seeds = vec![0u32; cycles.len()];
        for (c, f) in cycles.iter().zip(&face_of) {
            seeds[at[*f as usize] as usize] = c.seed;
            at[*f as usize] += 1;
        }
        let face = cycle.into_iter().map(|c| face_of[c as usize]).collect();
        Self { next, face, seeds, starts }
    }

    /// How many faces there are, [`OUTSIDE`] included.
    pub(super) fn faces(&self) -> usize {
        self.starts.len() - 1
    }

    /// A half-edge of each cycle around a face.
    pub(super) fn cycles(&self, face: u32) -> &[u32] {
        &self.seeds[self.starts[face as usize] as usize..self.starts[face as usize + 1] as usize]
    }

    /// The half-edges of a cycle.
    pub(super) fn cycle(&self, seed: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(Some(seed), move |h| Some(self.next[*h as usize]).filter(|n| *n != seed))
    }

    /// All half-edges around a face.
    pub(super) fn around(&self, face: u32) -> impl Iterator<Item = u32> + '_ {
        self.cycles(face).iter().flat_map(|seed| self.cycle(*seed))
    }
}

/// The vertex that a half-edge leaves.
#[inline]
pub(super) fn origin(mesh: &Mesh, h: u32) -> u32 {
    mesh.edges[h as usize / 2][h as usize % 2]
}

fn link(mesh: &Mesh) -> Vec<u32> {
    let mut starts = vec![0u32; mesh.points.len() + 1];
    mesh.edges.iter().flatten().for_each(|v| starts[*v as usize + 1] += 1);
    for v in 0..mesh.points.len() {
        starts[v + 1] += starts[v];
    }
    let mut at = starts.clone();
    let mut outs = vec![0u32; mesh.edges.len() * 2];
    for h in 0..outs.len() as u32 {
        let v = origin(mesh, h) as usize;
        outs[at[v] as usize] = h;
        at[v] += 1;
    }
    let mut next = vec![0u32; outs.len()];
    for v in 0..mesh.points.len() {
        let around = &mut outs[starts[v] as usize..starts[v + 1] as usize];
        if around.len() > 2 {
            let o = mesh.points[v];
            let to = |h: u32| mesh.points[origin(mesh, h ^ 1) as usize];
            around.sort_unstable_by(|a, b| by_angle(o, to(*a), to(*b)));
        }
        for i in 0..around.len() {
            // Whoever arrives leaves by the half-edge next clockwise.
            let before = around[(i + around.len() - 1) % around.len()];
            next[(around[i] ^ 1) as usize] = before;
        }
    }
    next
}

struct Cycle {
    seed: u32,
    twice_area: i128,
    /// Its westernmost (then southernmost) vertex.
    west: Point,
}

fn trace(mesh: &Mesh, next: &[u32]) -> (Vec<u32>, Vec<Cycle>) {
    const UNSEEN: u32 = u32::MAX;
    let mut cycle = vec![UNSEEN; next.len()];
    let mut cycles: Vec<Cycle> = Vec::new();
    for seed in 0..next.len() as u32 {
        if cycle[seed as usize] != UNSEEN {
            continue;
        }
        let first = mesh.points[origin(mesh, seed) as usize];
        let off = |p: Point| (i64::from(p.x) - i64::from(first.x), i64::from(p.y) - i64::from(first.y));
        let mut found = Cycle { seed, twice_area: 0, west: first };
        let (mut h, mut from) = (seed, first);
        loop {
            cycle[h as usize] = cycles.len() as u32;
            let to = mesh.points[origin(mesh, h ^ 1) as usize];
            let ((ax, ay), (bx, by)) = (off(from), off(to));
            found.twice_area += i128::from(ax) * i128::from(by) - i128::from(bx) * i128::from(ay);
            found.west = found.west.min(to);
            from = to;
            h = next[h as usize];
            if h == seed {
                break;
            }
        }
        cycles.push(found);
    }
    (cycle, cycles)
}

/// What each place sees to its west: the half-edge whose left side faces it. The edges
/// that meet the place itself are not looked at. Half-open: an edge counts from its
/// lower end, inclusive, to its upper end, exclusive.
fn look_west(mesh: &Mesh, places: &[Point]) -> Vec<Option<u32>> {
    if places.len() < 2 {
        return vec![None; places.len()];
    }
    let upward = |e: usize| {
        let [a, b] = mesh.segment(e);
        if a.y <= b.y { ([a, b], 2 * e as u32 + 1) } else { ([b, a], 2 * e as u32) }
    };
    let strips = Strips::of(mesh);
    let look = |p: Point| {
        let mut seen: Option<([Point; 2], u32)> = None;
        for &e in strips.at(p.y) {
            let (up, facing) = upward(e as usize);
            if up[0].y <= p.y
                && p.y < up[1].y
                && orient(up[0], up[1], p) == Ordering::Less
                && seen.is_none_or(|(best, _)| further_east(up, best, p.y))
            {
                seen = Some((up, facing));
            }
        }
        seen.map(|s| s.1)
    };
    places.iter().map(|p| look(*p)).collect()
}

/// Whether `e` passes the height `y` east of `f`; both run upward through it. Where they
/// meet at that height they part upwards.
fn further_east(e: [Point; 2], f: [Point; 2], y: i32) -> bool {
    let pass = |[a, b]: [Point; 2]| {
        let (dx, dy) = (i128::from(b.x) - i128::from(a.x), i128::from(b.y) - i128::from(a.y));
        (i128::from(a.x) * dy + (i128::from(y) - i128::from(a.y)) * dx, dy, dx)
    };
    let ((x, dy, dx), (other_x, other_dy, other_dx)) = (pass(e), pass(f));
    (x * other_dy).cmp(&(other_x * dy)).then((dx * other_dy).cmp(&(other_dx * dy))) == Ordering::Greater
}

/// The edges by the strips of height that they pass.
struct Strips {
    /// The lowest y of each strip.
    floors: Vec<i32>,
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Strips {
    fn of(mesh: &Mesh) -> Self {
        let mut heights: Vec<i32> = mesh.edges.iter().map(|e| mesh.points[e[0] as usize].y).collect();
        heights.sort_unstable();
        let mut strips = (heights.len() / 16).clamp(1, 1 << 14);
        loop {
            // Equally many edges begin in each strip, however unevenly they lie.
            let mut floors: Vec<i32> = (0..strips).map(|i| heights[i * heights.len() / strips]).collect();
            floors.dedup();
            let passes: Vec<(u32, u32)> = (0..mesh.edges.len())
                .map(|e| {
                    let [a, b] = mesh.segment(e);
                    (strip(&floors, a.y.min(b.y)) as u32, strip(&floors, a.y.max(b.y)) as u32)
                })
                .collect();
            let entries: u64 = passes.iter().map(|(a, b)| u64::from(b - a) + 1).sum();
            // Tall edges stand in many strips: fewer strips then, so that memory stays in bounds.
            if entries > 8 * mesh.edges.len() as u64 && strips > 1 {
                strips /= 2;
                continue;
            }
            let mut starts = vec![0u32; floors.len() + 1];
            passes.iter().for_each(|&(a, b)| (a..=b).for_each(|s| starts[s as usize + 1] += 1));
            for s in 0..floors.len() {
                starts[s + 1] += starts[s];
            }
            let mut at = starts.clone();
            let mut edges = vec![0u32; entries as usize];
            for (e, &(a, b)) in passes.iter().enumerate() {
                for s in a..=b {
                    edges[at[s as usize] as usize] = e as u32;
                    at[s as usize] += 1;
                }
            }
            return Self { floors, starts, edges };
        }
    }

    fn at(&self, y: i32) -> &[u32] {
        let s = strip(&self.floors, y);
        &self.edges[self.starts[s] as usize..self.starts[s + 1] as usize]
    }
}

fn strip(floors: &[i32], y: i32) -> usize {
    floors.partition_point(|f| *f <= y).saturating_sub(1)
}
