//! Why an edit can't be done, and where.
//!
//! Invariant: a refusal stands on its own, as a finding does: what, where, who, and in
//! words what to do about it. Nothing has changed when there is one.

use std::fmt;

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};

/// What stands in the way. The names are stable: programs outside know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// More vertices or areas than one edit takes on.
    Limit,
    /// A point that is no place on the globe.
    OffGlobe,
    /// No area has that code.
    UnknownArea,
    /// The area, or one above it, is locked.
    Locked,
    /// The area has others below it; their ground is not its own to redraw.
    HasChildren,
    /// The area has no ground of its own.
    NoGround,
    /// A line of too few points, or one that doesn't cut what it should.
    LineMisses,
    /// A line that ends inside an area.
    LineEndsInside,
    /// A line or ring that touches itself.
    LineTouchesItself,
    /// A line or ring that crosses itself.
    LineCrossesItself,
    /// Something narrower and smaller than the limits would be left.
    Sliver,
    /// The place lies outside all areas, or the ring reaches out there.
    OutsideOutline,
    /// The areas don't touch.
    NotAdjacent,
    /// The areas are not below the same one.
    OtherParent,
    /// A third area would be touched; the caller must say that it may be.
    ThirdArea,
    /// An area would be left without ground.
    Emptied,
    /// The ground has an owner already.
    Owned,
    /// The code is in use.
    DuplicateCode,
    /// The code was in use before, and codes are never given again.
    UsedCode,
    /// No code was given and none could be found.
    NoCode,
    /// The parent is not of a level above.
    WrongParent,
    /// No node or vertex is there.
    UnknownNode,
    /// No border is there.
    UnknownBorder,
    /// A border would cross or touch another, or jump over it.
    Crossing,
    /// Borders lie closer together than the lattice can tell apart after the cut.
    TooNarrow,
    /// A border of a level above the mandate would move.
    AboveMandate,
    /// Nothing would be different.
    NoChange,
}

impl Reason {
    /// The stable name in `snake_case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::OffGlobe => "off_globe",
            Self::UnknownArea => "unknown_area",
            Self::Locked => "locked",
            Self::HasChildren => "has_children",
            Self::NoGround => "no_ground",
            Self::LineMisses => "line_misses",
            Self::LineEndsInside => "line_ends_inside",
            Self::LineTouchesItself => "line_touches_itself",
            Self::LineCrossesItself => "line_crosses_itself",
            Self::Sliver => "sliver",
            Self::OutsideOutline => "outside_outline",
            Self::NotAdjacent => "not_adjacent",
            Self::OtherParent => "other_parent",
            Self::ThirdArea => "third_area",
            Self::Emptied => "emptied",
            Self::Owned => "owned",
            Self::DuplicateCode => "duplicate_code",
            Self::UsedCode => "used_code",
            Self::NoCode => "no_code",
            Self::WrongParent => "wrong_parent",
            Self::UnknownNode => "unknown_node",
            Self::UnknownBorder => "unknown_border",
            Self::Crossing => "crossing",
            Self::TooNarrow => "too_narrow",
            Self::AboveMandate => "above_mandate",
            Self::NoChange => "no_change",
        }
    }
}

/// An edit that can't be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What stands in the way.
    pub reason: Reason,
    /// The same for people, with what to do about it.
    pub message: String,
    /// The places, the worst first; none where the reason has none (an unknown code).
    pub places: Vec<Point>,
    /// The areas concerned, in the coverage before the edit.
    pub areas: Vec<AreaId>,
}

impl Refusal {
    /// The first place.
    #[must_use]
    pub fn place(&self) -> Option<Point> {
        self.places.first().copied()
    }

    /// The box around all places; empty where there are none.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds::of(self.places.iter().copied())
    }

    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), places: Vec::new(), areas: Vec::new() }
    }

    pub(super) fn at(mut self, places: impl IntoIterator<Item = Point>) -> Self {
        self.places.extend(places);
        self
    }

    pub(super) fn of(mut self, areas: impl IntoIterator<Item = AreaId>) -> Self {
        self.areas.extend(areas);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.name(), self.message)?;
        match self.place() {
            Some(p) => write!(f, " at {:.7} {:.7}", p.lon(), p.lat()),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}
