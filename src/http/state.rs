//! What every handler shares: the atlas, the configuration and the limits in force.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use boundaries::Coverage;
use jiff::tz::TimeZone;
use tokio::sync::{Semaphore, watch};

use super::again::Answers;
use super::changes::Feed;
use super::config::{Config, ConfigError};
use super::problem::{Code, Problem};
use crate::dispatch::{Standing, Workers};
use crate::intake::Intake;
use crate::locate::Sheets;
use crate::redraw::Plans;
use crate::search::Searcher;
use crate::snapshot::{Atlas, CoverageView, DEFAULT_COVERAGE, Snapshot};
use crate::store::Store;
use crate::tiling::Tiler;
use crate::webhooks::Subscription;

/// A handle on the shared state; clones are cheap.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// What is shared.
#[derive(Debug)]
pub struct Shared {
    /// The live city.
    pub(super) atlas: Arc<Atlas>,
    /// A coverage without ground, for a city that has none yet.
    pub(super) nothing: Arc<CoverageView>,
    /// Held while a single change is made and seen.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// The last changes.
    pub(super) feed: Feed,
    /// The number of the change that the service began with.
    pub(super) began: u64,
    /// The live workers.
    pub(super) workers: Arc<Workers>,
    /// Where they stand, as a layer for maps.
    pub(super) standing: Standing,
    /// The drafts of the boundaries.
    pub(super) plans: Plans,
    /// What takes events in.
    pub(super) intake: Arc<Intake>,
    /// The end of the log of what happens to events.
    pub(super) happened: watch::Sender<u64>,
    /// Who is told of what happens to events.
    pub(super) webhooks: Vec<Arc<Subscription>>,
    /// What is written of each area.
    pub(super) sheets: Sheets,
    /// The texts of the city.
    pub(super) searcher: Searcher,
    /// Makes tiles.
    pub(super) tiler: Arc<Tiler>,
    /// The tiles that were answered.
    pub(super) answers: Answers,
    /// How the service is set up.
    pub(super) config: Config,
    /// Where a bare date is midnight.
    pub(super) zone: TimeZone,
    /// Room for further requests.
    pub(super) requests: Arc<Semaphore>,
    /// Room for further streams of places.
    pub(super) bulk: Arc<Semaphore>,
    /// Room for further listeners.
    pub(super) listeners: Arc<Semaphore>,
    /// Becomes true when the service is told to stop.
    pub(super) stopping: watch::Receiver<bool>,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    pub(super) fn new(atlas: Arc<Atlas>, config: Config, stopping: watch::Receiver<bool>) -> Result<Self, ConfigError> {
        let intake = Arc::new(config.intake()?);
        let webhooks = config.subscriptions()?;
        if atlas.store().is_none() && !webhooks.is_empty() {
            let reason = "this service has no store behind it, and nothing to tell".to_owned();
            return Err(ConfigError::Nonsense { member: "webhooks", reason });
        }
        let limits = &config.limits;
        let room = |n: usize| Arc::new(Semaphore::new(n.min(Semaphore::MAX_PERMITS)));
        let began = atlas.present().change;
        let (answers, tiler_bytes) = Answers::of(limits.tile_cache_bytes);
        let empty = Coverage::empty(Arc::from([]));
        Ok(Self(Arc::new(Shared {
            atlas,
            nothing: Arc::new(CoverageView::new(DEFAULT_COVERAGE.into(), empty, 0, None)),
            changing: tokio::sync::Mutex::default(),
            feed: Feed::new(began),
            began,
            workers: Arc::new(Workers::new()),
            standing: Standing::default(),
            plans: Plans::new(config.plans),
            sheets: Sheets::default(),
            searcher: Searcher::default(),
            tiler: Arc::new(Tiler::new(tiler_bytes)),
            answers,
            zone: intake.zone().clone(),
            intake,
            happened: watch::Sender::new(0),
            webhooks: webhooks.into_iter().map(Arc::new).collect(),
            requests: room(limits.requests),
            bulk: room(limits.bulk_requests),
            listeners: room(limits.listeners),
            stopping,
            config,
        })))
    }

    /// The revision that is answered from.
    pub(super) fn revision(&self) -> u64 {
        self.atlas.present().revision
    }

    /// The store, for what the atlas doesn't hold.
    pub(super) fn store(&self) -> Result<&Store, Problem> {
        let none = || Problem::new(Code::StoreUnavailable, "this service has no store behind it");
        self.atlas.store().ok_or_else(none)
    }

    /// Waits until the present snapshot holds a change that was made in the store.
    pub(super) async fn see(&self, change: u64) -> Result<Arc<Snapshot>, Problem> {
        loop {
            let snapshot = self.atlas.present();
            if snapshot.change >= change {
                return Ok(snapshot);
            }
            self.atlas.refresh().await?;
        }
    }

    /// How long ago the store was found to hold nothing newer.
    pub(super) fn age(&self) -> Duration {
        self.atlas.proved_ago()
    }

    /// Whether the service was told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}
