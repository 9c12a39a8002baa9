//! A Shapefile in a `.zip`: its parts are unpacked to a folder of their own, which goes
//! when the reader goes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::exchange::error::{Cause, Fault};

/// Entries in one archive.
const LIMIT_ENTRIES: usize = 10_000;
/// Unpacked bytes of one Shapefile.
const LIMIT_BYTES: u64 = 8 << 30;
/// The parts that are read.
const ENDINGS: [&str; 4] = ["shp", "dbf", "prj", "cpg"];

/// Unpacks the Shapefile (the one named `layer`, or the only one) and says where its
/// `.shp` lies.
pub(super) fn unpack(zip: &Path, layer: Option<&str>) -> Result<(TempDir, PathBuf), Fault> {
    let mut archive = ZipArchive::new(io::BufReader::new(File::open(zip)?)).map_err(cause)?;
    if archive.len() > LIMIT_ENTRIES {
        return Err(
            Cause::Limit { what: "the number of files in the archive", limit: LIMIT_ENTRIES.to_string() }.into()
        );
    }
    // (index, name without its ending, ending); names as bytes, since old archives hold GBK.
    let mut parts: Vec<(usize, Vec<u8>, String)> = Vec::new();
    for i in 0..archive.len() {
        let entry = archive.by_index_raw(i).map_err(cause)?;
        let name = entry.name_raw();
        let dot = name.iter().rposition(|b| *b == b'.').unwrap_or(name.len());
        let ending = String::from_utf8_lossy(name.get(dot + 1..).unwrap_or_default()).to_lowercase();
        if ENDINGS.contains(&ending.as_str()) && !name.starts_with(b"__MACOSX") {
            parts.push((i, name[..dot].to_vec(), ending));
        }
    }
    let title = |stem: &[u8]| String::from_utf8_lossy(stem.rsplit(|b| *b == b'/').next().unwrap_or(stem)).into_owned();
    let shapes: Vec<&[u8]> = parts.iter().filter(|p| p.2 == "shp").map(|p| p.1.as_slice()).collect();
    let chosen: Vec<&[u8]> =
        shapes.iter().copied().filter(|stem| layer.is_none_or(|wanted| title(stem) == wanted)).collect();
    let stem = match chosen.as_slice() {
        [one] => one.to_vec(),
        [] if shapes.is_empty() => return Err(Cause::Unsupported("there is no .shp in the archive".into()).into()),
        _ => {
            let titles: Vec<String> = shapes.iter().map(|stem| title(stem)).collect();
            return Err(
                Cause::Choice(format!("name one of its layers with --from-layer: {}", titles.join(", "))).into()
            );
        }
    };
    let folder = tempfile::tempdir()?;
    let mut left = LIMIT_BYTES;
    for (i, _, ending) in parts.iter().filter(|p| p.1.eq_ignore_ascii_case(&stem)) {
        let entry = archive.by_index(*i).map_err(cause)?;
        let mut out = File::create(folder.path().join("part").with_extension(ending))?;
        let written = io::copy(&mut entry.take(left + 1), &mut out).map_err(super::super::bytes::cause_of)?;
        left =
            left.checked_sub(written).ok_or(Cause::Limit { what: "the unpacked Shapefile", limit: "8 GiB".into() })?;
    }
    let shp = folder.path().join("part.shp");
    Ok((folder, shp))
}

fn cause(error: ZipError) -> Cause {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Cause::CutOff("the archive ends before its end".into())
        }
        ZipError::Io(error) => Cause::Io(error),
        other => Cause::Syntax(format!("the archive can't be read: {other}")),
    }
}
