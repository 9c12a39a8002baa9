//! Which segments come near each other: every pair of candidates, none by brute force.
//!
//! The region is halved again and again, and each half keeps the segments that
//! enter it, until few enough are left to be compared one with another. Unlike a
//! fixed grid it doesn't care how unevenly the segments lie. Where halving parts
//! nothing, because the segments run side by side aslant or meet in one vertex, the
//! rest is done by [`bundle`] and [`star`]. A pair may be visited more than once, and
//! pairs that are merely close are visited too: the visitor decides exactly. Two
//! segments that have an end in common need not be visited unless one comes near the
//! far end of the other. What would take more work than a drawing can ask for is given
//! up: see [`Crowded`]. It must not know what the segments mean.

mod bundle;
mod star;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::lattice::Point;

/// Segments that are compared one with another without further halving.
const LEAF: usize = 24;
/// Halvings after which no more is tried: both sides of the globe's box are then one unit.
const DEEPEST: u32 = 66;
/// From this many segments on, the halves are worked on side by side.
const SIDE_BY_SIDE: usize = 4_096;
/// From this many segments on, halves that part little are worth another way.
const BUNDLE: usize = 64;
/// How often a segment may stand in cells side by side before that other way is tried:
/// twice is usual, for they grow shorter as fast as the cells.
const MOST_SPREAD: f64 = 3.0;
/// Pairs compared, beyond so many for each segment, at which a search is given up: some ten
/// seconds' work. A clean city needs some fifty for each.
const MOST_COMPARED: u64 = 1 << 30;
const MOST_COMPARED_EACH: u64 = 256;
/// Visits that put something down, beyond so many for each segment: some hundred
/// megabytes. Polygons drawn one by one, each on its own, put down four or five.
const MOST_FOUND: u64 = 1 << 22;
const MOST_FOUND_EACH: u64 = 16;

/// Segments meet so often, or lie so densely, that a search for pairs was given up: where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded(pub(crate) Point);

/// A closed box with room beyond the lattice, for margins.
#[derive(Clone, Copy)]
struct Region {
    min: [i64; 2],
    max: [i64; 2],
}

/// Visits the pairs `(i, j)`, `i < j`, of segments whose boxes, widened by `margin`
/// (units in x and y), meet, where one of the two is `active`; gathers what the
/// visits put down.
pub(crate) fn near_pairs<T, A, F>(
    segments: &[[Point; 2]],
    margin: [i32; 2],
    active: &A,
    visit: &F,
) -> Result<Vec<T>, Crowded>
where
    T: Send,
    A: Fn(usize) -> bool + Sync,
    F: Fn(usize, usize, &mut Vec<T>) + Sync,
{
    Finder::of(segments, margin, active, visit).run()
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
    compared: AtomicU64,
    most_compared: u64,
    found: AtomicU64,
    most_found: u64,
}

impl<'a, A: Fn(usize) -> bool + Sync, F> Finder<'a, A, F> {
    fn of(segments: &'a [[Point; 2]], margin: [i32; 2], active: &'a A, visit: &'a F) -> Self {
        Self {
            segments,
            margin: margin.map(i64::from),
            active,
            visit,
            compared: AtomicU64::new(0),
            most_compared: MOST_COMPARED + MOST_COMPARED_EACH * segments.len() as u64,
            found: AtomicU64::new(0),
            most_found: MOST_FOUND + MOST_FOUND_EACH * segments.len() as u64,
        }
    }

    fn run<T: Send>(&self) -> Result<Vec<T>, Crowded>
    where
        F: Fn(usize, usize, &mut Vec<T>) + Sync,
    {
        let mut region = Region { min: [i64::MAX; 2], max: [i64::MIN; 2] };
        for p in self.segments.iter().flatten() {
            region.min = [region.min[0].min(i64::from(p.x)), region.min[1].min(i64::from(p.y))];
            region.max = [region.max[0].max(i64::from(p.x)), region.max[1].max(i64::from(p.y))];
        }
        let found = self.search((0..self.segments.len() as u32).collect(), region, 0, 1.0);
        // The busiest place is not looked for: one of the segments shows where to look.
        let place = || self.segments.get(self.segments.len() / 2).map_or(Point::default(), |s| s[0]);
        if self.is_spent() { Err(Crowded(place())) } else { Ok(found) }
    }

