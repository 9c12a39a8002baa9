//! Which cells of a draft lie inside rings that were drawn into it.
//!
//! Exact: a cell's edge that is no part of a ring decides by its middle, one that runs
//! along a ring by its direction.

use rustc_hash::FxHashMap;

use crate::lattice::{Bounds, Point};

use super::draft::Draft;

/// A drawn path, as the cut gave it, with what lies to its left and to its right; `None`
/// is what nobody drew a ring around.
pub(super) struct Rim<'a> {
    pub(super) path: &'a [Point],
    pub(super) sides: [Option<u32>; 2],
}

/// The live cells inside a closed path (counter-clockwise, first point repeated), as the
/// cut gave it.
pub(super) fn cells_inside(draft: &Draft<'_>, path: &[Point]) -> Vec<u32> {
    let known = insides(draft, &[Rim { path, sides: [Some(0), None] }]);
    (0..known.len() as u32).filter(|c| known[*c as usize].is_some()).collect()
}

/// What each cell lies inside of.
pub(super) fn insides(draft: &Draft<'_>, rims: &[Rim<'_>]) -> Vec<Option<u32>> {
    let mut steps: FxHashMap<(Point, Point), Option<u32>> = FxHashMap::default();
    for rim in rims {
        for w in rim.path.windows(2) {
            for (step, side) in [((w[0], w[1]), rim.sides[0]), ((w[1], w[0]), rim.sides[1])] {
                // Where the lattice has brought two rims onto one edge, that edge says nothing.
                if steps.remove(&step).is_none() {
                    steps.insert(step, side);
                }
            }
        }
    }
    let reach = Bounds::of(rims.iter().flat_map(|r| r.path).copied());
    let mut known: Vec<Option<Option<u32>>> = vec![None; draft.cells.len()];
    // Who has an edge on a rim first: the others are asked about by their middles.
    for on_rim in [true, false] {
        for chain in &draft.chains {
            for (side, cell) in chain.sides.into_iter().enumerate() {
                if known[cell as usize].is_some() {
                    continue;
                }
                let turned = |w: &[Point]| if side == 0 { (w[0], w[1]) } else { (w[1], w[0]) };
                known[cell as usize] = if on_rim {
                    chain.line.windows(2).find_map(|w| steps.get(&turned(w)).copied())
                } else {
                    let (a, b) = turned(&chain.line);
                    Some(around_middle(rims, a, b).filter(|_| Bounds::of([a, b]).meets(reach)))
                };
            }
        }
    }
    known.into_iter().map(Option::flatten).collect()
}

/// What the middle of a segment lies inside of, that is no part of the rims and doesn't
/// cross them.
fn around_middle(rims: &[Rim<'_>], a: Point, b: Point) -> Option<u32> {
    let mut odd: Vec<u32> = Vec::new();
    for rim in rims.iter().filter(|r| holds_middle(r.path, a, b)) {
        for inside in rim.sides.into_iter().flatten() {
            match odd.iter().position(|o| *o == inside) {
                Some(at) => drop(odd.swap_remove(at)),
                None => odd.push(inside),
            }
        }
    }
    odd.first().copied()
}

/// Whether a look from the middle of a segment crosses a path an odd number of times.
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
