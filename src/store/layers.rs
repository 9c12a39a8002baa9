//! The layers of features: their tables and how rows become columns in memory.

use std::sync::Arc;

use boundaries::Bounds;

use super::names;
use super::sql::{Arg, Row, Tx, quoted};
use super::{Error, Store, blob};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::{Cell, DEFAULT_COVERAGE, Field, Kind, Layer, Table};

/// A layer as the store knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its fields, in the order of their columns.
    pub fields: Vec<Field>,
    pub(super) table: String,
    /// The column of each field.
    pub(super) columns: Vec<String>,
    pub(super) next_number: u32,
}

impl Store {
    /// The layers by name.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn layers(&self) -> Result<Vec<LayerInfo>, Error> {
        layers(&mut self.reading().await?).await
    }
}

pub(super) async fn layers(tx: &mut Tx) -> Result<Vec<LayerInfo>, Error> {
    let mut all: Vec<LayerInfo> = Vec::new();
    for row in tx.rows("select name, table_name, next_number from layer order by name", vec![]).await? {
        all.push(LayerInfo {
            name: row.str(0)?.into(),
            table: row.text(1)?,
            next_number: row.id(2)?,
            fields: Vec::new(),
            columns: Vec::new(),
        });
    }
    let sql = "select layer, name, column_name, kind from layer_field order by layer, position";
    for row in tx.rows(sql, vec![]).await? {
        let name = row.str(0)?;
        let Some(layer) = all.iter_mut().find(|l| &*l.name == name) else { continue };
        layer.fields.push(Field { name: row.str(1)?.into(), kind: kind(row.str(3)?)? });
        layer.columns.push(row.text(2)?);
    }
    Ok(all)
}

pub(super) async fn layer(tx: &mut Tx, name: &str) -> Result<Option<LayerInfo>, Error> {
    Ok(layers(tx).await?.into_iter().find(|l| &*l.name == name))
}

fn kind(name: &str) -> Result<Kind, Error> {
    Ok(match name {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "real" => Kind::Real,
        "bool" => Kind::Bool,
        other => return Err(Error::Damaged(format!("{other:?} is no kind of a field"))),
    })
}

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Real => "real",
        Kind::Bool => "bool",
    }
}

pub(super) fn sql_type(tx: &Tx, kind: Kind) -> &'static str {
    match (kind, tx.is_postgis()) {
        (Kind::Text, _) => "text",
        (Kind::Integer, false) => "integer",
        (Kind::Integer, true) => "bigint",
        (Kind::Real, false) => "double",
        (Kind::Real, true) => "double precision",
        (Kind::Bool, _) => "boolean",
    }
}

/// Makes a table of features that GIS programs list as a layer, with its index.
pub(super) async fn create_table(
    tx: &mut Tx,
    table: &str,
    geometry: &str,
    columns: &[(String, &str)],
    title: &str,
) -> Result<(), Error> {
    let q = quoted(table);
    let columns: String = columns.iter().map(|(name, kind)| format!(", {} {kind}", quoted(name))).collect();
    if tx.is_postgis() {
        let index = quoted(&format!("{table}_geom"));
        tx.script(format!(
            "create table {q} (fid bigint primary key, geom geometry({geometry}, 4326){columns}); \
             create index {index} on {q} using gist (geom);"
        ))
        .await
    } else {
        let rtree = quoted(&format!("rtree_{table}_geom"));
        tx.script(format!(
            "create table {q} (fid integer primary key not null, geom {geometry}{columns}); \
             create virtual table {rtree} using rtree(id, minx, maxx, miny, maxy);"
        ))
        .await?;
        let sql = "insert into gpkg_contents (table_name, data_type, identifier, description, srs_id) \
                   values ($1, 'features', $1, $2, 4326)";
        tx.run(sql, vec![table.into(), title.into()]).await?;
        let sql = "insert into gpkg_geometry_columns (table_name, column_name, geometry_type_name, srs_id, z, m) \
                   values ($1, 'geom', $2, 4326, 0, 0)";
        tx.run(sql, vec![table.into(), geometry.to_uppercase().as_str().into()]).await?;
        let sql = "insert into gpkg_extensions (table_name, column_name, extension_name, definition, scope) \
                   values ($1, 'geom', 'gpkg_rtree_index', 'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')";
        tx.run(sql, vec![table.into()]).await.map(drop)
    }
}

pub(super) async fn drop_table(tx: &mut Tx, table: &str) -> Result<(), Error> {
    let q = quoted(table);
    if tx.is_postgis() {
        return tx.script(format!("drop table {q}")).await;
    }
    for listing in ["gpkg_extensions", "gpkg_geometry_columns", "gpkg_contents"] {
        tx.run(format!("delete from {listing} where table_name = $1"), vec![table.into()]).await?;
    }
    tx.script(format!("drop table {}; drop table {q};", quoted(&format!("rtree_{table}_geom")))).await
}

/// A row of a table of features.
pub(super) struct Record {
    pub(super) number: u32,
    pub(super) geometry: Geometry,
    /// The values of all columns but `fid` and `geom`.
    pub(super) values: Vec<Arg>,
}

