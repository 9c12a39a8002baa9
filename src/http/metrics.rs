//! What is counted, and `/metrics`, where Prometheus reads it.
//!
//! The recorder is one for the process; services in one process (tests) share it.

use std::sync::OnceLock;
use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::state::App;

const REQUESTS: &str = "gridatlas_http_requests_total";
const SECONDS: &str = "gridatlas_http_request_duration_seconds";
const LOCATED: &str = "gridatlas_located_points_total";
const TILE_BYTES: &str = "gridatlas_tile_bytes_total";
const LEFT_OUT: &str = "gridatlas_tile_features_left_out_total";
const REVISION: &str = "gridatlas_snapshot_revision";
const AGE: &str = "gridatlas_snapshot_age_seconds";
const DELIVERIES: &str = "gridatlas_webhook_deliveries_total";
const LAG: &str = "gridatlas_webhook_lag_seconds";
const BEHIND: &str = "gridatlas_webhook_lag_changes";
const DEAD: &str = "gridatlas_webhook_dead";
const OPEN: &str = "gridatlas_open_connections";

/// Upper bounds of the latency histogram, in seconds.
const BUCKETS_S: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Puts the recorder in place, once for the process.
pub(super) fn install() {
    RECORDER.get_or_init(|| {
        let handle = PrometheusBuilder::new().set_buckets(BUCKETS_S).ok()?.install_recorder().ok()?;
        describe_counter!(REQUESTS, "Requests by route, method and status");
        describe_histogram!(SECONDS, Unit::Seconds, "Time until an answer began, by route");
        describe_counter!(LOCATED, "Places that were located");
        describe_counter!(TILE_BYTES, Unit::Bytes, "Bytes of tiles that were answered");
        describe_counter!(
            LEFT_OUT,
            "Features and areas that answered tiles had no room for, or that nothing was left of at their zoom"
        );
        describe_gauge!(REVISION, "The revision that is answered from");
        describe_gauge!(AGE, Unit::Seconds, "Time since the store was last found to hold nothing newer");
        describe_gauge!(OPEN, "Open connections");
        describe_counter!(DELIVERIES, "Attempts to tell what happened to events, by webhook and what came of them");
        describe_gauge!(LAG, Unit::Seconds, "Time since the first change that a webhook is yet to be told");
        describe_gauge!(
            BEHIND,
            "Changes of events that were not looked at yet for a webhook, or wait to be told again"
        );
        describe_gauge!(DEAD, "Changes of events that were given up for a webhook");
        Some(handle)
    });
}

pub(super) fn count_request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let method = match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    };
    // Routes are patterns, so there are as many series as routes, whatever clients ask.
    counter!(REQUESTS, "route" => route.to_owned(), "method" => method, "status" => status.as_str().to_owned())
        .increment(1);
    histogram!(SECONDS, "route" => route.to_owned()).record(took);
}

/// Counts places that were located.
pub(super) fn count_located(points: usize) {
    counter!(LOCATED).increment(points as u64);
}

/// Counts the bytes of a tile, and what is not in it.
pub(super) fn count_tile(bytes: usize, left_out: u32) {
    static COUNTED: OnceLock<(Counter, Counter)> = OnceLock::new();
    let (all, missing) = COUNTED.get_or_init(|| (counter!(TILE_BYTES), counter!(LEFT_OUT)));
    all.increment(bytes as u64);
    missing.increment(left_out.into());
}

/// Counts a tile that was answered again: the same as of one that went by its route.
pub(super) fn count_again(bytes: usize, left_out: u32, took: Duration) {
    static COUNTED: OnceLock<(Counter, Histogram)> = OnceLock::new();
    let (requests, seconds) = COUNTED.get_or_init(|| {
        let requests = counter!(REQUESTS, "route" => super::tiles::ROUTE, "method" => "GET", "status" => "200");
        (requests, histogram!(SECONDS, "route" => super::tiles::ROUTE))
    });
    requests.increment(1);
    seconds.record(took);
    count_tile(bytes, left_out);
}

/// Says how many connections are open.
pub(super) fn open_connections(now: usize) {
    gauge!(OPEN).set(now as f64);
}

/// Counts an attempt to tell somebody something; names are those of the configuration.
pub(super) fn count_delivery(webhook: &str, result: &'static str) {
    counter!(DELIVERIES, "webhook" => webhook.to_owned(), "result" => result).increment(1);
}

/// Says how far behind somebody is who is told.
pub(super) fn say_lag(webhook: &str, lag_s: f64, behind: u64, dead: u64) {
    gauge!(LAG, "webhook" => webhook.to_owned()).set(lag_s);
    gauge!(BEHIND, "webhook" => webhook.to_owned()).set(behind as f64);
    gauge!(DEAD, "webhook" => webhook.to_owned()).set(dead as f64);
}

/// Figures for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "Prometheus text format", content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(app): State<App>) -> impl IntoResponse {
    gauge!(REVISION).set(app.revision() as f64);
    gauge!(AGE).set(app.age().as_secs_f64());
    let text = RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
