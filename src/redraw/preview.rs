//! What a plan would change, seen before it does: areas with their figures, things that
//! would change hands, neighbours that arise or vanish.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::{AreaId, Coverage};
use serde::Serialize;

use super::draft::Draft;
use super::figures::{self, COUNTED, Counting, Figures, Moves, is_open};
use super::spread::{Spread, spread};
use crate::snapshot::{CoverageView, Snapshot};

/// An area, before and after; `None` where it isn't there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaChange {
    /// Its code.
    pub code: Arc<str>,
    /// Its name after, or before where it goes.
    pub name: Arc<str>,
    /// Its figures before.
    pub before: Option<Figures>,
    /// Its figures after.
    pub after: Option<Figures>,
}

/// A thing that would change hands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MovedThing {
    /// Its id in its layer.
    pub id: Arc<str>,
    /// The code of its owner.
    pub from: Option<Arc<str>>,
    /// The code of its owner to be.
    pub to: Option<Arc<str>>,
    /// Where it is: longitude, latitude.
    pub point: [f64; 2],
}

/// What a plan would change.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Preview {
    /// The areas of the finest kind that are concerned, by code.
    pub areas: Vec<AreaChange>,
    /// What changes hands, by layer.
    pub moved: std::collections::BTreeMap<&'static str, Vec<MovedThing>>,
    /// Pairs of areas that would be neighbours and are not.
    pub gained: Vec<[Arc<str>; 2]>,
    /// Pairs of areas that are neighbours and would not be.
    pub lost: Vec<[Arc<str>; 2]>,
    /// How even the plan's scope is, before and after.
    pub spread: Spread,
}

/// Works out what a draft would change. `snapshot` holds the draft's base among its
/// coverages, at `place`.
pub(super) fn preview(
    snapshot: &Snapshot,
    place: usize,
    draft: &Draft,
    scope: Option<&Arc<str>>,
    counting: &Counting<'_>,
) -> Preview {
    let Some(base) = snapshot.coverages.get(place) else { return Preview::default() };
    let (before, view) = (&base.coverage, draft.view());
    let after = &view.coverage;
    let moves = moves(snapshot, place, draft.view());
    let touched = after.touched(before);
    let owns = |graph: &Coverage, id: AreaId| graph.area(id).is_some() && !graph.faces_of(id).is_empty();
    let code = |graph: &Coverage, id: Option<AreaId>| graph.area(id?).map(|a| a.code.clone());

    let mut preview = Preview::default();
    for &id in touched.iter().filter(|id| owns(before, **id) || owns(after, **id)) {
        let Some(area) = after.area(id).or_else(|| before.area(id)) else { continue };
        let of_before = before.area(id).map(|_| figures::before(snapshot, place, before, id, counting));
        let of_after = after.area(id).map(|_| figures::after(snapshot, place, after, id, counting, &moves));
        let (code, name) = (area.code.clone(), area.name.clone());
        preview.areas.push(AreaChange { code, name, before: of_before, after: of_after });
    }
    preview.areas.sort_by(|a, b| a.code.cmp(&b.code));

    for name in COUNTED {
        let (Some(layer), Some(moved)) = (snapshot.layer(name), moves.get(name)) else {
            preview.moved.insert(name, Vec::new());
            continue;
        };
        let things = moved.iter().filter(|m| name != "event" || is_open(layer, m.ix)).filter_map(|m| {
            let bounds = layer.geometry(m.ix)?.bounds();
            let middle = |a: i32, b: i32| (f64::from(a) + f64::from(b)) / 2.0 * 1e-7;
            let point = [middle(bounds.min.x, bounds.max.x), middle(bounds.min.y, bounds.max.y)];
            let id = layer.id(m.ix).into();
            Some(MovedThing { id, from: code(before, m.from), to: code(after, m.to), point })
        });
        preview.moved.insert(name, things.collect());
    }

    let pairs = |graph: &Coverage| -> BTreeSet<[Arc<str>; 2]> {
        let here = touched.iter().filter(|id| owns(graph, **id));
        let beside = here.flat_map(|id| graph.neighbours(*id).into_iter().map(|(other, _)| [*id, other]));
        let named = beside.filter_map(|[a, b]| Some([code(graph, Some(a))?, code(graph, Some(b))?]));
        named.map(|[a, b]| if a < b { [a, b] } else { [b, a] }).collect()
    };
    let (were, are) = (pairs(before), pairs(after));
    preview.gained = are.difference(&were).cloned().collect();
    preview.lost = were.difference(&are).cloned().collect();
    let moved = moves.get("building").map_or(&[][..], |m| m);
    preview.spread = spread((snapshot, place), (before, after), scope, moved, counting);
    preview
}

/// What the last edit of a draft changed: areas with their figures before it and after.
pub(super) fn changed(snapshot: &Snapshot, place: usize, draft: &Draft, counting: &Counting<'_>) -> Vec<AreaChange> {
    let earlier = draft.first(draft.steps().len().saturating_sub(1));
    let [(old, old_moves), (new, new_moves)] =
        [&earlier, draft].map(|d| (d.coverage(), moves(snapshot, place, d.view())));
    let owning = |graph: &Coverage, id: AreaId| graph.area(id).filter(|_| !graph.faces_of(id).is_empty()).cloned();
    let mut changes: Vec<AreaChange> = new
        .touched(old)
        .into_iter()
        .filter_map(|id| {
            let [before, after] = [old, new].map(|graph| owning(graph, id));
            let area = after.as_ref().or(before.as_ref())?.clone();
            let (before, after) = (before.is_some(), after.is_some());
            Some(AreaChange {
                code: area.code.clone(),
                name: area.name.clone(),
                before: before.then(|| figures::after(snapshot, place, old, id, counting, &old_moves)),
                after: after.then(|| figures::after(snapshot, place, new, id, counting, &new_moves)),
            })
        })
        .collect();
    changes.sort_by(|a, b| a.code.cmp(&b.code));
    changes
}

/// What would change hands, of the layers that are counted.
pub(super) fn moves(snapshot: &Snapshot, place: usize, next: &CoverageView) -> Moves<'static> {
    let of = |name: &'static str| Some((name, snapshot.layer(name)?.moved(place, next)));
    COUNTED.into_iter().filter_map(of).collect()
}
