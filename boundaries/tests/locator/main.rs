//! The locator against references: the naive one on every point that could be
//! awkward, the R-tree, and rstar with geo away from borders.

// The modules are shared with measurements, and a test may unwrap wherever it stands.
#![allow(unreachable_pub, clippy::unwrap_used)]

mod city;
mod naive;

use boundaries::{
    Area, AreaId, BorderId, BorderRecord, Claim, Coverage, FaceId, FaceRecord, FaceTree, Level, Locator, Point,
    Polygon, Settings, assemble,
};
use city::{Plan, Random, anywhere};
use naive::Naive;

/// Vertices, edge midpoints, and the lattice points around each.
fn awkward(coverage: &Coverage) -> Vec<Point> {
    let mut points = vec![];
    for (_, b) in coverage.borders() {
        for w in b.line.windows(2) {
            let half = |u: i32, v: i32| ((i64::from(u) + i64::from(v)) / 2) as i32;
            for p in [w[0], Point::new(half(w[0].x, w[1].x), half(w[0].y, w[1].y)), w[1]] {
                for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
                    points.push(Point::new(p.x.saturating_add(dx), p.y.saturating_add(dy)));
                }
            }
        }
    }
    points.sort_unstable();
    points.dedup();
    points
}

fn agrees_with_naive(coverage: &Coverage, points: &[Point], name: &str) {
    let (locator, naive, tree) = (Locator::build(coverage), Naive::new(coverage), FaceTree::build(coverage));
    let mut batch = vec![FaceId(7); points.len()];
    locator.face_at_many(points, &mut batch);
    for (&p, many) in points.iter().zip(batch) {
        let face = naive.face_at(p);
        assert_eq!(locator.face_at(p), face, "{name}: {p:?}");
        assert_eq!(many, face, "{name}: {p:?} in a batch");
        assert_eq!(tree.face_at(coverage, p), face, "{name}: {p:?} by the tree");
    }
}

fn agrees_on_places(coverage: &Coverage, points: &[Point], name: &str) {
    let (locator, naive) = (Locator::build(coverage), Naive::new(coverage));
    let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs());
    for &p in points {
        let place = locator.place(coverage, p);
        let owner = coverage.face(naive.face_at(p)).unwrap().owner;
        assert_eq!(place.owner, owner, "{name}: {p:?}");
        assert_eq!((place.touching, place.on_border), naive.touching(p), "{name}: {p:?}");
        // Half as far again as the next border: some of those around, and not all.
        let radius_m = place.border_distance_m.unwrap_or(30.0) * 1.5 + 0.05;
        let mut within: Vec<AreaId> =
            locator.areas_within(coverage, p, radius_m).iter().map(|nearest| nearest.area).collect();
        within.sort_unstable();
        assert_eq!(within, naive.within(p, radius_m), "{name}: {p:?} within {radius_m} m");
        match (owner, place.border_distance_m) {
            (Some(owner), Some(d)) => {
                let expected = naive.distance_m(owner, p);
                assert!(is_near(d, expected), "{name}: {p:?} is {d} m away, not {expected}");
            }
            (None, None) => {
                let (nearest, expected) = (locator.nearest_area(coverage, p), naive.nearest(p));
                assert_eq!(nearest.is_some(), expected.is_some(), "{name}: {p:?}");
                if let (Some(n), Some((_, d))) = (nearest, expected) {
                    // The naive one measures at the latitude of p, the other half way.
                    assert!((n.distance_m - d).abs() <= 1e-9 + d * 2e-2, "{name}: {p:?} {n:?} {d}");
                }
            }
            other => panic!("{name}: {p:?} {other:?}"),
        }
    }
}

