//! Ground cut into cells: the Voronoi diagram of seeds, as nodes and edges that
//! neighbours share.
//!
//! Invariant: every edge is stored once, between two nodes at least [`SHORTEST_M`]
//! apart, and a cell is star-shaped around its seed: the triangles from a seed to its
//! edges don't overlap. Borders that stay in their triangles can therefore not cross.

use delaunator::{EMPTY, next_halfedge, triangulate};

use super::Random;
use super::land::{At, Land};

/// Nodes nearer to each other than this are one, in metres: far above the tolerance of
/// an import, which would draw them together.
const SHORTEST_M: f64 = 3.0;

/// An edge between two cells, or between a cell and what is not land.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// Its nodes.
    pub(super) from: u32,
    pub(super) to: u32,
    /// The seeds at its sides.
    pub(super) seeds: [u32; 2],
}

/// The diagram.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// Seeds; the first [`Cells::count`] are cells, the others lie in the sea.
    pub(super) seeds: Vec<At>,
    pub(super) count: usize,
    pub(super) nodes: Vec<At>,
    pub(super) edges: Vec<Edge>,
    /// Around each cell, counter-clockwise: an edge and whether it runs that way.
    pub(super) rings: Vec<Vec<(u32, bool)>>,
    /// How far each seed is from its nearest edge, in metres.
    pub(super) room_m: Vec<f64>,
}

impl Cells {
    /// Cuts the land into `count` cells.
    pub(super) fn new(land: &Land, count: usize, seed: u64) -> Self {
        let mut random = Random::of(seed, "cells");
        let (mut dry, mut wet) = (Vec::with_capacity(count), Vec::new());
        while dry.len() < count {
            let at = land.draw(&mut random);
            if land.is_land(at) { dry.push(at) } else { wet.push(at) }
        }
        // A frame that closes the outermost cells.
        let reach = land.reach();
        let rim = 400;
        wet.extend((0..rim).map(|i| {
            let angle = std::f64::consts::TAU * i as f64 / rim as f64;
            At::new(2.0 * reach.x * angle.cos(), 2.0 * reach.y * angle.sin())
        }));
        let mut seeds = dry;
        seeds.append(&mut wet);
        for _ in 0..2 {
            // Lloyd: every seed into the middle of its cell makes the cells rounder.
            let diagram = Diagram::without_lakes(&mut seeds, count);
            for (i, seed) in seeds.iter_mut().take(count).enumerate() {
                if let Some(middle) = diagram.middle(i) {
                    *seed = middle;
                }
            }
        }
        let diagram = Diagram::without_lakes(&mut seeds, count);
        diagram.cells(seeds, count)
    }

    /// The cells next to each cell, each once.
    pub(super) fn neighbours(&self) -> Vec<Vec<u32>> {
        let mut of = vec![Vec::new(); self.count];
        for edge in &self.edges {
            let [a, b] = edge.seeds;
            if (a as usize) < self.count && (b as usize) < self.count {
                of[a as usize].push(b);
                of[b as usize].push(a);
            }
        }
        for list in &mut of {
            list.sort_unstable();
            list.dedup();
        }
        of
    }

    pub(super) fn node(&self, id: u32) -> At {
        self.nodes[id as usize]
    }
}

/// A Delaunay triangulation with the middle of each triangle's circle.
struct Diagram {
    triangles: Vec<usize>,
    halfedges: Vec<usize>,
    /// A half-edge that ends at each seed.
    into: Vec<usize>,
    middles: Vec<At>,
}

impl Diagram {
    fn of(seeds: &[At]) -> Self {
        let points: Vec<_> = seeds.iter().map(|s| delaunator::Point { x: s.x, y: s.y }).collect();
        let found = triangulate(&points);
        let mut into = vec![EMPTY; seeds.len()];
        for e in 0..found.triangles.len() {
            let end = found.triangles[next_halfedge(e)];
            // One on the hull has no other side: prefer it, so that turning sees all.
            if into[end] == EMPTY || found.halfedges[e] == EMPTY {
                into[end] = e;
            }
        }
        let middles =
            found.triangles.as_chunks::<3>().0.iter().map(|t| middle_of_circle(t.map(|i| seeds[i]))).collect();
        Self { triangles: found.triangles, halfedges: found.halfedges, into, middles }
    }

    /// The diagram after every seed beyond the first `count` that the sea does not reach
    /// is gone: a lake would be a gap in the city.
    fn without_lakes(seeds: &mut Vec<At>, count: usize) -> Self {
        let diagram = Self::of(seeds);
        // The last seed is one of the frame.
        let mut reached = vec![false; seeds.len()];
        let mut next = vec![seeds.len() - 1];
        while let Some(seed) = next.pop() {
            if seed < count || std::mem::replace(&mut reached[seed], true) {
                continue;
            }
            let mut e = diagram.into[seed];
            let first = e;
            while e != EMPTY {
                next.push(diagram.triangles[e]);
                let across = next_halfedge(e);
                next.push(diagram.triangles[next_halfedge(across)]);
                e = diagram.halfedges[across];
                if e == first {
                    break;
                }
            }
        }
        if reached[count..].iter().all(|r| *r) {
            return diagram;
        }
        let mut seed = 0;
        seeds.retain(|_| {
            seed += 1;
            seed <= count || reached[seed - 1]
        });
        // Without the lakes nothing else is cut off from the sea.
        Self::of(seeds)
    }

    /// The half-edges into a seed, once around; `None` for one on the hull.
    fn around(&self, seed: usize) -> Option<Vec<usize>> {
        let first = self.into[seed];
        let mut around = Vec::new();
        let mut e = first;
        while e != EMPTY {
            around.push(e);
            e = self.halfedges[next_halfedge(e)];
            if e == first {
                return Some(around);
            }
        }
        None
    }

