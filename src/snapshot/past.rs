//! States that are not the present one, kept for whoever asks again.
//!
//! ```text
//!   state 3 ◀─── state 4 ◀────── state 9 ...      what a state shares neither with the one
//!      └───────────┴───┴──▶ present               before it nor with the present is its cost
//! ```
//!
//! Invariant: the states kept hold at most [`MOST_BYTES`] beside the present one, and one
//! state more: the one that was asked for last stays whatever it costs. What is evicted is
//! let go of by everything here. It must not know where states come from.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{CoverageView, Snapshot};

/// Bytes of states that the present one does not share.
pub(super) const MOST_BYTES: usize = 64 << 20;
/// Snapshots that are kept over those states: they cost little beside what their layers are
/// asked for, which is why they are few.
const MOST_SNAPSHOTS: usize = 8;

/// A state, and what it costs beside the others.
#[derive(Debug)]
struct Kept {
    view: Arc<CoverageView>,
    bytes: usize,
    /// The state before it when it was weighed; `None` before it was.
    beside: Option<u64>,
}

#[derive(Debug, Default)]
struct Held {
    /// The store that they are of: numbers mean something else after a restore.
    epoch: Arc<str>,
    /// The change that the snapshots' features are of.
    change: u64,
    /// The one used last is at the end.
    views: VecDeque<Kept>,
    /// The present revisions that they were weighed beside.
    beside: Vec<u64>,
    snapshots: VecDeque<(Vec<u64>, Arc<Snapshot>)>,
}

/// What is kept.
#[derive(Debug)]
pub(super) struct Past {
    held: Mutex<Held>,
    most_bytes: usize,
}

impl Past {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { held: Mutex::default(), most_bytes }
    }

    /// What is kept that is true beside a present snapshot.
    fn beside(&self, present: &Snapshot) -> MutexGuard<'_, Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.epoch != present.epoch {
            *held = Held { epoch: present.epoch.clone(), ..Held::default() };
        }
        if !present.coverages.iter().map(|c| c.revision).eq(held.beside.iter().copied()) {
            // The present moved away from what they shared with it.
            held.beside = present.coverages.iter().map(|c| c.revision).collect();
            held.views.iter_mut().for_each(|kept| kept.beside = None);
            held.shrink(self.most_bytes, present);
        }
        if held.change != present.change {
            held.change = present.change;
            held.snapshots.clear();
        }
        held
    }

    /// The city at some revisions, over the features of the present.
    pub(super) fn snapshot(&self, numbers: &[u64], present: &Snapshot) -> Option<Arc<Snapshot>> {
        let mut held = self.beside(present);
        let at = held.snapshots.iter().position(|(of, _)| of == numbers)?;
        let found = held.snapshots.remove(at)?;
        let snapshot = found.1.clone();
        held.snapshots.push_back(found);
        for view in &snapshot.coverages {
            held.use_again(view.revision);
        }
        Some(snapshot)
    }

    /// The state of a revision.
    pub(super) fn view(&self, number: u64, present: &Snapshot) -> Option<Arc<CoverageView>> {
        let now = present.coverages.iter().find(|view| view.revision == number).cloned();
        now.or_else(|| self.beside(present).use_again(number))
    }

    /// The state of a coverage that is nearest to a revision, to make that from.
    pub(super) fn nearest(&self, place: usize, number: u64, present: &Snapshot) -> Option<Arc<CoverageView>> {
        let now = present.coverages.get(place)?;
        let held = self.beside(present);
        let all =
            std::iter::once(now).chain(held.views.iter().map(|kept| &kept.view).filter(|view| view.name == now.name));
        all.min_by_key(|view| view.revision.abs_diff(number)).cloned()
    }

    /// Keeps a state, and lets go of those that were not used for the longest time.
    pub(super) fn keep_view(&self, view: Arc<CoverageView>, present: &Snapshot) {
        let mut held = self.beside(present);
        held.views.retain(|kept| kept.view.revision != view.revision);
        held.views.push_back(Kept { view, bytes: 0, beside: None });
        held.shrink(self.most_bytes, present);
    }

    /// Keeps the city at some revisions.
    pub(super) fn keep(&self, numbers: Vec<u64>, snapshot: Arc<Snapshot>, present: &Snapshot) {
        let mut held = self.beside(present);
        // Of another change than what is kept now it would be found by nobody.
        if snapshot.change != held.change {
            return;
        }
        held.snapshots.retain(|(of, _)| *of != numbers);
        if held.snapshots.len() >= MOST_SNAPSHOTS {
            held.snapshots.pop_front();
        }
        held.snapshots.push_back((numbers, snapshot));
    }

    /// How many states are kept, and how many bytes at most they hold beside the present.
    pub(super) fn size(&self, present: &Snapshot) -> (usize, usize) {
        let held = self.beside(present);
        (held.views.len(), held.views.iter().map(|kept| kept.bytes).sum())
    }
}

impl Held {
    fn use_again(&mut self, number: u64) -> Option<Arc<CoverageView>> {
        let at = self.views.iter().position(|kept| kept.view.revision == number)?;
        let kept = self.views.remove(at)?;
        let view = kept.view.clone();
        self.views.push_back(kept);
        Some(view)
    }

