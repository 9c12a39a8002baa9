//! A small seeded city as a graph: wiggly shared borders, four levels, an area in two
//! parts, an enclave.
//!
//! ```text
//!   o~~~~o~~~~o~~~~o      cells between bent nodes; 2 x 2 grids make a community,
//!   │ ┌┐ ╎    │    ╎      4 x 4 a street, and all of them the city; in every 5th
//!   o~└┘~o~~~~o~~~~o      cell lies an island that belongs to another grid
//! ```

use std::sync::Arc;

use boundaries::{Area, AreaId, BorderId, BorderRecord, Coverage, FaceId, FaceRecord, Level, Point};
use tiles::TileCoord;

/// The south-western corner.
pub(crate) const ORIGIN: Point = Point::new(1_203_000_000, 360_000_000);
/// A cell's side in lattice units: some 500 m.
const CELL: i32 = 50_000;
/// Vertices between two nodes.
const WIGGLES: i32 = 24;

/// A number in -limit..=limit that depends on what it is for.
fn noise(seed: u64, a: i32, b: i32, c: i32, limit: i32) -> i32 {
    let mut h = seed ^ (a as u64) << 40 ^ (b as u64) << 20 ^ c as u64;
    for _ in 0..3 {
        h = (h ^ (h >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    ((h >> 33) % (2 * limit as u64 + 1)) as i32 - limit
}

/// A coverage of `columns` by `rows` grids; both are rounded up to fours by the upper levels.
pub(crate) fn coverage(columns: i32, rows: i32, seed: u64) -> Coverage {
    let node = |i: i32, j: i32| {
        Point::new(
            ORIGIN.x + i * CELL + noise(seed, i, j, 1, CELL / 6),
            ORIGIN.y + j * CELL + noise(seed, i, j, 2, CELL / 6),
        )
    };
    // Noise along the straight way, less than half a step and less near the nodes: no line
    // may cross itself.
    let line = |a: Point, b: Point, key: i32| -> Arc<[Point]> {
        (0..=WIGGLES)
            .map(|k| {
                let reach = (k.min(WIGGLES - k) * CELL / 300).min(CELL / 110);
                let at = |from: i32, to: i32, salt| {
                    from + (i64::from(to - from) * i64::from(k) / i64::from(WIGGLES)) as i32
                        + if reach > 0 { noise(seed, key, k, salt, reach) } else { 0 }
                };
                Point::new(at(a.x, b.x, 3), at(a.y, b.y, 4))
            })
            .collect()
    };
    let face = |i: i32, j: i32| {
        if i < 0 || j < 0 || i >= columns || j >= rows { FaceId(0) } else { FaceId((j * columns + i + 1) as u32) }
    };
    let mut areas: Vec<(AreaId, Area)> = Vec::new();
    let mut area = |code: String, level: u8, parent: Option<AreaId>, kind: &str| {
        let id = AreaId(areas.len() as u32);
        let area = Area {
            name: format!("第{code}号").into(),
            code: code.into(),
            level: Level(level),
            parent,
            kind: kind.into(),
            attributes: "{}".into(),
        };
        areas.push((id, area));
        id
    };
    let city = area("37".into(), 0, None, "");
    let (blocks_x, blocks_y) = ((columns + 3) / 4, (rows + 3) / 4);
    let streets: Vec<_> = (0..blocks_x * blocks_y).map(|s| area(format!("37{s:03}"), 1, Some(city), "")).collect();
    let (pairs_x, pairs_y) = ((columns + 1) / 2, (rows + 1) / 2);
    let street_of = |ci: i32, cj: i32| streets[((cj / 2) * blocks_x + ci / 2) as usize];
    let communities: Vec<_> = (0..pairs_y)
        .flat_map(|cj| (0..pairs_x).map(move |ci| (ci, cj)))
        .map(|(ci, cj)| area(format!("37{ci:03}{cj:03}"), 2, Some(street_of(ci, cj)), ""))
        .collect();
    let grids: Vec<_> = (0..rows)
        .flat_map(|j| (0..columns).map(move |i| (i, j)))
        .map(|(i, j)| {
            let community = communities[((j / 2) * pairs_x + i / 2) as usize];
            let kind = if (i + j) % 7 == 0 { "dedicated" } else { "base" };
            area(format!("37{i:04}{j:04}"), 3, Some(community), kind)
        })
        .collect();

    let mut faces: Vec<FaceRecord> =
        grids.iter().enumerate().map(|(k, grid)| FaceRecord { id: FaceId(k as u32 + 1), owner: Some(*grid) }).collect();
    let mut borders: Vec<BorderRecord> = Vec::new();
    let mut border = |left: FaceId, right: FaceId, line: Arc<[Point]>| {
        borders.push(BorderRecord { id: BorderId(borders.len() as u32), left, right, line });
    };
    for j in 0..=rows {
        for i in 0..columns {
            border(face(i, j), face(i, j - 1), line(node(i, j), node(i + 1, j), 2 * (j * 1000 + i)));
        }
    }
    for j in 0..rows {
        for i in 0..=columns {
            border(face(i - 1, j), face(i, j), line(node(i, j), node(i, j + 1), 2 * (j * 1000 + i) + 1));
        }
    }
    // Corners of the whole are no nodes of three borders, but where two meet.
    for k in (0..grids.len()).step_by(5) {
        let (i, j) = (k as i32 % columns, k as i32 / columns);
        let (x, y) = (ORIGIN.x + i * CELL + CELL / 2, ORIGIN.y + j * CELL + CELL / 2);
        let island = FaceId(faces.len() as u32 + 1);
        let size = [80, 600, 6_000][k % 3];
        let ring = [(-1, -1), (1, -1), (2, 0), (1, 1), (-1, 1), (-1, -1)];
        let ring = ring.iter().map(|(dx, dy)| Point::new(x + dx * size, y + dy * size)).collect();
        border(island, face(i, j), ring);
        faces.push(FaceRecord { id: island, owner: Some(grids[(k + 1) % grids.len()]) });
    }
    let levels = ["city", "street", "community", "grid"].map(Arc::from);
    let coverage = Coverage::build(Arc::from(levels), areas, faces, borders);
    let coverage = coverage.unwrap();
    assert_eq!(coverage.sanity_check(), Ok(()));
    coverage
}

/// The lattice point at a place of a tile.
pub(crate) fn lattice_point(tile: TileCoord, x: i32, y: i32) -> Point {
    let tiles = f64::from(1u32 << tile.z());
    let column = (f64::from(tile.x()) + f64::from(x) / 4096.0) / tiles;
    let row = (f64::from(tile.y()) + f64::from(y) / 4096.0) / tiles;
    let lat = (std::f64::consts::PI * (1.0 - 2.0 * row)).sinh().atan().to_degrees();
    Point::from_degrees(column * 360.0 - 180.0, lat).unwrap()
}
