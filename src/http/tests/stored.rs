//! A service over a store: changes are kept, other moments are read, a publish beside
//! the service is noticed.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json as j};

use super::super::{Config, Running, ServeOptions, start};
use super::{client, get, problem, square, three_areas, worker};
use crate::store::{Publication, Store};

pub(super) struct Kept {
    pub(super) folder: tempfile::TempDir,
    pub(super) city: Running,
}

impl Kept {
    fn path(folder: &tempfile::TempDir) -> String {
        folder.path().join("city.gpkg").display().to_string()
    }

    /// A store with one revision and two layers, and a service over it.
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_or_create(&Self::path(&folder)).await.unwrap();
        publish(&store, "t", None, None).await;
        let snapshot = store.load(None, jiff::Timestamp::now()).await.unwrap();
        for (layer, feature) in [
            ("building", square("b1", 120.05, 36.1)),
            ("building", square("b2", 120.15, 36.1)),
            ("worker", worker("w1", 120.05, 36.1, true)),
        ] {
            store.put_feature(layer, feature, &snapshot).await.unwrap();
        }
        store.close().await;
        let city = serve(&folder).await;
        Self { folder, city }
    }

    pub(super) fn send(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        client().request(method, format!("{}{path}", self.city.url()))
    }
}

pub(super) async fn serve(folder: &tempfile::TempDir) -> Running {
    let options =
        ServeOptions { store: Kept::path(folder), listen: "127.0.0.1:0".to_owned(), config: Config::default() };
    start(options).await.unwrap()
}

async fn publish(store: &Store, town: &str, expected: Option<u64>, effective: Option<jiff::Timestamp>) -> u64 {
    let publication = Publication {
        coverage: "responsibility".to_owned(),
        expected,
        base: None,
        plan: None,
        lineage: Vec::new(),
        next: three_areas([town, "g1", "g2"]),
        author: "planner".to_owned(),
        effective,
        summary: format!("town {town}"),
    };
    store.publish(publication).await.unwrap().revision.number
}

