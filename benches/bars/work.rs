//! The folder of the measurements, the demo city in it, and the built program.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where files and stores are kept between runs.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bars");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The built program.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridatlas"));
    command.env_remove("GRIDATLAS_STORE");
    command
}

/// Runs a command to its end; its output, or what it said when it failed.
pub fn run(command: &mut Command) -> Result<String, String> {
    let done = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() { Ok(text(&done.stdout)) } else { Err(format!("{command:?}: {}", text(&done.stderr))) }
}

/// The store of the demo city of 17,000 grids with so many buildings, made if need be.
pub fn city_store(buildings: usize) -> Result<PathBuf, String> {
    let store = folder().join(format!("city-{buildings}.gpkg"));
    if store.exists() {
        return Ok(store);
    }
    let files = folder().join(format!("city-{buildings}"));
    let count = buildings.to_string();
    run(program().args(["demo", "--size", "city", "--seed", "1", "--buildings", &count, "--out"]).arg(&files))?;
    // Made aside and moved into place, so that one that was broken off is not taken for whole.
    let aside = folder().join("making.gpkg");
    let _ = std::fs::remove_file(&aside);
    let mut areas = program();
    areas.args(["import", "areas"]).arg(files.join("areas.geojsonl")).arg("--store").arg(&aside);
    areas.args(["--levels", gridatlas::demo::files::LEVELS, "--name", &gridatlas::demo::files::NAMES.join(",")]);
    run(&mut areas)?;
    for layer in ["building", "party_unit", "worker", "event"] {
        let mut import = program();
        import.args(["import", "layer"]).arg(files.join(format!("{layer}.geojsonl"))).arg("--store").arg(&aside);
        run(import.args(["--layer", layer, "--id", "id"]))?;
    }
    std::fs::rename(&aside, &store).map_err(|e| e.to_string())?;
    Ok(store)
}
