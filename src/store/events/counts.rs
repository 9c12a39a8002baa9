//! Counts of events by area, hour, type, state and source, kept by increments.
//!
//! ```text
//!   event_area  (an event, an area)  +1 −1 ─┐
//!                                           ├─▶ event_count (area, hour, type, state, source)
//!   event_entry (its state)          −1 +1 ─┘       filed │ present
//! ```
//!
//! Invariant: in every committed state the counts are those that counting the events anew
//! gives; [`check`] does, and no row counts nothing. A period that begins or ends within an
//! hour is exact: what of it is no whole hour is counted from the events.

use boundaries::AreaId;
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::super::sql::{Arg, Row, Tx};
use super::super::{CheckReport, Error, Store};
use super::chain_of;
use super::page::{Owned, whole_us};
use super::read::BY_IDENTITY;
use super::write::{AreaRow, area_rows, positions};

const HOUR_US: i64 = 3_600_000_000;
/// Areas that are asked for in one statement.
const AREAS_AT_ONCE: usize = 500;
/// Rows that are counted up in one statement.
const ROWS_AT_ONCE: usize = 200;

/// Events of one kind, in one area and one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventCount {
    /// The area.
    pub area: AreaId,
    /// The beginning of the hour, in hours since 1970.
    pub hour: i64,
    /// Their type.
    pub kind: String,
    /// The state they are in.
    pub state: String,
    /// Who reported them.
    pub source: String,
    /// How many.
    pub count: u64,
}

/// How many times a place was reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// The building, where events lie in one.
    pub building: Option<String>,
    /// The place of the first of them, in 1e-7 degree.
    pub place: boundaries::Point,
    /// How many events.
    pub count: u64,
}

/// Which events a portrait is of.
#[derive(Clone, Copy, Debug)]
pub struct Counting<'a> {
    /// The coverage.
    pub coverage: &'a str,
    /// The areas.
    pub areas: &'a [AreaId],
    /// By which owner.
    pub owned: Owned,
    /// From, and up to but without.
    pub period: (Timestamp, Timestamp),
}

/// The column of event_count, and the bases of event_area, by which an owner is meant.
const fn column(owned: Owned) -> (&'static str, &'static str) {
    match owned {
        Owned::Then => ("filed", "(1, 3)"),
        Owned::Now => ("present", "(2, 3)"),
    }
}

