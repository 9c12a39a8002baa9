//! Batches against single answers, in every form.

use std::sync::Arc;

use boundaries::{Area, AreaId, BorderId, BorderRecord, Coverage, FaceId, FaceRecord, Level, Point};
use serde_json::{Value, json};

use super::*;
use crate::crs::Crs;
use crate::feature::{Feature, Geometry};
use crate::snapshot::{CoverageView, Layer, Snapshot};

/// ```text
///   36.2 ┌───────┬───────┐
///        │  g1   │  g2   │     town t over both; a building in g2
///   36.0 └───────┴───────┘
///      120.0   120.1   120.2
/// ```
fn city() -> Snapshot {
    let area = |code: &str, name: &str, level, parent| Area {
        code: code.into(),
        name: name.into(),
        level: Level(level),
        parent,
        kind: "".into(),
        attributes: "{}".into(),
    };
    let at = |lon: f64, lat: f64| Point::from_degrees(lon, lat).unwrap();
    let line = |points: &[(f64, f64)]| points.iter().map(|(x, y)| at(*x, *y)).collect();
    let border = |id, left, right, points: &[(f64, f64)]| BorderRecord {
        id: BorderId(id),
        left: FaceId(left),
        right: FaceId(right),
        line: line(points),
    };
    let coverage = Coverage::build(
        Arc::from(["town".into(), "grid".into()]),
        [
            (AreaId(0), area("t", "镇 \"T\"", 0, None)),
            (AreaId(1), area("g1", "网格1", 1, Some(AreaId(0)))),
            (AreaId(2), area("g2", "网格2", 1, Some(AreaId(0)))),
        ],
        [1, 2].map(|i| FaceRecord { id: FaceId(i), owner: Some(AreaId(i)) }),
        [
            border(0, 1, 0, &[(120.1, 36.2), (120.0, 36.2), (120.0, 36.0), (120.1, 36.0)]),
            border(1, 2, 0, &[(120.1, 36.0), (120.2, 36.0), (120.2, 36.2), (120.1, 36.2)]),
            border(2, 1, 2, &[(120.1, 36.0), (120.1, 36.2)]),
        ],
    )
    .unwrap();
    let view = Arc::new(CoverageView::new("responsibility".into(), coverage, 1, None));
    let square = [(120.15, 36.1), (120.16, 36.1), (120.16, 36.11), (120.15, 36.11)];
    let building = Feature {
        id: "b1".into(),
        geometry: Geometry::Polygons(vec![boundaries::Polygon {
            shell: square.iter().map(|(x, y)| at(*x, *y)).collect(),
            holes: Vec::new(),
        }]),
        properties: vec![("households".into(), crate::feature::Value::Integer(12))],
    };
    let coverages = vec![view];
    let layer = Layer::new("building", vec![building], &coverages);
    let mut snapshot = Snapshot { revision: 3, coverages, ..Snapshot::empty() };
    snapshot.layers.insert("building".into(), Arc::new(layer));
    snapshot
}

fn question(detail: Detail) -> Question {
    let city = city();
    Question::new(&Sheets::default(), &city, &city.coverages, Crs::Wgs84, detail)
}

