//! Splitting a block into leaves: which edges lie in which, and the face at each corner.
//!
//! How finely a block is split follows from the edges in it, never from its extent:
//! an empty block is one number, a block crossed by one long outline is one leaf,
//! a block of a city has leaves of 2^12 units. A leaf that is still crowded is split
//! again. So the index of a coverage is bounded by its edges, however far they reach.

use super::block::{Block, FACES, GROUP_SPLITS, Line, MOST_SPLITS, OPEN, PREAMBLE, TOP_SPLITS, entry, first_unit};
use super::edge::{Edge, Square};
use super::unit::{self, FACE, Piece, Unit, cut, passing};

/// Leaves are not split below 2^12 units (45 m) unless they are crowded.
const LEAF_SHIFT: u32 = 12;
/// Crowded leaves are split down to 4 units.
const FINEST_SHIFT: u32 = 2;
/// A leaf with more edges than this is crowded.
const CROWDED: usize = 40;
/// How often a crowded leaf is split again: 2^12 units come down to 2^2 in four steps.
const DEEPEST: u32 = 4;
/// Leaves that a block may have for each edge in it: one without edges costs a byte or two.
const LEAVES_PER_EDGE: usize = 32;

/// The leaves of a block; `None` for one that no edge touches.
pub(super) fn build(edges: &[Edge], at: Square, corner: u32) -> Option<Block> {
    if edges.is_empty() {
        return None;
    }
    let k = splits(edges, at, LEAF_SHIFT, LEAVES_PER_EDGE).min(MOST_SPLITS);
    let mut lines = Lines::default();
    if k > GROUP_SPLITS {
        lines.extend(PREAMBLE);
    }
    let split = Split::of(edges, at, k, corner, 0);
    let mut top = Line::default();
    for group in 0..1usize << (2 * k.saturating_sub(GROUP_SPLITS)) {
        let entry = lines.put_group(&split, group);
        // Where there are fewer than four by four groups, several entries name the same.
        let wide = k.max(GROUP_SPLITS) - GROUP_SPLITS;
        for i in 0..1usize << (2 * TOP_SPLITS) {
            let group_of = |i: usize| i >> (TOP_SPLITS - wide);
            if group_of(i >> TOP_SPLITS) << wide | group_of(i & 3) == group {
                top.set_word(i, entry);
            }
        }
    }
    if k > GROUP_SPLITS {
        for (row, leaves) in split.leaves.chunks(1 << k).enumerate() {
            let mask = leaves.iter().rev().fold(0, |mask, leaf| mask << 1 | u32::from(leaf.edges > 0));
            lines.lines[row >> 4].set_word(row & 15, mask);
        }
        lines.lines[PREAMBLE - 1] = top;
    }
    Some(Block { lines: lines.lines.into(), borders: lines.borders.into(), k })
}

/// What the edges of a block that pass its south side between its corner and that of
/// the next block to the east add to the face.
pub(super) fn along_south(edges: &[Edge], at: Square) -> u32 {
    let sum = |p| edges.iter().fold(0u32, |sum, e| sum.wrapping_add(e.crossing(p)));
    sum((at.x + (1 << at.shift), at.y)).wrapping_sub(sum((at.x, at.y)))
}

/// Into how many columns and rows, as a power of two, a square is best split.
fn splits(edges: &[Edge], at: Square, finest: u32, leaves_per_edge: usize) -> u32 {
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
    let fits =
        |k: &u32| reach >> (at.shift - k) <= budget && 1usize << (2 * k) <= edges.len().saturating_mul(leaves_per_edge);
    (0..=most).rev().find(fits).unwrap_or(0)
}

/// A leaf before it is written.
struct Leaf {
    /// The face at its corner.
    corner: u32,
    /// How many edges touch it.
    edges: usize,
    /// Its units, or how finely it is split again.
    pieces: std::ops::Range<usize>,
    deeper: u32,
}

