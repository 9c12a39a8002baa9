//! Events: what was reported, kept once, with the owners that it was filed under.
//!
//! ```text
//!  event_identity  source and id, given once over all months
//!  event_entry ─┬─ event_owner   one a coverage: the chain as filed, and as it is now
//!               ├─ event_area    one for each area of these chains: the index of `within`
//!               │    └ event_count   how many, by area, hour, type, state and source
//!               ├─ event_step    what was done          (rows are only added)
//!               ├─ event_ruling  what was decided on it (rows are only added)
//!               └─ event_log     in which order all of this happened (rows are only added)
//!  layer `event`: those that are open and have a place, for snapshots and GIS programs
//! ```
//!
//! Invariant: an event, its owners, their index and its feature are written in one
//! transaction; present owners are those of the revision that is derived, so a publish
//! writes them anew where the ground changed. In PostGIS event_entry and event_area are
//! partitioned by the month of the event's time; who asks by a number alone finds the month
//! by event_identity, which is a view of event_entry in a GeoPackage. It must not know what a state means, nor
//! how an event is judged.

mod counts;
mod happened;
mod owners;
mod page;
mod read;
mod steps;
mod write;

use std::sync::Arc;

use boundaries::{AreaId, Point};
use jiff::Timestamp;

use super::Error;
use super::sql::Tx;

pub use counts::{Counting, EventCount, Repeated};
pub use happened::{Happened, What};
pub use page::{EventPage, EventQuery, Owned, Recent};
pub use read::{Event, EventLink, EventOwner, EventRuling, EventStep};
pub use steps::{NewStep, Replaced, Ruling};
pub use write::Filed;

pub(super) use counts::check as check_counts;
pub(super) use happened::{check as check_log, gone, of_numbers};
pub(super) use owners::{check, reown};
pub(super) use read::time as event_time;

/// The layer that open events are features of.
pub const EVENT_LAYER: &str = "event";

/// An event that was judged and is to be filed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Who reports.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// Of the content as it was sent.
    pub digest: String,
    /// When it happened.
    pub time: Timestamp,
    /// What kind of thing it is.
    pub kind: String,
    /// The state it is in.
    pub state: String,
    /// Whether there is anything left to do.
    pub is_open: bool,
    /// Where it lies.
    pub place: Option<Point>,
    /// How exact that is, in metres.
    pub accuracy_m: Option<f64>,
    /// How the place was found: `point`, `building`, `area` or `none`.
    pub placed_by: &'static str,
    /// The building that it lies in.
    pub building: Option<String>,
    /// The party units concerned.
    pub party_units: Vec<String>,
    /// Who has it in hand.
    pub worker: Option<String>,
    /// What else was sent, as a JSON object; `description` and `address` are of it.
    pub content: String,
    /// What it is called in the layer for maps.
    pub description: Option<String>,
    /// Its owners, one in each coverage.
    pub owners: Vec<NewOwner>,
    /// What was done before it came here.
    pub steps: Vec<NewStep>,
}

/// Who owns an event in one coverage.
#[derive(Clone, Debug, PartialEq)]
pub struct NewOwner {
    /// The coverage.
    pub coverage: Arc<str>,
    /// The revision in force at the event's time.
    pub revision: u64,
    /// The chain then, topmost first; empty outside.
    pub filed: Vec<AreaId>,
    /// The chain in the revision that is in force now.
    pub present: Vec<AreaId>,
    /// Whether it follows from a decision and not from the ground.
    pub is_settled: bool,
    /// What else is said of the place, as a JSON object.
    pub told: Option<String>,
}

/// The id of an event's feature in the layer: a source holds no slash.
#[must_use]
pub fn feature_id(source: &str, id: &str) -> String {
    format!("{source}/{id}")
}

/// Refuses to change features of open events otherwise than by what is done with them: the
/// whole layer, or one feature of it.
pub(super) async fn guard(tx: &mut Tx, layer: &str, feature: Option<&str>) -> Result<(), Error> {
    if layer != EVENT_LAYER {
        return Ok(());
    }
    let (source, id) = feature.and_then(|id| id.split_once('/')).unwrap_or_default();
    let args = vec![source.into(), id.into(), i64::from(feature.is_none()).into()];
    let sql = "select 1 from event_identity where (source = $1 and id = $2) or $3 = 1 limit 1";
    match tx.row(sql, args).await? {
        None => Ok(()),
        Some(_) => Err(Error::Refused("an open event is changed by its steps, not as a feature".into())),
    }
}

/// The square that a point lies in: column and row of 2^15 lattice units, some 300 m.
fn cell(p: Point) -> i64 {
    (i64::from(p.x >> CELL_SHIFT) << 32) | (i64::from(p.y >> CELL_SHIFT) - i64::from(i32::MIN))
}

const CELL_SHIFT: i32 = 15;

fn chain_text(chain: &[AreaId]) -> String {
    let ids: Vec<String> = chain.iter().map(|id| id.0.to_string()).collect();
    ids.join(" ")
}

fn chain_of(text: &str) -> Result<Vec<AreaId>, Error> {
    let ids = text.split_ascii_whitespace().map(|id| id.parse().map(AreaId));
    ids.collect::<Result<_, _>>().map_err(|_| Error::Damaged(format!("{text:?} is no chain of areas")))
}

/// By which of the two chains an area is one of an event's: filed 1, present 2, both 3.
fn bases(filed: &[AreaId], present: &[AreaId]) -> Vec<(AreaId, i64)> {
    let mut all: Vec<(AreaId, i64)> = filed.iter().map(|id| (*id, if present.contains(id) { 3 } else { 1 })).collect();
    all.extend(present.iter().filter(|id| !filed.contains(id)).map(|id| (*id, 2)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_a_column_ascend_with_their_rows_wherever_on_the_globe() {
        let mut last = None;
        for y in [i32::MIN, -900_000_000, -40_000, -1, 0, 1, 40_000, 360_000_000, i32::MAX] {
            let here = cell(Point::new(-1_203_000_000, y));
            assert!(last.is_none_or(|last| last <= here), "{y}");
            last = Some(here);
        }
        let [west, east] = [-1, 0].map(|x| cell(Point::new(x, i32::MAX)) >> 32);
        assert_eq!((west, east), (-1, 0));
    }
}
