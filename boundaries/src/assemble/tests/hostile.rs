//! Shapes that are hard on purpose: very many edges at one vertex, side by side, aslant, or
//! all across each other. Each must end soon, with a valid coverage or with a reason.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use super::*;

/// Far above what any of them takes, and far below what comparing all pairs would.
const SOON: Duration = Duration::from_secs(30);

const CENTRE: Point = Point::new(1_200_000_000, 360_000_000);

fn at(angle: f64, r: f64) -> Point {
    Point::new(CENTRE.x + (r * angle.cos()).round() as i32, CENTRE.y + (r * angle.sin()).round() as i32)
}

fn of_shells(shells: Vec<Vec<Point>>) -> Assembly {
    let id = |i: usize| AreaId(i as u32);
    let areas = (0..shells.len()).map(|i| (id(i), area(&format!("{i:06}"), 0, None))).collect();
    let polygons = shells.into_iter().map(|shell| Polygon { shell, holes: vec![] });
    let claims = polygons.enumerate().map(|(i, polygon)| Claim { area: id(i), polygon }).collect();
    let start = Instant::now();
    let assembly = assemble(levels(&["grid"]), areas, claims, &Settings::default());
    println!("{:?}", start.elapsed());
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assembly
}

/// Every vertex as it was drawn, every area with its ground.
fn taken_as_drawn(shells: Vec<Vec<Point>>) -> Coverage {
    let ground: Vec<i128> = shells.iter().map(|s| crate::polygon::twice_area(s).abs()).collect();
    let assembly = of_shells(shells);
    let coverage = valid(&assembly).clone();
    for (i, drawn) in ground.into_iter().enumerate() {
        let faces = coverage.faces_of(AreaId(i as u32)).iter();
        assert_eq!(faces.filter_map(|f| coverage.face(*f)).map(|f| f.twice_area).sum::<i128>(), drawn, "area {i}");
    }
    coverage
}

/// ```text
///      ╲▒│▒╱
///      ─▒●▒─     each second sector is an area
///      ╱▒│▒╲
/// ```
#[test]
fn a_fan_of_twenty_thousand_triangles_around_one_vertex_is_taken_as_drawn() {
    let n = 40_000;
    let rim = |i: i32| at(f64::from(i) / f64::from(n) * TAU, 1e8);
    let gaping = taken_as_drawn((0..n).step_by(2).map(|i| vec![CENTRE, rim(i), rim(i + 1)]).collect());
    assert_eq!(gaping.borders().count(), 20_000);
    let closed = taken_as_drawn((0..n).step_by(2).map(|i| vec![CENTRE, rim(i), rim((i + 2) % n)]).collect());
    assert_eq!(closed.borders().count(), 40_000);
}

/// ```text
///       ●─●
///      ╱   ╲      one ring that comes back to the same vertex again and again
///     ●──●──●
///      ╲   ╱
///       ●─●
/// ```
#[test]
fn a_flower_of_twenty_thousand_petals_touches_itself_at_one_place() {
    let n = 40_000;
    let rim = |i: i32| at(f64::from(i) / f64::from(n) * TAU, 1e8);
    let petals = |order: &dyn Fn(i32) -> i32| -> Vec<Point> {
        (0..n / 2).map(order).flat_map(|i| [CENTRE, rim(2 * i), rim(2 * i + 1)]).collect()
    };
    let drawn = of_shells(vec![petals(&|i| i)]);
    // The petals hang together in one vertex alone, which makes them parts.
    let touches: Vec<&Finding> = drawn.findings.iter().filter(|f| f.kind != FindingKind::DetachedPart).collect();
    assert!(touches.len() == 1 && drawn.findings.iter().all(|f| !f.blocking));
    assert_eq!((touches[0].kind, touches[0].place), (FindingKind::InvalidPolygon, Some(CENTRE)));
    assert!(touches[0].note.ends_with("touches itself"), "{}", touches[0]);
    valid(&drawn);
    // From each petal to the one after the next six, the ring crosses its own way at the vertex.
    let crossed = of_shells(vec![petals(&|i| i * 7 % (n / 2))]);
    assert_eq!(kinds(&crossed), [(FindingKind::InvalidPolygon, true)]);
    assert_eq!(crossed.findings[0].place, Some(CENTRE));
    assert!(crossed.findings[0].note.ends_with("crosses itself"), "{}", crossed.findings[0]);
}

