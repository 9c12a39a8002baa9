//! `/plans`: drafts of changes to the boundaries, and their way into them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::body::whole;
use super::layers::Nothing;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::tags;
use crate::redraw::{Drafting, Op, PlanError, Preview, Refused, told};
use crate::snapshot::Moment;
use crate::store::{NewPlan, Plan, PlanChange, PlanState};

impl From<PlanError> for Problem {
    fn from(error: PlanError) -> Self {
        let said = error.to_string();
        match error {
            PlanError::Unknown(_) => Self::new(Code::UnknownPlan, said),
            PlanError::Refused(refused) => {
                let Refused { reason, message, places, areas } = *refused;
                let place = places.first().map_or(Value::Null, |p| told::place(*p));
                Self::new(Code::EditRefused, message)
                    .with("reason", reason)
                    .with("place", place)
                    .with("areas", json!(areas))
            }
            PlanError::State { state, .. } => Self::new(Code::WrongState, said).with("state", state.name()),
            PlanError::OwnPlan => Self::new(Code::OwnPlan, said),
            PlanError::Behind { base, head } => Self::new(Code::Behind, said).with("base", base).with("head", head),
            PlanError::Conflicts(all) => {
                let all: Vec<Value> = all.iter().map(told::conflict).collect();
                Self::new(Code::Conflicts, said).with("conflicts", all)
            }
            PlanError::Store(error) => error.into(),
        }
    }
}

/// A plan on the wire.
fn written(plan: &Plan, revision: u64) -> Value {
    let mut written = told::plan(plan);
    written["revision"] = revision.into();
    written
}

fn tag(plan: &Plan) -> String {
    format!("\"{}.{}\"", plan.id, plan.version)
}

fn answer(app: &App, status: StatusCode, plan: &Plan) -> Response {
    let mut answer = (status, Json(written(plan, app.revision()))).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag(plan)) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// Reads a small JSON body; an empty one is `{}`.
async fn read<T: DeserializeOwned>(app: &App, request: &HeaderMap, body: Body) -> Result<T, Problem> {
    let text = text(app, request, body).await?;
    let text = if text.trim().is_empty() { "{}" } else { text.as_str() };
    serde_json::from_str(text).map_err(|e| Problem::new(Code::BadBody, e.to_string()))
}

async fn text(app: &App, request: &HeaderMap, body: Body) -> Result<String, Problem> {
    let bytes = whole(&app.config.limits, request, body).await?;
    String::from_utf8(bytes).map_err(|_| Problem::new(Code::BadBody, "the body is not UTF-8"))
}

/// Takes If-Match where it is sent.
fn heed(request: &HeaderMap, plan: &Plan) -> Result<(), Problem> {
    if request.contains_key(header::IF_MATCH) { tags::demand(request, Some(&tag(plan))) } else { Ok(()) }
}

async fn plan(app: &App, id: &str) -> Result<Plan, Problem> {
    let unknown = || PlanError::Unknown(id.chars().take(64).collect());
    Ok(app.store()?.plan(id).await?.ok_or_else(unknown)?)
}

async fn open(app: &App, id: &str) -> Result<Drafting, Problem> {
    Ok(app.plans.open(&app.atlas, app.store()?, id).await?)
}

fn bounded(name: &str, text: &str) -> Result<(), Problem> {
    const MAX_TEXT: usize = 10_000;
    if text.len() > MAX_TEXT {
        return Err(Problem::new(Code::BadBody, format!("{name} has more than {MAX_TEXT} bytes")));
    }
    Ok(())
}

/// Which plans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of this coverage
    coverage: Option<String>,
}

/// All plans, without their edits, the newest first.
#[utoipa::path(get, path = "/plans", tag = "plans", params(Wanted), responses((status = 200,
    description = "`{revision, plans: [{id, coverage, name, author, scope, base, effective, state, ...}]}`",
    content_type = "application/json")))]
