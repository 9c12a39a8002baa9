//! What holds of every edit, on seeded cities, by long random sequences.

use std::collections::BTreeSet;

use super::*;
use crate::area::Area;
use crate::assemble::{Settings, assemble};
use crate::coverage::{BorderRecord, FaceRecord};
use crate::locator::FaceTree;
use crate::samples::{CELL, City, Dice};
use crate::topology::{Border, FaceId};

mod carve;
mod create;
mod described;
mod found;
mod merge;
mod move_border;
mod move_node;
mod naive;
mod refused;
mod reshape;
mod retire;
mod share;
mod split;
mod transfer;
mod yard;

pub(super) fn city(side: i32, dice: &mut Dice) -> Coverage {
    let city = City::clean(side, dice);
    assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
}

/// The coverage built from all records of another at once.
fn rebuilt(c: &Coverage) -> Coverage {
    let areas = c.areas().map(|(id, a)| (id, Area::clone(a)));
    let faces = c.faces().filter(|f| f.0 != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner });
    let borders = c.borders().map(|(id, b)| BorderRecord { id, left: b.left, right: b.right, line: b.line.clone() });
    Coverage::build(c.levels.clone(), areas, faces, borders).unwrap()
}

fn twice_ground(c: &Coverage) -> i128 {
    c.faces().map(|f| f.1.twice_area).sum()
}

fn place(c: &Coverage, dice: &mut Dice) -> Point {
    let b = c.bounds();
    let within = |low: i32, high: i32, dice: &mut Dice| low + dice.below((high - low) as u64) as i32;
    Point::new(within(b.min.x, b.max.x, dice), within(b.min.y, b.max.y, dice))
}

/// A line across a place, wiggly, of the length of a cell or so.
fn stroke(p: Point, cell: i32, dice: &mut Dice) -> Vec<Point> {
    let (dx, dy) = (dice.about(cell), dice.about(cell));
    let n = 2 + dice.below(4) as i32;
    let step =
        |i: i32, d: i32, dice: &mut Dice| (2 * i - n) * d / n + if i % n == 0 { 0 } else { dice.about(cell / 20 + 1) };
    (0..=n).map(|i| Point::new(p.x + step(i, dx, dice), p.y + step(i, dy, dice))).collect()
}

fn ring(p: Point, cell: i32, dice: &mut Dice) -> Vec<Point> {
    let r = cell / 40 + 2 + dice.below(cell as u64 / 3) as i32;
    let corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)];
    let ring = corners.map(|(x, y)| Point::new(p.x + x * r + dice.about(r / 4), p.y + y * r + dice.about(r / 4)));
    let mut ring = ring.to_vec();
    if dice.below(2) == 0 {
        ring.reverse();
    }
    ring
}

fn vertex(c: &Coverage, dice: &mut Dice) -> Point {
    let borders: Vec<_> = c.borders().collect();
    let line = &borders[dice.below(borders.len() as u64) as usize].1.line;
    if dice.below(2) == 0 { line[0] } else { line[dice.below(line.len() as u64) as usize] }
}

