//! The blocks of a coverage side by side, and which of them an edit touches.
//!
//! Before the blocks stands one table of their entries, four by four a block: half of all
//! points are answered by it, and it is small enough to stay near.
//!
//! Invariant: a block's words follow from the edges that touch it and from the face
//! at its corner alone, so a block that an edit leaves alone is the same words, and
//! is shared as the same memory.

use std::sync::Arc;

use rayon::prelude::*;

use super::block::{Block, Line, Node, TOP_SPLITS};
use super::edge::{Edge, Square};
use super::raster;
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::topology::{Border, BorderId, FaceId};

/// Blocks are at least 2^17 units wide (1.5 km): 32 by 32 leaves of 2^12.
const LEAST_SHIFT: u32 = 17;
/// Blocks are at most half of all longitudes wide, so that a block's size fits 32 bits.
const MOST_SHIFT: u32 = 31;
/// How many blocks there may be, however far apart the ground lies.
const MOST_BLOCKS: u64 = 1 << 16;

/// Where the blocks lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) shift: u32,
    pub(super) columns: u32,
    pub(super) rows: u32,
}

/// The highest level, counted from the top, that no border divides.
pub(super) const NO_RANK: u8 = u8::MAX;

/// All blocks of a coverage, row by row from the south-west.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    pub(super) layout: Layout,
    /// The entries of each block; one more than there are blocks, for what lies beside them all.
    entries: Vec<Line>,
    pub(super) blocks: Vec<Block>,
    /// The face at the south-west corner of each block.
    corners: Vec<u32>,
    /// For each block the topmost level that a border in it divides.
    pub(super) ranks: Vec<u8>,
}

impl Layout {
    /// The layout for borders: wide enough blocks that neither their number nor the
    /// passing of edges from one to the next outgrows the edges themselves.
    fn of(coverage: &Coverage) -> Self {
        let bounds = coverage.bounds();
        if bounds.is_empty() {
            return Self { x: 0, y: 0, shift: LEAST_SHIFT, columns: 0, rows: 0 };
        }
        let (mut edges, mut reach) = (0u64, 0u64);
        for (_, b) in coverage.borders() {
            edges += b.line.len() as u64 - 1;
            for w in b.line.windows(2) {
                reach += u64::from(w[0].x.abs_diff(w[1].x)) + u64::from(w[0].y.abs_diff(w[1].y));
            }
        }
        // West and south of everything, so that the first column begins outside.
        let (x, y) = (i64::from(bounds.min.x) - 1, i64::from(bounds.min.y) - 1);
        let count = |from: i64, to: i32, shift: u32| ((i64::from(to) - from) >> shift) as u64 + 1;
        let size = |s: u32| (count(x, bounds.max.x, s), count(y, bounds.max.y, s));
        let fits = |s: &u32| {
            let (columns, rows) = size(*s);
            columns * rows <= (4 * edges).clamp(1 << 10, MOST_BLOCKS) && reach >> s <= 2 * edges + 4096
        };
        let shift = (LEAST_SHIFT..MOST_SHIFT).find(fits).unwrap_or(MOST_SHIFT);
        let (columns, rows) = size(shift);
        Self { x, y, shift, columns: columns as u32, rows: rows as u32 }
    }

    /// Whether everything within `bounds` lies in some block, and nothing beside the first corners.
    fn holds(&self, bounds: Bounds) -> bool {
        let inside = |p: Point| {
            let (x, y) = (i64::from(p.x) - self.x, i64::from(p.y) - self.y);
            x > 0 && y > 0 && x >> self.shift < i64::from(self.columns) && y >> self.shift < i64::from(self.rows)
        };
        bounds.is_empty() || (inside(bounds.min) && inside(bounds.max))
    }

    /// The slot that holds a point, and where the point lies in its block: without a
    /// branch, for look-ups in a batch.
    #[inline]
    pub(super) fn slot_of(&self, p: Point) -> (usize, u32, u32) {
        let (x, y) = ((i64::from(p.x) - self.x) as u64, (i64::from(p.y) - self.y) as u64);
        let (column, row) = (x >> self.shift, y >> self.shift);
        let is_inside = (column < u64::from(self.columns)) & (row < u64::from(self.rows));
        let slot = (row.wrapping_mul(u64::from(self.columns)).wrapping_add(column)) as usize;
        let side = (1u64 << self.shift) - 1;
        (if is_inside { slot } else { self.len() }, (x & side) as u32, (y & side) as u32)
    }

