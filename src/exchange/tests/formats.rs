//! The formats with tables: what one of our writers writes, the reader reads back; what
//! is broken is refused.

use boundaries::{Point, Polygon};

use super::super::write::{ShapeKind, Table, Writer};
use super::*;
use crate::feature::Feature;
use crate::snapshot::{Field, Kind};

fn p(x: i32, y: i32) -> Point {
    Point::new(1_203_000_000 + x, 360_000_000 + y)
}

fn closed(mut ring: Vec<Point>) -> Vec<Point> {
    ring.push(ring[0]);
    ring
}

/// ```text
/// +---------+  +---+
/// | +-----+ |  |   |     one feature in two parts, one of them with a hole,
/// | +-----+ |  +---+     and odd lattice units
/// +---------+
/// ```
fn ground() -> Geometry {
    let square = |x: i32, side: i32| closed(vec![p(x, 0), p(x + side, 1), p(x + side, side), p(x, side)]);
    let mut hole = closed(vec![p(2, 3), p(7, 3), p(7, 8), p(2, 8)]);
    hole.reverse();
    Geometry::Polygons(vec![
        Polygon { shell: square(0, 10), holes: vec![hole] },
        Polygon { shell: square(20, 5), holes: vec![] },
    ])
}

fn geometries() -> Vec<(ShapeKind, Geometry)> {
    vec![
        (ShapeKind::Point, Geometry::Point(p(1, 7))),
        (ShapeKind::Lines, Geometry::Lines(vec![vec![p(0, 0), p(9, 1)], vec![p(5, 5), p(6, 7), p(8, 8)]])),
        (ShapeKind::Polygons, ground()),
    ]
}

fn field(name: &str, kind: Kind) -> Field {
    Field { name: name.into(), kind }
}

fn write(path: &Path, shape: ShapeKind, geometry: &Geometry) {
    let columns = vec![
        field("code", Kind::Text),
        field("name", Kind::Text),
        field("households", Kind::Integer),
        field("share", Kind::Real),
        field("built", Kind::Bool),
    ];
    let mut writer = Writer::create(path, Table { name: "grid".into(), shape, columns }).unwrap();
    for (code, name) in [("037", Value::Text("湛山, \"东\"\n路".into())), ("038", Value::Null)] {
        let properties = vec![
            ("code".into(), Value::Text(code.into())),
            ("name".into(), name),
            ("households".into(), Value::Integer(412)),
            ("share".into(), Value::Real(0.25)),
            ("built".into(), Value::Bool(true)),
        ];
        writer.write(&Feature { id: code.into(), geometry: geometry.clone(), properties }).unwrap();
    }
    assert_eq!(writer.finish().unwrap(), 2);
}

/// Rings closed, so that formats that repeat the first point and those that don't agree;
/// parts and rings in an order of their own.
fn normal(geometry: &Geometry) -> Geometry {
    let Geometry::Polygons(parts) = geometry else { return geometry.clone() };
    let ring = |ring: &Vec<Point>| {
        let mut open = ring.clone();
        if open.first() == open.last() {
            open.pop();
        }
        let least = (0..open.len()).min_by_key(|i| open[*i]).unwrap();
        open.rotate_left(least);
        if open[1] > open[open.len() - 1] {
            open[1..].reverse();
        }
        open
    };
    let mut parts: Vec<Polygon> = parts
        .iter()
        .map(|part| Polygon { shell: ring(&part.shell), holes: part.holes.iter().map(ring).collect() })
        .collect();
    parts.sort_by_key(|part| part.bounds().min);
    Geometry::Polygons(parts)
}

