//! A feature's geometry on its way into a tile: cut, cleaned and wound.

use crate::clip::ClipBox;
use crate::coord::TileCoord;
use crate::ring::{clean_ring, twice_area_if_clean};
use crate::space::TilePoint;
use crate::trace::GridPolygon;

/// What a ring is to its polygon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The outer ring: begins a polygon.
    Shell,
    /// A ring cut out of the polygon that was begun last.
    Hole,
}

/// The points, lines or rings of one feature inside a tile. It is filled, given to a
/// [`LayerWriter`](crate::LayerWriter), cleared and filled again: its memory stays.
///
/// Invariant: everything in it lies in [`ClipBox::TILE`]; rings enclose ground, shells
/// run clockwise on the screen and holes the other way; lines have two different points.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    points: Vec<TilePoint>,
    /// Where each part ends in `points`.
    ends: Vec<usize>,
    /// Whether the shell that holes would belong to is there.
    shell_kept: bool,
    ring: Vec<TilePoint>,
    spare: Vec<TilePoint>,
}

impl Shape {
    /// A shape without parts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes all parts out.
    pub fn clear(&mut self) {
        self.points.clear();
        self.ends.clear();
        self.shell_kept = false;
    }

    /// Whether nothing of the feature is in the tile.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The parts: points, lines, or rings with each shell before its holes.
    pub fn parts(&self) -> impl Iterator<Item = &[TilePoint]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.points[std::mem::replace(&mut start, end)..end])
    }

    /// All points of all parts, one after the other.
    #[must_use]
    pub fn points(&self) -> &[TilePoint] {
        &self.points
    }

    /// Adds a point, if the tile holds it.
    pub fn push_point(&mut self, p: TilePoint) {
        if ClipBox::TILE.contains(p) {
            self.points.push(p);
            self.ends.push(self.points.len());
        }
    }

    /// Adds the parts of a line that lie in the tile.
    pub fn push_line(&mut self, line: impl IntoIterator<Item = TilePoint>) {
        self.ring.clear();
        self.ring.extend(line);
        self.ring.dedup();
        let (points, ends) = (&mut self.points, &mut self.ends);
        ClipBox::TILE.clip_line(&self.ring, |piece| {
            points.extend_from_slice(piece);
            ends.push(points.len());
        });
    }

    /// Adds a ring that lies in the tile, is simple and wound by its role, shells before
    /// their holes: one of ground that was [traced](crate::trace()) or [cut](crate::Cut).
    /// `put` puts its points behind those that are there. It begins at its least point,
    /// wherever the walk began: what is in the tile alone decides its bytes.
    pub fn push_traced(&mut self, put: impl FnOnce(&mut Vec<TilePoint>)) {
        let from = self.points.len();
        put(&mut self.points);
        debug_assert!(self.points.len() >= from + 3);
        debug_assert!(self.points[from..].iter().all(|p| ClipBox::TILE.contains(*p)));
        let ring = &mut self.points[from..];
        let least = (0..ring.len()).min_by_key(|i| ring[*i]).unwrap_or_default();
        ring.rotate_left(least);
        self.ends.push(self.points.len());
    }

    /// Adds ground that lies in a tile, as it was [traced](crate::trace()) or [cut](crate::Cut).
    pub fn push_polygon(&mut self, polygon: &GridPolygon, tile: TileCoord) {
        for ring in polygon.rings() {
            self.push_traced(|points| points.extend(ring.iter().map(|p| p.in_tile(tile))));
        }
    }

    /// Adds what of a ring lies in the tile; whether there was anything. The ring may
    /// run in either direction and may repeat its first point at the end. The holes
    /// of a shell that isn't there are not either.
    pub fn push_ring(&mut self, role: Role, ring: impl IntoIterator<Item = TilePoint>) -> bool {
        if role == Role::Hole && !self.shell_kept {
            return false;
        }
        // As a rule it lies in the tile and is clean: then it stays where it is put.
        let from = self.points.len();
        self.points.extend(ring);
        if self.points.len() > from + 1 && self.points.last() == self.points.get(from) {
            self.points.pop();
        }
        let placed = &mut self.points[from..];
        if let (true, Some(area)) = (ClipBox::TILE.contains_all(placed), twice_area_if_clean(placed)) {
            if (area > 0) != (role == Role::Shell) {
                placed.reverse();
            }
            self.shell_kept |= role == Role::Shell;
            self.ends.push(self.points.len());
            return true;
        }
        self.ring.clear();
        self.ring.extend(self.points.drain(from..));
        ClipBox::TILE.clip_ring(&mut self.ring, &mut self.spare);
        let area = clean_ring(&mut self.ring);
        let kept = area != 0;
        if role == Role::Shell {
            self.shell_kept = kept;
        }
        if kept {
            let is_clockwise = area > 0;
            if is_clockwise == (role == Role::Shell) {
                self.points.extend_from_slice(&self.ring);
            } else {
                self.points.extend(self.ring.iter().rev());
            }
            self.ends.push(self.points.len());
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::twice_area;

    fn square(from: i32, to: i32) -> [TilePoint; 4] {
        [(from, from), (to, from), (to, to), (from, to)].map(|(x, y)| TilePoint::new(x, y))
    }

    #[test]
    fn rings_are_wound_by_their_role_whichever_way_they_came() {
        for reverse in [false, true] {
            let way = |mut ring: [TilePoint; 4]| {
                if reverse {
                    ring.reverse();
                }
                ring
            };
            let mut shape = Shape::new();
            shape.push_ring(Role::Shell, way(square(0, 100)));
            shape.push_ring(Role::Hole, way(square(10, 20)));
            let areas: Vec<_> = shape.parts().map(twice_area).collect();
            assert_eq!(areas, [20_000, -200]);
        }
    }

    #[test]
    fn a_ring_that_is_put_as_it_is_is_the_one_that_is_cut_and_cleaned() {
        let ring = square(10, 20);
        let closed: Vec<TilePoint> = ring.iter().chain([&ring[0]]).copied().collect();
        let doubled: Vec<TilePoint> = ring.iter().flat_map(|p| [*p, *p]).collect();
        for given in [ring.to_vec(), closed, doubled] {
            let mut shape = Shape::new();
            assert!(shape.push_ring(Role::Shell, given));
            assert_eq!(shape.parts().collect::<Vec<_>>(), [&ring[..]]);
        }
    }

    #[test]
    fn holes_go_with_their_shell() {
        let mut shape = Shape::new();
        assert!(!shape.push_ring(Role::Shell, square(5000, 9000)));
        assert!(!shape.push_ring(Role::Hole, square(0, 10)));
        assert!(shape.is_empty());
    }
}
