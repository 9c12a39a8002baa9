//! The ground of every area of a level as polygons that GIS programs take for valid:
//! simple rings, each hole with the smallest shell around it.
//!
//! The borders whose two sides differ at the level are walked; where a walk meets a
//! node for the second time, what lies between is a ring of its own.

use boundaries::{AreaId, Coverage, HalfEdge, Level, Point, Polygon};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// The areas of a level that have ground, with it, by ascending id.
pub(super) fn grounds(coverage: &Coverage, level: Level) -> Vec<(AreaId, Vec<Polygon>)> {
    let mut owner = vec![None; coverage.face_slots()];
    for (id, _) in coverage.faces() {
        owner[id.0 as usize] = coverage.owner_at(id, level);
    }
    let left = |h: HalfEdge| coverage.face_left_of(h).and_then(|f| owner[f.0 as usize]);
    let mut seen = vec![false; coverage.border_slots() * 2];
    let mut rings: FxHashMap<AreaId, Vec<Vec<HalfEdge>>> = FxHashMap::default();
    for (id, _) in coverage.borders() {
        for start in [HalfEdge::new(id, true), HalfEdge::new(id, false)] {
            let Some(area) = left(start).filter(|_| left(start) != left(start.twin())) else { continue };
            let mut walk = Vec::new();
            let mut at = start;
            while !seen[at.0 as usize] {
                seen[at.0 as usize] = true;
                walk.push(at);
                let mut next = coverage.next(at).unwrap_or(start);
                // Around the node, over borders with the area on both sides.
                while left(next.twin()) == Some(area) {
                    next = coverage.next(next.twin()).unwrap_or(start);
                }
                at = next;
            }
            if !walk.is_empty() {
                rings.entry(area).or_default().extend(simple_rings(coverage, walk));
            }
        }
    }
    let mut rings: Vec<_> = rings.into_iter().collect();
    rings.sort_unstable_by_key(|(area, _)| *area);
    rings.into_par_iter().map(|(area, rings)| (area, nested(coverage, &rings))).collect()
}

/// Cuts a closed walk at nodes that it meets twice.
fn simple_rings(coverage: &Coverage, walk: Vec<HalfEdge>) -> Vec<Vec<HalfEdge>> {
    let mut rings = Vec::new();
    let mut open: Vec<(Point, HalfEdge)> = Vec::new();
    let mut places: FxHashMap<Point, usize> = FxHashMap::default();
    for h in walk {
        let Some(border) = coverage.border(h.border()) else { continue };
        let (first, last) = (border.line[0], border.line[border.line.len() - 1]);
        let (from, to) = if h.is_forward() { (first, last) } else { (last, first) };
        places.insert(from, open.len());
        open.push((from, h));
        if let Some(place) = places.get(&to).copied() {
            rings.push(
                open.drain(place..)
                    .map(|(from, h)| {
                        places.remove(&from);
                        h
                    })
                    .collect(),
            );
        }
    }
    rings
}

fn points_of(coverage: &Coverage, ring: &[HalfEdge]) -> Vec<Point> {
    let mut points = Vec::new();
    for h in ring {
        let Some(border) = coverage.border(h.border()) else { continue };
        let until = border.line.len() - 1;
        if h.is_forward() {
            points.extend_from_slice(&border.line[..until]);
        } else {
            points.extend(border.line[1..].iter().rev());
        }
    }
    points
}

/// Twice the signed area, exact.
fn twice_area(ring: &[Point]) -> i128 {
    let edges = ring.iter().zip(ring.iter().cycle().skip(1));
    edges.map(|(a, b)| i128::from(a.x) * i128::from(b.y) - i128::from(b.x) * i128::from(a.y)).sum()
}

fn nested(coverage: &Coverage, rings: &[Vec<HalfEdge>]) -> Vec<Polygon> {
    let mut shells: Vec<(i128, Polygon)> = Vec::new();
    let mut holes = Vec::new();
    for ring in rings {
        let points = points_of(coverage, ring);
        let area = twice_area(&points);
        if area > 0 {
            shells.push((area, Polygon { shell: points, holes: Vec::new() }));
        } else {
            holes.push(points);
        }
    }
    // The largest part first, as people would draw it; places decide between equals.
    shells.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.shell.cmp(&b.1.shell)));
    for hole in holes {
        // The smallest shell that holds it is the last of those that do.
        let around = if shells.len() == 1 { Some(0) } else { shells.iter().rposition(|(_, s)| holds(&s.shell, &hole)) };
        if let Some(i) = around {
            shells[i].1.holes.push(hole);
        }
    }
    shells.into_iter().map(|(_, polygon)| polygon).collect()
}

/// Whether the middle of the hole's first edge lies in the shell: it never lies on
/// it, as an edge of an area's outline is walked once with the area to its left.
fn holds(shell: &[Point], hole: &[Point]) -> bool {
    let (a, b) = (hole[0], hole[1 % hole.len()]);
    let twice = |p: Point| (i64::from(p.x) * 2, i64::from(p.y) * 2);
    let (px, py) = (i64::from(a.x) + i64::from(b.x), i64::from(a.y) + i64::from(b.y));
    let crossings = shell.iter().zip(shell.iter().cycle().skip(1)).filter(|(a, b)| {
        let (low, high) = if a.y <= b.y { (twice(**a), twice(**b)) } else { (twice(**b), twice(**a)) };
        if !(low.1 <= py && py < high.1) {
            return false;
        }
        let side =
            i128::from(high.0 - low.0) * i128::from(py - low.1) - i128::from(high.1 - low.1) * i128::from(px - low.0);
        side < 0
    });
    crossings.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::tests::three_grids;

    #[test]
    fn the_ground_of_a_street_is_that_of_its_grids_without_the_borders_between() {
        let coverage = three_grids();
        let grids = grounds(&coverage, Level(1));
        let areas: Vec<_> = grids.iter().map(|(id, g)| (id.0, g.len(), twice_area(&g[0].shell))).collect();
        assert_eq!(areas, [(1, 1, 2_000_000), (2, 1, 2_000_000), (3, 1, 4_000_000)]);
        let street = grounds(&coverage, Level(0));
        assert_eq!(street.len(), 1);
        assert_eq!(twice_area(&street[0].1[0].shell), 8_000_000);
        assert!(street[0].1[0].holes.is_empty());
    }
}
