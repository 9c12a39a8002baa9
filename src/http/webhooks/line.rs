//! The line of one who is told: one message after the other, from where it was left.
//!
//! ```text
//!         taken ────────────────────────▶ the cursor moves on
//!  next ─┬ refused ─▶ waits aside, with ─▶ told again, later and later ─▶ given up
//!        │            what comes after it of the same event
//!        └ away ────▶ the line waits; nothing counts as an attempt
//! ```
//!
//! Invariant: the cursor is written after what lies behind it was taken or put aside, so
//! whoever goes on from it tells too much rather than too little. Nothing is sent without
//! holding the line for longer than the sending may take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::state::App;
use super::super::{happened as log, metrics};
use super::lag_s;
use crate::store::{self, Happened, Store, Waiting};
use crate::webhooks::{Kind, Outcome, Sender, Subscription};

/// How often the log is asked for more when nothing in this process says that there is.
const POLL: Duration = Duration::from_secs(1);
/// What is read of the log at once.
const PAGE: usize = 100;
/// How long what was taken may stay unwritten.
const UNWRITTEN: Duration = Duration::from_secs(1);

/// A line that this process holds.
struct Line {
    app: App,
    to: Arc<Subscription>,
    sender: Sender,
    holder: String,
    /// How far it was written to have come, and until when it is held.
    held: Option<(u64, Timestamp)>,
    /// How often in a row nobody was there, and until when nobody is asked again.
    away: u32,
    quiet: Option<Timestamp>,
}

/// What a round of sending came to and is yet to be written.
struct Work {
    cursor: u64,
    taken: Vec<u64>,
    wait: Vec<Waiting>,
    since: std::time::Instant,
}

impl Work {
    fn new(cursor: u64) -> Self {
        Self { cursor, taken: Vec::new(), wait: Vec::new(), since: std::time::Instant::now() }
    }
}

/// When to go on.
enum Next {
    Now,
    AtNews,
    After(Duration),
    Never,
}

/// How an attempt leaves the line.
enum Sent {
    Settled,
    Away(Duration),
    Stopped,
}

