//! GeoPackages and MBTiles that are made to be given away: one file, no journal left
//! beside it, finished in one transaction.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use super::ForeignError;
use crate::feature::Feature;
use crate::snapshot::{Field, fitted};
use crate::store::layers::{self, Record};
use crate::store::sql::{Arg, Tx};
use crate::store::{Error, blob, names};

/// Features that are written together.
const BATCH: usize = 500;

impl From<Error> for ForeignError {
    fn from(e: Error) -> Self {
        Self(match e {
            Error::Full => "no room is left on the disk".into(),
            Error::Database { source, .. } => source.to_string(),
            other => other.to_string(),
        })
    }
}

/// A database that is being filled, by a runtime of its own.
struct Filling {
    runtime: tokio::runtime::Runtime,
    pool: SqlitePool,
    tx: Option<Tx>,
}

impl Filling {
    fn create(path: &Path, pragmas: &[(&'static str, &'static str)]) -> Result<Self, ForeignError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| ForeignError(e.to_string()))?;
        let mut options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // The file is worth nothing until it is finished, so nothing guards it before.
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off);
        for (name, value) in pragmas {
            options = options.pragma(*name, *value);
        }
        let (pool, tx) = wait(&runtime, async {
            let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
            let pool = one.connect_with(options).await?;
            let tx = pool.begin().await?;
            Ok::<_, ForeignError>((pool, Tx::Lite(tx)))
        })?;
        Ok(Self { runtime, pool, tx: Some(tx) })
    }

    fn with<T: Send>(&mut self, work: impl AsyncFnOnce(&mut Tx) -> Result<T, Error>) -> Result<T, ForeignError> {
        let Self { runtime, tx, .. } = self;
        let tx = tx.as_mut().ok_or_else(|| ForeignError("the file is finished".into()))?;
        runtime.block_on(work(tx)).map_err(ForeignError::from)
    }

    fn finish(mut self) -> Result<(), ForeignError> {
        let (tx, pool) = (self.tx.take(), self.pool.clone());
        wait(&self.runtime, async {
            if let Some(tx) = tx {
                tx.commit().await?;
            }
            pool.close().await;
            Ok(())
        })
    }
}

fn wait<T>(
    runtime: &tokio::runtime::Runtime,
    work: impl Future<Output = Result<T, ForeignError>>,
) -> Result<T, ForeignError> {
    runtime.block_on(work)
}

/// A GeoPackage with one layer of features, that is being written. To be used on a
/// thread that does no async work.
pub struct GeoPackageWriter {
    filling: Filling,
    table: String,
    fields: Vec<Field>,
    columns: Vec<String>,
    waiting: Vec<Record>,
    written: u32,
}

impl GeoPackageWriter {
    /// Begins a file. `geometry` is the type that the layer declares: `POINT`,
    /// `MULTILINESTRING`, `MULTIPOLYGON` or `GEOMETRY`.
    ///
    /// # Errors
    ///
    /// A path that can't be written to, or a file that is there already.
    pub fn create(path: &Path, layer: &str, geometry: &str, fields: &[Field]) -> Result<Self, ForeignError> {
        if std::fs::metadata(path).is_ok_and(|m| m.len() > 0) {
            return Err(ForeignError("it exists already".into()));
        }
        let mut filling = Filling::create(path, &[("application_id", "1196444487"), ("user_version", "10300")])?;
        let mut columns = Vec::new();
        for field in fields {
            columns.push(names::export_column(&field.name, &columns));
        }
        let base = include_str!("../../../migrations/geopackage/0001_ground.sql");
        // Only what makes a file a GeoPackage, not the tables of a store.
        let base = base.split("-- What the store is").next().unwrap_or_default();
        filling.with(async |tx| {
            tx.script(base).await?;
            let kinds = fields.iter().map(|f| layers::sql_type(tx, f.kind));
            let typed: Vec<(String, &str)> = columns.iter().cloned().zip(kinds).collect();
            layers::create_table(tx, layer, &geometry.to_lowercase(), &typed, "").await
        })?;
        Ok(Self { filling, table: layer.into(), fields: fields.to_vec(), columns, waiting: Vec::new(), written: 0 })
    }

