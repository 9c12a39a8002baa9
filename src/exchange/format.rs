//! Which format a file is in: by its ending, and proved by its first bytes.

use std::path::Path;

use super::error::Cause;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A FeatureCollection, a Feature or a geometry.
    GeoJson,
    /// One feature a line.
    GeoJsonLines,
    /// `.shp` with its companions beside it.
    Shapefile,
    /// A `.zip` with a Shapefile in it.
    ZippedShapefile,
    /// OGC GeoPackage.
    GeoPackage,
    /// FlatGeobuf.
    FlatGeobuf,
    /// Text with columns.
    Csv,
}

/// For messages.
pub(super) const SUPPORTED: &str = "GeoJSON (.geojson, .json), GeoJSON lines (.geojsonl, .ndjson, .jsonl), Shapefile \
                                    (.shp, .zip), GeoPackage (.gpkg), FlatGeobuf (.fgb) and CSV (.csv, .tsv) are read, \
                                    plain or .gz";

impl Format {
    /// By the ending; a `.gz` behind it doesn't count.
    pub(super) fn of_ending(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        Some(match name.rsplit_once('.')?.1 {
            "geojson" | "json" => Self::GeoJson,
            "geojsonl" | "geojsons" | "geojsonseq" | "ndjson" | "jsonl" => Self::GeoJsonLines,
            "shp" => Self::Shapefile,
            "zip" => Self::ZippedShapefile,
            "gpkg" => Self::GeoPackage,
            "fgb" => Self::FlatGeobuf,
            "csv" | "tsv" | "txt" => Self::Csv,
            _ => return None,
        })
    }

    fn says(self) -> &'static str {
        match self {
            Self::GeoJson => "GeoJSON",
            Self::GeoJsonLines => "GeoJSON lines",
            Self::Shapefile => "a Shapefile",
            Self::ZippedShapefile => "a zipped Shapefile",
            Self::GeoPackage => "a GeoPackage",
            Self::FlatGeobuf => "a FlatGeobuf",
            Self::Csv => "CSV",
        }
    }
}

/// What the first bytes of a file give away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Known(Format),
    /// JSON of either form.
    Json,
    Foreign(&'static str),
    Text,
    Binary,
}

fn sniff(head: &[u8]) -> Content {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let osm = head.len() > 16 && head[..2] == [0, 0] && head[4..16].windows(9).any(|w| w == b"OSMHeader");
    match head {
        _ if head.starts_with(b"SQLite format 3\0") => Content::Known(Format::GeoPackage),
        _ if head.starts_with(b"fgb\x03fgb") => Content::Known(Format::FlatGeobuf),
        _ if head.starts_with(&[0, 0, 0x27, 0x0a]) => Content::Known(Format::Shapefile),
        _ if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") => {
            Content::Known(Format::ZippedShapefile)
        }
        _ if osm || head.windows(9).take(64).any(|w| w == b"OSMHeader") => Content::Foreign("OpenStreetMap PBF"),
        _ if head.starts_with(b"PAR1") => Content::Foreign("Parquet"),
        _ if head.starts_with(b"ARROW1") => Content::Foreign("Arrow"),
        _ if head.starts_with(b"%PDF") => Content::Foreign("PDF"),
        _ if head.starts_with(b"\x89PNG") || head.starts_with(b"\xff\xd8\xff") => Content::Foreign("an image"),
        _ if head.starts_with(b"II*\0") || head.starts_with(b"MM\0*") => Content::Foreign("TIFF"),
        _ if head.starts_with(b"AC10") => Content::Foreign("AutoCAD DWG"),
        _ if head.starts_with(b"\x28\xb5\x2f\xfd") => Content::Foreign("zstd-compressed data"),
        _ if head.starts_with(b"BZh") => Content::Foreign("bzip2-compressed data"),
        _ if head.starts_with(b"7z\xbc\xaf") => Content::Foreign("a 7z archive"),
        _ if head.starts_with(b"Rar!") => Content::Foreign("a RAR archive"),
        _ if head.starts_with(b"PMTiles") => Content::Foreign("PMTiles"),
        _ if head.starts_with(b"\xd0\xcf\x11\xe0") => Content::Foreign("an old Office document"),
        _ if text.starts_with(b"<") => Content::Foreign("XML (KML, GML, OSM or HTML)"),
        _ if text.starts_with(b"{") || head.starts_with(b"\x1e") => Content::Json,
        _ if head.contains(&0) => Content::Binary,
        _ => Content::Text,
    }
}

/// The format of a file: its ending and its first bytes (unpacked) must agree.
pub(super) fn agree(path: &Path, head: &[u8]) -> Result<Format, Cause> {
    if head.is_empty() {
        return Err(Cause::Empty);
    }
    let content = sniff(head);
    if let Content::Foreign(what) = content {
        return Err(Cause::Unsupported(format!("it holds {what}, which is not supported; {SUPPORTED}")));
    }
    let Some(expected) = Format::of_ending(path) else {
        let found = match content {
            Content::Known(format) => format!("it holds {}, but its ending says nothing", format.says()),
            Content::Json => "it holds JSON, but its ending says nothing".into(),
            _ => "its ending says nothing".into(),
        };
        return Err(Cause::Unsupported(format!("{found}; {SUPPORTED}")));
    };
    let found = match content {
        Content::Known(format) if format == expected => return Ok(expected),
        Content::Known(format) => format.says(),
        Content::Json if matches!(expected, Format::GeoJson | Format::GeoJsonLines) => return Ok(expected),
        Content::Json => "JSON",
        Content::Text if expected == Format::Csv => return Ok(expected),
        Content::Text => "text that is no JSON",
        Content::Foreign(what) => what,
        Content::Binary => "binary data of no format that is known here",
    };
    Err(Cause::WrongEnding { expected: expected.says(), found })
}
