//! How late an event is: the clocks that its steps began and ended, by the limits of the
//! city.
//!
//! ```text
//!     filed ── dispatched ── parked ═══ dispatched ── handled ── closed
//!       │          ├─────────┤      ├─────────┤ handle             │
//!       ├────────────────────┤      ├──────────────────────────────┤ close
//! ```
//!
//! A clock begins when an event enters a limit's `from`, unless it runs already, and ends when
//! it enters one of `until`; entering `from` again begins it anew. It doesn't run while the
//! event is in a state that pauses, and an extension puts its end off.
//!
//! Invariant: what is answered for an instant follows from the steps up to that instant and
//! from nothing else, so that asking later about then answers the same.

use std::sync::Arc;

use jiff::Timestamp;

use super::calendar::{Calendar, Span};
use super::table::{Steps, Taken};

/// What decides which limits hold for an event.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its type.
    pub kind: &'a str,
    /// The code of the area that owns it, empty where none does.
    pub owner: &'a str,
    /// How urgent it is, where that is known: 3 is the most.
    pub urgency: Option<u8>,
}

/// How an event stands to its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DueState {
    /// There is time.
    Normal,
    /// The end of a limit is near.
    Near,
    /// The end of a limit is past. At the end itself there still is time.
    Late,
}

impl DueState {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Near => "near",
            Self::Late => "late",
        }
    }
}

/// One limit, as it runs or ran for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The limit's name.
    pub limit: Arc<str>,
    /// When it began.
    pub began: Timestamp,
    /// When it is over; not known while a pause puts it off.
    pub due: Option<Timestamp>,
    /// When the event had done that part of its way.
    pub ended: Option<Timestamp>,
    /// How it stands, or stood when it ended.
    pub state: DueState,
    /// The card that is shown for it, or was when it ended.
    pub card: Option<Arc<str>>,
}

/// How an event stands at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The worst of the clocks that run, or, where none does, of those that ended last.
    pub state: DueState,
    /// When the first of those clocks is over.
    pub due: Option<Timestamp>,
    /// The gravest card of those clocks.
    pub card: Option<Arc<str>>,
    /// All clocks, in the order in which they began.
    pub clocks: Vec<Clock>,
}

/// A limit, checked.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) name: Arc<str>,
    pub(super) from: usize,
    pub(super) until: Vec<usize>,
    pub(super) kind: String,
    pub(super) region: String,
    pub(super) urgency: Option<u8>,
    pub(super) within: Span,
    pub(super) near: Span,
    pub(super) extension: Span,
    pub(super) calendar: usize,
}

impl Limit {
    fn fits(&self, subject: &Subject<'_>) -> bool {
        subject.kind.starts_with(&self.kind)
            && subject.owner.starts_with(&self.region)
            && self.urgency.is_none_or(|urgency| subject.urgency == Some(urgency))
    }
}

/// A card, checked.
#[derive(Clone, Debug)]
pub(super) struct Card {
    pub(super) name: Arc<str>,
    pub(super) after: Span,
}

/// A clock while the steps are read.
struct Running<'a> {
    limit: &'a Limit,
    began_ms: i64,
    ended_ms: Option<i64>,
    extensions: usize,
}

