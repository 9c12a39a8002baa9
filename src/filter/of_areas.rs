//! A filter of areas: by `code`, `name`, `kind`, `level` (its name) and the `parent`'s code.

use boundaries::{AreaId, Coverage};

use super::error::FilterError;
use super::expr::Expr;
use super::predicate::{Given, Holds, Predicate};

/// What can be asked of an area.
const PROPERTIES: [(&str, Holds); 5] = [
    ("code", Holds::Text),
    ("name", Holds::Text),
    ("kind", Holds::Text),
    ("level", Holds::Text),
    ("parent", Holds::Text),
];

/// A filter over the areas of any coverage.
#[derive(Clone, Debug)]
pub struct AreaFilter(Predicate);

impl AreaFilter {
    /// Makes a filter ready.
    ///
    /// # Errors
    ///
    /// As [`Predicate::new`].
    pub fn new(expr: &Expr) -> Result<Self, FilterError> {
        Predicate::new(expr, &PROPERTIES).map(Self)
    }

    /// Whether an area is let through.
    #[must_use]
    pub fn passes(&self, coverage: &Coverage, id: AreaId) -> bool {
        let Some(area) = coverage.area(id) else { return false };
        // Areas number no texts.
        let text = |text| Given::Text(u32::MAX, text);
        self.0.passes(|property| match property {
            0 => text(&area.code),
            1 => text(&area.name),
            2 => text(&area.kind),
            3 => coverage.levels().get(usize::from(area.level.0)).map_or(Given::Absent, |level| text(level)),
            _ => area.parent.and_then(|id| coverage.area(id)).map_or(Given::Absent, |parent| text(&parent.code)),
        })
    }
}
