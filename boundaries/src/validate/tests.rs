use std::sync::Arc;

use super::*;
use crate::samples::{City, Dice, area, levels};
use crate::topology::BorderId;
use crate::{BorderRecord, FaceRecord, Settings, assemble};

/// A border: left face, right face, line.
type Drawn<'a> = (u32, u32, &'a [(i32, i32)]);

fn build(borders: &[Drawn<'_>]) -> Coverage {
    let faces = borders.iter().flat_map(|b| [b.0, b.1]).max().unwrap_or(0);
    Coverage::build(
        levels(&["grid"]),
        [(AreaId(0), area("a", 0, None))],
        (1..=faces).map(|id| FaceRecord { id: FaceId(id), owner: Some(AreaId(0)) }),
        borders.iter().enumerate().map(|(id, (left, right, line))| BorderRecord {
            id: BorderId(id as u32),
            left: FaceId(*left),
            right: FaceId(*right),
            line: line.iter().map(|(x, y)| Point::new(*x, *y)).collect(),
        }),
    )
    .unwrap()
}

fn reasons(coverage: &Coverage) -> Vec<String> {
    coverage.sanity_check().unwrap_err().into_iter().map(|d| d.to_string()).collect()
}

/// ```text
///    ┌──────┐
///    │ 1  ┌─┼───┐     each square closed in itself, so the records fit together
///    └────┼─┘ 2 │
///         └─────┘
/// ```
#[test]
fn lines_that_cross_without_a_node_are_found_with_the_place() {
    let c = build(&[
        (1, 0, &[(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]),
        (2, 0, &[(5, 5), (20, 5), (20, 20), (5, 20), (5, 5)]),
    ]);
    let found = reasons(&c);
    assert_eq!(found.iter().filter(|r| r.contains("outside a node")).count(), 2, "{found:?}");
}

#[test]
fn lines_that_touch_in_a_vertex_or_on_an_edge_without_a_node_are_found() {
    let square: &[(i32, i32)] = &[(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)];
    for other in [
        &[(20, 0), (20, 9), (10, 10), (20, 0)][..],
        &[(20, 0), (20, 9), (10, 5), (20, 0)],
        &[(10, 0), (20, 0), (20, 10), (10, 10), (10, 0)],
    ] {
        let c = build(&[(1, 0, square), (2, 0, other)]);
        assert!(reasons(&c)[0].contains("outside a node"), "{other:?}");
    }
}

/// ```text
///    ┌───────┐ ┌──────┐
///    │ 1     │ │ 2 ┌┐ │     the records say that 3 lies in 1
///    └───────┘ │   └┘ │     (the ground adds up all the same)
///              └──────┘
/// ```
#[test]
fn an_island_in_the_wrong_face_is_found() {
    let c = build(&[
        (1, 0, &[(0, 0), (50, 0), (50, 50), (0, 50), (0, 0)]),
        (2, 0, &[(60, 0), (90, 0), (90, 50), (60, 50), (60, 0)]),
        (3, 1, &[(70, 20), (80, 20), (80, 30), (70, 30), (70, 20)]),
    ]);
    assert_eq!(reasons(&c), ["a piece lies in another face than 1 at 0.0000070 0.0000020"]);
}

#[test]
fn whatever_is_changed_behind_its_back_is_found() {
    let city = City::clean(5, &mut Dice::seeded(3));
    let sound = assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap();
    assert_eq!(sound.sanity_check(), Ok(()));
    let inner = sound.borders().find(|(_, b)| b.left.0 > 0 && b.right.0 > 0).map(|b| b.0).unwrap();
    let with = |change: &dyn Fn(&mut Coverage)| {
        let mut c = sound.clone();
        change(&mut c);
        reasons(&c)
    };
    let border = |c: &mut Coverage, change: &dyn Fn(&mut crate::topology::Border)| {
        change(c.borders.get_mut(inner.0 as usize).unwrap().as_mut().unwrap());
    };
    let face = |c: &mut Coverage, change: &dyn Fn(&mut crate::topology::Face)| {
        change(c.faces.get_mut(1).unwrap().as_mut().unwrap());
    };
    assert!(with(&|c| border(c, &|b| b.next.swap(0, 1))).iter().any(|r| r.contains("wrong one")));
    assert!(with(&|c| border(c, &|b| std::mem::swap(&mut b.left, &mut b.right))).len() > 1);
    assert!(with(&|c| face(c, &|f| f.twice_area += 1)).iter().any(|r| r.contains("another size")));
    assert!(with(&|c| face(c, &|f| f.owner = None)).iter().any(|r| r.contains("as its own")));
    assert!(with(&|c| face(c, &|f| f.holes = Arc::from([HalfEdge(0)]))).len() > 1);
    let lost = with(&|c| *c.borders.get_mut(inner.0 as usize).unwrap() = None);
    assert!(lost.iter().any(|r| r.contains("does not exist") || r.contains("contradict") || r.contains("wrong one")));
    let orphan = with(&|c| {
        let entry = c.areas.get_mut(2).unwrap().as_mut().unwrap();
        entry.area = Arc::new(area("X", 1, None));
    });
    assert!(orphan.len() >= 2, "{orphan:?}");
}
