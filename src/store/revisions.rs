//! The published states: their list, which is in force when, and the graph of each.

use std::sync::Arc;

use boundaries::{Area, AreaId, BorderId, BorderRecord, Coverage, FaceId, FaceRecord, FreeIds, Level};
use jiff::Timestamp;
use rustc_hash::FxHashSet;

use super::sql::{Arg, Row, Tx};
use super::{Error, Store, blob, digest, follow};
use crate::snapshot::Moment;

/// A published state of one coverage.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Revision {
    /// Its number, over all coverages.
    pub number: u64,
    /// The coverage that it is a state of.
    pub coverage: Arc<str>,
    /// The names of the levels, topmost first.
    pub levels: Arc<[Arc<str>]>,
    /// From when it is in force; `None` for the first, which reaches back without limit.
    pub effective: Option<Timestamp>,
    /// When it was published.
    pub published_at: Timestamp,
    /// Who published it.
    pub author: String,
    /// What it changed, in the author's words.
    pub summary: String,
    /// SHA-256 over its records.
    pub digest: String,
}

impl Store {
    /// All revisions of all coverages, ascending.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn revisions(&self) -> Result<Vec<Revision>, Error> {
        revisions(&mut self.reading().await?, None).await
    }

    /// The last published revision of a coverage, in force or not.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn head(&self, coverage: &str) -> Result<Option<Revision>, Error> {
        Ok(revisions(&mut self.reading().await?, Some(coverage)).await?.pop())
    }

    /// The coverages by name, the default one first.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn coverages(&self) -> Result<Vec<Arc<str>>, Error> {
        coverages(&mut self.reading().await?).await
    }

    /// A coverage at a moment, proved by its digest; `None` where there was none.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where the records are not those that were published.
    pub async fn coverage(&self, name: &str, moment: Moment) -> Result<Option<(Revision, Coverage)>, Error> {
        let mut tx = self.reading().await?;
        let all = revisions(&mut tx, Some(name)).await?;
        let Some(revision) = at(&all, moment) else { return Ok(None) };
        let coverage = coverage(&mut tx, revision).await?;
        Ok(Some((revision.clone(), coverage)))
    }

    /// The graph of a revision, proved by its digest. Where another one of its coverage is
    /// held, with its number, only what differs from that is read.
    ///
    /// # Errors
    ///
    /// As [`coverage`](Self::coverage).
    pub async fn graph(&self, revision: &Revision, held: Option<(u64, &Coverage)>) -> Result<Coverage, Error> {
        let mut tx = self.reading().await?;
        if let Some(held) = held
            && let Some(coverage) = follow::coverage(&mut tx, held, revision).await?
        {
            return Ok(coverage);
        }
        coverage(&mut tx, revision).await
    }

    /// The last published state of a coverage, in force or not: what a change is made on.
    ///
    /// # Errors
    ///
    /// As [`coverage`](Self::coverage).
    pub async fn head_coverage(&self, name: &str) -> Result<Option<(Revision, Coverage)>, Error> {
        let mut tx = self.reading().await?;
        let Some(head) = revisions(&mut tx, Some(name)).await?.pop() else { return Ok(None) };
        let coverage = coverage(&mut tx, &head).await?;
        Ok(Some((head, coverage)))
    }

    /// Every code that an area of a coverage had in any revision.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn used_codes(&self, coverage: &str) -> Result<FxHashSet<Arc<str>>, Error> {
        let mut used = FxHashSet::default();
        let sql = "select distinct code from area where coverage = $1";
        let mut tx = self.reading().await?;
        tx.each(sql, vec![coverage.into()], |row| {
            used.insert(row.str(0)?.into());
            Ok(())
        })
        .await?;
        Ok(used)
    }

    /// The first ids that no row of a coverage ever had, and the first such area id.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn free_ids(&self, coverage: &str) -> Result<(FreeIds, u32), Error> {
        let mut tx = self.reading().await?;
        let mut next = [0u32; 3];
        for (table, next) in ["border", "face", "area"].iter().zip(&mut next) {
            let sql = format!("select max(id) from {table} where coverage = $1");
            let row = tx.row(sql, vec![coverage.into()]).await?;
            *next = row.map(|r| r.maybe_id(0)).transpose()?.flatten().map_or(0, |id| id + 1);
        }
        let [border, face, area] = next;
        Ok((FreeIds { border, face: face.max(1) }, area))
    }
}

pub(super) async fn coverages(tx: &mut Tx) -> Result<Vec<Arc<str>>, Error> {
    let rows = tx.rows("select name from coverage order by position", vec![]).await?;
    rows.iter().map(|row| Ok(row.str(0)?.into())).collect()
}

