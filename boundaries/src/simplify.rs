//! How much each vertex of a border matters on a map, worked out once.
//!
//! Visvalingam and Whyatt (1993): the vertex whose triangle with its two neighbours
//! is smallest goes first, and so on until only the ends are left. The *weight* of a
//! vertex is the area of its triangle when it went, raised to the largest weight
//! before it; so the vertices of a coarser map are among those of a finer one.
//!
//! Weights are areas in square metres of the Mercator plane of the tiles (EPSG:3857,
//! the globe 40,075,016.69 m wide), not of the ground: one threshold then means the
//! same part of a tile at every latitude. See [`weight_of_units`].
//!
//! Invariant: both ends of a border stay at every weight, so borders that meet in a
//! node still do; a closed border keeps a triangle; of two borders between the same
//! two nodes neither shrinks to the straight line between them. Neighbours share a
//! border, hence its vertices, at every zoom and at every level.
//!
//! It must not know: tiles, zooms as such, which areas lie at the sides.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::chunks::Chunked;
use crate::coverage::Coverage;
use crate::lattice::{Point, UNITS_PER_DEGREE};
use crate::topology::{Border, BorderId};

/// The width of the globe on the Mercator plane in metres: 2π times 6,378,137 m.
pub const MERCATOR_WIDTH_M: f64 = 40_075_016.685_578_49;

/// The weight of a triangle of `square_units` square units of a tile at zoom `z`
/// whose side counts `extent` units (4096): what [`Weights::line_at`] wants as its
/// least weight for vertices that show by at least that much.
#[must_use]
pub fn weight_of_units(z: u8, extent: u32, square_units: f64) -> f32 {
    let unit_m = MERCATOR_WIDTH_M / f64::from(extent) / 2f64.powi(i32::from(z));
    (unit_m * unit_m * square_units) as f32
}

/// The weights of all vertices of a coverage's borders.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    by_border: Chunked<Option<Arc<[f32]>>>,
}

impl Weights {
    /// Weighs every vertex of a coverage.
    #[must_use]
    pub fn build(coverage: &Coverage) -> Self {
        Self::updated(&Self::default(), &Coverage::empty(coverage.levels().into()), coverage)
    }

    /// The weights of `new`, which came from `old` by an edit; `self` are those of
    /// `old`. Borders whose line is the same keep their weights, as the same memory.
    #[must_use]
    pub fn updated(&self, old: &Coverage, new: &Coverage) -> Self {
        let twins = twins(new);
        let same = |id: BorderId, b: &Border, bent: bool| {
            let weights = self.of(id)?;
            let (line, is_twin) = (&old.border(id)?.line, weights[1..weights.len() - 1].contains(&f32::INFINITY));
            (Arc::ptr_eq(line, &b.line) && (is_closed(b) || is_twin == bent)).then(|| weights.clone())
        };
        let borders: Vec<_> = new.borders().collect();
        let weighed: Vec<_> = borders
            .par_iter()
            .map(|(id, b)| {
                let bent = b.line.len() > 2 && !is_closed(b) && twins[&ends(b)] > 1;
                same(*id, b, bent).unwrap_or_else(|| weigh(&b.line, if is_closed(b) { 2 } else { bent.into() }))
            })
            .collect();
        let mut by_border = self.by_border.clone();
        let mut at = 0;
        for ((id, _), weights) in borders.into_iter().zip(weighed) {
            for gone in at..id.0 as usize {
                set(&mut by_border, gone, None);
            }
            at = id.0 as usize + 1;
            set(&mut by_border, id.0 as usize, Some(weights));
        }
        for gone in at..by_border.len() {
            set(&mut by_border, gone, None);
        }
        Self { by_border }
    }

    /// The weight of each vertex of a border; infinite for those that always stay.
    #[must_use]
    pub fn of(&self, border: BorderId) -> Option<&Arc<[f32]>> {
        self.by_border.get(border.0 as usize)?.as_ref()
    }

