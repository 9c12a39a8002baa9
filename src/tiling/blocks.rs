//! What is too small to be drawn for itself, merged to blocks: the squares of a zoom's grid
//! on which enough of it stands, traced as ground.
//!
//! ```text
//!   ▫ ▫ ▫    ▫         ┌─────┐
//!   ▫ ▫ ▫        →     │   ┌─┘          what stands alone on its square
//!   ▫ ▫   ▫            └───┘            is left out
//! ```
//!
//! Invariant: a square is filled or not whichever tile asks, as each thing counts on the
//! square of its middle alone, and a tile fills only squares that it holds whole.

use std::collections::BTreeMap;

use tiles::{Grid, GridBox, GridPoint, GridPolygon, trace};

use super::footprints::Footprint;

/// Tile units along a square's side: 2 pixels of a 512-pixel tile. A tile and its buffer are
/// whole numbers of it.
const SIDE: i32 = 16;

/// A square is filled if boxes on it cover one part in so many of it.
const FILLED_PART: u64 = 5;

/// The blocks of a tile.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) polygons: Vec<GridPolygon>,
    /// How many things are merged in them.
    pub(super) merged: u32,
    /// The least of their numbers.
    pub(super) number: u32,
}

#[derive(Clone, Copy)]
struct Square {
    area: u64,
    count: u32,
    least: u32,
}

/// Merges what is too small, out of all that has its middle where a tile shows it.
pub(super) fn blocks<'f>(grid: Grid, shown: GridBox, small: impl Iterator<Item = &'f Footprint>) -> Blocks {
    let mut squares: BTreeMap<(i32, i32), Square> = BTreeMap::new();
    for footprint in small {
        let p = grid.round(footprint.bounds.middle());
        let at = (p.y.div_euclid(SIDE), p.x.div_euclid(SIDE));
        let square = squares.entry(at).or_insert(Square { area: 0, count: 0, least: u32::MAX });
        square.area += footprint.bounds.area();
        square.count += 1;
        square.least = square.least.min(footprint.number);
    }
    let whole = (grid.unit() * grid.unit()) as u64 * (SIDE * SIDE) as u64;
    let mut blocks = Blocks { number: u32::MAX, ..Blocks::default() };
    let mut edges = Vec::new();
    for ((row, column), square) in squares {
        let (x, y) = (column * SIDE, row * SIDE);
        let corner = |dx: i32, dy: i32| GridPoint::new(x + dx * SIDE, y + dy * SIDE);
        let is_whole = shown.holds(GridBox { min: corner(0, 0), max: corner(1, 1) });
        if !is_whole || square.area * FILLED_PART < whole {
            continue;
        }
        blocks.merged += square.count;
        blocks.number = blocks.number.min(square.least);
        // Clockwise on the screen; what two squares share is walked both ways and goes.
        let ring = [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)];
        edges.extend((0..4).map(|i| [ring[i], ring[(i + 1) % 4]]));
    }
    blocks.polygons = trace(edges);
    blocks
}
