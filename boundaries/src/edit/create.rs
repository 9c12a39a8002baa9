//! Making an area of land without a grid: the whole connected piece of land at a place.
//!
//! ```text
//!      ┌─────┬─────┐          ┌─────┬─────┐
//!      │ a   │land │          │ a   │ new │     land that only an area above the finest
//!      │     │  ×  │    ─▶    │     │     │     level owns, or a gap; part of it is carved
//!      └─────┴─────┘          └─────┴─────┘
//! ```

use crate::lattice::Point;
use crate::topology::FaceId;

use super::desk::{Desk, Roster};
use super::draft::Draft;
use super::refusal::{Reason, Refusal};
use super::{Deed, Edited, NewArea};

pub(super) fn create(desk: &Desk<'_>, at: Point, new: &NewArea) -> Result<Edited, Refusal> {
    let face = desk.face_at(at);
    if face == FaceId::OUTSIDE {
        let message = "the place lies outside all areas: choose one inside the outline";
        return Err(Refusal::new(Reason::OutsideOutline, message).at([at]));
    }
    let finest = desk.base.finest();
    let owner = desk.base.face(face).and_then(|f| f.owner);
    if let Some(area) = owner.filter(|o| desk.base.area(*o).is_some_and(|a| a.level == finest)) {
        let message = format!("the ground is {}'s: split or carve it", desk.code(area));
        return Err(Refusal::new(Reason::Owned, message).at([at]).of([area]));
    }
    if owner.is_none() && new.parent.is_none() && finest.0 > 0 {
        let message = "nobody owns the ground there: say which parent the new area has";
        return Err(Refusal::new(Reason::WrongParent, message).at([at]));
    }
    let mut draft = Draft::open(desk.base, [face]);
    let mut roster = Roster::default();
    let id = desk.create(&mut roster, new, (None, owner), finest)?;
    let cell = draft.cell_of(face);
    draft.cells[cell as usize].owner = Some(id);
    desk.finish(draft, roster, Deed::Split)
}
