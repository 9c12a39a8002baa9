//! A real server, real streams, the service beside it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer::PullConsumer, stream};
use serde_json::json;

use super::Settings;
use super::settings::covers;
use crate::http::{Config, Running, ServeOptions, start};
use crate::store::{EventQuery, Owned, Store};

/// As long as anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAM: &str = "nats-server";

/// A server of its own, on a folder that outlives it.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    /// None where the program is not on this machine.
    fn start(folder: &Path, port: &str) -> Option<Self> {
        let streams = folder.join("streams");
        let ports = tempfile::tempdir().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["-a", "127.0.0.1", "-p", port, "-js", "-sd"]).arg(streams);
        command.arg("--ports_file_dir").arg(ports.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(mut process) = command.spawn() else {
            println!("skipped: there is no {PROGRAM}");
            return None;
        };
        let file = ports.path().join(format!("{PROGRAM}_{}.ports", process.id()));
        let begun = Instant::now();
        loop {
            let text = std::fs::read(&file).unwrap_or_default();
            if let Ok(said) = serde_json::from_slice::<serde_json::Value>(&text) {
                let url = said["nats"][0].as_str().unwrap().to_owned();
                return Some(Self { process, url });
            }
            let ended = process.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "{PROGRAM} did not start: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn port(&self) -> String {
        self.url.rsplit(':').next().unwrap().to_owned()
    }

    /// Without a chance to put anything in order.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings(url: &str) -> Settings {
    let settings = json!({"url": url, "stream": "EVENTS", "subject": "events.*", "rejected": "rejected.events"});
    serde_json::from_value(settings).unwrap()
}

/// The streams that an operator makes.
async fn streams(server: &Server) -> jetstream::Context {
    let context = jetstream::new(async_nats::connect(&server.url).await.unwrap());
    for (name, subject) in [("EVENTS", "events.>"), ("REJECTED", "rejected.>")] {
        let config = stream::Config { name: name.into(), subjects: vec![subject.into()], ..stream::Config::default() };
        context.get_or_create_stream(config).await.unwrap();
    }
    context
}

/// A store without any ground: events with an address alone wait in it for a place.
async fn city(folder: &Path) -> String {
    let path = folder.join("city.gpkg").display().to_string();
    Store::open_or_create(&path).await.unwrap().close().await;
    path
}

async fn serve(store: &str, nats: Settings) -> Running {
    let config = Config { nats: Some(nats), ..Config::default() };
    start(ServeOptions { store: store.to_owned(), listen: "127.0.0.1:0".to_owned(), config }).await.unwrap()
}

fn event(id: &str) -> serde_json::Value {
    json!({"source": "stream", "id": id, "time": "2026-03-01T08:00:00+08:00", "type": "噪音", "address": "somewhere"})
}

async fn publish(context: &jetstream::Context, text: String) {
    context.publish("events.city", text.into()).await.unwrap().await.unwrap();
}

