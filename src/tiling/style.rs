//! MapLibre styles that work against this service as it stands: the template in
//! styles/, filled in with the service's address and with the levels and layers that
//! there are. No glyphs and no sprite: texts are drawn with the fonts of the reader.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::DETAIL_ZOOM;
use super::datum::Datum;
use super::document::bounds;
use super::error::TilingError;
use super::names::{LayerList, LayerName};
use super::tiler::Tiler;
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE, Snapshot};

/// Each map of the template is a style in its light palette, and with [`DARK`] in its dark one.
static TEMPLATE: LazyLock<Value> = LazyLock::new(|| {
    // Part of the program: a test reads it, so it can't fail here.
    serde_json::from_str(include_str!("../../styles/atlas.json")).unwrap_or_default()
});

/// How the name of a style in dark colours ends.
const DARK: &str = "-dark";

/// Layers that the template has something special for.
const KNOWN: [&str; 4] = ["building", "party_unit", "worker", "event"];

/// Zooms above its lowest at which a level's areas are drawn with lines (24 pixels
/// across, on average), are filled, and get their names (96 pixels).
const LINE_AFTER: u8 = 2;
const FILL_AFTER: u8 = 3;
const LABEL_AFTER: u8 = 4;
/// Zooms for which a level's names stay beside those of the next finer one.
const LABEL_OVERLAP: u8 = 2;
/// Beyond every zoom.
const NO_ZOOM: u8 = 24;

/// What kind of tiles a base map has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseMapKind {
    /// Pictures.
    Raster,
    /// Vector tiles in the OpenMapTiles schema.
    Vector,
}

/// A map from elsewhere, drawn below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseMap {
    /// What its tiles are.
    pub kind: BaseMapKind,
    /// A template with `{z}`, `{x}` and `{y}`, or the address of a TileJSON.
    pub url: String,
    /// The datum that it is drawn in: everything above it is drawn in the same.
    pub datum: Datum,
    /// Whom to thank, shown on the map; may be empty.
    pub attribution: String,
}

/// Where a style is used.
#[derive(Clone, Copy, Debug)]
pub struct StyleSettings<'a> {
    /// The address of the service, without a slash at its end.
    pub base_url: &'a str,
    /// The map to draw below.
    pub base_map: Option<&'a BaseMap>,
    /// What areas are called in.
    pub language: Language,
}

/// A language that areas are called in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// By their names.
    #[default]
    Chinese,
    /// By their levels and what their codes add to those above, as names are Chinese.
    English,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Chinese, Self::English];

    /// Its name, as in `lang=`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

impl Tiler {
    /// The names of the styles.
    pub fn style_names() -> impl Iterator<Item = String> {
        let maps = TEMPLATE["maps"].as_array().into_iter().flatten().filter_map(Value::as_str);
        maps.flat_map(|map| [map.to_owned(), format!("{map}{DARK}")])
    }

    /// A style for a coverage and the layers over it.
    ///
    /// # Errors
    ///
    /// A name that is no style's.
    pub fn style(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        name: &str,
        settings: &StyleSettings<'_>,
    ) -> Result<Value, TilingError> {
        if !Self::style_names().any(|known| known == name) {
            let known = Self::style_names().collect();
            return Err(TilingError::UnknownStyle { name: name.chars().take(64).collect(), known });
        }
        let (map, tone) = name.strip_suffix(DARK).map_or((name, "light"), |map| (map, "dark"));
        let mut palette = TEMPLATE["palettes"][tone].as_object().cloned().unwrap_or_default();
        palette.extend(TEMPLATE["words"][settings.language.name()].as_object().cloned().unwrap_or_default());
        // Over a map from elsewhere the ground lets it through.
        let has_base = settings.base_map.is_some();
        palette.insert("ground_opacity".into(), json!(if has_base { 0.0 } else { 1.0 }));
        palette.insert("area_opacity".into(), json!(if has_base { 0.25 } else { 1.0 }));

        let contexts = self.levels(snapshot, view, &palette);
        let layers: Vec<&str> = snapshot.layers.keys().map(|n| &**n).collect();
        let is_drawn = |layer: &&Value| layer["maps"].as_array().is_none_or(|maps| maps.iter().any(|m| m == map));
        let templates = TEMPLATE["layers"].as_array().into_iter().flatten().filter(is_drawn);
        let drawn: Vec<Value> =
            templates.flat_map(|t| expand(t, &palette, &contexts, &layers, settings.base_map)).collect();

        let [west, south, east, north] = bounds(view);
        Ok(json!({
            "version": 8,
            "name": name,
            "metadata": {
                "gridatlas:levels": view.levels(),
                "gridatlas:coverage": view.name,
                "gridatlas:datum": settings.base_map.map_or(Datum::Wgs84, |b| b.datum).name(),
                "gridatlas:bounds": [west, south, east, north],
            },
            "center": [(west + east) / 2.0, (south + north) / 2.0],
            "zoom": ((720.0 / (east - west).max(1e-6)).log2() * 10.0).round().clamp(0.0, 160.0) / 10.0,
            "sources": self.sources(snapshot, view, settings),
            "layers": drawn,
        }))
    }

