//! The clever search against a full scan, on every query; and time against reports
//! that come in any order.

use std::sync::Arc;

use boundaries::{Bounds, Point};
use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashMap;

use super::{Ground, Order, Position, Query, Why, Worker, Workers, distance_m};
use crate::demo::Random;

const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);

fn ago(seconds: i64) -> Timestamp {
    NOW - SignedDuration::from_secs(seconds)
}

fn degrees(lon: f64, lat: f64) -> Point {
    Point::from_degrees(lon, lat).unwrap()
}

fn worker(id: &str, home: Point) -> Worker {
    Worker {
        id: id.into(),
        name: format!("name of {id}").into(),
        role: "grid".into(),
        skills: vec![],
        grids: vec![],
        on_duty: true,
        home,
    }
}

/// Ground cut into cells of half a degree, named by their corner.
struct Chequers;

impl Chequers {
    fn code(p: Point) -> String {
        format!("{}:{}", p.x.div_euclid(5_000_000), p.y.div_euclid(5_000_000))
    }
}

impl Ground for Chequers {
    fn owner(&self, point: Point) -> Option<Arc<str>> {
        Some(Self::code(point).into())
    }

    fn neighbours(&self, code: &str) -> Vec<Arc<str>> {
        let (x, y) = code.split_once(':').unwrap();
        let (x, y) = (x.parse::<i32>().unwrap(), y.parse::<i32>().unwrap());
        [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)].map(|(x, y)| format!("{x}:{y}").into()).to_vec()
    }

    fn bounds(&self, code: &str) -> Option<Bounds> {
        let (x, y) = code.split_once(':')?;
        let (x, y) = (x.parse::<i32>().ok()? * 5_000_000, y.parse::<i32>().ok()? * 5_000_000);
        Some(Bounds { min: Point::new(x, y), max: Point::new(x + 4_999_999, y + 4_999_999) })
    }

    fn lies_in(&self, point: Point, code: &str) -> bool {
        Self::code(point) == code
    }
}

