//! Second step: the edges of all rings, each stored once, with the rings that run
//! along it.
//!
//! An edge *toggles* a ring when crossing it leads into or out of that ring: when the
//! ring runs along it an odd number of times. So direction doesn't matter, and an edge
//! that toggles nothing is dropped. Moving vertices together and putting vertices into
//! edges keep every ring closed, so what holds of rings holds of toggles at all times.

use std::ops::Range;

use rayon::slice::ParallelSliceMut;
use rustc_hash::FxHashMap;

use crate::lattice::Point;
use crate::segment::Segment;

use super::claims::Rings;

/// Vertices and the edges between them.
#[derive(Debug, Default)]
pub(super) struct Mesh {
    /// The vertices: those of the input in order, later ones at the end.
    pub(super) points: Vec<Point>,
    /// How many vertices came with the input.
    pub(super) given: usize,
    added: FxHashMap<Point, u32>,
    /// The ends of each edge, the lower vertex first; edges ascend.
    pub(super) edges: Vec<[u32; 2]>,
    /// Where each edge's toggles begin; one more entry than edges.
    starts: Vec<u32>,
    toggles: Vec<u32>,
}

/// An edge, as one number that sorts by its ends, and one ring along it.
type Entry = (u64, u32);

fn entry(a: u32, b: u32, ring: u32) -> Entry {
    (u64::from(a.min(b)) << 32 | u64::from(a.max(b)), ring)
}

/// What becomes of some edges: each is replaced by a walk over vertices.
#[derive(Debug, Default)]
pub(super) struct Rewiring {
    edges: Vec<u32>,
    starts: Vec<u32>,
    vertices: Vec<u32>,
}

impl Rewiring {
    /// Replaces `edge` by a walk. Edges must come in ascending order.
    pub(super) fn replace(&mut self, edge: u32, walk: impl IntoIterator<Item = u32>) {
        self.edges.push(edge);
        self.starts.push(self.vertices.len() as u32);
        self.vertices.extend(walk);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.edges.is_empty()
    }

    fn walk(&self, i: usize) -> &[u32] {
        let end = self.starts.get(i + 1).map_or(self.vertices.len(), |e| *e as usize);
        &self.vertices[self.starts[i] as usize..end]
    }
}