/// Waits until no message is in hand or still to come.
async fn settled(context: &jetstream::Context) {
    let begun = Instant::now();
    loop {
        let consumer: Result<PullConsumer, _> = context.get_consumer_from_stream("gridatlas", "EVENTS").await;
        if let Ok(consumer) = consumer {
            let info = consumer.cached_info();
            if info.num_pending == 0 && info.num_ack_pending == 0 {
                return;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "messages are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The ids of what was kept, in order.
async fn kept(store: &Store) -> Vec<String> {
    let query = EventQuery {
        within: None,
        owned: Owned::Now,
        from: None,
        to: None,
        kind: None,
        is_open: None,
        state: None,
        is_placed: None,
        source: Some("stream".to_owned()),
        limit: 1000,
        after: None,
    };
    let page = store.events(&query).await.unwrap().unwrap();
    let mut ids: Vec<String> = page.events.iter().map(|event| event.id.clone()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_through_the_stream_is_kept_once_and_what_is_no_event_is_laid_aside() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), "-1") else { return };
    let context = streams(&server).await;
    let store = city(folder.path()).await;
    for id in ["a", "b", "a", "c"] {
        publish(&context, event(id).to_string()).await;
    }
    publish(&context, "{not json".to_owned()).await;
    let mut other = event("a");
    other["type"] = "占道".into();
    publish(&context, other.to_string()).await;
    let running = serve(&store, settings(&server.url)).await;
    settled(&context).await;
    publish(&context, event("d").to_string()).await;
    settled(&context).await;
    assert_eq!(kept(running.atlas().store().unwrap()).await, ["a", "b", "c", "d"]);

    let rejected = context.get_stream("REJECTED").await.unwrap();
    let (first, second) = (rejected.get_raw_message(1).await.unwrap(), rejected.get_raw_message(2).await.unwrap());
    assert_eq!((&*first.payload, &*second.payload), (&b"{not json"[..], other.to_string().as_bytes()));
    let reason = |message: &jetstream::message::StreamMessage| {
        (
            message.headers.get("Gridatlas-Reason").unwrap().to_string(),
            message.headers.get("Gridatlas-Subject").unwrap().to_string(),
        )
    };
    assert!(reason(&second).0.contains("a of stream was filed with other content"), "{:?}", reason(&second));
    assert_eq!(reason(&first).1, "events.city");
    assert!(rejected.get_raw_message(3).await.is_err());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_not_acked_before_the_store_has_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), "-1") else { return };
    let context = streams(&server).await;
    let store = city(folder.path()).await;
    let running = serve(&store, settings(&server.url)).await;
    publish(&context, event("first").to_string()).await;
    settled(&context).await;
    // Somebody else writes: nothing can be kept.
    let other = rusqlite::Connection::open(&store).unwrap();
    other.execute_batch("begin immediate").unwrap();
    publish(&context, event("second").to_string()).await;
    let begun = Instant::now();
    loop {
        let consumer: PullConsumer = context.get_consumer_from_stream("gridatlas", "EVENTS").await.unwrap();
        let info = consumer.cached_info();
        assert!(info.num_pending + info.num_ack_pending as u64 > 0, "it was acked without being kept");
        if info.num_ack_pending > 0 && begun.elapsed() > Duration::from_millis(500) {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it was never taken in hand");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    other.execute_batch("rollback").unwrap();
    settled(&context).await;
    assert_eq!(kept(running.atlas().store().unwrap()).await, ["first", "second"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_not_there_or_was_killed_is_followed_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(folder.path(), "-1") else { return };
    let port = server.port();
    let url = server.url.clone();
    server.kill();
    let store = city(folder.path()).await;
    let running = serve(&store, settings(&url)).await;
    let kept_are = async |wanted: &[&str]| {
        let begun = Instant::now();
        while kept(running.atlas().store().unwrap()).await != wanted {
            assert!(begun.elapsed() < PATIENCE, "{wanted:?} are not kept");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let server = Server::start(folder.path(), &port).unwrap();
    publish(&streams(&server).await, event("first").to_string()).await;
    kept_are(&["first"]).await;
    // What the server knew of acks may be lost with it: then the first comes again, and is kept once.
    server.kill();
    let server = Server::start(folder.path(), &port).unwrap();
    publish(&streams(&server).await, event("second").to_string()).await;
    kept_are(&["first", "second"]).await;
    running.stop().await;
}

#[test]
fn settings_that_make_no_sense_are_refused_by_their_member() {
    let good =
        json!({"url": "nats://127.0.0.1:4222", "stream": "EVENTS", "subject": "events.>", "rejected": "rejected"});
    let read = |member: &str, value: serde_json::Value| {
        let mut text = good.clone();
        text[member] = value;
        serde_json::from_value::<Settings>(text).unwrap().check()
    };
    assert_eq!(read("batch", json!(5)), Ok(()));
    for (member, value) in [
        ("url", json!("nats://a:b@exa mple")),
        ("stream", json!("two words")),
        ("consumer", json!("")),
        ("subject", json!("events..x")),
        ("subject", json!("events.>.x")),
        ("rejected", json!("events.bad")),
        ("rejected", json!("bad.*")),
        ("batch", json!(0)),
    ] {
        let refused = read(member, value.clone()).unwrap_err();
        assert_eq!(refused.member, member, "{value}: {refused}");
        assert!(!refused.reason.contains("a:b"), "{refused}");
    }
}

#[test]
fn wildcards_cover_what_nats_says() {
    for (wild, subject, is) in [
        (">", "a", true),
        ("a.>", "a", false),
        ("a.>", "a.b.c", true),
        ("a.*", "a.b", true),
        ("a.*", "a.b.c", false),
        ("*.b", "a.b", true),
        ("a", "a.b", false),
        ("a.b", "a.b", true),
    ] {
        assert_eq!(covers(wild, subject), is, "{wild} and {subject}");
    }
}