pub(super) async fn revisions(tx: &mut Tx, coverage: Option<&str>) -> Result<Vec<Revision>, Error> {
    let sql = format!("{} where $1 is null or coverage = $1 order by number", select(tx));
    let sql = sql.replace("$1", "cast($1 as text)");
    let rows = tx.rows(sql, vec![Arg::Text(coverage.map(str::to_owned))]).await?;
    rows.iter().map(revision).collect()
}

/// The revisions of some numbers, ascending.
pub(super) async fn numbered(tx: &mut Tx, numbers: &[u64]) -> Result<Vec<Revision>, Error> {
    let mut all = Vec::with_capacity(numbers.len());
    for numbers in numbers.chunks(500) {
        let places: Vec<String> = (1..=numbers.len()).map(|i| format!("${i}")).collect();
        let sql = format!("{} where number in ({}) order by number", select(tx), places.join(", "));
        let rows = tx.rows(sql, numbers.iter().map(|n| Arg::from(*n)).collect()).await?;
        all.extend(rows.iter().map(revision).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(all)
}

fn select(tx: &Tx) -> String {
    format!(
        "select number, coverage, levels, {}, {}, author, summary, digest from revision",
        tx.time_text("effective"),
        tx.time_text("published_at"),
    )
}

fn revision(row: &Row<'_>) -> Result<Revision, Error> {
    let time = |text: &str| {
        text.parse::<Timestamp>().map_err(|_| Error::Damaged(format!("{text:?} is no time of a revision")))
    };
    let levels: Vec<Arc<str>> =
        serde_json::from_str(row.str(2)?).map_err(|_| Error::Damaged("the levels of a revision are no JSON".into()))?;
    Ok(Revision {
        number: row.int(0)? as u64,
        coverage: row.str(1)?.into(),
        levels: levels.into(),
        effective: row.maybe_str(3)?.map(time).transpose()?,
        published_at: time(row.str(4)?)?,
        author: row.text(5)?,
        summary: row.text(6)?,
        digest: row.text(7)?,
    })
}

/// The revision of one coverage that `moment` means; `all` are its revisions, ascending.
pub(super) fn at(all: &[Revision], moment: Moment) -> Option<&Revision> {
    match moment {
        Moment::At(time) => all.iter().rev().find(|r| r.effective.is_none_or(|from| from <= time)),
        Moment::Revision(number) => all.iter().rev().find(|r| r.number <= number),
    }
}

/// The columns of the tables of the graph, as [`area`], [`face`] and [`border`] read them.
pub(super) const AREA: &str = "id, code, name, level, parent, kind, attributes";
pub(super) const FACE: &str = "id, area";
pub(super) const BORDER: &str = "id, \"left\", \"right\", line";

pub(super) fn area(row: &Row<'_>) -> Result<(AreaId, Area), Error> {
    let level = u8::try_from(row.int(3)?).map_err(|_| Error::Damaged("a level is out of range".into()))?;
    let area = Area {
        code: row.str(1)?.into(),
        name: row.str(2)?.into(),
        level: Level(level),
        parent: row.maybe_id(4)?.map(AreaId),
        kind: row.str(5)?.into(),
        attributes: row.str(6)?.into(),
    };
    Ok((AreaId(row.id(0)?), area))
}

pub(super) fn face(row: &Row<'_>) -> Result<FaceRecord, Error> {
    Ok(FaceRecord { id: FaceId(row.id(0)?), owner: row.maybe_id(1)?.map(AreaId) })
}

pub(super) fn border(row: &Row<'_>) -> Result<BorderRecord, Error> {
    let (left, right) = (FaceId(row.id(1)?), FaceId(row.id(2)?));
    Ok(BorderRecord { id: BorderId(row.id(0)?), left, right, line: blob::line(row.blob(3)?)? })
}

/// The graph of a revision, proved by its digest.
pub(super) async fn coverage(tx: &mut Tx, revision: &Revision) -> Result<Coverage, Error> {
    let args = || vec![Arg::from(&*revision.coverage), revision.number.into()];
    let held = "where coverage = $1 and from_revision <= $2 and (to_revision is null or to_revision > $2) order by id";
    let mut areas: Vec<(AreaId, Area)> = Vec::new();
    tx.each(format!("select {AREA} from area {held}"), args(), |row| {
        areas.push(area(&row)?);
        Ok(())
    })
    .await?;
    let mut faces = Vec::new();
    tx.each(format!("select {FACE} from face {held}"), args(), |row| {
        faces.push(face(&row)?);
        Ok(())
    })
    .await?;
    let mut borders = Vec::new();
    tx.each(format!("select {BORDER} from border {held}"), args(), |row| {
        borders.push(border(&row)?);
        Ok(())
    })
    .await?;
    let coverage = Coverage::build(revision.levels.clone(), areas, faces, borders)?;
    let found = digest(&coverage);
    if found != revision.digest {
        return Err(Error::Damaged(format!(
            "revision {} of coverage {} has the digest {found}, but {} was published",
            revision.number, revision.coverage, revision.digest
        )));
    }
    Ok(coverage)
}
