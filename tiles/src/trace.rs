//! Ground traced again from its edges on a grid.
//!
//! Edges are walked with the ground to the right on the screen (clockwise around a
//! shell, as MVT winds it); with y southwards that is the left of the formulas. Edges that
//! are there both ways have nothing between them any more and go:
//!
//! ```text
//!   o───▶───o━━▶━━o───▶───o         the neck between two parts has become one edge,
//!   ▲       ┃     ┃       ▼    →    walked both ways: it goes, and what is left is
//!   o───◀───o━━◀━━o───◀───o         two rings
//! ```
//!
//! In a vertex that ground touches more than once each sector of it goes on along its own
//! two edges, so that rings part wherever the ground does.
//!
//! Invariant: what comes out is valid ground: rings are simple, they touch each other in
//! single points at most, every hole lies in its shell, the inside of each shell hangs together.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use crate::grid::{GridBox, GridPoint};

/// An edge, walked from its first point to its second.
pub type Edge = [GridPoint; 2];

/// A connected piece of ground on a zoom's grid. The last point of a ring is joined to
/// its first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GridPolygon {
    /// The outer ring, clockwise on the screen.
    pub shell: Vec<GridPoint>,
    /// The rings cut out of it, counter-clockwise.
    pub holes: Vec<Vec<GridPoint>>,
}

impl GridPolygon {
    /// Shell, then holes.
    pub fn rings(&self) -> impl Iterator<Item = &[GridPoint]> {
        std::iter::once(self.shell.as_slice()).chain(self.holes.iter().map(Vec::as_slice))
    }

    /// The box around it.
    #[must_use]
    pub fn bounds(&self) -> GridBox {
        GridBox::around(self.shell.iter().copied())
    }
}

/// The ground that has these edges around it, its pieces in the order of their least
/// points. Empty where nothing is left.
///
/// The edges are those of lines that were [snapped](crate::snap) together: they meet in
/// their ends only.
#[must_use]
pub fn trace(mut edges: Vec<Edge>) -> Vec<GridPolygon> {
    cancel(&mut edges);
    edges.sort_unstable();
    let mut walked = vec![false; edges.len()];
    let mut rings = Vec::new();
    for first in 0..edges.len() {
        if walked[first] {
            continue;
        }
        let mut around = Vec::new();
        let mut at = first;
        loop {
            walked[at] = true;
            around.push(edges[at][0]);
            match onward(&edges, edges[at], |e| e == first || !walked[e]) {
                Some(next) if next == first => break,
                Some(next) => at = next,
                // Not the edges of any ground: what begins here is no ring.
                None => {
                    around.clear();
                    break;
                }
            }
        }
        rings.extend(cut_at_repeats(around));
    }
    assemble(rings)
}

/// Puts simple rings together: the clockwise ones are shells, the others their holes.
pub(crate) fn assemble(rings: Vec<Vec<GridPoint>>) -> Vec<GridPolygon> {
    let (mut shells, mut holes) = (Vec::new(), Vec::new());
    for ring in rings {
        match twice_area(&ring).cmp(&0) {
            Ordering::Greater => shells.push(ring),
            Ordering::Less => holes.push(ring),
            Ordering::Equal => {}
        }
    }
    assign(shells, holes)
}

/// Takes out edges that are walked both ways.
fn cancel(edges: &mut Vec<Edge>) {
    let sorted = |[a, b]: Edge| if a <= b { ([a, b], 1) } else { ([b, a], -1) };
    edges.sort_unstable_by_key(|e| sorted(*e).0);
    let mut kept = 0;
    let mut from = 0;
    while from < edges.len() {
        let (edge, _) = sorted(edges[from]);
        let mut to = from;
        let mut balance = 0;
        while to < edges.len() && sorted(edges[to]).0 == edge {
            balance += sorted(edges[to]).1;
            to += 1;
        }
        if balance != 0 && edge[0] != edge[1] {
            edges[kept] = if balance > 0 { edge } else { [edge[1], edge[0]] };
            kept += 1;
        }
        from = to;
    }
    edges.truncate(kept);
}

