//! One day's work by the command line, over both stores: they answer alike.

use super::city::{BUILDINGS, SIDE, State, buildings, check, grids, import_areas, import_buildings};
use super::places::Place;
use super::support::{gridatlas, gridatlas_with};

/// What the commands say about one store.
#[derive(Debug, PartialEq)]
struct Said {
    located: String,
    nearest: String,
    grids: Vec<String>,
    buildings: Vec<String>,
}

fn a_day(place: &Place) -> Said {
    let json = |mut args: Vec<String>, more: &[&str]| {
        args.extend(more.iter().chain(&["--json"]).map(|s| (*s).to_owned()));
        gridatlas(args).ended(0).json()
    };
    let counts = |report: &serde_json::Value, what: &str| {
        ["added", "changed", "removed", "unchanged"].map(|count| report[what][count].as_i64().unwrap())
    };
    let [first, second] = [State(1), State(2)].map(|s| (s.areas(place.folder()), s.buildings(place.folder())));
    let (areas, houses) = (i64::from(SIDE * SIDE + SIDE), i64::from(BUILDINGS));

    let dry = json(import_areas(&first.0, place), &["--dry-run"]);
    assert_eq!(counts(&dry, "areas"), [areas, 0, 0, 0]);
    assert!(dry["revision"].is_null() && dry["dry_run"] == true);
    let report = json(import_areas(&first.0, place), &["--author", "planner"]);
    assert_eq!((counts(&report, "areas"), &report["revision"]), ([areas, 0, 0, 0], &1.into()));
    let again = json(import_areas(&first.0, place), &[]);
    assert_eq!((counts(&again, "areas"), again["revision"].is_null()), ([0, 0, 0, areas], true));

    let dry = json(import_buildings(&first.1, place), &["--dry-run"]);
    assert_eq!(counts(&dry, "features"), [houses, 0, 0, 0]);
    let report = json(import_buildings(&first.1, place), &[]);
    assert_eq!(counts(&report, "features"), [houses, 0, 0, 0]);
    let again = json(import_buildings(&first.1, place), &[]);
    assert_eq!(counts(&again, "features"), [0, 0, 0, houses]);
    check(place);

    let before = (grids(place), buildings(place));
    let dry = json(import_areas(&second.0, place), &["--dry-run"]);
    assert_eq!(counts(&dry, "areas")[1] + counts(&dry, "areas")[3], areas);
    json(import_buildings(&second.1, place), &["--dry-run"]);
    assert!((grids(place), buildings(place)) == before, "a dry run changed {}", place.store());

    let report = json(import_areas(&second.0, place), &[]);
    assert_eq!((counts(&report, "areas"), &report["revision"]), (counts(&dry, "areas"), &2.into()));
    json(import_buildings(&second.1, place), &[]);
    check(place);

    // A file that lacks most of what is there is refused, and changes nothing.
    let half = std::fs::read_to_string(&second.1).unwrap();
    let half: String = half.lines().take(500).flat_map(|line| [line, "\n"]).collect();
    let cut = place.folder().join("cut.csv");
    std::fs::write(&cut, half).unwrap();
    let refused = gridatlas(import_buildings(&cut, place)).ended(1);
    assert!(refused.err.contains("2501 of 3000") && refused.err.contains("nothing was changed"), "{}", refused.err);

    let rows: String = (0..400)
        .map(|i| format!("{},{}\n", 120.299 + f64::from(i) * 7e-5, 36.0501 + f64::from(i % 31) * 8e-4))
        .collect();
    let input = format!("lon,lat\n{rows}");
    let located = gridatlas_with(["locate", "--store", place.store()], input.as_bytes()).ended(0).out;
    assert!(located.lines().filter(|line| line.contains(",g0")).count() > 50, "{located}");
    let nearest = gridatlas(["nearest", "--store", place.store(), "--lon", "120.31", "--lat", "36.06"]);
    Said {
        located,
        nearest: format!("{} {}", nearest.code, nearest.out),
        grids: grids(place),
        buildings: buildings(place),
    }
}

#[test]
fn a_day_by_the_command_line_comes_out_alike_in_both_stores() {
    let file = a_day(&Place::file());
    if let Some(place) = Place::database() {
        assert!(a_day(&place) == file, "the stores differ");
    }
}
