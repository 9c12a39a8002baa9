//! What happens to events is told to those who are to know: by a service over each store to a
//! server that takes messages, is away, refuses them, or hangs.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use gridatlas::feature::{Feature, Geometry};
use gridatlas::http::{Config, Running, ServeOptions, start};
use gridatlas::webhooks::{Key, sign};
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::city::{at, bent, publication, publish_first};
use super::places::{Place, in_a_file, in_both};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A message as it came in.
#[derive(Clone, Debug)]
struct Came {
    id: String,
    body: Value,
}

impl Came {
    /// What happened to which event.
    fn what(&self) -> (&str, &str) {
        (self.body["type"].as_str().unwrap(), self.body["data"]["event"]["id"].as_str().unwrap())
    }
}

/// How a message is answered: by its status, or never.
type Answers = Arc<dyn Fn(&Value) -> Option<u16> + Send + Sync>;

#[derive(Clone)]
struct Taking {
    came: Arc<Mutex<Vec<Came>>>,
    answers: Answers,
}

/// A server that takes messages; what came is kept when it goes away and comes back.
struct Receiver {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
    serving: Option<JoinHandle<()>>,
}

async fn take(State(taking): State<Taking>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp").parse::<i64>().unwrap());
    let signature = sign(&[Key::read(SECRET).unwrap()], &id, timestamp, &body);
    assert_eq!(header("webhook-signature"), signature);
    assert!((Timestamp::now().as_second() - timestamp).abs() < 300);
    let body: Value = serde_json::from_slice(&body).unwrap();
    let answer = (taking.answers)(&body);
    taking.came.lock().unwrap().push(Came { id, body });
    match answer {
        Some(status) => StatusCode::from_u16(status).unwrap(),
        None => std::future::pending().await,
    }
}

impl Receiver {
    async fn new(answers: impl Fn(&Value) -> Option<u16> + Send + Sync + 'static) -> Self {
        let mut receiver = Self { address: ([127, 0, 0, 1], 0).into(), came: Arc::default(), serving: None };
        receiver.serve(answers).await;
        receiver
    }

    /// Comes (back) at its address and answers so.
    async fn serve(&mut self, answers: impl Fn(&Value) -> Option<u16> + Send + Sync + 'static) {
        self.go().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let taking = Taking { came: self.came.clone(), answers: Arc::new(answers) };
        let app = axum::Router::new().route("/in", post(take)).with_state(taking);
        self.serving = Some(tokio::spawn(async move {
            // Ends by being aborted, and its connections with it: each is let go after one message.
            let app = app.layer(axum::middleware::map_response(async |mut answer: axum::response::Response| {
                answer.headers_mut().insert("connection", "close".parse().unwrap());
                answer
            }));
            axum::serve(listener, app).await.unwrap();
        }));
    }

