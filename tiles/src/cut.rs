//! Ground cut down to what a tile shows, without a vertex of the cut's own.
//!
//! Snapped lines have vertices wherever they cross the rim of a tile. So each edge is inside
//! or outside; what is inside are chains from rim to rim, and the ground is closed along the
//! rim, where it is what lies beside the chains:
//!
//! ```text
//!        rim                  chains that end here and begin there are joined along
//!    ┌────────┐               the rim, past the corners of the tile
//!    │   ╭──◀─o
//!    │   │    ┃  ground
//!    │   ╰──▶─o
//!    └────────┘
//! ```
//!
//! Invariant: what comes out is valid ground as [`trace`] makes it, its edges are those that
//! were given or lie on the rim.

use std::cmp::Ordering;

use crate::grid::{GridBox, GridPoint};
use crate::trace::{Edge, GridPolygon, assemble, by_turn, is_east_of, trace};

/// Collects the edges of one area's ground inside a box, ring by ring.
#[derive(Clone, Debug)]
pub struct Cut {
    rim: GridBox,
    /// The points of all chains inside, one after the other, and where each begins.
    points: Vec<GridPoint>,
    chains: Vec<usize>,
    /// The first chain of the ring that is being pushed.
    ring: usize,
    /// Whether the place just inside the north-western corner has been inside so far, and
    /// the edges that are outside have been asked as well.
    corner: bool,
}

impl Cut {
    /// Ground to be cut at the rim of a box.
    #[must_use]
    pub fn at(rim: GridBox) -> Self {
        Self { rim, points: Vec::new(), chains: Vec::new(), ring: 0, corner: false }
    }

    /// Adds the edge from `a` to `b`, with the ground to its right on the screen. The edges
    /// of a ring come in the order in which they are walked.
    #[inline]
    pub fn push(&mut self, a: GridPoint, b: GridPoint) {
        self.corner ^= is_east_of(a, b, self.inside_corner());
        if !self.rim.contains(a) || !self.rim.contains(b) || self.is_along_rim(a, b) {
            return;
        }
        if self.chains.len() == self.ring || self.points.last() != Some(&a) {
            self.chains.push(self.points.len());
            self.points.push(a);
        }
        self.points.push(b);
    }

    /// Adds a chain of edges that all lie inside the box and come nowhere to its rim, by the
    /// points from its first to its last, of which there are at least two.
    #[inline]
    pub fn push_within(&mut self, line: impl IntoIterator<Item = GridPoint>) {
        let mut line = line.into_iter();
        let Some(first) = line.next() else { return };
        if self.chains.len() == self.ring || self.points.last() != Some(&first) {
            self.chains.push(self.points.len());
            self.points.push(first);
        }
        self.points.extend(line);
    }

    /// Adds a chain of edges that all lie outside the box and beyond one of its sides: of
    /// these only the ends matter.
    #[inline]
    pub fn push_beyond(&mut self, a: GridPoint, b: GridPoint) {
        self.corner ^= is_east_of(a, b, self.inside_corner());
    }

    /// Ends a ring: the edges that follow are of another one.
    pub fn end_ring(&mut self) {
        let first = std::mem::replace(&mut self.ring, self.chains.len());
        let Some(&from) = self.chains.get(first) else { return };
        let second = self.chains.get(first + 1).copied();
        // The ring began in the middle of a chain: its end comes before its beginning.
        if let (Some(second), Some(last)) = (second, self.points.last().copied())
            && last == self.points[from]
        {
            let beginning: Vec<GridPoint> = self.points.drain(from..second).skip(1).collect();
            self.points.extend_from_slice(&beginning);
            self.chains.remove(first);
            self.chains[first..].iter_mut().for_each(|start| *start -= second - from);
            self.ring = self.chains.len();
        }
    }

    /// Whether all of a box lies beyond one side of this one.
    #[inline]
    #[must_use]
    pub fn is_beyond(&self, b: GridBox) -> bool {
        !self.rim.meets(b)
    }

    /// Whether all of a box lies in this one and comes nowhere to its rim.
    #[inline]
    #[must_use]
    pub fn is_within(&self, b: GridBox) -> bool {
        let (min, max) = (self.rim.min, self.rim.max);
        min.x < b.min.x && min.y < b.min.y && b.max.x < max.x && b.max.y < max.y
    }

