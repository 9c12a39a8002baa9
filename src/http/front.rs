//! The front-end at `/`: the files that `make web` leaves in web/dist, in the program.
//!
//! Where they have not been built, `/` says how to. Pages may load from this server
//! alone, and from the base map's where one is configured.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::config::Config;
use super::edge;
use super::state::App;

#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// What `/` is without the front-end.
const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Gridatlas</title>\
<h1>Gridatlas</h1><p>The service runs; the map is not part of this build. \
Run <code>make web</code> (it needs Node.js), then build again.</p>\
<p><a href=\"docs\">What the service answers</a></p></html>";

/// Answers what no other route does: a file of the front-end, or a problem.
pub(super) async fn files(State(app): State<App>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let path = if path.is_empty() { "index.html" } else { path };
    let known_method = request.method().is_safe();
    match Files::get(path) {
        Some(file) if known_method => answer(&app.config, path, file, request.headers().get(header::IF_NONE_MATCH)),
        None if path == "index.html" && known_method => page(&app.config, UNBUILT.into()),
        _ => edge::nothing_here(request).await.into_response(),
    }
}

fn answer(config: &Config, path: &str, file: EmbeddedFile, known: Option<&HeaderValue>) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag = hash[..8].iter().fold(String::from("\""), |tag, b| format!("{tag}{b:02x}")) + "\"";
    // Names of files under assets/ change with their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, cache.to_owned())];
    if known.is_some_and(|k| super::tags::names(k, &tag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = file.metadata.mimetype().to_owned();
    let mut answer = page(config, file.data.into_owned());
    for (name, value) in headers.into_iter().chain([(header::CONTENT_TYPE, kind)]) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// An HTML page with the headers that keep it to itself.
pub(super) fn page(config: &Config, html: Vec<u8>) -> Response {
    let elsewhere = config.base_map.as_ref().and_then(|m| origin(&m.url)).unwrap_or_default();
    let policy = format!(
        "default-src 'self'; img-src 'self' data: blob: {elsewhere}; connect-src 'self' {elsewhere}; \
         style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; \
         frame-ancestors 'self'"
    );
    let mut answer = html.into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

fn origin(url: &str) -> Option<String> {
    // Templates have braces, which no URI may: they stand behind the authority.
    let uri: Uri = url.split('{').next()?.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}
