//! Plans as JSON: what the service answers and what the command line prints.

use boundaries::Point;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::figures::Figures;
use super::plans::Drafting;
use super::preview::{AreaChange, Preview};
use super::rebase::Conflict;
use crate::store::Plan;

/// A place as GeoJSON.
#[must_use]
pub fn place(p: Point) -> Value {
    json!({ "type": "Point", "coordinates": [p.lon(), p.lat()] })
}

/// A plan with its edits and notes.
#[must_use]
pub fn plan(plan: &Plan) -> Value {
    let edits: Vec<Value> = plan
        .edits
        .iter()
        .enumerate()
        .map(|(i, e)| {
            let edit: Option<&RawValue> = serde_json::from_str(&e.body).ok();
            json!({ "seq": e.seq, "author": e.author, "at": e.at, "undone": i >= plan.done, "edit": edit })
        })
        .collect();
    let notes: Vec<Value> = plan
        .notes
        .iter()
        .map(|n| {
            json!({ "seq": n.seq, "author": n.author, "at": n.at, "kind": n.kind, "note": n.text,
                "place": n.place.map(place) })
        })
        .collect();
    json!({
        "id": plan.id, "coverage": plan.coverage, "name": plan.name, "author": plan.author,
        "scope": plan.scope, "base": plan.base, "effective": plan.effective, "state": plan.state,
        "published": plan.published, "locked": plan.locked, "created_at": plan.created_at,
        "changed_at": plan.changed_at, "edits": edits, "notes": notes,
    })
}

/// An edit that stands in the way of a rebase.
#[must_use]
pub fn conflict(c: &Conflict) -> Value {
    json!({
        "seq": c.seq, "codes": c.codes, "reason": c.reason,
        "revision": c.revision.as_ref().map(|r| r.0), "author": c.revision.as_ref().map(|r| &r.1),
        "place": c.place.map(place),
    })
}

/// What a plan would change.
#[must_use]
pub fn preview(drafting: &Drafting, preview: &Preview) -> Value {
    let Preview { areas, moved, gained, lost, spread } = preview;
    json!({
        "plan": drafting.plan.id, "base": drafting.plan.base, "edits": drafting.draft.steps().len(), "areas": areas,
        "moved": moved, "neighbours": { "gained": gained, "lost": lost }, "spread": spread, "findings": findings(areas),
    })
}

/// What a planner should look at: areas that fell into more parts.
#[must_use]
pub fn findings(areas: &[AreaChange]) -> Vec<Value> {
    let parts = |figures: &Option<Figures>| figures.as_ref().map_or(0, |f| f.parts);
    let apart = areas.iter().filter(|a| parts(&a.after) > parts(&a.before).max(1));
    apart.map(|a| json!({ "kind": "detached_part", "code": a.code, "parts": parts(&a.after) })).collect()
}
