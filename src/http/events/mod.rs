//! `/events`: what was reported, who owns it, what is done with it.

pub(super) mod intake;
mod written;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::body::whole;
use super::locate::{Form, media_type};
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::{edge, tags};
use crate::intake::{Assignment, Fault, IntakeError, Pin, Rejected, StepReport, Verdict};
use crate::snapshot::Moment;
use crate::store::{Event, EventQuery, Owned};
pub(super) use written::written;

/// Events are of people: only who asked may keep what is answered, and asks again before
/// using it.
const PRIVATE: &str = "private, no-cache";

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let code = match rejected.fault {
            Fault::NotRead => Code::BadBody,
            Fault::TooLarge => Code::EventTooLarge,
            Fault::BadTime => Code::BadTime,
            Fault::UnknownType => Code::UnknownType,
            Fault::UnknownCrs => Code::UnknownCrs,
            Fault::BadPosition => Code::BadPosition,
            Fault::UnknownPlace => Code::UnknownPlace,
            Fault::Step => Code::StepRefused,
            Fault::Conflict => Code::Conflict,
            Fault::UnknownWorker => Code::UnknownWorker,
            Fault::Assigned => Code::Assigned,
        };
        let problem = Self::new(code, rejected.reason);
        if matches!(rejected.fault, Fault::Step | Fault::Assigned) {
            problem.with("possible", rejected.possible)
        } else {
            problem
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Store(error) => error.into(),
            IntakeError::Rejected(rejected) => rejected.into(),
        }
    }
}

/// An answer that only who asked may keep.
fn private(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(PRIVATE));
    answer
}

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those that the area of this code, or one below it, owns
    within: Option<String>,
    /// `now`: by the owner as the ground is now; `then`: by the one that they were filed under
    owned: Option<String>,
    /// The coverage that `within` is a code of
    coverage: Option<String>,
    /// From this time, or date, on
    from: Option<String>,
    /// Before this time, or date
    to: Option<String>,
    /// Of this type
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// In this state
    state: Option<String>,
    /// Only those that are open, or only those that are not
    open: Option<bool>,
    /// Only those that have a place, or only those that wait for one
    placed: Option<bool>,
    /// Of this source
    source: Option<String>,
    /// How many on a page
    limit: Option<usize>,
    /// Where the page before ended: its `next`
    cursor: Option<String>,
}

fn bad(name: &str, why: impl std::fmt::Display) -> Problem {
    Problem::new(Code::BadParameter, format!("{name}: {why}")).with("parameter", name)
}

/// Events, the last first, page by page.
#[utoipa::path(get, path = "/events", tag = "events", params(Wanted), responses((status = 200,
    description = "`{revision, events: [as GET /events/{id}], next}`; `next` is the cursor of the next page or null",
    content_type = "application/json")))]
pub(super) async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Wanted>,
) -> Result<Response, Problem> {
    let most = app.config.limits.page;
    let limit = q.limit.unwrap_or(most.min(100));
    if limit == 0 || limit > most {
        return Err(bad("limit", format!("it is 1 to {most}")));
    }
    let time = |name: &str, text: Option<&str>| {
        text.map(|text| Moment::parse_at(text, &app.zone)).transpose().map_err(|e| bad(name, e))
    };
    let owned = match q.owned.as_deref() {
        None | Some("now") => Owned::Now,
        Some("then") => Owned::Then,
        Some(other) => return Err(bad("owned", format!("it is now or then, not {other}"))),
    };
    let coverage = match (&q.within, &q.coverage) {
        (None, None) => None,
        (_, name) => Some(reading.coverage(name.as_deref())?.name.to_string()),
    };
    let after = match q.cursor.as_deref() {
        None => None,
        Some(cursor) => Some(parse_cursor(cursor).ok_or_else(|| bad("cursor", "it is the next of a page before"))?),
    };
    let within = coverage.zip(q.within.clone());
    let state = q.state.as_deref();
    if let Some(state) = state.filter(|state| !app.intake.way().knows(state)) {
        let known: Vec<_> = app.intake.way().states().map(ToString::to_string).collect();
        return Err(bad("state", format!("there is no state {state}; there are {}", known.join(", "))));
    }
    let query = EventQuery {
        within: within.clone(),
        owned,
        from: time("from", q.from.as_deref())?,
        to: time("to", q.to.as_deref())?,
        kind: q.kind,
        is_open: q.open,
        state: q.state,
        is_placed: q.placed,
        source: q.source,
        limit,
        after,
    };
    let page = app.store()?.events(&query).await?.ok_or_else(|| {
        let (coverage, code) = within.unwrap_or_default();
        Problem::new(Code::UnknownArea, format!("no area of {coverage} ever had the code {code}"))
            .with("parameter", "within")
    })?;
    let events: Vec<Value> = page.events.iter().map(|event| written(&app, event)).collect();
    let next = page.next.map(|(time, number)| format!("{}.{number}", time.as_microsecond()));
    let body = json!({ "revision": reading.snapshot.revision, "events": events, "next": next });
    Ok(private(([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()))
}

fn parse_cursor(text: &str) -> Option<(Timestamp, u64)> {
    let (time, number) = text.split_once('.')?;
    Some((Timestamp::from_microsecond(time.parse().ok()?).ok()?, number.parse().ok()?))
}

/// Whose event is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// The source; needed where several gave the same id
    source: Option<String>,
}

pub(super) async fn find(app: &App, id: &str, source: Option<&str>) -> Result<Event, Problem> {
    let mut found = app.store()?.events_of_id(id, source).await?;
    match (found.pop(), found.len()) {
        (Some(event), 0) => Ok(event),
        (Some(_), _) => {
            let detail = format!("several sources have an event {}", id.chars().take(64).collect::<String>());
            Err(Problem::new(Code::MissingParameter, format!("{detail}; say which")).with("parameter", "source"))
        }
        (None, _) => {
            let id: String = id.chars().take(64).collect();
            Err(Problem::new(Code::UnknownEvent, format!("there is no event {id}")))
        }
    }
}

/// One event.
#[utoipa::path(get, path = "/events/{id}", tag = "events", params(("id" = String, Path), Of), responses((status = 200,
    description = "The event as it was sent, with `point`, `placed_by`, `revision`, `owners: [{coverage, code, level, name, chain, \
        revision, settled, filed?, nearest?, might_be?}]`, `building`, `party_units`, `state`, `open`, `worker`, `steps: [{to, time, \
        actor, note}]`, `possible`, `due` and `rulings`; `filed` is there where an owner is another now", content_type = "application/json")))]
