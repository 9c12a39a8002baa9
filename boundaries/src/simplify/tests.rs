//! Simplified coverages are coverages, and weights are those of the definition.

use super::*;
use crate::area::{Area, AreaId, Level};
use crate::assemble::{Settings, assemble};
use crate::coverage::{BorderRecord, FaceRecord};
use crate::edit::{Edit, Fresh, Keep, NewArea, Rules, Suffixes};
use crate::lattice::orient;
use crate::samples::{CELL, City, Dice};
use crate::topology::FaceId;

fn points(all: &[(i32, i32)]) -> Arc<[Point]> {
    all.iter().map(|&(x, y)| Point::new(x * 1000, y * 1000)).collect()
}

/// A wiggly line from (0, 0) to (n, 0), the same for the same seed.
fn wiggle(n: i32, mut seed: u64) -> Vec<(i32, i32)> {
    let mut line = vec![(0, 0)];
    for x in 1..n {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        line.push((x, ((seed >> 33) % 41) as i32 - 20));
    }
    line.push((n, 0));
    line
}

/// ```text
///    ┌──────────┐
///    │  face 1  │      borders 0 (above) and 1 (the wiggly one below) join the same
///    o~~~~~~~~~~o      two nodes; border 2 is a closed island in face 1
/// ```
fn coverage(below: &[(i32, i32)]) -> Coverage {
    let area = |code: &str| Area {
        code: code.into(),
        name: "".into(),
        level: Level(0),
        parent: None,
        kind: "".into(),
        attributes: "{}".into(),
    };
    let border = |id, left, right, line: Arc<[Point]>| BorderRecord {
        id: BorderId(id),
        left: FaceId(left),
        right: FaceId(right),
        line,
    };
    Coverage::build(
        Arc::from(["grid".into()]),
        [(AreaId(0), area("a")), (AreaId(1), area("b"))],
        [(1, 0), (2, 1)].map(|(f, a)| FaceRecord { id: FaceId(f), owner: Some(AreaId(a)) }),
        [
            border(0, 0, 1, points(&[(0, 0), (0, 400), (100, 400), (100, 0)])),
            border(1, 1, 0, points(below)),
            border(2, 2, 1, points(&[(40, 100), (50, 99), (60, 100), (61, 120), (60, 140), (40, 140), (40, 100)])),
        ],
    )
    .unwrap()
}

#[test]
fn coarser_zooms_keep_a_part_of_what_finer_ones_keep() {
    let c = coverage(&wiggle(100, 7));
    let w = Weights::build(&c);
    let mut finer: Vec<Point> = c.border(BorderId(1)).unwrap().line.to_vec();
    for z in (4..22).rev() {
        let coarser: Vec<_> = w.line_at(&c, BorderId(1), weight_of_units(z, 4096, 1.0)).collect();
        assert!(coarser.iter().all(|p| finer.contains(p)), "zoom {z}");
        assert_eq!((coarser.first(), coarser.last()), (finer.first(), finer.last()), "the nodes stay");
        finer = coarser;
    }
    assert!(finer.len() < 10);
}

#[test]
fn a_closed_border_keeps_a_triangle_and_twins_don_t_become_one_segment() {
    let c = coverage(&wiggle(100, 11));
    let w = Weights::build(&c);
    let island: Vec<_> = w.line_at(&c, BorderId(2), f32::MAX).collect();
    assert_eq!(island.len(), 4);
    assert_ne!(crate::polygon::twice_area(&island[..3]), 0);
    let [above, below] = [0, 1].map(|b| w.line_at(&c, BorderId(b), f32::MAX).collect::<Vec<_>>());
    assert_eq!((above.len(), below.len()), (3, 3));
}

#[test]
fn the_weight_of_a_lone_corner_is_its_mercator_area() {
    // PROJ, EPSG:4326 to 3857: (120, 36), (120.001, 36), (120.001, 36.001).
    let at = |x, y| Point::new(1_200_000_000 + x, 360_000_000 + y);
    let area = mercator_area_m2(at(0, 0), at(10_000, 0), at(10_000, 10_000));
    let (width, height) = (111.319_49, 137.599_0);
    assert!((area / (0.5 * width * height) - 1.0).abs() < 1e-4, "{area}");
}