    /// The ground inside, where its rings pass no place twice. All rings must have been
    /// pushed and ended.
    #[must_use]
    pub fn finish(self) -> Vec<GridPolygon> {
        match self.join() {
            Some(rings) => assemble(rings),
            None => self.finish_touching(),
        }
    }

    /// The ground inside, whose rings may touch each other.
    #[must_use]
    pub fn finish_touching(self) -> Vec<GridPolygon> {
        let mut edges: Vec<Edge> = self.chains().flat_map(|c| c.windows(2).map(|w| [w[0], w[1]])).collect();
        let mut marks = marks(self.rim, &edges);
        let known = marks.iter().rev().find_map(|m| m.inside);
        // Where no edge comes to the rim all of it is in or out, as its corner is.
        let mut inside = known.unwrap_or(self.corner);
        for mark in &mut marks {
            inside = mark.inside.unwrap_or(inside);
            mark.inside = Some(inside);
        }
        for (i, mark) in marks.iter().enumerate() {
            if mark.inside == Some(true) {
                edges.push([mark.at, marks[(i + 1) % marks.len()].at]);
            }
        }
        trace(edges)
    }

    /// The rings that the chains make with the rim; `None` where two of them meet on it or one
    /// touches it on its way, so that it takes a look at angles to say what belongs together.
    fn join(&self) -> Option<Vec<Vec<GridPoint>>> {
        let mut rings = Vec::new();
        // The open chains' ends along the rim, and whether one begins there.
        let mut ends: Vec<(i64, usize, bool)> = Vec::new();
        let chains: Vec<&[GridPoint]> = self.chains().collect();
        for (i, chain) in chains.iter().enumerate() {
            let (first, last) = (chain.first()?, chain.last()?);
            let (min, max) = (self.rim.min, self.rim.max);
            // It lies in the box, so on the rim is who has a coordinate of it.
            let touches = |p: &GridPoint| (p.x == min.x) | (p.x == max.x) | (p.y == min.y) | (p.y == max.y);
            if chain[1..chain.len() - 1].iter().any(touches) || (first == last && touches(first)) {
                return None;
            }
            if first == last {
                rings.push(chain[1..].to_vec());
            } else {
                ends.push((along(self.rim, *first)?, i, true));
                ends.push((along(self.rim, *last)?, i, false));
            }
        }
        ends.sort_unstable();
        let is_one_after_the_other = |i: usize| {
            let (here, next) = (ends[i], ends[(i + 1) % ends.len()]);
            here.0 != next.0 && here.2 != next.2
        };
        if !(0..ends.len()).all(is_one_after_the_other) {
            return None;
        }
        let corners = corners(self.rim).map(|p| (along(self.rim, p).unwrap_or_default(), p));
        if ends.is_empty() && self.corner {
            rings.push(corners.map(|c| c.1).to_vec());
        }
        let mut joined = vec![false; chains.len()];
        for &(_, begin, begins) in &ends {
            if !begins || joined[begin] {
                continue;
            }
            let mut ring = Vec::new();
            let mut chain = begin;
            while !std::mem::replace(&mut joined[chain], true) {
                ring.extend_from_slice(chains[chain]);
                let end = ends.iter().position(|e| e.1 == chain && !e.2)?;
                let (from, next) = (ends[end].0, ends[(end + 1) % ends.len()]);
                // Past the last of them the rim begins anew.
                let passed = |t: i64| if next.0 > from { from < t && t < next.0 } else { t > from || t < next.0 };
                let mut between: Vec<_> = corners.into_iter().filter(|c| passed(c.0)).collect();
                between.sort_unstable_by_key(|c| (c.0 < from, c.0));
                ring.extend(between.into_iter().map(|c| c.1));
                chain = next.1;
            }
            rings.push(ring);
        }
        Some(rings)
    }

    /// The chains inside.
    fn chains(&self) -> impl Iterator<Item = &[GridPoint]> {
        let ends = self.chains.iter().skip(1).copied().chain([self.points.len()]);
        self.chains.iter().zip(ends).map(|(from, to)| &self.points[*from..to])
    }

    /// A place in half units inside the box and nearer to its corner than any vertex.
    fn inside_corner(&self) -> [i32; 2] {
        [self.rim.min.x * 2 + 1, self.rim.min.y * 2 + 1]
    }

    fn is_along_rim(&self, a: GridPoint, b: GridPoint) -> bool {
        let (min, max) = (self.rim.min, self.rim.max);
        a.x == b.x && (a.x == min.x || a.x == max.x) || a.y == b.y && (a.y == min.y || a.y == max.y)
    }
}

