//! A place inside an area to write its name at: as far from its border as can be.
//!
//! Squares are tried, the most promising first, and quartered while they may hold a
//! place that is better by more than a set share (the pole of inaccessibility after
//! Garcia-Castellanos and Lombardo 2007, searched as in Agafonkin's polylabel). Where
//! rounding would put the winner outside, the middle of a scan line stands in.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use boundaries::{Bounds, Frame, Point, orient};

/// A place counts as good when none is better by more than this share of the size.
const PRECISION: f64 = 0.02;
/// Squares looked at, at most: a bound on time for shapes of any wickedness.
const MAX_SQUARES: usize = 400;

/// A lattice point strictly inside the ground that `rings` (shell and holes, any
/// direction) enclose; `None` where they enclose no lattice point that is found.
pub(crate) fn interior_point(rings: &[Vec<Point>]) -> Option<Point> {
    let bounds = Bounds::of(rings.iter().flatten().copied());
    if bounds.is_empty() {
        return None;
    }
    let frame = Frame::between(bounds.min, bounds.max);
    let pole = pole(rings, bounds, frame);
    if contains(rings, pole) {
        return Some(pole);
    }
    scan(rings, bounds)
}

/// Whether `p` is strictly inside, by parity and exactly; a point on a ring is not.
pub(super) fn contains(rings: &[Vec<Point>], p: Point) -> bool {
    let mut inside = false;
    for (a, b) in rings.iter().flat_map(|ring| edges(ring)) {
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        let side = orient(low, high, p);
        if side == Ordering::Equal && Bounds::of([a, b]).contains(p) {
            return false;
        }
        // An edge that crosses the level of p to its west.
        if low.y <= p.y && p.y < high.y && side == Ordering::Less {
            inside = !inside;
        }
    }
    inside
}

fn edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

struct Square {
    x: f64,
    y: f64,
    half: f64,
    distance: f64,
    best: f64,
}

impl PartialEq for Square {
    fn eq(&self, other: &Self) -> bool {
        self.best.total_cmp(&other.best).is_eq()
    }
}
impl Eq for Square {}
impl PartialOrd for Square {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Square {
    fn cmp(&self, other: &Self) -> Ordering {
        self.best.total_cmp(&other.best)
    }
}

/// An edge's ends in metres east and north.
type Edge = ((f64, f64), (f64, f64));

/// The searched pole, in metres east and north of the bounds' corner, put on the lattice.
fn pole(rings: &[Vec<Point>], bounds: Bounds, frame: Frame) -> Point {
    let flat: Vec<Edge> = rings
        .iter()
        .flat_map(|ring| edges(ring))
        .map(|(a, b)| (frame.offset(bounds.min, a), frame.offset(bounds.min, b)))
        .collect();
    let runs = Run::all(&flat);
    let (width, height) = frame.offset(bounds.min, bounds.max);
    let square = |x: f64, y: f64, half: f64| {
        let distance = signed_distance(&runs, x, y);
        Square { x, y, half, distance, best: distance + half * std::f64::consts::SQRT_2 }
    };
    let mut best = square(width / 2.0, height / 2.0, 0.0);
    let half = (width.min(height) / 2.0).max(width.max(height) / 16.0);
    let mut queue = BinaryHeap::new();
    if half > 0.0 {
        let (columns, rows) = ((width / half / 2.0).ceil() as usize, (height / half / 2.0).ceil() as usize);
        for i in 0..columns.min(9) {
            for j in 0..rows.min(9) {
                queue.push(square((2 * i + 1) as f64 * half, (2 * j + 1) as f64 * half, half));
            }
        }
    }
    let precision = width.min(height) * PRECISION;
    let mut tried = queue.len();
    while let Some(top) = queue.pop() {
        let (x, y, half, limit) = (top.x, top.y, top.half / 2.0, top.best);
        if top.distance > best.distance {
            best = top;
        }
        if limit - best.distance <= precision || tried >= MAX_SQUARES {
            break;
        }
        for (dx, dy) in [(-half, -half), (half, -half), (-half, half), (half, half)] {
            queue.push(square(x + dx, y + dy, half));
        }
        tried += 4;
    }
    // Both offsets lie within the bounds, which are on the lattice: no cast can overflow.
    let units = |m: f64, unit_m: f64| (m / unit_m).round() as i64;
    Point::new(
        (i64::from(bounds.min.x) + units(best.x, frame.east_m)).min(i64::from(bounds.max.x)) as i32,
        (i64::from(bounds.min.y) + units(best.y, frame.north_m)).min(i64::from(bounds.max.y)) as i32,
    )
}

/// Edges that follow each other, with the box around them.
struct Run<'a> {
    edges: &'a [Edge],
    min: (f64, f64),
    max: (f64, f64),
}

