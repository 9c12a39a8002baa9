//! Merging areas into one of them.
//!
//! ```text
//!      ┌────┬────┐          ┌─────────┐
//!      │ a  │ b  │    ─▶    │    a    │     the border between them goes, and with it the
//!      └────┴────┘          └─────────┘     nodes that it alone made
//! ```

use rustc_hash::FxHashMap;

use crate::area::AreaId;
use crate::levels::Regions;

use super::desk::{Desk, Roster};
use super::draft::Draft;
use super::refusal::{Reason, Refusal};
use super::{Code, Deed, Edited};

pub(super) fn merge(desk: &Desk<'_>, codes: &[Code], into: &Code, multipart: bool) -> Result<Edited, Refusal> {
    let into = desk.leaf(into)?;
    let mut areas = desk.leaves(codes)?;
    areas.retain(|a| *a != into);
    if areas.is_empty() {
        let message = format!("there is nothing to merge into {}: name two areas", desk.code(into));
        return Err(Refusal::new(Reason::NoChange, message).at(desk.place_of(into)).of([into]));
    }
    let parent = |a: AreaId| desk.base.area(a).map(|a| (a.parent, a.level));
    let others: Vec<AreaId> = areas.iter().copied().filter(|a| parent(*a) != parent(into)).collect();
    if let Some(first) = others.first() {
        let message = format!("{} and {} have different parents: reparent first", desk.codes(&others), desk.code(into));
        return Err(Refusal::new(Reason::OtherParent, message).at(desk.place_of(*first)).of(others));
    }
    areas.push(into);
    let mut draft = Draft::open(desk.base, areas.iter().flat_map(|a| desk.base.faces_of(*a)).copied());
    if !multipart {
        check_touching(desk, &draft, &areas)?;
    }
    for cell in &mut draft.cells {
        if cell.owner.is_some_and(|o| areas.contains(&o)) {
            cell.owner = Some(into);
        }
    }
    areas.pop();
    desk.finish(draft, Roster { drop: areas, ..Roster::default() }, Deed::Merge)
}

/// Refuses areas that don't hang together. The last one is what the others must reach.
pub(super) fn check_touching(desk: &Desk<'_>, draft: &Draft<'_>, areas: &[AreaId]) -> Result<(), Refusal> {
    let number: FxHashMap<AreaId, u32> = areas.iter().copied().zip(0..).collect();
    let mut regions = Regions((0..areas.len() as u32).collect());
    for chain in &draft.chains {
        let [left, right] = chain.sides.map(|s| draft.cells[s as usize].owner.and_then(|o| number.get(&o)));
        if let (Some(left), Some(right)) = (left, right) {
            regions.join(*left, *right);
        }
    }
    let last = regions.find(areas.len().saturating_sub(1) as u32);
    let apart: Vec<AreaId> = areas.iter().copied().filter(|a| regions.find(number[a]) != last).collect();
    let Some(first) = apart.first() else { return Ok(()) };
    let message =
        format!("{} touches none of the others: merge what lies between, or ask for several parts", desk.codes(&apart));
    Err(Refusal::new(Reason::NotAdjacent, message).at(desk.place_of(*first)).of(apart))
}
