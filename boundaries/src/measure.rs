//! Sizes of areas and lengths of what they share, on the WGS-84 ellipsoid.
//!
//! Ground is right to 1e-6 for edges straight in longitude and latitude; a length is
//! the plane distance at the latitude half way, right to 1e-6 for edges of kilometres.

use std::collections::BTreeMap;

use crate::area::AreaId;
use crate::coverage::Coverage;
use crate::metres::{Frame, Ground};
use crate::topology::{BorderId, FaceId, HalfEdge};

impl Coverage {
    /// The length of a border in metres.
    #[must_use]
    pub fn border_length_m(&self, border: BorderId) -> f64 {
        let line = self.border(border).map_or(&[][..], |b| &b.line);
        line.windows(2).map(|w| Frame::between(w[0], w[1]).distance_m(w[0], w[1])).sum()
    }

    /// The ground of a face in square metres; 0 for the outside.
    #[must_use]
    pub fn face_area_m2(&self, face: FaceId) -> f64 {
        let Some(f) = self.face(face).filter(|f| f.outer.is_some()) else { return 0.0 };
        let ground = Ground::between(f.bounds.min.y, f.bounds.max.y);
        let along = |h: HalfEdge| {
            let line = self.border(h.border()).map_or(&[][..], |b| &b.line);
            let m2: f64 = line.windows(2).map(|w| ground.beside_m2(w[0], w[1])).sum();
            if h.is_forward() { m2 } else { -m2 }
        };
        self.rings(face).flat_map(|ring| self.ring(ring)).map(along).sum()
    }

    /// The ground of an area, with what lies below it, in square metres.
    #[must_use]
    pub fn area_m2(&self, area: AreaId) -> f64 {
        self.ground(area).into_iter().map(|f| self.face_area_m2(f)).sum()
    }

    /// The length of an area's outline, holes included, in metres.
    #[must_use]
    pub fn perimeter_m(&self, area: AreaId) -> f64 {
        self.rim(area).into_iter().map(|h| self.border_length_m(h.border())).sum()
    }

    /// The areas of the same level that share a border with an area, by ascending id,
    /// and how long it is in metres. A node in common is no border.
    #[must_use]
    pub fn neighbours(&self, area: AreaId) -> Vec<(AreaId, f64)> {
        let Some(level) = self.area(area).map(|a| a.level) else { return Vec::new() };
        let mut shared_m: BTreeMap<AreaId, f64> = BTreeMap::new();
        for h in self.rim(area) {
            if let Some(other) = self.face_left_of(h.twin()).and_then(|f| self.owner_at(f, level)) {
                *shared_m.entry(other).or_default() += self.border_length_m(h.border());
            }
        }
        shared_m.into_iter().collect()
    }

    /// The half-edges around an area, its ground at their left.
    fn rim(&self, area: AreaId) -> Vec<HalfEdge> {
        let faces = self.ground(area);
        let inside = |h: &HalfEdge| self.face_left_of(*h).is_some_and(|f| faces.binary_search(&f).is_ok());
        let around = faces.iter().flat_map(|f| self.rings(*f)).flat_map(|ring| self.ring(ring));
        around.filter(|h| !inside(&h.twin())).collect()
    }
}
