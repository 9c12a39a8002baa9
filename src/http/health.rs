//! `/livez` and `/readyz`: whether the service runs, and whether it can answer.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::problem::{Code, Problem};
use super::state::App;

/// How long the store may be silent before a service that still answers says that it
/// can't prove that its answers are fresh.
const STALE_S: u64 = 30;

/// Whether the service runs.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "It runs; the body is empty")))]
pub(super) async fn livez() -> StatusCode {
    StatusCode::OK
}

/// Whether the service can answer from a fresh state of the store.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "It can answer: `{revision, age_s}`"),
    (status = 503, description = "It is stopping, or the store has been silent for too long")))]
pub(super) async fn readyz(State(app): State<App>) -> Response {
    let age_s = app.age().as_secs();
    if app.is_stopping() {
        return Problem::new(Code::Overloaded, "the service is stopping").into_response();
    }
    if age_s > STALE_S {
        let detail = format!("the store was last read {age_s} s ago");
        return Problem::new(Code::StoreUnavailable, detail).with("age_s", age_s).into_response();
    }
    Json(json!({ "revision": app.revision(), "age_s": age_s })).into_response()
}
