//! Redrawing as planners meet it, over loopback, in the demo city of 17,000 grids with its
//! features: what a plan would change, publishing it, and what others notice of that.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gridatlas::http::{Config, Limits, Running, ServeOptions, start};
use gridatlas::redraw::Settings;
use serde_json::{Value, json};

use crate::city::Random;
use crate::table::{Bar, Table, short};
use crate::work;

/// Plans of each size.
const PLANS: usize = 40;

/// How long requests are counted at a time, how often, and how far apart publishes are.
const COUNTED: Duration = Duration::from_secs(10);
const ROUNDS: usize = 3;
const APART: Duration = Duration::from_secs(5);

/// Clients that locate one place after the other.
const CLIENTS: usize = 4;

/// Adds the rows.
pub fn rows(table: &mut Table) {
    if let Err(why) = measured(table) {
        table.missing("redrawing over HTTP", &why);
    }
}

fn measured(table: &mut Table) -> Result<(), String> {
    let store = work::folder().join("redraw.gpkg");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", store.display()));
    }
    std::fs::copy(work::city_store(300_000)?, &store).map_err(|e| e.to_string())?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let plans = Settings { approval: false, ..Settings::default() };
    let config = Config { plans, limits: Limits { request_s: 120, ..Limits::default() }, ..Config::default() };
    let options = ServeOptions { store: store.display().to_string(), listen: "127.0.0.1:0".into(), config };
    let city = runtime.block_on(start(options)).map_err(|e| e.to_string())?;
    let mut planner = Planner { city: &city, client: Client::to(city.address()), random: Random(7) };

    for edits in [1, 10] {
        let (mut previews_s, mut publishes_s) = (Vec::new(), Vec::new());
        for _ in 0..PLANS {
            let plan = planner.plan(edits);
            let begun = Instant::now();
            let (status, preview) = planner.client.ask("GET", &format!("/plans/{plan}/preview"), "");
            previews_s.push(begun.elapsed().as_secs_f64());
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&preview));
            publishes_s.push(planner.publish(&plan));
        }
        let what = format!("plan of {edits} splits: preview over HTTP, p95 in ms");
        table.value(&what, p95_ms(&mut previews_s), Bar::AtMost(100.0));
        let what = format!("plan of {edits} splits: published, durable and seen by a reader, p95 in ms");
        table.value(&what, p95_ms(&mut publishes_s), Bar::AtMost(250.0));
    }

    let place = "/locate?lon=120.35&lat=36.1";
    let (mut quiet, mut busy) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        quiet += rate(city.address(), place, || {});
        let mut next = Instant::now();
        busy += rate(city.address(), place, || {
            if Instant::now() >= next {
                next += APART;
                let plan = planner.plan(1);
                planner.publish(&plan);
            }
        });
    }
    let per_s = |sum: f64| format!("{:.0} /s", sum / ROUNDS as f64);
    let what = "GET /locate with a plan made and published every 5 s, against without";
    table.ratio(what, per_s(busy), per_s(quiet), busy / quiet, Bar::AtLeast(0.9));

    let past = format!("{place}&at=2020-01-01");
    // Loaded by the first who asks.
    assert_eq!(planner.client.ask("GET", &past, "").0, 200);
    let (mut then, mut now) = (0.0, 0.0);
    for _ in 0..ROUNDS {
        then += rate(city.address(), &past, || {});
        now += rate(city.address(), place, || {});
    }
    let what = "GET /locate at a past date, against at present";
    table.ratio(what, per_s(then), per_s(now), then / now, Bar::AtLeast(0.9));
    runtime.block_on(city.stop());
    Ok(())
}

fn p95_ms(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let ms = |s: f64| short(s * 1e3);
    let (least, middle) = (seconds[0], seconds[seconds.len() / 2]);
    eprintln!("  least {} ms, median {} ms", ms(least), ms(middle));
    seconds[seconds.len() * 95 / 100] * 1e3
}

/// Someone who splits grids all over the city.
struct Planner<'a> {
    city: &'a Running,
    client: Client,
    random: Random,
}

impl Planner<'_> {
    /// A plan with so many splits.
    fn plan(&mut self, edits: usize) -> String {
        let (status, made) = self.client.ask("POST", "/plans", r#"{"name":"bench","author":"planner"}"#);
        let made: Value = serde_json::from_slice(&made).expect("a plan");
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_str().expect("an id").to_owned();
        let mut done = 0;
        while done < edits {
            // A grid of an odd form may not be to be cut just so.
            let split = self.split();
            let (status, _) = self.client.ask("POST", &format!("/plans/{id}/edits"), &split);
            done += usize::from(status == 201);
        }
        id
    }

    /// A cut through the middle of a grid, from west to east.
    fn split(&mut self) -> String {
        let snapshot = self.city.atlas().present();
        let coverage = &snapshot.coverages[0].coverage;
        loop {
            let slot = self.random.bits() as usize % coverage.area_slots();
            let Some((id, area)) = coverage.areas().nth(slot) else { continue };
            let Some(bounds) = coverage.polygons(id).first().map(boundaries::Polygon::bounds) else { continue };
            if usize::from(area.level.0) + 1 < coverage.levels().len() {
                continue;
            }
            let lat = (bounds.min.lat() + bounds.max.lat()) / 2.0;
            let line = [[bounds.min.lon() - 1e-4, lat], [bounds.max.lon() + 1e-4, lat]];
            return json!({ "op": "split", "code": area.code, "line": line }).to_string();
        }
    }

    /// Publishes; seconds until another reader has seen it.
    fn publish(&mut self, plan: &str) -> f64 {
        let begun = Instant::now();
        let (status, answer) = self.client.ask("POST", &format!("/plans/{plan}/publish"), "{}");
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        assert_eq!(status, 200, "{answer}");
        let (_, seen) = self.client.ask("GET", "/locate?lon=120.35&lat=36.1", "");
        let seen: Value = serde_json::from_slice(&seen).expect("JSON");
        assert_eq!(seen["revision"], answer["revision"]);
        begun.elapsed().as_secs_f64()
    }
}

/// Requests answered in a second while `beside` is done over and over.
fn rate(address: SocketAddr, path: &str, mut beside: impl FnMut()) -> f64 {
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let begun = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..CLIENTS {
            threads.spawn(|| {
                let mut client = Client::to(address);
                while !over.load(Ordering::Relaxed) {
                    assert_eq!(client.ask("GET", path, "").0, 200);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while begun.elapsed() < COUNTED {
            beside();
            std::thread::sleep(Duration::from_millis(10));
        }
        over.store(true, Ordering::Relaxed);
    });
    answered.into_inner() as f64 / begun.elapsed().as_secs_f64()
}

/// One connection, kept alive.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, buffer: vec![0; 1 << 16] }
    }

    /// Asks, and reads the whole answer, which has a Content-Length.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Vec<u8>) {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nIf-Match: *\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(head.as_bytes()).expect("a request");
        let mut answer = Vec::new();
        loop {
            let read = self.stream.read(&mut self.buffer).expect("an answer");
            answer.extend_from_slice(&self.buffer[..read]);
            let Some(end) = answer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok());
            let length = length.expect("a length");
            if answer.len() >= end + 4 + length {
                let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
                return (status, answer.split_off(end + 4));
            }
        }
    }
}
