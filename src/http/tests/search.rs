//! Searching on the wire.

use serde_json::{Value as Json, json as j};

use super::super::Config;
use super::{get, json, problem, serve};

#[tokio::test]
async fn things_and_places_are_found_and_say_what_they_are() {
    let city = serve(Config::default()).await;
    let found = json(&city, "search?q=g1").await;
    assert_eq!(found["total"], 1);
    let area = &found["results"][0];
    assert_eq!((&area["kind"], &area["code"], &area["match"]), (&j!("area"), &j!("g1"), &j!("code")));
    assert_eq!((&area["parent"]["code"], &area["bbox"]), (&j!("t"), &j!([120.0, 36.0, 120.1, 36.2])));
    let found = json(&city, "search?q=%E6%A5%BC&limit=1").await;
    assert_eq!((&found["total"], found["results"].as_array().unwrap().len()), (&j!(2), 1));
    let building = &found["results"][0];
    assert_eq!(
        (&building["kind"], &building["id"], &building["owners"][0]["code"]),
        (&j!("building"), &j!("b1"), &j!("g1"))
    );

    let found = json(&city, "search?q=36.1N%20120.0505E").await;
    let told = |found: &Json| -> Vec<Json> {
        found["results"].as_array().unwrap().iter().map(|r| j!([r["crs"], r["crs_is"]])).collect()
    };
    assert_eq!(told(&found), [j!(["wgs84", "assumed"]), j!(["gcj02", "alternative"]), j!(["bd09", "alternative"])]);
    assert_eq!(found["results"][0]["point"], j!([120.0505, 36.1]));
    assert_eq!(found["results"][0]["owners"][0]["code"], "g1");
    let [lon, lat] = crate::crs::Crs::Gcj02.from_wgs84([120.1002, 36.1]).unwrap();
    let found = json(&city, &format!("search?q={lon},{lat}&crs=gcj02")).await;
    assert_eq!((told(&found), &found["results"][0]["point"]), (vec![j!(["gcj02", "given"])], &j!([120.1002, 36.1])));
    for (path, code) in [
        ("search", "missing_parameter"),
        ("search?q=", "bad_parameter"),
        ("search?q=x&limit=0", "bad_parameter"),
        ("search?q=x&limit=101", "bad_parameter"),
        ("search?q=1,2&crs=mars", "unknown_crs"),
        ("search?q=x&coverage=moon", "unknown_coverage"),
    ] {
        assert_eq!(problem(get(&city, path)).await.1["code"], code, "{path}");
    }
    assert_eq!(problem(get(&city, &format!("search?q={}", "x".repeat(101)))).await.0, 400);
    city.stop().await;
}
