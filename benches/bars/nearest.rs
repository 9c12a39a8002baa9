//! Nearest workers against rstar on unit vectors, and moves, on 20,000 workers of a city:
//! spread over towns and country, evenly, and in many small clusters.

use std::hint::black_box;

use boundaries::Point;
use gridatlas::demo::Random;
use gridatlas::dispatch::{Position, Query, Worker, Workers};
use jiff::{SignedDuration, Timestamp};
use rstar::RTree;
use rstar::primitives::GeomWithData;

use crate::table::{Bar, Table, each_ns, in_turn_s, median_s};

const WORKERS: usize = 20_000;
const QUERIES: usize = 20_000;
const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);

/// A place on the sphere of radius 1: straight distances there order as great circles do.
type Vector = GeomWithData<[f64; 3], (u32, bool)>;

fn vector(p: Point) -> [f64; 3] {
    let (lon, lat) = (p.lon().to_radians(), p.lat().to_radians());
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

/// Towns and country, as the workers of a city are spread.
fn place(random: &mut Random) -> Point {
    let towns = [(120.38, 36.07, 0.04), (120.42, 36.17, 0.05), (120.02, 36.27, 0.07), (120.45, 36.4, 0.09)];
    let (lon, lat) = if random.chance(0.7) {
        let (lon, lat, spread) = random.pick(&towns);
        (lon + spread * random.normal(), lat + spread * random.normal())
    } else {
        (random.between(119.6, 120.9), random.between(35.7, 37.0))
    };
    Point::new((lon * 1e7) as i32, (lat * 1e7) as i32)
}

/// Evenly over the whole city.
fn even_place(random: &mut Random) -> Point {
    Point::new((random.between(119.6, 120.9) * 1e7) as i32, (random.between(35.7, 37.0) * 1e7) as i32)
}

/// In 200 clusters of about half a kilometre.
fn clustered_place(random: &mut Random) -> Point {
    let i = random.below(200) as f64;
    // Multiples of two irrational shares lie nowhere near each other.
    let (lon, lat) = (119.7 + 1.1 * (i * 0.618_034).fract(), 35.8 + 1.1 * (i * 0.754_877_7).fract());
    let (lon, lat) = (lon + 0.006 * random.normal(), lat + 0.005 * random.normal());
    Point::new((lon * 1e7) as i32, (lat * 1e7) as i32)
}

type Place = fn(&mut Random) -> Point;

fn worker(i: usize, place: Place, random: &mut Random) -> Worker {
    Worker {
        id: format!("W{i:06}").into(),
        name: format!("worker {i}").into(),
        role: "grid_worker".into(),
        skills: if i.is_multiple_of(10) { vec!["first_aid".into()] } else { vec![] },
        grids: vec![],
        on_duty: true,
        home: place(random),
    }
}

/// Adds the rows of the nearest workers.
pub fn rows(table: &mut Table) {
    let spreads: [(&str, Place, u64); 3] =
        [("in towns and country", place, 3), ("evenly", even_place, 11), ("in clusters", clustered_place, 12)];
    for (spread, place, seed) in spreads {
        rows_of(table, spread, place, &mut Random::new(seed));
    }
}

fn rows_of(table: &mut Table, spread: &str, place: Place, random: &mut Random) {
    let all: Vec<_> = (0..WORKERS).map(|i| worker(i, place, random)).collect();
    let points: Vec<_> = (0..QUERIES).map(|_| place(random)).collect();
    let tree: RTree<Vector> = RTree::bulk_load(
        (0_u32..).zip(&all).map(|(i, w)| Vector::new(vector(w.home), (i, !w.skills.is_empty()))).collect(),
    );
    let ids: Vec<_> = all.iter().map(|w| w.id.clone()).collect();
    let workers = Workers::new();
    workers.sync(all);

    for (name, skill, bar) in
        [("nearest 5", None, Bar::AtLeast(1.0)), ("nearest 5, filter of 10 %", Some("first_aid"), Bar::AtLeast(3.0))]
    {
        let ask = |p: &Point| workers.nearest(&Query { skill, ..Query::new(*p, 5) }, &(), NOW);
        let refer = |p: &Point| -> Vec<u32> {
            let at = vector(*p);
            let near = tree.nearest_neighbor_iter(at).filter(|w| skill.is_none() || w.data.1);
            near.take(5).map(|w| w.data.0).collect()
        };
        for p in &points {
            let ours: Vec<_> = ask(p).into_iter().map(|f| f.worker.id.clone()).collect();
            let theirs: Vec<_> = refer(p).into_iter().map(|i| ids[i as usize].clone()).collect();
            assert_eq!(ours, theirs, "{name} at {p:?}");
        }
        let (ours_s, reference_s) = in_turn_s(
            5,
            || points.iter().for_each(|p| drop(black_box(ask(p)))),
            || points.iter().for_each(|p| drop(black_box(refer(p)))),
        );
        table.ratio(
            &format!("{name} of {WORKERS} {spread}, against rstar on unit vectors"),
            each_ns(ours_s, QUERIES),
            each_ns(reference_s, QUERIES),
            reference_s / ours_s,
            bar,
        );
    }

    let mut second = 0;
    let moves: Vec<Vec<_>> = (0..5).map(|_| ids.iter().map(|_| place(random)).collect()).collect();
    let record_s = median_s(5, || {
        let time = NOW + SignedDuration::from_secs(second as i64);
        let batch: Vec<_> =
            ids.iter().zip(&moves[second % 5]).map(|(id, point)| Position { id, point: *point, time }).collect();
        assert_eq!(workers.record(&batch, time).accepted, WORKERS as u64);
        second += 1;
    });
    table.value(&format!("positions recorded {spread}, M/s"), WORKERS as f64 / record_s / 1e6, Bar::AtLeast(0.1));
}
