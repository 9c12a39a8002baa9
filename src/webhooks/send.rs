//! One attempt to tell somebody something.
//!
//! Invariant: an attempt ends within its time, goes to the configured address and nowhere
//! else, and takes in no more of the answer than is told of it.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use rustls::{ClientConfig, RootCertStore};

use super::Subscription;
use super::signature::sign;

/// What is kept of an answer that is no yes.
const SAID_BYTES: usize = 500;

/// How long a connection that nothing is sent by is kept.
const IDLE: Duration = Duration::from_secs(4);

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It was not, and why.
    Refused(String),
    /// Nobody was there to take anything, why, and when they say they are back.
    Away(String, Option<Duration>),
}

impl Outcome {
    /// What it is counted as.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused(_) => "refused",
            Self::Away(..) => "away",
        }
    }
}

/// What secure connections are made with: this machine trusts whom its system trusts.
///
/// # Errors
///
/// Where there is no way to make a secure connection.
pub fn trusted() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if trusted == 0 {
        tracing::warn!("this machine trusts no authority: no https address can be told anything");
    }
    let provider = rustls::crypto::ring::default_provider().into();
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(config.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// Sends messages to one who is told; it goes through no proxy and follows nobody.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    to: Arc<Subscription>,
}

impl Sender {
    /// A sender to one, with connections of its own.
    #[must_use]
    pub fn new(to: Arc<Subscription>, tls: ClientConfig) -> Self {
        let mut plain = HttpConnector::new();
        // Shorter than an attempt: who can't be reached is away, who doesn't answer refuses.
        plain.set_connect_timeout(Some(to.timeout() / 2));
        plain.enforce_http(false);
        plain.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let mut client = Client::builder(TokioExecutor::new());
        // Many servers let go of a connection after five seconds: theirs must not be ours to lose.
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        let client = client.build(connector.wrap_connector(plain));
        Self { client, to }
    }

    /// Sends a message, signed at this time.
    pub async fn send(&self, id: &str, now: Timestamp, body: Bytes) -> Outcome {
        let attempt = tokio::time::timeout(self.to.timeout(), self.attempt(id, now, body));
        attempt.await.unwrap_or_else(|_| Outcome::Refused("it took too long".to_owned()))
    }

    async fn attempt(&self, id: &str, now: Timestamp, body: Bytes) -> Outcome {
        let request = Request::post(self.to.url().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("gridatlas/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", now.as_second())
            .header("webhook-signature", sign(self.to.keys(), id, now.as_second(), &body))
            .body(Full::new(body));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Outcome::Refused(error.to_string()),
        };
        let answer = match self.client.request(request).await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Outcome::Away(told(&error), None),
            Err(error) => return Outcome::Refused(told(&error)),
        };
        let status = answer.status();
        if status.is_success() {
            return Outcome::Taken;
        }
        let after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let said = format!("{} {}", status.as_u16(), said(answer.into_body()).await.trim()).trim_end().to_owned();
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Outcome::Away(said, after.map(Duration::from_secs)),
            _ => Outcome::Refused(said),
        }
    }
}

/// The beginning of what is said; it is of use to people alone, so it may break off.
async fn said(mut body: Incoming) -> String {
    let mut said = Vec::new();
    while said.len() < SAID_BYTES
        && let Some(Ok(frame)) = body.frame().await
    {
        let Ok(piece) = frame.into_data() else { continue };
        said.extend_from_slice(&piece[..piece.len().min(SAID_BYTES - said.len())]);
    }
    String::from_utf8_lossy(&said).replace(char::is_control, " ")
}

/// What went wrong, with its causes.
fn told(error: &legacy::Error) -> String {
    let mut all = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        all.push(error.to_string());
        cause = error.source();
    }
    all.join(": ")
}
