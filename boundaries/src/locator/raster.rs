//! Splitting a block into leaves: which edges lie in which, and the face at each corner.
//!
//! How finely a block is split follows from the edges in it, never from its extent:
//! an empty block is one number, a block crossed by one long outline is one leaf,
//! a block of a city has leaves of 2^12 units. A leaf that is still crowded is split
//! again. So the index of a coverage is bounded by its edges, however far they reach.

use std::sync::Arc;

use super::block::{MOST_SPLITS, OFFSET, put_face, put_leaf, put_node, set_entry};
use super::edge::{Clip, Edge, Square};

/// Leaves are not split below 2^12 units (45 m) unless they are crowded.
const LEAF_SHIFT: u32 = 12;
/// Crowded leaves are split down to 4 units.
const FINEST_SHIFT: u32 = 2;
/// A leaf with more edges than this is crowded.
const CROWDED: usize = 40;
/// How often a crowded leaf is split again: 2^12 units come down to 2^2 in two steps.
const DEEPEST: u32 = 2;
/// Entries a node may have for each edge in it: leaves without edges cost 4 bytes.
const ENTRIES_PER_EDGE: usize = 32;

/// The words of a block and the split of its first node; `None` for a block that no edge touches.
pub(super) fn build(edges: &[Edge], at: Square, corner: u32) -> Option<(Arc<[u32]>, u32)> {
    if edges.is_empty() {
        return None;
    }
    let mut words = Vec::new();
    let k = splits(edges, at, LEAF_SHIFT, ENTRIES_PER_EDGE);
    fill(&mut words, edges, at, k, corner, 0);
    Some((words.into(), k))
}

/// What the edges of a block that pass its south side between its corner and that of
/// the next block to the east add to the face.
pub(super) fn along_south(edges: &[Edge], at: Square) -> u32 {
    let size = 1u32 << at.shift;
    edges.iter().fold(0, |sum, e| sum.wrapping_add(crossing(e, Clip::new(e, at), at, size, 0)))
}

fn crossing(e: &Edge, clip: Clip, at: Square, x: u32, y: u32) -> u32 {
    let p = (at.x + i64::from(x), at.y + i64::from(y));
    let end = |q: crate::lattice::Point| (i64::from(q.x), i64::from(q.y));
    clip.crossing(y, super::edge::is_east(end(e.a), end(e.b), p), e.delta)
}

/// Into how many columns and rows, as a power of two, a square is best split.
fn splits(edges: &[Edge], at: Square, finest: u32, entries_per_edge: usize) -> u32 {
    let most = at.shift.saturating_sub(finest).min(MOST_SPLITS);
    let (mut reach, mut seated) = (0u64, 0usize);
    let size = 1i64 << at.shift;
    for e in edges {
        let inside = |v: i32, side: i64| (i64::from(v) - side).clamp(0, size);
        let (ax, ay) = (inside(e.a.x, at.x), inside(e.a.y, at.y));
        let (bx, by) = (inside(e.b.x, at.x), inside(e.b.y, at.y));
        reach += ax.abs_diff(bx) + ay.abs_diff(by);
        seated += usize::from(i64::from(e.a.x) == at.x + ax && i64::from(e.a.y) == at.y + ay);
    }
    // An edge lies in about one leaf and one more for each side that it passes. What
    // may be spent on that hangs on the edges that begin here, so that edges which
    // pass many squares are not multiplied in each of them anew.
    let budget = (edges.len() / 2 + 4 * seated) as u64;
    let fits = |k: &u32| {
        reach >> (at.shift - k) <= budget && 1usize << (2 * k) <= edges.len().saturating_mul(entries_per_edge)
    };
    (0..=most).rev().find(fits).unwrap_or(0)
}

