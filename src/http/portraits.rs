//! `/portraits` and `/areas/{code}/portrait`: what there is to say of an area, or one figure
//! of every area of a level.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use boundaries::{AreaId, Level};
use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::areas::find;
use super::locate::working;
use super::params::{At, Params};
use super::problem::{Code, Problem};
use super::reading::Reading;
use super::state::App;
use super::tags;
use crate::portrait::{Happened, Party, People, Period, Place, Staff, Totals, quantile, sums_by_area};
use crate::snapshot::{CoverageView, Moment};
use crate::steps::{DueState, Subject, Taken};
use crate::store::{Counting, Event, EventCount, EventQuery, Owned, Store};

/// Days of a period where none is said.
const USUAL_DAYS: i64 = 30;
/// The longest period.
const MOST_DAYS: i64 = 1100;
/// Events that are read one by one, for how long they took and where they repeat.
const MOST_READ: u64 = 200_000;
/// Open events whose limits are looked at.
const MOST_OPEN: usize = 20_000;
/// Events on one page of these.
const PAGE: usize = 2000;
/// So many events at one place in a period are a repetition.
const REPEATED: u64 = 3;
/// Repeated places that are told.
const MOST_PLACES: usize = 20;

/// Which period, and in which state of the boundaries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfPeriod {
    /// Events from this time or date on; 30 days before `to` if not said
    from: Option<String>,
    /// Events before this time or date; now if not said
    to: Option<String>,
    /// `now`: events of the ground as it is owned now; `then`: those that were filed under it
    owned: Option<String>,
    /// Of this coverage
    coverage: Option<String>,
    /// The boundaries that were in force then: a time, or a date
    at: Option<String>,
    /// The boundaries that this revision published
    rev: Option<u64>,
}

/// Which figure, of which level.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfLevel {
    /// The level
    level: String,
    /// `residents`, `households`, `buildings`, `workers`, `party_units`, `area_m2`, or of
    /// events `total`, `open`, `closed`, `closing_rate`, `overdue`, `per_1000_households`, `change`
    metric: String,
    /// Events from this time or date on; 30 days before `to` if not said
    from: Option<String>,
    /// Events before this time or date; now if not said
    to: Option<String>,
    /// `now`: events of the ground as it is owned now; `then`: those that were filed under it
    owned: Option<String>,
    /// Of this coverage
    coverage: Option<String>,
    /// The boundaries that were in force then: a time, or a date
    at: Option<String>,
    /// The boundaries that this revision published
    rev: Option<u64>,
}

fn bad(parameter: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(Code::BadParameter, detail.into()).with("parameter", parameter)
}

/// Reads `from=` and `to=`.
fn period(app: &App, from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Period, Problem> {
    let read = |name: &'static str, text: Option<&str>| {
        text.map(|text| Moment::parse_at(text, &app.zone).map_err(|e| bad(name, e.to_string()))).transpose()
    };
    let to = read("to", to)?.unwrap_or(now);
    let usual = || to.checked_sub(SignedDuration::from_hours(24 * USUAL_DAYS)).unwrap_or(Timestamp::MIN);
    let from = read("from", from)?.unwrap_or_else(usual);
    if from >= to {
        return Err(bad("from", format!("the period from {from} to {to} is empty")));
    }
    if to.duration_since(from) > SignedDuration::from_hours(24 * MOST_DAYS) {
        return Err(bad("from", format!("a period has {MOST_DAYS} days at most")));
    }
    Ok(Period { from, to })
}

fn owned(text: Option<&str>) -> Result<Owned, Problem> {
    match text {
        None | Some("now") => Ok(Owned::Now),
        Some("then") => Ok(Owned::Then),
        Some(other) => Err(bad("owned", format!("owned is now or then, not {other}"))),
    }
}

/// The name of an owner as clients write it.
const fn owned_name(owned: Owned) -> &'static str {
    match owned {
        Owned::Now => "now",
        Owned::Then => "then",
    }
}

fn answer(request: &HeaderMap, body: &Value, revision: u64) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body).map_err(Problem::internal)?;
    let mut answer = tags::answer(request, &tags::of(&body), "application/json", "no-cache", body);
    answer.headers_mut().insert(super::edge::REVISION, HeaderValue::from(revision));
    Ok(answer)
}

