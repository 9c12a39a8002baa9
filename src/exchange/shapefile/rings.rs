//! The rings of a shape sorted into polygons.
//!
//! A shape is a heap of rings: by the book shells run clockwise and holes counter-clockwise,
//! with nothing to say which hole lies in which shell, and programs that turn every ring
//! one way are common. So: where all rings run one way each is a shell unless it lies in
//! another; otherwise a counter-clockwise ring is a hole of the smallest clockwise one
//! around it. Nothing is dropped: a hole without a shell becomes a shell.

use crate::crs::Position;
use crate::exchange::hints::Extent;
use crate::exchange::raw::RawPolygon;

struct Ring {
    positions: Vec<Position>,
    extent: Extent,
    area: f64,
}

/// Sorts rings into polygons.
pub(super) fn into_polygons(rings: Vec<Vec<Position>>) -> Vec<RawPolygon> {
    if rings.len() == 1 {
        return vec![rings];
    }
    let rings: Vec<Ring> = rings
        .into_iter()
        .map(|positions| Ring {
            extent: Extent::of(positions.iter().copied()),
            area: signed_area(&positions),
            positions,
        })
        .collect();
    let is_one_way = rings.iter().all(|r| r.area <= 0.0) || rings.iter().all(|r| r.area >= 0.0);
    // Where the directions say nothing, the depth does: a ring in an odd number of others is a hole.
    let is_hole: Vec<bool> = (0..rings.len())
        .map(|i| if is_one_way { around(&rings, i, |_| true).count() % 2 == 1 } else { rings[i].area > 0.0 })
        .collect();
    let shell_of: Vec<Option<usize>> = (0..rings.len())
        .map(|i| {
            let shells = around(&rings, i, |j| !is_hole[j]);
            let smallest = shells.min_by(|a, b| rings[*a].area.abs().total_cmp(&rings[*b].area.abs()));
            smallest.filter(|_| is_hole[i])
        })
        .collect();
    let mut polygon_of = vec![0; rings.len()];
    let mut polygons: Vec<RawPolygon> = Vec::new();
    let mut holes = Vec::new();
    for (i, ring) in rings.into_iter().enumerate() {
        match shell_of[i] {
            Some(shell) => holes.push((shell, ring.positions)),
            None => {
                polygon_of[i] = polygons.len();
                polygons.push(vec![ring.positions]);
            }
        }
    }
    for (shell, hole) in holes {
        polygons[polygon_of[shell]].push(hole);
    }
    polygons
}

/// The rings other than `i` that go around it, of those that are asked for.
fn around(rings: &[Ring], i: usize, asked: impl Fn(usize) -> bool) -> impl Iterator<Item = usize> {
    let inner = &rings[i];
    (0..rings.len()).filter(move |&j| {
        let outer = &rings[j];
        j != i
            && asked(j)
            && outer.area.abs() > inner.area.abs()
            && (0..2).all(|k| outer.extent.min[k] <= inner.extent.min[k] && inner.extent.max[k] <= outer.extent.max[k])
            && is_inside(inner, outer)
    })
}

/// By the middles of the edges: a vertex may touch the outer ring, most middles can't.
fn is_inside(inner: &Ring, outer: &Ring) -> bool {
    let middles = inner.positions.windows(2).map(|e| [(e[0][0] + e[1][0]) / 2.0, (e[0][1] + e[1][1]) / 2.0]);
    let (mut inside, mut asked) = (0_usize, 0_usize);
    for middle in middles.take(9) {
        inside += usize::from(contains(&outer.positions, middle));
        asked += 1;
    }
    2 * inside > asked
}

fn contains(ring: &[Position], [x, y]: Position) -> bool {
    let closing = ring.first().zip(ring.last()).map(|(first, last)| [*last, *first]);
    let edges = ring.windows(2).map(|e| [e[0], e[1]]).chain(closing);
    let crosses =
        |[a, b]: &[Position; 2]| (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0];
    edges.filter(crosses).count() % 2 == 1
}

/// Negative when it runs clockwise. Relative to its first position, for precision.
fn signed_area(ring: &[Position]) -> f64 {
    let Some([ox, oy]) = ring.first().copied() else { return 0.0 };
    let cross = |e: &[Position]| (e[0][0] - ox) * (e[1][1] - oy) - (e[1][0] - ox) * (e[0][1] - oy);
    ring.windows(2).map(cross).sum::<f64>() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64, is_clockwise: bool) -> Vec<Position> {
        let mut ring = vec![[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]];
        if is_clockwise {
            ring.reverse();
        }
        ring
    }

    /// ```text
    /// +---------+  +---+
    /// | +-----+ |  |   |
    /// | | +-+ | |  +---+
    /// | | +-+ | |
    /// | +-----+ |
    /// +---------+
    /// ```
    fn heap(directions: [bool; 4]) -> Vec<Vec<Position>> {
        vec![
            square(3.0, 3.0, 2.0, directions[2]),
            square(1.0, 1.0, 6.0, directions[1]),
            square(20.0, 4.0, 4.0, directions[3]),
            square(0.0, 0.0, 10.0, directions[0]),
        ]
    }

    #[test]
    fn holes_find_their_shells_by_direction_and_without() {
        for directions in [[true, false, true, true], [true; 4], [false; 4]] {
            let mut polygons = into_polygons(heap(directions));
            polygons.sort_by(|a, b| signed_area(&a[0]).abs().total_cmp(&signed_area(&b[0]).abs()));
            let sides: Vec<Vec<f64>> =
                polygons.iter().map(|p| p.iter().map(|r| signed_area(r).abs().sqrt()).collect()).collect();
            assert_eq!(sides, [vec![2.0], vec![4.0], vec![10.0, 6.0]], "{directions:?}");
        }
    }

    #[test]
    fn a_hole_without_a_shell_is_kept_as_a_shell() {
        let polygons = into_polygons(vec![square(0.0, 0.0, 1.0, true), square(5.0, 5.0, 1.0, false)]);
        assert_eq!(polygons.len(), 2);
    }
}
