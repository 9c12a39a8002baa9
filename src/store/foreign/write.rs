//! A GeoPackage of one layer, for others to read and edit.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use boundaries::Bounds;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::{ForeignError, WAITING, Writing, in_thread, quoted};
use crate::feature::{Geometry, Value};
use crate::snapshot::{Field, Kind};
use crate::store::blob::{self, Parts};

/// Bound values in one statement: what SQLite allows.
const LIMIT_BINDS: usize = 32_000;

/// WGS-84 as OGC 12-128r18 wants it spelt.
const WGS84: &str = r#"GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]"#;

/// A row on its way: its geometry packed, the box around it, a value for each field.
struct Packed {
    geometry: Vec<u8>,
    bounds: Bounds,
    values: Vec<Value>,
}

/// A GeoPackage that is being written.
#[derive(Debug)]
pub struct LayerOut(Writing<Packed>);

impl LayerOut {
    /// Begins a file with one layer. `geometry_type` is its name in the standard
    /// (`MULTIPOLYGON` ...). The file must not exist.
    ///
    /// # Errors
    /// The thread that writes can't be started; what SQLite says comes with the rows.
    pub fn create(
        file: &Path,
        layer: &str,
        geometry_type: &'static str,
        fields: &[Field],
    ) -> Result<Self, ForeignError> {
        let (sender, rows) = sync_channel(WAITING);
        let (file, layer, fields) = (PathBuf::from(file), layer.to_owned(), fields.to_vec());
        let thread = in_thread(move || async move { fill(&file, &layer, geometry_type, &fields, &rows).await })?;
        Ok(Self(Writing { sender: Some(sender), batch: Vec::new(), thread: Some(thread) }))
    }

    /// Puts a row at the end: a value for each field.
    ///
    /// # Errors
    /// What SQLite said to this row or an earlier one.
    pub fn push(&mut self, geometry: &Geometry, values: Vec<Value>) -> Result<(), ForeignError> {
        let packed = blob::geopackage(geometry, Parts::Multi);
        self.0.push(Packed { geometry: packed, bounds: geometry.bounds(), values })
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn finish(self) -> Result<(), ForeignError> {
        self.0.finish()
    }
}

/// A file for one writer that appears whole or not at all: no journal is kept.
pub(super) async fn connect(file: &Path) -> Result<SqliteConnection, ForeignError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off);
    Ok(options.connect().await?)
}

async fn fill(
    file: &Path,
    layer: &str,
    geometry_type: &str,
    fields: &[Field],
    rows: &Receiver<Vec<Packed>>,
) -> Result<(), ForeignError> {
    let mut connection = connect(file).await?;
    let mut all = Bounds::EMPTY;
    let mut next_id = 1_i64;
    sqlx::raw_sql(AssertSqlSafe(schema(layer, geometry_type, fields))).execute(&mut connection).await?;
    sqlx::query("begin").execute(&mut connection).await?;
    while let Ok(batch) = rows.recv() {
        for some in batch.chunks((LIMIT_BINDS / (fields.len() + 2)).clamp(1, 500)) {
            insert(&mut connection, layer, fields, next_id, some).await?;
            all = some.iter().fold(all, |all, row| all.union(row.bounds));
            next_id += some.len() as i64;
        }
    }
    sqlx::query(
        "insert into gpkg_contents (table_name, data_type, identifier, min_x, min_y, max_x, max_y, srs_id) \
         values (?1, 'features', ?1, ?2, ?3, ?4, ?5, 4326)",
    )
    .bind(layer)
    .bind((!all.is_empty()).then(|| all.min.lon()))
    .bind((!all.is_empty()).then(|| all.min.lat()))
    .bind((!all.is_empty()).then(|| all.max.lon()))
    .bind((!all.is_empty()).then(|| all.max.lat()))
    .execute(&mut connection)
    .await?;
    sqlx::query("insert into gpkg_geometry_columns values (?, 'geom', ?, 4326, 0, 0)")
        .bind(layer)
        .bind(geometry_type)
        .execute(&mut connection)
        .await?;
    sqlx::query("insert into gpkg_extensions values (?, 'geom', 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')")
        .bind(layer)
        .execute(&mut connection)
        .await?;
    sqlx::query("commit").execute(&mut connection).await?;
    // Last, so that our own rows, whose boxes are known, do not run through them.
    sqlx::raw_sql(AssertSqlSafe(triggers(layer))).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    layer: &str,
    fields: &[Field],
    first_id: i64,
    rows: &[Packed],
) -> Result<(), ForeignError> {
    let names: String = fields.iter().map(|field| format!(", {}", quoted(&field.name))).collect();
    let mut sql = QueryBuilder::<Sqlite>::new(format!("insert into {} (fid, geom{names}) ", quoted(layer)));
    sql.push_values((first_id..).zip(rows), |mut values, (id, row)| {
        values.push_bind(id).push_bind(row.geometry.as_slice());
        for value in &row.values {
            match value {
                Value::Null => values.push_bind(None::<i64>),
                Value::Bool(x) => values.push_bind(i64::from(*x)),
                Value::Integer(x) => values.push_bind(*x),
                Value::Real(x) => values.push_bind(*x),
                Value::Text(x) => values.push_bind(x.as_ref()),
            };
        }
    });
    sql.build().execute(&mut *connection).await?;
    // What has no ground has no box.
    let boxed: Vec<(i64, &Packed)> = (first_id..).zip(rows).filter(|(_, row)| !row.bounds.is_empty()).collect();
    if boxed.is_empty() {
        return Ok(());
    }
    let mut sql = QueryBuilder::<Sqlite>::new(format!("insert into {} ", quoted(&index(layer))));
    sql.push_values(boxed, |mut values, (id, row)| {
        let [min, max] = [row.bounds.min, row.bounds.max];
        values.push_bind(id).push_bind(min.lon()).push_bind(max.lon()).push_bind(min.lat()).push_bind(max.lat());
    });
    sql.build().execute(&mut *connection).await?;
    Ok(())
}

