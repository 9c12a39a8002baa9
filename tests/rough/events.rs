//! Events from files, and events while the service is killed: what was acknowledged is there
//! once, and nothing is half there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::city::{State, check, import_areas};
use super::places::Place;
use super::support::gridatlas;

#[test]
fn events_of_a_file_come_in_once_with_the_state_they_have_and_go_out_with_their_owners() {
    for place in Place::both() {
        gridatlas(import_areas(&State(0).areas(place.folder()), &place)).ended(0);
        let file = place.folder().join("events.csv");
        let rows = "id,type,time,state,state_time,urgency,lane,lon,lat\n\
            1,litter,2025-03-01T08:00:00+08:00,,,2,3,120.3055,36.0555\n\
            2,noise,2025-03-02T08:00:00+08:00,closed,2025-03-04T08:00:00+08:00,,,120.3105,36.0605\n\
            3,noise,2999-01-01T08:00:00+08:00,,,,,120.3105,36.0605\n\
            4,noise,2025-03-02T08:00:00+08:00,lost,,,,120.3105,36.0605\n\
            5,noise,2025-03-03T08:00:00+08:00,,,,,119.0,36.0605\n";
        std::fs::write(&file, rows).unwrap();
        let import = || {
            let args =
                ["import", "events", file.to_str().unwrap(), "--store", place.store(), "--source", "hotline", "--json"];
            gridatlas(args).ended(0).json()
        };
        let counts =
            |told: &Value| ["accepted", "duplicate", "conflict", "rejected"].map(|n| told[n].as_u64().unwrap());
        let first = import();
        assert_eq!(counts(&first), [3, 0, 0, 2]);
        let problems: Vec<&str> = first["problems"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        assert!(problems[0].contains("future") && problems[1].contains("lost"), "{problems:?}");
        assert_eq!(counts(&import()), [0, 3, 0, 2]);
        let out = place.folder().join("out.csv");
        let export = |more: &[&str]| {
            let args = ["export", "events", "--store", place.store(), "--out", out.to_str().unwrap()];
            gridatlas(args.iter().chain(more)).ended(0);
            let mut rows = csv::Reader::from_path(&out).unwrap();
            let all: Vec<BTreeMap<String, String>> = rows.deserialize().map(Result::unwrap).collect();
            all
        };
        let all = export(&[]);
        let told: Vec<_> = all
            .iter()
            .map(|e| ["id", "state", "open", "owner", "filed_owner"].map(|field| e[field].as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ["5", "collected", "true", "", ""],
                ["2", "closed", "false", "g1010", "g1010"],
                ["1", "collected", "true", "g0505", "g0505"]
            ]
        );
        assert_eq!(
            serde_json::from_str::<Value>(&all[2]["attributes"]).unwrap()["lane"].to_string().trim_matches('"'),
            "3"
        );
        assert_eq!(export(&["--within", "s10"]).len(), 1);
        assert_eq!(export(&["--from", "2025-03-02", "--to", "2025-03-03"]).len(), 1);
        check(&place);
    }
}

/// A service of the built program, and its address.
fn serve(place: &Place) -> (Child, String) {
    let mut service = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
        .args(["serve", "--listen", "127.0.0.1:0", "--store", place.store()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(service.stderr.take().unwrap()).lines();
    let url = said.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned)).unwrap();
    // Whatever else it says is taken from it until it ends.
    std::thread::spawn(move || said.for_each(drop));
    (service, url)
}

/// How often the service is killed.
fn rounds() -> usize {
    if std::env::var_os("GRIDATLAS_PROOF").is_some() { 200 } else { 6 }
}

#[test]
fn every_event_that_was_acknowledged_before_a_kill_is_there_once_and_no_other_is_half_there() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for place in Place::both() {
        gridatlas(import_areas(&State(0).areas(place.folder()), &place)).ended(0);
        runtime.block_on(kill_and_count(&place));
        check(&place);
    }
}

async fn kill_and_count(place: &Place) {
    let (seed, mut dice) = (20_261_124u64, 20_261_124u64);
    let mut next = move |below: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % below
    };
    let client = reqwest::Client::new();
    let (mut acknowledged, mut sent) = (BTreeSet::new(), 0u64);
    // What was sent last and not answered is sent again: a client can't know.
    let mut unanswered: Vec<Value> = Vec::new();
    let mut known = 0;
    for round in 0..rounds() {
        let (mut service, url) = serve(place);
        let pid = service.id();
        let after = Duration::from_millis(20 + next(250));
        // Every other time from the first answer on, so that on a slow machine as well there is
        // something to be lost; else from the start, so that the first batch is met too.
        let (begin, begun) = std::sync::mpsc::channel::<()>();
        let mut begin = (round % 2 == 0).then_some(begin);
        let killer = std::thread::spawn(move || {
            // It ends where the sender is dropped, which is at once in every other round.
            let _ = begun.recv_timeout(Duration::from_secs(60));
            std::thread::sleep(after);
            // The process is ours, and is waited for only after this.
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        });
        loop {
            let mut batch = std::mem::take(&mut unanswered);
            for _ in 0..1 + next(40) {
                sent += 1;
                batch.push(json!({"source": "app", "id": format!("{sent}"), "time": "2025-03-01T08:00:00+08:00",
                    "type": "noise", "lon": 120.301 + next(2200) as f64 * 1e-5, "lat": 36.051 + next(2200) as f64 * 1e-5}));
            }
            let lines: String = batch.iter().map(|event| event.to_string() + "\n").collect();
            let post = client.post(format!("{url}events")).header("content-type", "application/x-ndjson").body(lines);
            let answer = match post.send().await {
                Ok(answer) => answer.json::<Value>().await.ok(),
                Err(_) => None,
            };
            let Some(answer) = answer else {
                unanswered = batch;
                break;
            };
            assert_eq!(answer["conflict"].as_u64().unwrap() + answer["rejected"].as_u64().unwrap(), 0, "{answer}");
            known += answer["duplicate"].as_u64().unwrap();
            for result in answer["results"].as_array().unwrap() {
                acknowledged.insert(result["id"].as_str().unwrap().to_owned());
            }
            begin = None;
        }
        drop(begin);
        killer.join().unwrap();
        assert_eq!(service.wait().unwrap().code(), None, "round {round}: the service ended by itself");
    }
    let (mut service, url) = serve(place);
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(format!("{url}events?limit=1000{cursor}")).send().await.unwrap();
        let page: Value = page.json().await.unwrap();
        for event in page["events"].as_array().unwrap() {
            *found.entry(event["id"].as_str().unwrap().to_owned()).or_default() += 1;
            assert_eq!(event["owners"][0]["chain"].as_array().unwrap().len(), 2, "{event}");
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let _ = service.kill();
    let _ = service.wait();
    println!(
        "{}: seed {seed}, {} killed, {sent} sent, {} acknowledged, {} there, {known} had been filed unanswered",
        place.store(),
        rounds(),
        acknowledged.len(),
        found.len()
    );
    assert!(found.values().all(|times| *times == 1));
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !found.contains_key(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let waiting: BTreeSet<&str> = unanswered.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(found.keys().all(|id| acknowledged.contains(id) || waiting.contains(&**id)));
    assert!(acknowledged.len() > rounds());
}
