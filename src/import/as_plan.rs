//! `import areas --as-plan`: what differs from what is in force becomes the edits of a
//! plan; nothing is published.
//!
//! Invariant: the plan is there with all edits that lead to the file's content, or not at
//! all. What the file doesn't speak of (a name, a kind, an attribute, the land of upper
//! areas) stays as it is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use boundaries::edit::Fresh;
use boundaries::{Area, AreaId, Coverage, Level};
use rustc_hash::FxHashMap;
use serde::Serialize;
use serde_json::{Map, Value};

use super::areas::{AreasOptions, file_name};
use super::compare;
use super::progress::Progress;
use super::report::Report;
use super::{ImportError, Levels};
use crate::redraw::{CodeBook, Draft, Goal, Op, Settings, Terms, toward};
use crate::snapshot::CoverageView;
use crate::store::{NewPlan, Store};

/// How a plan is to be made.
#[derive(Clone, Debug, Default)]
pub struct AsPlan {
    /// What people are to call it; after the file where it is empty.
    pub name: String,
    /// How the city plans.
    pub settings: Settings,
}

/// The plan that an import made, or would make.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Its id; absent where nothing differs or it was a dry run.
    pub id: Option<Arc<str>>,
    /// What it is called.
    pub name: String,
    /// The revision that it stands on.
    pub base: u64,
    /// How many edits of each kind it has.
    pub edits: BTreeMap<&'static str, usize>,
}

impl Planned {
    /// How many edits it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.edits.values().sum()
    }
}

/// Refuses to import over what plans have published: a plan's lineage and its planners'
/// work would be gone without a word. Levels that are not there yet may come.
pub(super) async fn refuse_over_plans(
    store: &Store,
    options: &AreasOptions,
    old: &Coverage,
) -> Result<(), ImportError> {
    let is_there = old.levels().iter().any(|level| options.levels.names(level));
    let origins = if is_there { store.origins(&options.coverage).await? } else { BTreeMap::new() };
    let Some((revision, origin)) = origins.last_key_value() else { return Ok(()) };
    Err(ImportError::Refused(format!(
        "{} is redrawn by plans ({} was published as revision {revision}): use --as-plan, which makes a plan of what \
         the file has otherwise",
        options.coverage, origin.plan
    )))
}

/// Gives areas what the file doesn't say of them. An attribute that only says again what
/// the area is, as exports do, is none.
pub(super) fn fill(areas: &mut [(AreaId, Area)], levels: &[Arc<str>], old: &Coverage) {
    let codes: FxHashMap<AreaId, Arc<str>> = areas.iter().map(|(id, a)| (*id, a.code.clone())).collect();
    for (id, area) in areas {
        let mut said: Map<String, Value> = serde_json::from_str(&area.attributes).unwrap_or_default();
        let level = levels.get(usize::from(area.level.0));
        let parent = area.parent.and_then(|p| codes.get(&p));
        for (name, what) in [("id", Some(&area.code)), ("level", level), ("parent", parent)] {
            if said.get(name).is_some_and(|v| v.as_str() == what.map(|text| &**text)) {
                said.remove(name);
            }
        }
        let Some(before) = old.area(*id) else {
            area.attributes = Value::Object(said).to_string().into();
            continue;
        };
        if area.name.is_empty() {
            area.name = before.name.clone();
        }
        if area.kind.is_empty() {
            area.kind = before.kind.clone();
        }
        let known: Map<String, Value> = serde_json::from_str(&before.attributes).unwrap_or_default();
        let mut all = known.clone();
        all.extend(said);
        area.attributes = if all == known { before.attributes.clone() } else { Value::Object(all).to_string().into() };
    }
}

/// The levels that the file names and has no polygons of.
fn silent(named: &Levels, coverage: &Coverage) -> Vec<Level> {
    let fields = named.fields();
    fields[..fields.len() - 1].iter().filter_map(|f| coverage.level(&f.level)).collect()
}

/// Makes the plan.
pub(super) async fn plan(
    store: &Store,
    (file, options, wanted): (&Path, &AreasOptions, &AsPlan),
    (base, free): (CoverageView, Fresh),
    new: &Coverage,
    report: &mut Report,
    progress: &Progress,
) -> Result<(), ImportError> {
    progress.stage("planning", None, "edits");
    let terms = Terms {
        scope: None,
        locked: Vec::new(),
        mandate: Level(wanted.settings.mandate),
        codes: CodeBook::new(wanted.settings.codes, store.used_codes(&options.coverage).await?),
    };
    let silent = silent(&options.levels, new);
    let goal = Goal { coverage: new, silent: &silent, tolerance_m: options.settings.tolerance_m };
    let (number, old) = (base.revision, base.coverage.clone());
    let draft = toward(Draft::on(Arc::new(base), free), goal, &terms, &mut |n| progress.at(n as u64));
    let draft = match draft {
        Ok(draft) => draft,
        Err(refused) => {
            let place = refused.places.first().map_or(String::new(), |p| format!(" at {:.7} {:.7}", p.lon(), p.lat()));
            report.refusals.push(format!("no plan comes of it: {}{place}", refused.message));
            return Ok(());
        }
    };
    report.areas = compare::counts(draft.coverage(), Some(&old));
    let name = if wanted.name.is_empty() { format!("Import of {}", file_name(file)) } else { wanted.name.clone() };
    let mut planned = Planned { id: None, name, base: number, edits: BTreeMap::new() };
    let bodies: Vec<Arc<str>> = draft.steps().iter().map(|step| step.body.clone()).collect();
    for body in &bodies {
        let op = Op::read(body).map_err(ImportError::CouldNot)?;
        *planned.edits.entry(op.name()).or_default() += 1;
    }
    if !bodies.is_empty() && !options.dry_run {
        let new = NewPlan {
            coverage: options.coverage.clone(),
            name: planned.name.clone(),
            author: options.author.clone(),
            scope: None,
            base: Some(number),
            effective: options.effective,
        };
        planned.id = Some(store.new_plan_of(new, &bodies).await?.id);
    }
    report.plan = Some(planned);
    Ok(())
}
