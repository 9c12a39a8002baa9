//! Real polygon files, as dirty as they come. They are found through
//! GRIDATLAS_TEST_DATA; without it these tests say that they skip.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has nothing to say")]

mod edits;
mod simplified;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use boundaries::{Area, AreaId, Claim, FindingKind, Level, Point, Polygon, Settings, assemble};
use serde_json::Value;

fn features(name: &str) -> Option<Vec<Value>> {
    let Ok(folder) = std::env::var("GRIDATLAS_TEST_DATA") else {
        println!("skipped: GRIDATLAS_TEST_DATA is not set");
        return None;
    };
    let file = std::fs::File::open(PathBuf::from(folder).join(name)).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut all: Value = serde_json::from_str(&text).unwrap();
    match all["features"].take() {
        Value::Array(features) => Some(features),
        _ => panic!("{name} is no feature collection"),
    }
}

fn ring(ring: &Value) -> Vec<Point> {
    let degrees = |v: &Value, i: usize| v[i].as_f64().unwrap();
    ring.as_array().unwrap().iter().map(|p| Point::from_degrees(degrees(p, 0), degrees(p, 1)).unwrap()).collect()
}

fn polygons(geometry: &Value) -> Vec<Polygon> {
    let polygon = |rings: &Value| {
        let mut rings = rings.as_array().unwrap().iter().map(ring);
        Polygon { shell: rings.next().unwrap(), holes: rings.collect() }
    };
    match geometry["type"].as_str() {
        Some("Polygon") => vec![polygon(&geometry["coordinates"])],
        Some("MultiPolygon") => geometry["coordinates"].as_array().unwrap().iter().map(polygon).collect(),
        other => panic!("{other:?}"),
    }
}

#[derive(Default)]
struct Areas {
    areas: Vec<(AreaId, Area)>,
    by_code: BTreeMap<String, AreaId>,
}

impl Areas {
    fn add(&mut self, code: &str, level: u8, parent: Option<AreaId>) -> AreaId {
        if let Some(id) = self.by_code.get(code) {
            return *id;
        }
        let id = AreaId(self.areas.len() as u32);
        let area = Area {
            code: code.into(),
            name: "".into(),
            level: Level(level),
            parent,
            kind: "".into(),
            attributes: "{}".into(),
        };
        self.areas.push((id, area));
        self.by_code.insert(code.to_owned(), id);
        id
    }
}

fn levels(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|n| Arc::from(*n)).collect()
}

fn summary(findings: &[boundaries::Finding]) -> BTreeMap<(FindingKind, bool), usize> {
    let mut counts = BTreeMap::new();
    findings.iter().for_each(|f| *counts.entry((f.kind, f.blocking)).or_insert(0) += 1);
    counts
}

/// The names of the levels, the areas and the claims.
type City = (Arc<[Arc<str>]>, Vec<(AreaId, Area)>, Vec<Claim>);

/// A real city of 17,387 polygons.
fn kaohsiung() -> Option<City> {
    let features = features("kaohsiung_basic_stat_areas.geojson.gz")?;
    let fields = ["COUNTY_ID", "TOWN_ID", "CODE2", "CODE1", "CODEBASE"];
    let mut areas = Areas::default();
    let mut claims = Vec::new();
    for feature in &features {
        let mut parent = None;
        for (level, field) in fields.iter().enumerate() {
            parent = Some(areas.add(feature["properties"][field].as_str().unwrap(), level as u8, parent));
        }
        let area = parent.unwrap();
        claims.extend(polygons(&feature["geometry"]).into_iter().map(|polygon| Claim { area, polygon }));
    }
    Some((levels(&["city", "district", "street", "community", "grid"]), areas.areas, claims))
}

