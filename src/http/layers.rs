//! `/layers`: buildings, party units, workers, events and whatever else has a place.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use boundaries::{Bounds, Point};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::body::whole;
use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::{geojson, tags};
use crate::filter::{Expr, FilterError, LayerFilter};
use crate::json::push_text;
use crate::snapshot::{Layer, Snapshot};

/// Which features.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those whose box meets `west,south,east,north`
    bbox: Option<String>,
    /// Those that the area of this code, or one below it, owns
    within: Option<String>,
    /// The coverage that `within` is a code of, and `owner` in a filter
    coverage: Option<String>,
    /// Those that meet this condition, in a small part of CQL2 text on `id`, `owner` and the layer's fields
    filter: Option<String>,
    /// How many on a page
    limit: Option<usize>,
    /// Where the page before ended: its `next`
    cursor: Option<u32>,
}

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        let problem = Self::new(Code::BadParameter, format!("filter: {error}"));
        problem.with("parameter", "filter").with("position", error.position)
    }
}

fn layer<'a>(snapshot: &'a Snapshot, name: &str) -> Result<&'a Arc<Layer>, Problem> {
    snapshot.layer(name).ok_or_else(|| {
        let known: Vec<_> = snapshot.layers.keys().map(ToString::to_string).collect();
        let name: String = name.chars().take(64).collect();
        Problem::new(Code::UnknownLayer, format!("there is no layer {name}; there are {}", known.join(", ")))
            .with("known", known)
    })
}

/// The layers.
#[utoipa::path(get, path = "/layers", tag = "layers", responses((status = 200,
    description = "`{revision, layers: [{name, count, fields: [{name, kind}]}]}`", content_type = "application/json")))]
pub(super) async fn list(reading: Reading, Params(Nothing {}): Params<Nothing>) -> Response {
    let layers: Vec<_> = reading
        .snapshot
        .layers
        .values()
        .map(|l| json!({ "name": l.name(), "count": l.len(), "fields": l.fields(), "change": l.change() }))
        .collect();
    Json(json!({ "revision": reading.snapshot.revision, "layers": layers })).into_response()
}

/// Features of a layer, page by page.
#[utoipa::path(get, path = "/layers/{layer}/features", tag = "layers", params(("layer" = String, Path), Wanted),
    responses((status = 200, description = "GeoJSON FeatureCollection with `revision`, `numberMatched` and `next`, \
        the cursor of the next page or null; each feature has `owners: [{coverage, code, shares?}]`",
        content_type = "application/geo+json")))]
pub(super) async fn features(
    State(app): State<App>,
    reading: Reading,
    At(name): At<String>,
    Params(q): Params<Wanted>,
) -> Result<Response, Problem> {
    let most = app.config.limits.page;
    let limit = q.limit.unwrap_or(most.min(100));
    if limit == 0 || limit > most {
        return Err(Problem::new(Code::BadParameter, format!("limit is 1 to {most}")).with("parameter", "limit"));
    }
    let bbox = q.bbox.as_deref().map(parse_bbox).transpose()?;
    let layer = layer(&reading.snapshot, &name)?.clone();
    let area = match &q.within {
        None => None,
        Some(code) => {
            let view = reading.coverage(q.coverage.as_deref())?;
            let place = reading.snapshot.coverage_index(&view.name).unwrap_or_default();
            let area = view.coverage.area_by_code(code).ok_or_else(|| {
                Problem::new(Code::UnknownArea, format!("no area of {} has the code {code}", view.name))
                    .with("parameter", "within")
            })?;
            Some((place, area))
        }
    };
    let filter: Option<Expr> = q.filter.as_deref().map(str::parse).transpose().map_err(Problem::from)?;
    let owners = match (&filter, reading.snapshot.coverages.is_empty()) {
        (Some(_), false) => Some(reading.coverage(q.coverage.as_deref())?.clone()),
        _ => None,
    };
    let snapshot = reading.snapshot.clone();
    let body = working(move || {
        let mut found: Vec<usize> = match (area, bbox) {
            (Some((coverage, area)), bbox) => {
                let meets = |ix: &usize| bbox.is_none_or(|b| layer.geometry(*ix).is_some_and(|g| g.bounds().meets(b)));
                layer.of_area(coverage, area).into_iter().filter(meets).collect()
            }
            (None, Some(bbox)) => layer.within(bbox).collect(),
            (None, None) => layer.iter().collect(),
        };
        if let Some(expr) = &filter {
            let owners = owners.as_deref().and_then(|view| Some((snapshot.coverage_index(&view.name)?, view)));
            let filter = LayerFilter::new(expr, &layer, 0..layer.fields().len(), owners)?.for_many(found.len());
            found.retain(|ix| filter.passes(*ix));
        }
        Ok(page(&snapshot, &layer, found, limit, q.cursor))
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], body).into_response())
}