pub(super) async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Wanted>,
) -> Result<Response, Problem> {
    let mut all = app.store()?.plans().await?;
    all.retain(|p| q.coverage.as_ref().is_none_or(|c| *p.coverage == **c));
    let revision = reading.snapshot.revision;
    let plans: Vec<Value> = all
        .iter()
        .map(|p| {
            let mut plan = told::plan(p);
            if let Value::Object(plan) = &mut plan {
                ["edits", "notes"].iter().for_each(|name| drop(plan.remove(*name)));
                plan.insert("edit_count".to_owned(), p.done.into());
            }
            plan
        })
        .collect();
    Ok(Json(json!({ "revision": revision, "plans": plans })).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    name: String,
    #[serde(default)]
    author: String,
    base: Option<u64>,
    scope: Option<String>,
    effective: Option<String>,
    coverage: Option<String>,
}

/// Begins a plan.
#[utoipa::path(post, path = "/plans", tag = "plans", params(Wanted),
    request_body(content = String, description = "`{name, author?, base?, scope?, effective?}`", content_type = "application/json"),
    responses((status = 201, description = "`{id, base, edits, state, ...}`", content_type = "application/json")))]
pub(super) async fn create(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Wanted>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let begun: Begun = read(&app, &request, body).await?;
    bounded("name", &begun.name)?;
    bounded("author", &begun.author)?;
    let coverage = begun.coverage.or(q.coverage);
    let coverage = reading.coverage(coverage.as_deref())?.name.to_string();
    let new = NewPlan {
        coverage,
        name: begun.name,
        author: begun.author,
        scope: begun.scope,
        base: begun.base,
        effective: begun.effective.as_deref().map(|text| effective(&app, text)).transpose()?,
    };
    let plan = app.plans.create(&app.atlas, app.store()?, new).await?;
    let mut answer = answer(&app, StatusCode::CREATED, &plan);
    if let Ok(place) = HeaderValue::from_str(&format!("plans/{}", plan.id)) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    Ok(answer)
}

fn effective(app: &App, text: &str) -> Result<jiff::Timestamp, Problem> {
    Moment::parse_at(text, &app.zone).map_err(|e| Problem::new(Code::BadBody, format!("effective: {e}")))
}

/// A plan with its edits and what was said of it.
#[utoipa::path(get, path = "/plans/{id}", tag = "plans", params(("id" = String, Path)), responses((status = 200,
    description = "`{id, base, edits: [{seq, author, at, undone, edit}], notes, state, ...}`", content_type = "application/json")))]
pub(super) async fn one(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let plan = plan(&app, &id).await?;
    let body = serde_json::to_vec(&written(&plan, app.revision())).map_err(Problem::internal)?;
    Ok(tags::answer(&request, &tag(&plan), "application/json", "no-store", body))
}

/// Who makes an edit.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct By {
    /// Who does it
    author: Option<String>,
}

/// Makes an edit.
#[utoipa::path(post, path = "/plans/{id}/edits", tag = "plans", params(("id" = String, Path), By),
    request_body(content = String, description = "`{op, ...}`: split, merge, reshape, move_node, move_border, transfer, \
        create, retire, carve, rename, recode, reparent, set; renumber (`codes`, or all that the plan made) and split with \
        `numbering: \"west_east\"` give new areas codes from west to east, north to south", content_type = "application/json"),
    responses((status = 201, description = "`{seq, created, removed, areas: [{code, before, after}], findings}`",
            content_type = "application/json"),
        (status = 422, description = "It can't be made: `reason`, and `place` as a GeoJSON Point")))]
pub(super) async fn edit(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<By>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let text = text(&app, &request, body).await?;
    bounded("author", q.author.as_deref().unwrap_or_default())?;
    let op = Op::read(&text).map_err(|why| Problem::new(Code::BadBody, why))?;
    let opened = open(&app, &id).await?;
    heed(&request, &opened.plan)?;
    let author = q.author.unwrap_or_else(|| opened.plan.author.clone());
    let (drafting, step) = app.plans.edit(app.store()?, opened, &author, op).await?;
    let areas = app.plans.changed(&drafting).await?;
    let findings = told::findings(&areas);
    let body = json!({
        "revision": app.revision(), "plan": drafting.plan.id, "seq": step.seq, "created": step.created,
        "removed": step.removed, "touched": step.touched, "areas": areas, "findings": findings,
    });
    Ok(tagged(&drafting.plan, StatusCode::CREATED, &body))
}