#[test]
fn what_an_edit_leaves_alone_keeps_its_weights_as_the_same_memory() {
    let old = coverage(&wiggle(100, 7));
    let weights = Weights::build(&old);
    let records = old.borders().map(|(id, b)| BorderRecord {
        id,
        left: b.left,
        right: b.right,
        line: if id == BorderId(1) { points(&wiggle(100, 8)) } else { b.line.clone() },
    });
    let new = Coverage::build(
        old.levels().into(),
        old.areas().map(|(id, a)| (id, Area::clone(a))),
        old.faces().skip(1).map(|(id, f)| FaceRecord { id, owner: f.owner }),
        records,
    )
    .unwrap();
    let updated = weights.updated(&old, &new);
    let fresh = Weights::build(&new);
    for b in [0, 1, 2].map(BorderId) {
        assert_eq!(updated.of(b), fresh.of(b));
        let is_same = Arc::ptr_eq(updated.of(b).unwrap(), weights.of(b).unwrap());
        assert_eq!(is_same, weights.of(b) == fresh.of(b), "border {}", b.0);
    }
}

#[test]
fn a_million_vertices_in_one_border_are_weighed() {
    let line: Vec<_> = wiggle(1_000_000, 3).into_iter().map(|(x, y)| Point::new(x, y)).collect();
    let weights = weigh(&line, 0, &[]);
    assert_eq!(weights.iter().filter(|w| w.is_infinite()).count(), 2);
}

/// The weights of a line as the definition has them: look at all corners, take the lightest
/// that may go, and again.
fn naive(line: &[Point], keep: usize, others: &[Point]) -> Vec<f32> {
    let holds = |t: [Point; 3], p: Point| {
        let sides = [(0, 1), (1, 2), (2, 0)].map(|(i, j)| orient(t[i], t[j], p));
        let is_flat = orient(t[0], t[1], t[2]).is_eq();
        let is_outside = sides.iter().any(|s| s.is_gt()) && sides.iter().any(|s| s.is_lt());
        !(is_flat || is_outside || t.contains(&p))
    };
    let mut weights = vec![f32::INFINITY; line.len()];
    let mut there: Vec<usize> = (0..line.len()).collect();
    let mut heaviest = 0f64;
    while there.len() - 2 > keep {
        let corners = there.windows(3).filter(|w| {
            let t = [line[w[0]], line[w[1]], line[w[2]]];
            !others.iter().chain(there.iter().map(|i| &line[*i])).any(|p| holds(t, *p))
        });
        let weighed = corners.map(|w| (mercator_area_m2(line[w[0]], line[w[1]], line[w[2]]), w[1]));
        let Some((area, i)) = weighed.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) else { break };
        heaviest = heaviest.max(area);
        weights[i] = heaviest as f32;
        there.retain(|j| *j != i);
    }
    weights
}

fn city(side: i32, steps: i32, dice: &mut Dice) -> Coverage {
    let city = City::drawn(side, steps, dice);
    assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
}

/// The coverage whose borders are those of another at a weight.
fn simplified(c: &Coverage, weights: &Weights, least: f32) -> Coverage {
    let areas = c.areas().map(|(id, a)| (id, Area::clone(a)));
    let faces = c.faces().filter(|f| f.0 != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner });
    let borders = c.borders().map(|(id, b)| BorderRecord {
        id,
        left: b.left,
        right: b.right,
        line: weights.line_at(c, id, least).collect(),
    });
    Coverage::build(c.levels().into(), areas, faces, borders).unwrap()
}

#[test]
fn weights_are_those_of_the_definition_with_all_other_vertices_in_the_way() {
    for seed in 0..4 {
        let c = city(5, 3 + seed * 7, &mut Dice::seeded(seed as u64));
        let weights = Weights::build(&c);
        let mut stuck = 0;
        for (id, b) in c.borders() {
            let others: Vec<Point> = c
                .borders()
                .filter(|(other, _)| *other != id)
                .flat_map(|(_, o)| o.line.iter().copied())
                .filter(|p| *p != b.line[0] && *p != b.line[b.line.len() - 1])
                .collect();
            let is_twin = |o: &Border| {
                let ends =
                    |b: &Border| [b.line[0].min(b.line[b.line.len() - 1]), b.line[0].max(b.line[b.line.len() - 1])];
                ends(o) == ends(b)
            };
            let twins = c.borders().filter(|(_, o)| is_twin(o)).count();
            let keep = if is_closed(b) { 2 } else { usize::from(twins > 1) };
            assert_eq!(weights.of(id).unwrap()[..], naive(&b.line, keep, &others), "border {}", id.0);
            let free = (b.line.len() - 2).saturating_sub(keep);
            stuck += usize::from(weights.of(id).unwrap().iter().filter(|w| w.is_finite()).count() < free);
        }
        println!("{stuck} borders could not become straight");
    }
}

