//! Features without a place: refused with all their names, or left out when told to.

use std::path::{Path, PathBuf};

use super::support::{Run, gridatlas, real_data};

fn import(file: &Path, store: &Path, more: &[&str]) -> Run {
    let head = ["import", "layer", file.to_str().unwrap(), "--store", store.to_str().unwrap(), "--layer", "event"];
    gridatlas(head.iter().chain(more))
}

/// The same three features, the second and third without a place, in each way to say that.
fn files(folder: &Path) -> Vec<PathBuf> {
    let feature = |id: i32, geometry: &str| {
        format!(r#"{{"type":"Feature","properties":{{"id":"e{id}"}},"geometry":{geometry}}}"#)
    };
    let (point, empty) = (r#"{"type":"Point","coordinates":[120,36]}"#, r#"{"type":"Point","coordinates":[]}"#);
    let features = [feature(1, point), feature(2, "null"), feature(3, empty)];
    let texts = [
        ("a.geojson", format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",\n"))),
        ("a.geojsonl", features.join("\n")),
        ("columns.csv", "id,lon,lat\ne1,120,36\ne2,,\ne3, ,\n".to_owned()),
        ("wkt.csv", "id,wkt\ne1,POINT(120 36)\ne2,\ne3,POINT EMPTY\n".to_owned()),
    ];
    let write = |(name, text): (&str, String)| {
        std::fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    };
    texts.map(write).to_vec()
}

#[test]
fn a_file_with_features_without_a_place_is_refused_and_names_them_or_goes_in_without_them() {
    let folder = tempfile::tempdir().unwrap();
    for (n, file) in files(folder.path()).into_iter().enumerate() {
        let store = folder.path().join(format!("{n}.gpkg"));
        let name = file.file_name().unwrap().to_str().unwrap();
        let refused = import(&file, &store, &["--id", "id"]).ended(1).err;
        for words in [name, "2 of 3 features have no place", "feature 2 ", "id e2", "id e3", "--without-place skip"] {
            assert!(refused.contains(words), "{name}: lacks {words:?}: {refused}");
        }
        let skip = ["--id", "id", "--without-place", "skip"];
        let dry = import(&file, &store, &[&skip[..], &["--dry-run"]].concat()).ended(0).out;
        assert!(dry.contains("1 added") && dry.contains("2 without a place were left out: feature 2 "), "{dry}");
        let done = import(&file, &store, &[&skip[..], &["--json"]].concat()).ended(0).json();
        assert_eq!(done["features"]["added"], 1, "{name}");
        let left: Vec<&str> =
            done["without_place"].as_array().unwrap().iter().map(|u| u["id"].as_str().unwrap()).collect();
        assert_eq!(left, ["e2", "e3"], "{name}");
        // Once more changes nothing; what loses its place counts as removed.
        let again = import(&file, &store, &skip).ended(0).out;
        assert!(again.contains("0 added, 0 changed, 0 removed, 1 unchanged"), "{again}");
    }
}

#[test]
fn a_file_in_which_nothing_has_a_place_is_refused_whatever_was_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.csv");
    std::fs::write(&file, "id,lon,lat\ne1,,\ne2,,\n").unwrap();
    let refused = import(&file, &folder.path().join("a.gpkg"), &["--id", "id", "--without-place", "skip"]).ended(1).err;
    assert!(refused.contains("2 of 2 features have no place"), "{refused}");
}

#[test]
fn the_requests_of_a_real_city_go_in_without_those_that_have_no_place() {
    let Some(file) = real_data("nyc311_500_full_fields.csv.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("nyc.gpkg");
    let refused = import(&file, &store, &["--id", "unique_key"]).ended(1).err;
    assert!(refused.contains("68 of 500 features have no place") && refused.contains("and 58 more"), "{refused}");
    let done = import(&file, &store, &["--id", "unique_key", "--without-place", "skip", "--json"]).ended(0).json();
    assert_eq!(done["features"]["added"], 432);
    assert_eq!(done["without_place"].as_array().unwrap().len(), 68);
}