/// ```text
///     ╱╱╱╱╱╱       teeth of a comb, aslant; in the gaps between them those of another
///    ╱ ╱ ╱
/// ```
#[test]
fn two_combs_with_a_hundred_thousand_vertices_in_each_other_are_taken_as_drawn() {
    for (across, up) in [([2_000, 0], [0, 100_000_000]), ([1_700, -900], [45_000_000, 85_000_000])] {
        let teeth = 12_500;
        let point = |i: i32, along: i32, extra: i32| {
            let share = |v: i32| (i64::from(v) * i64::from(along) / 100) as i32;
            Point::new(
                CENTRE.x - 20_000_000 + across[0] * i / 2 + share(up[0]) + extra * across[0] / 8,
                CENTRE.y - 40_000_000 + across[1] * i / 2 + share(up[1]) + extra * across[1] / 8,
            )
        };
        let comb = |foot: i32, tip: i32, shift: i32| -> Vec<Point> {
            let mut shell: Vec<Point> = (0..teeth)
                .flat_map(|i| {
                    let i = 4 * i + shift;
                    [point(i, foot, 0), point(i, tip, 0), point(i + 1, tip, 0), point(i + 1, foot, 0)]
                })
                .collect();
            let back = if foot < tip { foot - 5 } else { foot + 5 };
            shell.extend([point(4 * teeth + 2, back, 0), point(-2, back, 0)]);
            shell
        };
        taken_as_drawn(vec![comb(0, 90, 0), comb(100, 10, 2)]);
    }
}

#[test]
fn a_spiral_of_a_hundred_thousand_vertices_is_taken_as_drawn() {
    for corners in [4, 96] {
        let n = 50_000;
        let turns = f64::from(n / corners);
        let arm = |i: i32, part: f64| {
            let turn = f64::from(i) / f64::from(corners);
            at(turn * TAU + 0.4, 1e8 * (turn + 2.0 + part) / (turns + 3.0))
        };
        let shell: Vec<Point> = (0..n).map(|i| arm(i, 0.0)).chain((0..n).rev().map(|i| arm(i, 0.5))).collect();
        taken_as_drawn(vec![shell]);
    }
}

/// ```text
///     │╱ ╱ ╱
///     ●─●─●─       rays that begin side by side, a unit apart, and lie ever closer
/// ```
#[test]
fn rays_that_nearly_meet_are_taken_as_drawn() {
    let n = 10_000;
    let needle = |i: i32| {
        let angle = f64::from(i) / f64::from(n) * TAU;
        vec![at(angle, 40_000.0), at(angle, 1e8), at(angle + 0.3 * TAU / f64::from(n), 1e8)]
    };
    taken_as_drawn((0..n).map(needle).collect());
}

#[test]
fn a_scribble_is_refused_with_its_owner_and_a_place() {
    let mut dice = Dice::seeded(3);
    let side = 100_000_000;
    let shell = (0..100_000).map(|_| Point::new(dice.below(side) as i32, dice.below(side) as i32)).collect();
    let assembly = of_shells(vec![vec![CENTRE, at(0.0, 1e6), at(1.0, 1e6)], shell]);
    assert_eq!(kinds(&assembly), [(FindingKind::Limit, true)]);
    assert_eq!(assembly.findings[0].owners, [AreaId(1)]);
    assert!(assembly.findings[0].place.is_some());
}

/// Ten thousand areas on the same ground, and two thousand each within the next.
#[test]
fn a_stack_of_copies_is_an_overlap_that_names_a_few_of_them() {
    let square = |r: f64| -> Vec<Point> { [0.0, 1.5, 3.0, 4.5].map(|angle| at(angle, r)).to_vec() };
    let copies = of_shells((0..10_000).map(|_| square(1e6)).collect());
    assert_eq!(kinds(&copies), [(FindingKind::Overlap, true)]);
    assert!(copies.findings[0].note.ends_with("000007 and 9992 more claim the same ground"), "{}", copies.findings[0]);
    let nested = of_shells((1..=2_000).map(|i| square(f64::from(i) * 5e3)).collect());
    assert!(nested.coverage.is_none() && nested.findings.len() == 1_999);
}
