//! Portraits on the wire.

use serde_json::{Value as Json, json as j};

use super::super::Config;
use super::stored::Kept;
use super::{get, json, post, problem, serve};

#[tokio::test]
async fn a_portrait_without_a_store_tells_what_stands_there() {
    let city = serve(Config::default()).await;
    let grid = json(&city, "areas/g1/portrait").await;
    assert_eq!((&grid["level"], &grid["revision"], &grid["events"]), (&j!("grid"), &j!(3), &Json::Null));
    assert_eq!(grid["people"]["households"], 12);
    assert_eq!(grid["place"]["buildings"], 1);
    assert_eq!(grid["place"]["neighbours"][0]["code"], "g2");
    assert_eq!(grid["workers"], j!({"total": 1, "on_duty": 1, "by_role": {"grid_worker": 1}}));
    let town = json(&city, "areas/t/portrait").await;
    assert_eq!((&town["people"]["households"], &town["workers"]["total"]), (&j!(24), &j!(2)));
    let map = json(&city, "portraits?level=grid&metric=households").await;
    assert_eq!(map["areas"][1], j!({"code": "g2", "name": "名 g2", "value": 12.0}));
    for (path, code) in [
        ("areas/nobody/portrait", "unknown_area"),
        ("areas/g1/portrait?from=2026-02-01&to=2026-01-01", "bad_parameter"),
        ("areas/g1/portrait?owned=later", "bad_parameter"),
        ("areas/g1/portrait?from=1990-01-01", "bad_parameter"),
        ("portraits?level=galaxy&metric=total", "unknown_level"),
        ("portraits?level=grid&metric=beauty", "bad_parameter"),
        ("portraits?level=grid&metric=total", "store_unavailable"),
    ] {
        assert_eq!(problem(get(&city, path)).await.1["code"], code, "{path}");
    }
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portrait_counts_what_happened_in_its_period() {
    let kept = Kept::new().await;
    let event = |id: &str, time: &str, lon: f64, steps: Json| j!({"source": "热线", "id": id, "time": time, "type": "noise", "lon": lon, "lat": 36.1, "steps": steps});
    let closed = |hours: u32| {
        let time = format!("2026-03-03T{:02}:00:00+08:00", 9 + hours);
        j!([{"to": "cancelled", "time": time, "actor": "x", "note": "nothing there"}])
    };
    let events = j!([
        event("a", "2026-03-03T09:00:00+08:00", 120.0505, closed(1)),
        event("b", "2026-03-03T09:00:00+08:00", 120.0505, closed(3)),
        event("c", "2026-03-03T23:59:59+08:00", 120.0505, j!([])),
        event("d", "2026-03-03T12:00:00+08:00", 120.15, j!([])),
        event("before", "2026-03-02T12:00:00+08:00", 120.0505, j!([])),
        event("after", "2026-03-04T00:00:00+08:00", 120.0505, j!([]))
    ]);
    let answer = post(&kept.city, "events", "application/json", events.to_string()).send().await.unwrap();
    assert_eq!(answer.json::<Json>().await.unwrap()["accepted"], 6);
    let portrait = |code: &str, more: &str| {
        let path = format!("areas/{code}/portrait?from=2026-03-03&to=2026-03-04{more}");
        let answer = get(&kept.city, &path).send();
        async move { answer.await.unwrap().json::<Json>().await.unwrap()["events"].clone() }
    };
    let grid = portrait("g1", "").await;
    assert_eq!((&grid["total"], &grid["open"], &grid["closed"]), (&j!(3), &j!(1), &j!(2)), "{grid}");
    assert_eq!(grid["closing_rate"], 0.666_667);
    assert_eq!((&grid["by_state"], &grid["by_type"]), (&j!({"cancelled": 2, "collected": 1}), &j!({"noise": 3})));
    assert_eq!(grid["series"], j!([{"day": "2026-03-03", "total": 3, "closed": 2}]));
    assert_eq!((&grid["by_hour"][9], &grid["by_hour"][23], &grid["by_hour"][12]), (&j!(2), &j!(1), &j!(0)));
    assert_eq!((&grid["median_close_s"], &grid["p90_close_s"]), (&j!(7200.0), &j!(10080.0)));
    // Two working hours to be filed are long over.
    assert_eq!((&grid["overdue"], &grid["near"]), (&j!(1), &j!(0)));
    assert_eq!(grid["repeated"][0]["count"], 3);
    assert_eq!((&grid["before"]["total"], &grid["change"]), (&j!(1), &j!(2.0)));
    assert_eq!(portrait("t", "&owned=then").await["total"], 4);
    for (metric, g1, g2) in [
        ("total", j!(3.0), j!(1.0)),
        ("open", j!(1.0), j!(1.0)),
        ("closing_rate", j!(0.666_667), j!(0.0)),
        ("overdue", j!(1.0), j!(1.0)),
        ("change", j!(2.0), Json::Null),
    ] {
        let path = format!("portraits?level=grid&metric={metric}&from=2026-03-03&to=2026-03-04");
        let map: Json = get(&kept.city, &path).send().await.unwrap().json().await.unwrap();
        assert_eq!((&map["areas"][0]["value"], &map["areas"][1]["value"]), (&g1, &g2), "{metric}");
    }
    kept.city.stop().await;
}
