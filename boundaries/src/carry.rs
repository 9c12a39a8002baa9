//! Carrying ids from one state of a coverage to the next.
//!
//! A coverage assembled from a file is numbered from nothing. Before it follows an
//! older state of the same coverage, whatever is unchanged takes its old id back:
//! a border with the same line (in the old direction), a face that keeps most of
//! its unchanged borders under the same owner, an area with the same code. So rows
//! that did not change stay untouched wherever the coverage is kept.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::area::AreaId;
use crate::coverage::{BorderRecord, BuildError, Coverage, FaceRecord};
use crate::lattice::Point;
use crate::topology::{BorderId, FaceId};

/// The first ids that were never given in a coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreeIds {
    /// The first free border id.
    pub border: u32,
    /// The first free face id; at least 1, as 0 is [`FaceId::OUTSIDE`].
    pub face: u32,
}

impl FreeIds {
    /// The ids after those in use in `coverage`: right where it never lost one.
    #[must_use]
    pub fn after(coverage: &Coverage) -> Self {
        Self { border: coverage.border_slots() as u32, face: coverage.face_slots().max(1) as u32 }
    }
}

/// `new` with the ids that `old` gave to what did not change; what is new gets ids
/// from `free` on. Areas of both must already have equal ids for equal codes.
///
/// # Errors
///
/// As [`Coverage::build`]; with two valid coverages there is no cause for any.
pub fn carry_ids(new: &Coverage, old: &Coverage, free: FreeIds) -> Result<Coverage, BuildError> {
    let known = old_lines(old);
    let mut fresh = free.border..;
    // For each new border: the id it gets and whether it is turned to run as it did.
    let mut named: Vec<Option<(BorderId, bool)>> = vec![None; new.border_slots()];
    let mut kept = Vec::new();
    for (id, border) in new.borders() {
        let found = known.get(&key(&border.line)).and_then(|same| {
            same.iter().find_map(|&old_id| {
                let line = &old.border(old_id)?.line;
                let turned = !line.iter().eq(border.line.iter());
                (!turned || line.iter().eq(border.line.iter().rev())).then_some((old_id, turned))
            })
        });
        let name = found.or_else(|| fresh.next().map(|id| (BorderId(id), false)));
        named[id.0 as usize] = name;
        if let Some(found) = found {
            kept.push((id, found));
        }
    }

    let faces = name_faces(new, old, &kept, free.face);
    let name_of = |face: FaceId| faces[face.0 as usize].unwrap_or(FaceId::OUTSIDE);
    let records = new.borders().filter_map(|(id, border)| {
        let (id, turned) = named[id.0 as usize]?;
        let (left, right) = (name_of(border.left), name_of(border.right));
        Some(if turned {
            let line: Arc<[Point]> = border.line.iter().rev().copied().collect();
            BorderRecord { id, left: right, right: left, line }
        } else {
            BorderRecord { id, left, right, line: border.line.clone() }
        })
    });
    Coverage::build(
        new.levels().into(),
        new.areas().map(|(id, area)| (id, (**area).clone())),
        new.faces()
            .filter(|(id, _)| *id != FaceId::OUTSIDE)
            .map(|(id, face)| FaceRecord { id: name_of(id), owner: face.owner }),
        records,
    )
}

/// What two lines must share to be the same in either direction.
type Key = (Point, Point, usize);

fn key(line: &[Point]) -> Key {
    let (a, b) = (line[0], line[line.len() - 1]);
    (a.min(b), a.max(b), line.len())
}

fn old_lines(old: &Coverage) -> FxHashMap<Key, Vec<BorderId>> {
    let mut known: FxHashMap<Key, Vec<BorderId>> = FxHashMap::default();
    for (id, border) in old.borders() {
        known.entry(key(&border.line)).or_default().push(id);
    }
    known
}

/// The id of each new face: that of the old face of the same owner with which it
/// shares most unchanged borders, each old id given once; else a fresh one.
fn name_faces(
    new: &Coverage,
    old: &Coverage,
    kept: &[(BorderId, (BorderId, bool))],
    first_free: u32,
) -> Vec<Option<FaceId>> {
    let mut votes: FxHashMap<(FaceId, FaceId), u32> = FxHashMap::default();
    let owner = |c: &Coverage, f: FaceId| c.face(f).and_then(|f| f.owner);
    for (id, (old_id, turned)) in kept {
        let (Some(n), Some(o)) = (new.border(*id), old.border(*old_id)) else { continue };
        let (left, right) = if *turned { (o.right, o.left) } else { (o.left, o.right) };
        for (n, o) in [(n.left, left), (n.right, right)] {
            if n != FaceId::OUTSIDE && o != FaceId::OUTSIDE && owner(new, n) == owner(old, o) {
                *votes.entry((n, o)).or_default() += 1;
            }
        }
    }
    // A whole outline may have moved: an area in one part before and after is the same face.
    for (area, _) in new.areas() {
        if let ([n], [o]) = (new.faces_of(area), old.faces_of(area)) {
            votes.entry((*n, *o)).or_default();
        }
    }
    let mut votes: Vec<_> = votes.into_iter().collect();
    votes.sort_unstable_by_key(|&((n, o), count)| (std::cmp::Reverse(count), n, o));

    let mut names: Vec<Option<FaceId>> = vec![None; new.face_slots()];
    let mut taken = vec![false; old.face_slots()];
    names[0] = Some(FaceId::OUTSIDE);
    for ((n, o), _) in votes {
        if names[n.0 as usize].is_none() && !taken[o.0 as usize] {
            names[n.0 as usize] = Some(o);
            taken[o.0 as usize] = true;
        }
    }
    let mut fresh = first_free..;
    for (id, _) in new.faces() {
        if names[id.0 as usize].is_none() {
            names[id.0 as usize] = fresh.next().map(FaceId);
        }
    }
    names
}

