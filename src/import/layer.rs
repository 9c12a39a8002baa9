//! `import layer`: a layer becomes what a file says.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use boundaries::Point;
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::ImportError;
use super::levels::text_of;
use super::progress::Progress;
use super::report::Counts;
use crate::exchange::{self, ReadOptions, hints};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::{Field, Kind};
use crate::store::{Store, SyncOptions};

/// The layers whose attributes the service knows; any other name is as good.
pub const WELL_KNOWN: [&str; 4] = ["building", "party_unit", "worker", "event"];

/// What becomes of a file with features that have no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutPlace {
    /// It is refused, and says which they are.
    Refuse,
    /// They are left out of the layer, counted and listed.
    Skip,
}

/// A feature of a file that has no place.
#[derive(Clone, Debug, Serialize)]
pub struct Unplaced {
    /// Its id.
    pub id: Arc<str>,
    /// Where it stands in the file.
    pub feature: String,
}

/// What to import and how.
#[derive(Clone, Debug)]
pub struct LayerOptions {
    /// The layer's name.
    pub layer: String,
    /// The attribute that is the id.
    pub id: String,
    /// What the file does not say of itself, or says wrong.
    pub read: ReadOptions,
    /// What becomes of features without a place: a null or empty geometry, empty columns.
    pub without_place: WithoutPlace,
    /// The largest share of the features there that may vanish.
    pub max_removed_percent: f64,
    /// Whether the store is to be left alone.
    pub dry_run: bool,
}

/// What a sync of a layer did.
#[derive(Clone, Debug, Serialize)]
pub struct LayerOutcome {
    /// The file that was read.
    pub file: String,
    /// The layer.
    pub layer: String,
    /// The datum or projection that the coordinates were taken to be in.
    pub crs: String,
    /// Whether the store was left alone on request.
    pub dry_run: bool,
    /// How many features were added, changed, removed and left as they were.
    pub features: Counts,
    /// The features that were left out because they have no place.
    pub without_place: Vec<Unplaced>,
    /// What a person should look at.
    pub hints: Vec<String>,
}

impl fmt::Display for LayerOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.features;
        writeln!(
            f,
            "{} ({}): {} added, {} changed, {} removed, {} unchanged{}",
            self.layer,
            self.crs,
            c.added,
            c.changed,
            c.removed,
            c.unchanged,
            if self.dry_run { " (dry run: nothing was changed)" } else { "" }
        )?;
        if !self.without_place.is_empty() {
            writeln!(
                f,
                "{} without a place were left out: {}",
                self.without_place.len(),
                some_of(&self.without_place)
            )?;
        }
        self.hints.iter().try_for_each(|hint| writeln!(f, "hint: {hint}"))
    }
}