/// A place on the rim: a corner, or an end of edges inside.
struct Mark {
    at: GridPoint,
    /// How far around the rim.
    along: i64,
    /// Whether the rim that follows is inside the ground, where the edges here tell.
    inside: Option<bool>,
}

/// An edge inside at its end on the rim.
struct End {
    /// Where it lies from there.
    direction: [i64; 2],
    /// Whether it is walked to there, and not from there.
    ends_here: bool,
}

/// The places on the rim in the order of a walk with the box to the right on the screen.
fn marks(rim: GridBox, edges: &[Edge]) -> Vec<Mark> {
    let end = |p: GridPoint, edge: Option<End>| Some((along(rim, p)?, p, edge));
    let mut ends: Vec<_> = corners(rim).iter().filter_map(|p| end(*p, None)).collect();
    for [a, b] in edges {
        let step = |p: GridPoint, q: GridPoint| [i64::from(q.x) - i64::from(p.x), i64::from(q.y) - i64::from(p.y)];
        ends.extend(end(*a, Some(End { direction: step(*a, *b), ends_here: false })));
        ends.extend(end(*b, Some(End { direction: step(*b, *a), ends_here: true })));
    }
    ends.sort_unstable_by_key(|e| e.0);
    let mut marks = Vec::new();
    for here in ends.chunk_by(|a, b| a.0 == b.0) {
        let (along, at, _) = here[0];
        let forward = onward(rim, at);
        // The first edge after the rim tells what is between them: what ends there has the
        // ground on this side.
        let met = here.iter().filter_map(|e| e.2.as_ref());
        let nearest = met.min_by(|a, b| by_turn(forward, a.direction, b.direction));
        marks.push(Mark { at, along, inside: nearest.map(|edge| edge.ends_here) });
    }
    debug_assert!(marks.is_sorted_by(|a, b| a.along.cmp(&b.along) == Ordering::Less));
    marks
}

fn corners(GridBox { min, max }: GridBox) -> [GridPoint; 4] {
    [min, GridPoint::new(max.x, min.y), max, GridPoint::new(min.x, max.y)]
}

/// How far a point on the rim is along it, from the north-western corner eastwards.
fn along(rim: GridBox, p: GridPoint) -> Option<i64> {
    let (w, h) = (i64::from(rim.max.x) - i64::from(rim.min.x), i64::from(rim.max.y) - i64::from(rim.min.y));
    let (x, y) = (i64::from(p.x) - i64::from(rim.min.x), i64::from(p.y) - i64::from(rim.min.y));
    if y == 0 && x < w {
        Some(x)
    } else if x == w && y < h {
        Some(w + y)
    } else if y == h && x > 0 {
        Some(w + h + (w - x))
    } else if x == 0 {
        Some(2 * w + h + (h - y))
    } else {
        None
    }
}

