//! An event as its source sends it.
//!
//! Invariant: a [`Report`] is within the limits, its texts can be kept by any store, and its
//! digest is that of its content: the same however it was written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use boundaries::Point;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Limits;
use crate::crs::{Crs, CrsError};

/// Why something was not taken, by the stable name of the problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not the JSON that it should be.
    NotRead,
    /// A part of it is over its limit.
    TooLarge,
    /// A time that it can't have.
    BadTime,
    /// A type that is not in the table.
    UnknownType,
    /// A CRS that is not known.
    UnknownCrs,
    /// Numbers that mean no place.
    BadPosition,
    /// A building or area that isn't there, or wasn't then; or no place and no address.
    UnknownPlace,
    /// A step that is not possible.
    Step,
    /// It contradicts what was filed under its id.
    Conflict,
    /// A worker who isn't in the register.
    UnknownWorker,
    /// Somebody else has the event in hand.
    Assigned,
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejected {
    /// The kind.
    pub fault: Fault,
    /// What is wrong, for people.
    pub reason: String,
    /// What would have been possible instead.
    pub possible: Vec<String>,
}

impl Rejected {
    /// A rejection for a reason.
    pub(super) fn new(fault: Fault, reason: impl Into<String>) -> Self {
        Self { fault, reason: reason.into(), possible: Vec::new() }
    }
}

/// Where an event says it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// At a point.
    Point(Point),
    /// In a building, by its id.
    Building(String),
    /// Somewhere in an area, by its code, in a coverage or the default one.
    Area(String, Option<String>),
    /// At an address at most.
    Nowhere,
}

/// A step that an event brings along.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Done {
    pub(super) to: String,
    pub(super) time: Timestamp,
    pub(super) actor: String,
    pub(super) note: String,
    /// Whether it stands for steps that are not known.
    pub(super) is_summary: bool,
}

/// An event as its source sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Who reports.
    pub source: String,
    /// Its id there.
    pub id: String,
    pub(super) digest: String,
    pub(super) time: Timestamp,
    pub(super) kind: String,
    pub(super) said: Said,
    pub(super) accuracy_m: Option<f64>,
    pub(super) description: Option<String>,
    pub(super) worker: Option<String>,
    /// What else was sent, as JSON with its members in order.
    pub(super) content: String,
    pub(super) steps: Vec<Done>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    source: Cow<'a, str>,
    id: Value,
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(alias = "x")]
    lon: Option<f64>,
    #[serde(alias = "y")]
    lat: Option<f64>,
    #[serde(borrow)]
    crs: Option<Cow<'a, str>>,
    accuracy_m: Option<f64>,
    building: Option<String>,
    area: Option<String>,
    coverage: Option<String>,
    description: Option<String>,
    address: Option<String>,
    reporter: Option<Value>,
    urgency: Option<u8>,
    attributes: Option<BTreeMap<String, Value>>,
    /// The state that it came to where it was before, and when.
    state: Option<String>,
    state_time: Option<String>,
    #[serde(default)]
    steps: Vec<WireStep>,
}

/// A step as clients write it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireStep {
    to: String,
    time: String,
    actor: String,
    #[serde(default)]
    note: String,
}

