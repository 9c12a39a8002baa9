//! The live handle on plans: drafts that are being worked on, and their way to the
//! boundaries.
//!
//! Drafts are kept as long as they are used; one that was let go is made again from its
//! plan. What is answered is durable: the store has it first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use boundaries::Level;
use boundaries::edit::Fresh;

use super::codes::{CodeBook, Layout};
use super::draft::{Draft, Refused, Step, Terms};
use super::figures::{Counting, Target};
use super::monthly::Monthly;
use super::op::Op;
use super::preview::{AreaChange, Preview, changed, preview};
use super::rebase::Conflict;
use crate::feature::Geometry;
use crate::snapshot::{Atlas, Moment, Snapshot};
use crate::store::{self, NewPlan, Plan, PlanChange, PlanState, Store};

/// Drafts that are kept, at most.
const MAX_DRAFTS: usize = 64;

/// How a city plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How codes of new areas are laid out.
    pub codes: Layout,
    /// How many households a grid is meant to have.
    pub target: Target,
    /// Whether a plan must be approved before it is published.
    pub approval: bool,
    /// Whether its author may approve it.
    pub own_approval: bool,
    /// The uppermost level, counted from 0, whose borders plans may move.
    pub mandate: u8,
}

impl Default for Settings {
    fn default() -> Self {
        let (codes, target) = (Layout::default(), Target::default());
        Self { codes, target, approval: true, own_approval: false, mandate: 0 }
    }
}

/// Why a plan did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is none of that id.
    #[error("there is no plan {0}")]
    Unknown(String),
    /// An edit can't be made.
    #[error("{}", .0.message)]
    Refused(Box<Refused>),
    /// It is too far on its way, or not far enough.
    #[error("plan {id} is {}: {wanted}", .state.name())]
    State {
        /// Its id.
        id: Arc<str>,
        /// Where it is.
        state: PlanState,
        /// What would have to be.
        wanted: &'static str,
    },
    /// Its author may not approve it.
    #[error("a plan is approved by somebody else than its author")]
    OwnPlan,
    /// Something was published since its base.
    #[error("the plan stands on revision {base}, but revision {head} is published: rebase it")]
    Behind {
        /// Its base.
        base: u64,
        /// The head of its coverage.
        head: u64,
    },
    /// Edits that can't simply be made again.
    #[error("{} of its edits concern what was changed meanwhile", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<Refused> for PlanError {
    fn from(refused: Refused) -> Self {
        Self::Refused(Box::new(refused))
    }
}

/// A plan with its draft, and the state that it stands on.
#[derive(Clone, Debug)]
pub struct Drafting {
    /// The plan.
    pub plan: Arc<Plan>,
    /// What the boundaries would be.
    pub draft: Draft,
    /// The city at the plan's base.
    pub snapshot: Arc<Snapshot>,
    /// The place of the plan's coverage in it.
    pub place: usize,
    pub(super) terms: Terms,
}

#[derive(Clone, Debug)]
struct Kept {
    plan: Arc<Plan>,
    draft: Draft,
    codes: CodeBook,
}

/// All plans of a city.
#[derive(Debug, Default)]
pub struct Plans {
    pub(super) settings: Settings,
    /// The one used last is at the end.
    kept: Mutex<VecDeque<Kept>>,
}

impl Plans {
    /// A handle without drafts.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// How the city plans.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Makes a plan.
    ///
    /// # Errors
    ///
    /// As [`Store::new_plan`], and where the scope is no area of its base.
    pub async fn create(&self, atlas: &Atlas, store: &Store, new: NewPlan) -> Result<Plan, PlanError> {
        if let Some(scope) = &new.scope {
            let head = store.head(&new.coverage).await?.map(|r| r.number);
            let base = match new.base.or(head) {
                Some(number) => atlas.at(Moment::Revision(number)).await?,
                None => atlas.present(),
            };
            let view = base.coverage(&new.coverage);
            if view.is_none_or(|v| v.coverage.area_by_code(scope).is_none()) {
                return Err(Refused::new("unknown_area", format!("the scope {scope} is no area")).into());
            }
        }
        Ok(store.new_plan(new).await?)
    }

    /// A plan with its draft.
    ///
    /// # Errors
    ///
    /// Where there is none, or where its edits can't be made again.
    pub async fn open(&self, atlas: &Atlas, store: &Store, id: &str) -> Result<Drafting, PlanError> {
        if let Some(kept) = self.kept(id) {
            // Maps ask for a plan tile by tile, and it may have many edits.
            if store.plan_version(id).await? == Some(kept.plan.version) {
                return self.draft(atlas, store, kept.plan).await;
            }
        }
        let plan = store.plan(id).await?.ok_or_else(|| PlanError::Unknown(id.chars().take(64).collect()))?;
        self.draft(atlas, store, plan.into()).await
    }

