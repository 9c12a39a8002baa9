//! Giving ground to an area: whole pieces, or what lies inside a ring.
//!
//! ```text
//!      ┌─────┬───────┐          ┌─────┬───────┐
//!      │ to  │┄┄┐    │          │     └──┐    │
//!      │     │▓▓┆ a  │    ─▶    │ to   ▓▓│ a  │     the border goes round the building
//!      │     │┄┄┘    │          │     ┌──┘    │
//!      └─────┴───────┘          └─────┴───────┘
//! ```

use rustc_hash::FxHashSet;

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};
use crate::levels::Regions;
use crate::topology::FaceId;

use super::cut::Cut;
use super::desk::{Desk, MOST_AREAS, Roster};
use super::draft::Draft;
use super::inside::cells_inside;
use super::refusal::{Reason, Refusal};
use super::{Code, Deed, Edited, Pieces, drawn};

pub(super) fn transfer(desk: &Desk<'_>, to: &Code, pieces: &Pieces, multipart: bool) -> Result<Edited, Refusal> {
    let to = desk.leaf(to)?;
    let (mut draft, given) = match pieces {
        Pieces::At(places) => whole(desk, to, places)?,
        Pieces::Inside(ring) => {
            let (draft, cut) = draw_ring(desk, ring)?;
            let inside = cells_inside(&draft, &cut.paths[0]);
            (draft, inside)
        }
    };
    let given: Vec<u32> = given.into_iter().filter(|c| draft.cells[*c as usize].owner != Some(to)).collect();
    let Some(&first) = given.first() else {
        let message = format!("that ground is {}'s already", desk.code(to));
        return Err(Refusal::new(Reason::NoChange, message).at(desk.place_of(to)).of([to]));
    };
    let place = draft.place(first);
    for &cell in &given {
        draft.cells[cell as usize].owner = Some(to);
    }
    if !multipart && !touches(&draft, &given) {
        let message =
            format!("the ground doesn't touch {}: take what lies between, or ask for several parts", desk.code(to));
        return Err(Refusal::new(Reason::NotAdjacent, message).at(place).of([to]));
    }
    desk.finish(draft, Roster::default(), Deed::Transfer)
}

/// The faces at some places, in a draft of their own.
fn whole<'a>(desk: &Desk<'a>, to: AreaId, places: &[Point]) -> Result<(Draft<'a>, Vec<u32>), Refusal> {
    if places.len() > MOST_AREAS {
        return Err(Refusal::new(Reason::Limit, "too many pieces for one edit: transfer them in parts").of([to]));
    }
    let mut faces: Vec<FaceId> = Vec::with_capacity(places.len());
    for &place in places {
        let face = desk.face_at(place);
        if desk.base.face(face).and_then(|f| f.owner).is_none() {
            return Err(
                Refusal::new(Reason::OutsideOutline, "nobody owns the ground there: create an area").at([place])
            );
        }
        faces.push(face);
    }
    faces.sort_unstable();
    faces.dedup();
    let mut draft = Draft::open(desk.base, faces.iter().copied());
    let cells = faces.into_iter().map(|f| draft.cell_of(f)).collect();
    Ok((draft, cells))
}

/// Whether each piece of given ground touches, or reaches over other given ground, what its
/// new owner had.
fn touches(draft: &Draft<'_>, given: &[u32]) -> bool {
    let mut regions = Regions((0..draft.cells.len() as u32).collect());
    let owner = |cell: u32| draft.cells[cell as usize].owner;
    for [left, right] in draft.chains.iter().map(|c| c.sides).filter(|s| owner(s[0]) == owner(s[1])) {
        regions.join(left, right);
    }
    let to = given.first().and_then(|c| owner(*c));
    let given: FxHashSet<u32> = given.iter().copied().collect();
    let had = draft.live_cells().into_iter().filter(|c| owner(*c) == to && !given.contains(c));
    let reached: FxHashSet<u32> = had.map(|c| regions.find(c)).collect();
    given.iter().all(|c| reached.contains(&regions.find(*c)))
}

/// A draft with a ring drawn into all faces that it comes near, none of it outside them.
pub(super) fn draw_ring<'a>(desk: &Desk<'a>, ring: &[Point]) -> Result<(Draft<'a>, Cut), Refusal> {
    let ring = drawn::ring(ring)?;
    let mut draft = Draft::open(desk.base, desk.faces_near(&[Bounds::of(ring.iter().copied())])?);
    let ring = desk.snapped(&draft, &ring)?;
    let cut = draft.cut(&[ring])?;
    if !cut.elsewhere.is_empty() {
        let message = "the ring reaches over the outline: draw it inside the areas";
        return Err(Refusal::new(Reason::OutsideOutline, message).at(cut.elsewhere));
    }
    Ok((draft, cut))
}
