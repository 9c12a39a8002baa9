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
            pen.steps(points);
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

    fn steps(&mut self, points: &[TilePoint]) {
        // Each of the two numbers of a point takes five bytes at most; room for all of
        // them first, so that no byte has to ask for it.
        let mut end = self.out.len();
        self.out.resize(end + points.len() * 10, 0);
        let mut at = self.at;
        for to in points {
            let (x, y) = (zigzag32(to.x.wrapping_sub(at.x)), zigzag32(to.y.wrapping_sub(at.y)));
            let room = &mut self.out[end..end + 10];
            if (x | y) < 0x80 {
                room[0] = x as u8;
                room[1] = y as u8;
                end += 2;
            } else {
                let n = put_varint(room, x);
                end += n + put_varint(&mut room[n..], y);
            }
            at = *to;
        }
        self.at = at;
        self.out.truncate(end);
    }

    fn path(&mut self, points: &[TilePoint]) {
        let Some((first, rest)) = points.split_first() else { return };
        self.command(MOVE_TO, 1);
        self.steps(std::slice::from_ref(first));
        self.command(LINE_TO, rest.len());
        self.steps(rest);
    }
}

/// Writes a varint at the front of `room`, which has five bytes; how many it took.
#[inline]
fn put_varint(room: &mut [u8], v: u32) -> usize {
    if v < 0x80 {
        room[0] = v as u8;
        return 1;
    }
    room[0] = v as u8 | 0x80;
    if v < 0x4000 {
        room[1] = (v >> 7) as u8;
        return 2;
    }
    let mut v = v >> 7;
    let mut n = 1;
    while v >= 0x80 {
        room[n] = v as u8 | 0x80;
        v >>= 7;
        n += 1;
    }
    room[n] = v as u8;
    n + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_a_varint_write_the_same() {
        for bits in 0..32 {
            for v in [(1u32 << bits) - 1, 1 << bits, u32::MAX >> bits] {
                let (mut pushed, mut put) = (Vec::new(), [0; 5]);
                varint32(&mut pushed, v);
                let n = put_varint(&mut put, v);
                assert_eq!(&put[..n], pushed, "{v}");
            }
        }
    }
}
