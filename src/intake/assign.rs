//! Who gets an event in hand: one worker at a time, whoever asks at the same time.
//!
//! Invariant: an event is with the worker of its last step into the state that assigns. Of
//! two who give it to different workers at once, one is told whom the other gave it to.

use jiff::Timestamp;
use serde::Deserialize;

use super::filing::{Intake, IntakeError};
use super::report::{Fault, Rejected, clean, instant, name, within};
use super::ruling::{ATTEMPTS, taken};
use crate::snapshot::Snapshot;
use crate::steps::Taken;
use crate::store::{self, Event, NewStep, Store};

/// The layer that workers are.
const WORKERS: &str = "worker";

/// Who is to have an event in hand.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    worker: String,
    actor: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    time: Option<String>,
}

impl Intake {
    /// Gives an event to a worker; returns it, and whether he did not have it before.
    ///
    /// # Errors
    ///
    /// [`Rejected`] where nobody of that id is in the register, where somebody else has the
    /// event, and where it can't be given to anybody as it stands.
    pub async fn assign(
        &self,
        store: &Store,
        present: &Snapshot,
        mut event: Event,
        asked: &Assignment,
    ) -> Result<(Event, bool), IntakeError> {
        let limit = self.rules.limits.line_bytes;
        name("worker", &asked.worker, limit)?;
        name("actor", &asked.actor, limit)?;
        within("note", asked.note.as_deref(), limit)?;
        let is_known = present.layer(WORKERS).is_some_and(|layer| layer.find(&asked.worker).is_some());
        if !is_known {
            let reason = format!("nobody in the register of workers has the id {}", asked.worker);
            return Err(Rejected::new(Fault::UnknownWorker, reason).into());
        }
        for _ in 0..ATTEMPTS {
            let now = Timestamp::now();
            let time = asked.time.as_deref().map_or(Ok(now), instant)?;
            if time.duration_since(now).as_secs() > self.rules.ahead_s {
                return Err(Rejected::new(Fault::BadTime, format!("{time} is in the future")).into());
            }
            let Some(steps) = self.steps_to(&event, asked, time)? else { return Ok((event, false)) };
            match store.add_steps(&event, &steps, true, present).await {
                Ok(event) => return Ok((event, true)),
                // Somebody was quicker: what he did decides what can be done now.
                Err(store::Error::Stale(_)) => {
                    let mut found = store.events_of_id(&event.id, Some(&event.source)).await?;
                    event = found.pop().ok_or_else(|| store::Error::Damaged(format!("event {} is gone", event.id)))?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(store::Error::Stale(format!("event {}", event.id)).into())
    }

    /// The steps that give the event to the worker; `None` where he has it.
    fn steps_to(&self, event: &Event, asked: &Assignment, time: Timestamp) -> Result<Option<Vec<NewStep>>, Rejected> {
        let states = match self.way.assigning().filter(|state| ***state == *event.state) {
            // It was moved there without saying whose it is; the clocks of the state begin with him.
            Some(state) if event.worker.is_none() => vec![state.clone()],
            Some(_) if event.worker.as_deref() == Some(&*asked.worker) => return Ok(None),
            Some(_) => {
                let worker = event.worker.as_deref().unwrap_or_default();
                let possible = self.way.possible(&event.state, asked.role.as_deref());
                let reason =
                    format!("{worker} has the event in hand; it has to come back before somebody else gets it");
                return Err(Rejected {
                    fault: Fault::Assigned,
                    reason,
                    possible: possible.iter().map(ToString::to_string).collect(),
                });
            }
            None => {
                let steps = taken(self.way.first(), event);
                let steps: Vec<Taken<'_>> = steps.iter().map(|(state, time)| Taken { state, time: *time }).collect();
                self.way.to_assign(&steps, time, asked.role.as_deref())?
            }
        };
        let mut from = event.state.clone();
        let mut steps: Vec<NewStep> = Vec::new();
        for to in states {
            let to = to.to_string();
            let before = std::mem::replace(&mut from, to.clone());
            steps.push(NewStep {
                from: before,
                to,
                time,
                actor: asked.actor.clone(),
                note: String::new(),
                worker: None,
            });
        }
        if let Some(last) = steps.last_mut() {
            last.note = asked.note.as_deref().map(clean).unwrap_or_default();
            last.worker = Some(asked.worker.clone());
        }
        Ok(Some(steps))
    }
}
