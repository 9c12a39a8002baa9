//! A small city on a square lattice: blocks of 1,000 units, each a grid, some rows of
//! them a street. Its shape is plain so that tests can say what must come out.

use std::sync::Arc;

use boundaries::{Area, AreaId, Coverage, FreeIds, Level, Point, Polygon, Settings, area_ids, assemble, carry_ids};
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::store::{Publication, Published, Store};

/// Side of a block in lattice units, about 10 m.
pub(crate) const BLOCK: i32 = 1000;
/// South-west corner: in Qingdao.
pub(crate) const ORIGIN: Point = Point::new(1_203_000_000, 360_000_000);

pub(crate) fn at(x: i32, y: i32) -> Point {
    Point::new(ORIGIN.x + x, ORIGIN.y + y)
}

/// Grids `g0` ... in rows of `wide` blocks; each row is a street `s0` ... Grid `bent`
/// gets a corner of its eastern neighbour.
pub(crate) fn coverage(wide: i32, high: i32, bent: Option<i32>, old: Option<(&Coverage, FreeIds, u32)>) -> Coverage {
    let streets = (0..high).map(|y| (format!("s{y}"), 0u8, None));
    let grids = (0..wide * high).map(|i| (format!("g{i}"), 1u8, Some(i / wide)));
    let named: Vec<(String, u8, Option<i32>)> = streets.chain(grids).collect();
    let first_free = old.map_or(0, |(_, _, free)| free);
    let ids = area_ids(named.iter().map(|(code, ..)| code.as_str()), old.map(|(c, ..)| c), first_free);
    let areas = named.iter().zip(&ids).map(|((code, level, parent), id)| {
        let area = Area {
            code: code.as_str().into(),
            name: format!("第{code}号").into(),
            level: Level(*level),
            parent: parent.map(|p| ids[p as usize]),
            kind: "base".into(),
            attributes: "{}".into(),
        };
        (*id, area)
    });
    let claims = (0..wide * high).map(|i| boundaries::Claim {
        area: ids[(high + i) as usize],
        polygon: block(i % wide, i / wide, bent.map(|b| (b, i, wide))),
    });
    let levels: Arc<[Arc<str>]> = Arc::from(["street".into(), "grid".into()]);
    let made = assemble(levels, areas.collect(), claims.collect(), &Settings::default());
    let coverage = made.coverage.unwrap_or_else(|| panic!("{:?}", made.findings));
    match old {
        Some((old, free, _)) => carry_ids(&coverage, old, free).unwrap(),
        None => coverage,
    }
}

/// A block's square; the bent one reaches 300 units into its eastern neighbour.
fn block(x: i32, y: i32, bent: Option<(i32, i32, i32)>) -> Polygon {
    let (west, south) = (x * BLOCK, y * BLOCK);
    let (east, north) = (west + BLOCK, south + BLOCK);
    let mut shell = vec![at(west, south), at(east, south), at(east, north), at(west, north)];
    if let Some((bent, i, _)) = bent {
        if i == bent {
            shell.splice(
                2..2,
                [
                    at(east, south + 300),
                    at(east + 300, south + 300),
                    at(east + 300, south + 600),
                    at(east, south + 600),
                ],
            );
        }
        if i == bent + 1 {
            shell.extend([
                at(west, south + 600),
                at(west + 300, south + 600),
                at(west + 300, south + 300),
                at(west, south + 300),
            ]);
        }
    }
    Polygon { shell, holes: vec![] }
}

pub(crate) fn publication(name: &str, expected: Option<u64>, next: Coverage) -> Publication {
    Publication {
        coverage: name.into(),
        expected,
        base: None,
        plan: None,
        lineage: Vec::new(),
        next,
        author: "planner".into(),
        effective: None,
        summary: "as drawn".into(),
    }
}

/// Publishes the city of 6 by 4 blocks.
pub(crate) async fn publish_first(store: &Store) -> Published {
    store.publish(publication("responsibility", None, coverage(6, 4, None, None))).await.unwrap()
}

/// The next state of the head: grid `bent` reaches into its neighbour.
pub(crate) async fn bent(store: &Store, bent: i32) -> (u64, Coverage) {
    let (head, old) = store.head_coverage("responsibility").await.unwrap().unwrap();
    let (free, area) = store.free_ids("responsibility").await.unwrap();
    (head.number, coverage(6, 4, Some(bent), Some((&old, free, area))))
}

/// Buildings of 100 by 100 units, every fourth across a border between two blocks.
pub(crate) fn buildings(count: i32) -> Vec<Feature> {
    (0..count)
        .map(|i| {
            let (x, y) = ((i * 7) % 6 * BLOCK, (i * 5) % 4 * BLOCK);
            let x = if i % 4 == 0 { x - 30 } else { x + 200 };
            let shell = [(0, 0), (100, 0), (100, 100), (0, 100)].map(|(dx, dy)| at(x + dx, y + 400 + dy)).to_vec();
            Feature {
                id: format!("b{i}").into(),
                geometry: Geometry::Polygons(vec![Polygon { shell, holes: vec![] }]),
                properties: vec![
                    ("name".into(), Value::Text(format!("{i}号楼\t\\N \"x\"").into())),
                    ("households".into(), Value::Integer(i64::from(i))),
                    ("height".into(), Value::Real(f64::from(i) / 4.0)),
                    ("lift".into(), Value::Bool(i % 2 == 0)),
                ],
            }
        })
        .collect()
}

pub(crate) fn ids(coverage: &Coverage) -> Vec<(u32, u32, u32, usize)> {
    coverage.borders().map(|(id, b)| (id.0, b.left.0, b.right.0, b.line.len())).collect()
}

pub(crate) fn area(coverage: &Coverage, code: &str) -> AreaId {
    coverage.area_by_code(code).unwrap()
}
