//! SQLite files of others, in and out: GeoPackages to read, GeoPackages and MBTiles to
//! write. They are no stores; what their rows mean is the business of those who call.
//!
//! The callers read and write files one after the other and are not async, so each
//! open file has a thread of its own that speaks to the database.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use futures::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Row as _, TypeInfo as _, ValueRef as _};

use super::sql::quoted;
use crate::feature::{Properties, Value};

mod writing;

pub use writing::{GeoPackageWriter, MbTilesWriter};

/// Rows that travel together.
const BATCH: usize = 256;
/// Batches that wait to be taken.
const WAITING: usize = 4;

/// Why a file could not be read or written, without its name: the caller has that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ForeignError(pub String);

impl From<sqlx::Error> for ForeignError {
    fn from(e: sqlx::Error) -> Self {
        Self(match e {
            sqlx::Error::Database(e) => e.message().to_owned(),
            other => other.to_string(),
        })
    }
}

/// A table of features in a GeoPackage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureTable {
    /// Its name.
    pub name: String,
    /// The column with the geometry.
    pub geometry: String,
    /// The type that the geometry column declares, as written there.
    pub geometry_type: String,
    /// Who numbers its SRS, such as `EPSG`, and the number; `None` where the file does
    /// not say, or says that it is undefined.
    pub srs: Option<(String, i64)>,
    /// The definition of the SRS as well-known text.
    pub srs_definition: String,
    /// How many rows it has.
    pub rows: u64,
}

/// A row of a table of features.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignRow {
    /// Its place in the table, counted from 1.
    pub ordinal: u64,
    /// All columns but the geometry; a blob is left out.
    pub properties: Properties,
    /// The geometry as it stands there, header and all: see [`unframed`](super::unframed).
    pub geometry: Option<Vec<u8>>,
}

/// A GeoPackage of others that is open for reading.
#[derive(Debug)]
pub struct ForeignGeoPackage {
    options: SqliteConnectOptions,
    tables: Vec<FeatureTable>,
}

impl ForeignGeoPackage {
    /// Opens a file and lists its tables of features. Nothing is written to it, also no
    /// journal beside it.
    ///
    /// # Errors
    ///
    /// Where it is no GeoPackage.
    pub fn open(path: &Path) -> Result<Self, ForeignError> {
        // Immutable: no lock and no -wal or -shm file; but then a WAL that is there is
        // not read, so such a file is opened for reading only.
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let has_wal = std::fs::metadata(&wal).is_ok_and(|m| m.len() > 0);
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(!has_wal);
        let tables = on_runtime(tables(options.clone()))??;
        Ok(Self { options, tables })
    }

    /// Its tables of features, in the order of their names.
    #[must_use]
    pub fn tables(&self) -> &[FeatureTable] {
        &self.tables
    }

    /// Reads the rows of one of its tables.
    ///
    /// # Errors
    ///
    /// Where no thread can be had.
    pub fn rows(&self, table: &FeatureTable) -> Result<ForeignRows, ForeignError> {
        let (sender, receiver) = sync_channel(WAITING);
        let (options, table) = (self.options.clone(), table.clone());
        let thread = std::thread::Builder::new()
            .name("geopackage".into())
            .spawn(move || {
                let sent = on_runtime(send_rows(options, &table, &sender));
                if let Err(e) | Ok(Err(e)) = sent {
                    // A reader that has gone away needs no error.
                    let _ = sender.send(Err(e));
                }
            })
            .map_err(|e| ForeignError(e.to_string()))?;
        Ok(ForeignRows { receiver: Some(receiver), batch: Vec::new().into_iter(), thread: Some(thread) })
    }
}

/// The rows of a table; after an error it ends.
#[derive(Debug)]
pub struct ForeignRows {
    receiver: Option<Receiver<Result<Vec<ForeignRow>, ForeignError>>>,
    batch: std::vec::IntoIter<ForeignRow>,
    thread: Option<JoinHandle<()>>,
}

