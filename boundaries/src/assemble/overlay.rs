//! One state of a coverage laid over another: which ground of whom is whose now.
//!
//! ```text
//!     then             now              ground
//!   ┌───┬───┐        ┌─────┬─┐        ┌───┬─┬─┐
//!   │ a │ b │   +    │  a  │b│   ─▶   │aa │ba│bb│     every piece names its owner in both
//!   └───┴───┘        └─────┴─┘        └───┴─┴─┘
//! ```
//!
//! The lines of both are broken where they meet, as loose polygons are, and the pieces are
//! a coverage of their own: they don't overlap, leave nothing out, and have outlines.
//!
//! Invariant: only areas beside something that differs are looked at; all others have the
//! ground that they had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::area::{Area, AreaId, Level};
use crate::coverage::{BorderRecord, BuildError, Coverage, FaceRecord};
use crate::lattice::Point;
use crate::polygon::Polygon;
use crate::segment::Segment;
use crate::topology::FaceId;

use super::graph::Graph;
use super::labels::Labels;
use super::mesh::Mesh;
use super::node;
use super::records;

/// The owners of a piece of ground, then and now; `None` where nobody is.
pub type Owners = (Option<AreaId>, Option<AreaId>);

/// The ground of all areas that may have changed, in pieces by owner then and now.
#[derive(Clone, Debug)]
pub struct Overlay {
    pieces: Vec<Owners>,
    ground: Coverage,
    areas: BTreeSet<AreaId>,
}

impl Overlay {
    /// The pieces of a mesh whose edges meet in vertices alone, with their owners by the
    /// rings around each face; ground that has none belongs to no piece.
    pub(super) fn of(
        mesh: &Mesh,
        areas: BTreeSet<AreaId>,
        owners_of: &dyn Fn(&[u32]) -> Option<Owners>,
    ) -> Result<Self, BuildError> {
        let graph = Graph::of(mesh);
        let labels = Labels::flood(mesh, &graph).ok_or_else(|| refuse(None))?;
        let of_faces: Vec<Option<Owners>> = (0..graph.faces() as u32).map(|face| owners_of(labels.of(face))).collect();
        let mut numbers: BTreeMap<Owners, AreaId> = of_faces.iter().flatten().map(|o| (*o, AreaId(0))).collect();
        numbers.values_mut().enumerate().for_each(|(i, id)| *id = AreaId(i as u32));
        let of_faces: Vec<Option<AreaId>> = of_faces.iter().map(|o| numbers.get(&(*o)?).copied()).collect();
        let (faces, borders) = records::records(mesh, &graph, &of_faces);
        let level: Arc<[Arc<str>]> = Arc::from(["piece".into()]);
        let ground = Coverage::build(level, numbers.values().map(|id| numbered(*id)), faces, borders)?;
        Ok(Self { pieces: numbers.into_keys().collect(), ground, areas })
    }

    /// The areas that were looked at, in whichever state they are. The ground of all
    /// others is what it was.
    #[must_use]
    pub fn areas(&self) -> &BTreeSet<AreaId> {
        &self.areas
    }

    /// The pieces, by owners then and now, with their ground in square metres.
    pub fn pieces(&self) -> impl Iterator<Item = (Owners, f64)> {
        let numbered = self.pieces.iter().enumerate();
        numbered.map(|(i, owners)| (*owners, self.ground.area_m2(AreaId(i as u32))))
    }

    /// The pieces put together by a key, those without one left out: for each key its
    /// ground in square metres, and as polygons in which pieces of one key have grown
    /// together. Ascending.
    ///
    /// # Errors
    ///
    /// None that pieces can have: they are a coverage already.
    pub fn by<K: Ord>(&self, key: impl Fn(Owners) -> Option<K>) -> Result<Vec<(K, f64, Vec<Polygon>)>, BuildError> {
        let keys: Vec<Option<K>> = self.pieces.iter().map(|owners| key(*owners)).collect();
        let mut all: Vec<&K> = keys.iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        let number = |key: &K| all.binary_search(&key).ok().map(|at| AreaId(at as u32));
        let of_pieces: Vec<Option<AreaId>> = keys.iter().map(|key| number(key.as_ref()?)).collect();
        let inner = self.ground.faces().filter(|(id, _)| *id != FaceId::OUTSIDE);
        let faces = inner.map(|(id, face)| {
            let owner = face.owner.and_then(|piece| of_pieces.get(piece.0 as usize).copied().flatten());
            FaceRecord { id, owner }
        });
        let borders = self.ground.borders();
        let borders = borders.map(|(id, b)| BorderRecord { id, left: b.left, right: b.right, line: b.line.clone() });
        let areas = (0..all.len() as u32).map(|i| numbered(AreaId(i)));
        let grown = Coverage::build(self.ground.levels().into(), areas, faces, borders)?;
        let mut sorted: Vec<K> = keys.into_iter().flatten().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let ids = (0..).map(AreaId);
        Ok(sorted.into_iter().zip(ids).map(|(key, id)| (key, grown.area_m2(id), grown.polygons(id))).collect())
    }
}

