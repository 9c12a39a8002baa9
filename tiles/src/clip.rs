//! Cutting at the square that a tile shows, in integers.
//!
//! A cut puts one new vertex where an edge crosses a side of the square. It depends
//! on the edge alone, not on the direction in which it is walked, so two areas cut
//! along their common border stay as they were: sharing every vertex.

use crate::space::{BUFFER, EXTENT, TilePoint};

/// A square in tile units, its sides included: what a tile may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipBox {
    min: i32,
    max: i32,
}

impl ClipBox {
    /// The tile and its buffer.
    pub const TILE: Self = Self { min: -(BUFFER as i32), max: (EXTENT + BUFFER) as i32 };

    /// Whether `p` lies in it.
    #[inline]
    #[must_use]
    pub fn contains(self, p: TilePoint) -> bool {
        self.min <= p.x && p.x <= self.max && self.min <= p.y && p.y <= self.max
    }

    /// Whether all of some points lie in it.
    #[inline]
    #[must_use]
    pub fn contains_all(self, points: &[TilePoint]) -> bool {
        points.iter().fold(true, |all, p| all & self.contains(*p))
    }

    /// Cuts the ground inside a closed ring (the last point is joined to the first)
    /// down to this square, side after side (Sutherland and Hodgman 1974). Where that
    /// leaves several pieces they hang together along the square's sides, outside of
    /// what the tile itself shows. The ring may come out with doubled points and
    /// spikes; see [`clean_ring`](crate::clean_ring).
    pub fn clip_ring(self, ring: &mut Vec<TilePoint>, spare: &mut Vec<TilePoint>) {
        let start = (TilePoint::new(i32::MAX, i32::MAX), TilePoint::new(i32::MIN, i32::MIN));
        let (low, high) = ring.iter().fold(start, |(low, high), p| {
            (TilePoint::new(low.x.min(p.x), low.y.min(p.y)), TilePoint::new(high.x.max(p.x), high.y.max(p.y)))
        });
        // The corners of its box say beyond which sides some of it lies, and all of it.
        if Side::ALL.iter().any(|side| self.outside(low, *side) && self.outside(high, *side)) {
            ring.clear();
            return;
        }
        for side in Side::ALL {
            if !self.outside(low, side) && !self.outside(high, side) {
                continue;
            }
            spare.clear();
            let Some(mut before) = ring.last().copied() else { return };
            for &p in ring.iter() {
                let (was_in, is_in) = (!self.outside(before, side), !self.outside(p, side));
                if was_in != is_in {
                    spare.push(self.crossing(before, p, side));
                }
                if is_in {
                    spare.push(p);
                }
                before = p;
            }
            std::mem::swap(ring, spare);
        }
    }

    /// The parts of a line that lie in this square, each given to `emit` in order.
    pub fn clip_line(self, line: &[TilePoint], mut emit: impl FnMut(&[TilePoint])) {
        let mut piece: Vec<TilePoint> = Vec::with_capacity(line.len());
        for w in line.windows(2) {
            let Some((a, b)) = self.clip_edge(w[0], w[1]) else { continue };
            if piece.last() != Some(&a) {
                if piece.len() > 1 {
                    emit(&piece);
                }
                piece.clear();
                piece.push(a);
            }
            if a != b {
                piece.push(b);
            }
            if b != w[1] {
                // It leaves here: what comes back is another piece, even from the same point.
                if piece.len() > 1 {
                    emit(&piece);
                }
                piece.clear();
            }
        }
        if piece.len() > 1 {
            emit(&piece);
        }
    }

    /// The part of an edge in this square, in its direction.
    fn clip_edge(self, mut a: TilePoint, mut b: TilePoint) -> Option<(TilePoint, TilePoint)> {
        for side in Side::ALL {
            match (self.outside(a, side), self.outside(b, side)) {
                (true, true) => return None,
                (true, false) => a = self.crossing(a, b, side),
                (false, true) => b = self.crossing(a, b, side),
                (false, false) => {}
            }
        }
        Some((a, b))
    }

    #[inline]
    fn outside(self, p: TilePoint, side: Side) -> bool {
        match side {
            Side::West => p.x < self.min,
            Side::East => p.x > self.max,
            Side::North => p.y < self.min,
            Side::South => p.y > self.max,
        }
    }

