//! Eight words of a leaf: up to four edges of one chain, or one long edge.
//!
//! ```text
//! narrow  face, difference, link │ five vertices, each two i16 from the leaf's centre
//! wide    face, difference, link │ ax, ay, bx, by │ rays
//! ```
//!
//! A chain is a run of edges of one border that touch the leaf. The way from the west
//! begins beyond all of them, where the face must be the same at every height. So where
//! a chain ends west of the leaf, a ray goes on from its end, straight up:
//!
//! ```text
//!      ray │   ┌──────────────┐
//!          │   │              │     The way meets the chain or its ray, once,
//!   ·······│·······▶ p        │     wherever p lies at its right.
//!          └───┼──╮           │
//!              │  ╰───────────┼──   Chains that leave by another side are not met
//!              └──────────────┘     beyond it.
//! ```
//!
//! A leaf is a list of units; a link names the next. The first unit says what the face
//! is where the way begins. What is missing to four edges repeats a vertex.
//!
//! Invariant: narrow coordinates are so small that the products of [`narrow`] fit i32.

use super::edge::{Edge, Square, passage};

/// One unit.
pub(super) type Unit = [u32; 8];

/// Where the way from the west begins: the face there.
pub(super) const FACE: usize = 0;
/// What meeting an edge of the unit adds to the face.
const DIFFERENCE: usize = 1;
/// The kind of the unit and the place of the next one.
const LINK: usize = 2;
/// The vertices, or the ends.
const VERTICES: usize = 3;
const RAYS: usize = 7;

/// A wide edge from whose first end a ray comes down, and one from whose last end a ray goes up.
const RAY_BEFORE: u32 = 1;
const RAY_AFTER: u32 = 2;

/// Narrow vertices are at most this far from the centre of the leaf.
const REACH: i64 = (1 << 14) - 1;
/// Leaves wider than this have wide units alone.
const WIDEST_NARROW: u32 = 14;
/// The height at which a ray ends: above every leaf.
const SKY: i16 = i16::MAX;

/// What a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Narrow = 0,
    Wide = 1,
    /// No edges: the leaf is split again, and the link names its group.
    Node = 2,
    /// No edges: nothing but a face.
    Face = 3,
}

/// The link to the unit at `next`; 0 for none.
pub(super) fn link(kind: Kind, next: usize) -> u32 {
    (next as u32) << 2 | kind as u32
}

/// What a unit is, and where the next one stands; 0 for none.
#[inline]
pub(super) fn kind_and_next(unit: &Unit) -> (Kind, usize) {
    let kind = match unit[LINK] & 3 {
        0 => Kind::Narrow,
        1 => Kind::Wide,
        2 => Kind::Node,
        _ => Kind::Face,
    };
    (kind, (unit[LINK] >> 2) as usize)
}

/// The unit of a leaf that is split again, at `group` into leaves 2^width wide.
pub(super) fn of_node(group: usize, width: u32) -> Unit {
    let mut unit = [0; 8];
    unit[FACE] = width;
    unit[LINK] = link(Kind::Node, group);
    unit
}

/// The unit of a leaf without edges.
pub(super) fn of_face(face: u32) -> Unit {
    let mut unit = [0; 8];
    unit[FACE] = face;
    unit[LINK] = link(Kind::Face, 0);
    unit
}

/// Has a unit name the next one.
pub(super) fn set_next(unit: &mut Unit, next: usize) {
    unit[LINK] = link(kind_and_next(unit).0, next);
}

/// What the way to (x, y), both from the centre of the leaf, adds in a narrow unit.
#[inline]
pub(super) fn narrow(unit: &Unit, x: i32, y: i32) -> u32 {
    let mut passed = 0;
    let (mut ax, mut ay) = unpack(unit[VERTICES]);
    for vertex in &unit[VERTICES + 1..] {
        let (bx, by) = unpack(*vertex);
        let way = i32::from(ay <= y) - i32::from(by <= y);
        let side = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        passed += if side * way <= 0 { way } else { 0 };
        (ax, ay) = (bx, by);
    }
    unit[DIFFERENCE].wrapping_mul(passed as u32)
}

/// What the way to `p` adds in a wide unit.
#[inline]
pub(super) fn wide(unit: &Unit, p: (i64, i64)) -> u32 {
    let (a, b) = wide_ends(unit);
    let before = i32::from(unit[RAYS] & RAY_BEFORE != 0 && a.1 <= p.1);
    let after = i32::from(unit[RAYS] & RAY_AFTER != 0 && b.1 <= p.1);
    unit[DIFFERENCE].wrapping_mul((passage(a, b, p) + after - before) as u32)
}

/// What the way to `p` adds in a unit of the leaf `at`.
pub(super) fn passing(unit: &Unit, at: Square, p: (i64, i64)) -> u32 {
    match kind_and_next(unit).0 {
        Kind::Narrow => {
            let centre = at.centre();
            narrow(unit, (p.0 - centre.0) as i32, (p.1 - centre.1) as i32)
        }
        Kind::Wide => wide(unit, p),
        Kind::Node | Kind::Face => 0,
    }
}

