//! CRS definitions as text: what `.prj` files hold, in WKT 1, ESRI's dialect or WKT 2.
//!
//! Reads a bounded tree of `KEYWORD[...]`, then looks for the few systems that are
//! supported. Anything else is named in the refusal, with what to pass instead.

use super::transverse::{Ellipsoid, TransverseMercator};
use super::{AxisOrder, Crs, CrsError, Declared};

/// No real definition is longer, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;
/// No real definition is nested deeper.
const LIMIT_DEPTH: usize = 24;

enum Item<'a> {
    Node(Node<'a>),
    /// A quoted text, a number or a bare word such as NORTH.
    Word(&'a str),
}

struct Node<'a> {
    keyword: &'a str,
    items: Vec<Item<'a>>,
}

impl<'a> Node<'a> {
    fn is(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|k| self.keyword.eq_ignore_ascii_case(k))
    }

    fn nodes(&self) -> impl Iterator<Item = &Node<'a>> {
        self.items.iter().filter_map(|item| match item {
            Item::Node(node) => Some(node),
            Item::Word(_) => None,
        })
    }

    fn child(&self, keywords: &[&str]) -> Option<&Node<'a>> {
        self.nodes().find(|node| node.is(keywords))
    }

    /// The `n`th word among the items that are not nodes.
    fn word(&self, n: usize) -> Option<&'a str> {
        let words = self.items.iter().filter_map(|item| match item {
            Item::Word(word) => Some(*word),
            Item::Node(_) => None,
        });
        words.into_iter().nth(n)
    }

    fn number(&self, n: usize) -> Option<f64> {
        self.word(n)?.parse::<f64>().ok().filter(|x| x.is_finite())
    }

    fn name(&self) -> &'a str {
        self.word(0).unwrap_or("unnamed")
    }
}

