//! Bad requests: each a problem with a code, and a detail that helps.

use std::io::Write as _;

use reqwest::Method;

use super::super::{Config, Limits};
use super::{client, get, post, problem, serve};

#[tokio::test]
async fn what_a_query_gets_wrong_is_named() {
    let city = serve(Config::default()).await;
    for (path, status, code, word) in [
        ("locate?lon=120", 400, "missing_parameter", "lat"),
        ("locate", 400, "missing_parameter", "lon"),
        ("locate?lon=120&lat=36&zoom=3", 400, "unknown_parameter", "coverage"),
        ("locate?lon=120&lat=36&lat=37", 400, "bad_parameter", "twice"),
        ("locate?lon=east&lat=36", 400, "bad_parameter", "lon"),
        ("locate?lon=181&lat=36", 400, "bad_position", "181"),
        ("locate?lon=120&lat=NaN", 400, "bad_position", "NaN"),
        ("locate?lon=1e400&lat=36", 400, "bad_position", ""),
        ("locate?lon=120&lat=36&crs=mars", 400, "unknown_crs", "mars"),
        ("locate?lon=120&lat=36&crs=%ff", 400, "bad_parameter", "UTF-8"),
        ("locate?lon=120&lat=36&coverage=moon", 404, "unknown_coverage", "cell"),
        ("locate?lon=120&lat=36&at=yesterday", 400, "bad_parameter", "yesterday"),
        ("locate?lon=120&lat=36&at=2026-01-01&rev=3", 400, "bad_parameter", "exclude"),
        ("locate?lon=120&lat=36&detail=all", 400, "bad_parameter", "owner"),
        ("areas?level=planet", 404, "unknown_level", "grid"),
        ("areas?levle=grid", 400, "unknown_parameter", "level"),
        ("areas/nope", 404, "unknown_area", "nope"),
        ("areas/%ff", 400, "bad_parameter", ""),
        ("areas/g1/neighbours?k=1", 400, "unknown_parameter", "k"),
        ("tiles/grid/30/0/0", 400, "bad_tile", "30"),
        ("tiles/grid/19/0/0", 400, "bad_tile", "18"),
        ("tiles/grid/3/8/0", 400, "bad_tile", "8"),
        ("tiles/grid/3/0/8.mvt", 400, "bad_tile", "8"),
        ("tiles/grid/3/0/x.mvt", 400, "bad_tile", "y"),
        ("tiles/grid,nope/3/0/0", 404, "unknown_layer", "building"),
        ("tiles/grid,grid/3/0/0", 400, "bad_parameter", "twice"),
        ("tiles/grid?datum=nad27", 400, "bad_parameter", "bd09"),
        ("styles/nope", 404, "unknown_style", "atlas"),
        ("layers/nope/features", 404, "unknown_layer", "worker"),
        ("layers/building/features?bbox=1,2,3", 400, "bad_parameter", "four"),
        ("layers/building/features?bbox=3,2,1,4", 400, "bad_parameter", "west"),
        ("layers/building/features?bbox=1,2,300,4", 400, "bad_parameter", "globe"),
        ("layers/building/features?limit=0", 400, "bad_parameter", "limit"),
        ("layers/building/features?limit=1000000", 400, "bad_parameter", "limit"),
        ("layers/building/features?within=nope", 404, "unknown_area", "nope"),
        ("layers/building/features/nope", 404, "unknown_feature", "nope"),
        ("layers?x=1", 400, "unknown_parameter", "neither"),
        ("workers/nearest?lon=120&lat=36&k=0", 400, "bad_parameter", "k"),
        ("workers/nearest?lon=120&lat=36&k=5000", 400, "bad_parameter", "1000"),
        ("workers/nearest?lon=120&lat=36&order=best", 400, "bad_parameter", "grid_first"),
        ("workers/nearest?lon=120&lat=36&max_age_s=-1", 400, "bad_parameter", "max_age_s"),
        ("workers/nearest?lon=120&lat=36&load_m=inf", 400, "bad_parameter", "load_m"),
        ("workers/nearest?lon=120&lat=36&max_load=-1", 400, "bad_parameter", "max_load"),
        ("workers/nearest?lon=120&lat=36&within=nope", 404, "unknown_area", "nope"),
        ("revisions/x", 404, "unknown_revision", ""),
        ("nothing/here", 404, "not_found", "openapi"),
    ] {
        let (got, problem) = problem(get(&city, path)).await;
        assert_eq!((got, problem["code"].as_str().unwrap()), (status, code), "{path}: {problem}");
        assert!(problem.to_string().contains(word), "{path}: {problem}");
    }
    city.stop().await;
}

