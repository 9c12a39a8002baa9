//! The globe cut into cells of about the same size in metres.
//!
//! Latitude is cut into *bands* of equal height, each band into *columns* of equal
//! width in degrees, as many as keep a column about as wide as the band is high.
//! Eight bands make a *belt* and have the same columns, so that eight by eight cells
//! make a *block*. Columns are counted eastwards from the antimeridian and wrap.
//!
//! ```text
//!      belt 7   │   │   │   │   │   │        fewer columns towards the pole
//!      belt 6  │  │  │  │  │  │  │  │
//!             band 8·6 is the southernmost of belt 6
//! ```
//!
//! Invariant: the column of a longitude is one monotone integer function, for points
//! and for the limits of a search alike, so a range of longitudes never misses a point.

use super::sphere::{POLE, TURN, cos_of};

/// Bands of a belt, and columns of a block.
pub(super) const SIDE: i64 = 8;
const SIDE_BITS: u32 = SIDE.trailing_zeros();

/// One cut of the globe.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    /// The height of a band is 2^shift lattice units.
    shift: u32,
    /// How many columns each belt has: multiples of [`SIDE`].
    columns: Vec<i64>,
}

/// A cell by its band and its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) band: i64,
    pub(super) column: i64,
}

/// A block by its belt and its place along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BlockKey {
    pub(super) belt: u32,
    pub(super) along: u32,
}

impl Cell {
    pub(super) fn block(self) -> BlockKey {
        BlockKey { belt: (self.band >> SIDE_BITS) as u32, along: (self.column >> SIDE_BITS) as u32 }
    }

    /// Which of the block's cells it is: the band counts for eight.
    pub(super) fn in_block(self) -> usize {
        (((self.band & (SIDE - 1)) << SIDE_BITS) | (self.column & (SIDE - 1))) as usize
    }
}

impl BlockKey {
    /// The cell that [`Cell::in_block`] numbers `index`.
    #[cfg(test)]
    pub(super) fn cell(self, index: usize) -> Cell {
        let index = index as i64;
        Cell {
            band: (i64::from(self.belt) << SIDE_BITS) + (index >> SIDE_BITS),
            column: (i64::from(self.along) << SIDE_BITS) + (index & (SIDE - 1)),
        }
    }
}

impl Bands {
    /// The cut with bands of 2^`shift` lattice units: 16 makes cells of 729 m.
    pub(super) fn new(shift: u32) -> Self {
        let height = 1_i64 << shift;
        let belts = (2 * POLE) / (height * SIDE) + 1;
        let columns = (0..belts)
            .map(|belt| {
                let (south, north) = latitudes(belt, height * SIDE);
                // Where the belt is widest, which is at the equator if it lies across it.
                let widest = if south <= 0 && north >= 0 { 1.0 } else { cos_of(south).max(cos_of(north)) };
                let wanted = (TURN as f64 * widest / height as f64).ceil() as i64;
                (wanted + SIDE - 1) / SIDE * SIDE
            })
            .map(|n| n.max(SIDE))
            .collect();
        Self { shift, columns }
    }

    pub(super) fn shift(&self) -> u32 {
        self.shift
    }

    /// The band of a latitude, which may lie beyond a pole.
    #[inline]
    pub(super) fn band(&self, y: i64) -> i64 {
        (y.clamp(-POLE, POLE) + POLE) >> self.shift
    }

    /// How many columns a band has.
    #[inline]
    pub(super) fn columns(&self, band: i64) -> i64 {
        self.columns[(band >> SIDE_BITS) as usize]
    }

    /// The column of a longitude, counted on beyond the antimeridian: longitudes may
    /// lie outside -180 ..= 180 degrees, and so may columns.
    #[inline]
    pub(super) fn column(&self, x: i64, columns: i64) -> i64 {
        ((x + TURN / 2) * columns).div_euclid(TURN)
    }

    /// The cell of a point.
    #[inline]
    pub(super) fn cell(&self, x: i32, y: i32) -> Cell {
        let band = self.band(i64::from(y));
        let columns = self.columns(band);
        let column = self.column(i64::from(x), columns);
        // Longitude 180 is longitude -180.
        Cell { band, column: if column == columns { 0 } else { column } }
    }

    /// South and north of a block, and west and east, in lattice units.
    pub(super) fn extent(&self, key: BlockKey) -> ([i64; 2], [i64; 2]) {
        let (south, north) = latitudes(i64::from(key.belt), SIDE << self.shift);
        let columns = self.columns[key.belt as usize];
        let edge = |column: i64| (column * TURN).div_euclid(columns) - TURN / 2;
        let first = i64::from(key.along) * SIDE;
        ([south, north], [edge(first), edge(first + SIDE) + 1])
    }
}

/// South and north of a belt of that height.
fn latitudes(belt: i64, height: i64) -> (i64, i64) {
    let south = belt * height - POLE;
    (south, (south + height).min(POLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_about_as_wide_as_high_wherever_they_lie() {
        let bands = Bands::new(16);
        for lat in [0.0_f64, 20.0, 36.0, 60.0, 80.0, 89.0, -45.0] {
            let y = (lat * 1e7) as i64;
            let wide = TURN as f64 / bands.columns(bands.band(y)) as f64 * cos_of(y);
            let ratio = wide / f64::from(1 << 16);
            assert!((0.9..=1.01).contains(&ratio), "{lat}: {ratio}");
        }
    }

    #[test]
    fn the_two_sides_of_the_antimeridian_are_one() {
        let bands = Bands::new(16);
        assert_eq!(bands.cell(1_800_000_000, 5), bands.cell(-1_800_000_000, 5));
        let columns = bands.columns(bands.band(5));
        assert_eq!(bands.cell(1_799_999_999, 5).column, columns - 1);
        assert_eq!(bands.column(1_800_000_001, columns), columns);
        assert_eq!(bands.column(-1_800_000_001, columns), -1);
    }

    #[test]
    fn a_cell_lies_within_the_extent_of_its_block() {
        let bands = Bands::new(14);
        for (x, y) in
            [(1_203_700_000, 361_234_567), (-1_800_000_000, 900_000_000), (1_799_999_999, -900_000_000), (0, 0)]
        {
            let cell = bands.cell(x, y);
            let key = cell.block();
            assert_eq!(key.cell(cell.in_block()), cell);
            let ([south, north], [west, east]) = bands.extent(key);
            assert!(south <= i64::from(y) && i64::from(y) <= north, "{y} in {south}..{north}");
            assert!(west <= i64::from(x) && i64::from(x) <= east, "{x} in {west}..{east}");
        }
    }
}