fn tagged(plan: &Plan, status: StatusCode, body: &Value) -> Response {
    let mut answer = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag(plan)) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// Undoes the last edit.
#[utoipa::path(delete, path = "/plans/{id}/edits/last", tag = "plans", params(("id" = String, Path), By),
    responses((status = 200, description = "The plan", content_type = "application/json")))]
pub(super) async fn undo(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<By>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    step(&app, &id, q, &request, PlanChange::Undo).await
}

/// Makes the first undone edit again.
#[utoipa::path(post, path = "/plans/{id}/redo", tag = "plans", params(("id" = String, Path), By),
    responses((status = 200, description = "The plan", content_type = "application/json")))]
pub(super) async fn redo(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<By>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    step(&app, &id, q, &request, PlanChange::Redo).await
}

async fn step(app: &App, id: &str, q: By, request: &HeaderMap, change: PlanChange) -> Result<Response, Problem> {
    let plan = plan(app, id).await?;
    heed(request, &plan)?;
    let author = q.author.unwrap_or_else(|| plan.author.clone());
    let drafting = app.plans.step(&app.atlas, app.store()?, &plan, &author, change).await?;
    Ok(answer(app, StatusCode::OK, &drafting.plan))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Locked {
    codes: Vec<Arc<str>>,
}

/// Locks areas against the plan's edits; an empty list lets all go.
#[utoipa::path(post, path = "/plans/{id}/locks", tag = "plans", params(("id" = String, Path), By),
    request_body(content = String, description = "`{codes}`", content_type = "application/json"),
    responses((status = 200, description = "The plan", content_type = "application/json")))]
pub(super) async fn lock(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<By>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Locked { codes } = read(&app, &request, body).await?;
    let codes: Vec<Arc<str>> = codes.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let opened = open(&app, &id).await?;
    if let Some(code) = codes.iter().find(|code| opened.draft.coverage().area_by_code(code).is_none()) {
        return Err(Problem::new(Code::UnknownArea, format!("the plan has no area {code}")));
    }
    step(&app, &id, q, &request, PlanChange::Lock { codes }).await
}

/// In which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Written {
    /// `json`, or `geojson` for what changes hands as a FeatureCollection
    format: Option<String>,
    /// Attributes of buildings to sum, comma-separated
    sum: Option<String>,
}

/// What the plan would change.
#[utoipa::path(get, path = "/plans/{id}/preview", tag = "plans", params(("id" = String, Path), Written),
    responses((status = 200, description = "`{edits, areas: [{code, before, after}], moved: {building, party_unit, worker, \
        event}, neighbours: {gained, lost}, spread: {scope, before, after}, findings}`. A spread has `grids, below_target, \
        above_target` and for `area_m2, buildings, households, residents` and what is summed `{mean, sd, cv, min, max}` over \
        the grids of the plan's scope", content_type = "application/json")))]
