//! Giving an area another name. Nothing else is different.

use std::sync::Arc;

use crate::area::Area;

use super::desk::Desk;
use super::{Code, Edited};

pub(super) fn rename(desk: &Desk<'_>, code: &Code, name: &Arc<str>) -> Result<Edited, super::Refusal> {
    desk.describe(code, |area| Area { name: name.clone(), ..area })
}
