//! A layer is made equal to a file: what is new is added, what differs is changed,
//! what the file lacks is removed, and what is equal is not touched.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::layers::{self, LayerInfo, Record};
use super::sql::{Arg, Tx};
use super::{Error, Store, blob, events, log_change, names, revisions};
use crate::feature::{Feature, Value};
use crate::snapshot::{CoverageView, Field, Layer, Table, fitted};

/// How a sync is to be done.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// The share of the present features, in percent, that may vanish.
    pub max_removed_percent: f64,
    /// Only count.
    pub dry_run: bool,
}

/// What a sync did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SyncCounts {
    /// Features that were not there.
    pub added: usize,
    /// Features that differed.
    pub changed: usize,
    /// Features that are no longer there.
    pub removed: usize,
    /// Features that were equal.
    pub unchanged: usize,
    /// Features that a border of the default coverage cuts.
    pub cut: usize,
}

/// Up to so many features are logged one by one, so that a service can follow them
/// without reading the whole layer again.
const LOGGED_ONE_BY_ONE: usize = 256;

impl Store {
    /// Makes a layer equal to `features`; makes the layer where there is none. The
    /// fields are those named and whatever else the features have.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRemoved`]; [`Error::Refused`] for two features with one id.
    pub async fn sync_layer(
        &self,
        name: &str,
        fields: &[Field],
        features: Vec<Feature>,
        options: &SyncOptions,
    ) -> Result<SyncCounts, Error> {
        let features: Vec<Feature> = features.into_iter().map(canonical).collect();
        one_each(name, &features)?;
        let mut wanted = fields.to_vec();
        merge_fields(&mut wanted, &Table::fields_of(features.iter().map(|f| &f.properties)));

        let mut tx = if options.dry_run { self.reading().await? } else { self.writing().await? };
        events::guard(&mut tx, name, None).await?;
        let now = Timestamp::now();
        if !options.dry_run {
            super::derive::settle(&mut tx, now, None).await?;
        }
        let views = super::load::views(&mut tx, now).await?;
        let before = layers::layer(&mut tx, name).await?;
        let old_fields = before.as_ref().map_or(&[][..], |l| &l.fields);
        merge_fields(&mut wanted, old_fields);
        // A field that has become wider than its column: the table is made anew.
        let must_be_remade = old_fields.iter().any(|f| wanted.iter().any(|w| w.name == f.name && w.kind != f.kind));

        let old = match &before {
            Some(layer) => layers::table(&mut tx, layer, "", vec![]).await?,
            None => Table::default(),
        };
        let plan = compare(&old, &features, &wanted);
        let counts = SyncCounts {
            added: plan.added.len(),
            changed: plan.changed.len(),
            removed: plan.removed.len(),
            unchanged: plan.unchanged,
            cut: 0,
        };
        if counts.removed as f64 * 100.0 > options.max_removed_percent * old.len() as f64 {
            return Err(Error::TooManyRemoved {
                what: format!("features of layer {name}"),
                removed: counts.removed,
                before: old.len(),
                allowed_percent: options.max_removed_percent,
            });
        }
        names::checked("layer", name)?;

        let next_number = before.as_ref().map_or(1, |l| l.next_number);
        let layer_views = views.clone();
        let layer_name = name.to_owned();
        let new = tokio::task::spawn_blocking(move || Layer::new(&layer_name, features, &layer_views))
            .await
            .map_err(|e| Error::Refused(format!("the owners could not be worked out: {e}")))?;
        let counts = SyncCounts { cut: new.cut(0).len(), ..counts };
        let is_equal = counts.added + counts.changed + counts.removed == 0;
        if options.dry_run || (is_equal && before.is_some() && !must_be_remade && wanted.len() == old_fields.len()) {
            return Ok(counts);
        }

        let coverages = revisions::coverages(&mut tx).await?;
        let mut layer = match before {
            Some(layer) if !must_be_remade => layer,
            Some(layer) => {
                layers::drop_table(&mut tx, &layer.table).await?;
                tx.run("delete from layer_field where layer = $1", vec![name.into()]).await?;
                tx.run("delete from layer where name = $1", vec![name.into()]).await?;
                layers::create(&mut tx, name, &wanted, &coverages).await?
            }
            None => layers::create(&mut tx, name, &wanted, &coverages).await?,
        };
        layers::add_fields(&mut tx, &mut layer, &wanted).await?;

        let mut rows: Vec<(u32, usize)> = Vec::new();
        if must_be_remade {
            rows.extend(plan.kept.iter().map(|(number, ix)| (*number, *ix)));
        } else {
            let gone = plan.removed.iter().chain(plan.changed.iter().map(|(number, _)| number));
            let gone: Vec<i64> = gone.map(|n| i64::from(*n)).collect();
            layers::delete(&mut tx, &layer.table, &gone).await?;
        }
        rows.extend(plan.changed.iter().copied());
        rows.extend(plan.added.iter().enumerate().map(|(i, ix)| (next_number + i as u32, *ix)));
        insert(&mut tx, &layer, &new, &rows, &views).await?;
        let next = next_number + plan.added.len() as u32;
        tx.run("update layer set next_number = $2 where name = $1", vec![name.into(), next.into()]).await?;

        let touched: BTreeSet<String> = plan
            .removed
            .iter()
            .filter_map(|n| old.row_of(*n).and_then(|row| old.id(row)).map(str::to_owned))
            .chain(rows.iter().map(|(_, ix)| new.id(*ix).to_owned()))
            .collect();
        if touched.len() <= LOGGED_ONE_BY_ONE && !must_be_remade {
            for id in &touched {
                log_change(&mut tx, now, None, Some(name), Some(id)).await?;
            }
        } else {
            log_change(&mut tx, now, None, Some(name), None).await?;
        }
        tx.commit().await?;
        Ok(counts)
    }
}

