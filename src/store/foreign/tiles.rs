//! MBTiles: a pyramid of tiles in one SQLite file (MBTiles 1.3). Tiles of the same bytes are
//! kept once: `tiles` is a view, as the format allows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use sha2::{Digest as _, Sha256};
use sqlx::{Connection, QueryBuilder, Sqlite};

use super::write::connect;
use super::{ForeignError, WAITING, Writing, in_thread};

/// A tile of the pyramid: zoom, column, row from the north, and its bytes.
type Tile = (u8, u32, u32, Vec<u8>);

/// An MBTiles file that is being written.
#[derive(Debug)]
pub struct TilesOut(Writing<Tile>);

impl TilesOut {
    /// Begins a file. `metadata` is names and values as the format describes them. The
    /// file must not exist.
    ///
    /// # Errors
    /// The thread that writes can't be started; what SQLite says comes with the tiles.
    pub fn create(file: &Path, metadata: Vec<(String, String)>) -> Result<Self, ForeignError> {
        let (sender, tiles) = sync_channel(WAITING);
        let file = PathBuf::from(file);
        let thread = in_thread(move || async move { fill(&file, &metadata, &tiles).await })?;
        Ok(Self(Writing { sender: Some(sender), batch: Vec::new(), thread: Some(thread) }))
    }

    /// Puts a tile in: `y` counts from the north, the bytes are gzip.
    ///
    /// # Errors
    /// What SQLite said to this tile or an earlier one.
    pub fn push(&mut self, zoom: u8, x: u32, y: u32, gzip: Vec<u8>) -> Result<(), ForeignError> {
        self.0.push((zoom, x, y, gzip))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn finish(self) -> Result<(), ForeignError> {
        self.0.finish()
    }
}

async fn fill(file: &Path, metadata: &[(String, String)], tiles: &Receiver<Vec<Tile>>) -> Result<(), ForeignError> {
    let mut connection = connect(file).await?;
    sqlx::raw_sql(
        "pragma application_id = 1297105496;
        create table metadata (name text, value text);
        create table images (tile_id integer primary key, tile_data blob);
        create table map (zoom_level integer, tile_column integer, tile_row integer, tile_id integer);
        create view tiles as select zoom_level, tile_column, tile_row, tile_data from map join images using (tile_id);
        begin;",
    )
    .execute(&mut connection)
    .await?;
    for (name, value) in metadata {
        sqlx::query("insert into metadata values (?, ?)").bind(name).bind(value).execute(&mut connection).await?;
    }
    let mut known: HashMap<[u8; 32], i64> = HashMap::new();
    while let Ok(batch) = tiles.recv() {
        if batch.is_empty() {
            continue;
        }
        let (mut places, mut fresh) = (Vec::with_capacity(batch.len()), Vec::new());
        for (zoom, x, y, data) in &batch {
            let next = known.len() as i64;
            let id = *known.entry(Sha256::digest(data).into()).or_insert_with(|| {
                fresh.push((next, data));
                next
            });
            // Rows count from the south in this format.
            places.push([i64::from(*zoom), i64::from(*x), (1_i64 << zoom) - 1 - i64::from(*y), id]);
        }
        if !fresh.is_empty() {
            let mut sql = QueryBuilder::<Sqlite>::new("insert into images ");
            sql.push_values(&fresh, |mut row, (id, data)| _ = row.push_bind(*id).push_bind(data.as_slice()));
            sql.build().execute(&mut connection).await?;
        }
        let mut sql = QueryBuilder::<Sqlite>::new("insert into map ");
        sql.push_values(&places, |mut row, place| place.iter().for_each(|value| _ = row.push_bind(*value)));
        sql.build().execute(&mut connection).await?;
    }
    sqlx::raw_sql("commit; create unique index map_index on map (zoom_level, tile_column, tile_row);")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
