//! The model: what the office should have, told as plainly as can be.
//!
//! Invariant: a plan is a list of edits and a revision is a picture; both are made by
//! replaying edits on what was there before, from scratch.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::edit::{Codes, Fresh, Rules, Wanted};
use boundaries::{AreaId, Coverage};
use gridatlas::redraw::Op;
use gridatlas::store::PlanState;
use jiff::Timestamp;

use super::picture::Picture;

/// A revision as the model has it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) number: u64,
    pub(crate) effective: Option<Timestamp>,
    pub(crate) coverage: Coverage,
    pub(crate) picture: Arc<Picture>,
}

/// A plan as the model has it.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) id: Arc<str>,
    pub(crate) author: String,
    pub(crate) scope: Option<Arc<str>>,
    pub(crate) base: u64,
    pub(crate) edits: Vec<(u64, Arc<str>)>,
    pub(crate) done: usize,
    pub(crate) state: PlanState,
    pub(crate) locked: Vec<Arc<str>>,
    pub(crate) notes: Vec<&'static str>,
    pub(crate) published: Option<u64>,
}

impl Planned {
    pub(crate) fn in_force(&self) -> &[(u64, Arc<str>)] {
        &self.edits[..self.done]
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.state, PlanState::Published | PlanState::Refused)
    }
}

/// Everything that the office should have.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) revisions: Vec<Told>,
    pub(crate) plans: Vec<Planned>,
    /// Who has ever had each code, in a published revision.
    pub(crate) codes: BTreeMap<Arc<str>, AreaId>,
}

/// Nobody gives codes here: an edit that was kept says them all.
struct Kept<'a>(&'a [Arc<str>]);

impl Codes for Kept<'_> {
    fn next(&self, wanted: &Wanted<'_>) -> Option<Arc<str>> {
        self.0.get(wanted.given.len()).cloned()
    }

    fn was_used(&self, _: &str) -> bool {
        false
    }
}

/// The state after one edit, by nothing but the edit.
pub(crate) fn then(before: &Coverage, body: &str) -> Coverage {
    let op = Op::read(body).unwrap();
    let codes = Kept(op.given());
    let rules = Rules::new(&codes, Fresh::after(before));
    let edited = op.edit().unwrap().apply(before, &rules);
    edited.unwrap_or_else(|why| panic!("{body} can't be made again: {why}")).coverage
}

/// The state after edits, one after the other.
pub(crate) fn replayed<'a>(before: &Coverage, bodies: impl IntoIterator<Item = &'a Arc<str>>) -> Coverage {
    bodies.into_iter().fold(before.clone(), |c, body| then(&c, body))
}

impl Model {
    pub(crate) fn head(&self) -> &Told {
        self.revisions.last().unwrap()
    }

    pub(crate) fn revision(&self, number: u64) -> &Told {
        self.revisions.iter().find(|r| r.number == number).unwrap()
    }

    /// What is in force at a time.
    pub(crate) fn at(&self, time: Timestamp) -> &Told {
        let begun = self.revisions.iter().filter(|r| r.effective.is_none_or(|from| from <= time));
        begun.max_by_key(|r| r.number).unwrap()
    }

    /// What a plan comes to, from scratch.
    pub(crate) fn outcome(&self, plan: &Planned) -> Coverage {
        replayed(&self.revision(plan.base).coverage, plan.in_force().iter().map(|(_, body)| body))
    }
}
