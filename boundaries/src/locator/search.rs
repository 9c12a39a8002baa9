//! The borders near a point, nearest leaves first.
//!
//! Invariant: a square is passed over only where its nearest point lies farther than
//! what was found so far; so the nearest border found is the nearest there is.

use super::block::{Behind, Leaf, Node};
use super::grid::Grid;
use crate::metres::Frame;

/// What is sought: borders that divide at `level` or above it, around a point.
/// The point may lie off the globe's i32 range: the same place, once around.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) frame: Frame,
    pub(super) level: u8,
    /// The topmost level that each border divides.
    pub(super) ranks: &'a [u8],
}

/// An edge near the point, and the square of its distance.
pub(super) struct Near {
    pub(super) distance_2: f64,
    /// The nearest point of the edge, metres east and north.
    pub(super) offset_m: (f64, f64),
    pub(super) border: u32,
}

/// Lower bounds are taken this much lower, because the last bits of the bound and of
/// the distance to the edge itself are rounded apart.
const SLACK: f64 = 1.0 - 1e-12;

impl Sought<'_> {
    /// The square of the least distance from the point to an interval, in metres.
    fn gap_2(at: i64, from: i64, to: i64, unit_m: f64) -> f64 {
        let gap = (from - at).max(at - to).max(0) as f64 * unit_m;
        gap * gap * SLACK
    }

    /// Square of the distance in metres to the box that all blocks make.
    pub(super) fn distance_to_grid_2(&self, grid: &Grid) -> f64 {
        let l = &grid.layout;
        let (width, height) = (i64::from(l.columns) << l.shift, i64::from(l.rows) << l.shift);
        Self::gap_2(self.x, l.x, l.x + width, self.frame.east_m)
            + Self::gap_2(self.y, l.y, l.y + height, self.frame.north_m)
    }

    /// Calls `f` for edges within `limit_2`, nearest squares first. Each call gives the
    /// limit that holds from then on.
    pub(super) fn for_each(&self, grid: &Grid, limit_2: f64, mut f: impl FnMut(f64, Near) -> f64) {
        let l = &grid.layout;
        if l.columns == 0 {
            return;
        }
        let mut limit_2 = limit_2;
        let columns = l.columns as usize;
        let here = (((self.x - l.x) >> l.shift).clamp(0, i64::from(l.columns) - 1)) as usize;
        self.rows(l.y, l.shift, l.rows as usize, &mut limit_2, |row, row_2, limit_2| {
            let ranks = &grid.ranks[row * columns..][..columns];
            let mut visit = |column: usize, limit_2: &mut f64| {
                let from = l.x + ((column as i64) << l.shift);
                if row_2 + Self::gap_2(self.x, from, from + (1 << l.shift), self.frame.east_m) > *limit_2 {
                    return false;
                }
                if ranks[column] <= self.level
                    && let Some(node) = grid.node(row * columns + column)
                {
                    self.node(node, limit_2, &mut f);
                }
                true
            };
            for column in (0..=here).rev() {
                if !visit(column, limit_2) {
                    break;
                }
            }
            for column in here + 1..columns {
                if !visit(column, limit_2) {
                    break;
                }
            }
        });
    }

    /// Walks rows 2^shift high from the one nearest to the point outwards while they are
    /// within the limit, which `f` may lower; `f` gets the row and its distance squared.
    fn rows(&self, south: i64, shift: u32, rows: usize, limit_2: &mut f64, mut f: impl FnMut(usize, f64, &mut f64)) {
        let gap_2 = |row: usize| {
            let from = south + ((row as i64) << shift);
            Self::gap_2(self.y, from, from + (1 << shift), self.frame.north_m)
        };
        let here = (((self.y - south) >> shift).clamp(0, rows as i64 - 1)) as usize;
        let (mut above, mut below) = (Some(here), here.checked_sub(1));
        loop {
            let up = above.map_or(f64::INFINITY, gap_2);
            let down = below.map_or(f64::INFINITY, gap_2);
            let nearer = up.min(down);
            if nearer == f64::INFINITY || nearer > *limit_2 {
                return;
            }
            let row = if up <= down { &mut above } else { &mut below };
            let Some(at) = *row else { return };
            *row = if up <= down { Some(at + 1).filter(|r| *r < rows) } else { at.checked_sub(1) };
            f(at, nearer, limit_2);
        }
    }

    fn node(&self, node: Node<'_>, limit_2: &mut f64, f: &mut impl FnMut(f64, Near) -> f64) {
        let leaves = Leaves::of(self, &node);
        if *limit_2 == f64::INFINITY
            && let Some((column, row)) = leaves.nearest()
            && let Some(Behind::Leaf(leaf)) = node.behind(column as usize, row as usize)
        {
            // What the nearest leaf holds spares most of the others a look.
            self.leaf(leaf, limit_2, f);
        }
        let mut visit = |row: u32| {
            let row_2 = leaves.row_2(row);
            let reach_2 = *limit_2 * (1.0 + 1e-9) + 1e-6;
            if row_2 > reach_2 {
                return false;
            }
            let mut bits = node.mask(row as usize) & leaves.within((reach_2 - row_2).sqrt());
            while bits != 0 {
                let column = bits.trailing_zeros();
                bits &= bits - 1;
                match node.behind(column as usize, row as usize) {
                    Some(Behind::Leaf(leaf)) => self.leaf(leaf, limit_2, f),
                    Some(Behind::Node(deeper)) => self.node(deeper, limit_2, f),
                    None => {}
                }
            }
            true
        };
        let _ = (leaves.here.1..1 << node.k).all(&mut visit);
        let _ = (0..leaves.here.1).rev().all(&mut visit);
    }

    fn leaf(&self, leaf: Leaf<'_>, limit_2: &mut f64, f: &mut impl FnMut(f64, Near) -> f64) {
        let centre = leaf.centre();
        let (east_m, north_m) = (self.frame.east_m, self.frame.north_m);
        let (x, y) = ((self.x - centre.0) as f64, (self.y - centre.1) as f64);
        let metres = |q: (i64, i64)| ((q.0 as f64 - x) * east_m, (q.1 as f64 - y) * north_m);
        leaf.for_each_edge(|a, b, border| {
            let offset_m = nearest_on(metres(a), metres(b));
            let distance_2 = offset_m.0 * offset_m.0 + offset_m.1 * offset_m.1;
            if distance_2 <= *limit_2 && self.ranks.get(border as usize).is_some_and(|rank| *rank <= self.level) {
                *limit_2 = f(*limit_2, Near { distance_2, offset_m, border });
            }
        });
    }
}

