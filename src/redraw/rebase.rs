//! A plan on another base: its edits made again, one after the other.
//!
//! What concerns nothing that was changed meanwhile goes through by itself. An edit that
//! does concern it, or can't be made any more, is a conflict: it names who changed what,
//! and where. Later edits are tried all the same, so that all conflicts are seen at once.
//!
//! Invariant: where nothing was dropped or accepted, what comes out means what the plan
//! meant before. It must not know who approved it.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::Point;
use boundaries::edit::Fresh;

use super::draft::{Draft, Refused, Step, Terms};
use super::op::Op;
use crate::snapshot::CoverageView;
use crate::store::Revision;

/// An edit that can't simply be made again.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// Its number in the plan.
    pub seq: u64,
    /// The codes that both the edit and somebody else concern.
    pub codes: Vec<Arc<str>>,
    /// The revision that changed them, with its author.
    pub revision: Option<(u64, String)>,
    /// Why, in words.
    pub reason: String,
    /// Where.
    pub place: Option<Point>,
}

/// What a rebase came to.
#[derive(Clone, Debug, Default)]
pub(super) struct Rebased {
    /// The numbers of the edits that stay.
    pub(super) kept: Vec<u64>,
    /// Those of them that are written otherwise now, with their JSON: they got other codes.
    pub(super) anew: Vec<(u64, Arc<str>)>,
    /// The edits that stand in the way.
    pub(super) conflicts: Vec<Conflict>,
    /// Whether the plan is no longer what it was: an edit was left out, or stays though
    /// others changed what it concerns.
    pub(super) differs: bool,
}

/// Makes the edits of a draft again on the last of `states`, the revisions since its base.
pub(super) fn rebase(
    draft: &Draft,
    states: &[(Revision, Arc<CoverageView>)],
    fresh: Fresh,
    terms: &Terms,
    drop: &BTreeSet<u64>,
    accept: &BTreeSet<u64>,
) -> Rebased {
    let Some((_, head)) = states.last() else { return Rebased::default() };
    // Who changed which codes.
    let mut before = draft.base();
    let mut changed: Vec<(&Revision, Vec<Arc<str>>)> = Vec::new();
    for (revision, view) in states {
        changed.push((revision, view.coverage.touched_codes(&before.coverage)));
        before = view;
    }
    let differs = draft.steps().iter().any(|step| drop.contains(&step.seq));
    let mut rebased = Rebased { differs, ..Rebased::default() };
    let mut next = Draft::on(head.clone(), fresh);
    for step in draft.steps().iter().filter(|step| !drop.contains(&step.seq)) {
        let conflict = |codes, revision: Option<&Revision>, reason: String, place: Option<Point>| Conflict {
            seq: step.seq,
            codes,
            revision: revision.map(|r| (r.number, r.author.clone())),
            reason,
            place: place.or(step.place),
        };
        let shared = |codes: &Vec<Arc<str>>| -> Vec<Arc<str>> {
            step.touched.iter().filter(|code| codes.binary_search(code).is_ok()).cloned().collect()
        };
        let both = changed.iter().rev().map(|(revision, codes)| (*revision, shared(codes)));
        let both = both.into_iter().find(|(_, codes)| !codes.is_empty());
        let is_accepted = accept.contains(&step.seq);
        match again(&next, step, terms, is_accepted) {
            Ok(made) => {
                let last = made.steps().last();
                let codes_differ = last.is_some_and(|again| again.created != step.created);
                match both {
                    _ if codes_differ && !is_accepted => {
                        let reason = "the areas that it makes would have other codes".to_owned();
                        rebased.conflicts.push(conflict(step.created.clone(), None, reason, None));
                    }
                    Some((revision, codes)) if !is_accepted => {
                        let reason = format!("{} changed meanwhile", codes.join(", "));
                        rebased.conflicts.push(conflict(codes, Some(revision), reason, None));
                    }
                    Some(_) => rebased.differs = true,
                    None => rebased.differs |= codes_differ,
                }
                if let Some(anew) = last.filter(|again| again.body != step.body) {
                    rebased.anew.push((step.seq, anew.body.clone()));
                }
                rebased.kept.push(step.seq);
                next = made;
            }
            Err(refused) => {
                let (revision, codes) = both.map_or((None, refused.areas), |(r, codes)| (Some(r), codes));
                rebased.conflicts.push(conflict(codes, revision, refused.message, refused.places.first().copied()));
            }
        }
    }
    rebased
}

/// An edit made again. One that is wanted whatever others did gets other codes where they
/// took its own.
fn again(next: &Draft, step: &Step, terms: &Terms, is_accepted: bool) -> Result<Draft, Refused> {
    let made = next.then(step.seq, step.body.clone(), terms);
    let fits = match &made {
        Ok(made) => made.steps().last().is_some_and(|again| again.created == step.created),
        Err(refused) => !["used_code", "duplicate_code"].contains(&refused.reason),
    };
    if fits || !is_accepted {
        return made;
    }
    let op = Op::read(&step.body).map_err(|why| Refused::new("bad_edit", why))?;
    next.anew(step.seq, op, terms)
}
