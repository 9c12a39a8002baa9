//! What has been made ready for the coverages and layers that are being read: each
//! known by its memory, so that another revision, a draft or a changed layer is
//! another thing without anyone having to say so. Of a thing that came from another it
//! is known where the two differ, so that tiles elsewhere stay.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use boundaries::{Bounds, Level};
use tiles::TileCoord;

use super::areas::AreaTiles;
use super::changed::Changed;
use super::datum::Datum;
use super::footprints::Footprints;
use crate::snapshot::{Base, CoverageView, Layer};

/// Coverages kept ready, over all datums: the present ones, and some of the past or drafts.
const MAX_COVERAGES: usize = 8;
/// Layers whose numbers are kept.
const MAX_LAYERS: usize = 64;

/// Layers whose footprints are kept, over all datums.
const MAX_DRAWN: usize = 32;

/// Steps back to earlier states that are remembered.
const MAX_STEPS: usize = 64;

/// The number that stands for a state in the cache, and how it came from earlier ones.
///
/// ```text
///   serial 7 ◀──step── serial 9 ◀──step── serial 12       a tile that neither step touched
///                                                          is kept under 7, in all three
/// ```
#[derive(Clone, Debug)]
struct Lineage<C> {
    serial: u64,
    /// What changed, and since which serial; the last step first.
    past: Vec<(Arc<C>, u64)>,
}

impl<C> Lineage<C> {
    fn new(serial: u64) -> Self {
        Self { serial, past: Vec::new() }
    }

    fn after(serial: u64, changed: C, before: &Self) -> Self {
        let step = (Arc::new(changed), before.serial);
        Self { serial, past: std::iter::once(step).chain(before.past.iter().cloned()).take(MAX_STEPS).collect() }
    }

    /// The earliest state known since which nothing has changed.
    fn since(&self, is_touched: impl Fn(&C) -> bool) -> u64 {
        let steps = self.past.iter().take_while(|(changed, _)| !is_touched(changed));
        steps.last().map_or(self.serial, |(_, before)| *before)
    }
}

/// A prepared coverage.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    view: Weak<CoverageView>,
    name: Arc<str>,
    datum: Datum,
    serial: u64,
    made: Arc<OnceLock<(AreaTiles, Lineage<Changed>)>>,
}

impl Ready {
    /// The prepared areas, if they are already.
    pub(super) fn areas(&self) -> Option<&AreaTiles> {
        self.made.get().map(|(areas, _)| areas)
    }

    /// The state since which the areas of a level in a tile are as they are.
    pub(super) fn areas_since(&self, level: Level, tile: TileCoord) -> u64 {
        self.made.get().map_or(self.serial, |(_, lineage)| lineage.since(|changed| changed.areas(level, tile)))
    }

    /// The same for their names.
    pub(super) fn names_since(&self, level: Level, tile: TileCoord) -> u64 {
        self.made.get().map_or(self.serial, |(_, lineage)| lineage.since(|changed| changed.names(level, tile)))
    }
}

/// A layer that is known.
#[derive(Clone, Debug)]
pub(super) struct Known {
    layer: Weak<Layer>,
    lineage: Lineage<Vec<Bounds>>,
}

impl Known {
    /// The number of this very state.
    pub(super) fn state(&self) -> u64 {
        self.lineage.serial
    }

    /// The state since which no feature whose box meets `bounds` has changed.
    pub(super) fn since(&self, bounds: Bounds) -> u64 {
        self.lineage.since(|boxes| boxes.iter().any(|b| b.meets(bounds)))
    }
}

/// The footprints of a layer's base.
#[derive(Clone, Debug)]
struct Drawn {
    base: Weak<Base>,
    datum: Datum,
    made: Arc<OnceLock<Footprints>>,
}

/// The coverages and layers that were read last, the latest at the end.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    serial: AtomicU64,
    coverages: Mutex<Vec<Ready>>,
    layers: Mutex<Vec<Known>>,
    drawn: Mutex<Vec<Drawn>>,
}

