//! Putting an area below another parent.
//!
//! ```text
//!      ┌────┬────╥────┐          ┌────╥────┬────┐
//!      │ a  │ b  ║ c  │    ─▶    │ a  ║ b  │ c  │     the borders of the levels above are
//!      └────┴────╨────┘          └────╨────┴────┘     read off the owners, so they follow
//! ```

use crate::area::Area;

use super::desk::Desk;
use super::refusal::{Reason, Refusal};
use super::{Code, Edited};

pub(super) fn reparent(desk: &Desk<'_>, code: &Code, parent: &Code) -> Result<Edited, Refusal> {
    let (area, above) = (desk.area(code)?, desk.area(parent)?);
    let level = |id| desk.base.area(id).map(|a| a.level);
    if level(above) >= level(area) {
        let message = format!("{parent} is not of a level above {code}");
        return Err(Refusal::new(Reason::WrongParent, message).at(desk.place_of(area)).of([area, above]));
    }
    desk.describe(code, |area| Area { parent: Some(above), ..area })
}
