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

use std::sync::Arc;

use crate::area::{AreaId, Level};
use crate::coverage::Coverage;
use crate::lattice::Point;
use crate::topology::FaceId;
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
        let at = &self.grid.slots[slot];
        let corner = (i64::from(p.x) - i64::from(x), i64::from(p.y) - i64::from(y));
        FaceId(block::face_at(&at.words, at.k, self.grid.layout.shift, corner, x, y))
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
        let shift = self.grid.layout.shift;
        let mut seen: [(&[u32], u32, u32, u32); BATCH] = [(&[], 0, 0, 0); BATCH];
        for (p, seen) in points.iter().zip(&mut seen) {
            let (slot, x, y) = self.grid.layout.slot_of(*p);
            let at = &self.grid.slots[slot];
            *seen = (&at.words, at.k, x, y);
        }
        for ((words, k, x, y), face) in seen.iter().zip(&mut *faces) {
            face.0 = words[block::place_of_entry(*k, shift, *x, *y)];
        }
        // The points whose leaf has borders, and a first look at what their leaves hold.
        let (mut open, mut n) = ([0u8; BATCH], 0);
        for (i, face) in faces.iter().enumerate() {
            open[n % BATCH] = i as u8;
            n += usize::from(face.0 & block::OFFSET != 0);
        }
        let open = &open[..n];
        let mut heads = [0u32; BATCH];
        for (i, head) in open.iter().zip(&mut heads) {
            *head = block::look_behind(seen[usize::from(*i)].0, faces[usize::from(*i)].0);
        }
        std::hint::black_box(&heads);
        for i in open.iter().map(|i| usize::from(*i)) {
            let (words, k, x, y) = seen[i];
            let corner = (i64::from(points[i].x) - i64::from(x), i64::from(points[i].y) - i64::from(y));
            faces[i].0 = block::face_behind(words, faces[i].0, k, shift, corner, x, y);
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
        let shared = |i: usize, words: &Arc<[u32]>| {
            other.and_then(|o| o.grid.slots.get(i)).is_some_and(|o| Arc::ptr_eq(&o.words, words))
        };
        let blocks: usize = (self.grid.slots.iter().enumerate())
            .filter(|(i, slot)| !shared(*i, &slot.words))
            .map(|(_, slot)| size_of_val(&*slot.words))
            .sum();
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
