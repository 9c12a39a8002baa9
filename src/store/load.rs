//! From the truth to a snapshot that answers.
//!
//! What a previous snapshot has and no change has touched is shared with it. The rest
//! is read over a few connections at once; they must all see the same state, so each
//! says which one it sees, and the load begins again where they differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::layers::{self, LayerInfo};
use super::revisions::{self, Revision, revisions};
use super::sql::{Arg, Tx};
use super::{Error, State, Store, derive, follow, state};
use crate::snapshot::{Course, CoverageView, Layer, Moment, Snapshot, Table, Timeline};

/// A layer with more changed features than this is read as a whole.
const FOLLOWED_MAX: usize = 1024;
/// A layer with fewer rows than this is read over one connection.
const SPLIT_MIN: i64 = 20_000;
/// How often a load begins again because the store changed under it.
const ATTEMPTS: usize = 8;

/// What was changed in a layer since a snapshot.
#[derive(Debug)]
enum LayerChange {
    Features(Vec<String>),
    All,
}

impl Store {
    /// The state in force at `now`: every coverage and every layer. What did not
    /// change since `previous` is shared with it.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where the records are not those that were published.
    pub async fn load(&self, previous: Option<&Snapshot>, now: Timestamp) -> Result<Snapshot, Error> {
        for _ in 0..ATTEMPTS {
            if let Some(snapshot) = self.try_load(previous, now).await? {
                return Ok(snapshot);
            }
        }
        Err(Error::Busy)
    }

    /// The coverages as of a moment, over the features of `present`. Those that did
    /// not exist then are left out.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn load_at(&self, present: &Snapshot, moment: Moment) -> Result<Snapshot, Error> {
        let mut tx = self.reading().await?;
        let wanted = at_moment(&mut tx, moment).await?;
        let coverages = views_of(&mut tx, wanted, &present.coverages).await?;
        drop(tx);
        let present = present.clone();
        blocking(move || present.over(coverages)).await
    }

    /// When the next scheduled revision takes effect.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn next_effective(&self, after: Timestamp) -> Result<Option<Timestamp>, Error> {
        let all = revisions(&mut self.reading().await?, None).await?;
        Ok(all.iter().filter_map(|r| r.effective).filter(|e| *e > after).min())
    }

    /// The state of a revision, made from another one of its coverage where that is held.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); [`Error::Damaged`] where there is no such revision.
    pub async fn view(&self, number: u64, held: Option<Arc<CoverageView>>) -> Result<Arc<CoverageView>, Error> {
        let mut tx = self.reading().await?;
        let wanted = revisions::numbered(&mut tx, &[number]).await?;
        let held: Vec<_> = held.into_iter().collect();
        let view = views_of(&mut tx, wanted, &held).await?.pop();
        view.ok_or_else(|| Error::Damaged(format!("revision {number} is gone")))
    }

    async fn try_load(&self, previous: Option<&Snapshot>, now: Timestamp) -> Result<Option<Snapshot>, Error> {
        let mut tx = self.reading().await?;
        let state = state(&mut tx).await?;
        let previous = previous.filter(|p| *p.epoch == state.epoch && p.change <= state.change);
        let changes = match previous {
            Some(previous) => changes_since(&mut tx, previous.change).await?,
            None => FxHashMap::default(),
        };
        let infos = layers::layers(&mut tx).await?;
        let mut loading: Vec<(LayerInfo, Loading)> = Vec::new();
        for info in infos {
            let before = previous.and_then(|p| p.layers.get(&info.name)).cloned();
            let how = match (before, changes.get(&*info.name)) {
                (Some(before), None) => Loading::Same(before),
                (Some(before), Some(LayerChange::Features(ids))) => {
                    let (put, removed) = features(&mut tx, &info, ids).await?;
                    Loading::Changed(before, put, removed)
                }
                _ => Loading::Anew(self.start_reading(&mut tx, &info, &state).await?),
            };
            loading.push((info, how));
        }
        let all = revisions(&mut tx, None).await?;
        let names = revisions::coverages(&mut tx).await?;
        let timeline = Arc::new(timeline(&names, &all));
        let wanted = in_force(&names, &all, Moment::At(now));
        let shared = previous.map_or(&[][..], |p| &p.coverages);
        let coverages = views_of(&mut tx, wanted, shared).await?;
        drop(tx);

        let mut layers = BTreeMap::new();
        for (info, how) in loading {
            let name = info.name.clone();
            let how = match how {
                Loading::Anew(parts) => match finish_reading(parts).await? {
                    Some(table) => Read::Table(Box::new(table)),
                    None => return Ok(None),
                },
                Loading::Same(layer) => Read::Layer(layer),
                Loading::Changed(before, put, removed) => {
                    Read::Layer(Arc::new(before.updated(state.change, &put, &removed)))
                }
            };
            let (views, layer_name) = (coverages.clone(), name.clone());
            let layer = blocking(move || layer_of(&layer_name, how, state.change, &views)).await?;
            layers.insert(name, layer);
        }
        let revision = coverages.iter().map(|c| c.revision).max().unwrap_or(0);
        let (epoch, change) = (state.epoch.into(), state.change);
        Ok(Some(Snapshot { epoch, revision, change, timeline, coverages, layers }))
    }

    /// Begins to read a whole layer, in ranges of its numbers.
    async fn start_reading(&self, tx: &mut Tx, info: &LayerInfo, expected: &State) -> Result<Vec<Part>, Error> {
        let sql = format!("select min(fid), max(fid), count(*) from {}", super::sql::quoted(&info.table));
        let row = tx.row(sql, vec![]).await?;
        let (low, high, count) = match &row {
            Some(row) => (row.maybe_int(0)?.unwrap_or(0), row.maybe_int(1)?.unwrap_or(0), row.int(2)?),
            None => (0, 0, 0),
        };
        let parts = if count < SPLIT_MIN { 1 } else { self.readers() as i64 };
        let step = (high - low) / parts + 1;
        Ok((0..parts)
            .map(|i| {
                let (store, info, expected) = (self.clone(), info.clone(), expected.clone());
                let range = vec![Arg::from(low + i * step), Arg::from(low + (i + 1) * step)];
                tokio::spawn(async move {
                    let mut tx = store.reading().await?;
                    if state(&mut tx).await? != expected {
                        return Ok(None);
                    }
                    layers::table(&mut tx, &info, "where fid >= $1 and fid < $2 order by fid", range).await.map(Some)
                })
            })
            .collect())
    }
}

