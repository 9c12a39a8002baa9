//! All tiles of a small served city before and after a publish and a change in a layer:
//! exactly those whose content is another get another ETag, what a client hears of the
//! change leads it to all of them, and nothing that was kept is stale.
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value as Json, json};
use tiles::{TileCoord, World};

/// What is asked for, each with all of its tiles.
const LISTS: [&str; 6] = [
    "grid",
    "label_grid",
    "community,label_community,street",
    "building",
    "grid,building,label_grid,party_unit",
    "city,district,label_district",
];
const ZOOMS: std::ops::RangeInclusive<u8> = 8..=15;

/// What a tile draws beyond its sides, in parts of it, and two units more.
const BESIDE: f64 = (64.0 + 2.0) / 4096.0;

/// The program, serving the demo city from a store.
struct Service {
    program: Child,
    url: String,
    client: Client,
}

type Tags = BTreeMap<(&'static str, TileCoord), Option<String>>;

impl Service {
    fn over(store: &str, command: &[&str]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
            .args(command)
            .args(["--store", store, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(program.stderr.take().unwrap()).lines().map(Result::unwrap);
        let url = said.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
        // It must not come to write where nobody reads.
        std::thread::spawn(move || said.for_each(drop));
        Self { program, url, client: Client::new() }
    }

    async fn read(&self, path: &str) -> Json {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: Json) -> Json {
        let request = self.client.request(method, format!("{}{path}", self.url)).header("if-match", "*");
        let answer = request.header("content-type", kind).body(body.to_string()).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The tag of each tile, `None` of an empty one; `known` are sent as what the client has.
    /// A tile of which the client had the state must be answered so.
    async fn tags(&self, known: &Tags) -> Tags {
        let b: [f64; 4] = serde_json::from_value(self.read("tiles/grid").await["bounds"].clone()).unwrap();
        let at = |lon, lat, z| TileCoord::of(World::from_degrees(lon, lat), z).unwrap();
        let tiles = ZOOMS.flat_map(|z| {
            let (first, last) = (at(b[0], b[3], z), at(b[2], b[1], z));
            let rows = first.y() - 1..=last.y() + 1;
            rows.flat_map(move |y| (first.x() - 1..=last.x() + 1).map(move |x| TileCoord::new(z, x, y).unwrap()))
        });
        let asked = LISTS.into_iter().flat_map(|list| tiles.clone().map(move |tile| (list, tile)));
        let answers = stream::iter(asked).map(|(list, tile)| async move {
            let url = format!("{}tiles/{list}/{}/{}/{}", self.url, tile.z(), tile.x(), tile.y());
            let request = self.client.get(url).header("accept-encoding", "gzip");
            let had = known.get(&(list, tile)).cloned().flatten();
            let request = had.iter().fold(request, |request, tag| request.header("if-none-match", tag));
            let answer = request.send().await.unwrap();
            let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
            let status = answer.status();
            assert_eq!(status == StatusCode::NOT_MODIFIED, tag.is_some() && tag == had, "{list} {tile}");
            assert_eq!(status == StatusCode::NO_CONTENT, tag.is_none(), "{list} {tile}");
            ((list, tile), tag)
        });
        answers.buffer_unordered(8).collect().await
    }

    /// Listens; what was told first is returned once it has come.
    async fn heard(&self, kind: &str, mut from: reqwest::Response) -> Json {
        let mut text = String::new();
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let told = text.split("\n\n").find(|event| event.contains(&format!("event: {kind}\n")));
            if let Some(data) = told.and_then(|event| event.lines().find_map(|line| line.strip_prefix("data: "))) {
                return serde_json::from_str(data).unwrap();
            }
            assert!(Instant::now() < until, "nothing was told of a {kind}: {text}");
            text += std::str::from_utf8(&from.chunk().await.unwrap().unwrap()).unwrap();
        }
    }

    async fn listen(&self) -> reqwest::Response {
        self.client.get(format!("{}changes", self.url)).send().await.unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Whether a tile draws any of a box.
fn meets(tile: TileCoord, b: &[f64; 4]) -> bool {
    let across = f64::from(1u32 << tile.z());
    let column = |lon: f64| (lon + 180.0) / 360.0 * across;
    let row = |lat: f64| (1.0 - lat.to_radians().tan().asinh() / std::f64::consts::PI) / 2.0 * across;
    let (x, y) = (f64::from(tile.x()), f64::from(tile.y()));
    let within = |low: f64, high: f64, at: f64| low - BESIDE <= at + 1.0 && at <= high + BESIDE;
    within(column(b[0]), column(b[2]), x) && within(row(b[3]), row(b[1]), y)
}

/// The tiles that a change made another lie in the boxes that were told of it.
fn judge(what: &str, before: &Tags, after: &Tags, told: &Json) {
    let boxes: Vec<[f64; 4]> = serde_json::from_value(told["boxes"].clone()).unwrap();
    assert!(!boxes.is_empty(), "{told}");
    let led_to = before.keys().filter(|(_, tile)| boxes.iter().any(|b| meets(*tile, b))).count();
    let changed: Vec<_> = before.iter().filter(|(key, tag)| after[key] != **tag).map(|(key, _)| key).collect();
    for (list, tile) in &changed {
        assert!(boxes.iter().any(|b| meets(*tile, b)), "{what}: {list} {tile} changed, and {boxes:?} was told");
    }
    println!("{what}: {} of {} tiles changed, {led_to} lie in what was told", changed.len(), before.len());
    assert!(!changed.is_empty() && changed.len() * 4 < before.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_exactly_the_tiles_whose_content_changed_have_another_etag() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("city.gpkg").display().to_string();
    let city = Service::over(&store, &["demo", "--size", "150", "--seed", "7", "--still"]);
    let first = city.tags(&Tags::new()).await;
    assert!(first.values().flatten().count() > 500, "{}", first.len());

    // A grid is cut in two.
    let code = city.read("areas?level=grid").await["areas"][40]["code"].as_str().unwrap().to_owned();
    let area = city.read(&format!("areas/{code}")).await;
    let at = |list: &Json| [list[0].as_f64().unwrap(), list[1].as_f64().unwrap()];
    let rings = area["geometry"]["coordinates"][0].as_array().unwrap();
    let ring = if rings[0][0].is_array() { rings } else { &vec![json!(rings)] };
    let shell: Vec<[f64; 2]> = ring[0].as_array().unwrap().iter().map(at).collect();
    let low = |i: usize| shell.iter().map(|p| p[i]).fold(f64::INFINITY, f64::min);
    let high = |i: usize| shell.iter().map(|p| p[i]).fold(f64::NEG_INFINITY, f64::max);
    let middle = ((low(1) + high(1)) / 2.0 * 1e7).round() / 1e7;
    let line = [[low(0) - 0.001, middle], [high(0) + 0.001, middle]];
    let listening = city.listen().await;
    let plain = "application/json";
    let plan = city.send(Method::POST, "plans", plain, json!({"name": "cut", "author": "li"})).await;
    let plan = format!("plans/{}", plan["id"].as_str().unwrap());
    let cut = json!({"op": "split", "code": code, "line": line});
    city.send(Method::POST, &format!("{plan}/edits"), plain, cut).await;
    for (step, author) in [("submit", "li"), ("approve", "wang"), ("publish", "wang")] {
        city.send(Method::POST, &format!("{plan}/{step}"), plain, json!({"author": author})).await;
    }
    let told = city.heard("revision", listening).await;
    let second = city.tags(&first).await;
    judge("a publish", &first, &second, &told);
    let is_other = |list: &str| first.iter().any(|((of, tile), tag)| *of == list && second[&(*of, *tile)] != *tag);
    assert!(is_other("grid") && is_other("label_grid"));
    assert!(!is_other("city,district,label_district"), "no district's outline changed");

    // A building is put.
    let listening = city.listen().await;
    let square = [[0.0, 0.0], [2e-4, 0.0], [2e-4, 2e-4], [0.0, 2e-4], [0.0, 0.0]];
    let ring: Vec<_> = square.iter().map(|d| [line[0][0] + 0.002 + d[0], middle + d[1]]).collect();
    let building = json!({"type": "Feature", "properties": {"name": "新楼"}, "geometry": {"type": "Polygon", "coordinates": [ring]}});
    city.send(Method::PUT, "layers/building/features/new-1", "application/geo+json", building).await;
    let told = city.heard("layer", listening).await;
    assert_eq!(told["layer"], "building");
    let third = city.tags(&second).await;
    judge("a building", &second, &third, &told);
    let changed = |list: &str| second.iter().any(|((of, tile), tag)| *of == list && third[&(*of, *tile)] != *tag);
    assert!(changed("building") && changed(LISTS[4]) && !changed("grid") && !changed("label_grid"));

    // Whoever has nothing kept makes the same of it.
    drop(city);
    let anew = Service::over(&store, &["serve"]).tags(&Tags::new()).await;
    let stale: Vec<_> = third.iter().filter(|(key, tag)| anew[key] != **tag).map(|(key, _)| key).collect();
    assert!(stale.is_empty(), "{stale:?}");
}