/// Inserts rows and keeps the index of a GeoPackage.
pub(super) async fn insert(
    tx: &mut Tx,
    table: &str,
    columns: &[&str],
    parts: blob::Parts,
    records: impl IntoIterator<Item = Record>,
) -> Result<(), Error> {
    let is_postgis = tx.is_postgis();
    let mut boxes = Vec::new();
    let rows = records.into_iter().map(|r| {
        let bytes = if is_postgis {
            blob::ewkb(&r.geometry, parts)
        } else {
            let bounds = r.geometry.bounds();
            if !bounds.is_empty() {
                boxes.push((r.number, bounds));
            }
            blob::geopackage(&r.geometry, parts)
        };
        let mut row = Vec::with_capacity(r.values.len() + 2);
        row.extend([r.number.into(), Arg::Geometry(bytes)]);
        row.extend(r.values);
        row
    });
    let names: Vec<&str> = ["fid", "geom"].into_iter().chain(columns.iter().copied()).collect();
    tx.insert_many(table, &names, rows).await?;
    index(tx, table, boxes).await
}

async fn index(tx: &mut Tx, table: &str, mut boxes: Vec<(u32, Bounds)>) -> Result<(), Error> {
    if boxes.is_empty() {
        return Ok(());
    }
    let all = boxes.iter().fold(Bounds::EMPTY, |all, (_, b)| all.union(*b));
    // Neighbours go into the tree one after the other, which makes it quicker and tighter.
    boxes.sort_unstable_by_key(|(number, b)| (b.min.x >> 17, b.min.y, *number));
    let rows = boxes.into_iter().map(|(number, bounds)| {
        let mut row = vec![Arg::from(number)];
        row.extend(blob::degrees(bounds).map(|d| Arg::Real(Some(d))));
        row
    });
    tx.insert_many(&format!("rtree_{table}_geom"), &["id", "minx", "maxx", "miny", "maxy"], rows).await?;
    // The extent of a layer is a hint to viewers; it may be too large after removals.
    let sql = "update gpkg_contents set last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now'), \
               min_x = min(coalesce(min_x, $2), $2), max_x = max(coalesce(max_x, $3), $3), \
               min_y = min(coalesce(min_y, $4), $4), max_y = max(coalesce(max_y, $5), $5) where table_name = $1";
    let mut args = vec![Arg::from(table)];
    args.extend(blob::degrees(all).map(|d| Arg::Real(Some(d))));
    tx.run(sql, args).await.map(drop)
}

/// Deletes rows by number, and from the index of a GeoPackage.
pub(super) async fn delete(tx: &mut Tx, table: &str, numbers: &[i64]) -> Result<(), Error> {
    tx.delete_many(table, "fid", numbers).await?;
    if !tx.is_postgis() {
        tx.delete_many(&format!("rtree_{table}_geom"), "id", numbers).await?;
    }
    Ok(())
}

/// Makes a layer: its table, with the columns of owners in the coverages there are.
pub(super) async fn create(
    tx: &mut Tx,
    name: &str,
    fields: &[Field],
    coverages: &[Arc<str>],
) -> Result<LayerInfo, Error> {
    names::checked("layer", name)?;
    let table = names::layer_table(name);
    let default = Arc::from(DEFAULT_COVERAGE);
    let mut columns = vec![("id".to_owned(), "text not null unique")];
    // The default coverage's columns are always there, so that the layer looks the same from the start.
    let others = coverages.iter().filter(|c| **c != default);
    for coverage in std::iter::once(&default).chain(others) {
        columns.extend(names::owner_columns(coverage).map(|c| (c, "text")));
    }
    create_table(tx, &table, "geometry", &columns, "").await?;
    tx.run(
        "insert into layer (name, table_name, next_number) values ($1, $2, 1)",
        vec![name.into(), table.as_str().into()],
    )
    .await?;
    let mut layer = LayerInfo { name: name.into(), fields: Vec::new(), table, columns: Vec::new(), next_number: 1 };
    add_fields(tx, &mut layer, fields).await?;
    Ok(layer)
}

/// Adds the fields that a layer lacks.
pub(super) async fn add_fields(tx: &mut Tx, layer: &mut LayerInfo, fields: &[Field]) -> Result<(), Error> {
    for field in fields {
        if layer.fields.iter().any(|f| f.name == field.name) {
            continue;
        }
        // Within the limits of both databases, owners of coverages to come included.
        if layer.fields.len() >= 500 {
            return Err(Error::Refused(format!("layer {} would have more than 500 fields", layer.name)));
        }
        let column = names::column(&field.name, &layer.columns);
        let kind = sql_type(tx, field.kind);
        tx.script(format!("alter table {} add column {} {kind}", quoted(&layer.table), quoted(&column))).await?;
        tx.run(
            "insert into layer_field (layer, position, name, column_name, kind) values ($1, $2, $3, $4, $5)",
            vec![
                Arg::from(&*layer.name),
                (layer.fields.len() as u64).into(),
                Arg::from(&*field.name),
                column.as_str().into(),
                kind_name(field.kind).into(),
            ],
        )
        .await?;
        layer.fields.push(field.clone());
        layer.columns.push(column);
    }
    Ok(())
}

