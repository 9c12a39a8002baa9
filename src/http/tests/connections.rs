//! Slow, crowding and unfinished clients.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::{Config, Limits, Running};
use super::{get, problem, serve};

async fn connect(city: &Running) -> TcpStream {
    TcpStream::connect(city.address()).await.unwrap()
}

/// What comes until the other side ends.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut text)).await;
    assert!(read.is_ok(), "the connection was not cut: {}", String::from_utf8_lossy(&text));
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_client_that_dribbles_its_head_is_cut() {
    let city = serve(Config { limits: Limits { header_s: 1, ..Limits::default() }, ..Config::default() }).await;
    let mut stream = connect(&city).await;
    let begun = Instant::now();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\nA: ").await.unwrap();
    rest(&mut stream).await;
    assert!(begun.elapsed() < Duration::from_secs(8));
    // One that says nothing at all, too.
    rest(&mut connect(&city).await).await;
    city.stop().await;
}

#[tokio::test]
async fn a_client_that_dribbles_its_body_is_told_so() {
    let limits = Limits { idle_s: 1, ..Limits::default() };
    let city = serve(Config { limits, ..Config::default() }).await;
    let mut stream = connect(&city).await;
    let head = "POST /locate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("slow_request"), "{answer}");
    city.stop().await;
}

#[tokio::test]
async fn health_answers_while_the_service_is_at_its_limit() {
    let limits = Limits { requests: 1, bulk_requests: 1, ..Limits::default() };
    let city = serve(Config { limits, ..Config::default() }).await;
    // Holds the only place: its body does not end.
    let mut stream = connect(&city).await;
    let head = "POST /locate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut full = None;
    for _ in 0..200 {
        let answer = get(&city, "locate?lon=120.05&lat=36.1").send().await.unwrap();
        if answer.status() == 503 {
            full = Some(answer);
            break;
        }
    }
    let full = full.unwrap();
    assert_eq!(full.headers()["retry-after"], "1");
    assert_eq!(full.json::<serde_json::Value>().await.unwrap()["code"], "overloaded");
    assert!(get(&city, "livez").send().await.unwrap().status().is_success());
    assert!(get(&city, "readyz").send().await.unwrap().status().is_success());
    drop(stream);
    city.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_turned_away() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let city = serve(Config { limits, ..Config::default() }).await;
    let mut first = connect(&city).await;
    first.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut byte = [0; 12];
    first.read_exact(&mut byte).await.unwrap();
    assert_eq!(&byte, b"HTTP/1.1 200");
    let answer = rest(&mut connect(&city).await).await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("Retry-After"), "{answer}");
    drop(first);
    city.stop().await;
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let limits = Limits { request_s: 1, idle_s: 10, ..Limits::default() };
    let city = serve(Config { limits, ..Config::default() }).await;
    let body = reqwest::Body::wrap_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let (status, problem) = problem(super::post(&city, "locate", "application/json", body)).await;
    assert_eq!((status, problem["code"].as_str().unwrap()), (503, "took_too_long"));
    city.stop().await;
}

#[tokio::test]
async fn a_service_that_stops_finishes_what_was_asked_and_takes_no_more() {
    let city = serve(Config::default()).await;
    let address = city.address();
    let mut open = connect(&city).await;
    let body = "[{\"lon\":120.05,\"lat\":36.1}]";
    let head = format!(
        "POST /locate?detail=owner HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    open.write_all(head.as_bytes()).await.unwrap();
    open.write_all(&body.as_bytes()[..5]).await.unwrap();
    // The request is being read once another one that came after it is answered.
    get(&city, "livez").send().await.unwrap();
    let stopping = tokio::spawn(city.stop());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    open.write_all(&body.as_bytes()[5..]).await.unwrap();
    let answer = rest(&mut open).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"g1\""), "{answer}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn open_requests_are_cut_at_the_deadline() {
    let limits = Limits { stop_s: 1, ..Limits::default() };
    let city = serve(Config { limits, ..Config::default() }).await;
    let mut open = connect(&city).await;
    open.write_all(b"POST /locate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[")
        .await
        .unwrap();
    get(&city, "livez").send().await.unwrap();
    let begun = Instant::now();
    city.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
}
