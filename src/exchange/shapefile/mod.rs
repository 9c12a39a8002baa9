//! Shapefile: `.shp` for the shapes, `.dbf` for the attributes, `.prj` for the CRS and
//! `.cpg` for the encoding, side by side or in one `.zip`.
//!
//! Read by the letter of ESRI's description (July 1998) with every count checked against
//! the bytes that are there. The encoding is what the `.cpg` says, else the language byte
//! of the `.dbf`, else UTF-8 where every text is UTF-8, else GBK.

pub(super) mod dbf;
mod rings;
mod shp;
mod zipped;

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use self::dbf::Table;
use self::shp::Shapes;
use super::encoding;
use super::error::{Cause, Fault};
use super::raw::{Place, Record, Start};
use super::source::ReadOptions;
use crate::crs::{CrsError, Declared};

/// No `.prj` or `.cpg` is longer, in bytes.
const LIMIT_SIDE_BYTES: u64 = 64 * 1024;

/// A reader of a Shapefile.
pub(super) struct Shapefile {
    shapes: Shapes<BufReader<File>>,
    table: Table<BufReader<File>>,
    ordinal: u64,
    /// What its `.prj` says, if it has one.
    pub(super) declared: Option<Result<Declared, CrsError>>,
    /// Where a zipped one was unpacked; goes when the reader goes.
    _unpacked: Option<tempfile::TempDir>,
}

impl Shapefile {
    /// Opens a `.shp` and its companions beside it.
    pub(super) fn open(shp: &Path) -> Result<Self, Fault> {
        if shp.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
            return Err(Cause::Unsupported("a Shapefile is several files: put them into one .zip".into()).into());
        }
        let dbf = companion(shp, "dbf")?
            .ok_or_else(|| Cause::Unsupported("there is no .dbf with its attributes beside it".into()))?;
        let declared = side_text(shp, "prj")?.map(|text| Declared::from_wkt(&text));
        let stated = side_text(shp, "cpg")?.as_deref().and_then(encoding::named);
        let shapes = Shapes::open(BufReader::with_capacity(1 << 18, File::open(shp)?))?;
        let table = Table::open(&dbf, stated)?;
        Ok(Self { shapes, table, ordinal: 0, declared, _unpacked: None })
    }

    /// Opens the Shapefile in a `.zip`.
    pub(super) fn open_zip(zip: &Path, options: &ReadOptions) -> Result<Self, Fault> {
        let (folder, shp) = zipped::unpack(zip, options.layer.as_deref())?;
        Ok(Self { _unpacked: Some(folder), ..Self::open(&shp)? })
    }

    pub(super) fn next(&mut self) -> Option<Result<Record, Fault>> {
        loop {
            self.ordinal += 1;
            let place = Place { ordinal: self.ordinal, start: Start::Byte(self.shapes.offset()) };
            let at = |cause: Cause| Some(Err(Fault::at(place, cause)));
            let geometry = match self.shapes.next() {
                Err(cause) => return at(cause),
                Ok(shape) => shape,
            };
            let row = match self.table.next() {
                Err(cause) => return at(cause),
                Ok(row) => row,
            };
            return match (geometry, row) {
                (None, None) => None,
                (Some(_), Some(None)) => continue,
                (Some(geometry), Some(Some(properties))) => Some(Ok(Record { place, properties, geometry })),
                (Some(_), None) => at(Cause::CutOff("the .dbf has fewer rows than the .shp has shapes".into())),
                (None, Some(_)) => at(Cause::CutOff("the .shp has fewer shapes than the .dbf has rows".into())),
            };
        }
    }
}

/// The file beside `shp` with the same name and another ending, in any case.
fn companion(shp: &Path, ending: &str) -> io::Result<Option<PathBuf>> {
    let folder = shp.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_it =
            path.file_stem() == shp.file_stem() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending));
        if is_it {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn side_text(shp: &Path, ending: &str) -> Result<Option<String>, Fault> {
    let Some(path) = companion(shp, ending)? else { return Ok(None) };
    if fs::metadata(&path)?.len() > LIMIT_SIDE_BYTES {
        return Err(Cause::Limit { what: "the .prj or .cpg beside it", limit: "64 KiB".into() }.into());
    }
    Ok(Some(String::from_utf8_lossy(&fs::read(path)?).into_owned()))
}
