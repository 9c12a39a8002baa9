//! What differs between two states of a coverage, by id.
//!
//! Invariant: exactly the ids whose records differ, in ascending order, whichever way
//! the two came about. Where one came from the other by an edit, only the chunks that
//! they don't share are looked at, so the cost follows from the edit.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::area::{AreaId, Level};
use crate::chunks::Chunked;
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::topology::{BorderId, FaceId};

/// The ids whose records differ between two states: changed, or in only one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Areas.
    pub areas: Vec<AreaId>,
    /// Faces of another owner; their shape is that of their borders.
    pub faces: Vec<FaceId>,
    /// Borders with another line or other sides.
    pub borders: Vec<BorderId>,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty() && self.faces.is_empty() && self.borders.is_empty()
    }
}

impl Coverage {
    /// What differs between this state and an earlier one.
    #[must_use]
    pub fn difference(&self, old: &Self) -> Difference {
        let ids = |indices: Vec<usize>| indices.into_iter().map(|i| i as u32);
        let areas = different(&self.areas, &old.areas, |a, b| match (a, b) {
            (Some(a), Some(b)) => a.area == b.area,
            (a, b) => a.is_none() && b.is_none(),
        });
        let faces = different(&self.faces, &old.faces, |a, b| match (a, b) {
            (Some(a), Some(b)) => a.owner == b.owner,
            (a, b) => a.is_none() && b.is_none(),
        });
        let borders = different(&self.borders, &old.borders, |a, b| match (a, b) {
            (Some(a), Some(b)) => (a.left, a.right) == (b.left, b.right) && a.line == b.line,
            (a, b) => a.is_none() && b.is_none(),
        });
        Difference {
            areas: ids(areas).map(AreaId).collect(),
            faces: ids(faces).map(FaceId).filter(|f| *f != FaceId::OUTSIDE).collect(),
            borders: ids(borders).map(BorderId).collect(),
        }
    }

    /// Boxes around the ground whose owner, or its owner's code, may be another than in an
    /// earlier state: what lies in none of them has the owner that it had.
    #[must_use]
    pub fn changed_ground(&self, old: &Self) -> Vec<Bounds> {
        let difference = self.difference(old);
        let face = |coverage: &Self, id| coverage.face(id).map(|f| f.bounds);
        let line = |coverage: &Self, id| coverage.border(id).map(|b| Bounds::of(b.line.iter().copied()));
        let faces = difference.faces.iter().flat_map(|id| [face(old, *id), face(self, *id)]);
        let lines = difference.borders.iter().flat_map(|id| [line(old, *id), line(self, *id)]);
        let recoded = difference.areas.iter().filter(|id| match (old.area(**id), self.area(**id)) {
            (Some(a), Some(b)) => a.code != b.code,
            _ => false,
        });
        let recoded = recoded.flat_map(|id| self.faces_of(*id)).map(|id| face(self, *id));
        together(faces.chain(lines).chain(recoded).flatten().filter(|b| !b.is_empty()).collect())
    }
}

impl Coverage {
    /// The areas whose record or outline differs from an earlier state's, in whichever of
    /// the two they are. An area above them is one only where its own outline differs.
    #[must_use]
    pub fn touched(&self, old: &Self) -> BTreeSet<AreaId> {
        let difference = self.difference(old);
        let mut touched = BTreeSet::new();
        for &id in &difference.areas {
            touched.insert(id);
            // A changed code is named by the records of the children.
            [old, self].iter().for_each(|c| touched.extend(c.children(id)));
            // Where it was put below another, its ground went there.
            if let [Some(before), Some(after)] = [old, self].map(|c| c.area(id).map(|a| a.parent)) {
                let above = |c: &Self, parent: Option<AreaId>| parent.map_or_else(Vec::new, |p| c.chain(p));
                let (before, after) = (above(old, before), above(self, after));
                touched.extend(before.iter().filter(|id| !after.contains(id)));
                touched.extend(after.iter().filter(|id| !before.contains(id)));
            }
        }
        let levels = || (0..old.levels().len().max(self.levels().len())).map(|i| Level(i as u8));
        // A face that is in one state only has nothing but changed borders around it.
        for &id in difference.faces.iter().filter(|id| old.face(**id).is_some() && self.face(**id).is_some()) {
            for level in levels() {
                let [before, after] = [old, self].map(|c| c.owner_at(id, level));
                if before != after {
                    touched.extend(before.into_iter().chain(after));
                }
            }
        }
        // An outline is the set of its edges: those that both states have cancel out, so that
        // a border cut in two at one of its vertices touches nobody.
        // Of areas that are touched already, all of a new coverage's for one, nothing is asked.
        let mut edges: FxHashSet<(AreaId, Point, Point)> = FxHashSet::default();
        let mut toggle = |edge| {
            if !edges.remove(&edge) {
                edges.insert(edge);
            }
        };
        for &id in &difference.borders {
            for coverage in [old, self] {
                let Some(border) = coverage.border(id) else { continue };
                for level in levels() {
                    let [left, right] = [border.left, border.right].map(|face| coverage.owner_at(face, level));
                    if left == right {
                        continue;
                    }
                    let [left, right] = [left, right].map(|area| area.filter(|area| !touched.contains(area)));
                    for w in border.line.windows(2) {
                        left.into_iter().for_each(|area| toggle((area, w[0], w[1])));
                        right.into_iter().for_each(|area| toggle((area, w[1], w[0])));
                    }
                }
            }
        }
        touched.extend(edges.into_iter().map(|(area, _, _)| area));
        touched
    }

