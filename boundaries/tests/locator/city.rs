//! Seeded cities for tests and measurements: a grid of cells with wiggly shared
//! borders, islands (enclaves, second parts, gaps), cells without an owner, and ground
//! that belongs to a district or a community without a grid.

use std::sync::Arc;

use boundaries::{Area, AreaId, BorderId, BorderRecord, Coverage, FaceId, FaceRecord, Level, Point};

/// The splitmix64 generator (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly from -1 to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Evenly from 0 to n - 1.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }
}

/// What city to make.
pub struct Plan {
    pub seed: u64,
    pub columns: i32,
    pub rows: i32,
    /// The south-west corner.
    pub origin: Point,
    /// Lattice units from one cell to the next.
    pub step: i32,
    /// Each side of a cell has 2^halvings edges.
    pub halvings: u32,
    /// Whether all cells are plain grids, without islands, gaps and the like.
    pub plain: bool,
}

impl Plan {
    /// 17,030 grids of 148 vertices, 800 m apart, around Qingdao.
    pub fn whole_city(seed: u64) -> Self {
        let origin = Point::new(1_195_000_000, 356_000_000);
        Self { seed, columns: 130, rows: 131, origin, step: 80_000, halvings: 5, plain: false }
    }

    /// The city.
    pub fn build(&self) -> Coverage {
        let (areas, faces, borders) = self.records();
        let levels = ["district", "community", "grid"].map(Arc::from);
        Coverage::build(levels.into(), areas, faces, borders).expect("the plan makes a planar graph")
    }

    /// What the city is made of.
    pub fn records(&self) -> (Vec<(AreaId, Area)>, Vec<FaceRecord>, Vec<BorderRecord>) {
        let mut random = Random(self.seed);
        let (columns, rows) = (self.columns, self.rows);
        let mut areas = Areas::default();
        let mut faces = vec![];
        let mut borders: Vec<BorderRecord> = vec![];
        let mut islands = vec![];
        for row in 0..rows {
            for column in 0..columns {
                let face = self.face(column, row);
                let (district, community) = areas.above(column, row);
                let owner = match random.below(24) {
                    _ if self.plain => Some(areas.grid(community)),
                    0 => None,
                    1 => Some(district),
                    2 => Some(community),
                    _ => Some(areas.grid(community)),
                };
                faces.push(FaceRecord { id: FaceId(face), owner });
                if !self.plain && random.below(6) == 0 {
                    islands.push((column, row, face, community));
                }
            }
        }
        let mut put = |left, right, line: Vec<Point>| {
            let id = BorderId(borders.len() as u32);
            borders.push(BorderRecord { id, left: FaceId(left), right: FaceId(right), line: line.into() });
        };
        let nodes: Vec<Point> = (0..=rows)
            .flat_map(|row| (0..=columns).map(move |column| (column, row)))
            .map(|(column, row)| {
                let shift = |r: &mut Random| (r.unit() * 0.12 * f64::from(self.step)) as i32;
                let (dx, dy) = (shift(&mut random), shift(&mut random));
                Point::new(self.origin.x + column * self.step + dx, self.origin.y + row * self.step + dy)
            })
            .collect();
        let node = |column: i32, row: i32| nodes[(row * (columns + 1) + column) as usize];
        for row in 0..=rows {
            for column in 0..=columns {
                if column < columns {
                    let line = wiggly(&mut random, node(column, row), node(column + 1, row), self.halvings);
                    put(self.face(column, row), self.face(column, row - 1), line);
                }
                if row < rows {
                    let line = wiggly(&mut random, node(column, row), node(column, row + 1), self.halvings);
                    put(self.face(column - 1, row), self.face(column, row), line);
                }
            }
        }
        let mut next = (columns * rows) as u32 + 1;
        for (column, row, host, community) in islands {
            let centre = Point::new(
                self.origin.x + column * self.step + self.step / 2,
                self.origin.y + row * self.step + self.step / 2,
            );
            let mut around = host;
            // An island, and now and then another in it.
            for (n, radius) in [0.2, 0.1].into_iter().enumerate() {
                if n == 1 && random.below(3) > 0 {
                    break;
                }
                let owner = match random.below(5) {
                    0 => None,
                    1 | 2 => Some(areas.any_grid(&mut random)),
                    _ => Some(areas.grid(community)),
                };
                faces.push(FaceRecord { id: FaceId(next), owner });
                let line = star(&mut random, centre, radius * f64::from(self.step), 9);
                // Counter-clockwise the island lies at the left; every other one is drawn the other way.
                if random.below(2) == 0 {
                    put(next, around, line);
                } else {
                    put(around, next, line.into_iter().rev().collect());
                }
                around = next;
                next += 1;
            }
        }
        (areas.0, faces, borders)
    }

