//! Carving a new area out of others by a ring: a dedicated grid out of base grids.
//!
//! ```text
//!      ┌────┬────┐          ┌────┬────┐
//!      │ a ┌┼┄┐  │          │ a ┌┴─┐  │
//!      │   ┆│b┆  │    ─▶    │   │n │ b│     no base grid may be left without ground
//!      │   └┼┄┘  │          │   └┬─┘  │
//!      └────┴────┘          └────┴────┘
//! ```

use std::collections::BTreeMap;

use crate::area::AreaId;
use crate::lattice::Point;

use super::desk::{Desk, Roster};
use super::inside::cells_inside;
use super::refusal::{Reason, Refusal};
use super::transfer::draw_ring;
use super::{Deed, Edited, NewArea};

pub(super) fn carve(desk: &Desk<'_>, ring: &[Point], new: &NewArea) -> Result<Edited, Refusal> {
    let (mut draft, cut) = draw_ring(desk, ring)?;
    let cells = cells_inside(&draft, &cut.paths[0]);
    let mut shares: BTreeMap<Option<AreaId>, i128> = BTreeMap::new();
    for cell in &cells {
        let cell = &draft.cells[*cell as usize];
        *shares.entry(cell.owner).or_default() += cell.twice_area;
    }
    // It is like the area that gives most, the lowest of equals, and below the same parent.
    let most = shares.into_iter().rev().max_by_key(|s| s.1).and_then(|s| s.0);
    let Some(giver) = most else {
        let message = "nobody owns the ground inside the ring: create an area there";
        return Err(Refusal::new(Reason::OutsideOutline, message).at(ring.first().copied()));
    };
    let finest = desk.base.finest();
    let known = desk.base.area(giver).filter(|a| a.level == finest);
    let (from, parent) = known.map_or((None, Some(giver)), |a| (Some(giver), a.parent));
    let mut roster = Roster::default();
    let id = desk.create(&mut roster, new, (from, parent), finest)?;
    for cell in cells {
        draft.cells[cell as usize].owner = Some(id);
    }
    desk.finish(draft, roster, Deed::Transfer)
}