/// Writes the node of a square that edges touch, and everything below it.
fn fill(words: &mut Vec<u32>, edges: &[Edge], at: Square, k: u32, corner: u32, depth: u32) -> usize {
    let node = put_node(words, k);
    let (starts, order) = sort_into_leaves(edges, at, k);
    let shift = at.shift - k;
    let size = 1u32 << shift;
    let mut within = Vec::new();
    let mut row_corner = corner;
    for row in 0..1usize << k {
        let mut corner = row_corner;
        for column in 0..1usize << k {
            let leaf = (row << k) + column;
            let of_leaf = &order[starts[leaf] as usize..starts[leaf + 1] as usize];
            if of_leaf.is_empty() {
                let entry = put_face(words, corner);
                set_entry(words, node, k, column, row, entry);
                continue;
            }
            let square = Square { x: at.x + ((column as i64) << shift), y: at.y + ((row as i64) << shift), shift };
            within.clear();
            within.extend(of_leaf.iter().map(|i| {
                let e = edges[*i as usize];
                (e, Clip::new(&e, square))
            }));
            let sum = |x, y| {
                within.iter().fold(corner, |face, (e, clip)| face.wrapping_add(crossing(e, *clip, square, x, y)))
            };
            let (east, north) = (sum(size, 0), sum(0, size));
            let entry = put(words, &within, square, corner, depth);
            set_entry(words, node, k, column, row, entry);
            if column == 0 {
                row_corner = north;
            }
            corner = east;
        }
    }
    node
}

/// Writes a leaf with edges, split again where it is crowded, and gives its entry.
fn put(words: &mut Vec<u32>, within: &[(Edge, Clip)], at: Square, corner: u32, depth: u32) -> u32 {
    if within.len() > CROWDED && depth < DEEPEST {
        let edges: Vec<Edge> = within.iter().map(|(e, _)| *e).collect();
        let k = splits(&edges, at, FINEST_SHIFT, 2);
        if k > 0 {
            return OFFSET | fill(words, &edges, at, k, corner, depth + 1) as u32;
        }
    }
    put_leaf(words, at, corner, within)
}

/// The edges by leaf: those of leaf i are `order[starts[i] .. starts[i + 1]]`.
fn sort_into_leaves(edges: &[Edge], at: Square, k: u32) -> (Vec<u32>, Vec<u32>) {
    let leaves = 1usize << (2 * k);
    let mut pairs: Vec<(u16, u32)> = Vec::with_capacity(edges.len() * 2);
    let mut starts = vec![0u32; leaves + 1];
    for (i, e) in edges.iter().enumerate() {
        for_each_square(e, at, k, |column, row| {
            let leaf = (row << k) + column;
            starts[leaf as usize + 1] += 1;
            pairs.push((leaf as u16, i as u32));
        });
    }
    for i in 0..leaves {
        starts[i + 1] += starts[i];
    }
    let mut next = starts.clone();
    let mut order = vec![0u32; pairs.len()];
    for (leaf, edge) in pairs {
        let place = &mut next[usize::from(leaf)];
        order[*place as usize] = edge;
        *place += 1;
    }
    (starts, order)
}

/// Calls `f` with the column and row of each of the 2^k by 2^k squares of `at` whose
/// closed square the edge touches, and perhaps of one right beside them.
pub(super) fn for_each_square(e: &Edge, at: Square, k: u32, f: impl FnMut(u32, u32)) {
    let last = (1i64 << k) - 1;
    for_each_cell(e, at, at.shift - k, (last, last), f);
}

/// The same for cells 2^shift wide, counted from the corner of `at`, whose last
/// column and row are given.
pub(super) fn for_each_cell(
    e: &Edge,
    at: Square,
    shift: u32,
    (last_column, last_row): (i64, i64),
    mut f: impl FnMut(u32, u32),
) {
    let (ax, ay) = (i64::from(e.a.x) - at.x, i64::from(e.a.y) - at.y);
    let (bx, by) = (i64::from(e.b.x) - at.x, i64::from(e.b.y) - at.y);
    // The far sides belong to a closed square, hence the one unit taken off.
    let span = |from: i64, to: i64, last: i64| (((from - 1) >> shift).max(0), (to >> shift).min(last));
    let (west, east) = span(ax.min(bx), ax.max(bx), last_column);
    let (south, north) = span(ay, by, last_row);
    if west >= east || south >= north {
        for row in south..=north {
            for column in west..=east {
                f(column as u32, row as u32);
            }
        }
        return;
    }
    let slope = (bx - ax) as f64 / (by - ay) as f64;
    // Far below a unit off, whatever the coordinates; a unit of slack makes it safe.
    let x_at = |y: i64| ax as f64 + (y - ay) as f64 * slope;
    for row in south..=north {
        let (from, to) = ((row << shift).max(ay), ((row + 1) << shift).min(by));
        let (u, v) = (x_at(from.min(by)), x_at(to.max(ay)));
        let (low, high) = if u <= v { (u, v) } else { (v, u) };
        let (first, last) = span(low.floor() as i64 - 1, high.ceil() as i64 + 1, last_column);
        for column in first.max(west)..=last.min(east) {
            f(column as u32, row as u32);
        }
    }
}