/// Tells one of what happens until the service stops.
pub(super) async fn follow(app: App, to: Arc<Subscription>, sender: Sender) {
    let Some(store) = app.atlas.store().cloned() else { return };
    let (mut stopping, mut swaps) = (app.stopping.clone(), app.atlas.swaps());
    let mut line = Line { app, to, sender, holder: store::new_holder(), held: None, away: 0, quiet: None };
    let mut failed = false;
    loop {
        let next = line.round(&store).await;
        let has_failed = next.is_err();
        let next = next.unwrap_or_else(|error| {
            if !failed {
                tracing::warn!(%error, webhook = line.to.name(), "nobody can be told what happens to events");
            }
            // What was written down decides where to go on.
            line.held = None;
            Next::After(POLL)
        });
        failed = has_failed;
        let pause = match next {
            Next::Now => Duration::ZERO,
            Next::AtNews => POLL,
            Next::After(pause) => pause,
            Next::Never => break,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = swaps.changed(), if matches!(next, Next::AtNews) => {}
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    if line.held.is_some()
        && let Err(error) = store.leave_webhook(line.to.name(), &line.holder).await
    {
        tracing::debug!(%error, webhook = line.to.name(), "the next to tell has to wait for the lease to end");
    }
}

impl Line {
    /// Tells what is due and what is next.
    async fn round(&mut self, store: &Store) -> Result<Next, store::Error> {
        let (lease, name) = (self.to.lease(), self.to.name().to_owned());
        let now = Timestamp::now();
        let lag = store.webhook_lag(&name, now).await?;
        metrics::say_lag(&name, lag_s(&lag, now), lag.behind + lag.waiting, lag.dead);
        if self.held.is_none_or(|(_, until)| now + lease / 2 > until) {
            let cursor = store.hold_webhook(&name, &self.holder, now, now + lease).await?;
            self.held = cursor.map(|cursor| (cursor, now + lease));
        }
        let Some((cursor, _)) = self.held else { return Ok(Next::After((lease / 4).min(POLL * 5))) };

        let mut work = Work::new(cursor);
        if let Some(quiet) = self.quiet.filter(|quiet| *quiet > now) {
            // The line is kept meanwhile.
            self.write(store, &mut work).await?;
            return Ok(Next::After(self.short(quiet.duration_since(now).try_into().unwrap_or_default())));
        }
        let mut aside: BTreeSet<u64> = store.webhook_aside(&name).await?.into_iter().collect();
        let due = if aside.is_empty() { Vec::new() } else { store.webhook_due(&name, now, PAGE).await? };
        for (waiting, event) in due {
            let happened = waiting.of(event);
            let sent = self.tell(&mut work, &happened, waiting.attempts).await;
            if let Some(end) = self.leave(store, &mut work, sent).await? {
                return Ok(end);
            }
        }
        let page = store.happened(cursor, PAGE).await?;
        let is_more = page.len() == PAGE;
        for happened in page {
            let kind = Kind::of(&happened, self.app.intake.way());
            let mut sent = Sent::Settled;
            if self.to.interest().wants(kind, &happened, &self.app.atlas.present()) {
                if aside.contains(&happened.event.number) {
                    work.wait.push(behind(&happened));
                } else {
                    sent = self.tell(&mut work, &happened, 0).await;
                    if work.wait.last().is_some_and(|waiting| waiting.seq == happened.seq) {
                        aside.insert(happened.event.number);
                    }
                }
            }
            if matches!(sent, Sent::Settled) {
                work.cursor = happened.seq;
            }
            if let Some(end) = self.leave(store, &mut work, sent).await? {
                return Ok(end);
            }
        }
        if !self.write(store, &mut work).await? {
            return Ok(Next::After(POLL));
        }
        Ok(if is_more { Next::Now } else { Next::AtNews })
    }

    /// Goes on after an attempt, or says when.
    async fn leave(&mut self, store: &Store, work: &mut Work, sent: Sent) -> Result<Option<Next>, store::Error> {
        let is_held = match sent {
            Sent::Settled if work.since.elapsed() < UNWRITTEN && !self.ends_soon() => return Ok(None),
            _ => self.write(store, work).await?,
        };
        Ok(match sent {
            Sent::Stopped => Some(Next::Never),
            _ if !is_held => Some(Next::After(POLL)),
            Sent::Away(pause) => {
                self.quiet = Some(Timestamp::now() + pause);
                Some(Next::After(self.short(pause)))
            }
            Sent::Settled => None,
        })
    }

    /// A pause that is short enough to keep the line.
    fn short(&self, pause: Duration) -> Duration {
        pause.min(self.to.lease() / 4)
    }

    /// Whether another attempt might last longer than the line is held.
    fn ends_soon(&self) -> bool {
        self.held.is_none_or(|(_, until)| Timestamp::now() + self.to.timeout() * 5 / 4 > until)
    }

    /// Writes down what was done, and holds the line for longer; false where another holds it.
    async fn write(&mut self, store: &Store, work: &mut Work) -> Result<bool, store::Error> {
        let Some((cursor, until)) = self.held else { return Ok(false) };
        let done = std::mem::replace(work, Work::new(work.cursor));
        let is_new = done.cursor != cursor || !done.taken.is_empty() || !done.wait.is_empty();
        let now = Timestamp::now();
        if !is_new && now + self.to.lease() / 2 < until {
            return Ok(true);
        }
        let until = now + self.to.lease();
        let name = self.to.name();
        let is_held = store.settle_webhook(name, &self.holder, until, done.cursor, &done.taken, &done.wait).await?;
        self.held = is_held.then_some((done.cursor, until));
        Ok(is_held)
    }

    /// Tells one thing, which was refused so many times before.
    async fn tell(&mut self, work: &mut Work, happened: &Happened, attempts: u32) -> Sent {
        let (name, seq) = (self.to.name(), happened.seq);
        let id = log::id(&self.app.atlas.present().epoch, seq);
        let body = log::message(&self.app, Kind::of(happened, self.app.intake.way()), happened);
        let mut stopping = self.app.stopping.clone();
        let outcome = tokio::select! {
            outcome = self.sender.send(&id, Timestamp::now(), body.into()) => outcome,
            _ = stopping.wait_for(|stop| *stop) => return Sent::Stopped,
        };
        metrics::count_delivery(name, outcome.name());
        match outcome {
            Outcome::Taken => work.taken.push(seq),
            Outcome::Refused(error) => {
                let pause = self.to.pause(attempts + 1, seq);
                if pause.is_none() {
                    metrics::count_delivery(name, "given_up");
                    tracing::warn!(webhook = name, id, attempts = attempts + 1, error, "a message was given up");
                }
                let now = Timestamp::now();
                let mut waiting = behind(happened);
                (waiting.attempts, waiting.next, waiting.tried) = (attempts + 1, pause.map(|pause| now + pause), now);
                waiting.error = error;
                work.wait.push(waiting);
            }
            Outcome::Away(error, after) => {
                self.away = self.away.saturating_add(1);
                let pause = self.to.pause_away(self.away, after);
                if self.away == 1 {
                    tracing::warn!(webhook = name, error, "nobody takes what is told");
                }
                return Sent::Away(pause);
            }
        }
        if std::mem::take(&mut self.away) > 0 {
            tracing::info!(webhook = name, "somebody takes what is told again");
        }
        Sent::Settled
    }
}

/// Something that waits behind another thing of its event.
fn behind(happened: &Happened) -> Waiting {
    let now = Timestamp::now();
    Waiting {
        seq: happened.seq,
        number: happened.event.number,
        what: happened.what,
        recorded: happened.recorded,
        attempts: 0,
        next: Some(now),
        error: String::new(),
        tried: now,
    }
}