impl Iterator for ForeignRows {
    type Item = Result<ForeignRow, ForeignError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.batch.next() {
                return Some(Ok(row));
            }
            match self.receiver.as_ref()?.recv() {
                Ok(Ok(batch)) => self.batch = batch.into_iter(),
                Ok(Err(e)) => {
                    self.receiver = None;
                    return Some(Err(e));
                }
                Err(_) => {
                    self.receiver = None;
                    return None;
                }
            }
        }
    }
}

impl Drop for ForeignRows {
    fn drop(&mut self) {
        // The thread ends at its next batch once nobody listens.
        self.receiver = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs one piece of database work on the calling thread. A thread that is already
/// serving async work must not wait, so the work is then done by another.
fn on_runtime<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, ForeignError> {
    let run = |work| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map(|r| r.block_on(work)).map_err(|e| ForeignError(e.to_string()))
    };
    if tokio::runtime::Handle::try_current().is_err() {
        return run(work);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| run(work)).join().map_err(|_| ForeignError("the reader broke down".into()))?
    })
}

async fn tables(options: SqliteConnectOptions) -> Result<Vec<FeatureTable>, ForeignError> {
    let mut connection = options.connect().await?;
    let sql = "select g.table_name, g.column_name, g.geometry_type_name, s.organization, s.organization_coordsys_id, \
               s.definition from gpkg_geometry_columns g left join gpkg_spatial_ref_sys s on s.srs_id = g.srs_id \
               order by g.table_name";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.map_err(|e| {
        let ForeignError(what) = e.into();
        let is_foreign = what.contains("no such table");
        ForeignError(if is_foreign { "it is a database, but no GeoPackage".into() } else { what })
    })?;
    let mut tables = Vec::new();
    for row in rows {
        let name: String = row.try_get(0)?;
        let count = format!("select count(*) from {}", quoted(&name));
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut connection).await?;
        let organization: Option<String> = row.try_get(3)?;
        let number: Option<i64> = row.try_get(4)?;
        tables.push(FeatureTable {
            name,
            geometry: row.try_get(1)?,
            geometry_type: row.try_get(2)?,
            srs: organization.zip(number).filter(|(_, number)| *number > 0),
            srs_definition: row.try_get::<Option<String>, _>(5)?.unwrap_or_default(),
            rows: count as u64,
        });
    }
    connection.close().await?;
    Ok(tables)
}

type Batches = SyncSender<Result<Vec<ForeignRow>, ForeignError>>;

async fn send_rows(options: SqliteConnectOptions, table: &FeatureTable, sender: &Batches) -> Result<(), ForeignError> {
    let mut connection: SqliteConnection = options.connect().await?;
    let sql = format!("select * from {}", quoted(&table.name));
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut connection);
    let (mut batch, mut ordinal) = (Vec::with_capacity(BATCH), 0);
    while let Some(row) = rows.try_next().await? {
        ordinal += 1;
        batch.push(foreign_row(&row, table, ordinal)?);
        if batch.len() == BATCH && sender.send(Ok(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)))).is_err() {
            return Ok(());
        }
    }
    let _ = sender.send(Ok(batch));
    Ok(())
}

