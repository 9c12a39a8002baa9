//! The live handle on a city: which snapshot is read now.
//!
//! One task follows the store: it asks every second whether anything changed, loads
//! the next snapshot aside and swaps it in whole. A reader that asked before keeps
//! what it has. States of the past are loaded when asked for, one at a time, and kept as
//! long as they cost little beside the present one: asked again, they take no store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use super::past::{MOST_BYTES, Past};
use super::{Moment, Snapshot};
use crate::store::{Error, Store};

/// How often the store is asked whether it changed.
const POLL: Duration = Duration::from_millis(1000);

/// Hands out the present snapshot and takes the next one, whole.
#[derive(Debug)]
pub struct Atlas {
    present: ArcSwap<Snapshot>,
    notice: tokio::sync::watch::Sender<u64>,
    store: Option<Store>,
    past: Past,
    /// Held while a state of the past is loaded.
    loading: tokio::sync::Mutex<()>,
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
        Self {
            present: ArcSwap::from_pointee(snapshot),
            notice,
            store,
            past: Past::new(MOST_BYTES),
            loading: tokio::sync::Mutex::default(),
            proved: ArcSwap::from_pointee(Instant::now()),
            reload: tokio::sync::Mutex::default(),
        }
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
    /// As [`Store::load`].
    pub async fn at(&self, moment: Moment) -> Result<Arc<Snapshot>, Error> {
        let mut present = self.present();
        let Some(store) = &self.store else { return Ok(present) };
        if matches!(moment, Moment::Revision(number) if number > present.timeline.last()) {
            // Somebody else may have published it just now.
            self.refresh().await?;
            present = self.present();
        }
        let numbers = present.timeline.numbers_at(moment);
        if numbers.iter().copied().eq(present.coverages.iter().map(|c| c.revision)) {
            return Ok(present);
        }
        if let Some(known) = self.past.snapshot(&numbers, &present) {
            return Ok(known);
        }
        // One at a time: whoever asks for many dates at once waits, and holds one of them.
        let _alone = self.loading.lock().await;
        if let Some(known) = self.past.snapshot(&numbers, &present) {
            return Ok(known);
        }
        let mut coverages = Vec::with_capacity(numbers.len());
        for (place, number) in numbers.iter().enumerate() {
            let view = match self.past.view(*number, &present) {
                Some(view) => view,
                None => {
                    let nearest = self.past.nearest(place, *number, &present);
                    let view = store.view(*number, nearest).await?;
                    self.past.keep_view(view.clone(), &present);
                    view
                }
            };
            coverages.push(view);
        }
        let features = present.clone();
        let over = tokio::task::spawn_blocking(move || features.over(coverages)).await;
        let snapshot = Arc::new(over.map_err(|e| Error::Refused(format!("the work was broken off: {e}")))?);
        self.past.keep(numbers, snapshot.clone(), &present);
        Ok(snapshot)
    }

    /// How many states of the past are held, and how many bytes at most beside the present.
    #[must_use]
    pub fn past(&self) -> (usize, usize) {
        self.past.size(&self.present())
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
        let due = present.timeline.numbers_at(Moment::At(now));
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
