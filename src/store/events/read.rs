//! Events as they are answered: with owners by code and name, steps and rulings.

use std::sync::Arc;

use boundaries::{AreaId, Point};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::super::sql::{Arg, Row, Tx};
use super::super::{Error, Store};
use super::chain_of;

/// An event as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// In the order of arrival.
    pub number: u64,
    /// Who reported it.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// What kind of thing it is.
    pub kind: String,
    /// The state it is in.
    pub state: String,
    /// Whether there is anything left to do.
    pub is_open: bool,
    /// Where it lies.
    pub place: Option<Point>,
    /// How exact that is, in metres.
    pub accuracy_m: Option<f64>,
    /// How the place was found: `point`, `building`, `area` or `none`.
    pub placed_by: String,
    /// The building that it lies in.
    pub building: Option<String>,
    /// The party units concerned.
    pub party_units: Vec<String>,
    /// Who has it in hand.
    pub worker: Option<String>,
    /// What else was sent, as a JSON object.
    pub content: String,
    /// When it came.
    pub received: Timestamp,
    /// Its owners, in the order of the coverages.
    pub owners: Vec<EventOwner>,
    /// What was done, in order.
    pub steps: Vec<EventStep>,
    /// What was decided on place and owner, in order.
    pub rulings: Vec<EventRuling>,
    /// How many steps it has, whether they were read or not.
    pub(super) step_count: i64,
    /// How many rulings it has.
    pub(super) ruling_count: i64,
}

/// An area of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLink {
    /// The name of its level.
    pub level: Arc<str>,
    /// Its code.
    pub code: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// Who owns an event in one coverage.
#[derive(Clone, Debug, PartialEq)]
pub struct EventOwner {
    /// The coverage.
    pub coverage: Arc<str>,
    /// The revision in force at the event's time.
    pub revision: u64,
    /// The chain then, topmost first; empty outside.
    pub filed: Vec<EventLink>,
    /// The chain as it is now, where that is another.
    pub present: Option<Vec<EventLink>>,
    /// Whether it was decided.
    pub is_settled: bool,
    /// What else was said of the place when it came, as a JSON object.
    pub told: Option<String>,
}

impl EventOwner {
    /// The chain that holds now.
    #[must_use]
    pub fn chain(&self) -> &[EventLink] {
        self.present.as_deref().unwrap_or(&self.filed)
    }
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventStep {
    /// Its place among the steps, from 1.
    pub seq: u64,
    /// When.
    pub time: Timestamp,
    /// The state before.
    pub from: String,
    /// The state after.
    pub to: String,
    /// Who did it.
    pub actor: String,
    /// What they say.
    pub note: String,
    /// Who got it in hand.
    pub worker: Option<String>,
}

/// Something that was decided on an event's place or owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRuling {
    /// `place`, `owner` or `redraw`.
    pub kind: String,
    /// When it was written down.
    pub time: Timestamp,
    /// The coverage that it is about, where it is about one.
    pub coverage: Option<String>,
    /// The code of the owner before.
    pub from: Option<String>,
    /// The code of the owner after.
    pub to: Option<String>,
    /// The place before, where a pin was moved.
    pub place: Option<Point>,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub actor: String,
}

impl Store {
    /// The events of an id, with everything: one for each source that gave it.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn events_of_id(&self, id: &str, source: Option<&str>) -> Result<Vec<Event>, Error> {
        let mut tx = self.reading().await?;
        let args = vec![id.into(), Arg::Text(source.map(str::to_owned))];
        let wanted = "where i.id = $1 and (cast($2 as text) is null or i.source = $2) order by i.source limit 100";
        let mut events = entries(&mut tx, &format!("{BY_IDENTITY} {wanted}"), args).await?;
        complete(&mut tx, &mut events).await?;
        Ok(events)
    }
}

const COLUMNS: &str = "e.number, e.source, e.id, e.time_us, e.type, e.state, e.is_open, e.x, e.y, e.accuracy_m, \
                       e.placed_by, e.building, e.party_units, e.worker, e.content, e.received_us, e.steps, e.rulings";

