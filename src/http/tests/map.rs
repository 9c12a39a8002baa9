//! Tiles, styles, documents and the page.

use reqwest::StatusCode;
use serde_json::{Value as Json, json as j};

use super::super::{BaseMap, BaseMapKind, Code, Config};
use super::{client, get, json, problem, serve};

#[tokio::test]
async fn a_tile_holds_the_layers_that_were_asked_for_by_name() {
    let city = serve(Config::default()).await;
    let tile = get(&city, "tiles/grid,label_grid,building/14/13654/6425.mvt").send().await.unwrap();
    assert_eq!(
        (tile.status(), &tile.headers()["content-type"]),
        (StatusCode::OK, &"application/vnd.mapbox-vector-tile".parse().unwrap())
    );
    assert_eq!(tile.headers()["gridatlas-revision"], "3");
    let bytes = tile.bytes().await.unwrap();
    assert!(contains(&bytes, b"grid") && contains(&bytes, b"g1") && contains(&bytes, "名 g1".as_bytes()));
    let packed = get(&city, "tiles/grid/14/13654/6425.pbf").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut plain).unwrap();
    assert!(contains(&plain, b"g1"));
    let empty = get(&city, "tiles/grid/14/0/0").send().await.unwrap();
    assert_eq!(empty.status(), StatusCode::NO_CONTENT);
    let moved = get(&city, "tiles/grid/10/853/401?datum=gcj02").send().await.unwrap().bytes().await.unwrap();
    let plain = get(&city, "tiles/grid/10/853/401").send().await.unwrap().bytes().await.unwrap();
    assert_ne!(moved, plain);
    city.stop().await;
}

#[tokio::test]
async fn a_tile_comes_as_the_client_asks_and_only_where_it_has_it_not() {
    let city = serve(Config::default()).await;
    let ask = |coding: &'static str| get(&city, "tiles/grid/14/13654/6425").header("accept-encoding", coding);
    let plain = ask("identity").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    let plain_tag = plain.headers()["etag"].clone();
    let plain = plain.bytes().await.unwrap();
    let mut tags = vec![plain_tag];
    for (asked, name) in [("gzip, br", "gzip"), ("gzip;q=0.2, br", "br")] {
        let packed = ask(asked).send().await.unwrap();
        assert_eq!(
            (&packed.headers()["content-encoding"], &packed.headers()["vary"]),
            (&name.parse().unwrap(), &"accept-encoding".parse().unwrap())
        );
        let tag = packed.headers()["etag"].clone();
        let bytes = packed.bytes().await.unwrap();
        let mut unpacked = Vec::new();
        match name {
            "gzip" => {
                _ = std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut unpacked).unwrap()
            }
            _ => brotli::BrotliDecompress(&mut &bytes[..], &mut unpacked).unwrap(),
        }
        assert_eq!(unpacked, plain, "{name}");
        // The tag is one of this packing: it answers for no other.
        let again = |tag: reqwest::header::HeaderValue| ask(asked).header("if-none-match", tag);
        let fresh = again(tag.clone()).send().await.unwrap();
        assert_eq!(fresh.status(), StatusCode::NOT_MODIFIED);
        for header in ["etag", "vary", "cache-control", "gridatlas-revision"] {
            assert!(fresh.headers().contains_key(header), "{header}");
        }
        assert_eq!(again(tags[0].clone()).send().await.unwrap().status(), StatusCode::OK);
        tags.push(tag);
    }
    tags.sort_by_key(|tag| tag.to_str().unwrap().to_owned());
    tags.dedup();
    assert_eq!(tags.len(), 3);
    assert_eq!(super::problem(ask("zstd, *;q=0")).await.1["code"], "not_acceptable");
    city.stop().await;
}

