//! Events on the wire: one by one, by the batch, by the stream; what is wrong with one of
//! them; and what is done with them.

use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json as j};

use super::stored::{Kept, serve};
use super::{get, post, problem};

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn event(id: &str, lon: f64) -> Json {
    j!({"source": "12345热线", "id": id, "time": now(), "type": "噪音", "lon": lon, "lat": 36.1, "description": "半夜施工"})
}

async fn read(answer: reqwest::Response, status: u16) -> Json {
    let got = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_answers_who_owns_it_once() {
    let kept = Kept::new().await;
    let e = event("e/1", 120.0505);
    let send = |body: &Json| post(&kept.city, "events", "application/json", body.to_string()).send();
    let answer = send(&e).await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "private, no-cache");
    let tag = answer.headers()["etag"].clone();
    let place = answer.headers()["location"].to_str().unwrap().trim_start_matches('/').to_owned();
    let made = read(answer, 201).await;
    assert_eq!(
        (&made["owners"][0]["code"], &made["building"], &made["state"]),
        (&j!("g1"), &j!("b1"), &j!("collected"))
    );
    assert_eq!(
        made["owners"][0]["chain"],
        j!([{"level": "town", "code": "t", "name": "名 t"}, {"level": "grid", "code": "g1", "name": "名 g1"}])
    );
    let again = send(&e).await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    let mut other = e.clone();
    other["lat"] = 36.05.into();
    let (status, said) = problem(post(&kept.city, "events", "application/json", other.to_string())).await;
    assert_eq!((status, &said["code"]), (409, &j!("conflict")));

    let same = get(&kept.city, &place).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    // After a restart it is there as it was, and the map shows it.
    kept.city.stop().await;
    let city = serve(&kept.folder).await;
    let found = read(get(&city, &place).send().await.unwrap(), 200).await;
    assert_eq!((&found["description"], &found["owners"]), (&made["description"], &made["owners"]));
    let tile = get(&city, "tiles/event/14/13656/6429").send().await.unwrap();
    assert!(tile.status() == StatusCode::OK || tile.status() == StatusCode::NO_CONTENT);
    let shown = read(get(&city, "layers/event/features?within=g1").send().await.unwrap(), 200).await;
    assert_eq!(shown["features"][0]["properties"]["type"], "噪音");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_event_changes_nothing_for_the_others() {
    let kept = Kept::new().await;
    let with = |id: &str, member: &str, value: Json| {
        let mut event = event(id, 120.05);
        event[member] = value;
        event
    };
    let many: serde_json::Map<String, Json> = (0..1000).map(|i| (format!("tag{i}"), j!(i))).collect();
    let mut far = event("far", 120.05);
    far["lon"] = 500.0.into();
    let mut nowhere = event("nowhere", 120.05);
    nowhere.as_object_mut().unwrap().retain(|name, _| name != "lon" && name != "lat");
    let cases = [
        (event("good", 120.05), "accepted", ""),
        (with("future", "time", j!("2999-01-01T00:00:00Z")), "rejected", "bad_time"),
        (with("ancient", "time", j!("1850-01-01T00:00:00Z")), "rejected", "bad_time"),
        (with("dateless", "time", j!("yesterday")), "rejected", "bad_time"),
        (with("note", "description", j!("长".repeat(2_000_000))), "rejected", "event_too_large"),
        (with("tags", "attributes", Json::Object(many)), "rejected", "event_too_large"),
        (with("crs", "crs", j!("mars")), "rejected", "unknown_crs"),
        (far, "rejected", "bad_position"),
        (nowhere, "rejected", "unknown_place"),
        (with("state", "steps", j!([{"to": "rated", "time": now(), "actor": "x"}])), "rejected", "step_refused"),
        (with("misspelt", "acuracy_m", j!(5)), "rejected", "bad_body"),
        (with("slash", "source", j!("a/b")), "rejected", "bad_body"),
        (with("nothing", "type", j!("")), "rejected", "bad_body"),
        (j!([1, 2]), "rejected", "bad_body"),
        (with("link", "attributes", j!({"photo": "http://127.0.0.1:1/secret"})), "accepted", ""),
        (event("good", 120.05), "conflict", "conflict"),
    ];
    let lines: Vec<String> = cases.iter().map(|(event, ..)| event.to_string()).collect();
    let check = |answer: &Json, more: usize| {
        for ((event, status, code), result) in cases.iter().zip(answer["results"].as_array().unwrap()) {
            assert_eq!(result["status"], *status, "{result}");
            assert_eq!(result["problem"]["code"].as_str().unwrap_or_default(), *code, "{result}");
            // What is too large is not read.
            if *code != "event_too_large" {
                assert_eq!(result["id"], event.get("id").cloned().unwrap_or_default());
            }
        }
        assert_eq!(answer["results"].as_array().unwrap().len(), cases.len() + more);
    };
    let array = format!("[{}]", lines.join(","));
    let answer = read(post(&kept.city, "events", "application/json", array.clone()).send().await.unwrap(), 200).await;
    check(&answer, 0);
    assert_eq!([&answer["accepted"], &answer["duplicate"], &answer["conflict"], &answer["rejected"]], [2, 0, 1, 13]);

    // The same by the stream, with a line that is no text between.
    let mut stream = lines.join("\n").into_bytes();
    stream.extend_from_slice(b"\n\n{\"source\": \"\xff\"}\n{\"source\": \"x\", \"id\"");
    let kept = Kept::new().await;
    let answer = post(&kept.city, "events", "application/x-ndjson", stream).send().await.unwrap();
    let answer = read(answer, 200).await;
    check(&answer, 2);
    assert_eq!([&answer["accepted"], &answer["rejected"]], [2, 15]);
    let all = read(get(&kept.city, "events").send().await.unwrap(), 200).await;
    assert_eq!(all["events"].as_array().unwrap().len(), 2);
    let (status, said) = problem(post(&kept.city, "events", "application/json", cases[1].0.to_string())).await;
    assert_eq!((status, &said["code"]), (422, &j!("bad_time")));
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_many_batches_is_answered_in_its_order() {
    let kept = Kept::new().await;
    let lines: String =
        (0..5_500).map(|i| event(&format!("{i}"), 120.0 + f64::from(i) * 1e-5).to_string() + "\n").collect();
    let answer = post(&kept.city, "events", "application/x-ndjson", lines).send().await.unwrap();
    let answer = read(answer, 200).await;
    assert_eq!(answer["accepted"], 5_500);
    let ids: Vec<_> = answer["results"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids, (0..5_500).map(|i| i.to_string()).collect::<Vec<_>>());
    let first = read(get(&kept.city, "events?limit=3").send().await.unwrap(), 200).await;
    let next = first["next"].as_str().unwrap();
    let second = read(get(&kept.city, &format!("events?limit=3&cursor={next}")).send().await.unwrap(), 200).await;
    let ids = |page: &Json| page["events"].as_array().unwrap().iter().map(|e| e["id"].clone()).collect::<Vec<_>>();
    assert_eq!([ids(&first), ids(&second)], [["5499", "5498", "5497"], ["5496", "5495", "5494"]]);
    for (query, parameter) in [
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("state=lost", "state"),
        ("owned=later", "owned"),
        ("from=soon", "from"),
        ("within=g99", "within"),
    ] {
        let (_, said) = problem(get(&kept.city, &format!("events?{query}"))).await;
        assert_eq!(said["parameter"], parameter, "{said}");
    }
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_pins_and_disputes_are_kept_with_what_was_before() {
    let kept = Kept::new().await;
    let sent = event("e1", 120.05);
    read(post(&kept.city, "events", "application/json", sent.to_string()).send().await.unwrap(), 201).await;
    let send = |what: &str, body: Json| kept.send(Method::POST, &format!("events/e1/{what}")).json(&body);

    let (status, said) = problem(send("steps", j!({"to": "closed", "actor": "李", "role": "inspector"}))).await;
    assert_eq!((status, &said["code"]), (422, &j!("step_refused")));
    assert!(said["detail"].as_str().unwrap().starts_with("impossible_step"), "{said}");
    assert_eq!(problem(send("steps", j!({"to": "filed", "actor": "李", "role": "volunteer"}))).await.0, 422);
    let time = now();
    let filed = j!({"to": "filed", "time": time, "actor": "李", "role": "operator", "note": "属实"});
    let answer = read(send("steps", filed.clone()).send().await.unwrap(), 201).await;
    assert_eq!((&answer["state"], &answer["steps"][0]["from"]), (&j!("filed"), &j!("collected")));
    // Sent again, it has one effect.
    let answer = read(send("steps", filed).send().await.unwrap(), 201).await;
    assert_eq!(answer["steps"].as_array().unwrap().len(), 1);
    let stale = send("steps", j!({"to": "dispatched", "actor": "李"})).header("if-match", "\"old\"");
    assert_eq!(problem(stale).await.0, 412);

    let pin = j!({"lon": 120.15, "lat": 36.1, "reason": "照片", "actor": "王"});
    let moved = read(send("place", pin).send().await.unwrap(), 200).await;
    assert_eq!((&moved["owners"][0]["code"], &moved["owners"][0]["filed"]["code"]), (&j!("g2"), &j!("g1")));
    let ruling = &moved["rulings"][0];
    assert_eq!([&ruling["kind"], &ruling["from"], &ruling["to"], &ruling["actor"]], ["place", "g1", "g2", "王"]);
    assert_eq!(ruling["point"], j!([120.05, 36.1]));
    let settled = j!({"code": "g1", "reason": "协商", "actor": "赵"});
    let settled = read(send("owner", settled).send().await.unwrap(), 200).await;
    assert_eq!((&settled["owners"][0]["code"], &settled["owners"][0]["settled"]), (&j!("g1"), &j!(true)));
    assert_eq!(settled["rulings"].as_array().unwrap().len(), 2);
    let (status, said) = problem(send("owner", j!({"code": "g9", "reason": "r", "actor": "a"}))).await;
    assert_eq!((status, &said["code"]), (422, &j!("unknown_place")));
    assert_eq!(problem(kept.send(Method::POST, "events/e2/owner").json(&j!({}))).await.0, 404);

    // The way to its end, after which the map shows it no more.
    for to in ["dispatched", "handled", "fed_back", "closed"] {
        read(send("steps", j!({"to": to, "actor": "李"})).send().await.unwrap(), 201).await;
    }
    let shown = read(get(&kept.city, "layers/event/features").send().await.unwrap(), 200).await;
    assert_eq!(shown["features"], j!([]));
    let closed = read(get(&kept.city, "events?state=closed&within=g1").send().await.unwrap(), 200).await;
    assert_eq!(closed["events"][0]["steps"].as_array().unwrap().len(), 5);
    assert_eq!(closed["events"][0]["due"]["state"], "normal");
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_and_what_becomes_of_it_is_told_as_it_happens() {
    let kept = Kept::new().await;
    let mut feed = get(&kept.city, "changes").send().await.unwrap();
    let mut heard = String::new();
    let mut hear = async |wanted: &str| {
        while !heard.contains(wanted) {
            heard += std::str::from_utf8(&feed.chunk().await.unwrap().unwrap()).unwrap();
        }
    };
    for id in ["e1", "e2"] {
        read(post(&kept.city, "events", "application/json", event(id, 120.05).to_string()).send().await.unwrap(), 201)
            .await;
        hear(&format!("\"id\":\"{id}\"")).await;
    }
    let step = |to: &str, note: &str| {
        let body = j!({"to": to, "actor": "李", "note": note});
        kept.send(Method::POST, "events/e1/steps").json(&body).send()
    };
    read(step("filed", "").await.unwrap(), 201).await;
    hear("\"state\":\"filed\"").await;
    read(step("cancelled", "重复").await.unwrap(), 201).await;
    hear("\"open\":false").await;
    let told: Vec<Json> = heard
        .split("\n\n")
        .filter(|block| block.contains("event: event"))
        .map(|block| serde_json::from_str(block.split_once("data: ").unwrap().1).unwrap())
        .collect();
    let told: Vec<_> = told.iter().map(|e| (e["id"].as_str().unwrap(), &e["state"], &e["owners"][0]["code"])).collect();
    let (none, g1) = (Json::Null, j!("g1"));
    let [collected, filed] = [j!("collected"), j!("filed")];
    assert_eq!(told, [("e1", &collected, &g1), ("e2", &collected, &g1), ("e1", &filed, &g1), ("e1", &none, &none)]);
    kept.city.stop().await;
}