/// The edge that follows around the same sector of ground: of those that leave the end of
/// `edge` and are free, the first one met from it through the ground. `edges` are sorted.
fn onward(edges: &[Edge], [from, at]: Edge, is_free: impl Fn(usize) -> bool) -> Option<usize> {
    let first = edges.partition_point(|e| e[0] < at);
    let leaving = edges[first..].iter().take_while(|e| e[0] == at).count();
    let back = step(at, from);
    let free = (first..first + leaving).filter(|e| is_free(*e));
    free.max_by(|i, j| by_turn(back, step(at, edges[*i][1]), step(at, edges[*j][1])))
}

fn step(from: GridPoint, to: GridPoint) -> [i64; 2] {
    [i64::from(to.x) - i64::from(from.x), i64::from(to.y) - i64::from(from.y)]
}

fn cross(a: [i64; 2], b: [i64; 2]) -> i128 {
    i128::from(a[0]) * i128::from(b[1]) - i128::from(a[1]) * i128::from(b[0])
}

/// Which of two directions comes first when turning from `from`, against the clock of the
/// formulas; `from` itself comes last.
pub(crate) fn by_turn(from: [i64; 2], a: [i64; 2], b: [i64; 2]) -> Ordering {
    let rank = |d: [i64; 2]| {
        let dot = i128::from(from[0]) * i128::from(d[0]) + i128::from(from[1]) * i128::from(d[1]);
        match cross(from, d).cmp(&0) {
            Ordering::Greater => 0,
            Ordering::Equal if dot < 0 => 1,
            Ordering::Less => 2,
            Ordering::Equal => 3,
        }
    };
    rank(a).cmp(&rank(b)).then_with(|| 0.cmp(&cross(a, b)))
}

/// Cuts a ring where it runs through a point again, into simple ones.
fn cut_at_repeats(ring: Vec<GridPoint>) -> Vec<Vec<GridPoint>> {
    let mut at: FxHashMap<GridPoint, usize> = FxHashMap::default();
    let mut simple = Vec::new();
    let mut open: Vec<GridPoint> = Vec::with_capacity(ring.len());
    for p in ring {
        if let Some(&from) = at.get(&p) {
            let closed = open.split_off(from);
            closed[1..].iter().for_each(|q| {
                at.remove(q);
            });
            simple.push(closed);
        }
        at.insert(p, open.len());
        open.push(p);
    }
    simple.push(open);
    simple
}

/// Twice the area inside a ring: positive clockwise on the screen.
fn twice_area(ring: &[GridPoint]) -> i128 {
    let Some(&origin) = ring.first() else { return 0 };
    ring.windows(2).map(|w| cross(step(origin, w[0]), step(origin, w[1]))).sum()
}

/// Puts each hole into the smallest shell that it lies in.
fn assign(shells: Vec<Vec<GridPoint>>, holes: Vec<Vec<GridPoint>>) -> Vec<GridPolygon> {
    let mut polygons: Vec<GridPolygon> =
        shells.into_iter().map(|shell| GridPolygon { shell, holes: Vec::new() }).collect();
    polygons.sort_unstable_by_key(|p| p.shell.iter().min().copied());
    let sizes: Vec<i128> = polygons.iter().map(|p| twice_area(&p.shell)).collect();
    for hole in holes {
        // The middle of an edge, in half units: it lies on no other edge.
        let middle = [hole[0].x + hole[1].x, hole[0].y + hole[1].y];
        let within = |i: &usize| contains(&polygons[*i].shell, middle);
        let Some(shell) = (0..polygons.len()).filter(within).min_by_key(|i| sizes[*i]) else { continue };
        polygons[shell].holes.push(hole);
    }
    for polygon in &mut polygons {
        polygon.holes.sort_unstable_by_key(|hole| hole.iter().min().copied());
    }
    polygons
}

/// Whether a place in half units that is on no edge lies inside a ring.
pub(crate) fn contains(ring: &[GridPoint], [x, y]: [i32; 2]) -> bool {
    let mut inside = false;
    for (i, b) in ring.iter().enumerate() {
        let a = ring[i.checked_sub(1).unwrap_or(ring.len() - 1)];
        inside ^= is_east_of(a, *b, [x, y]);
    }
    inside
}