impl<'a> Run<'a> {
    /// Edges in one run: few enough that most runs are far away.
    const LENGTH: usize = 16;

    fn all(edges: &'a [Edge]) -> Vec<Self> {
        let of = |edges: &'a [Edge]| {
            let ends = || edges.iter().flat_map(|(a, b)| [a, b]);
            let least = |part: fn(&(f64, f64)) -> f64| ends().map(part).fold(f64::INFINITY, f64::min);
            let most = |part: fn(&(f64, f64)) -> f64| ends().map(part).fold(f64::NEG_INFINITY, f64::max);
            Self { edges, min: (least(|p| p.0), least(|p| p.1)), max: (most(|p| p.0), most(|p| p.1)) }
        };
        edges.chunks(Self::LENGTH).map(of).collect()
    }

    /// No edge is nearer than this, squared.
    fn distance_2(&self, x: f64, y: f64) -> f64 {
        let off = |at: f64, low: f64, high: f64| (low - at).max(at - high).max(0.0);
        let (dx, dy) = (off(x, self.min.0, self.max.0), off(y, self.min.1, self.max.1));
        // Less by more than rounding can have added.
        (dx * dx + dy * dy) * (1.0 - 1e-9)
    }
}

/// The distance from a place to the nearest edge: positive inside, negative outside.
fn signed_distance(runs: &[Run<'_>], x: f64, y: f64) -> f64 {
    let (mut nearest_2, mut inside) = (f64::INFINITY, false);
    for run in runs {
        let is_near = run.distance_2(x, y) < nearest_2;
        // An edge that crosses the level of the place does so between its ends.
        if !is_near && (run.min.1 > y || run.max.1 < y) {
            continue;
        }
        for &((ax, ay), (bx, by)) in run.edges {
            if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
                inside = !inside;
            }
            if !is_near {
                continue;
            }
            let (dx, dy) = (bx - ax, by - ay);
            let length_2 = dx * dx + dy * dy;
            let t = if length_2 > 0.0 { (((x - ax) * dx + (y - ay) * dy) / length_2).clamp(0.0, 1.0) } else { 0.0 };
            let (ex, ey) = (ax + t * dx - x, ay + t * dy - y);
            nearest_2 = nearest_2.min(ex * ex + ey * ey);
        }
    }
    if inside { nearest_2.sqrt() } else { -nearest_2.sqrt() }
}

