//! What holds for every request, whatever it asks: how many at once, how long, that a
//! panic is an answer, what is counted, and the headers of every answer.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::config::Config;
use super::problem::{Code, Problem};
use super::state::App;

/// The header that says which revision an answer was read from.
pub(super) const REVISION: HeaderName = HeaderName::from_static("gridatlas-revision");

/// Resources that are answered however busy the service is.
fn is_health(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz" | "/metrics")
}

/// Goes around every handler.
pub(super) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let snapshot = app.atlas.present();
    let revision = snapshot.revision;
    request.extensions_mut().insert(snapshot);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", |m| m.as_str()).to_owned();
    let method = request.method().clone();
    let is_draft = request.uri().query().is_some_and(|q| q.split('&').any(|pair| pair.starts_with("plan=")));
    let health = is_health(request.uri().path());
    let permit = if health { None } else { app.requests.clone().try_acquire_owned().ok() };

    let mut answer = if permit.is_none() && !health {
        Problem::new(Code::Overloaded, "as many requests as the limit allows are under way")
            .retry_after_s(1)
            .into_response()
    } else {
        let limit = Duration::from_secs(app.config.limits.request_s);
        let handled = AssertUnwindSafe(tokio::time::timeout(limit, next.run(request))).catch_unwind().await;
        match handled {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Problem::new(Code::TookTooLong, format!("the limit is {} s", limit.as_secs()))
                .retry_after_s(5)
                .into_response(),
            Err(panic) => Problem::internal(panic_text(&*panic)).into_response(),
        }
    };
    drop(permit);

    let headers = answer.headers_mut();
    if !headers.contains_key(REVISION) {
        headers.insert(REVISION, HeaderValue::from(revision));
    }
    if is_draft {
        // A plan changes with each edit.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    super::metrics::count_request(&method, &route, answer.status(), begun.elapsed());
    answer
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
}

/// Which pages of other origins may read answers.
pub(super) fn cors(config: &Config) -> CorsLayer {
    let listed: Vec<HeaderValue> = config.cors_origins.iter().filter_map(|o| HeaderValue::from_str(o).ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, request| {
            let path = request.uri.path();
            path.starts_with("/tiles/") || path.starts_with("/styles/") || listed.contains(origin)
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE, header::IF_MATCH, header::IF_NONE_MATCH, header::AUTHORIZATION])
        .expose_headers([header::ETAG, header::RETRY_AFTER, REVISION])
        .max_age(Duration::from_secs(3600))
}

/// Answers shorter than this are sent as they are.
const PACKED_FROM: u64 = 4096;

/// Packs long answers of text for clients that take gzip. Tiles come packed from their
/// cache, and streams of places are left alone: packing would be most of their work.
pub(super) fn packing() -> CompressionLayer<impl Predicate> {
    let is_text = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        matches!(
            kind,
            "application/json"
                | "application/geo+json"
                | "text/html"
                | "text/css"
                | "text/csv"
                | "text/javascript"
                | "application/javascript"
                | "image/svg+xml"
        )
    };
    CompressionLayer::new().compress_when(SizeAbove::new(PACKED_FROM).and(is_text))
}

/// Weakens the tag of an answer that was packed on its way: the bytes are not those
/// that the tag was made of.
pub(super) async fn weaken(mut answer: Response) -> Response {
    let is_tile = answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == super::tiles::MVT);
    let tag = answer.headers().get(header::ETAG).and_then(|t| t.to_str().ok()).filter(|t| t.starts_with('"'));
    if let Some(tag) = tag.map(|t| format!("W/{t}"))
        && !is_tile
        && answer.headers().contains_key(header::CONTENT_ENCODING)
        && let Ok(tag) = HeaderValue::from_str(&tag)
    {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// What answers where no route does.
pub(super) async fn nothing_here(request: Request) -> Problem {
    Problem::new(Code::NotFound, format!("{} leads nowhere; /openapi.json lists what there is", request.uri().path()))
}

/// What answers a method that the route doesn't have.
pub(super) async fn wrong_method(request: Request) -> Problem {
    Problem::new(Code::MethodNotAllowed, format!("{} does not answer {}", request.uri().path(), request.method()))
}