/// Whether the way westwards from a place in half units meets an edge.
pub(crate) fn is_east_of(a: GridPoint, b: GridPoint, [x, y]: [i32; 2]) -> bool {
    let half = |p: GridPoint| [i64::from(p.x) * 2, i64::from(p.y) * 2];
    let (low, high) = if a.y <= b.y { (half(a), half(b)) } else { (half(b), half(a)) };
    let (x, y) = (i64::from(x), i64::from(y));
    low[1] <= y && y < high[1] && cross([high[0] - low[0], high[1] - low[1]], [x - low[0], y - low[1]]) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: i32, y: i32) -> GridPoint {
        GridPoint::new(x, y)
    }

    fn around(points: &[(i32, i32)]) -> Vec<Edge> {
        let at = |i: usize| p(points[i % points.len()].0, points[i % points.len()].1);
        (0..points.len()).map(|i| [at(i), at(i + 1)]).collect()
    }

    fn areas(polygons: &[GridPolygon]) -> Vec<Vec<i128>> {
        polygons.iter().map(|p| p.rings().map(twice_area).collect()).collect()
    }

    #[test]
    fn a_square_is_itself() {
        let polygons = trace(around(&[(0, 0), (9, 0), (9, 9), (0, 9)]));
        assert_eq!(areas(&polygons), [vec![162]]);
        assert_eq!(polygons[0].shell.len(), 4);
    }

    #[test]
    fn a_neck_that_became_an_edge_parts_the_ground() {
        let dumbbell =
            [(0, 0), (4, 0), (4, 2), (8, 2), (8, 0), (12, 0), (12, 4), (8, 4), (8, 2), (4, 2), (4, 4), (0, 4)];
        assert_eq!(areas(&trace(around(&dumbbell))), [vec![32], vec![32]]);
    }

    /// ```text
    ///   o─────────o
    ///   │   o     │     a hole that touches the shell in one point is a hole; in two
    ///   │  ╱ ╲    │     points, it parts the ground
    ///   o─o───o───o
    /// ```
    #[test]
    fn a_hole_may_touch_its_shell_once() {
        let mut edges = around(&[(0, 0), (5, 0), (10, 0), (10, 10), (0, 10)]);
        edges.extend(around(&[(5, 0), (3, 4), (7, 4)]));
        assert_eq!(areas(&trace(edges.clone())), [vec![200, -16]]);
        let mut edges = around(&[(0, 0), (5, 0), (10, 0), (10, 10), (5, 10), (0, 10)]);
        edges.extend(around(&[(5, 0), (4, 5), (5, 10), (6, 5)]));
        assert_eq!(areas(&trace(edges)), [vec![90], vec![90]]);
    }

    #[test]
    fn a_hole_along_the_shell_is_a_notch() {
        let mut edges = around(&[(0, 0), (4, 0), (6, 0), (10, 0), (10, 10), (0, 10)]);
        edges.extend(around(&[(4, 0), (4, 3), (6, 3), (6, 0)]));
        let polygons = trace(edges);
        assert_eq!(areas(&polygons), [vec![188]]);
        assert_eq!(polygons[0].shell.len(), 8);
    }

    #[test]
    fn a_hole_goes_to_the_innermost_shell_around_it() {
        let mut edges = around(&[(0, 0), (30, 0), (30, 30), (0, 30)]);
        edges.extend(around(&[(5, 5), (5, 25), (25, 25), (25, 5)]));
        edges.extend(around(&[(10, 10), (20, 10), (20, 20), (10, 20)]));
        edges.extend(around(&[(12, 12), (12, 14), (14, 14), (14, 12)]));
        assert_eq!(areas(&trace(edges)), [vec![1800, -800], vec![200, -8]]);
    }

    /// ```text
    ///   o──▶──╲ ╱──▶──o       lines that did cross: what was turned over is left out, the
    ///   ▲      ╳      ▼       rest stays
    ///   o──◀──╱ ╲──◀──o
    /// ```
    #[test]
    fn a_ring_that_crosses_itself_leaves_what_is_the_right_way_round() {
        let eight = [(0, 0), (4, 4), (8, 8), (8, 0), (4, 4), (0, 8)];
        assert_eq!(areas(&trace(around(&eight))), [vec![32]]);
    }

    #[test]
    fn ground_without_width_is_none() {
        assert!(trace(around(&[(0, 0), (5, 0), (9, 0), (5, 0)])).is_empty());
        assert!(trace(around(&[(3, 3)])).is_empty());
        assert!(trace(Vec::new()).is_empty());
    }
}
