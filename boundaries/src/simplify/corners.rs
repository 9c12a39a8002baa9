//! One line's corners, the lightest first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::mercator_area_m2;
use crate::lattice::{Bounds, Point, orient};

/// A vertex in the queue: the smallest triangle is the greatest item.
struct Corner {
    area: f64,
    index: u32,
    /// How often the vertex was weighed when this was put in; older ones are void.
    turn: u32,
}

impl Ord for Corner {
    fn cmp(&self, other: &Self) -> Ordering {
        // Equal areas go by their place in the line, so that the order is one.
        other.area.total_cmp(&self.area).then_with(|| other.index.cmp(&self.index))
    }
}

impl PartialOrd for Corner {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Corner {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Corner {}

/// The weights of a line's vertices. At least `keep` inner ones weigh without limit, as
/// do those that can't go: their triangle holds one of `others`.
pub(super) fn weigh(line: &[Point], keep: usize, others: &[Point]) -> Arc<[f32]> {
    let n = line.len();
    let mut weights = vec![f32::INFINITY; n];
    let mut left = n - 2;
    if left <= keep {
        return weights.into();
    }
    let slab = Slab::along(Bounds::of(line.iter().copied()));
    let others = slab.sorted(others);
    let own = slab.sorted(line);
    let area = |i: usize, j: usize, k: usize| mercator_area_m2(line[i], line[j], line[k]);
    let mut before: Vec<u32> = (0..n as u32).map(|i| i.wrapping_sub(1)).collect();
    let mut after: Vec<u32> = (1..=n as u32).collect();
    let mut turns = vec![0u32; n];
    let mut queue: BinaryHeap<_> =
        (1..n - 1).map(|i| Corner { area: area(i - 1, i, i + 1), index: i as u32, turn: 0 }).collect();
    // The corners that can't go before another vertex does, by that vertex.
    let mut waiting: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    let mut heaviest = 0f64;
    while let Some(Corner { area: lightest, index, turn }) = queue.pop() {
        let i = index as usize;
        if turn != turns[i] {
            continue;
        }
        if left == keep {
            break;
        }
        let (a, c) = (before[i] as usize, after[i] as usize);
        let triangle = [line[a], line[i], line[c]];
        if slab.within(&others, triangle).next().is_some() {
            continue;
        }
        if let Some(v) = slab.within(&own, triangle).find(|v| turns[*v as usize] != GONE) {
            waiting.entry(v).or_default().push(index);
            continue;
        }
        left -= 1;
        heaviest = heaviest.max(lightest);
        weights[i] = heaviest as f32;
        turns[i] = GONE;
        after[a] = c as u32;
        before[c] = a as u32;
        for j in [a, c] {
            if j != 0 && j != n - 1 {
                turns[j] += 1;
                let area = area(before[j] as usize, j, after[j] as usize);
                queue.push(Corner { area, index: j as u32, turn: turns[j] });
            }
        }
        for j in waiting.remove(&index).unwrap_or_default() {
            // One that was weighed anew since then stands in the queue twice: the same corner.
            if turns[j as usize] != GONE {
                let area = area(before[j as usize] as usize, j as usize, after[j as usize] as usize);
                queue.push(Corner { area, index: j, turn: turns[j as usize] });
            }
        }
    }
    weights.into()
}

/// The turn of a vertex that went.
const GONE: u32 = u32::MAX;

/// Points in the order of the axis along which a line is longer: what a triangle holds
/// lies in a run of them.
#[derive(Clone, Copy)]
struct Slab {
    by_x: bool,
    bounds: Bounds,
}

impl Slab {
    fn along(bounds: Bounds) -> Self {
        let width = i64::from(bounds.max.x) - i64::from(bounds.min.x);
        let height = i64::from(bounds.max.y) - i64::from(bounds.min.y);
        Self { by_x: width >= height, bounds }
    }

    /// The points within the bounds with their indices, in order.
    fn sorted(self, points: &[Point]) -> Vec<(Point, u32)> {
        let mut sorted: Vec<(Point, u32)> =
            points.iter().zip(0..).filter(|(p, _)| self.bounds.contains(**p)).map(|(p, i)| (*p, i)).collect();
        sorted.sort_unstable_by_key(|(p, i)| (self.key(*p), *i));
        sorted
    }

    fn key(self, p: Point) -> i32 {
        if self.by_x { p.x } else { p.y }
    }

    /// The indices of the points in a triangle, its sides included and its corners not.
    fn within(self, sorted: &[(Point, u32)], [a, b, c]: [Point; 3]) -> impl Iterator<Item = u32> {
        let side = orient(a, b, c);
        let bounds = Bounds::of([a, b, c]);
        let from = sorted.partition_point(|(p, _)| self.key(*p) < self.key(bounds.min));
        let last = self.key(bounds.max);
        let run = sorted[from..].iter().take_while(move |(p, _)| self.key(*p) <= last);
        run.filter(move |(p, _)| {
            let p = *p;
            let is_inside = |u: Point, v: Point| orient(u, v, p) != side.reverse();
            // A flat triangle holds nothing: what lay on it would lie on the line.
            side != Ordering::Equal
                && bounds.contains(p)
                && p != a
                && p != b
                && p != c
                && is_inside(a, b)
                && is_inside(b, c)
                && is_inside(c, a)
        })
        .map(|(_, i)| *i)
    }
}
