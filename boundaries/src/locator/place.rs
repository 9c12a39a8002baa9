//! What is known of a place beyond its face: who touches it, how far the border is,
//! and who is nearest where nobody owns it.

use super::Locator;
use super::grid::NO_RANK;
use super::search::Sought;
use crate::area::AreaId;
use crate::coverage::Coverage;
use crate::lattice::{Point, UNITS_PER_DEGREE};
use crate::metres::Frame;
use crate::topology::{BorderId, FaceId};

/// What is known of a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The face that the point belongs to.
    pub face: FaceId,
    /// The deepest area known there; `None` outside everything and in gaps.
    pub owner: Option<AreaId>,
    /// Whether ownership changes at this very point: faces of different owners (or
    /// of an owner and of none) meet in it, and the half-open rule chose among them.
    pub on_border: bool,
    /// Every area that owns a face that touches the point, the owner included, by code.
    pub touching: Vec<AreaId>,
    /// Metres to the outline of the owner, taken at the owner's own level (what the
    /// areas below it divide among themselves is not its outline); `None` without an
    /// owner. Measured in the [`Frame`] of the point's latitude.
    pub border_distance_m: Option<f64>,
}

/// The area nearest to a place that nobody owns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearest {
    /// The area; the lower code where several are equally near.
    pub area: AreaId,
    /// Metres to its ground.
    pub distance_m: f64,
}

/// Once around the globe in lattice units.
const AROUND: i64 = 360 * UNITS_PER_DEGREE as i64;

impl Locator {
    /// Everything about a place. `coverage` is the one that the locator was built from.
    #[must_use]
    pub fn place(&self, coverage: &Coverage, p: Point) -> Place {
        let face = self.face_at(p);
        let owner = self.owner_of(face);
        let mut touching: Vec<_> = owner.iter().map(|o| o.area).collect();
        let on_border = self.touch(coverage, p, &mut touching);
        let border_distance_m = owner.map(|o| {
            let sought = self.sought(i64::from(p.x), p.y, o.level.0);
            let mut nearest_2 = f64::INFINITY;
            sought.for_each(&self.grid, f64::INFINITY, |_, near| {
                nearest_2 = near.distance_2;
                nearest_2
            });
            nearest_2.sqrt()
        });
        Place { face, owner: owner.map(|o| o.area), on_border, touching, border_distance_m }
    }

    /// Metres to the outline of the owner at its own level; see [`Place::border_distance_m`].
    #[must_use]
    pub fn border_distance_m(&self, p: Point) -> Option<f64> {
        let owner = self.owner_of(self.face_at(p))?;
        let mut nearest_2 = f64::INFINITY;
        self.sought(i64::from(p.x), p.y, owner.level.0).for_each(&self.grid, f64::INFINITY, |_, near| {
            nearest_2 = near.distance_2;
            nearest_2
        });
        Some(nearest_2.sqrt())
    }

    /// The area nearest to a point, which may lie in it; `None` for a coverage without
    /// ground.
    ///
    /// The distance is that of the plane half way between the point and the ground: off
    /// by less than 1 part in 1,000 up to 100 km away, below 70 degrees of latitude.
    /// The way across the antimeridian counts.
    #[must_use]
    pub fn nearest_area(&self, coverage: &Coverage, p: Point) -> Option<Nearest> {
        if let Some(area) = self.owner_at(p) {
            return Some(Nearest { area, distance_m: 0.0 });
        }
        // Any level will do: what counts is that somebody owns a side.
        let around = [0, AROUND, -AROUND].map(|turn| self.sought(i64::from(p.x) + turn, p.y, NO_RANK - 1));
        let mut nearest_2 = f64::INFINITY;
        for sought in around {
            if sought.distance_to_grid_2(&self.grid) <= nearest_2 {
                sought.for_each(&self.grid, nearest_2, |_, near| {
                    nearest_2 = near.distance_2;
                    nearest_2
                });
            }
        }
        // That was the plane at the point's latitude. Everything that it might have
        // misjudged is measured again, each on the plane half way there.
        let half_way = HalfWay::of(p.y);
        let mut best: Option<(f64, &str, AreaId)> = None;
        let mut reach_2 = nearest_2 * half_way.widening(nearest_2.sqrt());
        for sought in around {
            sought.for_each(&self.grid, reach_2, |_, near| {
                let distance_2 = half_way.distance_2(near.offset_m);
                if best.is_none_or(|(least_2, ..)| distance_2 <= least_2) {
                    let sides = coverage.border(BorderId(near.border)).map(|b| [b.left, b.right]);
                    for owner in sides.into_iter().flatten().filter_map(|face| self.owner_of(face)) {
                        let code = coverage.area(owner.area).map_or("", |a| &a.code);
                        if best.is_none_or(|(d, c, _)| distance_2 < d || (distance_2 == d && code < c)) {
                            best = Some((distance_2, code, owner.area));
                        }
                    }
                    reach_2 = reach_2.min(distance_2 * half_way.widening(distance_2.sqrt()));
                }
                reach_2
            });
        }
        best.map(|(distance_2, _, area)| Nearest { area, distance_m: distance_2.sqrt() })
    }

