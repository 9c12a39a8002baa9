//! The city as files, as a city office might hand it over.

use std::path::{Path, PathBuf};

use super::city::City;
use super::things::{Counts, Events, areas, building_features, buildings, party_units, workers};
use crate::exchange::write::{ShapeKind, Table, WriteError, Writer};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::{Field, Kind};

/// How the areas of the demo's file are told to `import areas`.
pub const LEVELS: &str = "city=city,district=code:6,street=code:9,community=code:12,grid=code";
/// And their names.
pub const NAMES: [&str; 5] =
    ["city=city_name", "district=district_name", "street=street_name", "community=community_name", "grid=name"];

/// A file of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFile {
    /// The layer: `building`, `party_unit`, `worker`, `event`.
    pub layer: &'static str,
    /// The file.
    pub path: PathBuf,
    /// How many features it holds.
    pub count: u64,
}

/// All files of a city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The grids with the codes and names of every level.
    pub areas: PathBuf,
    /// The layers, each with an attribute `id`; the last are the events.
    pub layers: Vec<LayerFile>,
}

/// Writes the city into a folder that exists, as GeoJSON lines. `progress` is told
/// what is being written.
///
/// # Errors
///
/// A folder that cannot be written to.
pub fn write(city: &City, counts: Counts, folder: &Path, mut progress: impl FnMut(&str)) -> Result<Files, WriteError> {
    progress("grid");
    let path = folder.join("areas.geojsonl");
    write_file(&path, "grid", areas(city))?;
    let mut files = Files { areas: path, layers: Vec::new() };
    let mut layer = |layer: &'static str, features: &mut dyn Iterator<Item = Feature>| {
        progress(layer);
        let path = folder.join(format!("{layer}.geojsonl"));
        let count = write_file(&path, layer, features)?;
        files.layers.push(LayerFile { layer, path, count });
        Ok(())
    };
    let built = buildings(city, counts.buildings);
    layer("building", &mut building_features(city, &built))?;
    layer("party_unit", &mut party_units(city, &built).into_iter())?;
    layer("worker", &mut workers(city, counts.workers))?;
    layer("event", &mut Events::new(city, counts.workers).past(counts.events))?;
    Ok(files)
}

fn write_file(path: &Path, name: &str, features: impl Iterator<Item = Feature>) -> Result<u64, WriteError> {
    let mut features = features.peekable();
    let Some(first) = features.peek() else {
        let table = Table { name: name.into(), shape: ShapeKind::Point, columns: Vec::new() };
        return Writer::create(path, table)?.finish();
    };
    let kind = |value: &Value| match value {
        Value::Integer(_) => Kind::Integer,
        Value::Real(_) => Kind::Real,
        Value::Bool(_) => Kind::Bool,
        Value::Null | Value::Text(_) => Kind::Text,
    };
    let table = Table {
        name: name.into(),
        shape: match first.geometry {
            Geometry::Point(_) => ShapeKind::Point,
            Geometry::Lines(_) => ShapeKind::Lines,
            Geometry::Polygons(_) => ShapeKind::Polygons,
        },
        columns: first.properties.iter().map(|(n, v)| Field { name: n.clone(), kind: kind(v) }).collect(),
    };
    let mut writer = Writer::create(path, table)?;
    for feature in features {
        writer.write(&feature)?;
    }
    writer.finish()
}
