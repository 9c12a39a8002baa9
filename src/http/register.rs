//! `/revisions/{number}/changes`: what a revision changed, as it is filed.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::state::App;
use super::tags;
use crate::json::push_polygons;
use crate::redraw::{Entry, Standing, register};
use crate::snapshot::Moment;

/// Which changes, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of areas of this level alone
    level: Option<String>,
    /// `json`, or `geojson` with the ground of each change
    format: Option<String>,
}

/// What a revision changed, as it is filed.
#[utoipa::path(get, path = "/revisions/{number}/changes", tag = "revisions", params(("number" = u64, Path), Wanted),
    responses((status = 200, description = "`{revision, coverage, changes: [{serial, effective, kind, kind_zh, level, \
        before: {code, name, parent, area_m2}, after, others, changed_m2, reason, plan, author, approver}]}`; kinds are \
        `establish, abolish, merge, split, boundary_adjustment, correction, rename, recode, reparent`. The first revision of \
        a coverage lists none: it set up everything", content_type = "application/json")))]
pub(super) async fn changes(
    State(app): State<App>,
    At(number): At<String>,
    Params(q): Params<Wanted>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = || Problem::new(Code::UnknownRevision, "there is no revision of this number");
    let number: u64 = number.parse().map_err(|_| unknown())?;
    let on_a_map = match q.format.as_deref() {
        None | Some("json") => false,
        Some("geojson") => true,
        Some(other) => {
            let detail = format!("format is json or geojson, not {other}");
            return Err(Problem::new(Code::BadParameter, detail).with("parameter", "format"));
        }
    };
    let store = app.store()?;
    let all = store.revisions().await?;
    let revision = all.iter().find(|r| r.number == number).ok_or_else(unknown)?.clone();
    let earlier = all.iter().rev().find(|r| r.coverage == revision.coverage && r.number < number);
    let mut entries = Vec::new();
    if let Some(earlier) = earlier {
        let [before, after] =
            [app.atlas.at(Moment::Revision(earlier.number)).await?, app.atlas.at(Moment::Revision(number)).await?];
        let both = before.coverage(&revision.coverage).cloned().zip(after.coverage(&revision.coverage).cloned());
        let (before, after) = both.ok_or_else(|| Problem::internal("a revision without its coverage"))?;
        let lineage = store.lineage_with(&revision.coverage, number).await?;
        let origin = store.origins(&revision.coverage).await?.remove(&number);
        let told = revision.clone();
        entries = working(move || {
            register(&told, Some(&before.coverage), &after.coverage, &lineage, origin.as_ref())
                .map_err(Problem::internal)
        })
        .await?;
    }
    entries.retain(|e| q.level.as_deref().is_none_or(|level| *e.level == *level));
    let (kind, body) = if on_a_map {
        ("application/geo+json", collection(&entries, number)?)
    } else {
        let changes: Vec<Value> = entries.iter().map(told).collect();
        let body = json!({ "revision": number, "coverage": revision.coverage, "changes": changes });
        ("application/json", serde_json::to_vec(&body).map_err(Problem::internal)?)
    };
    let mut answer = tags::answer(&request, &tags::of(&body), kind, "no-cache", body);
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(number));
    Ok(answer)
}

fn told(entry: &Entry) -> Value {
    let side = |side: &Option<Standing>| {
        let side = side.as_ref();
        side.map(|s| json!({ "code": s.code, "name": s.name, "parent": s.parent, "area_m2": s.area_m2 }))
    };
    let origin = entry.origin.as_ref();
    json!({
        "serial": entry.serial, "effective": entry.effective, "kind": entry.alteration.name(),
        "kind_zh": entry.alteration.chinese(), "level": entry.level, "before": side(&entry.before),
        "after": side(&entry.after), "others": entry.others, "changed_m2": entry.changed_m2, "reason": entry.reason,
        "plan": origin.map(|o| &o.plan), "author": origin.map_or(&entry.author, |o| &o.author),
        "approver": origin.and_then(|o| o.approver.as_ref()),
    })
}

/// The entries with their ground.
fn collection(entries: &[Entry], revision: u64) -> Result<Vec<u8>, Problem> {
    let mut out = b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec();
    for (i, entry) in entries.iter().enumerate() {
        out.extend_from_slice(if i > 0 { b",\n" } else { b"\n" });
        out.extend_from_slice(b"{\"type\":\"Feature\",\"properties\":");
        out.extend_from_slice(&serde_json::to_vec(&told(entry)).map_err(Problem::internal)?);
        out.extend_from_slice(b",\"geometry\":");
        push_polygons(&mut out, &entry.ground);
        out.push(b'}');
    }
    out.extend_from_slice(format!("],\"revision\":{revision}}}\n").as_bytes());
    Ok(out)
}
