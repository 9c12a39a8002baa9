//! Shapefile: `.shp`, `.shx`, `.dbf` in UTF-8 with its `.cpg`, and `.prj`.
//!
//! The format holds texts of at most 254 bytes and names of at most 10; longer texts
//! are refused rather than cut, longer names are cut and kept apart by a number.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use boundaries::{Point, Polygon};
use dbase::{FieldName, FieldValue, TableWriter, TableWriterBuilder};
use shapefile::{PolygonRing, Polyline, ShapeWriter};
use tempfile::NamedTempFile;

use super::{ShapeKind, Table, beside, persist, value};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::Kind;

/// Bytes that a text field can hold.
const TEXT_BYTES_MAX: usize = 254;
/// Bytes that a field's name can hold.
const NAME_BYTES_MAX: usize = 10;

const PRJ: &str = concat!(
    r#"GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],"#,
    r#"PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#
);

type Out = BufWriter<File>;

/// Writes the parts of a Shapefile side by side.
pub(super) struct ShapefileWriter {
    shapes: ShapeWriter<Out>,
    rows: TableWriter<Out>,
    files: [(NamedTempFile<File>, &'static str); 3],
}

impl std::fmt::Debug for ShapefileWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShapefileWriter").field("files", &self.files).finish_non_exhaustive()
    }
}

impl ShapefileWriter {
    pub(super) fn create(path: &Path, table: &Table) -> Result<Self, String> {
        let files = [(beside(path)?, "shp"), (beside(path)?, "shx"), (beside(path)?, "dbf")];
        let open = |i: usize| {
            let (file, _): &(NamedTempFile<File>, _) = &files[i];
            file.reopen().map(BufWriter::new).map_err(|e| e.to_string())
        };
        let shapes = ShapeWriter::with_shx(open(0)?, open(1)?);
        let mut fields = TableWriterBuilder::with_encoding(dbase::encoding::Unicode);
        for (name, column) in short_names(table).iter().zip(&table.columns) {
            let name = FieldName::try_from(name.as_str()).map_err(|e| format!("column {}: {e}", column.name))?;
            fields = match column.kind {
                Kind::Text => fields.add_character_field(name, TEXT_BYTES_MAX as u8),
                Kind::Integer => fields.add_numeric_field(name, 18, 0),
                Kind::Real => fields.add_numeric_field(name, 20, 8),
                Kind::Bool => fields.add_logical_field(name),
            };
        }
        Ok(Self { shapes, rows: fields.build_with_dest(open(2)?), files })
    }

    pub(super) fn write(&mut self, table: &Table, feature: &Feature) -> Result<(), String> {
        match (&feature.geometry, table.shape) {
            (Geometry::Point(p), ShapeKind::Point) => {
                self.shapes.write_shape(&corner(*p)).map_err(|e| e.to_string())?;
            }
            (Geometry::Lines(lines), ShapeKind::Lines) => {
                let parts = lines.iter().map(|line| line.iter().copied().map(corner).collect()).collect();
                self.shapes.write_shape(&Polyline::with_parts(parts)).map_err(|e| e.to_string())?;
            }
            (Geometry::Polygons(parts), ShapeKind::Polygons) => {
                let rings = parts.iter().flat_map(rings).collect();
                self.shapes.write_shape(&shapefile::Polygon::with_rings(rings)).map_err(|e| e.to_string())?;
            }
            _ => return Err("is of another kind than the others; a Shapefile holds one".into()),
        }
        let mut row = Row(Vec::with_capacity(table.columns.len()));
        for (i, column) in table.columns.iter().enumerate() {
            row.0.push(
                field(column.kind, value(feature, i, &column.name)).map_err(|e| format!("{}: {e}", column.name))?,
            );
        }
        self.rows.write_record(&row).map_err(|e| e.to_string())
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<(), String> {
        self.shapes.finalize().map_err(|e| e.to_string())?;
        self.rows.finalize().map_err(|e| e.to_string())?;
        drop((self.shapes, self.rows));
        for (ending, text) in [("prj", PRJ), ("cpg", "UTF-8")] {
            let mut file = beside(path)?;
            file.write_all(text.as_bytes()).map_err(|e| e.to_string())?;
            persist(file, &path.with_extension(ending))?;
        }
        // The .shp comes last: where it is, the others are.
        for (file, ending) in self.files.into_iter().rev() {
            persist(file, &path.with_extension(ending))?;
        }
        Ok(())
    }
}

struct Row(Vec<FieldValue>);

impl dbase::WritableRecord for Row {
    fn write_using<W: Write>(&self, out: &mut dbase::FieldWriter<'_, W>) -> Result<(), dbase::FieldError> {
        self.0.iter().try_for_each(|value| out.write_next_field_value(value))
    }
}

fn field(kind: Kind, value: &Value) -> Result<FieldValue, String> {
    let number = match value {
        Value::Integer(n) => Some(*n as f64),
        Value::Real(x) => Some(*x),
        _ => None,
    };
    Ok(match kind {
        Kind::Integer | Kind::Real => FieldValue::Numeric(number),
        Kind::Bool => FieldValue::Logical(if let Value::Bool(b) = value { Some(*b) } else { None }),
        Kind::Text => {
            let text = match value {
                Value::Null => return Ok(FieldValue::Character(None)),
                Value::Text(text) => text.to_string(),
                Value::Bool(b) => b.to_string(),
                Value::Integer(n) => n.to_string(),
                Value::Real(x) => x.to_string(),
            };
            if text.len() > TEXT_BYTES_MAX {
                return Err(format!(
                    "{} bytes of text; a Shapefile holds {TEXT_BYTES_MAX}, other formats all",
                    text.len()
                ));
            }
            FieldValue::Character(Some(text))
        }
    })
}

fn corner(p: Point) -> shapefile::Point {
    shapefile::Point::new(p.lon(), p.lat())
}

fn rings(polygon: &Polygon) -> impl Iterator<Item = PolygonRing<shapefile::Point>> {
    // The crate closes rings and turns them as the format wants.
    polygon.rings().enumerate().map(|(i, ring)| {
        let points = ring.iter().copied().map(corner).collect();
        if i == 0 { PolygonRing::Outer(points) } else { PolygonRing::Inner(points) }
    })
}

/// The names of the columns, cut to what the format holds and different from each other.
fn short_names(table: &Table) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in &table.columns {
        let cut = |bytes: usize| {
            let end = column.name.char_indices().map(|(i, c)| i + c.len_utf8()).take_while(|end| *end <= bytes).last();
            column.name[..end.unwrap_or(0)].to_string()
        };
        let mut name = cut(NAME_BYTES_MAX);
        let mut n = 1;
        while name.is_empty() || names.contains(&name) {
            let number = n.to_string();
            name = cut(NAME_BYTES_MAX - number.len()) + &number;
            n += 1;
        }
        names.push(name);
    }
    names
}
