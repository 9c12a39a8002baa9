//! What became of one area over all revisions, read from the rows that were ever its own.
//!
//! ```text
//!   area   ──────┬─────────┬──▶      every row has a life, from one revision to another;
//!   face   ──┬───┴──┬──────┬──▶      ground is what lies beside the borders with the area
//!   border ──┴──────┴──────┴──▶      on one side only, as long as that is so
//! ```
//!
//! Invariant: what is said of a revision is what its coverage says, though none is made:
//! the cost is that of the area's own rows. It must not know what a request looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use boundaries::{Bounds, Ground, Point};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::revisions::numbered;
use super::sql::{Arg, Row, Tx};
use super::{Error, Kinship, Store, blob};

/// What was said of an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Its name.
    pub name: Arc<str>,
    /// The name of its level.
    pub level: Option<Arc<str>>,
    /// The code of its parent.
    pub parent: Option<Arc<str>>,
    /// Its kind.
    pub kind: Arc<str>,
    /// Its ground in square metres, with what lies below it.
    pub area_m2: f64,
}

/// A revision that changed what was said of an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Past {
    /// Its number.
    pub revision: u64,
    /// From when it is in force.
    pub effective: Option<Timestamp>,
    /// Who published it.
    pub author: String,
    /// What it changed, in the author's words.
    pub summary: String,
    /// What is said of the area since; `None` where it is gone.
    pub told: Option<Told>,
    /// How the area came to be, or passed on ground, by the lineage; ascending.
    pub kinds: Vec<Kinship>,
}

/// From the revision that began a row to the one that ended it.
type Life = Range<u64>;
/// Lives of many, by id.
type Lives = FxHashMap<u32, Vec<Life>>;
/// Parts of a border's life in which the ground lies on one side of it alone: with whether
/// that is the left one.
type OneSided = Vec<(Life, bool)>;

/// A row of an area that had the code.
struct Own {
    id: u32,
    name: Arc<str>,
    level: usize,
    parent: Option<u32>,
    kind: Arc<str>,
    life: Life,
}

/// So many keys are looked for at once.
const AT_ONCE: usize = 500;

impl Store {
    /// The revisions that changed what is said of the area of a code, ascending; none where
    /// no area ever had it.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn history(&self, coverage: &str, code: &str) -> Result<Vec<Past>, Error> {
        let mut tx = self.reading().await?;
        let own = own(&mut tx, coverage, code).await?;
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let parents: BTreeSet<u32> = own.iter().filter_map(|o| o.parent).collect();
        let parents = codes(&mut tx, coverage, &parents.into_iter().collect::<Vec<_>>()).await?;
        let ground = ground(&mut tx, coverage, &own).await?;
        let renamed = renamed_levels(&mut tx, coverage).await?;
        let mut kinds = kinds(&mut tx, coverage, code).await?;

        let lives = own.iter().map(|o| &o.life).chain(parents.values().flatten().map(|(life, _)| life));
        let ends = lives.flat_map(|life| [life.start, life.end]).filter(|end| *end != u64::MAX);
        let numbers: BTreeSet<u64> = ends.chain(ground.keys().copied()).chain(renamed).collect();
        let revisions = numbered(&mut tx, &numbers.into_iter().collect::<Vec<_>>()).await?;

        let (mut all, mut units) = (Vec::<Past>::new(), 0i128);
        for revision in revisions {
            units += ground.get(&revision.number).copied().unwrap_or(0);
            let told = own.iter().find(|o| o.life.contains(&revision.number)).map(|o| Told {
                name: o.name.clone(),
                level: revision.levels.get(o.level).cloned(),
                parent: o.parent.and_then(|id| {
                    let codes = parents.get(&id)?;
                    codes.iter().find(|(life, _)| life.contains(&revision.number)).map(|(_, code)| code.clone())
                }),
                kind: o.kind.clone(),
                area_m2: (units as f64 / UNITS_A_M2 * 100.0).round() / 100.0,
            });
            if all.last().map_or(told.is_none(), |last| last.told == told) {
                continue;
            }
            all.push(Past {
                revision: revision.number,
                effective: revision.effective,
                author: revision.author,
                summary: revision.summary,
                told,
                kinds: kinds.remove(&revision.number).unwrap_or_default(),
            });
        }
        Ok(all)
    }
}