async fn read(city: &Running, path: &str) -> Json {
    let answer = get(city, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_put_and_removed_is_so_after_a_restart() {
    let kept = Kept::new().await;
    let path = "layers/building/features/b1";
    let first = get(&kept.city, path).send().await.unwrap();
    let tag = first.headers()["etag"].clone();
    let feature = j!({"type": "Feature", "id": "b1", "properties": {"name": "新楼", "households": 30},
        "geometry": {"type": "Point", "coordinates": [120.16, 36.15]}});
    let put = |path: &str, tag: &reqwest::header::HeaderValue| {
        let request = kept.send(Method::PUT, path).header("content-type", "application/geo+json");
        request.header("if-match", tag).body(feature.to_string())
    };
    // A tile that was answered twice is another one as soon as the change is.
    let tile =
        async || get(&kept.city, "tiles/grid,building/14/13655/6428").send().await.unwrap().headers()["etag"].clone();
    let (drawn, again) = (tile().await, tile().await);
    assert_eq!(drawn, again);
    let answer = put(path, &tag).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_ne!(tile().await, drawn);
    let new_tag = answer.headers()["etag"].clone();
    let answer: Json = answer.json().await.unwrap();
    assert_eq!((&answer["properties"]["name"], &answer["owners"][0]["code"]), (&j!("新楼"), &j!("g2")));
    // Whoever has the old state can't change the new one.
    assert_eq!(problem(put(path, &tag)).await.0, 412);
    assert_eq!(get(&kept.city, path).send().await.unwrap().headers()["etag"], new_tag);

    let any = reqwest::header::HeaderValue::from_static("*");
    let made = j!({"type": "Feature", "properties": {"name": "b9"}, "geometry": {"type": "Point", "coordinates": [120.01, 36.01]}});
    let request = kept.send(Method::PUT, "layers/building/features/b9").header("content-type", "application/geo+json");
    assert_eq!(
        request.header("if-match", &any).body(made.to_string()).send().await.unwrap().status(),
        StatusCode::CREATED
    );
    let gone = kept.send(Method::DELETE, "layers/building/features/b2").header("if-match", &any);
    assert_eq!(gone.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let (status, _) = problem(kept.send(Method::DELETE, "layers/building/features/b2").header("if-match", &any)).await;
    assert_eq!(status, 404);

    kept.city.stop().await;
    let city = serve(&kept.folder).await;
    let all = read(&city, "layers/building/features").await;
    let all: Vec<_> =
        all["features"].as_array().unwrap().iter().map(|f| (&f["id"], &f["properties"]["name"])).collect();
    assert_eq!(all, [(&j!("b1"), &j!("新楼")), (&j!("b9"), &j!("b9"))]);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publish_beside_the_service_is_noticed_and_the_past_stays_readable() {
    let kept = Kept::new().await;
    let first = read(&kept.city, "areas?level=town").await["revision"].as_u64().unwrap();
    let store = Store::open(&Kept::path(&kept.folder)).await.unwrap();
    let second = publish(&store, "t2", Some(first), None).await;
    store.close().await;
    let begun = Instant::now();
    let mut town = Json::Null;
    while town != "t2" && begun.elapsed() < Duration::from_secs(60) {
        town = read(&kept.city, "areas?level=town").await["areas"][0]["code"].clone();
    }
    assert_eq!(town, "t2");

    let past = get(&kept.city, &format!("areas?level=town&rev={first}")).send().await.unwrap();
    assert_eq!(past.headers()["gridatlas-revision"], first.to_string().as_str());
    assert_eq!(past.json::<Json>().await.unwrap()["areas"][0]["code"], "t");
    let past = read(&kept.city, "locate?lon=120.05&lat=36.1&at=2001-01-01").await;
    assert_eq!((&past["revision"], &past["owners"][0]["chain"][0]["code"]), (&j!(first), &j!("t")));
    // By date or by number, whatever is asked and however.
    for then in ["at=2001-01-01".to_owned(), format!("rev={first}")] {
        for (path, code) in [
            (format!("areas/t?{then}"), "t"),
            (format!("areas/t/children?{then}"), "g1"),
            (format!("areas/g1/neighbours?{then}"), "g2"),
            (format!("tiles/town?{then}"), "town"),
        ] {
            let said = get(&kept.city, &path).send().await.unwrap();
            assert_eq!(
                (said.status(), &said.headers()["gridatlas-revision"]),
                (StatusCode::OK, &first.to_string().parse().unwrap()),
                "{path}"
            );
            assert!(said.text().await.unwrap().contains(&format!("\"{code}\"")), "{path}");
        }
        assert_eq!(problem(get(&kept.city, &format!("areas/t2?{then}"))).await.0, 404);
        let posted = kept.send(Method::POST, &format!("locate?{then}")).header("content-type", "application/json");
        let posted: Json = posted.body("[{\"lon\":120.05,\"lat\":36.1}]").send().await.unwrap().json().await.unwrap();
        assert_eq!(posted[0]["owners"][0]["chain"][0]["code"], "t", "{posted}");
        let tile = |query: String| get(&kept.city, &format!("tiles/town/10/853/401{query}")).send();
        let (past, now) = (tile(format!("?{then}")).await.unwrap(), tile(String::new()).await.unwrap());
        assert_ne!(past.bytes().await.unwrap(), now.bytes().await.unwrap());
    }
    let tile = get(&kept.city, &format!("tiles/town/10/853/401?rev={first}")).send().await.unwrap();
    assert!(tile.headers()["cache-control"].to_str().unwrap().contains("immutable"));

    let all = read(&kept.city, "revisions").await;
    let numbers: Vec<_> = all["revisions"].as_array().unwrap().iter().map(|r| r["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [first, second]);
    assert_eq!(read(&kept.city, &format!("revisions/{second}")).await["author"], "planner");
    assert_eq!(problem(get(&kept.city, "revisions/999")).await.1["code"], "unknown_revision");
    assert_eq!(problem(get(&kept.city, "areas?rev=999")).await.1["code"], "unknown_revision");
    let history = read(&kept.city, "areas/t2/history").await;
    assert_eq!(history["history"].as_array().unwrap().len(), 1);
    assert_eq!(history["history"][0]["revision"], second);
    kept.city.stop().await;
}