#[test]
fn the_seams_of_a_real_city_are_repaired_and_listed_and_its_polygons_keep_their_ground() {
    let Some((names, areas, claims)) = kaohsiung() else { return };
    let start = Instant::now();
    let assembly = assemble(names, areas, claims.clone(), &Settings::default());
    println!("assembled {} claims in {:?}", claims.len(), start.elapsed());
    println!("{:?}", summary(&assembly.findings));
    for f in assembly.findings.iter().filter(|f| f.blocking).take(30) {
        println!("{f}");
    }
    let coverage = assembly.coverage.unwrap();
    println!("{} faces, {} borders", coverage.faces().count(), coverage.borders().count());
    let slivers = assembly.findings.iter().filter(|f| f.kind == FindingKind::Sliver);
    let (gaps, overlaps): (Vec<_>, Vec<_>) = slivers.clone().partition(|f| f.note.contains("gap"));
    let largest = |all: &[&boundaries::Finding]| all.iter().map(|f| f.area_m2).fold(0.0, f64::max);
    println!(
        "{} gaps up to {:.2} m², {} overlaps up to {:.2} m²",
        gaps.len(),
        largest(&gaps),
        overlaps.len(),
        largest(&overlaps)
    );
    assert!(gaps.len() > 100 && largest(&gaps) < 0.6 && !overlaps.is_empty() && largest(&overlaps) < 2.0);
    assert!(slivers.clone().all(|f| f.area_m2 < 2.0 && !f.owners.is_empty() && f.place.is_some()));
    assert!(!assembly.findings.iter().any(|f| matches!(f.kind, FindingKind::Gap | FindingKind::Overlap)));

    let start = Instant::now();
    assert_eq!(coverage.sanity_check(), Ok(()));
    println!("checked in {:?}", start.elapsed());

    let mut drawn: BTreeMap<AreaId, f64> = BTreeMap::new();
    for claim in &claims {
        *drawn.entry(claim.area).or_default() += ground_m2(&claim.polygon);
    }
    for (id, drawn_m2) in drawn {
        let (area_m2, perimeter_m) = (coverage.area_m2(id), coverage.perimeter_m(id));
        assert!((area_m2 - drawn_m2).abs() <= f64::max(3.0, 0.005 * perimeter_m), "{id:?}: {drawn_m2} {area_m2}");
    }
    for level in 0..5 {
        let start = Instant::now();
        let outlines = coverage.outlines(Level(level));
        println!("{} outlines in {:?}", outlines.len(), start.elapsed());
        save(&coverage, &outlines, level);
    }
}

/// Ground by the spherical excess of thin strips: an own, slow measure.
fn ground_m2(polygon: &Polygon) -> f64 {
    let ring = |ring: &[Point]| -> f64 {
        let frame = |a: Point, b: Point| boundaries::Frame::between(a, b);
        let y0 = ring[0].y;
        (0..ring.len())
            .map(|i| {
                let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
                // The strip between the edge and the first point's latitude, at its middle.
                let height = (f64::from(a.y) + f64::from(b.y)) / 2.0 - f64::from(y0);
                let middle = Point::new(a.x, (f64::from(y0) + height / 2.0) as i32);
                (f64::from(a.x) - f64::from(b.x)) * height * frame(middle, middle).unit_area_m2()
            })
            .sum::<f64>()
            .abs()
    };
    ring(&polygon.shell) - polygon.holes.iter().map(|h| ring(h)).sum::<f64>()
}

/// Writes the outlines where GRIDATLAS_TEST_OUTLINES says, one polygon a line in WKT, for
/// other programs to judge.
fn save(coverage: &boundaries::Coverage, outlines: &[boundaries::Outline], level: u8) {
    use std::fmt::Write;
    let Ok(folder) = std::env::var("GRIDATLAS_TEST_OUTLINES") else { return };
    let mut text = String::new();
    for outline in outlines {
        text.push_str("MULTIPOLYGON (");
        for (i, polygon) in outline.parts.iter().map(|p| coverage.polygon(p)).enumerate() {
            text.push_str(if i > 0 { ", (" } else { "(" });
            for (j, ring) in polygon.rings().enumerate() {
                text.push_str(if j > 0 { ", (" } else { "(" });
                for p in ring.iter().chain(&ring[..1]) {
                    write!(text, "{} {},", p.x, p.y).unwrap();
                }
                text.pop();
                text.push(')');
            }
            text.push(')');
        }
        text.push_str(")\n");
    }
    std::fs::write(PathBuf::from(folder).join(format!("level{level}.wkt")), text).unwrap();
}

