//! Files in: how fast GeoJSON is read, and how much memory an import takes beside what
//! the snapshot of the same holds in the end.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use gridatlas::exchange::{self, ReadOptions};

use crate::store;
use crate::table::{Bar, Table, cpu_s, in_turn_s};
use crate::work;

/// Bytes of the file that is read.
const BYTES: usize = 200_000_000;

/// Adds the rows.
pub fn rows(table: &mut Table) {
    let what = "GeoJSON of 200 MB read, MB/s, against the geojson crate";
    match collection() {
        Ok(file) => reading(table, what, &file),
        Err(why) => table.missing(what, &why),
    }
    if let Err(why) = memory(table) {
        table.missing("import, peak against what the snapshot holds", &why);
    }
}

fn reading(table: &mut Table, what: &str, file: &Path) {
    let ours = || {
        let mut source = exchange::open(file, &ReadOptions::default()).unwrap();
        let mut count = 0;
        while let Some(record) = source.next() {
            source.locate(record.unwrap()).unwrap();
            count += 1;
        }
        count
    };
    let theirs = || {
        let reader = geojson::FeatureReader::from_reader(BufReader::with_capacity(1 << 20, File::open(file).unwrap()));
        reader.features().map(Result::unwrap).count()
    };
    assert_eq!(ours(), theirs());
    let before_s = cpu_s();
    ours();
    let cpu_s = cpu_s() - before_s;
    let (ours_s, theirs_s) = in_turn_s(3, || assert_ne!(ours(), 0), || assert_ne!(theirs(), 0));
    let mb = std::fs::metadata(file).map_or(0.0, |m| m.len() as f64 / 1e6);
    table.value("GeoJSON read and put on the lattice, MB/s", mb / ours_s, Bar::AtLeast(200.0));
    table.value("GeoJSON read and put on the lattice, MB in a second of processor time", mb / cpu_s, Bar::None);
    let rate = |s: f64| format!("{:.0} MB/s", mb / s);
    table.ratio(what, rate(ours_s), rate(theirs_s), theirs_s / ours_s, Bar::None);
}

/// One FeatureCollection of the demo city's buildings, over and over.
fn collection() -> Result<PathBuf, String> {
    let file = work::folder().join("buildings.geojson");
    if file.exists() {
        return Ok(file);
    }
    let lines = work::city_files(300_000)?.join("building.geojsonl");
    let aside = file.with_extension("part");
    let write = || -> std::io::Result<()> {
        let mut out = BufWriter::new(File::create(&aside)?);
        let mut written = out.write(b"{\"type\":\"FeatureCollection\",\"features\":[\n")?;
        while written < BYTES {
            for line in BufReader::new(File::open(&lines)?).lines() {
                let line = line?;
                if written >= BYTES {
                    break;
                }
                if line.is_empty() {
                    continue;
                }
                let comma = if written > 100 { ",\n" } else { "" };
                write!(out, "{comma}{line}")?;
                written += comma.len() + line.len();
            }
        }
        out.write_all(b"]}\n")?;
        out.flush()
    };
    write().map_err(|e| e.to_string())?;
    std::fs::rename(&aside, &file).map_err(|e| e.to_string())?;
    Ok(file)
}

/// Areas into an empty store, then buildings into that: the peak of each process, and
/// what a service holds that has loaded the store so far.
fn memory(table: &mut Table) -> Result<(), String> {
    let files = work::city_files(300_000)?;
    let city = work::folder().join("import.gpkg");
    let _ = std::fs::remove_file(&city);
    let imports = [
        ("areas of 17,000 grids", work::import_areas(&files, &city)),
        ("300000 buildings", work::import_layer(&files, &city, "building")),
    ];
    for (what, mut import) in imports {
        let peak_mb = work::run_to_peak_mb(&mut import)?;
        let held_mb = store::held_mb(&city)?;
        let mb = |mb: f64| format!("{mb:.0} MB");
        let what = format!("import of {what}: peak, against what the snapshot holds");
        table.ratio(&what, mb(peak_mb), mb(held_mb), peak_mb / held_mb, Bar::AtMost(3.0));
    }
    std::fs::remove_file(&city).map_err(|e| e.to_string())
}