type Part = tokio::task::JoinHandle<Result<Option<Table>, Error>>;
type Features = (Vec<(u32, crate::feature::Feature)>, Vec<Arc<str>>);

enum Loading {
    Same(Arc<Layer>),
    Changed(Arc<Layer>, Vec<(u32, crate::feature::Feature)>, Vec<Arc<str>>),
    Anew(Vec<Part>),
}

enum Read {
    Table(Box<Table>),
    Layer(Arc<Layer>),
}

fn layer_of(name: &str, read: Read, change: u64, views: &[Arc<CoverageView>]) -> Arc<Layer> {
    match read {
        Read::Table(table) => Arc::new(Layer::from_table(name, table.along_curve(), change, views)),
        Read::Layer(layer) if layer.is_over(views) && !layer.is_ragged() => layer,
        Read::Layer(layer) if layer.is_over(views) => Arc::new(layer.compacted()),
        Read::Layer(layer) => Arc::new(layer.reowned(views).settled()),
    }
}

/// The whole layer; `None` where a part saw another state.
async fn finish_reading(parts: Vec<Part>) -> Result<Option<Table>, Error> {
    let mut whole: Option<Table> = None;
    for part in parts {
        let Some(table) = part.await.map_err(gone)?? else { return Ok(None) };
        match &mut whole {
            None => whole = Some(table),
            Some(whole) => whole.append(&table),
        }
    }
    Ok(Some(whole.unwrap_or_default()))
}

