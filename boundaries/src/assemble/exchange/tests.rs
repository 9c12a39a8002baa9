use super::*;
use crate::assemble::{Claim, Settings, assemble};
use crate::samples::{City, Dice, area, levels};

fn built(city: City) -> Coverage {
    assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
}

/// Two areas side by side; the line between them runs through `line`.
fn two(line: &[(i32, i32)]) -> Coverage {
    let p = |&(x, y): &(i32, i32)| Point::new(1_200_000_000 + x * 1_000, 360_000_000 + y * 1_000);
    let line: Vec<Point> = line.iter().map(p).collect();
    let rest = |corners: [(i32, i32); 2]| corners.iter().map(p).collect::<Vec<_>>();
    let a = [rest([(0, 8), (0, 0)]), line.clone()].concat();
    let b = [rest([(8, 0), (8, 8)]), line.into_iter().rev().collect()].concat();
    let claims = [a, b]
        .into_iter()
        .zip(0..)
        .map(|(shell, i)| Claim { area: AreaId(i), polygon: Polygon { shell, holes: vec![] } });
    let areas = vec![(AreaId(0), area("a", 0, None)), (AreaId(1), area("b", 0, None))];
    assemble(levels(&["grid"]), areas, claims.collect(), &Settings::default()).coverage.unwrap()
}

/// ```text
///    │   ╲ │         the new line crosses the old one: each of the two gives the other
///    │ a  ╳  b       a piece, and they meet where the lines do
///    │   ╱ │
/// ```
#[test]
fn lines_that_cross_leave_a_piece_on_each_side() {
    let (old, new) = (two(&[(4, 0), (4, 8)]), two(&[(4, 0), (6, 2), (2, 6), (4, 8)]));
    let found = new.exchanged_since(&old, 0.05).unwrap();
    let mut seen: Vec<_> = found.exchanged.iter().map(|e| (e.from.unwrap().0, e.to.unwrap().0)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [(0, 1), (1, 0)]);
    assert!(found.exchanged.iter().all(|e| e.polygon.shell.len() == 3));
    let all_m2: f64 = found.common.iter().map(|c| c.2).sum();
    assert!((all_m2 - old.area_m2(AreaId(0)) - old.area_m2(AreaId(1))).abs() < 1e-3 * all_m2, "{all_m2}");
}

/// A vertex in a straight line, a vertex left out, a line a few units off: nothing changed.
#[test]
fn a_coverage_that_is_written_anew_within_the_tolerance_is_no_difference() {
    for seed in 0..4 {
        let clean = City::clean(6, &mut Dice::seeded(seed));
        let mut dice = Dice::seeded(seed + 50);
        let mut moved: FxHashMap<Point, Point> = FxHashMap::default();
        let mut again = clean.clone();
        for polygon in again.claims.iter_mut().map(|c| &mut c.polygon) {
            for p in polygon.holes.iter_mut().chain([&mut polygon.shell]).flatten() {
                let to = || Point::new(p.x + dice.about(2), p.y + dice.about(2));
                *p = *moved.entry(*p).or_insert_with(to);
            }
        }
        let (old, new) = (built(clean), built(again));
        assert!(new.exchanged_since(&old, 0.0).unwrap().exchanged.len() > 50);
        assert_eq!(new.exchanged_since(&old, 0.05).unwrap().exchanged, []);
    }
}