pub(super) async fn one(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<Of>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let event = find(&app, &id, q.source.as_deref()).await?;
    Ok(shown(&app, &request, &event))
}

fn shown(app: &App, request: &HeaderMap, event: &Event) -> Response {
    let body = written(app, event).to_string().into_bytes();
    tags::answer(request, &tags::of(&body), "application/json", PRIVATE, body)
}

/// Reads the JSON body of a change, and holds `If-Match` against the event where it is sent.
async fn change<T: DeserializeOwned>(app: &App, request: &HeaderMap, body: Body, event: &Event) -> Result<T, Problem> {
    if media_type(request)? != Form::Array {
        return Err(Problem::new(Code::UnsupportedMediaType, "send application/json"));
    }
    let text = whole(&app.config.limits, request, body).await?;
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(Code::BadBody, "the body is a JSON object"));
    }
    if request.contains_key(header::IF_MATCH) {
        let present = written(app, event).to_string().into_bytes();
        tags::demand(request, Some(&tags::of(&present)))?;
    }
    serde_json::from_slice(&text).map_err(|e| Problem::new(Code::BadBody, e.to_string()))
}

/// What a change answers, once maps and lists show it.
async fn changed(app: &App, event: &Event, status: StatusCode) -> Response {
    // It is done, whether it can be shown at once or not.
    if let Err(error) = app.atlas.refresh().await {
        tracing::warn!(%error, "a change of an event is not shown yet");
    }
    let mut answer = shown(app, &HeaderMap::new(), event);
    *answer.status_mut() = status;
    answer.headers_mut().insert(edge::REVISION, HeaderValue::from(app.revision()));
    answer
}

/// Moves an event a step on.
#[utoipa::path(post, path = "/events/{id}/steps", tag = "events", params(("id" = String, Path), Of,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read")),
    request_body(content = String, description = "`{to, time?, actor, role?, note?, worker?}`", content_type = "application/json"),
    responses((status = 201, description = "As `GET /events/{id}`; a step that can't be taken is 422 `step_refused` with `possible`")))]
pub(super) async fn step(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<Of>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let event = find(&app, &id, q.source.as_deref()).await?;
    let asked: StepReport = change(&app, &request, body, &event).await?;
    let event = app.intake.step(app.store()?, &app.atlas.present(), event, &asked).await?;
    Ok(changed(&app, &event, StatusCode::CREATED).await)
}

/// Gives an event to a worker.
#[utoipa::path(post, path = "/events/{id}/assign", tag = "events", params(("id" = String, Path), Of,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read")),
    request_body(content = String, description = "`{worker, actor, role?, note?, time?}`", content_type = "application/json"),
    responses((status = 201, description = "As `GET /events/{id}`; an event that was not filed yet is filed with it"),
        (status = 200, description = "He has it already"),
        (status = 409, description = "`assigned`: somebody else has it; `possible` says where it can go")))]
pub(super) async fn assign(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<Of>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let event = find(&app, &id, q.source.as_deref()).await?;
    let asked: Assignment = change(&app, &request, body, &event).await?;
    let (event, is_new) = app.intake.assign(app.store()?, &app.atlas.present(), event, &asked).await?;
    Ok(changed(&app, &event, if is_new { StatusCode::CREATED } else { StatusCode::OK }).await)
}

/// Moves the pin of an event; it is owned anew.
#[utoipa::path(post, path = "/events/{id}/place", tag = "events", params(("id" = String, Path), Of,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read")),
    request_body(content = String, description = "`{lon, lat, crs?, reason, actor}`", content_type = "application/json"),
    responses((status = 200, description = "As `GET /events/{id}`, with what was before among `rulings`")))]
pub(super) async fn place(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<Of>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let event = find(&app, &id, q.source.as_deref()).await?;
    let pin: Pin = change(&app, &request, body, &event).await?;
    let event = app.intake.move_pin(&app.atlas, app.store()?, &event, &pin).await?;
    Ok(changed(&app, &event, StatusCode::OK).await)
}

/// Settles whose an event is, whatever its place says.
#[utoipa::path(post, path = "/events/{id}/owner", tag = "events", params(("id" = String, Path), Of,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read")),
    request_body(content = String, description = "`{code, coverage?, reason, actor}`", content_type = "application/json"),
    responses((status = 200, description = "As `GET /events/{id}`, with what was before among `rulings`")))]
pub(super) async fn owner(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<Of>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let event = find(&app, &id, q.source.as_deref()).await?;
    let verdict: Verdict = change(&app, &request, body, &event).await?;
    let event = app.intake.settle(&app.atlas, app.store()?, &event, &verdict).await?;
    Ok(changed(&app, &event, StatusCode::OK).await)
}