    /// `spread` is in how many cells side by side a segment stands so far, on average.
    fn search<T: Send>(&self, ids: Vec<u32>, region: Region, depth: u32, spread: f64) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>) + Sync,
    {
        if !ids.iter().any(|&i| (self.active)(i as usize)) {
            return Vec::new();
        }
        let sides = [region.max[0] - region.min[0], region.max[1] - region.min[1]];
        let axis = usize::from(sides[1] > sides[0]);
        if self.is_spent() {
            return Vec::new();
        }
        if ids.len() <= LEAF {
            return self.compare(&ids);
        }
        if depth >= DEEPEST || sides[axis] <= 1 {
            return self.compare_stars(&ids);
        }
        self.spend(ids.len(), 0);
        let mut halves = self.halve(&ids, region, axis);
        // Long segments side by side are in both halves: then the other way may part them.
        if halves.total() > ids.len() + ids.len() / 2 && sides[1 - axis] > 1 {
            let others = self.halve(&ids, region, 1 - axis);
            if others.total() < halves.total() {
                halves = others;
            }
        }
        let spread = spread * halves.total() as f64 / ids.len() as f64;
        if spread > MOST_SPREAD && ids.len() >= BUNDLE {
            return self.search_bundle(&ids, region);
        }
        let Halves { low: (low, in_low), high: (high, in_high) } = halves;
        let large = ids.len() >= SIDE_BY_SIDE;
        drop(ids);
        let (mut found, more) = if large {
            rayon::join(
                || self.search(in_low, low, depth + 1, spread),
                || self.search(in_high, high, depth + 1, spread),
            )
        } else {
            (self.search(in_low, low, depth + 1, spread), self.search(in_high, high, depth + 1, spread))
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

    /// Whether more was compared or found than a search may.
    fn is_spent(&self) -> bool {
        self.compared.load(Ordering::Relaxed) > self.most_compared
            || self.found.load(Ordering::Relaxed) > self.most_found
    }

    /// Books what a piece of work took and brought.
    fn spend(&self, compared: usize, found: usize) {
        self.compared.fetch_add(compared as u64, Ordering::Relaxed);
        if found > 0 {
            self.found.fetch_add(found as u64, Ordering::Relaxed);
        }
    }

    fn compare<T>(&self, ids: &[u32]) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>),
    {
        let mut found = Vec::new();
        for (n, &i) in ids.iter().enumerate() {
            self.compare_one(i, &ids[n + 1..], &mut found);
        }
        self.spend(ids.len() * ids.len() / 2, found.len());
        found
    }

    /// Visits `i` with each of `others` whose box meets its box.
    #[inline]
    fn compare_one<T>(&self, i: u32, others: &[u32], found: &mut Vec<T>)
    where
        F: Fn(usize, usize, &mut Vec<T>),
    {
        let [mx, my] = self.margin;
        let [a, b] = self.segments[i as usize];
        let (min_x, max_x) = (i64::from(a.x.min(b.x)) - mx, i64::from(a.x.max(b.x)) + mx);
        let (min_y, max_y) = (i64::from(a.y.min(b.y)) - my, i64::from(a.y.max(b.y)) + my);
        let i_active = (self.active)(i as usize);
        for &j in others {
            let [c, d] = self.segments[j as usize];
            if i64::from(c.x.max(d.x)) >= min_x
                && i64::from(c.x.min(d.x)) <= max_x
                && i64::from(c.y.max(d.y)) >= min_y
                && i64::from(c.y.min(d.y)) <= max_y
                && (i_active || (self.active)(j as usize))
            {
                (self.visit)(i.min(j) as usize, i.max(j) as usize, found);
            }
        }
    }
}

#[cfg(test)]
mod tests;
