//! `/tiles`: vector tiles, and the TileJSON that leads to them.

use std::sync::{Arc, Weak};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tiles::{TileCoord, TileCoordError};
use utoipa::IntoParams;

use super::again::Repeatable;
use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::{accept, edge, links, metrics, tags, workers};
use crate::snapshot::{CoverageView, Snapshot};
use crate::tiling::{Datum, Encoding, LayerList, LayerName, TileOptions, TilingError, Wish};

/// The media type of a vector tile.
pub(super) const MVT: &str = "application/vnd.mapbox-vector-tile";

/// The present may change at any time: a client keeps it, and asks each time whether it has.
const PRESENT: &str = "public, no-cache";

/// The same for what is no business of caches on the way: where people are, and what is reported.
const PRIVATE: &str = "private, no-cache";

/// What a revision published stays as it is.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Layers that only the client itself keeps.
const CONFIDED: [&str; 2] = [workers::LAYER, workers::EVENTS];

/// Which state, and how drawn.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Drawn {
    /// Of this coverage
    coverage: Option<String>,
    /// What was in force then: a time, or a date
    at: Option<String>,
    /// What this revision published
    rev: Option<u64>,
    /// What this plan would make of it
    plan: Option<String>,
    /// `wgs84`, or to lie over a Chinese base map `gcj02` or, Baidu's, `bd09`
    datum: Option<String>,
    /// The attributes that features show, comma-separated: `LAYER.FIELD`, or `FIELD` where one layer of
    /// features is asked for
    fields: Option<String>,
    /// Only what meets this condition, in a small part of CQL2 text; every layer of the list knows what it asks for
    filter: Option<String>,
    /// Points that stand too close are clustered up to zoom 15: `on`, or the names of layers
    cluster: Option<String>,
    /// Attributes that clusters sum up, as `sum_FIELD`
    sum: Option<String>,
    /// Points are drawn as weighted points on a coarse grid: `on`, or the names of layers
    heat: Option<String>,
    /// The attribute that each counts with in heat, else each counts for one
    weight: Option<String>,
}

impl From<TilingError> for Problem {
    fn from(error: TilingError) -> Self {
        let detail = error.to_string();
        let code = match error {
            TilingError::NotPacked { .. } => return Self::internal(error),
            TilingError::UnknownField { parameter, known, .. } => {
                return Self::new(Code::BadParameter, detail).with("parameter", parameter).with("known", known);
            }
            TilingError::BadChoice { parameter, position, .. } => {
                let problem = Self::new(Code::BadParameter, detail).with("parameter", parameter);
                return match position {
                    Some(position) => problem.with("position", position),
                    None => problem,
                };
            }
            TilingError::ZoomTooDeep { .. } => Code::BadTile,
            TilingError::UnknownLayer { .. } => Code::UnknownLayer,
            TilingError::UnknownStyle { .. } => Code::UnknownStyle,
            TilingError::NoLayers | TilingError::TooManyLayers { .. } | TilingError::RepeatedLayer { .. } => {
                Code::BadParameter
            }
        };
        Self::new(code, detail)
    }
}

/// The route of a tile, as it is counted.
pub(super) const ROUTE: &str = "/tiles/{layers}/{z}/{x}/{y}";

/// What the bytes of a tile depend on beside its address.
const VARY: &str = "accept-encoding";

/// What a request for tiles of some layers reads.
struct Source {
    snapshot: Arc<Snapshot>,
    view: Arc<CoverageView>,
    layers: LayerList,
    datum: Datum,
    revision: u64,
    /// Whether workers are among the layers, and the present is asked for.
    live: bool,
}

impl Source {
    /// Who may keep a tile, and for how long.
    fn cache_control(&self, is_of_revision: bool) -> &'static str {
        let features = || {
            self.layers.iter().filter_map(|(_, kind)| match kind {
                LayerName::Features(name) => Some(&**name),
                LayerName::Areas(_) | LayerName::Labels(_) => None,
            })
        };
        if features().any(|name| CONFIDED.contains(&name)) {
            PRIVATE
        // Layers of features have no revisions: only areas alone are the same for good.
        } else if is_of_revision && features().next().is_none() {
            FOR_GOOD
        } else {
            PRESENT
        }
    }
}