    pub(super) async fn draft(&self, atlas: &Atlas, store: &Store, plan: Arc<Plan>) -> Result<Drafting, PlanError> {
        let snapshot = atlas.at(Moment::Revision(plan.base)).await?;
        let place = snapshot.coverage_index(&plan.coverage);
        let found = place.and_then(|p| snapshot.coverages.get(p)).filter(|view| view.revision == plan.base).cloned();
        let (Some(place), Some(base)) = (place, found) else {
            return Err(store::Error::Damaged(format!("plan {} has no base", plan.id)).into());
        };
        let (draft, codes) = match self.known(&plan) {
            Some(kept) => (kept.draft, kept.codes),
            None => {
                let (ids, area) = store.free_ids(&plan.coverage).await?;
                let used = store.used_codes(&plan.coverage).await?;
                (Draft::on(base, Fresh { ids, area }), CodeBook::new(self.settings.codes, used))
            }
        };
        let terms = Terms {
            scope: plan.scope.clone(),
            locked: plan.locked.clone(),
            mandate: Level(self.settings.mandate),
            codes,
        };
        let drafting = blocking(move || {
            let mut draft = draft;
            // Locks, scope and codes were held against each edit when it was made.
            let replaying = Terms { scope: None, locked: Vec::new(), codes: terms.codes.replay(), ..terms.clone() };
            for edit in &plan.in_force()[draft.steps().len()..] {
                draft = draft.then(edit.seq, edit.body.clone(), &replaying).map_err(|mut refused| {
                    refused.message = format!("edit {} can't be made again: {}", edit.seq, refused.message);
                    refused
                })?;
            }
            Ok::<_, PlanError>(Drafting { plan, draft, snapshot, place, terms })
        })
        .await??;
        self.keep(&drafting);
        Ok(drafting)
    }

    /// The kept draft of a plan, as far as the plan's edits are those that were made in it.
    /// It stays for whoever asks at the same time.
    fn known(&self, plan: &Plan) -> Option<Kept> {
        let kept = self.kept(&plan.id)?;
        if kept.draft.base().revision != plan.base {
            return None;
        }
        let pairs = kept.draft.steps().iter().zip(plan.in_force());
        let same = pairs.take_while(|(step, edit)| step.seq == edit.seq && step.body == edit.body).count();
        Some(Kept { draft: kept.draft.first(same), ..kept })
    }

