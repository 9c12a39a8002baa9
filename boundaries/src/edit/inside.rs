//! Which cells of a draft lie inside a ring that was drawn into it.
//!
//! Exact: a cell's edge that is no part of the ring decides by its middle, one that runs
//! along the ring by its direction.

use rustc_hash::FxHashSet;

use crate::lattice::Point;

use super::draft::Draft;

/// The live cells inside a closed path (counter-clockwise, first point repeated), as the
/// cut gave it.
pub(super) fn cells_inside(draft: &Draft<'_>, path: &[Point]) -> Vec<u32> {
    let steps: FxHashSet<(Point, Point)> = path.windows(2).map(|w| (w[0], w[1])).collect();
    let mut known: Vec<Option<bool>> = vec![None; draft.cells.len()];
    for chain in &draft.chains {
        for (side, cell) in chain.sides.into_iter().enumerate() {
            if known[cell as usize].is_none() {
                let (a, b) = if side == 0 { (chain.line[0], chain.line[1]) } else { (chain.line[1], chain.line[0]) };
                let is_inside = steps.contains(&(a, b)) || (!steps.contains(&(b, a)) && holds_middle(path, a, b));
                known[cell as usize] = Some(is_inside);
            }
        }
    }
    (0..known.len() as u32).filter(|c| known[*c as usize] == Some(true)).collect()
}

/// Whether the middle of a segment lies inside a closed path that it is no part of and
/// doesn't cross.
fn holds_middle(path: &[Point], a: Point, b: Point) -> bool {
    // Twice the coordinates, so that the middle is exact.
    let (px, py) = (i128::from(a.x) + i128::from(b.x), i128::from(a.y) + i128::from(b.y));
    let crossed = |w: &&[Point]| {
        let (low, high) = if w[0].y <= w[1].y { (w[0], w[1]) } else { (w[1], w[0]) };
        let ([lx, ly], [hx, hy]) = [low, high].map(|p| [2 * i128::from(p.x), 2 * i128::from(p.y)]).into();
        ly <= py && py < hy && (hx - lx) * (py - ly) <= (hy - ly) * (px - lx)
    };
    path.windows(2).filter(crossed).count() % 2 == 1
}