/// Prepares what tiles need of the present coverages, after the start and after each change of
/// theirs, until the service ends: in WGS-84 and in the datum of the map below.
pub(super) async fn keep_ready(app: App) {
    let mut swaps = app.atlas.swaps();
    let mut datums = vec![Datum::Wgs84];
    datums.extend(app.config.base_map.as_ref().and_then(|map| Datum::parse(&map.datum)));
    datums.dedup();
    let mut done: Vec<Weak<CoverageView>> = Vec::new();
    loop {
        swaps.borrow_and_update();
        let present = app.atlas.present().coverages.clone();
        let is_done = |view: &Arc<CoverageView>| done.iter().any(|d| std::ptr::eq(d.as_ptr(), Arc::as_ptr(view)));
        let waiting: Vec<Arc<CoverageView>> = present.iter().filter(|view| !is_done(view)).cloned().collect();
        if !waiting.is_empty() {
            done = present.iter().map(Arc::downgrade).collect();
            let (app, datums) = (app.clone(), datums.clone());
            let work = move || {
                for (view, datum) in waiting.iter().flat_map(|view| datums.iter().map(move |datum| (view, datum))) {
                    let is_present = || app.atlas.present().coverages.iter().any(|one| Arc::ptr_eq(one, view));
                    app.tiler.prepare(view, *datum, &|| !app.is_stopping() && is_present());
                }
            };
            if let Err(broken) = tokio::task::spawn_blocking(work).await {
                tracing::warn!("tiles are not prepared before somebody asks: {broken}");
            }
        }
        if swaps.changed().await.is_err() {
            return;
        }
    }
}

async fn source(app: &App, reading: Reading, layers: &str, q: &Drawn) -> Result<Source, Problem> {
    let reading = reading.at(app, q.at.as_deref(), q.rev, q.plan.as_deref()).await?;
    let view = reading.coverage(q.coverage.as_deref())?.clone();
    let datum = match q.datum.as_deref() {
        None => Datum::Wgs84,
        Some(name) => Datum::parse(name).ok_or_else(|| {
            let known = Datum::ALL.map(Datum::name).join(", ");
            Problem::new(Code::BadParameter, format!("tiles come in {known}, not {name}")).with("parameter", "datum")
        })?,
    };
    let wish = Wish {
        fields: q.fields.as_deref(),
        filter: q.filter.as_deref(),
        cluster: q.cluster.as_deref(),
        sum: q.sum.as_deref(),
        heat: q.heat.as_deref(),
        weight: q.weight.as_deref(),
    };
    let layers = LayerList::parse(layers, view.levels(), reading.snapshot.layers.keys())?;
    let layers = layers.choosing(&wish, &reading.snapshot)?;
    let revision = reading.snapshot.revision;
    let is_live = |kind: &LayerName| matches!(kind, LayerName::Features(name) if **name == *workers::LAYER);
    let live = q.at.is_none() && q.rev.is_none() && q.plan.is_none() && layers.iter().any(|(_, kind)| is_live(kind));
    Ok(Source { snapshot: reading.snapshot, view, layers, datum, revision, live })
}

/// A tile of one or more layers.
#[utoipa::path(get, path = "/tiles/{layers}/{z}/{x}/{y}", tag = "maps", params(
    ("layers" = String, Path, description = "Names, comma-separated: levels, `label_LEVEL`, layers"),
    ("z" = String, Path), ("x" = String, Path), ("y" = String, Path, description = "May end in .mvt or .pbf"), Drawn),
    responses((status = 200, description = "MVT 2.1, in gzip or br as the client asks", content_type = "application/vnd.mapbox-vector-tile"),
        (status = 204, description = "Nothing is there"), (status = 304, description = "The client has it"),
        (status = 406, description = "The Accept-Encoding refuses identity, gzip and br")))]
