//! Owners that change: with the ground when boundaries are published, or by a decision.
//!
//! Invariant: the owner that an event was filed under stays; what changes is the present
//! one beside it, with the index. Only events in changed ground, or of areas whose parents
//! changed, are looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{AreaId, Bounds, Coverage, Point};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::super::sql::{Arg, Row, Tx};
use super::super::{CheckReport, Error};
use super::happened::{What, log_happened};
use super::read::{BY_IDENTITY, place};
use super::steps::Ruling;
use super::write::{AreaRow, OWNER, area_rows, owner_row, positions, put_areas};
use super::{CELL_SHIFT, bases, cell, chain_of, counts};
use crate::snapshot::CoverageView;

/// Events that are looked at together.
const AT_ONCE: u64 = 20_000;
/// More columns of cells than this, and all events are looked at.
const MOST_COLUMNS: i64 = 4000;

/// Another present owner of an event in one coverage.
pub(super) struct Change {
    pub(super) number: u64,
    pub(super) coverage: Arc<str>,
    /// The chain, topmost first.
    pub(super) chain: Vec<AreaId>,
    pub(super) is_settled: bool,
    /// For a coverage that the event had no owner in: the revision it is filed under.
    pub(super) revision: u64,
    /// What is said of the place, where that is another.
    pub(super) told: Option<String>,
}

/// An event's owner as it stands.
struct Standing {
    number: u64,
    time_us: i64,
    place: Option<Point>,
    is_open: bool,
    rulings: i64,
    owner: Option<Stands>,
}

struct Stands {
    revision: u64,
    filed: Vec<AreaId>,
    present: Vec<AreaId>,
    is_settled: bool,
    told: Option<String>,
}

const STANDING: &str = "select e.number, e.time_us, e.x, e.y, e.is_open, e.rulings, o.revision, o.filed, o.present, o.settled, o.told \
                        from event_entry e left join event_owner o on o.event = e.number and o.coverage = $1";

fn standing(row: &Row<'_>) -> Result<Standing, Error> {
    let owner = match row.maybe_int(6)? {
        None => None,
        Some(revision) => {
            let filed = chain_of(row.str(7)?)?;
            let present = row.maybe_str(8)?.map(chain_of).transpose()?.unwrap_or_else(|| filed.clone());
            let (is_settled, told) = (row.int(9)? != 0, row.maybe_text(10)?);
            Some(Stands { revision: revision as u64, filed, present, is_settled, told })
        }
    };
    let number = row.int(0)? as u64;
    let (is_open, rulings) = (row.int(4)? != 0, row.int(5)?);
    Ok(Standing { number, time_us: row.int(1)?, place: place(row, 2)?, is_open, rulings, owner })
}

/// Brings the present owners of events in one coverage to `view`; with an earlier state,
/// looks only at ground that changed hands since and at areas with another parent.
pub(in super::super) async fn reown(
    tx: &mut Tx,
    view: &CoverageView,
    old: Option<&Coverage>,
    now: Timestamp,
) -> Result<(), Error> {
    let row = tx.row("select coalesce(max(number), 0) from event_identity", vec![]).await?;
    let last = row.map(|row| row.int(0)).transpose()?.unwrap_or_default() as u64;
    let position = positions(tx).await?.get(&*view.name).copied();
    let Some(position) = position.filter(|_| last > 0) else { return Ok(()) };
    let boxes =
        old.filter(|old| old.levels() == view.levels()).and_then(|old| columns(&view.coverage.changed_ground(old)));
    let (Some(boxes), Some(old)) = (boxes, old) else {
        for from in (1..=last).step_by(AT_ONCE as usize) {
            let mut all = BTreeMap::new();
            let args = vec![position.into(), from.into(), (from + AT_ONCE).into()];
            read(tx, "where e.number >= $2 and e.number < $3", args, &mut all).await?;
            settle(tx, position, view, all, now).await?;
        }
        return Ok(());
    };
    let mut all = BTreeMap::new();
    for [from, to] in boxes {
        let args = vec![position.into(), from.into(), to.into()];
        read(tx, "where e.cell >= $2 and e.cell <= $3", args, &mut all).await?;
    }
    for id in moved_areas(&view.coverage, old) {
        let of_area = "join event_area a on a.event = e.number and a.time_us = e.time_us and a.coverage = $1 and a.area = $2 \
             where a.basis in (2, 3)";
        read(tx, of_area, vec![position.into(), id.0.into()], &mut all).await?;
    }
    settle(tx, position, view, all, now).await
}