    fn sources(
        &self,
        snapshot: &Snapshot,
        view: &Arc<CoverageView>,
        settings: &StyleSettings<'_>,
    ) -> Map<String, Value> {
        let datum = settings.base_map.map_or(Datum::Wgs84, |b| b.datum);
        let mut query = Vec::new();
        if &*view.name != DEFAULT_COVERAGE {
            query.push(format!("coverage={}", escaped(&view.name)));
        }
        if datum != Datum::Wgs84 {
            query.push(format!("datum={}", datum.name()));
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let labels = view.levels().iter().map(|l| format!("label_{l}"));
        let areas: Vec<String> = view.levels().iter().map(|l| l.to_string()).chain(labels).collect();

        let mut sources = Map::new();
        let mut put = |name: &str, list: &str, lowest: u8| {
            let names = list.split(',').map(escaped).collect::<Vec<_>>().join(",");
            let url = format!("{}/tiles/{names}/{{z}}/{{x}}/{{y}}{query}", settings.base_url);
            let source = json!({
                "type": "vector", "tiles": [url], "minzoom": lowest.min(DETAIL_ZOOM), "maxzoom": DETAIL_ZOOM,
                "bounds": bounds(view),
            });
            sources.insert(name.to_owned(), source);
        };
        if !areas.is_empty() {
            let lowest = self.lowest(snapshot, view).into_iter().min().unwrap_or(0);
            put("areas", &areas.join(","), lowest);
        }
        for name in snapshot.layers.keys() {
            let lowest = LayerList::parse(name, &[], [name])
                .map_or(0, |list| self.lowest_zooms(snapshot, view, &list).into_iter().min().unwrap_or(0));
            put(name, name, lowest);
        }
        if let Some(base) = settings.base_map {
            let kind = if base.kind == BaseMapKind::Raster { "raster" } else { "vector" };
            let mut source = json!({ "type": kind, "attribution": base.attribution });
            if base.url.contains("{z}") {
                source["tiles"] = json!([base.url]);
            } else {
                source["url"] = json!(base.url);
            }
            if base.kind == BaseMapKind::Raster {
                source["tileSize"] = json!(256);
            }
            sources.insert("base".to_owned(), source);
        }
        sources
    }

    /// The lowest zooms of the levels, topmost first.
    fn lowest(&self, snapshot: &Snapshot, view: &Arc<CoverageView>) -> Vec<u8> {
        let levels = (0..view.levels().len() as u8).map(|i| LayerName::Areas(boundaries::Level(i)));
        let list = LayerList::of(view.levels().iter().cloned().zip(levels));
        self.lowest_zooms(snapshot, view, &list)
    }

    /// What the template may ask of each level, the finest first.
    fn levels(&self, snapshot: &Snapshot, view: &Arc<CoverageView>, palette: &Map<String, Value>) -> Vec<LevelContext> {
        let lowest = self.lowest(snapshot, view);
        let ranks = palette.get("ranks").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut finer: Option<u8> = None;
        let mut contexts = Vec::new();
        for (rank, (level, lowest)) in view.levels().iter().zip(&lowest).rev().enumerate() {
            // A coarser level may have as many areas as the finer: it is no later then.
            let lowest = finer.map_or(*lowest, |f| f.min(*lowest));
            let mut known = palette.clone();
            let is_topmost = rank + 1 == view.levels().len();
            let from = |after: u8| if is_topmost { 0 } else { lowest + after };
            let until = |after: u8| finer.map_or(NO_ZOOM, |f| f + after);
            let (line_from, label_from) = (from(LINE_AFTER), from(LABEL_AFTER));
            known
                .insert("rank".into(), ranks.get(rank.min(ranks.len().saturating_sub(1))).cloned().unwrap_or_default());
            known.insert("line_from".into(), line_from.into());
            known.insert("line_full".into(), (line_from + 6).into());
            known.insert("fill_from".into(), from(FILL_AFTER).into());
            known.insert("fill_until".into(), until(FILL_AFTER).into());
            known.insert("label_from".into(), label_from.into());
            known.insert("label_full".into(), (label_from + 5).into());
            known.insert("label_until".into(), until(LABEL_AFTER + LABEL_OVERLAP).into());
            let mut letters = level.chars();
            let title = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
            contexts.push(LevelContext { level: level.clone(), title, is_topmost, known });
            finer = Some(lowest);
        }
        contexts
    }
}

struct LevelContext {
    level: Arc<str>,
    /// The same with a capital.
    title: String,
    is_topmost: bool,
    known: Map<String, Value>,
}

/// A layer of the template as often as it is drawn.
fn expand(
    template: &Value,
    palette: &Map<String, Value>,
    levels: &[LevelContext],
    layers: &[&str],
    base: Option<&BaseMap>,
) -> Vec<Value> {
    let text = |key: &str| template.get(key).and_then(Value::as_str);
    let with = |known: &Map<String, Value>, names: &[(&str, &str)]| {
        let mut filled = fill(template, known, names);
        if let Some(layer) = filled.as_object_mut() {
            layer.retain(|key, _| !["for", "only", "when", "maps"].contains(&key.as_str()));
        }
        filled
    };
    match text("for") {
        None => vec![with(palette, &[])],
        Some("level") => levels
            .iter()
            .filter(|context| text("only") != Some("topmost") || context.is_topmost)
            .map(|context| with(&context.known, &[("{level}", &context.level), ("{Level}", &context.title)]))
            .filter(|layer| layer["minzoom"].as_u64().unwrap_or(0) < layer["maxzoom"].as_u64().unwrap_or(99))
            .collect(),
        Some("base") => {
            let kind = base.map(|b| if b.kind == BaseMapKind::Raster { "raster" } else { "vector" });
            if kind.is_some() && kind == text("when") { vec![with(palette, &[])] } else { Vec::new() }
        }
        Some("other") => {
            let others = layers.iter().filter(|l| !KNOWN.contains(l));
            others.map(|layer| with(palette, &[("{layer}", layer)])).collect()
        }
        Some(name) => layers.iter().filter(|l| **l == name).map(|_| with(palette, &[])).collect(),
    }
}

/// A value of the template with everything looked up.
fn fill(value: &Value, known: &Map<String, Value>, names: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            Some(path) => {
                let mut steps = path.split('.');
                let first = steps.next().and_then(|step| known.get(step));
                let found = steps.try_fold(first, |at, step| match at {
                    Some(Value::Array(all)) => Some(step.parse::<usize>().ok().and_then(|i| all.get(i))),
                    Some(at) => Some(at.get(step)),
                    None => None,
                });
                // What is found may name the level.
                match found.flatten() {
                    Some(Value::String(text)) => text.clone().into(),
                    Some(found) => fill(found, known, names),
                    None => Value::Null,
                }
            }
            None => names.iter().fold(text.clone(), |text, (name, with)| text.replace(name, with)).into(),
        },
        Value::Array(all) => all.iter().map(|v| fill(v, known, names)).collect(),
        Value::Object(all) => all.iter().map(|(k, v)| (k.clone(), fill(v, known, names))).collect(),
        other => other.clone(),
    }
}

/// A name as it stands in an address.
fn escaped(name: impl AsRef<str>) -> String {
    name.as_ref()
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
