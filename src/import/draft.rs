//! The areas that a file describes, put together from its features before any geometry
//! is looked at: every code once, every parent known, or a word on what is missing.

use std::sync::Arc;

use boundaries::Polygon;
use rustc_hash::FxHashMap;

use super::levels::{Levels, LevelsError, text_of};
use crate::feature::{Properties, Value};

/// An area as the file has it.
#[derive(Clone, Debug)]
pub(super) struct Area {
    /// Its code.
    pub code: Arc<str>,
    /// Its name; empty where the file gives none.
    pub name: Arc<str>,
    /// Which of the levels named it is, 0 the topmost.
    pub level: usize,
    /// The area above it among the levels named, by position in the draft.
    pub parent: Option<usize>,
    /// The `kind` attribute of a finest area.
    pub kind: Arc<str>,
    /// The other attributes of a finest area, as a JSON object.
    pub attributes: Arc<str>,
    /// Where it stands in the file; the first feature for an upper area.
    pub feature: Arc<str>,
    /// Its own polygons; none for an upper area.
    pub parts: Vec<Polygon>,
}

/// Something wrong with the codes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Defect {
    /// `duplicate_code` or `missing_parent`.
    pub kind: &'static str,
    /// The code concerned.
    pub code: Arc<str>,
    /// Where in the file.
    pub features: Vec<Arc<str>>,
    /// What is wrong, in words.
    pub note: String,
}

/// Names of areas by level: which attribute gives them.
pub(super) type Names = Vec<(String, String)>;

/// The areas of a file, growing feature by feature.
#[derive(Debug)]
pub(super) struct Draft {
    levels: Levels,
    names: Vec<Option<String>>,
    /// In the order of the file, upper areas before what lies in them.
    pub areas: Vec<Area>,
    /// All that is wrong with the codes.
    pub defects: Vec<Defect>,
    by_code: FxHashMap<Arc<str>, usize>,
    features: usize,
}

impl Draft {
    /// An empty draft for those levels.
    ///
    /// # Errors
    ///
    /// Where a name is asked for a level that the import does not name.
    pub(super) fn new(levels: Levels, names: &Names) -> Result<Self, LevelsError> {
        if let Some((level, _)) = names.iter().find(|(level, _)| !levels.names(level)) {
            return Err(LevelsError(format!("--name speaks of the level '{level}', which --levels does not name")));
        }
        let of = |level: &str| names.iter().find(|(l, _)| l == level).map(|(_, field)| field.clone());
        let names = levels.fields().iter().map(|f| of(&f.level)).collect();
        Ok(Self { levels, names, areas: Vec::new(), defects: Vec::new(), by_code: FxHashMap::default(), features: 0 })
    }

    /// Takes a feature in. What is wrong with its codes becomes a defect.
    ///
    /// # Errors
    ///
    /// Where an attribute gives no code at all: such a file is read with the wrong
    /// `--levels`, and one message is better than one for each feature.
    pub(super) fn add(
        &mut self,
        feature: &Arc<str>,
        properties: &Properties,
        parts: Vec<Polygon>,
    ) -> Result<(), LevelsError> {
        self.features += 1;
        let finest = self.levels.fields().len() - 1;
        let mut parent = None;
        for level in 0..=finest {
            let field = &self.levels.fields()[level];
            let code = field.code(properties)?;
            let name = self.name(level, properties);
            match self.by_code.get(&code).copied() {
                Some(at) if level < finest && self.areas[at].level == level => {
                    if self.areas[at].parent != parent {
                        self.two_parents(at, parent, feature);
                    }
                    if self.areas[at].name.is_empty() {
                        self.areas[at].name = name;
                    }
                    parent = Some(at);
                }
                Some(at) => {
                    let other = &self.areas[at];
                    let note = if other.level == level {
                        format!("two features have the code {code}")
                    } else {
                        let (a, b) = (&self.levels.fields()[other.level].level, &field.level);
                        format!("the code {code} is that of a {a} and of a {b}; codes are unique over all levels")
                    };
                    self.defects.push(Defect {
                        kind: "duplicate_code",
                        code,
                        features: vec![other.feature.clone(), feature.clone()],
                        note,
                    });
                    return Ok(());
                }
                None => {
                    let (kind, attributes) =
                        if level == finest { self.rest(properties) } else { ("".into(), "{}".into()) };
                    self.by_code.insert(code.clone(), self.areas.len());
                    self.areas.push(Area {
                        code,
                        name,
                        level,
                        parent,
                        kind,
                        attributes,
                        feature: feature.clone(),
                        parts: Vec::new(),
                    });
                    parent = Some(self.areas.len() - 1);
                }
            }
        }
        if let Some(area) = self.areas.last_mut() {
            area.parts = parts;
        }
        Ok(())
    }

