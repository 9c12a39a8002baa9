//! Exact questions about segments and pixels, in world units.

use crate::grid::{Grid, GridPoint};
use crate::world::World;

/// Twice the signed area of the triangle a, b, c.
#[inline]
fn cross(a: [i64; 2], b: [i64; 2], c: [i64; 2]) -> i128 {
    // Differences stay below 2^34.
    let product = |u: i64, v: i64| i128::from(u) * i128::from(v);
    product(b[0] - a[0], c[1] - a[1]) - product(b[1] - a[1], c[0] - a[0])
}

#[inline]
fn wide(w: World) -> [i64; 2] {
    [i64::from(w.x), i64::from(w.y)]
}

/// Whether a segment enters the pixel around `p`.
///
/// The two are convex: unless an axis or the normal of the segment parts them, they
/// meet. Where the segment's line only grazes the pixel it counts if it does so in what
/// belongs to the pixel: its western and its northern side, and the corner of the two.
pub(super) fn enters(grid: Grid, [a, b]: [World; 2], p: GridPoint) -> bool {
    let (a, b) = (wide(a), wide(b));
    let low = [grid.middle(p.x) - grid.half(), grid.middle(p.y) - grid.half()];
    let high = [low[0] + grid.unit(), low[1] + grid.unit()];
    for axis in [0, 1] {
        if a[axis].max(b[axis]) < low[axis] || a[axis].min(b[axis]) >= high[axis] {
            return false;
        }
    }
    if a == b {
        return true;
    }
    let corners = [low, [high[0], low[1]], [low[0], high[1]], high];
    let sides = corners.map(|corner| cross(a, b, corner).signum());
    let (least, most) = (sides.into_iter().min(), sides.into_iter().max());
    if least == Some(-1) && most == Some(1) {
        return true;
    }
    // The line touches the pixel at most: in the corner that belongs to it, or along a side
    // that begins there, and then the boxes say that the segment reaches it.
    if sides[0] != 0 {
        return false;
    }
    let reaches = |axis: usize| a[axis].min(b[axis]) <= low[axis] && low[axis] <= a[axis].max(b[axis]);
    match (sides[1] == 0, sides[2] == 0) {
        (false, false) => reaches(0) && reaches(1),
        _ => true,
    }
}

/// The pixel in which two segments cross inside both; `None` where they don't.
pub(super) fn crossing(grid: Grid, [a, b]: [World; 2], [c, d]: [World; 2]) -> Option<GridPoint> {
    let (a, b, c, d) = (wide(a), wide(b), wide(c), wide(d));
    for axis in [0, 1] {
        if a[axis].max(b[axis]) < c[axis].min(d[axis]) || c[axis].max(d[axis]) < a[axis].min(b[axis]) {
            return None;
        }
    }
    let (c_side, d_side) = (cross(a, b, c).signum(), cross(a, b, d).signum());
    let (a_side, b_side) = (cross(c, d, a).signum(), cross(c, d, b).signum());
    if c_side * d_side >= 0 || a_side * b_side >= 0 {
        return None;
    }
    // a + t (b - a), t = top / bottom.
    let (mut top, mut bottom) = (cross(c, d, a), cross(c, d, a) - cross(c, d, b));
    if bottom < 0 {
        (top, bottom) = (-top, -bottom);
    }
    let pixel = |axis: usize| part(grid, a[axis], b[axis], top, bottom);
    Some(GridPoint::new(pixel(0), pixel(1)))
}

/// The pixel of the place `from` + (`to` - `from`) `top` / `bottom` on one axis.
fn part(grid: Grid, from: i64, to: i64, top: i128, bottom: i128) -> i32 {
    // Below 2^34 · 2^68: far from the end of i128.
    let along = i128::from(from) * bottom + i128::from(to - from) * top;
    // Halves go up, as in `Grid::round`: a floor is enough, for a pixel begins at whole units.
    grid.pixel(along.div_euclid(bottom) as i64)
}

/// Where a segment crosses the cut line through the middles of column `x`: the pixel there.
pub(super) fn on_column(grid: Grid, segment: [World; 2], x: i32) -> Option<GridPoint> {
    let [a, b] = segment.map(wide);
    Some(GridPoint::new(x, at_line(grid, [a[0], b[0]], [a[1], b[1]], grid.middle(x))?))
}

