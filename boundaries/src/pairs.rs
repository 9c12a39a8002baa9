//! Which segments come near each other: every pair of candidates, none by brute force.
//!
//! The region is halved again and again, and each half keeps the segments that
//! enter it, until few enough are left to be compared one with another. Unlike a
//! fixed grid it doesn't care how unevenly the segments lie. A pair may be visited
//! more than once, and pairs that are merely close are visited too: the visitor
//! decides exactly. It must not know what the segments mean.

use crate::lattice::Point;

/// Segments that are compared one with another without further halving.
const LEAF: usize = 24;
/// Halvings after which no more is tried: both sides of the globe's box are then one unit.
const DEEPEST: u32 = 66;
/// From this many segments on, the halves are worked on side by side.
const SIDE_BY_SIDE: usize = 4_096;

/// A closed box with room beyond the lattice, for margins.
#[derive(Clone, Copy)]
struct Region {
    min: [i64; 2],
    max: [i64; 2],
}

/// Visits the pairs `(i, j)`, `i < j`, of segments whose boxes, widened by `margin`
/// (units in x and y), meet, where one of the two is `active`; gathers what the
/// visits put down.
pub(crate) fn near_pairs<T, A, F>(segments: &[[Point; 2]], margin: [i32; 2], active: &A, visit: &F) -> Vec<T>
where
    T: Send,
    A: Fn(usize) -> bool + Sync,
    F: Fn(usize, usize, &mut Vec<T>) + Sync,
{
    let finder = Finder { segments, margin: margin.map(i64::from), active, visit };
    let ids: Vec<u32> = (0..segments.len() as u32).collect();
    let mut region = Region { min: [i64::MAX; 2], max: [i64::MIN; 2] };
    for segment in segments {
        for p in segment {
            region.min = [region.min[0].min(i64::from(p.x)), region.min[1].min(i64::from(p.y))];
            region.max = [region.max[0].max(i64::from(p.x)), region.max[1].max(i64::from(p.y))];
        }
    }
    finder.search(ids, region, 0)
}

/// A region in two, and who enters each half.
struct Halves {
    low: (Region, Vec<u32>),
    high: (Region, Vec<u32>),
}

impl Halves {
    fn total(&self) -> usize {
        self.low.1.len() + self.high.1.len()
    }
}

struct Finder<'a, A, F> {
    segments: &'a [[Point; 2]],
    margin: [i64; 2],
    active: &'a A,
    visit: &'a F,
}