    /// The centre of gravity of a cell.
    fn middle(&self, seed: usize) -> Option<At> {
        let ring: Vec<_> = self.around(seed)?.into_iter().map(|e| self.middles[e / 3]).collect();
        let origin = *ring.first()?;
        let (mut twice, mut sum) = (0.0, At::new(0.0, 0.0));
        for (i, &a) in ring.iter().enumerate() {
            let (a, b) = (origin.to(a), origin.to(ring[(i + 1) % ring.len()]));
            let cross = a.cross(b);
            twice += cross;
            sum = sum.plus(a, cross).plus(b, cross);
        }
        (twice.abs() > 1.0).then(|| origin.plus(sum, 1.0 / (3.0 * twice)))
    }

    fn cells(&self, seeds: Vec<At>, count: usize) -> Cells {
        let (nodes, node_of) = merge(&self.middles, |seen| {
            for (e, &twin) in self.halfedges.iter().enumerate() {
                if twin != EMPTY && e < twin {
                    seen((e / 3) as u32, (twin / 3) as u32);
                }
            }
        });
        let mut edges = Vec::new();
        let mut edge_of = vec![u32::MAX; self.halfedges.len()];
        for (e, &twin) in self.halfedges.iter().enumerate() {
            if twin == EMPTY || e > twin {
                continue;
            }
            let seeds = [self.triangles[e] as u32, self.triangles[next_halfedge(e)] as u32];
            let (from, to) = (node_of[e / 3], node_of[twin / 3]);
            if from != to && seeds.iter().any(|s| (*s as usize) < count) {
                edge_of[e] = edges.len() as u32;
                edge_of[twin] = edges.len() as u32;
                edges.push(Edge { from, to, seeds });
            }
        }
        let mut rings = Vec::with_capacity(count);
        let mut room_m = Vec::with_capacity(count);
        for seed in 0..count {
            let mut ring = Vec::new();
            let mut room = f64::INFINITY;
            // Between two neighbouring triangles around the seed lies one edge.
            for e in self.around(seed).unwrap_or_default() {
                let across = next_halfedge(e);
                let edge = edge_of[across];
                if edge != u32::MAX {
                    ring.push((edge, edges[edge as usize].from == node_of[e / 3]));
                    let [a, b] = edges[edge as usize].seeds;
                    room = room.min(seeds[a as usize].distance(seeds[b as usize]) / 2.0);
                }
            }
            let node = |(edge, forward): (u32, bool)| {
                let edge = edges[edge as usize];
                nodes[if forward { edge.from } else { edge.to } as usize]
            };
            let twice: f64 = (0..ring.len())
                .map(|i| seeds[seed].to(node(ring[i])).cross(seeds[seed].to(node(ring[(i + 1) % ring.len()]))))
                .sum();
            if twice < 0.0 {
                ring.reverse();
                ring.iter_mut().for_each(|(_, forward)| *forward = !*forward);
            }
            rings.push(ring);
            room_m.push(room);
        }
        Cells { seeds, count, nodes, edges, rings, room_m }
    }
}

fn middle_of_circle([a, b, c]: [At; 3]) -> At {
    let (ab, ac) = (a.to(b), a.to(c));
    let twice = 2.0 * ab.cross(ac);
    let (b2, c2) = (ab.dot(ab), ac.dot(ac));
    At::new(a.x + (ac.y * b2 - ab.y * c2) / twice, a.y + (ab.x * c2 - ac.x * b2) / twice)
}

/// Draws together what is nearer than [`SHORTEST_M`] along an edge, until nothing is.
/// Says the nodes that remain and which each place became.
fn merge(places: &[At], for_edges: impl Fn(&mut dyn FnMut(u32, u32))) -> (Vec<At>, Vec<u32>) {
    let mut leader: Vec<u32> = (0..places.len() as u32).collect();
    let mut middles = places.to_vec();
    fn find(leader: &mut [u32], mut i: u32) -> u32 {
        while leader[i as usize] != i {
            leader[i as usize] = leader[leader[i as usize] as usize];
            i = leader[i as usize];
        }
        i
    }
    loop {
        let mut short = Vec::new();
        for_edges(&mut |a, b| {
            let (a, b) = (find(&mut leader, a), find(&mut leader, b));
            if a != b && middles[a as usize].distance(middles[b as usize]) < SHORTEST_M {
                short.push((a, b));
            }
        });
        if short.is_empty() {
            break;
        }
        for (a, b) in short {
            let (a, b) = (find(&mut leader, a), find(&mut leader, b));
            if a != b {
                leader[a.max(b) as usize] = a.min(b);
            }
        }
        // A cluster lies in the middle of all that it is made of.
        let mut sums = vec![(At::new(0.0, 0.0), 0.0); places.len()];
        for (i, &place) in places.iter().enumerate() {
            let sum = &mut sums[find(&mut leader, i as u32) as usize];
            *sum = (sum.0.plus(place, 1.0), sum.1 + 1.0);
        }
        for (middle, (sum, n)) in middles.iter_mut().zip(sums) {
            if n > 0.0 {
                *middle = At::new(sum.x / n, sum.y / n);
            }
        }
    }
    let mut nodes = Vec::new();
    let mut number = vec![u32::MAX; places.len()];
    let of = (0..places.len() as u32)
        .map(|i| {
            let at = find(&mut leader, i) as usize;
            if number[at] == u32::MAX {
                number[at] = nodes.len() as u32;
                nodes.push(middles[at]);
            }
            number[at]
        })
        .collect();
    (nodes, of)
}
