//! What happens to events, told one by one from the store's log: by `/changes?only=event` and
//! to webhooks.
//!
//! Invariant: a place in the log is the same for every node, before and after a restart, so
//! who names the last thing that was seen is told everything after it, once and in order.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::events::written;
use super::state::App;
use crate::store::{Happened, What};
use crate::webhooks::{Interest, Kind};

/// A longer message is told without what was sent and done, which can be read at the service.
const MOST_BYTES: usize = 256 << 10;
/// What is read of the log at once.
const PAGE: usize = 100;
/// How often the log is asked for more when nothing in this process says that there is.
const POLL: Duration = Duration::from_secs(1);

/// The id of a message: the same however often and by whom it is sent.
pub(super) fn id(epoch: &str, seq: u64) -> String {
    format!("{epoch}-{seq}")
}

/// The place in the log of the message with an id.
pub(super) fn seq(epoch: &str, id: &str) -> Option<u64> {
    id.strip_prefix(epoch)?.strip_prefix('-')?.parse().ok()
}

/// A message: the change, and the event as it stands when it is told.
pub(super) fn message(app: &App, kind: Kind, happened: &Happened) -> String {
    let mut event = written(app, &happened.event);
    let item = |list: &str, seq: u64| event[list][usize::try_from(seq).unwrap_or(usize::MAX).wrapping_sub(1)].clone();
    let mut data = match happened.what {
        What::Filed => json!({}),
        What::Step(seq) => json!({ "step": item("steps", seq) }),
        What::Ruling(seq) => json!({ "ruling": item("rulings", seq) }),
    };
    if event.to_string().len() > MOST_BYTES {
        let kept = ["source", "id", "number", "time", "type", "point", "owners", "state", "open", "worker", "revision"];
        let kept = kept.map(|member| (member.to_owned(), event[member].take()));
        event = Value::Object(kept.into_iter().collect());
        data["shortened"] = true.into();
    }
    data["event"] = event;
    json!({ "type": kind.name(), "timestamp": happened.recorded, "data": data }).to_string()
}

/// Keeps `app.happened` at the end of the log until the service ends.
pub(super) async fn follow(app: App) {
    let Some(store) = app.atlas.store().cloned() else { return };
    let mut swaps = app.atlas.swaps();
    loop {
        match store.happened_last().await {
            Ok(last) => drop(app.happened.send_if_modified(|known| std::mem::replace(known, last) != last)),
            Err(error) => tracing::debug!(%error, "the log of events was not read"),
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = swaps.changed() => {}
        }
    }
}

/// One who listens to what happens to events.
struct Listener {
    app: App,
    interest: Interest,
    seen: u64,
    news: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    waiting: VecDeque<Sent>,
    _slot: OwnedSemaphorePermit,
}

/// Tells what happens to events after a place in the log, and where that is before all else. A
/// place behind the last is of another log: then all is to be read anew.
pub(super) fn tell(app: App, interest: Interest, seen: u64, last: u64, slot: OwnedSemaphorePermit) -> Response {
    let (name, seen) = if seen > last { ("reset", last) } else { ("position", seen) };
    let began = Sent::default().id(format!("e{seen}")).event(name).data(json!({ "since": seen }).to_string());
    let (news, stopping) = (app.happened.subscribe(), app.stopping.clone());
    let listener = Listener { app, interest, seen, news, stopping, waiting: [began].into(), _slot: slot };
    let events = stream::unfold(listener, |mut l| async move {
        loop {
            if let Some(sent) = l.waiting.pop_front() {
                return Some((Ok::<_, Infallible>(sent), l));
            }
            let newest = *l.news.borrow_and_update();
            if newest > l.seen {
                match l.read().await {
                    Ok(()) => continue,
                    // Where it goes on from is known to both sides: it comes again.
                    Err(error) => {
                        tracing::warn!(%error, "a listener was cut off");
                        return None;
                    }
                }
            }
            tokio::select! {
                changed = l.news.changed() => if changed.is_err() { return None },
                _ = l.stopping.wait_for(|stop| *stop) => return None,
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))).into_response()
}

impl Listener {
    /// Reads on in the log.
    async fn read(&mut self) -> Result<(), crate::store::Error> {
        let Some(store) = self.app.atlas.store() else { return Ok(()) };
        let page = store.happened(self.seen, PAGE).await?;
        let present = self.app.atlas.present();
        self.seen = page.last().map_or(self.seen, |last| last.seq);
        if page.is_empty() {
            // What was announced is not there: another store is in the place of this one.
            return Err(crate::store::Error::Missing("the log of events".to_owned()));
        }
        for happened in page {
            let kind = Kind::of(&happened, self.app.intake.way());
            if self.interest.wants(kind, &happened, &present) {
                let name = if kind == Kind::Assigned { "assignment" } else { "event" };
                let data = message(&self.app, kind, &happened);
                self.waiting.push_back(Sent::default().id(format!("e{}", happened.seq)).event(name).data(data));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_in_its_own_store_alone() {
        assert_eq!(seq("ab12", &id("ab12", 77)), Some(77));
        for wrong in ["ab1377", "ab12-", "ab12-x", "77", "ab13-77"] {
            assert_eq!(seq("ab12", wrong), None, "{wrong}");
        }
    }
}
