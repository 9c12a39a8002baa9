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
                    && let Some(node) = grid.block(row * columns + column)
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
        let shift = node.square.shift - node.k;
        let last = (1i64 << node.k) - 1;
        let here = ((self.x - node.square.x) >> shift).clamp(0, last) as u32;
        if *limit_2 == f64::INFINITY {
            self.likeliest(node, shift, here, limit_2, f);
        }
        self.rows(node.square.y, shift, 1 << node.k, limit_2, |row, row_2, limit_2| {
            let mask = node.mask(row);
            // The bits west of the point, its own column included, and those east of it.
            let west = mask & (u32::MAX >> (31 - here));
            let mut visit = |column: u32, limit_2: &mut f64| {
                let from = node.square.x + (i64::from(column) << shift);
                if row_2 + Self::gap_2(self.x, from, from + (1 << shift), self.frame.east_m) > *limit_2 {
                    return false;
                }
                match node.behind(column as usize, row) {
                    Some(Behind::Leaf(leaf)) => self.leaf(leaf, limit_2, f),
                    Some(Behind::Node(deeper)) => self.node(deeper, limit_2, f),
                    None => {}
                }
                true
            };
            let mut bits = west;
            while bits != 0 {
                let column = 31 - bits.leading_zeros();
                bits ^= 1 << column;
                if !visit(column, limit_2) {
                    break;
                }
            }
            let mut bits = mask ^ west;
            while bits != 0 {
                let column = bits.trailing_zeros();
                bits &= bits - 1;
                if !visit(column, limit_2) {
                    break;
                }
            }
        });
    }

    /// Looks into the leaf that begins nearest: the masks tell which, at no cost in
    /// memory, and what it holds spares most other leaves a look.
    fn likeliest(
        &self,
        node: Node<'_>,
        shift: u32,
        here: u32,
        limit_2: &mut f64,
        f: &mut impl FnMut(f64, Near) -> f64,
    ) {
        let mut best = (f64::INFINITY, 0, 0);
        let mut bound_2 = f64::INFINITY;
        self.rows(node.square.y, shift, 1 << node.k, &mut bound_2, |row, row_2, bound_2| {
            let mask = node.mask(row);
            let west = mask & (u32::MAX >> (31 - here));
            let near = [
                (west != 0).then(|| 31 - west.leading_zeros()),
                (mask ^ west != 0).then(|| (mask ^ west).trailing_zeros()),
            ];
            for column in near.into_iter().flatten() {
                let from = node.square.x + (i64::from(column) << shift);
                let gap_2 = row_2 + Self::gap_2(self.x, from, from + (1 << shift), self.frame.east_m);
                if gap_2 < best.0 {
                    best = (gap_2, column, row);
                    *bound_2 = gap_2;
                }
            }
        });
        if best.0 < f64::INFINITY
            && let Some(Behind::Leaf(leaf)) = node.behind(best.1 as usize, best.2)
        {
            self.leaf(leaf, limit_2, f);
        }
    }

    fn leaf(&self, leaf: Leaf<'_>, limit_2: &mut f64, f: &mut impl FnMut(f64, Near) -> f64) {
        for i in 0..leaf.len() {
            let e = leaf.edge(i);
            let offset_m = self.nearest_on(e.a, e.b);
            let distance_2 = offset_m.0 * offset_m.0 + offset_m.1 * offset_m.1;
            if distance_2 <= *limit_2 {
                let border = leaf.border(i);
                if self.ranks.get(border as usize).is_some_and(|rank| *rank <= self.level) {
                    *limit_2 = f(*limit_2, Near { distance_2, offset_m, border });
                }
            }
        }
    }

    /// The point of the edge `a`-`b` nearest to the point sought from, as an offset in metres.
    #[inline]
    fn nearest_on(&self, a: (i64, i64), b: (i64, i64)) -> (f64, f64) {
        let metres =
            |q: (i64, i64)| ((q.0 - self.x) as f64 * self.frame.east_m, (q.1 - self.y) as f64 * self.frame.north_m);
        let ((ax, ay), (bx, by)) = (metres(a), metres(b));
        let (dx, dy) = (bx - ax, by - ay);
        let t = -(ax * dx + ay * dy) / (dx * dx + dy * dy);
        // The ends as they are, so that edges that share one are equally far.
        if t > 0.0 && t < 1.0 {
            (ax + t * dx, ay + t * dy)
        } else if t >= 1.0 {
            (bx, by)
        } else {
            (ax, ay)
        }
    }
}
