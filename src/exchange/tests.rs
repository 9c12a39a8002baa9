//! Files as they come, good and bad.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::crs::Crs;
use crate::feature::{Geometry, Value};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn read_with(path: &Path, options: &ReadOptions) -> Result<Vec<Located>, ReadError> {
    let mut source = open(path, options)?;
    let mut all = Vec::new();
    while let Some(record) = source.next() {
        all.push(source.locate(record?)?);
    }
    Ok(all)
}

fn read(path: &Path) -> Result<Vec<Located>, ReadError> {
    read_with(path, &ReadOptions::default())
}

fn feature(geometry: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"code":"007","n":3,"x":1.5,"on":true,"no":null,"deep":{{"a":[1]}}}},"geometry":{geometry}}}"#
    )
}

const SQUARE: &str = r#"{"type":"Polygon","coordinates":[[[120,36],[121,36,5],[121,37],[120,37],[120,36]],[[120.1,36.1],[120.2,36.1],[120.2,36.2],[120.1,36.1]]]}"#;

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","name":"x","features":[{}],"bbox":[1,2,3,4]}}"#, features.join(","))
}

#[test]
fn a_feature_is_the_same_in_every_form_of_geojson() {
    let folder = Folder::new();
    let one = feature(SQUARE);
    let expected = read(&folder.file("a.geojson", collection(std::slice::from_ref(&one)))).unwrap();
    assert_eq!(expected.len(), 1);
    let names: Vec<_> = expected[0].properties.iter().map(|(n, v)| (n.as_ref(), v.clone())).collect();
    assert_eq!(
        names,
        [
            ("code", Value::Text("007".into())),
            ("n", Value::Integer(3)),
            ("x", Value::Real(1.5)),
            ("on", Value::Bool(true)),
            ("no", Value::Null),
            ("deep", Value::Text(r#"{"a":[1]}"#.into())),
        ]
    );
    let Some(Geometry::Polygons(parts)) = &expected[0].geometry else { panic!() };
    assert_eq!((parts.len(), parts[0].shell.len(), parts[0].holes.len()), (1, 5, 1));
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&one).unwrap()).unwrap();
    for (name, text) in [
        ("b.geojson", one.clone()),
        ("c.geojsonl", format!("{one}\n")),
        ("d.ndjson", format!("\u{feff}{one}\r\n\r\n")),
        ("e.geojsonseq", format!("\u{1e}{one}\n")),
        ("f.json", format!("\u{feff} {one} \n")),
        ("g.jsonl", pretty.replace("\"code\": \"007\"", "\"code\":\"\\u0030\\u00307\"")),
    ] {
        for (name, bytes) in
            [(name.to_owned(), text.clone().into_bytes()), (format!("{name}.gz"), gzip(text.as_bytes()))]
        {
            let read = read(&folder.file(&name, bytes)).unwrap();
            assert_eq!(read.len(), 1, "{name}");
            assert_eq!(read[0].geometry, expected[0].geometry, "{name}");
            let sorted = |l: &Located| {
                let mut p = l.properties.clone();
                p.sort_by(|a, b| a.0.cmp(&b.0));
                p.retain(|(n, _)| n.as_ref() != "deep");
                p
            };
            assert_eq!(sorted(&read[0]), sorted(&expected[0]), "{name}");
        }
    }
}

