//! Spots in buckets on the ground: a move costs the same wherever it goes, and the
//! nearest are found ring by ring.
//!
//! Cells hold their entries side by side with the traits that a filter asks for, so a
//! search reads no other memory for those that it passes over. Cells lie in blocks of
//! eight by eight; only blocks with somebody in them exist.
//!
//! Invariant: every seated slot stands in the cell of its spot, and its seat says
//! where ([`Buckets::sanity_check`]). This file must not know workers, ids or times.

use rustc_hash::FxHashMap;

use super::bands::{Bands, BlockKey, Cell, SIDE};
use super::sphere::Spot;

/// Sets of traits (a role, skills) as bits; see [`super::traits`].
pub(super) type Mask = u64;

/// Somebody in a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) spot: Spot,
    pub(super) mask: Mask,
    pub(super) slot: u32,
}

const CELLS: usize = (SIDE * SIDE) as usize;
const NOWHERE: u32 = u32::MAX;

/// Where an entry stands.
#[derive(Clone, Copy, Debug)]
struct Seat {
    block: u32,
    cell: u32,
    at: u32,
}

const UNSEATED: Seat = Seat { block: NOWHERE, cell: 0, at: 0 };

/// The bits of a mask that are set, ascending.
#[inline]
pub(super) fn bits(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}

/// Eight by eight cells.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) key: BlockKey,
    pub(super) cells: Box<[Vec<Entry>; CELLS]>,
    /// Which cells have entries: bit `n` for cell `n`.
    pub(super) occupied: u64,
    /// How many entries it holds.
    pub(super) count: u32,
    /// For each trait the cells in which somebody has it, as in `occupied`: a filter opens
    /// no other.
    holding: Box<[u64; 64]>,
}

impl Block {
    /// The cells in which somebody may have all of `traits`; all that are occupied for none.
    #[inline]
    pub(super) fn holding(&self, traits: Mask) -> u64 {
        bits(traits).fold(self.occupied, |cells, bit| cells & self.holding[bit])
    }

    /// Writes down that an entry of a cell has the traits `come`, and that one which had
    /// `gone` is no longer there.
    fn note(&mut self, cell: usize, gone: Mask, come: Mask) {
        for bit in bits(come) {
            self.holding[bit] |= 1 << cell;
        }
        for bit in bits(gone & !come) {
            if !self.cells[cell].iter().any(|e| e.mask >> bit & 1 == 1) {
                self.holding[bit] &= !(1 << cell);
            }
        }
    }
}

/// The buckets of one duty state.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    bands: Bands,
    places: FxHashMap<BlockKey, u32>,
    blocks: Vec<Block>,
    seats: Vec<Seat>,
    count: usize,
    /// How many entries have each trait.
    with_trait: [u32; 64],
}

impl Buckets {
    /// Empty buckets over cells of 2^`shift` lattice units.
    pub(super) fn new(shift: u32) -> Self {
        Self {
            bands: Bands::new(shift),
            places: FxHashMap::default(),
            blocks: Vec::new(),
            seats: Vec::new(),
            count: 0,
            with_trait: [0; 64],
        }
    }