    /// The codes of the [touched](Self::touched) areas, old and new, ascending.
    #[must_use]
    pub fn touched_codes(&self, old: &Self) -> Vec<Arc<str>> {
        let code = |id| old.area(id).into_iter().chain(self.area(id)).map(|a| a.code.clone());
        let codes: BTreeSet<_> = self.touched(old).into_iter().flat_map(code).collect();
        codes.into_iter().collect()
    }

    /// Boxes around all ground of the [touched](Self::touched) areas, old and new: outside
    /// of them no picture of the areas differs.
    #[must_use]
    pub fn touched_ground(&self, old: &Self) -> Vec<Bounds> {
        let of = |coverage: &Self, id| {
            let ground = coverage.ground(id).into_iter().filter_map(|f| coverage.face(f));
            ground.map(|f| f.bounds).fold(Bounds::EMPTY, Bounds::union)
        };
        let boxes = self.touched(old).into_iter().flat_map(|id| [of(old, id), of(self, id)]);
        together(boxes.filter(|b| !b.is_empty()).collect())
    }
}

/// With more boxes than these, one around all of them is as good.
const MOST_BOXES: usize = 512;

/// Boxes that meet become one, so that boxes around old and new lines hold the ground that
/// changes hands between them, which each line alone may leave outside its box.
///
/// ```text
///    ┌──old──┐          the ground between the lines
///    │ ·     │          is in neither's box, but in
///    │   ·   └──new─┐   that around both
/// ```
#[must_use]
pub fn together(mut boxes: Vec<Bounds>) -> Vec<Bounds> {
    if boxes.len() > MOST_BOXES {
        return vec![boxes.into_iter().fold(Bounds::EMPTY, Bounds::union)];
    }
    let mut apart: Vec<Bounds> = Vec::new();
    while let Some(mut grown) = boxes.pop() {
        while let Some(i) = apart.iter().position(|b| b.meets(grown)) {
            grown = grown.union(apart.swap_remove(i));
        }
        apart.push(grown);
    }
    apart
}

/// The indices at which two tables differ, ascending; beyond its end a table has nothing.
fn different<T: Clone>(
    new: &Chunked<Option<T>>,
    old: &Chunked<Option<T>>,
    same: impl Fn(Option<&T>, Option<&T>) -> bool,
) -> Vec<usize> {
    let mut all: Vec<usize> = new.not_shared_with(old).chain(old.not_shared_with(new)).collect();
    all.sort_unstable();
    all.dedup();
    all.retain(|&i| !same(record(new, i), record(old, i)));
    all
}

