//! An edit as planners send it, and as a plan keeps it.
//!
//! Positions are longitude and latitude in WGS-84 degrees. What is kept is what was sent,
//! with what it referred to beside it (the ring of a building), so that it can be made
//! again on another revision.

use std::sync::Arc;

use boundaries::edit::{Deed, Edit, Keep, NewArea, Pieces, Receiver, Share};
use boundaries::{Point, Polygon};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::numbering::{Numbering, Recoded};

/// A position: longitude, latitude.
pub type Position = [f64; 2];

/// Vertices of one drawn line, at most.
const MAX_VERTICES: usize = 100_000;
/// Bytes of a code or a kind, at most.
const MAX_CODE: usize = 200;
/// Bytes of a name, at most.
const MAX_NAME: usize = 1_000;
/// Bytes of an area's attributes, at most.
const MAX_ATTRIBUTES: usize = 64 << 10;

/// Which piece of a split area keeps its code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The largest.
    #[default]
    Largest,
    /// The largest to the left of the line.
    Left,
    /// The largest to the right of the line.
    Right,
}

/// What is known of an area to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct New {
    /// Its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Arc<str>>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Arc<str>>,
    /// The code of its parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Arc<str>>,
}

/// What one of several gets: an area that is there, a new one, or nobody.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portion {
    /// The code of an area that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Arc<str>>,
    /// What is known of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<New>,
    /// The ground: polygons as GeoJSON has them, a shell and its holes each, taken to the unit.
    pub polygons: Vec<Vec<Vec<Position>>>,
}

impl Portion {
    fn share(self) -> Result<Share, String> {
        let to = match (self.to, self.new) {
            (Some(to), None) => Receiver::Area(to),
            (None, Some(new)) => Receiver::New(new.into()),
            (None, None) => Receiver::Nobody,
            (Some(_), Some(_)) => return Err("a share goes to an area or to a new one, not to both".into()),
        };
        let polygon = |rings: Vec<Vec<Position>>| {
            let mut rings = rings.iter().map(|ring| points("ring", ring));
            let shell = rings.next().ok_or("a polygon has no ring")??;
            Ok::<_, String>(Polygon { shell, holes: rings.collect::<Result<_, _>>()? })
        };
        Ok(Share { to, polygons: self.polygons.into_iter().map(polygon).collect::<Result<_, _>>()? })
    }
}

