//! The nearest entries of buckets, in exact order.
//!
//! Rings: all cells that meet the box around a cap of angle ρ are read, ρ grows until
//! what is still unread must be farther than the worst of the best. A box contains its
//! cap, so after a ring nothing unread is nearer than ρ: that is the stop rule, and it
//! is exact. Once the list is full, the next ring is drawn at the worst of the best
//! itself and is the last.
//!
//! Where a few rings don't fill the list (a lonely query, a rare skill), the blocks are
//! taken in the order of the least distance that anything in them can have. Cells
//! without the traits asked for are not opened.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::bands::{BlockKey, SIDE};
use super::buckets::{Buckets, Entry, Mask, bits};
use super::sphere::{POLE, Spot, TURN, angle_of, cos_of, half_sine_2, haversine_of, turn_between, units};

/// Rings are drawn for as long as they take at most so many looks at blocks; beyond,
/// all blocks are put in order.
const RING_BLOCKS: i64 = 60;

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

/// The best are made room for at once, as far as usual queries go.
const ROOM: usize = 32;

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
            if self.found.is_empty() {
                self.found.reserve(self.k.min(ROOM));
            }
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

    /// The cells of a block within it, a bit for each.
    #[inline]
    fn cells(&self, key: BlockKey, buckets: &Buckets) -> u64 {
        let south = i64::from(key.belt) * SIDE;
        let (first, last) = ((self.bands.0 - south).max(0), (self.bands.1 - south).min(SIDE - 1));
        if first > last {
            return 0;
        }
        // All bands of a belt have the same columns.
        let Some((west, east)) = self.columns(south + first, buckets) else { return 0 };
        let n = buckets.bands().columns(south);
        let row = if east - west + 1 >= n {
            0xff
        } else {
            // How far east of the window's west each column of the block lies, around the globe.
            let begin = i64::from(key.along) * SIDE - west;
            let inside = |column: i64| (begin + column).rem_euclid(n) <= east - west;
            match (inside(0), inside(SIDE - 1)) {
                // A window that leaves the block and comes back around the globe is looked at column by column.
                (true, true) if east - west < n - SIDE => 0xff,
                _ => (0..SIDE).filter(|c| inside(*c)).fold(0_u64, |row, c| row | 1 << c),
            }
        };
        // The same columns in every band.
        let bands = (u64::MAX >> (8 * (SIDE - 1 - last))) & (u64::MAX << (8 * first));
        (row * 0x0101_0101_0101_0101) & bands
    }

    /// The blocks that it meets, each once.
    fn blocks(&self, buckets: &Buckets) -> impl Iterator<Item = BlockKey> {
        (self.bands.0.div_euclid(SIDE)..=self.bands.1.div_euclid(SIDE)).flat_map(move |belt| {
            let n = buckets.bands().columns(belt * SIDE);
            let (west, east) = self.columns((belt * SIDE).max(self.bands.0), buckets).unwrap_or((0, -1));
            let (first, last) = (west.div_euclid(SIDE), east.div_euclid(SIDE));
            let around = n / SIDE;
            (first..=last.min(first + around - 1))
                .map(move |along| BlockKey { belt: belt as u32, along: along.rem_euclid(around) as u32 })
        })
    }

    /// About how many blocks it meets.
    fn size(&self, buckets: &Buckets) -> i64 {
        let belts = self.bands.1 / SIDE - self.bands.0 / SIDE + 1;
        let (west, east) = self.columns(self.bands.0, buckets).unwrap_or((0, 0));
        belts * ((east - west) / SIDE + 2)
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
            if let Some(haversine) = spot.haversine_within(entry.spot, best.reach())
                && accept(entry)
            {
                best.offer(haversine, entry.slot);
            }
        }
    };

    let mut angle = first_angle(buckets, spot, traits, best.k);
    let mut seen: Option<Window> = None;
    loop {
        let worst = best.reach();
        let last = worst < 1.0 && angle_of(worst) * (1.0 + SLACK) <= angle;
        let window = Window::around(spot, if last { angle_of(worst) } else { angle }, buckets);
        if window.size(buckets) > RING_BLOCKS {
            break;
        }
        for key in window.blocks(buckets) {
            let Some(block) = buckets.block(key) else { continue };
            let unread = window.cells(key, buckets) & !seen.map_or(0, |w| w.cells(key, buckets));
            bits(block.holding(traits) & unread).for_each(|cell| read(&block.cells[cell], best));
        }
        if last || best.reach() <= haversine_of(angle) * (1.0 - SLACK) {
            return;
        }
        seen = Some(window);
        angle *= GROWTH;
    }

    let mut queue: BinaryHeap<_> = buckets
        .blocks()
        .iter()
        .filter(|block| block.holding(traits) != 0)
        .map(|block| Reverse((least(buckets, spot, block.key).to_bits(), block.key.belt, block.key.along)))
        .collect();
    while let Some(Reverse((least, belt, along))) = queue.pop() {
        if f64::from_bits(least) > best.reach() {
            return;
        }
        let key = BlockKey { belt, along };
        let Some(block) = buckets.block(key) else { continue };
        let unread = !seen.map_or(0, |w| w.cells(key, buckets));
        bits(block.holding(traits) & unread).for_each(|cell| read(&block.cells[cell], best));
    }
}

/// How much wider each ring is than the one before.
const GROWTH: f64 = 1.6;

/// An angle within which about `k` entries that fit are to be expected, going by the
/// block around the spot: a guess that costs time where it errs, never the answer.
fn first_angle(buckets: &Buckets, spot: Spot, traits: Mask, k: usize) -> f64 {
    let step = (1_u64 << buckets.bands().shift()) as f64 / units(1.0);
    let here = buckets.block(buckets.bands().cell(spot.x, spot.y).block()).map_or(0, |b| b.count);
    let share = buckets.with_traits(traits) as f64 / buckets.len() as f64;
    let in_cell = f64::from(here) * share / (SIDE * SIDE) as f64;
    step * (k as f64 / (in_cell * std::f64::consts::PI)).sqrt().clamp(0.5, SIDE as f64)
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
