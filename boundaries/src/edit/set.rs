//! Changing what else is known of an area: its kind, its attributes.

use std::sync::Arc;

use crate::area::Area;

use super::desk::Desk;
use super::{Code, Edited, Refusal};

pub(super) fn set(
    desk: &Desk<'_>,
    code: &Code,
    kind: Option<&Arc<str>>,
    attributes: Option<&Arc<str>>,
) -> Result<Edited, Refusal> {
    desk.describe(code, |area| Area {
        kind: kind.cloned().unwrap_or(area.kind),
        attributes: attributes.cloned().unwrap_or(area.attributes),
        ..area
    })
}