#[test]
fn the_borders_of_any_weight_are_again_those_of_a_valid_coverage() {
    for seed in 0..4 {
        let c = city(12, 4 + seed * 12, &mut Dice::seeded(seed as u64));
        let weights = Weights::build(&c);
        for least in (0..24).map(|i| 2f32.powi(i)).chain([f32::MAX]) {
            assert_eq!(simplified(&c, &weights, least).sanity_check(), Ok(()), "weight {least}");
        }
    }
}

/// ```text
///   o──────────────o         there is an island of another area in the small
///   │ ╱╲           │         notch: it stays, however coarse the map; an empty
///   o╱ ▫╲__    ____o         one goes
///          ╲__╱
/// ```
#[test]
fn a_notch_around_an_island_stays() {
    let notches = [(0, 0), (10, 0), (15, 20), (20, 0), (40, 0), (70, -90), (100, 0)];
    let tip = Point::new(15_000, 20_000);
    let border = |id, left, right, line: &[(i32, i32)]| BorderRecord {
        id: BorderId(id),
        left: FaceId(left),
        right: FaceId(right),
        line: points(line),
    };
    for island in [false, true] {
        let mut borders = vec![border(0, 0, 1, &[(0, 0), (0, 400), (100, 400), (100, 0)]), border(1, 1, 0, &notches)];
        let mut faces = vec![FaceRecord { id: FaceId(1), owner: Some(AreaId(0)) }];
        if island {
            borders.push(border(2, 2, 0, &[(14, 8), (16, 8), (15, 10), (14, 8)]));
            faces.push(FaceRecord { id: FaceId(2), owner: Some(AreaId(1)) });
        }
        let areas = [("a", 0), ("b", 1)].map(|(code, id)| (AreaId(id), crate::samples::area(code, 0, None)));
        let c = Coverage::build(Arc::from(["grid".into()]), areas, faces, borders).unwrap();
        let left: Vec<_> = Weights::build(&c).line_at(&c, BorderId(1), f32::MAX).collect();
        assert_eq!(left.contains(&tip), island, "{left:?}");
    }
}

#[test]
fn random_edits_weigh_again_only_what_lies_beside_them() {
    let mut dice = Dice::seeded(5);
    let mut c = city(10, 12, &mut dice);
    let mut weights = Weights::build(&c);
    let mut fresh = Fresh::after(&c);
    let codes = Suffixes::default();
    let mut done = 0;
    while done < 40 {
        let id = AreaId(dice.below(c.area_slots() as u64) as u32);
        let Some(face) = c.faces_of(id).first().and_then(|f| c.face(*f)) else { continue };
        let line = c.border(face.outer.unwrap().border()).unwrap().line.clone();
        let node = line[dice.below(line.len() as u64) as usize];
        let to = Point::new(node.x + dice.about(CELL / 10), node.y + dice.about(CELL / 10));
        let middle = |a: i32, b: i32| a + (b - a) / 2;
        let (min, max) = (face.bounds.min, face.bounds.max);
        let (x, y) = (middle(min.x, max.x), middle(min.y, max.y));
        let edit = if dice.below(2) == 0 {
            Edit::MoveNode { node, to }
        } else {
            let line = vec![Point::new(min.x - 9, y), Point::new(x, y + dice.about(900)), Point::new(max.x + 9, y)];
            Edit::Split {
                codes: vec![c.area(id).unwrap().code.clone()],
                line,
                keep: Keep::Largest,
                new: NewArea::default(),
            }
        };
        let Ok(edited) = edit.apply(&c, &Rules::new(&codes, fresh)) else { continue };
        let updated = weights.updated(&c, &edited.coverage);
        let anew = Weights::build(&edited.coverage);
        let mut shared = 0;
        for (id, _) in edited.coverage.borders() {
            assert_eq!(updated.of(id), anew.of(id), "border {} after {edit:?}", id.0);
            let is_same = weights.of(id).zip(updated.of(id)).is_some_and(|(a, b)| Arc::ptr_eq(a, b));
            shared += usize::from(is_same);
        }
        assert!(edited.coverage.borders().count() - shared < 60, "{shared} shared");
        (weights, fresh, c) = (updated, edited.fresh, edited.coverage);
        done += 1;
    }
}
