//! No room: files may not grow beyond a limit that the shell sets, which makes writes
//! fail as they do on a full disk. What cannot be written whole is not written at all.

use std::path::Path;
use std::process::Command;

use super::city::{State, buildings, check, grids, import_areas, import_buildings};
use super::places::Place;
use super::support::{Run, gridatlas};

/// Runs the program where no file may grow beyond so many bytes.
fn with_room(bytes: u64, args: &[String]) -> Run {
    // The shell counts in blocks of 512 bytes; a write beyond the limit is to fail, not to kill.
    let done = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &(bytes / 512).to_string()])
        .arg(env!("CARGO_BIN_EXE_gridatlas"))
        .args(args)
        .output()
        .unwrap();
    Run {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

fn is_a_clear_no(run: &Run, room: u64) {
    assert_eq!(run.code, 3, "with {room} bytes: {run:?}");
    assert!(run.err.contains("no room is left") && run.err.contains("nothing was changed"), "{room}: {run:?}");
    assert!(!run.err.contains("panicked"), "{room}: {run:?}");
}

#[test]
fn an_import_without_room_says_so_and_the_store_stays_as_it_was() {
    let place = Place::file();
    let [old, new] = [State(1), State(2)].map(|s| (s.areas(place.folder()), s.buildings(place.folder())));
    gridatlas(import_areas(&old.0, &place)).ended(0);
    gridatlas(import_buildings(&old.1, &place)).ended(0);
    for args in [import_areas(&new.0, &place), import_buildings(&new.1, &place)] {
        let before = (grids(&place), buildings(&place));
        for room in [512, 8 << 10, 100 << 10, 300 << 10] {
            let run = with_room(room, &args);
            is_a_clear_no(&run, room);
            check(&place);
            assert!((grids(&place), buildings(&place)) == before, "changed with room for {room} bytes");
        }
        gridatlas(&args).ended(0);
        assert!((grids(&place), buildings(&place)) != before);
        check(&place);
    }
}

#[test]
fn a_store_that_could_not_be_made_for_want_of_room_is_made_when_there_is_some() {
    for room in [0, 512, 16 << 10, 150 << 10] {
        let place = Place::file();
        let args = import_areas(&State(1).areas(place.folder()), &place);
        is_a_clear_no(&with_room(room, &args), room);
        gridatlas(&args).ended(0);
        assert!(!grids(&place).is_empty());
        check(&place);
    }
}

#[test]
fn a_store_without_room_around_it_is_read_and_an_export_says_which_file_it_could_not_write() {
    let place = Place::file();
    gridatlas(import_areas(&State(1).areas(place.folder()), &place)).ended(0);
    // Readers share 32 KiB of memory through a file beside the store: room for that alone.
    let room = 40 << 10;
    let check = with_room(room, &["check", "--store", place.store()].map(str::to_owned));
    assert_eq!(check.code, 0, "{check:?}");
    let out = place.folder().join("out.geojson");
    let args = ["export", "areas", "--level", "grid", "--store", place.store(), "--out", out.to_str().unwrap()];
    let run = with_room(room, &args.map(str::to_owned));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.err.contains("out.geojson") && !run.err.contains("panicked"), "{run:?}");
    assert!(!out.exists());
}

#[test]
fn a_report_that_cannot_be_written_does_not_hide_what_was_published() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        println!("skipped: there is no /dev/full here");
        return;
    }
    let place = Place::file();
    let mut args = import_areas(&State(1).areas(place.folder()), &place);
    let file = place.folder().join("report.json");
    args.extend(["--report".to_owned(), file.to_str().unwrap().to_owned()]);
    std::os::unix::fs::symlink(full, &file).unwrap();
    let run = gridatlas(&args).ended(3);
    assert!(run.err.contains("report.json") && run.err.contains("published as revision 1"), "{run:?}");
    assert!(run.out.contains("added"), "{run:?}");

    // Nor does a standard output that takes nothing, or one that nobody reads to the end.
    let said = |to: &str| {
        let line = format!("exec \"$0\" check --store \"$1\" {to}");
        Command::new("sh").args(["-c", &line, env!("CARGO_BIN_EXE_gridatlas"), place.store()]).output().unwrap()
    };
    let nowhere = said("> /dev/full");
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("standard output"), "{nowhere:?}");
    assert!(!String::from_utf8_lossy(&said("| true").stderr).contains("panicked"));
}