impl Prepared {
    fn next_serial(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::Relaxed)
    }

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
                    serial: self.next_serial(),
                    made: Arc::default(),
                },
            };
            let before = all.iter().rev().find(|r| r.name == view.name && r.datum == datum).map(|r| r.made.clone());
            if all.len() >= MAX_COVERAGES {
                all.remove(0);
            }
            all.push(ready.clone());
            (ready, before)
        };
        ready.made.get_or_init(|| match before.as_ref().and_then(|b| b.get()) {
            Some((before, lineage)) => {
                let (areas, changed) = before.updated(&view.coverage);
                (areas, Lineage::after(ready.serial, changed, lineage))
            }
            None => (AreaTiles::new(&view.coverage, datum), Lineage::new(ready.serial)),
        });
        // Nobody can ask again for one that is gone, and the next can now build on this.
        let mut all = self.coverages.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|r| r.view.strong_count() > 0 || r.name != view.name || r.datum != datum);
        ready
    }

    /// A coverage that is prepared already, without waiting for it.
    pub(super) fn known(&self, view: &Arc<CoverageView>, datum: Datum) -> Option<Ready> {
        let all = self.coverages.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |r: &&Ready| r.datum == datum && std::ptr::eq(r.view.as_ptr(), Arc::as_ptr(view));
        all.iter().rev().find(is_it).filter(|r| r.made.get().is_some()).cloned()
    }

    /// Around what two states of a coverage differ that are both prepared, the later one from
    /// the earlier, maybe by way of a draft.
    pub(super) fn ground_between(
        &self,
        before: &Arc<CoverageView>,
        after: &Arc<CoverageView>,
        datum: Datum,
    ) -> Option<Vec<Bounds>> {
        let (before, after) = (self.known(before, datum)?, self.known(after, datum)?);
        let (_, lineage) = after.made.get()?;
        let steps = lineage.past.iter().position(|(_, since)| *since == before.serial)?;
        let grounds: Option<Vec<&[Bounds]>> =
            lineage.past[..=steps].iter().map(|(changed, _)| changed.ground()).collect();
        Some(boundaries::together(grounds?.concat()))
    }

    /// The datums for which some state of a coverage is prepared.
    pub(super) fn datums(&self, name: &str) -> Vec<Datum> {
        let all = self.coverages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut datums: Vec<Datum> = all.iter().filter(|r| *r.name == *name).map(|r| r.datum).collect();
        datums.sort_unstable();
        datums.dedup();
        datums
    }

    /// The footprints of a layer's base, worked out by the first who asks.
    pub(super) fn footprints(&self, layer: &Layer, datum: Datum) -> Arc<OnceLock<Footprints>> {
        let made = {
            let mut all = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|d| d.base.strong_count() > 0);
            let is_it = |d: &Drawn| d.datum == datum && std::ptr::eq(d.base.as_ptr(), Arc::as_ptr(layer.base()));
            let drawn = match all.iter().position(is_it) {
                Some(i) => all.remove(i),
                None => Drawn { base: Arc::downgrade(layer.base()), datum, made: Arc::default() },
            };
            if all.len() >= MAX_DRAWN {
                all.remove(0);
            }
            let made = drawn.made.clone();
            all.push(drawn);
            made
        };
        made.get_or_init(|| Footprints::of(layer, layer.base_rows(), datum));
        made
    }

    /// Whether the footprints of a layer's base are worked out.
    pub(super) fn knows_footprints(&self, layer: &Layer, datum: Datum) -> bool {
        let all = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |d: &&Drawn| d.datum == datum && std::ptr::eq(d.base.as_ptr(), Arc::as_ptr(layer.base()));
        all.iter().find(is_it).is_some_and(|d| d.made.get().is_some())
    }

    /// A layer, known from now on.
    pub(super) fn layer(&self, layer: &Arc<Layer>) -> Known {
        let mut all = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.iter().find(|k| k.is(layer)) {
            return known.clone();
        }
        let known = Known { layer: Arc::downgrade(layer), lineage: Lineage::new(self.next_serial()) };
        push(&mut all, known.clone());
        known
    }

    /// Makes known that one layer has taken the place of another, and around what they differ.
    pub(super) fn succeed(&self, before: &Arc<Layer>, after: &Arc<Layer>, changed: &[Bounds]) {
        let earlier = {
            let all = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().find(|k| k.is(before)).map(|k| k.lineage.clone())
        };
        let Some(earlier) = earlier else { return };
        let mut all = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody may have asked already: what was made meanwhile stays what it is.
        let asked = all.iter().position(|k| k.is(after)).map(|i| all.remove(i).lineage.serial);
        let serial = asked.unwrap_or_else(|| self.next_serial());
        let known = Known { layer: Arc::downgrade(after), lineage: Lineage::after(serial, changed.to_vec(), &earlier) };
        push(&mut all, known);
    }
}

impl Known {
    fn is(&self, layer: &Arc<Layer>) -> bool {
        std::ptr::eq(self.layer.as_ptr(), Arc::as_ptr(layer))
    }
}

fn push(all: &mut Vec<Known>, known: Known) {
    all.retain(|k| k.layer.strong_count() > 0);
    if all.len() >= MAX_LAYERS {
        all.remove(0);
    }
    all.push(known);
}
