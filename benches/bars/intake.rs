//! Events as they come in: batches over loopback into the demo city of 17,000 grids, each
//! answered when it is durable, while others locate.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gridatlas::http::{Config, Limits, Running, ServeOptions, start};
use gridatlas::store::{Publication, Store};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::city::Random;
use crate::redraw::Client;
use crate::table::{Bar, Table};
use crate::work;

/// Events of one batch, and batches.
const BATCH: usize = 2_000;
const BATCHES: usize = 30;
/// Who sends batches at the same time.
const SENDERS: usize = 2;

/// Adds the rows.
pub fn rows(table: &mut Table) {
    if let Err(why) = in_a_file(table) {
        table.missing("events into a GeoPackage", &why);
    }
    if let Err(why) = in_postgis(table) {
        table.missing("events into PostGIS", &why);
    }
}

fn in_a_file(table: &mut Table) -> Result<(), String> {
    let store = work::folder().join("intake.gpkg");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", store.display()));
    }
    std::fs::copy(work::city_store(300_000)?, &store).map_err(|e| e.to_string())?;
    measured(table, "a GeoPackage with 300,000 buildings", &store.display().to_string())
}

/// The areas of the city in a database whose commits are durable.
fn in_postgis(table: &mut Table) -> Result<(), String> {
    let cluster = std::env::var("GRIDATLAS_TEST_POSTGRES").map_err(|_| "GRIDATLAS_TEST_POSTGRES names no cluster")?;
    let said = |e: sqlx::Error| e.to_string();
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let name = format!("intake_{}", std::process::id());
    let (server, _) = cluster.rsplit_once('/').ok_or("GRIDATLAS_TEST_POSTGRES is no URL")?;
    let location = format!("{server}/{name}");
    let run = |sql: Vec<String>| {
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&cluster).await.map_err(said)?;
            for sql in sql {
                connection.execute(AssertSqlSafe(sql)).await.map_err(said)?;
            }
            connection.close().await.map_err(said)
        })
    };
    let durable = ["fsync", "synchronous_commit", "full_page_writes"];
    let mut sql: Vec<String> = durable.map(|name| format!("alter system set {name} = on")).into();
    sql.extend(["select pg_reload_conf()".to_owned(), format!("create database {name}")]);
    run(sql)?;
    let from = work::city_store(300_000)?.display().to_string();
    runtime.block_on(async {
        let said = |e: gridatlas::store::Error| e.to_string();
        let from = Store::open(&from).await.map_err(said)?;
        let (_, next) = from.head_coverage("responsibility").await.map_err(said)?.ok_or("no areas")?;
        from.close().await;
        let to = Store::open_or_create(&location).await.map_err(said)?;
        let publication = Publication {
            coverage: "responsibility".into(),
            expected: None,
            base: None,
            next,
            author: "bench".into(),
            effective: None,
            summary: String::new(),
            plan: None,
            lineage: Vec::new(),
        };
        to.publish(publication).await.map_err(said)?;
        to.close().await;
        Ok::<_, String>(())
    })?;
    let done = measured(table, "PostGIS", &location);
    let mut sql: Vec<String> = durable.map(|name| format!("alter system reset {name}")).into();
    sql.extend(["select pg_reload_conf()".to_owned(), format!("drop database if exists {name} with (force)")]);
    run(sql)?;
    done
}

fn measured(table: &mut Table, what: &str, store: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let config = Config { limits: Limits { request_s: 120, ..Limits::default() }, ..Config::default() };
    let options = ServeOptions { store: store.to_owned(), listen: "127.0.0.1:0".into(), config };
    let city = runtime.block_on(start(options)).map_err(|e| e.to_string())?;
    // Every table and index is there before the clock runs.
    send(&city, "first", 1);
    let (over, located) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    let took_s = std::thread::scope(|threads| {
        let senders = (0..SENDERS).map(|sender| {
            let city = &city;
            threads.spawn(move || send(city, &format!("s{sender}"), BATCHES / SENDERS))
        });
        let senders: Vec<_> = senders.collect();
        threads.spawn(|| {
            let mut client = Client::to(city.address());
            while !over.load(Ordering::Relaxed) {
                assert_eq!(client.ask("GET", "/locate?lon=120.35&lat=36.1", "").0, 200);
                located.fetch_add(1, Ordering::Relaxed);
                // Somebody asks; nobody floods.
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        senders.into_iter().for_each(|sender| sender.join().expect("a sender that ends"));
        let took_s = begun.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        took_s
    });
    let per_s = (BATCHES * BATCH) as f64 / took_s;
    table.value(&format!("events into {what}, durable, in batches over HTTP, a second"), per_s, Bar::AtLeast(5_000.0));
    let located = located.into_inner() as f64 / took_s;
    table.value(&format!("events into {what}: places located meanwhile, a second"), located, Bar::None);
    runtime.block_on(city.stop());
    Ok(())
}

/// Sends batches of events in the middle of the city.
fn send(city: &Running, source: &str, batches: usize) {
    let mut random = Random(source.bytes().map(u64::from).sum());
    let mut client = Client::to(city.address());
    let kinds = ["road.pothole", "noise", "part.lamp", "waste", "water"];
    for batch in 0..batches {
        let events = (0..BATCH).map(|i| {
            let mut share = || (random.bits() % 10_000) as f64 / 10_000.0;
            let (lon, lat, age_s) = (120.2 + 0.3 * share(), 36.0 + 0.2 * share(), (share() * 86_400.0 * 30.0) as i64);
            let time = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(age_s);
            json!({"source": source, "id": format!("{batch}-{i}"), "time": time.to_string(), "type": kinds[i % 5],
                "lon": lon, "lat": lat, "description": "路灯不亮，居民反映多次", "accuracy_m": 5.0})
        });
        let body = Value::from(events.collect::<Vec<_>>()).to_string();
        let (status, answer) = client.ask("POST", "/events", &body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        assert_eq!(answer["accepted"], BATCH, "{}", answer["results"][0]);
    }
}
