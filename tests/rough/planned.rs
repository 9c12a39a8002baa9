//! A small town whose grids are redrawn, by the command line and by a service.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::places::Place;
use super::support::{Run, gridatlas};

pub(crate) const CORNER: [f64; 2] = [120.3, 36.0];
pub(crate) const STEP: f64 = 0.002;

/// ```text
///   g02 g12 g22 g32   s2
///   g01 g11 g21 g31   s1     and buildings all over
///   g00 g10 g20 g30   s0
/// ```
pub(crate) fn found_town(place: &Place) {
    let corner = |x: i32, y: i32| [CORNER[0] + f64::from(x) * STEP, CORNER[1] + f64::from(y) * STEP];
    let grid = |x: i32, y: i32| {
        let ring = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)].map(|(i, j)| corner(x + i, y + j));
        json!({ "type": "Feature", "properties": { "s": format!("s{y}"), "g": format!("g{x}{y}") },
            "geometry": { "type": "Polygon", "coordinates": [ring] } })
    };
    let grids: Vec<Value> = (0..12).map(|i| grid(i % 4, i / 4)).collect();
    let areas = place.folder().join("areas.geojson");
    std::fs::write(&areas, json!({ "type": "FeatureCollection", "features": grids }).to_string()).unwrap();
    let houses = (0..60).map(|i| {
        let share = |n: i32| f64::from(i * n % 61) / 61.0;
        format!("b{i},{},{},{}\n", i % 9, CORNER[0] + share(37) * 4.0 * STEP, CORNER[1] + share(23) * 3.0 * STEP)
    });
    let buildings = place.folder().join("buildings.csv");
    std::fs::write(&buildings, format!("id,households,lon,lat\n{}", houses.collect::<String>())).unwrap();
    let [areas, buildings] = [areas, buildings].map(|path| path.to_str().unwrap().to_owned());
    gridatlas(["import", "areas", &areas, "--store", place.store(), "--levels", "s=s,g=g"]).ended(0);
    gridatlas(["import", "layer", &buildings, "--store", place.store(), "--layer", "building", "--id", "id"]).ended(0);
}

/// A line from south to north through the grids of a column.
pub(crate) fn cut(code: &str, column: i32) -> Value {
    let lon = CORNER[0] + (f64::from(column) + 0.4) * STEP;
    json!({ "op": "split", "code": code, "line": [[lon, 35.9], [lon, 36.1]] })
}

pub(crate) fn plan(place: &Place, args: &[&str]) -> Run {
    gridatlas(["plan"].iter().chain(args).copied().chain(["--store", place.store()]))
}

/// Makes edits by way of a file.
pub(crate) fn edit(place: &Place, id: &str, edits: &[Value]) -> Run {
    plan(place, &["edit", id, &edits_file(place, edits)])
}

pub(crate) fn edits_file(place: &Place, edits: &[Value]) -> String {
    let file = place.folder().join("edits.json");
    std::fs::write(&file, edits.iter().map(|e| format!("{e}\n")).collect::<String>()).unwrap();
    file.to_str().unwrap().to_owned()
}

pub(crate) fn begin(place: &Place, edits: &[Value]) -> String {
    let id = plan(place, &["new", "a plan", "--author", "李"]).ended(0).out.trim().to_owned();
    if !edits.is_empty() {
        edit(place, &id, edits).ended(0);
    }
    id
}

pub(crate) fn approve(place: &Place, id: &str) {
    plan(place, &["submit", id, "--author", "李"]).ended(0);
    plan(place, &["approve", id, "--author", "王"]).ended(0);
}

/// A service that may be stopped, and how to ask it.
pub(crate) struct Served {
    child: Child,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, url }
    }

    /// A service over a store, as it is.
    pub(crate) fn serve(place: &Place) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gridatlas"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--store", place.store()]);
        Self::start(command)
    }

    /// The status and the body of an answer; `None` where there was none.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Option<(u16, Value)> {
        self.post_text(path, body.to_string()).await
    }

    /// The same for a body that need not be JSON.
    pub(crate) async fn post_text(&self, path: &str, body: String) -> Option<(u16, Value)> {
        let request = reqwest::Client::new().post(format!("{}{path}", self.url)).header("if-match", "*");
        let answer = request.header("content-type", "application/json").body(body).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.json().await.ok()?))
    }

    pub(crate) fn end(self) {}
}

/// No test leaves a service behind, also not one that fails.
impl Drop for Served {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
