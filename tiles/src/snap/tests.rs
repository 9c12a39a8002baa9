//! Snapped lines never cross, and are those of the definition.

use std::collections::BTreeSet;

use super::*;
use crate::grid::GridBox;
use crate::snap::meet::{crossing, enters, on_column, on_row};

/// A small seeded generator (the constants are Knuth's for MMIX).
struct Dice(u64);

impl Dice {
    fn seeded(seed: u64) -> Self {
        println!("seed {seed}");
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1))
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn near(&mut self, p: World, reach: i32) -> World {
        let mut about = || self.below(2 * reach as u64 + 1) as i32 - reach;
        World { x: p.x + about(), y: p.y + about() }
    }
}

/// Lines at random about a corner of tiles, some from the ends of others, crossing at will.
fn lines(count: usize, reach: i32, length: usize, dice: &mut Dice) -> Chains<World> {
    let mut all = Chains::new();
    let mut ends = vec![World { x: 0, y: 0 }];
    for _ in 0..count {
        let mut at = if dice.below(3) > 0 {
            ends[dice.below(ends.len() as u64) as usize]
        } else {
            dice.near(World { x: 0, y: 0 }, reach)
        };
        let mut line = vec![at];
        for _ in 0..1 + dice.below(length as u64) {
            at = dice.near(at, reach / 3);
            line.push(at);
        }
        ends.push(at);
        all.push(line);
    }
    all
}

/// What snap rounding is: look at every segment and every hot pixel.
fn naive(grid: Grid, lines: &Chains<World>) -> Vec<Vec<GridPoint>> {
    let segments: Vec<[World; 2]> = lines.iter().flat_map(|l| l.windows(2).map(|w| [w[0], w[1]])).collect();
    let mut hot: BTreeSet<GridPoint> = lines.iter().flatten().map(|w| grid.round(*w)).collect();
    for (i, s) in segments.iter().enumerate() {
        hot.extend(segments[..i].iter().filter_map(|t| crossing(grid, *s, *t)));
        let all =
            (-60..=60).flat_map(|tile| [-64, 0, 64].map(|off| grid.round(World::default()).x + tile * 4096 + off));
        for line in all {
            let crosses = |a: i32, b: i32| {
                let (a, b, line) = (i64::from(a), i64::from(b), grid.middle(line));
                a.min(b) <= line && line <= a.max(b)
            };
            if crosses(s[0].x, s[1].x) {
                hot.extend(on_column(grid, *s, line));
            }
            if crosses(s[0].y, s[1].y) {
                hot.extend(on_row(grid, *s, line));
            }
        }
    }
    let line = |l: &[World]| {
        let mut path: Vec<GridPoint> = l.first().map(|w| grid.round(*w)).into_iter().collect();
        for w in l.windows(2) {
            let mut through: Vec<GridPoint> = hot.iter().copied().filter(|p| enters(grid, [w[0], w[1]], *p)).collect();
            let (dx, dy) = (i64::from(w[1].x) - i64::from(w[0].x), i64::from(w[1].y) - i64::from(w[0].y));
            through.sort_by_key(|p| i128::from(dx) * i128::from(p.x) + i128::from(dy) * i128::from(p.y));
            path.extend(through);
        }
        path.dedup();
        path
    };
    lines.iter().map(line).collect()
}

fn side(a: GridPoint, b: GridPoint, c: GridPoint) -> i64 {
    let [a, b, c] = [a, b, c].map(|p| [i64::from(p.x), i64::from(p.y)]);
    ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).signum()
}

fn judge(snapped: &Chains<GridPoint>) {
    let edges: Vec<[GridPoint; 2]> = snapped.iter().flat_map(|l| l.windows(2).map(|w| [w[0], w[1]])).collect();
    let vertices: BTreeSet<GridPoint> = snapped.iter().flatten().copied().collect();
    for [a, b] in &edges {
        let within = |p: &GridPoint| GridBox::around([*a, *b]).contains(*p) && p != a && p != b;
        let on = vertices.iter().find(|p| within(p) && side(*a, *b, **p) == 0);
        assert_eq!(on, None, "a vertex inside the edge {a:?} {b:?}");
        for [c, d] in &edges {
            let crosses = side(*a, *b, *c) * side(*a, *b, *d) < 0 && side(*c, *d, *a) * side(*c, *d, *b) < 0;
            assert!(!crosses, "{a:?} {b:?} crosses {c:?} {d:?}");
        }
    }
}