    /// The square of a slot.
    #[inline]
    pub(super) fn square(&self, slot: usize) -> Square {
        let (column, row) = (slot as u32 % self.columns, slot as u32 / self.columns);
        Square {
            x: self.x + (i64::from(column) << self.shift),
            y: self.y + (i64::from(row) << self.shift),
            shift: self.shift,
        }
    }

    fn len(&self) -> usize {
        self.columns as usize * self.rows as usize
    }

    /// Calls `f` for each slot whose closed block an edge touches.
    fn for_each_slot(&self, e: &Edge, mut f: impl FnMut(usize)) {
        let at = Square { x: self.x, y: self.y, shift: self.shift };
        let last = (i64::from(self.columns) - 1, i64::from(self.rows) - 1);
        raster::for_each_cell(e, at, self.shift, last, |column, row| {
            f(row as usize * self.columns as usize + column as usize);
        });
    }
}

/// The edges of a border.
fn edges_of(id: BorderId, b: &Border) -> impl Iterator<Item = Edge> {
    let delta = b.right.0.wrapping_sub(b.left.0);
    b.line.windows(2).map(move |w| Edge { a: w[0], b: w[1], delta, border: id.0 })
}

impl Grid {
    /// All blocks of a coverage. `ranks` tells of each border the topmost level that it divides.
    pub(super) fn build(coverage: &Coverage, ranks: &[u8]) -> Self {
        let layout = Layout::of(coverage);
        let (outside, entries) = Block::of_face(FaceId::OUTSIDE.0, layout.shift);
        let mut grid = Self {
            layout,
            entries: vec![entries; layout.len() + 1],
            blocks: vec![outside; layout.len() + 1],
            corners: vec![FaceId::OUTSIDE.0; layout.len()],
            ranks: vec![NO_RANK; layout.len()],
        };
        let all = vec![true; layout.len()];
        let borders: Vec<_> = coverage.borders().collect();
        grid.rebuild(&borders, ranks, &all);
        grid
    }

    /// The blocks of `new`, those shared with `self`, which are of `old`, that no
    /// border which differs touches; `None` where the ground has outgrown them.
    pub(super) fn updated(&self, old: &Coverage, new: &Coverage, old_ranks: &[u8], ranks: &[u8]) -> Option<Self> {
        if !self.layout.holds(new.bounds()) {
            return None;
        }
        let mut touched = vec![false; self.layout.len()];
        let mut wanted = vec![false; new.border_slots()];
        for id in (0..old.border_slots().max(new.border_slots()) as u32).map(BorderId) {
            let i = id.0 as usize;
            let (before, after) = (old.border(id), new.border(id));
            let is_same = match (before, after) {
                (Some(a), Some(b)) => {
                    a.left == b.left
                        && a.right == b.right
                        && (Arc::ptr_eq(&a.line, &b.line) || a.line == b.line)
                        && old_ranks.get(i) == ranks.get(i)
                }
                (None, None) => true,
                _ => false,
            };
            if !is_same {
                if after.is_some() {
                    wanted[i] = true;
                }
                for e in [before, after].into_iter().flatten().flat_map(|b| edges_of(id, b)) {
                    self.layout.for_each_slot(&e, |slot| touched[slot] = true);
                }
            }
        }
        // What else lies in a touched block is named in the block itself.
        for (slot, _) in touched.iter().enumerate().filter(|(_, t)| **t) {
            for border in &*self.blocks[slot].borders {
                if let Some(is_wanted) = wanted.get_mut(*border as usize) {
                    *is_wanted = true;
                }
            }
        }
        let borders: Vec<_> = (0..wanted.len())
            .filter(|i| wanted[*i])
            .map(|i| BorderId(i as u32))
            .filter_map(|id| Some((id, new.border(id)?)))
            .collect();
        let mut grid = self.clone();
        grid.rebuild(&borders, ranks, &touched);
        Some(grid)
    }

