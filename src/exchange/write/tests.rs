use boundaries::{Point, Polygon};

use super::*;
use crate::feature::Geometry;
use crate::snapshot::Kind;

fn table(shape: ShapeKind) -> Table {
    let column = |name: &str, kind| Field { name: name.into(), kind };
    Table {
        name: "grid".into(),
        shape,
        columns: vec![column("code", Kind::Text), column("households", Kind::Integer), column("name", Kind::Text)],
    }
}

fn grid(geometry: Geometry) -> Feature {
    Feature {
        id: "370202001".into(),
        geometry,
        properties: vec![
            ("code".into(), Value::Text("370202001".into())),
            ("households".into(), Value::Integer(412)),
            ("name".into(), Value::Text("湛山, \"东\"".into())),
        ],
    }
}

/// ```text
///   ┌─────┐
///   │ ┌─┐ │
///   │ └─┘ │
///   └─────┘
/// ```
fn ring() -> Geometry {
    let square =
        |x: i32, side: i32| [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(a, b)| Point::new(x + a * side, x + b * side));
    let mut hole = square(1_200_000_001, 2).to_vec();
    hole.reverse();
    Geometry::Polygons(vec![Polygon { shell: square(1_200_000_000, 10).to_vec(), holes: vec![hole] }])
}

fn written(name: &str, shape: ShapeKind, geometry: Geometry) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut writer = Writer::create(&path, table(shape)).unwrap();
    writer.write(&grid(geometry)).unwrap();
    assert_eq!(writer.finish().unwrap(), 1);
    (folder, path)
}

#[test]
fn geojson_holds_the_exact_decimals_and_closed_rings() {
    let (_folder, path) = written("g.geojson", ShapeKind::Polygons, ring());
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let feature = &json["features"][0];
    assert_eq!(feature["properties"]["name"], "湛山, \"东\"");
    assert_eq!(feature["geometry"]["type"], "Polygon");
    let shell = &feature["geometry"]["coordinates"][0];
    assert_eq!(shell.as_array().unwrap().len(), 5);
    assert_eq!(shell[0], shell[4]);
    assert_eq!(shell[2].to_string(), "[120.000001,120.000001]");
}

#[test]
fn csv_quotes_what_needs_it_and_gives_places_as_two_columns() {
    let (_folder, path) = written("g.csv", ShapeKind::Point, Geometry::Point(Point::new(1_203_000_000, -5)));
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text, "code,households,name,lon,lat\n370202001,412,\"湛山, \"\"东\"\"\",120.3,-0.0000005\n");
}

#[test]
fn a_shapefile_reads_back_with_its_attributes_and_holes() {
    let (_folder, path) = written("g.shp", ShapeKind::Polygons, ring());
    for ending in ["shx", "dbf", "prj", "cpg"] {
        assert!(path.with_extension(ending).exists(), "{ending}");
    }
    let mut reader = ::shapefile::Reader::from_path(&path).unwrap();
    let rows: Vec<_> = reader.iter_shapes_and_records().collect::<Result<_, _>>().unwrap();
    let ::shapefile::Shape::Polygon(polygon) = &rows[0].0 else { panic!("no polygon") };
    assert_eq!(polygon.rings().len(), 2);
    let Some(dbase::FieldValue::Character(Some(name))) = rows[0].1.get("name") else { panic!("{:?}", rows[0].1) };
    assert_eq!(name, "湛山, \"东\"");
    assert_eq!(rows[0].1.get("households"), Some(&dbase::FieldValue::Numeric(Some(412.0))));
}

#[test]
fn a_flatgeobuf_reads_back_with_its_attributes() {
    use ::flatgeobuf::{FallibleStreamingIterator, FeatureProperties, FgbReader};
    let (_folder, path) = written("g.fgb", ShapeKind::Polygons, ring());
    let mut file = std::io::BufReader::new(File::open(path).unwrap());
    let mut features = FgbReader::open(&mut file).unwrap().select_all().unwrap();
    let feature = features.next().unwrap().unwrap();
    assert_eq!(feature.properties().unwrap()["households"], "412");
    assert_eq!(feature.properties().unwrap()["name"], "湛山, \"东\"");
}

#[test]
fn a_file_that_is_not_finished_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["g.geojson", "g.csv", "g.shp", "g.fgb"] {
        let mut writer = Writer::create(&folder.path().join(name), table(ShapeKind::Polygons)).unwrap();
        writer.write(&grid(ring())).unwrap();
        drop(writer);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Writer::create(&folder.path().join("g.xlsx"), table(ShapeKind::Point)).is_err());
    let mut writer = Writer::create(&folder.path().join("g.shp"), table(ShapeKind::Polygons)).unwrap();
    assert!(writer.write(&grid(Geometry::Point(Point::new(0, 0)))).is_err());
    let mut long = grid(ring());
    long.properties[2].1 = Value::Text("字".repeat(100).into());
    let refused = writer.write(&long).unwrap_err();
    assert!(refused.to_string().contains("370202001"), "{refused}");
}