/// Small cities of every shape: sizes around those of leaves and blocks, anywhere on
/// the globe, its rims included.
fn plans() -> impl Iterator<Item = Plan> {
    let seed = std::env::var("GRIDATLAS_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_240_917);
    let mut random = Random(seed);
    println!("seed {seed} (GRIDATLAS_SEED sets another)");
    let whole = if std::env::var_os("GRIDATLAS_PROOF").is_some() { 63 } else { 14 };
    (0..whole).map(move |i| {
        let step = [400, 3_000, 11_000, 60_000, 250_000, 500_000, 20_000_000][i % 7];
        let (columns, rows) = (1 + random.below(7) as i32, 1 + random.below(6) as i32);
        let (width, height) = (step * (columns + 1), step * (rows + 1));
        let corners = [
            (1_195_000_000, 356_000_000),
            (-1_800_000_000 + step / 4, -900_000_000 + step / 4),
            (1_800_000_000 - width, 900_000_000 - height),
            (-(width / 2), -(height / 2)),
        ];
        let (x, y) = corners[i / 2 % 4];
        // Short edges around wide ground: what is nearest lies many leaves away.
        let halvings = if step < 1_000 { 1 } else { 1 + random.below(4) as u32 + u32::from(step == 250_000) * 2 };
        Plan { seed: random.bits(), columns, rows, origin: Point::new(x, y), step, halvings, plain: i % 5 == 4 }
    })
}

#[test]
fn every_awkward_point_has_the_face_that_the_naive_reference_gives() {
    for (i, plan) in plans().enumerate() {
        let coverage = plan.build();
        let mut points = awkward(&coverage);
        let mut random = Random(i as u64);
        points.extend((0..500).map(|_| anywhere(&plan, &mut random)));
        agrees_with_naive(&coverage, &points, &format!("city {i}"));
    }
}

#[test]
fn touching_areas_and_distances_are_those_of_the_naive_reference() {
    for (i, plan) in plans().enumerate() {
        let coverage = plan.build();
        let mut random = Random(i as u64);
        let mut points = awkward(&coverage);
        while points.len() > 1500 {
            points.swap_remove(random.below(points.len() as u64) as usize);
        }
        points.extend((0..500).map(|_| anywhere(&plan, &mut random)));
        agrees_on_places(&coverage, &points, &format!("city {i}"));
    }
}

#[test]
fn a_point_anywhere_in_the_range_of_numbers_has_an_answer() {
    let extremes = [i32::MIN, i32::MIN + 1, -1_800_000_000, -1, 0, 1, 1_800_000_000, i32::MAX - 1, i32::MAX];
    let points: Vec<_> = extremes.iter().flat_map(|x| extremes.iter().map(|y| Point::new(*x, *y))).collect();
    for (i, plan) in plans().enumerate() {
        let coverage = plan.build();
        agrees_with_naive(&coverage, &points, &format!("city {i}"));
        let locator = Locator::build(&coverage);
        for p in &points {
            let owner = locator.place(&coverage, *p).owner;
            assert_eq!(owner.is_some(), locator.nearest_area(&coverage, *p).is_some_and(|n| n.distance_m == 0.0));
        }
    }
    let empty = Coverage::empty(["grid".into()].into());
    let locator = Locator::build(&empty);
    for p in points {
        assert_eq!(locator.face_at(p), FaceId::OUTSIDE);
        assert_eq!(locator.nearest_area(&empty, p), None);
        assert_eq!(locator.place(&empty, p).border_distance_m, None);
    }
}

fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for i in (1..items.len()).rev() {
        items.swap(i, random.below(i as u64 + 1) as usize);
    }
}

/// The same polygon as somebody else might have written it down.
fn rewritten(mut polygon: Polygon, random: &mut Random) -> Polygon {
    shuffle(&mut polygon.holes, random);
    for ring in std::iter::once(&mut polygon.shell).chain(&mut polygon.holes) {
        let start = random.below(ring.len() as u64) as usize;
        ring.rotate_left(start);
        if random.below(2) == 0 {
            ring.reverse();
        }
    }
    polygon
}

