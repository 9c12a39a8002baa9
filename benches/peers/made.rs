//! Making a tile, past every cache and unpacked: this service's code against ST_AsMVT, by
//! processor time alone; and the slowest tiles of the city.

use std::collections::BTreeSet;

use boundaries::{Level, Point};
use gridatlas::snapshot::Snapshot;
use gridatlas::store::Store;
use gridatlas::tiling::{AreaTiles, Datum, Encoding, LayerList, TileOptions, Tiler, Wish};
use jiff::Timestamp;
use sqlx::{PgConnection, Row as _};
use tiles::{Scratch, TileCoord, World};

use crate::city::Random;
use crate::database;
use crate::table::{Bar, Table, on_processor_s, short};
use crate::work;

/// Tiles of a zoom that are made, at most.
const TILES: usize = 120;

/// Of the slowest of how many tiles of a zoom the time is told.
const SLOWEST_OF: usize = 1500;

/// The zooms, whether buildings are drawn, and how many times less it is to take.
const ROWS: [(u8, bool, Bar); 6] = [
    (8, false, Bar::AtLeast(60.0)),
    (10, false, Bar::AtLeast(60.0)),
    (12, false, Bar::None),
    (14, false, Bar::None),
    (14, true, Bar::AtLeast(30.0)),
    (16, true, Bar::None),
];

const GRIDS: &str = "(select st_asmvt(t, 'grid', 4096, 'g') from (select code, name, parent, kind, \
    st_asmvtgeom(geom, st_tileenvelope($1, $2, $3), 4096, 64, true) g from grid_3857 \
    where geom && st_tileenvelope($1, $2, $3, margin => 64.0 / 4096)) t where g is not null)";
const BUILDINGS: &str = "(select st_asmvt(t, 'building', 4096, 'g') from (select id, name, floors, \
    st_asmvtgeom(geom, st_tileenvelope($1, $2, $3), 4096, 64, true) g from building_3857 \
    where geom && st_tileenvelope($1, $2, $3, margin => 64.0 / 4096)) t where g is not null)";

/// Adds the rows.
pub fn rows(table: &mut Table) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let store = work::city_store(crate::BUILDINGS)?.display().to_string();
    let snapshot = runtime.block_on(async {
        let store = Store::open(&store).await?;
        store.load(None, Timestamp::now()).await
    });
    let snapshot = snapshot.map_err(|e| e.to_string())?;
    let url = runtime.block_on(database::city())?;
    let (mut connection, stat) = runtime.block_on(database::connected(&url))?;

    let view = snapshot.coverages[0].clone();
    let areas = AreaTiles::new(&view.coverage, Datum::Wgs84);
    let finest = Level(view.levels().len() as u8 - 1);
    let both = Maker::of(&snapshot, "grid,building");
    for (z, with_buildings, bar) in ROWS {
        let tiles = some_tiles(&snapshot, z, TILES);
        let sql = if with_buildings { format!("select {GRIDS} || {BUILDINGS}") } else { format!("select {GRIDS}") };
        let mut scratch = Scratch::default();
        let mut ours = |tile: TileCoord| match with_buildings {
            true => both.make(tile),
            // Grids have no lowest zoom here, as in the database.
            false => areas.areas(&mut scratch, "grid", finest, tile).map_or(0, |bytes| bytes.len()),
        };
        for tile in &tiles {
            ours(*tile);
        }
        let (mut our_ms, mut their_ms) = (f64::INFINITY, f64::INFINITY);
        let (mut our_bytes, mut their_bytes) = (0, 0);
        for _ in 0..3 {
            let (seconds, bytes) = on_processor_s(|| tiles.iter().map(|tile| ours(*tile)).sum::<usize>());
            (our_ms, our_bytes) = (our_ms.min(seconds * 1e3), bytes);
            let before_ms = database::processor_ms(&stat);
            their_bytes = runtime.block_on(from_database(&mut connection, &sql, &tiles))?;
            their_ms = their_ms.min(database::processor_ms(&stat) - before_ms);
        }
        let what = if with_buildings { "grids and buildings" } else { "grids" };
        let each = |ms: f64, bytes: usize| {
            let n = tiles.len() as f64;
            format!("{} ms, {} kB", short(ms / n), short(bytes as f64 / n / 1e3))
        };
        table.ratio(
            &format!("a tile of {what} made at z{z}, against ST_AsMVT, processor time"),
            each(our_ms, our_bytes),
            each(their_ms, their_bytes),
            their_ms / our_ms,
            bar,
        );
    }

    let all = Maker::of(&snapshot, "district,street,community,grid,label_grid,building");
    for z in 8..=16 {
        let mut times_ms: Vec<f64> = some_tiles(&snapshot, z, SLOWEST_OF)
            .into_iter()
            .map(|tile| (0..3).map(|_| on_processor_s(|| all.make(tile)).0 * 1e3).fold(f64::INFINITY, f64::min))
            .collect();
        times_ms.sort_by(f64::total_cmp);
        let p99 = times_ms[(times_ms.len() - 1) * 99 / 100];
        table.value(&format!("any tile of all layers at z{z}, p99 in ms"), p99, Bar::AtMost(8.0));
    }
    Ok(())
}

/// Tiles around nodes of the graph, so where the city is.
pub fn some_tiles(snapshot: &Snapshot, z: u8, most: usize) -> Vec<TileCoord> {
    let nodes: Vec<Point> = snapshot.coverages[0].coverage.borders().map(|(_, b)| b.line[0]).collect();
    let mut random = Random(u64::from(z));
    let at = |p: Point| TileCoord::of(World::from_e7(p.x, p.y), z);
    let some: BTreeSet<TileCoord> =
        (0..most * 4).filter_map(|_| at(nodes[random.below(nodes.len() as u64) as usize])).collect();
    let all: Vec<TileCoord> = some.into_iter().collect();
    let step = all.len().div_ceil(most).max(1);
    all.into_iter().step_by(step).collect()
}

struct Maker<'a> {
    snapshot: &'a Snapshot,
    list: LayerList,
    tiler: Tiler,
}

impl<'a> Maker<'a> {
    fn of(snapshot: &'a Snapshot, layers: &str) -> Self {
        let view = &snapshot.coverages[0];
        // The attributes that the database is asked for.
        let wish = Wish { fields: Some("building.name,building.floors"), ..Wish::default() };
        let list = LayerList::parse(layers, view.levels(), snapshot.layers.keys()).unwrap();
        let list = list.choosing(&wish, snapshot).unwrap();
        let tiler = Tiler::new(0);
        tiler.prepare(view, Datum::Wgs84, &|| true);
        Self { snapshot, list, tiler }
    }

    fn make(&self, tile: TileCoord) -> usize {
        let options = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Identity };
        let made = self.tiler.tile(self.snapshot, &self.snapshot.coverages[0], &self.list, tile, options);
        made.unwrap().map_or(0, |tile| tile.bytes.len())
    }
}

async fn from_database(connection: &mut PgConnection, sql: &str, tiles: &[TileCoord]) -> Result<usize, String> {
    let mut bytes = 0;
    for tile in tiles {
        let place = [i32::from(tile.z()), tile.x() as i32, tile.y() as i32];
        let query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(place[0]).bind(place[1]).bind(place[2]);
        let row = query.fetch_one(&mut *connection).await.map_err(|e| e.to_string())?;
        bytes += row.get::<Option<Vec<u8>>, _>(0).map_or(0, |tile| tile.len());
    }
    Ok(bytes)
}
