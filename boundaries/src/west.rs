//! Looking west: which segment is met first, from many places at once.
//!
//! It finds the face that a loose piece of a planar graph lies in. Exact; it must not
//! know what the segments bound.

use std::cmp::Ordering;

use crate::lattice::{Point, orient};
use crate::segment::Segment;

/// The segment that is seen, and which of its sides faces east.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) segment: usize,
    /// Whether the left side, looking along the segment, faces the place.
    pub(crate) left: bool,
}

/// What each place sees to its west. Segments that meet the place itself are looked
/// past. Half-open: a segment counts from its lower end, inclusive, to its upper end,
/// exclusive. The segments may meet in their ends alone.
pub(crate) fn look_west(segments: &[Segment], places: &[Point]) -> Vec<Option<Seen>> {
    if segments.is_empty() {
        return vec![None; places.len()];
    }
    let upward = |segment: usize| {
        let [a, b] = segments[segment];
        let left = a.y > b.y;
        (if left { [b, a] } else { [a, b] }, Seen { segment, left })
    };
    let strips = Strips::of(segments);
    let look = |p: Point| {
        let mut seen: Option<(Segment, Seen)> = None;
        for &e in strips.at(p.y) {
            let (up, facing) = upward(e as usize);
            if up[0].y <= p.y
                && p.y < up[1].y
                && orient(up[0], up[1], p) == Ordering::Less
                && seen.is_none_or(|(best, _)| further_east(up, best, p.y))
            {
                seen = Some((up, facing));
            }
        }
        seen.map(|s| s.1)
    };
    places.iter().map(|p| look(*p)).collect()
}

/// Whether `e` passes the height `y` east of `f`; both run upward through it. Where they
/// meet at that height they part upwards.
fn further_east(e: Segment, f: Segment, y: i32) -> bool {
    let pass = |[a, b]: Segment| {
        let (dx, dy) = (i128::from(b.x) - i128::from(a.x), i128::from(b.y) - i128::from(a.y));
        (i128::from(a.x) * dy + (i128::from(y) - i128::from(a.y)) * dx, dy, dx)
    };
    let ((x, dy, dx), (other_x, other_dy, other_dx)) = (pass(e), pass(f));
    (x * other_dy).cmp(&(other_x * dy)).then((dx * other_dy).cmp(&(other_dx * dy))) == Ordering::Greater
}

/// The edges by the strips of height that they pass.
struct Strips {
    /// The lowest y of each strip.
    floors: Vec<i32>,
    starts: Vec<u32>,
    edges: Vec<u32>,
}

impl Strips {
    fn of(segments: &[Segment]) -> Self {
        let mut heights: Vec<i32> = segments.iter().map(|s| s[0].y).collect();
        heights.sort_unstable();
        let mut strips = (heights.len() / 16).clamp(1, 1 << 14);
        loop {
            // Equally many edges begin in each strip, however unevenly they lie.
            let mut floors: Vec<i32> = (0..strips).map(|i| heights[i * heights.len() / strips]).collect();
            floors.dedup();
            let passes: Vec<(u32, u32)> = segments
                .iter()
                .map(|[a, b]| (strip(&floors, a.y.min(b.y)) as u32, strip(&floors, a.y.max(b.y)) as u32))
                .collect();
            let entries: u64 = passes.iter().map(|(a, b)| u64::from(b - a) + 1).sum();
            // Tall edges stand in many strips: fewer strips then, so that memory stays in bounds.
            if entries > 8 * segments.len() as u64 && strips > 1 {
                strips /= 2;
                continue;
            }
            let mut starts = vec![0u32; floors.len() + 1];
            passes.iter().for_each(|&(a, b)| (a..=b).for_each(|s| starts[s as usize + 1] += 1));
            for s in 0..floors.len() {
                starts[s + 1] += starts[s];
            }
            let mut at = starts.clone();
            let mut edges = vec![0u32; entries as usize];
            for (e, &(a, b)) in passes.iter().enumerate() {
                for s in a..=b {
                    edges[at[s as usize] as usize] = e as u32;
                    at[s as usize] += 1;
                }
            }
            return Self { floors, starts, edges };
        }
    }

    fn at(&self, y: i32) -> &[u32] {
        let s = strip(&self.floors, y);
        &self.edges[self.starts[s] as usize..self.starts[s + 1] as usize]
    }
}

fn strip(floors: &[i32], y: i32) -> usize {
    floors.partition_point(|f| *f <= y).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: i32, y: i32) -> Point {
        Point::new(x, y)
    }

    /// ```text
    ///    │     ╲│
    ///    │      ●    ○      the two that meet at ● are parted by where they go upwards
    ///    │      │
    /// ```
    #[test]
    fn of_segments_that_meet_at_eye_level_the_one_further_east_above_is_seen() {
        let segments = [[p(0, 0), p(0, 10)], [p(5, 5), p(3, 10)], [p(5, 0), p(5, 5)], [p(5, 10), p(5, 5)]];
        assert_eq!(look_west(&segments, &[p(9, 5)]), [Some(Seen { segment: 3, left: true })]);
        assert_eq!(look_west(&segments, &[p(5, 5)]), [Some(Seen { segment: 0, left: false })]);
        assert_eq!(look_west(&segments, &[p(-1, 5)]), [None]);
    }
}
