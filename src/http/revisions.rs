//! `/revisions`: what was published, and when it is in force.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::layers::Nothing;
use super::params::{At, Params};
use super::plans::{InEarnest, Said};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::tags;
use crate::snapshot::CoverageView;

/// Which revisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of this coverage alone
    coverage: Option<String>,
}

/// The revisions of all coverages.
#[utoipa::path(get, path = "/revisions", tag = "revisions", params(Wanted), responses((status = 200,
    description = "`{revision, revisions: [{number, coverage, levels, effective, published_at, author, summary, digest}]}`, ascending",
    content_type = "application/json")))]
pub(super) async fn list(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Wanted>,
) -> Result<Response, Problem> {
    let mut all = app.store()?.revisions().await?;
    all.retain(|r| q.coverage.as_ref().is_none_or(|c| *r.coverage == **c));
    Ok(Json(json!({ "revision": reading.snapshot.revision, "revisions": all })).into_response())
}

/// One revision.
#[utoipa::path(get, path = "/revisions/{number}", tag = "revisions", params(("number" = u64, Path)),
    responses((status = 200, description = "As in `GET /revisions`, with its own number as `revision`", content_type = "application/json")))]
pub(super) async fn one(
    State(app): State<App>,
    At(number): At<String>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::UnknownRevision, "there is no revision of this number");
    let number: u64 = number.parse().map_err(|_| unknown())?;
    let all = app.store()?.revisions().await?;
    let revision = all.into_iter().find(|r| r.number == number).ok_or_else(unknown)?;
    let mut body = serde_json::to_value(&revision).map_err(Problem::internal)?;
    body["revision"] = number.into();
    let body = serde_json::to_vec(&body).map_err(Problem::internal)?;
    let mut answer = tags::answer(&request, &tags::of(&body), "application/json", "no-cache", body);
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(number));
    Ok(answer)
}

/// Makes what a revision published the head again, as a new revision.
#[utoipa::path(post, path = "/revisions/{number}/rollback", tag = "revisions", params(("number" = u64, Path), InEarnest,
        ("If-Match" = String, Header, description = "The number of the head, or `*`")),
    request_body(content = String, description = "`{author?, note?, effective?}`", content_type = "application/json"),
    responses((status = 200, description = "`{revision, touched, lineage}`", content_type = "application/json"),
        (status = 412, description = "Something else is the head")))]
pub(super) async fn rollback(
    State(app): State<App>,
    At(number): At<String>,
    Params(q): Params<InEarnest>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let said = Said::read(&app, &request, body).await?;
    let unknown = || Problem::new(Code::UnknownRevision, "there is no revision of this number");
    let number: u64 = number.parse().map_err(|_| unknown())?;
    let store = app.store()?;
    let to = store.revisions().await?.into_iter().find(|r| r.number == number).ok_or_else(unknown)?;
    let head = store.head(&to.coverage).await?.map_or(0, |r| r.number);
    tags::demand(&request, Some(&format!("\"{head}\"")))?;
    let at = said.effective(&app)?;
    if q.dry_run == Some(true) {
        let would = app.plans.rollback(&app.atlas, store, &to, said.author(), at, &said.note).await?;
        let touched = would.base.as_ref().map(|base| would.next.touched_codes(&base.coverage));
        let body = json!({ "revision": app.revision(), "dry_run": true, "touched": touched, "lineage": would.lineage });
        return Ok(Json(body).into_response());
    }
    let (published, lineage) = app.plans.roll_back(&app.atlas, store, &to, said.author(), at, &said.note).await?;
    let revision = &published.revision;
    let body = json!({
        "revision": revision.number, "effective": revision.effective, "touched": published.touched, "lineage": lineage,
    });
    let mut answer = Json(body).into_response();
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(revision.number));
    Ok(answer)
}

/// Of which area.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Ancestry {
    /// Its code, present or past
    code: String,
    /// Of this coverage
    coverage: Option<String>,
}

/// What an area came from, and what became of it.
#[utoipa::path(get, path = "/lineage", tag = "revisions", params(Ancestry), responses((status = 200,
    description = "`{revision, code, ancestors, descendants, complete}`, each `[{revision, from, to, kind, area_m2, area_share, \
        building_share, household_share}]`; shares are parts of the first area's. Of more than 10,000 in one direction the nearest in time are told and \
        `complete` is false: `gridatlas export lineage` has all", content_type = "application/json")))]
pub(super) async fn lineage(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<Ancestry>,
) -> Result<Response, Problem> {
    let view = reading.coverage(q.coverage.as_deref())?.clone();
    let store = app.store()?;
    if view.coverage.area_by_code(&q.code).is_none() && !store.used_codes(&view.name).await?.contains(&*q.code) {
        let code: String = q.code.chars().take(64).collect();
        return Err(Problem::new(Code::UnknownArea, format!("no area of {} ever had the code {code}", view.name)));
    }
    let kin = store.kin(&view.name, &q.code).await?;
    Ok(Json(json!({
        "revision": reading.snapshot.revision, "code": q.code, "coverage": view.name,
        "ancestors": kin.ancestors, "descendants": kin.descendants, "complete": kin.complete,
    }))
    .into_response())
}

/// What was said of an area at each revision that changed it.
pub(super) async fn history_of(app: &App, view: &CoverageView, code: &str) -> Result<Vec<Value>, Problem> {
    let all = app.store()?.history(&view.name, code).await?;
    let told = all.into_iter().map(|past| {
        let mut entry = match past.told {
            None => json!({ "present": false }),
            Some(told) => json!({
                "present": true,
                "name": told.name,
                "level": told.level,
                "parent": told.parent,
                "kind": told.kind,
                "area_m2": told.area_m2,
            }),
        };
        entry["revision"] = past.revision.into();
        entry["effective"] = json!(past.effective);
        entry["author"] = past.author.into();
        entry["summary"] = past.summary.into();
        entry["lineage"] = json!(past.kinds);
        entry
    });
    Ok(told.collect())
}
