//! Redrawing a border of an area by a line with both ends on its outline.
//!
//! ```text
//!      ┌──────┬──────┐          ┌──────┬──────┐
//!      │      │┄┄┐   │          │      └──┐   │     what the line cuts off outside comes
//!      │  a   ●  ┆ b │    ─▶    │  a      │ b │     to the area; what it cuts off inside
//!      │   ┌┄┄●┄┄┘   │          │   ┌─────┘   │     goes to the neighbour there
//!      │   └┄┄┤      │          │   └──┐      │
//!      └──────┴──────┘          └──────┴──────┘
//! ```
//!
//! Of each face that is cut, the largest piece stays with its owner.

use crate::area::AreaId;
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::topology::FaceId;

use super::desk::{Desk, Roster};
use super::draft::Draft;
use super::refusal::{Reason, Refusal};
use super::{Code, Deed, Edited, drawn};

pub(super) fn reshape(desk: &Desk<'_>, code: &Code, line: &[Point], several: bool) -> Result<Edited, Refusal> {
    let area = desk.leaf(code)?;
    let line = drawn::line(line)?;
    let own = desk.base.faces_of(area);
    // The outside is ground as well: the outline may be redrawn where the mandate allows.
    let boxes: Vec<Bounds> = line.windows(2).map(|w| Bounds::of([w[0], w[1]])).collect();
    let mut faces = desk.faces_near(&boxes)?;
    faces.extend(own);
    let around = own.iter().flat_map(|f| desk.base.rings(*f)).flat_map(|r| desk.base.ring(r));
    let beyond = around.filter_map(|h| desk.base.face_left_of(h.twin()));
    faces.extend(beyond.filter(|f| *f == FaceId::OUTSIDE).take(1));
    let mut draft = Draft::open(desk.base, faces);
    let line = desk.snapped(&draft, &line)?;
    let first_new = draft.cells.len() as u32;
    let cut = draft.cut(&[line])?;
    let path = &cut.paths[0];
    let is_own = |c: &u32| draft.cells[*c as usize].was == Some(area);
    let on_outline =
        |p: &Point| draft.chains.iter().any(|c| c.line.contains(p) && c.of.is_some() && c.sides.iter().any(is_own));
    let ends = [path[0], path[path.len() - 1]];
    if let Some(end) = ends.into_iter().find(|p| !on_outline(p)) {
        let message = format!("the line must begin and end on the outline of {code}");
        return Err(Refusal::new(Reason::LineMisses, message).at([end]).of([area]));
    }
    let cut_off = cut_off(&draft, first_new);
    let mut concerned: Vec<Option<AreaId>> = Vec::new();
    let mut goes: Vec<(u32, Option<AreaId>)> = Vec::new();
    for &piece in &cut_off {
        let was = draft.cells[piece as usize].was;
        if was != Some(area) {
            concerned.push(was);
            goes.push((piece, Some(area)));
            continue;
        }
        let beside = neighbours(&draft, piece);
        concerned.extend(beside.iter().map(|b| b.0));
        goes.extend(beside.first().map(|b| (piece, b.0)));
    }
    concerned.sort_unstable();
    concerned.dedup();
    if goes.is_empty() {
        let message = format!("the line cuts nothing off: draw it away from the border of {code}");
        return Err(Refusal::new(Reason::NoChange, message).at([path[path.len() / 2]]).of([area]));
    }
    if concerned.len() > 1 && !several {
        let others: Vec<AreaId> = concerned.into_iter().flatten().collect();
        let message = format!(
            "more than one neighbour is concerned: {}. Draw one border at a time, or allow several",
            desk.codes(&others)
        );
        let places = goes.iter().filter_map(|g| draft.place(g.0)).collect::<Vec<_>>();
        return Err(Refusal::new(Reason::ThirdArea, message).at(places).of(others));
    }
    for (piece, owner) in goes {
        draft.cells[piece as usize].owner = owner;
    }
    desk.finish(draft, Roster::default(), Deed::Correction)
}

/// All pieces but the largest of each face that was cut.
fn cut_off(draft: &Draft<'_>, first_new: u32) -> Vec<u32> {
    let pieces: Vec<u32> = draft.live_cells().into_iter().filter(|c| *c >= first_new).collect();
    let cell = |c: &u32| &draft.cells[*c as usize];
    let is_largest = |p: &u32| {
        // What is left of the outside is larger than anything.
        let rivals = pieces.iter().filter(|o| cell(o).face == cell(p).face);
        cell(p).face != FaceId::OUTSIDE
            && rivals.max_by_key(|o| (cell(o).twice_area, std::cmp::Reverse(**o))) == Some(p)
    };
    pieces.iter().copied().filter(|p| !is_largest(p)).collect()
}

/// Who lies beyond the borders around a piece, the longest border first.
fn neighbours(draft: &Draft<'_>, piece: u32) -> Vec<(Option<AreaId>, f64)> {
    let mut found: Vec<(Option<AreaId>, f64)> = Vec::new();
    for chain in draft.chains.iter().filter(|c| c.of.is_some() && c.sides.contains(&piece)) {
        let [left, right] = chain.sides;
        let beyond = draft.cells[if left == piece { right } else { left } as usize].was;
        let length_m: f64 = chain.line.windows(2).map(|w| Frame::between(w[0], w[1]).distance_m(w[0], w[1])).sum();
        match found.iter_mut().find(|f| f.0 == beyond) {
            Some(known) => known.1 += length_m,
            None => found.push((beyond, length_m)),
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}
