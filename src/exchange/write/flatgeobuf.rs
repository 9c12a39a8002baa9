//! FlatGeobuf, with its spatial index.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use boundaries::Point;
use flatgeobuf::{ColumnType, FgbCrs, FgbWriter, FgbWriterOptions, GeometryType};
use geozero::error::Result as GeoResult;
use geozero::{ColumnValue, GeomProcessor, GeozeroGeometry, PropertyProcessor};
use tempfile::NamedTempFile;

use super::{ShapeKind, Table, beside, persist, value};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::Kind;

/// Collects the features (in a temporary file of the crate's) until the index can be made.
pub(super) struct FlatGeobufWriter {
    fgb: FgbWriter<'static>,
    out: NamedTempFile<File>,
}

impl std::fmt::Debug for FlatGeobufWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlatGeobufWriter").field("out", &self.out).finish_non_exhaustive()
    }
}

impl FlatGeobufWriter {
    pub(super) fn create(path: &Path, table: &Table) -> Result<Self, String> {
        let kind = match table.shape {
            ShapeKind::Point => GeometryType::Point,
            ShapeKind::Lines => GeometryType::MultiLineString,
            ShapeKind::Polygons => GeometryType::MultiPolygon,
            ShapeKind::Rows => return Err("rows without a place are written as text".into()),
        };
        let options = FgbWriterOptions {
            detect_type: false,
            crs: FgbCrs { org: Some("EPSG"), code: 4326, name: Some("WGS 84"), ..Default::default() },
            ..Default::default()
        };
        let mut fgb = FgbWriter::create_with_options(&table.name, kind, options).map_err(|e| e.to_string())?;
        for column in &table.columns {
            let kind = match column.kind {
                Kind::Text => ColumnType::String,
                Kind::Integer => ColumnType::Long,
                Kind::Real => ColumnType::Double,
                Kind::Bool => ColumnType::Bool,
            };
            fgb.add_column(&column.name, kind, |_, _| {});
        }
        Ok(Self { fgb, out: beside(path)? })
    }

    pub(super) fn write(&mut self, table: &Table, feature: &Feature) -> Result<(), String> {
        let fits = matches!(
            (&feature.geometry, table.shape),
            (Geometry::Point(_), ShapeKind::Point)
                | (Geometry::Lines(_), ShapeKind::Lines)
                | (Geometry::Polygons(_), ShapeKind::Polygons)
        );
        if !fits {
            return Err("is of another kind than the others of its file".into());
        }
        let mut refused = None;
        let added = self.fgb.add_feature_geom(Shape(&feature.geometry), |row| {
            for (i, column) in table.columns.iter().enumerate() {
                let value = match (value(feature, i, &column.name), column.kind) {
                    (Value::Bool(b), Kind::Bool) => ColumnValue::Bool(*b),
                    (Value::Integer(n), Kind::Integer) => ColumnValue::Long(*n),
                    (Value::Integer(n), Kind::Real) => ColumnValue::Double(*n as f64),
                    (Value::Real(x), Kind::Real) => ColumnValue::Double(*x),
                    (Value::Text(text), Kind::Text) => ColumnValue::String(text),
                    _ => continue,
                };
                if let Err(e) = row.property(i, &column.name, &value) {
                    refused = Some(e.to_string());
                }
            }
        });
        added.map_err(|e| e.to_string())?;
        refused.map_or(Ok(()), Err)
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<(), String> {
        let mut out = BufWriter::new(self.out.as_file_mut());
        self.fgb.write(&mut out).map_err(|e| e.to_string())?;
        out.flush().map_err(|e| e.to_string())?;
        drop(out);
        persist(self.out, path)
    }
}

struct Shape<'a>(&'a Geometry);

impl GeozeroGeometry for Shape<'_> {
    fn process_geom<P: GeomProcessor>(&self, out: &mut P) -> GeoResult<()> {
        match self.0 {
            Geometry::Point(p) => {
                out.point_begin(0)?;
                out.xy(p.lon(), p.lat(), 0)?;
                out.point_end(0)
            }
            Geometry::Lines(lines) => {
                out.multilinestring_begin(lines.len(), 0)?;
                for (i, line) in lines.iter().enumerate() {
                    ring(out, line, false, i)?;
                }
                out.multilinestring_end(0)
            }
            Geometry::Polygons(parts) => {
                out.multipolygon_begin(parts.len(), 0)?;
                for (i, part) in parts.iter().enumerate() {
                    out.polygon_begin(false, 1 + part.holes.len(), i)?;
                    for (j, points) in part.rings().enumerate() {
                        ring(out, points, true, j)?;
                    }
                    out.polygon_end(false, i)?;
                }
                out.multipolygon_end(0)
            }
        }
    }
}

fn ring<P: GeomProcessor>(out: &mut P, points: &[Point], close: bool, index: usize) -> GeoResult<()> {
    let again = points.first().filter(|first| close && points.last() != Some(first));
    out.linestring_begin(false, points.len() + usize::from(again.is_some()), index)?;
    for (i, p) in points.iter().chain(again).enumerate() {
        out.xy(p.lon(), p.lat(), i)?;
    }
    out.linestring_end(false, index)
}
