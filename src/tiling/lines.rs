//! The borders of a coverage on the world grid, with what each vertex weighs.
//!
//! Invariant: a border's entry follows from the border, the faces at its sides and the
//! weights alone. Entries lie in shared chunks: a coverage that came from another by an
//! edit has new chunks only where entries are stale.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::simplify::{MERCATOR_WIDTH_M, Weights, weight_of_units};
use boundaries::{Border, BorderId, Coverage, Difference, FaceId, UNITS_PER_DEGREE};
use rayon::prelude::*;
use tiles::{Chains, Grid, GridBox, World};

use super::datum::Datum;

/// A corner is left out where its triangle has less than so many square tile units:
/// one pixel of a 512-pixel tile.
const CORNER_SQUARE_UNITS: f64 = 64.0;

/// And never where it is more than this part of the smaller face beside it, so that
/// small areas keep their shape as long as they can be seen at all.
const CORNER_PART_OF_FACE: f64 = 1.0 / 16.0;

/// Lines in one chunk.
pub(super) const CHUNK: usize = 64;

/// A closed box on the world grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WorldBox {
    min: World,
    max: World,
}

impl WorldBox {
    /// The box that holds nothing.
    pub(super) const EMPTY: Self =
        Self { min: World { x: i32::MAX, y: i32::MAX }, max: World { x: i32::MIN, y: i32::MIN } };

    pub(super) fn around(points: &[World]) -> Self {
        points.iter().fold(Self::EMPTY, |b, p| b.union(Self { min: *p, max: *p }))
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self {
            min: World { x: self.min.x.min(other.min.x), y: self.min.y.min(other.min.y) },
            max: World { x: self.max.x.max(other.max.x), y: self.max.y.max(other.max.y) },
        }
    }

    /// The box of all world positions that a grid puts into one of its boxes: whatever meets
    /// the one on the grid meets the other here.
    pub(super) fn shown_by(grid: Grid, shown: GridBox) -> Self {
        let (min, max) = grid.pixels(shown);
        Self { min, max }
    }

    /// Whether the two share a place.
    #[inline]
    pub(super) fn meets(self, other: Self) -> bool {
        (self.min.x <= other.max.x)
            & (other.min.x <= self.max.x)
            & (self.min.y <= other.max.y)
            & (other.min.y <= self.max.y)
    }

    /// Its middle.
    pub(super) fn middle(self) -> World {
        let middle = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) >> 1) as i32;
        World { x: middle(self.min.x, self.max.x), y: middle(self.min.y, self.max.y) }
    }

    /// Its area in square world units.
    pub(super) fn area(self) -> u64 {
        let side = |a: i32, b: i32| (i64::from(b) - i64::from(a)).max(0) as u64;
        side(self.min.x, self.max.x).saturating_mul(side(self.min.y, self.max.y))
    }

    /// Whether the two come within `margin` units of each other.
    pub(super) fn is_near(self, other: Self, margin: i64) -> bool {
        let apart = |low: i32, high: i32| i64::from(high) + margin < i64::from(low);
        !(apart(self.min.x, other.max.x)
            || apart(other.min.x, self.max.x)
            || apart(self.min.y, other.max.y)
            || apart(other.min.y, self.max.y))
    }

    /// The box on a zoom's grid around whatever in this one is put on it; the empty box
    /// stays empty.
    #[inline]
    pub(super) fn on(self, grid: Grid) -> GridBox {
        GridBox { min: grid.round(self.min), max: grid.round(self.max) }
    }
}

/// All borders of a coverage, by id.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    weights: Weights,
    datum: Datum,
    chunks: Vec<Arc<Chunk>>,
}

#[derive(Debug, Default)]
struct Chunk {
    points: Chains<World>,
    weights: Chains<f32>,
    /// The most that a corner may weigh to be left out, line by line.
    caps: Vec<f32>,
    boxes: Vec<WorldBox>,
}

impl Lines {
    /// Draws all borders of a coverage.
    pub(super) fn draw(coverage: &Coverage, datum: Datum) -> Self {
        let weights = Weights::build(coverage);
        let chunks = (0..coverage.border_slots().div_ceil(CHUNK)).into_par_iter();
        let chunks = chunks.with_min_len(4).map(|i| Arc::new(Chunk::draw(coverage, &weights, datum, i))).collect();
        Self { weights, datum, chunks }
    }

    /// The lines of `new`, which came from `old` by an edit, and which of them are not as
    /// they were.
    pub(super) fn updated(
        &self,
        old: &Coverage,
        new: &Coverage,
        difference: &Difference,
    ) -> (Self, BTreeSet<BorderId>) {
        let weights = self.weights.updated(old, new);
        let mut stale: BTreeSet<BorderId> = weights.changed_since(&self.weights).collect();
        for &id in &difference.borders {
            stale.insert(id);
            // A face of another size caps the corners of all borders around it.
            let faces = [old, new].into_iter().filter_map(|c| c.border(id)).flat_map(|b| [b.left, b.right]);
            for face in faces.filter(|f| *f != FaceId::OUTSIDE) {
                stale.extend(new.rings(face).flat_map(|ring| new.ring(ring)).map(|h| h.border()));
            }
        }
        let mut chunks = self.chunks.clone();
        chunks.resize_with(new.border_slots().div_ceil(CHUNK), Arc::default);
        let mut numbers: Vec<usize> = stale.iter().map(|id| id.0 as usize / CHUNK).collect();
        numbers.dedup();
        for number in numbers {
            if let Some(chunk) = chunks.get_mut(number) {
                *chunk = Arc::new(Chunk::draw(new, &weights, self.datum, number));
            }
        }
        let lines = Self { weights, datum: self.datum, chunks };
        stale.retain(|id| !lines.is_same(self, *id));
        (lines, stale)
    }