/// Counts rows of the index up (1) or down (-1), with what their events are now.
pub(super) async fn count(tx: &mut Tx, rows: &[AreaRow], sign: i64) -> Result<(), Error> {
    let mut numbers: Vec<i64> = rows.iter().map(|row| row[3]).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut kinds: FxHashMap<[String; 3], usize> = FxHashMap::default();
    let mut of_event: FxHashMap<i64, usize> = FxHashMap::default();
    for some in numbers.chunks(500) {
        let places = tx.places(1, some.len());
        let sql = format!(
            "select e.number, e.type, e.state, e.source from event_entry e {BY_IDENTITY} where i.number in ({places})"
        );
        for row in tx.rows(sql, some.iter().map(|n| Arg::from(*n)).collect()).await? {
            let kind = [row.text(1)?, row.text(2)?, row.text(3)?];
            let next = kinds.len();
            of_event.insert(row.int(0)?, *kinds.entry(kind).or_insert(next));
        }
    }
    let mut names: Vec<&[String; 3]> = kinds.keys().collect();
    names.sort_unstable_by_key(|name| kinds[*name]);
    let mut sums: FxHashMap<(i64, i64, i64, usize), [i64; 2]> = FxHashMap::default();
    for [coverage, area, time_us, event, basis] in rows {
        let unknown = || Error::Damaged(format!("event {event} has owners and no entry"));
        let kind = *of_event.get(event).ok_or_else(unknown)?;
        let sum = sums.entry((*coverage, *area, time_us.div_euclid(HOUR_US), kind)).or_default();
        sum[0] += sign * (basis & 1);
        sum[1] += sign * (basis >> 1);
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_unstable();
    let key = |(coverage, area, hour, kind): (i64, i64, i64, usize)| {
        let mut key = vec![Arg::from(coverage), area.into(), hour.into()];
        key.extend(names[kind].iter().map(|text| Arg::from(text.as_str())));
        key
    };
    for some in sums.chunks(ROWS_AT_ONCE) {
        let values: Vec<String> = (0..some.len()).map(|n| format!("({})", tx.places(n * 8 + 1, 8))).collect();
        let sql = format!(
            "insert into event_count (coverage, area, hour, type, state, source, filed, present) values {} \
             on conflict (coverage, area, hour, type, state, source) do update set \
             filed = event_count.filed + excluded.filed, present = event_count.present + excluded.present",
            values.join(", ")
        );
        let args = some.iter().flat_map(|(of, sum)| key(*of).into_iter().chain(sum.map(Arg::from)));
        tx.run(sql, args.collect()).await?;
    }
    if sign < 0 {
        for (of, _) in &sums {
            let sql = "delete from event_count where coverage = $1 and area = $2 and hour = $3 and type = $4 \
                       and state = $5 and source = $6 and filed = 0 and present = 0";
            tx.run(sql, key(*of)).await?;
        }
    }
    Ok(())
}

/// The rows of the index that an event has.
pub(super) async fn rows_of(tx: &mut Tx, event: u64, time: Timestamp) -> Result<Vec<AreaRow>, Error> {
    let sql = "select coverage, filed, present from event_owner where event = $1";
    let mut rows = Vec::new();
    for row in tx.rows(sql, vec![event.into()]).await? {
        let filed = chain_of(&row.text(1)?)?;
        let present = row.maybe_text(2)?.map(|text| chain_of(&text)).transpose()?;
        let present = present.as_ref().unwrap_or(&filed);
        rows.extend(area_rows(event, row.int(0)?, time.as_microsecond(), &filed, present));
    }
    Ok(rows)
}

/// Compares the counts with the events.
pub(in super::super) async fn check(tx: &mut Tx, report: &mut CheckReport) -> Result<(), Error> {
    let counted = "select * from (select a.coverage, a.area, (e.time_us - ((e.time_us % 3600000000) + 3600000000) % 3600000000) / 3600000000 \
                   as hour, e.type, e.state, e.source, cast(sum(a.basis % 2) as bigint) as filed, \
                   cast(sum(a.basis / 2) as bigint) as present from event_area a join event_entry e on e.number = a.event and e.time_us = a.time_us \
                   group by 1, 2, 3, 4, 5, 6) f where not exists \
                   (select 1 from event_month_detached d where hour * 3600000000 >= d.from_us and hour * 3600000000 < d.to_us)";
    // What is detached was counted and can't be counted again.
    let kept = "select coverage, area, hour, type, state, source, filed, present from event_count where not exists \
                (select 1 from event_month_detached d where hour * 3600000000 >= d.from_us and hour * 3600000000 < d.to_us)";
    let sql = format!(
        "select (select count(*) from (select * from ({counted}) a except {kept}) b), \
         (select count(*) from ({kept} except select * from ({counted}) c) d)"
    );
    let row = tx.row(sql, vec![]).await?;
    let (missing, wrong) = row.map(|row| Ok::<_, Error>((row.int(0)?, row.int(1)?))).transpose()?.unwrap_or_default();
    if missing + wrong > 0 {
        report.defect("count", "event", format!("{missing} counts of events are missing or others, {wrong} are wrong"));
    }
    Ok(())
}

impl Store {
    /// Every id that an area of a code ever had: what was filed under one that was given up
    /// and taken up again is found under both.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn areas_of_code(&self, coverage: &str, code: &str) -> Result<Vec<AreaId>, Error> {
        let sql = "select distinct id from area where coverage = $1 and code = $2 order by id";
        let rows = self.reading().await?.rows(sql, vec![coverage.into(), code.into()]).await?;
        rows.iter().map(|row| Ok(AreaId(row.id(0)?))).collect()
    }

    /// Hands over the counts of events of some areas, each hour for itself.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn event_counts(
        &self,
        counting: &Counting<'_>,
        mut each: impl FnMut(EventCount) + Send,
    ) -> Result<(), Error> {
        let mut tx = self.reading().await?;
        let Some(position) = positions(&mut tx).await?.get(counting.coverage).copied() else { return Ok(()) };
        let (sum, bases) = column(counting.owned);
        let (from, to) = (whole_us(counting.period.0), whole_us(counting.period.1));
        let (first, end) = (-(-from).div_euclid(HOUR_US), to.div_euclid(HOUR_US));
        let edges = if first < end { [(from, first * HOUR_US), (end * HOUR_US, to)] } else { [(from, to), (to, to)] };
        for areas in counting.areas.chunks(AREAS_AT_ONCE) {
            let places: Vec<String> = (4..areas.len() + 4).map(|i| format!("${i}")).collect();
            let places = places.join(", ");
            let args = |from: i64, to: i64| {
                let mut args = vec![Arg::from(position), from.into(), to.into()];
                args.extend(areas.iter().map(|area| Arg::from(area.0)));
                args
            };
            let mut read = |row: Row<'_>| {
                let (area, hour, count) = (AreaId(row.id(0)?), row.int(1)?, row.int(5)?.unsigned_abs());
                each(EventCount { area, hour, kind: row.text(2)?, state: row.text(3)?, source: row.text(4)?, count });
                Ok(())
            };
            if first < end {
                let sql = format!(
                    "select area, hour, type, state, source, {sum} from event_count where coverage = $1 \
                     and area in ({places}) and hour >= $2 and hour < $3 and {sum} > 0"
                );
                tx.each(sql, args(first, end), &mut read).await?;
            }
            for (from, to) in edges.into_iter().filter(|(from, to)| from < to) {
                let hour = from.div_euclid(HOUR_US);
                let sql = format!(
                    "select a.area, cast({hour} as bigint), e.type, e.state, e.source, count(*) from event_area a \
                     join event_entry e on e.number = a.event and e.time_us = a.time_us where a.coverage = $1 and a.area in ({places}) \
                     and a.time_us >= $2 and a.time_us < $3 and a.basis in {bases} \
                     group by a.area, e.type, e.state, e.source"
                );
                tx.each(sql, args(from, to), &mut read).await?;
            }
        }
        Ok(())
    }

    /// How many seconds each event took until it first came into one of some states.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn seconds_until(&self, counting: &Counting<'_>, states: &[&str]) -> Result<Vec<f64>, Error> {
        let states: Vec<String> = states.iter().map(|state| format!("'{}'", state.replace('\'', "''"))).collect();
        let select = format!(
            "e.time_us, (select min(s.time_us) from event_step s where s.event = e.number and s.to_state in ({}))",
            states.join(", ")
        );
        let mut all = Vec::new();
        self.each_event(counting, &select, "and e.is_open = 0", |row| {
            if let Some(end) = row.maybe_int(1)? {
                all.push((end - row.int(0)?) as f64 / 1e6);
            }
            Ok(())
        })
        .await?;
        Ok(all)
    }

    /// The places with the most events, of those with at least so many: a building, or a
    /// square of 3,000 units (some 30 m) outside all.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn repeated_places(
        &self,
        counting: &Counting<'_>,
        least: u64,
        most: usize,
    ) -> Result<Vec<Repeated>, Error> {
        let mut places: FxHashMap<(Option<String>, i64, i64), (boundaries::Point, u64)> = FxHashMap::default();
        self.each_event(counting, "e.building, e.x, e.y", "and e.x is not null", |row| {
            let (building, x, y) = (row.maybe_text(0)?, row.int(1)?, row.int(2)?);
            let square = if building.is_some() { (0, 0) } else { (x.div_euclid(3000), y.div_euclid(3000)) };
            let lattice = |v: i64| i32::try_from(v).map_err(|_| Error::Damaged(format!("{v} is off the lattice")));
            let here = (boundaries::Point::new(lattice(x)?, lattice(y)?), 0);
            places.entry((building, square.0, square.1)).or_insert(here).1 += 1;
            Ok(())
        })
        .await?;
        let mut all: Vec<Repeated> = places
            .into_iter()
            .filter(|(_, (_, count))| *count >= least)
            .map(|((building, _, _), (place, count))| Repeated { building, place, count })
            .collect();
        all.sort_by(|a, b| {
            (b.count, &a.building, a.place.x, a.place.y).cmp(&(a.count, &b.building, b.place.x, b.place.y))
        });
        all.truncate(most);
        Ok(all)
    }

    /// Reads something of every event, in the order of their times.
    async fn each_event(
        &self,
        counting: &Counting<'_>,
        select: &str,
        also: &str,
        each: impl FnMut(Row<'_>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let mut tx = self.reading().await?;
        let Some(position) = positions(&mut tx).await?.get(counting.coverage).copied() else { return Ok(()) };
        let (_, bases) = column(counting.owned);
        let areas: Vec<String> = counting.areas.iter().map(|area| area.0.to_string()).collect();
        if areas.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "select {select} from event_area a join event_entry e on e.number = a.event and e.time_us = a.time_us where a.coverage = $1 \
             and a.area in ({}) and a.time_us >= $2 and a.time_us < $3 and a.basis in {bases} {also} \
             order by a.time_us, a.event",
            areas.join(", ")
        );
        let [from, to] = [counting.period.0, counting.period.1].map(|t| Arg::from(whole_us(t)));
        tx.each(sql, vec![position.into(), from, to], each).await
    }
}
