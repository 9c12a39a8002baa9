//! The service on the wire: one file a resource.
//!
//! The only room that knows axum and the JSON that clients see. It stands on the
//! middle rooms (snapshot, locate, tiling, dispatch) and asks the store for changes
//! alone; it must not know SQL, and it works nothing out that a middle room could.
//!
//! Every request passes [`edge`], every handler reads one [`Reading`](reading::Reading),
//! and whatever goes wrong leaves as a [`Problem`].

#![allow(unused_qualifications, reason = "the macros that document routes write paths out")]

mod config;
mod problem;

mod reading;
mod server;
mod state;

mod accept;
mod again;
mod body;
mod edge;
mod geojson;
mod links;
mod metrics;
mod params;
mod stream;
mod tags;

mod areas;
mod changes;
mod dispatch;
mod events;
mod happened;
mod layers;
mod locate;
mod plans;
mod portraits;
mod register;
mod revisions;
mod search;
mod styles;
mod tiles;
mod webhooks;
mod workers;

mod docs;
mod front;
mod health;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::dispatch::Workers;
use crate::intake::Intake;
use crate::nats;
use crate::snapshot::Atlas;
use crate::store::{self, Store};

pub use config::{BaseMap, BaseMapKind, Config, ConfigError, Limits};
pub use problem::{Code, Problem};
pub use reading::{Caller, Reading};
pub use state::App;

/// How long those who tell of events get to let go of their lines at the end.
const LET_GO: Duration = Duration::from_secs(5);

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
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// A service that runs. Dropped without [`stop`](Self::stop), it ends with its runtime.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    done: JoinHandle<()>,
    beside: JoinSet<()>,
    lines: JoinSet<()>,
    app: App,
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

    /// The live city that it answers from.
    #[must_use]
    pub fn atlas(&self) -> &Arc<Atlas> {
        &self.app.atlas
    }

    /// The live workers that it answers from.
    #[must_use]
    pub fn workers(&self) -> &Arc<Workers> {
        &self.app.workers
    }

    /// What takes its events in.
    #[must_use]
    pub fn intake(&self) -> &Arc<Intake> {
        &self.app.intake
    }

    /// Tells it to stop, and waits until open requests are done or the deadline is over.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = self.done.await {
            tracing::error!(%error, "the accept loop ended early");
        }
        self.beside.shutdown().await;
        // Each writes down how far it came and lets go of its line.
        let ended = async { while self.lines.join_next().await.is_some() {} };
        if tokio::time::timeout(LET_GO, ended).await.is_err() {
            self.lines.shutdown().await;
        }
        if let Some(store) = self.app.atlas.store() {
            store.close().await;
        }
    }
}

/// Starts a service over a store; it runs until it is told to stop.
///
/// # Errors
///
/// When the configuration makes no sense, the store can't be read or the address
/// can't be listened on.
pub async fn start(options: ServeOptions) -> Result<Running, ServeError> {
    options.config.check()?;
    let atlas = Arc::new(Atlas::open(Store::open(&options.store).await?).await?);
    run(atlas, &options.listen, options.config).await
}

/// Starts a service over a city in memory: nothing in it can be changed through the
/// service, and it knows no other revision than the present.
///
/// # Errors
///
/// When the configuration makes no sense or the address can't be listened on.
pub async fn start_over(atlas: Arc<Atlas>, listen: &str, config: Config) -> Result<Running, ServeError> {
    run(atlas, listen, config).await
}

async fn run(atlas: Arc<Atlas>, listen: &str, config: Config) -> Result<Running, ServeError> {
    config.check()?;
    metrics::install();
    let refuse = |cause| ServeError::Listen { address: listen.to_owned(), cause };
    let listener = TcpListener::bind(listen).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    let (stop, stopping) = watch::channel(false);
    let limits = config.limits.clone();
    let prefix = links::path_prefix(&config);
    let stream = config.nats.clone();
    let app = App::new(atlas, config, stopping.clone())?;
    let lines = webhooks::start(&app).map_err(|reason| ConfigError::Nonsense { member: "webhooks", reason })?;
    let mut beside = JoinSet::new();
    workers::keep_up(&app).await;
    let following = app.clone();
    beside.spawn(async move { following.atlas.follow().await });
    beside.spawn(workers::follow(app.clone()));
    beside.spawn(changes::follow(app.clone()));
    beside.spawn(happened::follow(app.clone()));
    beside.spawn(tiles::keep_ready(app.clone()));
    if let Some(stream) = stream {
        beside.spawn(nats::follow(stream, app.intake.clone(), app.atlas.clone()));
    }
    let done = tokio::spawn(server::run(listener, app.clone(), prefix, limits, stopping));
    Ok(Running { address, stop, done, beside, lines, app })
}

/// Serves until SIGTERM or SIGINT, then lets open requests finish. The address is
/// printed to standard error once it is listened on.
///
/// # Errors
///
/// As [`start`].
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let running = start(options).await?;
    webhooks::told(&running.app).iter().for_each(|line| eprintln!("{line}"));
    eprintln!("listening on {}", running.url());
    told_to_stop().await;
    eprintln!("stopping");
    running.stop().await;
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
pub async fn told_to_stop() {
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
        .routes(routes!(locate::one, locate::many))
        .routes(routes!(search::search))
        .routes(routes!(areas::list))
        .routes(routes!(areas::one))
        .routes(routes!(areas::children))
        .routes(routes!(areas::neighbours))
        .routes(routes!(areas::history))
        .routes(routes!(portraits::one))
        .routes(routes!(portraits::all))
        .routes(routes!(tiles::tile))
        .routes(routes!(tiles::tilejson))
        .routes(routes!(styles::list))
        .routes(routes!(styles::one))
        .routes(routes!(layers::list))
        .routes(routes!(layers::features))
        .routes(routes!(layers::one, layers::put, layers::delete))
        .routes(routes!(workers::positions))
        .routes(routes!(workers::nearest))
        .routes(routes!(events::intake::post, events::list))
        .routes(routes!(events::one))
        .routes(routes!(events::step))
        .routes(routes!(events::assign))
        .routes(routes!(dispatch::propose))
        .routes(routes!(events::place))
        .routes(routes!(events::owner))
        .routes(routes!(revisions::list))
        .routes(routes!(revisions::one))
        .routes(routes!(revisions::rollback))
        .routes(routes!(register::changes))
        .routes(routes!(revisions::lineage))
        .routes(routes!(plans::list, plans::create))
        .routes(routes!(plans::one))
        .routes(routes!(plans::edit))
        .routes(routes!(plans::undo))
        .routes(routes!(plans::redo))
        .routes(routes!(plans::lock))
        .routes(routes!(plans::preview))
        .routes(routes!(plans::comment))
        .routes(routes!(plans::submit))
        .routes(routes!(plans::approve))
        .routes(routes!(plans::refuse))
        .routes(routes!(plans::withdraw))
        .routes(routes!(plans::publish))
        .routes(routes!(plans::rebase))
        .routes(routes!(changes::changes))
        .routes(routes!(webhooks::list))
        .routes(routes!(webhooks::dead))
        .routes(routes!(webhooks::retry))
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
        .layer(edge::packing())
        .layer(axum::middleware::map_response(edge::weaken))
        .layer(edge::cors(&app.config))
        .with_state(app)
}

#[cfg(test)]
mod tests;
