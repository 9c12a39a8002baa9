//! The live handle on a city: which snapshot is read now.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Snapshot;

/// Hands out the present snapshot and takes the next one, whole.
#[derive(Debug)]
pub struct Atlas {
    present: ArcSwap<Snapshot>,
    notice: tokio::sync::watch::Sender<u64>,
}

impl Atlas {
    /// An atlas that begins with `snapshot`.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        let notice = tokio::sync::watch::Sender::new(snapshot.change);
        Self { present: ArcSwap::from_pointee(snapshot), notice }
    }

    /// What is in force now.
    #[must_use]
    pub fn present(&self) -> Arc<Snapshot> {
        self.present.load_full()
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
}
