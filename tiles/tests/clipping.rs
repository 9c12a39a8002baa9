//! Whatever is pushed into a tile, what comes out stays within the buffer, is wound
//! right, and is the same from both sides of a shared edge.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod support;

use std::collections::HashMap;

use proptest::prelude::*;
use tiles::{
    BUFFER, ClipBox, EXTENT, GeometryKind, LayerWriter, Role, Scratch, Shape, TagValue, TilePoint, clean_ring,
    twice_area,
};

fn point() -> impl Strategy<Value = TilePoint> {
    let near = -200..4300i32;
    let far = prop_oneof![4 => near.clone(), 1 => -100_000..100_000i32, 1 => prop::num::i32::ANY];
    (far.clone(), far).prop_map(|(x, y)| TilePoint::new(x, y))
}

fn line() -> impl Strategy<Value = Vec<TilePoint>> {
    prop::collection::vec(point(), 0..40)
}

/// A star around a centre: simple, whatever its radii.
fn star() -> impl Strategy<Value = Vec<TilePoint>> {
    ((-500..4600i32, -500..4600i32), prop::collection::vec(10.0..3000.0f64, 3..30)).prop_map(|((x, y), radii)| {
        let n = radii.len() as f64;
        let turn = |i: usize| std::f64::consts::TAU * i as f64 / n;
        let at = |(i, r): (usize, &f64)| TilePoint::new(x + (r * turn(i).cos()) as i32, y + (r * turn(i).sin()) as i32);
        radii.iter().enumerate().map(at).collect()
    })
}

fn encode(kind: GeometryKind, shape: &Shape) -> Option<Vec<u8>> {
    let mut scratch = Scratch::default();
    let mut writer = LayerWriter::new(&mut scratch, &["code"], 1);
    writer.feature(7, kind, shape, [(0, TagValue::Text(0, "a"))]);
    writer.finish("grid")
}

/// The naive reference: the area of a polygon inside the box, by clipping in f64.
fn clipped_area(ring: &[TilePoint]) -> f64 {
    let (min, max) = (-f64::from(BUFFER), f64::from(EXTENT + BUFFER));
    let mut ring: Vec<[f64; 2]> = ring.iter().map(|p| [f64::from(p.x), f64::from(p.y)]).collect();
    for (axis, limit, sign) in [(0, min, 1.0), (0, max, -1.0), (1, min, 1.0), (1, max, -1.0)] {
        let inside = |p: &[f64; 2]| (p[axis] - limit) * sign >= 0.0;
        let mut next = Vec::new();
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            if inside(a) {
                next.push(*a);
            }
            if inside(a) != inside(b) {
                let t = (limit - a[axis]) / (b[axis] - a[axis]);
                next.push([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
            }
        }
        ring = next;
    }
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

proptest! {
    #[test]
    fn no_vertex_leaves_the_buffer(shell in line(), hole in line(), way in line(), at in point()) {
        let mut shapes = [Shape::new(), Shape::new(), Shape::new()];
        shapes[0].push_point(at);
        shapes[1].push_line(way);
        shapes[2].push_ring(Role::Shell, shell);
        shapes[2].push_ring(Role::Hole, hole);
        for (shape, kind) in shapes.iter().zip([GeometryKind::Point, GeometryKind::Line, GeometryKind::Polygon]) {
            prop_assert!(shape.points().iter().all(|p| ClipBox::TILE.contains(*p)));
            let Some(bytes) = encode(kind, shape) else { continue };
            let layers = support::decode(&bytes).map_err(TestCaseError::fail)?;
            support::judge_shapes(&layers, BUFFER as i32).map_err(TestCaseError::fail)?;
            let decoded: Vec<_> = layers[0].features[0].parts.concat();
            let given: Vec<_> = shape.points().iter().map(|p| (p.x, p.y)).collect();
            prop_assert_eq!(decoded, given);
        }
    }

    #[test]
    fn a_cut_keeps_the_ground_inside(ring in star()) {
        let mut cut = ring.clone();
        ClipBox::TILE.clip_ring(&mut cut, &mut Vec::new());
        clean_ring(&mut cut);
        let (area, exact) = (twice_area(&cut) as f64 / 2.0, clipped_area(&ring));
        // Each cut rounds by half a unit, along at most the length of an edge inside.
        let allowed = 4.0 * 6000.0 * (2 * ring.len()) as f64 * 0.5 / 4.0;
        prop_assert!((area - exact).abs() <= allowed.max(1.0), "{area} for {exact}");
    }

    #[test]
    fn two_sides_of_a_shared_edge_keep_sharing_it(ring in star()) {
        // The ring, and the ring's outside within a square around: one border, two owners.
        let mut shape = Shape::new();
        let around = [(-90_000, -90_000), (90_000, -90_000), (90_000, 90_000), (-90_000, 90_000)];
        shape.push_ring(Role::Shell, ring.iter().copied());
        let inner: Vec<_> = shape.parts().flat_map(edges).collect();
        shape.clear();
        shape.push_ring(Role::Shell, around.map(|(x, y)| TilePoint::new(x, y)));
        shape.push_ring(Role::Hole, ring.iter().rev().copied());
        let outer: Vec<_> = shape.parts().skip(1).flat_map(edges).collect();
        let rim = |p: TilePoint| p.x == -64 || p.x == 4160 || p.y == -64 || p.y == 4160;
        let mut balance: HashMap<_, i32> = HashMap::new();
        for (a, b) in inner {
            *balance.entry((a, b)).or_default() += 1;
        }
        for (a, b) in outer {
            *balance.entry((b, a)).or_default() -= 1;
        }
        let loose: Vec<_> = balance.into_iter().filter(|((a, b), n)| *n != 0 && !(rim(*a) && rim(*b))).collect();
        prop_assert!(loose.is_empty(), "{loose:?}");
    }
}

fn edges(ring: &[TilePoint]) -> Vec<(TilePoint, TilePoint)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1)).collect()
}
