//! Events of a month in areas, before a plan and after it.
//!
//! Invariant: what is said of after is what the same count gives once the plan is published.
//! Only events in ground that changes hands are looked at one by one; the others are counts
//! by area, which the store keeps an index of.

use boundaries::{AreaId, Bounds, Coverage, Point};
use jiff::{SignedDuration, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::draft::Draft;
use super::figures::subtree;
use super::plans::{PlanError, blocking};
use crate::store::Store;

/// How long a month is.
const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The events of the last month.
#[derive(Clone, Debug, Default)]
pub(super) struct Monthly {
    /// How many an area and all below it have.
    counts: FxHashMap<AreaId, i64>,
    /// Events that change hands: whose each is and will be.
    moved: Vec<(Option<AreaId>, Option<AreaId>)>,
}

impl Monthly {
    /// Asks a store; `None` where its owners are not those that a draft was begun on.
    pub(super) async fn of(store: &Store, draft: &Draft) -> Result<Option<Self>, PlanError> {
        let (before, draft) = (draft.base().clone(), draft.clone());
        let (base, drawn) = (before.clone(), draft.clone());
        let (boxes, areas) = blocking(move || concerned(&base.coverage, drawn.coverage())).await?;
        let since = Timestamp::now().saturating_sub(MONTH).unwrap_or(Timestamp::MIN);
        let recent = store.recent_events(&before.name, since, &boxes, &areas).await?;
        let Some(recent) = recent.filter(|recent| recent.revision == before.revision) else { return Ok(None) };
        let count = move || {
            let after = draft.view();
            let owners = |p: &Point| (before.locator.owner_at(*p), after.locator.owner_at(*p));
            let moved = recent.places.iter().map(owners).filter(|(from, to)| from != to);
            Self { counts: recent.counts, moved: moved.collect() }
        };
        Ok(Some(blocking(count).await?))
    }

    /// How many an area has.
    pub(super) fn before(&self, area: AreaId) -> i64 {
        self.counts.get(&area).copied().unwrap_or(0)
    }

    /// How many it will have: those of before, with areas that come below it or go, and with
    /// the events that change hands.
    pub(super) fn after(&self, area: AreaId, before: &Coverage, after: &Coverage) -> i64 {
        let [had, has]: [FxHashSet<AreaId>; 2] = [before, after].map(|graph| below(graph, area));
        let own = |id: &AreaId| {
            let below: i64 = before.children(*id).iter().map(|child| self.before(*child)).sum();
            self.before(*id) - below
        };
        let come: i64 = has.difference(&had).map(own).sum();
        let gone: i64 = had.difference(&has).map(own).sum();
        let is_in = |id: &Option<AreaId>| i64::from(id.is_some_and(|id| has.contains(&id)));
        let moved: i64 = self.moved.iter().map(|(from, to)| is_in(to) - is_in(from)).sum();
        self.before(area) + come - gone + moved
    }
}

fn below(graph: &Coverage, area: AreaId) -> FxHashSet<AreaId> {
    if graph.area(area).is_some() { subtree(graph, area).into_iter().collect() } else { FxHashSet::default() }
}

/// Boxes of ground that changes hands, and the areas of which counts are needed: those that
/// are touched, those that come or go below them, and what lay below these.
fn concerned(before: &Coverage, after: &Coverage) -> (Vec<Bounds>, Vec<AreaId>) {
    let mut areas: FxHashSet<AreaId> = FxHashSet::default();
    for id in after.touched(before) {
        areas.insert(id);
        let [had, has] = [before, after].map(|graph| below(graph, id));
        for other in had.symmetric_difference(&has) {
            areas.insert(*other);
            areas.extend(before.children(*other));
        }
    }
    (after.changed_ground(before), areas.into_iter().collect())
}
