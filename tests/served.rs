//! `locate`, `nearest` and `serve` as their users run them.

#![allow(clippy::unwrap_used)] // A test may stop where anything fails.

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{gridatlas, gridatlas_with};

/// Two grids side by side in one town, and two workers, imported from files.
fn store(folder: &Path) -> String {
    let square = |code: &str, west: f64| {
        let (east, ring) = (west + 0.1, |w: f64, e: f64| json!([[w, 36], [e, 36], [e, 36.2], [w, 36.2], [w, 36]]));
        json!({"type": "Feature", "properties": {"code": code, "town": "t"},
            "geometry": {"type": "Polygon", "coordinates": [ring(west, east)]}})
    };
    let worker = |id: &str, lon: f64| {
        json!({"type": "Feature", "properties": {"id": id, "name": format!("王{id}"), "role": "grid_worker", "on_duty": true},
            "geometry": {"type": "Point", "coordinates": [lon, 36.1]}})
    };
    let write = |name: &str, features: Vec<Value>| {
        let path = folder.join(name).display().to_string();
        std::fs::write(&path, json!({"type": "FeatureCollection", "features": features}).to_string()).unwrap();
        path
    };
    let store = folder.join("city.gpkg").display().to_string();
    let areas = write("areas.geojson", vec![square("g1", 120.0), square("g2", 120.1)]);
    gridatlas(["import", "areas", &areas, "--store", &store, "--levels", "town=town,grid=code"]).ended(0);
    let workers = write("workers.geojson", vec![worker("w1", 120.05), worker("w2", 120.15)]);
    gridatlas(["import", "layer", &workers, "--store", &store, "--layer", "worker", "--id", "id"]).ended(0);
    store
}

#[test]
fn rows_come_back_with_their_owners_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let table =
        gridatlas_with(["locate", "--store", &store], b"id,lon,lat\na,120.05,36.1\nb,120.15,36.1\nc,119.9,36.1\n")
            .ended(0);
    let mut rows = csv::Reader::from_reader(table.out.as_bytes());
    assert_eq!(
        rows.headers().unwrap().iter().take(6).collect::<Vec<_>>(),
        ["id", "lon", "lat", "code", "town", "grid"]
    );
    let rows: Vec<Vec<String>> = rows.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows.iter().map(|r| r[3].as_str()).collect::<Vec<_>>(), ["g1", "g2", ""]);
    assert_eq!((rows[0][4].as_str(), rows[2][8].as_str()), ("t", "g1"));

    let lines =
        gridatlas_with(["locate", "--store", &store, "--crs", "gcj02"], b"{\"lon\":120.05,\"lat\":36.1,\"n\":1}\n")
            .ended(0);
    let line = lines.json();
    assert_eq!((&line["n"], &line["code"], &line["on_border"]), (&json!(1), &json!("g1"), &json!(false)));

    let bad = gridatlas_with(["locate", "--store", &store], b"lon,lat\n181,0\n120.05,36.1\n").ended(1);
    assert!(bad.out.contains("g1") && bad.err.contains("1 of 2 rows"), "{bad:?}");
    gridatlas_with(["locate", "--store", &store, "--coverage", "moon"], b"lon,lat\n").ended(2);
    gridatlas_with(["locate", "--store", "/nowhere/city.gpkg"], b"lon,lat\n").ended(3);
}

#[test]
fn the_nearest_worker_is_named_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let ask = |more: &[&str]| {
        gridatlas(["nearest", "--store", &store, "--lon", "120.14", "--lat", "36.1", "--json"].iter().chain(more))
            .ended(0)
            .json()
    };
    let found = ask(&[]);
    assert_eq!((&found[0]["id"], &found[0]["grid"], &found[1]["id"]), (&json!("w2"), &json!("g2"), &json!("w1")));
    assert!((found[0]["distance_m"].as_f64().unwrap() - 900.0).abs() < 5.0);
    assert_eq!(ask(&["--within", "g1"])[0]["id"], "w1");
    assert_eq!(ask(&["--role", "police"]), json!([]));
}