    /// One past the highest id.
    pub(super) fn slots(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    pub(super) fn datum(&self) -> Datum {
        self.datum
    }

    /// The box around a line; empty where there is none.
    pub(super) fn bounds(&self, id: BorderId) -> WorldBox {
        let (chunk, i) = place(id);
        self.chunks.get(chunk).and_then(|c| c.boxes.get(i)).copied().unwrap_or(WorldBox::EMPTY)
    }

    /// The vertices of a line that are drawn at a zoom, from its first node to its last.
    pub(super) fn kept(&self, id: BorderId, z: u8) -> impl Iterator<Item = World> {
        let (chunk, i) = place(id);
        let chunk = self.chunks.get(chunk);
        let cap = chunk.and_then(|c| c.caps.get(i)).copied().unwrap_or(f32::INFINITY);
        let least = least_weight(z).min(cap);
        let points = chunk.map_or(&[][..], |c| c.points.get(i));
        let weights = chunk.map_or(&[][..], |c| c.weights.get(i));
        points.iter().zip(weights).filter(move |(_, w)| **w >= least).map(|(p, _)| *p)
    }

    /// The lines that come within `margin` units of any of some boxes, ascending.
    pub(super) fn near(&self, boxes: &[WorldBox], margin: i64) -> Vec<BorderId> {
        let all = boxes.iter().copied().fold(WorldBox::EMPTY, WorldBox::union);
        let mut found = Vec::new();
        for (number, chunk) in self.chunks.iter().enumerate() {
            for (i, b) in chunk.boxes.iter().enumerate() {
                if b.is_near(all, margin) && boxes.iter().any(|other| b.is_near(*other, margin)) {
                    found.push(BorderId((number * CHUNK + i) as u32));
                }
            }
        }
        found
    }

    fn is_same(&self, other: &Self, id: BorderId) -> bool {
        let (chunk, i) = place(id);
        match (self.chunks.get(chunk), other.chunks.get(chunk)) {
            (Some(a), Some(b)) => {
                a.points.get(i) == b.points.get(i)
                    && a.weights.get(i) == b.weights.get(i)
                    && a.caps.get(i) == b.caps.get(i)
            }
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}

/// The chunk of an id, and its place there.
pub(super) fn place(id: BorderId) -> (usize, usize) {
    (id.0 as usize / CHUNK, id.0 as usize % CHUNK)
}

impl Chunk {
    fn draw(coverage: &Coverage, weights: &Weights, datum: Datum, number: usize) -> Self {
        let mut chunk = Self::default();
        for id in (number * CHUNK..(number + 1) * CHUNK).map(|i| BorderId(i as u32)) {
            let (points, weights) = draw(coverage, weights, id, datum);
            chunk.boxes.push(WorldBox::around(&points));
            chunk.caps.push(coverage.border(id).map_or(f32::INFINITY, |b| cap(coverage, b)));
            chunk.points.push(points);
            chunk.weights.push(weights);
        }
        chunk
    }
}

/// The vertices of a border on the world grid, with their weights.
fn draw(coverage: &Coverage, weights: &Weights, id: BorderId, datum: Datum) -> (Vec<World>, Vec<f32>) {
    let (Some(border), Some(weights)) = (coverage.border(id), weights.of(id)) else { return Default::default() };
    let in_between = weight_of_units(datum.bend_zoom(), tiles::EXTENT, CORNER_SQUARE_UNITS);
    let mut drawn = (Vec::with_capacity(border.line.len()), Vec::with_capacity(border.line.len()));
    for (i, (p, weight)) in border.line.iter().zip(weights.iter()).enumerate() {
        if let Some(before) = i.checked_sub(1) {
            for p in datum.between(border.line[before], *p) {
                drawn.0.push(datum.project(p));
                drawn.1.push(in_between);
            }
        }
        drawn.0.push(datum.project(*p));
        drawn.1.push(*weight);
    }
    drawn
}

/// The least weight of a vertex that is drawn at a zoom.
fn least_weight(z: u8) -> f32 {
    if z >= super::DETAIL_ZOOM { 0.0 } else { weight_of_units(z, tiles::EXTENT, CORNER_SQUARE_UNITS) }
}

/// What a corner of a border may weigh at most to be left out, for the sake of the faces at its sides.
fn cap(coverage: &Coverage, border: &Border) -> f32 {
    let unit_m = MERCATOR_WIDTH_M / 360.0 / f64::from(UNITS_PER_DEGREE);
    let stretch = border.line[0].lat().clamp(-85.0, 85.0).to_radians().cos().recip();
    let smaller = [border.left, border.right]
        .into_iter()
        .filter(|face| *face != FaceId::OUTSIDE)
        .filter_map(|face| Some(coverage.face(face)?.twice_area))
        .min();
    smaller.map_or(f32::INFINITY, |twice| (twice as f64 / 2.0 * unit_m * unit_m * stretch * CORNER_PART_OF_FACE) as f32)
}
