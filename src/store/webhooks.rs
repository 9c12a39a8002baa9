//! How far those who are told of events have been told: a cursor each into the log of what
//! happens, and beside it what was not taken.
//!
//! Invariant: whatever lies behind a cursor was told or stands in `event_webhook_wait`; the two
//! move in one transaction. Only who holds a line moves it, and nobody holds one that another
//! holds. It must not know how anybody is told.

use std::sync::Arc;

use jiff::Timestamp;

use super::events::{Event, Happened, What, event_time, gone, of_numbers};
use super::sql::{Arg, Row, Tx};
use super::{Error, Store};

/// Something that was not taken, or waits behind such a thing of the same event.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its place in the log.
    pub seq: u64,
    /// The event's number.
    pub number: u64,
    /// What happened to it.
    pub what: What,
    /// When that was written down.
    pub recorded: Timestamp,
    /// How often it was told and not taken.
    pub attempts: u32,
    /// When it is told again; `None` where it was given up.
    pub next: Option<Timestamp>,
    /// What came of the last attempt.
    pub error: String,
    /// When that was.
    pub tried: Timestamp,
}

/// How far behind a line is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Entries of the log that were not looked at yet.
    pub behind: u64,
    /// Things that wait to be told again.
    pub waiting: u64,
    /// Things that were given up.
    pub dead: u64,
    /// When the first happened of what was not looked at yet or waits.
    pub since: Option<Timestamp>,
    /// The process that tells.
    pub holder: Option<String>,
}

impl Waiting {
    /// The same as it stands in the log, with its event.
    #[must_use]
    pub fn of(&self, event: Arc<Event>) -> Happened {
        Happened { seq: self.seq, what: self.what, recorded: self.recorded, event }
    }
}

const COLUMNS: &str = "seq, event, what, item, recorded_us, attempts, next_us, error, tried_us";

fn waiting(row: &Row<'_>) -> Result<Waiting, Error> {
    Ok(Waiting {
        seq: row.int(0)? as u64,
        number: row.int(1)? as u64,
        what: What::read(row, 2)?,
        recorded: event_time(row.int(4)?)?,
        attempts: u32::try_from(row.int(5)?).unwrap_or(u32::MAX),
        next: row.maybe_int(6)?.map(event_time).transpose()?,
        error: row.text(7)?,
        tried: event_time(row.int(8)?)?,
    })
}

/// What waits, each with the event that it is about.
async fn read(tx: &mut Tx, sql: String, args: Vec<Arg>) -> Result<Vec<(Waiting, Arc<Event>)>, Error> {
    let mut all = Vec::new();
    tx.each(sql, args, |row| {
        all.push(waiting(&row)?);
        Ok(())
    })
    .await?;
    let events = of_numbers(tx, all.iter().map(|waiting| waiting.number)).await?;
    let with = |waiting: Waiting| {
        let event = events.get(&waiting.number).cloned().ok_or_else(|| gone(waiting.number))?;
        Ok((waiting, event))
    };
    all.into_iter().map(with).collect()
}

