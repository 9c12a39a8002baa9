//! What becomes of the areas that a plan touches: which ground of which area becomes
//! whose, with its part of the ground, the buildings and the households.
//!
//! Ground is compared as it was with as it will be, whatever edits lie between: a piece
//! that went from one area to another and back leaves no trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::edit::Deed;
use boundaries::{AreaId, Coverage, Face, HalfEdge, Polygon};

use super::draft::Step;
use super::figures;
use super::preview::moves;
use crate::feature::{Feature, Geometry};
use crate::snapshot::{CoverageView, Layer, Snapshot};
use crate::store::{Descent, Kinship};

/// What is known of a change beside the two states.
#[derive(Clone, Copy, Debug)]
pub enum Cause<'a> {
    /// A planner's edits.
    Edits(&'a [Arc<Step>]),
    /// Lines were drawn better; nothing changed in the city.
    Correction,
    /// Nothing: it comes from a file, or from the past.
    Untold,
}

/// What becomes of the areas where another state comes after the present one. `snapshot`
/// holds the state before it among its coverages, at `place`.
#[must_use]
pub fn lineage(snapshot: &Snapshot, place: usize, next: &CoverageView, cause: Cause<'_>) -> Vec<Descent> {
    let Some(base) = snapshot.coverages.get(place) else { return Vec::new() };
    let (before, after) = (&base.coverage, &next.coverage);
    // Ground that goes to an area above, or comes from there, does not change its outline.
    let mut touched = after.touched(before);
    let chains =
        |c: &Coverage| touched.iter().filter(|id| c.area(**id).is_some()).flat_map(|id| c.chain(*id)).collect();
    let above: [Vec<AreaId>; 2] = [before, after].map(chains);
    touched.extend(above.into_iter().flatten());

    // The ground that each area to be owns is laid over the areas that are, as that of a building is.
    let to_be = touched.iter().filter(|id| after.area(**id).is_some() && !after.faces_of(**id).is_empty());
    let to_be: Vec<AreaId> = to_be.copied().collect();
    let grounds = to_be.iter().map(|id| Feature {
        id: id.0.to_string().into(),
        geometry: Geometry::Polygons(owned(after, *id)),
        properties: Vec::new(),
    });
    let laid = Layer::new("ground", grounds.collect(), std::slice::from_ref(base));
    let mut parts: BTreeMap<(AreaId, AreaId), f64> = BTreeMap::new();
    for (ix, to) in to_be.iter().enumerate() {
        let whole_m2 = owned_m2(after, *to);
        let shares = laid.shares(ix, 0);
        match (shares, laid.owner(ix, 0)) {
            ([], Some(from)) => *parts.entry((from, *to)).or_default() += whole_m2,
            (shares, _) => shares.iter().for_each(|s| *parts.entry((s.area, *to)).or_default() += s.share * whole_m2),
        }
    }
    // Rounded shares leave crumbs where nothing changed hands.
    parts.retain(|(from, to), m2| from == to || *m2 > 0.5);
    let is_kept_whole = |from: &AreaId| parts.keys().filter(|(f, _)| f == from).count() == 1;
    let renamed = |id: &AreaId| before.area(*id).zip(after.area(*id)).is_some_and(|(a, b)| a.code != b.code);
    let told: Vec<((AreaId, AreaId), f64)> = parts
        .iter()
        .filter(|((from, to), _)| {
            from != to || renamed(from) || !is_kept_whole(from) || parts.keys().filter(|(_, t)| t == to).count() > 1
        })
        .map(|(pair, m2)| (*pair, *m2))
        .collect();

    let moves = moves(snapshot, place, next);
    let empty = Vec::new();
    let buildings = snapshot.layer("building");
    let counted = |from: AreaId, to: AreaId| -> [f64; 2] {
        let Some(layer) = buildings else { return [0.0, 0.0] };
        let moved = moves.get("building").unwrap_or(&empty);
        let mut all = layer.of_area(place, from);
        all.retain(|ix| layer.owner(*ix, place) == Some(from));
        let went: Vec<usize> = if from == to {
            let stays = |ix: &usize| moved.binary_search_by_key(ix, |m| m.ix).is_err();
            all.iter().copied().filter(stays).collect()
        } else {
            moved.iter().filter(|m| m.from == Some(from) && m.to == Some(to)).map(|m| m.ix).collect()
        };
        let part = |some: f64, all: f64| if all > 0.0 { (some / all * 1e6).round() / 1e6 } else { 0.0 };
        let households = |rows: &[usize]| figures::sum(layer, "households", rows) as f64;
        [part(went.len() as f64, all.len() as f64), part(households(&went), households(&all))]
    };
    let code = |coverage: &Coverage, id| coverage.area(id).map(|a| a.code.clone());
    let descents = told.into_iter().filter_map(|((from, to), m2)| {
        let (from_code, to_code) = (code(before, from)?, code(after, to)?);
        // Two areas are measured each in its own plane: parts may come to a little more than the whole.
        let parts_m2: f64 = parts.iter().filter(|((f, _), _)| *f == from).map(|(_, m2)| m2).sum();
        let whole_m2 = owned_m2(before, from).max(parts_m2);
        let [building_share, household_share] = counted(from, to);
        Some(Descent {
            revision: 0,
            kind: kind(cause, before.area(to).is_some(), after.area(from).is_some(), from == to, &from_code, &to_code),
            from: from_code,
            to: to_code,
            area_m2: (m2 * 100.0).round() / 100.0,
            area_share: if whole_m2 > 0.0 { (m2 / whole_m2 * 1e6).round() / 1e6 } else { 0.0 },
            building_share,
            household_share,
        })
    });
    descents.collect()
}

/// The ground that an area owns itself: of one that others lie below, what is none of theirs.
fn owned(coverage: &Coverage, area: AreaId) -> Vec<Polygon> {
    let faces = coverage.faces_of(area).iter().filter_map(|id| coverage.face(*id));
    let ring = |h: &HalfEdge| coverage.ring_points(*h);
    let polygon = |f: &Face| Some(Polygon { shell: ring(&f.outer?), holes: f.holes.iter().map(ring).collect() });
    faces.filter_map(polygon).collect()
}

fn owned_m2(coverage: &Coverage, area: AreaId) -> f64 {
    coverage.faces_of(area).iter().map(|id| coverage.face_area_m2(*id)).sum()
}

/// How ground came from one area to another, by who of the two is new or gone, and
/// otherwise by what the edits that concern both were.
fn kind(cause: Cause<'_>, to_was_there: bool, from_stays: bool, same: bool, from: &Arc<str>, to: &Arc<str>) -> Kinship {
    if same && from != to {
        return Kinship::Recode;
    }
    if !to_was_there {
        return Kinship::Split;
    }
    if !from_stays {
        return Kinship::Merge;
    }
    let steps = match cause {
        Cause::Edits(steps) => steps,
        Cause::Correction => return Kinship::Correction,
        Cause::Untold => return Kinship::Transfer,
    };
    let concerns = |code: &Arc<str>, step: &Step| step.touched.binary_search(code).is_ok();
    let both = steps.iter().filter(|step| concerns(from, step) && concerns(to, step));
    let deeds: Vec<Deed> = both.map(|step| step.deed).filter(|d| *d != Deed::Description).collect();
    match deeds.as_slice() {
        [] => Kinship::Transfer,
        all if all.iter().all(|d| *d == Deed::Correction) => Kinship::Correction,
        all if same && all.contains(&Deed::Split) => Kinship::Split,
        all if same && all.contains(&Deed::Merge) => Kinship::Merge,
        _ => Kinship::Transfer,
    }
}