/// ```text
///    3───2       1───2
///    │ a │   and │ a │ are the same ground, in whatever order it is told.
///    0───1       0───3
/// ```
#[test]
fn the_order_start_and_direction_of_rings_have_no_say_in_who_owns_a_point() {
    let exact = Settings { tolerance_m: 0.0, sliver_width_m: 0.0, sliver_area_m2: 0.0, ..Settings::default() };
    for (seed, step) in [(1, 3_000), (2, 60_000), (3, 500_000)] {
        let plan = Plan { seed, columns: 7, rows: 6, step, halvings: 3, ..Plan::whole_city(seed) };
        let drawn = plan.build();
        // All on one level: of what lies above, only scattered ground is drawn.
        let flat = |area: &Area| Area { level: Level(0), parent: None, ..area.clone() };
        let areas: Vec<_> = drawn.areas().map(|(id, area)| (id, flat(area))).collect();
        let claims: Vec<_> = (drawn.faces())
            .filter_map(|(_, f)| {
                let holes = f.holes.iter().map(|h| drawn.ring_points(*h)).collect();
                Some(Claim { area: f.owner?, polygon: Polygon { shell: drawn.ring_points(f.outer?), holes } })
            })
            .collect();
        let code = |coverage: &Coverage, owner: Option<AreaId>| owner.map(|id| coverage.area(id).unwrap().code.clone());
        let mut points = awkward(&drawn);
        let mut random = Random(seed);
        points.extend((0..2_000).map(|_| anywhere(&plan, &mut random)));
        let locator = Locator::build(&drawn);
        let expected: Vec<_> = points.iter().map(|p| code(&drawn, locator.owner_at(*p))).collect();
        for round in 0..4 {
            let (mut areas, mut told) = (areas.clone(), claims.clone());
            if round > 0 {
                shuffle(&mut areas, &mut random);
                shuffle(&mut told, &mut random);
                told.iter_mut().for_each(|c| c.polygon = rewritten(c.polygon.clone(), &mut random));
            }
            let assembly = assemble(["grid".into()].into(), areas, told, &exact);
            let coverage = assembly.coverage.unwrap_or_else(|| panic!("{:?}", assembly.findings));
            let locator = Locator::build(&coverage);
            for (p, expected) in points.iter().zip(&expected) {
                assert_eq!(&code(&coverage, locator.owner_at(*p)), expected, "seed {seed}, round {round}: {p:?}");
            }
        }
    }
}

fn one_face(lines: &[Vec<(i32, i32)>]) -> Coverage {
    let area = |i: usize| Area {
        code: format!("a{i}").into(),
        name: "".into(),
        level: Level(0),
        parent: None,
        kind: "".into(),
        attributes: "{}".into(),
    };
    Coverage::build(
        ["grid".into()].into(),
        (0..lines.len()).map(|i| (AreaId(i as u32), area(i))),
        (0..lines.len() as u32).map(|i| FaceRecord { id: FaceId(i + 1), owner: Some(AreaId(i)) }),
        lines.iter().enumerate().map(|(i, line)| BorderRecord {
            id: BorderId(i as u32),
            left: FaceId(i as u32 + 1),
            right: FaceId(0),
            line: line.iter().chain([&line[0]]).map(|(x, y)| Point::new(*x, *y)).collect(),
        }),
    )
    .unwrap()
}

#[test]
fn an_outline_as_large_as_the_globe_takes_little_memory_and_answers_exactly() {
    let (x, y) = (1_800_000_000, 900_000_000);
    let coverage = one_face(&[vec![(-x, -y), (x, 3 - y), (x, y), (5, y - 7), (-x, y)]]);
    agrees_with_naive(&coverage, &awkward(&coverage), "the globe");
    assert!(Locator::build(&coverage).bytes() < 1 << 17);
}