async fn own(tx: &mut Tx, coverage: &str, code: &str) -> Result<Vec<Own>, Error> {
    let sql = "select id, name, level, parent, kind, from_revision, to_revision from area \
               where coverage = $1 and code = $2 order by from_revision";
    let rows = tx.rows(sql, vec![coverage.into(), code.into()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Own {
                id: row.id(0)?,
                name: row.str(1)?.into(),
                level: usize::try_from(row.int(2)?).unwrap_or(usize::MAX),
                parent: row.maybe_id(3)?,
                kind: row.str(4)?.into(),
                life: life(row, 5)?,
            })
        })
        .collect()
}

/// The codes that some areas had, and when.
async fn codes(tx: &mut Tx, coverage: &str, ids: &[u32]) -> Result<FxHashMap<u32, Vec<(Life, Arc<str>)>>, Error> {
    let mut codes: FxHashMap<u32, Vec<(Life, Arc<str>)>> = FxHashMap::default();
    rows_of(tx, "id, code, from_revision, to_revision", "area", ("id", ids), coverage, |row| {
        codes.entry(row.id(0)?).or_default().push((life(row, 2)?, row.str(1)?.into()));
        Ok(())
    })
    .await?;
    Ok(codes)
}

/// The revisions from which on levels have other names.
async fn renamed_levels(tx: &mut Tx, coverage: &str) -> Result<Vec<u64>, Error> {
    let sql = "select number from (select number, levels, lag(levels) over (order by number) as earlier \
               from revision where coverage = $1) as named where levels <> earlier";
    let rows = tx.rows(sql, vec![coverage.into()]).await?;
    rows.iter().map(|row| Ok(row.int(0)? as u64)).collect()
}

/// What the lineage has of an area, by revision.
async fn kinds(tx: &mut Tx, coverage: &str, code: &str) -> Result<FxHashMap<u64, Vec<Kinship>>, Error> {
    let sql = "select revision, kind from lineage where coverage = $1 and from_code = $2 \
               union select revision, kind from lineage where coverage = $1 and to_code = $2";
    let mut kinds: FxHashMap<u64, Vec<Kinship>> = FxHashMap::default();
    for row in tx.rows(sql, vec![coverage.into(), code.into()]).await? {
        kinds.entry(row.int(0)? as u64).or_default().push(Kinship::named(row.str(1)?)?);
    }
    kinds.values_mut().for_each(|kinds| kinds.sort_unstable());
    Ok(kinds)
}

/// Square metres are summed as whole millionths: then order doesn't matter, and what comes
/// and goes again leaves nothing.
const UNITS_A_M2: f64 = 1e6;

