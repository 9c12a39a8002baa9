//! Making an area of a level above the finest: it has no ground until others are put
//! below it.

use crate::area::Level;

use super::desk::{Desk, Roster};
use super::refusal::{Reason, Refusal};
use super::{Deed, Edited, NewArea};
use crate::change::Changes;

pub(super) fn found(desk: &Desk<'_>, level: &str, new: &NewArea) -> Result<Edited, Refusal> {
    let known = desk.base.level(level).filter(|l| *l < desk.base.finest());
    let Some(level) = known else {
        let above: Vec<&str> = desk.base.levels().iter().rev().skip(1).rev().map(|l| &**l).collect();
        let message = format!("no level above the finest is called {level}; there are {}", above.join(", "));
        return Err(Refusal::new(Reason::WrongParent, message));
    };
    if level > Level(0) && new.parent.is_none() {
        return Err(Refusal::new(Reason::WrongParent, "say which parent the new area has"));
    }
    let mut roster = Roster::default();
    desk.create(&mut roster, new, (None, None), level)?;
    let (next, changes, free) = desk.build(Changes::default(), &roster, desk.rules.fresh.ids)?;
    Ok(desk.edited(next, changes, free, &roster, Deed::Description, Vec::new()))
}
