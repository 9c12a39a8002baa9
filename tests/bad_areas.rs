//! Files of areas that cannot be taken as they are: each is refused with a message that
//! names the file, the feature and the place, and leaves the store as it was.

#![allow(clippy::unwrap_used)] // A test may stop where anything fails.

mod support;

use std::path::{Path, PathBuf};

use support::{gridatlas, run};

/// A closed ring as GeoJSON text.
fn ring(points: &[[f64; 2]]) -> String {
    let points: Vec<_> = points.iter().map(|[x, y]| format!("[{x},{y}]")).collect();
    format!("[{}]", points.join(","))
}

fn square(lon: f64, lat: f64, side: f64) -> String {
    ring(&[[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]])
}

fn feature(code: &str, polygon: &str) -> String {
    format!(
        r#"{{"type":"Feature","properties":{{"code":"{code}","up":"1"}},"geometry":{{"type":"Polygon","coordinates":[{polygon}]}}}}"#
    )
}

fn collection(features: &[String]) -> String {
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

fn good() -> String {
    collection(&[feature("a", &square(120.0, 36.0, 0.01)), feature("b", &square(120.01, 36.0, 0.01))])
}

struct Case {
    what: &'static str,
    file: &'static str,
    bytes: Vec<u8>,
    code: i32,
    /// All of these stand in the message, in lower case.
    says: &'static [&'static str],
}

