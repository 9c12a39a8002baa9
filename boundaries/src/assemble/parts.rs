//! After the last step: areas that came out in several parts, or in none.

use crate::area::AreaId;
use crate::coverage::Coverage;
use crate::finding::{Finding, FindingKind};
use crate::topology::FaceId;

use super::claims::Rings;
use super::measure::Size;

/// A finding for every part of an area but its largest, and for every area with
/// polygons that kept no ground. Only what an area owns itself is looked at.
pub(super) fn detached(coverage: &Coverage, rings: &Rings) -> Vec<Finding> {
    let mut declared = vec![0usize; coverage.area_slots()];
    for of in rings.of.iter().filter(|r| !r.is_hole) {
        declared[of.area.0 as usize] += 1;
    }
    let mut findings = Vec::new();
    for (id, area) in coverage.areas() {
        let declared = declared[id.0 as usize];
        let faces = coverage.faces_of(id);
        if declared > 0 && faces.is_empty() && !has_ground_below(coverage, id) {
            let note = format!("{} kept no ground of its own", area.code);
            findings.push(Finding::new(FindingKind::NoGround, false, vec![id], note));
        }
        // What an area keeps between those below it is a gap, not a part.
        if faces.len() < 2 || has_ground_below(coverage, id) {
            continue;
        }
        let twice_area = |f: &FaceId| coverage.face(*f).map_or(0, |f| f.twice_area);
        let Some(largest) = faces.iter().max_by_key(|f| (twice_area(f), std::cmp::Reverse(**f))) else { continue };
        for face in faces.iter().filter(|f| *f != largest) {
            let Some(outer) = coverage.face(*face).and_then(|f| f.outer) else { continue };
            let ring = coverage.ring_points(outer);
            let size = Size::of_ring(&ring);
            let arose = if faces.len() > declared { ", more than it was drawn in" } else { "" };
            let note = format!("a part of {}, which lies in {} parts{arose}", area.code, faces.len());
            findings.push(Finding {
                place: ring.first().copied(),
                bounds: size.bounds,
                area_m2: size.area_m2,
                width_m: size.width_m,
                outline: vec![ring],
                ..Finding::new(FindingKind::DetachedPart, false, vec![id], note)
            });
        }
    }
    findings
}

fn has_ground_below(coverage: &Coverage, id: AreaId) -> bool {
    coverage.children(id).iter().any(|c| !coverage.faces_of(*c).is_empty() || has_ground_below(coverage, *c))
}
