//! Checking a coverage against everything that its type promises.
//!
//! All of it is worked out afresh from the lines and compared: links by sorting around
//! nodes, rings by walking, nesting by looking west, crossings by comparing every pair
//! of segments that come near. It costs about as much as assembling.

use std::fmt;

use crate::area::AreaId;
use crate::build::{Out, links_around, twice_area_along};
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::levels::Regions;
use crate::pairs::{Crowded, near_pairs};
use crate::segment::{Segment, cross, holds};
use crate::topology::{FaceId, HalfEdge};
use crate::west::look_west;

/// Defects after which a check stops looking for more of the same kind.
const MOST_OF_A_KIND: usize = 1_000;

/// What is wrong with a coverage, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Defect {
    /// What is wrong, for people.
    pub reason: String,
    /// The place, where it has one.
    pub place: Option<Point>,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(p) => write!(f, "{} at {:.7} {:.7}", self.reason, p.lon(), p.lat()),
            None => f.write_str(&self.reason),
        }
    }
}

fn defect(reason: impl Into<String>, place: Option<Point>) -> Defect {
    Defect { reason: reason.into(), place }
}

impl Coverage {
    /// Verifies the whole graph.
    ///
    /// # Errors
    ///
    /// All defects: links that don't follow the angles around a node, rings that don't
    /// fit their face, faces without their one owner or nested wrongly, lines that
    /// cross or touch but in nodes, levels that don't descend, Euler's count
    /// (V - E + F = 1 + C), or ground that doesn't add up to what the outline encloses.
    pub fn sanity_check(&self) -> Result<(), Vec<Defect>> {
        let mut defects = Vec::new();
        defects.extend(self.check_links());
        defects.extend(self.check_areas());
        let rings = self.check_rings(&mut defects);
        // What follows walks rings, which must be closed for that.
        if defects.is_empty() {
            defects.extend(self.check_count(&rings));
            defects.extend(self.check_ground());
            defects.extend(self.check_crossings());
            defects.extend(self.check_nesting());
        }
        if defects.is_empty() { Ok(()) } else { Err(defects) }
    }

