//! Breaking lines that are drawn over a graph: the same snap rounding as for polygons
//! from outside, begun with the drawn segments alone, because the graph's own segments
//! meet in their ends only.
//!
//! A drawn segment goes through every vertex of the graph whose unit square it enters,
//! and a segment of the graph through every drawn vertex and crossing in its way.

use crate::lattice::Point;
use crate::segment::Segment;

use super::mesh::Mesh;
use super::node;

/// What became of the segments.
pub(crate) struct Broken {
    /// The segments of the graph that were broken, by ascending number, and the vertices
    /// from end to end that each goes through now.
    pub(crate) graph: Vec<(usize, Vec<Point>)>,
    /// The vertices that each drawn segment goes through, its ends included.
    pub(crate) drawn: Vec<Vec<Point>>,
}

/// Breaks `graph` and `drawn` segments where they meet; the place where that finds no end.
pub(crate) fn break_over(graph: &[Segment], drawn: &[Segment]) -> Result<Broken, Point> {
    let segments: Vec<Segment> = graph.iter().chain(drawn).copied().collect();
    let mut mesh = Mesh::of_segments(&segments, graph.len());
    let is_drawn = |id: &u32| *id as usize >= graph.len();
    let fresh = (0..mesh.edges.len()).map(|e| mesh.toggles(e).iter().any(is_drawn)).collect();
    node::settle(&mut mesh, Some(fresh)).map_err(|e| e.place())?;

    let mut steps: Vec<(u32, Segment)> = Vec::with_capacity(mesh.edges.len());
    for e in 0..mesh.edges.len() {
        steps.extend(mesh.toggles(e).iter().map(|id| (*id, mesh.segment(e))));
    }
    steps.sort_unstable();
    let mut broken = Broken { graph: Vec::new(), drawn: vec![Vec::new(); drawn.len()] };
    for own in steps.chunk_by(|a, b| a.0 == b.0) {
        let id = own[0].0 as usize;
        if own.len() == 1 && id < graph.len() {
            continue;
        }
        let walk = walk(segments[id], own.iter().map(|s| s.1).collect());
        match id.checked_sub(graph.len()) {
            Some(i) => broken.drawn[i] = walk,
            None => broken.graph.push((id, walk)),
        }
    }
    Ok(broken)
}

/// Puts the steps of one segment in order, from its first end to its second.
fn walk([from, to]: Segment, mut steps: Vec<Segment>) -> Vec<Point> {
    let mut walk = vec![from];
    let mut at = from;
    while at != to {
        let Some(i) = steps.iter().position(|s| s.contains(&at)) else { break };
        let [a, b] = steps.swap_remove(i);
        at = if a == at { b } else { a };
        walk.push(at);
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(x: i32, y: i32) -> Point {
        Point::new(x, y)
    }

    /// ```text
    ///        │ drawn
    ///   ●────○────●        the crossing, rounded, is in both; a segment that the drawn
    ///        │             one doesn't meet stays as it is
    /// ```
    #[test]
    fn a_drawn_segment_breaks_what_it_crosses_and_nothing_else() {
        let graph = [[p(0, 0), p(10, 1)], [p(0, 5), p(10, 6)]];
        let broken = break_over(&graph, &[[p(4, -3), p(4, 3)]]).unwrap();
        assert_eq!(broken.graph, [(0, vec![p(0, 0), p(4, 0), p(10, 1)])]);
        assert_eq!(broken.drawn, [vec![p(4, -3), p(4, 0), p(4, 3)]]);
    }

    #[test]
    fn a_drawn_segment_goes_through_the_vertices_that_it_passes_within_half_a_unit() {
        let graph = [[p(0, 0), p(50, 1)], [p(50, 1), p(50, 90)]];
        let broken = break_over(&graph, &[[p(0, 0), p(100, 1)]]).unwrap();
        assert_eq!(broken.drawn, [vec![p(0, 0), p(50, 1), p(100, 1)]]);
        assert!(broken.graph.is_empty());
    }
}
