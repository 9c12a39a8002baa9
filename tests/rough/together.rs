//! Two imports at once: one waits for the other or is told why not, and nothing is mixed.

use std::process::{Child, Command, Stdio};

use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use super::city::{State, buildings, check, grids, import_areas, import_buildings};
use super::places::Place;
use super::support::gridatlas;

fn start(args: Vec<String>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_gridatlas"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts all of them before waiting for any; gives how many went through.
fn all_at_once(runs: Vec<Vec<String>>) -> usize {
    let children: Vec<Child> = runs.into_iter().map(start).collect();
    let mut done = 0;
    for child in children {
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        match ended.status.code() {
            Some(0) => done += 1,
            Some(1) => assert!(said.contains("has moved on") && said.contains("nothing was changed"), "{said}"),
            Some(3) => assert!(said.contains("another process is writing"), "{said}"),
            other => panic!("{other:?}: {said}"),
        }
    }
    done
}

#[test]
fn of_imports_of_areas_at_once_one_whole_state_remains() {
    for place in Place::both() {
        // What each would leave alone, in a store of its own.
        let alone: Vec<Vec<String>> = (1..=3)
            .map(|state| {
                let own = Place::file();
                gridatlas(import_areas(&State(state).areas(own.folder()), &own)).ended(0);
                grids(&own)
            })
            .collect();
        // The first round makes the store, too.
        for round in 0..3 {
            let runs = (1..=3).map(|state| import_areas(&State(state).areas(place.folder()), &place)).collect();
            assert!(all_at_once(runs) > 0, "round {round}");
            check(&place);
            let found = grids(&place);
            assert!(alone.contains(&found), "round {round} left a mixture in {}", place.store());
        }
    }
}

#[test]
fn imports_of_areas_and_of_layers_at_once_both_go_through() {
    for place in Place::both() {
        gridatlas(import_areas(&State(1).areas(place.folder()), &place)).ended(0);
        for round in 2..4 {
            let state = State(round);
            let runs = vec![
                import_areas(&state.areas(place.folder()), &place),
                import_buildings(&state.buildings(place.folder()), &place),
            ];
            assert_eq!(all_at_once(runs), 2, "round {round}");
            check(&place);
            let (grids, buildings) = (grids(&place), buildings(&place));
            assert!(grids.iter().all(|g| g.contains(&format!(" of {round}\""))), "round {round}");
            assert!(buildings.iter().all(|b| b.contains(&format!(" of {round}\""))), "round {round}");
        }
    }
}

#[test]
fn a_store_is_read_while_somebody_writes_to_it_for_long() {
    let place = Place::file();
    gridatlas(import_areas(&State(1).areas(place.folder()), &place)).ended(0);
    let before = grids(&place);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.store());
    let mut writer = runtime.block_on(options.connect()).unwrap();
    runtime.block_on(writer.execute("begin immediate")).unwrap();
    runtime.block_on(writer.execute("delete from border")).unwrap();
    let start = std::time::Instant::now();
    assert_eq!(grids(&place), before);
    check(&place);
    // Who waits for the writer is refused after ten seconds.
    assert!(start.elapsed().as_secs() < 9, "it waited for {:?}", start.elapsed());
    runtime.block_on(writer.execute("rollback")).unwrap();
    runtime.block_on(writer.close()).unwrap();
    gridatlas(import_areas(&State(2).areas(place.folder()), &place)).ended(0);
}
