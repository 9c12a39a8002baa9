mod hostile;

use super::*;
use crate::area::Level;
use crate::samples::{City, Dice, area, even_odd, levels};

/// One lattice unit is about 1 cm: a picture's unit is a metre.
const M: i32 = 100;

fn ring(points: &[(i32, i32)]) -> Vec<Point> {
    points.iter().map(|(x, y)| Point::new(x * M, y * M)).collect()
}

fn polygon(points: &[(i32, i32)]) -> Polygon {
    Polygon { shell: ring(points), holes: vec![] }
}

fn square(x: i32, y: i32, side: i32) -> Vec<(i32, i32)> {
    vec![(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
}

/// Assembles polygons of one level, one area a polygon, named a, b, c ...
fn flat(polygons: Vec<Polygon>, settings: &Settings) -> Assembly {
    let mut areas = Vec::new();
    let mut claims = Vec::new();
    for (i, polygon) in polygons.into_iter().enumerate() {
        let id = AreaId(i as u32);
        areas.push((id, area(&char::from(b'a' + i as u8).to_string(), 0, None)));
        claims.push(Claim { area: id, polygon });
    }
    assemble(levels(&["grid"]), areas, claims, settings)
}

fn kinds(assembly: &Assembly) -> Vec<(FindingKind, bool)> {
    assembly.findings.iter().map(|f| (f.kind, f.blocking)).collect()
}

fn valid(assembly: &Assembly) -> &Coverage {
    let coverage = assembly.coverage.as_ref().unwrap_or_else(|| panic!("blocked: {:?}", assembly.findings));
    assert_eq!(coverage.sanity_check(), Ok(()));
    coverage
}

fn assemble_city(city: &City, settings: &Settings) -> Assembly {
    assemble(city.levels.clone(), city.areas.clone(), city.claims.clone(), settings)
}

fn m2(coverage: &Coverage, code: &str) -> f64 {
    coverage.area_m2(coverage.area_by_code(code).unwrap())
}

#[test]
fn a_clean_city_keeps_every_vertex_and_every_owner_and_needs_no_word() {
    let mut dice = Dice::seeded(1);
    let city = City::clean(12, &mut dice);
    let assembly = assemble_city(&city, &Settings::default());
    let coverage = valid(&assembly);
    assert!(assembly.findings.iter().all(|f| f.kind == FindingKind::DetachedPart), "{:?}", assembly.findings);

    let mut drawn: Vec<Point> = city.claims.iter().flat_map(|c| c.polygon.rings()).flatten().copied().collect();
    let mut kept: Vec<Point> = coverage.borders().flat_map(|(_, b)| b.line.to_vec()).collect();
    for points in [&mut drawn, &mut kept] {
        points.sort_unstable();
        points.dedup();
    }
    assert_eq!(drawn, kept);

    let ground: Vec<(AreaId, Polygon)> =
        coverage.areas().flat_map(|(id, _)| coverage.polygons(id).into_iter().map(move |p| (id, p))).collect();
    for p in drawn.into_iter().flat_map(|p| [p, Point::new(p.x - 1, p.y), Point::new(p.x, p.y - 1)]) {
        let claims = city.claims.iter().filter(|c| even_odd(&c.polygon, p)).map(|c| c.area);
        let ours = ground.iter().filter(|g| even_odd(&g.1, p)).map(|g| g.0);
        let grids = ours.filter(|a| coverage.area(*a).unwrap().level == Level(1));
        assert!(claims.eq(grids), "{p:?}");
    }
}

#[test]
fn a_dirty_city_becomes_valid_and_its_areas_keep_their_ground() {
    for seed in 0..40 {
        let mut dice = Dice::seeded(seed);
        let side = 2 + dice.below(9) as i32;
        let reach = [1, 3, 8, 40][dice.below(4) as usize];
        let steps = 2 + dice.below(6) as i32;
        let clean = City::drawn(side, steps, &mut dice);
        let drawn = assemble_city(&clean, &Settings::default());
        let dirty = clean.clone().dirtied(reach, &mut dice);
        let settings = Settings { accept_overlap: true, ..Settings::default() };
        let assembly = assemble_city(&dirty, &settings);
        let (coverage, drawn) = (valid(&assembly), valid(&drawn));
        // Vertices left out cut corners; what was moved stays within its reach.
        for (id, _) in drawn.areas() {
            let slack = 0.35 * drawn.area_m2(id) + 20.0;
            assert!((drawn.area_m2(id) - coverage.area_m2(id)).abs() < slack, "seed {seed} {id:?}");
        }
        for finding in &assembly.findings {
            assert!(!finding.blocking && !finding.note.is_empty() && finding.place.is_some(), "{finding}");
        }
    }
}

#[test]
fn order_and_direction_of_the_input_have_no_say() {
    for seed in 0..12 {
        let mut dice = Dice::seeded(seed);
        let city = City::clean(6, &mut dice).dirtied([0, 4, 30][seed as usize % 3], &mut dice);
        let settings = Settings { accept_overlap: true, ..Settings::default() };
        let first = assemble_city(&city, &settings);
        let second = assemble_city(&city.reordered(&mut dice), &settings);
        assert_eq!(first.coverage, second.coverage, "seed {seed}");
        let summary = |a: &Assembly| {
            let mut all: Vec<_> =
                a.findings.iter().map(|f| (f.kind, f.bounds.min, f.bounds.max, f.owners.clone())).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(summary(&first), summary(&second));
    }
}

/// ```text
///    ┌────┐┌────┐      10 cm apart over 10 m, closed at both ends by c and d
///    │ a  ││  b │      (a 1 m² gap): it goes to the one that borders it most
///    └────┘└────┘
/// ```
#[test]
fn a_narrow_gap_is_given_to_the_neighbour_with_the_longest_border_and_listed() {
    let cm =
        |points: &[(i32, i32)]| Polygon { shell: points.iter().map(|p| Point::new(p.0, p.1)).collect(), holes: vec![] };
    let a = cm(&[(0, 0), (1000, 0), (1000, 1000), (0, 1000)]);
    let b = cm(&[(1010, 0), (2000, 0), (2000, 990), (1010, 990)]);
    let rim = cm(&[(0, 1000), (1000, 1000), (1000, 0), (1010, 0), (1010, 990), (2000, 990), (2000, 2000), (0, 2000)]);
    let lid = cm(&[(0, -100), (2000, -100), (2000, 0), (0, 0)]);
    // The strip is c's by the way c is drawn; without that part it is a gap.
    let mut open = rim;
    open.shell.splice(2..4, [(1010, 1000)].map(|p| Point::new(p.0, p.1)));
    let assembly = flat(vec![a, b, open, lid], &Settings::default());
    assert_eq!(kinds(&assembly), [(FindingKind::Sliver, false)]);
    let sliver = &assembly.findings[0];
    assert_eq!(sliver.owners[0], AreaId(0));
    assert!(sliver.owners[1..].contains(&AreaId(1)), "{:?}", sliver.owners);
    assert!((0.9..1.4).contains(&sliver.area_m2) && (0.08..0.13).contains(&sliver.width_m), "{sliver}");
    valid(&assembly);
}

/// ```text
///    ┌───────┐
///    │  ┌────┼──┐    2 m x 4 m are claimed twice
///    │ a└────┼──┘b
///    └───────┘
/// ```
#[test]
fn a_large_overlap_blocks_and_goes_to_the_lower_code_where_that_is_accepted() {
    let polygons = || vec![polygon(&square(0, 0, 10)), polygon(&[(8, 3), (20, 3), (20, 7), (8, 7)])];
    let assembly = flat(polygons(), &Settings::default());
    assert_eq!(kinds(&assembly), [(FindingKind::Overlap, true)]);
    assert!(assembly.coverage.is_none());
    let overlap = &assembly.findings[0];
    assert_eq!(overlap.owners, [AreaId(0), AreaId(1)]);
    assert!((8.0..11.0).contains(&overlap.area_m2), "{overlap}");
    assert!(even_odd(&Polygon { shell: overlap.outline[0].clone(), holes: vec![] }, overlap.place.unwrap()));

    let accepted = flat(polygons(), &Settings { accept_overlap: true, ..Settings::default() });
    assert_eq!(kinds(&accepted), [(FindingKind::Overlap, false)]);
    let coverage = valid(&accepted);
    assert!(m2(coverage, "a") / m2(coverage, "b") > 2.4);
}

/// ```text
///    ┌─────────┐
///    │ a ┌───┐ │     a hole that nobody fills is nobody's: a gap, if large
///    │   └───┘ │
///    └─────────┘
/// ```
#[test]
fn a_large_gap_stays_open_and_is_reported_and_blocks_where_it_is_refused() {
    let polygons = || vec![Polygon { shell: ring(&square(0, 0, 50)), holes: vec![ring(&square(10, 10, 20))] }];
    let assembly = flat(polygons(), &Settings::default());
    assert_eq!(kinds(&assembly), [(FindingKind::Gap, false)]);
    let coverage = valid(&assembly);
    assert_eq!(coverage.faces().filter(|f| f.1.owner.is_none()).count(), 2);
    let refused = flat(polygons(), &Settings { refuse_gap: true, ..Settings::default() });
    assert_eq!(kinds(&refused), [(FindingKind::Gap, true)]);
    assert!(refused.coverage.is_none());
}

/// ```text
///    ┌────┐ ┌────┐     3 cm apart and open at both ends: nothing encloses the slit,
///    │ a  │ │  b │     so the vertices come together
///    └────┘ └────┘
/// ```
#[test]
fn a_slit_that_opens_to_the_outside_is_closed_within_the_tolerance_only() {
    let apart = |units: i32| {
        let shifted = square(10, 0, 10).into_iter().map(|(x, y)| Point::new(x * M + units, y * M)).collect();
        flat(vec![polygon(&square(0, 0, 10)), Polygon { shell: shifted, holes: vec![] }], &Settings::default())
    };
    let near = apart(3);
    assert_eq!(kinds(&near), [(FindingKind::NearMiss, false)]);
    assert_eq!(valid(&near).neighbours(AreaId(0)).len(), 1);
    assert_eq!(near.findings[0].owners, [AreaId(0), AreaId(1)]);
    assert!((0.03..0.04).contains(&near.findings[0].width_m));
    let far = apart(8);
    assert_eq!(kinds(&far), []);
    assert_eq!(valid(&far).neighbours(AreaId(0)), []);
}

/// ```text
///    ┌───────┬────┐
///    │       │ b  │     the long edge of a has no vertex where b and c meet,
///    │   a   ├────┤     which lies 2 cm off it
///    │       │ c  │
///    └───────┴────┘
/// ```
#[test]
fn a_junction_near_an_edge_is_put_into_it() {
    let b = Polygon {
        shell: [(1002, 500), (2000, 500), (2000, 1000), (1000, 1000)].map(|p| Point::new(p.0, p.1)).to_vec(),
        holes: vec![],
    };
    let c = Polygon {
        shell: [(1000, 0), (2000, 0), (2000, 500), (1002, 500)].map(|p| Point::new(p.0, p.1)).to_vec(),
        holes: vec![],
    };
    let assembly = flat(vec![polygon(&square(0, 0, 10)), b, c], &Settings::default());
    assert_eq!(assembly.findings.iter().filter(|f| f.blocking).count(), 0);
    let coverage = valid(&assembly);
    assert_eq!(coverage.faces().count(), 4);
    assert_eq!(coverage.neighbours(AreaId(0)).len(), 2);
}

#[test]
fn what_is_no_polygon_is_named_with_its_place_and_blocks_or_not() {
    let hole = |hole: &[(i32, i32)]| Polygon { shell: ring(&square(0, 0, 20)), holes: vec![ring(hole)] };
    type Row = (&'static str, Polygon, Option<(&'static str, bool)>);
    let table: Vec<Row> = vec![
        ("square", polygon(&square(0, 0, 9)), None),
        ("no points", polygon(&[]), Some(("no points", true))),
        ("one point", polygon(&[(1, 1), (1, 1)]), Some(("only 1 different", true))),
        ("three-point ring", polygon(&[(0, 0), (9, 9), (0, 0)]), Some(("only 2 different", true))),
        ("flat", polygon(&[(0, 0), (5, 5), (9, 9)]), Some(("on one line", true))),
        ("there and back", polygon(&[(0, 0), (5, 5), (9, 1), (5, 5)]), Some(("no area", true))),
        ("bow-tie", polygon(&[(0, 0), (9, 9), (9, 0), (0, 9)]), Some(("crosses itself", true))),
        ("lopsided bow-tie", polygon(&[(0, 0), (20, 20), (20, 0), (0, 9)]), Some(("crosses itself", true))),
        ("spike", polygon(&[(0, 0), (9, 0), (9, 9), (9, 15), (9, 9), (0, 9)]), Some(("touches itself", false))),
        (
            "pinched at a vertex",
            polygon(&[(0, 0), (9, 0), (9, 9), (5, 5), (9, 20), (0, 20), (5, 5), (0, 9)]),
            Some(("touches itself", false)),
        ),
        (
            "crossing at a vertex",
            polygon(&[(0, 0), (5, 5), (9, 9), (9, 0), (5, 5), (0, 9)]),
            Some(("crosses itself", true)),
        ),
        ("pinched at an edge", polygon(&[(0, 0), (20, 0), (20, 9), (10, 0), (0, 9)]), Some(("touches itself", false))),
        ("hole outside", hole(&square(30, 30, 5)), Some(("outside its shell", true))),
        ("hole across", hole(&square(15, 15, 10)), Some(("outside its shell", true))),
        ("flat hole", hole(&[(3, 3), (5, 5), (9, 9)]), Some(("on one line", false))),
        (
            "holes overlap",
            Polygon { shell: ring(&square(0, 0, 20)), holes: vec![ring(&square(2, 2, 8)), ring(&square(5, 5, 8))] },
            Some(("holes that overlap", false)),
        ),
        (
            "over the antimeridian",
            Polygon {
                shell: [(-1_790_000_000, 0), (1_790_000_000, 0), (1_790_000_000, 9), (-1_790_000_000, 9)]
                    .map(|(x, y)| Point::new(x, y))
                    .to_vec(),
                holes: vec![],
            },
            Some(("antimeridian", true)),
        ),
    ];
    for (name, polygon, expected) in table {
        let assembly = flat(vec![polygon], &Settings::default());
        let found = assembly.findings.iter().find(|f| f.kind == FindingKind::InvalidPolygon);
        match (expected, found) {
            (None, None) => {}
            (Some((words, blocks)), Some(f)) => {
                assert!(f.note.contains(words) && f.blocking == blocks, "{name}: {f}");
                assert_eq!(f.owners, [AreaId(0)], "{name}");
                assert!(f.place.is_some() || words == "no points", "{name}");
                assert_eq!(assembly.coverage.is_none(), blocks, "{name}");
                assembly.coverage.iter().for_each(|c| assert_eq!(c.sanity_check(), Ok(()), "{name}"));
            }
            other => panic!("{name}: {other:?} {:?}", assembly.findings),
        }
    }
}

#[test]
fn a_loop_below_the_limits_is_repaired_and_reported() {
    let tiny = [(0, 0), (1000, 0), (1000, 1000), (502, 1000), (500, 1003), (503, 1003), (500, 1000), (0, 1000)];
    let shell = tiny.map(|(x, y)| Point::new(x, y)).to_vec();
    let assembly = flat(vec![Polygon { shell, holes: vec![] }], &Settings::default());
    assert!(kinds(&assembly).contains(&(FindingKind::InvalidPolygon, false)), "{:?}", assembly.findings);
    valid(&assembly);
}

#[test]
fn areas_that_do_not_hang_together_are_all_named() {
    let areas = vec![
        (AreaId(0), area("a", 0, None)),
        (AreaId(1), area("a", 1, Some(AreaId(0)))),
        (AreaId(2), area("b", 1, Some(AreaId(9)))),
        (AreaId(3), area("c", 0, Some(AreaId(1)))),
    ];
    let assembly = assemble(levels(&["district", "grid"]), areas, vec![], &Settings::default());
    let missing = (FindingKind::MissingParent, true);
    assert_eq!(kinds(&assembly), [(FindingKind::DuplicateCode, true), missing, missing]);
    assert!(assembly.coverage.is_none());
}

/// ```text
///    ┌───────────────┐
///    │ D   ┌────┬──┐ │     s and t are streets of the district D;
///    │     │ s  │ t│ │     what they leave is D's own
///    │     └────┴──┘ │
///    └───────────────┘
/// ```
#[test]
fn the_deepest_area_owns_the_ground_and_its_parent_what_is_left() {
    let (d, s, t) = (AreaId(0), AreaId(1), AreaId(2));
    let areas = vec![(d, area("D", 0, None)), (s, area("s", 1, Some(d))), (t, area("t", 1, Some(d)))];
    let claims = |reach: i32| {
        vec![
            Claim { area: d, polygon: polygon(&square(0, 0, 40)) },
            Claim { area: s, polygon: polygon(&square(10, 10, 10)) },
            Claim { area: t, polygon: polygon(&[(20, 10), (20 + reach, 10), (20 + reach, 20), (20, 20)]) },
        ]
    };
    let names = levels(&["district", "street"]);
    let assembly = assemble(names.clone(), areas.clone(), claims(10), &Settings::default());
    assert_eq!(kinds(&assembly), [(FindingKind::Gap, false)]);
    assert_eq!(assembly.findings[0].owners, [d]);
    let coverage = valid(&assembly);
    assert_eq!(coverage.outlines(Level(0)).len(), 1);
    assert_eq!(coverage.polygons(d).len(), 1);
    assert_eq!(coverage.polygons(d)[0].holes.len(), 0);
    assert!((m2(coverage, "D") / m2(coverage, "s") - 16.0).abs() < 1e-6);
    assert_eq!(coverage.faces_of(d).len(), 1);

    let outside = assemble(names, areas, claims(30), &Settings::default());
    assert!(kinds(&outside).contains(&(FindingKind::OutsideParent, true)), "{:?}", outside.findings);
    assert!(outside.coverage.is_none());
}

/// ```text
///    ┌────┐      ┌────┐
///    │ a  │┌────┐│ a  │     drawn in two parts, with b between
///    └────┘│ b  │└────┘
///          └────┘
/// ```
#[test]
fn a_part_that_is_detached_is_reported_with_its_place_and_size() {
    let (a, b) = (AreaId(0), AreaId(1));
    let areas = vec![(a, area("a", 0, None)), (b, area("b", 0, None))];
    let claims = vec![
        Claim { area: a, polygon: polygon(&square(0, 0, 10)) },
        Claim { area: a, polygon: polygon(&square(20, 0, 9)) },
        Claim { area: b, polygon: polygon(&[(10, 0), (20, 0), (20, 9), (10, 9)]) },
    ];
    let assembly = assemble(levels(&["grid"]), areas, claims, &Settings::default());
    assert_eq!(kinds(&assembly), [(FindingKind::DetachedPart, false)]);
    assert!((80.0..105.0).contains(&assembly.findings[0].area_m2));
    assert_eq!(valid(&assembly).polygons(a).len(), 2);
}

#[test]
fn a_ring_of_a_million_vertices_is_one_face() {
    let n = 1_000_000;
    let shell = (0..n)
        .map(|i| {
            let angle = f64::from(i) / f64::from(n) * std::f64::consts::TAU;
            let r = 50_000_000.0 + f64::from(i % 7) * 20.0;
            Point::new((angle.cos() * r) as i32, (angle.sin() * r) as i32)
        })
        .collect();
    let start = std::time::Instant::now();
    let assembly = flat(vec![Polygon { shell, holes: vec![] }], &Settings::default());
    println!("{:?}", start.elapsed());
    assert_eq!(valid(&assembly).faces().count(), 2);
}

/// Without tolerance or slivers, overlaps to the lower code: what is drawn is what comes out.
const EXACT: Settings =
    Settings { tolerance_m: 0.0, sliver_width_m: 0.0, sliver_area_m2: 0.0, accept_overlap: true, refuse_gap: false };

/// Rectangles on the lattice cross in lattice points, so nothing is rounded and every
/// place has the owner that comparing it with each rectangle gives.
#[test]
fn rectangles_laid_at_random_have_the_owners_that_a_naive_count_gives() {
    for seed in 0..150 {
        let mut dice = Dice::seeded(seed);
        let side = 6 + dice.below(20) as i32;
        let (mut areas, mut claims) = (Vec::new(), Vec::new());
        for i in 0..2 + dice.below(12) as u32 {
            let (x, y) = (dice.below(side as u64) as i32, dice.below(side as u64) as i32);
            let (w, h) = (1 + dice.below(8) as i32, 1 + dice.below(8) as i32);
            let mut shell =
                vec![Point::new(x, y), Point::new(x + w, y), Point::new(x + w, y + h), Point::new(x, y + h)];
            let mut holes = Vec::new();
            if w > 3 && h > 3 && dice.below(2) == 0 {
                let (a, b) = (x + dice.below(2) as i32, y + 1);
                holes.push(vec![
                    Point::new(a, b),
                    Point::new(a, b + 1),
                    Point::new(a + 2, b + 1),
                    Point::new(a + 2, b),
                ]);
            }
            if dice.below(2) == 0 {
                shell.reverse();
            }
            let id = AreaId(i);
            areas.push((id, area(&format!("{:02}", (i * 7) % 23), u8::from(i % 3 == 0), None)));
            claims.push(Claim { area: id, polygon: Polygon { shell, holes } });
        }
        let owner = |p: Point| {
            let there = claims.iter().filter(|c| even_odd(&c.polygon, p)).map(|c| &areas[c.area.0 as usize]);
            there.max_by_key(|a| (a.1.level, std::cmp::Reverse(a.1.code.clone()))).map(|a| a.0)
        };
        let assembly = assemble(levels(&["district", "grid"]), areas.clone(), claims.clone(), &EXACT);
        let coverage = valid(&assembly);
        let ground: Vec<(AreaId, Vec<Polygon>)> = areas.iter().map(|a| (a.0, coverage.polygons(a.0))).collect();
        for p in (-1..side + 10).flat_map(|x| (-1..side + 10).map(move |y| Point::new(x, y))) {
            let ours = ground.iter().find(|g| g.1.iter().any(|g| even_odd(g, p))).map(|g| g.0);
            assert_eq!(ours, owner(p), "seed {seed} {p:?}");
        }
    }
}

#[test]
fn triangles_thrown_on_a_heap_come_to_rest_in_a_valid_coverage_whatever_their_order() {
    for seed in 0..400 {
        let mut dice = Dice::seeded(seed);
        let side = [8, 30, 300, 100_000][seed as usize % 4];
        let mut polygons = Vec::new();
        while polygons.len() < 3 + (seed as usize % 23) {
            let shell: Vec<Point> =
                (0..3).map(|_| Point::new(dice.below(side) as i32, dice.below(side) as i32)).collect();
            if crate::polygon::twice_area(&shell) != 0 {
                polygons.push(Polygon { shell, holes: vec![] });
            }
        }
        let first = flat(polygons.clone(), &EXACT);
        let coverage = valid(&first);
        assert!(first.findings.iter().all(|f| f.kind != FindingKind::Limit));
        let repaired = flat(polygons.clone(), &Settings { accept_overlap: true, ..Settings::default() });
        valid(&repaired);
        // Turned about in the list but with the same codes: the same ground.
        let mut areas: Vec<(AreaId, Area)> = coverage.areas().map(|(id, a)| (id, Area::clone(a))).collect();
        let mut claims: Vec<Claim> =
            polygons.into_iter().enumerate().map(|(i, polygon)| Claim { area: AreaId(i as u32), polygon }).collect();
        claims.reverse();
        areas.reverse();
        let second = assemble(levels(&["grid"]), areas, claims, &EXACT);
        assert_eq!(second.coverage.as_ref(), Some(coverage), "seed {seed}");
    }
}

/// Every polygon of a city drawn on its own, a centimetre off here and there: there are
/// too many narrow strips to give away, and the vertices that were meant as one are one.
#[test]
fn a_city_drawn_polygon_by_polygon_gets_its_vertices_back() {
    let mut dice = Dice::seeded(8);
    let clean = City::drawn(20, 30, &mut dice);
    for reach in [1, 3] {
        let mut jittered = clean.clone();
        for p in jittered.claims.iter_mut().flat_map(|c| &mut c.polygon.shell) {
            *p = Point::new(p.x + dice.about(reach), p.y + dice.about(reach));
        }
        let settings = Settings { tolerance_m: 0.05 * f64::from(reach), ..Settings::default() };
        let (drawn, repaired) = (assemble_city(&clean, &settings), assemble_city(&jittered, &settings));
        let count = |c: &Coverage| c.borders().map(|(_, b)| b.line.len() - 1).sum::<usize>();
        let (drawn, coverage) = (valid(&drawn), valid(&repaired));
        assert_eq!(coverage.borders().count(), drawn.borders().count());
        assert_eq!(count(coverage), count(drawn));
        assert!(repaired.findings.len() < 4 * clean.claims.len(), "{}", repaired.findings.len());
    }
}

#[test]
fn nothing_at_all_is_a_coverage_too() {
    let assembly = assemble(levels(&["grid"]), vec![], vec![], &Settings::default());
    assert_eq!(assembly.findings, []);
    assert_eq!(valid(&assembly).bounds(), crate::lattice::Bounds::EMPTY);
}
