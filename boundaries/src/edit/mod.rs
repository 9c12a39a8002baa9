//! Edits: each a pure function of a coverage to a new one, or a refusal with a reason
//! and a place.
//!
//! ```text
//!   drawn line ─▶ snapped ─▶ cut into opened faces ─▶ owners changed ─▶ closed ─▶ verified
//!                 `drawn`    `draft`, `cut`           one file an edit  `close`   `verify`
//! ```
//!
//! Invariant: what comes out is a valid [`Coverage`] that shares with the one before all
//! that was not touched; upper levels follow by themselves. Undo is to keep the old value.
//! It must not know plans, people, stores or how codes are laid out.

mod refusal;
mod rules;

mod close;
mod cut;
mod desk;
mod draft;
mod drawn;
mod inside;
mod moved;
mod verify;

mod carve;
mod create;
mod found;
mod merge;
mod move_border;
mod move_node;
mod recode;
mod rename;
mod reparent;
mod reshape;
mod retire;
mod set;
mod share;
mod split;
mod transfer;

use std::sync::Arc;

use crate::area::AreaId;
use crate::change::Changes;
use crate::coverage::Coverage;
use crate::lattice::Point;

pub use refusal::{Reason, Refusal};
pub use rules::{Codes, Fresh, NewArea, Rules, Suffixes, Wanted};
pub use share::{Receiver, Share};

use desk::Desk;

/// The code of an area: edits name areas as people do, so a list of them can be replayed
/// on another revision.
pub type Code = Arc<str>;

/// Which part of a split area keeps its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The largest piece.
    #[default]
    Largest,
    /// The largest piece to the left of the line.
    Left,
    /// The largest piece to the right of the line.
    Right,
}

/// What is transferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// The whole connected pieces of ground at these points.
    At(Vec<Point>),
    /// The ground inside a ring: a building or compound with its surrounds.
    Inside(Vec<Point>),
}

/// A change that a planner makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Cuts areas along a line, which cuts these areas only. A closed line cuts off an
    /// island. Each piece but the kept one of each area becomes an area.
    Split {
        /// The areas to cut.
        codes: Vec<Code>,
        /// The line; it may begin and end beyond the areas.
        line: Vec<Point>,
        /// Which piece keeps the code.
        keep: Keep,
        /// What is known of the new areas. A code can be given where one area comes of it.
        new: NewArea,
    },
    /// Makes one area of several that touch and have the same parent.
    Merge {
        /// The areas.
        codes: Vec<Code>,
        /// The one of them that stays.
        into: Code,
        /// Whether they need not touch.
        multipart: bool,
    },
    /// Redraws a border of an area by a line with both ends on its outline: pieces that
    /// are cut off inside go to the neighbour there, pieces outside come to the area.
    Reshape {
        /// The area.
        code: Code,
        /// The line.
        line: Vec<Point>,
        /// Whether more than one neighbour may be concerned.
        several: bool,
    },
    /// Moves a node, or another vertex, with all borders that meet there.
    MoveNode {
        /// Where it is.
        node: Point,
        /// Where it goes.
        to: Point,
    },
    /// Gives a border another line between its nodes.
    MoveBorder {
        /// A place on the border.
        at: Point,
        /// The new line, in either direction. Its ends are at the nodes; for a closed border
        /// it is a ring.
        line: Vec<Point>,
    },
    /// Gives ground to an area.
    Transfer {
        /// The area that gets it.
        to: Code,
        /// The ground.
        pieces: Pieces,
        /// Whether it need not touch the area.
        multipart: bool,
    },
    /// Gives several areas the ground that is drawn for each, exactly and in one go.
    Share {
        /// The ground; no two shares lie on each other.
        shares: Vec<Share>,
        /// Areas that come to have no ground, and end.
        ends: Vec<Code>,
    },
    /// Makes an area of land that no area of the finest level owns.
    Create {
        /// A place in that land.
        at: Point,
        /// What is known of the area.
        new: NewArea,
    },
    /// Makes an area of a level above the finest, without ground until others are put
    /// below it.
    Found {
        /// The name of the level.
        level: Arc<str>,
        /// What is known of the area; its parent must be, unless the level is the topmost.
        new: NewArea,
    },
    /// Ends an area; its ground goes to another that touches it, or back to one above it.
    /// One that has neither ground nor areas below it ends as it is.
    Retire {
        /// The area.
        code: Code,
        /// Who gets its ground.
        into: Code,
    },
    /// Cuts a new area out of others by a ring.
    Carve {
        /// The ring.
        ring: Vec<Point>,
        /// What is known of the area.
        new: NewArea,
    },
    /// Gives an area another name.
    Rename {
        /// The area.
        code: Code,
        /// The name.
        name: Arc<str>,
    },
    /// Gives an area another code.
    Recode {
        /// The area.
        code: Code,
        /// The code.
        to: Code,
    },
    /// Puts an area below another parent; the borders of the levels above follow.
    Reparent {
        /// The area.
        code: Code,
        /// The new parent.
        parent: Code,
    },
    /// Changes what else is known of an area.
    Set {
        /// The area.
        code: Code,
        /// Its kind, where that changes.
        kind: Option<Arc<str>>,
        /// Its attributes, where they change: all of them, as [`Area`](crate::Area) has them.
        attributes: Option<Arc<str>>,
    },
}

