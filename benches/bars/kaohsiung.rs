//! A real and dirty file to a valid coverage, against mapshaper's `-clean` of the same.

use std::path::PathBuf;
use std::process::Command;

use crate::table::{Bar, Table, in_turn_s, text};
use crate::work;

const WHAT: &str = "Kaohsiung file to a coverage, against mapshaper -clean";

/// Adds the row.
pub fn rows(table: &mut Table) {
    let (file, mapshaper) = match (file(), mapshaper()) {
        (Ok(file), Ok(mapshaper)) => (file, mapshaper),
        (Err(why), _) | (_, Err(why)) => return table.missing(WHAT, &why),
    };
    let store = work::folder().join("kaohsiung.gpkg");
    let ours = || {
        let _ = std::fs::remove_file(&store);
        let mut import = work::program();
        import.args(["import", "areas"]).arg(&file).arg("--store").arg(&store).arg("--dry-run");
        import.args(["--levels", "city=COUNTY_ID,district=TOWN_ID,street=CODE2,community=CODE1,grid=CODEBASE"]);
        work::run(&mut import)
    };
    let theirs = || work::run(Command::new("node").arg(&mapshaper).arg(&file).args(["-clean", "-info"]));
    if let Err(why) = ours().and_then(|_| theirs()) {
        return table.missing(WHAT, &why);
    }
    let (ours_s, theirs_s) = in_turn_s(3, || drop(ours()), || drop(theirs()));
    table.ratio(WHAT, text(ours_s), text(theirs_s), ours_s / theirs_s, Bar::AtMost(0.6));
}

/// The file, unpacked.
fn file() -> Result<PathBuf, String> {
    let name = "kaohsiung_basic_stat_areas.geojson";
    let unpacked = work::folder().join(name);
    if !unpacked.exists() {
        let data = std::env::var_os("GRIDATLAS_TEST_DATA").ok_or("GRIDATLAS_TEST_DATA is not set")?;
        let packed = PathBuf::from(data).join(format!("{name}.gz"));
        let bytes = std::fs::File::open(&packed).map_err(|e| format!("{}: {e}", packed.display()))?;
        let mut bytes = flate2::read::GzDecoder::new(bytes);
        let aside = unpacked.with_extension("part");
        let mut out = std::fs::File::create(&aside).map_err(|e| e.to_string())?;
        std::io::copy(&mut bytes, &mut out).map_err(|e| e.to_string())?;
        std::fs::rename(&aside, &unpacked).map_err(|e| e.to_string())?;
    }
    Ok(unpacked)
}

/// mapshaper's script, fetched by npm if need be.
fn mapshaper() -> Result<PathBuf, String> {
    let folder = work::folder().join("npm");
    let script = folder.join("node_modules/mapshaper/bin/mapshaper");
    if !script.exists() {
        std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--silent", "mapshaper@0.6"]).arg("--prefix").arg(&folder);
        work::run(&mut npm)?;
    }
    Ok(script)
}
