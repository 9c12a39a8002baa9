//! What must hold of everything that is read, at any time.

use boundaries::{AreaId, Coverage, Point};
use gridatlas::feature::Feature;
use gridatlas::redraw::Preview;
use gridatlas::snapshot::{CoverageView, Snapshot};
use gridatlas::store::{Descent, Plan};

use super::dice::Dice;
use super::model::Planned;
use super::picture::{Owner, Picture};
use super::town;

fn code(coverage: &Coverage, id: Option<AreaId>) -> Option<&str> {
    id.and_then(|id| coverage.area(id)).map(|a| &*a.code)
}

/// A view shows a picture, and nothing else.
pub(crate) fn shows(view: &CoverageView, picture: &Picture, what: &str) {
    let found = Picture::of(&view.coverage);
    assert!(found == *picture, "{what}:\n{}", found.differences(picture));
    assert_eq!(view.coverage.sanity_check(), Ok(()), "{what}");
}

/// Places have the owners that they have in the picture.
pub(crate) fn locates(view: &CoverageView, picture: &Picture, dice: &mut Dice) {
    for _ in 0..20 {
        let p = town::place(dice);
        let found = view.locator.place(&view.coverage, p).owner;
        let found = code(&view.coverage, found);
        let owner = picture.owner(p);
        assert!(owner.may_be(found), "{p:?} is {found:?}'s, not {owner:?}'s");
    }
}

/// Things have the owners that they have in the picture.
pub(crate) fn owns(snapshot: &Snapshot, place: usize, picture: &Picture, features: &[Feature]) {
    let coverage = &snapshot.coverages[place].coverage;
    for feature in features {
        let layer = snapshot.layer(layer_of(feature)).unwrap();
        let found = code(coverage, layer.owner(layer.find(&feature.id).unwrap(), place));
        let owner = picture.owner_of(feature);
        assert!(owner.may_be(found), "{} is {found:?}'s, not {owner:?}'s", feature.id);
    }
}

pub(crate) fn layer_of(feature: &Feature) -> &'static str {
    if feature.id.starts_with('b') { "building" } else { "worker" }
}

/// A preview names the things that change hands, and counts those that are there after.
pub(crate) fn previews(preview: &Preview, before: &Picture, after: &Picture, features: &[Feature]) {
    let mut counts = std::collections::BTreeMap::new();
    let mut is_sure = true;
    for feature in features {
        let (was, is) = (before.owner_of(feature), after.owner_of(feature));
        let moved = preview.moved[layer_of(feature)].iter().find(|m| m.id == feature.id);
        if was == Owner::Unsure || is == Owner::Unsure {
            is_sure = false;
            continue;
        }
        let told = moved.map(|m| (m.from.clone(), m.to.clone()));
        let named = |owner: &Owner| if let Owner::Area(code) = owner { Some(code.clone()) } else { None };
        // The area of another code may be the same one.
        let expected = (was != is).then(|| (named(&was), named(&is)));
        let recoded = told.is_none() && expected.is_some();
        assert!(told == expected || recoded, "{}: {told:?}, not {expected:?}", feature.id);
        if layer_of(feature) == "building" {
            *counts.entry(is).or_insert(0) += 1;
        }
    }
    for area in preview.areas.iter().filter(|_| is_sure) {
        let Some(figures) = &area.after else { continue };
        // An area that owns ground itself counts what stands below it, too.
        let within = |owner: &Owner| matches!(owner, Owner::Area(code) if after.chain(code).contains(&area.code));
        let counted: usize = counts.iter().filter(|(owner, _)| within(owner)).map(|(_, count)| count).sum();
        assert_eq!(figures.buildings, counted, "buildings of {}", area.code);
    }
}

/// A plan as a store has it is the plan of the model.
pub(crate) fn is_plan(plan: &Plan, model: &Planned) {
    let edits: Vec<_> = plan.edits.iter().map(|e| (e.seq, e.body.clone())).collect();
    assert_eq!(edits, model.edits, "{}", plan.id);
    assert_eq!((plan.done, plan.state, plan.base), (model.done, model.state, model.base), "{}", plan.id);
    assert_eq!((&plan.locked, plan.published), (&model.locked, model.published), "{}", plan.id);
    let notes: Vec<&str> = plan.notes.iter().map(|n| n.kind.as_str()).collect();
    assert_eq!(notes, model.notes, "{}", plan.id);
    assert!(plan.notes.iter().enumerate().all(|(i, n)| n.seq == i as u64 + 1));
}

/// What changed hands between two pictures is told, and every area's ground is told whole.
pub(crate) fn tells(lineage: &[Descent], before: &Picture, after: &Picture, dice: &mut Dice) {
    for _ in 0..300 {
        let p = town::place(dice);
        let (Owner::Area(was), Owner::Area(is)) = (before.owner(p), after.owner(p)) else { continue };
        let told = lineage.iter().any(|d| (&d.from, &d.to) == (&was, &is));
        // A node put into a border bends it by less than a unit: such crumbs are not told.
        assert!(
            told || was == is || is_beside_a_line(before, p),
            "{p:?} went from {was} to {is}, and the lineage is silent: {lineage:?}"
        );
    }
    for descent in lineage {
        let one = |share: f64| (0.0..=1.000_001).contains(&share);
        let shares = [descent.area_share, descent.building_share, descent.household_share];
        assert!(shares.into_iter().all(one), "{descent:?}");
        assert!(before.0.contains_key(&descent.from) && after.0.contains_key(&descent.to), "{descent:?}");
        let from_it = || lineage.iter().filter(|d| d.from == descent.from);
        let sum = |share: fn(&Descent) -> f64| from_it().map(share).sum::<f64>();
        assert!(sum(|d| d.area_share) < 1.000_1, "{:?}", from_it().collect::<Vec<_>>());
        for all in [sum(|d| d.building_share), sum(|d| d.household_share)] {
            assert!(all < 1.000_1, "{:?}", from_it().collect::<Vec<_>>());
        }
    }
}

/// Whether somebody else's ground is but a unit away.
fn is_beside_a_line(picture: &Picture, p: Point) -> bool {
    let around = (-1..=1).flat_map(|x| (-1..=1).map(move |y| Point::new(p.x + x, p.y + y)));
    let own = picture.owner(p);
    around.into_iter().any(|near| picture.owner(near) != own)
}

/// An edit is another one as far as codes go that the planner left open.
pub(crate) fn is_but_for_codes(one: &str, other: &str) {
    let [mut one, mut other] = [one, other].map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
    for edit in [&mut one, &mut other] {
        edit.as_object_mut().unwrap().remove("given");
    }
    assert_eq!(one, other);
}
