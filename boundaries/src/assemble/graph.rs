//! Fourth step: the half-edges around each vertex in order of angle, the cycles that
//! follow, and the faces that those bound.
//!
//! Half-edge `2 e` runs along edge `e` from its lower vertex, `2 e + 1` back. A cycle
//! that runs counter-clockwise is the outer one of a face; every other is the outline
//! of a connected piece of the mesh, seen from outside, and lies in the face that is
//! met first when one looks west from its westernmost vertex.

use crate::lattice::{Point, by_angle};
use crate::west::look_west;

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
        let places: Vec<Point> = outlines.iter().map(|c| cycles[*c as usize].west).collect();
        let seen = if places.len() > 1 { look_west(&mesh.segments(), &places) } else { vec![None; places.len()] };
        // Whoever is seen begins further west, so its own face is settled already.
        for (c, seen) in outlines.iter().zip(seen) {
            face_of[*c as usize] =
                seen.map_or(OUTSIDE, |s| face_of[cycle[2 * s.segment + usize::from(!s.left)] as usize]);
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
