//! The reference: every polygon of a coverage asked in turn, in i128, no index.

use boundaries::{AreaId, Coverage, FaceId, Frame, Point};

/// All faces as plain rings.
pub struct Naive<'a> {
    coverage: &'a Coverage,
    polygons: Vec<(FaceId, Vec<Vec<Point>>)>,
}

fn cross(a: Point, b: Point, p: Point) -> i128 {
    let d = |u: i32, v: i32| i128::from(u) - i128::from(v);
    d(b.x, a.x) * d(p.y, a.y) - d(b.y, a.y) * d(p.x, a.x)
}

fn edges(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

impl<'a> Naive<'a> {
    pub fn new(coverage: &'a Coverage) -> Self {
        let rings = |face| coverage.rings(face).map(|h| coverage.ring_points(h)).collect();
        let polygons = coverage.faces().skip(1).map(|(id, _)| (id, rings(id))).collect();
        Self { coverage, polygons }
    }

    /// The one face that holds `p`: an odd number of its edges passes the height just
    /// above `p` at or west of `p`.
    pub fn face_at(&self, p: Point) -> FaceId {
        let holds = |rings: &[Vec<Point>]| {
            let crossed = |(a, b): (Point, Point)| {
                let (a, b) = if a.y < b.y { (a, b) } else { (b, a) };
                a.y <= p.y && p.y < b.y && cross(a, b, p) <= 0
            };
            rings.iter().flat_map(|r| edges(r)).filter(|e| crossed(*e)).count() % 2 == 1
        };
        let mut found = self.polygons.iter().filter(|(_, rings)| holds(rings)).map(|(id, _)| *id);
        let face = found.next().unwrap_or(FaceId::OUTSIDE);
        assert_eq!(found.next(), None, "two faces hold {p:?}");
        face
    }

    /// The owners of all faces that `p` belongs to or lies on the rim of, by code, and
    /// whether they differ.
    pub fn touching(&self, p: Point) -> (Vec<AreaId>, bool) {
        let on = |(a, b): (Point, Point)| {
            cross(a, b, p) == 0
                && (a.x.min(b.x)..=a.x.max(b.x)).contains(&p.x)
                && (a.y.min(b.y)..=a.y.max(b.y)).contains(&p.y)
        };
        let mut faces = vec![self.face_at(p)];
        for (id, rings) in &self.polygons {
            if rings.iter().flat_map(|r| edges(r)).any(on) {
                faces.push(*id);
            }
        }
        let outside = self.coverage.rings(FaceId::OUTSIDE).map(|h| self.coverage.ring_points(h));
        if outside.into_iter().any(|ring| edges(&ring).any(on)) {
            faces.push(FaceId::OUTSIDE);
        }
        let mut owners: Vec<_> = faces.iter().map(|f| self.coverage.face(*f).unwrap().owner).collect();
        owners.sort_by_key(|o| o.map(|o| self.coverage.area(o).unwrap().code.clone()));
        owners.dedup();
        (owners.iter().copied().flatten().collect(), owners.len() > 1)
    }

    /// Metres from `p` to the outline of an area at its own level.
    pub fn distance_m(&self, area: AreaId, p: Point) -> f64 {
        let level = self.coverage.area(area).unwrap().level;
        let is_own = |face| self.coverage.owner_at(face, level) == Some(area);
        let frame = Frame::at(p.y);
        let outline = self.coverage.borders().filter(|(_, b)| is_own(b.left) != is_own(b.right));
        let distances =
            outline.flat_map(|(_, b)| b.line.windows(2).map(|w| frame.distance_to_segment_2(p, w[0], w[1])));
        distances.fold(f64::INFINITY, f64::min).sqrt()
    }

    /// The owners of all ground within a distance of `p`.
    pub fn within(&self, p: Point, radius_m: f64) -> Vec<AreaId> {
        let frame = Frame::at(p.y);
        let here = self.face_at(p);
        let mut found = Vec::new();
        for (id, rings) in &self.polygons {
            let Some(owner) = self.coverage.face(*id).unwrap().owner else { continue };
            let mut edges = rings.iter().flat_map(|r| edges(r));
            if *id == here || edges.any(|(a, b)| frame.distance_to_segment_2(p, a, b).sqrt() <= radius_m) {
                found.push(owner);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The least distance to owned ground, and the lowest code there.
    pub fn nearest(&self, p: Point) -> Option<(AreaId, f64)> {
        let frame = Frame::at(p.y);
        let mut best: Option<(AreaId, f64)> = None;
        for (id, rings) in &self.polygons {
            let Some(owner) = self.coverage.face(*id).unwrap().owner else { continue };
            for (a, b) in rings.iter().flat_map(|r| edges(r)) {
                let d = frame.distance_to_segment_2(p, a, b).sqrt();
                if best.is_none_or(|(_, least)| d < least) {
                    best = Some((owner, d));
                }
            }
        }
        best
    }
}
