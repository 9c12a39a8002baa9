//! Which level of a coverage comes from which attribute, and in which order levels stand.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::feature::{Properties, Value};

/// Levels that one coverage may have: far more than any hierarchy, few enough for a byte.
const LEVELS_MAX: usize = 16;
/// Bytes that a code may have.
const CODE_BYTES_MAX: usize = 200;

/// Where the codes of one level come from: an attribute, or its first few characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeField {
    /// The level's name.
    pub level: Arc<str>,
    /// The attribute's name.
    pub field: String,
    /// How many characters of it make the code; all where absent.
    pub characters: Option<usize>,
}

/// The `--levels` of an import, topmost first; the last is the finest and owns the polygons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels(Vec<CodeField>);

/// What is wrong with a list of levels, or with a code that an attribute gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelsError(pub String);

impl fmt::Display for LevelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LevelsError {}

fn refuse<T>(reason: impl Into<String>) -> Result<T, LevelsError> {
    Err(LevelsError(reason.into()))
}

impl FromStr for Levels {
    type Err = LevelsError;

    /// Reads `district=code:6,street=code:9,grid=code`.
    fn from_str(text: &str) -> Result<Self, LevelsError> {
        let mut all: Vec<CodeField> = Vec::new();
        for item in text.split(',') {
            let Some((level, field)) = item.split_once('=') else {
                return refuse(format!("'{item}' is not LEVEL=FIELD or LEVEL=FIELD:N"));
            };
            let (field, characters) = match field.rsplit_once(':') {
                None => (field, None),
                Some((field, n)) => match n.parse::<usize>() {
                    Ok(n) if (1..=CODE_BYTES_MAX).contains(&n) => (field, Some(n)),
                    _ => return refuse(format!("'{n}' in '{item}' is not a number of characters")),
                },
            };
            let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if level.is_empty() || !level.chars().all(named) || !level.starts_with(|c: char| c.is_ascii_lowercase()) {
                return refuse(format!(
                    "a level's name is of a-z, 0-9 and _ and begins with a letter; '{level}' is not"
                ));
            }
            if level.len() > 40 {
                return refuse(format!("the level's name '{level}' is longer than 40 characters"));
            }
            if level.starts_with("label_") || super::layer::WELL_KNOWN.contains(&level) {
                return refuse(format!("'{level}' is the name of a layer and cannot be that of a level"));
            }
            if field.is_empty() {
                return refuse(format!("'{item}' names no attribute"));
            }
            if all.iter().any(|l| &*l.level == level) {
                return refuse(format!("the level '{level}' is named twice"));
            }
            all.push(CodeField { level: level.into(), field: field.into(), characters });
        }
        if all.len() > LEVELS_MAX {
            return refuse(format!("a coverage has at most {LEVELS_MAX} levels"));
        }
        Ok(Self(all))
    }
}

impl Levels {
    /// The levels with their attributes, topmost first.
    #[must_use]
    pub fn fields(&self) -> &[CodeField] {
        &self.0
    }

    /// Whether a level of that name is among them.
    #[must_use]
    pub fn names(&self, level: &str) -> bool {
        self.0.iter().any(|l| &*l.level == level)
    }

    /// The order of levels of a coverage that has the `existing` ones after these are
    /// brought in. New levels follow the one named before them, or `inside`, or stand
    /// on top.
    ///
    /// # Errors
    ///
    /// Where the order that is asked for contradicts the existing one.
    pub fn merged_into(&self, existing: &[Arc<str>], inside: Option<&str>) -> Result<Vec<Arc<str>>, LevelsError> {
        let mut order: Vec<Arc<str>> = existing.to_vec();
        let position = |order: &[Arc<str>], level: &str| order.iter().position(|l| &**l == level);
        let mut above = match inside {
            None => None,
            Some(level) => match position(&order, level) {
                Some(at) => Some(at),
                None => return refuse(format!("there is no level '{level}' to lie inside of: {}", list(existing))),
            },
        };
        for CodeField { level, .. } in &self.0 {
            let least = above.map_or(0, |at| at + 1);
            above = Some(match position(&order, level) {
                Some(at) if at >= least => at,
                Some(_) => return refuse(format!("'{level}' stands elsewhere in this coverage: {}", list(existing))),
                None => {
                    order.insert(least, level.clone());
                    least
                }
            });
        }
        if order.len() > LEVELS_MAX {
            return refuse(format!("a coverage has at most {LEVELS_MAX} levels"));
        }
        Ok(order)
    }
}

