//! What an import found and did, as a value that people and programs read: JSON,
//! GeoJSON (one feature a finding) and a page of HTML (see [`super::page`]).

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use boundaries::{AreaId, Finding, Point};
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::json;

use super::as_plan::Planned;
use super::draft::Defect;

/// The outcome of an import of areas.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The file that was read.
    pub file: String,
    /// The coverage that it describes.
    pub coverage: String,
    /// The datum or projection that the file's coordinates were taken to be in.
    pub crs: String,
    /// Whether the store was left alone on request.
    pub dry_run: bool,
    /// The revision that the import made; absent where it was refused, changed nothing or was a dry run.
    pub revision: Option<u64>,
    /// How many features of the file were used.
    pub features: usize,
    /// How many areas the file adds, changes, removes and leaves as they are.
    pub areas: Counts,
    /// Why nothing was changed, one sentence each; empty where the import is good.
    pub refusals: Vec<String>,
    /// What a person should look at although it is no defect of the graph.
    pub hints: Vec<String>,
    /// Everything that was found wrong with the polygons, worst first.
    pub findings: Vec<Row>,
    /// The plan that was made of the difference, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Planned>,
    /// The borders of the outcome, for the page alone; the graph's own memory.
    #[serde(skip)]
    pub sketch: Vec<Arc<[Point]>>,
}

/// What a sync did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Not there before.
    pub added: usize,
    /// There before with other content.
    pub changed: usize,
    /// There before, and not in the file.
    pub removed: usize,
    /// The same as before.
    pub unchanged: usize,
}

impl Counts {
    /// The share of what was there that vanishes, in percent.
    #[must_use]
    pub fn removed_percent(&self) -> f64 {
        let before = self.changed + self.removed + self.unchanged;
        if before == 0 { 0.0 } else { self.removed as f64 * 100.0 / before as f64 }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.added + self.changed + self.removed == 0
    }
}

/// One finding, in the terms of the file. Positions are WGS-84 degrees.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// A stable name: `gap`, `overlap`, `sliver`, ...
    pub kind: &'static str,
    /// Whether the import was refused for it.
    pub blocking: bool,
    /// Where to look: lon, lat. A code given twice has no place.
    pub place: Option<[f64; 2]>,
    /// West, south, east, north of what was found.
    pub bbox: Option<[f64; 4]>,
    /// Ground concerned, in square metres.
    pub area_m2: f64,
    /// Its width in metres.
    pub width_m: f64,
    /// The codes of the areas concerned, ascending.
    pub codes: Vec<String>,
    /// Where those areas stand in the file.
    pub features: Vec<String>,
    /// What it is and what was done about it, in words.
    pub note: String,
    /// The outline of the ground concerned; empty for findings about a place or a code.
    #[serde(skip)]
    pub outline: Vec<Vec<[f64; 2]>>,
}

impl Row {
    /// A finding of the assembly in the terms of the file.
    #[must_use]
    pub fn of(finding: Finding, codes: &FxHashMap<AreaId, Arc<str>>, features: &FxHashMap<AreaId, Arc<str>>) -> Self {
        let degrees = |p: &Point| [p.lon(), p.lat()];
        let named = |names: &FxHashMap<AreaId, Arc<str>>| {
            finding.owners.iter().filter_map(|id| names.get(id)).map(ToString::to_string).collect()
        };
        let ([west, south], [east, north]) = (degrees(&finding.bounds.min), degrees(&finding.bounds.max));
        Self {
            kind: finding.kind.name(),
            blocking: finding.blocking,
            place: finding.place.as_ref().map(degrees),
            bbox: (!finding.bounds.is_empty()).then_some([west, south, east, north]),
            area_m2: finding.area_m2,
            width_m: finding.width_m,
            codes: named(codes),
            features: named(features),
            note: finding.note,
            outline: finding.outline.iter().map(|ring| ring.iter().map(degrees).collect()).collect(),
        }
    }

    /// Something wrong with the codes of the file.
    #[must_use]
    pub(super) fn of_code(defect: &Defect) -> Self {
        Self {
            kind: defect.kind,
            blocking: true,
            place: None,
            bbox: None,
            area_m2: 0.0,
            width_m: 0.0,
            codes: vec![defect.code.to_string()],
            features: defect.features.iter().map(ToString::to_string).collect(),
            note: defect.note.clone(),
            outline: Vec::new(),
        }
    }

    /// The finding as one line: what, where in the file, where on the ground.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = self.note.clone();
        if !self.features.is_empty() {
            text += &format!(" ({})", self.features.join(", "));
        }
        if self.area_m2 > 0.0 {
            text += &format!(", {:.2} m²", self.area_m2);
        }
        if let Some([lon, lat]) = self.place {
            text += &format!(" at {lon:.7} {lat:.7}");
        }
        text
    }
}

