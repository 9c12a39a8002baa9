//! What is counted of an area, before and after.
//!
//! Invariant: figures after a change are those that the same counting gives once it is
//! published. It must not know plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{AreaId, Coverage};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::monthly::Monthly;
use crate::dispatch::is_done;
use crate::snapshot::{Field, Kind, Layer, Moved, Snapshot, ValueRef};

/// What is counted of an area.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Its ground in square metres.
    pub area_m2: f64,
    /// The length of its outline in metres, holes included.
    pub perimeter_m: f64,
    /// How round it is, by Polsby and Popper: 4π area / perimeter², 1 for a circle.
    pub compactness: f64,
    /// How many pieces it is in.
    pub parts: usize,
    /// Buildings.
    pub buildings: usize,
    /// Households in them.
    pub households: i64,
    /// Residents in them.
    pub residents: i64,
    /// Party units.
    pub party_units: usize,
    /// Workers who stand there, by the register.
    pub workers: usize,
    /// Events that are not closed.
    pub open_events: usize,
    /// Events of the last 30 days, closed ones too, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_month: Option<i64>,
    /// How many households it is short of the target (negative), or over it.
    pub off_target: i64,
    /// Attributes of its buildings that were asked for, summed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sums: BTreeMap<Arc<str>, f64>,
}

/// What is counted beside that which always is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting<'a> {
    /// How many households a grid is meant to have.
    pub(super) target: Target,
    /// Attributes of buildings to sum.
    pub(super) sums: &'a [Arc<str>],
    /// The events of the last month.
    pub(super) monthly: Option<&'a Monthly>,
}

/// Attributes that are summed at once, at most.
const MOST_SUMS: usize = 16;

/// The attributes that a comma-separated list asks to be summed.
///
/// # Errors
///
/// In words, where one of them is no number of buildings, or where there are too many.
pub fn sums(snapshot: &Snapshot, list: &str) -> Result<Vec<Arc<str>>, String> {
    let fields = snapshot.layer("building").map_or(&[][..], |layer| layer.fields());
    let is_number = |field: &&Field| matches!(field.kind, Kind::Integer | Kind::Real);
    let mut sums: Vec<Arc<str>> = Vec::new();
    for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let Some(field) = fields.iter().filter(is_number).find(|field| *field.name == *name) else {
            let known: Vec<&str> = fields.iter().filter(is_number).map(|field| &*field.name).collect();
            return Err(format!("buildings have no number {name:?}; they have {}", known.join(", ")));
        };
        if !sums.contains(&field.name) {
            sums.push(field.name.clone());
        }
    }
    if sums.len() > MOST_SUMS {
        return Err(format!("{} attributes are to be summed; {MOST_SUMS} are allowed", sums.len()));
    }
    Ok(sums)
}

/// How many households a grid is meant to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// At least.
    pub min: i64,
    /// At most.
    pub max: i64,
}

impl Default for Target {
    fn default() -> Self {
        Self { min: 300, max: 500 }
    }
}

/// The layers that are counted.
pub(super) const COUNTED: [&str; 4] = ["building", "party_unit", "worker", "event"];

/// Features that would change hands, by layer.
pub(super) type Moves<'a> = FxHashMap<&'a str, Vec<Moved>>;

/// The figures of an area that owns ground, in the snapshot's state of a coverage.
pub(super) fn before(
    snapshot: &Snapshot,
    coverage: usize,
    graph: &Coverage,
    area: AreaId,
    counting: &Counting<'_>,
) -> Figures {
    of(snapshot, coverage, graph, area, counting, None)
}

/// The same in another state, by what would change hands.
pub(super) fn after(
    snapshot: &Snapshot,
    coverage: usize,
    graph: &Coverage,
    area: AreaId,
    counting: &Counting<'_>,
    moves: &Moves<'_>,
) -> Figures {
    of(snapshot, coverage, graph, area, counting, Some(moves))
}