    async fn go(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
            assert!(serving.await.unwrap_err().is_cancelled());
        }
    }

    fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Everything that came once that satisfies `is_enough`.
    async fn until(&self, is_enough: impl Fn(&[Came]) -> bool) -> Vec<Came> {
        for _ in 0..1200 {
            let came = self.came();
            if is_enough(&came) {
                return came;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("in a minute only this came: {:?}", self.came().iter().map(Came::what).collect::<Vec<_>>());
    }

    fn webhook(&self, more: Value) -> Value {
        let mut webhook = json!({
            "name": "desk", "url": format!("http://{}/in?token=hidden", self.address), "secret": SECRET,
            "first_retry_s": 0.05, "longest_retry_s": 0.2, "timeout_s": 10, "attempts": 3,
        });
        webhook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        webhook
    }
}

async fn city(place: &Place) {
    let store = place.store().await;
    publish_first(&store).await;
    let worker = Feature { id: "w1".into(), geometry: Geometry::Point(at(500, 500)), properties: vec![] };
    let snapshot = store.load(None, Timestamp::now()).await.unwrap();
    store.put_feature("worker", worker, &snapshot).await.unwrap();
    store.close().await;
}

async fn serve(place: &Place, webhooks: &[Value]) -> Running {
    let config: Config = serde_json::from_value(json!({ "webhooks": webhooks })).unwrap();
    let options = ServeOptions { store: place.location().to_owned(), listen: "127.0.0.1:0".to_owned(), config };
    let running = start(options).await.unwrap();
    // What happens is told from when the line is held for the first time.
    until_all(&running.url(), |webhook| webhook["told_by"].is_string()).await;
    running
}

/// Waits until something holds of every webhook.
async fn until_all(url: &str, holds: impl Fn(&Value) -> bool) {
    let mut all = Value::Null;
    for _ in 0..1200 {
        all = ask(url, "webhooks").await["webhooks"].take();
        if all.as_array().unwrap().iter().all(&holds) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a minute was not enough: {all}");
}

/// Waits until everybody was told everything.
async fn until_told(url: &str) {
    until_all(url, |webhook| webhook["behind"] == 0 && webhook["waiting"] == 0).await;
}

async fn ask(url: &str, path: &str) -> Value {
    let answer = reqwest::get(format!("{url}{path}")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

async fn send(url: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = reqwest::Client::new().post(format!("{url}{path}")).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Files an event in a block of the small city.
async fn file(url: &str, id: &str, (x, y): (i32, i32)) {
    let p = at(x * 1000 + 500, y * 1000 + 500);
    let event = json!({ "source": "hotline", "id": id, "time": Timestamp::now().to_string(), "type": "noise",
        "lon": p.lon(), "lat": p.lat() });
    done(url, "events", event).await;
}

async fn done(url: &str, path: &str, body: Value) {
    let (status, said) = send(url, path, &body).await;
    assert!(status < 300, "{path}: {said}");
}

fn whats(came: &[Came]) -> Vec<(&str, &str)> {
    came.iter().map(Came::what).collect()
}

/// ```text
///   s2  g12 [g13] g14      a is reported in g1, given to g7 by a decision, and moved to g2, of
///   s1   g6 [ g7]  g8      which new boundaries give the ground to g1
///   s0   g0 [ g1 ][g2]     far is reported in g13 and cancelled
/// ```
async fn a_day(url: &str) {
    file(url, "a", (1, 0)).await;
    file(url, "far", (1, 2)).await;
    done(url, "events/a/assign", json!({ "worker": "w1", "actor": "desk" })).await;
    done(url, "events/a/steps", json!({ "to": "handled", "actor": "w1" })).await;
    until_told(url).await;
    done(url, "events/a/owner", json!({ "code": "g7", "actor": "desk", "reason": "theirs" })).await;
    until_told(url).await;
    done(url, "events/far/steps", json!({ "to": "cancelled", "actor": "desk", "note": "twice" })).await;
    let p = at(2150, 450);
    done(url, "events/a/place", json!({ "lon": p.lon(), "lat": p.lat(), "actor": "desk", "reason": "wrong house" }))
        .await;
    until_told(url).await;
}

const DAY: [(&str, &str); 9] = [
    ("event.filed", "a"),
    ("event.filed", "far"),
    // Who is given an event is given one that is filed.
    ("event.stepped", "a"),
    ("event.assigned", "a"),
    ("event.stepped", "a"),
    ("event.owned", "a"),
    ("event.closed", "far"),
    ("event.placed", "a"),
    ("event.redrawn", "a"),
];

#[test]
fn what_happens_is_told_once_in_order_to_those_whose_area_owns_gets_or_loses_it() {
    in_both(|place| async move {
        city(&place).await;
        let all = Receiver::new(|_| Some(204)).await;
        let street = Receiver::new(|_| Some(200)).await;
        let grid = Receiver::new(|_| Some(200)).await;
        let hooks = [
            all.webhook(json!({})),
            street.webhook(json!({ "name": "street", "area": "s1" })),
            grid.webhook(json!({ "name": "grid", "area": "g2", "changes": ["placed", "redrawn"] })),
        ];
        let running = serve(&place, &hooks).await;
        a_day(&running.url()).await;
        let beside = place.store().await;
        let (head, next) = bent(&beside, 1).await;
        beside.publish(publication("responsibility", Some(head), next)).await.unwrap();
        let came = all.until(|came| came.len() >= DAY.len()).await;
        until_told(&running.url()).await;
        assert_eq!(whats(&came), DAY);
        let assigned = &came[3].body["data"];
        assert_eq!((&assigned["step"]["worker"], &assigned["step"]["to"]), (&json!("w1"), &json!("dispatched")));
        assert_eq!(assigned["event"]["owners"][0]["code"], "g1");
        assert_eq!(
            [&came[8].body["data"]["ruling"]["from"], &came[8].body["data"]["ruling"]["to"]],
            [&json!("g2"), &json!("g1")]
        );
        assert_eq!(whats(&street.came()), [("event.owned", "a"), ("event.placed", "a")]);
        assert_eq!(whats(&grid.came()), [("event.placed", "a"), ("event.redrawn", "a")]);

        let listed = ask(&running.url(), "webhooks").await;
        let shown = listed["webhooks"][0]["url"].as_str().unwrap();
        assert!(shown.ends_with("/in") && !listed.to_string().contains("whsec"), "{listed}");
        let figures = reqwest::get(format!("{}metrics", running.url())).await.unwrap().text().await.unwrap();
        for figure in [
            "gridatlas_webhook_lag_seconds{webhook=\"street\"}",
            "gridatlas_webhook_lag_changes{webhook=\"desk\"}",
            "gridatlas_webhook_deliveries_total{webhook=\"desk\",result=\"taken\"}",
        ] {
            assert!(figures.contains(figure), "{figure} in\n{figures}");
        }
        beside.close().await;
        running.stop().await;
    });
}

#[test]
fn nothing_is_lost_while_nobody_is_there_nor_by_a_restart_meanwhile() {
    in_both(|place| async move {
        city(&place).await;
        let mut receiver = Receiver::new(|_| Some(200)).await;
        let hook = [receiver.webhook(json!({ "attempts": 1 }))];
        let running = serve(&place, &hook).await;
        receiver.go().await;
        for i in 0..6 {
            file(&running.url(), &format!("before {i}"), (i, 0)).await;
        }
        let lag = ask(&running.url(), "webhooks").await["webhooks"][0].take();
        assert!(lag["behind"] == 6 && lag["lag_s"].as_f64().unwrap() > 0.0, "{lag}");
        running.stop().await;
        let running = serve(&place, &hook).await;
        for i in 0..6 {
            file(&running.url(), &format!("after {i}"), (i, 1)).await;
        }
        // Who says that they are not there now is not there; nothing is given up for that.
        receiver.serve(|_| Some(503)).await;
        receiver.until(|came| came.len() >= 3).await;
        receiver.go().await;
        let told = receiver.came();
        assert!(told.iter().all(|came| came.id == told[0].id), "{:?}", whats(&told));
        receiver.came.lock().unwrap().clear();
        receiver.serve(|_| Some(200)).await;
        let came = receiver.until(|came| came.len() >= 12).await;
        until_told(&running.url()).await;
        let ids: Vec<String> =
            ["before", "after"].iter().flat_map(|when| (0..6).map(move |i| format!("{when} {i}"))).collect();
        let expected: Vec<(&str, &str)> = ids.iter().map(|id| ("event.filed", &**id)).collect();
        assert_eq!(whats(&came), expected);
        assert_eq!(ask(&running.url(), "webhooks/desk/dead").await["dead"], json!([]));
        running.stop().await;
    });
}

#[test]
fn what_is_refused_again_and_again_is_given_up_kept_and_told_again_when_asked() {
    in_both(|place| async move {
        city(&place).await;
        let is_bad = |body: &Value| body["type"] == "event.filed" && body["data"]["event"]["id"] == "bad";
        let mut receiver = Receiver::new(move |body| Some(if is_bad(body) { 500 } else { 200 })).await;
        let running = serve(&place, &[receiver.webhook(json!({}))]).await;
        let url = running.url();
        file(&url, "bad", (0, 0)).await;
        done(&url, "events/bad/steps", json!({ "to": "filed", "actor": "desk" })).await;
        file(&url, "good", (1, 0)).await;
        let came = receiver.until(|came| came.len() >= 5).await;
        until_told(&url).await;
        let bad: Vec<&Came> = came.iter().filter(|came| came.what() == ("event.filed", "bad")).collect();
        assert!(bad.len() == 3 && bad.iter().all(|came| came.id == bad[0].id), "{:?}", whats(&came));
        // What came after it of the same event waited for it; the others did not.
        assert_eq!(came.last().unwrap().what(), ("event.stepped", "bad"), "{:?}", whats(&came));
        assert!(came.iter().any(|came| came.what() == ("event.filed", "good")));

        let dead = ask(&url, "webhooks/desk/dead?limit=1").await;
        let one = &dead["dead"][0];
        assert_eq!(
            (&one["id"], &one["attempts"], &one["event"]),
            (&json!(bad[0].id), &json!(3), &json!("bad")),
            "{dead}"
        );
        assert!(one["error"].as_str().unwrap().starts_with("500") && one["what"] == "event.filed", "{dead}");
        assert_eq!(ask(&url, &format!("webhooks/desk/dead?cursor={}", dead["next"])).await["dead"], json!([]));
        let retry = |name: &str, id: &str| format!("webhooks/{name}/dead/{id}/retry");
        for (path, code) in [
            (retry("desk", "nothing-1"), "unknown_delivery"),
            (retry("desk", &came[4].id), "unknown_delivery"),
            (retry("nobody", &bad[0].id), "unknown_webhook"),
        ] {
            let (status, said) = send(&url, &path, &json!({})).await;
            assert_eq!((status, &said["code"]), (404, &json!(code)), "{path}");
        }

        receiver.serve(|_| Some(200)).await;
        let (status, said) = send(&url, &retry("desk", &bad[0].id), &json!({})).await;
        assert_eq!((status, &said["id"]), (202, &json!(bad[0].id)));
        let came = receiver.until(|came| came.len() >= 6).await;
        until_told(&url).await;
        assert_eq!((came[5].what(), &came[5].id), (("event.filed", "bad"), &bad[0].id));
        assert_eq!(ask(&url, "webhooks/desk/dead").await["dead"], json!([]));
        running.stop().await;
    });
}

#[test]
fn of_two_services_over_one_store_one_tells_and_the_other_goes_on_when_it_ends() {
    in_both(|place| async move {
        city(&place).await;
        let receiver = Receiver::new(|_| Some(200)).await;
        let hook = [receiver.webhook(json!({ "lease_s": 600 }))];
        let first = serve(&place, &hook).await;
        let second = serve(&place, &hook).await;
        for i in 0..10 {
            file(&if i % 2 == 0 { &first } else { &second }.url(), &i.to_string(), (i % 6, i % 4)).await;
        }
        receiver.until(|came| came.len() >= 10).await;
        until_told(&second.url()).await;
        let holder = ask(&second.url(), "webhooks").await["webhooks"][0]["told_by"].take();
        first.stop().await;
        for i in 10..15 {
            file(&second.url(), &i.to_string(), (i % 6, i % 4)).await;
        }
        let came = receiver.until(|came| came.len() >= 15).await;
        until_told(&second.url()).await;
        let ids: Vec<String> = (0..15).map(|i| i.to_string()).collect();
        assert_eq!(came.iter().map(|came| came.what().1).collect::<Vec<_>>(), ids);
        assert_ne!(ask(&second.url(), "webhooks").await["webhooks"][0]["told_by"], holder);
        second.stop().await;
    });
}

/// A service of the built program, its address, and what it said before.
fn run(place: &Place, config: &std::path::Path) -> (Child, String, Vec<String>) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
        .args(["serve", "--listen", "127.0.0.1:0", "--store", place.location(), "--config", config.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    let url = lines.find_map(|line| {
        let line = line.unwrap();
        let url = line.strip_prefix("listening on ").map(str::to_owned);
        said.push(line);
        url
    });
    // Whatever else it says is taken from it until it ends.
    std::thread::spawn(move || lines.for_each(drop));
    (service, url.unwrap_or_else(|| panic!("it did not start: {said:?}")), said)
}

#[test]
fn what_was_told_and_not_written_down_before_a_kill_is_told_again_under_the_same_id() {
    in_both(|place| async move {
        city(&place).await;
        // It takes the message and never says so: the service is killed in between.
        let mut receiver = Receiver::new(|_| None).await;
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("city.json");
        let hook = receiver.webhook(json!({ "timeout_s": 1, "lease_s": 2, "attempts": 1000 }));
        std::fs::write(&config, json!({ "webhooks": [hook] }).to_string()).unwrap();
        let (mut service, url, said) = run(&place, &config);
        assert!(
            said.iter().any(|line| line.starts_with("webhook desk: tells ") && !line.contains("hidden")),
            "{said:?}"
        );
        until_all(&url, |webhook| webhook["told_by"].is_string()).await;
        file(&url, "a", (0, 0)).await;
        let before = receiver.until(|came| !came.is_empty()).await;
        service.kill().unwrap();
        service.wait().unwrap();

        receiver.came.lock().unwrap().clear();
        receiver.serve(|_| Some(200)).await;
        let (mut service, url, _) = run(&place, &config);
        file(&url, "b", (1, 0)).await;
        let came = receiver.until(|came| came.len() >= 2).await;
        until_told(&url).await;
        assert_eq!(came[0].id, before[0].id);
        let mut whats = whats(&came);
        whats.sort_unstable();
        assert_eq!(whats, [("event.filed", "a"), ("event.filed", "b")]);
        service.kill().unwrap();
        service.wait().unwrap();
    });
}

#[test]
fn old_events_that_are_brought_in_are_not_told_where_only_new_ones_are_wanted() {
    in_both(|place| async move {
        city(&place).await;
        let receiver = Receiver::new(|_| Some(200)).await;
        let running = serve(&place, &[receiver.webhook(json!({ "filed_within_days": 1 }))]).await;
        let url = running.url();
        let p = at(500, 500);
        let old = json!({ "source": "hotline", "id": "old", "time": "2024-05-01T08:00:00Z", "type": "noise",
            "lon": p.lon(), "lat": p.lat() });
        done(&url, "events", old).await;
        file(&url, "new", (0, 0)).await;
        done(&url, "events/old/steps", json!({ "to": "filed", "actor": "desk" })).await;
        let came = receiver.until(|came| came.len() >= 2).await;
        until_told(&url).await;
        assert_eq!(whats(&came), [("event.filed", "new"), ("event.stepped", "old")]);
        running.stop().await;
    });
}

#[test]
fn a_log_that_lost_or_made_up_something_is_found_out() {
    in_a_file(|place| async move {
        city(&place).await;
        let running = serve(&place, &[]).await;
        a_day(&running.url()).await;
        running.stop().await;
        let store = place.store().await;
        assert_eq!(store.check(None).await.unwrap().defects, []);
        for (damage, count) in [
            ("delete from event_log where seq = 2", 2),
            ("insert into event_log values (2, 2, 0, 0, 0), (9, 1, 1, 77, 0)", 1),
            ("update event_log set event = 900 where seq = 8", 3),
        ] {
            let mut raw = sqlx::SqliteConnection::connect(place.location()).await.unwrap();
            raw.execute(damage).await.unwrap();
            raw.close().await.unwrap();
            let defects = store.check(None).await.unwrap().defects;
            assert!(defects.len() == count && defects.iter().all(|d| d.kind == "log"), "{damage}: {defects:?}");
        }
        store.close().await;
    });
}

/// The id, name and data of the first messages of the feed.
async fn listen(url: &str, query: &str, last: Option<&str>, count: usize) -> Vec<[String; 3]> {
    let mut request = reqwest::Client::new().get(format!("{url}changes?only=event{query}"));
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let mut answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{query}");
    let mut bytes = Vec::new();
    let reading = async {
        while bytes.windows(2).filter(|end| end == b"\n\n").count() < count {
            bytes.extend_from_slice(&answer.chunk().await.unwrap().unwrap());
        }
    };
    let is_whole = tokio::time::timeout(Duration::from_secs(60), reading).await.is_ok();
    let text = String::from_utf8_lossy(&bytes);
    assert!(is_whole, "only this came: {text}");
    let member =
        |one: &str, name: &str| one.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    text.split("\n\n").take(count).map(|one| ["id:", "event:", "data:"].map(|name| member(one, name))).collect()
}

#[test]
fn the_feed_of_events_goes_on_where_it_was_left_over_a_restart() {
    in_both(|place| async move {
        city(&place).await;
        let running = serve(&place, &[]).await;
        let url = running.url();
        let waiting = tokio::spawn({
            let url = url.clone();
            async move { listen(&url, "&since=0", None, 4).await }
        });
        a_day(&url).await;
        let first = waiting.await.unwrap();
        let names: Vec<&str> = first.iter().map(|[_, name, _]| &**name).collect();
        assert_eq!(names, ["position", "event", "event", "event"]);
        assert_eq!((&*first[0][2], &*first[3][0]), ("{\"since\":0}", "e3"));
        running.stop().await;

        let running = serve(&place, &[]).await;
        let url = running.url();
        let rest = listen(&url, "", Some("e3"), 6).await;
        let types: Vec<Value> =
            rest.iter().skip(1).map(|[.., data]| serde_json::from_str::<Value>(data).unwrap()["type"].take()).collect();
        assert_eq!(types, DAY[3..8].iter().map(|(name, _)| json!(name)).collect::<Vec<_>>());
        assert_eq!(rest[1][1], "assignment");
        let street = listen(&url, "&since=0&within=s1", None, 3).await;
        let ids: Vec<&str> = street.iter().map(|[id, ..]| &**id).collect();
        assert_eq!(ids, ["e0", "e6", "e8"]);
        // A place that this log never came to is one of another.
        assert_eq!(listen(&url, "&since=999", None, 1).await[0][..2], ["e8", "reset"]);
        for (query, code) in [
            ("?only=tiles", "bad_parameter"),
            ("?since=3", "bad_parameter"),
            ("?only=event&within=nowhere", "unknown_area"),
            ("?only=event&within=g1&coverage=police", "unknown_coverage"),
        ] {
            let said: Value = reqwest::get(format!("{url}changes{query}")).await.unwrap().json().await.unwrap();
            assert_eq!(said["code"], code, "{query}");
        }
        running.stop().await;
    });
}
