//! What has been made ready for the coverages and layers that are being read: each
//! known by its memory, so that another revision, a draft or a changed layer is
//! another thing without anyone having to say so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::areas::AreaTiles;
use super::datum::Datum;
use crate::snapshot::{CoverageView, Layer};

/// Coverages kept ready, over all datums: the present ones, and some of the past or drafts.
const MAX_COVERAGES: usize = 8;
/// Layers whose numbers are kept.
const MAX_LAYERS: usize = 64;

/// A prepared coverage and the number that stands for it in the cache.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    view: Weak<CoverageView>,
    name: Arc<str>,
    datum: Datum,
    pub(super) serial: u64,
    areas: Arc<OnceLock<AreaTiles>>,
}

impl Ready {
    /// The prepared areas, if they are already.
    pub(super) fn areas(&self) -> Option<&AreaTiles> {
        self.areas.get()
    }
}

/// The coverages and layers that were read last, the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    serial: AtomicU64,
    coverages: Mutex<Vec<Ready>>,
    layers: Mutex<Vec<(Weak<Layer>, u64)>>,
}

impl Prepared {
    /// A coverage, prepared for a datum. What is new in it since the last one of its
    /// name is all that is worked out.
    pub(super) fn coverage(&self, view: &Arc<CoverageView>, datum: Datum) -> Ready {
        let (ready, before) = {
            let mut all = self.coverages.lock().unwrap_or_else(PoisonError::into_inner);
            let is_it = |r: &Ready| r.datum == datum && std::ptr::eq(r.view.as_ptr(), Arc::as_ptr(view));
            let ready = match all.iter().position(is_it) {
                Some(i) => all.remove(i),
                None => Ready {
                    view: Arc::downgrade(view),
                    name: view.name.clone(),
                    datum,
                    serial: self.serial.fetch_add(1, Ordering::Relaxed),
                    areas: Arc::default(),
                },
            };
            let before = all.iter().rev().find(|r| r.name == view.name && r.datum == datum).map(|r| r.areas.clone());
            if all.len() >= MAX_COVERAGES {
                all.remove(0);
            }
            all.push(ready.clone());
            (ready, before)
        };
        ready.areas.get_or_init(|| match before.as_ref().and_then(|b| b.get()) {
            Some(before) => before.updated(&view.coverage),
            None => AreaTiles::new(&view.coverage, datum),
        });
        // Nobody can ask again for one that is gone, and the next can now build on this.
        let mut all = self.coverages.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|r| r.view.strong_count() > 0 || r.name != view.name || r.datum != datum);
        ready
    }

    /// The number that stands for a layer in the cache.
    pub(super) fn layer(&self, layer: &Arc<Layer>) -> u64 {
        let mut all = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, serial)) = all.iter().find(|(l, _)| std::ptr::eq(l.as_ptr(), Arc::as_ptr(layer))) {
            return *serial;
        }
        all.retain(|(l, _)| l.strong_count() > 0);
        if all.len() >= MAX_LAYERS {
            all.remove(0);
        }
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        all.push((Arc::downgrade(layer), serial));
        serial
    }
}
