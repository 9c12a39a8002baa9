//! A block of leaves in one run of words, and how a point finds its face in it.
//!
//! ```text
//! node    k │ 4^k entries, row by row from the south-west │ 2^k row masks
//! entry   a face, or (top bit set) the offset of a leaf with borders or of a deeper node
//! narrow  kind, n │ face at the corner │ n × (a, b, rows, difference) │ n borders
//! wide    kind, n │ face at the corner │ n × (ax, ay, bx, by, low, high, west, difference) │ n borders
//! ```
//!
//! A narrow leaf keeps the ends of its edges as i16 from its centre: 16 bytes an edge,
//! so a leaf of two edges is one cache line. The row masks say which leaves of a row
//! have borders: what a search for the nearest border walks.
//!
//! Invariant: offsets lie in the same run; a node's squares tile its own.

use std::sync::Arc;

use super::edge::{Clip, Edge, Square, West, is_east};

/// Entries with this bit are offsets.
pub(super) const OFFSET: u32 = 1 << 31;
/// The finest division of a node: 32 by 32, so that a row mask is one word.
pub(super) const MOST_SPLITS: u32 = 5;
/// Leaves wider than 2^14 units are wide: `low` and `high` of a narrow one have 15 bits.
const WIDEST_NARROW: u32 = 14;
const NARROW_WORDS: usize = 4;
const WIDE_WORDS: usize = 8;
/// Words before the edges of a leaf: its head and the face at its corner.
const HEAD_WORDS: usize = 2;

/// What the head of a record says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Narrow = 0,
    Wide = 1,
    Node = 2,
    /// No edges: a face whose number has the top bit.
    Face = 3,
}

fn head(kind: Kind, n: usize) -> u32 {
    (n as u32) << 2 | kind as u32
}

fn kind_of(head: u32) -> (Kind, usize) {
    let kind = match head & 3 {
        0 => Kind::Narrow,
        1 => Kind::Wide,
        2 => Kind::Node,
        _ => Kind::Face,
    };
    (kind, (head >> 2) as usize)
}

/// The offset of the entries of the node at `node`.
#[inline]
fn entries(node: usize) -> usize {
    node + 1
}

/// Writes the empty node of 4^k entries and gives its offset.
pub(super) fn put_node(words: &mut Vec<u32>, k: u32) -> usize {
    let node = words.len();
    words.push(head(Kind::Node, k as usize));
    words.resize(words.len() + (1 << (2 * k)) + (1 << k), 0);
    node
}

/// Says what the leaf in that column and row of the node is.
pub(super) fn set_entry(words: &mut [u32], node: usize, k: u32, column: usize, row: usize, entry: u32) {
    words[entries(node) + (row << k) + column] = entry;
    if entry & OFFSET != 0 {
        words[entries(node) + (1 << (2 * k)) + row] |= 1 << column;
    }
}

/// The block of a single face.
pub(super) fn of_one_face(face: u32) -> Arc<[u32]> {
    let mut words = Vec::new();
    let node = put_node(&mut words, 0);
    let entry = put_face(&mut words, face);
    set_entry(&mut words, node, 0, 0, 0, entry);
    words.into()
}

/// The entry of a leaf wholly inside one face.
pub(super) fn put_face(words: &mut Vec<u32>, face: u32) -> u32 {
    if face & OFFSET == 0 {
        return face;
    }
    let offset = words.len() as u32;
    words.extend([head(Kind::Face, 0), face]);
    OFFSET | offset
}

/// Writes a leaf with borders and gives its entry.
pub(super) fn put_leaf(words: &mut Vec<u32>, at: Square, corner: u32, edges: &[(Edge, Clip)]) -> u32 {
    let offset = words.len() as u32;
    let half = 1i64 << at.shift >> 1;
    let from_centre = |x: i32, side: i64| i16::try_from(i64::from(x) - side - half).ok();
    let pack = |x: i16, y: i16| u32::from(x as u16) | u32::from(y as u16) << 16;
    let ends = |e: &Edge| {
        let a = pack(from_centre(e.a.x, at.x)?, from_centre(e.a.y, at.y)?);
        let b = pack(from_centre(e.b.x, at.x)?, from_centre(e.b.y, at.y)?);
        Some((a, b))
    };
    let is_narrow = at.shift <= WIDEST_NARROW && edges.iter().all(|(e, _)| ends(e).is_some());
    words.extend([head(if is_narrow { Kind::Narrow } else { Kind::Wide }, edges.len()), corner]);
    for (e, clip) in edges {
        match ends(e).filter(|_| is_narrow) {
            Some((a, b)) => words.extend([a, b, clip.low | clip.high << 15 | (clip.west as u32) << 30, e.delta]),
            None => words.extend([
                e.a.x as u32,
                e.a.y as u32,
                e.b.x as u32,
                e.b.y as u32,
                clip.low,
                clip.high,
                clip.west as u32,
                e.delta,
            ]),
        }
    }
    words.extend(edges.iter().map(|(e, _)| e.border));
    OFFSET | offset
}

