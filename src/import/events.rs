//! `import events`: events of a file come in as they would one by one.
//!
//! Nothing is removed and nothing is written over: what was filed before is a duplicate or a
//! conflict. Whoever imports a file again, or the remainder of one, does no harm.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::ImportError;
use super::progress::Progress;
use crate::exchange::{self, Located, ReadOptions};
use crate::feature::{Geometry, Value};
use crate::intake::{Answer, Fault, Intake, Rejected, Report};
use crate::snapshot::Atlas;
use crate::store::Store;

/// Events that are filed in one transaction.
const BATCH: usize = 2000;
/// Events that were not taken and are listed.
const LISTED: usize = 100;
/// Attributes that are members of an event; all others are its attributes.
const MEMBERS: [&str; 13] = [
    "source",
    "id",
    "time",
    "type",
    "state",
    "state_time",
    "description",
    "address",
    "reporter",
    "urgency",
    "accuracy_m",
    "building",
    "area",
];

/// What to import and how.
#[derive(Clone, Debug, Default)]
pub struct EventsOptions {
    /// The source of events that name none.
    pub source: String,
    /// What the file does not say of itself, or says wrong.
    pub read: ReadOptions,
}

/// What became of the events of a file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EventsOutcome {
    /// The file that was read.
    pub file: String,
    /// How many were filed.
    pub accepted: usize,
    /// How many were there already.
    pub duplicate: usize,
    /// How many contradict what is there.
    pub conflict: usize,
    /// How many make no sense.
    pub rejected: usize,
    /// The first of those that were not taken: where they stand, and why.
    pub problems: Vec<String>,
}

impl fmt::Display for EventsOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, duplicate, conflict, rejected, .. } = self;
        writeln!(f, "{accepted} events filed, {duplicate} known, {conflict} in conflict, {rejected} rejected")?;
        self.problems.iter().try_for_each(|problem| writeln!(f, "not taken: {problem}"))
    }
}

/// Files the events of a file.
///
/// # Errors
///
/// Where the file cannot be read or the store does not answer; what was filed by then stays.
pub async fn events(
    store: &Store,
    intake: &Arc<Intake>,
    file: &Path,
    options: &EventsOptions,
    progress: &Progress,
) -> Result<EventsOutcome, ImportError> {
    let atlas = Atlas::open(store.clone()).await?;
    let mut source = exchange::open(file, &options.read)?;
    let watch = source.progress();
    progress.stage("filing events", Some(watch.total_bytes), "bytes");
    let mut outcome = EventsOutcome { file: file.display().to_string(), ..EventsOutcome::default() };
    loop {
        let (mut places, mut reports) = (Vec::new(), Vec::new());
        while reports.len() < BATCH
            && let Some(record) = source.next()
        {
            let located = source.locate(record?)?;
            places.push(located.place.to_string());
            reports.push(report(located, options, intake));
        }
        if reports.is_empty() {
            return Ok(outcome);
        }
        let answers = intake.file(&atlas, store, reports).await?;
        for (place, answer) in places.into_iter().zip(answers) {
            let rejected = match answer {
                Answer::Accepted => {
                    outcome.accepted += 1;
                    continue;
                }
                Answer::Duplicate => {
                    outcome.duplicate += 1;
                    continue;
                }
                Answer::Rejected(rejected) => rejected,
            };
            let count = if rejected.fault == Fault::Conflict { &mut outcome.conflict } else { &mut outcome.rejected };
            *count += 1;
            if outcome.problems.len() < LISTED {
                outcome.problems.push(format!("{place}: {rejected}"));
            }
        }
        progress.at(watch.done_bytes());
    }
}

fn report(located: Located, options: &EventsOptions, intake: &Intake) -> Result<Report, Rejected> {
    let mut event = Map::new();
    let mut attributes = Map::new();
    event.insert("source".to_owned(), options.source.as_str().into());
    for (name, value) in &located.properties {
        let value = json_of(value);
        match (MEMBERS.contains(&&**name), value) {
            (_, Json::Null) => {}
            (true, value) => drop(event.insert(name.to_string(), member(name, value))),
            (false, value) => drop(attributes.insert(name.to_string(), value)),
        }
    }
    if !attributes.is_empty() {
        event.insert("attributes".to_owned(), Json::Object(attributes));
    }
    match located.geometry {
        Some(Geometry::Point(p)) => {
            event.insert("lon".to_owned(), json!(p.lon()));
            event.insert("lat".to_owned(), json!(p.lat()));
        }
        Some(_) => {
            let reason = "an event lies at a point".to_owned();
            return Err(Rejected { fault: Fault::BadPosition, reason, possible: Vec::new() });
        }
        None => {}
    }
    Report::read(Json::Object(event).to_string().as_bytes(), &intake.rules().limits)
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => (*b).into(),
        Value::Integer(i) => (*i).into(),
        Value::Real(r) => (*r).into(),
        Value::Text(text) => (**text).into(),
    }
}

/// Tables without types hold numbers as text; and an empty field says nothing.
fn member(name: &str, value: Json) -> Json {
    match (name, &value) {
        ("urgency" | "accuracy_m", Json::String(text)) => serde_json::from_str(text.trim()).unwrap_or(value),
        ("urgency" | "accuracy_m" | "id" | "reporter", _) => value,
        (_, Json::Number(number)) => number.to_string().into(),
        _ => value,
    }
}
