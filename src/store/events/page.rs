//! Events page by page, the last first, by owner, time, type, state and source.
//!
//! Each page is read along an index: of an area's events by time where one is asked for, else of a
//! type's, of a state's, of what is open or without a place, or of all events by time. A cursor is
//! the place in that order where a page ended, so pages don't shift when events come in.

use std::fmt::Write as _;

use boundaries::{AreaId, Bounds, Point};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::super::sql::{Arg, Tx};
use super::super::{Error, Store};
use super::owners::columns;
use super::read::{Event, complete, entries, place};

/// By which owner events are an area's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owned {
    /// By the one that they were filed under.
    Then,
    /// By the one as the ground is now.
    #[default]
    Now,
}

impl Owned {
    const fn basis(self) -> i64 {
        match self {
            Self::Then => 1,
            Self::Now => 2,
        }
    }
}

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// Those of an area of a coverage and of all areas below it, by their codes.
    pub within: Option<(String, String)>,
    /// By which owner.
    pub owned: Owned,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Of this type.
    pub kind: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// Only those that are open, or only those that are not.
    pub is_open: Option<bool>,
    /// Only those that have a place, or only those that have none.
    pub is_placed: Option<bool>,
    /// Of this source.
    pub source: Option<String>,
    /// How many at most.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<(Timestamp, u64)>,
}

/// A page of events.
#[derive(Clone, Debug, Default)]
pub struct EventPage {
    /// The events, the last first.
    pub events: Vec<Event>,
    /// Where the page ended, if there are more.
    pub next: Option<(Timestamp, u64)>,
}

impl Store {
    /// A page of events. `None` where the area that is asked for never was one.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn events(&self, query: &EventQuery) -> Result<Option<EventPage>, Error> {
        let mut tx = self.reading().await?;
        let areas = match &query.within {
            None => None,
            Some((coverage, code)) => match areas(&mut tx, coverage, code).await? {
                (_, areas) if areas.is_empty() => return Ok(None),
                found => Some(found),
            },
        };
        let (condition, args) = condition(query, areas);
        let mut events = entries(&mut tx, &condition, args).await?;
        let more = events.len() > query.limit;
        events.truncate(query.limit);
        complete(&mut tx, &mut events).await?;
        let next = events.last().filter(|_| more).map(|e| (e.time, e.number));
        Ok(Some(EventPage { events, next }))
    }

    /// How many events an area, and all below it, has: by the owner they were filed under or
    /// as the ground is now, in [from, to). `None` where there never was such an area.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn count_events(
        &self,
        coverage: &str,
        code: &str,
        owned: Owned,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<Option<u64>, Error> {
        let mut tx = self.reading().await?;
        let (position, areas) = areas(&mut tx, coverage, code).await?;
        if areas.is_empty() {
            return Ok(None);
        }
        let mut count = 0;
        for area in areas {
            let sql = "select count(*) from event_area where coverage = $1 and area = $2 and time_us >= $3 \
                       and time_us < $4 and basis in (3, $5)";
            let times = [from, to].map(|t| Arg::from(whole_us(t)));
            let [from, to] = times;
            let args = vec![position.into(), area.into(), from, to, owned.basis().into()];
            count += tx.row(sql, args).await?.map(|row| row.int(0)).transpose()?.unwrap_or(0) as u64;
        }
        Ok(Some(count))
    }
}

/// The first whole microsecond that is not before a time: those of events are whole.
pub(super) fn whole_us(time: Timestamp) -> i64 {
    let us = time.as_microsecond();
    us + i64::from(i128::from(us) * 1000 < time.as_nanosecond())
}

/// What happened of late, as far as it concerns some ground and some areas.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// The revision that the owners are of.
    pub revision: u64,
    /// Where events lie in the ground that was asked for, those without a decision on their owner.
    pub places: Vec<Point>,
    /// How many events an area and all below it have.
    pub counts: FxHashMap<AreaId, i64>,
}

