//! Who owns a place: from a point on the lattice to its face, exactly.
//!
//! Invariant: every lattice point has one face, by the half-open rule. A point `p`
//! belongs to the face at (x + ε, y + ε²): on a border to the face at its east, on a
//! horizontal border to the face at its north. Nothing is ever "almost" inside.
//!
//! The ground is cut into blocks and those into leaves of 2^12 units, 45 m. A leaf
//! wholly inside one face answers at once; a leaf with borders holds the few edges
//! that an exact answer takes. Blocks are shared between one locator and the next.
//!
//! A locator answers for the coverage that it was built from. It must not know:
//! how a coverage came about, degrees, codes' meaning, the wire.

mod block;
mod edge;
mod grid;
mod place;
mod raster;
mod search;
mod tree;
mod unit;

use std::sync::Arc;

use crate::area::{AreaId, Level};
use crate::coverage::Coverage;
use crate::lattice::Point;
use crate::topology::FaceId;
use block::Block;
use grid::{Grid, NO_RANK};

pub use place::{Nearest, Place};
pub use tree::FaceTree;
pub(crate) use tree::{holds, is_crossed};

/// The index that answers which face a point belongs to.
#[derive(Clone, Debug)]
pub struct Locator {
    grid: Grid,
    /// For each border the topmost level at which its sides differ.
    ranks: Arc<[u8]>,
    /// For each face its owner.
    owners: Arc<[Option<Owner>]>,
}

/// The owner of a face, and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    area: AreaId,
    level: Level,
}

/// How many points are looked up at a time: enough to have many of them wait for
/// memory at once, few enough that what is kept for them stays near.
const BATCH: usize = 256;

/// A point of a batch that is not answered yet.
#[derive(Clone, Copy, Default)]
struct Open {
    /// Which point.
    i: u32,
    /// Its block, and where it lies in it.
    slot: u32,
    x: u32,
    y: u32,
    /// The entry, or where the first unit of its leaf stands, 2^width wide.
    at: u32,
    width: u32,
}

impl Locator {
    /// Builds the index of a coverage.
    #[must_use]
    pub fn build(coverage: &Coverage) -> Self {
        let ranks = ranks(coverage);
        Self { grid: Grid::build(coverage, &ranks), ranks, owners: owners(coverage) }
    }

    /// The index of `new`, which came from `old` by an edit; `self` is that of `old`.
    /// Blocks that no changed border touches are shared with `self`.
    #[must_use]
    pub fn updated(&self, old: &Coverage, new: &Coverage) -> Self {
        let ranks = ranks(new);
        match self.grid.updated(old, new, &self.ranks, &ranks) {
            Some(grid) => Self { grid, ranks, owners: owners(new) },
            None => Self::build(new),
        }
    }

    /// The face that `p` belongs to.
    #[inline]
    #[must_use]
    pub fn face_at(&self, p: Point) -> FaceId {
        let (slot, x, y) = self.grid.layout.slot_of(p);
        let entry = self.grid.entry(slot, x, y);
        if entry & block::OPEN == 0 {
            return FaceId(entry);
        }
        FaceId(block::face_behind(&self.grid.blocks[slot].lines, entry, wide(p), x, y))
    }

    /// The faces that many points belong to, faster than one by one.
    ///
    /// # Panics
    ///
    /// If the two slices differ in length.
    pub fn face_at_many(&self, points: &[Point], faces: &mut [FaceId]) {
        assert_eq!(points.len(), faces.len(), "one face is wanted for each point");
        for (points, faces) in points.chunks(BATCH).zip(faces.chunks_mut(BATCH)) {
            self.face_at_few(points, faces);
        }
    }

