//! A small city as files: streets of grids, and buildings in them, in one state and another.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::places::Place;
use super::support::{Run, bytes, gridatlas};

/// Grids along each side of the city.
pub(crate) const SIDE: i32 = 24;
/// How many buildings it has.
pub(crate) const BUILDINGS: i32 = 3_000;
/// `--levels` of the grids.
pub(crate) const LEVELS: &str = "street=street,grid=code";

const CORNER: [f64; 2] = [120.3, 36.05];
const STEP: f64 = 0.001;

/// A state of the city: another one has other names and other corners, but the same codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(pub(crate) i32);

impl State {
    fn corner(self, x: i32, y: i32) -> [f64; 2] {
        let wiggle = |n: i32| f64::from((n * 31 + self.0 * 17) % 19 - 9) * 1e-5;
        [
            CORNER[0] + f64::from(x) * STEP + wiggle(x * 5 + y * 3),
            CORNER[1] + f64::from(y) * STEP + wiggle(x * 7 + y * 11),
        ]
    }

    /// Writes the grids; gives the file.
    pub(crate) fn areas(self, folder: &Path) -> PathBuf {
        let mut text = String::from(r#"{"type":"FeatureCollection","features":["#);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let ring = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)].map(|(i, j)| self.corner(x + i, y + j));
            let ring: Vec<String> = ring.iter().map(|[lon, lat]| format!("[{lon:.7},{lat:.7}]")).collect();
            let comma = if (x, y) == (0, 0) { "" } else { ",\n" };
            let properties = format!(r#"{{"street":"s{y:02}","code":"g{y:02}{x:02}","name":"{x}-{y} of {}"}}"#, self.0);
            let ring = ring.join(",");
            write!(
                text,
                r#"{comma}{{"type":"Feature","properties":{properties},"geometry":{{"type":"Polygon","coordinates":[[{ring}]]}}}}"#
            )
            .unwrap();
        }
        text.push_str("]}");
        written(folder, &format!("areas-{}.geojson", self.0), &text)
    }

    /// Writes the buildings; gives the file.
    pub(crate) fn buildings(self, folder: &Path) -> PathBuf {
        let mut text = String::from("id,name,households,lon,lat\n");
        for i in 0..BUILDINGS {
            let place = |n: i32| f64::from(n % 997) / 997.0 * STEP * f64::from(SIDE);
            let (lon, lat) = (CORNER[0] + place(i * 37 + self.0), CORNER[1] + place(i * 59 + 3 * self.0));
            writeln!(text, "b{i},house {i} of {},{},{lon:.7},{lat:.7}", self.0, i % 90).unwrap();
        }
        written(folder, &format!("buildings-{}.csv", self.0), &text)
    }
}

fn written(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// The arguments that bring a file of grids into a store.
pub(crate) fn import_areas(file: &Path, place: &Place) -> Vec<String> {
    let args = ["import", "areas", file.to_str().unwrap(), "--levels", LEVELS, "--name", "grid=name", "--store"];
    args.into_iter().chain([place.store()]).map(str::to_owned).collect()
}

/// The arguments that bring a file of buildings into a store.
pub(crate) fn import_buildings(file: &Path, place: &Place) -> Vec<String> {
    let args = ["import", "layer", file.to_str().unwrap(), "--layer", "building", "--id", "id", "--store"];
    args.into_iter().chain([place.store()]).map(str::to_owned).collect()
}

/// What a store holds, in a form that two stores with the same content have in common.
pub(crate) fn content(place: &Place, what: &[&str]) -> Vec<String> {
    let out = place.folder().join("content.geojson");
    let args = ["export"].iter().chain(what).copied().chain(["--store", place.store(), "--out"]);
    let args: Vec<&str> = args.chain([out.to_str().unwrap()]).collect();
    gridatlas(args).ended(0);
    let all: Value = serde_json::from_slice(&bytes(&out)).unwrap();
    let mut rows: Vec<String> = all["features"].as_array().unwrap().iter().map(row).collect();
    rows.sort();
    rows
}

/// The grids that a store holds.
pub(crate) fn grids(place: &Place) -> Vec<String> {
    content(place, &["areas", "--level", "grid"])
}

/// The buildings that a store holds.
pub(crate) fn buildings(place: &Place) -> Vec<String> {
    content(place, &["layer", "building"])
}

/// A feature as text; rings begin anywhere in a file, here at their least position.
fn row(feature: &Value) -> String {
    let mut geometry = feature["geometry"].clone();
    fn turn(value: &mut Value) {
        let Some(list) = value.as_array_mut() else { return };
        let is_ring = list.len() > 3 && list.iter().all(|p| p[0].is_number());
        if !is_ring {
            list.iter_mut().for_each(turn);
            return;
        }
        list.pop();
        let least = (0..list.len()).min_by_key(|i| list[*i].to_string()).unwrap();
        list.rotate_left(least);
    }
    turn(&mut geometry["coordinates"]);
    let properties = &feature["properties"];
    format!("{properties} {geometry}")
}

/// Holds a store to account by its own proof.
pub(crate) fn check(place: &Place) -> Run {
    gridatlas(["check", "--store", place.store()]).ended(0)
}