impl Mesh {
    /// The mesh of the rings, and for every ring point its vertex.
    pub(super) fn of(rings: &Rings) -> (Self, Vec<u32>) {
        let mut order: Vec<(u64, u32)> =
            rings.points.iter().enumerate().map(|(i, p)| (sortable(*p), i as u32)).collect();
        order.par_sort_unstable();
        let mut points: Vec<Point> = Vec::with_capacity(order.len() / 2);
        let mut vertex_of = vec![0u32; order.len()];
        for (_, i) in order {
            let p = rings.points[i as usize];
            if points.last() != Some(&p) {
                points.push(p);
            }
            vertex_of[i as usize] = points.len() as u32 - 1;
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(vertex_of.len());
        for ring in 0..rings.of.len() {
            let vertices = &vertex_of[rings.starts[ring] as usize..rings.starts[ring + 1] as usize];
            let mut before = vertices.last().copied().unwrap_or_default();
            for &v in vertices {
                entries.push(entry(before, v, ring as u32));
                before = v;
            }
        }
        entries.par_sort_unstable();
        let mut mesh = Self { given: points.len(), points, starts: vec![0], ..Self::default() };
        mesh.edges.reserve(entries.len() / 2);
        mesh.toggles.reserve(entries.len());
        mesh.gather(entries.into_iter());
        (mesh, vertex_of)
    }

    /// The mesh of segments, each with its number as the ring that it toggles. The
    /// vertices of the first `given` segments count as given, the others as added.
    pub(super) fn of_segments(segments: &[Segment], given: usize) -> Self {
        let mut points: Vec<Point> = segments[..given].iter().flatten().copied().collect();
        points.sort_unstable();
        points.dedup();
        let mut mesh = Self { given: points.len(), points, starts: vec![0], ..Self::default() };
        let mut entries: Vec<Entry> = Vec::with_capacity(segments.len());
        for (i, segment) in segments.iter().enumerate() {
            let [a, b] = segment.map(|p| mesh.vertex_at(p));
            entries.push(entry(a, b, i as u32));
        }
        entries.sort_unstable();
        mesh.gather(entries.into_iter());
        mesh
    }

    /// The mesh of segments that rings run along. All vertices count as given.
    pub(super) fn of_edges(edges: &[(Segment, u32)]) -> Self {
        let mut points: Vec<Point> = edges.iter().flat_map(|(segment, _)| *segment).collect();
        points.par_sort_unstable();
        points.dedup();
        let mut mesh = Self { given: points.len(), points, starts: vec![0], ..Self::default() };
        let mut entries: Vec<Entry> = Vec::with_capacity(edges.len());
        for (segment, ring) in edges {
            let [a, b] = segment.map(|p| mesh.vertex_at(p));
            entries.push(entry(a, b, *ring));
        }
        entries.par_sort_unstable();
        mesh.gather(entries.into_iter());
        mesh
    }

    /// The vertex at a point, new where there was none.
    pub(super) fn vertex_at(&mut self, p: Point) -> u32 {
        if let Ok(i) = self.points[..self.given].binary_search(&p) {
            return i as u32;
        }
        let points = &mut self.points;
        *self.added.entry(p).or_insert_with(|| {
            points.push(p);
            points.len() as u32 - 1
        })
    }

    /// The rings that an edge toggles, ascending.
    #[inline]
    pub(super) fn toggles(&self, edge: usize) -> &[u32] {
        &self.toggles[self.starts[edge] as usize..self.starts[edge + 1] as usize]
    }

    /// Where an edge lies.
    #[inline]
    pub(super) fn segment(&self, edge: usize) -> Segment {
        self.edges[edge].map(|v| self.points[v as usize])
    }

    /// All segments, in the order of the edges.
    pub(super) fn segments(&self) -> Vec<Segment> {
        (0..self.edges.len()).map(|e| self.segment(e)).collect()
    }

    /// Replaces edges by walks; says which edges of the new mesh came out of that.
    pub(super) fn rewire(&mut self, rewiring: &Rewiring) -> Vec<bool> {
        if rewiring.is_empty() {
            return vec![false; self.edges.len()];
        }
        let mut fresh: Vec<Entry> = Vec::new();
        for (i, &edge) in rewiring.edges.iter().enumerate() {
            for step in rewiring.walk(i).windows(2).filter(|s| s[0] != s[1]) {
                fresh.extend(self.toggles(edge as usize).iter().map(|&ring| entry(step[0], step[1], ring)));
            }
        }
        fresh.par_sort_unstable();
        let old = std::mem::take(self);
        (self.points, self.given, self.added) = (old.points, old.given, old.added);
        self.starts.push(0);
        self.edges.reserve(old.edges.len() + fresh.len());
        self.toggles.reserve(old.toggles.len() + fresh.len());

        let mut changed: Vec<bool> = Vec::with_capacity(old.edges.len() + fresh.len());
        let mut replaced = rewiring.edges.iter().copied().peekable();
        let mut fresh = fresh.into_iter().peekable();
        for (i, ends) in old.edges.iter().enumerate() {
            let key = entry(ends[0], ends[1], 0).0;
            while fresh.peek().is_some_and(|f| f.0 < key) {
                self.gather_next(&mut fresh, Vec::new());
                changed.resize(self.edges.len(), true);
            }
            if replaced.next_if_eq(&(i as u32)).is_some() {
                continue;
            }
            let kept = &old.toggles[range(&old.starts, i)];
            if fresh.peek().is_some_and(|f| f.0 == key) {
                self.gather_next(&mut fresh, kept.iter().map(|ring| (key, *ring)).collect());
                changed.resize(self.edges.len(), true);
            } else {
                self.edges.push(*ends);
                self.toggles.extend_from_slice(kept);
                self.starts.push(self.toggles.len() as u32);
                changed.push(false);
            }
        }
        self.gather(fresh);
        changed.resize(self.edges.len(), true);
        changed
    }

    /// Takes the entries of the next edge off `entries`, with `more` of the same edge.
    fn gather_next(&mut self, entries: &mut std::iter::Peekable<impl Iterator<Item = Entry>>, more: Vec<Entry>) {
        let Some(&(key, _)) = entries.peek() else { return };
        let mut own = more;
        while let Some(e) = entries.next_if(|e| e.0 == key) {
            own.push(e);
        }
        own.sort_unstable();
        self.gather(own.into_iter());
    }

    /// Adds the edges of sorted entries, leaving out what cancels.
    fn gather(&mut self, entries: impl Iterator<Item = Entry>) {
        let mut entries = entries.peekable();
        while let Some(&(key, _)) = entries.peek() {
            let before = self.toggles.len();
            while let Some((_, ring)) = entries.next_if(|e| e.0 == key) {
                if self.toggles.len() > before && self.toggles.last() == Some(&ring) {
                    self.toggles.pop();
                } else {
                    self.toggles.push(ring);
                }
            }
            if self.toggles.len() > before {
                self.edges.push([(key >> 32) as u32, key as u32]);
                self.starts.push(self.toggles.len() as u32);
            }
        }
    }
}

fn range(starts: &[u32], i: usize) -> Range<usize> {
    starts[i] as usize..starts[i + 1] as usize
}

/// A point as a number that sorts as points do.
pub(super) fn sortable(p: Point) -> u64 {
    let biased = |v: i32| u64::from(v as u32 ^ 0x8000_0000);
    biased(p.x) << 32 | biased(p.y)
}