/// The columns of cells, from and to, that cover some boxes; `None` where they are so many
/// that it is less work to look at everything.
pub(super) fn columns(boxes: &[Bounds]) -> Option<Vec<[i64; 2]>> {
    let width = |b: &Bounds| i64::from(b.max.x >> CELL_SHIFT) - i64::from(b.min.x >> CELL_SHIFT) + 1;
    let boxes: Vec<&Bounds> = boxes.iter().filter(|b| !b.is_empty()).collect();
    if boxes.iter().map(|b| width(b)).sum::<i64>() > MOST_COLUMNS {
        return None;
    }
    let mut columns: Vec<[i64; 2]> = Vec::new();
    for b in boxes {
        for column in b.min.x >> CELL_SHIFT..=b.max.x >> CELL_SHIFT {
            let x = column << CELL_SHIFT;
            columns.push([b.min.y, b.max.y].map(|y| cell(Point::new(x, y))));
        }
    }
    columns.sort_unstable();
    columns.dedup_by(|next, kept| {
        let is_beside = next[0] <= kept[1] + 1;
        if is_beside {
            kept[1] = kept[1].max(next[1]);
        }
        is_beside
    });
    Some(columns)
}

/// Areas that stay and lie below another one than they did: all that is theirs has another
/// chain, though no ground changed hands.
fn moved_areas(new: &Coverage, old: &Coverage) -> Vec<AreaId> {
    let parents = |id| Some((old.area(id)?.parent, new.area(id)?.parent));
    let differs = |id: &AreaId| parents(*id).is_some_and(|(before, after)| before != after);
    new.difference(old).areas.into_iter().filter(differs).collect()
}

async fn read(tx: &mut Tx, condition: &str, args: Vec<Arg>, all: &mut BTreeMap<u64, Standing>) -> Result<(), Error> {
    tx.each(format!("{STANDING} {condition}"), args, |row| {
        let standing = standing(&row)?;
        all.insert(standing.number, standing);
        Ok(())
    })
    .await
}

/// Writes the present owners that are no longer those that stand there.
async fn settle(
    tx: &mut Tx,
    position: i64,
    view: &CoverageView,
    all: BTreeMap<u64, Standing>,
    now: Timestamp,
) -> Result<(), Error> {
    let mut changes = Vec::new();
    for standing in all.into_values() {
        let (chain, is_settled) = due(view, &standing);
        if standing.owner.as_ref().is_none_or(|o| o.present != chain || o.is_settled != is_settled) {
            let (coverage, revision) = (view.name.clone(), view.revision);
            let told = standing.owner.as_ref().and_then(|o| o.told.clone());
            let change = Change { number: standing.number, coverage, chain, is_settled, revision, told };
            changes.push((standing, change));
        }
    }
    let ruling = Ruling { kind: "redraw", reason: format!("revision {}", view.revision), actor: String::new() };
    write(tx, position, view, &changes, &ruling, view.revision.saturating_sub(1), now).await
}

/// The chain that an event is to have in a state of the ground, and whether it was settled.
fn due(view: &CoverageView, standing: &Standing) -> (Vec<AreaId>, bool) {
    let coverage = &view.coverage;
    let settled = standing.owner.as_ref().filter(|o| o.is_settled).and_then(|o| o.present.last());
    if let Some(id) = settled.filter(|id| coverage.area(**id).is_some()) {
        return (coverage.chain(*id), true);
    }
    let owner = standing.place.and_then(|p| view.locator.owner_at(p));
    (owner.map(|id| coverage.chain(id)).unwrap_or_default(), false)
}

/// Gives an event other owners, for a reason.
pub(super) async fn put(
    tx: &mut Tx,
    changes: Vec<Change>,
    ruling: &Ruling,
    views: &[Arc<CoverageView>],
    now: Timestamp,
) -> Result<(), Error> {
    let positions = positions(tx).await?;
    for change in changes {
        let view = views.iter().find(|view| view.name == change.coverage);
        let (Some(view), Some(position)) = (view, positions.get(&*change.coverage).copied()) else { continue };
        let mut found = BTreeMap::new();
        let args = vec![position.into(), change.number.into()];
        read(tx, &format!("{BY_IDENTITY} where i.number = $2"), args, &mut found).await?;
        let changes: Vec<_> = found.into_values().zip([change]).collect();
        write(tx, position, view, &changes, ruling, view.revision, now).await?;
    }
    Ok(())
}