impl Report {
    /// Reads one JSON object; `line` is what was sent.
    ///
    /// # Errors
    ///
    /// Where it is no event, or a part of it is over its limit.
    pub fn read(line: &[u8], limits: &Limits) -> Result<Self, Rejected> {
        if line.len() > limits.event_bytes {
            let reason = format!("an event may have {} bytes, this has {}", limits.event_bytes, line.len());
            return Err(Rejected::new(Fault::TooLarge, reason));
        }
        let not_read = |reason: String| Rejected::new(Fault::NotRead, reason);
        let text = std::str::from_utf8(line).map_err(|_| not_read("the event is not UTF-8".to_owned()))?;
        // Otherwise an array would be taken for the members in their order.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(not_read("an event is a JSON object".to_owned()));
        }
        let wire: Wire<'_> = serde_json::from_str(text).map_err(|e| not_read(e.to_string()))?;
        let id = match &wire.id {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return Err(not_read("id is a text or a number".to_owned())),
        };
        name("source", &wire.source, 64)?;
        if wire.source.contains('/') {
            return Err(not_read("source has a slash, which parts a source from an id".to_owned()));
        }
        name("id", &id, 200)?;
        name("type", &wire.kind, 200)?;
        within("description", wire.description.as_deref(), limits.description_bytes)?;
        within("address", wire.address.as_deref(), limits.line_bytes)?;
        let members = wire.attributes.iter().flatten().map(|(_, value)| 1 + members(value)).sum::<usize>()
            + wire.reporter.as_ref().map_or(0, members);
        if members > limits.attributes {
            let reason = format!("an event may have {} attributes, this has {members}", limits.attributes);
            return Err(Rejected::new(Fault::TooLarge, reason));
        }
        if wire.steps.len() > limits.steps {
            let reason = format!("an event may bring {} steps, this has {}", limits.steps, wire.steps.len());
            return Err(Rejected::new(Fault::TooLarge, reason));
        }
        if wire.urgency.is_some_and(|urgency| !(1..=3).contains(&urgency)) {
            return Err(not_read("urgency is 1, 2 or 3".to_owned()));
        }
        if wire.accuracy_m.is_some_and(|m| !(0.0..=1e6).contains(&m)) {
            let reason = "accuracy_m is a distance of 0 m to 1,000 km";
            return Err(Rejected::new(Fault::BadPosition, reason));
        }
        let worker = wire.attributes.as_ref().and_then(|all| Some(all.get("worker")?.as_str()?.to_owned()));
        let mut steps = Vec::with_capacity(wire.steps.len());
        for step in &wire.steps {
            name("actor", &step.actor, limits.line_bytes)?;
            within("note", Some(&step.note), limits.line_bytes)?;
            let (to, actor) = (step.to.clone(), clean(&step.actor));
            steps.push(Done { to, time: instant(&step.time)?, actor, note: clean(&step.note), is_summary: false });
        }
        let time = instant(&wire.time)?;
        if let Some(state) = &wire.state {
            if !steps.is_empty() {
                return Err(not_read("an event brings its steps along, or the state that they led to".to_owned()));
            }
            let time = wire.state_time.as_deref().map_or(Ok(time), instant)?;
            let (to, actor) = (state.clone(), wire.source.clone().into_owned());
            steps.push(Done { to, time, actor, note: String::new(), is_summary: true });
        }
        let mut report = Self {
            digest: String::new(),
            time,
            said: said(&wire)?,
            kind: wire.kind.clone().into_owned(),
            source: wire.source.clone().into_owned(),
            id,
            accuracy_m: wire.accuracy_m,
            description: wire.description.as_deref().map(clean),
            worker: worker.filter(|worker| name("worker", worker, 200).is_ok()),
            content: content(&wire),
            steps,
        };
        report.digest = digest(&report);
        Ok(report)
    }
}

/// Reads a time.
pub(super) fn instant(text: &str) -> Result<Timestamp, Rejected> {
    let shown: String = text.chars().take(40).collect();
    let read: Result<Timestamp, _> = text.parse();
    // As exact as stores keep it.
    let read = read.ok().and_then(|time| Timestamp::from_microsecond(time.as_microsecond()).ok());
    read.ok_or_else(|| Rejected::new(Fault::BadTime, format!("{shown:?} is no RFC 3339 time")))
}

/// A text that stands for something: not empty, not long, and without characters that
/// nobody sees.
pub(super) fn name(what: &str, text: &str, most_bytes: usize) -> Result<(), Rejected> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err(Rejected::new(Fault::NotRead, format!("{what} is empty or has control characters")));
    }
    within(what, Some(text), most_bytes)
}

