//! The layers of a GeoPackage that somebody else has written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection, TypeInfo, ValueRef};

use super::{BATCH, ForeignError, WAITING, in_thread, quoted};
use crate::feature::{Properties, Value};

/// The spatial reference system that a layer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srs {
    /// Who numbers it, `EPSG` nearly always.
    pub organization: String,
    /// Its number there.
    pub code: i64,
    /// Its WKT.
    pub definition: String,
}

/// One row of a layer.
#[derive(Clone, Debug)]
pub struct LayerRow {
    /// Its rowid.
    pub rowid: i64,
    /// The geometry as it stands: a GeoPackage header and WKB.
    pub geometry: Option<Vec<u8>>,
    /// The other columns.
    pub properties: Properties,
}

/// The rows of a layer, in order.
#[derive(Debug)]
pub struct LayerRows {
    rows: Receiver<Result<Vec<LayerRow>, ForeignError>>,
    batch: std::vec::IntoIter<LayerRow>,
    /// The system that the layer names, where it names one.
    pub srs: Option<Srs>,
}

struct Layer {
    table: String,
    geometry: String,
    srs: Option<Srs>,
    /// Names and whether they are declared as booleans.
    columns: Vec<(Arc<str>, bool)>,
}

impl LayerRows {
    /// Opens the layer named `layer`, or the only one.
    ///
    /// # Errors
    /// It is no GeoPackage, has no such layer, or has several and none is named.
    pub fn open(file: &Path, layer: Option<&str>) -> Result<Self, ForeignError> {
        let (head, opened) = sync_channel(1);
        let (rows, received) = sync_channel(WAITING);
        let (file, wanted) = (PathBuf::from(file), layer.map(str::to_owned));
        // Detached: it ends when its rows are read, or when nobody takes them any more.
        in_thread(move || async move {
            let opened = async {
                let mut connection = connect(&file).await?;
                let layer = choose(&mut connection, wanted.as_deref()).await?;
                Ok::<_, ForeignError>((connection, layer))
            };
            match opened.await {
                Err(error) => drop(head.send(Err(error))),
                Ok((mut connection, layer)) => {
                    if head.send(Ok(layer.srs.clone())).is_ok()
                        && let Err(error) = stream(&mut connection, &layer, &rows).await
                    {
                        drop(rows.send(Err(error)));
                    }
                    connection.close().await?;
                }
            }
            Ok(())
        })?;
        let srs = opened.recv().map_err(|_| ForeignError::Thread("it could not be opened".into()))??;
        Ok(Self { rows: received, batch: Vec::new().into_iter(), srs })
    }
}

impl Iterator for LayerRows {
    type Item = Result<LayerRow, ForeignError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.batch.next() {
                return Some(Ok(row));
            }
            match self.rows.recv() {
                Ok(Ok(batch)) => self.batch = batch.into_iter(),
                Ok(Err(error)) => return Some(Err(error)),
                Err(_) => return None,
            }
        }
    }
}

async fn connect(file: &Path) -> Result<SqliteConnection, ForeignError> {
    let log = PathBuf::from(format!("{}-wal", file.display()));
    // Without a log beside it the file is all there is, and can be read where nothing
    // may be written, not even a lock.
    let is_whole = std::fs::metadata(log).map_or(true, |log| log.len() == 0);
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(is_whole);
    Ok(options.connect().await?)
}