pub(in super::super) fn time(us: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(us).map_err(|_| Error::Damaged(format!("{us} is no time of an event")))
}

/// The place in two columns.
pub(super) fn place(row: &Row<'_>, column: usize) -> Result<Option<Point>, Error> {
    let unit = |at| row.maybe_int(at).map(|unit| unit.map(i32::try_from));
    match (unit(column)?, unit(column + 1)?) {
        (None, None) => Ok(None),
        (Some(Ok(x)), Some(Ok(y))) => Ok(Some(Point::new(x, y))),
        _ => Err(Error::Damaged("a place of an event is off the lattice".into())),
    }
}

/// By what is the same over all months, `i`: it tells the month that `e` is in.
pub(super) const BY_IDENTITY: &str = "join event_identity i on i.number = e.number and i.time_us = e.time_us";

/// Events without owners, steps and rulings; `e` is the table of them.
pub(super) async fn entries(tx: &mut Tx, condition: &str, args: Vec<Arg>) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    tx.each(format!("select {COLUMNS} from event_entry e {condition}"), args, |row| {
        events.push(entry(&row)?);
        Ok(())
    })
    .await?;
    Ok(events)
}

pub(super) fn entry(row: &Row<'_>) -> Result<Event, Error> {
    let units = row.maybe_str(12)?.map(serde_json::from_str).transpose();
    Ok(Event {
        number: row.int(0)? as u64,
        source: row.text(1)?,
        id: row.text(2)?,
        time: time(row.int(3)?)?,
        kind: row.text(4)?,
        state: row.text(5)?,
        is_open: row.int(6)? != 0,
        place: place(row, 7)?,
        accuracy_m: row.maybe_real(9)?,
        placed_by: row.text(10)?,
        building: row.maybe_text(11)?,
        party_units: units
            .map_err(|_| Error::Damaged("party units of an event are no JSON".into()))?
            .unwrap_or_default(),
        worker: row.maybe_text(13)?,
        content: row.text(14)?,
        received: time(row.int(15)?)?,
        step_count: row.int(16)?,
        ruling_count: row.int(17)?,
        owners: Vec::new(),
        steps: Vec::new(),
        rulings: Vec::new(),
    })
}

/// Adds owners, steps and rulings.
pub(super) async fn complete(tx: &mut Tx, events: &mut [Event]) -> Result<(), Error> {
    let places: FxHashMap<u64, usize> = events.iter().enumerate().map(|(i, e)| (e.number, i)).collect();
    let numbers: Vec<u64> = events.iter().map(|e| e.number).collect();
    let mut owners: Vec<(u64, Raw)> = Vec::new();
    for some in numbers.chunks(500) {
        let list: Vec<String> = (1..=some.len()).map(|i| format!("${i}")).collect();
        let list = list.join(", ");
        let args: Vec<Arg> = some.iter().map(|n| Arg::from(*n)).collect();
        let sql = format!(
            "select o.event, c.name, o.revision, o.filed, o.present, o.settled, o.told, c.derived_revision \
             from event_owner o join coverage c on c.position = o.coverage where o.event in ({list}) order by o.event, c.position"
        );
        for row in tx.rows(sql, args.clone()).await? {
            let raw = Raw {
                coverage: row.str(1)?.into(),
                revision: row.int(2)? as u64,
                filed: chain_of(row.str(3)?)?,
                present: row.maybe_str(4)?.map(chain_of).transpose()?,
                is_settled: row.int(5)? != 0,
                told: row.maybe_text(6)?,
                derived: row.int(7)? as u64,
            };
            owners.push((row.int(0)? as u64, raw));
        }
        let sql = format!(
            "select event, seq, time_us, from_state, to_state, actor, note, worker from event_step \
             where event in ({list}) order by event, seq"
        );
        for row in tx.rows(sql, args.clone()).await? {
            let Some(at) = places.get(&(row.int(0)? as u64)) else { continue };
            events[*at].steps.push(EventStep {
                seq: row.int(1)? as u64,
                time: time(row.int(2)?)?,
                from: row.text(3)?,
                to: row.text(4)?,
                actor: row.text(5)?,
                note: row.text(6)?,
                worker: row.maybe_text(7)?,
            });
        }
        let sql = format!(
            "select event, kind, recorded_us, coverage, from_code, to_code, x, y, reason, actor from event_ruling \
             where event in ({list}) order by event, seq"
        );
        for row in tx.rows(sql, args).await? {
            let Some(at) = places.get(&(row.int(0)? as u64)) else { continue };
            events[*at].rulings.push(EventRuling {
                kind: row.text(1)?,
                time: time(row.int(2)?)?,
                coverage: row.maybe_text(3)?,
                from: row.maybe_text(4)?,
                to: row.maybe_text(5)?,
                place: place(&row, 6)?,
                reason: row.text(8)?,
                actor: row.text(9)?,
            });
        }
    }
    let links = links(tx, &owners).await?;
    for (number, raw) in owners {
        let Some(at) = places.get(&number) else { continue };
        let named = |revision: u64, chain: &[AreaId]| -> Vec<EventLink> {
            chain.iter().filter_map(|id| links.get(&(raw.coverage.clone(), revision, *id)).cloned()).collect()
        };
        let owner = EventOwner {
            filed: named(raw.revision, &raw.filed),
            present: raw.present.as_ref().map(|chain| named(raw.derived, chain)),
            coverage: raw.coverage.clone(),
            revision: raw.revision,
            is_settled: raw.is_settled,
            told: raw.told.clone(),
        };
        events[*at].owners.push(owner);
    }
    Ok(())
}

