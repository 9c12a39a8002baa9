//! The log of what happens to events, read in the order in which it was written down.
//!
//! Invariant: writers stand in line, so whoever has read up to a number never finds a smaller
//! one later. A row names what happened and doesn't repeat it: it is read with the event as
//! that stands now.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::sql::{Arg, Row, Tx};
use super::super::{CheckReport, Error, Store};
use super::read::{BY_IDENTITY, Event, EventRuling, EventStep, complete, entries, time};

/// What happened to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was filed.
    Filed,
    /// The step of this number was taken, from 1.
    Step(u64),
    /// The ruling of this number was given, from 1.
    Ruling(u64),
}

impl What {
    /// The two numbers that it is kept as.
    pub(in super::super) fn numbers(self) -> [Arg; 2] {
        match self {
            Self::Filed => [0i64.into(), 0i64.into()],
            Self::Step(seq) => [1i64.into(), seq.into()],
            Self::Ruling(seq) => [2i64.into(), seq.into()],
        }
    }

    pub(in super::super) fn read(row: &Row<'_>, column: usize) -> Result<Self, Error> {
        let item = row.int(column + 1)? as u64;
        match row.int(column)? {
            0 => Ok(Self::Filed),
            1 => Ok(Self::Step(item)),
            2 => Ok(Self::Ruling(item)),
            other => Err(Error::Damaged(format!("{other} is nothing that happens to an event"))),
        }
    }
}

/// Something that happened to an event.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Its place in the log; ascends.
    pub seq: u64,
    /// What it was.
    pub what: What,
    /// When it was written down.
    pub recorded: Timestamp,
    /// The event as it stands now.
    pub event: Arc<Event>,
}

impl Happened {
    /// The step that was taken.
    #[must_use]
    pub fn step(&self) -> Option<&EventStep> {
        let What::Step(seq) = self.what else { return None };
        self.event.steps.iter().find(|step| step.seq == seq)
    }

    /// The ruling that was given.
    #[must_use]
    pub fn ruling(&self) -> Option<&EventRuling> {
        let What::Ruling(seq) = self.what else { return None };
        self.event.rulings.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }
}

impl Store {
    /// What happened after a number of the log, the first of it.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn happened(&self, after: u64, limit: usize) -> Result<Vec<Happened>, Error> {
        let mut tx = self.reading().await?;
        // What lies in a month that was detached is not told.
        let sql = "select l.seq, l.event, l.what, l.item, l.recorded_us from event_log l \
                   join event_identity i on i.number = l.event \
                   join event_entry e on e.number = i.number and e.time_us = i.time_us \
                   where l.seq > $1 order by l.seq limit $2";
        let mut rows = Vec::new();
        for row in tx.rows(sql, vec![after.into(), (limit as u64).into()]).await? {
            rows.push((row.int(0)? as u64, row.int(1)? as u64, What::read(&row, 2)?, time(row.int(4)?)?));
        }
        let events = of_numbers(&mut tx, rows.iter().map(|row| row.1)).await?;
        let with = |(seq, number, what, recorded)| {
            let event = events.get(&number).cloned().ok_or_else(|| gone(number))?;
            Ok(Happened { seq, what, recorded, event })
        };
        rows.into_iter().map(with).collect()
    }

    /// The last number of the log.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn happened_last(&self) -> Result<u64, Error> {
        let mut tx = self.reading().await?;
        let row = tx.row("select coalesce(max(seq), 0) from event_log", vec![]).await?;
        Ok(row.map(|row| row.int(0)).transpose()?.unwrap_or_default() as u64)
    }
}

pub(in super::super) fn gone(number: u64) -> Error {
    Error::Damaged(format!("event {number} is gone"))
}

/// Events by their numbers, with everything.
pub(in super::super) async fn of_numbers(
    tx: &mut Tx,
    numbers: impl Iterator<Item = u64>,
) -> Result<BTreeMap<u64, Arc<Event>>, Error> {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut events = Vec::new();
    for some in numbers.chunks(500) {
        let condition = format!("{BY_IDENTITY} where i.number in ({})", tx.places(1, some.len()));
        events.extend(entries(tx, &condition, some.iter().map(|number| Arg::from(*number)).collect()).await?);
    }
    complete(tx, &mut events).await?;
    Ok(events.into_iter().map(|event| (event.number, Arc::new(event))).collect())
}

/// Proves the log: its numbers have no gap, it names what is there, and every event that was
/// filed since it began is in it once.
pub(in super::super) async fn check(tx: &mut Tx, report: &mut CheckReport) -> Result<(), Error> {
    let sql = "select (select coalesce(max(seq), 0) - count(*) from event_log), \
               (select count(*) from event_log l where not exists (select 1 from event_identity i where i.number = l.event)), \
               (select count(*) from event_log l where what = 1 and not exists \
                (select 1 from event_step s where s.event = l.event and s.seq = l.item)), \
               (select count(*) from event_log l where what = 2 and not exists \
                (select 1 from event_ruling r where r.event = l.event and r.seq = l.item)), \
               (select count(*) from event_identity where number >= (select min(event) from event_log where what = 0)) \
               - (select count(*) from event_log where what = 0), \
               (select count(*) from event_identity i where not exists \
                (select 1 from event_entry e where e.number = i.number and e.time_us = i.time_us) and not exists \
                (select 1 from event_month_detached d where i.time_us >= d.from_us and i.time_us < d.to_us))";
    let Some(row) = tx.row(sql, vec![]).await? else { return Ok(()) };
    let wrong = [
        "numbers are missing in the log of events",
        "things in the log happened to events that are not there",
        "steps in the log are not there",
        "rulings in the log are not there",
        "events were filed and are not in the log, or more than once",
        "events have an identity and are not there",
    ];
    for (column, what) in wrong.into_iter().enumerate() {
        let count = row.int(column)?;
        if count != 0 {
            report.defect("log", "event", format!("{}: {what}", count.abs()));
        }
    }
    Ok(())
}

/// Adds to the log what a transaction did to events.
pub(super) async fn log_happened(
    tx: &mut Tx,
    now: Timestamp,
    happened: impl Iterator<Item = (u64, What)>,
) -> Result<(), Error> {
    let row = tx.row("select coalesce(max(seq), 0) + 1 from event_log", vec![]).await?;
    let next = row.map(|row| row.int(0)).transpose()?.unwrap_or(1);
    let rows = (next..).zip(happened).map(|(seq, (number, what))| {
        let [what, item] = what.numbers();
        vec![seq.into(), number.into(), what, item, now.as_microsecond().into()]
    });
    let columns = ["seq", "event", "what", "item", "recorded_us"];
    tx.insert_many("event_log", &columns, rows.collect::<Vec<_>>()).await
}