    /// The entry of a point (x, y) of a block: its face, or where the block says more.
    #[inline]
    pub(super) fn entry(&self, slot: usize, x: u32, y: u32) -> u32 {
        let shift = self.layout.shift - TOP_SPLITS;
        self.entries[slot].word(((y >> shift) << TOP_SPLITS | x >> shift) as usize)
    }

    /// The leaves of a block; `None` for one without borders, and beside all blocks.
    #[inline]
    pub(super) fn node(&self, slot: usize) -> Option<Node<'_>> {
        let square = (slot < self.layout.len()).then(|| self.layout.square(slot))?;
        self.blocks[slot].node(square)
    }

    /// Bytes of the tables, without the blocks.
    pub(super) fn bytes_of_tables(&self) -> usize {
        size_of_val(&*self.blocks) + size_of_val(&*self.entries) + size_of_val(&*self.corners) + self.ranks.len()
    }

    /// Builds the touched blocks anew from the borders that may lie in them, by
    /// ascending id, and puts the right face at every corner.
    fn rebuild(&mut self, borders: &[(BorderId, &Border)], ranks: &[u8], touched: &[bool]) {
        let layout = self.layout;
        let columns = layout.columns as usize;
        if columns == 0 {
            return;
        }
        let (starts, edges) = sort_into_slots(layout, borders, touched);
        let of_slot = |slot: usize| &edges[starts[slot] as usize..starts[slot + 1] as usize];

        // Each row begins outside; every block adds what its south side passes.
        let before = std::mem::take(&mut self.corners);
        let mut corners = vec![FaceId::OUTSIDE.0; before.len()];
        corners.par_chunks_mut(columns).zip(before.par_chunks(columns)).enumerate().for_each(
            |(row, (corners, before))| {
                for column in 1..columns {
                    let west = row * columns + column - 1;
                    corners[column] = corners[column - 1].wrapping_add(if touched[west] {
                        raster::along_south(of_slot(west), layout.square(west))
                    } else {
                        before[column].wrapping_sub(before[column - 1])
                    });
                }
            },
        );
        let places = self.blocks.par_iter_mut().zip(&mut self.entries).zip(&mut self.ranks);
        places.enumerate().for_each(|(slot, ((block, entries), rank))| {
            let corner = corners[slot];
            if touched[slot] {
                let edges = of_slot(slot);
                *rank = edges.iter().filter_map(|e| ranks.get(e.border as usize)).min().copied().unwrap_or(NO_RANK);
                if let Some(built) = raster::build(edges, layout.square(slot), corner) {
                    *entries = built.entries(layout.shift);
                    *block = built;
                    return;
                }
            } else if corner == before[slot] {
                return;
            }
            // No border comes near, so the corner tells all.
            (*block, *entries) = Block::of_face(corner, layout.shift);
        });
        self.corners = corners;
    }
}

/// The edges by slot, as far as slots are touched; each slot's in the order of the borders.
fn sort_into_slots(layout: Layout, borders: &[(BorderId, &Border)], touched: &[bool]) -> (Vec<u32>, Vec<Edge>) {
    let mut starts = vec![0u32; layout.len() + 1];
    for e in borders.iter().flat_map(|(id, b)| edges_of(*id, b)) {
        layout.for_each_slot(&e, |slot| starts[slot + 1] += u32::from(touched[slot]));
    }
    for i in 0..layout.len() {
        starts[i + 1] += starts[i];
    }
    let nothing = Edge { a: Point::new(0, 0), b: Point::new(0, 0), delta: 0, border: 0 };
    let mut edges = vec![nothing; starts[layout.len()] as usize];
    let mut next = starts.clone();
    for e in borders.iter().flat_map(|(id, b)| edges_of(*id, b)) {
        layout.for_each_slot(&e, |slot| {
            if touched[slot] {
                edges[next[slot] as usize] = e;
                next[slot] += 1;
            }
        });
    }
    (starts, edges)
}