#[test]
fn a_service_says_where_it_listens_and_ends_well_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let config = folder.path().join("config.json").display().to_string();
    std::fs::write(&config, r#"{"public_url": "https://maps.example.org/atlas"}"#).unwrap();
    let mut service = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
        .args(["serve", "--store", &store, "--listen", "127.0.0.1:0", "--config", &config])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(service.stderr.take().unwrap()).lines();
    let url = said.next().unwrap().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read = |path: &str| -> Value {
        runtime.block_on(async { reqwest::get(format!("{url}{path}")).await.unwrap().json().await.unwrap() })
    };
    assert_eq!(read("locate?lon=120.05&lat=36.1")["owners"][0]["code"], "g1");
    assert_eq!(read("workers/nearest?lon=120.14&lat=36.1")[0]["id"], "w2");
    assert_eq!(read("tiles/grid")["tiles"][0], "https://maps.example.org/atlas/tiles/grid/{z}/{x}/{y}");
    Command::new("kill").args(["-TERM", &service.id().to_string()]).status().unwrap();
    assert!(service.wait().unwrap().success());

    std::fs::write(&config, r#"{"public_ulr": "x"}"#).unwrap();
    let refused = gridatlas(["serve", "--store", &store, "--listen", "127.0.0.1:0", "--config", &config]).ended(2);
    assert!(refused.err.contains("public_ulr") && refused.err.contains("config.json"), "{refused:?}");
    gridatlas(["serve", "--store", "/nowhere/city.gpkg", "--listen", "127.0.0.1:0"]).ended(3);
}

#[test]
fn a_redraw_is_scripted_from_edit_to_publish() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let plan =
        |args: &[&str], input: &str| gridatlas_with([&["plan"], args, &["--store", &store]].concat(), input.as_bytes());
    let id = plan(&["new", "二分", "--author", "li"], "").ended(0).out.trim().to_owned();
    let cut = r#"{"op": "split", "code": "g1", "line": [[120.04, 35.9], [120.04, 36.3]]}"#;
    let rename = r#"{"op": "rename", "code": "g1-2", "name": "西"}"#;
    let tried = plan(&["edit", &id, "-", "--dry-run"], &format!("{cut}\n{rename}\n")).ended(0);
    assert!(tried.out.contains("2 edits can be made"), "{tried:?}");
    let made = plan(&["edit", &id, "-", "--json"], &format!("[{cut}, {rename}]")).ended(0).json();
    assert_eq!((&made[0]["created"], &made[1]["touched"]), (&json!(["g1-2"]), &json!(["g1-2"])));
    let shown = plan(&["show", &id, "--json"], "").ended(0).json();
    assert_eq!(shown["edits"].as_array().unwrap().len(), 2);

    let bad = plan(&["edit", &id, "-"], r#"{"op": "split", "code": "g2", "line": [[1, 1], [2, 2]]}"#).ended(1);
    assert!(bad.err.contains("line_misses") && bad.err.contains("edit 1 of 1"), "{bad:?}");
    plan(&["edit", &id, "-"], "{").ended(2);
    plan(&["show", "p99"], "").ended(2);
    let preview = plan(&["preview", &id], "").ended(0);
    assert!(preview.out.contains("g1-2") && preview.out.contains("of building"), "{preview:?}");

    plan(&["publish", &id], "").ended(1);
    plan(&["submit", &id, "--author", "li"], "").ended(0);
    plan(&["approve", &id, "--author", "li"], "").ended(1);
    plan(&["approve", &id, "--author", "wang"], "").ended(0);
    let would = plan(&["publish", &id, "--dry-run"], "").ended(0);
    assert!(would.out.contains("g1-2"), "{would:?}");
    let published = plan(&["publish", &id, "--author", "wang", "--json"], "").ended(0).json();
    assert_eq!(published["revision"], 2);
    gridatlas(["check", "--store", &store]).ended(0);
    let owner = gridatlas_with(["locate", "--store", &store], b"lon,lat\n120.02,36.1\n").ended(0);
    assert!(owner.out.contains("g1-2"), "{owner:?}");
    assert!(plan(&["list"], "").ended(0).out.contains("published"));
}
