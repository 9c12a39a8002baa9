//! How much each vertex of a border matters on a map, worked out once.
//!
//! Visvalingam and Whyatt (1993): the vertex whose triangle with its two neighbours
//! is smallest goes first, and so on. The *weight* of a vertex is the area of its
//! triangle when it went, raised to the largest weight before it; so the vertices of a
//! coarser map are among those of a finer one. A vertex goes only if its triangle holds
//! no vertex of another border, all of which are taken as they were drawn, and none of
//! its own border that is still there:
//!
//! ```text
//!      b               the triangle a b c holds p: b stays, or the line from
//!     ╱ ╲              a to c would run past p at its other side
//!    ╱ p ╲
//!   a     c
//! ```
//!
//! So the lines of one weight never touch or cross, whatever the weights of the others,
//! and what is left of a border follows from the borders around the two faces beside it:
//! whatever else a triangle could hold would have to cross one of those to get in.
//!
//! Weights are areas in square metres of the Mercator plane of the tiles (EPSG:3857,
//! the globe 40,075,016.69 m wide), not of the ground: one threshold then means the
//! same part of a tile at every latitude. See [`weight_of_units`].
//!
//! Invariant: both ends of a border stay at every weight, so borders that meet in a
//! node still do; a closed border keeps a triangle; of borders between the same two
//! nodes beside one face none that bends shrinks to the straight line between them. The
//! lines of one weight are again the borders of a coverage. Neighbours share a border,
//! hence its vertices, at every zoom and at every level.
//!
//! It must not know: tiles, zooms as such, which areas lie at the sides.

mod beside;
mod corners;

use std::sync::Arc;

use rayon::prelude::*;

use crate::chunks::Chunked;
use crate::coverage::Coverage;
use crate::lattice::{Point, UNITS_PER_DEGREE};
use crate::topology::{Border, BorderId};

use beside::Beside;
use corners::weigh;

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
    /// `old`. Only borders that are new, or lie in a face beside a changed one and in its
    /// box, are weighed: all others keep their weights, as the same memory.
    #[must_use]
    pub fn updated(&self, old: &Coverage, new: &Coverage) -> Self {
        let stale = beside::stale(old, new);
        let borders: Vec<(BorderId, &Border)> = stale.iter().filter_map(|id| Some((*id, new.border(*id)?))).collect();
        let beside = Beside::of(new, borders.iter().map(|b| b.1));
        let weighed: Vec<_> = borders
            .par_iter()
            .with_min_len(16)
            .map(|(id, b)| weigh(&b.line, beside.kept_of(b), &beside.vertices(new, *id, b)))
            .collect();
        let mut by_border = self.by_border.clone();
        for id in stale.iter().filter(|id| new.border(**id).is_none()) {
            set(&mut by_border, id.0 as usize, None);
        }
        for ((id, _), weights) in borders.into_iter().zip(weighed) {
            set(&mut by_border, id.0 as usize, Some(weights));
        }
        Self { by_border }
    }

    /// The weight of each vertex of a border; infinite for those that always stay.
    #[must_use]
    pub fn of(&self, border: BorderId) -> Option<&Arc<[f32]>> {
        self.by_border.get(border.0 as usize)?.as_ref()
    }

    /// The borders whose weights differ from an earlier state's, ascending. Of what the
    /// two share nothing is looked at.
    pub fn changed_since(&self, earlier: &Self) -> impl Iterator<Item = BorderId> {
        let (new, old) = (&self.by_border, &earlier.by_border);
        let mut all: Vec<usize> = new.not_shared_with(old).chain(old.not_shared_with(new)).collect();
        all.sort_unstable();
        all.dedup();
        let of = |table: &Chunked<Option<Arc<[f32]>>>, i: usize| table.get(i).cloned().flatten();
        all.retain(|i| of(new, *i) != of(old, *i));
        all.into_iter().map(|i| BorderId(i as u32))
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

/// Puts weights into the table, which grows as far as it must. The same ones stay the
/// same memory.
fn set(table: &mut Chunked<Option<Arc<[f32]>>>, index: usize, weights: Option<Arc<[f32]>>) {
    if table.get(index).is_some_and(|present| *present == weights) {
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