/// The first few of a list, for a sentence.
fn some_of(unplaced: &[Unplaced]) -> String {
    const SHOWN: usize = 10;
    let one = |u: &Unplaced| format!("{} with id {}", u.feature, u.id);
    let shown: Vec<String> = unplaced.iter().take(SHOWN).map(one).collect();
    let rest = unplaced.len().saturating_sub(SHOWN);
    if rest > 0 { format!("{} and {rest} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Makes a layer what a file says: what the file lacks is removed.
///
/// # Errors
///
/// Where the file cannot be read or holds what cannot be taken, where more would vanish
/// than is allowed, or the store does not answer; nothing is changed then.
pub async fn layer(
    store: &Store,
    file: &Path,
    options: &LayerOptions,
    progress: &Progress,
) -> Result<LayerOutcome, ImportError> {
    check_name(&options.layer)?;
    let mut source = exchange::open(file, &options.read)?;
    let watch = source.progress();
    progress.stage("reading", Some(watch.total_bytes), "bytes");
    let mut features: Vec<Feature> = Vec::new();
    let known = known_fields(&options.layer);
    let mut first_of: FxHashMap<Arc<str>, usize> = FxHashMap::default();
    let mut joined = 0;
    let mut read = 0;
    let mut unplaced: Vec<Unplaced> = Vec::new();
    let mut at_zero = 0;
    while let Some(record) = source.next() {
        let record = record?;
        if record.place.ordinal % 1024 == 0 {
            progress.at(watch.done_bytes());
        }
        read = record.place.ordinal;
        let located = source.locate(record)?;
        let at = |reason: String| format!("{}: {}: {reason}", source.file().display(), located.place);
        let id = located.properties.iter().find(|(name, _)| **name == *options.id).and_then(|(_, v)| text_of(v));
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            let reason = format!("its attribute '{}' gives no id", options.id);
            return Err(ImportError::Refused(at(reason)));
        };
        let Some(geometry) = located.geometry else {
            unplaced.push(Unplaced { id, feature: located.place.to_string() });
            continue;
        };
        at_zero += u64::from(matches!(geometry, Geometry::Point(Point { x: 0, y: 0 })));
        let mut properties = located.properties;
        properties.retain(|(name, _)| **name != *options.id);
        properties.iter_mut().for_each(|(name, value)| typed(&known, name, value));
        let feature = Feature { id, geometry, properties };
        match first_of.get(&feature.id) {
            None => {
                first_of.insert(feature.id.clone(), features.len());
                features.push(feature);
            }
            Some(&first) => {
                let place = located.place;
                join(&mut features[first], feature).map_err(|reason| {
                    ImportError::Refused(format!("{}: {place}: {reason}", source.file().display()))
                })?;
                joined += 1;
            }
        }
    }
    if !unplaced.is_empty() && (options.without_place == WithoutPlace::Refuse || features.is_empty()) {
        let advice = if features.is_empty() {
            "without any place there is no layer"
        } else {
            "give them a place, or leave them out with --without-place skip"
        };
        let (n, some) = (unplaced.len(), some_of(&unplaced));
        let reason = format!("{}: {n} of {read} features have no place: {some}; {advice}", file.display());
        return Err(ImportError::Refused(reason));
    }
    let mut hints: Vec<String> =
        hints::suspect(source.extent(), source.crs()).iter().map(ToString::to_string).collect();
    if at_zero > 0 {
        hints.push(format!(
            "{at_zero} features lie at 0, 0 in the Gulf of Guinea, which often stands for a place unknown"
        ));
    }
    if joined > 0 {
        hints.push(format!(
            "{joined} features had the id and the attributes of another one and were joined to it as its parts"
        ));
    }

    progress.stage("writing", None, "");
    let sync = SyncOptions { max_removed_percent: options.max_removed_percent, dry_run: options.dry_run };
    let done = store.sync_layer(&options.layer, &known, features, &sync).await?;
    if done.cut > 0 {
        hints.push(format!("{} are cut by a border: each belongs to the area with the largest share of it", done.cut));
    }
    Ok(LayerOutcome {
        file: file.display().to_string(),
        layer: options.layer.clone(),
        crs: source.crs().to_string(),
        dry_run: options.dry_run,
        features: Counts { added: done.added, changed: done.changed, removed: done.removed, unchanged: done.unchanged },
        without_place: unplaced,
        hints,
    })
}

/// The attributes that the service reads of the layers it knows, present in a file or not.
fn known_fields(layer: &str) -> Vec<Field> {
    use Kind::{Bool, Integer, Text};
    let fields: &[(&str, Kind)] = match layer {
        "building" => {
            &[("name", Text), ("address", Text), ("kind", Text), ("households", Integer), ("residents", Integer)]
        }
        "party_unit" => &[("name", Text), ("tier", Text), ("parent", Text), ("tied_to", Text), ("members", Integer)],
        "worker" => &[("name", Text), ("role", Text), ("skills", Text), ("grids", Text), ("on_duty", Bool)],
        "event" => &[("source", Text), ("type", Text), ("state", Text), ("time", Text), ("description", Text)],
        _ => &[],
    };
    fields.iter().map(|&(name, kind)| Field { name: name.into(), kind }).collect()
}

/// Tables without types hold numbers and truth as text; a known attribute gets its type
/// back where the text is one. What is not stays text, and so does the field.
fn typed(known: &[Field], name: &str, value: &mut Value) {
    let Value::Text(text) = &*value else { return };
    let read = match known.iter().find(|f| *f.name == *name).map(|f| f.kind) {
        Some(Kind::Integer) if text.is_empty() => Some(Value::Null),
        Some(Kind::Integer) => text.trim().parse().ok().map(Value::Integer),
        Some(Kind::Bool) => match text.trim() {
            "true" | "1" | "yes" | "是" => Some(Value::Bool(true)),
            "false" | "0" | "no" | "否" => Some(Value::Bool(false)),
            "" => Some(Value::Null),
            _ => None,
        },
        _ => None,
    };
    if let Some(read) = read {
        *value = read;
    }
}

/// A layer's name is a table's and an address's: short, and of few characters.
fn check_name(name: &str) -> Result<(), ImportError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.is_empty()
        || name.len() > 40
        || !name.chars().all(good)
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
    {
        let reason =
            format!("a layer's name is of a-z, 0-9 and _, begins with a letter and has at most 40; '{name}' is not");
        return Err(ImportError::Usage(reason));
    }
    Ok(())
}

/// Takes another feature of the same id for a part of the first: extracts that were
/// clipped at tile edges carry a building twice.
fn join(first: &mut Feature, other: Feature) -> Result<(), String> {
    if first.properties != other.properties {
        return Err(format!("the id {} is that of another feature, with other attributes", other.id));
    }
    match (&mut first.geometry, other.geometry) {
        (Geometry::Polygons(parts), Geometry::Polygons(more)) => parts.extend(more),
        (Geometry::Lines(parts), Geometry::Lines(more)) => parts.extend(more),
        _ => return Err(format!("the id {} is that of another feature, and points cannot be joined", other.id)),
    }
    Ok(())
}
