//! A block of leaves in one run of lines, and how a point finds its face in it.
//!
//! Eight by eight leaves make a group: one cache line that says which of them have
//! borders, and whose the others are. The units of the leaves with borders follow, two
//! to a line, one for each such leaf in the order of the bits; what a leaf has beyond
//! that stands behind them, or is a group of its own where the leaf is crowded.
//!
//! ```text
//! group     open │ which face (low bits, high bits) │ four faces
//! units     first of the first open leaf │ of the second │ ... │ what more there is
//! preamble  32 row masks │ 16 entries          of a block of more than eight by eight
//! entry     a face, or (top bit set) the width of a leaf and the line of a group
//! ```
//!
//! So a point in a closed leaf is answered from one line, and one beside a border from two
//! that mostly lie in the same page. The masks say which leaves of a row have borders:
//! what a search for the nearest border walks.
//!
//! Invariant: lines and links lie in the same run; a group's squares tile its own.

use std::sync::Arc;

use super::edge::Square;
use super::unit::{self, FACE, Kind, Unit, kind_and_next};

/// A cache line: two units, or a group, or a part of a preamble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Line(pub(super) [Unit; 2]);

/// Entries with this bit name a group.
pub(super) const OPEN: u32 = 1 << 31;
/// Where the width of the leaves of a group stands in an entry; below it the line.
const WIDTH_AT: u32 = 26;
/// A group splits a square eight by eight at most.
pub(super) const GROUP_SPLITS: u32 = 3;
/// A block is split 32 by 32 at most, so that a row mask is one word.
pub(super) const MOST_SPLITS: u32 = 5;
/// The entries of a block: four by four.
pub(super) const TOP_SPLITS: u32 = MOST_SPLITS - GROUP_SPLITS;
/// Lines of a preamble: the masks and the entries.
pub(super) const PREAMBLE: usize = 3;
/// How many faces a group tells its closed leaves by.
pub(super) const FACES: usize = 4;

impl Line {
    /// The word at `i`.
    #[inline]
    pub(super) fn word(&self, i: usize) -> u32 {
        self.0[i >> 3 & 1][i & 7]
    }

    pub(super) fn set_word(&mut self, i: usize, word: u32) {
        self.0[i >> 3][i & 7] = word;
    }

    #[inline]
    fn long(&self, i: usize) -> u64 {
        u64::from(self.0[0][2 * i]) | u64::from(self.0[0][2 * i + 1]) << 32
    }

    /// A group: which leaves have units, which of `faces` each of the others is.
    pub(super) fn group(open: u64, which: [u64; 2], faces: [u32; FACES]) -> Self {
        let mut line = Self::default();
        for (i, bits) in [open, which[0], which[1]].into_iter().enumerate() {
            line.0[0][2 * i] = bits as u32;
            line.0[0][2 * i + 1] = (bits >> 32) as u32;
        }
        line.0[1][..FACES].copy_from_slice(&faces);
        line
    }

    /// Of a group, which leaves have units.
    #[inline]
    fn open(&self) -> u64 {
        self.long(0)
    }

    /// Of a group, the face of a leaf without units.
    #[inline]
    fn face(&self, leaf: u32) -> u32 {
        let which = (self.long(1) >> leaf & 1) | (self.long(2) >> leaf & 1) << 1;
        self.0[1][which as usize]
    }
}

/// The entry of the group at `line` whose leaves are 2^width units wide.
pub(super) fn entry(width: u32, line: usize) -> u32 {
    OPEN | width << WIDTH_AT | line as u32
}

/// The width of the leaves of an open entry, as a power of two, and the line of its group.
#[inline]
pub(super) fn width_and_line(entry: u32) -> (u32, usize) {
    (entry >> WIDTH_AT & 31, (entry & ((1 << WIDTH_AT) - 1)) as usize)
}

/// Where the first unit of the leaf that is the `rank`th open one of a group stands.
#[inline]
pub(super) fn first_unit(group: usize, rank: u32) -> usize {
    2 * (group + 1) + rank as usize
}

/// The unit at a place.
#[inline]
pub(super) fn unit_at(lines: &[Line], at: usize) -> &Unit {
    &lines[at >> 1].0[at & 1]
}

