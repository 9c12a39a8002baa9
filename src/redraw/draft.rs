//! A plan's edits made on its base: what the boundaries would be.
//!
//! ```text
//!   base ──edit 1──▶ ─edit 2──▶ ─edit 3──▶ what is seen       undo: one step back,
//!                    kept, each sharing what it left alone     nothing is worked out
//! ```
//!
//! Invariant: a pure function of the base, the free ids, the codes ever used and the list
//! of edits, so a draft that was lost is made again from its plan.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use boundaries::edit::{Deed, Edited, Fresh, Refusal, Rules};
use boundaries::{AreaId, Coverage, Level, Point};

use super::codes::{CodeBook, Given};
use super::numbering::{Numbering, Recoded, numbered, renumber};
use super::op::Op;
use crate::snapshot::{CoverageView, Snapshot};

/// Why an edit can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// A stable name in `snake_case`.
    pub reason: &'static str,
    /// In words, with what to do about it.
    pub message: String,
    /// The places, the worst first.
    pub places: Vec<Point>,
    /// The codes of the areas concerned.
    pub areas: Vec<Arc<str>>,
}

impl Refused {
    pub(super) fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), places: Vec::new(), areas: Vec::new() }
    }

    fn of(refusal: Refusal, coverage: &Coverage) -> Self {
        let areas = refusal.areas.iter().filter_map(|id| coverage.area(*id)).map(|a| a.code.clone()).collect();
        Self { reason: refusal.reason.name(), message: refusal.message, places: refusal.places, areas }
    }
}

/// What an edit must keep to, as the plan and the city have it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The code of the area below which things may change.
    pub scope: Option<Arc<str>>,
    /// Codes that must be left alone.
    pub locked: Vec<Arc<str>>,
    /// The uppermost level whose borders may move.
    pub mandate: Level,
    /// Who gives codes.
    pub codes: CodeBook,
}

/// One edit that was made.
#[derive(Debug)]
pub struct Step {
    /// Its number in the plan.
    pub seq: u64,
    /// Its JSON.
    pub body: Arc<str>,
    /// The boundaries after it.
    pub coverage: Coverage,
    /// What it was.
    pub deed: Deed,
    /// Codes of areas that are new, ascending.
    pub created: Vec<Arc<str>>,
    /// The same in the order in which they were given.
    pub given: Vec<Arc<str>>,
    /// Codes of areas that are gone, ascending.
    pub removed: Vec<Arc<str>>,
    /// Codes of all areas concerned, ascending.
    pub touched: Vec<Arc<str>>,
    /// A place of it.
    pub place: Option<Point>,
    fresh: Fresh,
}

/// The boundaries as a plan would have them.
#[derive(Clone, Debug)]
pub struct Draft {
    base: Arc<CoverageView>,
    fresh: Fresh,
    steps: Vec<Arc<Step>>,
    view: Arc<OnceLock<Arc<CoverageView>>>,
    seen: Arc<OnceLock<Arc<Snapshot>>>,
}

impl Draft {
    /// A draft without edits.
    #[must_use]
    pub fn on(base: Arc<CoverageView>, fresh: Fresh) -> Self {
        Self { base, fresh, steps: Vec::new(), view: Arc::default(), seen: Arc::default() }
    }

    /// What it is made on.
    #[must_use]
    pub fn base(&self) -> &Arc<CoverageView> {
        &self.base
    }

    /// Its edits, in order.
    #[must_use]
    pub fn steps(&self) -> &[Arc<Step>] {
        &self.steps
    }

