//! `/workers`: where they are, and who is nearest.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use boundaries::Point;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::body::whole;
use super::locate::{Form, crs, items, media_type, place, working};
use super::params::Params;
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use crate::crs::Crs;
use crate::dispatch::{Found, MAX_K, Order, Passed, Position, Query};
use crate::locate::Asked;
use crate::snapshot::{CoverageView, Snapshot};

/// The layer that workers are.
pub(super) const LAYER: &str = "worker";

/// The layer that their work is in.
pub(super) const EVENTS: &str = "event";

/// Makes the live registry hold the workers of the present snapshot.
pub(super) async fn keep_up(app: &App) {
    let (workers, snapshot) = (app.workers.clone(), app.atlas.present());
    let synced = tokio::task::spawn_blocking(move || {
        if let Some(events) = snapshot.layer(EVENTS) {
            workers.sync_loads(events);
        }
        snapshot.layer(LAYER).map(|layer| workers.sync_layer(layer))
    })
    .await;
    tracing::debug!(?synced, "the workers are in step with their layer");
}

/// The state of the city with its workers where they were last seen. Blocks for as long
/// as it takes to write them down.
pub(super) fn standing(app: &App, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
    let Some(layer) = snapshot.layer(LAYER) else { return snapshot };
    let live = app.standing.layer(&app.workers, layer, &snapshot.coverages, Timestamp::now());
    if Arc::ptr_eq(&live, layer) {
        return snapshot;
    }
    let mut snapshot = Arc::unwrap_or_clone(snapshot);
    snapshot.layers.insert(LAYER.into(), live);
    Arc::new(snapshot)
}

/// Keeps the live registry in step with the layer, until the service ends.
pub(super) async fn follow(app: App) {
    let mut swaps = app.atlas.swaps();
    let layers = |app: &App| [LAYER, EVENTS].map(|name| app.atlas.present().layer(name).map(Arc::downgrade));
    let mut known = layers(&app);
    // Whatever came between the service's beginning and here.
    keep_up(&app).await;
    while swaps.changed().await.is_ok() {
        let now = layers(&app);
        let is_same = now.iter().zip(&known).all(|pair| match pair {
            (Some(a), Some(b)) => a.ptr_eq(b),
            (None, None) => true,
            _ => false,
        });
        if !is_same {
            known = now;
            keep_up(&app).await;
        }
    }
}

/// Near what, and whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Near {
    /// Longitude in degrees, or easting in metres (also `x`)
    #[serde(alias = "x")]
    lon: f64,
    /// Latitude in degrees, or northing in metres (also `y`)
    #[serde(alias = "y")]
    lat: f64,
    /// `wgs84`, `cgcs2000`, `gcj02`, `bd09` or `EPSG:n`
    crs: Option<String>,
    /// How many; 5 if not said
    k: Option<usize>,
    /// Only this role
    role: Option<String>,
    /// Only with this skill
    skill: Option<String>,
    /// Only on duty, or only off duty
    on_duty: Option<bool>,
    /// Only those who are on the ground of the area of this code
    within: Option<String>,
    /// Only those seen within so many seconds
    max_age_s: Option<f64>,
    /// Only those within so many metres
    max_distance_m: Option<f64>,
    /// Only those who have at most so many open events
    max_load: Option<u32>,
    /// How many metres each open event of a worker counts as; 0 if not said
    load_m: Option<f64>,
    /// Tells those who were nearer and are not named, too, and why: the answer is `{chosen, passed}`
    passed: Option<bool>,
    /// `distance`, or `grid_first`: those who answer for the grid of the place come first, then those
    /// who answer for a grid beside it
    order: Option<String>,
    /// The coverage whose grids are meant
    coverage: Option<String>,
}

/// Who is nearest to a place, in exact order over the sphere.
#[utoipa::path(get, path = "/workers/nearest", tag = "workers", params(Near), responses((status = 200,
    description = "`[{id, name, role, grid, distance_m, age_s, load, why, point}]`, `why` one of `own_grid`, \
        `neighbour_grid` and `distance`; `age_s` is null for a worker of whom only the home is known. With `passed=true` \
        `{chosen, passed}`, where `why` of the passed is a list of the parameters that they don't fit, or `order`", content_type = "application/json")))]
pub(super) async fn nearest(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Near>,
) -> Result<Response, Problem> {
    let point = place(q.lon, q.lat, crs(q.crs.as_deref())?)?;
    let bad =
        |name: &str, why: String| Problem::new(Code::BadParameter, format!("{name}: {why}")).with("parameter", name);
    let k = q.k.unwrap_or(5);
    if k == 0 || k > MAX_K {
        return Err(bad("k", format!("it is 1 to {MAX_K}")));
    }
    for (name, limit) in [("max_age_s", q.max_age_s), ("max_distance_m", q.max_distance_m), ("load_m", q.load_m)] {
        if limit.is_some_and(|l| !is_amount(l)) {
            return Err(bad(name, "it is a number from 0".to_owned()));
        }
    }
    let order = match q.order.as_deref() {
        None | Some("distance") => Order::Distance,
        Some("grid_first") => Order::GridFirst,
        Some(other) => return Err(bad("order", format!("it is distance or grid_first, not {other}"))),
    };
    let view = ground(&reading, q.coverage.as_deref(), q.within.as_deref())?;
    let query = Query {
        point,
        k,
        role: q.role.as_deref(),
        skill: q.skill.as_deref(),
        on_duty: q.on_duty,
        within: q.within.as_deref(),
        max_age_s: q.max_age_s,
        max_distance_m: q.max_distance_m,
        max_load: q.max_load,
        load_m: q.load_m.unwrap_or(0.0),
        order,
    };
    let now = Timestamp::now();
    let found = match &view {
        Some(view) => app.workers.nearest(&query, &**view, now),
        None => app.workers.nearest(&query, &(), now),
    };
    let chosen: Vec<_> = found.iter().map(|one| told(one, one.why.as_str().into())).collect();
    if q.passed != Some(true) {
        return Ok(Json(chosen).into_response());
    }
    let passed = match &view {
        Some(view) => app.workers.passed_over(&query, &found, &**view, now),
        None => app.workers.passed_over(&query, &found, &(), now),
    };
    let why = |one: &Passed| one.reasons.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().into();
    let passed: Vec<_> = passed.iter().map(|one| told(&one.found, why(one))).collect();
    Ok(Json(json!({ "chosen": chosen, "passed": passed })).into_response())
}