fn of(
    snapshot: &Snapshot,
    coverage: usize,
    graph: &Coverage,
    area: AreaId,
    counting: &Counting<'_>,
    moves: Option<&Moves<'_>>,
) -> Figures {
    let (area_m2, perimeter_m) = (graph.area_m2(area), graph.perimeter_m(area));
    let mut figures = Figures {
        area_m2: (area_m2 * 100.0).round() / 100.0,
        perimeter_m: (perimeter_m * 1000.0).round() / 1000.0,
        compactness: if perimeter_m > 0.0 {
            (4.0 * std::f64::consts::PI * area_m2 / (perimeter_m * perimeter_m) * 1e6).round() / 1e6
        } else {
            0.0
        },
        parts: graph.outline(area).map_or(0, |outline| outline.parts.len()),
        ..Figures::default()
    };
    for name in COUNTED {
        let Some(layer) = snapshot.layer(name) else { continue };
        let moved = moves.and_then(|m| m.get(name)).map_or(&[][..], |m| m);
        let stays = |ix: &usize| moved.binary_search_by_key(ix, |m| m.ix).is_err();
        let held = snapshot.coverages.get(coverage).map(|view| &view.coverage);
        let mut rows: Vec<usize> = Vec::new();
        for part in subtree(graph, area) {
            // An area that is new has no rows in the state before.
            if held.is_some_and(|held| held.area(part).is_some()) {
                let own = |ix: &usize| layer.owner(*ix, coverage) == Some(part);
                rows.extend(layer.of_area(coverage, part).into_iter().filter(own).filter(stays));
            }
            rows.extend(moved.iter().filter(|m| m.to == Some(part)).map(|m| m.ix));
        }
        count(&mut figures, name, layer, &rows, counting);
    }
    figures.events_month = counting.monthly.map(|monthly| match (moves, snapshot.coverages.get(coverage)) {
        (Some(_), Some(held)) => monthly.after(area, &held.coverage, graph),
        _ => monthly.before(area),
    });
    let (households, target) = (figures.households, counting.target);
    figures.off_target = (households - target.max).max(0) + (households - target.min).min(0);
    figures
}

/// An area and all that lies below it: its parts need not be those that it had.
pub(super) fn subtree(graph: &Coverage, area: AreaId) -> Vec<AreaId> {
    let mut all = vec![area];
    let mut at = 0;
    while let Some(id) = all.get(at).copied() {
        all.extend_from_slice(graph.children(id));
        at += 1;
    }
    all
}

fn count(figures: &mut Figures, name: &str, layer: &Layer, rows: &[usize], counting: &Counting<'_>) {
    match name {
        "building" => {
            figures.buildings = rows.len();
            figures.households = sum(layer, "households", rows);
            figures.residents = sum(layer, "residents", rows);
            let summed = |name: &Arc<str>| {
                let field = layer.field(name)?;
                Some((name.clone(), rows.iter().map(|ix| number(layer.value(*ix, field))).sum()))
            };
            figures.sums = counting.sums.iter().filter_map(summed).collect();
        }
        "party_unit" => figures.party_units = rows.len(),
        "worker" => figures.workers = rows.len(),
        _ => figures.open_events = rows.iter().filter(|ix| is_open(layer, **ix)).count(),
    }
}

pub(super) fn sum(layer: &Layer, field: &str, rows: &[usize]) -> i64 {
    let Some(field) = layer.field(field) else { return 0 };
    rows.iter().filter_map(|ix| layer.value(*ix, field).integer()).fold(0, i64::saturating_add)
}

/// A value as a number; what is none counts nothing.
pub(super) fn number(value: ValueRef<'_>) -> f64 {
    match value {
        ValueRef::Integer(i) => i as f64,
        ValueRef::Real(r) => r,
        _ => 0.0,
    }
}

pub(super) fn is_open(events: &Layer, ix: usize) -> bool {
    let state = events.field("state").and_then(|f| events.value(ix, f).text());
    !state.is_some_and(is_done)
}
