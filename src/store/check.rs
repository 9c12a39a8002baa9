//! Proves a store: what was published is what stands there, and what is derived from
//! it says the same.

use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::derive::{COLUMNS, area_rows, derived_revisions};
use super::layers::{self, LayerInfo};
use super::revisions::{self, at, revisions};
use super::sql::{Tx, quoted};
use super::{Error, Store, blob, events, names};
use crate::feature::Geometry;
use crate::snapshot::{CoverageView, Layer, Moment};
use boundaries::{Coverage, Level};

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Defect {
    /// What kind: `digest`, `graph`, `derived`, `owner`, `index`, `stale`.
    pub kind: &'static str,
    /// The coverage or layer.
    pub subject: String,
    /// What is wrong, for people.
    pub what: String,
    /// Longitude and latitude in degrees, where it has a place.
    pub place: Option<[f64; 2]>,
}

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct CheckReport {
    /// Where the store is.
    pub store: String,
    /// How many revisions were proved by their digests.
    pub revisions: usize,
    /// How many areas were compared with their layers.
    pub areas: usize,
    /// How many features were compared with their owners.
    pub features: usize,
    /// How many events were compared with their owners.
    pub events: usize,
    /// What is wrong, all of it.
    pub defects: Vec<Defect>,
}

impl CheckReport {
    pub(super) fn defect(&mut self, kind: &'static str, subject: &str, what: impl Into<String>) {
        self.defects.push(Defect { kind, subject: subject.into(), what: what.into(), place: None });
    }
}

impl Store {
    /// Proves the store, or one coverage of it with the owners in it: every revision
    /// by its digest, the present graph by its invariants, the layers of areas and the
    /// owners of features by the graph.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a coverage that does not exist, and where the database
    /// can't be read. What is wrong with the content is in the report.
    pub async fn check(&self, only: Option<&str>) -> Result<CheckReport, Error> {
        let mut tx = self.reading().await?;
        let mut report = CheckReport { store: self.location().to_owned(), ..CheckReport::default() };
        let derived = derived_revisions(&mut tx).await?;
        if let Some(name) = only.filter(|name| !derived.iter().any(|(known, _)| **known == **name)) {
            return Err(Error::Refused(format!("the store has no coverage {name}")));
        }
        let now = Timestamp::now();
        let mut views = Vec::new();
        for (name, derived) in derived.into_iter().filter(|(name, _)| only.is_none_or(|o| **name == *o)) {
            let all = revisions(&mut tx, Some(&name)).await?;
            let mut shown = None;
            for revision in &all {
                match revisions::coverage(&mut tx, revision).await {
                    Ok(coverage) => {
                        report.revisions += 1;
                        if revision.number == derived {
                            shown = Some((revision.clone(), coverage));
                        }
                    }
                    Err(Error::Damaged(what)) => report.defect("digest", &name, what),
                    Err(other) => return Err(other),
                }
            }
            if let Some(present) = at(&all, Moment::At(now)).filter(|r| r.number != derived) {
                report.defect(
                    "stale",
                    &name,
                    format!("the layers show revision {derived}, revision {} is in force", present.number),
                );
            }
            let Some((revision, coverage)) = shown else {
                report.defect("derived", &name, format!("the layers show revision {derived}, which can't be read"));
                continue;
            };
            check_graph(&mut report, &name, &coverage);
            check_levels(&mut tx, &mut report, &name, &coverage).await?;
            let number = revision.number;
            views.push(Arc::new(CoverageView::new(name, coverage, number, revision.effective)));
        }
        for view in &views {
            events::check(&mut tx, &mut report, view).await?;
        }
        events::check_counts(&mut tx, &mut report).await?;
        events::check_log(&mut tx, &mut report).await?;
        for layer in layers::layers(&mut tx).await? {
            check_owners(&mut tx, &mut report, &layer, &views).await?;
            check_index(&mut tx, &mut report, &layer.name, &layer.table).await?;
        }
        Ok(report)
    }
}

fn check_graph(report: &mut CheckReport, name: &str, coverage: &Coverage) {
    for defect in coverage.sanity_check().err().into_iter().flatten() {
        report.defects.push(Defect {
            kind: "graph",
            subject: name.into(),
            what: defect.reason,
            place: defect.place.map(|p| [p.lon(), p.lat()]),
        });
    }
}