/// Whether a number says how much of something.
pub(super) fn is_amount(number: f64) -> bool {
    (0.0..=f64::MAX).contains(&number)
}

/// The coverage whose grids are meant, where there is one: a city without areas still has
/// workers. An area that is named must be there.
pub(super) fn ground(
    reading: &Reading,
    coverage: Option<&str>,
    within: Option<&str>,
) -> Result<Option<Arc<CoverageView>>, Problem> {
    let view = match reading.coverage(coverage) {
        Ok(view) => view,
        Err(problem) if coverage.is_some() || within.is_some() => return Err(problem),
        Err(_) => return Ok(None),
    };
    match within.filter(|code| view.coverage.area_by_code(code).is_none()) {
        None => Ok(Some(view.clone())),
        Some(code) => {
            let detail = format!("no area of {} has the code {code}", view.name);
            Err(Problem::new(Code::UnknownArea, detail).with("parameter", "within"))
        }
    }
}

/// A worker as the wire has him.
pub(super) fn told(one: &Found, why: Value) -> Value {
    json!({
        "id": one.worker.id, "name": one.worker.name, "role": one.worker.role, "grid": one.grid,
        "distance_m": (one.distance_m * 1000.0).round() / 1000.0, "age_s": one.age_s, "load": one.load,
        "why": why, "point": [one.point.lon(), one.point.lat()],
    })
}

/// A report of where a worker was.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(alias = "x")]
    lon: f64,
    #[serde(alias = "y")]
    lat: f64,
    #[serde(borrow)]
    crs: Option<Cow<'a, str>>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

/// Takes live positions, an array or JSON lines; nothing is taken of a batch that has
/// an item that can't be read.
#[utoipa::path(post, path = "/workers/positions", tag = "workers",
    request_body(description = "`{id, lon, lat, crs?, time}`, many times", content((String = "application/json"),
        (String = "application/x-ndjson"))),
    responses((status = 200, description = "`{revision, accepted, stale, unknown, ahead}`: `stale` are older than the last \
        known, `ahead` are too far in the future", content_type = "application/json")))]
pub(super) async fn positions(
    State(app): State<App>,
    reading: Reading,
    Params(super::layers::Nothing {}): Params<super::layers::Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = media_type(&request)?;
    let limits = &app.config.limits;
    let text = whole(limits, &request, body).await?;
    let (most, workers) = (limits.items, app.workers.clone());
    let recorded = working(move || {
        let not_text = |_| Problem::new(Code::BadBody, "the body is not UTF-8");
        let reports: Vec<&str> = match form {
            Form::Array => items(&text, most)?.into_iter().map(RawValue::get).collect(),
            Form::Lines => {
                let text = std::str::from_utf8(&text).map_err(not_text)?;
                text.lines().filter(|l| !l.trim().is_empty()).collect()
            }
            Form::Csv => {
                let detail = "send application/json or application/x-ndjson";
                return Err(Problem::new(Code::UnsupportedMediaType, detail));
            }
        };
        if reports.len() > most {
            let detail = format!("a batch may have {most} positions");
            return Err(Problem::new(Code::TooManyItems, detail).with("limit", most));
        }
        let mut batch = Vec::with_capacity(reports.len());
        for (i, text) in reports.iter().enumerate() {
            batch.push(report(text).map_err(|p| p.within_item(i))?);
        }
        let batch: Vec<_> = batch.iter().map(|(id, point, time)| Position { id, point: *point, time: *time }).collect();
        Ok(workers.record(&batch, Timestamp::now()))
    })
    .await?;
    Ok(Json(json!({
        "revision": reading.snapshot.revision, "accepted": recorded.accepted, "stale": recorded.stale,
        "unknown": recorded.unknown, "ahead": recorded.ahead,
    }))
    .into_response())
}

fn report(text: &str) -> Result<(Cow<'_, str>, Point, Timestamp), Problem> {
    let report: Report<'_> = serde_json::from_str(text).map_err(|e| Problem::new(Code::BadBody, e.to_string()))?;
    let asked = Asked { lon: report.lon, lat: report.lat, crs: report.crs, id: None };
    let time = report
        .time
        .parse()
        .map_err(|_| Problem::new(Code::BadBody, format!("time is {:?}, which is no RFC 3339 time", report.time)))?;
    Ok((report.id, asked.point(Crs::Wgs84)?, time))
}
