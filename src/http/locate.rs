//! `/locate`: who owns a place, or a million of them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::IntoParams;

use super::body::{Bounds, Inbound};
use super::params::Params;
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::stream;
use crate::crs::Crs;
use crate::locate::{self, Asked, Detail, Question, Refused, TableError};

/// Who owns a place.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OnePlace {
    /// Longitude in degrees, or easting in metres (also `x`)
    #[serde(alias = "x")]
    lon: f64,
    /// Latitude in degrees, or northing in metres (also `y`)
    #[serde(alias = "y")]
    lat: f64,
    /// `wgs84`, `cgcs2000`, `gcj02`, `bd09` or `EPSG:n`
    crs: Option<String>,
    /// Ask this coverage alone
    coverage: Option<String>,
    /// What was in force then: a time, or a date
    at: Option<String>,
    /// What this revision published
    rev: Option<u64>,
    /// What this plan would make of it
    plan: Option<String>,
    /// `owner` or `full`
    detail: Option<String>,
}

/// What is asked about each of many places.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ManyPlaces {
    /// The CRS of places that don't say one
    crs: Option<String>,
    /// Ask this coverage alone
    coverage: Option<String>,
    /// What was in force then: a time, or a date
    at: Option<String>,
    /// What this revision published
    rev: Option<u64>,
    /// What this plan would make of it
    plan: Option<String>,
    /// `owner` or `full`
    detail: Option<String>,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::NotRead(_) => Code::BadBody,
            Refused::UnknownCrs(_) => Code::UnknownCrs,
            Refused::NoPlace(_) => Code::BadPosition,
        };
        Self::new(code, refused.to_string())
    }
}

/// Reads `crs=`.
pub(super) fn crs(name: Option<&str>) -> Result<Crs, Problem> {
    let parsed = name.map_or(Ok(Crs::Wgs84), str::parse);
    parsed.map_err(|e| Problem::new(Code::UnknownCrs, e.to_string()).with("parameter", "crs"))
}

/// Reads a position of the query.
pub(super) fn place(lon: f64, lat: f64, crs: Crs) -> Result<boundaries::Point, Problem> {
    Ok(Asked { lon, lat, crs: None, id: None }.point(crs)?)
}

fn detail(name: Option<&str>) -> Result<Detail, Problem> {
    match name {
        None | Some("full") => Ok(Detail::Full),
        Some("owner") => Ok(Detail::Owner),
        Some(other) => Err(Problem::new(Code::BadParameter, format!("detail is owner or full, not {other}"))
            .with("parameter", "detail")),
    }
}

/// The question that a query asks, and the revision that answers it.
async fn question(app: &App, reading: Reading, asked: &ManyPlaces) -> Result<(Question, u64), Problem> {
    let crs = crs(asked.crs.as_deref())?;
    let detail = detail(asked.detail.as_deref())?;
    let reading = reading.at(app, asked.at.as_deref(), asked.rev, asked.plan.as_deref()).await?;
    let coverages = reading.coverages(asked.coverage.as_deref())?;
    let question = Question::new(&app.sheets, &reading.snapshot, coverages, crs, detail);
    Ok((question, reading.snapshot.revision))
}

fn json(bytes: Vec<u8>, revision: u64) -> Response {
    let mut answer = bytes.into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(super::edge::REVISION, HeaderValue::from(revision));
    answer
}

/// Who owns a place, in every coverage.
#[utoipa::path(get, path = "/locate", tag = "places", params(OnePlace), responses((status = 200,
    description = "`{revision, point, owners: [{coverage, code, level, name, chain, on_border, border_distance_m, \
        touching, nearest?}], building?}`; `code` is null outside", content_type = "application/json")))]
pub(super) async fn one(
    State(app): State<App>,
    reading: Reading,
    Params(asked): Params<OnePlace>,
) -> Result<Response, Problem> {
    let OnePlace { lon, lat, crs, coverage, at, rev, plan, detail } = asked;
    let asked = ManyPlaces { crs, coverage, at, rev, plan, detail };
    let (question, revision) = question(&app, reading, &asked).await?;
    let answer = locate::locate_one(&question, place(lon, lat, question.crs())?);
    super::metrics::count_located(1);
    Ok(json(answer, revision))
}

