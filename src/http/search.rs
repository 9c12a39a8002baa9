//! `/search`: areas, buildings, party units and addresses by what people know of them, and
//! places by their numbers.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::{IntoResponse as _, Response};
use boundaries::{Bounds, Point};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::locate::working;
use super::params::Params;
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use crate::crs::Crs;
use crate::search::{Hit, MOST_QUERY_CHARS, Thing, coordinates};
use crate::snapshot::Snapshot;

/// Results where nobody says how many, and the most.
const USUAL: usize = 10;
const MOST: usize = 100;

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Sought {
    /// Words (all must be there), or a place: `117.1,36.6`, `36.6N 117.1E`, `36°36′N 117°6′E`
    q: String,
    /// What the numbers of a place mean: `wgs84`, `cgcs2000`, `gcj02`, `bd09` or `EPSG:n`
    crs: Option<String>,
    /// How many results; 10 if not said, 100 at most
    limit: Option<usize>,
    /// Areas of this coverage alone
    coverage: Option<String>,
}

/// Who owns a place, in each coverage.
fn owners(snapshot: &Snapshot, p: Point) -> Vec<Value> {
    let owner = |view: &std::sync::Arc<crate::snapshot::CoverageView>| {
        let area = view.locator.owner_at(p).and_then(|id| view.coverage.area(id));
        json!({ "coverage": view.name, "code": area.map(|a| &*a.code), "name": area.map(|a| &*a.name) })
    };
    snapshot.coverages.iter().map(owner).collect()
}

fn corners(bounds: Bounds) -> Value {
    if bounds.is_empty() {
        return Value::Null;
    }
    json!([bounds.min.lon(), bounds.min.lat(), bounds.max.lon(), bounds.max.lat()])
}

/// What is told of something that was found.
fn told(snapshot: &Snapshot, hit: &Hit) -> Option<Value> {
    let matched = hit.matched.name();
    match hit.thing {
        Thing::Area(id) => {
            let coverage = &snapshot.coverage(&hit.of)?.coverage;
            let area = coverage.area(id)?;
            let level = coverage.levels().get(usize::from(area.level.0));
            let parent = area.parent.and_then(|parent| coverage.area(parent));
            let faces = coverage.ground(id).into_iter().filter_map(|face| coverage.face(face));
            let bounds = faces.map(|face| face.bounds).fold(Bounds::EMPTY, Bounds::union);
            Some(json!({
                "kind": "area", "match": matched, "coverage": hit.of, "level": level, "code": area.code, "name": area.name,
                "parent": parent.map(|p| json!({ "code": p.code, "name": p.name })), "bbox": corners(bounds),
            }))
        }
        Thing::Feature(ix) => {
            let layer = snapshot.layer(&hit.of)?;
            let bounds = layer.geometry(ix)?.to_geometry().bounds();
            let middle = |a: i32, b: i32| i32::midpoint(a, b);
            let p = Point::new(middle(bounds.min.x, bounds.max.x), middle(bounds.min.y, bounds.max.y));
            let text = |name: &str| layer.field(name).and_then(|field| layer.value(ix, field).text());
            let owner = |(i, view): (usize, &std::sync::Arc<crate::snapshot::CoverageView>)| {
                let area = layer.owner(ix, i).and_then(|id| view.coverage.area(id));
                json!({ "coverage": view.name, "code": area.map(|a| &*a.code), "name": area.map(|a| &*a.name) })
            };
            Some(json!({
                "kind": hit.of, "match": matched, "id": layer.id(ix), "name": text("name"), "address": text("address"),
                "point": [p.lon(), p.lat()], "bbox": corners(bounds),
                "owners": snapshot.coverages.iter().enumerate().map(owner).collect::<Vec<_>>(),
            }))
        }
    }
}

/// A place by its numbers: in the datum that is said, or, where none is, in WGS-84, with what
/// the same numbers would mean in the datums of Chinese maps.
fn places(snapshot: &Snapshot, q: &str, crs: Option<Crs>) -> Vec<Value> {
    let Some(read) = coordinates(q, crs.is_none_or(Crs::is_geographic)) else { return Vec::new() };
    let datums = match crs {
        Some(crs) => vec![crs],
        None => vec![Crs::Wgs84, Crs::Gcj02, Crs::Bd09],
    };
    let place = |(i, datum): (usize, Crs)| {
        let p = datum.to_lattice([read.lon, read.lat]).ok()?;
        Some(json!({
            "kind": "coordinates", "crs": datum.to_string(),
            // Said by the caller; taken for granted; or only what else it might be.
            "crs_is": if crs.is_some() { "given" } else if i == 0 { "assumed" } else { "alternative" },
            "order": if read.is_order_told { "told" } else { "lon_lat_assumed" },
            "point": [p.lon(), p.lat()], "owners": owners(snapshot, p),
        }))
    };
    datums.into_iter().enumerate().filter_map(place).collect()
}

/// Areas, buildings, party units and addresses that have all words of a query, best first;
/// and places by their coordinates.
#[utoipa::path(get, path = "/search", tag = "places", params(Sought), responses((status = 200,
    description = "`{revision, q, total, results: [{kind, match, ...}]}`; `kind` is area, building, party_unit, address or \
        coordinates; `match` is code, name, code_begins, name_begins, within or address. Coordinates say their `crs` and \
        whether it was given or assumed", content_type = "application/json")))]
pub(super) async fn search(
    State(app): State<App>,
    reading: Reading,
    Params(sought): Params<Sought>,
) -> Result<Response, Problem> {
    let bad =
        |parameter: &'static str, detail: String| Problem::new(Code::BadParameter, detail).with("parameter", parameter);
    let limit = sought.limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(bad("limit", format!("limit is 1 to {MOST}, not {limit}")));
    }
    if sought.q.trim().is_empty() || sought.q.chars().count() > MOST_QUERY_CHARS {
        return Err(bad("q", format!("a query has 1 to {MOST_QUERY_CHARS} characters")));
    }
    if let Some(name) = sought.coverage.as_deref() {
        reading.coverage(Some(name))?;
    }
    let crs = sought.crs.as_deref().map(|name| super::locate::crs(Some(name))).transpose()?;
    let snapshot = reading.snapshot.clone();
    let revision = snapshot.revision;
    let body = working(move || {
        let mut results = places(&snapshot, &sought.q, crs);
        let left = limit.saturating_sub(results.len());
        let found = app.searcher.search(&snapshot, sought.coverage.as_deref(), &sought.q, left);
        let total = found.total + results.len();
        results.truncate(limit);
        results.extend(found.hits.iter().filter_map(|hit| told(&snapshot, hit)));
        Ok(json!({ "revision": revision, "q": sought.q, "total": total, "results": results }))
    })
    .await?;
    let mut answer = Json(body).into_response();
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(revision));
    Ok(answer)
}