struct Raw {
    coverage: Arc<str>,
    revision: u64,
    filed: Vec<AreaId>,
    present: Option<Vec<AreaId>>,
    is_settled: bool,
    told: Option<String>,
    derived: u64,
}

type Links = FxHashMap<(Arc<str>, u64, AreaId), EventLink>;

/// What the areas of the chains were called in their revisions.
async fn links(tx: &mut Tx, owners: &[(u64, Raw)]) -> Result<Links, Error> {
    let mut wanted: Vec<(Arc<str>, u64, AreaId)> = Vec::new();
    for (_, raw) in owners {
        wanted.extend(raw.filed.iter().map(|id| (raw.coverage.clone(), raw.revision, *id)));
        wanted.extend(raw.present.iter().flatten().map(|id| (raw.coverage.clone(), raw.derived, *id)));
    }
    wanted.sort_unstable();
    wanted.dedup();
    let mut links = Links::default();
    for of_revision in wanted.chunk_by(|a, b| (&a.0, a.1) == (&b.0, b.1)) {
        let (coverage, revision, _) = &of_revision[0];
        let row = tx.row("select levels from revision where number = $1", vec![(*revision).into()]).await?;
        let levels = row.map(|row| row.text(0)).transpose()?.unwrap_or_default();
        let levels: Vec<Arc<str>> =
            serde_json::from_str(&levels).map_err(|_| Error::Damaged(format!("revision {revision} has no levels")))?;
        for some in of_revision.chunks(500) {
            let list: Vec<String> = (3..some.len() + 3).map(|i| format!("${i}")).collect();
            let sql = format!(
                "select id, level, code, name from area where coverage = $1 and id in ({}) \
                 and from_revision <= $2 and (to_revision is null or to_revision > $2)",
                list.join(", ")
            );
            let mut args = vec![Arg::from(&**coverage), (*revision).into()];
            args.extend(some.iter().map(|(.., id)| Arg::from(id.0)));
            for row in tx.rows(sql, args).await? {
                let level = usize::try_from(row.int(1)?).ok().and_then(|i| levels.get(i).cloned());
                let link = EventLink {
                    level: level.unwrap_or_else(|| "".into()),
                    code: row.str(2)?.into(),
                    name: row.str(3)?.into(),
                };
                links.insert((coverage.clone(), *revision, AreaId(row.id(0)?)), link);
            }
        }
    }
    Ok(links)
}
