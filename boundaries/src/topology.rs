//! The parts of the planar graph and how they hang together.
//!
//! A *node* is a place where three or more borders meet, or the seat of a closed
//! border that meets no other. It has no record of its own: a node is its lattice
//! point, and the order of the borders around it stands in their `next` links.
//!
//! ```text
//!            left face
//!   from o──────────────▶──────o to          half-edge 0: along the border, left face at its left
//!          ◀── half-edge 1 ──                half-edge 1: against it, right face at its left
//!            right face
//! ```

use std::sync::Arc;

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};

/// A border within one coverage. Ids survive edits and are not given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BorderId(pub u32);

/// A face within one coverage. Ids survive edits and are not given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaceId(pub u32);

impl FaceId {
    /// The unbounded face around everything; it exists in every coverage.
    pub const OUTSIDE: Self = Self(0);
}

/// A border walked in one direction; the face "of" a half-edge lies at its left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HalfEdge(pub u32);

impl HalfEdge {
    /// `border` walked from its first vertex to its last (`forward`), or back.
    #[inline]
    #[must_use]
    pub const fn new(border: BorderId, forward: bool) -> Self {
        Self(border.0 * 2 + !forward as u32)
    }

    /// The border that is walked.
    #[inline]
    #[must_use]
    pub const fn border(self) -> BorderId {
        BorderId(self.0 / 2)
    }

    /// Whether it is walked from its first vertex to its last.
    #[inline]
    #[must_use]
    pub const fn is_forward(self) -> bool {
        self.0.is_multiple_of(2)
    }

    /// The same border walked the other way.
    #[inline]
    #[must_use]
    pub const fn twin(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// A chain of vertices between two nodes, with the faces at its sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Border {
    /// The vertices, both nodes included; at least two. A closed border begins and
    /// ends at its one node.
    pub line: Arc<[Point]>,
    /// The face to the left, looking along the line.
    pub left: FaceId,
    /// The face to the right.
    pub right: FaceId,
    /// The half-edge that follows each of the two (forward, backward) around its face.
    pub(crate) next: [HalfEdge; 2],
}

/// A connected region of ground with one owner (or none).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Face {
    /// The deepest area known there; `None` outside everything and in gaps.
    pub owner: Option<AreaId>,
    /// A half-edge of the outer ring; `None` for [`FaceId::OUTSIDE`] alone.
    pub outer: Option<HalfEdge>,
    /// A half-edge of each inner ring, ascending.
    pub holes: Arc<[HalfEdge]>,
    /// The box around the face; empty for [`FaceId::OUTSIDE`].
    pub bounds: Bounds,
    /// Twice its area in square lattice units, holes taken off; 0 for [`FaceId::OUTSIDE`].
    pub twice_area: i128,
}
