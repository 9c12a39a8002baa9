//! The party structure of an area: committee, branches, groups and member households as a
//! tree, with what is missing.
//!
//! ```text
//!     committee ─┬─ branch ─┬─ group ─┬─ household        tied to a community, a grid,
//!                │          │         └─ household        a building
//!                └─ branch  └─ group
//! ```
//!
//! A unit belongs to what it is tied to (`tied_to`: codes of areas or an id of a building,
//! several parted by commas, as one branch may take several grids along), or, where that is
//! not known, to the ground that it lies on.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::AreaId;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use super::subtree;
use crate::snapshot::{CoverageView, Layer, Snapshot};

/// The layer of party units.
pub(super) const LAYER: &str = "party_unit";
const BUILDING: &str = "building";
/// Units that are told one by one; of more, only how many there are.
const MOST_UNITS: usize = 2000;
/// Gaps of a kind that are told one by one.
const MOST_GAPS: usize = 100;

/// The party structure of an area.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Party {
    /// Units.
    pub units: usize,
    /// Their members.
    pub members: i64,
    /// Units by tier.
    pub by_tier: BTreeMap<Arc<str>, usize>,
    /// The units, each with those below it; `None` where they are too many to tell.
    pub tree: Option<Vec<Unit>>,
    /// What is missing.
    pub gaps: Gaps,
}

/// A unit, with those below it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unit {
    /// Its id.
    pub id: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// `committee`, `branch`, `group`, `household` ...
    pub tier: Arc<str>,
    /// Its members.
    pub members: i64,
    /// The unit above it, where that is no part of the area's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Arc<str>>,
    /// What it is tied to.
    pub tied_to: Arc<str>,
    /// The units below it.
    pub units: Vec<Unit>,
}

/// What is missing, and how often; the first hundred of each by code or id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Gaps {
    /// Grids without a branch.
    pub grids_without_branch: Missing,
    /// Buildings where people live, without a group.
    pub buildings_without_group: Missing,
    /// Communities without a committee.
    pub communities_without_committee: Missing,
    /// Units whose parent is none.
    pub units_without_parent: Missing,
}

/// Things that lack something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// How many.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Arc<str>>,
}

impl Missing {
    fn of(mut all: Vec<Arc<str>>) -> Self {
        all.sort_unstable();
        let count = all.len();
        all.truncate(MOST_GAPS);
        Self { count, first: all }
    }
}

fn text(layer: &Layer, field: &str, ix: usize) -> Option<Arc<str>> {
    layer.field(field).and_then(|field| layer.value(ix, field).text()).map(Into::into)
}

fn ties(tied_to: &str) -> impl Iterator<Item = &str> {
    tied_to.split(',').map(str::trim).filter(|tie| !tie.is_empty())
}

/// The areas that a unit belongs to.
pub(super) fn homes(
    snapshot: &Snapshot,
    layer: &Layer,
    ix: usize,
    coverage: usize,
    view: &CoverageView,
) -> Vec<AreaId> {
    let buildings = snapshot.layer(BUILDING);
    let tied_to = layer.field("tied_to").and_then(|field| layer.value(ix, field).text()).unwrap_or_default();
    let home = |tie: &str| {
        let built = || buildings.and_then(|layer| layer.owner(layer.find(tie)?, coverage));
        view.coverage.area_by_code(tie).or_else(built)
    };
    let homes: Vec<AreaId> = ties(tied_to).filter_map(home).collect();
    if homes.is_empty() { layer.owner(ix, coverage).into_iter().collect() } else { homes }
}

impl Party {
    /// The structure of an area and of all that lies below it.
    #[must_use]
    pub fn of(snapshot: &Snapshot, coverage: usize, view: &CoverageView, area: AreaId) -> Self {
        let areas = subtree(&view.coverage, area);
        let Some(layer) = snapshot.layer(LAYER) else { return Self::default() };
        let below: FxHashSet<AreaId> = areas.iter().copied().collect();
        let is_here = |ix: &usize| homes(snapshot, layer, *ix, coverage, view).iter().any(|home| below.contains(home));
        let rows: Vec<usize> = layer.iter().filter(is_here).collect();
        let members_of =
            |ix: usize| layer.field("members").and_then(|f| layer.value(ix, f).integer()).unwrap_or_default();
        let mut party = Self { units: rows.len(), ..Self::default() };
        for ix in &rows {
            party.members = party.members.saturating_add(members_of(*ix));
            let tier = text(layer, "tier", *ix).unwrap_or_else(|| "unknown".into());
            *party.by_tier.entry(tier).or_default() += 1;
        }
        party.gaps = gaps(snapshot, coverage, view, area, &areas, layer, &rows);
        party.tree = (rows.len() <= MOST_UNITS).then(|| tree(layer, &rows, members_of));
        party
    }
}

