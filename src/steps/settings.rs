//! How a city sets up the way of its events, as it stands in the configuration.
//!
//! Invariant: nothing here is checked beyond its form; [`Steps::new`](super::Steps::new)
//! checks, and names all defects at once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

use super::calendar::Span;

/// The way of events. Each member that is not given is the shipped one as a whole.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The state in which an event begins.
    pub first: String,
    /// The states, and where each leads.
    pub states: Vec<StateSettings>,
    /// How long parts of the way may take. Of those with the same name the first that fits
    /// an event holds.
    pub limits: Vec<LimitSettings>,
    /// The calendars, by name.
    pub calendars: BTreeMap<String, CalendarSettings>,
    /// The cards of supervision, mildest first.
    pub cards: Vec<CardSettings>,
}

/// A state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateSettings {
    /// Its name.
    pub state: String,
    /// Where it leads.
    #[serde(default)]
    pub to: Vec<Move>,
    /// Whether an event in it leaves nothing to be done.
    #[serde(default)]
    pub ends: bool,
    /// Whether the time in it doesn't count.
    #[serde(default)]
    pub pauses: bool,
    /// Whether entering it extends the limits that run.
    #[serde(default)]
    pub extends: bool,
    /// Whether entering it gives the event to a worker; of one state at most.
    #[serde(default)]
    pub assigns: bool,
    /// Whether a step to it must say why.
    #[serde(default)]
    pub needs_note: bool,
    /// How often an event may enter it.
    #[serde(default)]
    pub most: Option<u32>,
}

/// A way from one state to another.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "MoveForm")]
pub struct Move {
    /// The state that it leads to.
    pub to: String,
    /// The roles that may take it; anyone, where there are none.
    pub by: Vec<String>,
}

/// A move as it may be written: by the name of its state alone, or with roles.
#[derive(Deserialize)]
#[serde(untagged)]
enum MoveForm {
    Anyone(String),
    Roles(MoveRoles),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveRoles {
    to: String,
    #[serde(default)]
    by: Vec<String>,
}

impl From<MoveForm> for Move {
    fn from(form: MoveForm) -> Self {
        match form {
            MoveForm::Anyone(to) => Self { to, by: Vec::new() },
            MoveForm::Roles(MoveRoles { to, by }) => Self { to, by },
        }
    }
}

/// How long a part of the way may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// What part of the way it is.
    pub limit: String,
    /// The state whose entry begins it.
    pub from: String,
    /// The states whose entry ends it.
    pub until: Vec<String>,
    /// What the type of an event must begin with.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// What the code of its owner must begin with.
    #[serde(default)]
    pub region: String,
    /// How urgent it must be; any, where it is not said.
    #[serde(default)]
    pub urgency: Option<u8>,
    /// How long it may take.
    pub within: Span,
    /// How long before its end an event is near it: a quarter of it where it is not said,
    /// one day where it is in days.
    #[serde(default)]
    pub near: Option<Span>,
    /// By how much one extension puts it off: by itself, where it is not said.
    #[serde(default)]
    pub extension: Option<Span>,
    /// The calendar that it is counted by.
    #[serde(default = "office")]
    pub calendar: String,
}

fn office() -> String {
    OFFICE.to_owned()
}

const OFFICE: &str = "office";

/// When work is done, in the city's zone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarSettings {
    /// The hours of each weekday (`monday` ..), as `08:30-12:00`; `24:00` ends a day.
    pub weekly: BTreeMap<String, Vec<String>>,
    /// Days without hours, whatever their weekday.
    #[serde(default)]
    pub holidays: BTreeSet<Date>,
    /// Days that are worked in exchange for a holiday, and the weekday whose hours they have.
    #[serde(default)]
    pub workdays: BTreeMap<Date, String>,
}

/// A card that supervision shows for an event that is late.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardSettings {
    /// Its colour.
    pub card: String,
    /// How late an event must be.
    pub after: Span,
}

/// Something in the settings that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect(pub String);

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The common city: what is done where nothing is configured.
impl Default for Settings {
    fn default() -> Self {
        Self {
            first: "collected".to_owned(),
            states: states(),
            limits: limits(),
            calendars: BTreeMap::from([(OFFICE.to_owned(), office_hours())]),
            cards: cards(),
        }
    }
}

