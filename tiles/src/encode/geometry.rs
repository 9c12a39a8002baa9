//! Geometry commands (MVT 2.1, 4.3): move, line and close with zigzag differences.

use super::wire::{varint32, zigzag32};
use crate::shape::Shape;
use crate::space::TilePoint;

const MOVE_TO: u32 = 1;
const LINE_TO: u32 = 2;
const CLOSE_PATH: u32 = 7;

/// What the parts of a feature are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GeometryKind {
    /// Places.
    Point = 1,
    /// Lines.
    Line = 2,
    /// Ground.
    Polygon = 3,
}

/// Writes the commands of a shape, which has at least one part.
pub(super) fn write(out: &mut Vec<u8>, kind: GeometryKind, shape: &Shape) {
    let mut pen = Pen { out, at: TilePoint::new(0, 0) };
    match kind {
        GeometryKind::Point => {
            let points = shape.points();
            pen.command(MOVE_TO, points.len());
            points.iter().for_each(|p| pen.step(*p));
        }
        GeometryKind::Line => shape.parts().for_each(|line| pen.path(line)),
        GeometryKind::Polygon => {
            for ring in shape.parts() {
                pen.path(ring);
                pen.command(CLOSE_PATH, 1);
            }
        }
    }
}

struct Pen<'a> {
    out: &'a mut Vec<u8>,
    at: TilePoint,
}

impl Pen<'_> {
    fn command(&mut self, id: u32, count: usize) {
        // A shape in a tile has far fewer than 2^29 points: there are 2^25 different ones.
        varint32(self.out, (count as u32) << 3 | id);
    }

    #[inline]
    fn step(&mut self, to: TilePoint) {
        varint32(self.out, zigzag32(to.x.wrapping_sub(self.at.x)));
        varint32(self.out, zigzag32(to.y.wrapping_sub(self.at.y)));
        self.at = to;
    }

    fn path(&mut self, points: &[TilePoint]) {
        let Some((&first, rest)) = points.split_first() else { return };
        self.command(MOVE_TO, 1);
        self.step(first);
        self.command(LINE_TO, rest.len());
        self.out.reserve(rest.len() * 4);
        rest.iter().for_each(|p| self.step(*p));
    }
}
