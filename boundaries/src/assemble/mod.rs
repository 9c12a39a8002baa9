//! Assembling: from loose, dirty polygons to one valid coverage.
//!
//! One line of steps, each a file: take in the rings, store each edge once, break edges
//! where they meet, trace the faces, flood them with what they lie in, settle who owns
//! them; where ground is left open, snap what nearly meets there and break again; then
//! write records.
//!
//! Invariant: every step keeps each ring closed, counts crossings by parity and knows
//! no order of the input; so neither does the answer. What was wrong is a [`Finding`],
//! never a panic and never silently mended. It must not know files or feature numbers:
//! a finding names areas and places, whoever read the file knows the rest.

mod claims;
mod exchange;
mod graph;
mod invalid;
mod labels;
mod measure;
mod mesh;
mod node;
mod over;
mod overlay;
mod parts;
mod records;
mod roster;
mod settle;
mod snap;

use std::sync::Arc;

use crate::area::{Area, AreaId};
use crate::coverage::Coverage;
use crate::finding::{Finding, FindingKind};
use crate::lattice::Point;
use crate::pairs::Crowded;
use crate::polygon::Polygon;

pub use exchange::{Exchange, Exchanges};
pub(crate) use over::{Broken, break_over};
pub use overlay::{Overlay, Owners};

use claims::Rings;
use graph::Graph;
use labels::Labels;
use mesh::Mesh;
use node::Unbroken;
use settle::Bench;
use snap::NearMisses;

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
    /// How far apart two vertices, or a vertex and a line, may be to be taken for one, in
    /// metres; what is more than 10 is taken for 10.
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
    claims: Vec<Claim>,
    settings: &Settings,
) -> Assembly {
    let mut findings = roster::check(&levels, &areas);
    let coverage = if blocked(&findings) { None } else { pipeline(levels, areas, claims, settings, &mut findings) };
    findings.sort_by_key(|f| !f.blocking);
    let coverage = coverage.filter(|_| !blocked(&findings));
    Assembly { coverage, findings }
}

fn blocked(findings: &[Finding]) -> bool {
    findings.iter().any(|f| f.blocking)
}

/// After so many rounds of bringing together, what still nearly meets stays as it is.
const SNAPS: usize = 3;

/// What is said of polygons whose edges meet more often than is worked through.
const TANGLED: &str = "edges meet so often, or lie so densely, that they are no drawing of areas: look whether \
    the file has several levels or copies on top of each other, or lines drawn without lifting the pen";

fn give_up(why: &str, place: Option<Point>, findings: &mut Vec<Finding>) -> Option<Coverage> {
    findings.push(Finding { place, ..Finding::new(FindingKind::Limit, true, Vec::new(), why) });
    None
}

fn tangled(rings: &Rings, place: Point, findings: &mut Vec<Finding>) -> Option<Coverage> {
    let ring =
        rings.points.iter().position(|p| *p == place).map(|at| rings.starts.partition_point(|s| *s <= at as u32));
    let owner = ring.and_then(|after| rings.of.get(after.checked_sub(1)?)).map(|of| of.area);
    findings.push(Finding::new(FindingKind::Limit, true, owner.into_iter().collect(), TANGLED).at(place));
    None
}

fn pipeline(
    levels: Arc<[Arc<str>]>,
    areas: Vec<(AreaId, Area)>,
    claims: Vec<Claim>,
    settings: &Settings,
    findings: &mut Vec<Finding>,
) -> Option<Coverage> {
    let table = roster::table(&areas);
    let rings = claims::take_in(&table, claims, settings, findings);
    let (mut mesh, vertex_of) = Mesh::of(&rings);
    let mut suspects = invalid::suspects(&rings, &vertex_of, mesh.points.len());
    drop(vertex_of);
    let mut near = NearMisses::of(&rings);
    let mut rounds = 0..=SNAPS;
    let (settlement, graph) = loop {
        match node::node(&mut mesh) {
            Ok(more) => suspects.extend(more),
            Err(Unbroken::Endless(place)) => {
                return give_up("edges meet anew however often they are broken", Some(place), findings);
            }
            Err(Unbroken::Crowded(place)) => return tangled(&rings, place, findings),
        }
        let graph = Graph::of(&mesh);
        let Some(labels) = Labels::flood(&mesh, &graph) else {
            return give_up("polygons are piled up too deep", None, findings);
        };
        let bench = Bench { areas: &table, rings: &rings, mesh: &mesh, graph: &graph, labels: &labels, settings };
        if rounds.next() == Some(0) && settle::is_crowded(&bench) {
            // Back to the edges as they were drawn: broken where they cross, they share
            // vertices that none of the two polygons had.
            let mut drawn = Mesh::of(&rings).0;
            let loose = snap::without_partner(&drawn, &rings);
            match snap::snap(&mut drawn, &loose, settings.tolerance_m, &mut near) {
                Ok(true) => {
                    mesh = drawn;
                    continue;
                }
                Ok(false) => {}
                Err(Crowded(place)) => return tangled(&rings, place, findings),
            }
        }
        let settlement = settle::settle(&bench);
        let loose = snap::at_open_ground(&mesh, &graph, &settlement.open);
        if rounds.is_empty() {
            break (settlement, graph);
        }
        match snap::snap(&mut mesh, &loose, settings.tolerance_m, &mut near) {
            Ok(true) => {}
            Ok(false) => break (settlement, graph),
            Err(Crowded(place)) => return tangled(&rings, place, findings),
        }
    };
    invalid::inspect(&rings, suspects, settings, findings);
    findings.extend(settlement.findings);
    findings.extend(near.into_findings());
    if blocked(findings) {
        return None;
    }
    let owners = settlement.owners;
    let (faces, borders) = records::records(&mesh, &graph, &owners);
    drop((table, mesh, graph));
    match Coverage::build(levels, areas, faces, borders) {
        Ok(coverage) => {
            findings.extend(parts::detached(&coverage, &rings));
            Some(coverage)
        }
        Err(e) => {
            let finding = Finding::new(FindingKind::InvalidPolygon, true, Vec::new(), e.reason);
            findings.push(Finding { place: e.place, ..finding });
            None
        }
    }
}

#[cfg(test)]
mod tests;