fn case(
    what: &'static str,
    file: &'static str,
    bytes: impl Into<Vec<u8>>,
    code: i32,
    says: &'static [&'static str],
) -> Case {
    Case { what, file, bytes: bytes.into(), code, says }
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// The rows and rings of a whole table of them; `code` is 1 where the content is at
/// fault and refused, 3 where the file cannot be read.
fn cases() -> Vec<Case> {
    let one = |polygon: &str| collection(&[feature("a", polygon)]);
    let cut = gz(good().as_bytes());
    let deep = format!("{}{}", r#"{"type":"FeatureCollection","features":"#, "[".repeat(100_000));
    let mixed = collection(&[
        feature("city", &square(120.0, 36.0, 0.04)),
        feature("a", &square(120.0, 36.0, 0.02)),
        feature("b", &square(120.02, 36.0, 0.02)),
    ]);
    vec![
        case("not JSON", "a.geojson", "hello", 3, &["a.geojson", "json"]),
        case("an empty file", "a.geojson", "", 3, &["a.geojson", "empty"]),
        case("no features", "a.geojson", collection(&[]), 1, &["no features"]),
        case("cut-off gz", "a.geojson.gz", &cut[..cut.len() / 2], 3, &["a.geojson.gz"]),
        case("wrong extension", "a.shp", good(), 3, &["a.shp", "json"]),
        case("PBF", "a.osm.pbf", b"\x00\x00\x00\x0e\x0a\x09OSMHeader\x18\x00".to_vec(), 3, &["pbf", "geojson"]),
        case("an unknown format", "a.xlsx", b"PK\x03\x04 and so on".to_vec(), 3, &["a.xlsx"]),
        case("NaN", "a.geojson", one("[[120,36],[NaN,36],[120,37],[120,36]]"), 3, &["a.geojson"]),
        case("1e400", "a.geojson", one("[[120,36],[1e400,36],[120,37],[120,36]]"), 3, &["a.geojson"]),
        case(
            "null geometry",
            "a.geojson",
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":"a","up":"1"},"geometry":null}]}"#,
            1,
            &["feature 1", "geometry"],
        ),
        case(
            "a point among areas",
            "a.geojson",
            r#"{"type":"Feature","properties":{"code":"a","up":"1"},"geometry":{"type":"Point","coordinates":[120,36]}}"#,
            1,
            &["feature 1", "point"],
        ),
        case(
            "a bow-tie",
            "a.geojson",
            one(&ring(&[[120.0, 36.0], [120.01, 36.01], [120.01, 36.0], [120.0, 36.01], [120.0, 36.0]])),
            1,
            &["crosses itself", "feature 1", "120.005"],
        ),
        case(
            "zero area",
            "a.geojson",
            one(&ring(&[[120.0, 36.0], [120.01, 36.0], [120.02, 36.0], [120.0, 36.0]])),
            1,
            &["feature 1"],
        ),
        case("a three-point ring", "a.geojson", one("[[120,36],[120.01,36],[120,36]]"), 1, &["feature 1"]),
        case(
            "a hole outside its shell",
            "a.geojson",
            one(&format!("{},{}", square(120.0, 36.0, 0.01), square(120.02, 36.0, 0.01))),
            1,
            &["hole", "feature 1"],
        ),
        case(
            "a duplicate code",
            "a.geojson",
            collection(&[feature("a", &square(120.0, 36.0, 0.01)), feature("a", &square(120.01, 36.0, 0.01))]),
            1,
            &["code a", "feature 1", "feature 2"],
        ),
        case(
            "a missing code",
            "a.geojson",
            r#"{"type":"Feature","properties":{"name":"x"},"geometry":{"type":"Polygon","coordinates":[[[120,36],[121,36],[120,37],[120,36]]]}}"#,
            2,
            &["'up'", "feature 1", "name"],
        ),
        case(
            "a large overlap",
            "a.geojson",
            collection(&[feature("a", &square(120.0, 36.0, 0.02)), feature("b", &square(120.01, 36.0, 0.02))]),
            1,
            &["overlap", "m²"],
        ),
        case("a mixed-level file", "a.geojson", mixed, 1, &["several levels", "--where"]),
        case(
            "latitude and longitude swapped",
            "a.geojson",
            collection(&[feature("a", &square(36.0, 120.0, 0.01))]),
            1,
            &["swapped"],
        ),
        case(
            "metres without --crs",
            "a.geojson",
            collection(&[feature("a", &square(40_523_000.0, 4_013_000.0, 900.0))]),
            1,
            &["metres", "--crs"],
        ),
        case(
            "the antimeridian",
            "a.geojson",
            collection(&[feature(
                "a",
                &ring(&[[179.9, 50.0], [-179.9, 50.0], [-179.9, 50.1], [179.9, 50.1], [179.9, 50.0]]),
            )]),
            1,
            &["antimeridian", "feature 1"],
        ),
        case("10^5-deep JSON", "a.geojson", deep, 3, &["a.geojson"]),
        case(
            "longitude off the globe",
            "a.geojson",
            collection(&[feature("a", &square(190.0, 36.0, 0.01))]),
            1,
            &["feature 1"],
        ),
    ]
}

fn import(file: &Path, store: &Path) -> support::Run {
    let args = ["import", "areas", "--levels", "district=up,grid=code", "--store"];
    gridatlas(args.iter().map(Into::into).chain([store.into(), PathBuf::from(file)]).collect::<Vec<PathBuf>>())
}

#[test]
fn a_file_that_cannot_be_taken_is_refused_with_its_place_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("city.gpkg");
    let known = folder.path().join("known.geojson");
    std::fs::write(&known, good()).unwrap();
    import(&known, &store).ended(0);
    let before = run(&format!(
        "export areas --level grid --store {} --out {}/before.geojson",
        store.display(),
        folder.path().display()
    ));
    before.ended(0);

    let mut wrong = Vec::new();
    for case in cases() {
        let file = folder.path().join(case.file);
        std::fs::write(&file, &case.bytes).unwrap();
        let done = import(&file, &store);
        let said = format!("{}{}", done.out, done.err).to_lowercase();
        let missing: Vec<_> = case.says.iter().filter(|s| !said.contains(**s)).collect();
        if done.code != case.code || !missing.is_empty() || said.contains("panicked") {
            wrong.push(format!(
                "{}: exit {} instead of {}, lacks {missing:?}:\n{said}",
                case.what, done.code, case.code
            ));
        }
    }
    let out = folder.path().join("after.geojson");
    run(&format!("export areas --level grid --store {} --out {}", store.display(), out.display())).ended(0);
    assert_eq!(support::bytes(&out), support::bytes(&folder.path().join("before.geojson")), "the store was changed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_ring_of_a_million_vertices_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("round.geojson");
    let n = 1_000_000;
    let circle: Vec<[f64; 2]> = (0..=n)
        .map(|i| {
            let angle = f64::from(i % n) / f64::from(n) * std::f64::consts::TAU;
            [120.0 + 2.0 * angle.cos(), 36.0 + 2.0 * angle.sin()]
        })
        .collect();
    std::fs::write(&file, collection(&[feature("a", &ring(&circle))])).unwrap();
    let store = folder.path().join("city.gpkg");
    import(&file, &store).ended(0);
    let done = support::gridatlas_with(
        ["locate".as_ref(), "--store".as_ref(), store.as_os_str()],
        b"lon,lat\n120,36\n123,36\n",
    )
    .ended(0);
    let lines: Vec<_> = done.out.lines().collect();
    assert!(lines[1].starts_with("120,36,a,"), "{}", done.out);
    assert!(lines[2].starts_with("123,36,,"), "{}", done.out);
}
