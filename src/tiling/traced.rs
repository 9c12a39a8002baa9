//! The areas of a level whose lines have met at a zoom: their ground, traced anew.
//!
//! Where lines come together on a zoom's grid, ground may lose a neck, fall into parts or
//! vanish. These areas are few, but at the lowest zooms; all others are drawn as their
//! half-edges say. What an area's entry is follows from the lines around it.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::AreaId;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tiles::{Edge, GridBox, GridPoint, GridPolygon, trace};

use super::ground::{AreaGround, Ground};
use super::zoom::ZoomLines;

/// A piece of ground with the box around it.
pub(super) type Piece = (GridBox, GridPolygon);

/// By area, where there is anything to be said.
#[derive(Clone, Debug, Default)]
pub(super) struct Traced {
    areas: FxHashMap<AreaId, Arc<Vec<Piece>>>,
    /// Of how many of them nothing is left.
    lost: usize,
}

impl Traced {
    /// Looks over all areas of a level.
    pub(super) fn of(ground: &Ground, lines: &ZoomLines) -> Self {
        let areas = ground.areas().par_iter().with_min_len(256);
        Self::with(areas.filter_map(|a| Some((a.area, Arc::new(look(a, lines)?)))).collect())
    }

    /// The same after an edit, for some areas.
    pub(super) fn updated(&self, ground: &Ground, lines: &ZoomLines, touched: &BTreeSet<AreaId>) -> Self {
        let mut areas = self.areas.clone();
        for id in touched {
            match ground.area(*id).and_then(|a| look(a, lines)) {
                Some(pieces) => areas.insert(*id, Arc::new(pieces)),
                None => areas.remove(id),
            };
        }
        Self::with(areas)
    }

    fn with(areas: FxHashMap<AreaId, Arc<Vec<Piece>>>) -> Self {
        Self { lost: areas.values().filter(|pieces| pieces.is_empty()).count(), areas }
    }

    /// Whether there are areas of which nothing is left.
    pub(super) fn loses_any(&self) -> bool {
        self.lost > 0
    }

    /// The ground of an area, where it is not what its half-edges say; none at all where
    /// nothing of it is left.
    pub(super) fn get(&self, area: AreaId) -> Option<&[Piece]> {
        self.areas.get(&area).map(|pieces| pieces.as_slice())
    }
}

/// The ground of an area where two places of its rings have become one.
fn look(area: &AreaGround, lines: &ZoomLines) -> Option<Vec<Piece>> {
    if !area.borders().any(|id| lines.has_met(id)) {
        return None;
    }
    let rings = || area.parts.iter().flat_map(|part| part.rings());
    let mut all: Vec<GridPoint> = rings().flat_map(|ring| lines.ring(ring)).collect();
    all.sort_unstable();
    let is_simple = all.windows(2).all(|w| w[0] != w[1]) && rings().all(|ring| lines.ring(ring).nth(2).is_some());
    if is_simple {
        return None;
    }
    let mut edges: Vec<Edge> = Vec::with_capacity(all.len());
    for ring in rings() {
        let from = edges.len();
        edges.extend(lines.ring(ring).map(|p| [p, p]));
        let walked = &mut edges[from..];
        for i in 0..walked.len() {
            walked[i][1] = walked[(i + 1) % walked.len()][0];
        }
    }
    Some(trace(edges).into_iter().map(|polygon| (polygon.bounds(), polygon)).collect())
}
