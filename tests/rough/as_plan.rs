//! A file that differs from what is in force, over both stores: it becomes a plan, and is
//! not imported over what plans have published.

use std::path::Path;

use super::city::{LEVELS, SIDE, State, check, grids, import_areas};
use super::places::Place;
use super::support::{Run, gridatlas};

fn as_plan(file: &Path, place: &Place, more: &[&str]) -> Run {
    let mut args = import_areas(file, place);
    args.extend(["--as-plan"].iter().chain(more).map(|s| (*s).to_owned()));
    gridatlas(args)
}

fn plan(place: &Place, words: &str) -> Run {
    gridatlas(["plan"].into_iter().chain(words.split_whitespace()).chain(["--store", place.store()]))
}

fn story(place: &Place) {
    let [first, second] = [State(1), State(2)].map(|s| s.areas(place.folder()));
    let missing = as_plan(&first, place, &[]);
    assert!([1, 3].contains(&missing.code), "{missing:?}");
    gridatlas(import_areas(&first, place)).ended(0);

    // What is exported and comes back is no difference, in whatever datum it travels.
    let (before, out) = (grids(place), place.folder().join("again.geojson"));
    let export = ["export", "areas", "--level", "grid", "--store", place.store(), "--out", out.to_str().unwrap()];
    gridatlas(export).ended(0);
    let again = ["import", "areas", out.to_str().unwrap(), "--levels", "street=parent,grid=code"];
    let again = gridatlas(again.into_iter().chain(["--store", place.store(), "--as-plan"])).ended(0);
    assert!(again.out.contains("no difference") && plan(place, "list").ended(0).out.is_empty(), "{}", again.out);

    // A dry run says what would be made; then it is made, and nothing is published.
    let dry = as_plan(&second, place, &["--dry-run", "--json"]).ended(0).json();
    assert!(dry["plan"]["id"].is_null() && plan(place, "list").ended(0).out.is_empty(), "{dry}");
    let made = as_plan(&second, place, &["New survey", "--author", "surveyor", "--json"]).ended(0).json();
    assert_eq!((&made["plan"]["id"], &made["plan"]["name"]), (&"p1".into(), &"New survey".into()));
    assert_eq!((&made["plan"]["edits"], &made["revision"]), (&dry["plan"]["edits"], &serde_json::Value::Null));
    assert_eq!(made["plan"]["edits"]["rename"], SIDE * SIDE, "{}", made["plan"]);
    assert!(grids(place) == before, "a plan changed what is published in {}", place.store());

    plan(place, "preview p1").ended(0);
    plan(place, "submit p1 --author surveyor").ended(0);
    plan(place, "approve p1 --author chief").ended(0);
    plan(place, "publish p1 --author chief").ended(0);
    check(place);

    // What the plan published is what an import of the file would have.
    let straight = Place::file();
    gridatlas(import_areas(&second, &straight)).ended(0);
    let (got, wanted) = (grids(place), grids(&straight));
    let other: Vec<_> = got.iter().zip(&wanted).filter(|(a, b)| a != b).collect();
    assert!(other.is_empty(), "{} of {} in {}: {:?}", other.len(), wanted.len(), place.store(), other[0]);
    assert!(as_plan(&second, place, &[]).ended(0).out.contains("no difference"));

    // From now on files come as plans.
    let published = grids(place);
    for more in [&[][..], &["--dry-run"]] {
        let over = import_areas(&first, place).into_iter().chain(more.iter().map(|s| (*s).to_owned()));
        let refused = gridatlas(over).ended(1);
        assert!(refused.err.contains("--as-plan") && refused.err.contains("p1"), "{}", refused.err);
    }
    assert!(grids(place) == published, "a refused import changed {}", place.store());
    // Another coverage is another matter.
    let args = import_areas(&first, place).into_iter().chain(["--coverage", "cell"].map(str::to_owned));
    gridatlas(args).ended(0);

    // What can't be is refused, and leaves no plan.
    let plans = plan(place, "list").ended(0).out;
    let text = std::fs::read_to_string(&first).unwrap();
    let bad = place.folder().join("bad.geojson");
    let twice = text.replace("g0001", "g0000");
    let other_datum = std::fs::read_to_string(&second).unwrap();
    let far: String = text.replace("\"s05\"", "\"s04\"").replace("g05", "x05");
    for (what, code, says, more) in [
        (&twice, 1, "duplicate", &[][..]),
        (&text, 2, "nowhere", &["--levels", "nowhere=nowhere,grid=code"]),
        (&far, 1, "--max-removed-percent", &["--max-removed-percent", "1"]),
        (&other_datum, 1, "--crs wgs84", &["--crs", "gcj02"]),
    ] {
        std::fs::write(&bad, what).unwrap();
        let mut args = import_areas(&bad, place);
        if more.first() == Some(&"--levels") {
            let at = args.iter().position(|a| a == LEVELS).unwrap();
            args[at] = more[1].to_owned();
        } else {
            args.extend(more.iter().map(|s| (*s).to_owned()));
        }
        args.push("--as-plan".to_owned());
        let refused = gridatlas(args);
        assert!(refused.code == code && refused.err.contains(says), "{says}: {refused:?}");
    }
    assert_eq!(plan(place, "list").ended(0).out, plans);
}

#[test]
fn a_file_that_differs_becomes_a_plan_and_is_not_imported_over_one() {
    for place in Place::both() {
        story(&place);
    }
}
