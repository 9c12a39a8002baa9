//! The nearest entries of buckets, in exact order.
//!
//! Rings: all cells that meet the box around a cap of angle ρ are read, ρ grows until
//! what is still unread must be farther than the worst of the best. A box contains its
//! cap, so after a ring nothing unread is nearer than ρ: that is the stop rule, and it
//! is exact. Once the list is full, the next ring is drawn at the worst of the best
//! itself and is the last.
//!
//! Where a few rings don't fill the list (a lonely query, a rare skill), the blocks are
//! taken in the order of the least distance that anything in them can have; a block
//! without the traits asked for is not opened.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::bands::{BlockKey, Cell};
use super::buckets::{Block, Buckets, Entry, Mask};
use super::sphere::{POLE, Spot, TURN, angle_of, cos_of, half_sine_2, haversine_of, turn_between, units};

/// Rings are drawn up to this many cells from the middle; beyond, block by block.
const RINGS_REACH: f64 = 6.0;

/// Room for the rounding of the bounds (not of the distances, which are compared as
/// they are): a relative error far above that of any formula here.
const SLACK: f64 = 1e-9;

/// The best so far, ascending by haversine, then by the order that the caller gives
/// to slots.
#[derive(Debug)]
pub(super) struct Best<F> {
    k: usize,
    limit: f64,
    found: Vec<(f64, u32)>,
    order: F,
}

impl<F: Fn(u32, u32) -> Ordering> Best<F> {
    /// At most `k`, none farther than the haversine `limit`; `order` breaks ties.
    pub(super) fn new(k: usize, limit: f64, order: F) -> Self {
        Self { k, limit, found: Vec::new(), order }
    }

    /// What an entry must not pass to matter.
    #[inline]
    pub(super) fn reach(&self) -> f64 {
        if self.found.len() < self.k { self.limit } else { self.found[self.k - 1].0 }
    }

    #[inline]
    pub(super) fn offer(&mut self, haversine: f64, slot: u32) {
        if haversine > self.reach() {
            return;
        }
        let before =
            |(h, s): &(f64, u32)| h.total_cmp(&haversine).then_with(|| (self.order)(*s, slot)) == Ordering::Less;
        let at = self.found.partition_point(before);
        if at < self.k {
            self.found.truncate(self.k - 1);
            self.found.insert(at, (haversine, slot));
        }
    }

    pub(super) fn into_found(self) -> Vec<(f64, u32)> {
        self.found
    }
}

/// A box of latitudes and longitudes that a ring covers; longitudes run on beyond the
/// antimeridian.
#[derive(Clone, Copy, Debug)]
struct Window {
    bands: (i64, i64),
    west: i64,
    east: i64,
}

impl Window {
    /// The box around the cap of that angle.
    fn around(spot: Spot, angle: f64, buckets: &Buckets) -> Self {
        let (x, y) = (i64::from(spot.x), i64::from(spot.y));
        // Two units more than the rounding can take away.
        let reach = units(angle * (1.0 + SLACK)).min(TURN as f64) as i64 + 2;
        let holds_a_pole = y + reach >= POLE || y - reach <= -POLE;
        let half = if holds_a_pole {
            TURN
        } else {
            // The widest meridian that a cap reaches: sin Δλ = sin ρ / cos φ.
            units((angle.sin() / spot.cos).min(1.0).asin() * (1.0 + SLACK)) as i64 + 2
        };
        let bands = buckets.bands();
        Self { bands: (bands.band(y - reach), bands.band(y + reach)), west: x - half, east: x + half }
    }

    /// The columns of a band within it, unwrapped; `None` outside its bands.
    #[inline]
    fn columns(&self, band: i64, buckets: &Buckets) -> Option<(i64, i64)> {
        if band < self.bands.0 || band > self.bands.1 {
            return None;
        }
        let bands = buckets.bands();
        let n = bands.columns(band);
        Some((bands.column(self.west, n), bands.column(self.east, n)))
    }

    /// Whether it covers a cell.
    fn covers(&self, cell: Cell, buckets: &Buckets) -> bool {
        let n = buckets.bands().columns(cell.band);
        self.columns(cell.band, buckets).is_some_and(|(west, east)| (cell.column - west).rem_euclid(n) <= east - west)
    }
}

