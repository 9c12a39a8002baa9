//! Events by the batch: judged side by side, filed in one transaction.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::Rules;
use super::judge::{admit, judge};
use super::report::{Fault, Rejected, Report};
use super::ties::TiedUnits;
use crate::routing::Routing;
use crate::snapshot::{Atlas, Moment, Snapshot};
use crate::steps::Steps;
use crate::store::{self, Filed, NewEvent, Store};

/// How often a batch is judged again because other boundaries came into force meanwhile.
const ATTEMPTS: usize = 5;

/// What became of an event that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is kept.
    Accepted,
    /// It was kept already.
    Duplicate,
    /// Something else is kept under its id, or it makes no sense.
    Rejected(Rejected),
}

/// Why nothing of a batch was filed.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What was asked for makes no sense.
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

/// What takes events in.
#[derive(Debug)]
pub struct Intake {
    pub(super) rules: Rules,
    pub(super) way: Steps,
    pub(super) zone: TimeZone,
    pub(super) ties: TiedUnits,
    pub(super) routing: Routing,
}

impl Intake {
    /// An intake by the rules of a city, in its zone.
    #[must_use]
    pub fn new(rules: Rules, way: Steps, zone: TimeZone) -> Self {
        Self { rules, way, zone, ties: TiedUnits::default(), routing: Routing::default() }
    }

    /// The same with rules above the map.
    #[must_use]
    pub fn routed(self, routing: Routing) -> Self {
        Self { routing, ..self }
    }

    /// The city's zone.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// How events may be.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The way of events through their states.
    #[must_use]
    pub fn way(&self) -> &Steps {
        &self.way
    }

    /// Files events, each for itself; what is answered of each is in their order. It is
    /// durable when this returns.
    ///
    /// # Errors
    ///
    /// Where the store did not take it: then nothing was filed.
    pub async fn file(
        self: &Arc<Self>,
        atlas: &Atlas,
        store: &Store,
        reports: Vec<Result<Report, Rejected>>,
    ) -> Result<Vec<Answer>, store::Error> {
        let now = Timestamp::now();
        let admitted = reports.into_iter().map(|report| {
            let report = report?;
            admit(&report, &self.rules, &self.zone, now).map(|()| Arc::new(report))
        });
        let reports: Vec<Result<Arc<Report>, Rejected>> = admitted.collect();
        for _ in 0..ATTEMPTS {
            let present = atlas.present();
            let judged = self.judged(atlas, &present, &reports, now).await?;
            let events: Vec<NewEvent> = judged.iter().filter_map(|event| event.as_ref().ok()).cloned().collect();
            let mut filed = match events.is_empty() {
                true => Vec::new(),
                false => match store.file_events(&events, &present).await? {
                    Some(filed) => filed,
                    None => {
                        atlas.refresh().await?;
                        continue;
                    }
                },
            }
            .into_iter();
            let answers = judged.into_iter().map(|event| match event {
                Err(rejected) => Answer::Rejected(rejected),
                Ok(event) => match filed.next() {
                    Some(Filed::Accepted(_)) => Answer::Accepted,
                    Some(Filed::Duplicate(_)) => Answer::Duplicate,
                    _ => Answer::Rejected(conflict(&event)),
                },
            });
            return Ok(answers.collect());
        }
        Err(store::Error::Busy)
    }

    /// Judges events, each by the boundaries of its own time.
    async fn judged(
        self: &Arc<Self>,
        atlas: &Atlas,
        present: &Arc<Snapshot>,
        reports: &[Result<Arc<Report>, Rejected>],
        now: Timestamp,
    ) -> Result<Vec<Result<NewEvent, Rejected>>, store::Error> {
        // Events of one state of the boundaries need it once.
        let mut states: FxHashMap<Vec<u64>, Arc<Snapshot>> = FxHashMap::default();
        let mut work = Vec::with_capacity(reports.len());
        for report in reports {
            let then = match report {
                Ok(report) => {
                    let moment = Moment::At(report.time.min(now));
                    let numbers = present.timeline.numbers_at(moment);
                    match states.get(&numbers) {
                        Some(state) => state.clone(),
                        None => {
                            let state = atlas.at(moment).await?;
                            states.insert(numbers, state.clone());
                            state
                        }
                    }
                }
                Err(_) => present.clone(),
            };
            work.push((report.clone(), then));
        }
        let (intake, present) = (self.clone(), present.clone());
        let judged = tokio::task::spawn_blocking(move || {
            let one = |(report, then): (Result<Arc<Report>, Rejected>, Arc<Snapshot>)| {
                judge(&*report?, &present, &then, (&intake.way, &intake.routing), &intake.ties)
            };
            work.into_par_iter().map(one).collect()
        });
        judged.await.map_err(|e| store::Error::Refused(format!("the work was broken off: {e}")))
    }
}

fn conflict(event: &NewEvent) -> Rejected {
    let reason = format!("{} of {} was filed with other content", event.id, event.source);
    Rejected::new(Fault::Conflict, reason)
}
