//! Filing: many events in one transaction, each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{AreaId, Point};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;

use super::super::features::is_present;
use super::super::layers::{self, LayerInfo, Record};
use super::super::sql::{Arg, Tx};
use super::super::{Error, Store, blob, derive, log_change, names, revisions};
use super::happened::{What, log_happened};
use super::{EVENT_LAYER, NewEvent, bases, cell, chain_text, counts, feature_id};
use crate::feature::Geometry;
use crate::snapshot::{CoverageView, Field, Kind, Snapshot};

/// What became of an event that was to be filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filed {
    /// It is kept, under this number.
    Accepted(u64),
    /// It had been filed before, with the same content.
    Duplicate(u64),
    /// Another content had been filed under its id.
    Conflict(u64),
}

/// The fields of the layer, in the order of [`values`].
const FIELDS: [&str; 6] = ["source", "type", "state", "time", "description", "worker"];
/// So many features that are new are logged one by one, so that they can be followed.
const LOGGED_ONE_BY_ONE: usize = 256;
/// Characters of a description that maps show.
const SHOWN: usize = 100;

/// A feature of the layer: an event that is open and has a place.
pub(super) struct Shown<'a> {
    pub(super) number: u64,
    pub(super) source: &'a str,
    pub(super) id: &'a str,
    pub(super) kind: &'a str,
    pub(super) state: &'a str,
    pub(super) time: Timestamp,
    pub(super) description: Option<&'a str>,
    pub(super) worker: Option<&'a str>,
    pub(super) place: Point,
}

impl Store {
    /// Files events that were judged by the coverages of a snapshot, all of them or none; what
    /// is answered of each is in their order. `None` where others are in force: nothing was
    /// written, and they are to be judged again.
    ///
    /// # Errors
    ///
    /// Where the database can't be written; nothing was.
    pub async fn file_events(&self, events: &[NewEvent], snapshot: &Snapshot) -> Result<Option<Vec<Filed>>, Error> {
        let mut tx = self.writing().await?;
        let now = Timestamp::now();
        derive::settle(&mut tx, now, None).await?;
        if !is_present(&mut tx, snapshot).await? {
            return Ok(None);
        }
        let mut known = known(&mut tx, events).await?;
        let mut layer = layer(&mut tx).await?;
        let row = tx.row("select coalesce(max(number), 0) + 1 from event_identity", vec![]).await?;
        let next = row.map(|row| row.int(0)).transpose()?.unwrap_or(1) as u64;
        let mut next = next.max(layer.next_number.into());
        let mut filed = Vec::with_capacity(events.len());
        let mut new: Vec<(u64, usize)> = Vec::new();
        for (i, event) in events.iter().enumerate() {
            let of_source = known.entry(event.source.clone()).or_default();
            match of_source.get(&event.id) {
                Some((number, digest)) if *digest == event.digest => filed.push(Filed::Duplicate(*number)),
                Some((number, _)) => filed.push(Filed::Conflict(*number)),
                None => {
                    of_source.insert(event.id.clone(), (next, event.digest.clone()));
                    filed.push(Filed::Accepted(next));
                    new.push((next, i));
                    next += 1;
                }
            }
        }
        if new.is_empty() {
            return Ok(Some(filed));
        }
        make_months(&mut tx, new.iter().map(|(_, i)| events[*i].time)).await?;
        write_entries(&mut tx, events, &new, now).await?;
        write_owners(&mut tx, events, &new).await?;
        let steps = new.iter().flat_map(|(number, i)| {
            events[*i].steps.iter().enumerate().map(|(seq, step)| step.row(*number, seq as i64 + 1, now))
        });
        let steps: Vec<Vec<Arg>> = steps.collect();
        tx.insert_many("event_step", &super::steps::COLUMNS, steps).await?;
        log_happened(&mut tx, now, new.iter().map(|(number, _)| (*number, What::Filed))).await?;

        let mut shown = Vec::new();
        for (number, i) in &new {
            let event = &events[*i];
            let Some(place) = event.place.filter(|_| event.is_open) else { continue };
            shown.push(Shown {
                number: *number,
                source: &event.source,
                id: &event.id,
                kind: &event.kind,
                state: &event.state,
                time: event.time,
                description: event.description.as_deref(),
                worker: event.worker.as_deref(),
                place,
            });
        }
        show(&mut tx, &mut layer, &shown, &snapshot.coverages).await?;
        let sql = "update layer set next_number = $2 where name = $1";
        tx.run(sql, vec![EVENT_LAYER.into(), next.into()]).await?;
        log(&mut tx, now, shown.iter().map(|s| feature_id(s.source, s.id)).collect()).await?;
        tx.commit().await?;
        Ok(Some(filed))
    }
}

