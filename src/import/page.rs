//! The report as one self-contained page: a map of the findings drawn as SVG, and
//! under it each finding with a close-up of its ground. No script is needed to read it.

use std::fmt::Write;
use std::sync::Arc;

use boundaries::Point;

use super::report::{Report, Row};

/// Close-ups drawn at the most: a page with more is slow to open and nobody looks at them.
const CLOSE_UPS_MAX: usize = 400;
/// Width of the map in SVG units.
const MAP_WIDTH: f64 = 1000.0;
/// Side of a close-up in SVG units.
const CLOSE_UP: f64 = 120.0;

/// The page.
#[must_use]
pub(super) fn page(report: &Report) -> String {
    let mut out = String::with_capacity(1 << 16);
    let title = format!("Import of {}", report.file);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head><body><main>\n<h1>{}</h1>\n",
        escape(&title),
        escape(&title)
    );
    summary(&mut out, report);
    map(&mut out, report);
    table(&mut out, report);
    out.push_str("</main></body></html>\n");
    out
}

fn summary(out: &mut String, report: &Report) {
    let outcome = match (report.is_refused(), report.dry_run, report.revision) {
        (true, ..) => "<strong class=\"refused\">Refused</strong>, nothing was changed.".to_string(),
        (_, true, _) => "A dry run: nothing was changed.".to_string(),
        (_, _, Some(n)) => format!("Published as revision {n}."),
        (_, _, None) => "The store already says the same: nothing was changed.".to_string(),
    };
    let c = report.areas;
    let _ = write!(
        out,
        "<p>{outcome} Coverage {}, coordinates taken as {}, {} features.</p>\n<p>Areas: {} added, {} changed, {} removed, {} unchanged.</p>\n",
        escape(&report.coverage),
        escape(&report.crs),
        report.features,
        c.added,
        c.changed,
        c.removed,
        c.unchanged
    );
    for (class, lines) in [("refused", &report.refusals), ("hint", &report.hints)] {
        for line in lines {
            let _ = writeln!(out, "<p class=\"{class}\">{}</p>", escape(line));
        }
    }
    let tally = report.tally();
    if tally.is_empty() {
        out.push_str("<p>No findings: the polygons fit together.</p>\n");
    } else {
        let items: Vec<_> = tally
            .iter()
            .map(|(kind, n)| format!("<li><i class=\"{kind}\"></i>{n} {}</li>", kind.replace('_', " ")))
            .collect();
        let _ = writeln!(out, "<ul class=\"legend\">{}</ul>", items.concat());
    }
}

/// A box in degrees with a scale that keeps shapes right at its latitude.
struct View {
    west: f64,
    north: f64,
    east_scale: f64,
    north_scale: f64,
    height: f64,
}

impl View {
    fn new([west, south, east, north]: [f64; 4], width: f64) -> Self {
        let cos = ((south + north) / 2.0).to_radians().cos().max(0.01);
        let east_scale = width / (east - west).max(1e-9);
        let north_scale = east_scale / cos;
        Self { west, north, east_scale, north_scale, height: ((north - south) * north_scale).clamp(1.0, width * 3.0) }
    }

    fn at(&self, [lon, lat]: [f64; 2]) -> (f64, f64) {
        ((lon - self.west) * self.east_scale, (self.north - lat) * self.north_scale)
    }

    /// A path, leaving out vertices that would not move the pen by a tenth of a unit.
    fn path(&self, line: &[[f64; 2]], close: bool) -> String {
        let mut d = String::new();
        let mut last = (f64::NAN, f64::NAN);
        for (i, p) in line.iter().enumerate() {
            let at = self.at(*p);
            let near = (at.0 - last.0).abs() < 0.1 && (at.1 - last.1).abs() < 0.1;
            if near && i + 1 != line.len() {
                continue;
            }
            let _ = write!(d, "{}{:.1} {:.1}", if d.is_empty() { 'M' } else { 'L' }, at.0, at.1);
            last = at;
        }
        if close {
            d.push('Z');
        }
        d
    }
}

fn map(out: &mut String, report: &Report) {
    let mut bbox = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    let mut grow = |[lon, lat]: [f64; 2]| {
        bbox = [bbox[0].min(lon), bbox[1].min(lat), bbox[2].max(lon), bbox[3].max(lat)];
    };
    report.sketch.iter().flat_map(|line| &**line).for_each(|p| grow(degrees(*p)));
    report.findings.iter().filter_map(|row| row.place).for_each(grow);
    if bbox[0] > bbox[2] {
        return;
    }
    let pad = ((bbox[2] - bbox[0]).max(bbox[3] - bbox[1]) * 0.02).max(1e-6);
    let view = View::new([bbox[0] - pad, bbox[1] - pad, bbox[2] + pad, bbox[3] + pad], MAP_WIDTH);
    let _ = write!(
        out,
        "<svg class=\"map\" viewBox=\"0 0 {MAP_WIDTH} {:.0}\" role=\"img\" aria-label=\"Map of the findings\">\n<path class=\"border\" d=\"",
        view.height
    );
    for line in &report.sketch {
        let line: Vec<_> = line.iter().map(|p| degrees(*p)).collect();
        out.push_str(&view.path(&line, false));
    }
    out.push_str("\"/>\n");
    for (i, row) in report.findings.iter().enumerate().rev() {
        let Some(place) = row.place else { continue };
        let (x, y) = view.at(place);
        let radius = (2.5 + row.area_m2.max(0.0).log10().max(0.0)).min(12.0);
        let _ = writeln!(
            out,
            "<a href=\"#f{i}\"><circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"><title>{}</title></circle></a>",
            row.kind,
            escape(&row.note)
        );
    }
    out.push_str("</svg>\n");
}

