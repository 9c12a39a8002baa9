//! The rules, and which of them fits an event.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{Point, orient};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Rules that a city may have.
const MOST_RULES: usize = 1000;
/// Vertices of the polygons of one rule.
const MOST_VERTICES: usize = 10_000;

/// A rule as it is configured. What it doesn't name, it doesn't ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// Its name, which the answer gives.
    pub rule: String,
    /// What the type of an event must begin with.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Attributes that it must have, each with one of these values.
    #[serde(default)]
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Where it must lie: the rings of a polygon in WGS-84, as in GeoJSON.
    #[serde(default)]
    pub within: Vec<Vec<[f64; 2]>>,
    /// Who owns it then.
    pub to: To,
}

/// Who owns an event that a rule fits.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// The area of this code.
    Area(String),
    /// A department or company of this name.
    Body(String),
    /// Who is named by this attribute of the event.
    Attribute(String),
    /// Who owns the thing that the event is about.
    AssetOwner(Asset),
}

/// How the thing that an event is about is found, and its owner.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The layer that such things are in.
    pub layer: String,
    /// The attribute of the event that has the id of the thing.
    pub named_by: String,
    /// The attribute of the thing that names its owner.
    #[serde(default = "owner")]
    pub owner: String,
}

fn owner() -> String {
    "owner".to_owned()
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The type of the event.
    pub kind: &'a str,
    /// Where it lies.
    pub place: Option<Point>,
    /// Its attributes.
    pub attributes: &'a Map<String, Value>,
}

/// Who owns an event, above the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The area of this code.
    Area(Arc<str>),
    /// A department or company.
    Body(Arc<str>),
}

/// What was decided, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The name of the rule.
    pub rule: Arc<str>,
    /// Who owns the event.
    pub owner: Owner,
}

/// Something in the rules that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {reason}")]
pub struct Defect {
    /// The rule.
    pub rule: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The rules of a city, in their order.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    name: Arc<str>,
    kind: String,
    attributes: BTreeMap<String, Vec<String>>,
    within: Vec<Vec<Point>>,
    to: To,
}

impl Routing {
    /// Reads rules.
    ///
    /// # Errors
    ///
    /// Everything in them that makes no sense.
    pub fn new(settings: &[RuleSettings]) -> Result<Self, Vec<Defect>> {
        let mut defects = Vec::new();
        let mut rules: Vec<Rule> = Vec::new();
        for row in settings {
            let mut defect = |reason: String| defects.push(Defect { rule: row.rule.clone(), reason });
            if row.rule.is_empty() || rules.iter().any(|rule| *rule.name == *row.rule) {
                defect("names are not empty, and given once".to_owned());
            }
            if row.within.iter().map(Vec::len).sum::<usize>() > MOST_VERTICES {
                defect(format!("its polygon has more than {MOST_VERTICES} vertices"));
            }
            let mut within = Vec::new();
            for ring in &row.within {
                let points: Option<Vec<Point>> =
                    ring.iter().map(|[lon, lat]| Point::from_degrees(*lon, *lat)).collect();
                match points {
                    Some(points) if points.len() >= 4 && points.first() == points.last() => within.push(points),
                    _ => defect("a ring of its polygon is not closed, or not on the globe".to_owned()),
                }
            }
            let to = match &row.to {
                To::Area(name) | To::Body(name) | To::Attribute(name) => name,
                To::AssetOwner(asset) if asset.layer.is_empty() || asset.owner.is_empty() => &asset.layer,
                To::AssetOwner(asset) => &asset.named_by,
            };
            if to.is_empty() {
                defect("it doesn't say who owns an event that it fits".to_owned());
            }
            let (name, kind, attributes) = (row.rule.as_str().into(), row.kind.clone(), row.attributes.clone());
            rules.push(Rule { name, kind, attributes, within, to: row.to.clone() });
        }
        if rules.len() > MOST_RULES {
            defects.push(Defect { rule: String::new(), reason: format!("there are more than {MOST_RULES}") });
        }
        if defects.is_empty() { Ok(Self { rules }) } else { Err(defects) }
    }

    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Who owns an event by the first rule that fits it; `None` where the map decides.
    /// `find` answers what a thing of a layer has in an attribute, `is_area` whether a code is
    /// that of an area: what an attribute or a thing names may be either.
    #[must_use]
    pub fn route(
        &self,
        case: &Case<'_>,
        find: impl Fn(&str, &str, &str) -> Option<Arc<str>>,
        is_area: impl Fn(&str) -> bool,
    ) -> Option<Routed> {
        let named = |name: Arc<str>| if is_area(&name) { Owner::Area(name) } else { Owner::Body(name) };
        self.rules.iter().filter(|rule| rule.fits(case)).find_map(|rule| {
            let owner = match &rule.to {
                To::Area(code) => Owner::Area(code.as_str().into()),
                To::Body(name) => Owner::Body(name.as_str().into()),
                To::Attribute(name) => named(text(case.attributes.get(name)?)?.into()),
                To::AssetOwner(asset) => {
                    let id = text(case.attributes.get(&asset.named_by)?)?;
                    named(find(&asset.layer, &id, &asset.owner).filter(|name| !name.is_empty())?)
                }
            };
            Some(Routed { rule: rule.name.clone(), owner })
        })
    }
}

/// A value as rules compare it; nothing that is empty or holds others.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}

impl Rule {
    fn fits(&self, case: &Case<'_>) -> bool {
        let has = |name: &String, values: &Vec<String>| {
            case.attributes.get(name).and_then(text).is_some_and(|value| values.contains(&value))
        };
        case.kind.starts_with(&self.kind)
            && self.attributes.iter().all(|(name, values)| has(name, values))
            && (self.within.is_empty() || case.place.is_some_and(|p| is_within(&self.within, p)))
    }
}

/// Whether closed rings hold a point, a hole being a ring within another. A point on an edge
/// belongs to its east, on a level edge to its north, as everywhere.
fn is_within(rings: &[Vec<Point>], p: Point) -> bool {
    let edges = rings.iter().flat_map(|ring| ring.windows(2));
    edges.fold(false, |inside, edge| {
        let (low, high) = if edge[0].y < edge[1].y { (edge[0], edge[1]) } else { (edge[1], edge[0]) };
        inside != (low.y <= p.y && p.y < high.y && orient(low, high, p).is_le())
    })
}
