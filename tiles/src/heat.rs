//! Points as heat: what lies in one cell of a coarse grid is one weighted point.
//!
//! The cells of a zoom are [`CELL`] tile units wide, lie on the whole globe, and are each four
//! of the next deeper zoom. Only those of the deepest are kept, in the order of a curve that
//! goes through all of a tile before it leaves it (Morton 1966), so a tile of any zoom is one
//! run of them, and a cell of that zoom a run of that run.
//!
//! Invariant: each point counts in one cell of a zoom, and each cell is in one tile. A tile has
//! no buffer: a client that smears heat over a seam does it from both sides.

use crate::coord::TileCoord;
use crate::space::{EXTENT, TilePoint, TileSpace};
use crate::world::{World, interleaved};

/// Tile units along the side of a cell: 8 pixels of a 512-pixel tile.
pub const CELL: u32 = 64;

/// The zoom of the finest cells; deeper tiles show these.
const DEEPEST: u8 = 16;

/// Bits of a cell's column within its tile.
const CELL_BITS: u8 = (EXTENT / CELL).ilog2() as u8;

/// Bits by which the finest cell is coarser than a world unit.
const SHIFT: u8 = 32 - CELL_BITS - DEEPEST;

/// What lies in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Warm {
    /// Its number: unique at a zoom.
    pub id: u64,
    /// The mean place of its points.
    pub at: TilePoint,
    /// How many points there are.
    pub count: u32,
    /// The sum of their weights.
    pub weight: f64,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    key: u64,
    count: u32,
    weight: f64,
    sum: (i64, i64),
}

/// All heat of a set of points.
#[derive(Clone, Debug)]
pub struct Heat {
    cells: Vec<Cell>,
}

impl Heat {
    /// Gathers places with their weights. Their order decides nothing but the last bits of sums
    /// of weights that are no whole numbers.
    #[must_use]
    pub fn build(points: impl IntoIterator<Item = (World, f64)>) -> Self {
        let mut cells: Vec<Cell> = points
            .into_iter()
            .map(|(at, weight)| Cell {
                key: at.curve() >> (2 * SHIFT),
                count: 1,
                weight,
                sum: (i64::from(at.x), i64::from(at.y)),
            })
            .collect();
        cells.sort_by_key(|cell| cell.key);
        cells.dedup_by(|next, first| {
            let is_same = next.key == first.key;
            if is_same {
                first.add(next);
            }
            is_same
        });
        cells.shrink_to_fit();
        Self { cells }
    }

    /// The warm cells of a tile.
    #[must_use]
    pub fn in_tile(&self, tile: TileCoord) -> Vec<Warm> {
        let key = interleaved(tile.x(), tile.y());
        // A tile's key is the front of the keys of its cells.
        let bits = 2 * (u32::from(DEEPEST) + u32::from(CELL_BITS)).saturating_sub(u32::from(tile.z()));
        let cell_bits = 2 * u32::from(DEEPEST.saturating_sub(tile.z()));
        let from = self.cells.partition_point(|cell| cell.key >> bits < key);
        let run = &self.cells[from..];
        let run = &run[..run.partition_point(|cell| cell.key >> bits == key)];
        let space = TileSpace::new(tile);
        let same = |a: &Cell, b: &Cell| a.key >> cell_bits == b.key >> cell_bits;
        run.chunk_by(same)
            .map(|cells| {
                let mut whole = cells[0];
                cells[1..].iter().for_each(|cell| whole.add(cell));
                let count = i64::from(whole.count);
                let mean = |sum: i64| (2 * sum + count).div_euclid(2 * count) as i32;
                let p = space.locate(World { x: mean(whole.sum.0), y: mean(whole.sum.1) });
                // The mean of what lies in the tile's last half unit is rounded to the next tile.
                let within = |v: i32| v.clamp(0, EXTENT as i32 - 1);
                Warm {
                    id: whole.key >> cell_bits,
                    at: TilePoint::new(within(p.x), within(p.y)),
                    count: whole.count,
                    weight: whole.weight,
                }
            })
            .collect()
    }
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.weight += other.weight;
        self.sum = (self.sum.0 + other.sum.0, self.sum.1 + other.sum.1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn points(seed: u64, count: usize) -> Vec<(World, f64)> {
        let mut state = seed;
        let mut below = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let mut one = || {
            let wide = if below(2) == 0 { 3_000 } else { 4_000_000 };
            let at = World { x: -1_000 + below(wide) as i32, y: -500_000 + below(wide) as i32 };
            (at, below(9) as f64)
        };
        (0..count).map(|_| one()).collect()
    }

    #[test]
    fn tiles_hold_each_point_in_one_cell_at_every_zoom() {
        for seed in 0..6 {
            let all = points(seed, 2_000);
            let heat = Heat::build(all.iter().copied());
            for z in 0..=18u8 {
                let mut wanted: BTreeMap<(TileCoord, u64, u64), (u32, f64)> = BTreeMap::new();
                // Nothing clever: a cell is a square of so many world units.
                let side = (1u64 << (32 - 12 - u32::from(z.min(DEEPEST)))) * u64::from(CELL);
                for (at, weight) in &all {
                    let index = |v: i32| (i64::from(v) + (1 << 31)) as u64 / side;
                    let tile = TileCoord::of(*at, z).unwrap();
                    let cell = wanted.entry((tile, index(at.x), index(at.y))).or_default();
                    *cell = (cell.0 + 1, cell.1 + weight);
                }
                let tiles: std::collections::BTreeSet<TileCoord> = wanted.keys().map(|(t, ..)| *t).collect();
                for tile in tiles {
                    let sorted = |mut cells: Vec<(u32, f64)>| {
                        cells.sort_by(|a, b| a.partial_cmp(b).unwrap());
                        cells
                    };
                    let found = heat.in_tile(tile);
                    let of_tile = wanted.iter().filter(|((t, ..), _)| *t == tile).map(|(_, cell)| *cell).collect();
                    // Below the zoom of the finest cells a cell may lie in several tiles: then in none twice.
                    if z <= DEEPEST {
                        assert_eq!(
                            sorted(found.iter().map(|w| (w.count, w.weight)).collect()),
                            sorted(of_tile),
                            "seed {seed}, {tile}"
                        );
                    }
                    let mut ids: Vec<u64> = found.iter().map(|w| w.id).collect();
                    ids.sort_unstable();
                    ids.dedup();
                    assert_eq!(ids.len(), found.len());
                    assert!(found.iter().all(|w| (0..4096).contains(&w.at.x) && (0..4096).contains(&w.at.y)));
                }
            }
        }
    }

    #[test]
    fn weights_add_up_to_the_same_at_every_zoom() {
        let all = points(3, 5_000);
        let (heat, total) = (Heat::build(all.iter().copied()), all.iter().map(|(_, w)| w).sum::<f64>());
        for z in [0, 1, 4] {
            let tiles = (0..1 << z).flat_map(|x| (0..1 << z).map(move |y| TileCoord::new(z, x, y).unwrap()));
            let cells: Vec<Warm> = tiles.flat_map(|tile| heat.in_tile(tile)).collect();
            assert_eq!(cells.iter().map(|w| w.weight).sum::<f64>(), total);
            assert_eq!(cells.iter().map(|w| w.count).sum::<u32>(), 5_000);
        }
        assert!(Heat::build([]).in_tile(TileCoord::new(3, 1, 1).unwrap()).is_empty());
    }
}