pub(super) async fn tile(
    State(app): State<App>,
    reading: Reading,
    At((layers, z, x, y)): At<(String, String, String, String)>,
    Params(q): Params<Drawn>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let at = address(&z, &x, &y)?;
    let source = source(&app, reading, &layers, &q).await?;
    let Some(encoding) = accept::encoding(&request) else {
        let detail = "a tile comes as it is, in gzip or in br, and the Accept-Encoding refuses all of these";
        return Err(Problem::new(Code::NotAcceptable, detail).header(header::VARY, HeaderValue::from_static(VARY)));
    };
    let options = TileOptions { datum: source.datum, encoding };
    let revision = source.revision;
    let cache = source.cache_control(q.rev.is_some());
    // Where workers are goes on changing within a snapshot, and what is confided is kept nowhere else.
    let repeatable = (cache != PRIVATE).then(|| source.snapshot.clone());
    let tiler = app.tiler.clone();
    // A tile that is kept is answered at once; workers have to be asked first where they are.
    let kept = if source.live { None } else { tiler.kept(&source.snapshot, &source.view, &source.layers, at, options) };
    let made = match kept {
        Some(kept) => kept,
        None if !source.live && tiler.is_quick(&source.snapshot, &source.view, &source.layers, at, options) => {
            tiler.tile(&source.snapshot, &source.view, &source.layers, at, options)?
        }
        None => {
            let make = move || {
                let snapshot = if source.live { workers::standing(&app, source.snapshot) } else { source.snapshot };
                Ok(tiler.tile(&snapshot, &source.view, &source.layers, at, options)?)
            };
            working(make).await?
        }
    };

    let mut answer = match made {
        None => (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, cache)]).into_response(),
        Some(tile) => {
            let body = tile.bytes.clone();
            let mut answer = tags::answer(&request, &tile.etag, MVT, cache, Vec::new());
            if answer.status() == StatusCode::OK {
                metrics::count_tile(body.len(), tile.left_out);
                if tile.encoding != Encoding::Identity {
                    let name = HeaderValue::from_static(tile.encoding.name());
                    answer.headers_mut().insert(header::CONTENT_ENCODING, name);
                }
                if tile.left_out > 0 {
                    answer.headers_mut().insert("gridatlas-left-out", HeaderValue::from(tile.left_out));
                }
                if let Some(snapshot) = repeatable {
                    let repeatable = Repeatable { snapshot, bytes: body.clone(), left_out: tile.left_out };
                    answer.extensions_mut().insert(repeatable);
                }
                *answer.body_mut() = body.into();
            }
            answer
        }
    };
    let headers = answer.headers_mut();
    headers.insert(edge::REVISION, HeaderValue::from(revision));
    headers.append(header::VARY, HeaderValue::from_static(VARY));
    Ok(answer)
}

fn address(z: &str, x: &str, y: &str) -> Result<TileCoord, Problem> {
    let y = y.strip_suffix(".mvt").or_else(|| y.strip_suffix(".pbf")).unwrap_or(y);
    let bad = |detail: String| Problem::new(Code::BadTile, detail);
    let number = |name: &str, text: &str| {
        text.parse::<u32>().map_err(|_| bad(format!("{name} is {:?}, which is no whole number", short(text))))
    };
    let (z, x, y) = (number("z", z)?, number("x", x)?, number("y", y)?);
    let z = u8::try_from(z).map_err(|_| bad(TileCoordError::Zoom { z }.to_string()))?;
    if z > crate::tiling::MAX_ZOOM {
        return Err(TilingError::ZoomTooDeep { z }.into());
    }
    TileCoord::new(z, x, y).map_err(|e| bad(e.to_string()))
}

fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

/// The TileJSON of one or more layers.
#[utoipa::path(get, path = "/tiles/{layers}", tag = "maps", params(("layers" = String, Path), Drawn),
    responses((status = 200, description = "TileJSON 3.0.0", content_type = "application/json")))]
pub(super) async fn tilejson(
    State(app): State<App>,
    reading: Reading,
    At(layers): At<String>,
    Params(q): Params<Drawn>,
    request: Request,
) -> Result<Response, Problem> {
    let source = source(&app, reading, &layers, &q).await?;
    let (parts, _) = request.into_parts();
    let query = parts.uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    // The layers are written as they were parsed: no text of the request gets into the URL unread.
    let url = format!("{}/tiles/{}/{{z}}/{{x}}/{{y}}{query}", links::base_url(&app.config, &parts), source.layers);
    let revision = source.revision;
    let body = working(move || {
        let mut json = app.tiler.tilejson(&source.snapshot, &source.view, &source.layers, &url);
        json["revision"] = revision.into();
        serde_json::to_vec(&json).map_err(Problem::internal)
    })
    .await?;
    let mut answer = tags::answer(&parts.headers, &tags::of(&body), "application/json", "no-cache", body);
    answer.headers_mut().insert(edge::REVISION, HeaderValue::from(revision));
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_outside_its_zoom_is_a_problem() {
        assert!(address("3", "7", "7.mvt").is_ok());
        assert!(address("0", "0", "0.pbf").is_ok());
        for (z, x, y) in [
            ("30", "0", "0"),
            ("3", "8", "0"),
            ("3", "0", "8.mvt"),
            ("a", "0", "0"),
            ("3", "-1", "0"),
            ("300", "0", "0"),
        ] {
            assert_eq!(address(z, x, y).unwrap_err().code(), Code::BadTile, "{z}/{x}/{y}");
        }
    }
}
