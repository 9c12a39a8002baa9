//! The way back: what an earlier revision published, published once more.
//!
//! Invariant: nothing is taken out of the history; the earlier state, graph and ids, is
//! the head again as a revision of its own. It asks for no approval: it publishes nothing
//! that was not published before, and is wanted when something went wrong.

use jiff::Timestamp;

use super::draft::Refused;
use super::lineage::{Cause, lineage};
use super::plans::{PlanError, Plans, blocking};
use super::publish::put;
use crate::snapshot::{Atlas, Moment};
use crate::store::{self, Descent, Publication, Published, Revision, Store};

impl Plans {
    /// Publishes the state of an earlier revision again. Seen by readers when it returns, if
    /// it is in force at once.
    ///
    /// # Errors
    ///
    /// [`PlanError::Refused`] where it is what is published last; [`store::Error::Moved`] where
    /// somebody publishes at the same time.
    pub async fn roll_back(
        &self,
        atlas: &Atlas,
        store: &Store,
        to: &Revision,
        author: &str,
        effective: Option<Timestamp>,
        note: &str,
    ) -> Result<(Published, Vec<Descent>), PlanError> {
        let publication = self.rollback(atlas, store, to, author, effective, note).await?;
        Ok(put(atlas, store, publication).await?)
    }

    /// What rolling back would write, without doing so.
    ///
    /// # Errors
    ///
    /// As [`roll_back`](Self::roll_back).
    pub async fn rollback(
        &self,
        atlas: &Atlas,
        store: &Store,
        to: &Revision,
        author: &str,
        effective: Option<Timestamp>,
        note: &str,
    ) -> Result<Publication, PlanError> {
        let gone = |number: u64| store::Error::Damaged(format!("revision {number} is gone"));
        let head = store.head(&to.coverage).await?.ok_or_else(|| gone(to.number))?;
        if head.digest == to.digest {
            let message = format!("revision {} is what is published already", to.number);
            return Err(Refused::new("no_change", message).into());
        }
        let snapshot = atlas.at(Moment::Revision(head.number)).await?;
        let place = snapshot.coverage_index(&to.coverage).ok_or_else(|| gone(head.number))?;
        let base = snapshot.coverages[place].clone();
        let earlier = atlas.at(Moment::Revision(to.number)).await?;
        let earlier = earlier.coverage(&to.coverage).cloned().ok_or_else(|| gone(to.number))?;
        let next = earlier.coverage.clone();
        let lineage = blocking(move || lineage(&snapshot, place, &earlier, Cause::Untold)).await?;
        let summary = if note.is_empty() { format!("Back to revision {}", to.number) } else { note.to_owned() };
        Ok(Publication {
            coverage: to.coverage.to_string(),
            expected: Some(head.number),
            base: Some(base),
            next,
            author: author.to_owned(),
            effective,
            summary,
            plan: None,
            lineage,
        })
    }
}