/// A square cut into leaves, and what lies in each.
struct Split<'a> {
    edges: &'a [Edge],
    at: Square,
    k: u32,
    depth: u32,
    /// The edges of leaf i are `order[starts[i] .. starts[i + 1]]`.
    starts: Vec<u32>,
    order: Vec<u32>,
    leaves: Vec<Leaf>,
    pieces: Vec<Piece>,
}

impl<'a> Split<'a> {
    fn of(edges: &'a [Edge], at: Square, k: u32, corner: u32, depth: u32) -> Self {
        let (starts, order) = sort_into_leaves(edges, at, k);
        let leaves = Vec::with_capacity(1 << (2 * k));
        let mut split = Self { edges, at, k, depth, starts, order, leaves, pieces: Vec::new() };
        let mut row_corner = corner;
        let mut within = Vec::new();
        for row in 0..1usize << k {
            let mut corner = row_corner;
            for column in 0..1usize << k {
                let (east, north) = split.put_leaf((row << k) + column, corner, &mut within);
                if column == 0 {
                    row_corner = north;
                }
                corner = east;
            }
        }
        split
    }

    fn square(&self, leaf: usize) -> Square {
        let shift = self.at.shift - self.k;
        let (column, row) = (leaf & ((1 << self.k) - 1), leaf >> self.k);
        Square { x: self.at.x + ((column as i64) << shift), y: self.at.y + ((row as i64) << shift), shift }
    }

    fn edges_of(&self, leaf: usize) -> impl Iterator<Item = Edge> {
        self.order[self.starts[leaf] as usize..self.starts[leaf + 1] as usize].iter().map(|i| self.edges[*i as usize])
    }

    /// Adds the next leaf, and gives the faces at the corners of those at its east and, in
    /// the first column, at its north.
    fn put_leaf(&mut self, leaf: usize, corner: u32, within: &mut Vec<Edge>) -> (u32, u32) {
        within.clear();
        within.extend(self.edges_of(leaf));
        let begin = self.pieces.len();
        let edges = within.len();
        if edges == 0 {
            self.leaves.push(Leaf { corner, edges, pieces: begin..begin, deeper: 0 });
            return (corner, corner);
        }
        let square = self.square(leaf);
        cut(within, square, &mut self.pieces);
        let sum = |x: i64, y: i64| {
            let p = (square.x + x, square.y + y);
            let units = self.pieces[begin..].iter().map(|piece| passing(&piece.unit, square, p));
            units.fold(0u32, u32::wrapping_add)
        };
        let size = 1i64 << square.shift;
        let first = corner.wrapping_sub(sum(0, 0));
        let east = first.wrapping_add(sum(size, 0));
        // Asked for in the first column alone.
        let north = if leaf & ((1 << self.k) - 1) == 0 { first.wrapping_add(sum(0, size)) } else { corner };
        self.pieces[begin].unit[FACE] = first;
        let is_crowded = edges > CROWDED && self.depth < DEEPEST;
        let deeper = if is_crowded { splits(within, square, FINEST_SHIFT, 2).min(GROUP_SPLITS) } else { 0 };
        if deeper > 0 {
            self.pieces.truncate(begin);
        }
        self.leaves.push(Leaf { corner, edges, pieces: begin..self.pieces.len(), deeper });
        (east, north)
    }
}

/// No unit stands there, so no border has it.
const NO_BORDER: u32 = u32::MAX;

/// The lines of a block as they are written.
#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    borders: Vec<u32>,
    /// The second half of a line whose first half is the last unit of all.
    spare: Option<usize>,
}

impl Lines {
    fn extend(&mut self, lines: usize) {
        self.lines.resize(self.lines.len() + lines, Line::default());
        self.borders.resize(2 * self.lines.len(), NO_BORDER);
    }

    /// Room for one more unit.
    fn more(&mut self) -> usize {
        self.spare.take().unwrap_or_else(|| {
            let at = 2 * self.lines.len();
            self.extend(1);
            self.spare = Some(at + 1);
            at
        })
    }