/// What there is to say of an area: its people, place, party units, workers and events.
#[utoipa::path(get, path = "/areas/{code}/portrait", tag = "portraits", params(("code" = String, Path), OfPeriod),
    responses((status = 200, description = "`{code, name, level, revision, from, to, people, place, party, workers, events, sources}`; \
        `events` is null where the service has no store", content_type = "application/json")))]
pub(super) async fn one(
    State(app): State<App>,
    reading: Reading,
    At(code): At<String>,
    Params(q): Params<OfPeriod>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let (period, owned) = (period(&app, q.from.as_deref(), q.to.as_deref(), now)?, owned(q.owned.as_deref())?);
    let reading = reading.at(&app, q.at.as_deref(), q.rev, None).await?;
    let view = reading.coverage(q.coverage.as_deref())?.clone();
    let snapshot = reading.snapshot.clone();
    let revision = snapshot.revision;
    let id = find(&view, &code)?;
    let coverage = snapshot.coverage_index(&view.name).unwrap_or_default();
    let groups = app.config.portraits.groups.clone();
    let (mut portrait, households) = {
        let view = view.clone();
        working(move || {
            let people = People::of(&snapshot, coverage, id, &groups);
            let households = people.households;
            let area = view.coverage.area(id);
            let level = area.and_then(|a| view.levels().get(usize::from(a.level.0))).cloned();
            let portrait = json!({
                "code": code, "name": area.map(|a| &*a.name), "level": level, "revision": revision, "coverage": view.name,
                "from": period.from.to_string(), "to": period.to.to_string(), "owned": owned_name(owned),
                "people": people,
                "place": Place::of(&snapshot, coverage, &view, id),
                "party": Party::of(&snapshot, coverage, &view, id),
                "workers": Staff::of(&snapshot, coverage, &view, id),
                "sources": snapshot.layers.iter().map(|(name, layer)| json!({ "layer": name, "features": layer.len() }))
                    .collect::<Vec<_>>(),
            });
            Ok((portrait, households))
        })
        .await?
    };
    portrait["events"] = match app.atlas.store() {
        Some(store) => events(&app, store, &view, id, (period, owned), households, now).await?,
        None => Value::Null,
    };
    answer(&request, &portrait, revision)
}

/// What happened in an area.
async fn events(
    app: &App,
    store: &Store,
    view: &Arc<CoverageView>,
    id: AreaId,
    (period, owned): (Period, Owned),
    households: i64,
    now: Timestamp,
) -> Result<Value, Problem> {
    let way = app.intake.way();
    let code = view.coverage.area(id).map(|area| area.code.to_string()).unwrap_or_default();
    let areas = store.areas_of_code(&view.name, &code).await?;
    let counting = Counting { coverage: &view.name, areas: &areas, owned, period: (period.from, period.to) };
    let mut counts: Vec<EventCount> = Vec::new();
    store.event_counts(&counting, |count| counts.push(count)).await?;
    let happened = Happened::of(&counts, period, &app.zone, |state| way.ends(state));
    let total = happened.totals.total;
    let mut told = serde_json::to_value(&happened).map_err(Problem::internal)?;
    let mut left_off: Vec<&str> = Vec::new();
    if total <= MOST_READ {
        let ends: Vec<&str> = way.states().map(|state| &**state).filter(|state| way.ends(state)).collect();
        let mut seconds = store.seconds_until(&counting, &ends).await?;
        seconds.sort_unstable_by(f64::total_cmp);
        told["median_close_s"] = json!(quantile(&seconds, 0.5));
        told["p90_close_s"] = json!(quantile(&seconds, 0.9));
        let repeated = store.repeated_places(&counting, REPEATED, MOST_PLACES).await?;
        let place = |r: &crate::store::Repeated| json!({ "building": r.building, "point": [r.place.lon(), r.place.lat()], "count": r.count });
        told["repeated"] = repeated.iter().map(place).collect();
    } else {
        left_off.extend(["median_close_s", "p90_close_s", "repeated"]);
    }
    let within = Some((view.name.to_string(), code));
    let mut due = [0u64; 2];
    let is_whole = each_open(app, store, (within, period, owned), now, |_, state| match state {
        DueState::Normal => {}
        DueState::Near => due[0] += 1,
        DueState::Late => due[1] += 1,
    })
    .await?;
    if is_whole {
        (told["near"], told["overdue"]) = (due[0].into(), due[1].into());
    } else {
        left_off.extend(["near", "overdue"]);
    }
    told["per_1000_households"] = json!((households > 0).then(|| rate(total, households as f64)));
    if let Some(before) = period.before() {
        let mut totals = Totals::default();
        let counting = Counting { period: (before.from, before.to), ..counting };
        store.event_counts(&counting, |count| totals.add(count.count, way.ends(&count.state))).await?;
        told["before"] = json!({
            "from": before.from.to_string(), "to": before.to.to_string(), "total": totals.total, "open": totals.open,
            "closed": totals.closed, "closing_rate": totals.closing_rate,
        });
        told["change"] = json!(change(total, totals.total));
    }
    if !left_off.is_empty() {
        told["left_off"] = json!(left_off);
    }
    Ok(told)
}

