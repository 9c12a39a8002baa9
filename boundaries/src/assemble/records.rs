//! Last step: faces of one owner grow together, the chains of edges left between
//! them become borders, and both are numbered by where they lie.
//!
//! The numbers follow from the ground alone, not from the order of the input: along
//! a Z-shaped curve, so that neighbours mostly get near numbers and share chunks.

use crate::area::AreaId;
use crate::coverage::{BorderRecord, FaceRecord};
use crate::lattice::Point;
use crate::topology::{BorderId, FaceId};

use super::graph::{Graph, OUTSIDE};
use super::mesh::Mesh;

/// The records of a coverage whose faces have these owners.
pub(super) fn records(mesh: &Mesh, graph: &Graph, owners: &[Option<AreaId>]) -> (Vec<FaceRecord>, Vec<BorderRecord>) {
    let mut regions = Regions::grown(mesh, graph, owners);
    let kept: Vec<u32> = (0..mesh.edges.len() as u32)
        .filter(|e| {
            let [left, right] = [graph.face[2 * *e as usize], graph.face[2 * *e as usize + 1]];
            owners[left as usize] != owners[right as usize]
        })
        .collect();

    let (numbers, faces) = number_faces(mesh, graph, owners, &mut regions, &kept);
    let mut chains = Chains::of(mesh, &kept).cut();
    chains.sort_unstable_by_key(|c| (c.line[0].curve(), c.line[0], c.line[1]));
    let borders = chains
        .into_iter()
        .enumerate()
        .map(|(id, chain)| {
            let mut side = |h: u32| FaceId(numbers[regions.find(graph.face[h as usize]) as usize]);
            BorderRecord {
                id: BorderId(id as u32),
                left: side(chain.first),
                right: side(chain.first ^ 1),
                line: chain.line.into(),
            }
        })
        .collect();
    (faces, borders)
}

/// The faces that grow together, as a forest that points to the lowest of each group.
struct Regions(Vec<u32>);

impl Regions {
    fn grown(mesh: &Mesh, graph: &Graph, owners: &[Option<AreaId>]) -> Self {
        let mut regions = Self((0..graph.faces() as u32).collect());
        for e in 0..mesh.edges.len() {
            let (left, right) = (graph.face[2 * e], graph.face[2 * e + 1]);
            if left != right && owners[left as usize] == owners[right as usize] {
                let (a, b) = (regions.find(left), regions.find(right));
                regions.0[a.max(b) as usize] = a.min(b);
            }
        }
        regions
    }

    fn find(&mut self, mut face: u32) -> u32 {
        while self.0[face as usize] != face {
            let above = self.0[face as usize];
            self.0[face as usize] = self.0[above as usize];
            face = above;
        }
        face
    }
}

/// Gives each region its number, by the first of its directed edges along the curve:
/// no two faces have one of those in common.
fn number_faces(
    mesh: &Mesh,
    graph: &Graph,
    owners: &[Option<AreaId>],
    regions: &mut Regions,
    kept: &[u32],
) -> (Vec<u32>, Vec<FaceRecord>) {
    type Key = (u64, Point, Point);
    let mut first: Vec<Option<Key>> = vec![None; graph.faces()];
    for h in kept.iter().flat_map(|e| [2 * e, 2 * e + 1]) {
        let region = regions.find(graph.face[h as usize]) as usize;
        let [a, b] = mesh.segment(h as usize / 2);
        let (from, to) = if h % 2 == 0 { (a, b) } else { (b, a) };
        let key = (from.curve(), from, to);
        if first[region].is_none_or(|f| key < f) {
            first[region] = Some(key);
        }
    }
    let outside = regions.find(OUTSIDE);
    let mut order: Vec<(Key, u32)> = first
        .into_iter()
        .enumerate()
        .filter_map(|(region, key)| Some((key?, region as u32)))
        .filter(|(_, region)| *region != outside)
        .collect();
    order.sort_unstable();
    let mut numbers = vec![FaceId::OUTSIDE.0; graph.faces()];
    let mut faces = Vec::with_capacity(order.len());
    for (i, (_, region)) in order.into_iter().enumerate() {
        numbers[region as usize] = i as u32 + 1;
        faces.push(FaceRecord { id: FaceId(i as u32 + 1), owner: owners[region as usize] });
    }
    (numbers, faces)
}