impl Store {
    /// Takes a line until some time, where nobody else holds it, and says how far it is. One
    /// that is new begins with what happens from now on.
    ///
    /// # Errors
    ///
    /// Where the database can't be written.
    pub async fn hold_webhook(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<u64>, Error> {
        // Whoever finds it held by another doesn't keep writers waiting.
        let sql = "select 1 from event_webhook where name = $1 and holder <> $2 and held_until_us > $3";
        let args = vec![name.into(), holder.into(), now.as_microsecond().into()];
        if self.reading().await?.row(sql, args).await?.is_some() {
            return Ok(None);
        }
        let mut tx = self.writing().await?;
        let sql = "insert into event_webhook (name, cursor, holder, held_until_us) \
                   select $1, coalesce(max(seq), 0), null, 0 from event_log where seq > 0 on conflict do nothing";
        tx.run(sql, vec![name.into()]).await?;
        let sql = "update event_webhook set holder = $2, held_until_us = $3 \
                   where name = $1 and (holder is null or holder = $2 or held_until_us <= $4)";
        let args = vec![name.into(), holder.into(), until.as_microsecond().into(), now.as_microsecond().into()];
        if tx.run(sql, args).await? != 1 {
            return Ok(None);
        }
        let row = tx.row("select cursor from event_webhook where name = $1", vec![name.into()]).await?;
        let cursor = row.map(|row| row.int(0)).transpose()?;
        tx.commit().await?;
        Ok(cursor.map(|cursor| cursor as u64))
    }

    /// Writes down how far a line has come: what of that which waited was taken, and what waits
    /// from now on. Nothing, and false, where it is held by another.
    ///
    /// # Errors
    ///
    /// Where the database can't be written.
    pub async fn settle_webhook(
        &self,
        name: &str,
        holder: &str,
        until: Timestamp,
        cursor: u64,
        taken: &[u64],
        wait: &[Waiting],
    ) -> Result<bool, Error> {
        let mut tx = self.writing().await?;
        let sql = "update event_webhook set cursor = $3, held_until_us = $4 where name = $1 and holder = $2";
        let args = vec![name.into(), holder.into(), cursor.into(), until.as_microsecond().into()];
        if tx.run(sql, args).await? != 1 {
            return Ok(false);
        }
        let seqs = taken.iter().copied().chain(wait.iter().map(|waiting| waiting.seq));
        let keys = seqs.map(|seq| vec![name.into(), seq.into()]).collect();
        tx.delete_rows("event_webhook_wait", &["webhook", "seq"], keys).await?;
        let rows = wait.iter().map(|w| {
            let [what, item] = w.what.numbers();
            vec![
                name.into(),
                w.seq.into(),
                w.number.into(),
                what,
                item,
                w.recorded.as_microsecond().into(),
                w.attempts.into(),
                Arg::Int(w.next.map(Timestamp::as_microsecond)),
                w.error.as_str().into(),
                w.tried.as_microsecond().into(),
            ]
        });
        let columns: Vec<&str> = std::iter::once("webhook").chain(COLUMNS.split(", ")).collect();
        tx.insert_many("event_webhook_wait", &columns, rows.collect::<Vec<_>>()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Lets go of a line, so that another takes it at once.
    ///
    /// # Errors
    ///
    /// Where the database can't be written.
    pub async fn leave_webhook(&self, name: &str, holder: &str) -> Result<(), Error> {
        let mut tx = self.writing().await?;
        let sql = "update event_webhook set holder = null, held_until_us = 0 where name = $1 and holder = $2";
        tx.run(sql, vec![name.into(), holder.into()]).await?;
        tx.commit().await
    }

    /// What is to be told again by now, in order. Of one event only the first: what came later
    /// waits behind it.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn webhook_due(
        &self,
        name: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Waiting, Arc<Event>)>, Error> {
        let mut tx = self.reading().await?;
        let sql = format!(
            "select {COLUMNS} from event_webhook_wait w where webhook = $1 and next_us <= $2 and not exists \
             (select 1 from event_webhook_wait b where b.webhook = w.webhook and b.event = w.event \
             and b.seq < w.seq and b.next_us is not null) order by seq limit $3"
        );
        read(&mut tx, sql, vec![name.into(), now.as_microsecond().into(), (limit as u64).into()]).await
    }

    /// The numbers of events of which something waits.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn webhook_aside(&self, name: &str) -> Result<Vec<u64>, Error> {
        let sql = "select distinct event from event_webhook_wait where webhook = $1 and next_us is not null";
        let rows = self.reading().await?.rows(sql, vec![name.into()]).await?;
        rows.iter().map(|row| Ok(row.int(0)? as u64)).collect()
    }

    /// What was given up after a number of the log, in order.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn webhook_dead(
        &self,
        name: &str,
        after: u64,
        limit: usize,
    ) -> Result<Vec<(Waiting, Arc<Event>)>, Error> {
        let mut tx = self.reading().await?;
        let sql = format!(
            "select {COLUMNS} from event_webhook_wait where webhook = $1 and seq > $2 and next_us is null \
             order by seq limit $3"
        );
        read(&mut tx, sql, vec![name.into(), after.into(), (limit as u64).into()]).await
    }

    /// Has something told again that was given up, as if for the first time; false where there
    /// is no such thing.
    ///
    /// # Errors
    ///
    /// Where the database can't be written.
    pub async fn webhook_retry(&self, name: &str, seq: u64, now: Timestamp) -> Result<bool, Error> {
        let mut tx = self.writing().await?;
        let sql = "update event_webhook_wait set attempts = 0, next_us = $3 \
                   where webhook = $1 and seq = $2 and next_us is null";
        let changed = tx.run(sql, vec![name.into(), seq.into(), now.as_microsecond().into()]).await?;
        tx.commit().await?;
        Ok(changed == 1)
    }

    /// How far behind a line is; nothing is behind in one that never began.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn webhook_lag(&self, name: &str, now: Timestamp) -> Result<Lag, Error> {
        let sql = "select w.cursor, case when w.held_until_us > $2 then w.holder end, \
                   (select coalesce(max(seq), 0) from event_log), \
                   (select recorded_us from event_log where seq > w.cursor order by seq limit 1), \
                   (select count(*) from event_webhook_wait where webhook = w.name and next_us is not null), \
                   (select min(recorded_us) from event_webhook_wait where webhook = w.name and next_us is not null), \
                   (select count(*) from event_webhook_wait where webhook = w.name and next_us is null) \
                   from event_webhook w where w.name = $1";
        let mut tx = self.reading().await?;
        let Some(row) = tx.row(sql, vec![name.into(), now.as_microsecond().into()]).await? else {
            return Ok(Lag::default());
        };
        let since = [row.maybe_int(3)?, row.maybe_int(5)?].into_iter().flatten().min();
        Ok(Lag {
            behind: row.int(2)?.saturating_sub(row.int(0)?).max(0) as u64,
            waiting: row.int(4)? as u64,
            dead: row.int(6)? as u64,
            since: since.map(event_time).transpose()?,
            holder: row.maybe_text(1)?,
        })
    }
}
