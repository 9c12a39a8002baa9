//! `/dispatch`: many events to many workers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::whole;
use super::events::find;
use super::layers::Nothing;
use super::locate::{Form, media_type, working};
use super::params::Params;
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::workers::{ground, is_amount, told};
use crate::dispatch::{COST_LIMIT, Candidate, Found, Query, Workers, propose as plan};
use crate::snapshot::CoverageView;
use crate::store::Event;

/// The most events that one proposal is for. As many workers are looked at for each, so the
/// plan is the best of all, not of those looked at alone: of the n nearest who have room, the
/// other n - 1 events leave one.
const MOST: usize = 200;

/// How many open events a worker may come to have, where it is not said.
const MOST_EACH: u32 = 5;

/// What is to be given to whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    events: Vec<Named>,
    role: Option<String>,
    skill: Option<String>,
    /// Those on duty alone, where it is not said.
    on_duty: Option<bool>,
    within: Option<String>,
    coverage: Option<String>,
    max_age_s: Option<f64>,
    max_distance_m: Option<f64>,
    max_load: Option<u32>,
    load_m: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    id: String,
    source: Option<String>,
}

/// Who might get which event: as many as possible are given to somebody, in the least sum of
/// metres. Nothing is changed.
#[utoipa::path(post, path = "/dispatch/propose", tag = "workers",
    request_body(content = String, description = "`{events: [{id, source?}], role?, skill?, on_duty?, within?, coverage?, max_age_s?, \
        max_distance_m?, max_load?, load_m?}`: up to 200 events; a worker comes to have at most `max_load` (5) open events, those \
        that he has included; of those on duty, if `on_duty` is not said", content_type = "application/json"),
    responses((status = 200, description = "`{revision, proposals: [{source, id, worker: as in GET /workers/nearest}], \
        unassigned: [{source, id, reason}], distance_m}`; `reason` is `no_place`, `done`, `assigned` or `nobody`",
        content_type = "application/json")))]
pub(super) async fn propose(
    State(app): State<App>,
    reading: Reading,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if media_type(&request)? != Form::Array {
        return Err(Problem::new(Code::UnsupportedMediaType, "send application/json"));
    }
    let text = whole(&app.config.limits, &request, body).await?;
    let wanted: Wanted = serde_json::from_slice(&text).map_err(|e| Problem::new(Code::BadBody, e.to_string()))?;
    if wanted.events.len() > MOST {
        let detail = format!("a proposal is for at most {MOST} events");
        return Err(Problem::new(Code::TooManyItems, detail).with("limit", MOST));
    }
    let limits =
        [("max_age_s", wanted.max_age_s), ("max_distance_m", wanted.max_distance_m), ("load_m", wanted.load_m)];
    if let Some((name, _)) = limits.iter().find(|(_, limit)| limit.is_some_and(|l| !is_amount(l))) {
        return Err(Problem::new(Code::BadBody, format!("{name} is a number from 0")));
    }
    let view = ground(&reading, wanted.coverage.as_deref(), wanted.within.as_deref())?;
    let mut events: Vec<Event> = Vec::new();
    let mut seen = BTreeSet::new();
    for (i, named) in wanted.events.iter().enumerate() {
        let event = find(&app, &named.id, named.source.as_deref()).await.map_err(|p| p.within_item(i))?;
        if !seen.insert(event.number) {
            return Err(Problem::new(Code::BadBody, "the event is named twice").within_item(i));
        }
        events.push(event);
    }
    let assigning = app.intake.way().assigning().cloned();
    let (workers, revision) = (app.workers.clone(), reading.snapshot.revision);
    let answer = working(move || {
        let is_assigned =
            |event: &Event| event.worker.is_some() && assigning.as_deref().is_some_and(|state| *state == *event.state);
        let mut unassigned: Vec<Value> = Vec::new();
        let mut open: Vec<&Event> = Vec::new();
        let named = |event: &Event, reason: &str| json!({ "source": event.source, "id": event.id, "reason": reason });
        for event in &events {
            match event.place {
                _ if !event.is_open => unassigned.push(named(event, "done")),
                _ if is_assigned(event) => unassigned.push(named(event, "assigned")),
                None => unassigned.push(named(event, "no_place")),
                Some(_) => open.push(event),
            }
        }
        let chosen = chosen(&workers, &open, &wanted, view.as_deref());
        let mut proposals = Vec::new();
        let mut distance_m = 0.0;
        for (event, found) in open.iter().zip(chosen) {
            match found {
                None => unassigned.push(named(event, "nobody")),
                Some(found) => {
                    distance_m += found.distance_m;
                    let worker = told(&found, found.why.as_str().into());
                    proposals.push(json!({ "source": event.source, "id": event.id, "worker": worker }));
                }
            }
        }
        let distance_m = (distance_m * 1000.0).round() / 1000.0;
        Ok(json!({ "revision": revision, "proposals": proposals, "unassigned": unassigned, "distance_m": distance_m }))
    });
    Ok(Json(answer.await?).into_response())
}

/// For each event who gets it in the best plan.
fn chosen(workers: &Workers, open: &[&Event], wanted: &Wanted, view: Option<&CoverageView>) -> Vec<Option<Found>> {
    let now = Timestamp::now();
    let most = wanted.max_load.unwrap_or(MOST_EACH);
    // Of those alone who have room for one more.
    let Some(most_before) = most.checked_sub(1) else { return vec![None; open.len()] };
    let load_m = wanted.load_m.unwrap_or(0.0);
    let near: Vec<Vec<Found>> = open
        .iter()
        .map(|event| {
            let Some(point) = event.place else { return Vec::new() };
            let query = Query {
                role: wanted.role.as_deref(),
                skill: wanted.skill.as_deref(),
                on_duty: Some(wanted.on_duty.unwrap_or(true)),
                within: wanted.within.as_deref(),
                max_age_s: wanted.max_age_s,
                max_distance_m: wanted.max_distance_m,
                max_load: Some(most_before),
                load_m,
                ..Query::new(point, open.len())
            };
            match view {
                Some(view) => workers.nearest(&query, view, now),
                None => workers.nearest(&query, &(), now),
            }
        })
        .collect();
    let mut numbers: FxHashMap<Arc<str>, u32> = FxHashMap::default();
    let mut room: FxHashMap<u32, u32> = FxHashMap::default();
    let mut candidate = |found: &Found| {
        let next = numbers.len() as u32;
        let worker = *numbers.entry(found.worker.id.clone()).or_insert(next);
        // Loads may change between two looks; the first decides.
        room.entry(worker).or_insert(most.saturating_sub(found.load));
        let cost_mm = (found.distance_m + load_m * f64::from(found.load)) * 1000.0;
        Candidate { worker, cost: (cost_mm.round() as u32).min(COST_LIMIT - 1) }
    };
    let candidates: Vec<Vec<Candidate>> = near.iter().map(|all| all.iter().map(&mut candidate).collect()).collect();
    let places = plan(&candidates, &room);
    near.into_iter().zip(places).map(|(mut all, place)| place.map(|place| all.swap_remove(place))).collect()
}