fn gone(e: tokio::task::JoinError) -> Error {
    Error::Refused(format!("the load was broken off: {e}"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(gone)
}

async fn changes_since(tx: &mut Tx, change: u64) -> Result<FxHashMap<String, LayerChange>, Error> {
    let sql = "select layer, feature from change where seq > $1 and layer is not null order by seq";
    let mut changes: FxHashMap<String, LayerChange> = FxHashMap::default();
    tx.each(sql, vec![change.into()], |row| {
        let entry = changes.entry(row.text(0)?).or_insert_with(|| LayerChange::Features(Vec::new()));
        match (row.maybe_text(1)?, &mut *entry) {
            (Some(id), LayerChange::Features(ids)) if ids.len() < FOLLOWED_MAX => ids.push(id),
            _ => *entry = LayerChange::All,
        }
        Ok(())
    })
    .await?;
    Ok(changes)
}

/// The features of some ids as they stand now, and which of the ids are gone.
async fn features(tx: &mut Tx, info: &LayerInfo, ids: &[String]) -> Result<Features, Error> {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut put = Vec::new();
    for ids in ids.chunks(200) {
        let places: Vec<String> = (1..=ids.len()).map(|i| format!("${i}")).collect();
        let condition = format!("where id in ({})", places.join(", "));
        let table = layers::table(tx, info, &condition, ids.iter().map(|id| Arg::from(*id)).collect()).await?;
        put.extend((0..table.len()).filter_map(|row| table.number(row).zip(table.feature(row))));
    }
    let removed = ids.iter().filter(|id| !put.iter().any(|(_, f)| *f.id == ***id)).map(|id| (*id).into()).collect();
    Ok((put, removed))
}

/// The revision of each coverage that a moment means, in the order of the coverages.
async fn at_moment(tx: &mut Tx, moment: Moment) -> Result<Vec<Revision>, Error> {
    let all = revisions(tx, None).await?;
    let names = revisions::coverages(tx).await?;
    Ok(in_force(&names, &all, moment))
}

fn in_force(names: &[Arc<str>], all: &[Revision], moment: Moment) -> Vec<Revision> {
    let numbers = timeline(names, all).numbers_at(moment);
    numbers.iter().filter_map(|number| all.iter().find(|r| r.number == *number).cloned()).collect()
}

fn timeline(names: &[Arc<str>], all: &[Revision]) -> Timeline {
    let course = |name: &Arc<str>| -> Course {
        all.iter().filter(|r| r.coverage == *name).map(|r| (r.number, r.effective)).collect()
    };
    Timeline::new(names.iter().map(course).collect())
}

/// Readable coverages of some revisions; those in `shared` are not made again, and
/// what an edit left alone is shared with the one before.
async fn views_of(
    tx: &mut Tx,
    wanted: Vec<Revision>,
    shared: &[Arc<CoverageView>],
) -> Result<Vec<Arc<CoverageView>>, Error> {
    let mut views = Vec::with_capacity(wanted.len());
    for revision in wanted {
        let before = shared.iter().find(|view| view.name == revision.coverage);
        if let Some(same) = before.filter(|view| view.revision == revision.number) {
            views.push(same.clone());
            continue;
        }
        let followed = match before {
            Some(before) => follow::coverage(tx, (before.revision, &before.coverage), &revision)
                .await?
                .map(|coverage| (before.clone(), coverage)),
            None => None,
        };
        let view = match followed {
            Some((before, next)) => blocking(move || before.updated(next, revision.number, revision.effective)).await?,
            None => {
                let coverage = revisions::coverage(tx, &revision).await?;
                let name = revision.coverage.clone();
                blocking(move || CoverageView::new(name, coverage, revision.number, revision.effective)).await?
            }
        };
        views.push(Arc::new(view));
    }
    Ok(views)
}

/// The coverages in force at `now`.
pub(super) async fn views(tx: &mut Tx, now: Timestamp) -> Result<Vec<Arc<CoverageView>>, Error> {
    let wanted = at_moment(tx, Moment::At(now)).await?;
    views_of(tx, wanted, &[]).await
}

/// The coverages that the stored owners are of.
pub(super) async fn derived_views(tx: &mut Tx) -> Result<Vec<Arc<CoverageView>>, Error> {
    let all = revisions(tx, None).await?;
    let derived = derive::derived_revisions(tx).await?;
    let wanted = derived.iter().filter_map(|(_, number)| all.iter().find(|r| r.number == *number).cloned());
    views_of(tx, wanted.collect(), &[]).await
}