pub(super) async fn preview(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<Written>,
) -> Result<Response, Problem> {
    let drafting = open(&app, &id).await?;
    let sums = crate::redraw::sums(&drafting.snapshot, q.sum.as_deref().unwrap_or_default());
    let sums = sums.map_err(|e| Problem::new(Code::BadParameter, e).with("parameter", "sum"))?;
    let preview = app.plans.preview(app.store()?, &drafting, &sums).await?;
    match q.format.as_deref() {
        None | Some("json") => {}
        Some("geojson") => return Ok(moved_on_a_map(&preview, app.revision())),
        Some(other) => {
            return Err(Problem::new(Code::BadParameter, format!("format is json or geojson, not {other}"))
                .with("parameter", "format"));
        }
    }
    let mut body = told::preview(&drafting, &preview);
    body["revision"] = app.revision().into();
    let mut answer = tagged(&drafting.plan, StatusCode::OK, &body);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn moved_on_a_map(preview: &Preview, revision: u64) -> Response {
    let features = preview.moved.iter().flat_map(|(layer, things)| {
        things.iter().map(move |t| {
            json!({
                "type": "Feature", "id": format!("{layer}/{}", t.id),
                "geometry": { "type": "Point", "coordinates": t.point },
                "properties": { "layer": layer, "id": t.id, "from": t.from, "to": t.to },
            })
        })
    });
    let body = json!({ "type": "FeatureCollection", "revision": revision, "features": features.collect::<Vec<_>>() });
    ([(header::CONTENT_TYPE, "application/geo+json"), (header::CACHE_CONTROL, "no-store")], body.to_string())
        .into_response()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    author: Option<String>,
    #[serde(default)]
    pub(super) note: String,
    place: Option<[f64; 2]>,
    effective: Option<String>,
    #[serde(default)]
    drop: Vec<u64>,
    #[serde(default)]
    accept: Vec<u64>,
}

impl Said {
    pub(super) async fn read(app: &App, request: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let said: Self = read(app, request, body).await?;
        bounded("note", &said.note)?;
        bounded("author", said.author.as_deref().unwrap_or_default())?;
        Ok(said)
    }

    pub(super) fn author(&self) -> &str {
        self.author.as_deref().unwrap_or_default()
    }

    /// From when it is to be in force.
    pub(super) fn effective(&self, app: &App) -> Result<Option<jiff::Timestamp>, Problem> {
        self.effective.as_deref().map(|text| effective(app, text)).transpose()
    }
}

/// Says something about a plan, or about a place in it.
#[utoipa::path(post, path = "/plans/{id}/comments", tag = "plans", params(("id" = String, Path)),
    request_body(content = String, description = "`{note, author?, place?: [lon, lat]}`", content_type = "application/json"),
    responses((status = 201, description = "The plan", content_type = "application/json")))]
pub(super) async fn comment(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let said = Said::read(&app, &request, body).await?;
    if said.note.trim().is_empty() {
        return Err(Problem::new(Code::BadBody, "a comment says something: note is missing"));
    }
    let place = said.place.map(|[lon, lat]| super::locate::place(lon, lat, crate::crs::Crs::Wgs84)).transpose()?;
    let plan = plan(&app, &id).await?;
    heed(&request, &plan)?;
    let change = PlanChange::Comment { text: said.note.clone(), place };
    let plan = app.store()?.change_plan(&plan.id, plan.version, said.author(), change).await?;
    Ok(answer(&app, StatusCode::CREATED, &plan))
}

async fn decide(app: &App, id: &str, request: &HeaderMap, body: Body, to: PlanState) -> Result<Response, Problem> {
    let said = Said::read(app, request, body).await?;
    let plan = plan(app, id).await?;
    tags::demand(request, Some(&tag(&plan)))?;
    let plan = app.plans.decide(app.store()?, &plan, said.author(), to, said.note.clone()).await?;
    Ok(answer(app, StatusCode::OK, &plan))
}

/// Hands a plan in.
#[utoipa::path(post, path = "/plans/{id}/submit", tag = "plans", params(("id" = String, Path),
        ("If-Match" = String, Header, description = "The plan's ETag, or `*`")),
    request_body(content = String, description = "`{author?, note?}`", content_type = "application/json"),
    responses((status = 200, description = "The plan", content_type = "application/json")))]
pub(super) async fn submit(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    decide(&app, &id, &request, body, PlanState::Submitted).await
}

/// Approves a plan: somebody else than its author does.
#[utoipa::path(post, path = "/plans/{id}/approve", tag = "plans", params(("id" = String, Path),
        ("If-Match" = String, Header, description = "The plan's ETag, or `*`")),
    request_body(content = String, description = "`{author?, note?}`", content_type = "application/json"),
    responses((status = 200, description = "The plan", content_type = "application/json"),
        (status = 422, description = "`own_plan`")))]