/// The face of the point (x, y), both counted from the corner of the block, which is
/// 2^shift wide and whose first node splits it 2^k by 2^k.
#[inline]
pub(super) fn face_at(words: &[u32], k: u32, shift: u32, corner: (i64, i64), x: u32, y: u32) -> u32 {
    let entry = entry_at(words, 0, k, shift, x, y);
    if entry & OFFSET == 0 { entry } else { face_behind(words, entry, k, shift, corner, x, y) }
}

/// The entry of the leaf of a node that the point lies in.
#[inline]
fn entry_at(words: &[u32], node: usize, k: u32, shift: u32, x: u32, y: u32) -> u32 {
    words[node + place_of_entry(k, shift, x, y)]
}

/// Where in a block the entry of a point in its first node stands.
#[inline]
pub(super) fn place_of_entry(k: u32, shift: u32, x: u32, y: u32) -> usize {
    let s = shift - k;
    entries(0) + (((y >> s) << k) + (x >> s)) as usize
}

/// The face of a point whose entry in the block's first node is an offset.
#[inline]
pub(super) fn face_behind(
    words: &[u32],
    mut entry: u32,
    k: u32,
    shift: u32,
    corner: (i64, i64),
    x: u32,
    y: u32,
) -> u32 {
    let mut shift = shift - k;
    loop {
        let offset = (entry & !OFFSET) as usize;
        let (kind, n) = kind_of(words[offset]);
        // Within the leaf.
        let side = (1u32 << shift) - 1;
        let (lx, ly) = (x & side, y & side);
        match kind {
            Kind::Narrow => {
                let leaf = &words[offset + 1..][..1 + n * NARROW_WORDS];
                return leaf[1..].chunks_exact(NARROW_WORDS).fold(leaf[0], |face, e| {
                    let Narrow { a, b, clip } = Narrow::read(e);
                    let half = (1i32 << shift) >> 1;
                    let (px, py) = (i64::from(lx as i32 - half), i64::from(ly as i32 - half));
                    let (ax, ay) = (i64::from(a.0), i64::from(a.1));
                    let is_east = (i64::from(b.0) - ax) * (py - ay) <= (i64::from(b.1) - ay) * (px - ax);
                    face.wrapping_add(clip.crossing(ly, is_east, e[3]))
                });
            }
            Kind::Wide => {
                let leaf = &words[offset + 1..][..1 + n * WIDE_WORDS];
                let p = (corner.0 + i64::from(x), corner.1 + i64::from(y));
                return leaf[1..].chunks_exact(WIDE_WORDS).fold(leaf[0], |face, e| {
                    let (a, b, clip) = wide(e);
                    face.wrapping_add(clip.crossing(ly, is_east(a, b, p), e[7]))
                });
            }
            Kind::Node => {
                let k = n as u32;
                entry = entry_at(words, offset, k, shift, lx, ly);
                if entry & OFFSET == 0 {
                    return entry;
                }
                shift -= k;
            }
            Kind::Face => return words[offset + 1],
        }
    }
}

/// A look at the leaf behind an entry that is an offset, to have it fetched: what it
/// says means nothing.
#[inline]
pub(super) fn look_behind(words: &[u32], entry: u32) -> u32 {
    // Two cache lines of 16 words.
    let leaf = &words[(entry & !OFFSET) as usize..];
    leaf[0] ^ leaf[leaf.len().min(16) - 1]
}

struct Narrow {
    a: (i16, i16),
    b: (i16, i16),
    clip: Clip,
}

impl Narrow {
    #[inline]
    fn read(words: &[u32]) -> Self {
        let unpack = |w: u32| (w as u16 as i16, (w >> 16) as u16 as i16);
        let rows = words[2];
        let clip = Clip { low: rows & 0x7fff, high: rows >> 15 & 0x7fff, west: west(rows >> 30) };
        Self { a: unpack(words[0]), b: unpack(words[1]), clip }
    }
}

/// The ends of a narrow edge, from the middle of its leaf.
#[inline]
fn narrow_ends(words: &[u32]) -> ((f64, f64), (f64, f64)) {
    let unpack = |w: u32| (f64::from(w as u16 as i16), f64::from((w >> 16) as u16 as i16));
    (unpack(words[0]), unpack(words[1]))
}

#[inline]
fn west(code: u32) -> West {
    match code {
        1 => West::Rising,
        2 => West::Falling,
        _ => West::None,
    }
}

#[inline]
fn wide(words: &[u32]) -> ((i64, i64), (i64, i64), Clip) {
    let at = |i: usize| i64::from(words[i] as i32);
    let clip = Clip { low: words[4], high: words[5], west: west(words[6]) };
    ((at(0), at(1)), (at(2), at(3)), clip)
}

/// A node of a block: a square, and the split that its entries make of it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    words: &'a [u32],
    node: usize,
    pub(super) k: u32,
    pub(super) square: Square,
}