/// The roles of the centre that files and dispatches, those that handle, and those that
/// check. Grid leaders report, file and handle what they can themselves.
const CENTRE: [&str; 3] = ["operator", "dispatcher", "grid_leader"];
const HANDLERS: [&str; 7] =
    ["department", "grid_leader", "grid_worker", "full_time", "part_time", "dispatcher", "operator"];
const CHECKERS: [&str; 5] = ["inspector", "supervisor", "operator", "dispatcher", "grid_leader"];
const SUPERVISORS: [&str; 4] = ["supervisor", "dispatcher", "operator", "inspector"];

fn states() -> Vec<StateSettings> {
    let ways = |ways: &[(&str, &[&str])]| -> Vec<Move> {
        let by = |roles: &[&str]| roles.iter().map(|r| (*r).to_owned()).collect();
        ways.iter().map(|(to, roles)| Move { to: (*to).to_owned(), by: by(roles) }).collect()
    };
    let state = |name: &str, to: &[(&str, &[&str])]| StateSettings {
        state: name.to_owned(),
        to: ways(to),
        ..StateSettings::default()
    };
    let (cancel, park) = (("cancelled", &CENTRE[..]), ("parked", &SUPERVISORS[..]));
    let extend = ("extended", &SUPERVISORS[..]);
    let back = ("returned", &HANDLERS[..]);
    let under_way = [("handled", &HANDLERS[..]), back, extend, park, cancel];
    vec![
        state("collected", &[("filed", &CENTRE), ("not_accepted", &CENTRE), cancel]),
        state("filed", &[("dispatched", &CENTRE), ("handled", &HANDLERS), park, cancel]),
        StateSettings { assigns: true, ..state("dispatched", &under_way) },
        state("handled", &[("fed_back", &HANDLERS), ("returned", &CHECKERS), ("dispatched", &CENTRE)]),
        state("fed_back", &[("closed", &CHECKERS), ("returned", &CHECKERS), ("dispatched", &CENTRE)]),
        StateSettings { ends: true, ..state("closed", &[("rated", &[])]) },
        StateSettings { ends: true, ..state("rated", &[]) },
        StateSettings { ends: true, needs_note: true, ..state("not_accepted", &[]) },
        StateSettings {
            needs_note: true,
            ..state("returned", &[("filed", &CENTRE), ("dispatched", &CENTRE), ("not_accepted", &CENTRE), park, cancel])
        },
        StateSettings { extends: true, needs_note: true, most: Some(2), ..state("extended", &under_way) },
        StateSettings {
            pauses: true,
            needs_note: true,
            ..state("parked", &[("dispatched", &SUPERVISORS), ("handled", &HANDLERS), extend, cancel])
        },
        StateSettings { ends: true, needs_note: true, ..state("cancelled", &[]) },
    ]
}

fn limits() -> Vec<LimitSettings> {
    let limit = |name: &str, from: &str, until: &[&str], urgency, within| LimitSettings {
        limit: name.to_owned(),
        from: from.to_owned(),
        until: until.iter().map(|s| (*s).to_owned()).collect(),
        kind: String::new(),
        region: String::new(),
        urgency,
        within,
        near: None,
        extension: None,
        calendar: office(),
    };
    let handled = ["handled", "returned", "closed", "not_accepted", "cancelled"];
    let over = ["closed", "not_accepted", "cancelled"];
    vec![
        limit("accept", "collected", &["filed", "handled", "not_accepted", "cancelled"], None, Span::hours(2)),
        limit("handle", "dispatched", &handled, Some(3), Span::UrgentMinutes(4 * 60)),
        limit("handle", "dispatched", &handled, None, Span::WorkingDays(3)),
        limit("close", "filed", &over, Some(3), Span::UrgentMinutes(24 * 60)),
        limit("close", "filed", &over, None, Span::WorkingDays(7)),
    ]
}

/// Five days of eight hours. Holidays are published for one year at a time, so there are
/// none until a city says which.
fn office_hours() -> CalendarSettings {
    let hours = || vec!["08:30-12:00".to_owned(), "13:30-18:00".to_owned()];
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    let weekly = days.map(|day| (day.to_owned(), hours()));
    CalendarSettings { weekly: weekly.into(), ..CalendarSettings::default() }
}

fn cards() -> Vec<CardSettings> {
    let card = |card: &str, after| CardSettings { card: card.to_owned(), after };
    vec![
        card("yellow", Span::WorkingMinutes(0)),
        card("red", Span::WorkingDays(1)),
        card("black", Span::WorkingDays(3)),
    ]
}
