//! Places, areas, layers and workers: what a caller reads.

use reqwest::StatusCode;
use serde_json::{Value as Json, json as j};

use super::super::Config;
use super::{client, get, json, post, serve};

#[tokio::test]
async fn a_place_names_its_owner_in_every_coverage_its_building_and_its_point() {
    let city = serve(Config::default()).await;
    let answer = json(&city, "locate?lon=120.0505&lat=36.10050000004").await;
    assert_eq!(answer["revision"], 3);
    assert_eq!(answer["point"], j!([120.0505, 36.1005]));
    let codes: Vec<_> = answer["owners"].as_array().unwrap().iter().map(|o| (&o["coverage"], &o["code"])).collect();
    assert_eq!(codes, [(&j!("responsibility"), &j!("g1")), (&j!("cell"), &j!("c1"))]);
    assert_eq!(answer["owners"][0]["chain"][0], j!({"level": "town", "code": "t", "name": "名 t"}));
    assert_eq!(answer["building"]["id"], "b1");
    let one = json(&city, "locate?x=120.15&y=36.1&coverage=cell&crs=wgs84").await;
    assert_eq!(one["owners"].as_array().unwrap().len(), 1);
    assert_eq!(one["owners"][0]["code"], "c2");
    city.stop().await;
}

#[tokio::test]
async fn a_point_on_a_border_belongs_to_the_east_and_touches_both() {
    let city = serve(Config::default()).await;
    let answer = json(&city, "locate?lon=120.1&lat=36.1&coverage=responsibility").await;
    let owner = &answer["owners"][0];
    assert_eq!((&owner["code"], &owner["on_border"], &owner["border_distance_m"]), (&j!("g2"), &j!(true), &j!(0)));
    assert_eq!(owner["touching"], j!(["g1", "g2"]));
    city.stop().await;
}

#[tokio::test]
async fn a_position_in_another_datum_is_answered_in_wgs84() {
    let city = serve(Config::default()).await;
    let [lon, lat] = crate::crs::Crs::Gcj02.from_wgs84([120.1002, 36.1]).unwrap();
    let answer = json(&city, &format!("locate?lon={lon}&lat={lat}&crs=gcj02&coverage=responsibility")).await;
    assert_eq!(answer["point"], j!([120.1002, 36.1]));
    assert_eq!(answer["owners"][0]["code"], "g2");
    city.stop().await;
}

#[tokio::test]
async fn arrays_lines_and_tables_give_the_same_owners_in_order() {
    let city = serve(Config::default()).await;
    let places = [(120.05, 36.1, "g1"), (120.15, 36.1, "g2"), (0.0, 0.0, "")];
    let item = |(i, (lon, lat, _)): (usize, &(f64, f64, &str))| format!(r#"{{"lon":{lon},"lat":{lat},"id":{i}}}"#);
    let items: Vec<String> = places.iter().enumerate().map(item).collect();
    let expected: Vec<&str> = places.iter().map(|p| p.2).collect();

    let array = post(&city, "locate?detail=owner", "application/json", format!("[{}]", items.join(",")));
    let array: Json = array.send().await.unwrap().json().await.unwrap();
    let codes: Vec<_> = array.as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap_or("")).collect();
    assert_eq!(codes, expected);
    assert_eq!(array[1]["id"], 1);

    let lines = post(&city, "locate", "application/x-ndjson; charset=utf-8", items.join("\n")).send().await.unwrap();
    assert_eq!(lines.headers()["content-type"], "application/x-ndjson");
    let lines = lines.text().await.unwrap();
    let codes: Vec<Json> =
        lines.lines().map(|l| serde_json::from_str::<Json>(l).unwrap()["owners"][0]["code"].clone()).collect();
    assert_eq!(codes, [j!("g1"), j!("g2"), Json::Null]);

    let table: String = places.iter().map(|(lon, lat, _)| format!("{lon},{lat},\"a\"\n")).collect();
    let table = post(&city, "locate?coverage=cell", "text/csv", format!("lon,lat,note\n{table}")).send().await.unwrap();
    let table = table.text().await.unwrap();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let codes: Vec<String> = rows.records().map(|r| r.unwrap()[3].to_owned()).collect();
    assert_eq!(codes, ["c1", "c2", ""]);
    city.stop().await;
}