/// A page of features in the order of their numbers, which stay when features change.
fn page(snapshot: &Snapshot, layer: &Layer, found: Vec<usize>, limit: usize, cursor: Option<u32>) -> Vec<u8> {
    let matched = found.len();
    let mut rest: Vec<(u32, usize)> = found
        .into_iter()
        .map(|ix| (layer.number(ix), ix))
        .filter(|(number, _)| cursor.is_none_or(|c| *number > c))
        .collect();
    rest.sort_unstable();
    let next = (rest.len() > limit).then(|| rest[limit - 1].0);
    let mut out = b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec();
    for (i, (_, ix)) in rest.iter().take(limit).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&written(snapshot, layer, *ix));
    }
    let next = next.map_or("null".to_owned(), |n| n.to_string());
    let revision = snapshot.revision;
    out.extend_from_slice(
        format!("],\"numberMatched\":{matched},\"next\":{next},\"revision\":{revision}}}").as_bytes(),
    );
    out
}

/// A feature and who owns it.
fn written(snapshot: &Snapshot, layer: &Layer, ix: usize) -> Vec<u8> {
    let Some(feature) = layer.feature(ix) else { return b"null".to_vec() };
    let mut owners = b",\"owners\":[".to_vec();
    for (i, view) in snapshot.coverages.iter().enumerate() {
        let push_code =
            |out: &mut Vec<u8>, area: Option<boundaries::AreaId>| match area.and_then(|a| view.coverage.area(a)) {
                Some(area) => push_text(out, &area.code),
                None => out.extend_from_slice(b"null"),
            };
        owners.extend_from_slice(if i > 0 { b",{\"coverage\":" } else { b"{\"coverage\":" });
        push_text(&mut owners, &view.name);
        owners.extend_from_slice(b",\"code\":");
        push_code(&mut owners, layer.owner(ix, i));
        let shares = layer.shares(ix, i);
        if !shares.is_empty() {
            owners.extend_from_slice(b",\"shares\":[");
            for (j, share) in shares.iter().enumerate() {
                owners.extend_from_slice(if j > 0 { b",{\"code\":" } else { b"{\"code\":" });
                push_code(&mut owners, Some(share.area));
                owners.extend_from_slice(format!(",\"share\":{}}}", share.share).as_bytes());
            }
            owners.push(b']');
        }
        owners.push(b'}');
    }
    owners.push(b']');
    geojson::feature(&feature, &owners)
}

/// One feature.
#[utoipa::path(get, path = "/layers/{layer}/features/{id}", tag = "layers",
    params(("layer" = String, Path), ("id" = String, Path)),
    responses((status = 200, description = "GeoJSON Feature with `owners`", content_type = "application/geo+json")))]
pub(super) async fn one(
    reading: Reading,
    At((name, id)): At<(String, String)>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let layer = layer(&reading.snapshot, &name)?;
    let ix = layer.find(&id).ok_or_else(|| unknown(&name, &id))?;
    let body = written(&reading.snapshot, layer, ix);
    Ok(tags::answer(&request, &tags::of(&body), "application/geo+json", "no-cache", body))
}

fn unknown(layer: &str, id: &str) -> Problem {
    let id: String = id.chars().take(64).collect();
    Problem::new(Code::UnknownFeature, format!("nothing in {layer} has the id {id}"))
}

