//! How large and how wide things are, in metres.

use crate::lattice::{Bounds, Point};
use crate::metres::{Frame, Ground};

use super::Settings;
use super::graph::{Graph, origin};
use super::mesh::Mesh;

/// The size of a patch of ground.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) area_m2: f64,
    /// Twice the area through the perimeter: the width of a long strip.
    pub(super) width_m: f64,
    pub(super) bounds: Bounds,
}

impl Settings {
    /// Whether a patch is below both limits.
    pub(super) fn is_sliver(&self, size: Size) -> bool {
        size.width_m < self.sliver_width_m && size.area_m2 < self.sliver_area_m2
    }
}

impl Size {
    fn of_segments(segments: impl Iterator<Item = [Point; 2]> + Clone) -> Self {
        let bounds = segments.clone().fold(Bounds::EMPTY, |all, s| all.with(s[0]));
        let ground = Ground::between(bounds.min.y, bounds.max.y);
        let (mut area_m2, mut perimeter_m) = (0.0, 0.0);
        for [a, b] in segments {
            area_m2 += ground.beside_m2(a, b);
            perimeter_m += Frame::between(a, b).distance_m(a, b);
        }
        let area_m2 = area_m2.abs();
        Self { area_m2, width_m: if perimeter_m > 0.0 { 2.0 * area_m2 / perimeter_m } else { 0.0 }, bounds }
    }

    /// The size of what a ring encloses.
    pub(super) fn of_ring(ring: &[Point]) -> Self {
        Self::of_segments((0..ring.len()).map(|i| [ring[i], ring[(i + 1) % ring.len()]]))
    }

    /// The size of a face, holes taken off.
    pub(super) fn of_face(mesh: &Mesh, graph: &Graph, face: u32) -> Self {
        let segment = |h: u32| [origin(mesh, h), origin(mesh, h ^ 1)].map(|v| mesh.points[v as usize]);
        Self::of_segments(graph.around(face).map(segment).collect::<Vec<_>>().into_iter())
    }
}

/// The rings of a face, as points.
pub(super) fn outline(mesh: &Mesh, graph: &Graph, face: u32) -> Vec<Vec<Point>> {
    let ring = |seed: &u32| graph.cycle(*seed).map(|h| mesh.points[origin(mesh, h) as usize]).collect();
    graph.cycles(face).iter().map(ring).collect()
}

/// A point inside the face, near its outline where it is narrow: half a unit or so off
/// a true one at worst, which no reader of a map can see.
pub(super) fn place_in(mesh: &Mesh, graph: &Graph, face: u32) -> Point {
    let rings = outline(mesh, graph, face);
    let bounds = Bounds::of(rings.iter().flatten().copied());
    let mid = (i64::from(bounds.min.y) + i64::from(bounds.max.y)).div_euclid(2) as f64 + 0.5;
    // Where the middle height passes the rings: between the widest pair it is inside.
    let mut passes: Vec<f64> = Vec::new();
    for ring in &rings {
        for (i, &a) in ring.iter().enumerate() {
            let b = ring[(i + 1) % ring.len()];
            let (ay, by) = (f64::from(a.y), f64::from(b.y));
            if (ay < mid) != (by < mid) {
                passes.push(f64::from(a.x) + (mid - ay) / (by - ay) * (f64::from(b.x) - f64::from(a.x)));
            }
        }
    }
    passes.sort_by(f64::total_cmp);
    let widest = passes.chunks_exact(2).max_by(|a, b| (a[1] - a[0]).total_cmp(&(b[1] - b[0])));
    match widest {
        Some(pair) => Point::new(((pair[0] + pair[1]) / 2.0).round() as i32, mid.floor() as i32),
        None => bounds.min,
    }
}