fn record<T: Clone>(table: &Chunked<Option<T>>, index: usize) -> Option<&T> {
    table.get(index).and_then(Option::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{Settings, assemble};
    use crate::carry::{FreeIds, carry_ids};
    use crate::locator::FaceTree;
    use crate::samples::{CELL, City, Dice};
    use crate::{Area, BorderRecord, Changes, FaceRecord};

    fn city(city: City) -> Coverage {
        assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
    }

    /// Every record by the table it stands in, its id and what it says.
    fn records(coverage: &Coverage) -> BTreeSet<(char, u32, String)> {
        let areas = coverage.areas().map(|(id, a)| ('a', id.0, format!("{a:?}")));
        let faces = coverage.faces().filter(|(id, _)| *id != FaceId::OUTSIDE);
        let faces = faces.map(|(id, f)| ('f', id.0, format!("{:?}", f.owner)));
        let borders = coverage.borders().map(|(id, b)| ('b', id.0, format!("{:?} {:?} {:?}", b.left, b.right, b.line)));
        areas.chain(faces).chain(borders).collect()
    }

    fn naive(new: &Coverage, old: &Coverage) -> BTreeSet<(char, u32)> {
        records(new).symmetric_difference(&records(old)).map(|(table, id, _)| (*table, *id)).collect()
    }

    fn named(d: &Difference) -> BTreeSet<(char, u32)> {
        let areas = d.areas.iter().map(|id| ('a', id.0));
        areas.chain(d.faces.iter().map(|id| ('f', id.0))).chain(d.borders.iter().map(|id| ('b', id.0))).collect()
    }

    /// The rings of an area's ground, wherever each begins.
    fn outline(coverage: &Coverage, id: AreaId) -> BTreeSet<BTreeSet<Point>> {
        let polygons = coverage.polygons(id);
        polygons.into_iter().flat_map(|p| std::iter::once(p.shell).chain(p.holes)).map(BTreeSet::from_iter).collect()
    }

    #[test]
    fn a_difference_names_exactly_the_records_that_differ_and_its_ground_all_that_changed_hands() {
        for seed in 0..6 {
            let mut dice = Dice::seeded(seed);
            let old = city(City::clean(8, &mut dice));
            // The corners of one cell move; everything else is drawn as it was.
            let mut drawn = City::clean(8, &mut Dice::seeded(seed));
            let moved = drawn.claims[20 + seed as usize].polygon.shell.clone();
            let by = (dice.about(CELL / 5), dice.about(CELL / 5));
            for ring in drawn.claims.iter_mut().map(|c| &mut c.polygon.shell) {
                for p in ring.iter_mut().filter(|p| moved.contains(p)) {
                    *p = Point::new(p.x + by.0, p.y + by.1);
                }
            }
            let free = FreeIds { border: old.border_slots() as u32, face: old.face_slots() as u32 };
            let new = carry_ids(&city(drawn), &old, free).unwrap();
            let difference = new.difference(&old);
            assert!(!difference.borders.is_empty());
            assert_eq!(named(&difference), naive(&new, &old));
            assert_eq!(named(&old.difference(&new)), naive(&new, &old));

            // Touched is whoever's record or outline differs, by looking at all of them.
            let all: BTreeSet<AreaId> = old.areas().chain(new.areas()).map(|(id, _)| id).collect();
            let differs = |id: &AreaId| old.area(*id) != new.area(*id) || outline(&old, *id) != outline(&new, *id);
            assert_eq!(new.touched(&old), all.into_iter().filter(differs).collect());

            let ground = new.changed_ground(&old);
            let (before, after) = (FaceTree::build(&old), FaceTree::build(&new));
            let whole = old.bounds().union(new.bounds());
            let mut changed = 0;
            for _ in 0..20_000 {
                let p = Point::new(
                    whole.min.x + dice.below((whole.max.x - whole.min.x) as u64) as i32,
                    whole.min.y + dice.below((whole.max.y - whole.min.y) as u64) as i32,
                );
                let owner = |tree: &FaceTree, coverage: &Coverage| {
                    coverage.face(tree.face_at(coverage, p)).and_then(|f| f.owner)
                };
                if owner(&before, &old) != owner(&after, &new) {
                    changed += 1;
                    assert!(ground.iter().any(|b| b.contains(p)), "{p:?} changed hands outside {ground:?}");
                }
            }
            assert!(changed > 0, "nothing changed hands");
            let size = |b: &Bounds| f64::from(b.max.x - b.min.x) * f64::from(b.max.y - b.min.y);
            assert!(ground.iter().map(size).sum::<f64>() < size(&whole) / 3.0, "one cell is no third of the city");
        }
    }

    #[test]
    fn equal_states_differ_in_nothing_and_an_edit_only_in_what_it_names() {
        let old = city(City::clean(4, &mut Dice::seeded(9)));
        assert!(old.difference(&old.clone()).is_empty());
        let (id, area) = old.areas().next().unwrap();
        let named = Area { name: "another".into(), ..(**area).clone() };
        let new = old.with_changes(Changes { put_areas: vec![(id, named)], ..Changes::default() }).unwrap();
        assert_eq!(new.difference(&old), Difference { areas: vec![id], ..Difference::default() });
        assert!(new.changed_ground(&old).is_empty());
        let (id, area) = old.areas().find(|(id, _)| !old.faces_of(*id).is_empty()).unwrap();
        let coded = Area { code: "another".into(), ..(**area).clone() };
        let new = old.with_changes(Changes { put_areas: vec![(id, coded)], ..Changes::default() }).unwrap();
        let ground = new.changed_ground(&old);
        assert!(old.faces_of(id).iter().all(|f| ground.iter().any(|b| b.meets(old.face(*f).unwrap().bounds))));

        // The same records in other memory: nothing differs though nothing is shared.
        let again = Coverage::build(
            old.levels().into(),
            old.areas().map(|(id, a)| (id, (**a).clone())),
            old.faces().filter(|(id, _)| *id != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner }),
            old.borders().map(|(id, b)| BorderRecord { id, left: b.left, right: b.right, line: b.line.clone() }),
        );
        assert!(again.unwrap().difference(&old).is_empty());
    }
}