/// The tag of a feature's present state.
fn present_tag(snapshot: &Snapshot, layer: &Layer, id: &str) -> Option<String> {
    layer.find(id).map(|ix| tags::of(&written(snapshot, layer, ix)))
}

/// Puts a feature: makes it, or replaces it whole.
#[utoipa::path(put, path = "/layers/{layer}/features/{id}", tag = "layers",
    params(("layer" = String, Path), ("id" = String, Path),
        ("If-Match" = String, Header, description = "The ETag that was read; `*` for whatever is there, or nothing")),
    request_body(content = String, description = "GeoJSON Feature", content_type = "application/geo+json"),
    responses((status = 200, description = "Replaced: as GET"), (status = 201, description = "Made: as GET")))]
pub(super) async fn put(
    State(app): State<App>,
    At((name, id)): At<(String, String)>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let kind = request.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !matches!(kind.split(';').next().unwrap_or_default().trim(), "application/geo+json" | "application/json") {
        return Err(Problem::new(Code::UnsupportedMediaType, "send a GeoJSON Feature as application/geo+json"));
    }
    let text = whole(&app.config.limits, &request, body).await?;
    let read = geojson::read_feature(&id, &text).map_err(|why| Problem::new(Code::BadBody, why))?;

    // One change at a time: the state that If-Match is held against stays until the change is seen.
    let _alone = app.changing.lock().await;
    let snapshot = app.atlas.present();
    let before = layer(&snapshot, &name)?;
    tags::demand(&request, present_tag(&snapshot, before, &id).as_deref())?;
    let (made, change) = app.store()?.put_feature(&name, read, &snapshot).await?;
    let snapshot = app.see(change).await?;
    let after = layer(&snapshot, &name)?;
    let ix = after.find(&id).ok_or_else(|| unknown(&name, &id))?;
    let body = written(&snapshot, after, ix);
    let mut answer = tags::answer(&HeaderMap::new(), &tags::of(&body), "application/geo+json", "no-cache", body);
    if made {
        *answer.status_mut() = StatusCode::CREATED;
    }
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(snapshot.revision));
    Ok(answer)
}

/// Removes a feature.
#[utoipa::path(delete, path = "/layers/{layer}/features/{id}", tag = "layers",
    params(("layer" = String, Path), ("id" = String, Path), ("If-Match" = String, Header, description = "The ETag that was read, or `*`")),
    responses((status = 204, description = "Removed")))]
pub(super) async fn delete(
    State(app): State<App>,
    At((name, id)): At<(String, String)>,
    Params(Nothing {}): Params<Nothing>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let _alone = app.changing.lock().await;
    let snapshot = app.atlas.present();
    let tag = present_tag(&snapshot, layer(&snapshot, &name)?, &id).ok_or_else(|| unknown(&name, &id))?;
    tags::demand(&request, Some(&tag))?;
    let change = app.store()?.delete_feature(&name, &id).await?.ok_or_else(|| unknown(&name, &id))?;
    let snapshot = app.see(change).await?;
    Ok((StatusCode::NO_CONTENT, [(super::edge::REVISION, HeaderValue::from(snapshot.revision))]).into_response())
}

fn parse_bbox(text: &str) -> Result<Bounds, Problem> {
    let bad = |why: &str| Problem::new(Code::BadParameter, format!("bbox: {why}")).with("parameter", "bbox");
    let numbers: Vec<f64> = text
        .split(',')
        .map(|n| n.trim().parse().map_err(|_| bad("it is west,south,east,north in degrees")))
        .collect::<Result<_, _>>()?;
    let [west, south, east, north] = numbers[..] else { return Err(bad("it is four numbers: west,south,east,north")) };
    let corner = |lon, lat| Point::from_degrees(lon, lat).ok_or_else(|| bad("a corner is not on the globe"));
    let (min, max) = (corner(west, south)?, corner(east, north)?);
    if min.x > max.x || min.y > max.y {
        return Err(bad("west is not west of east, or south not south of north"));
    }
    Ok(Bounds { min, max })
}