/// The leaves of a node in metres around the point.
struct Leaves<'a> {
    node: &'a Node<'a>,
    west_m: f64,
    south_m: f64,
    width_m: f64,
    height_m: f64,
    /// The column and row that hold the point, or come nearest to it.
    here: (u32, u32),
}

impl<'a> Leaves<'a> {
    fn of(sought: &Sought<'_>, node: &'a Node<'a>) -> Self {
        let (square, shift) = (node.square, node.square.shift - node.k);
        let last = (1i64 << node.k) - 1;
        let (x, y) = (sought.x - square.x, sought.y - square.y);
        let size = (1u64 << shift) as f64;
        Self {
            node,
            west_m: -x as f64 * sought.frame.east_m,
            south_m: -y as f64 * sought.frame.north_m,
            width_m: size * sought.frame.east_m,
            height_m: size * sought.frame.north_m,
            here: ((x >> shift).clamp(0, last) as u32, (y >> shift).clamp(0, last) as u32),
        }
    }

    /// The square of the distance to a row.
    fn row_2(&self, row: u32) -> f64 {
        let from = self.south_m + f64::from(row) * self.height_m;
        let gap = from.max(-from - self.height_m).max(0.0);
        gap * gap
    }

    /// The columns that come within a distance, as a mask.
    fn within(&self, distance_m: f64) -> u32 {
        // The cast takes what is below 0 as 0, and what is off the scale as the last.
        let first = ((-distance_m - self.west_m) / self.width_m).max(0.0) as u32;
        let last = ((distance_m - self.west_m) / self.width_m).max(0.0) as u32;
        if first > 31 { 0 } else { u32::MAX << first & u32::MAX >> (31 - last.min(31)) }
    }

    /// The column and row of the nearest leaf with borders: the masks tell, so no leaf
    /// has to be fetched.
    fn nearest(&self) -> Option<(u32, u32)> {
        let (mut best, mut least_2) = (None, f64::INFINITY);
        let west_of_here = u32::MAX >> (31 - self.here.0);
        let mut look = |row: u32| {
            let row_2 = self.row_2(row);
            if row_2 >= least_2 {
                return false;
            }
            let mask = self.node.mask(row as usize);
            let (west, east) = (mask & west_of_here, mask & !west_of_here);
            let near = [(west, 31 - west.leading_zeros().min(31)), (east, east.trailing_zeros())];
            for (_, column) in near.into_iter().filter(|(bits, _)| *bits != 0) {
                let from = self.west_m + f64::from(column) * self.width_m;
                let gap = from.max(-from - self.width_m).max(0.0);
                if row_2 + gap * gap < least_2 {
                    least_2 = row_2 + gap * gap;
                    best = Some((column, row));
                }
            }
            true
        };
        let _ = (self.here.1..1 << self.node.k).all(&mut look);
        let _ = (0..self.here.1).rev().all(&mut look);
        best
    }
}

/// The point of the edge `a`-`b` nearest to the origin.
#[inline]
fn nearest_on((ax, ay): (f64, f64), (bx, by): (f64, f64)) -> (f64, f64) {
    let (dx, dy) = (bx - ax, by - ay);
    let t = -(ax * dx + ay * dy) / (dx * dx + dy * dy);
    // The ends as they are, so that edges that share one are equally far.
    let (x, y) = (ax + t * dx, ay + t * dy);
    let (x, y) = if t >= 1.0 { (bx, by) } else { (x, y) };
    if t > 0.0 { (x, y) } else { (ax, ay) }
}
