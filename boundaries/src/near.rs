//! What points and lines nearly meet: which vertex or segment of a graph is meant by a
//! point, and which vertices a line passes so closely that it goes through them.
//!
//! Invariant: an answer depends on the point or the segment asked about and the graph
//! alone, not on what else is asked in the same breath. It must not know what lines mean.

use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::pairs::{Crowded, near_pairs};
use crate::segment::{Segment, along, enters_pixel};

/// The widest tolerance in metres.
const MOST_TOLERANCE_M: f64 = 10.0;

/// How near is near.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near {
    frame: Frame,
    most_2: f64,
    /// The tolerance in units of x and y, and a little more.
    pub(crate) margin: [i32; 2],
}

impl Near {
    /// Within so many metres, for what lies in a box; `None` where nothing is meant by
    /// what it isn't.
    pub(crate) fn within(tolerance_m: f64, bounds: Bounds) -> Option<Self> {
        if tolerance_m.is_nan() || tolerance_m <= 0.0 || bounds.is_empty() {
            return None;
        }
        let tolerance_m = tolerance_m.min(MOST_TOLERANCE_M);
        let frame = Frame::between(bounds.min, bounds.max);
        let units = |metres_a_unit: f64| (tolerance_m / metres_a_unit.abs().max(1e-4)).ceil() as i32 + 1;
        let margin = [units(frame.east_m), units(frame.north_m)];
        Some(Self { frame, most_2: tolerance_m * tolerance_m, margin })
    }

    /// Where points go: to the nearest vertex within the tolerance, else onto the nearest
    /// border. By ascending number; points that stay because nothing is near are left out.
    pub(crate) fn targets(self, points: &[Point], borders: &[Segment]) -> Result<Vec<(usize, Point)>, Crowded> {
        let mut segments = borders.to_vec();
        segments.extend(points.iter().map(|p| [*p, *p]));
        let first = borders.len();
        // Only pairs of both kinds matter: looked for from the side that has fewer.
        let few_points = segments.len() - first <= first;
        let mut found = near_pairs(&segments, self.margin, &|i| (i >= first) == few_points, &|i,
                                                                                              j,
                                                                                              out: &mut Vec<(
            usize,
            bool,
            u64,
            Point,
        )>| {
            if i >= first || j < first {
                return;
            }
            let p = segments[j][0];
            // Squares of metres as bits: the order of floats that are not negative.
            let near = |q: Point| Some(self.frame.distance_2(p, q)).filter(|d| *d <= self.most_2).map(f64::to_bits);
            let vertices = segments[i].into_iter().filter_map(|q| Some((j - first, false, near(q)?, q)));
            out.extend(vertices);
            if self.frame.distance_to_segment_2(p, segments[i][0], segments[i][1]) <= self.most_2 {
                let q = foot(p, segments[i], self.frame);
                out.extend(near(q).map(|d| (j - first, true, d, q)));
            }
        })?;
        found.sort_unstable();
        found.dedup_by_key(|f| f.0);
        Ok(found.into_iter().map(|(i, _, _, to)| (i, to)).collect())
    }

    /// The vertices of borders that segments pass within the tolerance between their ends,
    /// by ascending number of the segment and in the order in which it passes them.
    pub(crate) fn passed(self, steps: &[Segment], borders: &[Segment]) -> Result<Vec<(usize, Point)>, Crowded> {
        let mut segments = borders.to_vec();
        segments.extend(steps);
        let first = borders.len();
        // Only pairs of both kinds matter: looked for from the side that has fewer.
        let few_drawn = segments.len() - first <= first;
        let mut found = near_pairs(&segments, self.margin, &|i| (i >= first) == few_drawn, &|i,
                                                                                             j,
                                                                                             out: &mut Vec<(
            usize,
            i128,
            Point,
        )>| {
            if i >= first || j < first {
                return;
            }
            let [a, b] = segments[j];
            for q in segments[i].into_iter().filter(|q| *q != a && *q != b) {
                if self.frame.distance_to_segment_2(q, a, b) <= self.most_2 {
                    let at = along([a, b], q);
                    if at > 0 && at < along([a, b], b) {
                        out.push((j - first, at, q));
                    }
                }
            }
        })?;
        found.sort_unstable();
        found.dedup();
        Ok(found.into_iter().map(|(i, _, q)| (i, q)).collect())
    }
}

/// The lattice point on a segment that is nearest to `p`; `p` itself where the lattice
/// can't tell it from the segment.
fn foot(p: Point, [a, b]: Segment, frame: Frame) -> Point {
    if enters_pixel([a, b], p) {
        return p;
    }
    let ((ax, ay), (bx, by)) = (frame.offset(a, p), frame.offset(a, b));
    let t = ((ax * bx + ay * by) / (bx * bx + by * by)).clamp(0.0, 1.0);
    let between = |a: i32, b: i32| f64::from(a) + t * (f64::from(b) - f64::from(a));
    let (x, y) = (between(a.x, b.x), between(a.y, b.y));
    let around = [(x.round(), y.round()), (x.floor(), y.floor()), (x.ceil(), y.ceil()), (x.floor(), y.ceil())];
    let points = around.map(|(x, y)| Point::new(x as i32, y as i32));
    points.into_iter().find(|q| enters_pixel([a, b], *q)).unwrap_or(points[0])
}