impl Steps {
    /// How an event stands at an instant, by the steps that it had taken by then.
    #[must_use]
    pub fn standing(&self, subject: &Subject<'_>, steps: &[Taken<'_>], at: Timestamp) -> Standing {
        let at_ms = at.as_millisecond();
        let taken = steps.iter().filter_map(|s| Some((self.place(s.state)?, s.time.as_millisecond())));
        let taken: Vec<(usize, i64)> = taken.take_while(|(_, time_ms)| *time_ms <= at_ms).collect();
        let clocks: Vec<Running<'_>> = self.clocks(subject, &taken);
        let last_end = clocks.iter().filter_map(|c| c.ended_ms).max();
        let any_runs = clocks.iter().any(|c| c.ended_ms.is_none());
        let mut standing = Standing { state: DueState::Normal, due: None, card: None, clocks: Vec::new() };
        let mut gravest = None;
        for clock in clocks {
            let counts = if any_runs { clock.ended_ms.is_none() } else { clock.ended_ms == last_end };
            let (clock, card) = self.read(&clock, &taken, at_ms);
            if counts {
                standing.state = standing.state.max(clock.state);
                standing.due = standing.due.into_iter().chain(clock.due).min();
                gravest = gravest.max(card);
            }
            standing.clocks.push(clock);
        }
        standing.card = gravest.and_then(|ix| self.cards().get(ix)).map(|card| card.name.clone());
        standing
    }

    /// The clocks that the steps began, and which of them they ended.
    fn clocks<'a>(&'a self, subject: &Subject<'_>, taken: &[(usize, i64)]) -> Vec<Running<'a>> {
        let mut limits: Vec<&Limit> = Vec::new();
        for limit in self.limits().iter().filter(|limit| limit.fits(subject)) {
            if !limits.iter().any(|other| other.name == limit.name) {
                limits.push(limit);
            }
        }
        let mut clocks: Vec<Running<'_>> = Vec::new();
        for (state, time_ms) in taken {
            for clock in clocks.iter_mut().filter(|clock| clock.ended_ms.is_none()) {
                if clock.limit.until.contains(state) {
                    clock.ended_ms = Some(*time_ms);
                } else if self.state(*state).extends {
                    clock.extensions += 1;
                }
            }
            for limit in limits.iter().filter(|limit| limit.from == *state) {
                if !clocks.iter().any(|c| c.ended_ms.is_none() && c.limit.name == limit.name) {
                    clocks.push(Running { limit, began_ms: *time_ms, ended_ms: None, extensions: 0 });
                }
            }
        }
        clocks
    }

    /// The times in which the event was paused, up to an instant.
    fn pauses(&self, taken: &[(usize, i64)], until_ms: i64) -> Vec<(i64, i64)> {
        let ends = taken.iter().skip(1).map(|(_, time_ms)| *time_ms).chain([until_ms]);
        let paused = taken.iter().zip(ends).filter(|((state, _), _)| self.state(*state).pauses);
        paused.map(|((_, from_ms), to_ms)| (*from_ms, to_ms.min(until_ms))).filter(|(a, b)| a < b).collect()
    }

    /// Reads a clock at an instant, or when it ended; with it the place of its card.
    fn read(&self, clock: &Running<'_>, taken: &[(usize, i64)], at_ms: i64) -> (Clock, Option<usize>) {
        let limit = clock.limit;
        let calendar: &Calendar = self.calendar(limit.calendar);
        let read_ms = clock.ended_ms.unwrap_or(at_ms);
        let pauses = self.pauses(taken, read_ms);
        let end = |from_ms: i64, span| calendar.end(from_ms, span, &pauses);
        let extended = |due_ms| (0..clock.extensions).try_fold(due_ms, |due_ms, _| end(due_ms, limit.extension));
        let due_ms = end(clock.began_ms, limit.within).and_then(extended);
        let is_past = |span| due_ms.and_then(|due_ms| end(due_ms, span)).is_some_and(|end_ms| end_ms < read_ms);
        let state = match due_ms {
            Some(due_ms) if due_ms < read_ms => DueState::Late,
            Some(due_ms) if end(read_ms, limit.near).is_some_and(|near_ms| near_ms >= due_ms) => DueState::Near,
            _ => DueState::Normal,
        };
        let late = self.cards().iter().enumerate().filter(|_| state == DueState::Late);
        let card = late.filter(|(_, card)| is_past(card.after)).map(|(ix, _)| ix).max();
        let paused_now = clock.ended_ms.is_none() && taken.last().is_some_and(|(s, _)| self.state(*s).pauses);
        let is_known = !paused_now || state == DueState::Late;
        let instant = |ms: i64| Timestamp::from_millisecond(ms).ok();
        let read = Clock {
            limit: limit.name.clone(),
            began: instant(clock.began_ms).unwrap_or_default(),
            due: due_ms.filter(|_| is_known).and_then(instant),
            ended: clock.ended_ms.and_then(instant),
            state,
            card: card.and_then(|ix| self.cards().get(ix)).map(|card| card.name.clone()),
        };
        (read, card)
    }
}
