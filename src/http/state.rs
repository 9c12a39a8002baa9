//! What every handler shares: the atlas, the configuration and the limits in force.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::config::Config;

/// A handle on the shared state; clones are cheap.
#[derive(Clone, Debug)]
pub struct App(Arc<Shared>);

/// What is shared.
#[derive(Debug)]
pub struct Shared {
    /// How the service is set up.
    pub(super) config: Config,
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
    pub(super) fn new(config: Config, stopping: watch::Receiver<bool>) -> Self {
        let limits = &config.limits;
        let room = |n: usize| Arc::new(Semaphore::new(n.min(Semaphore::MAX_PERMITS)));
        Self(Arc::new(Shared {
            requests: room(limits.requests),
            bulk: room(limits.bulk_requests),
            listeners: room(limits.listeners),
            stopping,
            config,
        }))
    }

    /// The revision that is answered from.
    pub(super) fn revision(&self) -> u64 {
        0
    }

    /// How long ago the store was found to hold nothing newer.
    pub(super) fn age(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether the service was told to stop.
    pub(super) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}
