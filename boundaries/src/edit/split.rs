//! Splitting areas along a line.
//!
//! ```text
//!        line ╎                        │
//!      ┌──────╎──────┐          ┌──────●──────┐
//!      │  a   ╎      │    ─▶    │  a   │ new  │     what the line crosses beyond the named
//!      └──────╎──────┘          └──────●──────┘     areas stays as it is
//!             ╎
//! ```

use crate::area::AreaId;
use crate::lattice::Point;

use super::cut::Cut;
use super::desk::{Desk, Roster};
use super::draft::Draft;
use super::refusal::{Reason, Refusal};
use super::{Code, Deed, Edited, Keep, NewArea, drawn};

pub(super) fn split(
    desk: &Desk<'_>,
    codes: &[Code],
    line: &[Point],
    keep: Keep,
    new: &NewArea,
) -> Result<Edited, Refusal> {
    let areas = desk.leaves(codes)?;
    let line = drawn::line(line)?;
    let mut draft = Draft::open(desk.base, areas.iter().flat_map(|a| desk.base.faces_of(*a)).copied());
    let line = desk.snapped(&draft, &line)?;
    let cut = draft.cut(std::slice::from_ref(&line))?;
    let missed: Vec<AreaId> = areas.iter().copied().filter(|a| pieces_of(&draft, *a).len() < 2).collect();
    if !missed.is_empty() || areas.is_empty() {
        let message = format!("the line doesn't cut {}: draw it across, from border to border", desk.codes(&missed));
        return Err(Refusal::new(Reason::LineMisses, message).at([line[line.len() / 2]]).of(missed));
    }
    let mut roster = Roster::default();
    let bounds = draft.bounds();
    for area in areas {
        let mut pieces = pieces_of(&draft, area);
        pieces.sort_by_key(|c| bounds[*c as usize].min);
        let kept = kept(&draft, &cut, &pieces, keep);
        let Some(old) = desk.base.area(area) else { continue };
        for piece in pieces.into_iter().filter(|p| Some(*p) != kept) {
            let id = desk.create(&mut roster, new, (Some(area), old.parent), old.level)?;
            draft.cells[piece as usize].owner = Some(id);
        }
    }
    desk.finish(draft, roster, Deed::Split)
}

/// The pieces that an area's faces were cut into.
fn pieces_of(draft: &Draft<'_>, area: AreaId) -> Vec<u32> {
    let of = |c: &u32| draft.cells[*c as usize].is_piece && draft.cells[*c as usize].was == Some(area);
    draft.live_cells().into_iter().filter(of).collect()
}

/// The piece that keeps the code.
fn kept(draft: &Draft<'_>, cut: &Cut, pieces: &[u32], keep: Keep) -> Option<u32> {
    let beside = |side: usize| {
        let sides: Vec<u32> = draft.chains[cut.first..].iter().map(|c| c.sides[side]).collect();
        pieces.iter().copied().filter(|p| sides.contains(p)).collect::<Vec<u32>>()
    };
    let among = match keep {
        Keep::Largest => pieces.to_vec(),
        Keep::Left => beside(0),
        Keep::Right => beside(1),
    };
    let among = if among.is_empty() { pieces.to_vec() } else { among };
    // Of equals the first.
    among.into_iter().rev().max_by_key(|c| draft.cells[*c as usize].twice_area)
}