/// The direction in which the rim goes on from a point of it.
fn onward(rim: GridBox, p: GridPoint) -> [i64; 2] {
    if p.y == rim.min.y && p.x < rim.max.x {
        [1, 0]
    } else if p.x == rim.max.x && p.y < rim.max.y {
        [0, 1]
    } else if p.y == rim.max.y && p.x > rim.min.x {
        [-1, 0]
    } else {
        [0, -1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(rim: (i32, i32), rings: &[&[(i32, i32)]]) -> Vec<GridPolygon> {
        let rim = GridBox { min: GridPoint::new(rim.0, rim.0), max: GridPoint::new(rim.1, rim.1) };
        let mut cut = Cut::at(rim);
        for ring in rings {
            for (i, b) in ring.iter().enumerate() {
                let a = ring[i.checked_sub(1).unwrap_or(ring.len() - 1)];
                cut.push(GridPoint::new(a.0, a.1), GridPoint::new(b.0, b.1));
            }
            cut.end_ring();
        }
        let (joined, traced) = (cut.clone().finish(), cut.finish_touching());
        assert_eq!(areas(&joined), areas(&traced), "both ways give the same ground");
        joined
    }

    fn areas(polygons: &[GridPolygon]) -> Vec<Vec<i64>> {
        let twice = |ring: &[GridPoint]| -> i64 {
            let at = |i: usize| ring[i % ring.len()];
            (0..ring.len()).map(|i| i64::from(at(i).x * at(i + 1).y - at(i).y * at(i + 1).x)).sum()
        };
        polygons.iter().map(|p| p.rings().map(twice).collect()).collect()
    }

    #[test]
    fn ground_around_the_box_is_the_box_and_a_hole_stays_in_it() {
        let shell = [(-5, -5), (50, -5), (50, 50), (-5, 50)];
        assert_eq!(areas(&cut((0, 10), &[&shell])), [vec![200]]);
        assert_eq!(areas(&cut((0, 10), &[&shell, &[(3, 3), (3, 5), (5, 5), (5, 3)]])), [vec![200, -8]]);
        assert!(cut((0, 10), &[&shell, &[(-1, -1), (-1, 11), (11, 11), (11, -1)]]).is_empty());
    }

    #[test]
    fn ground_is_closed_along_the_rim_past_corners() {
        // Over the north-eastern corner, and all but it.
        let ring = [(13, -3), (13, 5), (10, 5), (5, 5), (5, 0), (5, -3)];
        assert_eq!(areas(&cut((0, 10), &[&ring])), [vec![50]]);
        let outer = [(-9, -9), (5, -9), (5, 0), (5, 5), (10, 5), (19, 5), (19, 19), (-9, 19)];
        assert_eq!(areas(&cut((0, 10), &[&outer])), [vec![150]]);
    }

    #[test]
    fn chains_within_are_pushed_whole_or_edge_by_edge() {
        let at = |(x, y): (i32, i32)| GridPoint::new(x, y);
        // Comes in from the west, wanders about inside, and leaves again.
        let ring = [(-5, 2), (0, 2), (3, 2), (6, 1), (8, 4), (6, 8), (3, 8), (0, 8), (-5, 8)].map(at);
        let within = 2..=6;
        let rim = GridBox { min: at((0, 0)), max: at((10, 10)) };
        let (mut whole, mut single) = (Cut::at(rim), Cut::at(rim));
        for i in 0..ring.len() {
            let (a, b) = (ring[i], ring[(i + 1) % ring.len()]);
            single.push(a, b);
            if i == *within.start() {
                assert!(whole.is_within(GridBox::around(ring[within.clone()].iter().copied())));
                whole.push_within(ring[within.clone()].iter().copied());
            } else if !(within.contains(&i) && i < *within.end()) {
                whole.push(a, b);
            }
        }
        whole.end_ring();
        single.end_ring();
        assert!(!whole.is_within(GridBox::around(ring[1..3].iter().copied())), "it comes to the rim");
        assert_eq!((whole.points.clone(), whole.chains.clone()), (single.points.clone(), single.chains.clone()));
        assert_eq!(whole.finish(), single.finish());
    }

    #[test]
    fn several_pieces_in_the_box_are_several_polygons() {
        // A comb that comes in from the east with two teeth.
        let comb = [(20, 0), (20, 10), (10, 10), (4, 8), (10, 6), (15, 6), (15, 4), (10, 4), (4, 2), (10, 0)];
        assert_eq!(areas(&cut((0, 10), &[&comb])), [vec![24], vec![24]]);
    }

    #[test]
    fn a_notch_that_reaches_the_rim_in_a_point_is_a_notch() {
        // Ground around the box with a hole in it whose tip is on the rim; and ground whose own
        // outline comes to the rim from inside and goes back.
        let shell = [(-5, -5), (50, -5), (50, 50), (-5, 50)];
        assert_eq!(areas(&cut((0, 10), &[&shell, &[(2, 0), (1, 4), (4, 4)]])), [vec![200, -12]]);
        let bay = [(-5, -5), (50, -5), (50, 50), (5, 50), (5, 10), (5, 8), (2, 0), (1, 10), (1, 50), (-5, 50)];
        assert_eq!(areas(&cut((0, 10), &[&bay])).len(), 2);
    }

    #[test]
    fn what_only_touches_the_rim_is_left_out_or_whole() {
        assert!(cut((0, 10), &[&[(10, 0), (20, 0), (20, 10), (10, 10)]]).is_empty());
        assert_eq!(areas(&cut((0, 10), &[&[(0, 0), (10, 0), (10, 10), (0, 10)]])), [vec![200]]);
        // A triangle with its tip on the rim, and one along it.
        assert_eq!(areas(&cut((0, 10), &[&[(2, 0), (4, 4), (1, 4)]])), [vec![12]]);
        assert_eq!(areas(&cut((0, 10), &[&[(2, 0), (5, 0), (4, 4)]])), [vec![12]]);
    }
}