async fn choose(connection: &mut SqliteConnection, wanted: Option<&str>) -> Result<Layer, ForeignError> {
    let is_package = sqlx::query("select 1 from sqlite_master where name = 'gpkg_geometry_columns'");
    if is_package.fetch_optional(&mut *connection).await?.is_none() {
        return Err(ForeignError::Shape("it is an SQLite file, but no GeoPackage".into()));
    }
    let all: Vec<(String, String, i64)> = sqlx::query_as(
        "select g.table_name, g.column_name, g.srs_id from gpkg_geometry_columns g \
         join gpkg_contents c on lower(c.table_name) = lower(g.table_name) \
         where c.data_type = 'features' order by g.table_name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let names = || all.iter().map(|(table, ..)| table.as_str()).collect::<Vec<_>>().join(", ");
    let (table, geometry, srs_id) = match (wanted, all.as_slice()) {
        (_, []) => return Err(ForeignError::Shape("it has no layer of features".into())),
        (None, [one]) => one.clone(),
        (None, _) => {
            return Err(ForeignError::Choice(format!("name one of its layers with --from-layer: {}", names())));
        }
        (Some(wanted), _) => all
            .iter()
            .find(|(table, ..)| table.eq_ignore_ascii_case(wanted))
            .cloned()
            .ok_or_else(|| ForeignError::Choice(format!("it has no layer {wanted:?}; it has {}", names())))?,
    };
    let srs: Option<(String, i64, String)> = sqlx::query_as(
        "select organization, organization_coordsys_id, definition from gpkg_spatial_ref_sys where srs_id = ?",
    )
    .bind(srs_id)
    .fetch_optional(&mut *connection)
    .await?;
    // 0 and -1 stand for systems that are not known.
    let srs = srs.filter(|_| srs_id > 0).map(|(organization, code, definition)| Srs { organization, code, definition });
    let columns: Vec<(String, String)> =
        sqlx::query_as("select name, type from pragma_table_info(?)").bind(&table).fetch_all(&mut *connection).await?;
    let columns = columns
        .into_iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case(&geometry))
        .map(|(name, kind)| (Arc::from(name), kind.eq_ignore_ascii_case("boolean")))
        .collect();
    Ok(Layer { table, geometry, srs, columns })
}

type Rows = SyncSender<Result<Vec<LayerRow>, ForeignError>>;

async fn stream(connection: &mut SqliteConnection, layer: &Layer, rows: &Rows) -> Result<(), ForeignError> {
    let mut sql = format!("select rowid, {}", quoted(&layer.geometry));
    for (name, _) in &layer.columns {
        sql.push_str(", ");
        sql.push_str(&quoted(name));
    }
    sql.push_str(" from ");
    sql.push_str(&quoted(&layer.table));
    // Every name in it is quoted.
    let mut found = sqlx::query(AssertSqlSafe(sql)).fetch(connection);
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(row) = found.try_next().await? {
        batch.push(decoded(&row, layer)?);
        if batch.len() == BATCH && rows.send(Ok(std::mem::take(&mut batch))).is_err() {
            return Ok(());
        }
    }
    // Nobody takes it: then nobody misses it.
    drop(rows.send(Ok(batch)));
    Ok(())
}

fn decoded(row: &SqliteRow, layer: &Layer) -> Result<LayerRow, ForeignError> {
    let properties = layer.columns.iter().enumerate().map(|(i, (name, is_bool))| {
        let value = match (value(row, i + 2)?, is_bool) {
            (Value::Integer(x), true) => Value::Bool(x != 0),
            (value, _) => value,
        };
        Ok((Arc::clone(name), value))
    });
    Ok(LayerRow {
        rowid: row.try_get_unchecked(0)?,
        geometry: row.try_get_unchecked(1)?,
        properties: properties.collect::<Result<_, ForeignError>>()?,
    })
}

/// By what the cell holds: a column of SQLite may hold anything.
fn value(row: &SqliteRow, i: usize) -> Result<Value, ForeignError> {
    let cell = row.try_get_raw(i)?;
    let is_null = cell.is_null();
    let kind = cell.type_info().name().to_owned();
    Ok(match kind.as_str() {
        _ if is_null => Value::Null,
        "BLOB" => Value::Null,
        "INTEGER" => Value::Integer(row.try_get_unchecked(i)?),
        "REAL" => {
            let x: f64 = row.try_get_unchecked(i)?;
            if x.is_finite() { Value::Real(x) } else { Value::Null }
        }
        _ => Value::Text(row.try_get_unchecked::<String, _>(i)?.into()),
    })
}
