//! `/tiles`: vector tiles, and the TileJSON that leads to them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use tiles::{TileCoord, TileCoordError};
use utoipa::IntoParams;

use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::{edge, links, metrics, tags, workers};
use crate::snapshot::{CoverageView, Snapshot};
use crate::tiling::{Datum, Encoding, LayerList, LayerName, TileOptions, TilingError};

/// The media type of a vector tile.
pub(super) const MVT: &str = "application/vnd.mapbox-vector-tile";

/// The present may change at any time: a client keeps it, and asks each time whether it has.
const PRESENT: &str = "public, no-cache";

/// What a revision published stays as it is.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

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
    /// `wgs84`, or `gcj02` to lie over a Chinese base map
    datum: Option<String>,
}

impl From<TilingError> for Problem {
    fn from(error: TilingError) -> Self {
        let code = match error {
            TilingError::NotPacked { .. } => return Self::internal(error),
            TilingError::ZoomTooDeep { .. } => Code::BadTile,
            TilingError::UnknownLayer { .. } => Code::UnknownLayer,
            TilingError::UnknownStyle { .. } => Code::UnknownStyle,
            TilingError::NoLayers | TilingError::TooManyLayers { .. } | TilingError::RepeatedLayer { .. } => {
                Code::BadParameter
            }
        };
        Self::new(code, error.to_string())
    }
}

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

async fn source(app: &App, reading: Reading, layers: &str, q: &Drawn) -> Result<Source, Problem> {
    let reading = reading.at(app, q.at.as_deref(), q.rev, q.plan.as_deref()).await?;
    let view = reading.coverage(q.coverage.as_deref())?.clone();
    let datum = match q.datum.as_deref() {
        None | Some("wgs84" | "cgcs2000") => Datum::Wgs84,
        Some("gcj02") => Datum::Gcj02,
        Some(other) => {
            return Err(Problem::new(Code::BadParameter, format!("tiles come in wgs84 and gcj02, not {other}"))
                .with("parameter", "datum"));
        }
    };
    let layers = LayerList::parse(layers, view.levels(), reading.snapshot.layers.keys())?;
    let revision = reading.snapshot.revision;
    let is_live = |kind: &LayerName| matches!(kind, LayerName::Features(name) if **name == *workers::LAYER);
    let live = q.at.is_none() && q.rev.is_none() && q.plan.is_none() && layers.iter().any(|(_, kind)| is_live(kind));
    Ok(Source { snapshot: reading.snapshot, view, layers, datum, revision, live })
}

/// A tile of one or more layers.
#[utoipa::path(get, path = "/tiles/{layers}/{z}/{x}/{y}", tag = "maps", params(
    ("layers" = String, Path, description = "Names, comma-separated: levels, `label_LEVEL`, layers"),
    ("z" = String, Path), ("x" = String, Path), ("y" = String, Path, description = "May end in .mvt or .pbf"), Drawn),
    responses((status = 200, description = "MVT 2.1", content_type = "application/vnd.mapbox-vector-tile"),
        (status = 204, description = "Nothing is there"), (status = 304, description = "The client has it")))]
pub(super) async fn tile(
    State(app): State<App>,
    reading: Reading,
    At((layers, z, x, y)): At<(String, String, String, String)>,
    Params(q): Params<Drawn>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let at = address(&z, &x, &y)?;
    let source = source(&app, reading, &layers, &q).await?;
    let packs = request.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(takes_gzip);
    let encoding = if packs { Encoding::Gzip } else { Encoding::Identity };
    let options = TileOptions { datum: source.datum, encoding };
    let revision = source.revision;
    let only_areas = !source.layers.iter().any(|(_, kind)| matches!(kind, LayerName::Features(_)));
    let tiler = app.tiler.clone();
    let made = working(move || {
        let snapshot = if source.live { workers::standing(&app, source.snapshot) } else { source.snapshot };
        Ok(tiler.tile(&snapshot, &source.view, &source.layers, at, options)?)
    })
    .await?;

    // Layers of features have no revisions: only areas alone are the same for good.
    let cache = if q.rev.is_some() && made.is_some() && only_areas { FOR_GOOD } else { PRESENT };
    let mut answer = match made {
        None => (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, cache)]).into_response(),
        Some(tile) => {
            let body = tile.bytes.clone();
            let mut answer = tags::answer(&request, &tile.etag, MVT, cache, Vec::new());
            if answer.status() == StatusCode::OK {
                metrics::count_tile(body.len());
                if tile.encoding == Encoding::Gzip {
                    answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                }
                if tile.left_out > 0 {
                    answer.headers_mut().insert("gridatlas-left-out", HeaderValue::from(tile.left_out));
                }
                *answer.body_mut() = body.into();
            }
            answer
        }
    };
    let headers = answer.headers_mut();
    headers.insert(edge::REVISION, HeaderValue::from(revision));
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
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

/// Whether an Accept-Encoding lets gzip through.
fn takes_gzip(list: &str) -> bool {
    list.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let refused = quality.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
        matches!(name.trim(), "gzip" | "x-gzip" | "*") && !refused
    })
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

    #[test]
    fn a_client_that_refuses_gzip_gets_none() {
        assert!(takes_gzip("br, gzip"));
        assert!(takes_gzip("gzip;q=0.5"));
        assert!(takes_gzip("*"));
        assert!(!takes_gzip("br, gzip;q=0"));
        assert!(!takes_gzip("identity"));
    }
}