pub(super) fn within(what: &str, text: Option<&str>, most_bytes: usize) -> Result<(), Rejected> {
    match text {
        Some(text) if text.len() > most_bytes => {
            let reason = format!("{what} may have {most_bytes} bytes, this has {}", text.len());
            Err(Rejected::new(Fault::TooLarge, reason))
        }
        _ => Ok(()),
    }
}

/// A text without the one character that not every store keeps.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// How many values stand in a value.
fn members(value: &Value) -> usize {
    match value {
        Value::Array(all) => all.iter().map(|v| 1 + members(v)).sum(),
        Value::Object(all) => all.values().map(|v| 1 + members(v)).sum(),
        _ => 0,
    }
}

/// The lattice point of a position in some CRS.
pub(super) fn point(lon: f64, lat: f64, crs: Option<&str>) -> Result<Point, Rejected> {
    let crs: Crs = crs
        .map_or(Ok(Crs::Wgs84), str::parse)
        .map_err(|e: CrsError| Rejected::new(Fault::UnknownCrs, e.to_string()))?;
    crs.to_lattice([lon, lat]).map_err(|e| Rejected::new(Fault::BadPosition, e.to_string()))
}

fn said(wire: &Wire<'_>) -> Result<Said, Rejected> {
    let place = match (wire.lon, wire.lat) {
        (Some(lon), Some(lat)) => Some(Said::Point(point(lon, lat, wire.crs.as_deref())?)),
        (None, None) => None,
        _ => return Err(Rejected::new(Fault::BadPosition, "lon and lat stand together")),
    };
    let building = wire.building.clone().map(Said::Building);
    let area = wire.area.clone().map(|code| Said::Area(code, wire.coverage.clone()));
    if wire.coverage.is_some() && area.is_none() {
        return Err(Rejected::new(Fault::NotRead, "coverage says of which area is the code, and there is no area"));
    }
    let mut said = [place, building, area].into_iter().flatten();
    match (said.next(), said.next()) {
        (Some(_), Some(_)) => {
            Err(Rejected::new(Fault::BadPosition, "a place is given by lon and lat, by a building, or by an area"))
        }
        (Some(said), None) => Ok(said),
        (None, _) if wire.address.as_deref().is_some_and(|address| !address.trim().is_empty()) => Ok(Said::Nowhere),
        (None, _) => {
            Err(Rejected::new(Fault::UnknownPlace, "the event has no lon and lat, no building, no area and no address"))
        }
    }
}

/// What the columns of a store don't hold, as JSON with its members in order.
fn content(wire: &Wire<'_>) -> String {
    let text = |text: &Option<String>| text.as_deref().map(|text| Value::from(clean(text)));
    let attributes = wire.attributes.as_ref().map(|all| {
        let ordered = all.iter().map(|(name, value)| (clean(name), ordered(value.clone())));
        Value::Object(ordered.collect())
    });
    let area = wire.area.as_deref().map(|code| Value::from(clean(code)));
    let members = [
        ("address", text(&wire.address)),
        ("area", area),
        ("attributes", attributes),
        ("description", text(&wire.description)),
        ("reporter", wire.reporter.clone().map(ordered)),
        ("urgency", wire.urgency.map(Value::from)),
    ];
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect()).to_string()
}

/// The same with the members of objects in order.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(all) => {
            let all: BTreeMap<String, Value> = all.into_iter().map(|(name, v)| (name, ordered(v))).collect();
            Value::Object(all.into_iter().collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(ordered).collect()),
        other => other,
    }
}

/// Half of the SHA-256 over everything but source and id.
fn digest(report: &Report) -> String {
    let mut hash = Sha256::new();
    let parts = (report.time, &report.kind, &report.said, report.accuracy_m, &report.content, &report.steps);
    // The written form of the parts tells them apart: texts are quoted in it.
    hash.update(format!("{parts:?}"));
    let mut digest = String::with_capacity(32);
    for byte in &hash.finalize()[..16] {
        for half in [byte >> 4, byte & 15] {
            digest.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    digest
}
