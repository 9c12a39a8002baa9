//! The service as clients meet it: over a socket, contents decoded.

use std::sync::Arc;
use std::time::Duration;

use boundaries::{Area, AreaId, BorderId, BorderRecord, Coverage, FaceId, FaceRecord, Level, Point, Polygon};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value as Json;

use super::{Config, Running, start_over};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::{Atlas, CoverageView, Layer, Snapshot};

mod bad;
mod connections;
mod dispatch;
mod events;
mod map;
mod meeting;
mod places;
mod plans;
mod portraits;
mod search;
mod stored;

pub(super) fn at(lon: f64, lat: f64) -> Point {
    Point::from_degrees(lon, lat).unwrap()
}

/// ```text
///   36.2 ┌───────┬───────┐
///        │  g1   │  g2   │     town t over both; buildings b1 in g1, b2 in g2,
///   36.0 └───────┴───────┘     workers w1 and w2 likewise
///      120.0   120.1   120.2
/// ```
pub(super) fn three_areas(codes: [&str; 3]) -> Coverage {
    let area = |code: &str, level, parent| Area {
        code: code.into(),
        name: format!("名 {code}").into(),
        level: Level(level),
        parent,
        kind: "base".into(),
        attributes: r#"{"note":"x"}"#.into(),
    };
    let border = |id, left, right, points: &[(f64, f64)]| BorderRecord {
        id: BorderId(id),
        left: FaceId(left),
        right: FaceId(right),
        line: points.iter().map(|(x, y)| at(*x, *y)).collect(),
    };
    Coverage::build(
        Arc::from(["town".into(), "grid".into()]),
        [
            (AreaId(0), area(codes[0], 0, None)),
            (AreaId(1), area(codes[1], 1, Some(AreaId(0)))),
            (AreaId(2), area(codes[2], 1, Some(AreaId(0)))),
        ],
        [1, 2].map(|i| FaceRecord { id: FaceId(i), owner: Some(AreaId(i)) }),
        [
            border(0, 1, 0, &[(120.1, 36.2), (120.0, 36.2), (120.0, 36.0), (120.1, 36.0)]),
            border(1, 2, 0, &[(120.1, 36.0), (120.2, 36.0), (120.2, 36.2), (120.1, 36.2)]),
            border(2, 1, 2, &[(120.1, 36.0), (120.1, 36.2)]),
        ],
    )
    .unwrap()
}

fn coverage(name: &str, codes: [&str; 3]) -> Arc<CoverageView> {
    Arc::new(CoverageView::new(name.into(), three_areas(codes), 3, None))
}

pub(super) fn square(id: &str, lon: f64, lat: f64) -> Feature {
    let side = 0.001;
    let corners = [(lon, lat), (lon + side, lat), (lon + side, lat + side), (lon, lat + side)];
    let shell = corners.iter().map(|(x, y)| at(*x, *y)).collect();
    Feature {
        id: id.into(),
        geometry: Geometry::Polygons(vec![Polygon { shell, holes: Vec::new() }]),
        properties: vec![
            ("name".into(), Value::Text(format!("楼 {id}").into())),
            ("households".into(), Value::Integer(12)),
        ],
    }
}

pub(super) fn worker(id: &str, lon: f64, lat: f64, on_duty: bool) -> Feature {
    let text = |t: &str| Value::Text(t.into());
    Feature {
        id: id.into(),
        geometry: Geometry::Point(at(lon, lat)),
        properties: vec![
            ("name".into(), text(&format!("王 {id}"))),
            ("role".into(), text("grid_worker")),
            ("skills".into(), text("water, gas")),
            ("grids".into(), text(if lon < 120.1 { "g1" } else { "g2" })),
            ("on_duty".into(), Value::Bool(on_duty)),
        ],
    }
}

fn city() -> Snapshot {
    let coverages = vec![coverage("responsibility", ["t", "g1", "g2"]), coverage("cell", ["ct", "c1", "c2"])];
    let layers = [
        ("building", vec![square("b1", 120.05, 36.1), square("b2", 120.15, 36.1)]),
        ("worker", vec![worker("w1", 120.05, 36.1, true), worker("w2", 120.12, 36.1, false)]),
    ];
    let layers =
        layers.into_iter().map(|(name, all)| (name.into(), Arc::new(Layer::new(name, all, &coverages)))).collect();
    Snapshot { revision: 3, coverages, layers, ..Snapshot::empty() }
}

/// A service over the small city.
pub(super) async fn serve(config: Config) -> Running {
    start_over(Arc::new(Atlas::new(city())), "127.0.0.1:0", config).await.unwrap()
}

pub(super) fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(20)).build().unwrap()
}

pub(super) fn get(running: &Running, path: &str) -> RequestBuilder {
    client().get(format!("{}{path}", running.url()))
}

/// The JSON of an answer that must be 200.
pub(super) async fn json(running: &Running, path: &str) -> Json {
    let answer = get(running, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}: {}", answer.text().await.unwrap());
    assert_eq!(answer.headers()["gridatlas-revision"], "3", "{path}");
    answer.json().await.unwrap()
}

/// The status and the code of a problem.
pub(super) async fn problem(request: RequestBuilder) -> (u16, Json) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{status}");
    assert!(answer.headers().contains_key("gridatlas-revision"));
    let problem: Json = answer.json().await.unwrap();
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["type"].is_string());
    (status, problem)
}

pub(super) fn post(running: &Running, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    client().request(Method::POST, format!("{}{path}", running.url())).header("content-type", kind).body(body)
}
