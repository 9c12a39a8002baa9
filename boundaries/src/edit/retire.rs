//! Ending an area: its ground goes to another that touches it, of whatever parent, or
//! back to an area above it as land without a grid.
//!
//! ```text
//!      ┌────┬────┐          ┌─────────┐
//!      │ a  │into│    ─▶    │  into   │
//!      └────┴────┘          └─────────┘
//! ```

use crate::area::AreaId;
use crate::change::Changes;

use super::desk::{Desk, Roster};
use super::draft::Draft;
use super::merge::check_touching;
use super::refusal::{Reason, Refusal};
use super::{Code, Deed, Edited};

pub(super) fn retire(desk: &Desk<'_>, code: &Code, into: &Code) -> Result<Edited, Refusal> {
    let area = desk.area(code)?;
    if desk.base.children(area).is_empty() && desk.base.faces_of(area).is_empty() {
        desk.area(into)?;
        return without_ground(desk, area);
    }
    let area = desk.leaf(code)?;
    let is_above = desk.base.area_by_code(into).is_some_and(|i| i != area && desk.base.chain(area).contains(&i));
    let into = if is_above { desk.area(into)? } else { desk.leaf(into)? };
    if into == area {
        let message = format!("{code} can't be retired into itself: name another area");
        return Err(Refusal::new(Reason::NoChange, message).at(desk.place_of(area)).of([area]));
    }
    let mut draft = Draft::open(desk.base, desk.base.faces_of(area).iter().copied());
    if !is_above {
        check_touching(desk, &draft, &[area, into])?;
    }
    for cell in draft.cells.iter_mut().filter(|c| c.owner == Some(area)) {
        cell.owner = Some(into);
    }
    desk.finish(draft, Roster { drop: vec![area], ..Roster::default() }, Deed::Merge)
}

/// Ends an area that owns nothing and has nothing below it.
fn without_ground(desk: &Desk<'_>, area: AreaId) -> Result<Edited, Refusal> {
    let roster = Roster { drop: vec![area], ..Roster::default() };
    let (next, changes, free) = desk.build(Changes::default(), &roster, desk.rules.fresh.ids)?;
    Ok(desk.edited(next, changes, free, &roster, Deed::Description, Vec::new()))
}
