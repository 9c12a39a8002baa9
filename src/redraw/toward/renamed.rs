//! Areas that only have another code: what is gone and what is new, on the same ground.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{AreaId, Coverage, Level};

use super::super::draft::Refused;
use super::super::op::Op;
use super::Way;

/// What part of either's ground must be the other's for them to be the same area.
const SAME: f64 = 0.9;

/// Gives areas that are gone the codes of new ones on their ground, from below: of codes
/// that begin with their parents' a street has those of its grids with it.
pub(super) fn recode(way: &mut Way<'_>) -> Result<(), Refused> {
    let (goal, tolerance_m) = (way.goal.coverage, way.goal.tolerance_m);
    let is_gone = |level: Level| !Way::lacks(way.state(), goal, level).is_empty();
    if !way.levels().any(|level| is_gone(level) && !Way::lacks(goal, way.state(), level).is_empty()) {
        return Ok(());
    }
    let common = common(way.state(), goal, tolerance_m)?;
    let mut pairs: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for level in way.levels().rev() {
        let state = way.state();
        let mut shared: BTreeMap<(AreaId, AreaId), f64> = BTreeMap::new();
        let (mut of_old, mut of_new): (BTreeMap<AreaId, f64>, BTreeMap<AreaId, f64>) = Default::default();
        for (from, to, m2) in &common {
            let old = from.and_then(|id| state.ancestor_at(id, level));
            let new = to.and_then(|id| goal.ancestor_at(id, level));
            old.into_iter().for_each(|id| *of_old.entry(id).or_default() += m2);
            new.into_iter().for_each(|id| *of_new.entry(id).or_default() += m2);
            if let (Some(old), Some(new)) = (old, new) {
                *shared.entry((old, new)).or_default() += m2;
            }
        }
        for ((old, new), m2) in shared {
            let (Some(before), Some(after)) = (state.area(old), goal.area(new)) else { continue };
            let is_new = goal.area_by_code(&before.code).is_none() && state.area_by_code(&after.code).is_none();
            if is_new && m2 >= SAME * of_old[&old] && m2 >= SAME * of_new[&new] {
                pairs.push((before.code.clone(), after.code.clone()));
            }
        }
    }
    pairs.into_iter().try_for_each(|(code, to)| way.make(Op::Recode { code, to }))
}

/// Ground in square metres that an owner has in common with a later one.
type Common = (Option<AreaId>, Option<AreaId>, f64);

/// How much ground each owner has in common with each of the later ones.
fn common(state: &Coverage, goal: &Coverage, tolerance_m: f64) -> Result<Vec<Common>, Refused> {
    let found = goal.exchanged_since(state, tolerance_m).map_err(super::ground::tangled)?;
    let looked_at: std::collections::BTreeSet<AreaId> = found.common.iter().filter_map(|c| c.0).collect();
    let mut common = found.common;
    // The others have what they had.
    for (id, area) in state.areas().filter(|(id, _)| !looked_at.contains(id) && !state.faces_of(*id).is_empty()) {
        let own_m2: f64 = state.faces_of(id).iter().map(|f| state.face_area_m2(*f)).sum();
        common.push((Some(id), goal.area_by_code(&area.code), own_m2));
    }
    Ok(common)
}