#[tokio::test]
async fn many_blocks_of_lines_come_back_whole_and_in_order_also_to_one_who_reads_late() {
    let city = serve(Config::default()).await;
    let n = 200_000;
    let lon = |i: i32| if i % 2 == 0 { 120.05 } else { 120.15 };
    let body: String = (0..n).map(|i| format!("{{\"lon\":{},\"lat\":36.1,\"id\":{i}}}\n", lon(i))).collect();
    let answer = post(&city, "locate?detail=owner", "application/x-ndjson", body).send().await.unwrap();
    // reqwest has sent all before it reads on.
    let answer = answer.text().await.unwrap();
    let mut count = 0;
    for (i, line) in answer.lines().enumerate() {
        let code = if i % 2 == 0 { "g1" } else { "g2" };
        assert!(
            line.starts_with(&format!("{{\"id\":{i},")) && line.contains(&format!("\"code\":\"{code}\"")),
            "{line}"
        );
        count += 1;
    }
    assert_eq!(count, n);
    city.stop().await;
}

#[tokio::test]
async fn a_packed_batch_is_read() {
    use std::io::Write as _;
    let city = serve(Config::default()).await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"{\"lon\":120.05,\"lat\":36.1}\n").unwrap();
    let request = post(&city, "locate?detail=owner", "application/x-ndjson", packed.finish().unwrap());
    let answer = request.header("content-encoding", "gzip").send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("\"g1\""), "{answer}");
    city.stop().await;
}

