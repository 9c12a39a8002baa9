//! The registry of workers and their live positions.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use boundaries::Point;
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};

use super::buckets::{Buckets, Entry, Mask};
use super::sphere::Spot;
use super::traits::{Trait, Traits};

/// Positions may be this far ahead of the clock here, in seconds: more is a clock gone
/// wrong, and would shut out every right report that comes after it.
pub const LEAD_S: i64 = 300;

/// How many positions are recorded before readers get a turn.
const TURN: usize = 256;

/// What the city knows of a worker, apart from where he is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Unique among workers.
    pub id: Arc<str>,
    /// What people call him.
    pub name: Arc<str>,
    /// What he is: grid worker, police, volunteer ...; may be empty.
    pub role: Arc<str>,
    /// What he can do.
    pub skills: Vec<Arc<str>>,
    /// The codes of the grids that he answers for.
    pub grids: Vec<Arc<str>>,
    /// Whether he is on duty.
    pub on_duty: bool,
    /// Where he is taken to be until a report says more.
    pub home: Point,
}

/// A report of where a worker was at a time.
///
/// The later of two reports is the one with the later time; of equal times, the one
/// whose point is the greater (longitude, then latitude), so that the order in which
/// reports arrive never matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// Whose.
    pub id: &'a str,
    /// Where.
    pub point: Point,
    /// When.
    pub time: Timestamp,
}

/// What became of a batch of positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Taken, or known already exactly so.
    pub accepted: u64,
    /// Older than the last known, and left out.
    pub stale: u64,
    /// Of nobody in the registry.
    pub unknown: u64,
    /// More than [`LEAD_S`] ahead of the clock, and left out.
    pub ahead: u64,
}

/// What a sync changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// New workers.
    pub added: usize,
    /// Workers of whom something is different.
    pub changed: usize,
    /// Workers who are gone, with their positions.
    pub removed: usize,
}

/// A worker with his last known position.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The worker.
    pub worker: Arc<Worker>,
    /// Where he was last seen, or his home.
    pub point: Point,
    /// When; `None` where only his home is known.
    pub time: Option<Timestamp>,
    /// How many open events are his.
    pub load: u32,
}

/// One worker inside.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) worker: Arc<Worker>,
    pub(super) spot: Spot,
    pub(super) time: Option<Timestamp>,
    pub(super) load: u32,
    pub(super) mask: Mask,
}

/// Everything under the lock.
#[derive(Clone, Debug)]
pub(super) struct State {
    slots: FxHashMap<Arc<str>, u32>,
    pub(super) records: Vec<Option<Record>>,
    free: Vec<u32>,
    pub(super) traits: Traits,
    /// By grid code, who answers for it.
    pub(super) of_grid: FxHashMap<Arc<str>, Vec<u32>>,
    /// Off duty, on duty.
    pub(super) duty: [Buckets; 2],
    /// How many reports moved somebody.
    reports: u64,
}

/// The live registry. Shared by reference; every call locks briefly.
#[derive(Debug)]
pub struct Workers {
    state: RwLock<State>,
    /// One sync at a time; it compares outside the other lock.
    syncing: Mutex<()>,
}

impl Default for Workers {
    fn default() -> Self {
        Self::new()
    }
}

impl Workers {
    /// A registry of nobody.
    #[must_use]
    pub fn new() -> Self {
        Self { state: RwLock::new(State::new()), syncing: Mutex::new(()) }
    }

