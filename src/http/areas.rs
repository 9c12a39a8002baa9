//! `/areas`: the administrative units, their ground and who lies beside them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use boundaries::{AreaId, Bounds, Coverage};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::IntoParams;

use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::tags;
use crate::json::{push_bbox, push_polygons};
use crate::snapshot::CoverageView;

/// Which areas.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those of this level
    level: Option<String>,
    /// Those below the area of this code: right below it, or at `level`
    parent: Option<String>,
    /// Of this coverage
    coverage: Option<String>,
    /// What was in force then: a time, or a date
    at: Option<String>,
    /// What this revision published
    rev: Option<u64>,
    /// What this plan would make of it
    plan: Option<String>,
}

/// Of which state.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfState {
    /// Of this coverage
    coverage: Option<String>,
    /// What was in force then: a time, or a date
    at: Option<String>,
    /// What this revision published
    rev: Option<u64>,
    /// What this plan would make of it
    plan: Option<String>,
}

/// An area without its ground.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    code: &'a str,
    name: &'a str,
    level: &'a str,
    parent: Option<&'a str>,
    kind: &'a str,
    children: usize,
    bbox: Option<[f64; 4]>,
}

/// An area beside another.
#[derive(Debug, Serialize)]
struct Neighbour<'a> {
    code: &'a str,
    name: &'a str,
    level: &'a str,
    shared_m: f64,
}

impl<'a> Entry<'a> {
    fn of(coverage: &'a Coverage, id: AreaId) -> Option<Self> {
        let area = coverage.area(id)?;
        let bounds = bounds(coverage, id);
        let corners = [bounds.min.lon(), bounds.min.lat(), bounds.max.lon(), bounds.max.lat()];
        Some(Self {
            code: &area.code,
            name: &area.name,
            level: level_name(coverage, id),
            parent: area.parent.and_then(|p| coverage.area(p)).map(|p| &*p.code),
            kind: &area.kind,
            children: coverage.children(id).len(),
            bbox: (!bounds.is_empty()).then_some(corners),
        })
    }
}

fn level_name(coverage: &Coverage, id: AreaId) -> &str {
    let level = coverage.area(id).map_or(0, |a| usize::from(a.level.0));
    coverage.levels().get(level).map_or("", |l| l)
}

/// The box around an area with all that lies below it.
fn bounds(coverage: &Coverage, id: AreaId) -> Bounds {
    let faces = coverage.ground(id).into_iter();
    faces.filter_map(|f| coverage.face(f)).map(|f| f.bounds).fold(Bounds::EMPTY, Bounds::union)
}

/// The state of a coverage that a query asks for.
async fn view(app: &App, reading: Reading, q: &OfState) -> Result<(Arc<CoverageView>, u64), Problem> {
    let reading = reading.at(app, q.at.as_deref(), q.rev, q.plan.as_deref()).await?;
    Ok((reading.coverage(q.coverage.as_deref())?.clone(), reading.snapshot.revision))
}

pub(super) fn find(view: &CoverageView, code: &str) -> Result<AreaId, Problem> {
    view.coverage.area_by_code(code).ok_or_else(|| {
        let code: String = code.chars().take(64).collect();
        Problem::new(Code::UnknownArea, format!("no area of {} has the code {code}", view.name))
    })
}

fn answer(request: &HeaderMap, kind: &'static str, body: Vec<u8>, revision: u64) -> Response {
    let mut answer = tags::answer(request, &tags::of(&body), kind, "no-cache", body);
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(revision));
    answer
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(Problem::internal)
}

#[derive(Serialize)]
struct Listed<'a> {
    revision: u64,
    coverage: &'a str,
    levels: &'a [Arc<str>],
    areas: Vec<Entry<'a>>,
}

fn listed(view: &CoverageView, mut ids: Vec<AreaId>, revision: u64) -> Result<Vec<u8>, Problem> {
    let coverage = &view.coverage;
    ids.sort_by_cached_key(|id| coverage.area(*id).map(|a| (a.level, a.code.clone())));
    let areas = ids.into_iter().filter_map(|id| Entry::of(coverage, id)).collect();
    to_json(&Listed { revision, coverage: &view.name, levels: view.levels(), areas })
}

/// The areas of a coverage, without their ground.
#[utoipa::path(get, path = "/areas", tag = "areas", params(Wanted), responses((status = 200,
    description = "`{revision, coverage, levels, areas: [{code, name, level, parent, kind, children, bbox}]}` by level and code",
    content_type = "application/json")))]
pub(super) async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Wanted>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let state = OfState { coverage: q.coverage, at: q.at, rev: q.rev, plan: q.plan };
    let (view, revision) = view(&app, reading, &state).await?;
    let coverage = &view.coverage;
    let level = match &q.level {
        None => None,
        Some(name) => Some(coverage.level(name).ok_or_else(|| {
            let known: Vec<_> = coverage.levels().iter().map(|l| l.to_string()).collect();
            Problem::new(Code::UnknownLevel, format!("there is no level {name}; there are {}", known.join(", ")))
                .with("known", known)
        })?),
    };
    let parent = q.parent.as_deref().map(|code| find(&view, code)).transpose()?;
    let is_wanted = |id: AreaId| level.is_none_or(|l| coverage.area(id).is_some_and(|a| a.level == l));
    let ids: Vec<AreaId> = match parent {
        None => coverage.areas().map(|(id, _)| id).filter(|id| is_wanted(*id)).collect(),
        Some(parent) if level.is_none() => coverage.children(parent).to_vec(),
        Some(parent) => {
            let (mut found, mut open) = (Vec::new(), coverage.children(parent).to_vec());
            while let Some(id) = open.pop() {
                if is_wanted(id) {
                    found.push(id);
                }
                open.extend_from_slice(coverage.children(id));
            }
            found
        }
    };
    let body = {
        let view = view.clone();
        working(move || listed(&view, ids, revision)).await?
    };
    Ok(answer(&request, "application/json", body, revision))
}

