//! The records of a coverage: what its digest is taken over, and what differs
//! between two states of it. Pure; the same for every store.

use std::fmt::Write as _;
use std::sync::Arc;

use boundaries::{Area, AreaId, Border, BorderId, Coverage, Face, FaceId};
use sha2::{Digest, Sha256};

/// SHA-256 over the levels and the records of a coverage, in the order of their ids,
/// as lower-case hex. Lengths and counts stand before what they count, so no two
/// coverages are the same bytes.
#[must_use]
pub fn digest(coverage: &Coverage) -> String {
    let mut sum = Sha256::new();
    let number = |sum: &mut Sha256, n: u32| sum.update(n.to_le_bytes());
    let text = |sum: &mut Sha256, t: &str| {
        sum.update((t.len() as u64).to_le_bytes());
        sum.update(t.as_bytes());
    };
    number(&mut sum, coverage.levels().len() as u32);
    coverage.levels().iter().for_each(|level| text(&mut sum, level));
    for (id, area) in coverage.areas() {
        sum.update(b"a");
        number(&mut sum, id.0);
        number(&mut sum, area.level.0.into());
        number(&mut sum, area.parent.map_or(0, |p| p.0 + 1));
        for t in [&area.code, &area.name, &area.kind, &area.attributes] {
            text(&mut sum, t);
        }
    }
    for (id, face) in coverage.faces().filter(|(id, _)| *id != FaceId::OUTSIDE) {
        sum.update(b"f");
        number(&mut sum, id.0);
        number(&mut sum, face.owner.map_or(0, |o| o.0 + 1));
    }
    let mut bytes = Vec::new();
    for (id, border) in coverage.borders() {
        sum.update(b"b");
        for n in [id.0, border.left.0, border.right.0, border.line.len() as u32] {
            number(&mut sum, n);
        }
        bytes.clear();
        bytes.extend(border.line.iter().flat_map(|p| [p.x.to_le_bytes(), p.y.to_le_bytes()]).flatten());
        sum.update(&bytes);
    }
    sum.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What differs between two tables: ids whose row ends, and rows that begin.
#[derive(Debug)]
pub(super) struct Rows<'a, Id, T> {
    pub(super) ended: Vec<Id>,
    pub(super) begun: Vec<(Id, &'a T)>,
}

/// What differs between two states of a coverage.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) areas: Rows<'a, AreaId, Arc<Area>>,
    pub(super) faces: Rows<'a, FaceId, Face>,
    pub(super) borders: Rows<'a, BorderId, Border>,
}

impl<'a> Difference<'a> {
    pub(super) fn between(old: Option<&Coverage>, new: &'a Coverage) -> Self {
        let nothing = Coverage::empty(new.levels().into());
        let old = old.unwrap_or(&nothing);
        let ids = new.difference(old);
        Self {
            areas: rows(ids.areas, |id| old.area(id).is_some(), |id| new.area(id)),
            faces: rows(ids.faces, |id| old.face(id).is_some(), |id| new.face(id)),
            borders: rows(ids.borders, |id| old.border(id).is_some(), |id| new.border(id)),
        }
    }

    /// How many rows are written or ended.
    pub(super) fn rows(&self) -> usize {
        fn of<Id, T>(rows: &Rows<'_, Id, T>) -> usize {
            rows.ended.len() + rows.begun.len()
        }
        of(&self.areas) + of(&self.faces) + of(&self.borders)
    }
}

fn rows<'a, Id: Copy, T>(
    ids: Vec<Id>,
    stood: impl Fn(Id) -> bool,
    stands: impl Fn(Id) -> Option<&'a T>,
) -> Rows<'a, Id, T> {
    let begun = ids.iter().filter_map(|id| Some((*id, stands(*id)?))).collect();
    Rows { ended: ids.into_iter().filter(|id| stood(*id)).collect(), begun }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::three_grids;

    #[test]
    fn equal_coverages_have_equal_digests_and_no_difference() {
        let (a, b) = (three_grids(), three_grids());
        assert_eq!(digest(&a), digest(&b));
        assert_eq!(Difference::between(Some(&a), &b).rows(), 0);
        let all = Difference::between(None, &a);
        assert_eq!((all.areas.begun.len(), all.faces.begun.len(), all.borders.begun.len()), (4, 3, 6));
        assert_ne!(digest(&a), digest(&Coverage::empty(a.levels().into())));
    }

    #[test]
    fn rows_end_begin_and_change() {
        let (a, b, c) = (1, 2, 3);
        let found = rows(vec![a, b, c], |id| id != b, |id| (id != c).then_some(&"row"));
        assert_eq!((found.ended, found.begun), (vec![a, c], vec![(a, &"row"), (b, &"row")]));
    }
}