fn list(levels: &[Arc<str>]) -> String {
    if levels.is_empty() {
        "the coverage has no level yet".into()
    } else {
        format!("its levels are {}", levels.join(", "))
    }
}

impl CodeField {
    /// The code of this level that a feature's attributes give.
    ///
    /// # Errors
    ///
    /// Where the attribute is missing, empty, no text or number, or shorter than needed.
    pub fn code(&self, properties: &Properties) -> Result<Arc<str>, LevelsError> {
        let Some((_, value)) = properties.iter().find(|(name, _)| **name == *self.field) else {
            let have: Vec<_> = properties.iter().map(|(name, _)| &**name).take(30).collect();
            return refuse(format!("has no attribute '{}' (it has {})", self.field, have.join(", ")));
        };
        let Some(text) = text_of(value) else {
            return refuse(format!("its attribute '{}' is neither text nor a whole number", self.field));
        };
        let text = text.trim();
        if text.is_empty() {
            return refuse(format!("its attribute '{}' is empty", self.field));
        }
        if text.len() > CODE_BYTES_MAX || text.chars().any(char::is_control) {
            return refuse(format!("its attribute '{}' is too long for a code or has control characters", self.field));
        }
        let Some(n) = self.characters else { return Ok(text.into()) };
        match text.char_indices().map(|(i, c)| i + c.len_utf8()).nth(n - 1) {
            Some(end) => Ok(text[..end].into()),
            None => refuse(format!("its attribute '{}' is '{text}', shorter than {n} characters", self.field)),
        }
    }
}

/// A value as the text that a code or a name is made of.
#[must_use]
pub(super) fn text_of(value: &Value) -> Option<Arc<str>> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(n) => Some(n.to_string().into()),
        // Table formats keep whole numbers as reals; 2^53 is where that ends.
        Value::Real(x) if x.fract() == 0.0 && x.abs() < 9.0e15 => Some(format!("{x:.0}").into()),
        Value::Real(_) | Value::Bool(_) | Value::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Levels {
        text.parse().unwrap()
    }

    #[test]
    fn a_code_is_the_attribute_or_its_first_characters() {
        let fields = levels("district=code:6,grid=code");
        let properties: Properties = vec![("code".into(), Value::Text("370202001002003".into()))];
        let codes: Vec<_> = fields.fields().iter().map(|f| f.code(&properties).unwrap()).collect();
        assert_eq!(codes, ["370202".into(), Arc::<str>::from("370202001002003")]);
        assert_eq!(fields.fields()[0].code(&vec![("code".into(), Value::Real(370202.0))]).unwrap(), "370202".into());
        assert!(fields.fields()[0].code(&vec![("code".into(), Value::Integer(37))]).unwrap_err().0.contains("shorter"));
        assert!(fields.fields()[0].code(&vec![("id".into(), Value::Null)]).unwrap_err().0.contains("it has id"));
    }

    #[test]
    fn levels_that_make_no_sense_are_refused() {
        for bad in [
            "",
            "grid",
            "grid=",
            "=code",
            "grid=code:x",
            "grid=code:0",
            "grid=a,grid=b",
            "Grid=a",
            "label_x=a",
            "building=a",
        ] {
            assert!(bad.parse::<Levels>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_new_level_stands_below_the_one_it_lies_inside_of() {
        let has: Vec<Arc<str>> = ["city", "district", "grid"].map(Into::into).to_vec();
        let merged = |text: &str, inside| levels(text).merged_into(&has, inside).map(|l| l.join(" ")).map_err(|e| e.0);
        assert_eq!(merged("street=a", Some("district")), Ok("city district street grid".into()));
        assert_eq!(
            merged("street=a,community=b,grid=c", Some("district")),
            Ok("city district street community grid".into())
        );
        assert_eq!(merged("district=a,grid=b", None), Ok("city district grid".into()));
        assert_eq!(merged("province=a,city=b", None), Ok("province city district grid".into()));
        assert!(merged("grid=a,city=b", None).is_err());
        assert!(merged("grid=a", Some("town")).unwrap_err().contains("no level 'town'"));
    }
}