/// What a group says of a point.
#[derive(Clone, Copy)]
pub(super) struct Told {
    /// Its face, if the leaf is closed.
    pub(super) face: u32,
    /// Where the first unit of the leaf stands, if it is open.
    pub(super) unit: usize,
    pub(super) is_open: bool,
}

/// Asks the group at `line` about the point (x, y) of its square, whose leaves are
/// 2^width wide. Without a branch, for look-ups in a batch.
#[inline]
pub(super) fn ask(lines: &[Line], line: usize, width: u32, x: u32, y: u32) -> Told {
    let group = &lines[line];
    let leaf = (y >> width & 7) << 3 | x >> width & 7;
    let open = group.open();
    let rank = (open & ((1 << leaf) - 1)).count_ones();
    Told { face: group.face(leaf), unit: first_unit(line, rank), is_open: open >> leaf & 1 == 1 }
}

/// The face of a point of a block: `p` as it is, (x, y) from the block's corner. `entry`
/// is open.
#[inline]
pub(super) fn face_behind(lines: &[Line], entry: u32, p: (i64, i64), x: u32, y: u32) -> u32 {
    let (width, line) = width_and_line(entry);
    let told = ask(lines, line, width, x, y);
    if told.is_open { face_in_leaf(lines, told.unit, width, p, x, y) } else { told.face }
}

/// The face of a point of an open leaf, 2^width wide, whose first unit is at `at`.
#[inline]
pub(super) fn face_in_leaf(lines: &[Line], at: usize, width: u32, p: (i64, i64), x: u32, y: u32) -> u32 {
    let (face, next) = begin_in_leaf(lines, at, width, x, y);
    if next == 0 { face } else { face_from(lines, next, face, width, p, x, y) }
}

/// Where a point lies in its leaf, 2^width wide, from the middle of it.
#[inline]
fn from_centre(width: u32, x: u32, y: u32) -> (i32, i32) {
    let (side, half) = ((1u32 << width) - 1, (1u32 << width >> 1) as i32);
    (((x & side) as i32).wrapping_sub(half), ((y & side) as i32).wrapping_sub(half))
}

/// What the first unit of a leaf says of the face of a point, and the unit from which
/// [`face_from`] goes on; 0 if that was all. Without a branch, for look-ups in a batch.
#[inline]
pub(super) fn begin_in_leaf(lines: &[Line], at: usize, width: u32, x: u32, y: u32) -> (u32, usize) {
    let first = unit_at(lines, at);
    let (kind, next) = kind_and_next(first);
    let (px, py) = from_centre(width, x, y);
    let is_told = kind == Kind::Narrow || kind == Kind::Face;
    let passed = if is_told { unit::narrow(first, px, py) } else { 0 };
    (first[FACE].wrapping_add(passed), if is_told { next } else { at })
}

/// The face of a point of a leaf, 2^width wide, of which the units before `at` say `face`.
pub(super) fn face_from(lines: &[Line], at: usize, face: u32, width: u32, p: (i64, i64), x: u32, y: u32) -> u32 {
    let (px, py) = from_centre(width, x, y);
    let (mut at, mut face) = (unit_at(lines, at), face);
    loop {
        let (kind, next) = kind_and_next(at);
        match kind {
            Kind::Narrow => face = face.wrapping_add(unit::narrow(at, px, py)),
            Kind::Wide => face = face.wrapping_add(unit::wide(at, p)),
            Kind::Node => {
                let side = (1 << width) - 1;
                return face_deeper(lines, next, at[FACE], p, x & side, y & side);
            }
            Kind::Face => {}
        }
        if next == 0 {
            return face;
        }
        at = unit_at(lines, next);
    }
}

/// The same in a leaf that is split again; apart, because it is rare.
#[cold]
fn face_deeper(lines: &[Line], group: usize, width: u32, p: (i64, i64), x: u32, y: u32) -> u32 {
    face_behind(lines, entry(width, group), p, x, y)
}

/// The leaves of a block.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) lines: Arc<[Line]>,
    /// For each unit its border, by the unit's place.
    pub(super) borders: Arc<[u32]>,
    /// It is split 2^k by 2^k.
    pub(super) k: u32,
}

