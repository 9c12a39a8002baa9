//! What an import changes, area by area.

use boundaries::{AreaId, Coverage, Point};

use super::report::Counts;

/// Compares two states of a coverage whose ids were carried over: an area is unchanged
/// when its record and its own ground are.
#[must_use]
pub(super) fn counts(new: &Coverage, old: Option<&Coverage>) -> Counts {
    let mut counts = Counts::default();
    let Some(old) = old else {
        counts.added = new.areas().count();
        return counts;
    };
    for (id, area) in new.areas() {
        match old.area_by_code(&area.code) {
            None => counts.added += 1,
            Some(before) if is_same(new, id, old, before) => counts.unchanged += 1,
            Some(_) => counts.changed += 1,
        }
    }
    counts.removed = old.areas().filter(|(_, a)| new.area_by_code(&a.code).is_none()).count();
    counts
}

fn is_same(new: &Coverage, id: AreaId, old: &Coverage, before: AreaId) -> bool {
    let (Some(a), Some(b)) = (new.area(id), old.area(before)) else { return false };
    let parent = |c: &Coverage, p: Option<AreaId>| p.and_then(|p| c.area(p)).map(|p| p.code.clone());
    let level = |c: &Coverage, l: boundaries::Level| c.levels()[usize::from(l.0)].clone();
    a.name == b.name
        && a.kind == b.kind
        && a.attributes == b.attributes
        && level(new, a.level) == level(old, b.level)
        && parent(new, a.parent) == parent(old, b.parent)
        && ground(new, id) == ground(old, before)
}

/// The rings of the ground that an area owns itself, each from its least vertex on:
/// the same for the same ground, wherever its nodes are.
fn ground(coverage: &Coverage, id: AreaId) -> Vec<Vec<Point>> {
    let rings = coverage.faces_of(id).iter().flat_map(|face| coverage.rings(*face));
    let mut rings: Vec<_> = rings
        .map(|ring| {
            let mut points = coverage.ring_points(ring);
            let least = points.iter().enumerate().min_by_key(|(_, p)| **p).map_or(0, |(i, _)| i);
            points.rotate_left(least);
            points
        })
        .collect();
    rings.sort_unstable();
    rings
}
