//! What is derived from the truth for GIS programs: a layer for each level of each
//! coverage, and the owners that the features name. It shows the present, is written
//! in the transaction that changes it, and no code of ours reads it but `check`.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::{Area, AreaId, Coverage, Level, Outline, Polygon};
use jiff::Timestamp;

use super::layers::{self, Record};
use super::revisions::{self, at, revisions};
use super::sql::{Arg, Tx, quoted};
use super::{Error, blob, events, names};
use crate::feature::Geometry;
use crate::snapshot::{CoverageView, Layer, Moment};

/// The columns of a level's layer, behind `fid` and `geom`.
pub(super) const COLUMNS: [&str; 6] = ["code", "name", "level", "parent", "kind", "attributes"];

/// A row of a level's layer.
pub(super) struct AreaRow {
    pub(super) id: AreaId,
    pub(super) values: [Option<String>; 6],
    pub(super) ground: Vec<Polygon>,
}

/// Rows that are written at once: the ground of a whole level as polygons is several times
/// the graph.
const AT_ONCE: usize = 2000;

/// What the layer of a level must hold: every area of it, with ground or without.
pub(super) fn area_rows(coverage: &Coverage, level: Level) -> Vec<AreaRow> {
    rows_of(coverage, &coverage.outlines(level), &ids_of(coverage, level))
}

fn ids_of(coverage: &Coverage, level: Level) -> Vec<AreaId> {
    coverage.areas().filter(|(_, area)| area.level == level).map(|(id, _)| id).collect()
}

/// The rows of some areas of a level whose `outlines` these are, ascending.
fn rows_of(coverage: &Coverage, outlines: &[Outline], ids: &[AreaId]) -> Vec<AreaRow> {
    let row = |id: &AreaId| {
        let found = outlines.binary_search_by_key(id, |outline| outline.area).ok();
        let ground = found.map_or_else(Vec::new, |i| coverage.polygons_of(&outlines[i]));
        Some(AreaRow { id: *id, values: values(coverage, coverage.area(*id)?), ground })
    };
    ids.iter().filter_map(row).collect()
}

/// The same for some areas of the level only, looking at no other ground than theirs.
fn some_area_rows(coverage: &Coverage, level: Level, ids: &BTreeSet<AreaId>) -> Vec<AreaRow> {
    let areas = ids.iter().filter_map(|id| Some((*id, coverage.area(*id)?)));
    let of_level = areas.filter(|(_, area)| area.level == level);
    of_level.map(|(id, area)| AreaRow { id, values: values(coverage, area), ground: coverage.polygons(id) }).collect()
}

fn values(coverage: &Coverage, area: &Area) -> [Option<String>; 6] {
    let text = |t: &Arc<str>| Some(t.to_string());
    let level = coverage.levels().get(usize::from(area.level.0)).and_then(text);
    let parent = area.parent.and_then(|p| coverage.area(p)).map(|p| p.code.to_string());
    [text(&area.code), text(&area.name), level, parent, text(&area.kind), text(&area.attributes)]
}

/// The coverages in their order, with the revision that is derived.
pub(super) async fn derived_revisions(tx: &mut Tx) -> Result<Vec<(Arc<str>, u64)>, Error> {
    let rows = tx.rows("select name, derived_revision from coverage order by position", vec![]).await?;
    rows.iter().map(|row| Ok((row.str(0)?.into(), row.int(1)? as u64))).collect()
}

/// A state that the caller holds, and what it was made from.
pub(super) struct Held {
    pub(super) name: Arc<str>,
    pub(super) number: u64,
    pub(super) effective: Option<Timestamp>,
    pub(super) coverage: Coverage,
    pub(super) base: Option<Arc<CoverageView>>,
}

impl Held {
    /// The state to be asked for owners: its index takes as much room as the graph, so it
    /// is made where there is something to own.
    fn view(&self) -> Arc<CoverageView> {
        let coverage = self.coverage.clone();
        Arc::new(match &self.base {
            Some(base) => base.updated(coverage, self.number, self.effective),
            None => CoverageView::new(self.name.clone(), coverage, self.number, self.effective),
        })
    }
}

/// Brings what is derived to what is in force at `now`. A state that the caller holds is
/// not read again. Returns whether there was anything to do.
pub(super) async fn settle(tx: &mut Tx, now: Timestamp, held: Option<&Held>) -> Result<bool, Error> {
    let mut did = false;
    for (name, derived) in derived_revisions(tx).await? {
        let all = revisions(tx, Some(&name)).await?;
        let Some(present) = at(&all, Moment::At(now)).filter(|r| r.number != derived) else { continue };
        let held = held.filter(|held| held.name == name);
        let base = held.and_then(|held| held.base.as_ref()).filter(|base| base.revision == derived);
        let old = match (base, all.iter().find(|r| r.number == derived)) {
            (Some(view), _) => Some(view.coverage.clone()),
            (None, Some(revision)) => Some(revisions::coverage(tx, revision).await?),
            (None, None) => None,
        };
        let read;
        let new = match held.filter(|held| held.number == present.number) {
            Some(held) => held,
            None => {
                let (number, effective) = (present.number, present.effective);
                let coverage = revisions::coverage(tx, present).await?;
                read = Held { name: name.clone(), number, effective, coverage, base: None };
                &read
            }
        };
        derive(tx, &name, old.as_ref(), &new.coverage).await?;
        if !layers::layers(tx).await?.is_empty() {
            let view = new.view();
            own_features(tx, &view, old.as_ref()).await?;
            // What has events has their layer, too.
            events::reown(tx, &view, old.as_ref(), now).await?;
        }
        let sql = "update coverage set derived_revision = $2 where name = $1";
        tx.run(sql, vec![Arg::from(&*name), present.number.into()]).await?;
        did = true;
    }
    Ok(did)
}