#[test]
fn what_is_written_is_read_back_in_every_format() {
    let folder = Folder::new();
    for (shape, geometry) in geometries() {
        for ending in ["geojson", "geojsonl", "csv", "gpkg", "shp", "fgb"] {
            let path = folder.0.path().join(format!("g-{shape:?}.{ending}"));
            write(&path, shape, &geometry);
            let mut source = open(&path, &ReadOptions::default()).unwrap();
            assert_eq!(source.crs(), Crs::Wgs84);
            let mut all: Vec<Located> = Vec::new();
            while let Some(record) = source.next() {
                all.push(source.locate(record.unwrap()).unwrap());
            }
            // The index of FlatGeobuf orders the features its own way.
            let of = |l: &Located, name: &str| {
                l.properties.iter().find(|(n, _)| **n == *name).map_or(Value::Null, |(_, v)| v.clone())
            };
            all.sort_by_key(|l| format!("{:?}", of(l, "code")));
            assert_eq!(all.len(), 2, "{ending}");
            assert_eq!(of(&all[0], "code"), Value::Text("037".into()), "{ending}");
            assert_eq!(of(&all[0], "name"), Value::Text("湛山, \"东\"\n路".into()), "{ending}");
            assert_eq!(of(&all[1], "name"), Value::Null, "{ending}");
            assert_eq!(of(&all[0], "households"), Value::Integer(412), "{ending}");
            assert_eq!(of(&all[0], "share"), Value::Real(0.25), "{ending}");
            if ending != "csv" {
                assert_eq!(of(&all[0], "built"), Value::Bool(true), "{ending}");
            }
            for located in &all {
                assert_eq!(located.geometry.as_ref().map(normal), Some(normal(&geometry)), "{ending} {shape:?}");
            }
        }
    }
}

/// A `.dbf` with one column of text.
fn dbf(language: u8, rows: &[&[u8]]) -> Vec<u8> {
    let width = 20_u8;
    let mut out = vec![3, 95, 7, 26];
    out.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    out.extend_from_slice(&65_u16.to_le_bytes());
    out.extend_from_slice(&(u16::from(width) + 1).to_le_bytes());
    out.resize(32, 0);
    out[29] = language;
    out.extend_from_slice(b"NAME\0\0\0\0\0\0\0C\0\0\0\0");
    out.push(width);
    out.resize(64, 0);
    out.push(0x0d);
    for row in rows {
        out.push(b' ');
        out.extend_from_slice(row);
        out.resize(out.len() + usize::from(width) - row.len(), b' ');
    }
    out.push(0x1a);
    out
}

#[test]
fn the_texts_of_a_shapefile_are_gbk_unless_something_says_otherwise() {
    let folder = Folder::new();
    let path = folder.0.path().join("g.shp");
    write(&path, ShapeKind::Point, &Geometry::Point(p(0, 0)));
    std::fs::remove_file(path.with_extension("cpg")).unwrap();
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let big5 = encoding_rs::BIG5.encode("市南區").0.into_owned();
    for (language, cpg, text, expected) in [
        (0x00, None, gbk("市南区"), "市南区"),
        (0x4d, None, gbk("市南区"), "市南区"),
        (0x57, None, gbk("市南区"), "市南区"),
        (0x00, None, "市南区".into(), "市南区"),
        (0x00, Some("UTF-8"), "市南区".into(), "市南区"),
        (0x4d, Some("UTF-8"), "市南区".into(), "市南区"),
        (0x00, Some("GBK"), gbk("联通"), "联通"),
        (0x4d, None, gbk("联通"), "联通"),
        (0x4f, None, big5, "市南區"),
    ] {
        std::fs::write(path.with_extension("dbf"), dbf(language, &[&text, b"plain"])).unwrap();
        match cpg {
            Some(label) => std::fs::write(path.with_extension("CPG"), label).unwrap(),
            None => drop(std::fs::remove_file(path.with_extension("CPG"))),
        }
        let all = read(&path).unwrap();
        assert_eq!(all[0].properties[0].1, Value::Text(expected.into()), "{language:#x} {cpg:?}");
        assert_eq!(all[1].properties[0].1, Value::Text("plain".into()));
    }
}

