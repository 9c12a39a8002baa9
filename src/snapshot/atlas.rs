//! The live handle on a city: which snapshot is read now.
//!
//! One task follows the store: it asks every second whether anything changed, loads
//! the next snapshot aside and swaps it in whole. A reader that asked before keeps
//! what it has. States of the past are loaded when asked for, and a few are kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use quick_cache::sync::Cache;

use super::{Moment, Snapshot};
use crate::store::{Error, Store};

/// How often the store is asked whether it changed.
const POLL: Duration = Duration::from_millis(1000);
/// How many states of the past are kept.
const PAST: usize = 8;

/// Hands out the present snapshot and takes the next one, whole.
#[derive(Debug)]
pub struct Atlas {
    present: ArcSwap<Snapshot>,
    notice: tokio::sync::watch::Sender<u64>,
    store: Option<Store>,
    past: Cache<Vec<u64>, Arc<Snapshot>>,
    proved: ArcSwap<Instant>,
    reload: tokio::sync::Mutex<()>,
}

impl Atlas {
    /// An atlas that begins with `snapshot` and has no store behind it.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self::over(snapshot, None)
    }

    /// An atlas of what a store holds now.
    ///
    /// # Errors
    ///
    /// As [`Store::load`].
    pub async fn open(store: Store) -> Result<Self, Error> {
        let snapshot = store.load(None, Timestamp::now()).await?;
        Ok(Self::over(snapshot, Some(store)))
    }

    fn over(snapshot: Snapshot, store: Option<Store>) -> Self {
        let notice = tokio::sync::watch::Sender::new(snapshot.change);
        let (present, proved) = (ArcSwap::from_pointee(snapshot), ArcSwap::from_pointee(Instant::now()));
        Self { present, notice, store, past: Cache::new(PAST), proved, reload: tokio::sync::Mutex::default() }
    }

    /// What is in force now.
    #[must_use]
    pub fn present(&self) -> Arc<Snapshot> {
        self.present.load_full()
    }

    /// The store behind it, if there is one.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// The state at a moment of the past or the future: its coverages, over the
    /// features of the present.
    ///
    /// # Errors
    ///
    /// As [`Store::load_at`].
    pub async fn at(&self, moment: Moment) -> Result<Arc<Snapshot>, Error> {
        let present = self.present();
        let Some(store) = &self.store else { return Ok(present) };
        let key: Vec<u64> = store.numbers_at(moment).await?;
        if key.iter().copied().eq(present.coverages.iter().map(|c| c.revision)) {
            return Ok(present);
        }
        // The features are those of the present: another change, another entry.
        let key = key.into_iter().chain([u64::MAX, present.change]).collect();
        if let Some(known) = self.past.get(&key) {
            return Ok(known);
        }
        let snapshot = Arc::new(store.load_at(&present, moment).await?);
        self.past.insert(key, snapshot.clone());
        Ok(snapshot)
    }

    /// Puts another snapshot in the place of the present one, for all who ask from now on.
    pub fn swap(&self, next: Arc<Snapshot>) {
        let change = next.change;
        self.present.store(next);
        self.notice.send_replace(change);
    }

    /// Tells of every swap, after it.
    #[must_use]
    pub fn swaps(&self) -> tokio::sync::watch::Receiver<u64> {
        self.notice.subscribe()
    }

    /// How long ago the present snapshot was last proved to be what the store holds.
    #[must_use]
    pub fn proved_ago(&self) -> Duration {
        self.proved.load().elapsed()
    }

    /// Looks whether the store changed, or a scheduled revision took effect, and swaps
    /// in what is in force now. Returns whether it swapped.
    ///
    /// # Errors
    ///
    /// As [`Store::load`]; the present snapshot then stays.
    pub async fn refresh(&self) -> Result<bool, Error> {
        let Some(store) = &self.store else { return Ok(false) };
        let _alone = self.reload.lock().await;
        let (asked, now, present) = (Instant::now(), Timestamp::now(), self.present());
        let state = store.state().await?;
        let due = store.numbers_at(Moment::At(now)).await?;
        let same = *state.epoch == *present.epoch
            && state.change == present.change
            && due.iter().copied().eq(present.coverages.iter().map(|c| c.revision));
        if !same {
            let next = store.load(Some(&present), now).await?;
            self.swap(Arc::new(next));
        }
        self.proved.store(Arc::new(asked));
        Ok(!same)
    }

    /// Follows the store for as long as it is polled. What fails is logged and tried
    /// again; the present snapshot stays meanwhile.
    pub async fn follow(&self) {
        let Some(store) = &self.store else { return std::future::pending().await };
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failed = false;
        loop {
            ticks.tick().await;
            let result: Result<(), Error> = match self.refresh().await {
                // What GIS programs read follows a scheduled revision, too.
                Ok(true) => store.settle().await.map(drop),
                other => other.map(drop),
            };
            match &result {
                Ok(()) if failed => tracing::info!("the store answers again"),
                Err(e) if !failed => tracing::warn!(error = %e, "the store could not be followed"),
                _ => {}
            }
            failed = result.is_err();
        }
    }
}