    /// Puts a feature at the end. What is no field of the layer is left out.
    ///
    /// # Errors
    ///
    /// A file that can't be written to.
    pub fn write(&mut self, feature: &Feature) -> Result<(), ForeignError> {
        let values = self.fields.iter().map(|field| {
            let value = feature.properties.iter().find(|(name, _)| *name == field.name);
            let value = value.and_then(|(_, v)| fitted(v, field.kind)).unwrap_or(crate::feature::Value::Null);
            layers::value_arg(&value, field.kind)
        });
        self.written += 1;
        let record = Record { number: self.written, geometry: feature.geometry.clone(), values: values.collect() };
        self.waiting.push(record);
        if self.waiting.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ForeignError> {
        let Self { filling, table, columns, waiting, .. } = self;
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let some = std::mem::take(waiting);
        filling.with(async |tx| layers::insert(tx, table, &columns, blob::Parts::Multi, some).await)
    }

    /// Ends the file. Returns how many features it holds.
    ///
    /// # Errors
    ///
    /// A file that can't be written to.
    pub fn finish(mut self) -> Result<u64, ForeignError> {
        self.flush()?;
        // What is done with the file is no longer our business: from here on, programs
        // that edit it keep its index themselves.
        let triggers = layers::rtree_triggers(&self.table);
        self.filling.with(async |tx| tx.script(triggers).await)?;
        self.filling.finish()?;
        Ok(u64::from(self.written))
    }
}

/// An MBTiles file (1.3) that is being written. To be used on a thread that does no
/// async work.
pub struct MbTilesWriter {
    filling: Filling,
    waiting: Vec<Vec<Arg>>,
}

impl MbTilesWriter {
    /// Begins a file with its metadata: `name`, `format`, `minzoom`, `json` and the like.
    ///
    /// # Errors
    ///
    /// A path that can't be written to, or a file that is there already.
    pub fn create(path: &Path, metadata: &[(&str, String)]) -> Result<Self, ForeignError> {
        if std::fs::metadata(path).is_ok_and(|m| m.len() > 0) {
            return Err(ForeignError("it exists already".into()));
        }
        // "MPBX", as the specification asks for.
        let mut filling = Filling::create(path, &[("application_id", "1297105496")])?;
        let rows: Vec<Vec<Arg>> =
            metadata.iter().map(|(name, value)| vec![Arg::from(*name), Arg::from(value.as_str())]).collect();
        filling.with(async |tx| {
            tx.script(
                "create table metadata (name text primary key, value text); \
                 create table tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob); \
                 create unique index tile_index on tiles (zoom_level, tile_column, tile_row);",
            )
            .await?;
            tx.insert_many("metadata", &["name", "value"], rows).await
        })?;
        Ok(Self { filling, waiting: Vec::new() })
    }

    /// Puts a tile, gzipped or not, at its place; `y` counts from the north, as in URLs.
    ///
    /// # Errors
    ///
    /// A file that can't be written to.
    pub fn write(&mut self, z: u8, x: u32, y: u32, data: Vec<u8>) -> Result<(), ForeignError> {
        // The format counts rows from the south.
        let row = (1i64 << z) - 1 - i64::from(y);
        self.waiting.push(vec![u32::from(z).into(), x.into(), row.into(), Arg::Blob(data)]);
        if self.waiting.len() >= BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), ForeignError> {
        let some = std::mem::take(&mut self.waiting);
        let columns = ["zoom_level", "tile_column", "tile_row", "tile_data"];
        self.filling.with(async |tx| tx.insert_many("tiles", &columns, some).await)
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// A file that can't be written to.
    pub fn finish(mut self) -> Result<(), ForeignError> {
        self.flush()?;
        self.filling.finish()
    }
}
