//! GeoPackage: one layer, with its R-tree; the rows are written by the room that knows SQL.

use std::fs::File;
use std::path::Path;

use tempfile::NamedTempFile;

use super::{ShapeKind, Table, beside, persist, value};
use crate::feature::{Feature, Geometry};
use crate::store::foreign::LayerOut;

/// A layer on its way into a file beside its place.
#[derive(Debug)]
pub(super) struct GeoPackageWriter {
    layer: LayerOut,
    out: NamedTempFile<File>,
}

impl GeoPackageWriter {
    pub(super) fn create(path: &Path, table: &Table) -> Result<Self, String> {
        let kind = match table.shape {
            ShapeKind::Point => "POINT",
            ShapeKind::Lines => "MULTILINESTRING",
            ShapeKind::Polygons => "MULTIPOLYGON",
            ShapeKind::Rows => return Err("rows without a place are written as text".into()),
        };
        // Names that the format keeps for itself.
        if let Some(taken) = table.columns.iter().find(|c| ["fid", "geom"].contains(&c.name.to_lowercase().as_str())) {
            return Err(format!("a column of a GeoPackage can't be named {}", taken.name));
        }
        let out = beside(path)?;
        let layer = LayerOut::create(out.path(), &table.name, kind, &table.columns).map_err(|e| e.to_string())?;
        Ok(Self { layer, out })
    }

    pub(super) fn write(&mut self, table: &Table, feature: &Feature) -> Result<(), String> {
        let fits = matches!(
            (&feature.geometry, table.shape),
            (Geometry::Point(_), ShapeKind::Point)
                | (Geometry::Lines(_), ShapeKind::Lines)
                | (Geometry::Polygons(_), ShapeKind::Polygons)
        );
        if !fits {
            return Err("is of another kind than the others; a layer of a GeoPackage holds one".into());
        }
        let values = table.columns.iter().enumerate().map(|(i, c)| value(feature, i, &c.name).clone()).collect();
        self.layer.push(&feature.geometry, values).map_err(|e| e.to_string())
    }

    pub(super) fn finish(self, path: &Path) -> Result<(), String> {
        self.layer.finish().map_err(|e| e.to_string())?;
        persist(self.out, path)
    }
}
