//! What an event is filed as.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::above::{Judged, apply};
use super::place::{find, owners};
use super::report::{Fault, Rejected, Report};
use super::ties::TiedUnits;
use super::{Rules, place};
use crate::routing::Routing;
use crate::snapshot::Snapshot;
use crate::steps::{Asked, Refused, Steps, Taken};
use crate::store::{NewEvent, NewStep};

impl From<Refused> for Rejected {
    fn from(refused: Refused) -> Self {
        let possible = refused.possible.iter().map(ToString::to_string).collect();
        Self { fault: Fault::Step, reason: format!("{}: {}", refused.code, refused.reason), possible }
    }
}

/// Refuses what can't have happened then, and types that there are not.
pub(super) fn admit(report: &Report, rules: &Rules, zone: &TimeZone, now: Timestamp) -> Result<(), Rejected> {
    let latest = now.saturating_add(SignedDuration::from_secs(rules.ahead_s)).unwrap_or(Timestamp::MAX);
    let times = std::iter::once(report.time).chain(report.steps.iter().map(|step| step.time));
    for time in times {
        if time > latest {
            let reason = format!("{time} is in the future: clocks may be {} s ahead", rules.ahead_s);
            return Err(Rejected::new(Fault::BadTime, reason));
        }
        if time < rules.begin(zone) {
            return Err(Rejected::new(Fault::BadTime, format!("{time} is before {}", rules.oldest)));
        }
    }
    if !rules.types.is_empty() && !rules.types.contains(&report.kind) {
        let reason = format!("the type {} is not in the table of types", place::short(&report.kind));
        return Err(Rejected::new(Fault::UnknownType, reason));
    }
    Ok(())
}

/// Judges an event by the boundaries of its time, and by those of now.
pub(super) fn judge(
    report: &Report,
    present: &Snapshot,
    then: &Snapshot,
    (way, routing): (&Steps, &Routing),
    ties: &TiedUnits,
) -> Result<NewEvent, Rejected> {
    let found = find(&report.said, present, then)?;
    let steps = walk(report, way)?;
    let mut owners = owners(&found, report.accuracy_m, present, then);
    let judged = Judged { kind: &report.kind, place: found.place, content: &report.content };
    apply(routing, &judged, present, then, &mut owners);
    let state = steps.last().map_or_else(|| way.first().to_string(), |step| step.to.clone());
    Ok(NewEvent {
        source: report.source.clone(),
        id: report.id.clone(),
        digest: report.digest.clone(),
        time: report.time,
        kind: report.kind.clone(),
        is_open: !way.ends(&state),
        state,
        place: found.place,
        accuracy_m: report.accuracy_m,
        placed_by: found.placed_by,
        party_units: ties.concerned(present, found.building.as_deref(), &owners),
        building: found.building,
        worker: report.worker.clone(),
        content: report.content.clone(),
        description: report.description.clone(),
        owners,
        steps,
    })
}

/// The steps that an event brings along: each must be possible after those before it.
fn walk(report: &Report, way: &Steps) -> Result<Vec<NewStep>, Rejected> {
    let mut taken = vec![Taken { state: way.first(), time: report.time }];
    let mut steps = Vec::with_capacity(report.steps.len());
    for step in &report.steps {
        if step.is_summary && way.knows(&step.to) && step.time >= report.time {
            // As it is where it begins: nothing was done.
            if step.to == **way.first() {
                continue;
            }
        } else {
            // Who took it is past; the roles of then are not known.
            way.check(&taken, &Asked { to: &step.to, time: step.time, role: None, note: Some(&step.note) })?;
        }
        steps.push(NewStep {
            from: taken.last().map_or("", |last| last.state).to_owned(),
            to: step.to.clone(),
            time: step.time,
            actor: step.actor.clone(),
            note: step.note.clone(),
            worker: None,
        });
        taken.push(Taken { state: &step.to, time: step.time });
    }
    Ok(steps)
}
