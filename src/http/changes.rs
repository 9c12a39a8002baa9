//! `/changes`: server-sent events of what changed, for caches and maps.
//!
//! Each swap of the snapshot becomes events, numbered by the change that they end
//! with; the last of them are kept, so that a client that was away resumes by
//! `Last-Event-ID`. One that was away for longer is told to read all anew.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use boundaries::{Bounds, Coverage};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use utoipa::IntoParams;

use super::happened;
use super::params::Params;
use super::problem::{Code, Problem};
use super::state::App;
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE, Layer, Snapshot};
use crate::store::EVENT_LAYER;
use crate::tiling::Differing;
use crate::webhooks::{Interest, Kind};

/// Events that are kept.
const KEPT: usize = 1024;

/// Codes that one event names; a revision that touches more says how many.
const CODES: usize = 1000;

/// Boxes that one event names; of a layer that changed in more places it says none.
const BOXES: usize = 1000;

/// Events that are told one by one of one swap.
const EVENTS: usize = 256;

/// One thing that changed.
#[derive(Clone, Debug)]
struct Told {
    /// Ascends; events of one swap share the change number and differ behind the dot.
    id: (u64, u32),
    kind: &'static str,
    data: Arc<str>,
}

/// The last events.
#[derive(Debug)]
pub(super) struct Feed {
    kept: Mutex<VecDeque<Told>>,
    last: watch::Sender<(u64, u32)>,
}

impl Feed {
    pub(super) fn new(change: u64) -> Self {
        Self { kept: Mutex::default(), last: watch::Sender::new((change, u32::MAX)) }
    }

    fn push(&self, change: u64, events: Vec<(&'static str, Value)>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for (i, (kind, data)) in events.into_iter().enumerate() {
            kept.push_back(Told { id: (change, i as u32), kind, data: data.to_string().into() });
        }
        while kept.len() > KEPT {
            kept.pop_front();
        }
        drop(kept);
        self.last.send_replace((change, u32::MAX));
    }

    /// What came after an event; `None` where some of it is no longer kept.
    fn after(&self, id: (u64, u32), began: u64) -> Option<Vec<Told>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let reaches = match kept.front() {
            Some(first) if kept.len() == KEPT => id >= first.id,
            _ => id.0 >= began,
        };
        reaches.then(|| kept.iter().filter(|t| t.id > id).cloned().collect())
    }
}

/// Turns swaps of the snapshot into events, until the service ends.
pub(super) async fn follow(app: App) {
    let mut swaps = app.atlas.swaps();
    let mut before = app.atlas.present();
    while swaps.changed().await.is_ok() {
        let after = app.atlas.present();
        let (tiler, old, new) = (app.tiler.clone(), before.clone(), after.clone());
        // Tiles are asked for as soon as a change is told: what stays is known by then.
        let work = move || between(&old, &new, &tiler.follow(&old, &new));
        let events = match tokio::task::spawn_blocking(work).await {
            Ok(events) => events,
            Err(broken) => {
                tracing::warn!("tiles that a change left alone are made again: {broken}");
                between(&before, &after, &Differing::default())
            }
        };
        if after.change < before.change || after.epoch != before.epoch {
            app.feed.push(after.change.max(before.change) + 1, vec![("reset", json!({ "revision": after.revision }))]);
        } else {
            app.feed.push(after.change, events);
        }
        before = after;
    }
}

fn corners(b: Bounds) -> [f64; 4] {
    [b.min.lon(), b.min.lat(), b.max.lon(), b.max.lat()]
}