    /// Where an edge that has its ends at different sides of a side crosses it,
    /// rounded to the nearest unit along it.
    fn crossing(self, a: TilePoint, b: TilePoint, side: Side) -> TilePoint {
        // The same edge walked back gives the same point.
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        match side {
            Side::West => TilePoint::new(self.min, along(a.x, a.y, b.x, b.y, self.min)),
            Side::East => TilePoint::new(self.max, along(a.x, a.y, b.x, b.y, self.max)),
            Side::North => TilePoint::new(along(a.y, a.x, b.y, b.x, self.min), self.min),
            Side::South => TilePoint::new(along(a.y, a.x, b.y, b.x, self.max), self.max),
        }
    }
}

/// The value that goes with `at` on the straight way from (`s0`, `v0`) to (`s1`, `v1`),
/// where s0 != s1; halves go up.
fn along(s0: i32, v0: i32, s1: i32, v1: i32, at: i32) -> i32 {
    // Products of two differences of i32: 66 bits.
    let (s0, v0, s1, v1, at) = (i128::from(s0), i128::from(v0), i128::from(s1), i128::from(v1), i128::from(at));
    let (num, den) = ((v1 - v0) * (at - s0), s1 - s0);
    let (num, den) = if den < 0 { (-num, -den) } else { (num, den) };
    // Between v0 and v1, as `at` is between s0 and s1: it fits.
    (v0 + (2 * num + den).div_euclid(2 * den)) as i32
}

#[derive(Clone, Copy)]
enum Side {
    West,
    East,
    North,
    South,
}

impl Side {
    const ALL: [Self; 4] = [Self::West, Self::East, Self::North, Self::South];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ring::{clean_ring, twice_area};

    fn points(list: &[(i32, i32)]) -> Vec<TilePoint> {
        list.iter().map(|&(x, y)| TilePoint::new(x, y)).collect()
    }

    #[test]
    fn a_ring_inside_is_untouched_and_one_outside_is_emptied() {
        let mut spare = Vec::new();
        let inside = points(&[(0, 0), (10, 0), (10, 10)]);
        let mut ring = inside.clone();
        ClipBox::TILE.clip_ring(&mut ring, &mut spare);
        assert_eq!(ring, inside);
        let mut ring = points(&[(5000, 0), (6000, 0), (6000, 10)]);
        ClipBox::TILE.clip_ring(&mut ring, &mut spare);
        assert!(ring.is_empty());
    }

    #[test]
    fn ground_that_holds_the_square_becomes_the_square() {
        let mut ring = points(&[(-9000, -9000), (90_000, -9000), (90_000, 90_000), (-9000, 90_000)]);
        ClipBox::TILE.clip_ring(&mut ring, &mut Vec::new());
        clean_ring(&mut ring);
        assert_eq!(twice_area(&ring), 2 * (4096 + 128) * (4096 + 128));
        assert_eq!(ring.len(), 4);
    }

    #[test]
    fn an_edge_is_cut_at_the_same_point_from_both_sides() {
        let (a, b) = (TilePoint::new(-1_000, 17), TilePoint::new(333, 1_000));
        for side in Side::ALL {
            if ClipBox::TILE.outside(a, side) != ClipBox::TILE.outside(b, side) {
                assert_eq!(ClipBox::TILE.crossing(a, b, side), ClipBox::TILE.crossing(b, a, side));
            }
        }
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_is_two_lines() {
        let mut pieces = Vec::new();
        let line = points(&[(0, 0), (100, 0), (100, -500), (200, -500), (200, 0), (300, 0)]);
        ClipBox::TILE.clip_line(&line, |piece| pieces.push(piece.to_vec()));
        assert_eq!(pieces, [points(&[(0, 0), (100, 0), (100, -64)]), points(&[(200, -64), (200, 0), (300, 0)])]);
    }

    #[test]
    fn coordinates_at_the_ends_of_the_number_line_are_cut_without_overflow() {
        let (lo, hi) = (i32::MIN, i32::MAX);
        let mut ring = points(&[(lo, lo), (hi, lo), (hi, hi), (lo, hi)]);
        ClipBox::TILE.clip_ring(&mut ring, &mut Vec::new());
        assert!(ring.iter().all(|p| ClipBox::TILE.contains(*p)));
        let mut count = 0;
        ClipBox::TILE.clip_line(&points(&[(lo, lo), (hi, hi)]), |piece| count += piece.len());
        assert_eq!(count, 2);
    }
}
