//! TileJSON 3: what a list of layers holds, where it lies and where its tiles are.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::DETAIL_ZOOM;
use super::areas::KEYS;
use super::choice::{Choice, Form};
use super::gathered::{CLUSTER, COUNT, EXPANSION_ZOOM, POINT_COUNT, WEIGHT, sum_key};
use super::names::{LayerList, LayerName};
use super::shown::{ID, OWNER};
use super::tiler::Tiler;
use crate::snapshot::{CoverageView, Kind, Layer, Snapshot};

impl Tiler {
    /// The TileJSON of a list of layers. `tiles_url` is the address of a tile with
    /// `{z}`, `{x}` and `{y}` in it.
    #[must_use]
    pub fn tilejson(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        layers: &LayerList,
        tiles_url: &str,
    ) -> Value {
        let lowest = self.lowest_zooms(snapshot, view, layers);
        let vector_layers: Vec<Value> = layers
            .iter()
            .zip(layers.choices())
            .zip(&lowest)
            .map(|(((name, kind), choice), lowest)| {
                let fields = match kind {
                    LayerName::Areas(_) | LayerName::Labels(_) => of_areas(),
                    LayerName::Features(name) => snapshot.layer(name).map_or_else(Map::new, |l| of_layer(l, choice)),
                };
                json!({ "id": name, "fields": fields, "minzoom": lowest, "maxzoom": DETAIL_ZOOM })
            })
            .collect();
        json!({
            "tilejson": "3.0.0",
            "name": layers.to_string(),
            "scheme": "xyz",
            "tiles": [tiles_url],
            "minzoom": lowest.iter().min().copied().unwrap_or(0).min(DETAIL_ZOOM),
            "maxzoom": DETAIL_ZOOM,
            "bounds": bounds(view),
            "center": center(view, lowest.iter().min().copied().unwrap_or(0)),
            "vector_layers": vector_layers,
        })
    }
}

fn of_areas() -> Map<String, Value> {
    KEYS.iter().map(|key| ((*key).to_owned(), "String".into())).collect()
}

fn of_layer(layer: &Layer, choice: &Choice) -> Map<String, Value> {
    let own = choice.shown_fields(layer).into_iter().map(|i| {
        let field = &layer.fields()[i];
        let kind = match field.kind {
            Kind::Text => "String",
            Kind::Integer | Kind::Real => "Number",
            Kind::Bool => "Boolean",
        };
        (field.name.to_string(), kind.into())
    });
    let told = |kind: &'static str| move |key: &str| (key.to_owned(), kind.into());
    let numbers = |keys: &[&str]| keys.iter().copied().map(told("Number")).collect::<Vec<_>>();
    let gathered = match choice.form() {
        Form::Plain => Vec::new(),
        Form::Heat { .. } => return numbers(&[WEIGHT, COUNT]).into_iter().collect(),
        Form::Clusters { sums } => {
            let sums = sums.iter().map(|name| told("Number")(&sum_key(name)));
            numbers(&[POINT_COUNT, EXPANSION_ZOOM]).into_iter().chain([told("Boolean")(CLUSTER)]).chain(sums).collect()
        }
    };
    own.chain([ID, OWNER].map(told("String"))).chain(gathered).collect()
}

/// West, south, east, north; the whole map for a coverage without ground, whose
/// layers may lie anywhere.
pub(super) fn bounds(view: &CoverageView) -> [f64; 4] {
    let b = view.bounds();
    if b.is_empty() {
        [-180.0, -85.051_13, 180.0, 85.051_13]
    } else {
        [b.min.lon(), b.min.lat(), b.max.lon(), b.max.lat()]
    }
}

/// The middle of the ground, and a zoom to begin with.
fn center(view: &CoverageView, lowest: u8) -> Value {
    let [west, south, east, north] = bounds(view);
    // The zoom at which the ground is about a screen of two tiles across.
    let fits = (720.0 / (east - west).max(1e-6)).log2().floor().clamp(0.0, f64::from(DETAIL_ZOOM)) as u8;
    json!([(west + east) / 2.0, (south + north) / 2.0, fits.max(lowest)])
}