#[test]
fn streets_lie_in_their_districts_and_what_no_street_claims_stays_the_district_s() {
    let Some(features) = features("qingdao_admin_osm.geojson.gz") else { return };
    let of_level = |level: &'static str| {
        features.iter().filter(move |f| f["properties"]["admin_level"].to_string().trim_matches('"') == level)
    };
    let code = |f: &Value| f["properties"]["osm_id"].to_string().trim_matches('"').to_owned();
    let mut areas = Areas::default();
    let mut claims = Vec::new();
    for feature in of_level("6") {
        let area = areas.add(&code(feature), 0, None);
        claims.extend(polygons(&feature["geometry"]).into_iter().map(|polygon| Claim { area, polygon }));
    }
    let names = levels(&["district", "street"]);
    let districts = assemble(names.clone(), areas.areas.clone(), claims.clone(), &Settings::default());
    println!("districts {:?}", summary(&districts.findings));
    let districts = districts.coverage.unwrap();
    assert_eq!(districts.sanity_check(), Ok(()));
    for outline in districts.outlines(Level(0)) {
        assert_eq!(districts.outline(outline.area).as_ref(), Some(&outline));
    }
    let all_m2: f64 = districts.faces().filter(|f| f.1.owner.is_some()).map(|f| districts.face_area_m2(f.0)).sum();

    let grounds: Vec<(AreaId, Vec<Polygon>)> = districts.areas().map(|(id, _)| (id, districts.polygons(id))).collect();
    for feature in of_level("8") {
        let polygons = polygons(&feature["geometry"]);
        // The district that holds most of the places within the street: its vertices, which
        // lie on borders, would not tell.
        let within = places_in(&polygons);
        let held = |ground: &Vec<Polygon>| within.iter().filter(|p| ground.iter().any(|g| even_odd(g, **p))).count();
        let parent = grounds.iter().max_by_key(|(_, ground)| held(ground)).map(|g| g.0);
        let area = areas.add(&code(feature), 1, parent);
        claims.extend(polygons.into_iter().map(|polygon| Claim { area, polygon }));
    }
    let start = Instant::now();
    let assembly = assemble(names, areas.areas, claims, &Settings::default());
    println!("both {:?} in {:?}", summary(&assembly.findings), start.elapsed());
    for f in assembly.findings.iter().filter(|f| f.blocking).take(30) {
        println!("{f}");
    }
    let coverage = assembly.coverage.unwrap();
    assert_eq!(coverage.sanity_check(), Ok(()));
    let without: f64 = coverage
        .faces()
        .filter(|f| f.1.owner.is_some_and(|o| coverage.area(o).is_some_and(|a| a.level.0 == 0)))
        .map(|f| coverage.face_area_m2(f.0))
        .sum();
    println!("{:.3} % without a street", 100.0 * without / all_m2);
    assert!((without / all_m2 - 0.0126).abs() < 0.0005);
    for level in 0..2 {
        save(&coverage, &coverage.outlines(Level(level)), 10 + level);
    }
}

/// Places on a coarse grid that lie in one of the polygons.
fn places_in(polygons: &[Polygon]) -> Vec<Point> {
    let bounds = boundaries::Bounds::of(polygons.iter().flat_map(|p| p.shell.iter().copied()));
    let at =
        |low: i32, high: i32, i: i32| (i64::from(low) + (i64::from(high) - i64::from(low)) * i64::from(i) / 20) as i32;
    let grid =
        (0..400).map(|i| Point::new(at(bounds.min.x, bounds.max.x, i % 20), at(bounds.min.y, bounds.max.y, i / 20)));
    grid.filter(|p| polygons.iter().any(|g| even_odd(g, *p))).collect()
}

fn even_odd(polygon: &Polygon, p: Point) -> bool {
    let mut inside = false;
    for ring in polygon.rings() {
        for (i, &a) in ring.iter().enumerate() {
            let b = ring[(i + 1) % ring.len()];
            let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
            inside ^= low.y <= p.y && p.y < high.y && boundaries::orient(low, high, p).is_le();
        }
    }
    inside
}