#[test]
fn features_keep_their_order_across_the_steps_of_the_window() {
    let folder = Folder::new();
    let mut features: Vec<String> = (0..30_000)
        .map(|i| format!(r#"{{"type":"Feature","id":{i},"properties":null,"geometry":{{"type":"Point","coordinates":[{},36.5]}}}}"#, 100.0 + f64::from(i) * 1e-4))
        .collect();
    // One that is larger than several steps.
    let ring: Vec<String> = (0..200_000)
        .map(|i| format!("[{:.7},{:.7}]", 120.0 + f64::from(i) * 1e-6, 36.0 + f64::from(i % 7) * 1e-6))
        .collect();
    features[1000] = format!(
        r#"{{"type":"Feature","id":1000,"geometry":{{"type":"LineString","coordinates":[{}]}}}}"#,
        ring.join(",")
    );
    let all = read(&folder.file("a.geojson.gz", gzip(collection(&features).as_bytes()))).unwrap();
    assert_eq!(all.len(), 30_000);
    for (i, located) in all.iter().enumerate() {
        assert_eq!(located.place.ordinal, i as u64 + 1);
        assert_eq!(located.properties, [("id".into(), Value::Integer(i as i64))]);
    }
    let Some(Geometry::Lines(lines)) = &all[1000].geometry else { panic!() };
    assert_eq!(lines[0].len(), 200_000);
}

#[test]
fn geometries_without_a_place_are_records_without_one() {
    let folder = Folder::new();
    let empty = [
        "null",
        r#"{"type":"Polygon","coordinates":[]}"#,
        r#"{"type":"MultiPolygon","coordinates":[[],[[]]]}"#,
        r#"{"type":"GeometryCollection","geometries":[]}"#,
        r#"{"type":"Point","coordinates":null}"#,
    ];
    let features: Vec<String> = empty.iter().map(|g| feature(g)).collect();
    let all = read(&folder.file("a.geojson", collection(&features))).unwrap();
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|l| l.geometry.is_none()));
}

