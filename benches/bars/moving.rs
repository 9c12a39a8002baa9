//! Who is near while 20,000 workers report 100,000 positions a second: in process, and over
//! loopback in the demo city of 17,000 grids.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use boundaries::Point;
use gridatlas::demo::Random;
use gridatlas::dispatch::{Order, Position, Query, Worker, Workers};
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::http::{Config, Limits, ServeOptions, start};
use gridatlas::store::{Store, SyncOptions};
use jiff::Timestamp;

use crate::redraw::Client;
use crate::table::{Bar, Table};
use crate::work;

const WORKERS: usize = 20_000;
/// Positions a second, and in one batch.
const RATE: usize = 100_000;
const BATCH: usize = 2_000;
const LASTS: Duration = Duration::from_secs(8);

/// Adds the rows.
pub fn rows(table: &mut Table) {
    in_process(table);
    if let Err(why) = over_http(table) {
        table.missing("nearest over HTTP while positions stream", &why);
    }
}

fn place(random: &mut Random) -> Point {
    Point::new((random.between(120.2, 120.5) * 1e7) as i32, (random.between(36.0, 36.2) * 1e7) as i32)
}

fn id(i: usize) -> String {
    format!("M{i:06}")
}

/// Sends batches at the rate for as long as the other does something over and over; how many
/// positions a second were taken, and the seconds that each of the others took, ascending.
fn while_streaming(mut batch: impl FnMut() + Send, mut ask: impl FnMut()) -> (f64, Vec<f64>) {
    let (over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let begun = Instant::now();
    let mut took_s = Vec::new();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let pause = Duration::from_secs_f64(BATCH as f64 / RATE as f64);
            let mut next = Instant::now();
            while !over.load(Ordering::Relaxed) {
                batch();
                sent.fetch_add(BATCH as u64, Ordering::Relaxed);
                next += pause;
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        while begun.elapsed() < LASTS {
            let asked = Instant::now();
            ask();
            took_s.push(asked.elapsed().as_secs_f64());
            // A queue of one's own would hide what a reader waits for.
            std::thread::sleep(Duration::from_micros(500));
        }
        over.store(true, Ordering::Relaxed);
    });
    let rate = sent.into_inner() as f64 / begun.elapsed().as_secs_f64();
    took_s.sort_by(f64::total_cmp);
    (rate, took_s)
}

fn told(table: &mut Table, what: &str, (rate, took_s): &(f64, Vec<f64>), bar_ms: f64) {
    // A sleep is a little late each time; what is late is caught up with.
    table.value(&format!("positions taken {what}, a second"), *rate, Bar::AtLeast(0.99 * RATE as f64));
    let p99_ms = took_s[took_s.len() * 99 / 100] * 1e3;
    table.value(&format!("nearest 5 of {WORKERS} moving {what}, p99 in ms"), p99_ms, Bar::AtMost(bar_ms));
}

fn in_process(table: &mut Table) {
    let mut random = Random::new(21);
    let workers = Workers::new();
    let worker = |i: usize, random: &mut Random| Worker {
        id: id(i).into(),
        name: "somebody".into(),
        role: "grid_worker".into(),
        skills: if i.is_multiple_of(10) { vec!["first_aid".into()] } else { vec![] },
        grids: vec![],
        on_duty: true,
        home: place(random),
    };
    workers.sync((0..WORKERS).map(|i| worker(i, &mut random)).collect());
    let ids: Vec<String> = (0..WORKERS).map(id).collect();
    let mut walk = Random::new(22);
    let batch = || {
        let now = Timestamp::now();
        let one = |i: usize, walk: &mut Random| Position { id: &ids[i], point: place(walk), time: now };
        let positions: Vec<_> = (0..BATCH).map(|_| one(walk.below(WORKERS), &mut walk)).collect();
        workers.record(&positions, now);
    };
    let ask = || {
        let query = Query { skill: Some("first_aid"), order: Order::Distance, ..Query::new(place(&mut random), 5) };
        assert_eq!(workers.nearest(&query, &(), Timestamp::now()).len(), 5);
    };
    let measured = while_streaming(batch, ask);
    told(table, "in process", &measured, 2.0);
}

fn over_http(table: &mut Table) -> Result<(), String> {
    let mut random = Random::new(23);
    let store = work::folder().join("moving.gpkg");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", store.display()));
    }
    std::fs::copy(work::city_store(300_000)?, &store).map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let text = |text: &str| Value::Text(text.into());
    let worker = |i: usize, random: &mut Random| Feature {
        id: id(i).into(),
        geometry: Geometry::Point(place(random)),
        properties: vec![("name".into(), text("somebody")), ("role".into(), text("grid_worker"))],
    };
    let features: Vec<Feature> = (0..WORKERS).map(|i| worker(i, &mut random)).collect();
    let location = store.display().to_string();
    runtime.block_on(async {
        let said = |e: gridatlas::store::Error| e.to_string();
        let store = Store::open(&location).await.map_err(said)?;
        let options = SyncOptions { max_removed_percent: 100.0, dry_run: false };
        store.sync_layer("worker", &[], features, &options).await.map_err(said)?;
        store.close().await;
        Ok::<_, String>(())
    })?;
    let config = Config { limits: Limits { request_s: 120, ..Limits::default() }, ..Config::default() };
    let options = ServeOptions { store: location, listen: "127.0.0.1:0".into(), config };
    let city = runtime.block_on(start(options)).map_err(|e| e.to_string())?;
    let (mut sender, mut reader) = (Client::to(city.address()), Client::to(city.address()));
    let mut walk = Random::new(24);
    let batch = || {
        let now = Timestamp::now();
        let one = |walk: &mut Random| {
            let (id, at) = (id(walk.below(WORKERS)), place(walk));
            format!(r#"{{"id":"{id}","lon":{},"lat":{},"time":"{now}"}}"#, at.lon(), at.lat())
        };
        let positions: Vec<String> = (0..BATCH).map(|_| one(&mut walk)).collect();
        let (status, answer) = sender.ask("POST", "/workers/positions", &format!("[{}]", positions.join(",")));
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    };
    let ask = || {
        let at = place(&mut random);
        let path = format!("/workers/nearest?lon={}&lat={}&k=5&order=grid_first", at.lon(), at.lat());
        assert_eq!(reader.ask("GET", &path, "").0, 200);
    };
    let measured = while_streaming(batch, ask);
    told(table, "over HTTP", &measured, 10.0);
    runtime.block_on(city.stop());
    Ok(())
}
