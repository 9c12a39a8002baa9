//! Cities for tests: seeded, nested, with wiggly borders, enclaves and areas in parts;
//! clean, or as dirty as wanted.

use std::sync::Arc;

use crate::area::{Area, AreaId, Level};
use crate::assemble::Claim;
use crate::lattice::Point;
use crate::polygon::{Polygon, Ring};

/// A small seeded generator (the constants are Knuth's for MMIX).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn seeded(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// A number from `-reach` to `reach`.
    pub(crate) fn about(&mut self, reach: i32) -> i32 {
        self.below(2 * reach as u64 + 1) as i32 - reach
    }
}

pub(crate) fn area(code: &str, level: u8, parent: Option<AreaId>) -> Area {
    Area { code: code.into(), name: "".into(), level: Level(level), parent, kind: "".into(), attributes: "{}".into() }
}

pub(crate) fn levels(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|n| Arc::from(*n)).collect()
}

/// Areas and the polygons that they claim.
#[derive(Clone)]
pub(crate) struct City {
    pub(crate) levels: Arc<[Arc<str>]>,
    pub(crate) areas: Vec<(AreaId, Area)>,
    pub(crate) claims: Vec<Claim>,
}

/// The corner where the sample cities begin: 120.4°E 36.1°N.
const CORNER: Point = Point::new(1_204_000_000, 361_000_000);
/// The side of a cell: some 110 m.
pub(crate) const CELL: i32 = 10_000;

impl City {
    /// `side` x `side` cells below two districts; every seventh cell has an enclave, and
    /// every eleventh belongs to the area of the cell before the last.
    pub(crate) fn clean(side: i32, dice: &mut Dice) -> Self {
        Self::drawn(side, 4, dice)
    }

    /// The same with so many steps on each side of a cell.
    pub(crate) fn drawn(side: i32, steps: i32, dice: &mut Dice) -> Self {
        let corners: Vec<Point> = (0..(side + 1) * (side + 1))
            .map(|i| {
                let (x, y) = (i % (side + 1), i / (side + 1));
                Point::new(CORNER.x + x * CELL + dice.about(CELL / 8), CORNER.y + y * CELL + dice.about(CELL / 8))
            })
            .collect();
        let corner = |x: i32, y: i32| corners[(y * (side + 1) + x) as usize];
        // Vertices inside an edge, by its two ends: the same from both sides.
        let mut inner: std::collections::BTreeMap<(Point, Point), Vec<Point>> = std::collections::BTreeMap::new();
        let mut wiggle = |a: Point, b: Point, dice: &mut Dice| -> Vec<Point> {
            let key = (a.min(b), a.max(b));
            let own = inner.entry(key).or_insert_with(|| {
                (1..steps)
                    .map(|i| {
                        let part = |u: i32, v: i32| u + (v - u) / steps * i;
                        Point::new(
                            part(key.0.x, key.1.x) + dice.about(CELL / 5 / steps),
                            part(key.0.y, key.1.y) + dice.about(CELL / 5 / steps),
                        )
                    })
                    .collect()
            });
            let mut line = own.clone();
            if a > b {
                line.reverse();
            }
            line
        };
        let mut areas = vec![(AreaId(0), area("D0", 0, None)), (AreaId(1), area("D1", 0, None))];
        let mut claims = Vec::new();
        for cell in 0..side * side {
            let (x, y) = (cell % side, cell / side);
            let turn = [corner(x, y), corner(x + 1, y), corner(x + 1, y + 1), corner(x, y + 1)];
            let mut shell = Vec::new();
            for i in 0..4 {
                shell.push(turn[i]);
                shell.extend(wiggle(turn[i], turn[(i + 1) % 4], dice));
            }
            let parent = Some(AreaId(u32::from(x >= side / 2)));
            let mut holes = Vec::new();
            if cell % 7 == 3 {
                let (cx, cy) = (CORNER.x + x * CELL + CELL / 2, CORNER.y + y * CELL + CELL / 2);
                let r = CELL / 6;
                let ring: Ring = [(0, -r), (r, 0), (0, r), (-r, 0)].map(|(i, j)| Point::new(cx + i, cy + j)).to_vec();
                let id = AreaId(areas.len() as u32);
                areas.push((id, area(&format!("E{cell}"), 1, parent)));
                claims.push(Claim { area: id, polygon: Polygon { shell: ring.clone(), holes: vec![] } });
                holes.push(ring);
            }
            let shared = cell % 11 == 10 && x >= 2 && (x >= side / 2) == (x - 2 >= side / 2);
            let id = if shared {
                let code = format!("C{}", cell - 2);
                areas.iter().find(|a| *a.1.code == *code).map_or(AreaId(2), |a| a.0)
            } else {
                let id = AreaId(areas.len() as u32);
                areas.push((id, area(&format!("C{cell}"), 1, parent)));
                id
            };
            claims.push(Claim { area: id, polygon: Polygon { shell, holes } });
        }
        Self { levels: levels(&["district", "grid"]), areas, claims }
    }

    /// The same city badly drawn: vertices of each polygon moved a little on their own,
    /// some left out, some drawn twice.
    pub(crate) fn dirtied(mut self, reach: i32, dice: &mut Dice) -> Self {
        for ring in
            self.claims.iter_mut().flat_map(|c| std::iter::once(&mut c.polygon.shell).chain(&mut c.polygon.holes))
        {
            let mut drawn = Vec::new();
            for (i, p) in ring.iter().enumerate() {
                if ring.len() > 12 && i % 4 != 0 && dice.below(12) == 0 {
                    continue;
                }
                let moved =
                    if dice.below(3) == 0 { Point::new(p.x + dice.about(reach), p.y + dice.about(reach)) } else { *p };
                drawn.push(moved);
                if dice.below(15) == 0 {
                    drawn.push(moved);
                }
            }
            *ring = drawn;
        }
        self
    }

    /// The same polygons in another order, each ring begun elsewhere and half of them
    /// turned round.
    pub(crate) fn reordered(mut self, dice: &mut Dice) -> Self {
        for i in (1..self.claims.len()).rev() {
            self.claims.swap(i, dice.below(i as u64 + 1) as usize);
        }
        for claim in &mut self.claims {
            for ring in std::iter::once(&mut claim.polygon.shell).chain(&mut claim.polygon.holes) {
                let begin = dice.below(ring.len() as u64) as usize;
                ring.rotate_left(begin);
                if dice.below(2) == 0 {
                    ring.reverse();
                }
                if dice.below(2) == 0 {
                    ring.push(ring[0]);
                }
            }
        }
        self
    }
}

/// Whether a place is in a polygon, by the half-open rule for places on its border.
pub(crate) fn even_odd(polygon: &Polygon, p: Point) -> bool {
    let mut inside = false;
    for ring in polygon.rings() {
        for (i, &a) in ring.iter().enumerate() {
            let b = ring[(i + 1) % ring.len()];
            let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
            let (dx, dy) = (i128::from(high.x) - i128::from(low.x), i128::from(high.y) - i128::from(low.y));
            let west = (i128::from(p.x) - i128::from(low.x)) * dy >= (i128::from(p.y) - i128::from(low.y)) * dx;
            inside ^= low.y <= p.y && p.y < high.y && west;
        }
    }
    inside
}