/// An edit on the wire.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Cuts areas along a line.
    Split {
        /// The one area to cut ...
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Arc<str>>,
        /// ... or several.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        codes: Option<Vec<Arc<str>>>,
        /// The line.
        line: Vec<Position>,
        /// Which piece keeps the code.
        #[serde(default)]
        keep: Kept,
        /// What is known of the new areas.
        #[serde(default)]
        new: New,
        /// Whether the line is taken to the unit, without snapping.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
        /// In which order they get their codes; as they come, where it is open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        numbering: Option<Numbering>,
        /// The codes that were given where they were open, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<Arc<str>>,
    },
    /// Makes one area of several.
    Merge {
        /// The areas.
        codes: Vec<Arc<str>>,
        /// The one that stays.
        into: Arc<str>,
        /// Whether they need not touch.
        #[serde(default)]
        multipart: bool,
    },
    /// Redraws a border by a line with both ends on the area's outline.
    Reshape {
        /// The area.
        code: Arc<str>,
        /// The line.
        line: Vec<Position>,
        /// Whether more than one neighbour may be concerned.
        #[serde(default)]
        several: bool,
        /// Whether the line was badly drawn, and nothing changes in the city.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        correction: bool,
    },
    /// Moves a node or another vertex.
    MoveNode {
        /// Where it is.
        node: Position,
        /// Where it goes.
        to: Position,
        /// Whether the line was badly drawn, and nothing changes in the city.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        correction: bool,
    },
    /// Gives a border another line.
    MoveBorder {
        /// A place on it.
        at: Position,
        /// The line.
        line: Vec<Position>,
        /// Whether the line was badly drawn, and nothing changes in the city.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        correction: bool,
    },
    /// Gives ground to an area: pieces at some places, what a ring encloses, or a building
    /// with the ground it stands on. Or to several, in one go: what is drawn for each.
    Transfer {
        /// Who gets it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Arc<str>>,
        /// Whole pieces of ground, by a place in each.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pieces: Option<Vec<Position>>,
        /// Ground inside a ring.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ring: Option<Vec<Position>>,
        /// A building, by id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        building: Option<Arc<str>>,
        /// Whether it need not touch the area.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        multipart: bool,
        /// What each of several gets, in place of all of the above.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shares: Option<Vec<Portion>>,
        /// Areas that come to have no ground by the shares, and end.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ends: Vec<Arc<str>>,
        /// The codes that were given where they were open, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<Arc<str>>,
    },
    /// Makes an area of land that nobody owns at the finest level, or one of a level above
    /// it, without ground until others are put below it.
    Create {
        /// A place there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Position>,
        /// The level above the finest that it is of, in place of a place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<Arc<str>>,
        /// What is known of the area.
        #[serde(default)]
        new: New,
        /// The codes that were given where they were open, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<Arc<str>>,
    },
    /// Ends an area.
    Retire {
        /// The area.
        code: Arc<str>,
        /// Who gets its ground.
        into: Arc<str>,
    },
    /// Cuts a new area out of others.
    Carve {
        /// Its ring.
        ring: Vec<Position>,
        /// Whether the ring is taken to the unit, without snapping.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        exact: bool,
        /// What is known of it.
        #[serde(default)]
        new: New,
        /// The codes that were given where they were open, in order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<Arc<str>>,
    },
    /// Gives an area another name.
    Rename {
        /// The area.
        code: Arc<str>,
        /// The name.
        name: Arc<str>,
    },
    /// Gives an area another code.
    Recode {
        /// The area.
        code: Arc<str>,
        /// The code.
        to: Arc<str>,
    },
    /// Gives areas that the plan made codes in another order.
    Renumber {
        /// Which areas; all that the plan made, where it is open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        codes: Option<Vec<Arc<str>>>,
        /// The order.
        #[serde(default)]
        numbering: Numbering,
        /// The codes that the areas had, and those that they were given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<Recoded>,
    },
    /// Puts an area below another parent.
    Reparent {
        /// The area.
        code: Arc<str>,
        /// The parent.
        parent: Arc<str>,
    },
    /// Changes what else is known of an area.
    Set {
        /// The area.
        code: Arc<str>,
        /// Its kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<Arc<str>>,
        /// All of its attributes, a JSON object.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<serde_json::Map<String, serde_json::Value>>,
    },
}

impl Op {
    /// Reads an edit.
    ///
    /// # Errors
    ///
    /// What is wrong with it, for people.
    pub fn read(text: &str) -> Result<Self, String> {
        // A tagged value is read into a tree first: bounded here, and its depth by serde_json.
        let raw: &RawValue = serde_json::from_str(text).map_err(|e| e.to_string())?;
        serde_json::from_str(raw.get()).map_err(|e| e.to_string())
    }

    /// The same for the graph. A transfer of a building must have its ring by now.
    ///
    /// # Errors
    ///
    /// Which position is no place, or what is missing.
    pub fn edit(&self) -> Result<Edit, String> {
        self.check_texts()?;
        Ok(match self.clone() {
            Self::Split { code, codes, line, keep, new, .. } => Edit::Split {
                codes: match (code, codes) {
                    (Some(code), None) => vec![code],
                    (None, Some(codes)) => codes,
                    _ => return Err("split takes either code or codes".into()),
                },
                line: points("line", &line)?,
                keep: match keep {
                    Kept::Largest => Keep::Largest,
                    Kept::Left => Keep::Left,
                    Kept::Right => Keep::Right,
                },
                new: new.into(),
            },
            Self::Merge { codes, into, multipart } => Edit::Merge { codes, into, multipart },
            Self::Reshape { code, line, several, .. } => Edit::Reshape { code, line: points("line", &line)?, several },
            Self::MoveNode { node, to, .. } => Edit::MoveNode { node: point("node", node)?, to: point("to", to)? },
            Self::MoveBorder { at, line, .. } => {
                Edit::MoveBorder { at: point("at", at)?, line: points("line", &line)? }
            }
            Self::Transfer {
                to: None, pieces: None, ring: None, building: None, shares: Some(shares), ends, ..
            } => {
                let shares: Result<_, String> = shares.into_iter().map(Portion::share).collect();
                Edit::Share { shares: shares?, ends }
            }
            Self::Transfer { to: Some(to), pieces, ring, multipart, shares: None, ends, .. } if ends.is_empty() => {
                let pieces = match (pieces, ring) {
                    (Some(pieces), None) => Pieces::At(points("pieces", &pieces)?),
                    (None, Some(ring)) => Pieces::Inside(points("ring", &ring)?),
                    _ => return Err("transfer takes one of pieces, ring and building".into()),
                };
                Edit::Transfer { to, pieces, multipart }
            }
            Self::Transfer { .. } => {
                return Err("transfer takes to, with one of pieces, ring and building, or else shares".into());
            }
            Self::Create { at, level, new, .. } => match (at, level) {
                (Some(at), None) => Edit::Create { at: point("at", at)?, new: new.into() },
                (None, Some(level)) => Edit::Found { level, new: new.into() },
                _ => return Err("create takes either at or level".into()),
            },
            Self::Retire { code, into } => Edit::Retire { code, into },
            Self::Carve { ring, new, .. } => Edit::Carve { ring: points("ring", &ring)?, new: new.into() },
            Self::Rename { code, name } => Edit::Rename { code, name },
            Self::Recode { code, to } => Edit::Recode { code, to },
            Self::Renumber { .. } => return Err("it is made by the plan, not on the graph".into()),
            Self::Reparent { code, parent } => Edit::Reparent { code, parent },
            Self::Set { code, kind, attributes } => Edit::Set { code, kind, attributes: attributes.as_ref().map(json) },
        })
    }