#[tokio::test]
async fn what_a_body_gets_wrong_is_named() {
    let city = serve(Config::default()).await;
    let deep = "[".repeat(100_000);
    let json = "application/json";
    let lines = "application/x-ndjson";
    for (path, kind, body, status, code, word) in [
        ("locate", "text/plain", "x", 415, "unsupported_media_type", "text/csv"),
        ("locate", "", "x", 415, "unsupported_media_type", "application/x-ndjson"),
        ("locate", json, "", 400, "bad_body", "EOF"),
        ("locate", json, "{", 400, "bad_body", ""),
        ("locate", json, deep.as_str(), 400, "bad_body", ""),
        ("locate", json, r#"[{"lon":1,"lat":2},{"lon":181,"lat":2}]"#, 400, "bad_position", "item 1"),
        ("locate", json, r#"[{"lon":1,"lat":2,"lng":2}]"#, 400, "bad_body", "lng"),
        ("locate", json, r#"[{"lon":1,"lat":2,"crs":"mars"}]"#, 400, "unknown_crs", "mars"),
        ("locate?crs=mars", lines, "{}", 400, "unknown_crs", "mars"),
        ("locate", "text/csv", "a,b\n1,2\n", 400, "bad_body", "lon"),
        ("workers/positions", "text/csv", "a", 415, "unsupported_media_type", ""),
        ("workers/positions", json, r#"[{"id":"w1","lon":1,"lat":2}]"#, 400, "bad_body", "time"),
        ("workers/positions", json, r#"[{"id":"w1","lon":1,"lat":2,"time":"noon"}]"#, 400, "bad_body", "noon"),
        ("workers/positions", lines, "\n{\"id\":1}", 400, "bad_body", "item 0"),
    ] {
        let (got, problem) = problem(post(&city, path, kind, body.to_owned())).await;
        let shown: String = body.chars().take(60).collect();
        assert_eq!((got, problem["code"].as_str().unwrap()), (status, code), "{path} {kind} {shown}: {problem}");
        assert!(problem.to_string().contains(word), "{path} {shown}: {problem}");
    }
    let line = post(&city, "locate", lines, format!("{deep}\n{{\"lon\":120.05,\"lat\":36.1}}")).send().await.unwrap();
    let text = line.text().await.unwrap();
    assert!(text.starts_with("{\"problem\":{\"code\":\"bad_body\"") && text.contains("\"g1\""), "{}", &text[..200]);
    city.stop().await;
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_packed_or_not() {
    let limits =
        Limits { body_bytes: 10_000, inflated_bytes: 20_000, stream_bytes: 1 << 20, items: 10, ..Limits::default() };
    let city = serve(Config { limits, ..Config::default() }).await;
    let large = |kind: &str, n: usize| post(&city, "locate", kind, vec![b' '; n]);
    assert_eq!(problem(large("application/json", 10_001)).await.1["code"], "body_too_large");
    let bomb = |kind: &str, size: usize| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![b' '; size]).unwrap();
        post(&city, "locate", kind, packed.finish().unwrap()).header("content-encoding", "gzip")
    };
    for kind in ["application/json", "text/csv"] {
        let (status, problem) = problem(bomb(kind, 5_000_000)).await;
        assert_eq!((status, problem["code"].as_str().unwrap()), (413, "body_too_large"), "{kind}");
        assert!(problem["detail"].as_str().unwrap().contains("inflated"));
    }
    // One line without an end.
    assert_eq!(problem(bomb("application/x-ndjson", 5_000_000)).await.0, 413);
    let many = format!("[{}]", [r#"{"lon":1,"lat":1}"#; 11].join(","));
    let (status, many) = problem(post(&city, "locate", "application/json", many)).await;
    assert_eq!((status, &many["code"], &many["limit"]), (413, &"too_many_items".into(), &10.into()));
    let not_gzip = post(&city, "locate", "application/json", "[]").header("content-encoding", "gzip");
    assert_eq!(problem(not_gzip).await.1["code"], "bad_body");
    let coded = post(&city, "locate", "application/json", "[]").header("content-encoding", "br");
    assert_eq!(problem(coded).await.1["code"], "unsupported_media_type");
    city.stop().await;
}

#[tokio::test]
async fn a_wrong_method_is_named_and_changes_need_a_tag() {
    let city = serve(Config::default()).await;
    let send = |method: Method, path: &str| client().request(method, format!("{}{path}", city.url()));
    let (status, wrong) = problem(send(Method::DELETE, "locate")).await;
    assert_eq!((status, &wrong["code"]), (405, &"method_not_allowed".into()));
    let building = "layers/building/features/b1";
    assert_eq!(problem(send(Method::DELETE, building)).await.1["code"], "precondition_required");
    let stale = send(Method::DELETE, building).header("if-match", "\"other\"");
    assert_eq!(problem(stale).await.0, 412);
    let feature = r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{}}"#;
    let put = |body: &'static str| {
        send(Method::PUT, building).header("content-type", "application/geo+json").header("if-match", "*").body(body)
    };
    assert_eq!(problem(put("{}")).await.1["code"], "bad_body");
    // This service has a city in memory alone.
    assert_eq!(problem(put(feature)).await.1["code"], "store_unavailable");
    city.stop().await;
}