fn table(out: &mut String, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    out.push_str("<table><thead><tr><th></th><th>Finding</th><th>Areas</th><th>Size</th><th>Place (lon lat, WGS-84)</th></tr></thead><tbody>\n");
    for (i, row) in report.findings.iter().enumerate() {
        let picture = match row.bbox {
            Some(bbox) if i < CLOSE_UPS_MAX && !row.outline.is_empty() => close_up(row, bbox, &report.sketch),
            _ => String::new(),
        };
        let place = row.place.map_or_else(String::new, |[lon, lat]| format!("{lon:.7} {lat:.7}"));
        let size = if row.area_m2 > 0.0 {
            format!("{} m²<br>{} m wide", figure(row.area_m2), figure(row.width_m))
        } else if row.width_m > 0.0 {
            format!("{} m", figure(row.width_m))
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "<tr id=\"f{i}\"{}><td>{picture}</td><td><i class=\"{}\"></i>{}{}<br>{}</td><td>{}<br><small>{}</small></td><td>{size}</td><td>{place}</td></tr>",
            if row.blocking { " class=\"blocking\"" } else { "" },
            row.kind,
            row.kind.replace('_', " "),
            if row.blocking { " (blocks)" } else { "" },
            escape(&row.note),
            escape(&row.codes.join(", ")),
            escape(&row.features.join(", "))
        );
    }
    out.push_str("</tbody></table>\n");
    if report.findings.len() > CLOSE_UPS_MAX {
        let _ = writeln!(out, "<p>Close-ups are drawn for the first {CLOSE_UPS_MAX} findings.</p>");
    }
}

fn degrees(p: Point) -> [f64; 2] {
    [p.lon(), p.lat()]
}

/// The ground of one finding with some of what lies around it.
fn close_up(row: &Row, [west, south, east, north]: [f64; 4], sketch: &[Arc<[Point]>]) -> String {
    let pad = ((east - west).max(north - south) * 0.25).max(2e-7);
    let cos = ((south + north) / 2.0).to_radians().cos().max(0.01);
    let half = ((east - west) * cos).max(north - south) / 2.0 + pad;
    let (lon, lat) = ((west + east) / 2.0, (south + north) / 2.0);
    let bbox = [lon - half / cos, lat - half, lon + half / cos, lat + half];
    let view = View::new(bbox, CLOSE_UP);
    let mut svg = format!("<svg class=\"close\" viewBox=\"0 0 {CLOSE_UP} {CLOSE_UP}\"><path class=\"border\" d=\"");
    for line in sketch {
        let inside = |w: &[[f64; 2]; 2]| {
            w[0][0].min(w[1][0]) < bbox[2]
                && w[0][0].max(w[1][0]) > bbox[0]
                && w[0][1].min(w[1][1]) < bbox[3]
                && w[0][1].max(w[1][1]) > bbox[1]
        };
        for w in line.windows(2).map(|w| [degrees(w[0]), degrees(w[1])]).filter(inside) {
            svg.push_str(&view.path(&w, false));
        }
    }
    let ground: String = row.outline.iter().map(|ring| view.path(ring, true)).collect();
    let _ = write!(svg, "\"/><path class=\"{}\" fill-rule=\"evenodd\" d=\"{ground}\"/></svg>", row.kind);
    svg
}

/// Three significant digits.
fn figure(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1f2933;--paper:#fbfbf9;--line:#9aa5b1;--rule:#e4e7eb}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7eb;--paper:#16191d;--line:#52606d;--rule:#323f4b}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,'Noto Sans CJK SC',sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px}h1{font-size:22px;overflow-wrap:anywhere}
.map{width:100%;border:1px solid var(--rule);border-radius:6px}
.border{fill:none;stroke:var(--line);stroke-width:.6;vector-effect:non-scaling-stroke}
.refused{color:#c0392b}.hint{border-left:3px solid #b7791f;padding-left:10px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;padding:0}
i{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:6px;background:#7b8794}
circle,.close path:not(.border){fill:#7b8794;fill-opacity:.75;stroke:var(--paper);stroke-width:.8}
i.gap{background:#2b6cb0}circle.gap,.close path.gap{fill:#2b6cb0}
i.overlap{background:#c0392b}circle.overlap,.close path.overlap{fill:#c0392b}
i.sliver{background:#b7791f}circle.sliver,.close path.sliver{fill:#b7791f}
i.outside_parent{background:#6b46c1}circle.outside_parent,.close path.outside_parent{fill:#6b46c1}
i.invalid_polygon,i.duplicate_code,i.missing_parent{background:#97266d}
circle.invalid_polygon,.close path.invalid_polygon{fill:#97266d}
table{border-collapse:collapse;width:100%;margin-top:24px}
th,td{text-align:left;vertical-align:top;padding:6px 10px;border-top:1px solid var(--rule)}
tr:target{background:#b7791f22}tr.blocking td:nth-child(2){color:#c0392b}
.close{width:96px;height:96px;border:1px solid var(--rule);border-radius:4px;background:var(--paper)}
small{opacity:.75}@media print{a{color:inherit}}
";
