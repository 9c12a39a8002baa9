//! Giving ground to an area: whole pieces, or what lies inside a ring.
//!
//! ```text
//!      ┌─────┬───────┐          ┌─────┬───────┐
//!      │ to  │┄┄┐    │          │     └──┐    │
//!      │     │▓▓┆ a  │    ─▶    │ to   ▓▓│ a  │     the border goes round the building
//!      │     │┄┄┘    │          │     ┌──┘    │
//!      └─────┴───────┘          └─────┴───────┘
//! ```

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};
use crate::topology::FaceId;

use super::cut::Cut;
use super::desk::{Desk, Roster};
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
    let mut given: Vec<u32> = given.into_iter().filter(|c| draft.cells[*c as usize].owner != Some(to)).collect();
    let Some(&first) = given.first() else {
        let message = format!("that ground is {}'s already", desk.code(to));
        return Err(Refusal::new(Reason::NoChange, message).at(desk.place_of(to)).of([to]));
    };
    let place = draft.place(first);
    for &cell in &given {
        draft.cells[cell as usize].owner = Some(to);
    }
    if !multipart && !touches(&draft, &mut given) {
        let message =
            format!("the ground doesn't touch {}: take what lies between, or ask for several parts", desk.code(to));
        return Err(Refusal::new(Reason::NotAdjacent, message).at(place).of([to]));
    }
    desk.finish(draft, Roster::default(), Deed::Transfer)
}

/// The faces at some places, in a draft of their own.
fn whole<'a>(desk: &Desk<'a>, to: AreaId, places: &[Point]) -> Result<(Draft<'a>, Vec<u32>), Refusal> {
    if places.len() > drawn::MOST_VERTICES {
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
fn touches(draft: &Draft<'_>, given: &mut Vec<u32>) -> bool {
    loop {
        let before = given.len();
        let reached: Vec<u32> = draft
            .chains
            .iter()
            .flat_map(|c| [(c.sides[0], c.sides[1]), (c.sides[1], c.sides[0])])
            .filter(|(one, other)| {
                let [one_is, other_is] = [one, other].map(|c| draft.cells[*c as usize].owner);
                one_is == other_is && given.contains(one) && !given.contains(other)
            })
            .map(|s| s.0)
            .collect();
        given.retain(|c| !reached.contains(c));
        if given.is_empty() || given.len() == before {
            return given.is_empty();
        }
    }
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
