//! One zoom's grid over the whole globe: the world grid with bits shifted off.
//!
//! A [`GridPoint`] has the same numbers in every tile of its zoom. Around each lies its
//! *pixel*, the square of world positions that round to it: closed at the west and the
//! north, open at the east and the south, so every position is in one pixel.

use crate::coord::TileCoord;
use crate::space::{BUFFER, EXTENT, TilePoint};
use crate::world::World;

/// log2 of [`EXTENT`].
const EXTENT_BITS: u8 = 12;

/// A position on a zoom's grid: tile units east and south of the globe's north-west corner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GridPoint {
    /// Units eastwards.
    pub x: i32,
    /// Units southwards.
    pub y: i32,
}

impl GridPoint {
    /// The point at `x`, `y`.
    #[inline]
    #[must_use]
    pub const fn new(x: i32, y: i32) -> Self {
        Self { x, y }
    }

    /// Where it lies in a tile of its zoom.
    #[inline]
    #[must_use]
    pub fn in_tile(self, tile: TileCoord) -> TilePoint {
        let at = |v: i32, column: u32| v - (column << EXTENT_BITS) as i32;
        TilePoint::new(at(self.x, tile.x()), at(self.y, tile.y()))
    }
}

/// The grid of one zoom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Bits by which a world unit is finer than a tile unit.
    shift: u8,
}

impl Grid {
    /// The deepest zoom that has one: there a pixel is still wider than a world unit.
    pub const MAX_ZOOM: u8 = 18;

    /// The grid of zoom `z`; `None` beyond [`Self::MAX_ZOOM`].
    #[must_use]
    pub fn of(z: u8) -> Option<Self> {
        (z <= Self::MAX_ZOOM).then_some(Self { shift: 32 - EXTENT_BITS - z })
    }

    /// The point in whose pixel a world position lies.
    #[inline]
    #[must_use]
    pub fn round(self, w: World) -> GridPoint {
        GridPoint::new(self.pixel(i64::from(w.x)), self.pixel(i64::from(w.y)))
    }

    /// The same for one coordinate.
    #[inline]
    pub(crate) fn pixel(self, w: i64) -> i32 {
        // At most 2^30: a zoom has 2^18 tiles of 2^12 units at the most.
        ((w + (1 << 31) + self.half()) >> self.shift) as i32
    }

    /// The world coordinate of the middle of a pixel.
    #[inline]
    pub(crate) fn middle(self, pixel: i32) -> i64 {
        (i64::from(pixel) << self.shift) - (1 << 31)
    }

    /// The world positions that lie in the pixels of a box: the least of them and the greatest.
    #[must_use]
    pub fn pixels(self, b: GridBox) -> (World, World) {
        let at = |w: i64| w.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32;
        let low = |pixel: i32| at(self.middle(pixel) - self.half());
        let high = |pixel: i32| at(self.middle(pixel) + self.half() - 1);
        (World { x: low(b.min.x), y: low(b.min.y) }, World { x: high(b.max.x), y: high(b.max.y) })
    }

    /// World units along a pixel.
    #[inline]
    #[must_use]
    pub fn unit(self) -> i64 {
        1 << self.shift
    }

    /// World units from a pixel's middle to its side.
    #[inline]
    pub(crate) fn half(self) -> i64 {
        1 << (self.shift - 1)
    }
}

/// A closed box on a zoom's grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GridBox {
    /// The north-western corner.
    pub min: GridPoint,
    /// The south-eastern corner.
    pub max: GridPoint,
}

impl GridBox {
    /// The box that holds nothing.
    pub const EMPTY: Self = Self { min: GridPoint::new(i32::MAX, i32::MAX), max: GridPoint::new(i32::MIN, i32::MIN) };

    /// The smallest box around some points.
    #[must_use]
    pub fn around(points: impl IntoIterator<Item = GridPoint>) -> Self {
        points.into_iter().fold(Self::EMPTY, |b, p| Self {
            min: GridPoint::new(b.min.x.min(p.x), b.min.y.min(p.y)),
            max: GridPoint::new(b.max.x.max(p.x), b.max.y.max(p.y)),
        })
    }

