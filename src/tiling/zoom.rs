//! The lines of one zoom: simplified, put on its grid together.
//!
//! Invariant: a line's entry follows from what is drawn at the zoom within a tile unit of
//! it. So after an edit only lines near a changed one are put on the grid again; entries lie
//! in shared chunks, and those of all others are the same memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::{BorderId, HalfEdge};
use tiles::{Chains, Grid, GridBox, GridPoint, TileCoord, TilePoint, snap};

use super::datum::Datum;
use super::lines::{CHUNK, Lines, WorldBox, place};

/// The lines of one zoom, by border.
#[derive(Clone, Debug)]
pub(super) struct ZoomLines {
    z: u8,
    grid: Grid,
    chunks: Vec<Arc<Chunk>>,
}

#[derive(Debug, Default)]
struct Chunk {
    lines: Chains<GridPoint>,
    met: Vec<bool>,
    boxes: Vec<GridBox>,
}

impl ZoomLines {
    /// The lines of zoom `z`; `None` beyond the deepest that has a grid.
    pub(super) fn draw(lines: &Lines, z: u8) -> Option<Self> {
        let grid = Grid::of(z)?;
        let mut given = Chains::new();
        (0..lines.slots()).for_each(|i| given.push(lines.kept(BorderId(i as u32), z)));
        let snapped = snap(grid, &given, |_| true);
        let all = (0..lines.slots()).map(|i| (snapped.lines.get(i), snapped.met[i] || !is_exact(lines)));
        let all: Vec<(&[GridPoint], bool)> = all.collect();
        Some(Self { z, grid, chunks: all.chunks(CHUNK).map(|lines| Arc::new(Chunk::of(lines))).collect() })
    }

    /// The lines of this zoom after an edit that left all but some as they were, and which
    /// ones were put on the grid again.
    pub(super) fn updated(&self, old: &Lines, new: &Lines, changed: &BTreeSet<BorderId>) -> (Self, Vec<BorderId>) {
        let margin = self.grid.unit();
        let moved = changed.iter().flat_map(|id| [old.bounds(*id), new.bounds(*id)]);
        let moved: Vec<WorldBox> = moved.filter(|b| *b != WorldBox::EMPTY).collect();
        let mut again: BTreeSet<BorderId> = new.near(&moved, margin).into_iter().collect();
        again.extend(changed);
        let around: Vec<WorldBox> = again.iter().map(|id| new.bounds(*id)).filter(|b| *b != WorldBox::EMPTY).collect();
        let context = new.near(&around, margin);
        let mut given = Chains::new();
        context.iter().for_each(|id| given.push(new.kept(*id, self.z)));
        let snapped = snap(self.grid, &given, |i| again.contains(&context[i]));

        let mut chunks = self.chunks.clone();
        chunks.resize_with(new.slots().div_ceil(CHUNK), Arc::default);
        let mut numbers: Vec<usize> = again.iter().map(|id| id.0 as usize / CHUNK).collect();
        numbers.dedup();
        for number in numbers {
            let Some(chunk) = chunks.get_mut(number) else { continue };
            let lines: Vec<(&[GridPoint], bool)> = (0..CHUNK)
                .map(|i| {
                    let id = BorderId((number * CHUNK + i) as u32);
                    if !again.contains(&id) {
                        return (self.line(id), self.has_met(id));
                    }
                    match context.binary_search(&id) {
                        Ok(at) => (snapped.lines.get(at), snapped.met[at] || !is_exact(new)),
                        Err(_) => (&[][..], false),
                    }
                })
                .collect();
            *chunk = Arc::new(Chunk::of(&lines));
        }
        (Self { z: self.z, grid: self.grid, chunks }, again.into_iter().collect())
    }

    /// The borders whose lines are others than in an earlier state, ascending.
    pub(super) fn other_than(&self, old: &Self) -> Vec<BorderId> {
        let mut others = Vec::new();
        for number in 0..self.chunks.len().max(old.chunks.len()) {
            let [new, old] = [self, old].map(|lines| lines.chunks.get(number));
            if matches!((new, old), (Some(a), Some(b)) if Arc::ptr_eq(a, b)) {
                continue;
            }
            let line = |chunk: Option<&Arc<Chunk>>, i| chunk.map_or_else(Vec::new, |c| c.lines.get(i).to_vec());
            let differ = (0..CHUNK).filter(|i| line(new, *i) != line(old, *i));
            others.extend(differ.map(|i| BorderId((number * CHUNK + i) as u32)));
        }
        others
    }

    pub(super) fn grid(&self) -> Grid {
        self.grid
    }

    /// The vertices of a border on the grid; fewer than two where nothing of it is left.
    #[inline]
    pub(super) fn line(&self, id: BorderId) -> &[GridPoint] {
        let (chunk, i) = place(id);
        self.chunks.get(chunk).map_or(&[][..], |c| c.lines.get(i))
    }

    /// The box around a border's line on the grid.
    #[inline]
    pub(super) fn bounds(&self, id: BorderId) -> GridBox {
        let (chunk, i) = place(id);
        self.chunks.get(chunk).and_then(|c| c.boxes.get(i)).copied().unwrap_or(GridBox::EMPTY)
    }

    /// Whether a line has come together with another or with itself.
    pub(super) fn has_met(&self, id: BorderId) -> bool {
        let (chunk, i) = place(id);
        self.chunks.get(chunk).and_then(|c| c.met.get(i)).copied().unwrap_or(false)
    }

    /// The vertices around a ring of half-edges, each once, walked as tiles want it: with
    /// the area to the right on the screen, that is against the half-edges.
    pub(super) fn ring<'a>(&'a self, ring: &'a [HalfEdge]) -> impl Iterator<Item = GridPoint> + 'a {
        ring.iter().rev().flat_map(|h| {
            let line = self.line(h.border());
            let (n, back) = (line.len(), h.is_forward());
            (1..n).map(move |i| if back { line[n - i] } else { line[i - 1] })
        })
    }
}

impl ZoomLines {
    /// Puts the vertices of a [ring](Self::ring) into a tile that holds them all.
    pub(super) fn put_ring(&self, ring: &[HalfEdge], tile: TileCoord, points: &mut Vec<TilePoint>) {
        for h in ring.iter().rev() {
            // Walked back; what the next line begins with is left to it.
            match self.line(h.border()) {
                [_, line @ ..] if h.is_forward() => points.extend(line.iter().rev().map(|p| p.in_tile(tile))),
                [line @ .., _] => points.extend(line.iter().map(|p| p.in_tile(tile))),
                [] => {}
            }
        }
    }
}

impl Chunk {
    fn of(all: &[(&[GridPoint], bool)]) -> Self {
        let mut chunk = Self::default();
        for (line, met) in all {
            chunk.boxes.push(GridBox::around(line.iter().copied()));
            chunk.lines.push(line.iter().copied());
            chunk.met.push(*met);
        }
        chunk
    }
}

/// Whether two places of the lattice are always two of the world grid. In another datum
/// they may be one, and then nothing tells that lines have met there.
fn is_exact(lines: &Lines) -> bool {
    lines.datum() == Datum::Wgs84
}
