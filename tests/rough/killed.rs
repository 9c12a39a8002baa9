//! A process that is killed cannot tidy up: what it leaves is the old state or the new one.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::city::{State, buildings, check, grids, import_areas, import_buildings};
use super::places::Place;
use super::support::gridatlas;

/// Moments at which an import is killed, spread over the time that it takes.
fn moments() -> u32 {
    if std::env::var_os("GRIDATLAS_PROOF").is_some() { 60 } else { 6 }
}

/// How one kind of import is made, and what it leaves.
struct Kind {
    file: fn(State, &std::path::Path) -> PathBuf,
    import: fn(&std::path::Path, &Place) -> Vec<String>,
    content: fn(&Place) -> Vec<String>,
}

const AREAS: Kind = Kind { file: State::areas, import: import_areas, content: grids };
const BUILDINGS: Kind = Kind { file: State::buildings, import: import_buildings, content: buildings };

#[test]
fn an_import_of_areas_that_is_killed_leaves_the_old_state_or_the_new_one() {
    Place::both().for_each(|place| kill_and_look(&place, &AREAS));
}

#[test]
fn an_import_of_a_layer_that_is_killed_leaves_the_old_state_or_the_new_one() {
    for place in Place::both() {
        gridatlas(import_areas(&State(0).areas(place.folder()), &place)).ended(0);
        kill_and_look(&place, &BUILDINGS);
    }
}

fn kill_and_look(place: &Place, kind: &Kind) {
    let files = [State(1), State(2)].map(|state| (kind.file)(state, place.folder()));
    let import = |file: &PathBuf| (kind.import)(file, place);
    let mut states = Vec::new();
    let mut took = Duration::ZERO;
    for file in &files {
        let start = Instant::now();
        gridatlas(import(file)).ended(0);
        took = start.elapsed();
        states.push((kind.content)(place));
    }
    assert!(states[0] != states[1] && states[0].len() == states[1].len());

    let (seed, mut dice) = (20_261_123u64, 20_261_123u64);
    let mut next = move || {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 40) as f64 / f64::from(1 << 24)
    };
    let (mut now, mut killed) = (1, 0);
    for moment in 0..moments() {
        let share = (f64::from(moment) + next()) / f64::from(moments());
        let after = took.mul_f64(share);
        let mut child = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
            .args(import(&files[1 - now]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());

        let at = format!("{} killed after {after:?} of {took:?}, seed {seed}", place.store());
        check(place);
        let found = (kind.content)(place);
        if found == states[1 - now] {
            now = 1 - now;
        }
        assert!(found == states[now], "neither state: {at}");
    }
    println!("{}: {killed} of {} were killed before they ended", place.store(), moments());
    assert!(killed > 0, "none was killed in time");
    gridatlas(import(&files[1 - now])).ended(0);
    assert!((kind.content)(place) == states[1 - now]);
    check(place);
}