    /// How many workers it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().slots.len()
    }

    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last known of a worker.
    #[must_use]
    pub fn seen(&self, id: &str) -> Option<Seen> {
        let state = self.read();
        state.record(*state.slots.get(id)?).map(Record::seen)
    }

    /// The last known of everybody, in no order.
    #[must_use]
    pub fn all_seen(&self) -> Vec<Seen> {
        self.read().records.iter().flatten().map(Record::seen).collect()
    }

    /// How many reports have told something new so far: where this stands still, everybody does.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.read().reports
    }

    /// Takes a batch of positions at the time `now`. Each stands for itself: one that is
    /// left out does not keep the others from being taken.
    pub fn record(&self, batch: &[Position<'_>], now: Timestamp) -> Recorded {
        let latest = now.as_second().saturating_add(LEAD_S);
        let mut recorded = Recorded::default();
        // Readers get a turn now and then, however large the batch.
        for some in batch.chunks(TURN) {
            let mut state = self.write();
            for position in some {
                let count = if position.time.as_second() > latest {
                    &mut recorded.ahead
                } else {
                    match state.report(position) {
                        Some(true) => &mut recorded.accepted,
                        Some(false) => &mut recorded.stale,
                        None => &mut recorded.unknown,
                    }
                };
                *count += 1;
            }
        }
        recorded
    }

    /// Makes the registry hold exactly these workers (of two with one id the last
    /// counts). Live positions of those who stay are kept.
    pub fn sync(&self, workers: Vec<Worker>) -> Synced {
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut there: FxHashMap<Arc<str>, Worker> = FxHashMap::default();
        for worker in workers {
            there.insert(worker.id.clone(), worker);
        }
        let mut synced = Synced::default();
        let (gone, changed) = {
            let state = self.read();
            let gone: Vec<_> = state.slots.keys().filter(|id| !there.contains_key(*id)).cloned().collect();
            there.retain(|id, worker| {
                state.slots.get(id).and_then(|slot| state.record(*slot)).is_none_or(|r| *r.worker != *worker)
            });
            let mut changed: Vec<_> = there.into_values().collect();
            // The order decides which trait gets which bit; let it not depend on hashes.
            changed.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            (gone, changed)
        };
        let many = changed.len() + gone.len();
        for some in gone.chunks(TURN) {
            let mut state = self.write();
            synced.removed += some.iter().filter(|id| state.remove(id)).count();
        }
        let mut changed = changed.into_iter().peekable();
        while changed.peek().is_some() {
            let mut state = self.write();
            for worker in changed.by_ref().take(TURN) {
                if state.enroll(worker) {
                    synced.added += 1;
                } else {
                    synced.changed += 1;
                }
            }
        }
        if many * 2 > self.len() {
            self.fit_cells();
        }
        synced
    }

    /// Says how many open events each worker has; whoever is not named has none.
    pub fn set_loads(&self, loads: &FxHashMap<Arc<str>, u32>) {
        let load = |record: &Record| loads.get(&record.worker.id).copied().unwrap_or(0);
        let changed: Vec<_> = {
            let state = self.read();
            let slots = (0_u32..).zip(&state.records);
            slots.filter(|(_, r)| r.as_ref().is_some_and(|r| r.load != load(r))).map(|(slot, _)| slot).collect()
        };
        for some in changed.chunks(TURN) {
            let mut state = self.write();
            for slot in some {
                // Whoever took the slot meanwhile is looked up by his own id.
                if let Some(Some(record)) = state.records.get_mut(*slot as usize) {
                    record.load = load(record);
                }
            }
        }
    }

    /// Chooses the size of the cells anew for where the workers are now.
    fn fit_cells(&self) {
        // Rebuilt under the lock: some milliseconds, when most of the registry changed.
        let mut state = self.write();
        let shift = state.fitting_shift();
        let mut duty = [Buckets::new(shift), Buckets::new(shift)];
        for (slot, record) in state.records.iter().enumerate() {
            if let Some(record) = record {
                duty[usize::from(record.worker.on_duty)].put(record.entry(slot as u32));
            }
        }
        state.duty = duty;
    }

    // A panic under the lock is a defect here; what it guards is still whole enough to
    // serve, since positions are hints and the next report sets them right.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn seen(&self) -> Seen {
        Seen { worker: self.worker.clone(), point: self.spot.point(), time: self.time, load: self.load }
    }

    fn entry(&self, slot: u32) -> Entry {
        Entry { spot: self.spot, mask: self.mask, slot }
    }
}

/// Cells of 2^16 units are 729 m high.
const WIDEST_CELL: u32 = 17;
const NARROWEST_CELL: u32 = 12;
/// How many entries the cell of an average worker should hold at most: few enough to
/// pass over quickly. A search with a filter skips the cells that hold nobody who fits, so
/// small ones suit it too (measured: with 4 it opens too many, with 32 it reads too much).
const CROWD: f64 = 8.0;

impl State {
    fn new() -> Self {
        Self {
            slots: FxHashMap::default(),
            records: Vec::new(),
            free: Vec::new(),
            traits: Traits::default(),
            of_grid: FxHashMap::default(),
            duty: [Buckets::new(WIDEST_CELL), Buckets::new(WIDEST_CELL)],
            reports: 0,
        }
    }

    pub(super) fn record(&self, slot: u32) -> Option<&Record> {
        self.records.get(slot as usize)?.as_ref()
    }

