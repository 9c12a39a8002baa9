//! Giving an area another code, one that no area has or ever had.

use crate::area::Area;

use super::desk::Desk;
use super::refusal::{Reason, Refusal};
use super::{Code, Edited};

pub(super) fn recode(desk: &Desk<'_>, code: &Code, to: &Code) -> Result<Edited, Refusal> {
    if to.is_empty() {
        return Err(Refusal::new(Reason::NoCode, format!("{code} needs a code: give one")));
    }
    if code != to {
        desk.check_code(to)?;
    }
    desk.describe(code, |area| Area { code: to.clone(), ..area })
}
