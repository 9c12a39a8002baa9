//! The service over loopback: client and server in one process, on all cores.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gridatlas::http::{Config, Limits, start_over};
use gridatlas::snapshot::{Atlas, CoverageView, Snapshot};

use crate::city::{Plan, Random, anywhere};
use crate::table::{Bar, Table};

/// Places in one batch.
const PLACES: usize = 1_000_000;

/// How long requests for one place are counted.
const COUNTED: Duration = Duration::from_secs(3);

/// Clients that ask for one place after the other.
const CLIENTS: usize = 4;

/// Adds the service's rows.
pub fn rows(table: &mut Table) {
    let plan = Plan::whole_city(1);
    let view = Arc::new(CoverageView::new("responsibility".into(), plan.build(), 1, None));
    let snapshot = Snapshot { revision: 1, coverages: vec![view], ..Snapshot::empty() };
    let mut random = Random(2);
    let mut body = Vec::with_capacity(PLACES * 42);
    for _ in 0..PLACES {
        let p = anywhere(&plan, &mut random);
        let _ = writeln!(body, "{{\"lon\":{:.7},\"lat\":{:.7}}}", p.lon(), p.lat());
    }
    let place = anywhere(&plan, &mut random);

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let limits = Limits { request_s: 120, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let city = runtime.block_on(start_over(Arc::new(Atlas::new(snapshot)), "127.0.0.1:0", config)).expect("a service");
    let address = city.address();

    for (detail, bar) in [("owner", 1e6), ("full", 3e5)] {
        // The first one also makes what is written of each area.
        let best_s = (0..4).map(|_| post(address, detail, &body)).fold(f64::INFINITY, f64::min);
        let name = format!("POST /locate of {PLACES} places as JSON lines, detail={detail}, places/s");
        table.value(&name, PLACES as f64 / best_s, Bar::AtLeast(bar));
    }

    let one = format!("/locate?lon={:.7}&lat={:.7}", place.lon(), place.lat());
    let (mut empty, mut locate) = (0.0_f64, 0.0_f64);
    // In turn, so that both meet the same machine.
    for _ in 0..3 {
        empty = empty.max(rate(address, "/livez"));
        locate = locate.max(rate(address, &one));
    }
    let per_s = |rate: f64| format!("{rate:.0} /s");
    let name = "GET /locate against an empty answer of the same server";
    table.ratio(name, per_s(locate), per_s(empty), locate / empty, Bar::AtLeast(0.7));
    runtime.block_on(city.stop());
}

/// Sends a batch, reads all answers and says how long that took in seconds.
fn post(address: SocketAddr, detail: &str, body: &[u8]) -> f64 {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).expect("a connection");
    let mut writer = stream.try_clone().expect("a second handle");
    let head = format!(
        "POST /locate?detail={detail} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-ndjson\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let lines = std::thread::scope(|threads| {
        threads.spawn(move || writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body)));
        let (mut piece, mut lines) = (vec![0; 1 << 18], 0);
        loop {
            match stream.read(&mut piece).expect("an answer") {
                0 => return lines,
                n => lines += piece[..n].iter().filter(|b| **b == b'}').count(),
            }
        }
    });
    // Each answer has at least two closing braces: its own and its owner's.
    assert!(lines >= 2 * PLACES, "{lines} braces for {PLACES} places");
    begun.elapsed().as_secs_f64()
}

/// Requests answered in a second, asked by some clients one after the other each.
fn rate(address: SocketAddr, path: &str) -> f64 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
    let begun = Instant::now();
    let answered: usize = std::thread::scope(|threads| {
        let ask = || {
            let mut stream = TcpStream::connect(address).expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let (mut buffer, mut answered) = (vec![0; 1 << 14], 0);
            while begun.elapsed() < COUNTED {
                stream.write_all(request.as_bytes()).expect("a request");
                read_one(&mut stream, &mut buffer);
                answered += 1;
            }
            answered
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| threads.spawn(ask)).collect();
        clients.into_iter().map(|c| c.join().expect("a client")).sum()
    });
    answered as f64 / begun.elapsed().as_secs_f64()
}

/// Reads one answer, which has a Content-Length.
fn read_one(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        filled += stream.read(&mut buffer[filled..]).expect("an answer");
        let text = &buffer[..filled];
        let Some(end) = text.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&text[..end]).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if filled >= end + 4 + length.expect("a length") {
            return;
        }
    }
}
