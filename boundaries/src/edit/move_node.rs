//! Moving a node, or a vertex between nodes, with the borders that meet there.
//!
//! ```text
//!         │                  │
//!      ───●        ─▶      ──┼──●     the borders stay straight to the vertices next to it;
//!          ╲                    ╲     they may not pass over anything on the way
//! ```

use crate::change::Changes;
use crate::coverage::BorderRecord;
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::topology::{BorderId, HalfEdge};

use super::desk::Desk;
use super::refusal::{Reason, Refusal};
use super::{Deed, Edited};

pub(super) fn move_node(desk: &Desk<'_>, node: Point, to: Point) -> Result<Edited, Refusal> {
    let borders = borders_near(desk, node)?;
    let Some(from) = vertex_near(desk, &borders, node) else {
        let message = "no node or vertex of a border is there: point at one";
        return Err(Refusal::new(Reason::UnknownNode, message).at([node]));
    };
    if from == to {
        return Err(Refusal::new(Reason::NoChange, "the node is there already").at([to]));
    }
    let mut records = Vec::new();
    for id in borders {
        let Some(b) = desk.base.border(id).filter(|b| b.line.contains(&from)) else { continue };
        let line = b.line.iter().map(|p| if *p == from { to } else { *p }).collect();
        records.push(BorderRecord { id, left: b.left, right: b.right, line });
    }
    desk.move_lines(Changes { put_borders: records, ..Changes::default() }, Deed::Correction)
}

/// The borders of faces near a place.
pub(super) fn borders_near(desk: &Desk<'_>, place: Point) -> Result<Vec<BorderId>, Refusal> {
    let faces = desk.faces_near(&[Bounds::of([place])])?;
    let around = faces.into_iter().flat_map(|f| desk.base.rings(f)).flat_map(|r| desk.base.ring(r));
    let mut borders: Vec<BorderId> = around.map(HalfEdge::border).collect();
    borders.sort_unstable();
    borders.dedup();
    Ok(borders)
}

/// The nearest node within the tolerance, else the nearest vertex.
fn vertex_near(desk: &Desk<'_>, borders: &[BorderId], place: Point) -> Option<Point> {
    let frame = Frame::at(place.y);
    let most_2 = desk.rules.tolerance_m.max(0.0).powi(2);
    let lines = borders.iter().filter_map(|id| desk.base.border(*id)).map(|b| &b.line);
    let vertices = lines.flat_map(|l| l.iter().enumerate().map(|(i, p)| (i > 0 && i + 1 < l.len(), *p)));
    vertices
        .map(|(is_inner, p)| (is_inner, frame.distance_2(place, p), p))
        .filter(|v| v.1 <= most_2)
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)))
        .map(|v| v.2)
}