#[test]
fn ground_on_both_sides_of_the_antimeridian_is_one_coverage() {
    let coverage = one_face(&[
        vec![(1_790_000_000, 0), (1_800_000_000, 0), (1_800_000_000, 9_000_000), (1_790_000_000, 8_000_000)],
        vec![(-1_800_000_000, 0), (-1_795_000_000, 0), (-1_796_000_000, 9_000_000), (-1_800_000_000, 9_000_000)],
    ]);
    agrees_with_naive(&coverage, &awkward(&coverage), "antimeridian");
    let locator = Locator::build(&coverage);
    assert!(locator.bytes() < 1 << 20, "{}", locator.bytes());
    // 1e-3 degree south-west of the eastern part, which begins at the other side of the seam.
    let nearest = locator.nearest_area(&coverage, Point::new(1_799_990_000, -10_000)).unwrap();
    assert_eq!(nearest.area, AreaId(0));
    let off_land = one_face(&[vec![(-1_799_990_000, 0), (-1_795_000_000, 0), (-1_796_000_000, 9_000_000)]]);
    let nearest = Locator::build(&off_land).nearest_area(&off_land, Point::new(1_799_990_000, 0)).unwrap();
    assert!((nearest.distance_m - 20_000.0 * 0.011_131_949).abs() < 1e-3, "{nearest:?}");
}

/// A comb: `teeth` spikes from the west side to the east side, a few units apart.
fn comb(teeth: i32, width: i32, gap: i32) -> Vec<(i32, i32)> {
    let mut line = vec![];
    for i in 0..teeth {
        line.push((width, i * 2 * gap));
        line.push((0, i * 2 * gap + gap));
    }
    line.push((width, teeth * 2 * gap));
    line.push((-width, teeth * 2 * gap));
    line.push((-width, 0));
    line
}

#[test]
fn a_comb_of_long_teeth_does_not_outgrow_its_edges() {
    for (width, gap) in [(3_000_000, 2), (1_000_000_000, 40), (3_000, 1)] {
        let coverage = one_face(&[comb(20_000, width, gap)]);
        let locator = Locator::build(&coverage);
        assert!(locator.bytes() < 40_000 * 1_500, "{} bytes at {width}, {gap}", locator.bytes());
        let (tree, mut random) = (FaceTree::build(&coverage), Random(5));
        for _ in 0..300 {
            let x = (f64::from(width) * random.unit()) as i32;
            let p = Point::new(x, random.below(40_000 * gap as u64) as i32);
            assert_eq!(locator.face_at(p), tree.face_at(&coverage, p), "{p:?}");
        }
    }
}

#[test]
fn a_million_vertices_in_one_ring_answer_like_the_tree() {
    let mut random = Random(3);
    let n = 1_000_000;
    let ring: Vec<_> = (0..n)
        .map(|i| {
            let angle = f64::from(i) / f64::from(n) * std::f64::consts::TAU;
            let r = 4e7 * (1.0 + 1e-4 * random.unit());
            ((1.2e9 + r * angle.cos()) as i32, (3e8 + r * angle.sin()) as i32)
        })
        .collect();
    let coverage = one_face(&[ring]);
    let locator = Locator::build(&coverage);
    assert!(locator.bytes() < 100 << 20, "{} bytes", locator.bytes());
    let tree = FaceTree::build(&coverage);
    for _ in 0..100 {
        let angle = random.unit() * 3.15;
        let r = 4e7 * (1.0 + 1e-4 * random.unit());
        let p = Point::new((1.2e9 + r * angle.cos()) as i32, (3e8 + r * angle.sin()) as i32);
        assert_eq!(locator.face_at(p), tree.face_at(&coverage, p));
    }
}

