//! The durable truth: the only room with SQL.
//!
//! A store is a GeoPackage file or a PostGIS database; both hold the same tables, and
//! everything but the dialect is written once. What is true is the graph of each
//! coverage (areas, faces, borders, each row from one revision to another), the
//! features of the layers, and the log of changes. Whatever changes the truth is one
//! transaction that also writes what is derived from it.
//!
//! Invariant: what was published comes back as the identical graph, ids included, and
//! its digest proves it. The layers of areas that GIS programs read are a copy, read
//! by no code of ours but [`Store::check`].
//!
//! This room must not know: HTTP, files of foreign formats, what boundaries mean.

mod error;

mod blob;
mod direct;
mod names;
mod sql;

mod geopackage;
mod postgis;

mod records;
mod revisions;

mod follow;

mod derive;
mod publish;

mod history;
mod lineage;
mod plans;

mod features;
mod layers;
mod sync;

mod events;
mod webhooks;

mod load;

mod check;

pub mod foreign;

use jiff::Timestamp;

pub use blob::{Framed, unframed};
pub use check::{CheckReport, Defect};
pub use error::Error;
pub use events::{
    Counting, EVENT_LAYER, Event, EventCount, EventLink, EventOwner, EventPage, EventQuery, EventRuling, EventStep,
    Filed, Happened, NewEvent, NewOwner, NewStep, Owned, Recent, Repeated, Replaced, Ruling, What, feature_id,
};
pub use history::{Past, Told};
pub use layers::LayerInfo;
pub use lineage::{Descent, Kinship};
pub use plans::{NewPlan, Origin, Plan, PlanChange, PlanEdit, PlanNote, PlanState};
pub use publish::{Publication, Published};
pub use records::digest;
pub use revisions::Revision;
pub use sync::{SyncCounts, SyncOptions};
pub use webhooks::{Lag, Waiting};

use sql::Tx;

/// Where a city is kept. Clones are handles on the same store.
#[derive(Clone, Debug)]
pub enum Store {
    /// One file that any GIS opens.
    GeoPackage(geopackage::GeoPackage),
    /// A database that several nodes share.
    PostGis(postgis::PostGis),
}

/// What a poll compares: cheap to ask for, different after every change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The identity of the store.
    pub epoch: String,
    /// The number of its last change.
    pub change: u64,
}

impl Store {
    /// Opens a store that exists: the path of a GeoPackage, or a `postgres://` URL.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where nothing is there, [`Error::NotAStore`] where something
    /// else is.
    pub async fn open(location: &str) -> Result<Self, Error> {
        Self::connect(location, false).await
    }

    /// Opens a store, and makes an empty one where there is none.
    ///
    /// # Errors
    ///
    /// [`Error::NotAStore`] where something else is there.
    pub async fn open_or_create(location: &str) -> Result<Self, Error> {
        Self::connect(location, true).await
    }

    async fn connect(location: &str, create: bool) -> Result<Self, Error> {
        if location.starts_with("postgres://") || location.starts_with("postgresql://") {
            Ok(Self::PostGis(postgis::PostGis::connect(location, create).await?))
        } else {
            Ok(Self::GeoPackage(geopackage::GeoPackage::connect(location, create).await?))
        }
    }

    /// Where it is, without what must stay secret.
    #[must_use]
    pub fn location(&self) -> &str {
        match self {
            Self::GeoPackage(g) => g.location(),
            Self::PostGis(p) => p.location(),
        }
    }

    /// The identity of the store and the number of its last change.
    ///
    /// # Errors
    ///
    /// Where the database can't be reached.
    pub async fn state(&self) -> Result<State, Error> {
        state(&mut self.reading().await?).await
    }

    /// Lets go of the store: a GeoPackage is one file again.
    pub async fn close(&self) {
        match self {
            Self::GeoPackage(g) => g.close().await,
            Self::PostGis(p) => p.close().await,
        }
    }

    /// A transaction that sees one state throughout.
    async fn reading(&self) -> Result<Tx, Error> {
        match self {
            Self::GeoPackage(g) => g.reading().await,
            Self::PostGis(p) => p.reading().await,
        }
    }

    /// A transaction that alone may write; waits for another a while, then is refused.
    async fn writing(&self) -> Result<Tx, Error> {
        match self {
            Self::GeoPackage(g) => g.writing().await,
            Self::PostGis(p) => p.writing().await,
        }
    }

    /// How many connections one load may use at once.
    fn readers(&self) -> usize {
        match self {
            Self::GeoPackage(_) | Self::PostGis(_) => 2,
        }
    }
}

async fn state(tx: &mut Tx) -> Result<State, Error> {
    let sql = "select (select value from meta where key = 'epoch'), (select coalesce(max(seq), 0) from change)";
    let row = tx.row(sql, vec![]).await?.ok_or_else(|| Error::Damaged("it has no identity".into()))?;
    Ok(State { epoch: row.text(0)?, change: row.int(1)? as u64 })
}

/// Writes a line of the change log; returns its number.
async fn log_change(
    tx: &mut Tx,
    now: Timestamp,
    revision: Option<u64>,
    layer: Option<&str>,
    feature: Option<&str>,
) -> Result<u64, Error> {
    let row = tx.row("select coalesce(max(seq), 0) + 1 from change", vec![]).await?;
    let seq = row.ok_or_else(|| Error::Damaged("the change log is missing".into()))?.int(0)? as u64;
    let sql = format!("insert into change (seq, at, revision, layer, feature) values ($1, {}, $3, $4, $5)", tx.time(2));
    let text = |t: Option<&str>| sql::Arg::Text(t.map(str::to_owned));
    let args = vec![
        seq.into(),
        now.to_string().as_str().into(),
        sql::Arg::Int(revision.map(|r| r as i64)),
        text(layer),
        text(feature),
    ];
    tx.run(sql, args).await?;
    Ok(seq)
}

/// A name for a process that holds something for a while, unlike that of any other.
#[must_use]
pub fn new_holder() -> String {
    format!("{}-{}", std::process::id(), &new_epoch()[..16])
}

/// A fresh identity for a store.
fn new_epoch() -> String {
    use std::hash::{BuildHasher, RandomState};
    // Two randomly keyed hashes: an identity needs to be unique, not secret.
    let half = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", half(), half())
}