    fn face(&self, column: i32, row: i32) -> u32 {
        let is_inside = (0..self.columns).contains(&column) && (0..self.rows).contains(&row);
        if is_inside { (row * self.columns + column) as u32 + 1 } else { 0 }
    }
}

/// A point somewhere in or a little around a city.
pub fn anywhere(plan: &Plan, random: &mut Random) -> Point {
    let mut at = |origin: i32, cells: i32| {
        let width = f64::from(cells) * f64::from(plan.step);
        (f64::from(origin) + width * (0.5 + 0.53 * random.unit())) as i32
    };
    Point::new(at(plan.origin.x, plan.columns), at(plan.origin.y, plan.rows))
}

#[derive(Default)]
struct Areas(Vec<(AreaId, Area)>);

impl Areas {
    fn put(&mut self, level: u8, parent: Option<AreaId>, code: String) -> AreaId {
        let id = AreaId(self.0.len() as u32);
        let area = Area {
            code: code.into(),
            name: "".into(),
            level: Level(level),
            parent,
            kind: "".into(),
            attributes: "{}".into(),
        };
        self.0.push((id, area));
        id
    }

    /// The district and the community of a cell: 12 by 12 and 4 by 4 cells.
    fn above(&mut self, column: i32, row: i32) -> (AreaId, AreaId) {
        let mut unit = |level, parent, code: String| {
            let found = self.0.iter().rev().find(|(_, a)| a.level.0 == level && *a.code == *code).map(|(id, _)| *id);
            found.unwrap_or_else(|| self.put(level, parent, code))
        };
        let district = unit(0, None, format!("d{}-{}", column / 12, row / 12));
        (district, unit(1, Some(district), format!("c{}-{}", column / 4, row / 4)))
    }

    fn grid(&mut self, community: AreaId) -> AreaId {
        let code = format!("g{}", self.0.len());
        self.put(2, Some(community), code)
    }

    fn any_grid(&mut self, random: &mut Random) -> AreaId {
        let at = random.below(self.0.len() as u64) as usize;
        let grids = self.0.iter().cycle().skip(at).take(self.0.len());
        grids.clone().find(|(_, a)| a.level.0 == 2).map_or(AreaId(0), |(id, _)| *id)
    }
}

/// A line from `a` to `b` of at most 2^halvings edges, each half bent less than the whole.
fn wiggly(random: &mut Random, a: Point, b: Point, halvings: u32) -> Vec<Point> {
    let mut line = vec![(f64::from(a.x), f64::from(a.y)), (f64::from(b.x), f64::from(b.y))];
    let mut bend = 0.08;
    for _ in 0..halvings {
        let mut finer = vec![line[0]];
        for w in line.windows(2) {
            let (dx, dy) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
            let off = random.unit() * bend;
            finer.push(((w[0].0 + w[1].0) / 2.0 - dy * off, (w[0].1 + w[1].1) / 2.0 + dx * off));
            finer.push(w[1]);
        }
        line = finer;
        bend *= 0.6;
    }
    let mut line: Vec<_> = line.into_iter().map(|(x, y)| Point::new(x.round() as i32, y.round() as i32)).collect();
    line.dedup();
    line
}

/// A closed star-shaped line around a centre, counter-clockwise.
fn star(random: &mut Random, centre: Point, radius: f64, corners: u32) -> Vec<Point> {
    let mut line: Vec<_> = (0..corners)
        .map(|i| {
            let angle = f64::from(i) / f64::from(corners) * std::f64::consts::TAU;
            let r = radius * (0.8 + 0.2 * random.unit());
            Point::new(centre.x + (r * angle.cos()) as i32, centre.y + (r * angle.sin()) as i32)
        })
        .collect();
    line.push(line[0]);
    line
}