#[test]
fn bad_geojson_is_an_error_that_names_the_file_the_feature_and_the_place() {
    let folder = Folder::new();
    let point = |xy: &str| feature(&format!(r#"{{"type":"Point","coordinates":{xy}}}"#));
    let good = point("[120,36]");
    let after_good = |bad: &str| collection(&[good.clone(), bad.to_owned()]);
    let ring = |ring: &str| feature(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#));
    let cut = collection(&[good.clone(), good.clone()]);
    let table: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty.geojson", vec![], &["the file is empty"]),
        ("empty.geojson.gz", gzip(b""), &["the file is empty"]),
        ("text.geojson", b"hello, world".to_vec(), &["its ending says GeoJSON", "text that is no JSON"]),
        ("xml.geojson", b"<kml></kml>".to_vec(), &["XML", "not supported"]),
        ("a.kml", b"<kml></kml>".to_vec(), &["XML", "not supported"]),
        ("a.osm.pbf", b"\0\0\0\x0e\x0a\x09OSMHeader\x18".to_vec(), &["OpenStreetMap PBF", "not supported", "GeoJSON"]),
        ("a.dat", good.clone().into_bytes(), &["it holds JSON", "ending"]),
        ("a.csv", good.clone().into_bytes(), &["its ending says CSV", "JSON"]),
        ("a.shp", good.clone().into_bytes(), &["its ending says a Shapefile", "JSON"]),
        ("nan.geojson", after_good(&point("[NaN,36]")).into_bytes(), &["feature 2 (at byte ", "expected"]),
        (
            "huge.geojson",
            after_good(&point("[1e400,36]")).into_bytes(),
            &["feature 2 (at byte ", "number out of range"],
        ),
        ("one.geojson", after_good(&point("[120]")).into_bytes(), &["feature 2", "a position with one number"]),
        ("mixed.geojson", after_good(&ring("[[120,36],[[121,36]]]")).into_bytes(), &["feature 2", "invalid type"]),
        ("wrongdepth.geojson", after_good(&point("[[120,36]]")).into_bytes(), &["feature 2", "Point", "wrong depth"]),
        (
            "short.geojson",
            after_good(&ring("[[120,36],[121,36],[120,36]]")).into_bytes(),
            &["feature 2", "only 2 distinct positions"],
        ),
        (
            "swapped.geojson",
            after_good(&point("[36,120]")).into_bytes(),
            &["feature 2", "36, 120 is no place in wgs84", "swapped"],
        ),
        (
            "metres.geojson",
            after_good(&point("[568720.3,4039908.1]")).into_bytes(),
            &["feature 2", "metres", "--crs", "EPSG:4549"],
        ),
        ("far.geojson", after_good(&point("[190.5,36]")).into_bytes(), &["feature 2", "190.5, 36 is no place"]),
        (
            "dateline.geojson",
            after_good(&ring("[[179,1],[-179,1],[-179,2],[179,1]]")).into_bytes(),
            &["feature 2", "antimeridian"],
        ),
        (
            "several.geojson",
            after_good(&feature(r#"{"type":"MultiPoint","coordinates":[[120,36],[121,36]]}"#)).into_bytes(),
            &["feature 2", "2 points"],
        ),
        ("cut.geojson", cut.as_bytes()[..cut.len() / 2 + 60].to_vec(), &["cut off"]),
        ("cut2.geojson", cut.as_bytes()[..cut.len() - 1].to_vec(), &["cut off"]),
        (
            "cut.geojson.gz",
            {
                let g = gzip(cut.repeat(50).as_bytes());
                g[..g.len() - 20].to_vec()
            },
            &["cut off"],
        ),
        ("lines.geojson", format!("{good}\n{good}\n").into_bytes(), &["a second value", ".geojsonl"]),
        ("collection.geojsonl", cut.clone().into_bytes(), &["feature 1 (line 1)", "FeatureCollection", ".geojson"]),
        ("line.geojsonl", format!("{good}\n\n{{\"type\":\"Feature\",}}\n").into_bytes(), &["feature 2 (line 3)"]),
        ("topo.json", br#"{"type":"Topology","objects":{},"arcs":[]}"#.to_vec(), &["TopoJSON"]),
        ("notype.json", b"{}".to_vec(), &["no GeoJSON"]),
        ("array.json", b"[1,2]".to_vec(), &["its ending says GeoJSON"]),
        (
            "deep.geojson",
            format!("{{\"type\":\"FeatureCollection\",\"features\":[{}", "[".repeat(100_000)).into_bytes(),
            &["feature 1"],
        ),
        (
            "deep2.geojson",
            after_good(&point(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))).into_bytes(),
            &["feature 2"],
        ),
        (
            "deep3.geojson",
            format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes(),
            &["no GeoJSON"],
        ),
        (
            "crs.geojson",
            br#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:2437"}},"features":[]}"#
                .to_vec(),
            &["EPSG:2437", "EPSG:4491 to 4554"],
        ),
        (
            "utf8.geojson",
            {
                let mut b = after_good(&good.replace("007", "\u{7}X")).into_bytes();
                let i = b.iter().rposition(|c| *c == b'X').unwrap();
                b[i] = 0xff;
                b
            },
            &["feature 2"],
        ),
    ];
    for (name, bytes, parts) in table {
        let path = folder.file(name, bytes);
        let error = read(&path).expect_err(name).to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        for part in parts {
            assert!(error.contains(part), "{name}: {part:?} is not in {error:?}");
        }
    }
}

#[test]
fn the_crs_member_is_honoured_and_what_is_passed_goes_before_it() {
    let folder = Folder::new();
    let at = |name: &str, xy: &str| {
        format!(
            r#"{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"{name}"}}}},"features":[{{"type":"Feature","properties":{{}},"geometry":{{"type":"Point","coordinates":{xy}}}}}]}}"#
        )
    };
    let expected = Crs::Wgs84.to_lattice([120.766_914_09, 36.487_474_95]).unwrap();
    let is_near = |located: &Located| match located.geometry {
        Some(Geometry::Point(p)) => (p.x - expected.x).abs() <= 1 && (p.y - expected.y).abs() <= 1,
        _ => false,
    };
    for (name, xy) in [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "[120.76691409,36.48747495]"),
        ("urn:ogc:def:crs:EPSG::4490", "[120.76691409,36.48747495]"),
        ("urn:ogc:def:crs:EPSG::4490", "[36.48747495,120.76691409]"),
        ("EPSG:4549", "[568720.348222,4039908.107984]"),
        ("urn:ogc:def:crs:EPSG::4549", "[4039908.107984,568720.348222]"),
        ("urn:ogc:def:crs:EPSG::3857", "[13443711.381174,4367906.160280]"),
    ] {
        let path = folder.file("a.geojson", at(name, xy));
        assert!(is_near(&read(&path).unwrap()[0]), "{name} {xy}");
    }
    let path = folder.file("b.geojson", at("EPSG:2437", "[120.771753097064,36.487708484816]"));
    let options = ReadOptions { crs: Some(Crs::Gcj02), ..ReadOptions::default() };
    assert!(is_near(&read_with(&path, &options).unwrap()[0]));
}

#[test]
fn the_dirty_real_coverage_is_read_whole() {
    let Ok(data) = std::env::var("GRIDATLAS_TEST_DATA") else {
        eprintln!("skipped: GRIDATLAS_TEST_DATA is not set");
        return;
    };
    let path = Path::new(&data).join("kaohsiung_basic_stat_areas.geojson.gz");
    let all = read(&path).unwrap();
    assert_eq!(all.len(), 17_387);
    let vertices: usize = all
        .iter()
        .map(|l| match &l.geometry {
            Some(Geometry::Polygons(parts)) => parts.iter().flat_map(|p| p.rings()).map(<[_]>::len).sum::<usize>(),
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(vertices, 591_056);
}

#[test]
fn a_table_has_one_type_a_column_and_keeps_its_codes() {
    let folder = Folder::new();
    let text = "code,households,share,name,lon,lat\n007,12,0.5,市南区,120.38,36.06\n12,,1.25,\"a,b\",,\n";
    let all = read(&folder.file("a.csv", text)).unwrap();
    assert_eq!(all.len(), 2);
    let values: Vec<Value> = all[0].properties.iter().map(|p| p.1.clone()).collect();
    assert_eq!(values, [Value::Text("007".into()), Value::Integer(12), Value::Real(0.5), Value::Text("市南区".into())]);
    assert_eq!(all[1].properties[1].1, Value::Null);
    assert_eq!(all[1].geometry, None);
    let (gbk, ..) = encoding_rs::GBK.encode(text);
    for (name, bytes) in [
        ("b.csv", gbk.to_vec()),
        ("c.csv.gz", gzip(&gbk)),
        ("d.tsv", text.replace("\"a,b\"", "a").replace(',', "\t").into_bytes()),
        ("e.csv", format!("\u{feff}{text}").into_bytes()),
    ] {
        let again = read(&folder.file(name, bytes)).unwrap();
        assert_eq!((&again[0].properties, &again[0].geometry), (&all[0].properties, &all[0].geometry), "{name}");
    }
    let wkt = "id;geometry\n1;\"POINT (120.38 36.06)\"\n";
    assert_eq!(read(&folder.file("f.csv", wkt)).unwrap()[0].geometry, all[0].geometry);
    let options = ReadOptions { lon: Some("E".into()), lat: Some("N".into()), ..ReadOptions::default() };
    assert_eq!(
        read_with(&folder.file("g.csv", "N,E,x,y\n36.06,120.38,0,0\n"), &options).unwrap()[0].geometry,
        all[0].geometry
    );
}

#[test]
fn bad_tables_are_errors_that_name_the_line() {
    let folder = Folder::new();
    for (name, text, parts) in [
        ("a.csv", "a,b\n1,2\n", ["--lon", "a, b"]),
        ("b.csv", "lon,lat\n120,36\n120,x\n", ["feature 2 (line 3)", "\"x\" in column lat is no number"]),
        ("j.csv", "lon,lat\r\n120,36\r\n120,x\r\n", ["feature 2 (line 3)", "\"x\""]),
        ("c.csv", "lon,lat\n120,36\n120\n", ["feature 2 (line 3)", "1 fields, the header has 2"]),
        ("d.csv", "lon,lat\nNaN,36\n", ["feature 1 (line 2)", "not a finite number"]),
        ("e.csv", "lon,lat\n1e400,36\n", ["feature 1 (line 2)", "not a finite number"]),
        ("f.csv", "wkt\n\"POLYGON((1 2))\"\n", ["feature 1 (line 2)", "1 distinct"]),
        ("g.csv", "lon,lat\n120,\n", ["feature 1 (line 2)", "lacks the other"]),
        ("h.csv", "lat,lon\n120,36\n", ["feature 1 (line 2)", "swapped"]),
        ("i.csv", "\n\n", ["--lon", "no column says where"]),
    ] {
        let error = read(&folder.file(name, text)).expect_err(name).to_string();
        for part in parts {
            assert!(error.contains(part), "{name}: {part:?} is not in {error:?}");
        }
    }
}

mod formats;
