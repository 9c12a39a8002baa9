//! Local edits with their checks on a city of 17,000 grids, against building the graph
//! from all records anew. Seeded; prints the middle and the slowest hundredth of each.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a measurement that fails may say so and stop")]

#[allow(dead_code, reason = "shared with the tests of the locator")]
#[path = "../tests/locator/city.rs"]
mod city;

use std::hint::black_box;
use std::time::Instant;

use boundaries::edit::{Code, Edit, Fresh, Keep, NewArea, Pieces, Rules, Suffixes};
use boundaries::{AreaId, BorderRecord, Coverage, FaceId, FaceRecord, Point};
use city::{Plan, Random};

const ROUNDS: usize = 400;

/// The middle and the slowest hundredth of some times.
pub struct Times {
    /// What was done.
    pub what: &'static str,
    /// How often it was done, and how often refused.
    pub done: [usize; 2],
    /// Half of the times are below this.
    pub middle_ms: f64,
    /// 99 in 100 are below this.
    pub p99_ms: f64,
}

struct Planner<'a> {
    city: &'a Coverage,
    random: Random,
    grids: Vec<AreaId>,
}

impl Planner<'_> {
    fn code(&self, id: AreaId) -> Code {
        self.city.area(id).unwrap().code.clone()
    }

    fn grid(&mut self) -> AreaId {
        self.grids[self.random.below(self.grids.len() as u64) as usize]
    }

    fn near(&mut self, p: Point, reach: i32) -> Point {
        let mut about = || (self.random.unit() * f64::from(reach)) as i32;
        Point::new(p.x + about(), p.y + about())
    }

    fn split(&mut self) -> Edit {
        let grid = self.grid();
        let b = self.city.face(self.city.faces_of(grid)[0]).unwrap().bounds;
        let (w, h) = (b.max.x - b.min.x, b.max.y - b.min.y);
        let line = (-1..=9).map(|i| {
            let p = Point::new(b.min.x + w / 2, b.min.y + h / 8 * i);
            self.near(p, w / 20)
        });
        let line = line.collect();
        Edit::Split { codes: vec![self.code(grid)], line, keep: Keep::Largest, new: NewArea::default() }
    }

    fn merge(&mut self) -> Edit {
        let grid = self.grid();
        let other = self.city.neighbours(grid).first().map_or(grid, |n| n.0);
        Edit::Merge { codes: vec![self.code(grid), self.code(other)], into: self.code(grid), multipart: false }
    }

    fn reshape(&mut self) -> Edit {
        let grid = self.grid();
        let face = self.city.face(self.city.faces_of(grid)[0]).unwrap();
        let borders: Vec<_> = self.city.ring(face.outer.unwrap()).collect();
        let h = borders[self.random.below(borders.len() as u64) as usize];
        let line = &self.city.border(h.border()).unwrap().line;
        let (a, b) = (line[line.len() / 4], line[line.len() * 3 / 4]);
        let middle = Point::new(a.x / 2 + b.x / 2, a.y / 2 + b.y / 2);
        let line = vec![a, self.near(middle, 8_000), b];
        Edit::Reshape { code: self.code(grid), line, several: false }
    }

    fn move_node(&mut self) -> Edit {
        let grid = self.grid();
        let face = self.city.face(self.city.faces_of(grid)[0]).unwrap();
        let node = self.city.border(face.outer.unwrap().border()).unwrap().line[0];
        Edit::MoveNode { node, to: self.near(node, 500) }
    }

    fn ring(&mut self, reach: i32) -> Vec<Point> {
        let grid = self.grid();
        let face = self.city.face(self.city.faces_of(grid)[0]).unwrap();
        let line = &self.city.border(face.outer.unwrap().border()).unwrap().line;
        let p = line[line.len() / 2];
        let corner = |x, y| Point::new(p.x + x * reach, p.y + y * reach);
        vec![corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)]
    }

    fn carve(&mut self) -> Edit {
        Edit::Carve { ring: self.ring(9_000), new: NewArea::default() }
    }

    fn transfer(&mut self) -> Edit {
        let ring = self.ring(1_500);
        let grid = self.grid();
        let to = self.city.neighbours(grid).first().map_or(grid, |n| n.0);
        Edit::Transfer { to: self.code(to), pieces: Pieces::Inside(ring), multipart: true }
    }
}

fn measure<'a>(planner: &mut Planner<'a>, what: &'static str, next: fn(&mut Planner<'a>) -> Edit) -> Times {
    let codes = Suffixes::default();
    let rules = Rules::new(&codes, Fresh::after(planner.city));
    let (mut times_ms, mut refused) = (Vec::new(), 0);
    while times_ms.len() < ROUNDS && refused < 4 * ROUNDS {
        let edit = next(planner);
        let begin = Instant::now();
        match black_box(edit.apply(planner.city, &rules)) {
            Ok(_) => times_ms.push(begin.elapsed().as_secs_f64() * 1e3),
            Err(_) => refused += 1,
        }
    }
    times_ms.sort_by(f64::total_cmp);
    let at = |part: usize| times_ms.get(times_ms.len() * part / 100).copied().unwrap_or(f64::NAN);
    Times { what, done: [times_ms.len(), refused], middle_ms: at(50), p99_ms: at(99) }
}

/// The times of each kind of edit, and of building the graph anew.
pub fn measured() -> (Vec<Times>, f64) {
    let city = Plan::whole_city(3).build();
    let grids = city.areas().filter(|(id, a)| a.level == city.finest() && !city.faces_of(*id).is_empty());
    let grids: Vec<AreaId> = grids.map(|a| a.0).collect();
    let mut planner = Planner { city: &city, random: Random(5), grids };
    let times = vec![
        measure(&mut planner, "split", Planner::split),
        measure(&mut planner, "merge", Planner::merge),
        measure(&mut planner, "reshape", Planner::reshape),
        measure(&mut planner, "move a node", Planner::move_node),
        measure(&mut planner, "carve", Planner::carve),
        measure(&mut planner, "transfer", Planner::transfer),
    ];
    let begin = Instant::now();
    let areas = city.areas().map(|(id, a)| (id, (**a).clone()));
    let faces = city.faces().filter(|f| f.0 != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner });
    let borders = city.borders().map(|(id, b)| BorderRecord { id, left: b.left, right: b.right, line: b.line.clone() });
    black_box(Coverage::build(city.levels().into(), areas, faces, borders).unwrap());
    (times, begin.elapsed().as_secs_f64() * 1e3)
}

#[allow(dead_code, reason = "not where the table of all bars takes the figures")]
fn main() {
    let (times, rebuilt_ms) = measured();
    for t in times {
        let [done, refused] = t.done;
        println!("{}: middle {:.3} ms, p99 {:.3} ms, {done} done, {refused} refused", t.what, t.middle_ms, t.p99_ms);
    }
    println!("all records anew: {rebuilt_ms:.1} ms");
}
