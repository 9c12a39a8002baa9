//! `/styles`: MapLibre styles that work against this server as it stands.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::config::{BaseMap, BaseMapKind};
use super::layers::Nothing;
use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::{links, tags};
use crate::tiling::{self, Datum, Language, StyleSettings, Tiler};

/// Of which coverage, and for whom.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfCoverage {
    /// Draw this coverage
    coverage: Option<String>,
    /// What areas are called in: `zh-CN`, by their names, or `en`, by level and code
    lang: Option<String>,
}

/// The names of the styles.
#[utoipa::path(get, path = "/styles", tag = "maps", responses((status = 200,
    description = "`{revision, styles: [name]}`", content_type = "application/json")))]
pub(super) async fn list(reading: Reading, Params(Nothing {}): Params<Nothing>) -> Response {
    let names: Vec<_> = Tiler::style_names().collect();
    Json(json!({ "revision": reading.snapshot.revision, "styles": names })).into_response()
}

/// A style.
#[utoipa::path(get, path = "/styles/{name}", tag = "maps", params(("name" = String, Path), OfCoverage),
    responses((status = 200, description = "A MapLibre style, version 8", content_type = "application/json")))]
pub(super) async fn one(
    State(app): State<App>,
    reading: Reading,
    At(name): At<String>,
    Params(q): Params<OfCoverage>,
    request: Request,
) -> Result<Response, Problem> {
    let view = match reading.coverage(q.coverage.as_deref()) {
        Ok(view) => view.clone(),
        Err(problem) if q.coverage.is_some() => return Err(problem),
        // A city without areas has a style, too: its layers.
        Err(_) => app.nothing.clone(),
    };
    let language = match q.lang.as_deref() {
        None => Language::default(),
        Some(lang) => Language::ALL.into_iter().find(|known| known.name() == lang).ok_or_else(|| {
            let known = Language::ALL.map(Language::name).join(" and ");
            Problem::new(Code::BadParameter, format!("areas are called in {known}, not {lang}"))
                .with("parameter", "lang")
        })?,
    };
    let (parts, _) = request.into_parts();
    let base_url = links::base_url(&app.config, &parts);
    let base_map = app.config.base_map.as_ref().map(drawn);
    let body = working(move || {
        let settings = StyleSettings { base_url: &base_url, base_map: base_map.as_ref(), language };
        let style =
            app.tiler.style(&reading.snapshot, &view, name.strip_suffix(".json").unwrap_or(&name), &settings)?;
        serde_json::to_vec(&style).map_err(Problem::internal)
    })
    .await?;
    Ok(tags::answer(&parts.headers, &tags::of(&body), "application/json", "no-cache", body))
}

/// The configured base map as the styles take it.
fn drawn(map: &BaseMap) -> tiling::BaseMap {
    tiling::BaseMap {
        kind: match map.kind {
            BaseMapKind::Raster => tiling::BaseMapKind::Raster,
            BaseMapKind::Vector => tiling::BaseMapKind::Vector,
        },
        url: map.url.clone(),
        // The configuration was checked.
        datum: Datum::parse(&map.datum).unwrap_or_default(),
        attribution: map.attribution.clone(),
    }
}
