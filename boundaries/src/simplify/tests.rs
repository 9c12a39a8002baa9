use super::*;
use crate::area::{Area, AreaId, Level};
use crate::coverage::{BorderRecord, FaceRecord};
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
        assert_eq!(Arc::ptr_eq(updated.of(b).unwrap(), weights.of(b).unwrap()), b != BorderId(1));
    }
}

#[test]
fn a_million_vertices_in_one_border_are_weighed() {
    let line: Vec<_> = wiggle(1_000_000, 3).into_iter().map(|(x, y)| Point::new(x, y)).collect();
    let weights = weigh(&line, 0);
    assert_eq!(weights.iter().filter(|w| w.is_infinite()).count(), 2);
}