    /// Lets go of the states that were not used for the longest time, until the others and
    /// the last one fit.
    fn shrink(&mut self, most_bytes: usize, present: &Snapshot) {
        self.weigh(present);
        while self.views.len() > 1 && self.views.iter().map(|kept| kept.bytes).sum::<usize>() > most_bytes {
            let Some(gone) = self.views.pop_front() else { return };
            self.snapshots.retain(|(_, s)| !s.coverages.iter().any(|view| Arc::ptr_eq(view, &gone.view)));
            self.weigh(present);
        }
    }

    /// Weighs the states whose neighbour is another than it was. Each counts what it shares
    /// neither with the one before it in time nor with the present, so that the sum is
    /// never less than what all of them hold.
    fn weigh(&mut self, present: &Snapshot) {
        let mut order: Vec<usize> = (0..self.views.len()).collect();
        order.sort_unstable_by_key(|i| (&self.views[*i].view.name, self.views[*i].view.revision));
        let mut before: Option<Arc<CoverageView>> = None;
        for i in order {
            let kept = &mut self.views[i];
            let other = before.filter(|other| other.name == kept.view.name);
            // Revisions count from 1.
            let beside = Some(other.as_ref().map_or(0, |other| other.revision));
            if kept.beside != beside {
                let now = present.coverage(&kept.view.name).map(|now| &**now);
                let aside = kept.view.bytes_not_shared_with(now);
                let aside = other.map_or(aside, |other| aside.min(kept.view.bytes_not_shared_with(Some(&other))));
                (kept.bytes, kept.beside) = (aside, beside);
            }
            before = Some(kept.view.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::three_grids;
    use super::*;

    fn view(revision: u64) -> Arc<CoverageView> {
        Arc::new(CoverageView::new("responsibility".into(), three_grids(), revision, None))
    }

    fn present(epoch: &str, change: u64, revision: u64) -> Snapshot {
        Snapshot { epoch: epoch.into(), change, revision, coverages: vec![view(revision)], ..Snapshot::empty() }
    }

    #[test]
    fn however_many_dates_are_asked_for_no_more_is_held_than_allowed_and_the_last_one() {
        let now = present("a", 1, 1000);
        // They share nothing with the present, so each weighs the same.
        let one = view(1).bytes_not_shared_with(Some(&now.coverages[0]));
        let past = Past::new(3 * one);
        let mut asked = Vec::new();
        for number in 1..=40 {
            let state = view(number);
            asked.push(Arc::downgrade(&state));
            past.keep_view(state.clone(), &now);
            past.keep(vec![number], Arc::new(now.over(vec![state])), &now);
            let (states, bytes) = past.size(&now);
            assert!(states <= 3 && bytes <= 3 * one, "{states} states, {bytes} bytes");
        }
        let alive: Vec<u64> = (1..).zip(&asked).filter(|(_, view)| view.strong_count() > 0).map(|(n, _)| n).collect();
        assert_eq!(alive, [38, 39, 40]);
        // Whoever is asked for again stays longer than who is not.
        assert!(past.snapshot(&[38], &now).is_some());
        past.keep_view(view(41), &now);
        assert!(past.view(38, &now).is_some() && past.view(39, &now).is_none());
        assert!(past.snapshot(&[39], &now).is_none());

        // One that is too large by itself is held as long as no other is asked for.
        let tight = Past::new(one / 2);
        for number in 1..=3 {
            tight.keep_view(view(number), &now);
            assert!(tight.view(number, &now).is_some());
            assert_eq!(tight.size(&now).0, 1);
        }
    }

    #[test]
    fn states_that_share_their_memory_with_each_other_are_counted_once() {
        let now = present("a", 1, 1000);
        let far = view(1);
        let one = far.bytes_not_shared_with(Some(&now.coverages[0]));
        let past = Past::new(usize::MAX);
        past.keep_view(far.clone(), &now);
        let alike = Arc::new(far.updated(far.coverage.clone(), 2, None));
        let more = alike.bytes_not_shared_with(Some(&far));
        assert!(more < one, "{more} of {one}");
        past.keep_view(alike, &now);
        assert_eq!(past.size(&now), (2, one + more));
        // One that shares nothing with anybody counts whole.
        past.keep_view(view(3), &now);
        assert_eq!(past.size(&now), (3, 2 * one + more));
    }

    #[test]
    fn features_of_another_change_and_states_of_another_store_are_not_handed_out() {
        let past = Past::new(usize::MAX);
        let now = present("a", 1, 9);
        past.keep_view(view(3), &now);
        past.keep(vec![3], Arc::new(now.over(vec![view(3)])), &now);
        assert!(past.snapshot(&[3], &now).is_some());
        let later = present("a", 2, 9);
        assert!(past.snapshot(&[3], &later).is_none() && past.view(3, &later).is_some());
        assert_eq!(past.nearest(0, 5, &later).map(|view| view.revision), Some(3));
        assert_eq!(past.nearest(0, 8, &later).map(|view| view.revision), Some(9));
        let restored = present("b", 2, 9);
        assert!(past.view(3, &restored).is_none());
        assert_eq!(past.size(&restored), (0, 0));
    }
}