/// The middle of the widest run inside along one of a few horizontal lines.
fn scan(rings: &[Vec<Point>], bounds: Bounds) -> Option<Point> {
    let height = i64::from(bounds.max.y) - i64::from(bounds.min.y);
    (1..16)
        .filter_map(|i| {
            let y = (i64::from(bounds.min.y) + height * i / 16) as i32;
            let mut crossings: Vec<f64> = rings
                .iter()
                .flat_map(|ring| edges(ring))
                .filter(|(a, b)| (a.y <= y) != (b.y <= y))
                .map(|(a, b)| {
                    let t = (f64::from(y) - f64::from(a.y)) / (f64::from(b.y) - f64::from(a.y));
                    f64::from(a.x) + t * (f64::from(b.x) - f64::from(a.x))
                })
                .collect();
            crossings.sort_by(f64::total_cmp);
            crossings
                .chunks_exact(2)
                .map(|run| (run[1] - run[0], Point::new(((run[0] + run[1]) / 2.0).round() as i32, y)))
                .max_by(|a, b| a.0.total_cmp(&b.0))
        })
        .filter(|(_, p)| contains(rings, *p))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, p)| p)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[(i32, i32)]) -> Vec<Point> {
        points.iter().map(|&(x, y)| Point::new(x, y)).collect()
    }

    #[test]
    fn the_place_of_a_name_is_inside_even_where_the_middle_is_not() {
        // A thin U: the middle of its box is outside.
        let u =
            [ring(&[(0, 0), (3000, 0), (3000, 3000), (2900, 3000), (2900, 100), (100, 100), (100, 3000), (0, 3000)])];
        let p = interior_point(&u).unwrap();
        assert!(contains(&u, p), "{p:?}");
        // A block with a court in its middle.
        let court = [
            ring(&[(0, 0), (3000, 0), (3000, 3000), (0, 3000)]),
            ring(&[(100, 1000), (2900, 1000), (2900, 2000), (100, 2000)]),
        ];
        let p = interior_point(&court).unwrap();
        assert!(contains(&court, p), "{p:?}");
    }

    #[test]
    fn no_place_of_many_is_farther_from_the_border_than_that_of_the_name_by_more_than_the_precision() {
        for seed in 0..30u64 {
            // Stars of random reach, wider than high.
            let mut state = seed;
            let mut unit = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 40) as f64 / f64::from(1 << 24)
            };
            let corners = 5 + seed % 40;
            let points: Vec<(i32, i32)> = (0..corners)
                .map(|i| {
                    let (angle, reach) =
                        (i as f64 / corners as f64 * std::f64::consts::TAU, 2_000.0 + 18_000.0 * unit());
                    ((reach * 1.6 * angle.cos()) as i32, (reach * angle.sin()) as i32)
                })
                .collect();
            let rings = [ring(&points)];
            let bounds = Bounds::of(rings[0].iter().copied());
            let frame = Frame::between(bounds.min, bounds.max);
            let offset = |p: Point| frame.offset(bounds.min, p);
            let flat: Vec<Edge> = edges(&rings[0]).map(|(a, b)| (offset(a), offset(b))).collect();
            let runs = Run::all(&flat);
            let (width, height) = offset(bounds.max);
            let of = |(x, y): (f64, f64)| signed_distance(&runs, x, y);
            let found = of(offset(interior_point(&rings).unwrap()));
            let share = |i: u32| f64::from(i) / 80.0;
            let places = (0..=80).flat_map(|i| (0..=80).map(move |j| (share(i), share(j))));
            let best = places.map(|(x, y)| of((x * width, y * height))).fold(f64::NEG_INFINITY, f64::max);
            let precision = width.min(height) * PRECISION + 0.1;
            assert!(found >= best - precision, "seed {seed}: {found} m, and there is {best} m");
        }
    }

    #[test]
    fn the_place_of_a_name_in_a_square_is_its_middle() {
        let p = interior_point(&[ring(&[(0, 0), (1000, 0), (1000, 1000), (0, 1000)])]).unwrap();
        assert!((p.x - 500).abs() < 40 && (p.y - 500).abs() < 40, "{p:?}");
    }

    #[test]
    fn runs_that_are_passed_over_hold_nothing_nearer() {
        // A star of many corners, from within and from without.
        let corner = |i: u32| {
            let (angle, reach) =
                (f64::from(i) * 0.01, if i.is_multiple_of(2) { 900.0 } else { 500.0 + f64::from(i % 7) * 30.0 });
            (1000.0 + reach * angle.cos(), 1000.0 + reach * angle.sin())
        };
        let flat: Vec<Edge> = (0..628).map(|i| (corner(i), corner((i + 1) % 628))).collect();
        let runs = Run::all(&flat);
        let whole =
            [Run { edges: &flat, min: (f64::NEG_INFINITY, f64::NEG_INFINITY), max: (f64::INFINITY, f64::INFINITY) }];
        for (x, y) in (0..40).flat_map(|i| (0..40).map(move |j| (f64::from(i) * 51.0, f64::from(j) * 51.0))) {
            assert_eq!(signed_distance(&runs, x, y), signed_distance(&whole, x, y), "{x} {y}");
        }
    }

    #[test]
    fn ground_without_a_lattice_point_inside_has_no_place_for_a_name() {
        assert_eq!(interior_point(&[ring(&[(0, 0), (1, 0), (1, 1), (0, 1)])]), None);
        assert_eq!(interior_point(&[]), None);
    }
}