fn millionth(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Events for a thousand households.
fn rate(total: u64, households: f64) -> f64 {
    millionth(total as f64 * 1000.0 / households)
}

/// By which share of what was before there is more now.
fn change(now: u64, before: u64) -> Option<f64> {
    (before > 0).then(|| millionth((now as f64 - before as f64) / before as f64))
}

/// Looks at the limits of every open event; `false` where they are too many.
async fn each_open(
    app: &App,
    store: &Store,
    (within, period, owned): (Option<(String, String)>, Period, Owned),
    now: Timestamp,
    mut each: impl FnMut(&Event, DueState),
) -> Result<bool, Problem> {
    #[derive(Deserialize)]
    struct Content {
        urgency: Option<u8>,
    }
    let way = app.intake.way();
    let mut query = EventQuery {
        within,
        owned,
        from: Some(period.from),
        to: Some(period.to),
        is_open: Some(true),
        limit: PAGE,
        ..EventQuery::default()
    };
    for _ in 0..MOST_OPEN / PAGE {
        let Some(page) = store.events(&query).await? else { return Ok(true) };
        for event in &page.events {
            let first = Taken { state: way.first(), time: event.time };
            let later = event.steps.iter().map(|step| Taken { state: &step.to, time: step.time });
            let taken: Vec<Taken<'_>> = std::iter::once(first).chain(later).collect();
            let content: Result<Content, _> = serde_json::from_str(&event.content);
            let owner = event.owners.first().and_then(|owner| owner.chain().last()).map_or("", |link| &*link.code);
            let subject = Subject { kind: &event.kind, owner, urgency: content.ok().and_then(|c| c.urgency) };
            each(event, way.standing(&subject, &taken, now).state);
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// The figures that are of events.
const OF_EVENTS: [&str; 7] = ["total", "open", "closed", "closing_rate", "overdue", "per_1000_households", "change"];

/// One figure of every area of a level.
#[utoipa::path(get, path = "/portraits", tag = "portraits", params(OfLevel), responses((status = 200,
    description = "`{revision, coverage, level, metric, from, to, areas: [{code, name, value}]}` by code; `value` is null where \
        it can't be said", content_type = "application/json")))]