/// A border to be: its line, and the half-edge that its first step runs along.
struct Chain {
    line: Vec<Point>,
    first: u32,
}

/// The kept edges around each vertex.
struct Chains<'a> {
    mesh: &'a Mesh,
    starts: Vec<u32>,
    /// Half-edges that leave the vertex.
    outs: Vec<u32>,
}

impl<'a> Chains<'a> {
    fn of(mesh: &'a Mesh, kept: &[u32]) -> Self {
        let mut starts = vec![0u32; mesh.points.len() + 1];
        for v in kept.iter().flat_map(|e| mesh.edges[*e as usize]) {
            starts[v as usize + 1] += 1;
        }
        for v in 0..mesh.points.len() {
            starts[v + 1] += starts[v];
        }
        let mut at = starts.clone();
        let mut outs = vec![0u32; kept.len() * 2];
        for h in kept.iter().flat_map(|e| [2 * e, 2 * e + 1]) {
            let v = mesh.edges[h as usize / 2][h as usize % 2] as usize;
            outs[at[v] as usize] = h;
            at[v] += 1;
        }
        Self { mesh, starts, outs }
    }

    fn around(&self, v: u32) -> &[u32] {
        &self.outs[self.starts[v as usize] as usize..self.starts[v as usize + 1] as usize]
    }

    fn end(&self, h: u32) -> u32 {
        self.mesh.edges[h as usize / 2][1 - h as usize % 2]
    }

    /// Cuts at the nodes: first the chains that end in some, then closed ones without.
    fn cut(self) -> Vec<Chain> {
        let mut used = vec![false; self.mesh.edges.len()];
        let mut chains = Vec::new();
        let vertices = 0..self.mesh.points.len() as u32;
        for v in vertices.clone().filter(|v| self.around(*v).len() > 2) {
            for &h in self.around(v) {
                if !used[h as usize / 2] {
                    chains.push(self.walk(h, &mut used));
                }
            }
        }
        // A closed border without node sits on its westernmost, then southernmost vertex.
        for v in vertices {
            if let Some(&h) = self.around(v).first().filter(|h| !used[**h as usize / 2]) {
                let west = self.westernmost(h);
                let start = *self.around(west).first().unwrap_or(&h);
                chains.push(self.walk(start, &mut used));
            }
        }
        chains
    }

    /// The half-edge after `h` through a vertex that is no node.
    fn onward(&self, h: u32) -> Option<u32> {
        match self.around(self.end(h)) {
            [a, b] => Some(if *a == h ^ 1 { *b } else { *a }),
            _ => None,
        }
    }

    fn westernmost(&self, h: u32) -> u32 {
        let place = |v: u32| self.mesh.points[v as usize];
        let round = std::iter::successors(Some(h), |at| self.onward(*at).filter(|n| *n != h));
        round.map(|at| self.end(at)).min_by_key(|v| place(*v)).unwrap_or_else(|| self.end(h))
    }

    /// The chain from `h` to the next node or back to where it began, turned so that
    /// the lesser of its two readings is kept.
    fn walk(&self, h: u32, used: &mut [bool]) -> Chain {
        let place = |v: u32| self.mesh.points[v as usize];
        let mut line = vec![place(self.end(h ^ 1))];
        let mut last = h;
        loop {
            used[last as usize / 2] = true;
            line.push(place(self.end(last)));
            match self.onward(last) {
                Some(n) if n != h => last = n,
                _ => break,
            }
        }
        let n = line.len();
        if (line[n - 1], line[n - 2]) < (line[0], line[1]) {
            line.reverse();
            Chain { line, first: last ^ 1 }
        } else {
            Chain { line, first: h }
        }
    }
}