fn random_edit(c: &Coverage, cell: i32, dice: &mut Dice) -> Edit {
    let tree = FaceTree::build(c);
    let owner = |p: Point| c.face(tree.face_at(c, p)).and_then(|f| f.owner);
    let code = |id: AreaId| c.area(id).unwrap().code.clone();
    let p = place(c, dice);
    let finest = |a: &AreaId| c.area(*a).unwrap().level == c.finest() && !c.faces_of(*a).is_empty();
    let Some(own) = owner(p).or_else(|| c.areas().map(|a| a.0).find(finest)) else {
        unreachable!("all ground is gone")
    };
    let beside = c.neighbours(own).first().map_or(own, |n| n.0);
    let new = NewArea::default();
    let near = |p: Point, r: i32, dice: &mut Dice| Point::new(p.x + dice.about(r), p.y + dice.about(r));
    match dice.below(16) {
        0..=3 => {
            let line = if dice.below(3) == 0 {
                let mut ring = ring(p, cell, dice);
                ring.push(ring[0]);
                ring
            } else {
                stroke(p, cell, dice)
            };
            let mut codes = vec![code(own)];
            codes.extend((dice.below(3) == 0).then(|| code(beside)));
            let keep = [Keep::Largest, Keep::Left, Keep::Right][dice.below(3) as usize];
            Edit::Split { codes, line, keep, new }
        }
        4..=6 => Edit::Merge { codes: vec![code(own), code(beside)], into: code(own), multipart: dice.below(9) == 0 },
        7..=8 => {
            let from = vertex(c, dice);
            let area = c.areas().map(|a| a.0).find(|a| *a == own).unwrap_or(own);
            let line = vec![from, near(from, cell / 3, dice), near(from, cell / 2, dice)];
            let rim: Vec<Point> = c.polygons(area).first().map_or_else(|| line.clone(), |p| p.shell.clone());
            let (i, j) = (dice.below(rim.len() as u64) as usize, dice.below(rim.len() as u64) as usize);
            let (a, b) = (rim[i], rim[j]);
            let mid = Point::new(a.x / 2 + b.x / 2, a.y / 2 + b.y / 2);
            Edit::Reshape { code: code(area), line: vec![a, near(mid, cell / 5, dice), b], several: dice.below(2) == 0 }
        }
        9 => {
            let node = vertex(c, dice);
            Edit::MoveNode { node, to: near(node, cell / 30 + 1, dice) }
        }
        10 => {
            let at = vertex(c, dice);
            let line = c.borders().map(|b| &b.1.line).find(|l| l.contains(&at)).unwrap();
            let n = line.len();
            let line = line
                .iter()
                .enumerate()
                .map(|(i, p)| if i == 0 || i == n - 1 { *p } else { near(*p, cell / 40 + 1, dice) })
                .collect();
            Edit::MoveBorder { at, line }
        }
        11 => Edit::Transfer {
            to: code(beside),
            pieces: Pieces::Inside(ring(vertex(c, dice), cell, dice)),
            multipart: false,
        },
        12 => Edit::Transfer { to: code(beside), pieces: Pieces::At(vec![p]), multipart: dice.below(4) == 0 },
        13 => {
            let parent = c.area(own).unwrap().parent.unwrap_or(own);
            let into = if dice.below(2) == 0 { parent } else { beside };
            Edit::Retire { code: code(own), into: code(into) }
        }
        14 => Edit::Create { at: p, new: NewArea { parent: Some("D0".into()), ..new } },
        _ => Edit::Carve { ring: ring(p, cell, dice), new },
    }
}

/// Whether a border passes within two units of a place.
fn is_beside(c: &Coverage, p: Point) -> bool {
    let even = crate::metres::Frame { east_m: 1.0, north_m: 1.0 };
    let mut segments = c.borders().flat_map(|(_, b)| b.line.windows(2));
    segments.any(|w| even.distance_to_segment_2(p, w[0], w[1]) <= 4.0)
}

/// What must hold after any edit.
fn check(before: &Coverage, edit: &Edit, edited: &Edited, dice: &mut Dice) {
    let after = &edited.coverage;
    if let Err(defects) = after.sanity_check() {
        panic!("{edit:?}: {defects:?}");
    }
    assert_eq!(*after, rebuilt(after), "{edit:?}");
    for (id, b) in after.borders() {
        let owner = |f| after.face(f).unwrap().owner;
        assert_ne!(owner(b.left), owner(b.right), "border {} divides nothing after {edit:?}", id.0);
    }
    // Ground that nobody handed over has the owner that it had.
    let (tree, tree_before) = (FaceTree::build(after), FaceTree::build(before));
    for _ in 0..20 {
        let p = place(before, dice);
        let was = before.face(tree_before.face_at(before, p)).unwrap().owner;
        let is = after.face(tree.face_at(after, p)).unwrap().owner;
        // A border may have gone to another lattice point with a vertex put in or taken out.
        if was != is && !is_beside(before, p) {
            for area in [was, is].into_iter().flatten() {
                assert!(edited.touched.contains(&area), "{p:?} went from {was:?} to {is:?} by {edit:?}");
            }
            let told = edited.handovers.iter().any(|h| (h.from, h.to) == (was, is));
            let on_balance = matches!(edit, Edit::MoveNode { .. } | Edit::MoveBorder { .. });
            assert!(told || on_balance, "{p:?} went from {was:?} to {is:?} by {edit:?}");
        }
    }
    let created: Vec<AreaId> = after.areas().map(|a| a.0).filter(|a| before.area(*a).is_none()).collect();
    let removed: Vec<AreaId> = before.areas().map(|a| a.0).filter(|a| after.area(*a).is_none()).collect();
    assert_eq!((created, removed), (edited.created.clone(), edited.removed.clone()));
}

