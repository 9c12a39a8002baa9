//! Numbering new areas as people read a map: west to east, north to south.
//!
//! ```text
//!     ┌───┬───┬───┐      a row begins with the northernmost area that is left and holds
//!     │ 1 │ 2 │ 3 │      all whose middle lies within its height; rows go from north to
//!     ├───┴─┬─┴───┤      south, and in each row numbers from west to east
//!     │  4  │  5  │
//!     └─────┴─────┘
//! ```
//!
//! Invariant: only areas that were never published get other codes, only such as were
//! never used, and only where the layout gave the ones that they have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boundaries::edit::{Deed, Edited, Fresh};
use boundaries::{Area, AreaId, Bounds, Changes, Coverage};
use serde::{Deserialize, Serialize};

use super::codes::CodeBook;
use super::draft::Refused;

/// In which order new areas get their codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbering {
    /// Row by row from north to south, in each from west to east.
    #[default]
    WestEast,
}

/// An area's code and the one that it gets.
pub(super) type Recoded = (Arc<str>, Arc<str>);

/// Areas in the order in which people read them.
fn as_read(coverage: &Coverage, ids: &[AreaId]) -> Vec<AreaId> {
    let bounds = |id: AreaId| {
        let faces = coverage.ground(id).into_iter().filter_map(|f| coverage.face(f));
        faces.map(|f| f.bounds).fold(Bounds::EMPTY, Bounds::union)
    };
    let middle = |low: i32, high: i32| (i64::from(low) + i64::from(high)) / 2;
    let mut left: Vec<(AreaId, Bounds)> = ids.iter().map(|id| (*id, bounds(*id))).collect();
    // By middles from the south, so that the northernmost is last; then by id.
    left.sort_by_key(|(id, b)| (middle(b.min.y, b.max.y), std::cmp::Reverse(*id)));
    let mut order = Vec::with_capacity(left.len());
    while let Some((_, first)) = left.last().copied() {
        let (mut row, rest): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|(_, b)| middle(b.min.y, b.max.y) >= i64::from(first.min.y));
        row.sort_by_key(|(id, b)| (middle(b.min.x, b.max.x), *id));
        order.extend(row.into_iter().map(|(id, _)| id));
        left = rest;
    }
    order
}

/// The codes that areas get when they are numbered anew, with those that keep theirs left
/// out; `None` where the layout has no more.
pub(super) fn numbered(book: &CodeBook, coverage: &Coverage, ids: &[AreaId]) -> Option<Vec<(AreaId, Arc<str>)>> {
    let mut groups: BTreeMap<String, Vec<AreaId>> = BTreeMap::new();
    for id in ids {
        if let Some(stem) = book.stem(coverage, *id) {
            groups.entry(stem).or_default().push(*id);
        }
    }
    let mut codes = Vec::new();
    for (stem, group) in groups {
        let held = |code: &str| coverage.area_by_code(code).is_some_and(|id| !group.contains(&id));
        let mut free = book.codes(&stem).filter(|code| book.is_new(code) && !held(code));
        for id in as_read(coverage, &group) {
            codes.push((id, free.next()?.into()));
        }
    }
    Some(codes)
}

/// Numbers the areas that a plan made: all of them, or those of some codes. Where they
/// were numbered before, they get the codes that they were `given`.
pub(super) fn renumber(
    (base, before): (&Coverage, &Coverage),
    codes: Option<&[Arc<str>]>,
    given: &[Recoded],
    book: &CodeBook,
    locked: &BTreeSet<AreaId>,
    fresh: Fresh,
) -> Result<Edited, Refused> {
    let find = |code: &Arc<str>| {
        let unknown = || Refused::new("unknown_area", format!("no area has the code {code}"));
        let id = before.area_by_code(code).ok_or_else(unknown)?;
        if base.area(id).is_some() {
            let message = format!("{code} is published: only areas that the plan made are numbered anew");
            return Err(Refused { areas: vec![code.clone()], ..Refused::new("published_area", message) });
        }
        Ok(id)
    };
    let mut all: Vec<(AreaId, Arc<str>)> = if given.is_empty() {
        let ids: Vec<AreaId> = match codes {
            Some(codes) => codes.iter().map(find).collect::<Result<_, _>>()?,
            None => before.areas().map(|(id, _)| id).filter(|id| base.area(*id).is_none()).collect(),
        };
        numbered(book, before, &ids).ok_or_else(|| Refused::new("no_code", "the layout has no codes left"))?
    } else {
        given.iter().map(|(old, new)| Ok((find(old)?, new.clone()))).collect::<Result<_, Refused>>()?
    };
    let renumbered: BTreeSet<AreaId> = all.iter().map(|(id, _)| *id).collect();
    for (id, code) in &all {
        if before.area_by_code(code).is_some_and(|other| !renumbered.contains(&other)) || book.is_taken(code) {
            let message = format!("the code {code} is in use, or was");
            return Err(Refused { areas: vec![code.clone()], ..Refused::new("used_code", message) });
        }
        if before.chain(*id).iter().any(|id| locked.contains(id)) {
            return Err(Refused::new("locked", format!("the area that would get the code {code} is locked")));
        }
    }
    all.retain(|(id, code)| before.area(*id).is_some_and(|a| a.code != *code));
    if all.is_empty() {
        return Err(Refused::new("nothing_new", "the areas that the plan made are numbered in this order already"));
    }
    let area =
        |(id, code): &(AreaId, Arc<str>)| Some((*id, Area { code: code.clone(), ..Area::clone(before.area(*id)?) }));
    let changes = Changes { put_areas: all.iter().filter_map(area).collect(), ..Changes::default() };
    let coverage = before.with_changes(changes.clone()).map_err(|e| Refused::new("used_code", e.reason))?;
    let mut touched: Vec<AreaId> = all.iter().map(|(id, _)| *id).collect();
    touched.sort_unstable();
    let (created, removed, handovers) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Edited { coverage, deed: Deed::Description, created, removed, touched, handovers, changes, fresh })
}
