//! Parents by place: in which area of an upper level most of an area's ground lies.

use std::sync::Arc;

use boundaries::{AreaId, Coverage, Level};
use rustc_hash::FxHashMap;

use super::draft::Draft;
use crate::feature::{Feature, Geometry};
use crate::snapshot::{CoverageView, Layer};

/// For each topmost area of the draft, by code, the area of `old` at `level` that has
/// most of its ground; of equal shares the lower code. Areas that lie in none are absent.
#[must_use]
pub(super) fn by_place(draft: &Draft, old: &Coverage, level: Level) -> FxHashMap<Arc<str>, AreaId> {
    let top = |mut at: usize| {
        while let Some(parent) = draft.areas[at].parent {
            at = parent;
        }
        at
    };
    let drawn: Vec<usize> = (0..draft.areas.len()).filter(|at| !draft.areas[*at].parts.is_empty()).collect();
    let features = drawn.iter().map(|at| Feature {
        id: draft.areas[*at].code.clone(),
        geometry: Geometry::Polygons(draft.areas[*at].parts.clone()),
        properties: Vec::new(),
    });
    let view = Arc::new(CoverageView::new("".into(), old.clone(), 0, None));
    let ground = Layer::new("", features.collect(), &[view]);

    let mut shares: FxHashMap<(usize, AreaId), f64> = FxHashMap::default();
    for &at in &drawn {
        let Some(ix) = ground.find(&draft.areas[at].code) else { continue };
        let area_m2: f64 = draft.areas[at].parts.iter().map(boundaries::Polygon::area_m2).sum();
        let mut add = |owner: AreaId, share: f64| {
            if let Some(above) = old.ancestor_at(owner, level) {
                *shares.entry((top(at), above)).or_default() += share * area_m2;
            }
        };
        match ground.shares(ix, 0) {
            [] => ground.owner(ix, 0).into_iter().for_each(|owner| add(owner, 1.0)),
            several => several.iter().for_each(|s| add(s.area, s.share)),
        }
    }
    let code = |id: AreaId| old.area(id).map(|a| a.code.clone());
    let mut best: FxHashMap<usize, (f64, AreaId)> = FxHashMap::default();
    for ((at, above), m2) in shares {
        let better = |(most, known): (f64, AreaId)| m2 > most || (m2 == most && code(above) < code(known));
        if best.get(&at).copied().is_none_or(better) {
            best.insert(at, (m2, above));
        }
    }
    best.into_iter().map(|(at, (_, above))| (draft.areas[at].code.clone(), above)).collect()
}