/// What differs between two snapshots; of a coverage of which it is not known where its tiles
/// differ, around the ground of all touched areas.
fn between(before: &Snapshot, after: &Snapshot, differing: &Differing) -> Vec<(&'static str, Value)> {
    let mut events = Vec::new();
    for view in &after.coverages {
        let old = before.coverage(&view.name);
        if old.is_some_and(|o| Arc::ptr_eq(o, view)) {
            continue;
        }
        let nothing = Coverage::empty(view.levels().into());
        let old = old.map_or(&nothing, |o| &o.coverage);
        let codes = view.coverage.touched_codes(old);
        let known = differing.coverages.get(&view.name).cloned().flatten();
        let boxes = known.unwrap_or_else(|| view.coverage.touched_ground(old));
        let boxes: Vec<_> = boxes.into_iter().map(corners).collect();
        events.push((
            "revision",
            json!({
                "revision": view.revision, "coverage": view.name, "touched_count": codes.len(),
                "touched": if codes.len() > CODES { Vec::new() } else { codes },
                "boxes": boxes,
            }),
        ));
    }
    for (name, layer) in &after.layers {
        let old = before.layer(name);
        if old.is_some_and(|old| Arc::ptr_eq(old, layer)) {
            continue;
        }
        let mut told = json!({ "layer": name, "change": layer.change(), "count": layer.len() });
        let boxes = differing.layers.get(name).and_then(Option::as_ref).filter(|boxes| boxes.len() <= BOXES);
        if let Some(boxes) = boxes {
            told["boxes"] = boxes.iter().copied().map(corners).collect::<Vec<_>>().into();
        }
        events.push(("layer", told));
    }
    let (old, new) = (before.layer(EVENT_LAYER), after.layer(EVENT_LAYER));
    if let Some(new) = new.filter(|new| old.is_none_or(|old| !Arc::ptr_eq(old, new))) {
        let ids = match old {
            Some(old) => new.put_since(old),
            None => Some(new.iter().map(|ix| new.id(ix).into()).collect()),
        };
        // Of more, only that the layer is another one is told.
        let ids = ids.filter(|ids| ids.len() <= EVENTS).unwrap_or_default();
        events.extend(ids.iter().map(|id| ("event", event(after, new, id))));
    }
    for name in before.layers.keys().filter(|name| after.layer(name).is_none()) {
        events.push(("layer", json!({ "layer": name, "count": 0 })));
    }
    events
}

/// An event that came in, went a step on, or is open no more: then only that.
fn event(snapshot: &Snapshot, layer: &Layer, feature: &str) -> Value {
    let (source, id) = feature.split_once('/').unwrap_or(("", feature));
    let Some(ix) = layer.find(feature) else { return json!({ "source": source, "id": id, "open": false }) };
    let text = |name: &str| layer.field(name).and_then(|field| layer.value(ix, field).text());
    let middle = layer.geometry(ix).map(|geometry| geometry.bounds().min);
    let owner = |(place, view): (usize, &Arc<CoverageView>)| {
        let area = layer.owner(ix, place).and_then(|id| view.coverage.area(id));
        json!({ "coverage": view.name, "code": area.map(|area| &*area.code) })
    };
    json!({
        "source": source, "id": id, "open": true, "type": text("type"), "state": text("state"), "time": text("time"),
        "worker": text("worker"), "point": middle.map(|p| [p.lon(), p.lat()]),
        "owners": snapshot.coverages.iter().enumerate().map(owner).collect::<Vec<_>>(),
    })
}

fn parse_id(text: &str) -> Option<(u64, u32)> {
    let (change, index) = text.split_once('.')?;
    Some((change.parse().ok()?, index.parse().ok()?))
}

/// What is listened to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Listening {
    /// `event`: what happens to events alone, every change of each
    only: Option<String>,
    /// With `only`: from this place in the log on, where no `Last-Event-ID` says another
    since: Option<u64>,
    /// With `only`: of events that the area of this code, or one below it, owns or lost
    within: Option<String>,
    /// The coverage that `within` is a code of
    coverage: Option<String>,
}