impl Report {
    /// Whether the import was refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// How many findings there are of each kind, by name.
    #[must_use]
    pub fn tally(&self) -> Vec<(&'static str, usize)> {
        let mut tally: Vec<(&'static str, usize)> = Vec::new();
        for row in &self.findings {
            match tally.iter_mut().find(|(kind, _)| *kind == row.kind) {
                Some((_, n)) => *n += 1,
                None => tally.push((row.kind, 1)),
            }
        }
        tally.sort_unstable();
        tally
    }

    /// The report as one GeoJSON `FeatureCollection`: each finding where it lies, as
    /// the ground concerned or as a point.
    #[must_use]
    pub fn to_geojson(&self) -> serde_json::Value {
        let features: Vec<_> = self
            .findings
            .iter()
            .map(|row| {
                let closed = |ring: &Vec<[f64; 2]>| ring.iter().chain(ring.first()).copied().collect::<Vec<_>>();
                let geometry = match row.place {
                    None => json!(null),
                    Some(place) if row.outline.is_empty() => json!({"type": "Point", "coordinates": place}),
                    Some(_) => {
                        json!({"type": "Polygon", "coordinates": row.outline.iter().map(closed).collect::<Vec<_>>()})
                    }
                };
                json!({"type": "Feature", "geometry": geometry, "properties": row})
            })
            .collect();
        json!({
            "type": "FeatureCollection",
            "features": features,
            "gridatlas": {"file": self.file, "coverage": self.coverage, "crs": self.crs, "areas": self.areas,
                "refusals": self.refusals, "hints": self.hints},
        })
    }

    /// Writes the report in the form that the file's ending names: `.json`, `.geojson` or `.html`.
    ///
    /// # Errors
    ///
    /// An ending that names no form, or whatever keeps the file from being written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = match path.extension().and_then(|e| e.to_str()) {
            Some("json") => serde_json::to_string_pretty(self)?,
            Some("geojson") => serde_json::to_string(&self.to_geojson())?,
            Some("html") => super::page::page(self),
            _ => {
                let reason = format!("{}: a report ends in .json, .geojson or .html", path.display());
                return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, reason));
            }
        };
        std::fs::write(path, text)
    }
}

/// Findings that the summary lists one by one.
const LISTED_MAX: usize = 20;

/// The report as a person reads it in a terminal.
#[must_use]
pub fn summary(report: &Report) -> String {
    let mut out = String::new();
    let c = report.areas;
    // Writing to a String cannot fail, so the results carry nothing.
    let _ = writeln!(out, "{} features of {}, read as {}", report.features, report.file, report.crs);
    if !report.is_refused() || !c.is_same() {
        let _ = writeln!(
            out,
            "areas: {} added, {} changed, {} removed, {} unchanged",
            c.added, c.changed, c.removed, c.unchanged
        );
    }
    for (kind, n) in report.tally() {
        let _ = writeln!(out, "{n:>6} {}", kind.replace('_', " "));
    }
    for row in report.findings.iter().take(LISTED_MAX) {
        let _ = writeln!(
            out,
            "  {}{}: {}",
            if row.blocking { "blocks: " } else { "" },
            row.kind.replace('_', " "),
            row.sentence()
        );
    }
    if report.findings.len() > LISTED_MAX {
        let _ = writeln!(
            out,
            "  ... and {} more; --report FILE.html shows them on a map",
            report.findings.len() - LISTED_MAX
        );
    }
    for hint in &report.hints {
        let _ = writeln!(out, "hint: {hint}");
    }
    if let Some(plan) = report.plan.as_ref().filter(|_| !report.is_refused()) {
        let _ = write!(out, "{}", planned(plan, report.dry_run));
        return out;
    }
    let outcome = match (report.is_refused(), report.dry_run, report.revision) {
        (true, ..) => "refused, nothing was changed".to_string(),
        (_, true, _) => "dry run: nothing was changed".to_string(),
        (_, _, Some(n)) => format!("published as revision {n} of {}", report.coverage),
        (_, _, None) => "the store already says the same; nothing was changed".to_string(),
    };
    let _ = writeln!(out, "{outcome}");
    out
}

/// A plan that was made, or would be, and what comes next.
fn planned(plan: &Planned, dry_run: bool) -> String {
    if plan.edits.is_empty() {
        return format!("no difference from revision {}: no plan was made\n", plan.base);
    }
    let edits: Vec<String> = plan.edits.iter().map(|(op, n)| format!("{n} {op}")).collect();
    let (count, edits) = (plan.count(), edits.join(", "));
    match &plan.id {
        Some(id) => format!(
            "plan {id}, \"{}\", on revision {}: {count} edits ({edits})\nnext: gridatlas plan preview {id}, then \
             plan submit {id}, approve and publish\n",
            plan.name, plan.base
        ),
        None if dry_run => format!("dry run: a plan on revision {} would have {count} edits ({edits})\n", plan.base),
        None => String::new(),
    }
}