/// Gives the areas of a file the ids that the same codes already have, and fresh
/// ones, from `first_free` on, to codes that are new.
pub fn area_ids<'a>(codes: impl IntoIterator<Item = &'a str>, old: Option<&Coverage>, first_free: u32) -> Vec<AreaId> {
    let mut fresh = first_free..;
    codes
        .into_iter()
        .map(|code| {
            old.and_then(|old| old.area_by_code(code))
                // A u32 of ids outlasts any file: the range cannot end before memory does.
                .unwrap_or_else(|| AreaId(fresh.next().unwrap_or(u32::MAX)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::area::{Area, Level};

    fn line(points: &[(i32, i32)]) -> Arc<[Point]> {
        points.iter().map(|&(x, y)| Point::new(x, y)).collect()
    }

    /// ```text
    ///  (0,10)───────(10,10)──────(20,10)
    ///    │     a      m      b      │       m is the border between; its middle vertex moves
    ///  (0,0)────────(10,0)───────(20,0)
    /// ```
    fn pair(ids: [u32; 5], m: &[(i32, i32)]) -> Coverage {
        let [ring_a, ring_b, mid, a, b] = ids;
        let area = |code: &str| Area {
            code: code.into(),
            name: "".into(),
            level: Level(0),
            parent: None,
            kind: "".into(),
            attributes: "{}".into(),
        };
        Coverage::build(
            Arc::from(["grid".into()]),
            [(AreaId(0), area("a")), (AreaId(1), area("b"))],
            [
                FaceRecord { id: FaceId(a), owner: Some(AreaId(0)) },
                FaceRecord { id: FaceId(b), owner: Some(AreaId(1)) },
            ],
            [
                (ring_a, a, 0, &[(10, 10), (0, 10), (0, 0), (10, 0)][..]),
                (ring_b, b, 0, &[(10, 0), (20, 0), (20, 10), (10, 10)]),
                (mid, a, b, m),
            ]
            .map(|(id, l, r, p)| BorderRecord {
                id: BorderId(id),
                left: FaceId(l),
                right: FaceId(r),
                line: line(p),
            }),
        )
        .unwrap()
    }

    #[test]
    fn what_did_not_change_keeps_its_id_and_what_did_gets_a_fresh_one() {
        let old = pair([7, 4, 9, 5, 3], &[(10, 0), (10, 10)]);
        let new = pair([0, 1, 2, 1, 2], &[(10, 0), (11, 5), (10, 10)]);
        let carried = carry_ids(&new, &old, FreeIds { border: 20, face: 30 }).unwrap();
        assert_eq!(carried.borders().map(|(id, _)| id.0).collect::<Vec<_>>(), [4, 7, 20]);
        assert_eq!(carried.faces().map(|(id, _)| id.0).collect::<Vec<_>>(), [0, 3, 5]);
        assert_eq!(carried.face(FaceId(5)).unwrap().owner, Some(AreaId(0)));
    }

    #[test]
    fn a_border_that_comes_back_reversed_is_turned_to_run_as_it_did() {
        let old = pair([7, 4, 9, 5, 3], &[(10, 0), (10, 10)]);
        let new = Coverage::build(
            old.levels().into(),
            old.areas().map(|(id, a)| (id, (**a).clone())),
            [1, 2].map(|i| FaceRecord { id: FaceId(i), owner: Some(AreaId(i - 1)) }),
            old.borders().enumerate().map(|(i, (_, b))| {
                let face = |f: FaceId| {
                    FaceId(match f.0 {
                        5 => 1,
                        3 => 2,
                        _ => 0,
                    })
                };
                BorderRecord {
                    id: BorderId(i as u32),
                    left: face(b.right),
                    right: face(b.left),
                    line: b.line.iter().rev().copied().collect(),
                }
            }),
        )
        .unwrap();
        let carried = carry_ids(&new, &old, FreeIds::after(&old)).unwrap();
        let records = |c: &Coverage| c.borders().map(|(id, b)| (id, b.clone())).collect::<Vec<_>>();
        assert_eq!(records(&carried), records(&old));
    }
}