    /// How many features were taken in.
    #[must_use]
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// The levels that the draft is made for.
    #[must_use]
    pub(super) fn levels(&self) -> &Levels {
        &self.levels
    }

    /// The area of a code, by position.
    #[must_use]
    pub(super) fn by_code(&self, code: &str) -> Option<usize> {
        self.by_code.get(code).copied()
    }

    fn two_parents(&mut self, at: usize, parent: Option<usize>, feature: &Arc<str>) {
        let above = |p: Option<usize>| p.map_or("nothing".to_string(), |p| self.areas[p].code.to_string());
        let area = &self.areas[at];
        let note = format!("{} lies in {} and in {}", area.code, above(area.parent), above(parent));
        let defect = Defect {
            kind: "missing_parent",
            code: area.code.clone(),
            features: vec![area.feature.clone(), feature.clone()],
            note,
        };
        // Each later feature of the area would say the same again.
        if !self.defects.iter().any(|d| d.kind == defect.kind && d.note == defect.note) {
            self.defects.push(defect);
        }
    }

    fn name(&self, level: usize, properties: &Properties) -> Arc<str> {
        let finest = level + 1 == self.names.len();
        let field = self.names[level].as_deref().or(finest.then_some("name"));
        let value = field.and_then(|field| properties.iter().find(|(name, _)| **name == *field));
        value.and_then(|(_, value)| text_of(value)).map_or_else(|| "".into(), |text| text.trim().into())
    }

    /// The kind of a finest area and what else its attributes say, as JSON.
    fn rest(&self, properties: &Properties) -> (Arc<str>, Arc<str>) {
        let mut kind: Arc<str> = "".into();
        let mut rest = serde_json::Map::new();
        for (name, value) in properties {
            if &**name == "kind" {
                kind = text_of(value).unwrap_or(kind);
            } else if !self.taken(name) {
                rest.insert(name.to_string(), json_of(value));
            }
        }
        (kind, serde_json::Value::Object(rest).to_string().into())
    }

    /// Whether an attribute already stands as a code or a name.
    fn taken(&self, field: &str) -> bool {
        self.levels.fields().iter().any(|l| l.field == field)
            || self.names.iter().flatten().any(|name| name == field)
            || (field == "name" && self.names.last().is_some_and(Option::is_none))
    }
}

fn json_of(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Integer(n) => (*n).into(),
        Value::Real(x) => (*x).into(),
        Value::Text(text) => (&**text).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(rows: &[(&str, &str)]) -> Draft {
        let names = vec![("district".to_string(), "d".to_string())];
        let mut draft = Draft::new("district=district,grid=code".parse().unwrap(), &names).unwrap();
        for (i, (district, code)) in rows.iter().enumerate() {
            let properties = vec![
                ("district".into(), Value::Text((*district).into())),
                ("code".into(), Value::Text((*code).into())),
                ("d".into(), Value::Text("市南区".into())),
                ("kind".into(), Value::Text("base".into())),
                ("households".into(), Value::Integer(412)),
            ];
            draft.add(&format!("feature {}", i + 1).into(), &properties, Vec::new()).unwrap();
        }
        draft
    }

    #[test]
    fn upper_areas_arise_once_with_their_names_and_children() {
        let d = draft(&[("370202", "a"), ("370202", "b")]);
        let seen: Vec<_> = d.areas.iter().map(|a| (&*a.code, &*a.name, a.level, a.parent)).collect();
        assert_eq!(seen, [("370202", "市南区", 0, None), ("a", "", 1, Some(0)), ("b", "", 1, Some(0))]);
        assert_eq!(&*d.areas[1].kind, "base");
        assert_eq!(&*d.areas[1].attributes, r#"{"households":412}"#);
    }

    #[test]
    fn a_code_given_twice_names_both_features() {
        let d = draft(&[("370202", "a"), ("370202", "a")]);
        assert_eq!(d.defects.len(), 1);
        assert_eq!(d.defects[0].kind, "duplicate_code");
        assert_eq!(d.defects[0].features, ["feature 1".into(), Arc::<str>::from("feature 2")]);
        assert_eq!(draft(&[("x", "x")]).defects[0].kind, "duplicate_code");
    }
}