    /// The boundaries after all edits.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        self.steps.last().map_or(&self.base.coverage, |step| &step.coverage)
    }

    /// The same, to be read as any other state; made when first asked for.
    #[must_use]
    pub fn view(&self) -> &Arc<CoverageView> {
        self.view.get_or_init(|| match self.steps.last() {
            None => self.base.clone(),
            Some(step) => {
                let base = &self.base;
                Arc::new(base.updated(step.coverage.clone(), base.revision, base.effective))
            }
        })
    }

    /// The city with this draft in the place of its base, over the features of `snapshot`.
    pub(super) fn snapshot(&self, snapshot: &Arc<Snapshot>, place: usize) -> Arc<Snapshot> {
        let make = || {
            let mut seen = (**snapshot).clone();
            if let Some(view) = seen.coverages.get_mut(place) {
                *view = self.view().clone();
            }
            let coverages = seen.coverages.clone();
            seen.layers.values_mut().for_each(|layer| *layer = Arc::new(layer.reowned(&coverages)));
            Arc::new(seen)
        };
        let kept = self.seen.get_or_init(make);
        // Features come and go while a plan is worked on.
        if kept.change == snapshot.change { kept.clone() } else { make() }
    }

    /// The draft after the first `n` edits.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        if n >= self.steps.len() {
            return self.clone();
        }
        Self {
            base: self.base.clone(),
            fresh: self.fresh,
            steps: self.steps[..n].to_vec(),
            view: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// The draft after one more edit.
    ///
    /// # Errors
    ///
    /// Why it can't be made, and where; this draft stays.
    pub fn then(&self, seq: u64, body: Arc<str>, terms: &Terms) -> Result<Self, Refused> {
        let op = Op::read(&body).map_err(|why| Refused::new("bad_edit", why))?;
        let before = self.coverage();
        let locked: BTreeSet<AreaId> = terms.locked.iter().filter_map(|code| before.area_by_code(code)).collect();
        let fresh = self.steps.last().map_or(self.fresh, |step| step.fresh);
        let edited = match &op {
            Op::Renumber { codes, given, .. } => {
                let states = (&self.base.coverage, before);
                renumber(states, codes.as_deref(), given, &terms.codes, &locked, fresh)?
            }
            op => {
                let edit = op.edit().map_err(|why| Refused::new("bad_edit", why))?;
                let codes = Given { codes: op.given(), book: &terms.codes };
                let mut rules = Rules { mandate: terms.mandate, locked: &locked, ..Rules::new(&codes, fresh) };
                if op.is_exact() {
                    rules.tolerance_m = 0.0;
                }
                let edited = edit.apply(before, &rules).map_err(|refusal| Refused::of(refusal, before))?;
                Edited { deed: op.deed(edited.deed), ..edited }
            }
        };
        let step = Step::of(seq, body, before, edited);
        self.within_scope(&step, before, terms)?;
        let mut steps = self.steps.clone();
        steps.push(Arc::new(step));
        Ok(Self { base: self.base.clone(), fresh: self.fresh, steps, view: Arc::default(), seen: Arc::default() })
    }

    /// The same for an edit that is made for the first time, or gets other codes: those that
    /// it is given are kept with it, so that they are the same when it is made again.
    ///
    /// # Errors
    ///
    /// As [`then`](Self::then).
    pub fn anew(&self, seq: u64, op: Op, terms: &Terms) -> Result<Self, Refused> {
        let write = |op: &Op| serde_json::to_string(op).map_err(|e| Refused::new("bad_edit", e.to_string()));
        let mut op = op.with_given(&[]);
        if let Op::Renumber { given, .. } = &mut op {
            given.clear();
        }
        let next = self.then(seq, write(&op)?.into(), terms)?;
        let Some(step) = next.steps.last() else { return Ok(next) };
        if let Op::Renumber { given, .. } = &mut op {
            *given = recoded(self.coverage(), &step.coverage);
            return self.then(seq, write(&op)?.into(), terms);
        }
        match step.given.as_slice() {
            [] => Ok(next),
            given => {
                let given = match op.numbering() {
                    Some(Numbering::WestEast) => in_order(&terms.codes, &step.coverage, given),
                    None => given.to_vec(),
                };
                self.then(seq, write(&op.with_given(&given))?.into(), terms)
            }
        }
    }

    /// Refuses what reaches beyond the plan's scope, before the edit or after it.
    fn within_scope(&self, step: &Step, before: &Coverage, terms: &Terms) -> Result<(), Refused> {
        let Some(scope) = &terms.scope else { return Ok(()) };
        let lies_in = |coverage: &Coverage, id| {
            coverage.chain(id).into_iter().any(|a| coverage.area(a).is_some_and(|a| a.code == *scope))
        };
        let beyond: Vec<Arc<str>> = step
            .touched
            .iter()
            .filter(|code| {
                [before, &step.coverage].into_iter().any(|c| c.area_by_code(code).is_some_and(|id| !lies_in(c, id)))
            })
            .cloned()
            .collect();
        if beyond.is_empty() {
            return Ok(());
        }
        let message = format!("{} lies outside of {scope}, the scope of the plan", beyond.join(", "));
        Err(Refused {
            areas: beyond,
            places: step.place.into_iter().collect(),
            ..Refused::new("outside_scope", message)
        })
    }
}

/// The areas whose code is another than before.
fn recoded(before: &Coverage, after: &Coverage) -> Vec<Recoded> {
    let changed = after.difference(before).areas.into_iter();
    let codes = changed.filter_map(|id| Some((before.area(id)?.code.clone(), after.area(id)?.code.clone())));
    codes.filter(|(old, new)| old != new).collect()
}

/// Codes that areas were given, for each the one that it gets when they are numbered.
fn in_order(book: &CodeBook, coverage: &Coverage, given: &[Arc<str>]) -> Vec<Arc<str>> {
    let ids: Vec<AreaId> = given.iter().filter_map(|code| coverage.area_by_code(code)).collect();
    let codes = numbered(book, coverage, &ids).unwrap_or_default();
    let of = |code: &Arc<str>| codes.iter().find(|(id, _)| coverage.area_by_code(code) == Some(*id));
    given.iter().map(|code| of(code).map_or_else(|| code.clone(), |(_, new)| new.clone())).collect()
}

impl Step {
    fn of(seq: u64, body: Arc<str>, before: &Coverage, edited: Edited) -> Self {
        let code = |coverage: &Coverage, id: &AreaId| coverage.area(*id).map(|a| a.code.clone());
        let codes = |coverage: &Coverage, ids: &[AreaId]| {
            let mut codes: Vec<_> = ids.iter().filter_map(|id| code(coverage, id)).collect();
            codes.sort_unstable();
            codes
        };
        let given = edited.created.iter().filter_map(|id| code(&edited.coverage, id)).collect();
        let mut touched = codes(before, &edited.touched);
        touched.extend(codes(&edited.coverage, &edited.touched));
        touched.sort_unstable();
        touched.dedup();
        let created = codes(&edited.coverage, &edited.created);
        let removed = codes(before, &edited.removed);
        let ground = edited.coverage.touched_ground(before);
        let middle = |b: &boundaries::Bounds| {
            let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
            Point::new(half(b.min.x, b.max.x), half(b.min.y, b.max.y))
        };
        Self {
            seq,
            body,
            deed: edited.deed,
            created,
            given,
            removed,
            touched,
            place: ground.first().map(middle),
            fresh: edited.fresh,
            coverage: edited.coverage,
        }
    }
}