    fn kept(&self, id: &str) -> Option<Kept> {
        let all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|k| *k.plan.id == *id).cloned()
    }

    fn keep(&self, drafting: &Drafting) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|k| k.plan.id != drafting.plan.id);
        if all.len() >= MAX_DRAFTS {
            all.pop_front();
        }
        let (plan, draft) = (drafting.plan.clone(), drafting.draft.clone());
        all.push_back(Kept { plan, draft, codes: drafting.terms.codes.clone() });
    }

    /// Makes one more edit. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`PlanError::Refused`] where it can't be made; the plan stays as it is.
    pub async fn edit(
        &self,
        store: &Store,
        opened: Drafting,
        author: &str,
        op: Op,
    ) -> Result<(Drafting, Arc<Step>), PlanError> {
        let (mut drafting, step) = self.tried(opened, op).await?;
        let change = PlanChange::Edit { body: step.body.to_string() };
        drafting.plan = store.change_plan(&drafting.plan.id, drafting.plan.version, author, change).await?.into();
        self.keep(&drafting);
        Ok((drafting, step))
    }

    /// Makes one more edit on the draft alone: the plan stays as it is.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    pub async fn tried(&self, opened: Drafting, op: Op) -> Result<(Drafting, Arc<Step>), PlanError> {
        must_be(&opened.plan, &[PlanState::Draft], "only a draft can be edited")?;
        let op = with_ring(op, &opened.snapshot)?;
        let seq = opened.draft.steps().last().map_or(1, |step| step.seq + 1);
        let (draft, terms) = (opened.draft.clone(), opened.terms.clone());
        let draft = blocking(move || draft.anew(seq, op, &terms)).await??;
        let step = draft.steps().last().cloned();
        let step = step.ok_or_else(|| store::Error::Damaged("an edit that was made is gone".into()))?;
        Ok((Drafting { draft, ..opened }, step))
    }

    /// Undoes the last edit, or makes the first undone one again.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub async fn step(
        &self,
        atlas: &Atlas,
        store: &Store,
        opened: &Plan,
        author: &str,
        change: PlanChange,
    ) -> Result<Drafting, PlanError> {
        must_be(opened, &[PlanState::Draft], "only a draft can be edited")?;
        let plan = store.change_plan(&opened.id, opened.version, author, change).await?;
        self.draft(atlas, store, plan.into()).await
    }

    /// The city as the plan would have it, over the features of the present.
    ///
    /// # Errors
    ///
    /// Where the work was broken off.
    pub async fn seen(&self, drafting: &Drafting) -> Result<Arc<Snapshot>, PlanError> {
        let (snapshot, place, draft) = (drafting.snapshot.clone(), drafting.place, drafting.draft.clone());
        blocking(move || draft.snapshot(&snapshot, place)).await
    }

    /// What one edit changed, the figures of each area before it and after.
    ///
    /// # Errors
    ///
    /// Where the work was broken off.
    pub async fn changed(&self, drafting: &Drafting) -> Result<Vec<AreaChange>, PlanError> {
        let (snapshot, place, draft) = (drafting.snapshot.clone(), drafting.place, drafting.draft.clone());
        let target = self.settings.target;
        blocking(move || changed(&snapshot, place, &draft, &Counting { target, sums: &[], monthly: None })).await
    }

    /// What the plan would change, with attributes of buildings (see [`sums`](super::sums)) summed.
    ///
    /// # Errors
    ///
    /// Where the store does not say what happened, or the work was broken off.
    pub async fn preview(&self, store: &Store, drafting: &Drafting, sums: &[Arc<str>]) -> Result<Preview, PlanError> {
        let monthly = Monthly::of(store, &drafting.draft).await?;
        let (snapshot, place, draft) = (drafting.snapshot.clone(), drafting.place, drafting.draft.clone());
        let (target, scope, sums) = (self.settings.target, drafting.plan.scope.clone(), sums.to_vec());
        blocking(move || {
            let counting = Counting { target, sums: &sums, monthly: monthly.as_ref() };
            preview(&snapshot, place, &draft, scope.as_ref(), &counting)
        })
        .await
    }

    /// Takes a plan a step on its way, or back to a draft.
    ///
    /// # Errors
    ///
    /// [`PlanError::State`] where it is not at the step before; [`PlanError::OwnPlan`].
    pub async fn decide(
        &self,
        store: &Store,
        plan: &Plan,
        author: &str,
        to: PlanState,
        text: String,
    ) -> Result<Plan, PlanError> {
        let kind = match to {
            PlanState::Submitted => {
                must_be(plan, &[PlanState::Draft], "only a draft can be submitted")?;
                "submitted"
            }
            PlanState::Approved => {
                must_be(plan, &[PlanState::Submitted], "only a submitted plan can be approved")?;
                if !self.settings.own_approval && author == plan.author {
                    return Err(PlanError::OwnPlan);
                }
                "approved"
            }
            PlanState::Refused => {
                let open = [PlanState::Draft, PlanState::Submitted, PlanState::Approved];
                must_be(plan, &open, "what is done can't be refused")?;
                "refused"
            }
            PlanState::Draft => {
                let handed_in = [PlanState::Submitted, PlanState::Approved];
                must_be(plan, &handed_in, "only what was handed in can be taken back")?;
                "withdrawn"
            }
            PlanState::Published => {
                let (id, state) = (plan.id.clone(), plan.state);
                return Err(PlanError::State { id, state, wanted: "that is not decided" });
            }
        };
        Ok(store.change_plan(&plan.id, plan.version, author, PlanChange::Decide { state: to, kind, text }).await?)
    }
}

pub(super) fn must_be(plan: &Plan, states: &[PlanState], wanted: &'static str) -> Result<(), PlanError> {
    if states.contains(&plan.state) {
        return Ok(());
    }
    Err(PlanError::State { id: plan.id.clone(), state: plan.state, wanted })
}

/// A transfer of a building with the ring that it stands in.
fn with_ring(op: Op, snapshot: &Snapshot) -> Result<Op, Refused> {
    let Op::Transfer { to, pieces: None, ring: None, building: Some(building), multipart, shares: None, ends, given } =
        op
    else {
        return Ok(op);
    };
    let unknown = || Refused::new("unknown_building", format!("there is no building {building}"));
    let layer = snapshot.layer("building").ok_or_else(unknown)?;
    let feature = layer.find(&building).and_then(|ix| layer.feature(ix)).ok_or_else(unknown)?;
    let Geometry::Polygons(parts) = &feature.geometry else {
        let message = format!("building {building} is known as a point: draw the ring around it");
        return Err(Refused::new("no_ground", message));
    };
    let [part] = parts.as_slice() else {
        let message = format!("building {building} has {} parts: draw the ring around them", parts.len());
        return Err(Refused::new("no_ground", message));
    };
    let ring = part.shell.iter().map(|p| [p.lon(), p.lat()]).collect();
    let (ring, building) = (Some(ring), Some(building));
    Ok(Op::Transfer { to, pieces: None, ring, building, multipart, shares: None, ends, given })
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PlanError> {
    let broken = |e: tokio::task::JoinError| store::Error::Refused(format!("the work was broken off: {e}"));
    Ok(tokio::task::spawn_blocking(work).await.map_err(broken)?)
}
