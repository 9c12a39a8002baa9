//! Coverages to judge by.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use boundaries::{Area, AreaId, Claim, Coverage, Level, Point, Polygon, Settings, assemble};
use gridatlas::demo::{City, Random};

#[derive(Default)]
struct Areas {
    areas: Vec<(AreaId, Area)>,
    by_code: BTreeMap<(u8, String), AreaId>,
    claims: Vec<Claim>,
}

impl Areas {
    fn add(&mut self, code: &str, level: u8, parent: Option<AreaId>) -> AreaId {
        let next = AreaId(self.areas.len() as u32);
        let id = *self.by_code.entry((level, code.to_owned())).or_insert(next);
        if id == next {
            let (name, kind): (Arc<str>, Arc<str>) = ("".into(), "".into());
            let attributes = "{}".into();
            self.areas.push((id, Area { code: code.into(), name, level: Level(level), parent, kind, attributes }));
        }
        id
    }

    /// An area with all above it, and its ground.
    fn claim<'a>(&mut self, chain: impl IntoIterator<Item = &'a str>, polygons: impl IntoIterator<Item = Polygon>) {
        let mut parent = None;
        for (level, code) in chain.into_iter().enumerate() {
            parent = Some(self.add(code, level as u8, parent));
        }
        let area = parent.unwrap();
        self.claims.extend(polygons.into_iter().map(|polygon| Claim { area, polygon }));
    }

    fn assemble(self, levels: &[&str], settings: &Settings) -> Coverage {
        let levels: Arc<[Arc<str>]> = levels.iter().map(|l| Arc::from(*l)).collect();
        let assembly = assemble(levels, self.areas, self.claims, settings);
        assembly.coverage.unwrap_or_else(|| panic!("{:?}", assembly.findings.first()))
    }
}

const LEVELS: [&str; 5] = ["city", "district", "street", "community", "grid"];

/// The demo city with about so many grids.
pub(crate) fn demo(grids: usize, seed: u64) -> Coverage {
    let city = City::new(grids, seed);
    let mut areas = Areas::default();
    for grid in &city.grids {
        let code = grid.code.as_str();
        let chain = [&*city.whole.code, &code[..6], &code[..9], &code[..12], code];
        // A district has the number of its city with other last digits: codes are told apart by level.
        let chain: Vec<String> = chain.iter().enumerate().map(|(l, c)| format!("{l}.{c}")).collect();
        areas.claim(chain.iter().map(String::as_str), grid.parts.iter().cloned());
    }
    areas.assemble(&LEVELS, &Settings::default())
}

/// A real city of 17,387 polygons; `None` where there is no real data.
pub(crate) fn kaohsiung() -> Option<Coverage> {
    let Ok(folder) = std::env::var("GRIDATLAS_TEST_DATA") else {
        println!("skipped: GRIDATLAS_TEST_DATA is not set");
        return None;
    };
    let file = std::path::Path::new(&folder).join("kaohsiung_basic_stat_areas.geojson.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut areas = Areas::default();
    let ring = |ring: &serde_json::Value| -> Vec<Point> {
        let degrees = |p: &serde_json::Value, i: usize| p[i].as_f64().unwrap();
        ring.as_array().unwrap().iter().map(|p| Point::from_degrees(degrees(p, 0), degrees(p, 1)).unwrap()).collect()
    };
    let polygon = |rings: &serde_json::Value| {
        let mut rings = rings.as_array().unwrap().iter().map(ring);
        Polygon { shell: rings.next().unwrap(), holes: rings.collect() }
    };
    for feature in all["features"].as_array().unwrap() {
        let (of, geometry) = (&feature["properties"], &feature["geometry"]);
        let chain = ["COUNTY_ID", "TOWN_ID", "CODE2", "CODE1", "CODEBASE"].map(|field| of[field].as_str().unwrap());
        let parts: Vec<Polygon> = match geometry["type"].as_str() {
            Some("Polygon") => vec![polygon(&geometry["coordinates"])],
            _ => geometry["coordinates"].as_array().unwrap().iter().map(polygon).collect(),
        };
        areas.claim(chain, parts);
    }
    Some(areas.assemble(&LEVELS, &Settings::default()))
}

/// Needles, stars and combs thrown over each other: what several claim goes to the lower
/// code, and nothing is too narrow to stay.
///
/// ```text
///      ╲  │ ╱ ___          slivers of a few centimetres, necks, islands in islands,
///   ____╲_│╱_╱___          ground in a hundred parts, lines that all but meet
///        ╲│╱╱
/// ```
pub(crate) fn nasty(count: usize, seed: u64) -> Coverage {
    let mut random = Random::of(seed, "nasty ground");
    let origin = Point::new(1_203_840_000, 360_672_000);
    let mut areas = Areas::default();
    for i in 0..count {
        let reach = [300, 3_000, 30_000, 300_000][random.below(4)];
        let mut near = |p: Point, reach: i32| {
            let mut about = || random.below(2 * reach as usize + 1) as i32 - reach;
            Point::new(p.x + about(), p.y + about())
        };
        let middle = near(origin, 150_000);
        let tip = near(middle, reach);
        let shell = match i % 3 {
            // A needle.
            0 => vec![near(middle, 20), tip, near(middle, 20)],
            // A comb with teeth a unit or a few apart.
            1 => {
                let (dx, dy) = ((tip.x - middle.x) / 16, (tip.y - middle.y) / 16);
                let teeth = (0..16).flat_map(|k| {
                    let foot = Point::new(middle.x + dx * k, middle.y + dy * k);
                    let point = Point::new(foot.x - dy * (1 + k % 3), foot.y + dx * (1 + k % 3));
                    [foot, Point::new(point.x + k % 2, point.y)]
                });
                let mut comb: Vec<Point> = teeth.collect();
                comb.push(Point::new(middle.x + dy, middle.y - dx));
                comb
            }
            // Anything.
            _ => (0..7).map(|_| near(middle, reach)).collect(),
        };
        let (whole, street, grid) = ("w".to_owned(), format!("s{}", i % 5), format!("g{i:03}"));
        areas.claim([whole.as_str(), &street, &grid], simple(shell));
    }
    let settings = Settings {
        tolerance_m: 0.0,
        sliver_width_m: 0.0,
        sliver_area_m2: 0.0,
        accept_overlap: true,
        refuse_gap: false,
    };
    areas.assemble(&["whole", "street", "grid"], &settings)
}

/// A ring without crossings of itself: the triangles that its first point makes with its
/// edges, each by itself.
fn simple(shell: Vec<Point>) -> Vec<Polygon> {
    let triangle = |w: &[Point]| Polygon { shell: vec![shell[0], w[0], w[1]], holes: Vec::new() };
    let is_flat = |p: &Polygon| boundaries::orient(p.shell[0], p.shell[1], p.shell[2]).is_eq();
    shell[1..].windows(2).map(triangle).filter(|p| !is_flat(p)).collect()
}
