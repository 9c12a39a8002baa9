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

impl Store {
    /// Everything that became of the areas of a coverage, in the order of revisions.
    ///
    /// # Errors
    ///
    /// Where the database can't be read.
    pub async fn lineage(&self, coverage: &str) -> Result<Vec<Descent>, Error> {
        let mut tx = self.reading().await?;
        let sql = "select revision, from_code, to_code, kind, area_m2, area_share, building_share, household_share \
                   from lineage where coverage = $1 order by revision, from_code, to_code";
        let mut all = Vec::new();
        tx.each(sql, vec![coverage.into()], |row| {
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
