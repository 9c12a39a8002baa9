//! Exact questions about two segments on the lattice. No rounding but in
//! [`crossing`], whose answer is the lattice point nearest to the true one.

use std::cmp::Ordering;

use crate::lattice::{Point, orient};

/// A segment by its two ends.
pub(crate) type Segment = [Point; 2];

/// Whether `p` lies on the closed segment.
#[inline]
pub(crate) fn holds([a, b]: Segment, p: Point) -> bool {
    in_box([a, b], p) && orient(a, b, p) == Ordering::Equal
}

#[inline]
fn in_box([a, b]: Segment, p: Point) -> bool {
    a.x.min(b.x) <= p.x && p.x <= a.x.max(b.x) && a.y.min(b.y) <= p.y && p.y <= a.y.max(b.y)
}

/// Whether the two cross in a point that is inside both.
#[inline]
pub(crate) fn cross([a, b]: Segment, [c, d]: Segment) -> bool {
    let (c_side, d_side) = (orient(a, b, c), orient(a, b, d));
    if c_side == Ordering::Equal || c_side != d_side.reverse() {
        return false;
    }
    let (a_side, b_side) = (orient(c, d, a), orient(c, d, b));
    a_side != Ordering::Equal && a_side == b_side.reverse()
}

/// Whether the two closed segments have a point in common.
#[cfg(test)]
pub(crate) fn meet(e: Segment, f: Segment) -> bool {
    cross(e, f) || holds(e, f[0]) || holds(e, f[1]) || holds(f, e[0]) || holds(f, e[1])
}

/// Whether the segment enters the unit square around `p` (its "hot pixel"). A corner
/// that is merely grazed doesn't count: the two diagonals of four lattice points graze
/// each other's ends, and would be bent to and fro without end.
#[inline]
pub(crate) fn enters_pixel([a, b]: Segment, p: Point) -> bool {
    if !in_box([a, b], p) {
        return false;
    }
    let (dx, dy) = (i64::from(b.x) - i64::from(a.x), i64::from(b.y) - i64::from(a.y));
    let u = i128::from(dx) * i128::from(i64::from(p.y) - i64::from(a.y));
    let v = i128::from(dy) * i128::from(i64::from(p.x) - i64::from(a.x));
    2 * (u - v).abs() < i128::from(dx.abs() + dy.abs())
}

/// Whether `p` may be a place on the segment, rounded `times` times: whether the segment
/// enters or grazes a square of so many units around it.
#[inline]
pub(crate) fn near_pixel([a, b]: Segment, p: Point, times: u8) -> bool {
    let (dx, dy) = (i64::from(b.x) - i64::from(a.x), i64::from(b.y) - i64::from(a.y));
    let u = i128::from(dx) * i128::from(i64::from(p.y) - i64::from(a.y));
    let v = i128::from(dy) * i128::from(i64::from(p.x) - i64::from(a.x));
    a != b && in_box([a, b], p) && 2 * (u - v).abs() <= i128::from(times) * i128::from(dx.abs() + dy.abs())
}

/// How far `p` lies along the segment: grows from its first end to its second.
#[inline]
pub(crate) fn along([a, b]: Segment, p: Point) -> i128 {
    let off = |q: Point| (i128::from(q.x) - i128::from(a.x), i128::from(q.y) - i128::from(a.y));
    let ((dx, dy), (px, py)) = (off(b), off(p));
    dx * px + dy * py
}

/// The lattice point nearest to where two segments that [`cross`] do so; halves go up.
pub(crate) fn crossing([a, b]: Segment, [c, d]: Segment) -> Point {
    let wide = |p: Point, q: Point| (i128::from(q.x) - i128::from(p.x), i128::from(q.y) - i128::from(p.y));
    let ((ex, ey), (fx, fy), (gx, gy)) = (wide(a, b), wide(c, d), wide(a, c));
    // a + t (b - a), t = (g x f) / (e x f): all products stay below 2^99.
    let (mut top, mut bottom) = (gx * fy - gy * fx, ex * fy - ey * fx);
    if bottom < 0 {
        (top, bottom) = (-top, -bottom);
    }
    let step = |e: i128| (2 * top * e + bottom).div_euclid(2 * bottom);
    // Between the ends of the segment, so it is in range.
    Point::new((i128::from(a.x) + step(ex)) as i32, (i128::from(a.y) + step(ey)) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: i32, y: i32) -> Point {
        Point::new(x, y)
    }

    #[test]
    fn a_crossing_is_inside_both_and_a_touch_is_not_one() {
        let e = [p(0, 0), p(10, 10)];
        assert!(cross(e, [p(0, 10), p(10, 0)]));
        assert!(!cross(e, [p(5, 5), p(10, 0)]));
        assert!(meet(e, [p(5, 5), p(10, 0)]));
        assert!(!cross(e, [p(2, 2), p(8, 8)]));
        assert!(meet(e, [p(12, 12), p(8, 8)]));
        assert!(!meet(e, [p(12, 12), p(11, 11)]));
    }

    #[test]
    fn a_crossing_is_the_nearest_lattice_point_whichever_segment_comes_first() {
        let (e, f) = ([p(0, 0), p(10, 3)], [p(0, 3), p(10, 0)]);
        assert_eq!(crossing(e, f), p(5, 2));
        assert_eq!(crossing(f, e), p(5, 2));
        assert_eq!(crossing([e[1], e[0]], f), p(5, 2));
        let far = [p(-1_800_000_000, -900_000_000), p(1_800_000_000, 900_000_000)];
        assert_eq!(crossing(far, [p(-1, 0), p(1, 0)]), p(0, 0));
    }

    #[test]
    fn a_pixel_is_entered_at_half_a_unit_and_not_further_off() {
        let e = [p(0, 0), p(100, 1)];
        assert!(enters_pixel(e, p(50, 0)) && enters_pixel(e, p(50, 1)));
        assert!(enters_pixel(e, p(20, 0)) && !enters_pixel(e, p(20, 1)));
        assert!(!enters_pixel(e, p(101, 1)));
        assert!(!enters_pixel([p(0, 0), p(1, 1)], p(1, 0)));
    }
}
