use std::io::Read;

use super::*;

/// The oracle's rows, or `None` (said on stderr) where the test data is not there.
fn oracle() -> Option<Vec<Vec<f64>>> {
    let Ok(folder) = std::env::var("GRIDATLAS_TEST_DATA") else {
        eprintln!("skipped: GRIDATLAS_TEST_DATA is not set");
        return None;
    };
    let file = std::fs::File::open(std::path::Path::new(&folder).join("coord_oracle.csv.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().skip(1).map(|row| row.split(',').map(|x| x.parse().unwrap()).collect()).collect())
}

#[test]
fn forward_and_inverse_agree_with_the_oracle() {
    let Some(rows) = oracle() else { return };
    assert_eq!(rows.len(), 1000);
    let systems = [
        (Crs::Gcj02, 2, 1e-9, 1e-7),
        (Crs::Bd09, 4, 1e-9, 1e-7),
        ("EPSG:4549".parse().unwrap(), 6, 1e-3, 1e-7),
        (Crs::WebMercator, 8, 1e-3, 1e-7),
    ];
    let mut worst = [[0.0_f64; 2]; 4];
    for row in &rows {
        let wgs84 = [row[0], row[1]];
        for (i, &(crs, column, ..)) in systems.iter().enumerate() {
            let there = [row[column], row[column + 1]];
            let forward = crs.from_wgs84(wgs84).unwrap();
            let back = crs.to_wgs84(there).unwrap();
            let miss = |a: Position, b: Position| (a[0] - b[0]).abs().max((a[1] - b[1]).abs());
            worst[i] = [worst[i][0].max(miss(forward, there)), worst[i][1].max(miss(back, wgs84))];
        }
    }
    for (i, &(crs, _, forward, inverse)) in systems.iter().enumerate() {
        println!("{crs}: forward {:.1e}, inverse {:.1e}", worst[i][0], worst[i][1]);
        assert!(worst[i][0] < forward && worst[i][1] < inverse, "{crs}: {:?}", worst[i]);
    }
}

#[test]
fn every_grid_brings_a_place_back() {
    for code in (4491..=4554).chain(32601..=32660).chain(32701..=32760).chain([3857, 4326, 4490]) {
        let crs = Crs::from_epsg(code).unwrap();
        let lon = match crs {
            Crs::TransverseMercator(grid) => grid.central_meridian_deg + 1.4,
            _ => 120.0,
        };
        let lat = if (32701..=32760).contains(&code) { -36.2 } else { 36.2 };
        let back = crs.to_wgs84(crs.from_wgs84([lon, lat]).unwrap()).unwrap();
        assert!((back[0] - lon).abs() < 1e-10 && (back[1] - lat).abs() < 1e-10, "{code}: {back:?}");
    }
}

#[test]
fn names_are_read_in_any_case_and_written_so_that_they_are_read_again() {
    for (name, crs) in [
        ("WGS84", Crs::Wgs84),
        ("cgcs2000", Crs::Wgs84),
        ("Gcj02", Crs::Gcj02),
        ("bd09", Crs::Bd09),
        ("epsg:4490", Crs::Wgs84),
        ("EPSG:3857", Crs::WebMercator),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", Crs::Wgs84),
        ("urn:ogc:def:crs:EPSG::4490", Crs::Wgs84),
        ("http://www.opengis.net/def/crs/EPSG/0/3857", Crs::WebMercator),
    ] {
        assert_eq!(name.parse::<Crs>().unwrap(), crs, "{name}");
    }
    for code in [4491, 4513, 4528, 4549, 4554, 32650, 32750, 3857] {
        let crs = Crs::from_epsg(code).unwrap();
        assert_eq!(crs.to_string(), format!("EPSG:{code}"));
        assert_eq!(crs.to_string().parse::<Crs>().unwrap(), crs);
    }
    for name in ["", "EPSG:", "EPSG:99999999999", "EPSG:2437", "wgs72", "urn:ogc:def:crs:EPSG::x"] {
        assert!(matches!(name.parse::<Crs>(), Err(CrsError::Unknown { .. })), "{name}");
    }
}

#[test]
fn numbers_that_mean_no_place_are_refused_with_their_index() {
    let gauss_krueger: Crs = "EPSG:4549".parse().unwrap();
    for (crs, bad) in [
        (Crs::Wgs84, [181.0, 0.0]),
        (Crs::Wgs84, [36.0, 120.0]),
        (Crs::Gcj02, [f64::NAN, 0.0]),
        (Crs::Bd09, [0.0, f64::INFINITY]),
        (Crs::WebMercator, [2.1e7, 0.0]),
        (gauss_krueger, [40_500_000.0, 4e6]),
        (gauss_krueger, [4e6, 11_000_000.0]),
        (gauss_krueger, [f64::NAN, 4e6]),
    ] {
        let mut places = [crs.from_wgs84([120.0, 36.0]).unwrap(), bad];
        match crs.to_wgs84_all(&mut places) {
            Err(CrsError::OutOfDomain { index, .. }) => assert_eq!(index, 1),
            other => panic!("{crs} {bad:?}: {other:?}"),
        }
    }
    assert!(gauss_krueger.from_wgs84([60.0, 36.0]).is_err());
    assert!(Crs::WebMercator.from_wgs84([100.0, 89.0]).is_err());
}

#[test]
fn prj_files_of_the_usual_programs_are_understood() {
    let esri_geographic = r#"GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]"#;
    let esri_zone = r#"PROJCS["CGCS2000_3_Degree_GK_Zone_40",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",40500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;
    let ogc = r#"PROJCS["CGCS2000 / 3-degree Gauss-Kruger CM 120E",GEOGCS["China Geodetic Coordinate System 2000",DATUM["China_2000",SPHEROID["CGCS2000",6378137,298.257222101,AUTHORITY["EPSG","1024"]],AUTHORITY["EPSG","1043"]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],AUTHORITY["EPSG","4490"]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",120],PARAMETER["scale_factor",1],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AXIS["Northing",NORTH],AXIS["Easting",EAST],AUTHORITY["EPSG","4549"]]"#;
    let city = esri_zone.replace("120.0", "120.3333").replace("40500000", "100000");
    let utm = r#"PROJCS["WGS_1984_UTM_Zone_51N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",123.0],PARAMETER["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]"#;
    let web = r#"PROJCS["WGS_1984_Web_Mercator_Auxiliary_Sphere",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Mercator_Auxiliary_Sphere"],PARAMETER["False_Easting",0.0],UNIT["Meter",1.0]]"#;
    let read = |text: &str| Declared::from_wkt(text).map(|d| d.crs.to_string());
    assert_eq!(read(esri_geographic).unwrap(), "wgs84");
    assert_eq!(read(esri_zone).unwrap(), "EPSG:4528");
    assert_eq!(read(ogc).unwrap(), "EPSG:4549");
    assert_eq!(Declared::from_wkt(ogc).unwrap().axes, AxisOrder::NorthEast);
    assert_eq!(read(utm).unwrap(), "EPSG:32651");
    assert_eq!(read(web).unwrap(), "EPSG:3857");
    assert!(read(&city).unwrap().contains("120.3333"));
    let xian = esri_zone.replace("D_China_2000", "D_Xian_1980");
    assert!(read(&xian).unwrap_err().to_string().contains("Xi'an 1980"));
    let conic = utm.replace("Transverse_Mercator", "Albers");
    assert!(read(&conic).unwrap_err().to_string().contains("--crs"));
    for junk in ["", "hello", "GEOGCS[", "GEOGCS[\"x", &"A[".repeat(100_000), "[]", "GEOGCS[]]"] {
        assert!(read(junk).is_err());
    }
}

/// Files hold east, north whatever they declare, unless their numbers fit no other way.
#[test]
fn the_declared_axis_order_is_taken_only_where_the_numbers_prove_it() {
    let by_letter = Declared::from_name("urn:ogc:def:crs:EPSG::4490").unwrap();
    let plain = Declared::from_name("EPSG:4490").unwrap();
    assert_eq!(by_letter.axes, AxisOrder::NorthEast);
    assert_eq!(plain.axes, AxisOrder::EastNorth);
    assert_eq!(by_letter.order_for(&[[120.3, 36.1]]), AxisOrder::EastNorth);
    assert_eq!(by_letter.order_for(&[[36.1, 120.3]]), AxisOrder::NorthEast);
    // Kashgar: both orders are places on the globe, one of them in China.
    assert_eq!(by_letter.order_for(&[[39.5, 76.0]]), AxisOrder::NorthEast);
    assert_eq!(plain.order_for(&[[36.1, 120.3]]), AxisOrder::EastNorth);
    let grid = Declared::from_name("urn:ogc:def:crs:EPSG::4549").unwrap();
    assert_eq!(grid.order_for(&[[568_720.0, 4_039_908.0]]), AxisOrder::EastNorth);
    assert_eq!(grid.order_for(&[[4_039_908.0, 568_720.0]]), AxisOrder::NorthEast);
}
