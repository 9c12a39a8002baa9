//! First step: the rings of the claims, cleaned of what has no meaning (repeated
//! points), and put into one flat table. Rings that can enclose nothing are left
//! out and reported.

use crate::area::{Area, AreaId, Level};
use crate::finding::{Finding, FindingKind};
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;

use super::{Claim, Settings};

/// Half the globe in lattice units: no administrative polygon is that wide, one that
/// runs over the antimeridian without being cut there seems to be.
const WIDEST: i64 = 1_800_000_000;

/// A ring of a claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingOf {
    /// Whose it is.
    pub(super) area: AreaId,
    /// The level of that area.
    pub(super) level: Level,
    /// The claim that it belongs to.
    pub(super) claim: u32,
    /// Whether it is cut out of the claim's shell.
    pub(super) is_hole: bool,
}

/// All rings, one after the other; within a claim the shell comes first.
#[derive(Debug, Default)]
pub(super) struct Rings {
    pub(super) of: Vec<RingOf>,
    /// Where each ring's points begin; one more entry than rings.
    pub(super) starts: Vec<u32>,
    pub(super) points: Vec<Point>,
}

impl Rings {
    pub(super) fn points_of(&self, ring: u32) -> &[Point] {
        &self.points[self.starts[ring as usize] as usize..self.starts[ring as usize + 1] as usize]
    }
}

/// Takes in the rings of all claims whose area is known, and lets go of each as it is
/// taken in: the rest of the work needs the room.
pub(super) fn take_in(
    areas: &[Option<&Area>],
    claims: Vec<Claim>,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) -> Rings {
    let mut rings = Rings { starts: vec![0], ..Rings::default() };
    let mut parts = vec![0u32; areas.len()];
    for claim in &claims {
        if let Some(n) = parts.get_mut(claim.area.0 as usize) {
            *n += 1;
        }
    }
    let vertices: usize = claims.iter().flat_map(|c| c.polygon.rings()).map(<[Point]>::len).sum();
    if vertices >= u32::MAX as usize / 4 {
        let note = format!("{vertices} vertices are more than one coverage takes");
        findings.push(Finding::new(FindingKind::Limit, true, Vec::new(), note));
        return rings;
    }
    rings.points.reserve(vertices);
    for (number, claim) in claims.into_iter().enumerate() {
        let Some(area) = areas.get(claim.area.0 as usize).copied().flatten() else {
            let note = format!("a polygon belongs to area {}, which is not listed", claim.area.0);
            findings.push(Finding {
                place: claim.polygon.shell.first().copied(),
                ..Finding::new(FindingKind::InvalidPolygon, true, vec![claim.area], note)
            });
            continue;
        };
        for (i, ring) in claim.polygon.rings().enumerate() {
            let is_hole = i > 0;
            let begin = rings.points.len();
            for &p in ring {
                if rings.points.len() == begin || rings.points.last() != Some(&p) {
                    rings.points.push(p);
                }
            }
            while rings.points.len() > begin + 1 && rings.points.last() == rings.points.get(begin) {
                rings.points.pop();
            }
            let only = parts[claim.area.0 as usize] == 1;
            if let Some((why, blocking)) = refusal(&rings.points[begin..], is_hole, only, settings) {
                let bounds = Bounds::of(ring.iter().copied());
                findings.push(Finding {
                    place: ring.first().copied(),
                    bounds,
                    ..Finding::new(FindingKind::InvalidPolygon, blocking, vec![claim.area], why)
                });
                rings.points.truncate(begin);
                if is_hole {
                    continue;
                }
                // Without its shell the rest of the polygon says nothing.
                break;
            }
            rings.of.push(RingOf { area: claim.area, level: area.level, claim: number as u32, is_hole });
            rings.starts.push(rings.points.len() as u32);
        }
    }
    rings
}

/// Why a ring encloses nothing, and whether that forbids a coverage: not where it is a
/// hole, or a speck beside other parts, that the lattice has swallowed.
fn refusal(ring: &[Point], is_hole: bool, only_part: bool, settings: &Settings) -> Option<(String, bool)> {
    let bounds = Bounds::of(ring.iter().copied());
    let what = if is_hole { "a hole" } else { "a ring" };
    if ring.iter().any(|p| !p.is_on_globe()) {
        return Some((format!("{what} leaves the globe"), true));
    }
    let width = i64::from(bounds.max.x) - i64::from(bounds.min.x);
    if !ring.is_empty() && width > WIDEST {
        let hint = "is wider than 180 degrees of longitude: cut it at the antimeridian (or its coordinates are wrong)";
        return Some((format!("{what} {hint}"), true));
    }
    let first = ring.first().copied().unwrap_or_default();
    let second = ring.get(1).copied().unwrap_or_default();
    let flat = ring.iter().all(|p| crate::lattice::orient(first, second, *p).is_eq());
    if ring.len() >= 3 && !flat {
        return None;
    }
    let reach_m =
        if ring.is_empty() { 0.0 } else { Frame::between(bounds.min, bounds.max).distance_m(bounds.min, bounds.max) };
    let swallowed = !ring.is_empty() && reach_m < settings.sliver_width_m;
    let why = match ring.len() {
        0 => format!("{what} has no points"),
        n @ 1..=2 => format!("{what} has only {n} different points, so it encloses nothing"),
        _ => format!("{what} has all its points on one line, so it encloses nothing"),
    };
    Some((why, !(is_hole || swallowed && !only_part)))
}
