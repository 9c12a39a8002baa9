//! `/webhooks`: who is told of what happens to events, how far behind they are, and what was
//! given up.

mod line;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use utoipa::IntoParams;

use super::happened;
use super::layers::Nothing;
use super::metrics;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::state::App;
use crate::snapshot::Snapshot;
use crate::store::Lag;
use crate::webhooks::{Interest, Kind, Sender, Subscription, trusted};

/// Starts to tell everybody who is configured; each ends by itself when the service stops.
pub(super) fn start(app: &App) -> Result<JoinSet<()>, String> {
    let mut lines = JoinSet::new();
    if app.webhooks.is_empty() {
        return Ok(lines);
    }
    let tls = trusted()?;
    for subscription in &app.webhooks {
        tracing::info!(webhook = subscription.name(), url = subscription.shown_url(), "tells what happens to events");
        lines.spawn(line::follow(app.clone(), subscription.clone(), Sender::new(subscription.clone(), tls.clone())));
    }
    Ok(lines)
}

/// What is said of each when the service starts.
pub(super) fn told(app: &App) -> Vec<String> {
    let present = app.atlas.present();
    let one = |s: &Arc<Subscription>| {
        let Interest { area, coverage, .. } = s.interest();
        let of = area.as_ref().map_or_else(|| "the whole city".to_owned(), |area| format!("area {area}"));
        let unknown = if is_known(&present, s.interest()) { "" } else { ", which is not there now" };
        format!("webhook {}: tells {} of {of} in {coverage}{unknown}", s.name(), s.shown_url())
    };
    app.webhooks.iter().map(one).collect()
}

/// Whether there is ground now that events are to be told of.
fn is_known(present: &Snapshot, interest: &Interest) -> bool {
    present
        .coverage(&interest.coverage)
        .is_some_and(|view| interest.area.as_deref().is_none_or(|code| view.coverage.area_by_code(code).is_some()))
}

fn find<'a>(app: &'a App, name: &str) -> Result<&'a Arc<Subscription>, Problem> {
    let found = app.webhooks.iter().find(|subscription| subscription.name() == name);
    found.ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        Problem::new(Code::UnknownWebhook, format!("no webhook {name} is configured"))
    })
}

/// How long ago the first thing happened that somebody is yet to be told.
fn lag_s(lag: &Lag, now: Timestamp) -> f64 {
    let since = lag.since.map_or(Duration::ZERO, |since| now.duration_since(since).try_into().unwrap_or_default());
    since.as_secs_f64()
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut answer = (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Who is told of what happens to events.
#[utoipa::path(get, path = "/webhooks", tag = "events", responses((status = 200,
    description = "`{revision, webhooks: [{name, url, area, coverage, area_known, changes, lag_s, behind, waiting, dead, told_by}]}`: `behind` \
        counts what was not looked at yet, `waiting` what is told again, `dead` what was given up", content_type = "application/json")))]
pub(super) async fn list(State(app): State<App>, Params(Nothing {}): Params<Nothing>) -> Result<Response, Problem> {
    let (now, snapshot) = (Timestamp::now(), app.atlas.present());
    let mut all = Vec::new();
    for s in &app.webhooks {
        let lag = app.store()?.webhook_lag(s.name(), now).await?;
        let Interest { area, coverage, kinds, .. } = s.interest();
        all.push(json!({
            "name": s.name(), "url": s.shown_url(), "area": area, "coverage": coverage, "area_known": is_known(&snapshot, s.interest()),
            "changes": kinds, "lag_s": lag_s(&lag, now), "behind": lag.behind,
            "waiting": lag.waiting, "dead": lag.dead, "told_by": lag.holder,
        }));
    }
    Ok(answer(StatusCode::OK, &json!({ "revision": snapshot.revision, "webhooks": all })))
}

/// Which of what was given up.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// How many on a page
    limit: Option<usize>,
    /// Where the page before ended: its `next`
    cursor: Option<u64>,
}

/// What was told in vain until it was given up, in the order in which it happened.
#[utoipa::path(get, path = "/webhooks/{name}/dead", tag = "events", params(("name" = String, Path), Wanted),
    responses((status = 200, description = "`{revision, webhook, dead: [{id, source, event, what, happened, attempts, tried, error}], \
        next}`; `id` is the `webhook-id`, `next` the cursor of the next page or null", content_type = "application/json")))]
pub(super) async fn dead(
    State(app): State<App>,
    At(name): At<String>,
    Params(q): Params<Wanted>,
) -> Result<Response, Problem> {
    let name = find(&app, &name)?.name();
    let most = app.config.limits.page;
    let limit = q.limit.unwrap_or(most.min(100));
    if limit == 0 || limit > most {
        let problem = Problem::new(Code::BadParameter, format!("limit: it is 1 to {most}"));
        return Err(problem.with("parameter", "limit"));
    }
    let snapshot = app.atlas.present();
    let found = app.store()?.webhook_dead(name, q.cursor.unwrap_or(0), limit).await?;
    let next = found.last().filter(|_| found.len() == limit).map(|(waiting, _)| waiting.seq);
    let dead = found.into_iter().map(|(waiting, event)| {
        let lost = waiting.of(event);
        json!({
            "id": happened::id(&snapshot.epoch, waiting.seq), "source": lost.event.source, "event": lost.event.id,
            "what": Kind::of(&lost, app.intake.way()).name(), "happened": waiting.recorded,
            "attempts": waiting.attempts, "tried": waiting.tried, "error": waiting.error,
        })
    });
    let dead: Vec<Value> = dead.collect();
    Ok(answer(StatusCode::OK, &json!({ "revision": snapshot.revision, "webhook": name, "dead": dead, "next": next })))
}

/// Has something told again that was given up.
#[utoipa::path(post, path = "/webhooks/{name}/dead/{id}/retry", tag = "events",
    params(("name" = String, Path), ("id" = String, Path, description = "Its `webhook-id`")),
    responses((status = 202, description = "`{revision, webhook, id}`: it is told with all its attempts, under the same id", content_type = "application/json")))]
pub(super) async fn retry(
    State(app): State<App>,
    At((name, id)): At<(String, String)>,
    Params(Nothing {}): Params<Nothing>,
) -> Result<Response, Problem> {
    let name = find(&app, &name)?.name();
    let snapshot = app.atlas.present();
    let is_there = match happened::seq(&snapshot.epoch, &id) {
        Some(seq) => app.store()?.webhook_retry(name, seq, Timestamp::now()).await?,
        None => false,
    };
    if !is_there {
        let id: String = id.chars().take(64).collect();
        return Err(Problem::new(
            Code::UnknownDelivery,
            format!("nothing that {name} was to be told was given up as {id}"),
        ));
    }
    metrics::count_delivery(name, "retried");
    Ok(answer(StatusCode::ACCEPTED, &json!({ "revision": snapshot.revision, "webhook": name, "id": id })))
}