/// Why states can't be laid over each other.
pub(super) fn refuse(place: Option<Point>) -> BuildError {
    BuildError { reason: "the two states cross too often to be compared".into(), place }
}

/// An area that stands for a piece.
fn numbered(id: AreaId) -> (AreaId, Area) {
    let (code, none) = (id.0.to_string().into(), Arc::from(""));
    let piece = Area { code, name: none, level: Level(0), parent: None, kind: "".into(), attributes: "{}".into() };
    (id, piece)
}

impl Coverage {
    /// This state laid over an earlier one: the ground beside what differs, and that of
    /// the areas of `also`. Owners are the deepest areas known.
    ///
    /// # Errors
    ///
    /// Where the lines of the two meet so often that no end is found.
    pub fn laid_over(&self, then: &Self, also: impl IntoIterator<Item = AreaId>) -> Result<Overlay, BuildError> {
        let mut areas = self.beside_difference(then);
        areas.extend(also);
        // A ring for each area in each state; those of then have even numbers.
        let mut edges: Vec<(Segment, u32)> = Vec::new();
        for &area in &areas {
            then.rim_segments(area, |segment| edges.push((segment, 2 * area.0)));
            self.rim_segments(area, |segment| edges.push((segment, 2 * area.0 + 1)));
        }
        let mut mesh = Mesh::of_edges(&edges);
        drop(edges);
        node::node(&mut mesh).map_err(|e| refuse(Some(e.place())))?;
        let owners_of = |rings: &[u32]| {
            let owner = |now: u32| rings.iter().find(|ring| *ring % 2 == now).map(|ring| AreaId(ring / 2));
            Some((owner(0), owner(1))).filter(|owners| *owners != (None, None))
        };
        Overlay::of(&mesh, areas, &owners_of)
    }

    /// The owners beside every border and on every face that differs.
    fn beside_difference(&self, then: &Self) -> BTreeSet<AreaId> {
        let difference = self.difference(then);
        let owner = |coverage: &Self, face: FaceId| coverage.face(face).and_then(|f| f.owner);
        let mut areas = BTreeSet::new();
        for coverage in [then, self] {
            areas.extend(difference.faces.iter().filter_map(|face| owner(coverage, *face)));
            let borders = difference.borders.iter().filter_map(|id| coverage.border(*id));
            areas.extend(borders.flat_map(|b| [b.left, b.right]).filter_map(|face| owner(coverage, face)));
        }
        areas
    }