    /// What a tile shows: itself and its buffer.
    #[must_use]
    pub fn of_tile(tile: TileCoord) -> Self {
        let (extent, buffer) = (EXTENT as i32, BUFFER as i32);
        let (x, y) = ((tile.x() as i32) << EXTENT_BITS, (tile.y() as i32) << EXTENT_BITS);
        Self {
            min: GridPoint::new(x - buffer, y - buffer),
            max: GridPoint::new(x + extent + buffer, y + extent + buffer),
        }
    }

    /// The smallest box around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            min: GridPoint::new(self.min.x.min(other.min.x), self.min.y.min(other.min.y)),
            max: GridPoint::new(self.max.x.max(other.max.x), self.max.y.max(other.max.y)),
        }
    }

    /// The box with a margin of `by` units around it; the empty one stays empty.
    #[must_use]
    pub fn grown(self, by: i32) -> Self {
        Self {
            min: GridPoint::new(self.min.x.saturating_sub(by), self.min.y.saturating_sub(by)),
            max: GridPoint::new(self.max.x.saturating_add(by), self.max.y.saturating_add(by)),
        }
    }

    /// Whether `p` lies in it, its rim included.
    #[inline]
    #[must_use]
    pub fn contains(self, p: GridPoint) -> bool {
        self.min.x <= p.x && p.x <= self.max.x && self.min.y <= p.y && p.y <= self.max.y
    }

    /// Whether the two boxes share a point.
    #[inline]
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.min.x <= other.max.x && other.min.x <= self.max.x && self.min.y <= other.max.y && other.min.y <= self.max.y
    }

    /// Whether all of another box lies in it.
    #[inline]
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.contains(other.min) && self.contains(other.max)
    }
}

/// The *cut lines* of a grid among the pixels from `from` to `to`: the sides of tiles and
/// of their buffers, in either direction.
pub(crate) fn cut_lines(from: i32, to: i32) -> impl Iterator<Item = i32> {
    let (extent, buffer) = (EXTENT as i32, BUFFER as i32);
    let first = (from - buffer).div_euclid(extent);
    let last = (to + buffer).div_euclid(extent);
    (first..=last)
        .flat_map(move |tile| [-buffer, 0, buffer].map(|off| tile * extent + off))
        .filter(move |line| from <= *line && *line <= to)
}

/// Whether there are any: quickly, for the many segments that meet none.
#[inline]
pub(crate) fn meets_cut_line(from: i32, to: i32) -> bool {
    let (extent, buffer) = (EXTENT as i32, BUFFER as i32);
    let off = (from + buffer).rem_euclid(extent);
    // Lines stand at 0, one and two buffers of what follows, and again at a tile's extent.
    let next = if off == 0 {
        0
    } else if off <= buffer {
        buffer - off
    } else if off <= 2 * buffer {
        2 * buffer - off
    } else {
        extent - off
    };
    i64::from(from) + i64::from(next) <= i64::from(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_at_the_same_place_of_the_grid_as_in_each_tile() {
        for (lon, lat) in [(1_203_840_000, 360_672_000), (-1, -1), (1_799_999_999, -850_000_000)] {
            let w = World::from_e7(lon, lat);
            for z in 0..=Grid::MAX_ZOOM {
                let tile = TileCoord::of(w, z).unwrap();
                let located = crate::TileSpace::new(tile).locate(w);
                assert_eq!(Grid::of(z).unwrap().round(w).in_tile(tile), located);
            }
        }
        assert_eq!(Grid::of(19), None);
    }

    #[test]
    fn the_sides_of_tiles_and_buffers_are_cut_lines() {
        assert_eq!(cut_lines(-64, 4160).collect::<Vec<_>>(), [-64, 0, 64, 4032, 4096, 4160]);
        for from in (-200..9000).step_by(7) {
            for length in [0, 1, 63, 64, 65, 500, 5000] {
                assert_eq!(meets_cut_line(from, from + length), cut_lines(from, from + length).next().is_some());
            }
        }
    }
}