    /// What an edit writes into the boundaries stays within bounds, and on one line.
    fn check_texts(&self) -> Result<(), String> {
        let bounded = |what: &str, text: Option<&str>, most: usize| match text {
            Some(text) if text.len() > most => Err(format!("the {what} has {} bytes; {most} are allowed", text.len())),
            Some(text) if text.chars().any(char::is_control) => Err(format!("the {what} has a control character")),
            _ => Ok(()),
        };
        let is_bounded = |new: &New, given: &[Arc<str>]| {
            bounded("name", new.name.as_deref(), MAX_NAME)?;
            bounded("kind", new.kind.as_deref(), MAX_CODE)?;
            let mut codes = new.code.iter().chain(given);
            codes.try_for_each(|code| bounded("code", Some(code), MAX_CODE))
        };
        match self {
            Self::Split { new, given, .. } | Self::Create { new, given, .. } | Self::Carve { new, given, .. } => {
                is_bounded(new, given)
            }
            Self::Transfer { shares: Some(shares), given, .. } => {
                shares.iter().filter_map(|s| s.new.as_ref()).try_for_each(|new| is_bounded(new, given))
            }
            Self::Rename { name, .. } => bounded("name", Some(name), MAX_NAME),
            Self::Recode { to, .. } => bounded("code", Some(to), MAX_CODE),
            Self::Set { kind, attributes, .. } => {
                bounded("kind", kind.as_deref(), MAX_CODE)?;
                // JSON writes control characters out.
                bounded("text of the attributes", attributes.as_ref().map(json).as_deref(), MAX_ATTRIBUTES)
            }
            _ => Ok(()),
        }
    }
}

fn json(attributes: &serde_json::Map<String, serde_json::Value>) -> Arc<str> {
    serde_json::Value::Object(attributes.clone()).to_string().into()
}

impl Op {
    /// What the edit is for the lineage: of a moved line only its author knows whether it
    /// was wrong or the city changed.
    #[must_use]
    pub fn deed(&self, deed: Deed) -> Deed {
        match self {
            Self::Reshape { correction, .. }
            | Self::MoveNode { correction, .. }
            | Self::MoveBorder { correction, .. } => {
                if *correction {
                    Deed::Correction
                } else {
                    Deed::Transfer
                }
            }
            _ => deed,
        }
    }
}

impl Op {
    /// The codes that it was given where it left them open.
    #[must_use]
    pub fn given(&self) -> &[Arc<str>] {
        match self {
            Self::Split { given, .. }
            | Self::Create { given, .. }
            | Self::Carve { given, .. }
            | Self::Transfer { given, .. } => given,
            _ => &[],
        }
    }

