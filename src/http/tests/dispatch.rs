//! Who gets what: an event in one worker's hand at a time, and many events to many workers.

use serde_json::{Value as Json, json as j};

use super::stored::Kept;
use super::{get, post, problem, worker};
use crate::store::Store;

async fn read(answer: reqwest::Response, status: u16) -> Json {
    let got = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A service with three workers: w1 and w2 on duty, w3 not.
async fn kept() -> Kept {
    let kept = Kept::new().await;
    let store = Store::open(&kept.folder.path().join("city.gpkg").display().to_string()).await.unwrap();
    let snapshot = store.load(None, jiff::Timestamp::now()).await.unwrap();
    for feature in [worker("w2", 120.12, 36.1, true), worker("w3", 120.051, 36.1, false)] {
        store.put_feature("worker", feature, &snapshot).await.unwrap();
    }
    store.close().await;
    for _ in 0..100 {
        let near = get(&kept.city, "workers/nearest?lon=120.05&lat=36.1").send().await.unwrap();
        if read(near, 200).await.as_array().unwrap().len() == 3 {
            return kept;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the service never saw the workers");
}

async fn file(kept: &Kept, id: &str, lon: f64) {
    let time = jiff::Timestamp::now().to_string();
    let event = j!({"source": "12345", "id": id, "time": time, "type": "噪音", "lon": lon, "lat": 36.1});
    read(post(&kept.city, "events", "application/json", event.to_string()).send().await.unwrap(), 201).await;
}

fn assign(kept: &Kept, id: &str, worker: &str) -> reqwest::RequestBuilder {
    let body = j!({"worker": worker, "actor": "desk 3", "note": "please"});
    post(&kept.city, &format!("events/{id}/assign"), "application/json", body.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_in_one_workers_hand_at_a_time() {
    let kept = kept().await;
    file(&kept, "e1", 120.05).await;
    let (status, said) = problem(assign(&kept, "e1", "nobody")).await;
    assert_eq!((status, &said["code"]), (422, &j!("unknown_worker")));

    // What bars the way is said, not that it leads through another state.
    for (more, why) in
        [(j!({"time": "2020-01-01T00:00:00Z"}), "earlier_than_last"), (j!({"role": "clown"}), "wrong_role")]
    {
        let mut body = j!({"worker": "w1", "actor": "desk 3"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let asked = post(&kept.city, "events/e1/assign", "application/json", body.to_string());
        let (status, said) = problem(asked).await;
        assert_eq!((status, &said["code"]), (422, &j!("step_refused")));
        assert!(said["detail"].as_str().unwrap().starts_with(why), "{said}");
    }

    let given = read(assign(&kept, "e1", "w1").send().await.unwrap(), 201).await;
    assert_eq!((&given["state"], &given["worker"]), (&j!("dispatched"), &j!("w1")));
    let steps: Vec<_> = given["steps"].as_array().unwrap().iter().map(|s| s["to"].clone()).collect();
    assert_eq!(steps, [j!("filed"), j!("dispatched")], "who is given an event is given one that is filed");
    // The same again has one effect; somebody else doesn't get it.
    let again = read(assign(&kept, "e1", "w1").send().await.unwrap(), 200).await;
    assert_eq!(again["steps"], given["steps"]);
    let (status, said) = problem(assign(&kept, "e1", "w2")).await;
    assert_eq!((status, &said["code"]), (409, &j!("assigned")));
    assert!(said["detail"].as_str().unwrap().contains("w1") && said["possible"].is_array(), "{said}");

    // What came back may go to somebody else; what is done goes to nobody.
    let step = |to: &str| j!({"to": to, "actor": "w1", "note": "not mine"}).to_string();
    let back = post(&kept.city, "events/e1/steps", "application/json", step("returned"));
    read(back.send().await.unwrap(), 201).await;
    let given = read(assign(&kept, "e1", "w2").send().await.unwrap(), 201).await;
    assert_eq!((&given["worker"], given["steps"].as_array().unwrap().len()), (&j!("w2"), 4));
    let done = post(&kept.city, "events/e1/steps", "application/json", step("cancelled"));
    read(done.send().await.unwrap(), 201).await;
    let (status, said) = problem(assign(&kept, "e1", "w1")).await;
    assert_eq!((status, &said["code"]), (422, &j!("step_refused")));
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_assign_an_event_at_once_one_does() {
    let kept = kept().await;
    for round in 0..6 {
        let id = format!("e{round}");
        file(&kept, &id, 120.05).await;
        let asked = ["w1", "w2", "w3", "w1", "w2", "w3"].map(|worker| (worker, assign(&kept, &id, worker)));
        let asked = asked.map(|(worker, request)| tokio::spawn(async move { (worker, request.send().await.unwrap()) }));
        let mut said = Vec::new();
        for one in asked {
            let (worker, answer) = one.await.unwrap();
            said.push((worker, answer.status().as_u16()));
        }
        let event = read(get(&kept.city, &format!("events/{id}")).send().await.unwrap(), 200).await;
        let won = event["worker"].as_str().unwrap();
        assert_eq!(said.iter().filter(|(_, status)| *status == 201).count(), 1, "{said:?}");
        assert!(
            said.iter().all(|(worker, status)| if *worker == won { *status < 300 } else { *status == 409 }),
            "{said:?}"
        );
        assert_eq!(event["steps"].as_array().unwrap().len(), 2);
    }
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_the_least_of_all_ways_and_says_who_gets_nothing() {
    let kept = kept().await;
    // w1 stands at 120.05, w2 at 120.12: the first event is nearer to w1, the second has w1 nearest, too.
    for (id, lon) in [("a", 120.06), ("b", 120.04), ("c", 120.05), ("d", 120.05)] {
        file(&kept, id, lon).await;
    }
    read(assign(&kept, "d", "w3").send().await.unwrap(), 201).await;
    let ask = |more: Json| {
        let named = ["a", "b", "c", "d"].map(|id| j!({"id": id}));
        let mut body = j!({"events": named});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post(&kept.city, "dispatch/propose", "application/json", body.to_string())
    };
    let plan = read(ask(j!({"max_load": 1})).send().await.unwrap(), 200).await;
    let given: Vec<_> = plan["proposals"].as_array().unwrap().iter().map(|p| (&p["id"], &p["worker"]["id"])).collect();
    assert_eq!(given, [(&j!("a"), &j!("w2")), (&j!("c"), &j!("w1"))], "{plan}");
    let reasons: Vec<_> = plan["unassigned"].as_array().unwrap().iter().map(|p| (&p["id"], &p["reason"])).collect();
    assert_eq!(reasons, [(&j!("d"), &j!("assigned")), (&j!("b"), &j!("nobody"))], "{plan}");
    let plan = read(ask(j!({})).send().await.unwrap(), 200).await;
    assert!(plan["proposals"].as_array().unwrap().iter().all(|p| p["worker"]["id"] == "w1"), "{plan}");
    let many: Vec<Json> = (0..201).map(|i| j!({"id": i.to_string()})).collect();
    let plan = read(ask(j!({"max_load": 0})).send().await.unwrap(), 200).await;
    assert_eq!(plan["proposals"], j!([]));
    for (more, status, code) in [
        (j!({"events": [{"id": "a"}, {"id": "a"}]}), 400, "bad_body"),
        (j!({"events": [{"id": "no"}]}), 404, "unknown_event"),
        (j!({"events": many}), 413, "too_many_items"),
        (j!({"load_m": -1.0}), 400, "bad_body"),
        (j!({"within": "nope"}), 404, "unknown_area"),
        (j!({"colour": "red"}), 400, "bad_body"),
    ] {
        let (got, said) = problem(ask(more)).await;
        assert_eq!((got, &said["code"]), (status, &j!(code)), "{said}");
    }
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_passed_over_is_told_with_what_he_is_not() {
    let kept = kept().await;
    let near = |query: &str| get(&kept.city, &format!("workers/nearest?lon=120.13&lat=36.1&k=1&passed=true{query}"));
    let told = read(near("&on_duty=false").send().await.unwrap(), 200).await;
    assert_eq!(told["chosen"][0]["id"], "w3");
    let passed: Vec<_> = told["passed"].as_array().unwrap().iter().map(|p| (&p["id"], &p["why"])).collect();
    assert_eq!(passed, [(&j!("w2"), &j!(["on_duty"]))]);
    let told = read(near("&skill=diving&max_distance_m=100").send().await.unwrap(), 200).await;
    assert_eq!((&told["chosen"], told["passed"].as_array().unwrap().len()), (&j!([]), 3));
    assert_eq!(told["passed"][0]["why"], j!(["skill", "max_distance_m"]));
    // A grid's own come first, then those of the grid beside it, whoever is nearer.
    let told = read(near("&order=grid_first&on_duty=true").send().await.unwrap(), 200).await;
    assert_eq!((&told["chosen"][0]["id"], &told["chosen"][0]["why"]), (&j!("w2"), &j!("own_grid")));
    let all = get(&kept.city, "workers/nearest?lon=120.05&lat=36.1&order=grid_first");
    let all = read(all.send().await.unwrap(), 200).await;
    let why: Vec<_> = all.as_array().unwrap().iter().map(|w| (&w["id"], &w["why"])).collect();
    let (own, beside) = (j!("own_grid"), j!("neighbour_grid"));
    assert_eq!(why, [(&j!("w1"), &own), (&j!("w3"), &own), (&j!("w2"), &beside)]);
    kept.city.stop().await;
}