/// The units as trees, in the order of their ids. A unit whose parents go round in a circle
/// is told at the top, once.
fn tree(layer: &Layer, rows: &[usize], members: impl Fn(usize) -> i64) -> Vec<Unit> {
    let here: FxHashSet<&str> = rows.iter().map(|ix| layer.id(*ix)).collect();
    let mut below: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    let mut tops: Vec<usize> = Vec::new();
    let parent_field = layer.field("parent");
    let parent = |ix: usize| parent_field.and_then(|field| layer.value(ix, field).text());
    for ix in rows {
        match parent(*ix).filter(|parent| here.contains(parent)) {
            Some(parent) => below.entry(parent).or_default().push(*ix),
            None => tops.push(*ix),
        }
    }
    let by_id = |rows: &mut Vec<usize>| rows.sort_by(|a, b| layer.id(*a).cmp(layer.id(*b)));
    below.values_mut().for_each(by_id);
    by_id(&mut tops);
    let mut all = rows.to_vec();
    by_id(&mut all);
    let mut told = FxHashSet::default();
    let mut trees = Vec::new();
    for top in tops.into_iter().chain(all) {
        if told.contains(&top) {
            continue;
        }
        // From the top down, each after the one above it; then from the bottom up.
        let mut order: Vec<(usize, Option<usize>)> = vec![(top, None)];
        told.insert(top);
        let mut at = 0;
        while let Some((ix, _)) = order.get(at).copied() {
            for child in below.get(layer.id(ix)).into_iter().flatten() {
                if told.insert(*child) {
                    order.push((*child, Some(at)));
                }
            }
            at += 1;
        }
        let mut units: Vec<Option<Unit>> = order
            .iter()
            .map(|(ix, above)| {
                Some(Unit {
                    id: layer.id(*ix).into(),
                    name: text(layer, "name", *ix).unwrap_or_default(),
                    tier: text(layer, "tier", *ix).unwrap_or_default(),
                    members: members(*ix),
                    parent: parent(*ix).filter(|_| above.is_none()).map(Into::into),
                    tied_to: text(layer, "tied_to", *ix).unwrap_or_default(),
                    units: Vec::new(),
                })
            })
            .collect();
        for at in (0..order.len()).rev() {
            let Some(mut unit) = units[at].take() else { continue };
            // Those below came from the last to the first.
            unit.units.reverse();
            match order[at].1.and_then(|above| units[above].as_mut()) {
                Some(above) => above.units.push(unit),
                None => trees.push(unit),
            }
        }
    }
    trees
}

fn gaps(
    snapshot: &Snapshot,
    coverage: usize,
    view: &CoverageView,
    area: AreaId,
    areas: &[AreaId],
    layer: &Layer,
    rows: &[usize],
) -> Gaps {
    let (tier, tied_to, parent) = (layer.field("tier"), layer.field("tied_to"), layer.field("parent"));
    let value = |field: Option<usize>, ix: usize| field.and_then(|f| layer.value(ix, f).text()).unwrap_or_default();
    let mut tied: FxHashSet<(&str, &str)> = FxHashSet::default();
    let mut orphans = Vec::new();
    for ix in rows {
        tied.extend(ties(value(tied_to, *ix)).map(|tie| (value(tier, *ix), tie)));
        let above = value(parent, *ix);
        if !above.is_empty() && layer.find(above).is_none() {
            orphans.push(layer.id(*ix).into());
        }
    }
    let graph = &view.coverage;
    let finest = graph.finest();
    let without = |depth: u8, tier: &str| {
        let of_level = areas.iter().filter_map(|id| graph.area(*id)).filter(|a| a.level.0 + depth == finest.0);
        Missing::of(of_level.filter(|a| !tied.contains(&(tier, &*a.code))).map(|a| a.code.clone()).collect())
    };
    let homes = snapshot.layer(BUILDING).map(|buildings| {
        let households = buildings.field("households");
        let lived_in = |ix: &usize| households.and_then(|f| buildings.value(*ix, f).integer()).is_some_and(|n| n > 0);
        let rows = buildings.of_area(coverage, area).into_iter().filter(lived_in).map(|ix| buildings.id(ix));
        rows.filter(|id| !tied.contains(&("group", *id))).map(Into::into).collect()
    });
    Gaps {
        grids_without_branch: without(0, "branch"),
        buildings_without_group: Missing::of(homes.unwrap_or_default()),
        communities_without_committee: without(1, "committee"),
        units_without_parent: Missing::of(orphans),
    }
}
