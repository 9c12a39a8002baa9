//! One tile's coordinates: the world grid seen through a zoom and an origin.

use crate::coord::TileCoord;
use crate::world::World;

/// Tile units along each side of a tile.
pub const EXTENT: u32 = 4096;

/// Tile units that a tile shows beyond each of its sides.
pub const BUFFER: u32 = 64;

/// log2 of [`EXTENT`].
const EXTENT_BITS: u8 = 12;

/// A position in tile units: x eastwards, y southwards from the tile's north-west corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePoint {
    /// Units east of the tile's western side.
    pub x: i32,
    /// Units south of the tile's northern side.
    pub y: i32,
}

impl TilePoint {
    /// The point at `x`, `y`.
    #[inline]
    #[must_use]
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }
}

/// The units of one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileSpace {
    /// Bits by which a world unit is finer than a tile unit; negative below zoom 20.
    shift: i8,
    origin_x: i64,
    origin_y: i64,
}

impl TileSpace {
    /// The units of `tile`.
    #[must_use]
    pub fn new(tile: TileCoord) -> Self {
        Self {
            shift: (32 - EXTENT_BITS) as i8 - tile.z() as i8,
            origin_x: i64::from(tile.x()) << EXTENT_BITS,
            origin_y: i64::from(tile.y()) << EXTENT_BITS,
        }
    }

    /// Where a world position lies in the tile, rounded to the zoom's grid: the
    /// same for every tile of the zoom but for the origin. Positions farther than
    /// 2^31 units away (an eighth of the globe at zoom 22) stop there.
    #[inline]
    #[must_use]
    pub fn locate(&self, w: World) -> TilePoint {
        let axis = |w: i32, origin: i64| {
            let from_rim = i64::from(w) + (1 << 31);
            let global = if self.shift > 0 {
                (from_rim + (1i64 << (self.shift - 1))) >> self.shift
            } else {
                from_rim << -self.shift
            };
            (global - origin).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
        };
        TilePoint { x: axis(w.x, self.origin_x), y: axis(w.y, self.origin_y) }
    }

    /// World units along one tile unit.
    #[must_use]
    pub fn world_units(&self) -> f64 {
        f64::from(self.shift).exp2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_tiles_see_a_position_at_the_same_place_of_the_grid() {
        for (x, y) in [(1_203_840_000, 360_672_000), (1_203_841_237, 360_679_999), (-1, -1)] {
            let w = World::from_e7(x, y);
            for z in 1..=22 {
                let tile = TileCoord::of(w, z).unwrap();
                let global = |t: TileCoord| {
                    let p = TileSpace::new(t).locate(w);
                    (i64::from(p.x) + i64::from(t.x()) * 4096, i64::from(p.y) + i64::from(t.y()) * 4096)
                };
                let east = TileCoord::new(z, tile.x() ^ 1, tile.y()).unwrap();
                assert_eq!(global(tile), global(east));
                let p = TileSpace::new(tile).locate(w);
                assert!((0..=4096).contains(&p.x) && (0..=4096).contains(&p.y), "{tile} {p:?}");
            }
        }
    }
}
