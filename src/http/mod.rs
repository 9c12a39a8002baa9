//! The service on the wire: one file a resource.
//!
//! The only room that knows axum and the JSON that clients see. It stands on the
//! middle rooms (snapshot, locate, tiling, dispatch) and asks the store for changes
//! alone; it must not know SQL, and it works nothing out that a middle room could.
//!
//! Every request passes [`edge`], every handler reads one [`Reading`](reading::Reading),
//! and whatever goes wrong leaves as a [`Problem`].

mod config;
mod problem;

mod server;
mod state;

mod body;
mod edge;
mod links;
mod metrics;
mod params;
mod tags;

mod docs;
mod front;
mod health;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use config::{BaseMap, BaseMapKind, Config, ConfigError, Limits};
pub use problem::{Code, Problem};
pub use state::App;

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The store: a path or a `postgres://` URL.
    pub store: String,
    /// The address to listen on; port 0 takes any that is free.
    pub listen: String,
    /// How the service is set up.
    pub config: Config,
}

/// Why a service did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A service that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    done: JoinHandle<()>,
}

impl Running {
    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, with a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Tells it to stop, and waits until open requests are done or the deadline is over.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.done.await {
            tracing::error!(%error, "the accept loop ended early");
        }
    }
}

/// Starts a service; it runs until it is told to stop.
///
/// # Errors
///
/// When the configuration makes no sense, the store can't be read or the address
/// can't be listened on.
pub async fn start(options: ServeOptions) -> Result<Running, ServeError> {
    options.config.check()?;
    metrics::install();
    let refuse = |cause| ServeError::Listen { address: options.listen.clone(), cause };
    let listener = TcpListener::bind(&options.listen).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let (stop, stopping) = watch::channel(false);
    let limits = options.config.limits.clone();
    let prefix = links::path_prefix(&options.config);
    let app = App::new(options.config, stopping.clone());
    let done = tokio::spawn(server::run(listener, router(app), prefix, limits, stopping));
    Ok(Running { address, stop, done })
}

/// Serves until SIGTERM or SIGINT, then lets open requests finish. The address is
/// printed to standard error once it is listened on.
///
/// # Errors
///
/// As [`start`].
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let running = start(options).await?;
    eprintln!("listening on {}", running.url());
    told_to_stop().await;
    eprintln!("stopping");
    running.stop().await;
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        // Without handlers the default actions hold: the signal ends the process.
        _ => std::future::pending().await,
    }
}

/// Every route, with what is documented of it.
fn router(app: App) -> axum::Router {
    let documented = OpenApiRouter::with_openapi(docs::head())
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::page));
    let (router, api) = documented.split_for_parts();
    let docs = docs::Docs::new(api);
    router
        .fallback(front::files)
        .method_not_allowed_fallback(edge::wrong_method)
        .layer(axum::Extension(docs))
        .layer(axum::middleware::from_fn_with_state(app.clone(), edge::guard))
        .layer(edge::cors(&app.config))
        .with_state(app)
}