    /// Takes a report: whether it was later than the last known, or `None` for a stranger.
    fn report(&mut self, position: &Position<'_>) -> Option<bool> {
        let slot = *self.slots.get(position.id)?;
        let record = self.records[slot as usize].as_mut()?;
        let known = (record.time, record.spot.point());
        let told = (Some(position.time), position.point);
        if told > known {
            record.time = Some(position.time);
            record.spot = Spot::at(position.point);
            self.reports += 1;
            let entry = record.entry(slot);
            self.duty[usize::from(record.worker.on_duty)].put(entry);
        }
        Some(told >= known)
    }

    /// Adds a worker or replaces what is known of him; whether he is new.
    fn enroll(&mut self, worker: Worker) -> bool {
        let mut mask = 0;
        if !worker.role.is_empty() {
            mask |= self.traits.intern(Trait::Role(&worker.role));
        }
        for skill in &worker.skills {
            mask |= self.traits.intern(Trait::Skill(skill));
        }
        let known = self.slots.get(&worker.id).copied();
        let slot = known.or_else(|| self.free.pop()).unwrap_or(self.records.len() as u32);
        if self.records.len() <= slot as usize {
            self.records.resize(slot as usize + 1, None);
        }
        self.leave_grids(slot);
        for grid in worker.grids.iter().collect::<FxHashSet<_>>() {
            self.of_grid.entry(grid.clone()).or_default().push(slot);
        }
        self.slots.insert(worker.id.clone(), slot);
        let before = self.records[slot as usize].take();
        // A report stands above a home; without one, the present home counts.
        let (spot, time) = match &before {
            Some(record) if record.time.is_some() => (record.spot, record.time),
            _ => (Spot::at(worker.home), None),
        };
        let load = before.map_or(0, |record| record.load);
        let on_duty = usize::from(worker.on_duty);
        let record = Record { worker: Arc::new(worker), spot, time, load, mask };
        self.duty[1 - on_duty].take(slot);
        self.duty[on_duty].put(record.entry(slot));
        self.records[slot as usize] = Some(record);
        known.is_none()
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(slot) = self.slots.remove(id) else { return false };
        self.leave_grids(slot);
        self.records[slot as usize] = None;
        self.duty.iter_mut().for_each(|buckets| buckets.take(slot));
        self.free.push(slot);
        true
    }

    fn leave_grids(&mut self, slot: u32) {
        let Some(record) = &self.records[slot as usize] else { return };
        for grid in &record.worker.grids {
            if let Some(slots) = self.of_grid.get_mut(grid) {
                slots.retain(|s| *s != slot);
                if slots.is_empty() {
                    self.of_grid.remove(grid);
                }
            }
        }
    }

    /// The widest cells in which an average worker is not in a crowd.
    fn fitting_shift(&self) -> u32 {
        (NARROWEST_CELL..=WIDEST_CELL)
            .rev()
            .find(|shift| {
                let mut cells: FxHashMap<(i32, i64), u64> = FxHashMap::default();
                for record in self.records.iter().flatten() {
                    let x = (f64::from(record.spot.x) * record.spot.cos) as i64;
                    *cells.entry((record.spot.y >> shift, x >> shift)).or_default() += 1;
                }
                let total: u64 = cells.values().sum();
                let crowd: u64 = cells.values().map(|n| n * n).sum();
                crowd as f64 <= total as f64 * CROWD
            })
            .unwrap_or(NARROWEST_CELL)
    }

    #[cfg(test)]
    pub(super) fn sanity_check(&self) -> Vec<String> {
        let mut defects: Vec<_> = self.duty.iter().flat_map(Buckets::sanity_check).collect();
        let live = self.records.iter().flatten().count();
        let seated = self.duty[0].len() + self.duty[1].len();
        if live != self.slots.len() || live != seated || live + self.free.len() != self.records.len() {
            defects.push(format!("{live} records, {seated} seats, {} free", self.free.len()));
        }
        for (on_duty, buckets) in self.duty.iter().enumerate() {
            for entry in buckets.entries() {
                let fits = self
                    .record(entry.slot)
                    .is_some_and(|r| r.spot.point() == entry.spot.point() && usize::from(r.worker.on_duty) == on_duty);
                if !fits {
                    defects.push(format!("slot {} is not where its record says", entry.slot));
                }
            }
        }
        defects
    }
}