/// Offers to `best` every entry around `spot` that has all of `traits`, that `accept`
/// takes, and that can matter. `accept` is asked last, and only for those.
pub(super) fn search<F: Fn(u32, u32) -> Ordering>(
    buckets: &Buckets,
    spot: Spot,
    traits: Mask,
    best: &mut Best<F>,
    mut accept: impl FnMut(&Entry) -> bool,
) {
    if best.k == 0 || buckets.len() == 0 {
        return;
    }
    let mut read = |entries: &[Entry], best: &mut Best<F>| {
        for entry in entries {
            if entry.mask & traits != traits {
                continue;
            }
            let haversine = spot.haversine(entry.spot);
            if haversine <= best.reach() && accept(entry) {
                best.offer(haversine, entry.slot);
            }
        }
    };

    let step = (1_u64 << buckets.bands().shift()) as f64 / units(1.0);
    let mut angle = step / 2.0;
    let mut seen: Option<Window> = None;
    while angle <= step * RINGS_REACH {
        let worst = best.reach();
        let last = worst < 1.0 && angle_of(worst) * (1.0 + SLACK) <= angle;
        let window = Window::around(spot, if last { angle_of(worst) } else { angle }, buckets);
        for_new_cells(buckets, &window, seen.as_ref(), |entries| read(entries, best));
        if last || best.reach() <= haversine_of(angle) * (1.0 - SLACK) {
            return;
        }
        seen = Some(window);
        angle *= 1.5;
    }

    let mut queue: BinaryHeap<_> = buckets
        .blocks()
        .iter()
        .filter(|block| block.traits & traits == traits)
        .map(|block| Reverse((least(buckets, spot, block.key).to_bits(), block.key.belt, block.key.along)))
        .collect();
    while let Some(Reverse((least, belt, along))) = queue.pop() {
        if f64::from_bits(least) > best.reach() {
            return;
        }
        let Some(block) = buckets.block(BlockKey { belt, along }) else { continue };
        for (i, entries) in block.cells.iter().enumerate() {
            if !entries.is_empty() && !seen.is_some_and(|w| w.covers(block.key.cell(i), buckets)) {
                read(entries, best);
            }
        }
    }
}

/// Reads every cell of `window` that `seen` does not cover, once.
fn for_new_cells(buckets: &Buckets, window: &Window, seen: Option<&Window>, mut read: impl FnMut(&[Entry])) {
    let mut at: Option<(BlockKey, Option<&Block>)> = None;
    for band in window.bands.0..=window.bands.1 {
        let n = buckets.bands().columns(band);
        let Some((west, east)) = window.columns(band, buckets) else { continue };
        let mut visit = |from: i64, to: i64| {
            for column in from..=to {
                let cell = Cell { band, column: column.rem_euclid(n) };
                let key = cell.block();
                let block = match at {
                    Some((last, block)) if last == key => block,
                    _ => {
                        let block = buckets.block(key);
                        at = Some((key, block));
                        block
                    }
                };
                if let Some(block) = block {
                    read(&block.cells[cell.in_block()]);
                }
            }
        };
        match seen.and_then(|w| w.columns(band, buckets)) {
            None => visit(west, east.min(west + n - 1)),
            // Whoever went all around has seen the band.
            Some((w, e)) if e - w + 1 >= n => {}
            // All around now: on from the seen ones eastwards until they come again.
            Some((w, e)) if east - west + 1 >= n => visit(e + 1, w + n - 1),
            Some((w, e)) => {
                visit(west, w - 1);
                visit(e + 1, east);
            }
        }
    }
}

/// The least haversine that anything in a block can have from a spot.
fn least(buckets: &Buckets, spot: Spot, key: BlockKey) -> f64 {
    let ([south, north], [west, east]) = buckets.bands().extent(key);
    let (x, y) = (i64::from(spot.x), i64::from(spot.y));
    let dy = (south - y).max(y - north).max(0);
    let dx = if west <= x && x <= east { 0 } else { turn_between(x, west).min(turn_between(x, east)) };
    let narrowest = cos_of(south).min(cos_of(north));
    // Each term of the haversine is at its least; so is the sum.
    (half_sine_2(dy) + spot.cos * narrowest * half_sine_2(dx)) * (1.0 - SLACK)
}