#[tokio::test]
async fn a_tile_is_answered_again_as_it_was_answered_first() {
    let city = serve(Config::default()).await;
    let path = "tiles/grid,label_grid,building/14/13654/6425";
    let read = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.unwrap();
        let mut headers: Vec<_> = answer.headers().iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        headers.retain(|(name, _)| name != "date");
        (answer.status(), headers, answer.bytes().await.unwrap())
    };
    let again = || city.app.answers.again();
    let of = |coding: &'static str| get(&city, path).header("accept-encoding", coding);
    for coding in ["gzip", "identity", "gzip;q=0.2, br"] {
        let before = again();
        let first = read(of(coding)).await;
        assert_eq!((first.0, again()), (StatusCode::OK, before), "{coding}");
        let second = read(of(coding)).await;
        assert_eq!((&second, again()), (&first, before + 1), "{coding}");
    }
    // What an answer may depend on besides goes by the routes.
    let before = again();
    let tag = read(of("gzip")).await.1.into_iter().find(|(name, _)| name == "etag").unwrap().1;
    assert_eq!(again(), before + 1);
    assert_eq!(read(of("gzip").header("if-none-match", tag)).await.0, StatusCode::NOT_MODIFIED);
    let elsewhere = read(of("gzip").header("origin", "https://maps.example.org")).await.1;
    assert!(elsewhere.iter().any(|(name, _)| name == "access-control-allow-origin"));
    assert_eq!(read(get(&city, &format!("{path}?rev=3"))).await.0, StatusCode::OK);
    for other in ["tiles/grid,worker/14/13654/6425", "tiles/grid/14/0/0", "tiles/grid"] {
        let first = read(get(&city, other)).await;
        assert_eq!(read(get(&city, other)).await, first, "{other}");
    }
    assert_eq!(again(), before + 1);
    let counted = read(get(&city, "metrics")).await.2;
    let counted = String::from_utf8(counted.to_vec()).unwrap();
    // Whichever way they went, all tiles are counted in one series.
    let of_tiles = |line: &&str| {
        let parts = ["gridatlas_http_requests_total", "/tiles/{layers}/{z}", r#"method="GET""#, r#"status="200""#];
        parts.iter().all(|part| line.contains(part))
    };
    assert_eq!(counted.lines().filter(of_tiles).count(), 1, "{counted}");
    city.stop().await;
}

#[tokio::test]
async fn who_may_keep_a_tile_follows_from_what_is_in_it() {
    let city = serve(Config::default()).await;
    for (path, wanted) in [
        ("tiles/grid,label_grid/14/13654/6425", "public, no-cache"),
        ("tiles/grid,building/14/13654/6425", "public, no-cache"),
        ("tiles/grid,worker/14/13654/6425", "private, no-cache"),
        ("tiles/worker/14/0/0", "private, no-cache"),
        ("tiles/grid/14/13654/6425?rev=3", "public, max-age=31536000, immutable"),
        ("tiles/grid/14/0/0?rev=3", "public, max-age=31536000, immutable"),
        ("tiles/grid,building/14/13654/6425?rev=3", "public, no-cache"),
        ("tiles/grid,worker/14/13654/6425?rev=3", "private, no-cache"),
    ] {
        let answer = get(&city, path).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        assert_eq!(answer.headers()["cache-control"], wanted, "{path}");
    }
    city.stop().await;
}

#[tokio::test]
async fn attributes_are_chosen_and_what_is_not_shown_is_a_problem_of_the_request() {
    let city = serve(Config::default()).await;
    let of = async |query: &str| {
        get(&city, &format!("tiles/worker/14/13655/6428{query}")).send().await.unwrap().bytes().await.unwrap()
    };
    let (usual, chosen) = (of("").await, of("?fields=role").await);
    assert!(contains(&usual, b"name") && !contains(&chosen, b"name") && contains(&chosen, b"role"));
    let refused = get(&city, "tiles/worker/14/13655/6428?fields=worker.phone").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let problem: Json = refused.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["parameter"]), (&j!("bad_parameter"), &j!("fields")));
    assert!(problem["known"].as_array().unwrap().contains(&j!("role")), "{problem}");
    city.stop().await;
}

