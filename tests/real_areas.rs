//! Real coverages, dirty as they come: see the data's own index for what is known of them.

#![allow(clippy::unwrap_used)] // A test may stop where anything fails.

mod support;

use support::{gridatlas_with, real_data, run};

fn count(report: &serde_json::Value, kind: &str) -> usize {
    report["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == kind).count()
}

#[test]
fn the_statistical_areas_of_kaohsiung_are_repaired_at_their_seams_and_every_repair_is_listed() {
    let Some(file) = real_data("kaohsiung_basic_stat_areas.geojson.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("k.gpkg");
    let page = folder.path().join("report.html");
    let levels = "city=COUNTY_ID,district=TOWN_ID,street=CODE2,community=CODE1,grid=CODEBASE";
    let line = format!(
        "import areas {} --store {} --levels {levels} --json --report {}",
        file.display(),
        store.display(),
        page.display()
    );
    let report = run(&line).ended(0).json();
    assert_eq!(report["areas"]["added"], 17_387 + 8_384 + 1_234 + 38 + 1);
    // 91 holes and 94 overlaps as it comes; putting vertices on the lattice adds and closes some.
    let slivers = count(&report, "sliver");
    assert!((100..400).contains(&slivers), "{slivers} slivers");
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));

    // The same file again changes nothing.
    let again = run(&line).ended(0).json();
    assert_eq!(again["areas"]["unchanged"], report["areas"]["added"]);
    assert_eq!(again["revision"], serde_json::Value::Null);
    run(&format!("check --store {}", store.display())).ended(0);
}

#[test]
fn ground_without_a_street_answers_with_its_district_and_a_missing_datum_is_named() {
    let Some(file) = real_data("qingdao_admin_osm.geojson.gz") else { return };
    let Some(gcj02) = real_data("qingdao_districts_datav_gcj02.geojson.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("q.gpkg");
    let (file, gcj02, store) = (file.display(), gcj02.display(), store.display());
    run(&format!(
        "import areas {file} --store {store} --levels district=osm_id --where admin_level=6 --name district=name"
    ))
    .ended(0);
    let report = run(&format!(
        "import areas {file} --store {store} --levels street=osm_id --where admin_level=8 --inside district --name street=name --json"
    ))
    .ended(0)
    .json();

    // Each gap below a district is a place that its district answers for, and no street.
    let gaps: Vec<_> = report["findings"].as_array().unwrap().iter().filter(|f| f["kind"] == "gap").collect();
    let places: String = gaps.iter().map(|gap| format!("{},{}\n", gap["place"][0], gap["place"][1])).collect();
    let located = gridatlas_with(["locate", "--store", &store.to_string()], format!("lon,lat\n{places}").as_bytes());
    let rows: Vec<Vec<String>> =
        located.ended(0).out.lines().skip(1).map(|l| l.split(',').map(str::to_owned).collect()).collect();
    assert!(gaps.len() > 50 && rows.len() == gaps.len(), "{} gaps, {} rows", gaps.len(), rows.len());
    for (gap, row) in gaps.iter().zip(&rows) {
        // lon, lat, code, district, street: the code is the district's own.
        assert_eq!((&row[2], &row[4]), (&row[3], &String::new()), "{gap} {row:?}");
        assert_eq!(gap["codes"][0], row[3].as_str());
    }

    // Off by a datum: said, with the datum's name.
    let other =
        format!("import areas {gcj02} --store {store} --coverage datav --levels district=adcode --name district=name");
    let hinted = run(&format!("{other} --dry-run --json")).ended(0).json();
    let hints = hinted["hints"].to_string();
    assert!(hints.contains("--crs gcj02"), "{hints}");
    let quiet = run(&format!("{other} --crs gcj02 --json")).ended(0).json();
    assert!(!quiet["hints"].to_string().contains("--crs"), "{}", quiet["hints"]);
}
