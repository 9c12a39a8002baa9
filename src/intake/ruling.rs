//! What is done with an event that was filed: steps, a moved pin, a settled dispute.

use boundaries::AreaId;
use jiff::Timestamp;
use serde::Deserialize;

use super::above::{Judged, apply};
use super::filing::{Intake, IntakeError};
use super::place::{Found, find, owners, short};
use super::report::{Fault, Rejected, Said, clean, instant, name, point, within};
use crate::snapshot::{Atlas, DEFAULT_COVERAGE, Moment, Snapshot};
use crate::steps::{Asked, Taken};
use crate::store::{self, Event, NewOwner, NewStep, Replaced, Ruling, Store};

/// How often it is tried again because other boundaries came into force meanwhile.
pub(super) const ATTEMPTS: usize = 5;

/// A step as clients send it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepReport {
    to: String,
    time: Option<String>,
    actor: String,
    #[serde(default)]
    role: Option<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    worker: Option<String>,
}

/// Another place for an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    #[serde(alias = "x")]
    lon: f64,
    #[serde(alias = "y")]
    lat: f64,
    #[serde(default)]
    crs: Option<String>,
    reason: String,
    actor: String,
}

/// Another owner for an event.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    code: String,
    #[serde(default)]
    coverage: Option<String>,
    reason: String,
    actor: String,
}

impl Intake {
    /// Moves an event a step on. The same step sent again, by time and actor, has one effect.
    ///
    /// # Errors
    ///
    /// [`Rejected`] with what is possible; [`store::Error::Stale`] where somebody was quicker.
    pub async fn step(
        &self,
        store: &Store,
        present: &Snapshot,
        event: Event,
        asked: &StepReport,
    ) -> Result<Event, IntakeError> {
        let now = Timestamp::now();
        let limit = self.rules.limits.line_bytes;
        name("actor", &asked.actor, limit)?;
        within("note", asked.note.as_deref(), limit)?;
        within("worker", asked.worker.as_deref(), limit)?;
        let time = asked.time.as_deref().map_or(Ok(now), instant)?;
        if time.duration_since(now).as_secs() > self.rules.ahead_s {
            return Err(Rejected::new(Fault::BadTime, format!("{time} is in the future")).into());
        }
        let is_told = |step: &&store::EventStep| step.to == asked.to && step.time == time && step.actor == asked.actor;
        if asked.time.is_some() && event.steps.last().filter(is_told).is_some() {
            return Ok(event);
        }
        let taken = taken(&self.way.first().clone(), &event);
        let asking = Asked { to: &asked.to, time, role: asked.role.as_deref(), note: asked.note.as_deref() };
        let taken: Vec<Taken<'_>> = taken.iter().map(|(state, time)| Taken { state, time: *time }).collect();
        self.way.check(&taken, &asking).map_err(Rejected::from)?;
        let step = NewStep {
            from: event.state.clone(),
            to: asked.to.clone(),
            time,
            actor: asked.actor.clone(),
            note: asked.note.as_deref().map(clean).unwrap_or_default(),
            worker: asked.worker.as_deref().map(clean),
        };
        Ok(store.add_steps(&event, &[step], !self.way.ends(&asked.to), present).await?)
    }

    /// Moves the pin of an event: it is owned anew, by the boundaries of its time and of now.
    ///
    /// # Errors
    ///
    /// [`Rejected`] for what is no place; [`store::Error::Stale`] where somebody was quicker.
    pub async fn move_pin(&self, atlas: &Atlas, store: &Store, event: &Event, pin: &Pin) -> Result<Event, IntakeError> {
        let ruling = self.ruling("place", &pin.reason, &pin.actor)?;
        let said = Said::Point(point(pin.lon, pin.lat, pin.crs.as_deref())?);
        for _ in 0..ATTEMPTS {
            let present = atlas.present();
            let then = atlas.at(Moment::At(event.time.min(Timestamp::now()))).await?;
            let found = find(&said, &present, &then)?;
            let next = self.replaced(&found, event, &present, &then);
            if let Some(event) = store.rule_event(event, &next, &ruling, &present).await? {
                return Ok(event);
            }
            atlas.refresh().await?;
        }
        Err(store::Error::Busy.into())
    }

    /// Settles to which area an event belongs, whatever its place says.
    ///
    /// # Errors
    ///
    /// [`Rejected`] where no area of now has the code; [`store::Error::Stale`] where somebody
    /// was quicker.
    pub async fn settle(
        &self,
        atlas: &Atlas,
        store: &Store,
        event: &Event,
        verdict: &Verdict,
    ) -> Result<Event, IntakeError> {
        let ruling = self.ruling("owner", &verdict.reason, &verdict.actor)?;
        for _ in 0..ATTEMPTS {
            let present = atlas.present();
            let name = verdict.coverage.as_deref();
            let view = match name {
                Some(name) => present.coverage(name),
                None => present.coverage(DEFAULT_COVERAGE).or(present.coverages.first()),
            };
            let area = view.and_then(|view| Some((view, view.coverage.area_by_code(&verdict.code)?)));
            let (view, area) = area.ok_or_else(|| {
                let coverage = name.map(short).unwrap_or_else(|| "the default coverage".to_owned());
                let reason = format!("no area of {coverage} has the code {}", short(&verdict.code));
                Rejected::new(Fault::UnknownPlace, reason)
            })?;
            let chain: Vec<AreaId> = view.coverage.chain(area);
            let told = event.owners.iter().find(|o| o.coverage == view.name).and_then(|o| o.told.clone());
            let owner = NewOwner {
                coverage: view.name.clone(),
                revision: view.revision,
                filed: chain.clone(),
                present: chain,
                is_settled: true,
                told,
            };
            let next = Replaced {
                place: event.place,
                placed_by: event.placed_by.clone(),
                building: event.building.clone(),
                party_units: event.party_units.clone(),
                owners: vec![owner],
            };
            if let Some(event) = store.rule_event(event, &next, &ruling, &present).await? {
                return Ok(event);
            }
            atlas.refresh().await?;
        }
        Err(store::Error::Busy.into())
    }

    fn ruling(&self, kind: &'static str, reason: &str, actor: &str) -> Result<Ruling, Rejected> {
        let limit = self.rules.limits.line_bytes;
        name("reason", reason, limit)?;
        name("actor", actor, limit)?;
        Ok(Ruling { kind, reason: clean(reason), actor: clean(actor) })
    }

    fn replaced(&self, found: &Found, event: &Event, present: &Snapshot, then: &Snapshot) -> Replaced {
        let mut owners = owners(found, event.accuracy_m, present, then);
        let judged = Judged { kind: &event.kind, place: found.place, content: &event.content };
        apply(&self.routing, &judged, present, then, &mut owners);
        let party_units = self.ties.concerned(present, found.building.as_deref(), &owners);
        Replaced {
            place: found.place,
            placed_by: found.placed_by.to_owned(),
            building: found.building.clone(),
            party_units,
            owners,
        }
    }
}

/// The states that an event went through, the first from its own time on.
pub(crate) fn taken(first: &str, event: &Event) -> Vec<(String, Timestamp)> {
    let steps = event.steps.iter().map(|step| (step.to.clone(), step.time));
    std::iter::once((first.to_owned(), event.time)).chain(steps).collect()
}