/// Who owns many places: an array, JSON lines (streamed) or CSV; the answers are in
/// the same form and order.
#[utoipa::path(post, path = "/locate", tag = "places", params(ManyPlaces),
    request_body(description = "`{lon, lat, crs?, id?}`, many times", content((String = "application/json"),
        (String = "application/x-ndjson"), (String = "text/csv"))),
    responses((status = 200, description = "As `GET /locate` for each place, with its `id`; with `detail=owner` \
        `{point, code, owners: [{coverage, code}]}`. In a stream a line that is no place is answered by \
        `{problem}`. CSV rows come back with added columns")))]
pub(super) async fn many(
    State(app): State<App>,
    reading: Reading,
    Params(asked): Params<ManyPlaces>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let form = media_type(&headers)?;
    let (question, revision) = question(&app, reading, &asked).await?;
    let slot = app.bulk.clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::TooManyRequests, "as many batches as the limit allows are under way").retry_after_s(2)
    })?;
    let limits = &app.config.limits;
    let idle = Duration::from_secs(limits.idle_s);
    let buffered = Bounds { sent: limits.body_bytes, inflated: limits.inflated_bytes, idle };
    let streamed = Bounds { sent: limits.stream_bytes, inflated: limits.stream_bytes, idle };
    let mut answer = match form {
        Form::Array => {
            let text = Inbound::new(&headers, body, buffered)?.whole().await?;
            let most = limits.items;
            working(move || array(&question, &text, most)).await?
        }
        Form::Csv => {
            let text = Inbound::new(&headers, body, buffered)?.whole().await?;
            working(move || csv(&question, &text)).await?
        }
        Form::Lines => {
            let inbound = Inbound::new(&headers, body, streamed)?;
            let room = stream::Room { held: limits.stream_held_bytes, idle };
            let work = Arc::new(move |block: &[u8], line: u64, out: &mut Vec<u8>| {
                super::metrics::count_located(locate::locate_lines(&question, block, line, out));
            });
            stream::answer(inbound, work, room, slot).await?
        }
    };
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(revision));
    Ok(answer)
}

/// Work of some milliseconds and more, off the threads that serve connections.
pub(super) async fn working<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

fn array(question: &Question, text: &[u8], most: usize) -> Result<Response, Problem> {
    let items = items(text, most)?;
    let mut out = Vec::new();
    locate::locate_items(question, &items, &mut out).map_err(|(i, refused)| Problem::from(refused).within_item(i))?;
    super::metrics::count_located(items.len());
    Ok(([(header::CONTENT_TYPE, "application/json")], out).into_response())
}

/// The items of a JSON array, unread.
pub(super) fn items(text: &[u8], most: usize) -> Result<Vec<&RawValue>, Problem> {
    let not_json = |e: serde_json::Error| Problem::new(Code::BadBody, format!("the body is no JSON array: {e}"));
    let items: Vec<&RawValue> = serde_json::from_slice(text).map_err(not_json)?;
    if items.len() > most {
        let detail = format!("an array may have {most} items; send {} for more", stream::NDJSON);
        return Err(Problem::new(Code::TooManyItems, detail).with("limit", most));
    }
    Ok(items)
}

fn csv(question: &Question, text: &[u8]) -> Result<Response, Problem> {
    let mut out = Vec::new();
    let rows = locate::add_to_csv(question, text, &mut out).map_err(|e| match e {
        TableError::NotRead(detail) => Problem::new(Code::BadBody, detail),
        TableError::Io(cause) => Problem::internal(cause),
    })?;
    super::metrics::count_located(rows.rows as usize);
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], out).into_response())
}

/// In which form a batch comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Array,
    Lines,
    Csv,
}

/// Reads the Content-Type of a batch.
pub(super) fn media_type(headers: &HeaderMap) -> Result<Form, Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => Ok(Form::Array),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/json-lines" => {
            Ok(Form::Lines)
        }
        "text/csv" => Ok(Form::Csv),
        _ => {
            let known = "application/json, application/x-ndjson, text/csv";
            Err(Problem::new(Code::UnsupportedMediaType, format!("the Content-Type is {given:?}; known are {known}")))
        }
    }
}
