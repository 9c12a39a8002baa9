//! Lineage: what ground of which area became whose, with each revision.
//!
//! Invariant: written in the transaction that publishes, never changed. It must not know
//! how it was worked out.

use std::sync::Arc;

use super::sql::{Arg, Tx};
use super::{Error, Store};

/// What became of an area's ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinship {
    /// One area became several.
    Split,
    /// Several areas became one.
    Merge,
    /// Ground went from one area to another.
    Transfer,
    /// A line was drawn better; nothing changed in the city.
    Correction,
    /// The same area by another code.
    Recode,
}

impl Kinship {
    const ALL: [Self; 5] = [Self::Split, Self::Merge, Self::Transfer, Self::Correction, Self::Recode];

    /// Its name in stores and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Merge => "merge",
            Self::Transfer => "transfer",
            Self::Correction => "correction",
            Self::Recode => "recode",
        }
    }

    pub(super) fn named(name: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| Error::Damaged(format!("{name:?} is no kind of lineage")))
    }
}

/// How much of an area became how much of another with a revision. An area that keeps
/// some of its ground descends from itself, too.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Descent {
    /// The revision; 0 before it is published.
    pub revision: u64,
    /// The code that the ground had.
    pub from: Arc<str>,
    /// The code that it has.
    pub to: Arc<str>,
    /// How it came about.
    pub kind: Kinship,
    /// How much ground it is, in square metres.
    pub area_m2: f64,
    /// Its part of the first area's ground.
    pub area_share: f64,
    /// The part of the first area's buildings that stand there.
    pub building_share: f64,
    /// The part of the first area's households that live there.
    pub household_share: f64,
}

/// What an area came from and what became of it, over all revisions.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Kin {
    /// What it descends from, in the order of revisions.
    pub ancestors: Vec<Descent>,
    /// What descends from it, in the order of revisions.
    pub descendants: Vec<Descent>,
    /// Whether that is all: otherwise what is farthest in time is left out.
    pub complete: bool,
}

/// Descents that are told of one area in either direction, at most.
const MOST_KIN: usize = 10_000;

const COLUMNS: &str =
    "l.revision, l.from_code, l.to_code, l.kind, l.area_m2, l.area_share, l.building_share, l.household_share";

impl Store {
    /// Everything that became of the areas of a coverage, in the order of revisions.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn lineage(&self, coverage: &str) -> Result<Vec<Descent>, Error> {
        let sql = format!("select {COLUMNS} from lineage l where l.coverage = $1 order by 1, 2, 3");
        descents(&mut self.reading().await?, sql, vec![coverage.into()]).await
    }

    /// What became of the areas of a coverage with one revision.
    ///
    /// # Errors
    ///
    /// As [`lineage`](Self::lineage).
    pub async fn lineage_with(&self, coverage: &str, revision: u64) -> Result<Vec<Descent>, Error> {
        let sql = format!("select {COLUMNS} from lineage l where l.coverage = $1 and l.revision = $2 order by 1, 2, 3");
        descents(&mut self.reading().await?, sql, vec![coverage.into(), revision.into()]).await
    }

    /// What an area came from, and what became of it: read along its own rows, so it costs
    /// what happened to it and not how often the city was redrawn.
    ///
    /// # Errors
    ///
    /// As [`lineage`](Self::lineage).
    pub async fn kin(&self, coverage: &str, code: &str) -> Result<Kin, Error> {
        let mut tx = self.reading().await?;
        let limit = MOST_KIN + 1;
        // Ground that an area got with a revision can't come from what its giver got later, or with
        // the same one. An area that stays leads nowhere new.
        let backward = format!(
            "with recursive kin (code, bound) as (
                select cast($2 as text), cast({} as bigint)
                union
                select l.from_code, cast(l.revision as bigint) from lineage l
                join kin on l.to_code = kin.code and l.revision < kin.bound
                where l.coverage = $1 and l.from_code <> l.to_code)
             select {COLUMNS} from lineage l
             join (select code, max(bound) as bound from kin group by code) k
               on l.to_code = k.code and l.revision < k.bound
             where l.coverage = $1 order by 1 desc, 2 desc, 3 desc limit {limit}",
            i64::MAX
        );
        let forward = format!(
            "with recursive kin (code, bound) as (
                select cast($2 as text), cast(0 as bigint)
                union
                select l.to_code, cast(l.revision as bigint) from lineage l
                join kin on l.from_code = kin.code and l.revision > kin.bound
                where l.coverage = $1 and l.from_code <> l.to_code)
             select {COLUMNS} from lineage l
             join (select code, min(bound) as bound from kin group by code) k
               on l.from_code = k.code and l.revision > k.bound
             where l.coverage = $1 order by 1, 2, 3 limit {limit}"
        );
        let args = || vec![coverage.into(), code.into()];
        let mut ancestors = descents(&mut tx, backward, args()).await?;
        let mut descendants = descents(&mut tx, forward, args()).await?;
        let complete = ancestors.len().max(descendants.len()) <= MOST_KIN;
        ancestors.truncate(MOST_KIN);
        descendants.truncate(MOST_KIN);
        ancestors.reverse();
        Ok(Kin { ancestors, descendants, complete })
    }
}

async fn descents(tx: &mut Tx, sql: String, args: Vec<Arg>) -> Result<Vec<Descent>, Error> {
    let mut all = Vec::new();
    tx.each(sql, args, |row| {
        let real = |at: usize| row.maybe_real(at).map(|v| v.unwrap_or(0.0));
        all.push(Descent {
            revision: row.int(0)? as u64,
            from: row.str(1)?.into(),
            to: row.str(2)?.into(),
            kind: Kinship::named(row.str(3)?)?,
            area_m2: real(4)?,
            area_share: real(5)?,
            building_share: real(6)?,
            household_share: real(7)?,
        });
        Ok(())
    })
    .await?;
    Ok(all)
}

/// Writes what became of areas with a revision.
pub(super) async fn write(tx: &mut Tx, coverage: &str, revision: u64, all: &[Descent]) -> Result<(), Error> {
    let rows = all.iter().map(|d| {
        let mut row =
            vec![revision.into(), coverage.into(), Arg::from(&*d.from), Arg::from(&*d.to), d.kind.name().into()];
        row.extend([d.area_m2, d.area_share, d.building_share, d.household_share].map(|v| Arg::Real(Some(v))));
        row
    });
    let columns = [
        "revision",
        "coverage",
        "from_code",
        "to_code",
        "kind",
        "area_m2",
        "area_share",
        "building_share",
        "household_share",
    ];
    tx.insert_many("lineage", &columns, rows.collect::<Vec<_>>()).await
}
