//! A plan's way into the boundaries: publishing it, and putting it on what others
//! published before it could be.
//!
//! Invariant: one transaction of the store, or nothing. It must not know how an edit is
//! done, nor who may publish.

use std::collections::BTreeSet;

use boundaries::edit::Fresh;
use jiff::Timestamp;

use super::codes::CodeBook;
use super::draft::{Refused, Terms};
use super::lineage::{Cause, lineage};
use super::plans::{Drafting, PlanError, Plans, blocking, must_be};
use super::rebase::rebase;
use crate::snapshot::{Atlas, Moment};
use crate::store::{self, Descent, Plan, PlanChange, PlanState, Publication, Published, Store};

/// Publishes, and shows it to readers; the lineage says the revision that it came with.
pub(super) async fn put(
    atlas: &Atlas,
    store: &Store,
    publication: Publication,
) -> Result<(Published, Vec<Descent>), store::Error> {
    let mut lineage = publication.lineage.clone();
    let published = store.publish(publication).await?;
    // It is published, whether it could be read again at once or not.
    if let Err(error) = atlas.refresh().await {
        tracing::warn!(%error, "what was published is not shown yet");
    }
    lineage.iter_mut().for_each(|d| d.revision = published.revision.number);
    Ok((published, lineage))
}

impl Plans {
    /// Publishes a plan: the boundaries, what became of areas, and the plan's own state, in
    /// one transaction. Seen by readers when it returns, if it is in force at once.
    ///
    /// # Errors
    ///
    /// [`PlanError::Behind`] where something was published since its base.
    pub async fn publish(
        &self,
        atlas: &Atlas,
        store: &Store,
        opened: Drafting,
        author: &str,
        effective: Option<Timestamp>,
        note: &str,
    ) -> Result<(Published, Vec<Descent>), PlanError> {
        let publication = self.publication(store, &opened, author, effective, note).await?;
        match put(atlas, store, publication).await {
            Err(store::Error::Moved { .. }) => Err(behind(store, &opened.plan).await?),
            published => Ok(published?),
        }
    }

    /// What publishing would write, without doing so.
    ///
    /// # Errors
    ///
    /// As [`publish`](Self::publish).
    pub async fn publication(
        &self,
        store: &Store,
        opened: &Drafting,
        author: &str,
        effective: Option<Timestamp>,
        note: &str,
    ) -> Result<Publication, PlanError> {
        let Drafting { plan, draft, snapshot, place, .. } = opened.clone();
        if self.settings.approval {
            must_be(&plan, &[PlanState::Approved], "it must be approved first")?;
        } else {
            let open = [PlanState::Draft, PlanState::Submitted, PlanState::Approved];
            must_be(&plan, &open, "it can't be published again")?;
        }
        let head = store.head(&plan.coverage).await?.map_or(0, |r| r.number);
        if head != plan.base {
            return Err(PlanError::Behind { base: plan.base, head });
        }
        let base = draft.base().clone();
        let next = draft.coverage().clone();
        if next == base.coverage {
            return Err(
                Refused::new("no_change", "the plan leaves everything as it is: there is nothing to publish").into()
            );
        }
        let lineage = blocking(move || lineage(&snapshot, place, draft.view(), Cause::Edits(draft.steps()))).await?;
        let summary = if note.is_empty() { format!("Plan {}: {}", plan.id, plan.name) } else { note.to_owned() };
        Ok(Publication {
            coverage: plan.coverage.to_string(),
            expected: Some(plan.base),
            base: Some(base),
            next,
            author: author.to_owned(),
            effective: effective.or(plan.effective.filter(|at| *at > Timestamp::now())),
            summary,
            plan: Some((plan.id.clone(), plan.version)),
            lineage,
        })
    }

    /// Puts a plan on the head of its coverage by making its edits again. Edits of `drop`
    /// are left out; those of `accept` stay though they concern what was changed. Either way
    /// the plan is another one than was approved, and waits for approval again.
    ///
    /// # Errors
    ///
    /// [`PlanError::Conflicts`], and [`PlanError::Refused`] where an edit is named that the
    /// plan does not have: the plan stays as it is.
    pub async fn rebase(
        &self,
        atlas: &Atlas,
        store: &Store,
        opened: Drafting,
        author: &str,
        drop: &[u64],
        accept: &[u64],
    ) -> Result<Drafting, PlanError> {
        let open = [PlanState::Draft, PlanState::Submitted, PlanState::Approved];
        must_be(&opened.plan, &open, "what is done stands on its revision")?;
        let known: BTreeSet<u64> = opened.plan.in_force().iter().map(|edit| edit.seq).collect();
        if let Some(seq) = drop.iter().chain(accept).find(|seq| !known.contains(seq)) {
            return Err(Refused::new("unknown_edit", format!("the plan has no edit {seq} in force")).into());
        }
        let coverage = opened.plan.coverage.clone();
        let newer: Vec<_> = store.revisions().await?;
        let newer: Vec<_> =
            newer.into_iter().filter(|r| r.coverage == coverage && r.number > opened.plan.base).collect();
        let Some(head) = newer.last().map(|r| r.number) else {
            if drop.is_empty() {
                return Ok(opened);
            }
            let message = "the plan stands on what is published: there is nothing to leave an edit out for";
            return Err(Refused::new("no_change", message).into());
        };
        let mut states = Vec::new();
        for revision in &newer {
            let snapshot = atlas.at(Moment::Revision(revision.number)).await?;
            let view = snapshot.coverage(&coverage).cloned();
            let view = view.ok_or_else(|| store::Error::Damaged(format!("revision {} is gone", revision.number)))?;
            states.push((revision.clone(), view));
        }
        let (ids, area) = store.free_ids(&coverage).await?;
        let codes = CodeBook::new(self.settings.codes, store.used_codes(&coverage).await?);
        let Drafting { plan, draft, terms, .. } = opened;
        // Locks were held against each edit when it was made; some were locked because of it.
        let terms = Terms { codes, locked: Vec::new(), ..terms };
        let [drop, accept] = [drop, accept].map(|seqs| seqs.iter().copied().collect::<BTreeSet<u64>>());
        let rebased = blocking(move || rebase(&draft, &states, Fresh { ids, area }, &terms, &drop, &accept)).await?;
        if !rebased.conflicts.is_empty() {
            return Err(PlanError::Conflicts(rebased.conflicts));
        }
        let state = match plan.state {
            PlanState::Approved if rebased.differs => PlanState::Submitted,
            state => state,
        };
        let change = PlanChange::Rebase { base: head, keep: rebased.kept, anew: rebased.anew, state };
        let plan = store.change_plan(&plan.id, plan.version, author, change).await?;
        self.draft(atlas, store, plan.into()).await
    }
}

/// That another plan was published before this one, at the same time.
async fn behind(store: &Store, plan: &Plan) -> Result<PlanError, PlanError> {
    let head = store.head(&plan.coverage).await?.map_or(0, |r| r.number);
    Ok(PlanError::Behind { base: plan.base, head })
}