/// By how much the ground of an area grows with each revision.
async fn ground(tx: &mut Tx, coverage: &str, own: &[Own]) -> Result<BTreeMap<u64, i128>, Error> {
    let mut areas = Lives::default();
    for o in own {
        areas.entry(o.id).or_default().push(o.life.clone());
    }
    // Downwards to all areas below it; levels only ever go down.
    let mut above: Vec<u32> = areas.keys().copied().collect();
    while !above.is_empty() {
        let mut below = Lives::default();
        let columns = "id, parent, from_revision, to_revision";
        rows_of(tx, columns, "area", ("parent", &above), coverage, |row| {
            let lives = shared(&areas, row.id(1)?, &life(row, 2)?);
            if !lives.is_empty() {
                below.entry(row.id(0)?).or_default().extend(lives);
            }
            Ok(())
        })
        .await?;
        above = below.keys().copied().collect();
        for (id, lives) in below {
            areas.entry(id).or_default().extend(lives);
        }
    }
    let mut faces = Lives::default();
    let ids: Vec<u32> = areas.keys().copied().collect();
    rows_of(tx, "id, area, from_revision, to_revision", "face", ("area", &ids), coverage, |row| {
        let lives = shared(&areas, row.id(1)?, &life(row, 2)?);
        faces.entry(row.id(0)?).or_default().extend(lives);
        Ok(())
    })
    .await?;

    // When each border had the area on one side only, and on which.
    let mut rim: FxHashMap<(u32, u64), OneSided> = FxHashMap::default();
    let ids: Vec<u32> = faces.keys().copied().collect();
    for side in ["\"left\"", "\"right\""] {
        let columns = "id, \"left\", \"right\", from_revision, to_revision";
        rows_of(tx, columns, "border", (side, &ids), coverage, |row| {
            let life = life(row, 3)?;
            let parts = one_sided(&faces, row.id(1)?, row.id(2)?, &life);
            if !parts.is_empty() {
                rim.insert((row.id(0)?, life.start), parts);
            }
            Ok(())
        })
        .await?;
    }
    let mut lines: Vec<(&OneSided, Arc<[Point]>)> = Vec::with_capacity(rim.len());
    let mut ids: Vec<u32> = rim.keys().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    rows_of(tx, "id, from_revision, line", "border", ("id", &ids), coverage, |row| {
        if let Some(parts) = rim.get(&(row.id(0)?, row.int(1)? as u64)) {
            lines.push((parts, blob::line(row.blob(2)?)?));
        }
        Ok(())
    })
    .await?;

    let bounds = Bounds::of(lines.iter().flat_map(|(_, line)| line.iter().copied()));
    let measure = Ground::between(bounds.min.y, bounds.max.y.max(bounds.min.y));
    let mut changes: BTreeMap<u64, i128> = BTreeMap::new();
    for (parts, line) in lines {
        let m2: f64 = line.windows(2).map(|w| measure.beside_m2(w[0], w[1])).sum();
        let units = (m2 * UNITS_A_M2).round() as i128;
        for (life, is_left) in parts {
            let units = if *is_left { units } else { -units };
            *changes.entry(life.start).or_default() += units;
            if life.end != u64::MAX {
                *changes.entry(life.end).or_default() -= units;
            }
        }
    }
    Ok(changes)
}

fn one_sided(faces: &Lives, left: u32, right: u32, life: &Life) -> OneSided {
    let [left, right] = [left, right].map(|face| shared(faces, face, life));
    let mut cuts: Vec<u64> = left.iter().chain(&right).flat_map(|l| [l.start, l.end]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let holds = |lives: &[Life], at: u64| lives.iter().any(|l| l.contains(&at));
    let parts = cuts.windows(2).map(|w| (w[0]..w[1], holds(&left, w[0]), holds(&right, w[0])));
    parts.filter(|(_, l, r)| l != r).map(|(life, l, _)| (life, l)).collect()
}

/// The parts of a life that fall into those of an id.
fn shared(lives: &Lives, id: u32, life: &Life) -> Vec<Life> {
    let all = lives.get(&id).map_or(&[][..], |lives| lives);
    let common = all.iter().map(|l| l.start.max(life.start)..l.end.min(life.end));
    common.filter(|l| l.start < l.end).collect()
}

fn life(row: &Row<'_>, at: usize) -> Result<Life, Error> {
    Ok(row.int(at)? as u64..row.maybe_int(at + 1)?.map_or(u64::MAX, |to| to as u64))
}

/// Hands over the rows of a table in which a column is one of some ids.
async fn rows_of(
    tx: &mut Tx,
    columns: &str,
    table: &str,
    (column, ids): (&str, &[u32]),
    coverage: &str,
    mut each: impl FnMut(&Row<'_>) -> Result<(), Error> + Send,
) -> Result<(), Error> {
    for ids in ids.chunks(AT_ONCE) {
        let places: Vec<String> = (2..ids.len() + 2).map(|i| format!("${i}")).collect();
        let places = places.join(", ");
        let sql = format!("select {columns} from {table} where coverage = $1 and {column} in ({places})");
        let args = std::iter::once(coverage.into()).chain(ids.iter().map(|id| Arg::from(*id)));
        tx.each(sql, args.collect(), |row| each(&row)).await?;
    }
    Ok(())
}
