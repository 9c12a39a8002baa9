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
    pub(super) fn between(old: Option<&'a Coverage>, new: &'a Coverage) -> Self {
        let inside = |c: &'a Coverage| c.faces().filter(|(id, _)| *id != FaceId::OUTSIDE);
        Self {
            areas: rows(old.into_iter().flat_map(Coverage::areas), new.areas(), |a, b| a == b),
            faces: rows(old.into_iter().flat_map(inside), inside(new), |a, b| a.owner == b.owner),
            borders: rows(old.into_iter().flat_map(Coverage::borders), new.borders(), |a, b| {
                (a.left, a.right) == (b.left, b.right) && a.line == b.line
            }),
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

/// Merges two tables that are both in the order of their ids.
fn rows<'a, Id: Ord + Copy, T>(
    old: impl Iterator<Item = (Id, &'a T)>,
    new: impl Iterator<Item = (Id, &'a T)>,
    same: impl Fn(&T, &T) -> bool,
) -> Rows<'a, Id, T> {
    let (mut old, mut new) = (old.peekable(), new.peekable());
    let mut rows = Rows { ended: Vec::new(), begun: Vec::new() };
    loop {
        match (old.peek(), new.peek()) {
            (None, None) => return rows,
            (Some((a, _)), Some((b, _))) if a == b => {
                if let (Some((id, a)), Some((_, b))) = (old.next(), new.next())
                    && !same(a, b)
                {
                    rows.ended.push(id);
                    rows.begun.push((id, b));
                }
            }
            (Some((a, _)), b) if b.is_none_or(|(b, _)| a < b) => rows.ended.extend(old.next().map(|(id, _)| id)),
            _ => rows.begun.extend(new.next()),
        }
    }
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
        let old = [(1, 'a'), (2, 'b'), (4, 'd'), (9, 'x')];
        let new = [(0, 'z'), (2, 'B'), (4, 'd'), (5, 'e')];
        let of = |t: &'static [(i32, char)]| t.iter().map(|(id, c)| (*id, c));
        let found = rows(of(Box::leak(Box::new(old))), of(Box::leak(Box::new(new))), |a, b| a == b);
        assert_eq!(found.ended, [1, 2, 9]);
        assert_eq!(found.begun, [(0, &'z'), (2, &'B'), (5, &'e')]);
    }
}