impl Store {
    /// The events since a time: where they lie in some boxes, or near them, and how many some
    /// areas of a coverage have as the ground is now. `None` where there is no such coverage.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn recent_events(
        &self,
        coverage: &str,
        since: Timestamp,
        boxes: &[Bounds],
        areas: &[AreaId],
    ) -> Result<Option<Recent>, Error> {
        let mut tx = self.reading().await?;
        let sql = "select position, derived_revision from coverage where name = $1";
        let row = tx.row(sql, vec![coverage.into()]).await?;
        let found = row.map(|row| Ok::<_, Error>((row.int(0)?, row.int(1)? as u64))).transpose()?;
        let Some((position, revision)) = found else { return Ok(None) };
        let mut recent = Recent { revision, ..Recent::default() };
        // Where boxes are too many, all that happened is looked at.
        let columns = columns(boxes).unwrap_or_else(|| vec![[i64::MIN, i64::MAX]]);
        for [from, to] in columns {
            let sql = "select e.x, e.y from event_entry e join event_owner o on o.event = e.number \
                       where e.cell >= $1 and e.cell <= $2 and e.time_us >= $3 and o.coverage = $4 and o.settled = 0";
            let args = vec![from.into(), to.into(), whole_us(since).into(), position.into()];
            tx.each(sql, args, |row| {
                recent.places.extend(place(&row, 0)?);
                Ok(())
            })
            .await?;
        }
        for some in areas.chunks(500) {
            let places: Vec<String> = (3..some.len() + 3).map(|i| format!("${i}")).collect();
            let sql = format!(
                "select area, count(*) from event_area where coverage = $1 and time_us >= $2 and area in ({}) \
                 and basis in (2, 3) group by area",
                places.join(", ")
            );
            let mut args = vec![position.into(), whole_us(since).into()];
            args.extend(some.iter().map(|id| Arg::from(id.0)));
            for row in tx.rows(sql, args).await? {
                recent.counts.insert(AreaId(row.id(0)?), row.int(1)?);
            }
        }
        Ok(Some(recent))
    }
}

/// The areas that ever had a code, and the position of their coverage: a code that was given
/// up still finds what was filed under it.
async fn areas(tx: &mut Tx, coverage: &str, code: &str) -> Result<(i64, Vec<i64>), Error> {
    let sql = "select distinct c.position, a.id from area a join coverage c on c.name = a.coverage \
               where a.coverage = $1 and a.code = $2 order by a.id";
    let rows = tx.rows(sql, vec![coverage.into(), code.into()]).await?;
    let position = rows.first().map(|row| row.int(0)).transpose()?.unwrap_or_default();
    Ok((position, rows.iter().map(|row| row.int(1)).collect::<Result<_, _>>()?))
}

/// What is said of the events behind `from event_entry e`.
fn condition(query: &EventQuery, areas: Option<(i64, Vec<i64>)>) -> (String, Vec<Arg>) {
    let mut args: Vec<Arg> = Vec::new();
    let mut place = |arg: Arg| {
        args.push(arg);
        format!("${}", args.len())
    };
    let mut wanted: Vec<String> = Vec::new();
    let mut joined = String::new();
    // An area's index has times and numbers of its own; they are to be asked for there.
    let (time, number) = match areas {
        Some((position, areas)) => {
            joined.push_str("join event_area a on a.event = e.number and a.time_us = e.time_us ");
            wanted.push(format!("a.coverage = {}", place(position.into())));
            let areas: Vec<String> = areas.into_iter().map(|area| place(area.into())).collect();
            wanted.push(match &areas[..] {
                [one] => format!("a.area = {one}"),
                several => format!("a.area in ({})", several.join(", ")),
            });
            wanted.push(format!("a.basis in (3, {})", place(query.owned.basis().into())));
            ("a.time_us", "a.event")
        }
        None => ("e.time_us", "e.number"),
    };
    // Said of both tables: each has months of its own to leave out.
    let mut bound = |what: &str, us: Arg| {
        let us = place(us);
        wanted.push(format!("e.time_us {what} {us}"));
        if time != "e.time_us" {
            wanted.push(format!("{time} {what} {us}"));
        }
    };
    if let Some(from) = query.from {
        bound(">=", whole_us(from).into());
    }
    if let Some(to) = query.to {
        bound("<", whole_us(to).into());
    }
    if let Some((last, last_number)) = query.after {
        // No month is left out by the order of pairs.
        bound("<=", last.as_microsecond().into());
        let (last, last_number) = (place(last.as_microsecond().into()), place(last_number.into()));
        wanted.push(format!("({time}, {number}) < ({last}, {last_number})"));
    }
    for (column, text) in [("type", &query.kind), ("state", &query.state), ("source", &query.source)] {
        if let Some(text) = text {
            wanted.push(format!("e.{column} = {}", place(text.as_str().into())));
        }
    }
    if let Some(is_open) = query.is_open {
        wanted.push(format!("e.is_open = {}", u8::from(is_open)));
    }
    if let Some(is_placed) = query.is_placed {
        wanted.push(format!("e.x is {}", if is_placed { "not null" } else { "null" }));
    }
    let mut sql = joined;
    if !wanted.is_empty() {
        let _ = write!(sql, "where {} ", wanted.join(" and "));
    }
    // One more than is asked for tells whether there are more.
    let _ = write!(sql, "order by {time} desc, {number} desc limit {}", query.limit + 1);
    (sql, args)
}
