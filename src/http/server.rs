//! The accept loop: from a listening socket to served connections, and its end.
//!
//! Connections speak HTTP/1.1 with a limit on how long the head of a request may
//! take (which is also how long an idle one is kept) and on how many there are.
//! HTTP/2 is the proxy's part. When told to stop, the loop takes no further
//! connections, closes idle ones, lets open requests finish until a deadline, and
//! cuts what is left.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::Service as _;

use super::again::Answers;
use super::config::Limits;
use super::state::App;

/// What a client is told whose connection is one too many.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves `app` until `stop` becomes true, and then until open requests are done.
/// `prefix` is taken off the paths of requests that begin with it.
pub(super) async fn run(
    listener: TcpListener,
    app: App,
    prefix: String,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let router = super::router(app.clone());
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
    let prefix: Arc<str> = prefix.into();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(limits.header_s)).max_headers(100);

    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: others have to close first.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            tokio::spawn(turn_away(stream));
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, %peer, "a connection is already gone");
            continue;
        }
        super::metrics::open_connections(limits.connections - room.available_permits());
        let service = service(app.clone(), router.clone(), prefix.clone(), peer);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
            drop(permit);
        });
    }
    drop(listener);
    let deadline = Duration::from_secs(limits.stop_s);
    if tokio::time::timeout(deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!(seconds = limits.stop_s, "open requests were cut at the deadline");
    }
}

/// The service of one connection.
fn service(
    app: App,
    router: Router,
    prefix: Arc<str>,
    peer: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future = impl Future<Output = Result<axum::response::Response, Infallible>> + Send,
> {
    hyper::service::service_fn(move |mut request: Request<Incoming>| {
        if !prefix.is_empty() {
            take_off(&prefix, request.uri_mut());
        }
        let words = Answers::words(&request);
        let given = words.as_ref().and_then(|words| app.answers.get(words, &app.atlas.present(), Instant::now()));
        let answering = match given {
            Some(given) => Err(given),
            None => {
                request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
                Ok((words, app.clone(), router.clone().call(request.map(Body::new))))
            }
        };
        async move {
            let (words, app, answering) = match answering {
                Ok(answering) => answering,
                Err(given) => return Ok(given),
            };
            let mut answer = answering.await?;
            if let Some(words) = words {
                app.answers.note(words, &mut answer);
            }
            Ok(answer)
        }
    })
}

/// Takes the prefix off the path, where it begins with it and goes on with a slash.
fn take_off(prefix: &str, uri: &mut Uri) {
    let Some(rest) = uri.path().strip_prefix(prefix) else { return };
    if !(rest.is_empty() || rest.starts_with('/')) {
        return;
    }
    let query = uri.query().map(|q| format!("?{q}")).unwrap_or_default();
    let path = if rest.is_empty() { "/" } else { rest };
    if let Ok(short) = format!("{path}{query}").parse() {
        *uri = short;
    }
}

async fn turn_away(mut stream: TcpStream) {
    let told = tokio::time::timeout(Duration::from_secs(1), async {
        stream.write_all(FULL).await?;
        stream.shutdown().await
    });
    if let Ok(Err(error)) = told.await {
        tracing::debug!(%error, "a connection that was turned away is gone");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_taken_off_at_a_slash_only() {
        for (from, to) in [
            ("/atlas/tiles/grid?rev=3", "/tiles/grid?rev=3"),
            ("/atlas", "/"),
            ("/atlas?x=1", "/?x=1"),
            ("/atlases", "/atlases"),
            ("/tiles/grid", "/tiles/grid"),
        ] {
            let mut uri: Uri = from.parse().unwrap();
            take_off("/atlas", &mut uri);
            assert_eq!(uri.to_string(), to);
        }
    }
}