    /// The areas that own ground within some metres of a point, nearest first, by code where
    /// they are equally near: the owner of the point, if it has one, at distance 0, and all
    /// who own a side of a border that is no farther. Measured in the [`Frame`] of the
    /// point's latitude.
    #[must_use]
    pub fn areas_within(&self, coverage: &Coverage, p: Point, radius_m: f64) -> Vec<Nearest> {
        let mut found: Vec<Nearest> =
            self.owner_at(p).map(|area| Nearest { area, distance_m: 0.0 }).into_iter().collect();
        let radius_2 = radius_m * radius_m;
        self.sought(i64::from(p.x), p.y, NO_RANK - 1).for_each(&self.grid, radius_2, |_, near| {
            let sides = coverage.border(BorderId(near.border)).filter(|_| near.distance_2 <= radius_2);
            let faces = sides.map(|b| [b.left, b.right]).into_iter().flatten();
            for owner in faces.filter_map(|face| self.owner_of(face)) {
                let distance_m = near.distance_2.sqrt();
                match found.iter_mut().find(|f| f.area == owner.area) {
                    Some(known) => known.distance_m = known.distance_m.min(distance_m),
                    None => found.push(Nearest { area: owner.area, distance_m }),
                }
            }
            radius_2
        });
        let code = |area: AreaId| coverage.area(area).map_or("", |a| &a.code);
        found.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m).then_with(|| code(a.area).cmp(code(b.area))));
        found
    }

    fn sought(&self, x: i64, y: i32, level: u8) -> Sought<'_> {
        // Off the globe the cosine is negative; at a pole a width of nothing divides badly.
        let Frame { east_m, north_m } = Frame::at(y);
        let frame = Frame { east_m: east_m.abs().max(1e-12), north_m };
        Sought { x, y: i64::from(y), frame, level, ranks: &self.ranks }
    }

    /// Adds the owners of all faces that touch `p`, and tells whether they differ.
    fn touch(&self, coverage: &Coverage, p: Point, touching: &mut Vec<AreaId>) -> bool {
        let (slot, ..) = self.grid.layout.slot_of(p);
        let Some(node) = self.grid.node(slot) else { return false };
        let Some(leaf) = node.leaf_at(p.x.into(), p.y.into()) else { return false };
        let centre = leaf.centre();
        let (x, y) = (i64::from(p.x) - centre.0, i64::from(p.y) - centre.1);
        let mut on_border = false;
        leaf.for_each_edge(|a, b, border| {
            let is_within = a.0.min(b.0) <= x && x <= a.0.max(b.0) && a.1.min(b.1) <= y && y <= a.1.max(b.1);
            // Differences take 33 bits, so the products may take 66.
            let product = |u: i64, v: i64| i128::from(u) * i128::from(v);
            if !is_within || product(b.0 - a.0, y - a.1) != product(b.1 - a.1, x - a.0) {
                return;
            }
            let Some(border) = coverage.border(BorderId(border)) else { return };
            let (left, right) = (self.owner_of(border.left), self.owner_of(border.right));
            on_border |= left != right;
            touching.extend(left.into_iter().chain(right).map(|o| o.area));
        });
        if touching.len() > 1 {
            let code = |area: &AreaId| coverage.area(*area).map_or("", |a| &a.code);
            touching.sort_unstable_by(|a, b| code(a).cmp(code(b)).then(a.cmp(b)));
            touching.dedup();
        }
        on_border
    }
}

/// Distances on the plane half way between a latitude and where it is measured to:
/// east-west lengths are those at the middle, north-south ones hardly change.
struct HalfWay {
    tan: f64,
}

impl HalfWay {
    /// The radius of curvature of WGS-84 east-west, at 45 degrees.
    const R_M: f64 = 6_388_838.0;

    fn of(y: i32) -> Self {
        let latitude = (f64::from(y) / f64::from(UNITS_PER_DEGREE)).to_radians();
        // Near the poles the plane is no help, but an answer there is.
        Self { tan: latitude.tan().clamp(-100.0, 100.0) }
    }

    /// The square of a distance, given as an offset on the plane at the latitude itself.
    fn distance_2(&self, (east, north): (f64, f64)) -> f64 {
        let angle = north / (2.0 * Self::R_M);
        // cos(latitude + angle) / cos(latitude) to the second order.
        let ratio = (1.0 - self.tan * angle - angle * angle / 2.0).max(0.0);
        east * east * ratio * ratio + north * north
    }

    /// By how much, squared, what is `distance_m` away or less may look farther than it is.
    fn widening(&self, distance_m: f64) -> f64 {
        let angle = distance_m / (2.0 * Self::R_M);
        // Once more than the ratio at most, for what lies beyond; and for the last bits.
        let ratio = 1.0 + (self.tan.abs() * angle + angle * angle).min(0.5) * 1.2 + 1e-9;
        ratio * ratio
    }
}
