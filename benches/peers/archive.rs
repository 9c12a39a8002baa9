//! All tiles of grids and buildings up to zoom 14 as one archive, against tippecanoe with
//! shared borders kept.

use std::process::Command;

use crate::table::{Bar, Table, in_turn_s, text};
use crate::wrk::installed;
use crate::{peers, work};

/// Adds the row.
pub fn rows(table: &mut Table) -> Result<(), String> {
    let program = peers().join("python/bin/tippecanoe");
    installed(&program)?;
    let store = work::city_store(crate::BUILDINGS)?;
    let folder = work::folder().join("archive");
    std::fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    let [grids, buildings] = ["grid", "building"].map(|name| folder.join(format!("{name}.geojsonl")));
    let mut export = work::program();
    work::run(export.args(["export", "areas", "--level", "grid", "--store"]).arg(&store).arg("--out").arg(&grids))?;
    let mut export = work::program();
    work::run(export.args(["export", "layer", "building", "--store"]).arg(&store).arg("--out").arg(&buildings))?;
    let (archive, their_archive) = (folder.join("ours.pmtiles"), folder.join("theirs.pmtiles"));

    let ours = || {
        let _ = std::fs::remove_file(&archive);
        let mut export = work::program();
        export.args(["export", "tiles", "grid,building", "--min-zoom", "0", "--max-zoom", "14", "--store"]);
        work::run(export.arg(&store).arg("--out").arg(&archive)).unwrap();
    };
    let theirs = || {
        let mut command = Command::new(&program);
        command.args(["--quiet", "--force", "--read-parallel", "--minimum-zoom=0", "--maximum-zoom=14"]);
        command.args(["--no-simplification-of-shared-nodes", "--drop-densest-as-needed", "--temporary-directory"]);
        command.arg(&folder).arg("--output").arg(&their_archive);
        command.arg(format!("--named-layer=grid:{}", grids.display()));
        command.arg(format!("--named-layer=building:{}", buildings.display()));
        work::run(&mut command).unwrap();
    };
    let (our_s, their_s) = in_turn_s(2, ours, theirs);
    let bytes = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |m| m.len()) as f64 / 1e6;
    let told = |s: f64, path| format!("{}, {:.1} MB", text(s), bytes(path));
    let what = "an archive of grids and buildings to z14, against tippecanoe";
    table.ratio(what, told(our_s, &archive), told(their_s, &their_archive), our_s / their_s, Bar::AtMost(0.25));
    Ok(())
}