    fn half_edges(&self) -> impl Iterator<Item = HalfEdge> + '_ {
        self.borders().flat_map(|(id, _)| [HalfEdge::new(id, true), HalfEdge::new(id, false)])
    }

    fn check_links(&self) -> Vec<Defect> {
        let mut outs: Vec<(Point, Out)> = Vec::new();
        let mut defects = Vec::new();
        for (id, b) in self.borders() {
            if b.line.len() < 2 || b.line.windows(2).any(|w| w[0] == w[1]) {
                defects.push(defect(format!("border {} has a vertex twice in a row", id.0), b.line.first().copied()));
                continue;
            }
            outs.push((b.line[0], Out::of(HalfEdge::new(id, true), b)));
            outs.push((b.line[b.line.len() - 1], Out::of(HalfEdge::new(id, false), b)));
        }
        outs.sort_unstable_by_key(|o| o.0);
        for around in outs.chunk_by(|a, b| a.0 == b.0) {
            let mut outs: Vec<Out> = around.iter().map(|o| o.1).collect();
            match links_around(&mut outs) {
                Err(e) => defects.push(defect(e.reason, e.place)),
                Ok(links) => {
                    for (arriving, leaving) in links {
                        if self.next(arriving) != Some(leaving) {
                            let reason = format!("border {} is followed by the wrong one", arriving.border().0);
                            defects.push(defect(reason, Some(around[0].0)));
                        }
                    }
                }
            }
        }
        defects
    }

    /// Walks every ring; gives the ring of each half-edge.
    fn check_rings(&self, defects: &mut Vec<Defect>) -> usize {
        let mut met = vec![false; self.border_slots() * 2];
        let mut rings = 0;
        for (id, face) in self.faces() {
            let (mut twice_area, mut bounds) = (0i128, Bounds::EMPTY);
            for (i, start) in self.rings(id).enumerate() {
                rings += 1;
                let Some(origin) = self.border(start.border()).map(|b| b.line[0]) else {
                    defects.push(defect(format!("face {} names a border that does not exist", id.0), None));
                    continue;
                };
                let mut own = 0i128;
                let mut at = Some(start);
                while let Some(h) = at {
                    let Some(b) = self.border(h.border()) else { break };
                    if std::mem::replace(&mut met[h.0 as usize], true) || self.face_left_of(h) != Some(id) {
                        defects.push(defect(format!("a ring of face {} is not its own", id.0), Some(origin)));
                        break;
                    }
                    let along = twice_area_along(&b.line, origin);
                    own += if h.is_forward() { along } else { -along };
                    if i == 0 {
                        bounds = b.line.iter().fold(bounds, |all, p| all.with(*p));
                    }
                    at = self.next(h).filter(|n| *n != start);
                }
                let is_outer = i == 0 && face.outer.is_some();
                if (own > 0) != is_outer || own == 0 {
                    defects.push(defect(format!("a ring of face {} runs the wrong way", id.0), Some(origin)));
                }
                twice_area += own;
            }
            if id == FaceId::OUTSIDE {
                if face.owner.is_some() || face.outer.is_some() {
                    defects.push(defect("the outside has an owner or an outer ring", None));
                }
            } else if face.outer.is_none() || twice_area != face.twice_area || bounds != face.bounds {
                defects.push(defect(format!("face {} has another size than its rings", id.0), Some(face.bounds.min)));
            }
        }
        for h in self.half_edges().filter(|h| !met[h.0 as usize]) {
            let place = self.border(h.border()).map(|b| b.line[0]);
            defects.push(defect(format!("border {} has a side that no face's ring passes", h.border().0), place));
        }
        rings
    }

    fn check_areas(&self) -> Vec<Defect> {
        let mut defects = Vec::new();
        for (id, area) in self.areas() {
            let above = area.parent.and_then(|p| self.area(p));
            if area.parent.is_some() && above.is_none_or(|a| a.level >= area.level) {
                defects.push(defect(format!("{} has no parent above it", area.code), None));
            }
            if area.parent.is_some_and(|p| self.children(p).binary_search(&id).is_err()) {
                defects.push(defect(format!("{} is not among the areas below its parent", area.code), None));
            }
            if usize::from(area.level.0) >= self.levels().len() || self.area_by_code(&area.code) != Some(id) {
                defects.push(defect(format!("{} has no level or is not found by its code", area.code), None));
            }
            for face in self.faces_of(id).iter().filter(|f| self.face(**f).is_none_or(|f| f.owner != Some(id))) {
                defects.push(defect(format!("{} counts face {} as its own", area.code, face.0), None));
            }
            let below = |c: &AreaId| self.area(*c).is_some_and(|c| c.parent == Some(id));
            if !self.children(id).iter().all(below) {
                defects.push(defect(format!("{} counts others' areas below it", area.code), None));
            }
        }
        for (id, face) in self.faces() {
            if face.owner.is_some_and(|o| self.faces_of(o).binary_search(&id).is_err()) {
                defects.push(defect(format!("face {} is not counted by its owner", id.0), Some(face.bounds.min)));
            }
        }
        defects
    }

    /// Euler: nodes - borders + faces = 1 + connected pieces.
    fn check_count(&self, rings: &usize) -> Option<Defect> {
        let mut nodes: Vec<Point> = self.borders().flat_map(|(_, b)| [b.line[0], b.line[b.line.len() - 1]]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let number = |p: &Point| nodes.binary_search(p).unwrap_or_default() as u32;
        let mut pieces = Regions((0..nodes.len() as u32).collect());
        for (_, b) in self.borders() {
            pieces.join(number(&b.line[0]), number(&b.line[b.line.len() - 1]));
        }
        let pieces = (0..nodes.len() as u32).filter(|n| pieces.find(*n) == *n).count();
        let (borders, faces) = (self.borders().count(), self.faces().count());
        // Each piece has one ring seen from outside, each face but the outside one outer ring.
        let fits = nodes.len() + faces == 1 + pieces + borders && *rings == faces - 1 + pieces;
        let count = format!("{} nodes - {borders} borders + {faces} faces, 1 + {pieces} pieces", nodes.len());
        (!fits).then(|| defect(format!("Euler's count is off: {count}, {rings} rings"), None))
    }

    /// Twice the faces' ground is twice what the outline encloses.
    fn check_ground(&self) -> Option<Defect> {
        let faces: i128 = self.faces().map(|(_, f)| f.twice_area).sum();
        let mut outline = 0i128;
        for h in self.rings(FaceId::OUTSIDE).flat_map(|ring| self.ring(ring)) {
            let along = self.border(h.border()).map_or(0, |b| twice_area_along(&b.line, Point::default()));
            outline += if h.is_forward() { along } else { -along };
        }
        (faces + outline != 0)
            .then(|| defect(format!("the faces have {faces}, the outline encloses {}", -outline), None))
    }

    fn segments(&self) -> (Vec<Segment>, Vec<HalfEdge>) {
        let mut segments = Vec::new();
        let mut of = Vec::new();
        for (id, b) in self.borders() {
            segments.extend(b.line.windows(2).map(|w| [w[0], w[1]]));
            of.resize(segments.len(), HalfEdge::new(id, true));
        }
        (segments, of)
    }

    fn check_crossings(&self) -> Vec<Defect> {
        let (segments, of) = self.segments();
        let meetings = near_pairs(&segments, [0, 0], &|_| true, &|i, j, out: &mut Vec<(Point, u32, u32)>| {
            let (e, f) = (segments[i], segments[j]);
            let on = |s: Segment, p: Point| p != s[0] && p != s[1] && holds(s, p);
            let touch = f.into_iter().find(|p| on(e, *p)).or_else(|| e.into_iter().find(|p| on(f, *p)));
            let twice = (e == f || e == [f[1], f[0]]).then_some(e[0]);
            let place = touch.or(twice).or_else(|| cross(e, f).then_some(e[0]));
            out.extend(place.map(|p| (p, of[i].border().0, of[j].border().0)));
        });
        let mut places = match meetings {
            Ok(places) => places,
            Err(Crowded(place)) => return vec![defect("lines meet too often to be looked through", Some(place))],
        };
        // A vertex that lies in a line, not at its end, is nowhere else.
        let mut vertices: Vec<(Point, u32, bool)> = Vec::new();
        for (id, b) in self.borders() {
            let last = b.line.len() - 1;
            vertices.extend(b.line.iter().enumerate().map(|(i, p)| (*p, id.0, i == 0 || i == last)));
        }
        vertices.sort_unstable();
        for same in vertices.chunk_by(|a, b| a.0 == b.0) {
            if same.len() > 1 && same.iter().any(|v| !v.2) {
                places.push((same[0].0, same[0].1, same[1].1));
            }
        }
        places.sort_unstable();
        places.dedup();
        let meet = |(p, a, b): (Point, u32, u32)| defect(format!("borders {a} and {b} meet outside a node"), Some(p));
        places.into_iter().take(MOST_OF_A_KIND).map(meet).collect()
    }

    /// What lies to the west of an inner ring is the face that it is a ring of.
    fn check_nesting(&self) -> Vec<Defect> {
        let mut rings: Vec<(Point, FaceId)> = Vec::new();
        for (id, face) in self.faces() {
            for &h in face.holes.iter() {
                rings.extend(self.ring_points(h).into_iter().min().map(|p| (p, id)));
            }
        }
        let (segments, of) = self.segments();
        let places: Vec<Point> = rings.iter().map(|r| r.0).collect();
        let mut defects = Vec::new();
        for ((place, face), seen) in rings.into_iter().zip(look_west(&segments, &places)) {
            let there = seen.and_then(|s| {
                let forward = of[s.segment];
                self.face_left_of(if s.left { forward } else { forward.twin() })
            });
            if there.unwrap_or(FaceId::OUTSIDE) != face {
                defects.push(defect(format!("a piece lies in another face than {}", face.0), Some(place)));
            }
        }
        defects.truncate(MOST_OF_A_KIND);
        defects
    }
}

#[cfg(test)]
mod tests;