/// What the answer must be: everybody looked at, sorted.
fn full_scan(workers: &Workers, query: &Query<'_>) -> Vec<(Arc<str>, Why)> {
    let own = Chequers::code(query.point);
    let beside = Chequers.neighbours(&own);
    let mut all: Vec<_> = workers
        .all_seen()
        .into_iter()
        .filter(|s| {
            let w = &s.worker;
            query.role.is_none_or(|r| *w.role == *r)
                && query.skill.is_none_or(|k| w.skills.iter().any(|s| **s == *k))
                && query.on_duty.is_none_or(|d| w.on_duty == d)
                && query.within.is_none_or(|code| Chequers::code(s.point) == code)
                && query.max_age_s.is_none_or(|m| s.time.is_some_and(|t| NOW.duration_since(t).as_secs_f64() <= m))
                && query.max_distance_m.is_none_or(|m| distance_m(query.point, s.point) <= m)
                && query.max_load.is_none_or(|most| s.load <= most)
        })
        .map(|s| {
            let has = |code: &str| query.order == Order::GridFirst && s.worker.grids.iter().any(|g| **g == *code);
            let (tier, why) = match (has(&own), beside.iter().any(|code| has(code))) {
                (true, _) => (0, Why::OwnGrid),
                (_, true) => (1, Why::NeighbourGrid),
                _ => (2, Why::Distance),
            };
            let haversine = super::sphere::Spot::at(query.point).haversine(super::sphere::Spot::at(s.point));
            let cost = if query.load_m > 0.0 {
                super::sphere::metres(haversine) + query.load_m * f64::from(s.load)
            } else {
                haversine
            };
            (tier, cost, s.worker.id.clone(), why)
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    all.into_iter().take(query.k).map(|(_, _, id, why)| (id, why)).collect()
}

fn agree(workers: &Workers, query: &Query<'_>) {
    let found: Vec<_> =
        workers.nearest(query, &Chequers, NOW).into_iter().map(|f| (f.worker.id.clone(), f.why)).collect();
    assert_eq!(found, full_scan(workers, query), "{query:?}");
}

/// A crowd in a city, and how points to ask from are drawn.
fn crowd(random: &mut Random, n: usize, mut place: impl FnMut(&mut Random) -> Point) -> Workers {
    let roles = ["grid", "police", "medic", "volunteer"];
    let one = |i: usize| {
        let home = place(random);
        Worker {
            role: random.pick(&roles).into(),
            skills: (0..random.below(4)).map(|_| format!("skill {}", random.below(90)).into()).collect(),
            grids: if random.chance(0.3) { vec![Chequers::code(home).into()] } else { vec![] },
            on_duty: random.chance(0.6),
            ..worker(&format!("w{i}"), home)
        }
    };
    let workers = (0..n).map(one).collect();
    let registry = Workers::new();
    registry.sync(workers);
    registry.set_loads(&(0..n).map(|i| (format!("w{i}").into(), random.below(6) as u32)).collect());
    registry
}

fn any_query<'a>(random: &mut Random, point: Point, skills: &'a [String], area: &'a str) -> Query<'a> {
    Query {
        k: random.pick(&[1, 2, 5, 17, 60]),
        role: random.chance(0.4).then_some("medic"),
        skill: random.chance(0.3).then(|| skills[random.below(skills.len())].as_str()),
        on_duty: random.pick(&[None, Some(true), Some(false)]),
        within: random.chance(0.15).then_some(area),
        max_age_s: random.chance(0.2).then(|| random.between(0.0, 900.0)),
        max_distance_m: random.chance(0.2).then(|| 10_f64.powf(random.between(1.0, 7.2))),
        max_load: random.chance(0.2).then(|| random.below(4) as u32),
        load_m: if random.chance(0.3) { 10_f64.powf(random.between(0.0, 6.0)) } else { 0.0 },
        order: random.pick(&[Order::Distance, Order::GridFirst]),
        ..Query::new(point, 5)
    }
}

fn compare(seed: u64, n: usize, mut place: impl FnMut(&mut Random) -> Point) {
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let workers = crowd(&mut random, n, &mut place);
    let skills: Vec<_> = (0..91).map(|i| format!("skill {i}")).collect();
    for round in 0..4 {
        // Everybody moves, some far, some twice; some reports come late.
        let reports: Vec<_> =
            (0..n).map(|_| (format!("w{}", random.below(n)), place(&mut random), random.below(1_000))).collect();
        let batch: Vec<_> = reports
            .iter()
            .map(|(id, point, age)| Position { id, point: *point, time: ago(*age as i64 - 100 * round) })
            .collect();
        workers.record(&batch, NOW);
        assert_eq!(workers.read().sanity_check(), Vec::<String>::new());
        for _ in 0..100 {
            let at = match random.below(4) {
                // On top of somebody, beside the crowd, anywhere on the globe.
                0 => workers.all_seen()[random.below(n)].point,
                1 => {
                    Point::new((random.between(-180.0, 180.0) * 1e7) as i32, (random.between(-90.0, 90.0) * 1e7) as i32)
                }
                _ => place(&mut random),
            };
            let area = Chequers::code(place(&mut random));
            agree(&workers, &any_query(&mut random, at, &skills, &area));
        }
    }
}

#[test]
fn a_crowded_city_agrees_with_a_full_scan() {
    compare(1, 3_000, |r| degrees(120.37 + 0.2 * r.normal(), 36.1 + 0.15 * r.normal()));
}

#[test]
fn the_whole_globe_agrees_with_a_full_scan() {
    compare(2, 1_500, |r| degrees(r.between(-180.0, 180.0), r.between(-1.0_f64, 1.0).asin().to_degrees()));
}

#[test]
fn a_city_across_the_antimeridian_agrees_with_a_full_scan() {
    compare(3, 1_500, |r| {
        let lon = 180.0 + 0.1 * r.normal();
        degrees(if lon > 180.0 { lon - 360.0 } else { lon }, -17.0 + 0.1 * r.normal())
    });
}

#[test]
fn a_camp_around_each_pole_agrees_with_a_full_scan() {
    compare(4, 1_000, |r| {
        let lat = 90.0 - (0.05 * r.normal()).abs();
        degrees(r.between(-180.0, 180.0), if r.chance(0.5) { lat } else { -lat })
    });
}

#[test]
fn a_crowd_on_few_places_agrees_with_a_full_scan_down_to_the_ids() {
    // Many share a place to the centimetre, so ties decide; the poles and both names of
    // the antimeridian are among the places.
    compare(5, 800, |r| {
        r.pick(&[
            Point::new(1_203_700_000, 361_000_000),
            Point::new(1_203_700_001, 361_000_000),
            Point::new(1_800_000_000, 0),
            Point::new(-1_800_000_000, 0),
            Point::new(0, 900_000_000),
            Point::new(900_000_000, 900_000_000),
            Point::new(0, -900_000_000),
            Point::new(0, 0),
        ])
    });
}

#[test]
fn a_handful_in_a_wide_country_agrees_with_a_full_scan() {
    compare(6, 12, |r| degrees(r.between(73.0, 135.0), r.between(18.0, 53.0)));
}

#[test]
fn nobody_is_nearest_in_an_empty_registry() {
    let workers = Workers::new();
    assert!(workers.nearest(&Query::new(degrees(120.0, 36.0), 5), &(), NOW).is_empty());
    assert!(workers.is_empty());
}

#[test]
fn a_report_older_than_the_last_known_is_counted_and_left_out() {
    let workers = Workers::new();
    workers.sync(vec![worker("a", degrees(120.0, 36.0))]);
    let (here, there) = (degrees(120.1, 36.1), degrees(120.2, 36.2));
    let at = |point, seconds| Position { id: "a", point, time: ago(seconds) };

    let counted = workers.record(&[at(here, 60), at(there, 120), Position { id: "nobody", ..at(here, 1) }], NOW);
    assert_eq!((counted.accepted, counted.stale, counted.unknown, counted.ahead), (1, 1, 1, 0));
    assert_eq!(workers.seen("a").unwrap().point, here);
    assert_eq!(workers.seen("a").unwrap().time, Some(ago(60)));

    // A clock gone wrong does not shut out the right ones after it.
    let counted = workers.record(&[at(there, -86_400), at(there, 30)], NOW);
    assert_eq!((counted.accepted, counted.ahead), (1, 1));
    assert_eq!(workers.nearest(&Query::new(there, 1), &(), NOW)[0].age_s, Some(30.0));
}

#[test]
fn the_order_of_reports_does_not_matter_even_at_equal_times() {
    println!("seed 7");
    let mut random = Random::new(7);
    let home = degrees(120.0, 36.0);
    let mut reports: Vec<_> = (0..200)
        .map(|_| Position {
            id: ["a", "b", "c"][random.below(3)],
            point: Point::new(random.below(5) as i32, random.below(5) as i32),
            time: ago(random.below(4) as i64),
        })
        .collect();
    let mut ends = Vec::new();
    for _ in 0..20 {
        for i in (1..reports.len()).rev() {
            reports.swap(i, random.below(i + 1));
        }
        let workers = Workers::new();
        workers.sync(["a", "b", "c"].map(|id| worker(id, home)).to_vec());
        workers.record(&reports, NOW);
        ends.push(["a", "b", "c"].map(|id| workers.seen(id).map(|s| (s.point, s.time))));
    }
    assert!(ends.windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn a_sync_keeps_live_positions_and_forgets_those_who_are_gone() {
    let workers = Workers::new();
    let (home, live) = (degrees(120.0, 36.0), degrees(120.5, 36.5));
    let synced = workers.sync(vec![worker("a", home), worker("b", home), worker("c", home)]);
    assert_eq!((synced.added, synced.changed, synced.removed), (3, 0, 0));
    workers.record(&[Position { id: "a", point: live, time: ago(5) }], NOW);

    let moved = degrees(121.0, 36.0);
    let off = Worker { on_duty: false, home: moved, ..worker("a", home) };
    let synced = workers.sync(vec![off, Worker { home: moved, ..worker("b", home) }]);
    assert_eq!((synced.added, synced.changed, synced.removed), (0, 2, 1));
    assert_eq!(workers.seen("a").unwrap().point, live, "a report stands above a home");
    assert_eq!(workers.seen("b").unwrap().point, moved, "without a report the home counts");
    assert_eq!(workers.seen("c"), None);
    assert_eq!(workers.read().sanity_check(), Vec::<String>::new());
    let on_duty = Query { on_duty: Some(true), ..Query::new(live, 9) };
    assert_eq!(workers.nearest(&on_duty, &(), NOW).len(), 1);
    assert_eq!(workers.sync(vec![]).removed, 2);
    assert_eq!(workers.read().sanity_check(), Vec::<String>::new());
}

#[test]
fn whoever_was_never_seen_is_named_without_an_age_and_left_out_by_a_limit_of_age() {
    let workers = Workers::new();
    let home = degrees(120.0, 36.0);
    workers.sync(vec![worker("seen", home), worker("unseen", home)]);
    workers.record(&[Position { id: "seen", point: home, time: ago(86_400) }], NOW);
    let ages = |query: &Query<'_>| -> Vec<_> {
        workers.nearest(query, &(), NOW).into_iter().map(|f| (f.worker.id.to_string(), f.age_s)).collect()
    };
    // A day old is flagged by its age, not dropped.
    assert_eq!(ages(&Query::new(home, 5)), [("seen".into(), Some(86_400.0)), ("unseen".into(), None)]);
    let recent = Query { max_age_s: Some(86_400.0), ..Query::new(home, 5) };
    assert_eq!(ages(&recent), [("seen".into(), Some(86_400.0))]);
}

#[test]
fn loads_are_told_with_the_answer() {
    let workers = Workers::new();
    let home = degrees(120.0, 36.0);
    workers.sync(vec![worker("a", home), worker("b", home)]);
    workers.set_loads(&FxHashMap::from_iter([("b".into(), 3)]));
    let loads: Vec<_> = workers.nearest(&Query::new(home, 5), &(), NOW).into_iter().map(|f| f.load).collect();
    assert_eq!(loads, [0, 3]);
}

#[test]
fn queries_run_while_positions_pour_in() {
    let workers = Workers::new();
    let home = degrees(120.0, 36.0);
    let ids: Vec<_> = (0..500).map(|i| format!("w{i:03}")).collect();
    workers.sync(ids.iter().map(|id| worker(id, home)).collect());
    std::thread::scope(|scope| {
        for thread in 0..2_u64 {
            let (workers, ids) = (&workers, &ids);
            scope.spawn(move || {
                let mut random = Random::new(thread);
                for round in 0..200 {
                    let batch: Vec<_> = ids
                        .iter()
                        .map(|id| Position {
                            id,
                            point: degrees(120.0 + random.unit(), 36.0 + random.unit()),
                            time: ago(1_000 - round),
                        })
                        .collect();
                    workers.record(&batch, NOW);
                }
            });
        }
        for _ in 0..2_000 {
            let found = workers.nearest(&Query::new(home, 7), &(), NOW);
            assert_eq!(found.len(), 7);
            assert!(found.windows(2).all(|w| w[0].distance_m <= w[1].distance_m));
        }
    });
    assert_eq!(workers.read().sanity_check(), Vec::<String>::new());
}