impl Block {
    /// The block of a single face, and its entries: they say it all, unless the face has
    /// a number that an entry cannot hold.
    pub(super) fn of_face(face: u32, shift: u32) -> (Self, Line) {
        if face & OPEN == 0 {
            return (Self { lines: Arc::new([]), borders: Arc::new([]), k: 0 }, Line([[face; 8]; 2]));
        }
        let block = Self { lines: Arc::new([Line::group(0, [0; 2], [face; FACES])]), borders: Arc::new([]), k: 0 };
        let entries = block.entries(shift);
        (block, entries)
    }

    /// The entries of a block 2^shift units wide.
    pub(super) fn entries(&self, shift: u32) -> Line {
        if self.k > GROUP_SPLITS { self.lines[PREAMBLE - 1] } else { Line([[entry(shift - self.k, 0); 8]; 2]) }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.lines) + size_of_val(&*self.borders)
    }

    /// Its leaves; `None` where no border comes near.
    pub(super) fn node(&self, square: Square) -> Option<Node<'_>> {
        (!self.lines.is_empty()).then_some(Node { block: self, line: 0, k: self.k, square })
    }
}

/// A square of a block, and the split of it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    block: &'a Block,
    /// The line of its group; of its preamble, where it is more than one group.
    line: usize,
    pub(super) k: u32,
    pub(super) square: Square,
}

/// What an open leaf is.
pub(super) enum Behind<'a> {
    /// A leaf with edges.
    Leaf(Leaf<'a>),
    /// A deeper node.
    Node(Node<'a>),
}

/// A leaf with edges.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'a> {
    block: &'a Block,
    /// Where its first unit stands.
    at: usize,
    pub(super) square: Square,
}

impl<'a> Node<'a> {
    /// Which leaves of a row have borders: bit 0 is the western one.
    #[inline]
    pub(super) fn mask(&self, row: usize) -> u32 {
        let lines = &self.block.lines;
        if self.k > GROUP_SPLITS {
            lines[row >> 4].word(row)
        } else {
            (lines[self.line].open() >> (8 * row)) as u32 & 0xff
        }
    }

    /// What the leaf in a column and row is; `None` for a face.
    #[inline]
    pub(super) fn behind(&self, column: usize, row: usize) -> Option<Behind<'a>> {
        let lines = &self.block.lines;
        let mut group = self.line;
        if self.k > GROUP_SPLITS {
            let fourth = |i: usize| i >> (self.k - TOP_SPLITS);
            let entry = lines[PREAMBLE - 1].word(fourth(row) << TOP_SPLITS | fourth(column));
            if entry & OPEN == 0 {
                return None;
            }
            group = width_and_line(entry).1;
        }
        let told = ask(lines, group, 0, column as u32, row as u32);
        if !told.is_open {
            return None;
        }
        let shift = self.square.shift - self.k;
        let square =
            Square { x: self.square.x + ((column as i64) << shift), y: self.square.y + ((row as i64) << shift), shift };
        let unit = unit_at(lines, told.unit);
        match kind_and_next(unit) {
            (Kind::Node, line) => Some(Behind::Node(Self { block: self.block, line, k: shift - unit[FACE], square })),
            _ => Some(Behind::Leaf(Leaf { block: self.block, at: told.unit, square })),
        }
    }

    /// The leaf with edges that holds a point of the node's square; `None` where the
    /// point lies in a leaf wholly inside one face.
    pub(super) fn leaf_at(self, x: i64, y: i64) -> Option<Leaf<'a>> {
        let mut node = self;
        loop {
            let s = node.square.shift - node.k;
            match node.behind(((x - node.square.x) >> s) as usize, ((y - node.square.y) >> s) as usize)? {
                Behind::Leaf(leaf) => return Some(leaf),
                Behind::Node(deeper) => node = deeper,
            }
        }
    }
}

impl Leaf<'_> {
    /// The middle of the leaf.
    #[inline]
    pub(super) fn centre(&self) -> (i64, i64) {
        self.square.centre()
    }

    /// Calls `f` with the ends of every edge, from the middle of the leaf, and its border.
    /// An edge may be as short as a vertex of the border, and come more than once.
    #[inline]
    pub(super) fn for_each_edge(&self, mut f: impl FnMut((i64, i64), (i64, i64), u32)) {
        let mut at = self.at;
        loop {
            let unit = unit_at(&self.block.lines, at);
            let border = self.block.borders[at];
            unit::for_each_edge(unit, self.square, |a, b| f(a, b, border));
            at = kind_and_next(unit).1;
            if at == 0 {
                return;
            }
        }
    }
}
