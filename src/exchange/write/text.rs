//! GeoJSON, GeoJSON lines and CSV.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use boundaries::Point;
use tempfile::NamedTempFile;

use super::{ShapeKind, Table, beside, persist, value};
use crate::feature::{Feature, Geometry, Value};
use crate::json::{push_degrees, push_geometry, push_text, push_value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    GeoJson,
    GeoJsonLines,
    Csv,
}

/// Writes a format that is text.
#[derive(Debug)]
pub(super) struct TextWriter {
    form: Form,
    out: BufWriter<NamedTempFile<File>>,
    line: Vec<u8>,
    first: bool,
}

impl TextWriter {
    fn begin(path: &Path, form: Form, head: &[u8]) -> Result<Self, String> {
        let mut out = BufWriter::with_capacity(1 << 18, beside(path)?);
        out.write_all(head).map_err(|e| e.to_string())?;
        Ok(Self { form, out, line: Vec::new(), first: true })
    }

    /// One `FeatureCollection`.
    pub(super) fn geojson(path: &Path, table: &Table) -> Result<Self, String> {
        let name = serde_json::Value::from(table.name.as_str());
        Self::begin(
            path,
            Form::GeoJson,
            format!("{{\"type\":\"FeatureCollection\",\"name\":{name},\"features\":[").as_bytes(),
        )
    }

    /// One feature a line.
    pub(super) fn geojson_lines(path: &Path) -> Result<Self, String> {
        Self::begin(path, Form::GeoJsonLines, b"")
    }

    /// One row a feature: `lon,lat` for places, else the geometry as `WKT`
    /// (the name that GDAL takes for one), behind the attributes.
    pub(super) fn csv(path: &Path, table: &Table) -> Result<Self, String> {
        let mut names: Vec<&str> = table.columns.iter().map(|c| &*c.name).collect();
        names.extend(match table.shape {
            ShapeKind::Point => &["lon", "lat"][..],
            ShapeKind::Lines | ShapeKind::Polygons => &["WKT"],
            ShapeKind::Rows => &[],
        });
        let mut head = Vec::new();
        push_row(&mut head, names.into_iter().map(str::as_bytes));
        Self::begin(path, Form::Csv, &head)
    }

    pub(super) fn write(&mut self, table: &Table, feature: &Feature) -> Result<(), String> {
        self.line.clear();
        match self.form {
            Form::GeoJson => {
                if !self.first {
                    self.line.push(b',');
                }
                self.line.push(b'\n');
                push_feature(&mut self.line, table, feature);
            }
            Form::GeoJsonLines => {
                push_feature(&mut self.line, table, feature);
                self.line.push(b'\n');
            }
            Form::Csv => push_csv(&mut self.line, table, feature)?,
        }
        self.first = false;
        self.out.write_all(&self.line).map_err(|e| e.to_string())
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<(), String> {
        if self.form == Form::GeoJson {
            self.out.write_all(b"\n]}\n").map_err(|e| e.to_string())?;
        }
        persist(self.out.into_inner().map_err(|e| e.to_string())?, path)
    }
}

fn push_feature(out: &mut Vec<u8>, table: &Table, feature: &Feature) {
    out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":");
    push_text(out, &feature.id);
    out.extend_from_slice(b",\"properties\":{");
    for (i, column) in table.columns.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_text(out, &column.name);
        out.push(b':');
        push_value(out, value(feature, i, &column.name));
    }
    out.extend_from_slice(b"},\"geometry\":");
    match &feature.geometry {
        // RFC 7946, 3.2: what is nowhere.
        Geometry::Polygons(parts) if parts.is_empty() => out.extend_from_slice(b"null"),
        geometry => push_geometry(out, geometry),
    }
    out.push(b'}');
}

/// The points of a line, the first again at the end if it is to be closed.
fn points(line: &[Point], close: bool) -> impl Iterator<Item = Point> {
    let again = line.first().filter(|first| close && (line.len() == 1 || line.last() != Some(first)));
    line.iter().chain(again).copied()
}

fn push_csv(out: &mut Vec<u8>, table: &Table, feature: &Feature) -> Result<(), String> {
    let mut cells: Vec<Vec<u8>> = Vec::with_capacity(table.columns.len() + 2);
    for (i, column) in table.columns.iter().enumerate() {
        cells.push(match value(feature, i, &column.name) {
            Value::Null => Vec::new(),
            Value::Bool(b) => b.to_string().into_bytes(),
            Value::Integer(n) => n.to_string().into_bytes(),
            Value::Real(x) => x.to_string().into_bytes(),
            Value::Text(text) => text.as_bytes().to_vec(),
        });
    }
    match (&feature.geometry, table.shape) {
        (Geometry::Point(p), ShapeKind::Point) => {
            for units in [p.x, p.y] {
                let mut cell = Vec::new();
                push_degrees(&mut cell, units);
                cells.push(cell);
            }
        }
        (_, ShapeKind::Rows) => {}
        (geometry, ShapeKind::Lines | ShapeKind::Polygons) => {
            let mut cell = Vec::new();
            push_wkt(&mut cell, geometry);
            cells.push(cell);
        }
        _ => return Err("is no place, as the others of its file are".into()),
    }
    push_row(out, cells.iter().map(Vec::as_slice));
    Ok(())
}

/// One row, quoted where RFC 4180 wants it.
fn push_row<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a [u8]>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if cell.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
            out.push(b'"');
            for b in cell {
                if *b == b'"' {
                    out.push(b'"');
                }
                out.push(*b);
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(cell);
        }
    }
    out.push(b'\n');
}

/// Writes a geometry as well-known text.
fn push_wkt(out: &mut Vec<u8>, geometry: &Geometry) {
    fn list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut push: impl FnMut(&mut Vec<u8>, T)) {
        out.push(b'(');
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            push(out, item);
        }
        out.push(b')');
    }
    fn pair(out: &mut Vec<u8>, p: Point) {
        push_degrees(out, p.x);
        out.push(b' ');
        push_degrees(out, p.y);
    }
    match geometry {
        Geometry::Point(p) => {
            out.extend_from_slice(b"POINT");
            list(out, [*p], pair);
        }
        Geometry::Lines(lines) => {
            out.extend_from_slice(b"MULTILINESTRING");
            list(out, lines, |out, line| list(out, line.iter().copied(), pair));
        }
        Geometry::Polygons(parts) => {
            out.extend_from_slice(b"MULTIPOLYGON");
            list(out, parts, |out, polygon| {
                list(out, polygon.rings(), |out, ring| list(out, points(ring, true), pair));
            });
        }
    }
}
