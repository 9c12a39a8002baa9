//! What of all that happens somebody wants to be told.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::snapshot::Snapshot;
use crate::steps::Steps;
use crate::store::{EventLink, EventOwner, Happened, What};

/// A kind of thing that happens to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was filed.
    Filed,
    /// Somebody got it in hand.
    Assigned,
    /// It went a step on, and neither of the others.
    Stepped,
    /// Nobody has anything to do with it any more.
    Closed,
    /// Its pin was moved.
    Placed,
    /// A dispute was settled.
    Owned,
    /// Its ground was given to another by new boundaries.
    Redrawn,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Filed, Self::Assigned, Self::Stepped, Self::Closed, Self::Placed, Self::Owned, Self::Redrawn];

    /// What kind of thing happened.
    #[must_use]
    pub fn of(happened: &Happened, way: &Steps) -> Self {
        match happened.what {
            What::Filed => Self::Filed,
            What::Step(_) => match happened.step() {
                Some(step) if way.ends(&step.to) => Self::Closed,
                Some(step) if step.worker.is_some() => Self::Assigned,
                _ => Self::Stepped,
            },
            What::Ruling(_) => match happened.ruling().map(|ruling| &*ruling.kind) {
                Some("place") => Self::Placed,
                Some("redraw") => Self::Redrawn,
                _ => Self::Owned,
            },
        }
    }

    /// What a message of it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filed => "event.filed",
            Self::Assigned => "event.assigned",
            Self::Stepped => "event.stepped",
            Self::Closed => "event.closed",
            Self::Placed => "event.placed",
            Self::Owned => "event.owned",
            Self::Redrawn => "event.redrawn",
        }
    }
}

fn names(chain: &[EventLink], code: &str) -> bool {
    chain.iter().any(|link| &*link.code == code)
}

/// Whose events somebody wants to be told of, and what of them.
#[derive(Clone, Debug)]
pub struct Interest {
    /// The code of an area: events that it, or one below it, owns.
    pub area: Option<String>,
    /// The coverage that it is a code of.
    pub coverage: String,
    /// What of all that happens.
    pub kinds: BTreeSet<Kind>,
    /// Of events that are filed only those that happened so shortly before.
    pub filed_within: Option<SignedDuration>,
}

impl Interest {
    /// Whether something of a kind that happened is to be told: to who owns the event now, and
    /// to who lost or got it with this.
    #[must_use]
    pub fn wants(&self, kind: Kind, happened: &Happened, present: &Snapshot) -> bool {
        if !self.kinds.contains(&kind) {
            return false;
        }
        let age = happened.recorded.duration_since(happened.event.time);
        if kind == Kind::Filed && self.filed_within.is_some_and(|most| age > most) {
            return false;
        }
        let ruling = happened.ruling();
        if ruling.and_then(|r| r.coverage.as_deref()).is_some_and(|coverage| coverage != self.coverage) {
            return false;
        }
        let Some(area) = self.area.as_deref() else { return true };
        let owner = happened.event.owners.iter().find(|owner| *owner.coverage == *self.coverage);
        if owner.is_some_and(|owner| names(owner.chain(), area)) {
            return true;
        }
        let Some(ruling) = ruling else { return false };
        // It may have gone on since to somebody else.
        let codes = [ruling.from.as_deref(), ruling.to.as_deref()];
        codes.into_iter().flatten().any(|code| {
            code == area
                || owner.is_some_and(|owner| was_filed_there(owner, code, area))
                || self.is_above(code, present)
        })
    }

    /// Whether the area is one above another, as the ground is now.
    fn is_above(&self, code: &str, present: &Snapshot) -> bool {
        let Some(coverage) = present.coverage(&self.coverage).map(|view| &view.coverage) else { return false };
        let chain = coverage.area_by_code(code).map(|id| coverage.chain(id)).unwrap_or_default();
        chain.iter().any(|id| coverage.area(*id).map(|link| &*link.code) == self.area.as_deref())
    }
}

/// Whether a code is that of the owner that the event was filed under, below the area: that one
/// may be gone from the ground of now.
fn was_filed_there(owner: &EventOwner, code: &str, area: &str) -> bool {
    owner.filed.last().is_some_and(|link| &*link.code == code) && names(&owner.filed, area)
}