/// Gives every layer the columns of a new coverage's owners.
pub(super) async fn add_coverage(tx: &mut Tx, coverage: &str) -> Result<(), Error> {
    if coverage == DEFAULT_COVERAGE {
        return Ok(());
    }
    for layer in layers(tx).await? {
        for column in names::owner_columns(coverage) {
            tx.script(format!("alter table {} add column {} text", quoted(&layer.table), quoted(&column))).await?;
        }
    }
    Ok(())
}

pub(super) fn value_arg(value: &Value, kind: Kind) -> Arg {
    match (kind, value) {
        (Kind::Text, Value::Text(t)) => Arg::Text(Some(t.to_string())),
        (Kind::Text, _) => Arg::Text(None),
        (Kind::Integer, Value::Integer(i)) => Arg::Int(Some(*i)),
        (Kind::Integer, _) => Arg::Int(None),
        (Kind::Real, Value::Real(r)) => Arg::Real(Some(*r)),
        (Kind::Real, _) => Arg::Real(None),
        (Kind::Bool, Value::Bool(b)) => Arg::Bool(Some(*b)),
        (Kind::Bool, _) => Arg::Bool(None),
    }
}

/// What a feature's owner columns hold for one coverage: the owner's code, and where
/// a border cuts the feature, the shares as a JSON object.
pub(super) fn owner_args(
    layer: &Layer,
    ix: usize,
    coverage: usize,
    codes: &impl Fn(boundaries::AreaId) -> Option<Arc<str>>,
) -> [Option<String>; 2] {
    let owner = layer.owner(ix, coverage).and_then(codes).map(|c| c.to_string());
    let shares = layer.shares(ix, coverage);
    if shares.is_empty() {
        return [owner, None];
    }
    let all: serde_json::Map<String, serde_json::Value> =
        shares.iter().filter_map(|s| Some((codes(s.area)?.to_string(), serde_json::Value::from(s.share)))).collect();
    [owner, Some(serde_json::Value::Object(all).to_string())]
}

/// The condition that holds for the rows of a layer whose boxes meet `bounds`, by its index.
pub(super) fn near(tx: &Tx, layer: &LayerInfo, bounds: Bounds) -> (String, Vec<Arg>) {
    let condition = if tx.is_postgis() {
        "geom && ST_MakeEnvelope($1, $3, $2, $4, 4326)".to_owned()
    } else {
        let rtree = quoted(&format!("rtree_{}_geom", layer.table));
        format!("fid in (select id from {rtree} where maxx >= $1 and minx <= $2 and maxy >= $3 and miny <= $4)")
    };
    (condition, blob::degrees(bounds).map(|d| Arg::Real(Some(d))).into())
}

/// The statement that reads the rows of a layer.
fn select(tx: &Tx, layer: &LayerInfo, condition: &str) -> String {
    let columns: String = layer.columns.iter().map(|c| format!(", {}", quoted(c))).collect();
    format!("select fid, id, {}{columns} from {} {condition}", tx.geometry_bytes("geom"), quoted(&layer.table))
}

/// Reads a row of [`select`]: its number, its id, where it lies, and its values.
fn read_row<'r>(row: &'r Row<'_>, fields: &[Field]) -> Result<(u32, &'r str, Geometry, Vec<Cell<'r>>), Error> {
    let value = |(field, at): (&Field, usize)| -> Result<Cell<'r>, Error> {
        let value = match field.kind {
            Kind::Text => row.maybe_str(at)?.map(Cell::Text),
            Kind::Integer => row.maybe_int(at)?.map(Cell::Integer),
            Kind::Real => row.maybe_real(at)?.map(Cell::Real),
            Kind::Bool => row.maybe_bool(at)?.map(Cell::Bool),
        };
        Ok(value.unwrap_or(Cell::Null))
    };
    let values = fields.iter().zip(3..).map(value).collect::<Result<_, _>>()?;
    Ok((row.id(0)?, row.str(1)?, blob::geometry(row.blob(2)?)?, values))
}

/// All rows of a layer that a condition holds for, in columns.
pub(super) async fn table(tx: &mut Tx, layer: &LayerInfo, condition: &str, args: Vec<Arg>) -> Result<Table, Error> {
    let mut table = Table::new(layer.fields.clone());
    let sql = select(tx, layer, condition);
    tx.each(sql, args, |row| {
        let (number, id, geometry, values) = read_row(&row, &layer.fields)?;
        if table.push_row(number, id, &geometry, values) {
            Ok(())
        } else {
            Err(Error::Refused(format!("layer {} is too large to be held in memory", layer.name)))
        }
    })
    .await?;
    Ok(table)
}

/// A feature by id, with its number.
pub(super) async fn feature(tx: &mut Tx, layer: &LayerInfo, id: &str) -> Result<Option<(u32, Feature)>, Error> {
    let found = table(tx, layer, "where id = $1", vec![id.into()]).await?;
    Ok(found.number(0).zip(found.feature(0)))
}
