use super::*;
use crate::assemble::{Settings, assemble};
use crate::lattice::orient;
use crate::samples::{City, Dice, area, even_odd, levels};
use crate::{BorderRecord, FaceRecord};

fn city(side: i32, seed: u64) -> Coverage {
    let city = City::clean(side, &mut Dice::seeded(seed));
    assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
}

fn twice(ring: &[Point]) -> i128 {
    crate::polygon::twice_area(ring)
}

#[test]
fn an_upper_level_is_the_union_of_what_lies_below_it() {
    let c = city(10, 3);
    for level in [Level(0), Level(1)] {
        for outline in c.outlines(level) {
            let ground: i128 = c.ground(outline.area).iter().map(|f| c.face(*f).unwrap().twice_area).sum();
            let drawn: i128 =
                outline.parts.iter().map(|p| c.polygon(p)).flat_map(|p| p.rings().map(twice).collect::<Vec<_>>()).sum();
            assert_eq!(ground, drawn);
        }
    }
}

#[test]
fn the_outline_of_one_area_is_its_outline_among_all() {
    let c = city(9, 4);
    for level in [Level(0), Level(1)] {
        for outline in c.outlines(level) {
            assert_eq!(c.outline(outline.area), Some(outline));
        }
    }
}

#[test]
fn shells_run_counter_clockwise_holes_clockwise_and_none_passes_a_vertex_twice() {
    let c = city(9, 5);
    for outline in [Level(0), Level(1)].into_iter().flat_map(|l| c.outlines(l)) {
        for polygon in outline.parts.iter().map(|p| c.polygon(p)) {
            assert!(twice(&polygon.shell) > 0);
            assert!(polygon.holes.iter().all(|h| twice(h) < 0));
            assert!(polygon.holes.iter().flatten().all(|p| even_odd(&polygon, *p) || on_a_ring(&polygon, *p)));
            for ring in polygon.rings() {
                let mut sorted = ring.to_vec();
                sorted.sort_unstable();
                assert!(sorted.windows(2).all(|w| w[0] != w[1]));
            }
        }
    }
}

fn on_a_ring(polygon: &Polygon, p: Point) -> bool {
    polygon.rings().any(|r| (0..r.len()).any(|i| orient(r[i], r[(i + 1) % r.len()], p).is_eq()))
}

/// ```text
///    ┌──────────────┐
///    │ a    ┌──┐    │       b touches the rim of a in one node: a's only ring passes
///    │      │b │    │       it twice, and becomes a shell and a hole that touch
///    └──────●──┘────┘       (drawn apart here, they share the node alone)
/// ```
#[test]
fn where_ground_touches_itself_in_a_node_the_ring_is_cut_into_shell_and_hole() {
    let line = |p: &[(i32, i32)]| p.iter().map(|(x, y)| Point::new(*x, *y)).collect();
    let (a, b) = (AreaId(0), AreaId(1));
    let c = Coverage::build(
        levels(&["grid"]),
        [(a, area("a", 0, None)), (b, area("b", 0, None))],
        [FaceRecord { id: FaceId(1), owner: Some(a) }, FaceRecord { id: FaceId(2), owner: Some(b) }],
        [
            (0, 1, 0, line(&[(50, 0), (100, 0), (100, 90), (0, 90), (0, 0), (50, 0)])),
            (1, 2, 1, line(&[(50, 0), (70, 30), (40, 40), (50, 0)])),
        ]
        .map(|(id, l, r, line)| BorderRecord {
            id: crate::BorderId(id),
            left: FaceId(l),
            right: FaceId(r),
            line,
        }),
    )
    .unwrap();
    assert_eq!(c.sanity_check(), Ok(()));
    let polygons = c.polygons(a);
    assert_eq!(polygons.len(), 1);
    assert_eq!(polygons[0].shell.len(), 5);
    assert_eq!(polygons[0].holes.len(), 1);
    assert_eq!(c.neighbours(a).len(), 1);
}

#[test]
fn neighbours_share_the_same_length_from_both_sides_and_all_of_it_within_the_rim() {
    let c = city(8, 6);
    for (id, _) in c.areas() {
        let shared = c.neighbours(id);
        assert!(shared.iter().map(|s| s.1).sum::<f64>() <= c.perimeter_m(id) + 1e-6);
        for (other, length_m) in shared {
            let back = c.neighbours(other).into_iter().find(|n| n.0 == id).unwrap().1;
            assert!((back - length_m).abs() < 1e-9 && length_m > 0.0);
        }
    }
    let districts: Vec<_> = c.areas().filter(|a| a.1.level == Level(0)).map(|a| a.0).collect();
    assert_eq!(c.neighbours(districts[0]).iter().map(|n| n.0).collect::<Vec<_>>(), [districts[1]]);
}

#[test]
fn the_parts_make_the_whole() {
    let c = city(8, 7);
    let below: f64 = c.areas().filter(|a| a.1.level == Level(1)).map(|a| c.area_m2(a.0)).sum();
    let above: f64 = c.areas().filter(|a| a.1.level == Level(0)).map(|a| c.area_m2(a.0)).sum();
    assert!((below / above - 1.0).abs() < 1e-12);
    // 64 cells of 1e-3 degree: 111 m by 90 m at 36 degrees north.
    assert!((above / (64.0 * 110.96 * 90.0) - 1.0).abs() < 0.05, "{above}");
}