pub(super) fn read(text: &str) -> Result<Declared, CrsError> {
    let no_wkt = || unsupported("the definition of the coordinate system is no WKT: name the system with --crs");
    if text.len() > LIMIT_BYTES {
        return Err(no_wkt());
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut rest = text;
    let root = parse_node(&mut rest, 0).ok_or_else(no_wkt)?;
    interpret(&root)
}

fn interpret(root: &Node<'_>) -> Result<Declared, CrsError> {
    if root.is(&["COMPD_CS", "COMPOUNDCRS", "BOUNDCRS", "SOURCECRS"]) {
        let horizontal = root.nodes().next();
        return horizontal.map_or_else(|| Err(unknown_definition(root)), interpret);
    }
    let axes = axes_of(root);
    let code = root.child(&["AUTHORITY", "ID"]).filter(|a| a.word(0).is_some_and(|w| w.eq_ignore_ascii_case("EPSG")));
    if let Some(crs) = code.and_then(|a| a.word(1)).and_then(|c| c.parse().ok()).and_then(Crs::from_epsg) {
        return Ok(Declared { crs, axes });
    }
    if root.is(&["GEOGCS", "GEOGCRS", "GEODCRS", "GEOGRAPHICCRS", "BASEGEOGCRS"]) {
        ellipsoid_of(root)?;
        return Ok(Declared { crs: Crs::Wgs84, axes });
    }
    if root.is(&["PROJCS", "PROJCRS", "PROJECTEDCRS"]) {
        return projected(root).map(|crs| Declared { crs, axes });
    }
    Err(unknown_definition(root))
}

fn projected(root: &Node<'_>) -> Result<Crs, CrsError> {
    let base =
        root.child(&["GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "GEOGCRS"]).ok_or_else(|| unknown_definition(root))?;
    // WKT 1 keeps method and parameters in the root, WKT 2 in CONVERSION.
    let conversion = root.child(&["CONVERSION"]).unwrap_or(root);
    let method = conversion.child(&["PROJECTION", "METHOD"]).map(|m| m.name().replace([' ', '-'], "_").to_lowercase());
    let method = method.unwrap_or_default();
    if matches!(method.as_str(), "mercator_auxiliary_sphere" | "popular_visualisation_pseudo_mercator")
        || root.name().to_lowercase().contains("pseudo-mercator")
    {
        return Ok(Crs::WebMercator);
    }
    let ellipsoid = ellipsoid_of(base)?;
    if !matches!(method.as_str(), "transverse_mercator" | "gauss_kruger" | "gauss_krueger") {
        return Err(unknown_definition(root));
    }
    let parameter = |names: &[&str]| {
        let of_name = |p: &&Node<'_>| {
            p.is(&["PARAMETER"]) && names.iter().any(|n| p.name().replace(' ', "_").eq_ignore_ascii_case(n))
        };
        conversion.nodes().find(of_name).and_then(|p| p.number(1))
    };
    let linear =
        root.child(&["UNIT", "LENGTHUNIT"]).or_else(|| root.child(&["CS"]).and_then(|cs| cs.child(&["LENGTHUNIT"])));
    if linear.and_then(|u| u.number(1)).is_some_and(|metres| (metres - 1.0).abs() > 1e-9) {
        return Err(unsupported(format!("{} is not in metres: convert it first", root.name())));
    }
    if parameter(&["latitude_of_origin", "latitude_of_natural_origin"]).is_some_and(|lat| lat.abs() > 1e-9) {
        return Err(unknown_definition(root));
    }
    let grid = TransverseMercator {
        ellipsoid,
        central_meridian_deg: parameter(&["central_meridian", "longitude_of_natural_origin"])
            .filter(|lon| lon.abs() <= 180.0)
            .ok_or_else(|| unknown_definition(root))?,
        scale: parameter(&["scale_factor", "scale_factor_at_natural_origin"])
            .filter(|k| (0.9..=1.1).contains(k))
            .unwrap_or(1.0),
        false_easting_m: parameter(&["false_easting"]).unwrap_or(0.0),
        false_northing_m: parameter(&["false_northing"]).unwrap_or(0.0),
    };
    Ok(Crs::TransverseMercator(grid))
}

/// The ellipsoid under a geographic definition whose datum is WGS-84 or CGCS2000.
fn ellipsoid_of(geographic: &Node<'_>) -> Result<Ellipsoid, CrsError> {
    let datum = geographic.child(&["DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE"]);
    let datum_name = datum.map_or_else(|| geographic.name(), Node::name).to_lowercase();
    let folded: String = datum_name.chars().filter(char::is_ascii_alphanumeric).collect();
    if geographic.child(&["PRIMEM", "PRIMEMERIDIAN"]).and_then(|m| m.number(1)).is_some_and(|lon| lon != 0.0) {
        return Err(unsupported(format!("{} does not count from Greenwich: convert it first", geographic.name())));
    }
    if folded.contains("wgs1984") || folded.contains("wgs84") || folded.contains("worldgeodeticsystem1984") {
        return Ok(Ellipsoid::Wgs84);
    }
    if folded.contains("china2000") || folded.contains("cgcs2000") || folded.contains("chinageodetic") {
        return Ok(Ellipsoid::Grs80);
    }
    let old = [("xian", "Xi'an 1980"), ("beijing", "Beijing 1954")].iter().find(|(part, _)| folded.contains(part));
    Err(unsupported(match old {
        Some((_, datum)) => format!(
            "{}: {datum} lies up to 120 m off CGCS2000 and needs the city's own transformation: convert the file to \
             CGCS2000 first",
            geographic.name()
        ),
        None => {
            format!("{}: its datum is not supported: convert the file to CGCS2000 or WGS-84 first", geographic.name())
        }
    }))
}

/// North first only where the first of the AXIS members says north.
fn axes_of(root: &Node<'_>) -> AxisOrder {
    let first = root.child(&["AXIS"]);
    let word = first.and_then(|axis| axis.word(1));
    if word.is_some_and(|w| w.eq_ignore_ascii_case("NORTH")) { AxisOrder::NorthEast } else { AxisOrder::EastNorth }
}

fn unknown_definition(root: &Node<'_>) -> CrsError {
    unsupported(format!(
        "{}: this coordinate system is not supported; if it is the same as one of wgs84, cgcs2000, gcj02, bd09 or \
         EPSG:n (3857, 4491 to 4554, 326xx, 327xx), name that with --crs, otherwise convert the file first",
        root.name()
    ))
}

fn unsupported(what: impl Into<String>) -> CrsError {
    CrsError::Unsupported { what: what.into() }
}

/// `KEYWORD[item, item, ...]`, brackets or parentheses; `None` where it is none.
fn parse_node<'a>(rest: &mut &'a str, depth: usize) -> Option<Node<'a>> {
    if depth > LIMIT_DEPTH {
        return None;
    }
    let keyword = take_word(rest)?;
    if keyword.is_empty() || !eat(rest, &['[', '(']) {
        return None;
    }
    let mut items = Vec::new();
    loop {
        items.push(parse_item(rest, depth)?);
        if eat(rest, &[']', ')']) {
            return Some(Node { keyword, items });
        }
        if !eat(rest, &[',']) {
            return None;
        }
    }
}

fn parse_item<'a>(rest: &mut &'a str, depth: usize) -> Option<Item<'a>> {
    *rest = rest.trim_start();
    if let Some(quoted) = rest.strip_prefix('"') {
        let end = quoted.find('"')?;
        *rest = &quoted[end + 1..];
        return Some(Item::Word(&quoted[..end]));
    }
    let before = *rest;
    let word = take_word(rest)?;
    if rest.trim_start().starts_with(['[', '(']) {
        *rest = before;
        return parse_node(rest, depth + 1).map(Item::Node);
    }
    Some(Item::Word(word))
}

fn take_word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start();
    let end = text.find(|c: char| "[](),\"".contains(c))?;
    *rest = &text[end..];
    Some(text[..end].trim())
}

fn eat(rest: &mut &str, any: &[char]) -> bool {
    let text = rest.trim_start();
    text.strip_prefix(any).map(|after| *rest = after).is_some()
}