#[test]
fn far_from_borders_rstar_and_geo_give_the_same_faces() {
    use geo::{Contains, LineString, Polygon};
    let plan = Plan { seed: 4, columns: 9, rows: 8, ..Plan::whole_city(4) };
    let coverage = plan.build();
    let locator = Locator::build(&coverage);
    let line = |h| LineString::from_iter(coverage.ring_points(h).into_iter().map(|p| (p.lon(), p.lat())));
    let polygons: Vec<_> = coverage
        .faces()
        .skip(1)
        .map(|(id, f)| (id, Polygon::new(line(f.outer.unwrap()), f.holes.iter().map(|h| line(*h)).collect())))
        .collect();
    let tree = FaceTree::build(&coverage);
    let mut random = Random(6);
    for _ in 0..20_000 {
        let p = anywhere(&plan, &mut random);
        let place = locator.place(&coverage, p);
        if place.border_distance_m.is_some_and(|d| d < 0.01) {
            continue;
        }
        let q = geo::Point::new(p.lon(), p.lat());
        let found = tree.near(p).find(|f| polygons.iter().any(|(id, g)| id == f && g.contains(&q)));
        assert_eq!(coverage.face(place.face), coverage.face(found.unwrap_or(FaceId::OUTSIDE)), "{p:?}");
    }
}

#[test]
fn an_edit_rebuilds_the_blocks_that_it_touches_and_answers_like_a_fresh_index() {
    let plan = Plan { columns: 40, rows: 40, ..Plan::whole_city(11) };
    let (areas, faces, mut borders) = plan.records();
    let build = |faces: &[FaceRecord], borders: &[BorderRecord]| {
        let levels = ["district", "community", "grid"].map(std::sync::Arc::from);
        Coverage::build(levels.into(), areas.clone(), faces.to_vec(), borders.to_vec()).unwrap()
    };
    let mut before = build(&faces, &borders);
    let mut index = Locator::build(&before);
    let whole = index.bytes();
    let mut random = Random(12);
    let mut owners = faces.clone();
    for round in 0..12 {
        let at = random.below(3_000) as usize;
        match round % 3 {
            // A vertex moves a little.
            0 => {
                let mut line = borders[at].line.to_vec();
                line[15].x += 3;
                borders[at].line = line.into();
            }
            // A face changes hands.
            1 => owners[at / 2].owner = Some(AreaId(5)),
            // A face and the one at its east become one: their border goes.
            _ => {
                let column = at as u32 % 39;
                let (keep, gone) =
                    (FaceId(at as u32 / 39 / 2 * 40 + column + 1), FaceId(at as u32 / 39 / 2 * 40 + column + 2));
                if !owners.iter().any(|f| f.id == gone) || !owners.iter().any(|f| f.id == keep) {
                    continue;
                }
                owners.retain(|f| f.id != gone);
                borders.retain(|b| ![b.left, b.right].iter().all(|f| *f == keep || *f == gone));
                for b in &mut borders {
                    for side in [&mut b.left, &mut b.right] {
                        if *side == gone {
                            *side = keep;
                        }
                    }
                }
            }
        }
        let after = build(&owners, &borders);
        let updated = index.updated(&before, &after);
        let fresh = Locator::build(&after);
        let own = updated.bytes_not_shared_with(Some(&index));
        let spine = fresh.bytes_of_tables();
        assert!(own - spine < whole / 50, "round {round}: {own} bytes of {whole}, {spine} of them tables");
        // Who owns a face stands in a table, unless it changes what a border divides.
        assert!(own > spine || round % 3 == 1, "round {round} changed nothing");
        for p in awkward(&after).into_iter().step_by(7) {
            assert_eq!(updated.face_at(p), fresh.face_at(p), "round {round}: {p:?}");
        }
        for _ in 0..20_000 {
            let p = anywhere(&plan, &mut random);
            assert_eq!(updated.place(&after, p), fresh.place(&after, p), "round {round}: {p:?}");
        }
        (before, index) = (after, updated);
    }
}

#[test]
#[ignore = "minutes; run by the proof"]
fn the_whole_city_agrees_with_the_tree_on_every_awkward_point() {
    let coverage = Plan::whole_city(1).build();
    let (locator, tree) = (Locator::build(&coverage), FaceTree::build(&coverage));
    for p in awkward(&coverage) {
        assert_eq!(locator.face_at(p), tree.face_at(&coverage, p), "{p:?}");
    }
}
