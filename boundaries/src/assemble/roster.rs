//! Before the first step: whether the areas themselves hang together.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::area::{Area, AreaId};
use crate::finding::{Finding, FindingKind};

/// The areas by id.
pub(super) fn table(areas: &[(AreaId, Area)]) -> Vec<Option<&Area>> {
    let slots = areas.iter().map(|(id, _)| id.0 as usize + 1).max().unwrap_or(0);
    let mut table = vec![None; slots];
    for (id, area) in areas {
        table[id.0 as usize] = Some(area);
    }
    table
}

/// All codes given twice and all parents that are missing or not above their child.
pub(super) fn check(levels: &[Arc<str>], areas: &[(AreaId, Area)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let table = table(areas);
    let mut by_code: FxHashMap<&str, AreaId> = FxHashMap::default();
    for (id, area) in areas {
        if let Some(first) = by_code.insert(&area.code, *id) {
            let note = format!("the code {} is given to more than one area", area.code);
            findings.push(Finding::new(FindingKind::DuplicateCode, true, vec![first, *id], note));
        }
        if usize::from(area.level.0) >= levels.len() {
            let note = format!("{} is of a level that is not listed", area.code);
            findings.push(Finding::new(FindingKind::MissingParent, true, vec![*id], note));
        }
        let Some(parent) = area.parent else { continue };
        match table.get(parent.0 as usize).copied().flatten() {
            Some(above) if above.level < area.level => {}
            Some(above) => {
                let note = format!("{} belongs to {}, which is not above it", area.code, above.code);
                findings.push(Finding::new(FindingKind::MissingParent, true, vec![*id, parent], note));
            }
            None => {
                let note = format!("{} belongs to an area that is not there", area.code);
                findings.push(Finding::new(FindingKind::MissingParent, true, vec![*id], note));
            }
        }
    }
    findings
}