fn lines(question: &Question, input: &str) -> Vec<Value> {
    let mut out = Vec::new();
    locate_lines(question, input.as_bytes(), 1, &mut out);
    String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_place_is_answered_with_its_chain_its_building_and_its_distances() {
    let answer = locate_one(&question(Detail::Full), Point::from_degrees(120.155, 36.105).unwrap());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(answer["revision"], 3);
    assert_eq!(answer["point"], json!([120.155, 36.105]));
    let owner = &answer["owners"][0];
    assert_eq!(owner["code"], "g2");
    assert_eq!(
        owner["chain"],
        json!([{"level":"town","code":"t","name":"镇 \"T\""},{"level":"grid","code":"g2","name":"网格2"}])
    );
    assert_eq!(owner["touching"], json!(["g2"]));
    assert_eq!(owner["on_border"], false);
    let distance = owner["border_distance_m"].as_f64().unwrap();
    assert!((distance - 4054.0).abs() < 15.0, "{distance}");
    assert_eq!(answer["building"], json!({"id":"b1","households":12}));
}

#[test]
fn a_place_outside_names_the_nearest_area_and_no_owner() {
    let answer = locate_one(&question(Detail::Full), Point::from_degrees(119.99, 36.1).unwrap());
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let owner = &answer["owners"][0];
    assert_eq!(
        (&owner["code"], &owner["chain"], &owner["border_distance_m"]),
        (&Value::Null, &json!([]), &Value::Null)
    );
    assert_eq!(owner["nearest"]["code"], "g1");
    assert!((owner["nearest"]["distance_m"].as_f64().unwrap() - 900.0).abs() < 5.0);
}

#[test]
fn lines_are_answered_in_order_and_one_bad_line_spoils_no_other() {
    let input = "{\"lon\":120.05,\"lat\":36.1,\"id\":1}\n\nnot json\n{\"lon\":181,\"lat\":0,\"id\":\"far\"}\r\n\
                 {\"lon\":120.1,\"lat\":36.1}\n{\"lon\":0,\"lat\":0}";
    let answers = lines(&question(Detail::Owner), input);
    let codes: Vec<_> = answers.iter().map(|a| a["code"].clone()).collect();
    assert_eq!(codes, [json!("g1"), Value::Null, Value::Null, json!("g2"), Value::Null]);
    assert_eq!(answers[0]["id"], 1);
    assert_eq!(answers[0]["owners"], json!([{"coverage":"responsibility","code":"g1"}]));
    assert_eq!(answers[1]["problem"]["code"], "bad_body");
    assert_eq!(answers[1]["problem"]["line"], 3);
    assert_eq!((&answers[2]["problem"]["code"], &answers[2]["id"]), (&json!("bad_position"), &json!("far")));
    assert_eq!(answers[4]["point"], json!([0, 0]));
}

#[test]
fn a_line_that_is_no_text_is_a_problem_of_its_own() {
    let mut out = Vec::new();
    let answered = locate_lines(
        &question(Detail::Owner),
        b"{\"lon\":1,\"lat\":2,\"id\":\"\xff\"}\n{\"lon\":120.05,\"lat\":36.1}",
        1,
        &mut out,
    );
    let text = String::from_utf8(out).unwrap();
    assert_eq!(answered, 2);
    assert!(text.contains("not UTF-8") && text.contains("\"g1\""), "{text}");
}

#[test]
fn batches_and_single_questions_agree() {
    let question = question(Detail::Full);
    let seed = 7_u64;
    let mut state = seed;
    let mut next = |limit: i32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as i32).rem_euclid(limit)
    };
    let points: Vec<_> =
        (0..500).map(|_| Point::new(1_199_500_000 + next(3_000_000), 359_500_000 + next(3_000_000))).collect();
    let input: String = points.iter().map(|p| format!("{{\"lon\":{},\"lat\":{}}}\n", p.lon(), p.lat())).collect();
    let mut out = Vec::new();
    locate_lines(&question, input.as_bytes(), 1, &mut out);
    for (line, p) in out.split(|b| *b == b'\n').zip(&points) {
        assert_eq!(line, locate_one(&question, *p), "seed {seed}: {p:?}");
    }
}

#[test]
fn items_of_an_array_are_all_answered_or_none() {
    let question = question(Detail::Owner);
    let read = |text: &str| {
        let items: Vec<&serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
        let mut out = Vec::new();
        locate_items(&question, &items, &mut out).map(|()| serde_json::from_slice::<Value>(&out).unwrap())
    };
    let answers = read(r#"[{"lon":120.05,"lat":36.1},{"lon":120.15,"lat":36.1,"crs":"wgs84"}]"#).unwrap();
    assert_eq!((&answers[0]["code"], &answers[1]["code"]), (&json!("g1"), &json!("g2")));
    assert_eq!(read("[]").unwrap(), json!([]));
    assert_eq!(read(r#"[{"lon":1,"lat":1},{"lon":1}]"#).unwrap_err().0, 1);
}

#[test]
fn csv_rows_keep_their_columns_and_get_the_owner_s() {
    let input = "\u{feff}id,lat,lon,note\n1,36.1,120.05,\"a, \"\"b\"\"\"\n2,36.1,119.99,\n3,95,120,x\n";
    let mut out = Vec::new();
    let rows = add_to_csv(&question(Detail::Full), input.as_bytes(), &mut out).unwrap();
    assert_eq!(rows, Rows { rows: 3, refused: 1 });
    let mut reader = csv::Reader::from_reader(out.as_slice());
    let header = "lat,lon,note,code,town,grid,on_border,border_distance_m,nearest_code,nearest_distance_m,problem";
    assert_eq!(reader.headers().unwrap().iter().skip(1).collect::<Vec<_>>().join(","), header);
    let rows: Vec<Vec<String>> = reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows[0][..7], ["1", "36.1", "120.05", "a, \"b\"", "g1", "t", "g1"]);
    assert_eq!((rows[1][4].as_str(), rows[1][9].as_str()), ("", "g1"));
    assert!(rows[2][11].contains("95"), "{:?}", rows[2]);
}

#[test]
fn a_csv_without_a_header_is_refused_with_what_it_lacks() {
    let refused = add_to_csv(&question(Detail::Full), &b"120.05,36.1\n"[..], Vec::new()).unwrap_err();
    assert!(refused.to_string().contains("lon and lat"));
}

#[test]
fn json_rows_keep_their_members_and_get_the_owner_s() {
    let input = "{\"name\":\"a\",\"lon\":120.05,\"lat\":36.1}\n{\"lon\":1}\n[3]\n";
    let mut out = Vec::new();
    let rows = add_to_lines(&question(Detail::Full), input.as_bytes(), &mut out).unwrap();
    assert_eq!(rows, Rows { rows: 3, refused: 2 });
    let text = String::from_utf8(out).unwrap();
    let rows: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((&rows[0]["name"], &rows[0]["grid"], &rows[0]["town"]), (&json!("a"), &json!("g1"), &json!("t")));
    assert_eq!(rows[0]["nearest_code"], Value::Null);
    assert!(rows[1]["problem"].as_str().unwrap().contains("lat"));
    assert!(rows[2]["problem"].is_string());
}
