//! The table of states and moves: which step may follow, and who may take it.
//!
//! Invariant: a refusal says what would have been possible. A history that was checked step
//! by step is in order of time.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::calendar::Calendar;
use super::limits::{Card, Limit};
use super::settings::{Defect, LimitSettings, Settings, StateSettings};

/// States that a table may have.
const MOST_STATES: usize = 64;
/// Limits that a city may have.
const MOST_LIMITS: usize = 10_000;
/// Cards that it may have.
const MOST_CARDS: usize = 8;
/// Bytes of a name.
const MOST_NAME_BYTES: usize = 64;

/// The way of the events of a city.
#[derive(Clone, Debug)]
pub struct Steps {
    first: usize,
    states: Vec<State>,
    limits: Vec<Limit>,
    calendars: Vec<Calendar>,
    cards: Vec<Card>,
}

/// A state, with moves by place.
#[derive(Clone, Debug)]
pub(super) struct State {
    name: Arc<str>,
    to: Vec<(usize, Vec<String>)>,
    ends: bool,
    pub(super) pauses: bool,
    pub(super) extends: bool,
    assigns: bool,
    needs_note: bool,
    most: Option<u32>,
}

/// A step that an event took; the first is that into the state in which it began.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// The state that it led to.
    pub state: &'a str,
    /// When.
    pub time: Timestamp,
}

/// A step that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The state that it is to lead to.
    pub to: &'a str,
    /// When.
    pub time: Timestamp,
    /// The role of who takes it. Where nobody says one, roles are not looked at.
    pub role: Option<&'a str>,
    /// Why.
    pub note: Option<&'a str>,
}

/// Why a step can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// A stable name: `unknown_state`, `impossible_step`, `wrong_role`, `too_often`,
    /// `missing_note`, `earlier_than_last` or `no_such_state`.
    pub code: &'static str,
    /// The same for people.
    pub reason: String,
    /// The states that a step may lead to from here, for that role.
    pub possible: Vec<Arc<str>>,
}

impl Steps {
    /// The way of events that settings describe, in a city's zone.
    ///
    /// # Errors
    ///
    /// Everything in the settings that makes no sense.
    pub fn new(settings: &Settings, zone: &TimeZone) -> Result<Self, Vec<Defect>> {
        let mut defects = Vec::new();
        let states = read_states(&settings.states, &mut defects);
        let place = |name: &str| states.iter().position(|state| *state.name == *name);
        let first = place(&settings.first);
        if first.is_none() {
            defects.push(Defect(format!("first: {} is no state", settings.first)));
        }
        if states.iter().filter(|state| state.assigns).count() > 1 {
            defects.push(Defect("one state at most assigns".to_owned()));
        }
        let mut calendars = Vec::new();
        for (name, calendar) in &settings.calendars {
            match Calendar::new(name, calendar, zone) {
                Ok(calendar) => calendars.push(calendar),
                Err(wrong) => defects.extend(wrong),
            }
        }
        if settings.limits.len() > MOST_LIMITS || settings.cards.len() > MOST_CARDS {
            defects.push(Defect(format!("more than {MOST_LIMITS} limits or {MOST_CARDS} cards")));
        }
        let calendar = |name: &str| settings.calendars.keys().position(|other| other == name);
        let mut limits = Vec::new();
        for limit in &settings.limits {
            match read_limit(limit, place, calendar) {
                Ok(limit) => limits.push(limit),
                Err(wrong) => defects.push(wrong),
            }
        }
        let card = |card: &super::CardSettings| Card { name: card.card.as_str().into(), after: card.after };
        let cards = settings.cards.iter().map(card).collect();
        match first {
            Some(first) if defects.is_empty() => Ok(Self { first, states, limits, calendars, cards }),
            _ => Err(defects),
        }
    }

    /// The state in which an event begins.
    #[must_use]
    pub fn first(&self) -> &Arc<str> {
        &self.states[self.first].name
    }