    pub(super) fn bands(&self) -> &Bands {
        &self.bands
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many entries have all of `traits`, at most.
    pub(super) fn with_traits(&self, traits: Mask) -> usize {
        bits(traits).map(|bit| self.with_trait[bit] as usize).min().unwrap_or(self.count)
    }

    /// Blocks with somebody in them.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The block of that key, if somebody is in it.
    #[inline]
    pub(super) fn block(&self, key: BlockKey) -> Option<&Block> {
        self.places.get(&key).map(|at| &self.blocks[*at as usize])
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.blocks.iter().flat_map(|b| b.cells.iter().flatten())
    }

    /// Puts an entry where it belongs, from wherever its slot stood before.
    #[inline]
    pub(super) fn put(&mut self, entry: Entry) {
        let slot = entry.slot as usize;
        if self.seats.len() <= slot {
            self.seats.resize(slot + 1, UNSEATED);
        }
        let cell = self.bands.cell(entry.spot.x, entry.spot.y);
        let seat = self.seats[slot];
        if seat.block != NOWHERE {
            let block = &mut self.blocks[seat.block as usize];
            if block.key == cell.block() && seat.cell as usize == cell.in_block() {
                let known = &mut block.cells[seat.cell as usize][seat.at as usize];
                let before = std::mem::replace(known, entry).mask;
                if before != entry.mask {
                    block.note(cell.in_block(), before, entry.mask);
                    self.count_traits(before, entry.mask);
                }
                return;
            }
            self.take(entry.slot);
        }
        self.seat(cell, entry);
    }

    /// Takes a slot out; nothing happens where it is not seated.
    pub(super) fn take(&mut self, slot: u32) {
        let Some(seat) = self.seats.get_mut(slot as usize) else { return };
        let Seat { block, cell, at } = std::mem::replace(seat, UNSEATED);
        if block == NOWHERE {
            return;
        }
        let from = &mut self.blocks[block as usize];
        let entries = &mut from.cells[cell as usize];
        let gone = entries.swap_remove(at as usize);
        if let Some(moved) = entries.get(at as usize) {
            self.seats[moved.slot as usize].at = at;
        }
        if entries.is_empty() {
            from.occupied &= !(1 << cell);
        }
        from.count -= 1;
        from.note(cell as usize, gone.mask, 0);
        let is_empty = from.count == 0;
        self.count -= 1;
        self.count_traits(gone.mask, 0);
        if is_empty {
            self.drop_block(block);
        }
    }

    fn seat(&mut self, cell: Cell, entry: Entry) {
        let key = cell.block();
        let next = self.blocks.len() as u32;
        let at = *self.places.entry(key).or_insert(next);
        if at == next {
            let cells = Box::new(std::array::from_fn(|_| Vec::new()));
            self.blocks.push(Block { key, cells, occupied: 0, count: 0, holding: Box::new([0; 64]) });
        }
        let block = &mut self.blocks[at as usize];
        let entries = &mut block.cells[cell.in_block()];
        self.seats[entry.slot as usize] = Seat { block: at, cell: cell.in_block() as u32, at: entries.len() as u32 };
        entries.push(entry);
        block.occupied |= 1 << cell.in_block();
        block.count += 1;
        block.note(cell.in_block(), 0, entry.mask);
        self.count += 1;
        self.count_traits(0, entry.mask);
    }

    fn count_traits(&mut self, gone: Mask, come: Mask) {
        bits(gone & !come).for_each(|bit| self.with_trait[bit] -= 1);
        bits(come & !gone).for_each(|bit| self.with_trait[bit] += 1);
    }

    /// Removes an empty block; the last one takes its place.
    fn drop_block(&mut self, at: u32) {
        let gone = self.blocks.swap_remove(at as usize);
        self.places.remove(&gone.key);
        if let Some(moved) = self.blocks.get(at as usize) {
            self.places.insert(moved.key, at);
            for entry in moved.cells.iter().flatten() {
                self.seats[entry.slot as usize].block = at;
            }
        }
    }

    /// Every contradiction between seats, cells and counts.
    #[cfg(test)]
    pub(super) fn sanity_check(&self) -> Vec<String> {
        let mut defects = Vec::new();
        let mut seen = 0;
        for (b, block) in self.blocks.iter().enumerate() {
            let held: usize = block.cells.iter().map(Vec::len).sum();
            seen += held;
            if held != block.count as usize || held == 0 || self.places.get(&block.key) != Some(&(b as u32)) {
                defects.push(format!("block {b} counts {} and holds {held}", block.count));
            }
            for (c, entries) in block.cells.iter().enumerate() {
                if entries.is_empty() == (block.occupied >> c & 1 == 1) {
                    defects.push(format!("block {b} errs about whether cell {c} is empty"));
                }
                for (i, entry) in entries.iter().enumerate() {
                    let seat = self.seats[entry.slot as usize];
                    if (seat.block, seat.cell, seat.at) != (b as u32, c as u32, i as u32) {
                        defects.push(format!("slot {} stands elsewhere than its seat says", entry.slot));
                    }
                    if self.bands.cell(entry.spot.x, entry.spot.y) != block.key.cell(c) {
                        defects.push(format!("slot {} stands in a cell that is not its own", entry.slot));
                    }
                }
                let held = entries.iter().fold(0, |held, e| held | e.mask);
                let noted = (0..64).filter(|bit| block.holding[*bit] >> c & 1 == 1).fold(0, |m, bit| m | 1 << bit);
                if held != noted {
                    defects.push(format!("cell {c} of block {b} has traits {held:b} and says {noted:b}"));
                }
            }
        }
        for bit in 0..64 {
            let counted = self.entries().filter(|e| e.mask >> bit & 1 == 1).count();
            if counted != self.with_trait[bit] as usize {
                defects.push(format!("{counted} have trait {bit}, not {}", self.with_trait[bit]));
            }
        }
        let seated = self.seats.iter().filter(|s| s.block != NOWHERE).count();
        if seen != self.count || seated != seen || self.places.len() != self.blocks.len() {
            defects.push(format!("{seen} entries, {seated} seats, a count of {}", self.count));
        }
        defects
    }
}