pub(super) async fn all(
    State(app): State<App>,
    reading: Reading,
    Params(q): Params<OfLevel>,
    request: HeaderMap,
) -> Result<Response, Problem> {
    let now = Timestamp::now();
    let (period, owned) = (period(&app, q.from.as_deref(), q.to.as_deref(), now)?, owned(q.owned.as_deref())?);
    let reading = reading.at(&app, q.at.as_deref(), q.rev, None).await?;
    let view = reading.coverage(q.coverage.as_deref())?.clone();
    let snapshot = reading.snapshot.clone();
    let revision = snapshot.revision;
    let level = view.coverage.level(&q.level).ok_or_else(|| {
        let known: Vec<_> = view.levels().iter().map(ToString::to_string).collect();
        Problem::new(Code::UnknownLevel, format!("there is no level {}; there are {}", q.level, known.join(", ")))
            .with("known", known)
    })?;
    let coverage = snapshot.coverage_index(&view.name).unwrap_or_default();
    let standing = {
        let metric = if q.metric == "per_1000_households" { "households".to_owned() } else { q.metric.clone() };
        let view = view.clone();
        working(move || Ok(sums_by_area(&snapshot, coverage, &view, level, &metric))).await?
    };
    let values: FxHashMap<AreaId, Option<f64>> = if OF_EVENTS.contains(&q.metric.as_str()) {
        let households = standing.unwrap_or_default();
        of_events(&app, &view, level, &q.metric, (period, owned), &households, now).await?
    } else {
        let sums = standing.ok_or_else(|| bad("metric", format!("there is no metric {}", q.metric)))?;
        let all = view.coverage.areas().filter(|(_, area)| area.level == level);
        all.map(|(id, _)| (id, Some(sums.get(&id).copied().unwrap_or_default()))).collect()
    };
    let mut areas: BTreeMap<&str, Value> = BTreeMap::new();
    for (id, area) in view.coverage.areas().filter(|(_, area)| area.level == level) {
        let value = values.get(&id).copied().flatten();
        areas.insert(&area.code, json!({ "code": area.code, "name": area.name, "value": value }));
    }
    let body = json!({
        "revision": revision, "coverage": view.name, "level": q.level, "metric": q.metric,
        "from": period.from.to_string(), "to": period.to.to_string(), "owned": owned_name(owned),
        "areas": areas.into_values().collect::<Vec<_>>(),
    });
    answer(&request, &body, revision)
}

/// A figure of events for every area of a level.
async fn of_events(
    app: &App,
    view: &Arc<CoverageView>,
    level: Level,
    metric: &str,
    (period, owned): (Period, Owned),
    households: &FxHashMap<AreaId, f64>,
    now: Timestamp,
) -> Result<FxHashMap<AreaId, Option<f64>>, Problem> {
    let (store, way) = (app.store()?, app.intake.way());
    let areas: Vec<AreaId> = view.coverage.areas().filter(|(_, a)| a.level == level).map(|(id, _)| id).collect();
    if metric == "overdue" {
        let mut late: FxHashMap<AreaId, f64> = areas.iter().map(|id| (*id, 0.0)).collect();
        let is_whole = each_open(app, store, (None, period, owned), now, |event, state| {
            let owner = event.owners.iter().find(|owner| owner.coverage == view.name);
            let chain = owner.map_or(&[][..], |o| if owned == Owned::Then { &o.filed } else { o.chain() });
            let here =
                chain.iter().find_map(|link| view.coverage.area_by_code(&link.code).filter(|id| late.contains_key(id)));
            if let Some(sum) = here.filter(|_| state == DueState::Late).and_then(|id| late.get_mut(&id)) {
                *sum += 1.0;
            }
        })
        .await?;
        return Ok(late.into_iter().map(|(id, n)| (id, is_whole.then_some(n))).collect());
    }
    let totals = async |period: Period| {
        let counting = Counting { coverage: &view.name, areas: &areas, owned, period: (period.from, period.to) };
        let mut totals: FxHashMap<AreaId, Totals> = areas.iter().map(|id| (*id, Totals::default())).collect();
        let add = |count: EventCount| {
            if let Some(of_area) = totals.get_mut(&count.area) {
                of_area.add(count.count, way.ends(&count.state));
            }
        };
        store.event_counts(&counting, add).await?;
        Ok::<_, Problem>(totals)
    };
    let present = totals(period).await?;
    let before = match period.before().filter(|_| metric == "change") {
        Some(before) => totals(before).await?,
        None => FxHashMap::default(),
    };
    let value = |id: &AreaId, totals: &Totals| match metric {
        "open" => Some(totals.open as f64),
        "closed" => Some(totals.closed as f64),
        "closing_rate" => totals.closing_rate,
        "per_1000_households" => households.get(id).filter(|n| **n > 0.0).map(|n| rate(totals.total, *n)),
        "change" => before.get(id).and_then(|before| change(totals.total, before.total)),
        _ => Some(totals.total as f64),
    };
    Ok(present.iter().map(|(id, totals)| (*id, value(id, totals))).collect())
}