    /// The names of the states, in the order of the table.
    pub fn states(&self) -> impl Iterator<Item = &Arc<str>> {
        self.states.iter().map(|state| &state.name)
    }

    /// Whether there is a state of that name.
    #[must_use]
    pub fn knows(&self, state: &str) -> bool {
        self.place(state).is_some()
    }

    /// Whether an event in that state leaves nothing to be done.
    #[must_use]
    pub fn ends(&self, state: &str) -> bool {
        self.place(state).is_some_and(|ix| self.states[ix].ends)
    }

    /// The states that a step may lead to from a state, for a role where one is said.
    #[must_use]
    pub fn possible(&self, from: &str, role: Option<&str>) -> Vec<Arc<str>> {
        let moves = self.place(from).map(|ix| self.states[ix].to.iter()).unwrap_or_default();
        moves.filter(|(_, by)| may(by, role)).map(|(to, _)| self.states[*to].name.clone()).collect()
    }

    /// Whether an event that took these steps, the last of them last, may take this one.
    ///
    /// # Errors
    ///
    /// Why not, and what is possible.
    pub fn check(&self, steps: &[Taken<'_>], asked: &Asked<'_>) -> Result<(), Refused> {
        let from = steps.last().map_or(&**self.first(), |last| last.state);
        let to = asked.to;
        let refused = |code, reason| Err(Refused { code, reason, possible: self.possible(from, asked.role) });
        let Some(target) = self.place(to) else {
            return refused("unknown_state", format!("there is no state {to:?}"));
        };
        let moves = self.place(from).map(|ix| self.states[ix].to.iter()).unwrap_or_default();
        let Some((_, by)) = moves.into_iter().find(|(state, _)| *state == target) else {
            return refused("impossible_step", format!("an event that is {from} can't become {to}"));
        };
        if !may(by, asked.role) {
            let role = asked.role.unwrap_or_default();
            return refused("wrong_role", format!("a {role} can't move an event from {from} to {to}"));
        }
        let entered = steps.iter().filter(|step| step.state == to).count();
        if self.states[target].most.is_some_and(|most| entered >= usize::try_from(most).unwrap_or(usize::MAX)) {
            return refused("too_often", format!("the event was {to} {entered} times already"));
        }
        if self.states[target].needs_note && asked.note.is_none_or(|note| note.trim().is_empty()) {
            return refused("missing_note", format!("a step to {to} says why, in its note"));
        }
        match steps.last() {
            Some(last) if asked.time < last.time => {
                refused("earlier_than_last", format!("the event became {from} at {}, which is later", last.time))
            }
            _ => Ok(()),
        }
    }

    /// The state in which a worker has an event in hand, where the table has one.
    #[must_use]
    pub fn assigning(&self) -> Option<&Arc<str>> {
        self.states.iter().find(|state| state.assigns).map(|state| &state.name)
    }

    /// The steps that give an event to a worker: the one into the state that assigns or, the
    /// first time, that through one plain state before it (who is given an event that was
    /// not filed yet is given one that is).
    ///
    /// # Errors
    ///
    /// Why there is no such way, and what is possible.
    pub fn to_assign(
        &self,
        steps: &[Taken<'_>],
        time: Timestamp,
        role: Option<&str>,
    ) -> Result<Vec<Arc<str>>, Refused> {
        let from = steps.last().map_or(&**self.first(), |last| last.state);
        let possible = self.possible(from, role);
        let Some(target) = self.states.iter().find(|state| state.assigns) else {
            let reason = "no state of the table gives an event to a worker".to_owned();
            return Err(Refused { code: "no_such_state", reason, possible });
        };
        let asked = |to| Asked { to, time, role, note: None };
        let refused = match self.check(steps, &asked(&target.name)) {
            Ok(()) => return Ok(vec![target.name.clone()]),
            Err(refused) => refused,
        };
        let was_there = steps.iter().any(|step| *step.state == *target.name);
        if was_there || refused.code != "impossible_step" {
            return Err(refused);
        }
        let is_plain = |state: &State| !(state.ends || state.pauses || state.extends || state.needs_note);
        let leads_there = |state: &State| state.to.iter().any(|(to, _)| *self.states[*to].name == *target.name);
        let here = self.place(from).map(|ix| &self.states[ix]);
        let mut ways = here.iter().flat_map(|state| &state.to).map(|(to, _)| &self.states[*to]);
        // Of a way that there is, whatever bars it is worth more to know than that it isn't direct.
        let Some(through) = ways.find(|state| is_plain(state) && leads_there(state)) else { return Err(refused) };
        self.check(steps, &asked(&through.name))?;
        let mut then = steps.to_vec();
        then.push(Taken { state: &through.name, time });
        self.check(&then, &asked(&target.name))?;
        Ok(vec![through.name.clone(), target.name.clone()])
    }

    pub(super) fn place(&self, state: &str) -> Option<usize> {
        self.states.iter().position(|other| *other.name == *state)
    }

    pub(super) fn state(&self, ix: usize) -> &State {
        &self.states[ix]
    }

    pub(super) fn limits(&self) -> &[Limit] {
        &self.limits
    }

    pub(super) fn calendar(&self, ix: usize) -> &Calendar {
        &self.calendars[ix]
    }

    pub(super) fn cards(&self) -> &[Card] {
        &self.cards
    }
}

/// Whether a move with these roles is open to a role.
fn may(by: &[String], role: Option<&str>) -> bool {
    by.is_empty() || role.is_none_or(|role| by.iter().any(|other| other == role))
}

/// Reads the table; a state that leads to one that is not there is a defect.
fn read_states(table: &[StateSettings], defects: &mut Vec<Defect>) -> Vec<State> {
    if table.len() > MOST_STATES {
        defects.push(Defect(format!("more than {MOST_STATES} states")));
    }
    let mut states: Vec<State> = Vec::new();
    for row in table {
        let is_long = row.state.len() > MOST_NAME_BYTES;
        if row.state.is_empty() || is_long || states.iter().any(|state| *state.name == *row.state) {
            defects.push(Defect(format!("state {:?}: names are not empty, not long, and given once", row.state)));
        }
        let mut to = Vec::new();
        for way in &row.to {
            match table.iter().position(|other| other.state == way.to) {
                Some(ix) => to.push((ix, way.by.clone())),
                None => defects.push(Defect(format!("state {}: it leads to {}, which is none", row.state, way.to))),
            }
        }
        states.push(State {
            name: row.state.as_str().into(),
            to,
            ends: row.ends,
            pauses: row.pauses,
            extends: row.extends,
            assigns: row.assigns,
            needs_note: row.needs_note,
            most: row.most,
        });
    }
    states
}

fn read_limit(
    limit: &LimitSettings,
    place: impl Fn(&str) -> Option<usize>,
    calendar: impl Fn(&str) -> Option<usize>,
) -> Result<Limit, Defect> {
    let defect = |what: String| Defect(format!("limit {}: {what}", limit.limit));
    let state = |name: &String| place(name).ok_or_else(|| defect(format!("{name} is no state")));
    let from = state(&limit.from)?;
    let until = limit.until.iter().map(state).collect::<Result<Vec<_>, _>>()?;
    if until.is_empty() || until.contains(&from) {
        return Err(defect("it ends in other states than it begins".to_owned()));
    }
    if limit.limit.is_empty() || limit.within.is_nothing() {
        return Err(defect("it has a name and lasts a while".to_owned()));
    }
    let unknown = || defect(format!("there is no calendar {}", limit.calendar));
    Ok(Limit {
        name: limit.limit.as_str().into(),
        from,
        until,
        kind: limit.kind.clone(),
        region: limit.region.clone(),
        urgency: limit.urgency,
        within: limit.within,
        near: limit.near.unwrap_or(limit.within.quarter()),
        extension: limit.extension.unwrap_or(limit.within),
        calendar: calendar(&limit.calendar).ok_or_else(unknown)?,
    })
}
