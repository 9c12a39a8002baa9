//! Real coverages, dirty as they come: see the data's own index for what is known of them.

#![allow(clippy::unwrap_used)] // A test may stop where anything fails.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::Value;
use support::{gridatlas_with, real_data, run};

fn count(report: &Value, kind: &str) -> usize {
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
    assert_eq!(again["revision"], Value::Null);
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

/// A position as a key: the very digits of the file.
fn key(position: &Value) -> (u64, u64) {
    (position[0].as_f64().unwrap().to_bits(), position[1].as_f64().unwrap().to_bits())
}

/// All positions of a polygon or of several.
fn positions(geometry: &mut Value) -> Vec<&mut Value> {
    fn walk<'a>(value: &'a mut Value, found: &mut Vec<&'a mut Value>) {
        if value[0].is_number() {
            found.push(value);
        } else {
            value.as_array_mut().unwrap().iter_mut().for_each(|inner| walk(inner, found));
        }
    }
    let mut found = Vec::new();
    walk(&mut geometry["coordinates"], &mut found);
    found
}

/// Redraws a file as an office would: every so many-th area swallows a neighbour of the
/// same parent, gets another code, or has a corner moved by some metres.
fn redrawn(all: &mut Value) -> [usize; 3] {
    let features = all["features"].as_array_mut().unwrap();
    let mut at: BTreeMap<(u64, u64), BTreeSet<usize>> = BTreeMap::new();
    for (i, feature) in features.iter_mut().enumerate() {
        for p in positions(&mut feature["geometry"]) {
            at.entry(key(p)).or_default().insert(i);
        }
    }
    let (mut touched, mut gone): (BTreeSet<usize>, BTreeSet<usize>) = Default::default();
    let mut done = [0; 3];
    for i in (0..features.len()).step_by(130) {
        let own: Vec<(u64, u64)> = positions(&mut features[i]["geometry"]).into_iter().map(|p| key(p)).collect();
        // Who shares an edge with it, and everybody around.
        let around: BTreeSet<usize> = own.iter().flat_map(|p| &at[p]).copied().collect();
        if around.iter().any(|j| touched.contains(j)) {
            continue;
        }
        let shares_edge =
            |j: &usize| own.windows(2).filter(|w| at[&w[0]].contains(j) && at[&w[1]].contains(j)).count() > 1;
        let parent = |j: usize| features[j]["properties"]["CODE1"].clone();
        let beside = around.iter().copied().find(|j| *j != i && parent(*j) == parent(i) && shares_edge(j));
        match (done.iter().sum::<usize>() % 3, beside) {
            (0, Some(j)) => {
                let [one, other] = [i, j].map(|k| features[k]["geometry"]["coordinates"].clone());
                if features[i]["geometry"]["type"] != "Polygon" || features[j]["geometry"]["type"] != "Polygon" {
                    continue;
                }
                features[i]["geometry"] = serde_json::json!({"type": "MultiPolygon", "coordinates": [one, other]});
                gone.insert(j);
                done[0] += 1;
            }
            (1, _) => {
                features[i]["properties"]["CODEBASE"] = format!("N{i}").into();
                done[1] += 1;
            }
            (2, _) => {
                // Between two of one town: at seams the other side has corners of its own.
                let town = |j: &usize| features[*j]["properties"]["TOWN_ID"].clone();
                let is_between = |w: &&[(u64, u64)]| {
                    let two = &at[&w[1]];
                    two.len() == 2
                        && two.iter().all(|j| town(j) == town(&i) && at[&w[0]].contains(j) && at[&w[2]].contains(j))
                };
                let Some(corner) = own.windows(3).find(is_between).map(|w| &w[1]) else { continue };
                for j in at[corner].clone() {
                    for p in positions(&mut features[j]["geometry"]).into_iter().filter(|p| key(p) == *corner) {
                        p[0] = (p[0].as_f64().unwrap() + 2e-5).into();
                    }
                }
                done[2] += 1;
            }
            _ => continue,
        }
        touched.extend(around);
    }
    let mut number = 0..;
    features.retain(|_| number.next().is_none_or(|n| !gone.contains(&n)));
    done
}

#[test]
fn a_redrawn_city_becomes_a_plan_with_an_edit_for_each_change() {
    let Some(file) = real_data("kaohsiung_basic_stat_areas.geojson.gz") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (store, next) = (folder.path().join("k.gpkg"), folder.path().join("next.geojson"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(&file).unwrap()).read_to_string(&mut text).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    let [merged, recoded, moved] = redrawn(&mut all);
    assert!(merged.min(recoded).min(moved) > 30, "{merged} {recoded} {moved}");
    std::fs::write(&next, all.to_string()).unwrap();
    drop((text, all));

    let levels = "city=COUNTY_ID,district=TOWN_ID,street=CODE2,community=CODE1,grid=CODEBASE";
    let import = |file: &std::path::Path| {
        format!("import areas {} --store {} --levels {levels} --json", file.display(), store.display())
    };
    run(&import(&file)).ended(0);
    // The dirty seams are repaired as they were: no difference.
    let same = run(&format!("{} --as-plan", import(&file))).ended(0).json();
    assert_eq!((&same["plan"]["id"], &same["plan"]["edits"]), (&Value::Null, &serde_json::json!({})));

    let made = run(&format!("{} --as-plan", import(&next))).ended(0).json();
    let edits = made["plan"]["edits"].as_object().unwrap();
    let count = |op: &str| edits.get(op).map_or(0, |n| n.as_u64().unwrap() as usize);
    assert_eq!((count("merge"), count("recode")), (merged, recoded), "{edits:?}");
    // A corner may have moved less than it takes, or along the line.
    assert!((moved / 2..=moved).contains(&count("transfer")), "{moved} moved: {edits:?}");
    assert_eq!(edits.len(), 3, "{edits:?}");

    let plan = |words: &str| run(&format!("plan {words} --store {}", store.display())).ended(0);
    plan("submit p1 --author a");
    plan("approve p1 --author b");
    plan("publish p1 --author b");
    let again = run(&format!("{} --as-plan", import(&next))).ended(0).json();
    assert_eq!(again["plan"]["id"], Value::Null, "{}", again["plan"]);
    run(&import(&next)).ended(1);
    run(&format!("check --store {}", store.display())).ended(0);
}