#[tokio::test]
async fn a_condition_lets_through_what_meets_it_in_tiles_and_in_lists() {
    let city = serve(Config::default()).await;
    let of = |query: &str| get(&city, &format!("tiles/grid,label_grid/14/13655/6428?filter={query}"));
    assert_eq!(of("code = 'g2'").send().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert!(contains(&of("code%20like%20'g_'").send().await.unwrap().bytes().await.unwrap(), b"g1"));
    let (status, told) = problem(of("code = 'g1' or phone = 1")).await;
    assert_eq!(
        (status, &told["code"], &told["parameter"], &told["position"]),
        (400, &j!("bad_parameter"), &j!("filter"), &j!(16))
    );

    let list = async |filter: &str| {
        let found = json(&city, &format!("layers/worker/features?filter={filter}")).await;
        let ids = found["features"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), found["numberMatched"].as_u64().unwrap())
    };
    assert_eq!(list("on_duty = true and role = 'grid_worker'").await, (vec!["w1".to_owned()], 1));
    assert_eq!(list("owner = 'g2' or id = 'w1'").await, (vec!["w1".to_owned(), "w2".to_owned()], 2));
    assert_eq!(list("owner = 'c2'&coverage=cell").await, (vec!["w2".to_owned()], 1));
    let (status, told) = problem(get(&city, "layers/worker/features?filter=on_duty = 'yes'")).await;
    assert_eq!((status, &told["parameter"], &told["position"]), (400, &j!("filter"), &j!(11)));
    city.stop().await;
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

#[tokio::test]
async fn long_answers_are_packed_for_those_who_take_it_and_their_tags_still_serve() {
    let city = serve(Config::default()).await;
    let ask = |coding: &'static str| get(&city, "openapi.json").header("accept-encoding", coding);
    let plain = ask("identity").send().await.unwrap();
    assert!(plain.headers().get("content-encoding").is_none());
    let plain = plain.bytes().await.unwrap();
    let packed = ask("gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let tag = packed.headers()["etag"].clone();
    assert!(tag.to_str().unwrap().starts_with("W/\""), "{tag:?}");
    let packed = packed.bytes().await.unwrap();
    let mut inflated = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut inflated).unwrap();
    assert_eq!(inflated, plain);
    assert_eq!(ask("gzip").header("if-none-match", tag).send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    city.stop().await;
}

#[tokio::test]
async fn urls_in_documents_are_those_that_the_client_can_reach() {
    let city = serve(Config::default()).await;
    let tiles = json(&city, "tiles/grid,building?datum=gcj02").await;
    assert_eq!((&tiles["tilejson"], &tiles["vector_layers"][1]["id"]), (&j!("3.0.0"), &j!("building")));
    assert_eq!(tiles["tiles"][0], format!("{}tiles/grid,building/{{z}}/{{x}}/{{y}}?datum=gcj02", city.url()));
    let style = json(&city, "styles/atlas").await;
    assert_eq!(style["version"], 8);
    assert!(style.to_string().contains(&format!("{}tiles/", city.url())), "{style}");
    city.stop().await;

    let public = Config { public_url: Some("https://maps.example.org/atlas".into()), ..Config::default() };
    let city = serve(public).await;
    // The proxy may leave the path on, or take it off.
    for path in ["atlas/tiles/grid", "tiles/grid"] {
        let tiles = json(&city, path).await;
        assert_eq!(tiles["tiles"][0], "https://maps.example.org/atlas/tiles/grid/{z}/{x}/{y}");
    }
    city.stop().await;

    let trusting = Config { trust_forwarded: true, ..Config::default() };
    let city = serve(trusting).await;
    let request = get(&city, "tiles/grid").header("x-forwarded-proto", "https").header("x-forwarded-host", "a.example");
    let tiles: Json = request.header("x-forwarded-prefix", "/b").send().await.unwrap().json().await.unwrap();
    assert_eq!(tiles["tiles"][0], "https://a.example/b/tiles/grid/{z}/{x}/{y}");
    city.stop().await;
}

#[tokio::test]
async fn a_base_map_is_drawn_and_let_through_the_policy() {
    let map = BaseMap {
        kind: BaseMapKind::Raster,
        url: "https://tiles.example.org/{z}/{x}/{y}.png".into(),
        datum: "gcj02".into(),
        attribution: "Example".into(),
    };
    let city = serve(Config { base_map: Some(map), ..Config::default() }).await;
    let style = json(&city, "styles/atlas").await.to_string();
    assert!(style.contains("tiles.example.org") && style.contains("datum=gcj02"), "{style}");
    let page = get(&city, "").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("img-src 'self' data: blob: https://tiles.example.org;"), "{policy}");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    city.stop().await;
}

#[tokio::test]
async fn pages_of_other_origins_read_tiles_and_only_listed_ones_the_rest() {
    let city = serve(Config { cors_origins: vec!["https://a.example".into()], ..Config::default() }).await;
    for (path, origin, allowed) in [
        ("tiles/grid", "https://b.example", true),
        ("styles/atlas", "https://b.example", true),
        ("areas", "https://b.example", false),
        ("areas", "https://a.example", true),
    ] {
        let answer = get(&city, path).header("origin", origin).send().await.unwrap();
        let allow = answer.headers().get("access-control-allow-origin").map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(allow.as_deref() == Some(origin), allowed, "{path} {origin}: {allow:?}");
        if allowed {
            let exposed = answer.headers()["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase();
            assert!(exposed.contains("etag") && exposed.contains("gridatlas-revision"), "{exposed}");
        }
    }
    let asked = client().request(reqwest::Method::OPTIONS, format!("{}locate", city.url()));
    let asked = asked.header("origin", "https://a.example").header("access-control-request-method", "POST");
    assert_eq!(asked.send().await.unwrap().headers()["access-control-allow-origin"], "https://a.example");
    city.stop().await;
}

#[tokio::test]
async fn the_document_lists_every_route_and_every_problem() {
    let city = serve(Config::default()).await;
    let document = json(&city, "openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    for (path, methods) in [
        ("/locate", &["get", "post"][..]),
        ("/areas", &["get"]),
        ("/areas/{code}", &["get"]),
        ("/areas/{code}/children", &["get"]),
        ("/areas/{code}/neighbours", &["get"]),
        ("/areas/{code}/history", &["get"]),
        ("/tiles/{layers}", &["get"]),
        ("/tiles/{layers}/{z}/{x}/{y}", &["get"]),
        ("/styles", &["get"]),
        ("/styles/{name}", &["get"]),
        ("/layers", &["get"]),
        ("/layers/{layer}/features", &["get"]),
        ("/layers/{layer}/features/{id}", &["get", "put", "delete"]),
        ("/workers/positions", &["post"]),
        ("/workers/nearest", &["get"]),
        ("/events/{id}/assign", &["post"]),
        ("/dispatch/propose", &["post"]),
        ("/revisions", &["get"]),
        ("/revisions/{number}", &["get"]),
        ("/revisions/{number}/changes", &["get"]),
        ("/lineage", &["get"]),
        ("/plans", &["get", "post"]),
        ("/plans/{id}", &["get"]),
        ("/plans/{id}/edits", &["post"]),
        ("/plans/{id}/edits/last", &["delete"]),
        ("/plans/{id}/redo", &["post"]),
        ("/plans/{id}/locks", &["post"]),
        ("/plans/{id}/preview", &["get"]),
        ("/plans/{id}/comments", &["post"]),
        ("/plans/{id}/submit", &["post"]),
        ("/plans/{id}/approve", &["post"]),
        ("/plans/{id}/refuse", &["post"]),
        ("/plans/{id}/publish", &["post"]),
        ("/plans/{id}/rebase", &["post"]),
        ("/changes", &["get"]),
        ("/livez", &["get"]),
        ("/readyz", &["get"]),
        ("/metrics", &["get"]),
        ("/openapi.json", &["get"]),
        ("/docs", &["get"]),
    ] {
        for method in methods {
            let operation = &paths.get(path).unwrap_or_else(|| panic!("{path} is not listed"))[method];
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
    let page = get(&city, "docs").send().await.unwrap().text().await.unwrap();
    let codes = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap().clone();
    assert_eq!(codes.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!(codes.contains(&j!(code.slug())) && page.contains(code.slug()), "{code:?}");
    }
    assert!(paths.keys().all(|p| page.contains(p.as_str())));
    assert!(!page.contains("<script") && !page.contains("https://"), "the page loads nothing");
    city.stop().await;
}

#[tokio::test]
async fn health_and_figures_are_answered() {
    let city = serve(Config::default()).await;
    assert_eq!(get(&city, "livez").send().await.unwrap().bytes().await.unwrap().len(), 0);
    assert_eq!(json(&city, "readyz").await["revision"], 3);
    json(&city, "locate?lon=120.05&lat=36.1").await;
    let figures = get(&city, "metrics").send().await.unwrap().text().await.unwrap();
    for name in [
        "gridatlas_http_requests_total{route=\"/locate\",method=\"GET\",status=\"200\"}",
        "gridatlas_http_request_duration_seconds_bucket{route=\"/locate\",le=\"0.0001\"}",
        "gridatlas_located_points_total",
        "gridatlas_snapshot_revision 3",
    ] {
        assert!(figures.contains(name), "{name} in {figures}");
    }
    city.stop().await;
}