/// Random edits one after another; gives how many were done.
fn sequence(mut c: Coverage, cell: i32, edits: usize, dice: &mut Dice) -> usize {
    let mut done = 0;
    let mut used = Suffixes::default();
    let mut fresh = Fresh::after(&c);
    let mut refused: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for _ in 0..edits {
        let edit = random_edit(&c, cell, dice);
        let undo = c.clone();
        let total = twice_ground(&c);
        let mut rules = Rules { tolerance_m: [0.5, 0.0][dice.below(2) as usize], ..Rules::new(&used, fresh) };
        if cell < CELL {
            (rules.tolerance_m, rules.sliver_width_m) = (0.0, 0.0);
        }
        match edit.apply(&c, &rules) {
            Ok(edited) => {
                check(&c, &edit, &edited, dice);
                assert_eq!(c, undo, "an edit leaves the coverage before it alone");
                if !rim_moved(&c, &edited.coverage) {
                    assert_eq!(twice_ground(&edited.coverage), total, "{edit:?}");
                }
                used.used.extend(edited.removed.iter().map(|a| c.area(*a).unwrap().code.clone()));
                fresh = edited.fresh;
                c = edited.coverage;
                done += 1;
            }
            Err(refusal) => *refused.entry(refusal.reason.name()).or_default() += 1,
        }
    }
    println!("{done} done, refused {refused:?}");
    done
}

/// Fails with the borders that are different, rather than with two whole coverages.
fn assert_same(left: &Coverage, right: &Coverage, edit: &Edit) {
    for (one, other) in [(left, right), (right, left)] {
        for (id, b) in one.borders() {
            assert_eq!(Some(b), other.border(id), "border {} by {edit:?}", id.0);
        }
    }
    assert!(left == right, "{edit:?}");
}

/// Whether the outline is another one: then the total may be, too.
fn rim_moved(before: &Coverage, after: &Coverage) -> bool {
    let rim = |c: &Coverage| {
        let borders: BTreeSet<Vec<Point>> = c
            .rings(FaceId::OUTSIDE)
            .map(|r| {
                let mut p = c.ring_points(r);
                let first = (0..p.len()).min_by_key(|i| p[*i]).unwrap_or(0);
                p.rotate_left(first);
                p
            })
            .collect();
        borders
    };
    rim(before) != rim(after)
}

fn effort(seeds: u64, edits: usize) -> (u64, usize) {
    if std::env::var_os("GRIDATLAS_PROOF").is_some() { (20 * seeds, 8 * edits) } else { (seeds, edits) }
}

#[test]
fn random_edits_keep_the_graph_valid_and_the_ground_together() {
    let (seeds, edits) = effort(2, 60);
    for seed in 0..seeds {
        let mut dice = Dice::seeded(seed);
        let c = city(7, &mut dice);
        let done = sequence(c, CELL, edits, &mut dice);
        assert!(done > edits / 5, "only {done} of {edits} were done");
    }
}