    /// The vertices of a border that weigh at least `least`, from its first node to
    /// its last. `coverage` is the one that was weighed. Nothing for a border that
    /// does not exist.
    pub fn line_at(&self, coverage: &Coverage, border: BorderId, least: f32) -> impl Iterator<Item = Point> {
        let line = coverage.border(border).map_or(&[][..], |b| &b.line);
        let weights = self.of(border).map_or(&[][..], |w| w);
        line.iter().zip(weights).filter(move |(_, w)| **w >= least).map(|(p, _)| *p)
    }
}

/// Puts weights into the table, leaving chunks alone where nothing changes.
fn set(table: &mut Chunked<Option<Arc<[f32]>>>, index: usize, weights: Option<Arc<[f32]>>) {
    let is_same = match (table.get(index), &weights) {
        (Some(Some(a)), Some(b)) => Arc::ptr_eq(a, b),
        (Some(None), None) => true,
        _ => false,
    };
    if is_same {
        return;
    }
    while table.len() <= index {
        table.push(None);
    }
    if let Some(place) = table.get_mut(index) {
        *place = weights;
    }
}

fn is_closed(b: &Border) -> bool {
    b.line.first() == b.line.last()
}

/// The two nodes of a border, the lesser first.
fn ends(b: &Border) -> (Point, Point) {
    let (a, z) = (b.line[0], b.line[b.line.len() - 1]);
    (a.min(z), a.max(z))
}

/// How many borders join each pair of nodes.
fn twins(coverage: &Coverage) -> FxHashMap<(Point, Point), u32> {
    let mut count = FxHashMap::default();
    for (_, b) in coverage.borders() {
        *count.entry(ends(b)).or_insert(0) += 1;
    }
    count
}

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

/// The weights of a line's vertices; at least `keep` inner ones weigh without limit.
fn weigh(line: &[Point], keep: usize) -> Arc<[f32]> {
    let n = line.len();
    let mut weights = vec![f32::INFINITY; n];
    let mut left = n - 2;
    if left <= keep {
        return weights.into();
    }
    let area = |i: usize, j: usize, k: usize| mercator_area_m2(line[i], line[j], line[k]);
    let mut before: Vec<u32> = (0..n as u32).map(|i| i.wrapping_sub(1)).collect();
    let mut after: Vec<u32> = (1..=n as u32).collect();
    let mut turns = vec![0u32; n];
    let mut queue: BinaryHeap<_> =
        (1..n - 1).map(|i| Corner { area: area(i - 1, i, i + 1), index: i as u32, turn: 0 }).collect();
    let mut heaviest = 0f64;
    while let Some(Corner { area: lightest, index, turn }) = queue.pop() {
        let i = index as usize;
        if turn != turns[i] {
            continue;
        }
        if left == keep {
            break;
        }
        left -= 1;
        heaviest = heaviest.max(lightest);
        weights[i] = heaviest as f32;
        turns[i] = u32::MAX;
        let (a, c) = (before[i] as usize, after[i] as usize);
        after[a] = c as u32;
        before[c] = a as u32;
        for j in [a, c] {
            if j == 0 || j == n - 1 {
                continue;
            }
            turns[j] += 1;
            let area = area(before[j] as usize, j, after[j] as usize);
            queue.push(Corner { area, index: j as u32, turn: turns[j] });
        }
    }
    weights.into()
}

/// The area of a triangle on the Mercator plane, its scale taken at the corner `b`.
fn mercator_area_m2(a: Point, b: Point, c: Point) -> f64 {
    /// Beyond this latitude the square map of the tiles ends.
    const RIM_DEGREES: f64 = 85.06;
    let off = |p: Point| (f64::from(p.x) - f64::from(b.x), f64::from(p.y) - f64::from(b.y));
    let ((ax, ay), (cx, cy)) = (off(a), off(c));
    let unit_m = MERCATOR_WIDTH_M / 360.0 / f64::from(UNITS_PER_DEGREE);
    // North-south the plane is stretched by 1 / cos of the latitude.
    let stretch = b.lat().clamp(-RIM_DEGREES, RIM_DEGREES).to_radians().cos().recip();
    (ax * cy - ay * cx).abs() * 0.5 * unit_m * unit_m * stretch
}

#[cfg(test)]
mod tests;
