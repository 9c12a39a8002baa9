//! What is done with an event: steps, a moved pin, a settled dispute. Rows are only added.

use boundaries::Point;
use jiff::Timestamp;

use super::super::features::{is_present, present_views};
use super::super::sql::{Arg, Tx};
use super::super::{Error, Store, derive};
use super::happened::{What, log_happened};
use super::owners::{Change, put};
use super::read::{Event, complete, entries};
use super::write::{Shown, hide, layer, log, show};
use super::{NewOwner, cell, counts, feature_id};
use crate::snapshot::Snapshot;

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStep {
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// When.
    pub time: Timestamp,
    /// Who did it.
    pub actor: String,
    /// What they say.
    pub note: String,
    /// Who has it in hand from then on, if somebody else.
    pub worker: Option<String>,
}

pub(super) const COLUMNS: [&str; 9] =
    ["event", "seq", "time_us", "from_state", "to_state", "actor", "note", "worker", "recorded_us"];

impl NewStep {
    pub(super) fn row(&self, event: u64, seq: i64, now: Timestamp) -> Vec<Arg> {
        vec![
            event.into(),
            seq.into(),
            self.time.as_microsecond().into(),
            self.from.as_str().into(),
            self.to.as_str().into(),
            self.actor.as_str().into(),
            self.note.as_str().into(),
            Arg::Text(self.worker.clone()),
            now.as_microsecond().into(),
        ]
    }
}

/// Why and by whom an event's place or owner is another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// `place` or `owner`.
    pub kind: &'static str,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub actor: String,
}

/// Where an event lies, found anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Replaced {
    /// The place.
    pub place: Option<Point>,
    /// How it was found.
    pub placed_by: String,
    /// The building that it lies in.
    pub building: Option<String>,
    /// The party units concerned.
    pub party_units: Vec<String>,
    /// Its owners: those of coverages that are not named stay.
    pub owners: Vec<NewOwner>,
}

impl Store {
    /// Adds steps, one after the other, to an event that has as many as it had when it was read.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] where somebody was quicker.
    pub async fn add_steps(
        &self,
        event: &Event,
        steps: &[NewStep],
        is_open: bool,
        snapshot: &Snapshot,
    ) -> Result<Event, Error> {
        let Some(last) = steps.last() else { return Ok(event.clone()) };
        let mut tx = self.writing().await?;
        let now = Timestamp::now();
        let counted = counts::rows_of(&mut tx, event.number, event.time).await?;
        counts::count(&mut tx, &counted, -1).await?;
        let sql = "update event_entry set state = $3, is_open = $4, worker = coalesce($5, worker), steps = steps + $6 \
                   where number = $1 and steps = $2 and time_us = $7";
        let args = vec![
            event.number.into(),
            event.step_count.into(),
            last.to.as_str().into(),
            i64::from(is_open).into(),
            Arg::Text(last.worker.clone()),
            (steps.len() as i64).into(),
            event.time.as_microsecond().into(),
        ];
        if tx.run(sql, args).await? != 1 {
            return Err(Error::Stale(format!("event {}", event.id)));
        }
        counts::count(&mut tx, &counted, 1).await?;
        let rows = (event.step_count + 1..).zip(steps).map(|(seq, step)| step.row(event.number, seq, now));
        tx.insert_many("event_step", &COLUMNS, rows.collect::<Vec<_>>()).await?;
        let seqs = (event.step_count as u64 + 1..).take(steps.len());
        log_happened(&mut tx, now, seqs.map(|seq| (event.number, What::Step(seq)))).await?;
        finish(tx, event, now, snapshot).await
    }

    /// Gives an event another place or owner, and writes down what was before, why and by
    /// whom. `None` where others than the coverages of the snapshot are in force.
    ///
    /// # Errors
    ///
    /// [`Error::Stale`] where somebody was quicker.
    pub async fn rule_event(
        &self,
        event: &Event,
        next: &Replaced,
        ruling: &Ruling,
        snapshot: &Snapshot,
    ) -> Result<Option<Event>, Error> {
        let mut tx = self.writing().await?;
        let now = Timestamp::now();
        derive::settle(&mut tx, now, None).await?;
        if !is_present(&mut tx, snapshot).await? {
            return Ok(None);
        }
        let sql = "select rulings from event_entry where number = $1 and time_us = $2";
        let row = tx.row(sql, vec![event.number.into(), event.time.as_microsecond().into()]).await?;
        if row.map(|row| row.int(0)).transpose()? != Some(event.ruling_count) {
            return Err(Error::Stale(format!("event {}", event.id)));
        }
        let changes = next.owners.iter().map(|owner| Change {
            number: event.number,
            coverage: owner.coverage.clone(),
            chain: owner.present.clone(),
            is_settled: owner.is_settled,
            revision: owner.revision,
            told: owner.told.clone(),
        });
        // While the place is still the one before, which is written down.
        put(&mut tx, changes.collect(), ruling, &snapshot.coverages, now).await?;
        let sql = "update event_entry set x = $2, y = $3, cell = $4, placed_by = $5, building = $6, party_units = $7 \
                   where number = $1 and time_us = $8";
        let units =
            (!next.party_units.is_empty()).then(|| serde_json::Value::from(next.party_units.clone()).to_string());
        let args = vec![
            event.number.into(),
            Arg::Int(next.place.map(|p| p.x.into())),
            Arg::Int(next.place.map(|p| p.y.into())),
            Arg::Int(next.place.map(cell)),
            next.placed_by.as_str().into(),
            Arg::Text(next.building.clone()),
            Arg::Text(units),
            event.time.as_microsecond().into(),
        ];
        tx.run(sql, args).await?;
        finish(tx, event, now, snapshot).await.map(Some)
    }
}

/// Brings the feature of an event to what it is now, and commits.
async fn finish(mut tx: Tx, event: &Event, now: Timestamp, snapshot: &Snapshot) -> Result<Event, Error> {
    let (number, args) = (event.number, vec![event.number.into(), event.time.as_microsecond().into()]);
    let mut found = entries(&mut tx, "where e.number = $1 and e.time_us = $2", args).await?;
    complete(&mut tx, &mut found).await?;
    let event = found.pop().ok_or_else(|| Error::Damaged(format!("event {number} is gone")))?;
    let views = present_views(&mut tx, snapshot).await?;
    let mut layer = layer(&mut tx).await?;
    let content: serde_json::Value = serde_json::from_str(&event.content).unwrap_or_default();
    let id = feature_id(&event.source, &event.id);
    match event.place.filter(|_| event.is_open) {
        Some(place) => {
            let shown = Shown {
                number,
                source: &event.source,
                id: &event.id,
                kind: &event.kind,
                state: &event.state,
                time: event.time,
                description: content["description"].as_str(),
                worker: event.worker.as_deref(),
                place,
            };
            show(&mut tx, &mut layer, &[shown], &views).await?;
        }
        None => hide(&mut tx, &layer, vec![id.clone()]).await?,
    }
    log(&mut tx, now, vec![id]).await?;
    tx.commit().await?;
    Ok(event)
}