#[test]
fn snapped_lines_are_those_of_the_definition_and_meet_in_vertices_only() {
    for seed in 0..60 {
        let mut dice = Dice::seeded(seed);
        // From segments inside a few pixels to such as cross tiles.
        let z = [18, 17, 16, 14, 12][seed as usize % 5];
        let grid = Grid::of(z).unwrap();
        let reach = [9, 40, 300, 3_000, 40_000][seed as usize / 5 % 5] * grid.unit() as i32 / 4;
        let lines = lines(12, reach, 6, &mut dice);
        let snapped = snap(grid, &lines, |_| true);
        let expected = naive(grid, &lines);
        for (i, line) in snapped.lines.iter().enumerate() {
            assert_eq!(line, expected[i], "line {i} at zoom {z}");
        }
        judge(&snapped.lines);
    }
}

#[test]
fn a_line_is_the_same_whatever_lies_far_from_it_and_whichever_way_it_runs() {
    for seed in 0..40 {
        let mut dice = Dice::seeded(seed);
        let grid = Grid::of(14).unwrap();
        let reach = [100, 3_000][seed as usize % 2] * grid.unit() as i32;
        let all = lines(60, reach, 3, &mut dice);
        let whole = snap(grid, &all, |_| true);
        let one = dice.below(60) as usize;
        let near = |line: &[World]| {
            let bounds = |l: &[World], by: i32| {
                let all = |of: fn(&World) -> i32| (l.iter().map(of).min(), l.iter().map(of).max());
                let (x, y) = (all(|w| w.x), all(|w| w.y));
                [x.0.map(|v| v - by), x.1.map(|v| v + by), y.0.map(|v| v - by), y.1.map(|v| v + by)]
            };
            let (a, b) = (bounds(all.get(one), grid.unit() as i32), bounds(line, 0));
            a[0] <= b[1] && b[0] <= a[1] && a[2] <= b[3] && b[2] <= a[3]
        };
        let mut few = Chains::new();
        few.push(all.get(one).iter().rev().copied());
        all.iter().enumerate().filter(|(i, l)| *i != one && near(l)).for_each(|(_, l)| few.push(l.iter().copied()));
        let alone = snap(grid, &few, |i| i == 0);
        let mut back = alone.lines.get(0).to_vec();
        back.reverse();
        assert_eq!(back, whole.lines.get(one), "of {} lines {} are near", all.len(), few.len());
        assert_eq!(alone.met[0], whole.met[one]);
        assert!((1..few.len()).all(|i| alone.lines.get(i).is_empty()));
    }
}

/// ```text
///      u────────────v        the middle line comes within half a unit of the vertex w of
///   a────────w╱╲w────b       the upper one and is bent to it: both are told
/// ```
#[test]
fn lines_that_come_together_say_so_and_others_don_t() {
    let grid = Grid::of(10).unwrap();
    let unit = grid.unit() as i32;
    let w = |x: i32, y: i32| World { x: x * unit / 4 + 1000 * unit, y: y * unit / 4 + 1000 * unit };
    let mut lines = Chains::new();
    lines.push([w(0, 0), w(400, 0)]);
    lines.push([w(0, -40), w(200, -1), w(400, -40)]);
    lines.push([w(0, 0), w(0, 400), w(400, 400), w(400, 0)]);
    let snapped = snap(grid, &lines, |_| true);
    assert_eq!(snapped.met, [true, false, false]);
    assert_eq!(snapped.lines.get(0).len(), 3);
    assert_eq!(snapped.lines.get(0)[1], snapped.lines.get(1)[1]);
}
