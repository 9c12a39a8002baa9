//! Giving a border another line between its nodes.
//!
//! ```text
//!      ●────────●          ●        ●
//!                    ─▶     ╲      ╱       the nodes stay where they are
//!                            ●────●
//! ```

use crate::change::Changes;
use crate::coverage::BorderRecord;
use crate::lattice::Point;
use crate::metres::Frame;
use crate::topology::BorderId;

use super::desk::Desk;
use super::move_node::borders_near;
use super::refusal::{Reason, Refusal};
use super::{Deed, Edited, drawn};

pub(super) fn move_border(desk: &Desk<'_>, at: Point, line: &[Point]) -> Result<Edited, Refusal> {
    let unknown = || Refusal::new(Reason::UnknownBorder, "no border is there: point at one").at([at]);
    let id = border_near(desk, at)?.ok_or_else(unknown)?;
    let border = desk.base.border(id).ok_or_else(unknown)?;
    let old = &border.line;
    let ends = [old[0], old[old.len() - 1]];
    let is_closed = ends[0] == ends[1];
    let mut line = if is_closed { drawn::ring(line)? } else { drawn::line(line)? };
    let frame = Frame::at(ends[0].y);
    let near = |p: Point, q: Point| frame.distance_m(p, q) <= desk.rules.tolerance_m;
    let last = line.len() - 1;
    if is_closed {
        // The ring begins at the old seat where it goes through it; its direction is the old one's.
        if crate::build::twice_area_along(old, ends[0]) < 0 {
            line.reverse();
        }
        line.pop();
        match line.iter().position(|p| near(*p, ends[0])) {
            Some(i) => line.rotate_left(i),
            None if desk.base.next(crate::HalfEdge::new(id, true)) == Some(crate::HalfEdge::new(id, true)) => {
                let seat = (0..line.len()).min_by_key(|i| line[*i]).unwrap_or(0);
                line.rotate_left(seat);
            }
            None => return Err(apart(ends[0])),
        }
        line.push(line[0]);
        if line[0] != ends[0] && near(line[0], ends[0]) {
            let last = line.len() - 1;
            (line[0], line[last]) = (ends[0], ends[0]);
        }
    } else {
        if near(line[0], ends[1]) && near(line[last], ends[0]) && !(near(line[0], ends[0]) && near(line[last], ends[1]))
        {
            line.reverse();
        }
        for (drawn, end) in [(line[0], ends[0]), (line[last], ends[1])] {
            if !near(drawn, end) {
                return Err(apart(end));
            }
        }
        (line[0], line[last]) = (ends[0], ends[1]);
    }
    line.dedup();
    if line[..] == old[..] || line.len() < 2 {
        return Err(Refusal::new(Reason::NoChange, "the border runs there already").at([at]));
    }
    let record = BorderRecord { id, left: border.left, right: border.right, line: line.into() };
    desk.move_lines(Changes { put_borders: vec![record], ..Changes::default() }, Deed::Correction)
}

fn apart(end: Point) -> Refusal {
    let message = "the line must begin and end at the nodes of the border: move a node by itself";
    Refusal::new(Reason::LineMisses, message).at([end])
}

/// The border nearest to a place, within the tolerance.
fn border_near(desk: &Desk<'_>, place: Point) -> Result<Option<BorderId>, Refusal> {
    let frame = Frame::at(place.y);
    let most_2 = desk.rules.tolerance_m.max(0.0).powi(2);
    let far_2 = |id: &BorderId| {
        let line = desk.base.border(*id).map_or(&[][..], |b| &b.line);
        line.windows(2).map(|w| frame.distance_to_segment_2(place, w[0], w[1])).fold(f64::INFINITY, f64::min)
    };
    let near = borders_near(desk, place)?.into_iter().map(|id| (far_2(&id), id)).filter(|n| n.0 <= most_2);
    Ok(near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))).map(|n| n.1))
}