pub(super) async fn approve(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    decide(&app, &id, &request, body, PlanState::Approved).await
}

/// Refuses a plan.
#[utoipa::path(post, path = "/plans/{id}/refuse", tag = "plans", params(("id" = String, Path),
        ("If-Match" = String, Header, description = "The plan's ETag, or `*`")),
    request_body(content = String, description = "`{author?, note?}`", content_type = "application/json"),
    responses((status = 200, description = "The plan", content_type = "application/json")))]
pub(super) async fn refuse(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    decide(&app, &id, &request, body, PlanState::Refused).await
}

/// Takes back a plan that was handed in: it is a draft again, and whatever approval it had is gone.
#[utoipa::path(post, path = "/plans/{id}/withdraw", tag = "plans", params(("id" = String, Path),
        ("If-Match" = String, Header, description = "The plan's ETag, or `*`")),
    request_body(content = String, description = "`{author?, note?}`", content_type = "application/json"),
    responses((status = 200, description = "The plan", content_type = "application/json")))]
pub(super) async fn withdraw(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    decide(&app, &id, &request, body, PlanState::Draft).await
}

/// Whether in earnest.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InEarnest {
    /// Only say what publishing would do
    pub(super) dry_run: Option<bool>,
}

/// Publishes a plan, whole or not at all.
#[utoipa::path(post, path = "/plans/{id}/publish", tag = "plans", params(("id" = String, Path), InEarnest,
        ("If-Match" = String, Header, description = "The plan's ETag, or `*`")),
    request_body(content = String, description = "`{author?, note?, effective?}`", content_type = "application/json"),
    responses((status = 200, description = "`{revision, touched, lineage}`", content_type = "application/json"),
        (status = 409, description = "`behind`: rebase it first")))]
pub(super) async fn publish(
    State(app): State<App>,
    At(id): At<String>,
    Params(q): Params<InEarnest>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let said = Said::read(&app, &request, body).await?;
    let opened = open(&app, &id).await?;
    tags::demand(&request, Some(&tag(&opened.plan)))?;
    let at = said.effective(&app)?;
    let author = said.author.clone().unwrap_or_else(|| opened.plan.author.clone());
    if q.dry_run == Some(true) {
        let would = app.plans.publication(app.store()?, &opened, &author, at, &said.note).await?;
        let touched = would.next.touched_codes(&opened.draft.base().coverage);
        let body = json!({ "revision": app.revision(), "dry_run": true, "touched": touched, "lineage": would.lineage });
        return Ok(Json(body).into_response());
    }
    let (published, lineage) = app.plans.publish(&app.atlas, app.store()?, opened, &author, at, &said.note).await?;
    let revision = &published.revision;
    let body = json!({
        "revision": revision.number, "effective": revision.effective, "touched": published.touched, "lineage": lineage,
    });
    let mut answer = Json(body).into_response();
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(revision.number));
    Ok(answer)
}

/// Puts a plan on the present head by making its edits again.
#[utoipa::path(post, path = "/plans/{id}/rebase", tag = "plans", params(("id" = String, Path),
        ("If-Match" = String, Header, description = "The plan's ETag, or `*`")),
    request_body(content = String, description = "`{author?, note?, drop?: [seq], accept?: [seq]}`: edits to leave out, and \
        edits to keep though others changed what they concern", content_type = "application/json"),
    responses((status = 200, description = "The plan", content_type = "application/json"),
        (status = 409, description = "`conflicts: [{seq, codes, reason, revision, author, place}]`")))]
pub(super) async fn rebase(
    State(app): State<App>,
    At(id): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let said = Said::read(&app, &request, body).await?;
    let opened = open(&app, &id).await?;
    tags::demand(&request, Some(&tag(&opened.plan)))?;
    let author = said.author.clone().unwrap_or_else(|| opened.plan.author.clone());
    let drafting = app.plans.rebase(&app.atlas, app.store()?, opened, &author, &said.drop, &said.accept).await?;
    Ok(answer(&app, StatusCode::OK, &drafting.plan))
}