fn foreign_row(row: &SqliteRow, table: &FeatureTable, ordinal: u64) -> Result<ForeignRow, ForeignError> {
    let mut foreign = ForeignRow { ordinal, properties: Vec::new(), geometry: None };
    for column in row.columns() {
        let at = column.ordinal();
        let raw = row.try_get_raw(at)?;
        if raw.is_null() {
            if !column.name().eq_ignore_ascii_case(&table.geometry) {
                foreign.properties.push((column.name().into(), Value::Null));
            }
            continue;
        }
        // What a column declares binds SQLite to nothing: what counts is what stands there.
        let kind = raw.type_info().name().to_owned();
        if column.name().eq_ignore_ascii_case(&table.geometry) {
            foreign.geometry = (kind == "BLOB").then(|| row.try_get_unchecked(at)).transpose()?;
            continue;
        }
        let value = match kind.as_str() {
            "BOOLEAN" => Value::Bool(row.try_get_unchecked::<i64, _>(at)? != 0),
            // But a truth value is an integer to SQLite, and only the column says so.
            "INTEGER" if column.type_info().name() == "BOOLEAN" => {
                Value::Bool(row.try_get_unchecked::<i64, _>(at)? != 0)
            }
            "INTEGER" => Value::Integer(row.try_get_unchecked(at)?),
            "REAL" => Value::Real(row.try_get_unchecked(at)?),
            "BLOB" => continue,
            _ => Value::Text(row.try_get_unchecked::<String, _>(at)?.into()),
        };
        foreign.properties.push((column.name().into(), value));
    }
    Ok(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::{Feature, Geometry};
    use crate::snapshot::{Field, Kind};
    use crate::store::blob;
    use boundaries::{Point, Polygon};

    #[test]
    fn a_written_geopackage_is_read_back_and_no_journal_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.gpkg");
        let fields = [("code", Kind::Text), ("ID", Kind::Integer), ("fid", Kind::Bool)]
            .map(|(name, kind)| Field { name: name.into(), kind });
        let mut writer = GeoPackageWriter::create(&path, "网格", "MULTIPOLYGON", &fields).unwrap();
        let features: Vec<Feature> = (0..1234)
            .map(|i| Feature {
                id: i.to_string().into(),
                geometry: Geometry::Polygons(vec![Polygon {
                    shell: [(0, 0), (9, 0), (9, 9)].map(|(x, y)| Point::new(i + x, y)).to_vec(),
                    holes: vec![],
                }]),
                properties: vec![
                    ("fid".into(), Value::Bool(i % 2 == 0)),
                    ("code".into(), Value::Text(format!("码{i}").into())),
                    ("ID".into(), Value::Integer(i.into())),
                ],
            })
            .collect();
        features.iter().for_each(|f| writer.write(f).unwrap());
        assert_eq!(writer.finish().unwrap(), 1234);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

        let file = ForeignGeoPackage::open(&path).unwrap();
        let [table] = file.tables() else { panic!("{:?}", file.tables()) };
        assert_eq!((table.name.as_str(), table.rows), ("网格", 1234));
        assert_eq!(table.srs, Some(("EPSG".into(), 4326)));
        let rows: Vec<ForeignRow> = file.rows(table).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), features.len());
        for (row, feature) in rows.iter().zip(&features) {
            assert_eq!(blob::geometry(row.geometry.as_ref().unwrap()).unwrap(), feature.geometry);
            let value = |name: &str| row.properties.iter().find(|(n, _)| &**n == name).map(|(_, v)| v);
            assert_eq!(value("code"), Some(&feature.properties[1].1));
            assert_eq!(value("ID"), Some(&feature.properties[2].1));
            assert_eq!(value("fid_2"), Some(&feature.properties[0].1));
        }
        // A reader that stops early stops the thread, too.
        assert_eq!(file.rows(table).unwrap().take(3).count(), 3);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn tiles_are_written_from_the_south_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.mbtiles");
        let mut writer = MbTilesWriter::create(&path, &[("name", "city".into()), ("format", "pbf".into())]).unwrap();
        for x in 0..700 {
            writer.write(10, x, 1, vec![1, 2, 3]).unwrap();
        }
        writer.finish().unwrap();
        let ForeignError(what) = ForeignGeoPackage::open(&path).unwrap_err();
        assert_eq!(what, "it is a database, but no GeoPackage");
        let found: (i64, i64) = on_runtime(async {
            let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
            let sql = "select count(*), max(tile_row) from tiles";
            sqlx::query_as(sql).fetch_one(&mut connection).await.unwrap()
        })
        .unwrap();
        assert_eq!(found, (700, 1022));
        assert!(MbTilesWriter::create(&path, &[]).is_err());
        let text = folder.path().join("text.gpkg");
        std::fs::write(&text, "no database at all ".repeat(99)).unwrap();
        assert!(ForeignGeoPackage::open(&text).is_err());
    }
}