fn zipped(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zipped_shapefile_is_read_and_its_prj_believed() {
    let folder = Folder::new();
    let shp = folder.0.path().join("g.shp");
    write(&shp, ShapeKind::Polygons, &ground());
    let part = |ending: &str| std::fs::read(shp.with_extension(ending)).unwrap();
    let parts = |stem: &str, prj: &[u8]| {
        vec![
            (format!("{stem}.SHP"), part("shp")),
            (format!("{stem}.dbf"), part("dbf")),
            (format!("{stem}.cpg"), part("cpg")),
            (format!("{stem}.prj"), prj.to_vec()),
        ]
    };
    let zip = |parts: Vec<(String, Vec<u8>)>| {
        zipped(&parts.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect::<Vec<_>>())
    };
    let wgs84 = part("prj");
    let all = read(&folder.file("a.zip", zip(parts("网格/grid", &wgs84)))).unwrap();
    assert_eq!(all[0].geometry.as_ref().map(normal), Some(normal(&ground())));
    let xian = String::from_utf8(wgs84.clone()).unwrap().replace("WGS_1984", "Xian_1980");
    let path = folder.file("b.zip", zip(parts("grid", xian.as_bytes())));
    assert!(read(&path).unwrap_err().to_string().contains("Xi'an 1980"));
    // What is passed goes before what the file declares.
    let options = ReadOptions { crs: Some(Crs::Wgs84), ..ReadOptions::default() };
    assert_eq!(read_with(&path, &options).unwrap().len(), 2);
    let two: Vec<_> = parts("one", &wgs84).into_iter().chain(parts("two", &wgs84)).collect();
    let path = folder.file("c.zip", zip(two));
    assert!(read(&path).unwrap_err().to_string().contains("one, two"));
    let options = ReadOptions { layer: Some("two".into()), ..ReadOptions::default() };
    assert_eq!(read_with(&path, &options).unwrap().len(), 2);
    let path = folder.file("d.zip", zip(vec![("readme.txt".into(), b"hello".to_vec())]));
    assert!(read(&path).unwrap_err().to_string().contains("no .shp"));
    let whole = zip(parts("grid", &wgs84));
    let path = folder.file("e.zip", &whole[..whole.len() / 2]);
    assert!(read(&path).is_err());
}

#[test]
fn broken_tables_are_refused_and_never_panic() {
    let folder = Folder::new();
    for ending in ["shp", "fgb", "gpkg"] {
        let good = folder.0.path().join(format!("good.{ending}"));
        write(&good, ShapeKind::Polygons, &ground());
        let bytes = std::fs::read(&good).unwrap();
        let bad = |name: &str| {
            for side in ["dbf", "prj", "cpg"] {
                let _ = std::fs::copy(good.with_extension(side), folder.0.path().join(name).with_extension(side));
            }
            folder.0.path().join(format!("{name}.{ending}"))
        };
        let cut = bad("cut");
        for length in [bytes.len() - 1, bytes.len() / 2, 60, 12] {
            std::fs::write(&cut, &bytes[..length]).unwrap();
            // A database without its last byte is whole enough for SQLite.
            assert!(read(&cut).is_err() || ending == "gpkg" && length == bytes.len() - 1, "{ending} {length}");
        }
        // Every byte but those of the database's free space, overwritten by what counts fear most.
        let flipped = bad("flipped");
        let step = if ending == "gpkg" { 997 } else { 1 };
        for at in (0..bytes.len()).step_by(step) {
            let mut other = bytes.clone();
            other[at] = 0xff;
            std::fs::write(&flipped, other).unwrap();
            let _ = read(&flipped);
        }
    }
    let dbf_path = folder.0.path().join("good.dbf");
    let dbf = std::fs::read(&dbf_path).unwrap();
    for at in 0..dbf.len().min(400) {
        let mut other = dbf.clone();
        other[at] = 0xff;
        std::fs::write(&dbf_path, other).unwrap();
        let _ = read(&folder.0.path().join("good.shp"));
    }
    std::fs::remove_file(&dbf_path).unwrap();
    assert!(read(&folder.0.path().join("good.shp")).unwrap_err().to_string().contains("no .dbf"));
}

#[test]
fn a_geopackage_with_several_layers_wants_one_named() {
    let folder = Folder::new();
    let path = folder.0.path().join("g.gpkg");
    write(&path, ShapeKind::Polygons, &ground());
    let options = |layer: &str| ReadOptions { layer: Some(layer.into()), ..ReadOptions::default() };
    assert_eq!(read_with(&path, &options("grid")).unwrap().len(), 2);
    let error = read_with(&path, &options("street")).unwrap_err().to_string();
    assert!(error.contains("no layer \"street\"") && error.contains("grid"), "{error}");
    let packed = folder.file("h.gpkg.gz", gzip(&std::fs::read(&path).unwrap()));
    assert_eq!(read(&packed).unwrap().len(), 2);
    let other = folder.file("i.gpkg", b"SQLite format 3\0 and then nothing");
    assert!(read(&other).unwrap_err().to_string().contains("SQLite"));
}
