//! What the rules above the map say of an event.
//!
//! A rule that names an area gives the event to it, as if somebody had settled it so; one that
//! names a body is told beside the owner of the ground, who sees to it that it is done.

use std::sync::Arc;

use boundaries::Point;
use serde_json::{Map, Value, json};

use crate::routing::{Case, Owner, Routing};
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE, Snapshot};
use crate::store::NewOwner;

/// An event as the rules look at it.
pub(super) struct Judged<'a> {
    pub(super) kind: &'a str,
    pub(super) place: Option<Point>,
    /// What was sent of it, as a JSON object.
    pub(super) content: &'a str,
}

/// Lets the rules decide on the owner in the default coverage, by the areas of the event's
/// time and the things of now.
pub(super) fn apply(
    routing: &Routing,
    judged: &Judged<'_>,
    present: &Snapshot,
    then: &Snapshot,
    owners: &mut [NewOwner],
) {
    let view = present.coverage(DEFAULT_COVERAGE).or(present.coverages.first());
    let Some(now) = view.filter(|_| !routing.is_empty()) else { return };
    let before: &Arc<CoverageView> = then.coverage(&now.name).unwrap_or(now);
    let Some(owner) = owners.iter_mut().find(|owner| owner.coverage == now.name) else { return };
    let content: Value = serde_json::from_str(judged.content).unwrap_or_default();
    let none = Map::new();
    let attributes = content["attributes"].as_object().unwrap_or(&none);
    let find = |layer: &str, id: &str, field: &str| {
        let layer = present.layer(layer)?;
        layer.value(layer.find(id)?, layer.field(field)?).text().map(Into::into)
    };
    let is_area = |code: &str| before.coverage.area_by_code(code).is_some();
    let case = Case { kind: judged.kind, place: judged.place, attributes };
    let Some(routed) = routing.route(&case, find, is_area) else { return };
    let told = match &routed.owner {
        Owner::Body(name) => json!({ "rule": routed.rule, "body": name }),
        Owner::Area(code) => match before.coverage.area_by_code(code) {
            Some(area) => {
                owner.filed = before.coverage.chain(area);
                if now.coverage.area(area).is_some() {
                    owner.present = now.coverage.chain(area);
                    owner.is_settled = true;
                }
                json!({ "rule": routed.rule, "area": code })
            }
            // The rule names what was no area then: the ground decides, and this is why.
            None => json!({ "rule": routed.rule, "area": code, "unknown": true }),
        },
    };
    let known = owner.told.as_deref().and_then(|told| serde_json::from_str::<Map<String, Value>>(told).ok());
    let mut all = known.unwrap_or_default();
    all.insert("routed".to_owned(), told);
    owner.told = Some(Value::Object(all).to_string());
}