/// Inserts features of a layer, each under its number, with their owners.
pub(super) async fn insert(
    tx: &mut Tx,
    layer: &LayerInfo,
    new: &Layer,
    rows: &[(u32, usize)],
    views: &[Arc<CoverageView>],
) -> Result<(), Error> {
    let mut columns: Vec<String> = vec!["id".into()];
    columns.extend(layer.columns.iter().cloned());
    columns.extend(views.iter().flat_map(|v| names::owner_columns(&v.name)));
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let places: Vec<Option<usize>> = layer.fields.iter().map(|f| new.field(&f.name)).collect();
    // By place: a closure over references would keep the future from being sent between threads.
    let records = (0..rows.len()).filter_map(|at| {
        let (number, ix) = rows[at];
        let mut values = Vec::with_capacity(columns.len());
        values.push(Arg::from(new.id(ix)));
        for (field, place) in layer.fields.iter().zip(&places) {
            let value = place.map_or(Value::Null, |p| new.value(ix, p).to_value());
            values.push(layers::value_arg(&fitted(&value, field.kind).unwrap_or(Value::Null), field.kind));
        }
        for (i, view) in views.iter().enumerate() {
            let codes = |id| view.coverage.area(id).map(|a| a.code.clone());
            values.extend(layers::owner_args(new, ix, i, &codes).map(Arg::Text));
        }
        Some(Record { number, geometry: new.geometry(ix)?.to_geometry(), values })
    });
    layers::insert(tx, &layer.table, &columns, blob::Parts::AsTheyAre, records).await
}

/// What a sync must do. Features are named by their place in the new list, rows by
/// their number.
struct Plan {
    added: Vec<usize>,
    changed: Vec<(u32, usize)>,
    removed: Vec<u32>,
    kept: Vec<(u32, usize)>,
    unchanged: usize,
}

fn compare(old: &Table, new: &[Feature], fields: &[Field]) -> Plan {
    let by_id: FxHashMap<&str, usize> = (0..old.len()).filter_map(|row| Some((old.id(row)?, row))).collect();
    let mut seen = vec![false; old.len()];
    let mut plan = Plan { added: vec![], changed: vec![], removed: vec![], kept: vec![], unchanged: 0 };
    for (ix, feature) in new.iter().enumerate() {
        let row = by_id.get(&*feature.id).copied();
        let Some((row, number)) = row.and_then(|row| Some((row, old.number(row)?))) else {
            plan.added.push(ix);
            continue;
        };
        seen[row] = true;
        if is_same(old, row, feature, fields) {
            plan.unchanged += 1;
            plan.kept.push((number, ix));
        } else {
            plan.changed.push((number, ix));
        }
    }
    plan.removed = (0..old.len()).filter(|row| !seen[*row]).filter_map(|row| old.number(row)).collect();
    plan
}

fn is_same(old: &Table, row: usize, feature: &Feature, fields: &[Field]) -> bool {
    let Some(was) = old.feature(row) else { return false };
    let value = |f: &Feature, field: &Field| {
        let value = f.properties.iter().find(|(name, _)| *name == field.name).map_or(&Value::Null, |(_, v)| v);
        fitted(value, field.kind)
    };
    was.geometry == feature.geometry && fields.iter().all(|field| value(&was, field) == value(feature, field))
}

/// The fields of both, each as wide as its wider one.
pub(super) fn merge_fields(fields: &mut Vec<Field>, more: &[Field]) {
    for field in more {
        match fields.iter_mut().find(|f| f.name == field.name) {
            Some(known) => known.kind = known.kind.with(field.kind),
            None => fields.push(field.clone()),
        }
    }
}

/// The feature as it will come back: rings open, no character that a database can't
/// keep, and numbers that are numbers.
pub(super) fn canonical(mut feature: Feature) -> Feature {
    feature.geometry = blob::opened(feature.geometry);
    let clean = |text: &Arc<str>| text.contains('\0').then(|| text.replace('\0', "\u{fffd}").into());
    if let Some(id) = clean(&feature.id) {
        feature.id = id;
    }
    for (name, value) in &mut feature.properties {
        if let Some(clean) = clean(name) {
            *name = clean;
        }
        match value {
            Value::Text(text) => {
                if let Some(clean) = clean(text) {
                    *text = clean;
                }
            }
            Value::Real(r) if !r.is_finite() => *value = Value::Null,
            _ => {}
        }
    }
    feature
}

fn one_each(layer: &str, features: &[Feature]) -> Result<(), Error> {
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    for (i, feature) in features.iter().enumerate() {
        if let Some(first) = seen.insert(&feature.id, i) {
            return Err(Error::Refused(format!(
                "layer {layer}: features {} and {} have one id, {:?}",
                first + 1,
                i + 1,
                feature.id
            )));
        }
    }
    Ok(())
}
