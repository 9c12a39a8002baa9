//! Areas: the administrative units that own ground.

use std::sync::Arc;

/// The rank of an area: 0 is the topmost level of its coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(pub u8);

/// An area within one coverage. Ids survive edits and are not given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AreaId(pub u32);

/// An administrative unit. Its ground is not kept here: faces name their owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// Unique in its coverage, over all levels.
    pub code: Arc<str>,
    /// What people call it; may be empty.
    pub name: Arc<str>,
    /// Its rank.
    pub level: Level,
    /// The area above it, of a lesser level; `None` at the top.
    pub parent: Option<AreaId>,
    /// Base, dedicated, ... in the city's own words; may be empty.
    pub kind: Arc<str>,
    /// What else is known of it: a JSON object's text, opaque to this crate.
    pub attributes: Arc<str>,
}
