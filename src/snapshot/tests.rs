//! The clever structures of this room against naive ones.

use std::sync::Arc;

use boundaries::{Area, AreaId, BorderId, BorderRecord, Bounds, Coverage, FaceId, FaceRecord, Level, Point, Polygon};

use super::{CoverageView, Layer};
use crate::feature::{Feature, Geometry, Value};

/// Two grids of a street side by side, and a third on top of both, 1,000 units a cell.
///
/// ```text
///  (0,2000)──────────(2000,2000)
///     │        c          │
///  (0,1000)─(1000,1000)─(2000,1000)
///     │   a     │    b    │
///   (0,0)───(1000,0)────(2000,0)
/// ```
pub(crate) fn three_grids() -> Coverage {
    let area = |code: &str, level: u8, parent: Option<u32>| Area {
        code: code.into(),
        name: "".into(),
        level: Level(level),
        parent: parent.map(AreaId),
        kind: "".into(),
        attributes: "{}".into(),
    };
    let lines = [
        (0, 1, 0, &[(0, 1000), (0, 0), (1000, 0)][..]),
        (1, 2, 0, &[(1000, 0), (2000, 0), (2000, 1000)]),
        (2, 3, 0, &[(2000, 1000), (2000, 2000), (0, 2000), (0, 1000)]),
        (3, 1, 2, &[(1000, 0), (1000, 1000)]),
        (4, 1, 3, &[(1000, 1000), (0, 1000)]),
        (5, 2, 3, &[(2000, 1000), (1000, 1000)]),
    ];
    Coverage::build(
        Arc::from(["street".into(), "grid".into()]),
        [
            (AreaId(0), area("s", 0, None)),
            (AreaId(1), area("a", 1, Some(0))),
            (AreaId(2), area("b", 1, Some(0))),
            (AreaId(3), area("c", 1, Some(0))),
        ],
        (1..4).map(|i| FaceRecord { id: FaceId(i), owner: Some(AreaId(i)) }),
        lines.map(|(id, left, right, line)| BorderRecord {
            id: BorderId(id),
            left: FaceId(left),
            right: FaceId(right),
            line: line.iter().map(|&(x, y)| Point::new(x, y)).collect(),
        }),
    )
    .unwrap()
}

fn view() -> Arc<CoverageView> {
    Arc::new(CoverageView::new("responsibility".into(), three_grids(), 1, None))
}

fn polygon(points: &[(i32, i32)]) -> Geometry {
    Geometry::Polygons(vec![Polygon { shell: points.iter().map(|&(x, y)| Point::new(x, y)).collect(), holes: vec![] }])
}

