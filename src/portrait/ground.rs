//! People, place and staff of an area, from what stands there.
//!
//! A building belongs to the area with the largest part of its ground; a worker to the grids
//! that it answers for, or, where it answers for none, to the ground that it stands on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boundaries::{AreaId, Level};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::subtree;
use crate::snapshot::{CoverageView, Layer, Snapshot, ValueRef};

const BUILDING: &str = "building";
const WORKER: &str = "worker";

/// Who lives in an area.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct People {
    /// Residents of its buildings.
    pub residents: i64,
    /// Households in them.
    pub households: i64,
    /// People of groups that are cared for, by the buildings' attribute that counts them.
    pub groups: BTreeMap<Arc<str>, i64>,
}

/// The ground of an area, and what stands on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Place {
    /// Square metres.
    pub area_m2: f64,
    /// The length of its outline.
    pub perimeter_m: f64,
    /// Buildings.
    pub buildings: usize,
    /// Areas of the same level beside it, by the length that they share.
    pub neighbours: Vec<Neighbour>,
}

/// An area beside another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Neighbour {
    /// Its code.
    pub code: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The length of the common border.
    pub shared_m: f64,
}

/// Who works in an area.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Staff {
    /// How many.
    pub total: usize,
    /// How many of them are on duty, by the register.
    pub on_duty: usize,
    /// How many of each role.
    pub by_role: BTreeMap<Arc<str>, usize>,
}

/// Thousandths are enough for a metre.
fn thousandth(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn sum(layer: &Layer, field: &str, rows: &[usize]) -> Option<i64> {
    let field = layer.field(field)?;
    Some(rows.iter().filter_map(|ix| layer.value(*ix, field).integer()).fold(0, i64::saturating_add))
}

impl People {
    /// Counts the people of an area.
    #[must_use]
    pub fn of(snapshot: &Snapshot, coverage: usize, area: AreaId, groups: &[String]) -> Self {
        let Some(layer) = snapshot.layer(BUILDING) else { return Self::default() };
        let rows = layer.of_area(coverage, area);
        let group = |name: &String| Some((name.as_str().into(), sum(layer, name, &rows)?));
        Self {
            residents: sum(layer, "residents", &rows).unwrap_or_default(),
            households: sum(layer, "households", &rows).unwrap_or_default(),
            groups: groups.iter().filter_map(group).collect(),
        }
    }
}

impl Place {
    /// Measures an area.
    #[must_use]
    pub fn of(snapshot: &Snapshot, coverage: usize, view: &CoverageView, area: AreaId) -> Self {
        let graph = &view.coverage;
        let beside = graph.neighbours(area).into_iter().filter_map(|(id, shared_m)| {
            let other = graph.area(id)?;
            Some(Neighbour { code: other.code.clone(), name: other.name.clone(), shared_m: thousandth(shared_m) })
        });
        let mut neighbours: Vec<Neighbour> = beside.collect();
        neighbours.sort_by(|a, b| b.shared_m.total_cmp(&a.shared_m).then_with(|| a.code.cmp(&b.code)));
        Self {
            area_m2: (graph.area_m2(area) * 100.0).round() / 100.0,
            perimeter_m: thousandth(graph.perimeter_m(area)),
            buildings: snapshot.layer(BUILDING).map_or(0, |layer| layer.of_area(coverage, area).len()),
            neighbours,
        }
    }
}

/// The areas that a worker answers for, or stands on.
fn posts(layer: &Layer, ix: usize, grids: Option<usize>, coverage: usize, view: &CoverageView) -> Vec<AreaId> {
    let listed = grids.and_then(|field| layer.value(ix, field).text()).unwrap_or_default();
    let codes = listed.split(',').map(str::trim).filter(|code| !code.is_empty());
    let posts: Vec<AreaId> = codes.filter_map(|code| view.coverage.area_by_code(code)).collect();
    if posts.is_empty() { layer.owner(ix, coverage).into_iter().collect() } else { posts }
}

impl Staff {
    /// Counts the workers of an area.
    #[must_use]
    pub fn of(snapshot: &Snapshot, coverage: usize, view: &CoverageView, area: AreaId) -> Self {
        let Some(layer) = snapshot.layer(WORKER) else { return Self::default() };
        let below: rustc_hash::FxHashSet<AreaId> = subtree(&view.coverage, area).into_iter().collect();
        let (grids, role, on_duty) = (layer.field("grids"), layer.field("role"), layer.field("on_duty"));
        let mut staff = Self::default();
        for ix in layer.iter() {
            if !posts(layer, ix, grids, coverage, view).iter().any(|post| below.contains(post)) {
                continue;
            }
            staff.total += 1;
            let off = on_duty.is_some_and(|field| layer.value(ix, field) == ValueRef::Bool(false));
            staff.on_duty += usize::from(!off);
            let role = role.and_then(|field| layer.value(ix, field).text()).unwrap_or("unknown");
            *staff.by_role.entry(role.into()).or_default() += 1;
        }
        staff
    }
}

/// A figure of every area of a level that has any, from what stands there: `residents`,
/// `households`, `buildings`, `workers`, `party_units` or `area_m2`. `None` for another name.
#[must_use]
pub fn sums_by_area(
    snapshot: &Snapshot,
    coverage: usize,
    view: &CoverageView,
    level: Level,
    metric: &str,
) -> Option<FxHashMap<AreaId, f64>> {
    let graph = &view.coverage;
    let mut sums: FxHashMap<AreaId, f64> = FxHashMap::default();
    let above = |id: AreaId| graph.ancestor_at(id, level);
    match metric {
        "area_m2" => {
            let of_level = graph.areas().filter(|(_, area)| area.level == level);
            sums.extend(of_level.map(|(id, _)| (id, (graph.area_m2(id) * 100.0).round() / 100.0)));
        }
        "residents" | "households" | "buildings" => {
            let layer = snapshot.layer(BUILDING);
            let field = layer.and_then(|layer| layer.field(metric));
            for (layer, ix) in layer.into_iter().flat_map(|layer| layer.iter().map(move |ix| (layer, ix))) {
                let Some(area) = layer.owner(ix, coverage).and_then(above) else { continue };
                let counted = match metric {
                    "buildings" => 1,
                    _ => field.and_then(|field| layer.value(ix, field).integer()).unwrap_or_default(),
                };
                *sums.entry(area).or_default() += counted as f64;
            }
        }
        "party_units" => {
            let layer = snapshot.layer(super::party::LAYER);
            for (layer, ix) in layer.into_iter().flat_map(|layer| layer.iter().map(move |ix| (layer, ix))) {
                let homes = super::party::homes(snapshot, layer, ix, coverage, view);
                let areas: BTreeSet<AreaId> = homes.into_iter().filter_map(above).collect();
                areas.into_iter().for_each(|area| *sums.entry(area).or_default() += 1.0);
            }
        }
        "workers" => {
            let Some(layer) = snapshot.layer(WORKER) else { return Some(sums) };
            let grids = layer.field("grids");
            for ix in layer.iter() {
                let posts = posts(layer, ix, grids, coverage, view);
                let areas: BTreeSet<AreaId> = posts.into_iter().filter_map(above).collect();
                areas.into_iter().for_each(|area| *sums.entry(area).or_default() += 1.0);
            }
        }
        _ => return None,
    }
    Some(sums)
}