    /// The segments around the faces that an area owns itself, once around each.
    fn rim_segments(&self, area: AreaId, mut each: impl FnMut([Point; 2])) {
        let faces = self.faces_of(area);
        // What lies between two of its faces comes twice, which the mesh takes for not at all.
        for h in faces.iter().flat_map(|face| self.rings(*face)).flat_map(|ring| self.ring(ring)) {
            let line = self.border(h.border()).map_or(&[][..], |b| &b.line);
            line.windows(2).for_each(|w| each([w[0], w[1]]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{Settings, assemble};
    use crate::edit::{Edit, Fresh, NewArea, Rules, Suffixes};
    use crate::locator::FaceTree;
    use crate::samples::{CELL, City, Dice};

    fn city(dice: &mut Dice) -> Coverage {
        let city = City::clean(8, dice);
        assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
    }

    fn place(coverage: &Coverage, dice: &mut Dice) -> Point {
        let b = coverage.bounds();
        let within = |low: i32, high: i32, dice: &mut Dice| low + dice.below((high - low) as u64) as i32;
        Point::new(within(b.min.x, b.max.x, dice), within(b.min.y, b.max.y, dice))
    }

    /// Redraws at random: cuts and merges of cells, nodes that move.
    fn redrawn(coverage: &Coverage, count: usize, dice: &mut Dice) -> Coverage {
        let codes = Suffixes::default();
        let (mut coverage, mut made) = (coverage.clone(), 0);
        while made < count {
            let p = place(&coverage, dice);
            let tree = FaceTree::build(&coverage);
            let Some(owner) = coverage.face(tree.face_at(&coverage, p)).and_then(|f| f.owner) else { continue };
            let code = coverage.area(owner).unwrap().code.clone();
            let edit = match dice.below(3) {
                0 => {
                    let (dx, dy) = (dice.about(2 * CELL), dice.about(2 * CELL));
                    let line = vec![Point::new(p.x - dx, p.y - dy), Point::new(p.x + dx, p.y + dy)];
                    Edit::Split { codes: vec![code], line, keep: Default::default(), new: NewArea::default() }
                }
                1 => match coverage.neighbours(owner).first() {
                    Some((other, _)) => {
                        let other = coverage.area(*other).unwrap().code.clone();
                        Edit::Merge { codes: vec![code.clone(), other], into: code, multipart: false }
                    }
                    None => continue,
                },
                _ => {
                    let outer = coverage.face(coverage.faces_of(owner)[0]).unwrap().outer.unwrap();
                    let node = coverage.ring_points(outer)[0];
                    let to = Point::new(node.x + dice.about(CELL / 6), node.y + dice.about(CELL / 6));
                    Edit::MoveNode { node, to }
                }
            };
            let none = BTreeSet::new();
            let rules = Rules { locked: &none, ..Rules::new(&codes, Fresh::after(&coverage)) };
            if let Ok(edited) = edit.apply(&coverage, &rules) {
                (coverage, made) = (edited.coverage, made + 1);
            }
        }
        coverage
    }

    #[test]
    fn every_place_lies_in_the_piece_of_its_owners_then_and_now_and_pieces_add_up() {
        for seed in 0..8 {
            println!("seed {seed}");
            let mut dice = Dice::seeded(seed);
            let then = city(&mut dice);
            let now = redrawn(&then, 1 + 3 * seed as usize, &mut dice);
            let overlay = now.laid_over(&then, []).unwrap();
            assert_eq!(overlay.ground.sanity_check(), Ok(()));
            let trees = [&then, &now, &overlay.ground].map(FaceTree::build);
            let owner = |i: usize, c: &Coverage, p| c.face(trees[i].face_at(c, p)).and_then(|f| f.owner);
            let (mut moved, mut off) = (0, 0);
            for _ in 0..20_000 {
                let p = place(&then, &mut dice);
                let owners = (owner(0, &then, p), owner(1, &now, p));
                moved += usize::from(owners.0 != owners.1);
                match owner(2, &overlay.ground, p) {
                    // A line that was bent half a unit where it was crossed passes a place now and then.
                    Some(piece) => off += usize::from(overlay.pieces[piece.0 as usize] != owners),
                    None => assert!(owners.0 == owners.1 && owners.0.is_none_or(|o| !overlay.areas.contains(&o))),
                }
            }
            assert!(moved > 0 && off <= 2, "{moved} places moved, {off} off");
            for (state, coverage) in [&then, &now].into_iter().enumerate() {
                let mut sums: BTreeMap<AreaId, f64> = BTreeMap::new();
                for (owners, m2) in overlay.pieces() {
                    let of_state = [owners.0, owners.1][state];
                    of_state.into_iter().for_each(|id| *sums.entry(id).or_default() += m2);
                }
                for (id, sum) in sums {
                    let (whole, around) = (coverage.area_m2(id), coverage.perimeter_m(id));
                    assert!((sum - whole).abs() < 0.01 * around, "{id:?}: {sum} of {whole}");
                }
            }
        }
    }

    #[test]
    fn pieces_put_together_keep_their_ground_and_lose_the_lines_between_them() {
        let mut dice = Dice::seeded(5);
        let then = city(&mut dice);
        let now = redrawn(&then, 6, &mut dice);
        let overlay = now.laid_over(&then, []).unwrap();
        let all = overlay.by(|owners| Some(owners.0 != owners.1)).unwrap();
        assert_eq!(all.iter().map(|(moved, ..)| *moved).collect::<Vec<_>>(), [false, true]);
        for (moved, m2, polygons) in all {
            let of_it = overlay.pieces().filter(|(owners, _)| (owners.0 != owners.1) == moved);
            let (pieces, sum) = of_it.fold((0, 0.0), |(n, sum), (_, m2)| (n + 1, sum + m2));
            assert!((m2 - sum).abs() < 1e-6 * sum && polygons.len() < pieces, "{m2} {sum} {pieces}");
        }
    }

    #[test]
    fn states_that_are_equal_have_no_pieces_and_a_new_name_moves_no_ground() {
        let then = city(&mut Dice::seeded(3));
        assert_eq!(then.laid_over(&then.clone(), []).unwrap().pieces().count(), 0);
        let (id, area) = then.areas().next().unwrap();
        let named = Area { name: "another".into(), ..(**area).clone() };
        let now = then.with_changes(crate::Changes { put_areas: vec![(id, named)], ..Default::default() }).unwrap();
        assert!(now.laid_over(&then, []).unwrap().areas().is_empty());
    }
}