/// An area with its ground, as a GeoJSON Feature.
#[utoipa::path(get, path = "/areas/{code}", tag = "areas", params(("code" = String, Path), OfState), responses((status = 200,
    description = "GeoJSON Feature; properties `code, name, level, parent, kind, area_m2, perimeter_m, attributes`",
    content_type = "application/geo+json")))]
pub(super) async fn one(
    State(app): State<App>,
    reading: Reading,
    At(code): At<String>,
    Params(q): Params<OfState>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let (view, revision) = view(&app, reading, &q).await?;
    let id = find(&view, &code)?;
    let body = working(move || feature(&view, id, revision)).await?;
    Ok(answer(&request, "application/geo+json", body, revision))
}

fn feature(view: &CoverageView, id: AreaId, revision: u64) -> Result<Vec<u8>, Problem> {
    #[derive(Serialize)]
    struct Properties<'a> {
        #[serde(flatten)]
        entry: Entry<'a>,
        coverage: &'a str,
        area_m2: f64,
        perimeter_m: f64,
        attributes: &'a RawValue,
    }
    let coverage = &view.coverage;
    let (Some(entry), Some(area)) = (Entry::of(coverage, id), coverage.area(id)) else {
        return Err(Problem::internal("an area that was found is gone"));
    };
    let attributes = serde_json::from_str(&area.attributes).map_err(Problem::internal)?;
    let mut out = b"{\"type\":\"Feature\",\"id\":".to_vec();
    crate::json::push_text(&mut out, &area.code);
    push_bbox(&mut out, bounds(coverage, id));
    out.extend_from_slice(b",\"geometry\":");
    push_polygons(&mut out, &coverage.polygons(id));
    let properties = Properties {
        entry,
        coverage: &view.name,
        area_m2: (coverage.area_m2(id) * 100.0).round() / 100.0,
        perimeter_m: (coverage.perimeter_m(id) * 1000.0).round() / 1000.0,
        attributes,
    };
    out.extend_from_slice(b",\"properties\":");
    out.extend_from_slice(&to_json(&properties)?);
    out.extend_from_slice(format!(",\"revision\":{revision}}}").as_bytes());
    Ok(out)
}

/// The areas right below an area.
#[utoipa::path(get, path = "/areas/{code}/children", tag = "areas", params(("code" = String, Path), OfState),
    responses((status = 200, description = "As `GET /areas`", content_type = "application/json")))]
pub(super) async fn children(
    State(app): State<App>,
    reading: Reading,
    At(code): At<String>,
    Params(q): Params<OfState>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let (view, revision) = view(&app, reading, &q).await?;
    let ids = view.coverage.children(find(&view, &code)?).to_vec();
    let body = working(move || listed(&view, ids, revision)).await?;
    Ok(answer(&request, "application/json", body, revision))
}

/// The areas of the same level that share a border with an area, and how much of it.
#[utoipa::path(get, path = "/areas/{code}/neighbours", tag = "areas", params(("code" = String, Path), OfState),
    responses((status = 200, description = "`{revision, code, neighbours: [{code, name, level, shared_m}]}`, longest first",
        content_type = "application/json")))]
pub(super) async fn neighbours(
    State(app): State<App>,
    reading: Reading,
    At(code): At<String>,
    Params(q): Params<OfState>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let (view, revision) = view(&app, reading, &q).await?;
    let id = find(&view, &code)?;
    let body = working(move || {
        let coverage = &view.coverage;
        let mut beside: Vec<_> = coverage
            .neighbours(id)
            .into_iter()
            .filter_map(|(id, shared_m)| {
                let area = coverage.area(id)?;
                let shared_m = (shared_m * 1000.0).round() / 1000.0;
                Some(Neighbour { code: &area.code, name: &area.name, level: level_name(coverage, id), shared_m })
            })
            .collect();
        beside.sort_by(|a, b| b.shared_m.total_cmp(&a.shared_m).then(a.code.cmp(b.code)));
        to_json(&serde_json::json!({ "revision": revision, "code": code, "neighbours": beside }))
    })
    .await?;
    Ok(answer(&request, "application/json", body, revision))
}

/// The revisions at which an area of this code was there, with what was said of it.
#[utoipa::path(get, path = "/areas/{code}/history", tag = "areas", params(("code" = String, Path), OfState),
    responses((status = 200, description = "`{revision, code, history: [{revision, effective, author, summary, \
        lineage, present, name, level, parent, kind, area_m2}]}`, the earliest first: each revision that changed what is \
        said of it, with the kinds of lineage that it has there", content_type = "application/json")))]
pub(super) async fn history(
    State(app): State<App>,
    reading: Reading,
    At(code): At<String>,
    Params(q): Params<OfState>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let (view, revision) = view(&app, reading, &q).await?;
    let entries = super::revisions::history_of(&app, &view, &code).await?;
    if entries.is_empty() {
        return Err(find(&view, &code).err().unwrap_or_else(|| Problem::internal("an area without a revision")));
    }
    let body = to_json(&serde_json::json!({ "revision": revision, "code": code, "history": entries }))?;
    let mut answer = answer(&request, "application/json", body, revision);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(answer)
}