/// Cells of some 30 units: nearly every crossing is rounded next to another vertex.
#[test]
fn random_edits_keep_the_graph_valid_where_the_lattice_is_coarse() {
    let (seeds, edits) = effort(4, 60);
    for seed in 100..100 + seeds {
        let mut dice = Dice::seeded(seed);
        let mut tiny = City::clean(6, &mut dice);
        let scale = 200 + dice.below(300) as i32;
        let corner = Point::new(1_204_000_000, 361_000_000);
        for polygon in tiny.claims.iter_mut().map(|c| &mut c.polygon) {
            for p in polygon.holes.iter_mut().chain([&mut polygon.shell]).flatten() {
                *p = Point::new(corner.x + (p.x - corner.x) / scale, corner.y + (p.y - corner.y) / scale);
            }
        }
        let none = Settings { tolerance_m: 0.0, sliver_width_m: 0.0, accept_overlap: true, ..Settings::default() };
        let assembly = assemble(tiny.levels, tiny.areas, tiny.claims, &none);
        // Rounding may have spoilt a polygon: then there is no such city.
        let Some(c) = assembly.coverage else { continue };
        sequence(c, CELL / scale, edits, &mut dice);
    }
}

/// The same coverage with a vertex in the middle of every segment between nodes, on it or
/// beside it by less than a unit.
fn densified(c: &Coverage) -> Coverage {
    let is_open = |b: &&Border| b.line.first() != b.line.last();
    let borders = c.borders().filter(|(_, b)| is_open(b)).map(|(id, b)| {
        let mean = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
        let middle = |w: &[Point]| Point::new(mean(w[0].x, w[1].x), mean(w[0].y, w[1].y));
        let mut line: Vec<Point> = b.line.windows(2).flat_map(|w| [w[0], middle(w)]).collect();
        line.extend(b.line.last());
        BorderRecord { id, left: b.left, right: b.right, line: line.into() }
    });
    let changes = Changes { put_borders: borders.collect(), ..Changes::default() };
    c.with_changes(changes).unwrap()
}

#[test]
fn a_split_that_is_merged_again_gives_back_the_same_borders() {
    let c = city(8, &mut Dice::seeded(11));
    split_and_merge(&c, 12, 0.5);
}

#[test]
fn a_split_through_vertices_in_line_gives_them_back_too() {
    let c = densified(&city(8, &mut Dice::seeded(13)));
    split_and_merge(&c, 14, 3.0);
}

/// Splits and merges again, with and without a tolerance.
fn split_and_merge(c: &Coverage, seed: u64, tolerance_m: f64) {
    let rounds = if std::env::var_os("GRIDATLAS_PROOF").is_some() { 4_000 } else { 200 };
    let mut dice = Dice::seeded(seed);
    let codes = Suffixes::default();
    let mut done = 0;
    for _ in 0..rounds {
        let rules =
            Rules { tolerance_m: [tolerance_m, 0.0][dice.below(2) as usize], ..Rules::new(&codes, Fresh::after(c)) };
        let p = place(c, &mut dice);
        let line = if dice.below(4) == 0 {
            let mut ring = ring(p, CELL, &mut dice);
            ring.push(ring[0]);
            ring
        } else {
            stroke(p, CELL, &mut dice)
        };
        let tree = FaceTree::build(c);
        let Some(own) = c.face(tree.face_at(c, p)).and_then(|f| f.owner) else { continue };
        let code = c.area(own).unwrap().code.clone();
        let split = Edit::Split { codes: vec![code.clone()], line, keep: Keep::Left, new: NewArea::default() };
        let Ok(split_up) = split.apply(c, &rules) else { continue };
        let after = &split_up.coverage;
        let mut all: Vec<Code> = split_up.created.iter().map(|a| after.area(*a).unwrap().code.clone()).collect();
        all.push(code.clone());
        let merge = Edit::Merge { codes: all, into: code, multipart: true };
        let merged = merge.apply(after, &Rules { fresh: split_up.fresh, ..rules }).unwrap();
        assert_same(&merged.coverage, c, &split);
        done += 1;
    }
    assert!(done > rounds / 4, "only {done} of {rounds} were done");
}