impl<A: Fn(usize) -> bool + Sync, F> Finder<'_, A, F> {
    fn search<T: Send>(&self, ids: Vec<u32>, region: Region, depth: u32) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>) + Sync,
    {
        if !ids.iter().any(|&i| (self.active)(i as usize)) {
            return Vec::new();
        }
        let sides = [region.max[0] - region.min[0], region.max[1] - region.min[1]];
        let axis = usize::from(sides[1] > sides[0]);
        if ids.len() <= LEAF || depth >= DEEPEST || sides[axis] <= 1 {
            return self.compare(&ids);
        }
        let mut halves = self.halve(&ids, region, axis);
        // Long segments side by side are in both halves: then the other way may part them.
        if halves.total() > ids.len() + ids.len() / 2 && sides[1 - axis] > 1 {
            let others = self.halve(&ids, region, 1 - axis);
            if others.total() < halves.total() {
                halves = others;
            }
        }
        let Halves { low: (low, in_low), high: (high, in_high) } = halves;
        let large = ids.len() >= SIDE_BY_SIDE;
        drop(ids);
        let (mut found, more) = if large {
            rayon::join(|| self.search(in_low, low, depth + 1), || self.search(in_high, high, depth + 1))
        } else {
            (self.search(in_low, low, depth + 1), self.search(in_high, high, depth + 1))
        };
        found.extend(more);
        found
    }

    fn halve(&self, ids: &[u32], region: Region, axis: usize) -> Halves {
        let middle = (region.min[axis] + region.max[axis]).div_euclid(2);
        let (mut low, mut high) = (region, region);
        low.max[axis] = middle;
        high.min[axis] = middle + 1;
        let (mut in_low, mut in_high) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
        for &i in ids {
            if self.enters(i, low) {
                in_low.push(i);
            }
            if self.enters(i, high) {
                in_high.push(i);
            }
        }
        Halves { low: (low, in_low), high: (high, in_high) }
    }

    /// Whether the segment, widened by the margin, may have a point in the region.
    fn enters(&self, i: u32, region: Region) -> bool {
        let [a, b] = self.segments[i as usize];
        let (ax, ay, bx, by) = (i64::from(a.x), i64::from(a.y), i64::from(b.x), i64::from(b.y));
        let [mx, my] = self.margin;
        let (min_x, max_x) = (region.min[0] - mx, region.max[0] + mx);
        let (min_y, max_y) = (region.min[1] - my, region.max[1] + my);
        if ax.max(bx) < min_x || ax.min(bx) > max_x || ay.max(by) < min_y || ay.min(by) > max_y {
            return false;
        }
        // A long slanting segment whose box covers the region may still pass beside it.
        // Rounded arithmetic with slack: it may only err towards "enters".
        let (dx, dy) = ((bx - ax) as f64, (by - ay) as f64);
        let (cx, cy) = ((min_x + max_x) as f64 / 2.0 - ax as f64, (min_y + max_y) as f64 / 2.0 - ay as f64);
        let reach = dx.abs() * ((max_y - min_y) as f64 / 2.0 + 1.0) + dy.abs() * ((max_x - min_x) as f64 / 2.0 + 1.0);
        let (u, v) = (dx * cy, dy * cx);
        (u - v).abs() <= reach + 1e-14 * (u.abs() + v.abs() + reach)
    }

    fn compare<T>(&self, ids: &[u32]) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>),
    {
        let mut found = Vec::new();
        let [mx, my] = self.margin;
        for (n, &i) in ids.iter().enumerate() {
            let [a, b] = self.segments[i as usize];
            let (min_x, max_x) = (i64::from(a.x.min(b.x)) - mx, i64::from(a.x.max(b.x)) + mx);
            let (min_y, max_y) = (i64::from(a.y.min(b.y)) - my, i64::from(a.y.max(b.y)) + my);
            let i_active = (self.active)(i as usize);
            for &j in &ids[n + 1..] {
                let [c, d] = self.segments[j as usize];
                if i64::from(c.x.max(d.x)) >= min_x
                    && i64::from(c.x.min(d.x)) <= max_x
                    && i64::from(c.y.max(d.y)) >= min_y
                    && i64::from(c.y.min(d.y)) <= max_y
                    && (i_active || (self.active)(j as usize))
                {
                    (self.visit)(i.min(j) as usize, i.max(j) as usize, &mut found);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_boxes_that_meet_is_visited() {
        let seed = 7u64;
        println!("seed {seed}");
        let mut state = seed;
        let mut next = move |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % n) as i32
        };
        for margin in [0, 1, 9] {
            let segments: Vec<[Point; 2]> = (0..700)
                .map(|i| {
                    let (x, y) = (next(5_000), next(5_000));
                    let reach = if i % 50 == 0 { 5_000 } else { 400 };
                    [Point::new(x, y), Point::new(x + next(reach), y - next(reach))]
                })
                .collect();
            let mut found = near_pairs(&segments, [margin; 2], &|_| true, &|i, j, out| {
                // Boxes alone are not promised, segments that come near are.
                if crate::segment::meet(segments[i], segments[j]) {
                    out.push((i, j));
                }
            });
            found.sort_unstable();
            found.dedup();
            let mut expected = Vec::new();
            for i in 0..segments.len() {
                for j in i + 1..segments.len() {
                    if crate::segment::meet(segments[i], segments[j]) {
                        expected.push((i, j));
                    }
                }
            }
            assert!(expected.len() > 100);
            assert_eq!(found, expected);
        }
    }
}