impl Listening {
    /// What of events is listened to, where they alone are.
    fn interest(&self, app: &App) -> Result<Option<Interest>, Problem> {
        let bad = |name: &str, why: &str| {
            Err(Problem::new(Code::BadParameter, format!("{name}: {why}")).with("parameter", name))
        };
        match self.only.as_deref() {
            Some("event") => {}
            Some(_) => return bad("only", "it is event"),
            None if self.since.is_some() => return bad("since", "it needs only=event"),
            None if self.within.is_some() => return bad("within", "it needs only=event"),
            None if self.coverage.is_some() => return bad("coverage", "it needs only=event"),
            None => return Ok(None),
        }
        let coverage = self.coverage.clone().unwrap_or_else(|| DEFAULT_COVERAGE.to_owned());
        let present = app.atlas.present();
        if let Some(code) = &self.within {
            let unknown = |code, what: &str, parameter: &str| Problem::new(code, what).with("parameter", parameter);
            let view = present.coverage(&coverage);
            let view = view.ok_or_else(|| unknown(Code::UnknownCoverage, "there is no such coverage", "coverage"))?;
            let area = view.coverage.area_by_code(code);
            area.ok_or_else(|| unknown(Code::UnknownArea, "no area has this code now", "within"))?;
        }
        Ok(Some(Interest {
            area: self.within.clone(),
            coverage,
            kinds: Kind::ALL.iter().copied().collect(),
            filed_within: None,
        }))
    }
}

/// What changes, as it changes.
#[utoipa::path(get, path = "/changes", tag = "revisions",
    params(Listening, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was seen")),
    responses((status = 200, description = "Events `revision` (`{revision, coverage, touched, touched_count, boxes}`: the \
        codes of areas that differ, and boxes [west, south, east, north] around all of their ground, old and new), `layer` (`{layer, change, count, boxes}`: \
        boxes of the features that were put, removed or got another owner; without `boxes` all may have), `event` \
        (`{source, id, open, type?, state?, time?, worker?, point?, owners?}`: one that came in, went a step on, or is open no more) and `reset` (read all anew). With `only=event` instead `position` (`{since}`), `event` and `assignment`, each as a webhook is told \
        it (`{type, timestamp, data: {event, step?, ruling?}}`): every change of every event, from any place in the log", content_type = "text/event-stream")))]
pub(super) async fn changes(
    State(app): State<App>,
    Params(q): Params<Listening>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let slot = app.listeners.clone().try_acquire_owned().map_err(|_| {
        Problem::new(Code::TooManyRequests, "as many listeners as the limit allows are there").retry_after_s(10)
    })?;
    let last = request.get(HeaderName::from_static("last-event-id")).and_then(|v| v.to_str().ok());
    if let Some(interest) = q.interest(&app)? {
        let seen = last.and_then(|id| id.strip_prefix('e')?.parse().ok()).or(q.since);
        let last = app.store()?.happened_last().await?;
        return Ok(happened::tell(app, interest, seen.unwrap_or(last), last, slot));
    }
    let news = app.feed.last.subscribe();
    let last = last.and_then(parse_id);
    let from = last.unwrap_or(*news.borrow());
    struct Listener {
        app: App,
        news: watch::Receiver<(u64, u32)>,
        stopping: watch::Receiver<bool>,
        seen: (u64, u32),
        waiting: VecDeque<Told>,
        _slot: tokio::sync::OwnedSemaphorePermit,
    }
    let stopping = app.stopping.clone();
    let listener = Listener { app, news, stopping, seen: from, waiting: VecDeque::new(), _slot: slot };
    let events = stream::unfold(listener, |mut l| async move {
        loop {
            if let Some(told) = l.waiting.pop_front() {
                l.seen = told.id;
                let event =
                    Event::default().id(format!("{}.{}", told.id.0, told.id.1)).event(told.kind).data(&*told.data);
                return Some((Ok::<_, Infallible>(event), l));
            }
            let newest = *l.news.borrow_and_update();
            if newest > l.seen {
                match l.app.feed.after(l.seen, l.app.began) {
                    Some(told) if !told.is_empty() => {
                        l.waiting = told.into();
                        continue;
                    }
                    Some(_) => l.seen = newest,
                    None => {
                        l.seen = newest;
                        let event = Event::default().id(format!("{}.{}", newest.0, newest.1)).event("reset").data("{}");
                        return Some((Ok(event), l));
                    }
                }
            }
            tokio::select! {
                changed = l.news.changed() => if changed.is_err() { return None },
                _ = l.stopping.wait_for(|s| *s) => return None,
            }
        }
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(alive).into_response())
}