async fn check_levels(tx: &mut Tx, report: &mut CheckReport, name: &str, coverage: &Coverage) -> Result<(), Error> {
    for (i, level) in coverage.levels().iter().enumerate() {
        let table = names::level_table(name, level);
        let mut expected: FxHashMap<i64, _> =
            area_rows(coverage, Level(i as u8)).into_iter().map(|row| (i64::from(row.id.0) + 1, row)).collect();
        report.areas += expected.len();
        let columns = COLUMNS.map(quoted).join(", ");
        let sql = format!("select fid, {}, {columns} from {} order by fid", tx.geometry_bytes("geom"), quoted(&table));
        let mut wrong = Vec::new();
        let read = tx
            .each(sql, vec![], |row| {
                let code = row.maybe_text(2)?.unwrap_or_default();
                let Some(area) = expected.remove(&row.int(0)?) else {
                    wrong.push(format!("{table} has area {code}, the graph has not"));
                    return Ok(());
                };
                let mut values = [const { None }; 6];
                for (i, value) in values.iter_mut().enumerate() {
                    *value = row.maybe_text(i + 2)?;
                }
                if values != area.values {
                    wrong.push(format!("{table} has other attributes for area {code} than the graph"));
                }
                match blob::geometry(row.blob(1)?) {
                    Ok(Geometry::Polygons(ground)) if ground == area.ground => {}
                    _ => wrong.push(format!("{table} has another ground for area {code} than the graph")),
                }
                Ok(())
            })
            .await;
        if let Err(e) = read {
            wrong.push(format!("{table} can't be read: {e}"));
        } else {
            let mut missing: Vec<_> = expected.into_values().filter_map(|row| row.values[0].clone()).collect();
            missing.sort_unstable();
            wrong.extend(missing.into_iter().map(|code| format!("{table} lacks area {code}")));
        }
        wrong.into_iter().for_each(|what| report.defect("derived", name, what));
        check_index(tx, report, name, &table).await?;
    }
    Ok(())
}

async fn check_owners(
    tx: &mut Tx,
    report: &mut CheckReport,
    layer: &LayerInfo,
    views: &[Arc<CoverageView>],
) -> Result<(), Error> {
    let bare = LayerInfo { fields: vec![], columns: vec![], ..layer.clone() };
    let table = match layers::table(tx, &bare, "order by fid", vec![]).await {
        Ok(table) => table,
        Err(Error::Damaged(what)) => {
            report.defect("graph", &layer.name, what);
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    report.features += table.len();
    let (name, all) = (layer.name.clone(), views.to_vec());
    let owned = tokio::task::spawn_blocking(move || Layer::from_table(&name, table, 0, &all))
        .await
        .map_err(|e| Error::Refused(format!("the owners could not be worked out: {e}")))?;
    for (i, view) in views.iter().enumerate() {
        let codes = |id| view.coverage.area(id).map(|a| a.code.clone());
        let [owner, shares] = names::owner_columns(&view.name).map(|c| quoted(&c));
        let sql = format!("select {owner}, {shares} from {} order by fid", quoted(&layer.table));
        let (mut ix, mut wrong) = (0, Vec::new());
        tx.each(sql, vec![], |row| {
            let expected = layers::owner_args(&owned, ix, i, &codes);
            if [row.maybe_text(0)?, row.maybe_text(1)?] != expected {
                wrong.push(format!("{} names another owner for {} than the graph", layer.name, owned.id(ix)));
            }
            ix += 1;
            Ok(())
        })
        .await?;
        wrong.into_iter().for_each(|what| report.defect("owner", &view.name, what));
    }
    Ok(())
}

/// In a GeoPackage, that the index has exactly the rows that have a place.
async fn check_index(tx: &mut Tx, report: &mut CheckReport, subject: &str, table: &str) -> Result<(), Error> {
    if tx.is_postgis() {
        return Ok(());
    }
    let (q, rtree) = (quoted(table), quoted(&format!("rtree_{table}_geom")));
    let sql = format!(
        "select (select count(*) from {rtree} where id not in (select fid from {q})), \
         (select count(*) from {q} where fid not in (select id from {rtree}) and substr(geom, 4, 1) not in (x'11', x'13'))"
    );
    match tx.row(sql, vec![]).await {
        Ok(Some(row)) => {
            let (extra, missing) = (row.int(0)?, row.int(1)?);
            if extra + missing > 0 {
                report.defect(
                    "index",
                    subject,
                    format!("the index of {table} has {extra} rows too many and lacks {missing}"),
                );
            }
        }
        Ok(None) => {}
        Err(e) => report.defect("index", subject, format!("the index of {table} can't be read: {e}")),
    }
    Ok(())
}
