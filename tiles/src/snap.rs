//! Lines put on a zoom's grid together, so that none comes to cross another.
//!
//! Snap rounding (Hobby 1999; Guibas and Marimont 1998): a pixel is *hot* where a vertex
//! lies in it, or a crossing of two lines, or the place where a line crosses a side of a
//! tile or of its buffer. Each segment then goes through the middles of all hot pixels
//! that it enters, in order:
//!
//! ```text
//!   ┌───┬───┬───┬───┐        a segment from a to c and a vertex v of another line in
//!   │ a─┼─__│   │   │        a pixel that the segment enters: it becomes a, v, c. So
//!   ├───┼───┼v──┼───┤        it may come to touch the other line, but not to pass to
//!   │   │   │   ┼──c│        the other side of v
//!   └───┴───┴───┴───┘
//! ```
//!
//! Nothing depends on where a tile begins but the sides of all tiles, which are the same for
//! everyone. So what is on a grid is a pure function of the lines near it, lines have vertices
//! wherever a tile is cut, and neighbours keep their vertices in common.
//!
//! Invariant: two snapped lines meet in vertices of both, or along whole edges of both; a
//! snapped line has a vertex wherever it crosses a cut line.
//!
//! It must not know what the lines mean.

mod cells;
mod meet;

use crate::grid::{Grid, GridPoint};
use crate::world::World;

use cells::{Cells, Hit};

/// Chains of points, one after the other in one piece of memory.
#[derive(Clone, Debug, Default)]
pub struct Chains<P> {
    points: Vec<P>,
    /// Where each chain ends in `points`.
    ends: Vec<u32>,
}

impl<P: Copy> Chains<P> {
    /// No chains.
    #[must_use]
    pub fn new() -> Self {
        Self { points: Vec::new(), ends: Vec::new() }
    }

    /// Adds a chain at the end.
    pub fn push(&mut self, chain: impl IntoIterator<Item = P>) {
        self.points.extend(chain);
        self.close();
    }

    /// How many chains there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The points of a chain; none for one that isn't there.
    #[inline]
    #[must_use]
    pub fn get(&self, chain: usize) -> &[P] {
        let Some(&end) = self.ends.get(chain) else { return &[] };
        &self.points[self.start(chain)..end as usize]
    }

    /// The chains in order.
    pub fn iter(&self) -> impl Iterator<Item = &[P]> {
        (0..self.len()).map(|i| self.get(i))
    }

    fn start(&self, chain: usize) -> usize {
        chain.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    fn close(&mut self) {
        self.ends.push(self.points.len() as u32);
    }
}

/// Lines on a zoom's grid.
#[derive(Clone, Debug, Default)]
pub struct Snapped {
    /// The lines as they were given, but where there was nothing to do: those are empty.
    pub lines: Chains<GridPoint>,
    /// Whether each line shares a pixel with a vertex that is not its own, or two of its
    /// own vertices share one: where none of the lines around some ground does, that
    /// ground has kept its shape. A node in which lines end is each one's own.
    pub met: Vec<bool>,
}

/// Puts lines on a grid together; only those of which `wanted` says so are worked out,
/// the others are merely there. Neither the order nor the direction of lines matters.
#[must_use]
pub fn snap(grid: Grid, lines: &Chains<World>, wanted: impl Fn(usize) -> bool) -> Snapped {
    let mut met = vec![false; lines.len()];
    let mut line_of = vec![0; lines.points.len()];
    for (i, _) in lines.ends.iter().enumerate() {
        line_of[lines.start(i)..lines.ends[i] as usize].fill(i as u32);
    }
    let is_wanted: Vec<bool> = (0..lines.len()).map(wanted).collect();
    let cells = Cells { grid, points: &lines.points, line_of: &line_of };
    let mut hits: Vec<Hit> = Vec::new();
    cells.visit(&is_wanted, &mut hits, &mut met);
    // A segment passes hot pixels in one direction on each axis.
    hits.sort_unstable_by_key(|hit| {
        let [a, b] = cells.segment(hit.segment);
        let way = |v: i32, back: bool| if back { -v } else { v };
        (hit.segment, way(hit.pixel.x, b.x < a.x), way(hit.pixel.y, b.y < a.y))
    });
    let mut out = Chains { points: Vec::with_capacity(lines.points.len()), ends: Vec::with_capacity(lines.len()) };
    let mut hits = hits.into_iter().peekable();
    for (i, is_wanted) in is_wanted.iter().enumerate() {
        let range = lines.start(i)..lines.ends[i] as usize;
        if *is_wanted {
            let from = out.points.len();
            let mut put = |p: GridPoint| {
                if out.points.len() == from || out.points.last() != Some(&p) {
                    out.points.push(p);
                }
            };
            for at in range {
                put(grid.round(lines.points[at]));
                while let Some(hit) = hits.next_if(|hit| hit.segment as usize == at) {
                    put(hit.pixel);
                }
            }
        }
        out.close();
    }
    Snapped { lines: out, met }
}

#[cfg(test)]
mod tests;