/// The layer of open events; made where there is none.
pub(super) async fn layer(tx: &mut Tx) -> Result<LayerInfo, Error> {
    let fields = FIELDS.map(|name| Field { name: name.into(), kind: Kind::Text });
    let mut layer = match layers::layer(tx, EVENT_LAYER).await? {
        Some(layer) => layer,
        None => {
            let coverages = revisions::coverages(tx).await?;
            layers::create(tx, EVENT_LAYER, &fields, &coverages).await?
        }
    };
    layers::add_fields(tx, &mut layer, &fields).await?;
    Ok(layer)
}

/// Says in the log that some features of the layer are others now.
pub(super) async fn log(tx: &mut Tx, now: Timestamp, ids: Vec<String>) -> Result<(), Error> {
    if ids.len() > LOGGED_ONE_BY_ONE {
        return log_change(tx, now, None, Some(EVENT_LAYER), None).await.map(drop);
    }
    for id in ids {
        log_change(tx, now, None, Some(EVENT_LAYER), Some(&id)).await?;
    }
    Ok(())
}

/// Puts features into the layer, in the place of those with their ids. As in every layer
/// their owner is that of the ground.
pub(super) async fn show(
    tx: &mut Tx,
    layer: &mut LayerInfo,
    shown: &[Shown<'_>],
    views: &[Arc<CoverageView>],
) -> Result<(), Error> {
    hide(tx, layer, shown.iter().map(|s| feature_id(s.source, s.id)).collect()).await?;
    let mut columns = vec!["id".to_owned()];
    let places: Vec<usize> =
        FIELDS.iter().filter_map(|name| layer.fields.iter().position(|f| &*f.name == *name)).collect();
    columns.extend(places.iter().map(|place| layer.columns[*place].clone()));
    // A point has no shares.
    columns.extend(views.iter().map(|view| names::owner_columns(&view.name)[0].clone()));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let records = shown.iter().map(|s| {
        let time = s.time.to_string();
        let description = s.description.map(|text| text.chars().take(SHOWN).collect::<String>());
        let texts = [Some(s.source), Some(s.kind), Some(s.state), Some(&*time), description.as_deref(), s.worker];
        let mut values = vec![Arg::from(feature_id(s.source, s.id).as_str())];
        values.extend(texts.into_iter().map(|text| Arg::Text(text.map(str::to_owned))));
        values.extend(views.iter().map(|view| {
            let owner = view.locator.owner_at(s.place).and_then(|id| view.coverage.area(id));
            Arg::Text(owner.map(|area| area.code.to_string()))
        }));
        let number = u32::try_from(s.number).unwrap_or(u32::MAX);
        Record { number, geometry: Geometry::Point(s.place), values }
    });
    let records: Vec<Record> = records.collect();
    layers::insert(tx, &layer.table, &columns, blob::Parts::AsTheyAre, records).await
}

/// Takes features out of the layer by their ids.
pub(super) async fn hide(tx: &mut Tx, layer: &LayerInfo, ids: Vec<String>) -> Result<(), Error> {
    let mut numbers = Vec::new();
    for ids in ids.chunks(500) {
        let table = super::super::sql::quoted(&layer.table);
        let sql = format!("select fid from {table} where id in ({})", tx.places(1, ids.len()));
        for row in tx.rows(sql, ids.iter().map(|id| Arg::from(id.as_str())).collect()).await? {
            numbers.push(row.int(0)?);
        }
    }
    layers::delete(tx, &layer.table, &numbers).await
}

/// Number and digest of events by their source and their id.
type Known = FxHashMap<String, FxHashMap<String, (u64, String)>>;

/// Which of the events were filed before.
async fn known(tx: &mut Tx, events: &[NewEvent]) -> Result<Known, Error> {
    let mut by_source: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for event in events {
        by_source.entry(&event.source).or_default().push(&event.id);
    }
    let mut known = Known::default();
    for (source, ids) in by_source {
        let known = known.entry(source.to_owned()).or_default();
        for ids in ids.chunks(500) {
            let (of, places) = (tx.places(1, 1), tx.places(2, ids.len()));
            let sql = format!("select id, number, digest from event_identity where source = {of} and id in ({places})");
            let mut args = vec![Arg::from(source)];
            args.extend(ids.iter().map(|id| Arg::from(*id)));
            for row in tx.rows(sql, args).await? {
                known.insert(row.text(0)?, (row.int(1)? as u64, row.text(2)?));
            }
        }
    }
    Ok(known)
}

const ENTRY: [&str; 20] = [
    "number",
    "source",
    "id",
    "time_us",
    "type",
    "state",
    "is_open",
    "x",
    "y",
    "cell",
    "accuracy_m",
    "placed_by",
    "building",
    "party_units",
    "worker",
    "content",
    "received_us",
    "steps",
    "rulings",
    "digest",
];
const IDENTITY: [&str; 5] = ["number", "id", "source", "digest", "time_us"];

/// Makes room for the months that are not there yet, where events are kept by the month.
async fn make_months(tx: &mut Tx, times: impl Iterator<Item = Timestamp>) -> Result<(), Error> {
    if !tx.is_postgis() {
        return Ok(());
    }
    let month = |time: Timestamp| (TimeZone::UTC.to_datetime(time).date().first_of_month(), time.as_microsecond());
    for us in times.map(month).collect::<BTreeMap<_, _>>().into_values() {
        tx.run("select event_month_make($1)", vec![us.into()]).await?;
    }
    Ok(())
}

async fn write_entries(tx: &mut Tx, events: &[NewEvent], new: &[(u64, usize)], now: Timestamp) -> Result<(), Error> {
    let text = |text: &Option<String>| Arg::Text(text.clone());
    let row = |(number, i): &(u64, usize)| {
        let e = &events[*i];
        let units = (!e.party_units.is_empty()).then(|| serde_json::Value::from(e.party_units.clone()).to_string());
        vec![
            (*number).into(),
            e.source.as_str().into(),
            e.id.as_str().into(),
            e.time.as_microsecond().into(),
            e.kind.as_str().into(),
            e.state.as_str().into(),
            i64::from(e.is_open).into(),
            Arg::Int(e.place.map(|p| p.x.into())),
            Arg::Int(e.place.map(|p| p.y.into())),
            Arg::Int(e.place.map(cell)),
            Arg::Real(e.accuracy_m),
            e.placed_by.into(),
            text(&e.building),
            Arg::Text(units),
            text(&e.worker),
            e.content.as_str().into(),
            now.as_microsecond().into(),
            (e.steps.len() as i64).into(),
            0i64.into(),
            e.digest.as_str().into(),
        ]
    };
    if !tx.is_postgis() {
        return tx.insert_many("event_entry", &ENTRY, new.iter().map(row).collect::<Vec<_>>()).await;
    }
    // The digest stands beside what is unique.
    let columns = &ENTRY[..ENTRY.len() - 1];
    let rows = new.iter().map(row).map(|mut row| {
        row.truncate(columns.len());
        row
    });
    tx.insert_many("event_entry", columns, rows.collect::<Vec<_>>()).await?;
    let identity = |(number, i): &(u64, usize)| {
        let e = &events[*i];
        let texts = [&e.id, &e.source, &e.digest].map(|text| Arg::from(text.as_str()));
        let mut row = vec![Arg::from(*number)];
        row.extend(texts.into_iter().chain([e.time.as_microsecond().into()]));
        row
    };
    tx.insert_many("event_identity", &IDENTITY, new.iter().map(identity).collect::<Vec<_>>()).await
}

async fn write_owners(tx: &mut Tx, events: &[NewEvent], new: &[(u64, usize)]) -> Result<(), Error> {
    let positions = positions(tx).await?;
    let (mut owners, mut areas) = (Vec::new(), Vec::new());
    for (number, i) in new {
        let event = &events[*i];
        for owner in &event.owners {
            let Some(position) = positions.get(&*owner.coverage) else { continue };
            owners.push(owner_row(
                *number,
                *position,
                owner.revision,
                &owner.filed,
                &owner.present,
                owner.is_settled,
                owner.told.clone(),
            ));
            areas.extend(area_rows(*number, *position, event.time.as_microsecond(), &owner.filed, &owner.present));
        }
    }
    // Neighbours in the index go in one after the other.
    areas.sort_unstable_by_key(|key| *key);
    tx.insert_many("event_owner", &OWNER, owners).await?;
    put_areas(tx, &areas).await
}

pub(super) const OWNER: [&str; 7] = ["event", "coverage", "revision", "filed", "present", "settled", "told"];

pub(super) fn owner_row(
    number: u64,
    position: i64,
    revision: u64,
    filed: &[AreaId],
    present: &[AreaId],
    is_settled: bool,
    told: Option<String>,
) -> Vec<Arg> {
    vec![
        number.into(),
        position.into(),
        revision.into(),
        chain_text(filed).as_str().into(),
        Arg::Text((filed != present).then(|| chain_text(present))),
        i64::from(is_settled).into(),
        Arg::Text(told),
    ]
}

/// A row of the index: coverage, area, time, event, basis.
pub(super) type AreaRow = [i64; 5];

pub(super) fn area_rows(
    number: u64,
    position: i64,
    time_us: i64,
    filed: &[AreaId],
    present: &[AreaId],
) -> impl Iterator<Item = AreaRow> + use<> {
    let bases = bases(filed, present);
    bases.into_iter().map(move |(area, basis)| [position, area.0.into(), time_us, number as i64, basis])
}

pub(super) async fn put_areas(tx: &mut Tx, rows: &[AreaRow]) -> Result<(), Error> {
    let columns = ["coverage", "area", "time_us", "event", "basis"];
    let values: Vec<Vec<Arg>> = rows.iter().map(|row| row.map(Arg::from).into()).collect();
    tx.insert_many("event_area", &columns, values).await?;
    counts::count(tx, rows, 1).await
}

/// The position of each coverage.
pub(super) async fn positions(tx: &mut Tx) -> Result<FxHashMap<String, i64>, Error> {
    let rows = tx.rows("select name, position from coverage", vec![]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
}