/// Writes other present owners, their index, and why. `before` is the last revision of which
/// the owners before may be.
async fn write(
    tx: &mut Tx,
    position: i64,
    view: &CoverageView,
    changes: &[(Standing, Change)],
    ruling: &Ruling,
    before: u64,
    now: Timestamp,
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    let old_codes = codes(tx, &view.name, before, changes).await?;
    let (mut gone, mut areas) = (Vec::new(), Vec::new());
    let (mut owners, mut rulings, mut ruled) = (Vec::new(), Vec::new(), Vec::new());
    for (standing, change) in changes {
        let (number, chain) = (standing.number, &change.chain);
        let (filed, revision) = standing.owner.as_ref().map_or((chain, change.revision), |o| (&o.filed, o.revision));
        let rows = |present| area_rows(number, position, standing.time_us, filed, present).collect::<Vec<AreaRow>>();
        let old = standing.owner.as_ref().map(|o| rows(&o.present)).unwrap_or_default();
        let new = rows(chain);
        gone.extend(old.iter().filter(|row| !new.contains(row)).copied());
        areas.extend(new.iter().filter(|row| !old.contains(row)).copied());
        owners.push(owner_row(number, position, revision, filed, chain, change.is_settled, change.told.clone()));
        // What is closed keeps who answered for it; that its ground is another's is counted, not told.
        let Some(owner) = standing.owner.as_ref().filter(|_| standing.is_open || ruling.kind != "redraw") else {
            continue;
        };
        let from = owner.present.last().and_then(|id| old_codes.get(id).cloned());
        let to = chain.last().and_then(|id| view.coverage.area(*id)).map(|area| area.code.to_string());
        if ruling.kind == "redraw" && from == to {
            continue;
        }
        ruled.push((number as i64, standing.rulings as u64 + 1));
        rulings.push(vec![
            number.into(),
            (standing.rulings + 1).into(),
            now.as_microsecond().into(),
            ruling.kind.into(),
            Arg::from(&*view.name),
            Arg::Text(from),
            Arg::Text(to),
            Arg::Int(standing.place.map(|p| p.x.into())),
            Arg::Int(standing.place.map(|p| p.y.into())),
            ruling.reason.as_str().into(),
            ruling.actor.as_str().into(),
        ]);
    }
    let keys = gone.iter().map(|row| row[..4].iter().map(|key| Arg::from(*key)).collect()).collect();
    tx.delete_rows("event_area", &["coverage", "area", "time_us", "event"], keys).await?;
    counts::count(tx, &gone, -1).await?;
    areas.sort_unstable();
    put_areas(tx, &areas).await?;
    let keys = changes.iter().map(|(standing, _)| vec![standing.number.into(), position.into()]).collect();
    tx.delete_rows("event_owner", &["event", "coverage"], keys).await?;
    tx.insert_many("event_owner", &OWNER, owners).await?;
    let columns =
        ["event", "seq", "recorded_us", "kind", "coverage", "from_code", "to_code", "x", "y", "reason", "actor"];
    tx.insert_many("event_ruling", &columns, rulings).await?;
    for some in ruled.chunks(500) {
        let places: Vec<String> = (1..=some.len()).map(|i| format!("${i}")).collect();
        let of = "select number, time_us from event_identity where number in";
        let sql = format!(
            "update event_entry set rulings = rulings + 1 where (number, time_us) in ({of} ({}))",
            places.join(", ")
        );
        tx.run(sql, some.iter().map(|(number, _)| Arg::from(*number)).collect()).await?;
    }
    log_happened(tx, now, ruled.iter().map(|(number, seq)| (*number as u64, What::Ruling(*seq)))).await
}

/// The last codes, up to a revision, of the owners that events have.
async fn codes(
    tx: &mut Tx,
    coverage: &str,
    before: u64,
    changes: &[(Standing, Change)],
) -> Result<FxHashMap<AreaId, String>, Error> {
    let mut ids: Vec<AreaId> = changes.iter().filter_map(|(s, _)| s.owner.as_ref()?.present.last().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut codes = FxHashMap::default();
    for some in ids.chunks(500) {
        let places: Vec<String> = (3..some.len() + 3).map(|i| format!("${i}")).collect();
        let sql = format!(
            "select id, code from area where coverage = $1 and from_revision <= $2 and id in ({}) order by from_revision",
            places.join(", ")
        );
        let mut args = vec![Arg::from(coverage), before.into()];
        args.extend(some.iter().map(|id| Arg::from(id.0)));
        for row in tx.rows(sql, args).await? {
            codes.insert(AreaId(row.id(0)?), row.text(1)?);
        }
    }
    Ok(codes)
}

/// Compares the owners of all events in one coverage with its graph, and their index with
/// the owners.
pub(in super::super) async fn check(tx: &mut Tx, report: &mut CheckReport, view: &CoverageView) -> Result<(), Error> {
    let Some(position) = positions(tx).await?.get(&*view.name).copied() else { return Ok(()) };
    let mut wrong = Vec::new();
    let (mut events, mut rows) = (0, 0);
    tx.each(STANDING.to_owned(), vec![position.into()], |row| {
        let standing = standing(&row)?;
        events += 1;
        let Some(owner) = &standing.owner else {
            wrong.push(format!("event {} has no owner", standing.number));
            return Ok(());
        };
        rows += bases(&owner.filed, &owner.present).len() as i64;
        if due(view, &standing) != (owner.present.clone(), owner.is_settled) {
            wrong.push(format!("event {} names another owner than the graph", standing.number));
        }
        Ok(())
    })
    .await?;
    report.events = report.events.max(events);
    let sql = "select count(*) from event_area where coverage = $1";
    let found = tx.row(sql, vec![position.into()]).await?.map(|row| row.int(0)).transpose()?.unwrap_or_default();
    if found != rows {
        wrong.push(format!("the index of events has {found} rows, their owners {rows}"));
    }
    wrong.into_iter().for_each(|what| report.defect("owner", &view.name, what));
    Ok(())
}