/// What lies behind an entry with borders.
pub(super) enum Behind<'a> {
    /// A leaf with edges.
    Leaf(Leaf<'a>),
    /// A deeper node.
    Node(Node<'a>),
}

/// A leaf with edges.
#[derive(Clone, Copy)]
pub(super) struct Leaf<'a> {
    words: &'a [u32],
    kind: Kind,
    n: usize,
    square: Square,
}

impl<'a> Node<'a> {
    /// The first node of a block.
    pub(super) fn first(words: &'a [u32], square: Square) -> Self {
        Self { words, node: 0, k: kind_of(words[0]).1 as u32, square }
    }

    /// Which leaves of a row have borders: bit 0 is the western one.
    #[inline]
    pub(super) fn mask(&self, row: usize) -> u32 {
        self.words[entries(self.node) + (1 << (2 * self.k)) + row]
    }

    /// What the leaf in a column and row holds; `None` for a face.
    #[inline]
    pub(super) fn behind(&self, column: usize, row: usize) -> Option<Behind<'a>> {
        let entry = self.words[entries(self.node) + (row << self.k) + column];
        if entry & OFFSET == 0 {
            return None;
        }
        let offset = (entry & !OFFSET) as usize;
        let shift = self.square.shift - self.k;
        let square =
            Square { x: self.square.x + ((column as i64) << shift), y: self.square.y + ((row as i64) << shift), shift };
        let (kind, n) = kind_of(self.words[offset]);
        match kind {
            Kind::Face => None,
            Kind::Node => Some(Behind::Node(Self { words: self.words, node: offset, k: n as u32, square })),
            Kind::Narrow | Kind::Wide => {
                Some(Behind::Leaf(Leaf { words: &self.words[offset + HEAD_WORDS..], kind, n, square }))
            }
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

    /// Calls `f` for each leaf with edges.
    pub(super) fn for_each_leaf(self, f: &mut impl FnMut(Leaf<'a>)) {
        for row in 0..1usize << self.k {
            for column in 0..1usize << self.k {
                match self.behind(column, row) {
                    Some(Behind::Leaf(leaf)) => f(leaf),
                    Some(Behind::Node(node)) => node.for_each_leaf(f),
                    None => {}
                }
            }
        }
    }
}

/// An edge read back: its ends, the lower one first.
pub(super) struct Found {
    pub(super) a: (i64, i64),
    pub(super) b: (i64, i64),
}

impl<'a> Leaf<'a> {
    /// How many edges there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.n
    }

    /// The middle of the leaf.
    #[inline]
    pub(super) fn centre(&self) -> (i64, i64) {
        let half = 1i64 << self.square.shift >> 1;
        (self.square.x + half, self.square.y + half)
    }

    /// The ends of the edge at `i`, from the middle of the leaf. Exact: 33 bits at most.
    #[inline]
    pub(super) fn edge_from_centre(&self, i: usize) -> ((f64, f64), (f64, f64)) {
        if self.kind == Kind::Narrow {
            narrow_ends(&self.words[i * NARROW_WORDS..][..NARROW_WORDS])
        } else {
            let (Found { a, b }, (x, y)) = (self.edge(i), self.centre());
            (((a.0 - x) as f64, (a.1 - y) as f64), ((b.0 - x) as f64, (b.1 - y) as f64))
        }
    }

    /// The least of what `f` says of the ends of each edge, from the middle of the leaf.
    #[inline]
    pub(super) fn least(&self, f: impl Fn((f64, f64), (f64, f64)) -> f64) -> f64 {
        if self.kind == Kind::Narrow {
            let edges = self.words[..self.n * NARROW_WORDS].chunks_exact(NARROW_WORDS);
            edges.fold(f64::INFINITY, |least, e| {
                let (a, b) = narrow_ends(e);
                least.min(f(a, b))
            })
        } else {
            (0..self.n).fold(f64::INFINITY, |least, i| {
                let (a, b) = self.edge_from_centre(i);
                least.min(f(a, b))
            })
        }
    }

    /// The edge at `i`.
    #[inline]
    pub(super) fn edge(&self, i: usize) -> Found {
        if self.kind == Kind::Narrow {
            let e = &self.words[i * NARROW_WORDS..][..NARROW_WORDS];
            let (x, y) = self.centre();
            let Narrow { a, b, .. } = Narrow::read(e);
            Found { a: (x + i64::from(a.0), y + i64::from(a.1)), b: (x + i64::from(b.0), y + i64::from(b.1)) }
        } else {
            let e = &self.words[i * WIDE_WORDS..][..WIDE_WORDS];
            let (a, b, _) = wide(e);
            Found { a, b }
        }
    }

    /// The border of the edge at `i`.
    #[inline]
    pub(super) fn border(&self, i: usize) -> u32 {
        let size = if self.kind == Kind::Narrow { NARROW_WORDS } else { WIDE_WORDS };
        self.words[self.n * size + i]
    }
}