fn square(x: i32, y: i32, w: i32, h: i32) -> Geometry {
    polygon(&[(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
}

fn feature(id: &str, geometry: Geometry) -> Feature {
    Feature { id: id.into(), geometry, properties: vec![("name".into(), Value::Text(id.into()))] }
}

/// A small generator, so that the tests need nothing for theirs.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: i32) -> i32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % n as u64) as i32
    }
}

#[test]
fn a_polygon_belongs_to_the_largest_share_and_of_equal_ones_to_the_lower_code() {
    let layer = |g: Geometry| Layer::new("building", vec![feature("x", g)], &[view()]);
    let shares = |g: Geometry| {
        let layer = layer(g);
        let found: Vec<_> = layer.shares(0, 0).iter().map(|s| (s.area.0, s.share)).collect();
        (layer.owner(0, 0).map(|a| a.0), found)
    };
    let cases = [
        ("whole in one", square(10, 10, 100, 100), Some(1), vec![]),
        ("a quarter over", square(700, 10, 400, 100), Some(1), vec![(1, 0.75), (2, 0.25)]),
        ("half and half", square(900, 10, 200, 100), Some(1), vec![(1, 0.5), (2, 0.5)]),
        ("in three", square(900, 900, 200, 400), Some(3), vec![(3, 0.75), (1, 0.125), (2, 0.125)]),
        ("a third outside", square(-100, 10, 300, 100), Some(1), vec![(1, 0.666667)]),
        ("wholly outside", square(-500, 10, 300, 100), None, vec![]),
        ("along a border from within", square(900, 10, 100, 100), Some(1), vec![]),
        ("clockwise triangle", polygon(&[(900, 0), (1000, 200), (1100, 0)]), Some(1), vec![(1, 0.5), (2, 0.5)]),
        ("without ground", polygon(&[(1500, 10), (1600, 10), (1500, 10)]), Some(2), vec![]),
        ("all of the city", square(-10, -10, 2020, 2020), Some(3), vec![(3, 0.490148), (1, 0.245074), (2, 0.245074)]),
    ];
    for (what, geometry, owner, expected) in cases {
        assert_eq!(shares(geometry), (owner, expected), "{what}");
    }
}

/// ```text
///  (0,2000)────────(2000,2000)
///     │  y  ▢      . ╱ │       b is the strip between the dotted line, of many short
///     │         . ╱    │       segments, and the diagonal, of one: its box is all that
///     │     . ╱    a   │       there is, so it is near the house, though neither of its
///   (0,0)──────────(2000,0)    sides is
/// ```
#[test]
fn a_house_beside_a_long_segment_belongs_to_the_face_that_it_lies_in() {
    let area = |code: &str| Area {
        code: code.into(),
        name: "".into(),
        level: Level(0),
        parent: None,
        kind: "".into(),
        attributes: "{}".into(),
    };
    let dotted: Vec<(i32, i32)> =
        (0..=10).rev().map(|i| (i * 200, i * 200 + if i % 10 == 0 { 0 } else { 20 })).collect();
    let lines = [
        (0, 1, 0, &[(0, 0), (2000, 0), (2000, 2000)][..]),
        (1, 3, 0, &[(2000, 2000), (0, 2000), (0, 0)]),
        (2, 1, 2, &[(2000, 2000), (0, 0)]),
        (3, 2, 3, &dotted),
    ];
    let coverage = Coverage::build(
        Arc::from(["grid".into()]),
        [(AreaId(1), area("a")), (AreaId(2), area("b")), (AreaId(3), area("y"))],
        (1..4).map(|i| FaceRecord { id: FaceId(i), owner: Some(AreaId(i)) }),
        lines.map(|(id, left, right, line)| BorderRecord {
            id: BorderId(id),
            left: FaceId(left),
            right: FaceId(right),
            line: line.iter().map(|&(x, y)| Point::new(x, y)).collect(),
        }),
    );
    let view = Arc::new(CoverageView::new("responsibility".into(), coverage.unwrap(), 1, None));
    for (x, y, owner) in [(400, 1400, 3), (1400, 400, 1), (1700, 100, 1)] {
        let layer = Layer::new("building", vec![feature("x", square(x, y, 10, 10))], std::slice::from_ref(&view));
        assert_eq!((layer.owner(0, 0), layer.shares(0, 0)), (Some(AreaId(owner)), &[][..]), "{x} {y}");
    }
}

#[test]
fn shares_agree_with_counting_lattice_cells() {
    let seed = 20_260_301;
    println!("seed {seed}");
    let (mut dice, view) = (Dice(seed), view());
    for _ in 0..200 {
        // An axis-parallel L, so that counting unit cells is exact.
        let (x, y, w, h) = (dice.below(2300) - 200, dice.below(2300) - 200, 2 + dice.below(60), 2 + dice.below(60));
        let (nx, ny) = (1 + dice.below(w - 1), 1 + dice.below(h - 1));
        let mut ring = vec![(x, y), (x + w, y), (x + w, y + ny), (x + nx, y + ny), (x + nx, y + h), (x, y + h)];
        if dice.below(2) == 0 {
            ring.reverse();
        }
        let turn = dice.below(6) as usize;
        ring.rotate_left(turn);
        let mut counts = [0u32; 4];
        let mut total = 0;
        for cx in x..x + w {
            for cy in (y..y + h).filter(|cy| cx < x + nx || *cy < y + ny) {
                total += 1;
                // The face at (x + ε, y + ε²) is that of the unit cell.
                if let Some(a) = view.locator.owner_at(Point::new(cx, cy)) {
                    counts[a.0 as usize] += 1;
                }
            }
        }
        let layer = Layer::new("building", vec![feature("x", polygon(&ring))], std::slice::from_ref(&view));
        let best = (1..4).rev().max_by_key(|i| counts[*i]).filter(|i| counts[*i] > 0);
        assert_eq!(layer.owner(0, 0).map(|a| a.0 as usize), best, "{ring:?} {counts:?}");
        let shares = layer.shares(0, 0);
        for s in shares {
            let counted = f64::from(counts[s.area.0 as usize]) / f64::from(total);
            assert!((s.share - counted).abs() < 1e-6, "{ring:?}: {} against {counted}", s.share);
        }
        assert_eq!(shares.is_empty(), counts.iter().all(|c| *c == 0 || *c == total), "{ring:?} {counts:?}");
    }
}

#[test]
fn a_layer_after_changes_is_the_layer_made_anew() {
    let seed = 7;
    println!("seed {seed}");
    let (mut dice, view) = (Dice(seed), view());
    let any = |dice: &mut Dice| {
        let (x, y) = (dice.below(2200) - 100, dice.below(2200) - 100);
        if dice.below(2) == 0 { Geometry::Point(Point::new(x, y)) } else { square(x, y, 30, 40) }
    };
    let mut truth: Vec<(u32, Feature)> = Vec::new();
    let mut layer = Layer::new("any", vec![], std::slice::from_ref(&view));
    for round in 0..120u64 {
        let mut put = Vec::new();
        for _ in 0..dice.below(20) {
            let number = dice.below(300) as u32;
            let f = feature(&format!("f{number}"), any(&mut dice));
            put.retain(|(n, _): &(u32, Feature)| *n != number);
            put.push((number, f));
        }
        let removed: Vec<Arc<str>> = (0..dice.below(9)).map(|_| format!("f{}", dice.below(300)).into()).collect();
        truth.retain(|(n, f)| !removed.contains(&f.id) && !put.iter().any(|(m, _)| m == n));
        truth.extend(put.iter().cloned());
        layer = layer.updated(round, &put, &removed);
        if round % 10 == 9 {
            layer = layer.compacted();
        }

        assert_eq!(layer.len(), truth.len());
        assert_eq!(layer.iter().count(), truth.len());
        let bounds = Bounds::of([Point::new(300, 300), Point::new(1200, 1300)]);
        let ids = |ixs: Vec<usize>| {
            let mut ids: Vec<&str> = ixs.into_iter().map(|ix| layer.id(ix)).collect();
            ids.sort_unstable();
            ids
        };
        let expected = |keep: &dyn Fn(&Feature) -> bool| {
            let mut ids: Vec<&str> = truth.iter().filter(|(_, f)| keep(f)).map(|(_, f)| &*f.id).collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!(ids(layer.within(bounds).collect()), expected(&|f| f.geometry.bounds().meets(bounds)));
        for area in 0..4 {
            let owner = |f: &Feature| {
                let one = Layer::new("one", vec![f.clone()], std::slice::from_ref(&view));
                one.owner(0, 0).is_some_and(|o| area == 0 || o.0 == area)
            };
            assert_eq!(ids(layer.of_area(0, AreaId(area))), expected(&owner), "area {area}");
        }
        for (number, f) in &truth {
            let ix = layer.find(&f.id).unwrap();
            assert_eq!((layer.number(ix), layer.feature(ix).as_ref()), (*number, Some(f)));
        }
        for id in removed.iter().filter(|id| !put.iter().any(|(_, f)| f.id == **id)) {
            assert_eq!(layer.find(id), None);
        }
    }
}

#[test]
fn another_coverage_gives_other_owners_to_the_same_rows() {
    let first = view();
    let empty = Arc::new(CoverageView::new("cell".into(), Coverage::empty(Arc::from(["cell".into()])), 0, None));
    let layer = Layer::new("x", vec![feature("x", square(10, 10, 5, 5))], std::slice::from_ref(&first));
    let both = layer.reowned(&[first, empty]);
    assert_eq!((both.owner(0, 0), both.owner(0, 1)), (Some(AreaId(1)), None));
    assert_eq!(both.of_area(0, AreaId(0)), [0]);
}

/// Three grids again and again: a border bends, a face changes hands, a code changes.
///
/// ```text
///  ├───────(1000,1000)──┤          ├───────(1000,1000)──┤
///  │   a     │     b    │    ──▶   │   a      ╲     b   │
///  └─────(1000,0)───────┘          └─────(1000,0)───────┘
/// ```
#[test]
fn owners_after_edits_are_those_of_a_layer_made_anew() {
    use boundaries::Changes;
    let mut dice = Dice(77);
    let any = |dice: &mut Dice| {
        let (x, y) = (dice.below(2200) - 100, dice.below(2200) - 100);
        if dice.below(3) == 0 { Geometry::Point(Point::new(x, y)) } else { square(x, y, 120, 90) }
    };
    let features: Vec<_> = (0..400).map(|i| feature(&format!("f{i}"), any(&mut dice))).collect();
    let mut view = view();
    view.runs();
    let mut layer = Layer::new("any", features.clone(), std::slice::from_ref(&view));
    // Some rows beside the base.
    let later: Vec<_> = (0..40).map(|i| (900 + i, feature(&format!("later {i}"), any(&mut dice)))).collect();
    layer = layer.updated(1, &later, &["f3".into()]);
    for round in 0..60 {
        let old = &view.coverage;
        let mut changes = Changes::default();
        match round % 3 {
            0 => {
                let bend = Point::new(700 + dice.below(600), 200 + dice.below(600));
                let line = [Point::new(1000, 0), bend, Point::new(1000, 1000)].into();
                changes.put_borders.push(BorderRecord { id: BorderId(3), left: FaceId(1), right: FaceId(2), line });
            }
            1 => {
                let owner = Some(AreaId(1 + dice.below(3) as u32)).filter(|_| round % 2 == 0);
                changes.put_faces.push(FaceRecord { id: FaceId(1 + dice.below(3) as u32), owner });
            }
            _ => {
                let area = Area { code: format!("code {round}").into(), ..(**old.area(AreaId(2)).unwrap()).clone() };
                changes.put_areas.push((AreaId(2), area));
            }
        }
        let next = old.with_changes(changes).unwrap();
        view = Arc::new(view.updated(next.clone(), round, None));
        layer = layer.reowned(std::slice::from_ref(&view));
        assert!(layer.is_over(std::slice::from_ref(&view)));

        let anew = Arc::new(CoverageView::new("responsibility".into(), next, round, None));
        let all = features.iter().filter(|f| *f.id != *"f3").cloned().chain(later.iter().map(|(_, f)| f.clone()));
        let expected = Layer::new("any", all.collect(), &[anew]);
        assert_eq!(layer.len(), expected.len());
        for there in expected.iter() {
            let ix = layer.find(expected.id(there)).unwrap();
            let id = expected.id(there);
            assert_eq!(layer.owner(ix, 0), expected.owner(there, 0), "round {round}, {id}");
            assert_eq!(layer.shares(ix, 0), expected.shares(there, 0), "round {round}, {id}");
        }
        for area in (0..4).map(AreaId) {
            let ids = |layer: &Layer| {
                let mut ids: Vec<_> = layer.of_area(0, area).iter().map(|ix| layer.id(*ix).to_owned()).collect();
                ids.sort_unstable();
                ids
            };
            assert_eq!(ids(&layer), ids(&expected), "round {round}, area {area:?}");
        }
        assert_eq!(layer.cut(0).len(), expected.cut(0).len());
    }
}
