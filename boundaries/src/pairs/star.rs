//! Segments that meet in one vertex: a star.
//!
//! ```text
//!       ╲ │ ╱
//!      ───●───        all of them come near each other at ●, which says nothing; two of
//!       ╱ │ ╲         them come near each other elsewhere only where the far end of one
//!                     lies beside the other, and that is seen by going round the star
//! ```

use rustc_hash::FxHashMap;

use crate::lattice::{Point, by_angle};

use super::{Finder, LEAF};

/// Rays that make a star: fewer are compared one with another as quickly.
const RAYS: usize = 16;

/// The vertices where many segments end, with the rays by angle: their far ends and ids.
struct Star {
    hub: Point,
    rays: Vec<(Point, u32)>,
}

impl<A: Fn(usize) -> bool + Sync, F> Finder<'_, A, F> {
    /// Whether all but few pairs of these segments are of one star.
    pub(super) fn are_stars(&self, ids: &[u32]) -> bool {
        let stars = self.stars(ids);
        let within: usize = stars.iter().map(|s| s.rays.len() * s.rays.len()).sum();
        within + 4 * LEAF * ids.len() >= ids.len() * ids.len()
    }

    /// Compares segments one with another, but those of one star by going round it.
    pub(super) fn compare_stars<T>(&self, ids: &[u32]) -> Vec<T>
    where
        F: Fn(usize, usize, &mut Vec<T>),
    {
        let mut found = Vec::new();
        let stars = self.stars(ids);
        let mut star_of: FxHashMap<u32, u32> = FxHashMap::default();
        for (n, star) in stars.into_iter().enumerate() {
            star.rays.iter().for_each(|ray| {
                star_of.entry(ray.1).or_insert(n as u32);
            });
            self.go_round(star, &mut found);
        }
        // A segment from hub to hub stands with one of the two and is compared with the other's
        // rays: few do.
        let mut ordered: Vec<(u32, u32)> =
            ids.iter().map(|id| (star_of.get(id).copied().unwrap_or(u32::MAX), *id)).collect();
        ordered.sort_unstable();
        let sorted: Vec<u32> = ordered.iter().map(|o| o.1).collect();
        let mut begin = 0;
        for group in ordered.chunk_by(|a, b| a.0 == b.0 && a.0 != u32::MAX) {
            let end = begin + group.len();
            for &(_, i) in group {
                if self.is_spent() {
                    return found;
                }
                let before = found.len();
                self.compare_one(i, &sorted[end..], &mut found);
                self.spend(sorted.len() - end, found.len() - before);
            }
            begin = end;
        }
        found
    }

    /// The stars among some segments; a segment is a ray of each that it ends in.
    fn stars(&self, ids: &[u32]) -> Vec<Star> {
        let mut ends: Vec<(Point, Point, u32)> = Vec::with_capacity(ids.len() * 2);
        for &id in ids {
            let [a, b] = self.segments[id as usize];
            if a != b {
                ends.extend([(a, b, id), (b, a, id)]);
            }
        }
        ends.sort_unstable();
        let star = |rays: &[(Point, Point, u32)]| {
            let hub = rays[0].0;
            (rays.len() >= RAYS).then(|| Star { hub, rays: rays.iter().map(|r| (r.1, r.2)).collect() })
        };
        ends.chunk_by(|a, b| a.0 == b.0).filter_map(star).collect()
    }

    /// Visits the pairs of rays of which one has its far end beside the other.
    fn go_round<T>(&self, Star { hub, mut rays }: Star, found: &mut Vec<T>)
    where
        F: Fn(usize, usize, &mut Vec<T>),
    {
        rays.sort_unstable_by(|a, b| by_angle(hub, a.0, b.0).then(a.cmp(b)));
        let [mx, my] = self.margin.map(|m| m as f64);
        // Half a unit for rounding.
        let reach = mx.hypot(my) + 0.5;
        let off = |p: Point| [f64::from(p.x) - f64::from(hub.x), f64::from(p.y) - f64::from(hub.y)];
        let near = |end: Point, ray: Point| {
            let ([px, py], [rx, ry]) = (off(end), off(ray));
            let distance =
                if px * rx + py * ry > 0.0 { (px * ry - py * rx).abs() / rx.hypot(ry) } else { px.hypot(py) };
            distance <= reach
        };
        let n = rays.len();
        for (i, &(end, id)) in rays.iter().enumerate() {
            if self.is_spent() {
                return;
            }
            let (mut looked, before) = (0, found.len());
            // The further off in angle, the further off: each way until the first that is not near.
            for step in [1, n - 1] {
                let mut at = (i + step) % n;
                while at != i && near(end, rays[at].0) {
                    let other = rays[at].1;
                    if (self.active)(id as usize) || (self.active)(other as usize) {
                        (self.visit)(id.min(other) as usize, id.max(other) as usize, found);
                    }
                    looked += 1;
                    at = (at + step) % n;
                }
            }
            self.spend(looked, found.len() - before);
        }
    }
}