fn index(layer: &str) -> String {
    format!("rtree_{layer}_geom")
}

fn schema(layer: &str, geometry_type: &str, fields: &[Field]) -> String {
    let columns: String = fields
        .iter()
        .map(|field| {
            let kind = match field.kind {
                Kind::Text => "text",
                Kind::Integer => "integer",
                Kind::Real => "real",
                Kind::Bool => "boolean",
            };
            format!(", {} {kind}", quoted(&field.name))
        })
        .collect();
    let wgs84 = WGS84.replace('\'', "''");
    format!(
        "pragma application_id = {application_id}; pragma user_version = 10300;
        create table gpkg_spatial_ref_sys (
            srs_name text not null, srs_id integer not null primary key, organization text not null,
            organization_coordsys_id integer not null, definition text not null, description text);
        insert into gpkg_spatial_ref_sys values
            ('Undefined cartesian SRS', -1, 'NONE', -1, 'undefined', null),
            ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', null),
            ('WGS 84 geodetic', 4326, 'EPSG', 4326, '{wgs84}', 'longitude/latitude in decimal degrees');
        create table gpkg_contents (
            table_name text not null primary key, data_type text not null, identifier text unique,
            description text default '', last_change datetime not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            min_x double, min_y double, max_x double, max_y double, srs_id integer,
            constraint fk_gc_r_srs_id foreign key (srs_id) references gpkg_spatial_ref_sys (srs_id));
        create table gpkg_geometry_columns (
            table_name text not null unique, column_name text not null, geometry_type_name text not null,
            srs_id integer not null, z tinyint not null, m tinyint not null,
            constraint pk_geom_cols primary key (table_name, column_name),
            constraint fk_gc_tn foreign key (table_name) references gpkg_contents (table_name),
            constraint fk_gc_srs foreign key (srs_id) references gpkg_spatial_ref_sys (srs_id));
        create table gpkg_extensions (
            table_name text, column_name text, extension_name text not null, definition text not null,
            scope text not null, constraint ge_tce unique (table_name, column_name, extension_name));
        create table {table} (fid integer primary key autoincrement not null, geom {geometry_type}{columns});
        create virtual table {index} using rtree (id, minx, maxx, miny, maxy);",
        application_id = 0x4750_4b47,
        table = quoted(layer),
        index = quoted(&index(layer)),
    )
}

/// The triggers that keep the R-tree true while others edit (the extension's own text;
/// the functions in them are brought by whoever edits).
fn triggers(layer: &str) -> String {
    let (t, r) = (quoted(layer), quoted(&index(layer)));
    let name = |of: &str| quoted(&format!("{}_{of}", index(layer)));
    let has = |row: &str| format!("({row}.geom notnull and not st_isempty({row}.geom))");
    let lacks = |row: &str| format!("({row}.geom isnull or st_isempty({row}.geom))");
    let boxed = "(new.fid, st_minx(new.geom), st_maxx(new.geom), st_miny(new.geom), st_maxy(new.geom))";
    let (new, old, no_new, no_old) = (has("new"), has("old"), lacks("new"), lacks("old"));
    format!(
        "create trigger {insert} after insert on {t} when {new}
            begin insert or replace into {r} values {boxed}; end;
        create trigger {update6} after update of geom on {t} when old.fid = new.fid and {new} and {old}
            begin update {r} set minx = st_minx(new.geom), maxx = st_maxx(new.geom), miny = st_miny(new.geom),
                maxy = st_maxy(new.geom) where id = new.fid; end;
        create trigger {update7} after update of geom on {t} when old.fid = new.fid and {new} and {no_old}
            begin insert into {r} values {boxed}; end;
        create trigger {update2} after update of geom on {t} when old.fid = new.fid and {no_new}
            begin delete from {r} where id = old.fid; end;
        create trigger {update5} after update on {t} when old.fid != new.fid and {new}
            begin delete from {r} where id = old.fid; insert or replace into {r} values {boxed}; end;
        create trigger {update4} after update on {t} when old.fid != new.fid and {no_new}
            begin delete from {r} where id in (old.fid, new.fid); end;
        create trigger {delete} after delete on {t} when old.geom notnull
            begin delete from {r} where id = old.fid; end;",
        insert = name("insert"),
        update6 = name("update6"),
        update7 = name("update7"),
        update2 = name("update2"),
        update5 = name("update5"),
        update4 = name("update4"),
        delete = name("delete"),
    )
}
