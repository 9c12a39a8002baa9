//! The folder of the measurements, the demo city in it, and the built program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::table;

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

/// Runs a command to its end; the most memory of its own that it was seen to hold, in MB.
pub fn run_to_peak_mb(command: &mut Command) -> Result<f64, String> {
    let aside = folder().join("stderr.txt");
    let log = std::fs::File::create(&aside).map_err(|e| e.to_string())?;
    let mut child = command.stdout(Stdio::null()).stderr(log).spawn().map_err(|e| format!("{command:?}: {e}"))?;
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak_mb = 0.0_f64;
    loop {
        peak_mb = peak_mb.max(table::status_mb(&status, table::OWN));
        if let Some(done) = child.try_wait().map_err(|e| e.to_string())? {
            let said = std::fs::read_to_string(&aside).unwrap_or_default();
            return if done.success() { Ok(peak_mb) } else { Err(format!("{command:?}: {said}")) };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The files of the demo city of 17,000 grids with so many buildings, made if need be.
pub fn city_files(buildings: usize) -> Result<PathBuf, String> {
    let files = folder().join(format!("city-{buildings}"));
    if !files.exists() {
        // Made aside and moved into place, so that what was broken off is not taken for whole.
        let aside = folder().join("making");
        let _ = std::fs::remove_dir_all(&aside);
        let count = buildings.to_string();
        run(program().args(["demo", "--size", "city", "--seed", "1", "--buildings", &count, "--out"]).arg(&aside))?;
        std::fs::rename(&aside, &files).map_err(|e| e.to_string())?;
    }
    Ok(files)
}

/// The import of a city's areas into a store.
pub fn import_areas(files: &Path, store: &Path) -> Command {
    let mut import = program();
    import.args(["import", "areas"]).arg(files.join("areas.geojsonl")).arg("--store").arg(store);
    import.args(["--levels", gridatlas::demo::files::LEVELS, "--name", &gridatlas::demo::files::NAMES.join(",")]);
    import
}

/// The import of one of a city's layers into a store.
pub fn import_layer(files: &Path, store: &Path, layer: &str) -> Command {
    let mut import = program();
    import.args(["import", "layer"]).arg(files.join(format!("{layer}.geojsonl"))).arg("--store").arg(store);
    import.args(["--layer", layer, "--id", "id"]);
    import
}

/// The store of the demo city of 17,000 grids with so many buildings, made if need be.
pub fn city_store(buildings: usize) -> Result<PathBuf, String> {
    let store = folder().join(format!("city-{buildings}.gpkg"));
    if store.exists() {
        return Ok(store);
    }
    let files = city_files(buildings)?;
    let aside = folder().join("making.gpkg");
    let _ = std::fs::remove_file(&aside);
    run(&mut import_areas(&files, &aside))?;
    for layer in ["building", "party_unit", "worker", "event"] {
        run(&mut import_layer(&files, &aside, layer))?;
    }
    std::fs::rename(&aside, &store).map_err(|e| e.to_string())?;
    Ok(store)
}