/// Rewrites the rows of the areas that differ between two states.
async fn derive(tx: &mut Tx, name: &str, old: Option<&Coverage>, new: &Coverage) -> Result<(), Error> {
    let same_levels = old.is_some_and(|old| old.levels() == new.levels());
    if let Some(old) = old.filter(|_| !same_levels) {
        for level in old.levels() {
            layers::drop_table(tx, &names::level_table(name, level)).await?;
        }
    }
    if !same_levels {
        for level in new.levels() {
            let columns = COLUMNS.map(|c| (c.to_owned(), "text"));
            let title = format!("areas of level {level} in coverage {name}");
            layers::create_table(tx, &names::level_table(name, level), "multipolygon", &columns, &title).await?;
        }
    }
    let touched = old.filter(|_| same_levels).map(|old| new.touched(old));
    for (i, level) in new.levels().iter().enumerate() {
        let table = names::level_table(name, level);
        let level = Level(i as u8);
        match &touched {
            None => {
                let outlines = new.outlines(level);
                for ids in ids_of(new, level).chunks(AT_ONCE) {
                    write(tx, &table, rows_of(new, &outlines, ids)).await?;
                }
            }
            Some(touched) => {
                // An id may have left this level or the coverage: deleting what is not there is nothing.
                let gone: Vec<i64> = touched.iter().map(|id| i64::from(id.0) + 1).collect();
                layers::delete(tx, &table, &gone).await?;
                write(tx, &table, some_area_rows(new, level, touched)).await?;
            }
        }
    }
    Ok(())
}

async fn write(tx: &mut Tx, table: &str, rows: Vec<AreaRow>) -> Result<(), Error> {
    let records = rows.into_iter().map(|row| Record {
        number: row.id.0 + 1,
        geometry: Geometry::Polygons(row.ground),
        values: row.values.into_iter().map(Arg::Text).collect(),
    });
    layers::insert(tx, table, &COLUMNS, blob::Parts::Multi, records).await
}

/// Writes the owners of features in one coverage where they are no longer those that
/// stand there; with an earlier state, looks only at ground that changed hands since.
async fn own_features(tx: &mut Tx, view: &Arc<CoverageView>, old: Option<&Coverage>) -> Result<(), Error> {
    let ground = old.map(|old| view.coverage.changed_ground(old));
    for layer in layers::layers(tx).await? {
        match &ground {
            None => own(tx, view, &layer, "true", vec![]).await?,
            Some(ground) => {
                for bounds in ground {
                    let (near, args) = layers::near(tx, &layer, *bounds);
                    own(tx, view, &layer, &near, args).await?;
                }
            }
        }
    }
    Ok(())
}

/// The same for the features of a layer that a condition holds for.
async fn own(
    tx: &mut Tx,
    view: &Arc<CoverageView>,
    layer: &layers::LayerInfo,
    condition: &str,
    args: Vec<Arg>,
) -> Result<(), Error> {
    let owner_columns = names::owner_columns(&view.name);
    let [owner, shares] = [quoted(&owner_columns[0]), quoted(&owner_columns[1])];
    let condition = format!("where {condition} order by fid");
    let bare = layers::LayerInfo { fields: vec![], columns: vec![], ..layer.clone() };
    let table = layers::table(tx, &bare, &condition, args.clone()).await?;
    if table.is_empty() {
        return Ok(());
    }
    let mut stood: Vec<[Option<String>; 2]> = Vec::with_capacity(table.len());
    let q = quoted(&layer.table);
    tx.each(format!("select {owner}, {shares} from {q} {condition}"), args, |row| {
        stood.push([row.maybe_text(0)?, row.maybe_text(1)?]);
        Ok(())
    })
    .await?;
    let (name, one) = (layer.name.clone(), view.clone());
    let owned = tokio::task::spawn_blocking(move || Layer::from_table(&name, table, 0, &[one]))
        .await
        .map_err(|e| Error::Refused(format!("the owners could not be worked out: {e}")))?;
    let codes = |id| view.coverage.area(id).map(|a| a.code.clone());
    let changed = stood.into_iter().enumerate().filter_map(|(ix, stood)| {
        let now = layers::owner_args(&owned, ix, 0, &codes);
        (now != stood).then(|| {
            let [owner, shares] = now.map(Arg::Text);
            vec![owned.number(ix).into(), owner, shares]
        })
    });
    let changed: Vec<Vec<Arg>> = changed.collect();
    if changed.is_empty() {
        return Ok(());
    }
    tx.script("create temp table owner_change (fid bigint primary key, owner text, shares text)").await?;
    tx.insert_many("owner_change", &["fid", "owner", "shares"], changed).await?;
    // Asked for so, both stores go from the few rows that change to their features; a join
    // SQLite begins with all features.
    tx.script(format!(
        "update {q} set ({owner}, {shares}) = (select owner, shares from owner_change c where c.fid = {q}.fid) \
         where fid in (select fid from owner_change); drop table owner_change;"
    ))
    .await
}
