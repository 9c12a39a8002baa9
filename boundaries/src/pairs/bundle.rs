//! Segments that halving doesn't part: bundles that run side by side aslant.
//!
//! ```text
//!      ╱╱╱╱│╱╱╱        a cut from north to south leaves most of them on both sides,
//!     ╱╱╱╱╱│╱╱╱        one along any of them leaves none
//! ```
//!
//! The region is cut along the segments themselves (a binary space partition), and each
//! side keeps the pieces of segments that reach into it. Pieces are kept in floating
//! point with slack: that may only err towards comparing more.

use crate::lattice::Point;

use super::{DEEPEST, Finder, LEAF, Region, SIDE_BY_SIDE};

/// Room for rounding, in lattice units: a cut's is some 1e-6.
const SLACK: f64 = 0.5;
/// In how many cells side by side a piece may stand before one looks for stars, ...
const LITTLE_SPREAD: f64 = 2.0;
/// ... and before no cut is expected to part them.
const MOST_SPREAD: f64 = 16.0;

/// What of a segment reaches into a region.
#[derive(Clone, Copy)]
struct Piece {
    id: u32,
    ends: [[f64; 2]; 2],
}

/// The line of all p with `normal · p = offset`; the normal has length 1.
#[derive(Clone, Copy)]
struct Cut {
    normal: [f64; 2],
    offset: f64,
    /// How far beyond the line a side keeps what reaches there.
    reach: f64,
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

impl Piece {
    /// What of it has `normal · p` at most `most`.
    fn below(mut self, normal: [f64; 2], most: f64) -> Option<Self> {
        let at = self.ends.map(|p| dot(normal, p));
        if at[0] > most && at[1] > most {
            return None;
        }
        for (end, other) in [(0, 1), (1, 0)] {
            if at[end] > most {
                let t = (most - at[other]) / (at[end] - at[other]);
                let from = self.ends[other];
                self.ends[end] = [0, 1].map(|i| from[i] + t * (self.ends[end][i] - from[i]));
            }
        }
        Some(self)
    }

    fn middle(&self) -> [f64; 2] {
        [0, 1].map(|i| (self.ends[0][i] + self.ends[1][i]) / 2.0)
    }

    fn length_2(&self) -> f64 {
        let along = [0, 1].map(|i| self.ends[1][i] - self.ends[0][i]);
        dot(along, along)
    }
}

impl Cut {
    fn low(&self, piece: Piece) -> Option<Piece> {
        piece.below(self.normal, self.offset + self.reach)
    }

    fn high(&self, piece: Piece) -> Option<Piece> {
        piece.below(self.normal.map(|n| -n), self.reach - self.offset)
    }

    /// How many pieces each side keeps.
    fn sides(&self, pieces: &[Piece]) -> [usize; 2] {
        pieces.iter().fold([0, 0], |[low, high], p| {
            let at = p.ends.map(|e| dot(self.normal, e) - self.offset);
            [low + usize::from(at[0].min(at[1]) <= self.reach), high + usize::from(at[0].max(at[1]) >= -self.reach)]
        })
    }
}

impl<A: Fn(usize) -> bool + Sync, F> Finder<'_, A, F> {
    /// Takes over where halving `region` parts nothing.
    pub(super) fn search_bundle<T: Send>(&self, ids: &[u32], region: Region) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>) + Sync,
    {
        let [mx, my] = self.margin.map(|m| m as f64 + SLACK);
        let (min, max) = (region.min.map(|v| v as f64), region.max.map(|v| v as f64));
        let sides = [
            ([1.0, 0.0], max[0] + mx),
            ([-1.0, 0.0], mx - min[0]),
            ([0.0, 1.0], max[1] + my),
            ([0.0, -1.0], my - min[1]),
        ];
        let pieces = ids.iter().filter_map(|&id| {
            let ends = self.segments[id as usize].map(|p: Point| [f64::from(p.x), f64::from(p.y)]);
            sides.iter().try_fold(Piece { id, ends }, |piece, side| piece.below(side.0, side.1))
        });
        self.part(pieces.collect(), 0, 1.0)
    }

    fn part<T: Send>(&self, pieces: Vec<Piece>, depth: u32, spread: f64) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>) + Sync,
    {
        if self.is_spent() || !pieces.iter().any(|p| (self.active)(p.id as usize)) {
            return Vec::new();
        }
        let ids = || -> Vec<u32> { pieces.iter().map(|p| p.id).collect() };
        if pieces.len() <= LEAF {
            return self.compare(&ids());
        }
        self.spend(pieces.len(), 0);
        let Some((total, cut)) = self.best_cut(&pieces) else { return self.compare_stars(&ids()) };
        let ratio = total as f64 / pieces.len() as f64;
        let spread = spread * ratio;
        let is_star = || spread > LITTLE_SPREAD && ratio > 1.25 && self.are_stars(&ids());
        if depth >= DEEPEST || spread > MOST_SPREAD || is_star() {
            return self.compare_stars(&ids());
        }
        let low: Vec<Piece> = pieces.iter().filter_map(|p| cut.low(*p)).collect();
        let high: Vec<Piece> = pieces.iter().filter_map(|p| cut.high(*p)).collect();
        let large = pieces.len() >= SIDE_BY_SIDE;
        drop(pieces);
        let (mut found, more) = if large {
            rayon::join(|| self.part(low, depth + 1, spread), || self.part(high, depth + 1, spread))
        } else {
            (self.part(low, depth + 1, spread), self.part(high, depth + 1, spread))
        };
        found.extend(more);
        found
    }

    /// Of the cuts through the middle, along the axes and along some of the pieces, and of
    /// those through these pieces, the one whose sides keep the least.
    fn best_cut(&self, pieces: &[Piece]) -> Option<(usize, Cut)> {
        let longest = pieces.iter().max_by(|a, b| a.length_2().total_cmp(&b.length_2()))?;
        let samples = [longest, &pieces[pieces.len() / 3], &pieces[pieces.len() / 2], &pieces[pieces.len() * 2 / 3]];
        let along = samples.into_iter().filter_map(|p| {
            let [a, b] = self.segments[p.id as usize];
            let across = [f64::from(a.y) - f64::from(b.y), f64::from(b.x) - f64::from(a.x)];
            let length = dot(across, across).sqrt();
            (length > 0.0).then(|| (across.map(|c| c / length), Some(p.ends[0])))
        });
        let normals = [([1.0, 0.0], None), ([0.0, 1.0], None)].into_iter().chain(along);
        let cuts = normals.flat_map(|(normal, through)| {
            let mut middles: Vec<f64> = pieces.iter().map(|p| dot(normal, p.middle())).collect();
            let half = middles.len() / 2;
            let middle = *middles.select_nth_unstable_by(half, f64::total_cmp).1;
            let reach = dot(normal.map(f64::abs), self.margin.map(|m| m as f64)) + SLACK;
            let offsets = std::iter::once((middle, true)).chain(through.map(|p| (dot(normal, p), false)));
            offsets.map(move |(offset, is_middle)| (Cut { normal, offset, reach }, is_middle))
        });
        let rated = cuts.filter_map(|(cut, is_middle)| {
            let [low, high] = cut.sides(pieces);
            // One that takes a few off the rim parts nothing.
            (is_middle || 4 * low.max(high) <= 3 * pieces.len()).then_some((low + high, cut))
        });
        rated.min_by_key(|c| c.0)
    }
}