/// What an edit was, for the lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deed {
    /// One area became several.
    Split,
    /// Several areas became one.
    Merge,
    /// Ground went from one area to another.
    Transfer,
    /// A line was drawn better.
    Correction,
    /// What is known of an area changed, its ground didn't.
    Description,
}

/// Ground that changed hands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Handover {
    /// Who owned it; an id in the coverage before.
    pub from: Option<AreaId>,
    /// Who owns it; an id in the coverage after.
    pub to: Option<AreaId>,
    /// How much it is, in square metres.
    pub area_m2: f64,
}

/// What an edit comes to.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The coverage after it.
    pub coverage: Coverage,
    /// What it was.
    pub deed: Deed,
    /// Areas that are new, ascending.
    pub created: Vec<AreaId>,
    /// Areas that are gone, ascending; ids in the coverage before.
    pub removed: Vec<AreaId>,
    /// All areas whose ground or description is different, with those created and removed,
    /// ascending. A neighbour in whose border a line ends, which puts a vertex there, is not
    /// among them; `changes` has the border.
    pub touched: Vec<AreaId>,
    /// What ground went from whom to whom. Where lines were moved rather than drawn, it is
    /// what each neighbour gave another on balance.
    pub handovers: Vec<Handover>,
    /// What is different, for a store.
    pub changes: Changes,
    /// The ids that are free after it.
    pub fresh: Fresh,
}

impl Edit {
    /// The points that were drawn. Those of shares are looked at with their rings.
    fn points(&self) -> &[Point] {
        match self {
            Self::Split { line, .. } | Self::Reshape { line, .. } | Self::MoveBorder { line, .. } => line,
            Self::Transfer { pieces: Pieces::At(points) | Pieces::Inside(points), .. } => points,
            Self::Carve { ring, .. } => ring,
            Self::MoveNode { to, .. } => std::slice::from_ref(to),
            _ => &[],
        }
    }

    /// The coverage after this edit; `coverage` stays as it is.
    ///
    /// # Errors
    ///
    /// What stands in the way, where, and what to do about it.
    pub fn apply(&self, coverage: &Coverage, rules: &Rules<'_>) -> Result<Edited, Refusal> {
        if let Some(p) = self.points().iter().find(|p| p.x.abs_diff(0) > 1_800_000_000 || p.y.abs_diff(0) > 900_000_000)
        {
            return Err(Refusal::new(Reason::OffGlobe, "a point is no place on the globe").at([*p]));
        }
        let rules = &Rules { fresh: rules.fresh.or_after(coverage), ..*rules };
        let desk = Desk { base: coverage, rules };
        match self {
            Self::Split { codes, line, keep, new } => split::split(&desk, codes, line, *keep, new),
            Self::Merge { codes, into, multipart } => merge::merge(&desk, codes, into, *multipart),
            Self::Reshape { code, line, several } => reshape::reshape(&desk, code, line, *several),
            Self::MoveNode { node, to } => move_node::move_node(&desk, *node, *to),
            Self::MoveBorder { at, line } => move_border::move_border(&desk, *at, line),
            Self::Transfer { to, pieces, multipart } => transfer::transfer(&desk, to, pieces, *multipart),
            Self::Share { shares, ends } => share::share(&desk, shares, ends),
            Self::Create { at, new } => create::create(&desk, *at, new),
            Self::Found { level, new } => found::found(&desk, level, new),
            Self::Retire { code, into } => retire::retire(&desk, code, into),
            Self::Carve { ring, new } => carve::carve(&desk, ring, new),
            Self::Rename { code, name } => rename::rename(&desk, code, name),
            Self::Recode { code, to } => recode::recode(&desk, code, to),
            Self::Reparent { code, parent } => reparent::reparent(&desk, code, parent),
            Self::Set { code, kind, attributes } => set::set(&desk, code, kind.as_ref(), attributes.as_ref()),
        }
    }
}

#[cfg(test)]
mod tests;