    /// Looks up at most [`BATCH`] points in steps. Each step reads one thing for every
    /// point, without a branch that could be guessed wrong: so the reads of a step, most
    /// of which wait for memory, wait together.
    fn face_at_few(&self, points: &[Point], faces: &mut [FaceId]) {
        let (mut open, mut n) = ([Open::default(); BATCH], 0);
        for (i, (p, face)) in points.iter().zip(&mut *faces).enumerate() {
            let (slot, x, y) = self.grid.layout.slot_of(*p);
            let at = self.grid.entry(slot, x, y);
            face.0 = at;
            open[n % BATCH] = Open { i: i as u32, slot: slot as u32, x, y, at, width: 0 };
            n += usize::from(at & block::OPEN != 0);
        }
        let lines = |one: &Open| &*self.grid.blocks[one.slot as usize].lines;
        // Here and below: a look at each, to have it fetched.
        let looks = open[..n].iter().map(|one| lines(one)[block::width_and_line(one.at).1].word(0));
        std::hint::black_box(looks.fold(0, |seen, word| seen ^ word));
        let mut units = 0;
        for i in 0..n {
            let mut one = open[i];
            let (width, line) = block::width_and_line(one.at);
            let told = block::ask(lines(&one), line, width, one.x, one.y);
            faces[one.i as usize].0 = told.face;
            (one.at, one.width) = (told.unit as u32, width);
            open[units] = one;
            units += usize::from(told.is_open);
        }
        let looks = open[..units].iter().map(|one| block::unit_at(lines(one), one.at as usize)[0]);
        std::hint::black_box(looks.fold(0, |seen, word| seen ^ word));
        let mut rest = 0;
        for i in 0..units {
            let mut one = open[i];
            let (face, next) = block::begin_in_leaf(lines(&one), one.at as usize, one.width, one.x, one.y);
            faces[one.i as usize].0 = face;
            one.at = next as u32;
            open[rest] = one;
            rest += usize::from(next != 0);
        }
        let open = &open[..rest];
        let looks = open.iter().map(|one| block::unit_at(lines(one), one.at as usize)[0]);
        std::hint::black_box(looks.fold(0, |seen, word| seen ^ word));
        for one in open {
            let (p, face) = (wide(points[one.i as usize]), &mut faces[one.i as usize].0);
            *face = block::face_from(lines(one), one.at as usize, *face, one.width, p, one.x, one.y);
        }
    }

    /// The owner of a place: the deepest area known there.
    #[inline]
    #[must_use]
    pub fn owner_at(&self, p: Point) -> Option<AreaId> {
        self.owner_of(self.face_at(p)).map(|o| o.area)
    }

    /// How many bytes the index holds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes_not_shared_with(None)
    }

    /// How many bytes the index holds beyond those that are the same memory in `other`.
    #[must_use]
    pub fn bytes_not_shared_with(&self, other: Option<&Self>) -> usize {
        let shared = |i: usize, block: &Block| {
            other.and_then(|o| o.grid.blocks.get(i)).is_some_and(|o| Arc::ptr_eq(&o.lines, &block.lines))
        };
        let blocks: usize =
            (self.grid.blocks.iter().enumerate()).filter(|(i, b)| !shared(*i, b)).map(|(_, b)| b.bytes()).sum();
        blocks + self.bytes_of_tables()
    }

    /// How many bytes of it are tables that every version has of its own: a line for
    /// each block, border and face.
    #[must_use]
    pub fn bytes_of_tables(&self) -> usize {
        self.grid.bytes_of_tables() + self.ranks.len() + size_of_val(&*self.owners)
    }

    #[inline]
    fn owner_of(&self, face: FaceId) -> Option<Owner> {
        *self.owners.get(face.0 as usize)?
    }
}

/// A point in numbers that differences fit in.
#[inline]
fn wide(p: Point) -> (i64, i64) {
    (p.x.into(), p.y.into())
}

/// For each face its owner.
fn owners(coverage: &Coverage) -> Arc<[Option<Owner>]> {
    let mut owners = vec![None; coverage.face_slots()];
    for (id, face) in coverage.faces() {
        owners[id.0 as usize] = face.owner.and_then(|area| Some(Owner { area, level: coverage.area(area)?.level }));
    }
    owners.into()
}

/// For each border the topmost level at which its sides belong to different areas.
/// At the levels below that they differ too, or are both no area of that level.
fn ranks(coverage: &Coverage) -> Arc<[u8]> {
    let levels = coverage.levels().len();
    let chain = |owner: Option<AreaId>, chain: &mut Vec<Option<AreaId>>| {
        chain.clear();
        chain.resize(levels, None);
        let mut at = owner;
        while let Some((id, area)) = at.and_then(|id| Some((id, coverage.area(id)?))) {
            chain[usize::from(area.level.0)] = Some(id);
            at = area.parent;
        }
    };
    let mut ranks = vec![NO_RANK; coverage.border_slots()];
    let (mut left, mut right) = (Vec::new(), Vec::new());
    for (id, b) in coverage.borders() {
        let owner = |face| coverage.face(face).and_then(|f| f.owner);
        chain(owner(b.left), &mut left);
        chain(owner(b.right), &mut right);
        if let Some(level) = left.iter().zip(&right).position(|(l, r)| l != r) {
            ranks[id.0 as usize] = level as u8;
        }
    }
    ranks.into()
}