    /// The same edit with other codes given where it leaves them open.
    #[must_use]
    pub fn with_given(mut self, codes: &[Arc<str>]) -> Self {
        if let Self::Split { new, given, .. } | Self::Create { new, given, .. } | Self::Carve { new, given, .. } =
            &mut self
        {
            *given = if new.code.is_none() { codes.to_vec() } else { Vec::new() };
        }
        if let Self::Transfer { shares: Some(shares), given, .. } = &mut self {
            let is_open = shares.iter().any(|s| s.new.as_ref().is_some_and(|new| new.code.is_none()));
            *given = if is_open { codes.to_vec() } else { Vec::new() };
        }
        self
    }

    /// Whether what was drawn is taken to the unit.
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Split { exact: true, .. } | Self::Carve { exact: true, .. })
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Split { .. } => "split",
            Self::Merge { .. } => "merge",
            Self::Reshape { .. } => "reshape",
            Self::MoveNode { .. } => "move_node",
            Self::MoveBorder { .. } => "move_border",
            Self::Transfer { .. } => "transfer",
            Self::Create { .. } => "create",
            Self::Retire { .. } => "retire",
            Self::Carve { .. } => "carve",
            Self::Rename { .. } => "rename",
            Self::Recode { .. } => "recode",
            Self::Renumber { .. } => "renumber",
            Self::Reparent { .. } => "reparent",
            Self::Set { .. } => "set",
        }
    }

    /// In which order the several areas that it makes get their codes.
    pub(super) fn numbering(&self) -> Option<Numbering> {
        match self {
            Self::Split { numbering, .. } => *numbering,
            _ => None,
        }
    }
}

impl From<New> for NewArea {
    fn from(new: New) -> Self {
        Self { code: new.code, name: new.name, kind: new.kind, parent: new.parent }
    }
}

fn point(what: &str, [lon, lat]: Position) -> Result<Point, String> {
    Point::from_degrees(lon, lat).ok_or_else(|| format!("{what}: {lon}, {lat} is no place on the globe"))
}

fn points(what: &str, positions: &[Position]) -> Result<Vec<Point>, String> {
    if positions.len() > MAX_VERTICES {
        return Err(format!("{what} has {} vertices; {MAX_VERTICES} are allowed", positions.len()));
    }
    let place = |(i, p): (usize, &Position)| point(&format!("{what}, vertex {i}"), *p);
    positions.iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_read_written_and_read_again_as_the_same() {
        for text in [
            r#"{"op":"split","code":"g1","line":[[120.1,36.1],[120.2,36.2]],"keep":"left","new":{"name":"新网格"}}"#,
            r#"{"op":"merge","codes":["g1","g2"],"into":"g1"}"#,
            r#"{"op":"move_node","node":[120.1,36.1],"to":[120.2,36.1]}"#,
            r#"{"op":"transfer","to":"g1","pieces":[[120.1,36.1]]}"#,
            r#"{"op":"transfer","shares":[{"to":"g1","polygons":[[[[1,2],[3,2],[3,4]]]]},{"polygons":[]}],"ends":["g2"]}"#,
            r#"{"op":"create","level":"street","new":{"code":"s1"}}"#,
            r#"{"op":"set","code":"g1","attributes":{"leader":"李"}}"#,
        ] {
            let op = Op::read(text).unwrap();
            let again = Op::read(&serde_json::to_string(&op).unwrap()).unwrap();
            assert_eq!(op.edit().unwrap(), again.edit().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_edit_is_said() {
        for (text, says) in [
            ("", "EOF"),
            (r#"{"op":"explode"}"#, "explode"),
            (r#"{"op":"merge","codes":["a"]}"#, "into"),
            (r#"{"op":"rename","code":"a","name":"b","why":1}"#, "why"),
            (r#"{"op":"split","code":"a","line":[[1,NaN]]}"#, "expected"),
        ] {
            let why = Op::read(text).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
        for (text, says) in [
            (r#"{"op":"split","line":[[1,2],[3,4]]}"#, "code"),
            (r#"{"op":"split","code":"a","line":[[1,2],[300,4]]}"#, "vertex 1"),
            (r#"{"op":"transfer","to":"a"}"#, "pieces"),
            (r#"{"op":"transfer","to":"a","shares":[]}"#, "shares"),
            (r#"{"op":"transfer","shares":[{"polygons":[[]]}]}"#, "no ring"),
            (r#"{"op":"create"}"#, "level"),
            (r#"{"op":"move_node","node":[1,91],"to":[1,2]}"#, "node"),
        ] {
            let why = Op::read(text).unwrap().edit().unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