/// The ends of the edges of a unit, from the centre of the leaf `at`. Some may come as a
/// vertex of the chain twice over.
#[inline]
pub(super) fn for_each_edge(unit: &Unit, at: Square, mut f: impl FnMut((i64, i64), (i64, i64))) {
    match kind_and_next(unit).0 {
        Kind::Narrow => {
            for ends in unit[VERTICES..].windows(2) {
                let (a, b) = (unpack(ends[0]), unpack(ends[1]));
                // Of a ray, the vertex that it begins in.
                let (a, b) = (if a.1 == SKY.into() { b } else { a }, if b.1 == SKY.into() { a } else { b });
                f((a.0.into(), a.1.into()), (b.0.into(), b.1.into()));
            }
        }
        Kind::Wide => {
            let ((ax, ay), (bx, by)) = wide_ends(unit);
            let (x, y) = at.centre();
            f((ax - x, ay - y), (bx - x, by - y));
        }
        Kind::Node | Kind::Face => {}
    }
}

#[inline]
fn wide_ends(unit: &Unit) -> ((i64, i64), (i64, i64)) {
    let at = |i: usize| i64::from(unit[VERTICES + i] as i32);
    ((at(0), at(1)), (at(2), at(3)))
}

fn pack(x: i16, y: i16) -> u32 {
    u32::from(x as u16) | u32::from(y as u16) << 16
}

#[inline]
fn unpack(vertex: u32) -> (i32, i32) {
    (i32::from(vertex as i16), vertex as i32 >> 16)
}

/// A unit and the border of its edges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) unit: Unit,
    pub(super) border: u32,
}

/// Adds the units of the edges of a leaf, which stand in the order of their borders. Their
/// faces and links are still missing.
pub(super) fn cut(edges: &[Edge], at: Square, into: &mut Vec<Piece>) {
    let centre = at.centre();
    let narrow = |e: &Edge| {
        let end = |p: crate::lattice::Point| {
            let (x, y) = (i64::from(p.x) - centre.0, i64::from(p.y) - centre.1);
            (x.abs() <= REACH && y.abs() <= REACH).then(|| pack(x as i16, y as i16))
        };
        Some((end(e.a)?, end(e.b)?)).filter(|_| at.shift <= WIDEST_NARROW)
    };
    let is_west = |x: i32| i64::from(x) < at.x;
    let up = |vertex: u32| pack(vertex as i16, SKY);
    let follows = |e: &Edge, f: &Edge| e.border == f.border && e.b == f.a;
    let mut i = 0;
    while i < edges.len() {
        let first = edges[i];
        let Some((a, mut last)) = narrow(&first) else {
            let rays = if is_west(first.a.x) { RAY_BEFORE } else { 0 } | if is_west(first.b.x) { RAY_AFTER } else { 0 };
            let [ax, ay, bx, by] = [first.a.x, first.a.y, first.b.x, first.b.y].map(|v| v as u32);
            let unit = [0, first.delta, link(Kind::Wide, 0), ax, ay, bx, by, rays];
            into.push(Piece { unit, border: first.border });
            i += 1;
            continue;
        };
        let mut chain = Chain { unit: [0, first.delta, 0, 0, 0, 0, 0, 0], border: first.border, n: 0, into };
        if is_west(first.a.x) {
            chain.push(up(a));
        }
        chain.push(a);
        chain.push(last);
        i += 1;
        while i < edges.len() && follows(&edges[i - 1], &edges[i]) {
            let Some((_, b)) = narrow(&edges[i]) else { break };
            chain.push(b);
            last = b;
            i += 1;
        }
        if is_west(edges[i - 1].b.x) {
            chain.push(up(last));
        }
        chain.finish();
    }
}

/// A chain as it becomes units, each of which begins with the last vertex of the one before.
struct Chain<'a> {
    unit: Unit,
    border: u32,
    /// How many vertices the unit has.
    n: usize,
    into: &'a mut Vec<Piece>,
}

impl Chain<'_> {
    const FULL: usize = 8 - VERTICES;

    fn push(&mut self, vertex: u32) {
        if self.n == Self::FULL {
            self.into.push(Piece { unit: self.unit, border: self.border });
            self.unit[VERTICES] = self.unit[7];
            self.n = 1;
        }
        self.unit[VERTICES + self.n] = vertex;
        self.n += 1;
    }

    fn finish(mut self) {
        // Of a ray, only its foot is on the border: that is repeated, not its head.
        let vertices = &mut self.unit[VERTICES..];
        let first = usize::from(unpack(vertices[0]).1 == SKY.into());
        vertices.copy_within(first..self.n, first + Self::FULL - self.n);
        let repeated = vertices[Self::FULL - self.n + first];
        vertices[first..first + Self::FULL - self.n].fill(repeated);
        self.into.push(Piece { unit: self.unit, border: self.border });
    }
}
