//! A layer of a GeoPackage as records; the rows come from the room that knows SQL.

use std::io::{self, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::{Cause, Fault};
use super::raw::{Place, Record, Start};
use super::source::ReadOptions;
use super::wkb;
use crate::crs::{AxisOrder, Crs, CrsError, Declared};
use crate::store::foreign::{ForeignError, LayerRow, LayerRows, Srs};
use crate::store::unframed;

/// Bytes of a packed GeoPackage, unpacked.
const LIMIT_BYTES: u64 = 16 << 30;

/// A reader of one layer.
pub(super) struct GeoPackage {
    rows: LayerRows,
    ordinal: u64,
    /// What its srs_id says, where it says something.
    pub(super) declared: Option<Result<Declared, CrsError>>,
    /// Where a packed one was unpacked; goes when the reader goes.
    _unpacked: Option<NamedTempFile>,
}

impl GeoPackage {
    /// Opens the layer that the options name, or the only one. `input` is the file's
    /// content, unpacked.
    pub(super) fn open(file: &Path, input: &mut dyn Read, options: &ReadOptions) -> Result<Self, Fault> {
        let is_packed = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
        let unpacked = if is_packed { Some(unpack(input)?) } else { None };
        let plain = unpacked.as_ref().map_or(file, NamedTempFile::path);
        let rows = LayerRows::open(plain, options.layer.as_deref()).map_err(cause)?;
        let declared = rows.srs.as_ref().map(declared);
        Ok(Self { rows, ordinal: 0, declared, _unpacked: unpacked })
    }

    pub(super) fn next(&mut self) -> Option<Result<Record, Fault>> {
        self.ordinal += 1;
        let row = match self.rows.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(cause(error).into())),
        };
        let place = Place { ordinal: self.ordinal, start: Start::Row(row.rowid) };
        Some(record(row, place).map_err(|cause| Fault::at(place, cause)))
    }
}

fn record(row: LayerRow, place: Place) -> Result<Record, Cause> {
    let geometry = match row.geometry {
        None => None,
        Some(blob) => {
            let framed =
                unframed(&blob).ok_or_else(|| Cause::Syntax("its geometry is no GeoPackage geometry".into()))?;
            wkb::read(framed.wkb)?.0
        }
    };
    Ok(Record { place, properties: row.properties, geometry })
}

/// GeoPackage says that x is east whatever the authority says.
fn declared(srs: &Srs) -> Result<Declared, CrsError> {
    let by_code = u32::try_from(srs.code).ok().filter(|_| srs.organization.eq_ignore_ascii_case("EPSG"));
    match by_code.and_then(Crs::from_epsg) {
        Some(crs) => Ok(Declared { crs, axes: AxisOrder::EastNorth }),
        None => Declared::from_wkt(&srs.definition).map(|d| Declared { axes: AxisOrder::EastNorth, ..d }),
    }
}

fn unpack(input: &mut dyn Read) -> Result<NamedTempFile, Cause> {
    let mut file = NamedTempFile::new()?;
    let written = io::copy(&mut input.take(LIMIT_BYTES + 1), &mut file).map_err(super::bytes::cause_of)?;
    if written > LIMIT_BYTES {
        return Err(Cause::Limit { what: "the unpacked GeoPackage", limit: "16 GiB".into() });
    }
    file.flush()?;
    Ok(file)
}

fn cause(error: ForeignError) -> Cause {
    match error {
        ForeignError::Choice(message) => Cause::Choice(message),
        ForeignError::Shape(message) => Cause::Unsupported(message),
        ForeignError::Sqlite(error) => Cause::Syntax(format!("it can't be read as SQLite: {error}")),
        ForeignError::Thread(message) => Cause::Io(io::Error::other(message)),
    }
}
