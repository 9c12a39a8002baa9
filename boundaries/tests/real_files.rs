//! Real polygon files, as dirty as they come. They are found through
//! GRIDATLAS_TEST_DATA; without it these tests say that they skip.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has nothing to say")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use boundaries::{Area, AreaId, Claim, FindingKind, Level, Point, Polygon, Settings, assemble};
use serde_json::Value;

fn features(name: &str) -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("GRIDATLAS_TEST_DATA") else {
        println!("skipped: GRIDATLAS_TEST_DATA is not set");
        return None;
    };
    let file = std::fs::File::open(PathBuf::from(folder).join(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    match all["features"].take() {
        Value::Array(features) => Some(features),
        _ => panic!("{name} is no feature collection"),
    }
}

fn ring(ring: &Value) -> Vec<Point> {
    let degrees = |v: &Value, i: usize| v[i].as_f64().unwrap();
    ring.as_array().unwrap().iter().map(|p| Point::from_degrees(degrees(p, 0), degrees(p, 1)).unwrap()).collect()
}

fn polygons(geometry: &Value) -> Vec<Polygon> {
    let polygon = |rings: &Value| {
        let mut rings = rings.as_array().unwrap().iter().map(ring);
        Polygon { shell: rings.next().unwrap(), holes: rings.collect() }
    };
    match geometry["type"].as_str() {
        Some("Polygon") => vec![polygon(&geometry["coordinates"])],
        Some("MultiPolygon") => geometry["coordinates"].as_array().unwrap().iter().map(polygon).collect(),
        other => panic!("{other:?}"),
    }
}

#[derive(Default)]
struct Areas {
    areas: Vec<(AreaId, Area)>,
    by_code: BTreeMap<String, AreaId>,
}

impl Areas {
    fn add(&mut self, code: &str, level: u8, parent: Option<AreaId>) -> AreaId {
        if let Some(id) = self.by_code.get(code) {
            return *id;
        }
        let id = AreaId(self.areas.len() as u32);
        let area = Area {
            code: code.into(),
            name: "".into(),
            level: Level(level),
            parent,
            kind: "".into(),
            attributes: "{}".into(),
        };
        self.areas.push((id, area));
        self.by_code.insert(code.to_owned(), id);
        id
    }
}

fn levels(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|n| Arc::from(*n)).collect()
}

fn summary(findings: &[boundaries::Finding]) -> BTreeMap<(FindingKind, bool), usize> {
    let mut counts = BTreeMap::new();
    findings.iter().for_each(|f| *counts.entry((f.kind, f.blocking)).or_insert(0) += 1);
    counts
}

#[test]
fn the_seams_of_a_real_city_are_repaired_and_listed_and_its_polygons_keep_their_ground() {
    let Some(features) = features("kaohsiung_basic_stat_areas.geojson.gz") else { return };
    let fields = ["COUNTY_ID", "TOWN_ID", "CODE2", "CODE1", "CODEBASE"];
    let mut areas = Areas::default();
    let mut claims = Vec::new();
    for feature in &features {
        let mut parent = None;
        for (level, field) in fields.iter().enumerate() {
            parent = Some(areas.add(feature["properties"][field].as_str().unwrap(), level as u8, parent));
        }
        let area = parent.unwrap();
        claims.extend(polygons(&feature["geometry"]).into_iter().map(|polygon| Claim { area, polygon }));
    }
    drop(features);
    let names = levels(&["city", "district", "street", "community", "grid"]);
    let start = Instant::now();
    let assembly = assemble(names, areas.areas.clone(), claims.clone(), &Settings::default());
    println!("assembled {} claims in {:?}", claims.len(), start.elapsed());
    println!("{:?}", summary(&assembly.findings));
    for f in assembly.findings.iter().filter(|f| f.blocking).take(30) {
        println!("{f}");
    }
    let coverage = assembly.coverage.unwrap();
    println!("{} faces, {} borders", coverage.faces().count(), coverage.borders().count());
}
