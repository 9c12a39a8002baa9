//! The town that is planned: rows of grids, each row a street, the rows in two districts,
//! with buildings and workers in them.
//!
//! ```text
//!   ┌────┬────┬────┬────┬────┬────┐
//!   │g24 │g25 │g26 │g27 │g28 │g29 │ s4 ┐
//!   ├────┼────┼────┼────┼────┼────┤    │ d1
//!   │g18 │ ...                    │ s3 ┘
//!   ├────┼────┼────┼────┼────┼────┤
//!   │ ...                         │ s0..s2, d0
//!   └────┴────┴────┴────┴────┴────┘
//! ```

use std::sync::Arc;

use boundaries::{Area, AreaId, Claim, Coverage, Level, Point, Polygon, Settings, assemble};
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::store::{Publication, Store, SyncOptions};

use super::dice::Dice;

/// Side of a grid in lattice units, some 200 m.
pub(crate) const CELL: i32 = 20_000;
pub(crate) const WIDE: i32 = 6;
pub(crate) const HIGH: i32 = 5;
/// South-west corner, in Qingdao.
pub(crate) const CORNER: Point = Point::new(1_203_000_000, 360_000_000);
/// The coverage that is planned.
pub(crate) const COVERAGE: &str = "responsibility";
/// Side of a building, some 10 m.
pub(crate) const HOUSE: i32 = 1_000;

/// A place so far from the corner.
pub(crate) fn at(x: i32, y: i32) -> Point {
    Point::new(CORNER.x + x, CORNER.y + y)
}

/// A place in the town.
pub(crate) fn place(dice: &mut Dice) -> Point {
    let (wide, high) = ((WIDE * CELL) as usize, (HIGH * CELL) as usize);
    at(dice.below(wide) as i32, dice.below(high) as i32)
}

fn coverage(dice: &mut Dice) -> Coverage {
    let mut areas: Vec<(AreaId, Area)> = Vec::new();
    let mut put = |code: String, level: u8, parent: Option<AreaId>| {
        let id = AreaId(areas.len() as u32);
        let (name, kind) = (format!("第{code}号").into(), "base".into());
        areas.push((id, Area { code: code.into(), name, level: Level(level), parent, kind, attributes: "{}".into() }));
        id
    };
    let districts = [put("d0".into(), 0, None), put("d1".into(), 0, None)];
    let streets: Vec<AreaId> =
        (0..HIGH).map(|y| put(format!("s{y}"), 1, Some(districts[usize::from(y > 2)]))).collect();
    let grids: Vec<AreaId> =
        (0..WIDE * HIGH).map(|i| put(format!("g{i}"), 2, Some(streets[(i / WIDE) as usize]))).collect();
    let corners: Vec<Point> = (0..(WIDE + 1) * (HIGH + 1))
        .map(|i| (i % (WIDE + 1), i / (WIDE + 1)))
        .map(|(x, y)| at(x * CELL + dice.about(CELL / 8), y * CELL + dice.about(CELL / 8)))
        .collect();
    let corner = |x: i32, y: i32| corners[(y * (WIDE + 1) + x) as usize];
    let claims = (0..WIDE * HIGH).map(|i| {
        let (x, y) = (i % WIDE, i / WIDE);
        let shell = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(i, j)| corner(x + i, y + j)).to_vec();
        Claim { area: grids[i as usize], polygon: Polygon { shell, holes: vec![] } }
    });
    let levels: Arc<[Arc<str>]> = Arc::from(["district".into(), "street".into(), "grid".into()]);
    let made = assemble(levels, areas, claims.collect(), &Settings::default());
    made.coverage.unwrap_or_else(|| panic!("{:?}", made.findings))
}

fn features(dice: &mut Dice) -> [(&'static str, Vec<Feature>); 2] {
    let within = |dice: &mut Dice| {
        let most = |cells: i32| (cells * CELL - CELL) as usize;
        at(CELL / 2 + dice.below(most(WIDE)) as i32, CELL / 2 + dice.below(most(HIGH)) as i32)
    };
    let house = |i: i32, dice: &mut Dice| {
        let p = within(dice);
        let shell = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(x, y)| Point::new(p.x + x * HOUSE, p.y + y * HOUSE));
        let geometry = Geometry::Polygons(vec![Polygon { shell: shell.to_vec(), holes: vec![] }]);
        let households = Value::Integer(i64::from(i) % 40);
        Feature { id: format!("b{i}").into(), geometry, properties: vec![("households".into(), households)] }
    };
    let worker = |i: i32, dice: &mut Dice| {
        let geometry = Geometry::Point(within(dice));
        Feature { id: format!("w{i}").into(), geometry, properties: vec![] }
    };
    [("building", (0..80).map(|i| house(i, dice)).collect()), ("worker", (0..20).map(|i| worker(i, dice)).collect())]
}

/// Founds the town in an empty store: gives its first state and what stands in it.
pub(crate) async fn found(store: &Store, dice: &mut Dice) -> (Coverage, Vec<Feature>) {
    let first = coverage(dice);
    let publication = Publication {
        coverage: COVERAGE.into(),
        expected: None,
        base: None,
        next: first.clone(),
        author: "founder".into(),
        effective: None,
        summary: "as surveyed".into(),
        plan: None,
        lineage: Vec::new(),
    };
    store.publish(publication).await.unwrap();
    let mut all = Vec::new();
    for (layer, features) in features(dice) {
        let options = SyncOptions { max_removed_percent: 100.0, dry_run: false };
        store.sync_layer(layer, &[], features.clone(), &options).await.unwrap();
        all.extend(features);
    }
    (first, all)
}