    fn unit(&mut self, at: usize) -> &mut Unit {
        &mut self.lines[at >> 1].0[at & 1]
    }

    /// Writes the `nth` group of a split, and everything below it; gives its entry.
    fn put_group(&mut self, split: &Split<'_>, nth: usize) -> u32 {
        let side = split.k.min(GROUP_SPLITS);
        let groups = split.k - side;
        let (row, column) = (nth >> groups << side, (nth & ((1 << groups) - 1)) << side);
        // Bit by bit, which leaf of the split it is.
        let leaves = (0..1usize << (2 * side)).map(|i| {
            let (y, x) = (row + (i >> side), column + (i & ((1 << side) - 1)));
            let bit = (i >> side) << GROUP_SPLITS | (i & ((1 << side) - 1));
            (bit, (y << split.k) + x)
        });
        let width = split.at.shift - split.k;
        let of_closed = |leaf: &Leaf| (leaf.edges == 0).then_some(leaf.corner);
        let faces = commonest(leaves.clone().filter_map(|(_, leaf)| of_closed(&split.leaves[leaf])));
        let (mut open, mut which) = (0u64, [0u64; 2]);
        for (bit, leaf) in leaves.clone() {
            match of_closed(&split.leaves[leaf]).and_then(|face| faces.iter().position(|f| *f == face)) {
                Some(i) => {
                    which[0] |= (i as u64 & 1) << bit;
                    which[1] |= (i as u64 >> 1) << bit;
                }
                None => open |= 1 << bit,
            }
        }
        if open == 0 && which == [0; 2] && faces[0] & OPEN == 0 && groups > 0 {
            return faces[0];
        }
        let group = self.lines.len();
        let n = open.count_ones();
        self.extend(1 + n.div_ceil(2) as usize);
        self.spare = (n % 2 == 1).then_some(first_unit(group, n));
        self.lines[group] = Line::group(open, which, faces);
        for (rank, (_, leaf)) in leaves.filter(|(bit, _)| open >> bit & 1 == 1).enumerate() {
            self.put_leaf(split, leaf, first_unit(group, rank as u32));
        }
        entry(width, group)
    }

    fn put_leaf(&mut self, split: &Split<'_>, leaf: usize, at: usize) {
        let Leaf { corner, ref pieces, deeper, .. } = split.leaves[leaf];
        if deeper > 0 {
            let edges: Vec<Edge> = split.edges_of(leaf).collect();
            let square = split.square(leaf);
            let group = self.lines.len();
            self.put_group(&Split::of(&edges, square, deeper, corner, split.depth + 1), 0);
            *self.unit(at) = unit::of_node(group, square.shift - deeper);
            return;
        }
        if pieces.is_empty() {
            *self.unit(at) = unit::of_face(corner);
        }
        let mut at = at;
        for (i, piece) in split.pieces[pieces.clone()].iter().enumerate() {
            if i > 0 {
                let next = self.more();
                unit::set_next(self.unit(at), next);
                at = next;
            }
            *self.unit(at) = piece.unit;
            self.borders[at] = piece.border;
        }
    }
}

/// The faces that most closed leaves of a group are, the first ones where equally many are.
fn commonest(faces: impl Iterator<Item = u32>) -> [u32; FACES] {
    let mut counts: Vec<(u32, u32)> = Vec::new();
    for face in faces {
        match counts.iter_mut().find(|(f, _)| *f == face) {
            Some((_, n)) => *n += 1,
            None => counts.push((face, 1)),
        }
    }
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let mut commonest = [counts.first().map_or(0, |(f, _)| *f); FACES];
    commonest.iter_mut().zip(counts).for_each(|(place, (face, _))| *place = face);
    commonest
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
    let (a, b) = e.upwards();
    let (ax, ay) = (i64::from(a.x) - at.x, i64::from(a.y) - at.y);
    let (bx, by) = (i64::from(b.x) - at.x, i64::from(b.y) - at.y);
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
