//! Ending an area: its ground goes to another that touches it, of whatever parent, or
//! back to an area above it as land without a grid.
//!
//! ```text
//!      ┌────┬────┐          ┌─────────┐
//!      │ a  │into│    ─▶    │  into   │
//!      └────┴────┘          └─────────┘
//! ```

use super::desk::{Desk, Roster};
use super::draft::Draft;
use super::merge::check_touching;
use super::refusal::{Reason, Refusal};
use super::{Code, Deed, Edited};

pub(super) fn retire(desk: &Desk<'_>, code: &Code, into: &Code) -> Result<Edited, Refusal> {
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