/// The same for the cut line through the middles of row `y`.
pub(super) fn on_row(grid: Grid, segment: [World; 2], y: i32) -> Option<GridPoint> {
    let [a, b] = segment.map(wide);
    Some(GridPoint::new(at_line(grid, [a[1], b[1]], [a[0], b[0]], grid.middle(y))?, y))
}

/// The pixel across of the place at which a way along an axis is at `line`.
fn at_line(grid: Grid, along: [i64; 2], across: [i64; 2], line: i64) -> Option<i32> {
    let [s, e] = along;
    let is_off = (s < line) == (e < line) && s != line && e != line;
    if is_off || s == e {
        return None;
    }
    let (mut top, mut bottom) = (line - s, e - s);
    if bottom < 0 {
        (top, bottom) = (-top, -bottom);
    }
    Some(part(grid, across[0], across[1], i128::from(top), i128::from(bottom)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels that a segment enters, by clipping it to each in fractions: slow and plain.
    fn enters_by_fractions(grid: Grid, [a, b]: [World; 2], p: GridPoint) -> bool {
        // The part of the segment with low <= coordinate < high, as a range of t with its ends
        // in or out, in exact fractions over a common bottom.
        type Bound = (i128, i128, bool);
        let (a, b) = (wide(a), wide(b));
        let less = |x: Bound, y: Bound| (x.0 * y.1).cmp(&(y.0 * x.1));
        let (mut from, mut to): (Bound, Bound) = ((0, 1, true), (1, 1, true));
        for (axis, middle) in [p.x, p.y].into_iter().enumerate() {
            let (low, high) = (grid.middle(middle) - grid.half(), grid.middle(middle) + grid.half());
            let d = b[axis] - a[axis];
            if d == 0 {
                if a[axis] < low || a[axis] >= high {
                    return false;
                }
                continue;
            }
            let at = |w: i64, closed: bool| -> Bound {
                let (top, bottom) = (i128::from(w - a[axis]), i128::from(d));
                if bottom < 0 { (-top, -bottom, closed) } else { (top, bottom, closed) }
            };
            let (enter, leave) =
                if d > 0 { (at(low, true), at(high, false)) } else { (at(high, false), at(low, true)) };
            match less(enter, from) {
                std::cmp::Ordering::Greater => from = enter,
                std::cmp::Ordering::Equal => from.2 &= enter.2,
                std::cmp::Ordering::Less => {}
            }
            match less(leave, to) {
                std::cmp::Ordering::Less => to = leave,
                std::cmp::Ordering::Equal => to.2 &= leave.2,
                std::cmp::Ordering::Greater => {}
            }
        }
        match less(from, to) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => from.2 && to.2,
            std::cmp::Ordering::Greater => false,
        }
    }

    #[test]
    fn a_segment_enters_a_pixel_where_it_has_a_place_that_rounds_to_it() {
        // Pixels of four world units, and all segments around one: corners, sides, grazes.
        let grid = Grid::of(18).unwrap();
        let p = grid.round(World { x: 0, y: 0 });
        let mut entered = 0;
        for i in 0..9i32.pow(4) {
            let at = |k: u32| i / 9i32.pow(k) % 9 - 4;
            let segment = [World { x: at(0), y: at(1) }, World { x: at(2), y: at(3) }];
            let expected = enters_by_fractions(grid, segment, p);
            assert_eq!(enters(grid, segment, p), expected, "{segment:?}");
            entered += u32::from(expected);
        }
        assert!((1_000..6_000).contains(&entered), "{entered}");
    }

    #[test]
    fn a_crossing_is_in_the_pixel_of_the_place_where_it_is() {
        let grid = Grid::of(18).unwrap();
        let w = |x, y| World { x, y };
        let here = grid.round(w(50, 15));
        assert_eq!(crossing(grid, [w(0, 0), w(100, 30)], [w(0, 30), w(100, 0)]), Some(here));
        assert_eq!(crossing(grid, [w(0, 0), w(100, 30)], [w(50, 15), w(100, 0)]), None);
        assert_eq!(crossing(grid, [w(0, 0), w(100, 30)], [w(200, 30), w(300, 0)]), None);
    }
}
