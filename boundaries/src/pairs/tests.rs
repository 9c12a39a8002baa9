use super::*;
use crate::samples::Dice;
use crate::segment::{Segment, holds, meet};

fn point(dice: &mut Dice, side: u64) -> Point {
    Point::new(dice.below(side) as i32, dice.below(side) as i32)
}

/// Whether two segments meet elsewhere than in an end that both have.
fn meet_elsewhere(e: Segment, f: Segment) -> bool {
    let shared = e.iter().any(|p| f.contains(p));
    let far_end_on = |e: Segment, f: Segment| f.iter().any(|p| !e.contains(p) && holds(e, *p));
    if shared { far_end_on(e, f) || far_end_on(f, e) } else { meet(e, f) }
}

/// The pairs that meet elsewhere than in a common end, by the search and one with another.
fn both_ways(segments: &[Segment], margin: i32) -> [Vec<(usize, usize)>; 2] {
    let visit = |i: usize, j: usize, out: &mut Vec<(usize, usize)>| {
        if meet_elsewhere(segments[i], segments[j]) {
            out.push((i, j));
        }
    };
    let (active, most) = (|_| true, u64::MAX);
    let mut finder = Finder::of(segments, [margin; 2], &active, &visit);
    finder.most_found = most;
    let mut found = finder.run().unwrap();
    found.sort_unstable();
    found.dedup();
    let mut expected = Vec::new();
    for i in 0..segments.len() {
        for j in i + 1..segments.len() {
            visit(i, j, &mut expected);
        }
    }
    [found, expected]
}

/// How many pairs are compared and segments put into halves, whatever the margin.
fn compared(segments: &[Segment]) -> u64 {
    let with = |margin| {
        let (active, visit) = (|_| true, |_, _, _: &mut Vec<()>| {});
        let finder = Finder::of(segments, [margin; 2], &active, &visit);
        finder.run().unwrap();
        finder.compared.load(Ordering::Relaxed)
    };
    [0, 1].map(with).into_iter().max().unwrap_or(0)
}

#[test]
fn every_pair_of_boxes_that_meet_is_visited() {
    let mut dice = Dice::seeded(7);
    for margin in [0, 1, 9] {
        let segments: Vec<Segment> = (0..700)
            .map(|i| {
                let a = point(&mut dice, 5_000);
                let reach = if i % 50 == 0 { 5_000 } else { 400 };
                [a, Point::new(a.x + dice.below(reach) as i32, a.y - dice.below(reach) as i32)]
            })
            .collect();
        let [found, expected] = both_ways(&segments, margin);
        assert!(expected.len() > 100);
        assert_eq!(found, expected);
    }
}

/// ```text
///       ╲ │ ╱
///      ───●───●───     far ends of short rays lie on long ones, other segments cross the star
///       ╱ │ ╲
/// ```
#[test]
fn in_stars_the_far_ends_on_other_rays_and_all_that_crosses_them_are_found() {
    for seed in 0..60 {
        let mut dice = Dice::seeded(seed);
        // Small sides make many rays of one direction, large ones none.
        let side = [12, 60, 4_000, 1_000_000][seed as usize % 4];
        let hubs: Vec<Point> = (0..=seed % 3).map(|_| point(&mut dice, side)).collect();
        let mut segments: Vec<Segment> = Vec::new();
        for hub in &hubs {
            segments.extend((0..150).map(|_| [*hub, point(&mut dice, side)]).filter(|s| s[0] != s[1]));
        }
        segments.extend((0..seed as usize).map(|_| [point(&mut dice, side), point(&mut dice, side)]));
        let [found, expected] = both_ways(&segments, [0, 1, 7][seed as usize % 3]);
        assert_eq!(found, expected, "seed {seed}");
    }
}

#[test]
fn in_bundles_aslant_all_meetings_are_found() {
    for seed in 0..40 {
        let mut dice = Dice::seeded(seed);
        let (dx, dy) = (100_000 + dice.about(90_000), dice.about(100_000));
        let mut segments: Vec<Segment> = (0..500)
            .map(|i| {
                let a = Point::new(i * 9 - dice.about(3) - i * dx / 700, i * 7 + dice.about(3));
                [a, Point::new(a.x + dx + dice.about(4), a.y + dy + dice.about(4))]
            })
            .collect();
        segments.extend((0..40).map(|_| [point(&mut dice, 100_000), point(&mut dice, 100_000)]));
        let [found, expected] = both_ways(&segments, (seed % 3) as i32);
        assert!(!expected.is_empty());
        assert_eq!(found, expected, "seed {seed}");
    }
}

/// Rays of a fan, teeth of a comb that stands aslant, rays that end around a small circle, a maze:
/// four times as many cost four to eight times as much, not sixteen times.
#[test]
fn what_is_compared_grows_with_the_segments_and_not_with_their_square() {
    const R: f64 = 1e8;
    let turn = |i: i32, n: i32| f64::from(i) / f64::from(n) * std::f64::consts::TAU;
    let at = |angle: f64, r: f64| Point::new((r * angle.cos()) as i32, (r * angle.sin()) as i32);
    let fan = |n: i32| -> Vec<Segment> {
        let rim = |i: i32| at(turn(i, n), R);
        (0..n).flat_map(|i| [[Point::default(), rim(i)], [rim(i), rim(i + 1)]]).collect()
    };
    let comb = |n: i32| -> Vec<Segment> {
        let step = 1e8 / f64::from(n);
        let tooth = |i: i32| {
            let a = Point::new((f64::from(i) * step) as i32, (-0.7 * f64::from(i) * step) as i32);
            [a, Point::new(a.x + 70_000_000, a.y + 100_000_000)]
        };
        (0..n).map(tooth).collect()
    };
    let wheel = |n: i32| -> Vec<Segment> { (0..n).map(|i| [at(turn(i, n), 1e5), at(turn(i, n), R)]).collect() };
    // The teeth as rings around each other, each side a little shorter than the last.
    let maze = |n: i32| -> Vec<Segment> {
        let corner = |i: i32| at(turn(i, 4) + 0.4, R * (0.1 + 0.9 * f64::from(i) / f64::from(n)));
        (0..n).map(|i| [corner(i), corner(i + 1)]).collect()
    };
    type Shape<'a> = &'a dyn Fn(i32) -> Vec<Segment>;
    let shapes: [(&str, Shape<'_>); 4] = [("fan", &fan), ("comb", &comb), ("wheel", &wheel), ("maze", &maze)];
    for (name, shape) in shapes {
        let [few, many] = [5_000, 20_000].map(|n| compared(&shape(n)));
        println!("{name}: {few} compared of 5,000, {many} of 20,000");
        assert!(many < 8 * few, "{name}: {few} then {many}");
        assert!(many < 2_000 * 20_000, "{name}: {many}");
    }
}

#[test]
fn segments_that_all_cross_are_given_up_with_a_place() {
    let n = 6_000;
    let scribble: Vec<Segment> =
        (0..n).map(|i| [Point::new(i * 1_000, 0), Point::new((n - i) * 1_000 + 500, 1_000_000)]).collect();
    let all = near_pairs(&scribble, [0, 0], &|_| true, &|i, j, out: &mut Vec<(usize, usize)>| out.push((i, j)));
    let Crowded(place) = all.unwrap_err();
    assert!(scribble.iter().any(|s| s[0] == place));
}