#[tokio::test]
async fn areas_are_listed_by_level_and_by_parent() {
    let city = serve(Config::default()).await;
    let codes = |answer: &Json| -> Vec<String> {
        answer["areas"].as_array().unwrap().iter().map(|a| a["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(&json(&city, "areas").await), ["t", "g1", "g2"]);
    let grids = json(&city, "areas?level=grid&parent=t").await;
    assert_eq!(codes(&grids), ["g1", "g2"]);
    assert_eq!(grids["areas"][0]["parent"], "t");
    assert_eq!(grids["areas"][0]["bbox"], j!([120.0, 36.0, 120.1, 36.2]));
    assert_eq!(codes(&json(&city, "areas/t/children").await), ["g1", "g2"]);
    assert_eq!(codes(&json(&city, "areas?coverage=cell&level=town").await), ["ct"]);
    city.stop().await;
}

#[tokio::test]
async fn an_area_is_a_feature_with_its_ground_and_its_neighbours() {
    let city = serve(Config::default()).await;
    let town = json(&city, "areas/t").await;
    assert_eq!((&town["type"], &town["geometry"]["type"]), (&j!("Feature"), &j!("Polygon")));
    let mut ring: Vec<Json> = town["geometry"]["coordinates"][0].as_array().unwrap().clone();
    assert_eq!(ring.first(), ring.last());
    ring.pop();
    assert!(ring.contains(&j!([120, 36.2])) && ring.contains(&j!([120.2, 36])));
    let area_m2 = town["properties"]["area_m2"].as_f64().unwrap();
    assert!((area_m2 / 400.1e6 - 1.0).abs() < 0.01, "{area_m2}");
    assert_eq!(town["properties"]["attributes"]["note"], "x");
    let beside = json(&city, "areas/g1/neighbours").await;
    assert_eq!(beside["neighbours"][0]["code"], "g2");
    let shared_m = beside["neighbours"][0]["shared_m"].as_f64().unwrap();
    assert!((shared_m - 22_192.0).abs() < 30.0, "{shared_m}");
    city.stop().await;
}

#[tokio::test]
async fn a_thing_that_the_client_has_is_not_sent_again() {
    let city = serve(Config::default()).await;
    for path in [
        "areas/g1",
        "areas?level=grid",
        "tiles/grid/10/853/401",
        "tiles/grid",
        "styles/atlas",
        "layers/building/features/b1",
    ] {
        let first = get(&city, path).send().await.unwrap();
        assert_eq!(first.status(), StatusCode::OK, "{path}");
        let tag = first.headers()["etag"].clone();
        let again = get(&city, path).header("if-none-match", &tag).send().await.unwrap();
        assert_eq!((again.status(), &again.headers()["etag"]), (StatusCode::NOT_MODIFIED, &tag), "{path}");
        assert_eq!(again.bytes().await.unwrap().len(), 0);
    }
    city.stop().await;
}

#[tokio::test]
async fn features_are_found_by_box_and_by_owner_page_by_page() {
    let city = serve(Config::default()).await;
    let ids = |answer: &Json| -> Vec<String> {
        answer["features"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&json(&city, "layers/building/features").await), ["b1", "b2"]);
    assert_eq!(ids(&json(&city, "layers/building/features?within=g2").await), ["b2"]);
    assert_eq!(ids(&json(&city, "layers/building/features?within=t&bbox=120.04,36,120.06,36.2").await), ["b1"]);
    assert_eq!(ids(&json(&city, "layers/building/features?bbox=120.14,36,120.16,36.2").await), ["b2"]);
    assert_eq!(ids(&json(&city, "layers/building/features?within=c1&coverage=cell").await), ["b1"]);
    let page = json(&city, "layers/building/features?limit=1").await;
    assert_eq!((ids(&page), &page["numberMatched"]), (vec!["b1".to_owned()], &j!(2)));
    let next = json(&city, &format!("layers/building/features?limit=1&cursor={}", page["next"])).await;
    assert_eq!((ids(&next), &next["next"]), (vec!["b2".to_owned()], &Json::Null));
    let one = json(&city, "layers/building/features/b2").await;
    assert_eq!(one["owners"], j!([{"coverage":"responsibility","code":"g2"},{"coverage":"cell","code":"c2"}]));
    assert_eq!(one["properties"]["households"], 12);
    let layers = json(&city, "layers").await;
    assert_eq!((&layers["layers"][0]["name"], &layers["layers"][0]["count"]), (&j!("building"), &j!(2)));
    city.stop().await;
}

#[tokio::test]
async fn the_nearest_worker_is_found_where_he_last_was() {
    let city = serve(Config::default()).await;
    let ids = |answer: &Json| -> Vec<String> {
        answer.as_array().unwrap().iter().map(|w| w["id"].as_str().unwrap().to_owned()).collect()
    };
    let near = "workers/nearest?lon=120.13&lat=36.1";
    let found = json(&city, near).await;
    assert_eq!(ids(&found), ["w2", "w1"]);
    assert_eq!(
        (&found[0]["grid"], &found[0]["age_s"], &found[0]["role"]),
        (&j!("g2"), &Json::Null, &j!("grid_worker"))
    );
    assert!((found[0]["distance_m"].as_f64().unwrap() - 900.0).abs() < 5.0);
    assert_eq!(ids(&json(&city, &format!("{near}&on_duty=true")).await), ["w1"]);
    assert_eq!(ids(&json(&city, &format!("{near}&within=g1")).await), ["w1"]);
    assert_eq!(ids(&json(&city, &format!("{near}&skill=gas&k=1")).await), ["w2"]);
    assert_eq!(ids(&json(&city, &format!("{near}&max_distance_m=10")).await), Vec::<String>::new());

    let now = jiff::Timestamp::now();
    let old = now - jiff::SignedDuration::from_secs(60);
    let report = |id: &str, lon: f64, time: jiff::Timestamp| {
        format!(r#"{{"id":"{id}","lon":{lon},"lat":36.1,"time":"{time}"}}"#)
    };
    let batch = [report("w1", 120.131, now), report("w1", 120.0, old), report("nobody", 120.0, now)].join("\n");
    let counted = post(&city, "workers/positions", "application/x-ndjson", batch).send().await.unwrap();
    let counted: Json = counted.json().await.unwrap();
    assert_eq!(counted, j!({"revision":3,"accepted":1,"stale":1,"unknown":1,"ahead":0}));
    let found = json(&city, near).await;
    assert_eq!(ids(&found), ["w1", "w2"]);
    assert!(found[0]["age_s"].as_f64().unwrap() < 30.0);
    city.stop().await;
}

#[tokio::test]
async fn listeners_hear_what_was_swapped_and_resume_where_they_were() {
    use std::sync::Arc;
    let city = serve(Config::default()).await;
    let listen = |last: Option<&str>| {
        let request = client().get(format!("{}changes", city.url()));
        last.map_or(request.try_clone().unwrap(), |id| request.header("last-event-id", id)).send()
    };
    let mut first = listen(None).await.unwrap();
    assert_eq!(first.headers()["content-type"], "text/event-stream");
    let mut next = (*city.atlas().present()).clone();
    next.change += 1;
    next.layers.insert("tree".into(), Arc::new(crate::snapshot::Layer::new("tree", Vec::new(), &next.coverages)));
    city.atlas().swap(Arc::new(next));
    let mut heard = String::new();
    while !heard.contains("\n\n") {
        heard += std::str::from_utf8(&first.chunk().await.unwrap().unwrap()).unwrap();
    }
    assert!(heard.contains("event: layer") && heard.contains("\"tree\"") && heard.contains("id: 1.0"), "{heard}");
    drop(first);
    let mut late = listen(Some("0.0")).await.unwrap();
    let heard = late.chunk().await.unwrap().unwrap();
    assert!(std::str::from_utf8(&heard).unwrap().contains("id: 1.0"));
    city.stop().await;
}
