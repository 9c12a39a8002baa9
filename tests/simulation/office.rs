//! The office: two services over one store, the planners at their desks, and the model
//! beside them. A step is what one planner does, or what goes wrong.

use std::sync::Arc;

use boundaries::{Coverage, Point};
use gridatlas::feature::Feature;
use gridatlas::redraw::{Drafting, Layout, Op, PlanError, Plans, Settings};
use gridatlas::snapshot::{Atlas, Moment};
use gridatlas::store::{self, NewPlan, Plan, PlanChange, PlanState, Store};
use jiff::{SignedDuration, Timestamp};

use super::dice::Dice;
use super::drawing;
use super::judging;
use super::model::{Model, Planned, Told, replayed};
use super::picture::{Owner, Picture};
use super::places::Place;
use super::town::{self, COVERAGE};

/// Drafts that are worked on at once, at most.
const DRAFTS: usize = 5;

/// A service, as far as plans go.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) atlas: Atlas,
    pub(crate) plans: Plans,
}

impl Desk {
    async fn open(place: &Place, settings: Settings) -> Self {
        let store = place.store().await;
        Self { atlas: Atlas::open(store.clone()).await.unwrap(), store, plans: Plans::new(settings) }
    }

    pub(crate) async fn drafting(&self, id: &str) -> Drafting {
        let opened = self.plans.open(&self.atlas, &self.store, id).await;
        opened.unwrap_or_else(|why| panic!("{id} can't be opened: {why}"))
    }
}

/// Everything that there is.
pub(crate) struct Office {
    pub(crate) place: Place,
    pub(crate) settings: Settings,
    pub(crate) desks: [Arc<Desk>; 2],
    pub(crate) model: Model,
    pub(crate) features: Vec<Feature>,
    pub(crate) dice: Dice,
    /// What happened how often.
    pub(crate) tally: std::collections::BTreeMap<String, usize>,
}

impl Office {
    /// Founds the town in an empty store.
    pub(crate) async fn open(place: Place, seed: u64) -> Self {
        let mut dice = Dice::seeded(seed);
        let settings = Settings {
            codes: [Layout::Suffix, Layout::Numbered { digits: 2 }][seed as usize % 2],
            ..Settings::default()
        };
        let store = place.store().await;
        let (first, features) = town::found(&store, &mut dice).await;
        store.close().await;
        let desks = [Desk::open(&place, settings).await, Desk::open(&place, settings).await].map(Arc::new);
        let picture = Arc::new(Picture::of(&first));
        let mut office =
            Self { place, settings, desks, model: Model::default(), features, dice, tally: Default::default() };
        office.model.codes = first.areas().map(|(id, a)| (a.code.clone(), id)).collect();
        office.model.revisions.push(Told { number: 1, effective: None, coverage: first, picture });
        office
    }

    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn desk(&mut self) -> Arc<Desk> {
        self.desks[self.dice.below(2)].clone()
    }

    /// One of the plans that a condition holds for.
    pub(crate) fn plan(&mut self, which: impl Fn(&Planned) -> bool) -> Option<usize> {
        let all: Vec<usize> = (0..self.model.plans.len()).filter(|i| which(&self.model.plans[*i])).collect();
        self.dice.one_of(&all)
    }

    /// Something happens, and all is as it should be.
    pub(crate) async fn step(&mut self) {
        let drafts = self.model.plans.iter().filter(|p| p.state == PlanState::Draft).count();
        match self.dice.below(40) {
            _ if drafts < 2 => self.begin().await,
            0 if drafts < DRAFTS => self.begin().await,
            0..=15 => self.edit().await,
            16..=18 => self.undo_or_redo().await,
            19 => self.edit_what_is_stale().await,
            20 => self.lock().await,
            21 => self.comment().await,
            22..=26 => self.decide().await,
            27..=28 => self.publish_one().await,
            29..=30 => self.read().await,
            31 => self.publish_two_at_once().await,
            32 => self.publish_and_break_off().await,
            33..=34 => self.rebase().await,
            35 => self.go_back().await,
            36 => self.crash().await,
            37 => self.preview().await,
            _ => self.read().await,
        }
        let Some(any) = self.plan(|_| true) else { return };
        self.holds_plan(any).await;
    }

    /// The store has a plan as the model has it, and it comes to the same.
    pub(crate) async fn holds_plan(&mut self, i: usize) -> Plan {
        let desk = self.desk();
        let model = &self.model.plans[i];
        let plan = desk.store.plan(&model.id).await.unwrap().unwrap();
        judging::is_plan(&plan, model);
        if model.is_open() {
            let drafting = desk.drafting(&model.id).await;
            let (found, told) = (Picture::of(drafting.draft.coverage()), Picture::of(&self.model.outcome(model)));
            assert!(found == told, "{}:\n{}", model.id, found.differences(&told));
        }
        plan
    }

    async fn begin(&mut self) {
        let codes = self.model.head().picture.clone();
        let upper: Vec<Arc<str>> = codes.0.iter().filter(|(_, d)| d.level < 2).map(|(code, _)| code.clone()).collect();
        let scope = if self.dice.once_in(3) { self.dice.one_of(&upper) } else { None };
        let numbers: Vec<u64> = self.model.revisions.iter().map(|r| r.number).collect();
        let base = if self.dice.once_in(5) && scope.is_none() { self.dice.one_of(&numbers) } else { None };
        self.begin_with(scope, base).await;
    }

    pub(crate) async fn begin_on_head(&mut self) {
        self.begin_with(None, None).await;
    }

    async fn begin_with(&mut self, scope: Option<Arc<str>>, base: Option<u64>) {
        let desk = self.desk();
        let author = format!("planner {}", self.dice.below(3));
        let new = NewPlan {
            coverage: COVERAGE.into(),
            name: "a plan".into(),
            author: author.clone(),
            scope: scope.as_deref().map(str::to_owned),
            base,
            effective: None,
        };
        let plan = desk.plans.create(&desk.atlas, &desk.store, new).await.unwrap();
        let base = base.unwrap_or(self.model.head().number);
        self.model.plans.push(Planned {
            id: plan.id.clone(),
            author,
            scope,
            base,
            edits: Vec::new(),
            done: 0,
            state: PlanState::Draft,
            locked: Vec::new(),
            notes: Vec::new(),
            published: None,
        });
        self.count("begun");
    }

    async fn edit(&mut self) {
        let any = self.dice.once_in(20);
        let Some(i) = self.plan(|p| p.is_open() && (any || p.state == PlanState::Draft)) else { return };
        let desk = self.desk();
        let opened = desk.drafting(&self.model.plans[i].id).await;
        let before = opened.draft.coverage().clone();
        let edit = drawing::edit(&before, &mut self.dice);
        let op = Op::read(&edit.to_string()).unwrap();
        let made = desk.plans.edit(&desk.store, opened, "somebody", op).await;
        let model = &mut self.model.plans[i];
        let (drafting, step) = match made {
            Ok(made) => made,
            Err(PlanError::State { .. }) => {
                assert_ne!(model.state, PlanState::Draft);
                return self.count("edit: not a draft");
            }
            Err(PlanError::Refused(refused)) => {
                assert!(!refused.message.is_empty());
                return self.count(format!("edit refused: {}", refused.reason));
            }
            Err(other) => panic!("{edit}: {other}"),
        };
        assert_eq!(model.state, PlanState::Draft);
        let undone = model.edits.split_off(model.done);
        model.edits.push((step.seq, step.body.clone()));
        model.done += 1;
        assert!(undone.iter().all(|(seq, _)| *seq >= step.seq));
        judging::is_plan(&drafting.plan, model);
        let after = drafting.draft.coverage();
        self.keeps_to_terms(i, &before, after);
        self.count(format!("edit made: {}", edit["op"].as_str().unwrap()));
    }

    /// Ground changed hands only where the plan may change anything.
    fn keeps_to_terms(&mut self, i: usize, before: &Coverage, after: &Coverage) {
        let [before, after] = [before, after].map(Picture::of);
        for _ in 0..60 {
            let p = town::place(&mut self.dice);
            let (was, is) = (before.owner(p), after.owner(p));
            if was == is || was == Owner::Unsure || is == Owner::Unsure {
                continue;
            }
            let plan = &self.model.plans[i];
            for (picture, owner) in [(&before, &was), (&after, &is)] {
                let Owner::Area(code) = owner else { continue };
                let chain = picture.chain(code);
                assert!(plan.scope.as_ref().is_none_or(|scope| chain.contains(scope)), "{code} is out of scope");
                // What was undone may be locked, and what comes instead of it may get its code.
                let locked = |code: &&Arc<str>| plan.locked.contains(code) && before.0.contains_key(*code);
                assert!(chain.iter().find(locked).is_none(), "{code} is locked: {plan:?}");
            }
        }
    }

    async fn undo_or_redo(&mut self) {
        let any = self.dice.once_in(20);
        let Some(i) = self.plan(|p| p.is_open() && (any || p.state == PlanState::Draft)) else { return };
        let desk = self.desk();
        let earlier = desk.drafting(&self.model.plans[i].id).await;
        let is_undo = self.dice.below(3) > 0;
        let change = if is_undo { PlanChange::Undo } else { PlanChange::Redo };
        let step = desk.plans.step(&desk.atlas, &desk.store, &earlier.plan, "somebody", change).await;
        let model = &mut self.model.plans[i];
        let can =
            model.state == PlanState::Draft && if is_undo { model.done > 0 } else { model.done < model.edits.len() };
        match step {
            Ok(drafting) if is_undo => {
                model.done -= 1;
                // To look one step back is to have the identical coverage, ids and all.
                let kept = earlier.draft.first(model.done);
                assert!(kept.coverage() == drafting.draft.coverage(), "{} undone", model.id);
                self.count("undone");
            }
            Ok(_) => {
                model.done += 1;
                self.count("redone");
            }
            Err(PlanError::State { .. } | PlanError::Store(store::Error::Refused(_))) => assert!(!can),
            Err(other) => panic!("{other}"),
        }
    }

    /// Somebody edits what somebody else has changed since it was read.
    async fn edit_what_is_stale(&mut self) {
        let Some(i) = self.plan(|p| p.state == PlanState::Draft) else { return };
        let desk = self.desk();
        let opened = desk.drafting(&self.model.plans[i].id).await;
        let place = town::place(&mut self.dice);
        self.say(i, &opened.plan, place).await;
        let code = opened.draft.coverage().areas().next().unwrap().1.code.clone();
        let rename = Op::Rename { code, name: "too late".into() };
        let late = desk.plans.edit(&desk.store, opened, "somebody", rename).await;
        // A plan with a scope may have refused it before.
        let is_told = matches!(late, Err(PlanError::Store(store::Error::Stale(_)) | PlanError::Refused(_)));
        assert!(is_told, "{late:?}");
        self.count("stale");
    }

    async fn say(&mut self, i: usize, plan: &Plan, place: Point) {
        let desk = self.desk();
        let change = PlanChange::Comment { text: "here".into(), place: Some(place) };
        let said = desk.store.change_plan(&plan.id, plan.version, "somebody", change).await.unwrap();
        self.model.plans[i].notes.push("comment");
        assert_eq!(said.notes.last().unwrap().place, Some(place));
    }

    async fn comment(&mut self) {
        let Some(i) = self.plan(|_| true) else { return };
        let plan = self.holds_plan(i).await;
        let place = town::place(&mut self.dice);
        self.say(i, &plan, place).await;
    }

    async fn lock(&mut self) {
        let Some(i) = self.plan(|p| p.state == PlanState::Draft) else { return };
        let desk = self.desk();
        let opened = desk.drafting(&self.model.plans[i].id).await;
        let all: Vec<Arc<str>> = opened.draft.coverage().areas().map(|(_, a)| a.code.clone()).collect();
        let codes: Vec<Arc<str>> = (0..self.dice.below(4)).filter_map(|_| self.dice.one_of(&all)).collect();
        let change = PlanChange::Lock { codes: codes.clone() };
        desk.plans.step(&desk.atlas, &desk.store, &opened.plan, "somebody", change).await.unwrap();
        self.model.plans[i].locked = codes;
        self.count("locked");
    }

    async fn decide(&mut self) {
        use PlanState::{Approved, Draft, Refused, Submitted};
        let Some(i) = self.plan(|_| true) else { return };
        let plan = self.holds_plan(i).await;
        let (to, kind) = match self.dice.below(12) {
            0 => (Refused, "refused"),
            1..=4 => (Draft, "withdrawn"),
            5..=8 => (Submitted, "submitted"),
            _ => (Approved, "approved"),
        };
        let author = format!("planner {}", self.dice.below(3));
        let desk = self.desk();
        let decided = desk.plans.decide(&desk.store, &plan, &author, to, String::new()).await;
        let model = &mut self.model.plans[i];
        let may = matches!(
            (model.state, to),
            (Draft, Submitted)
                | (Submitted, Approved)
                | (Draft | Submitted | Approved, Refused)
                | (Submitted | Approved, Draft)
        );
        let own = to == Approved && model.author == author;
        match decided {
            Ok(_) => {
                assert!(may && !own, "{:?} to {to:?} by {author}", model.state);
                model.state = to;
                model.notes.push(kind);
                self.count(kind);
            }
            Err(PlanError::OwnPlan) => assert!(own),
            Err(PlanError::State { .. }) => assert!(!may),
            Err(other) => panic!("{other}"),
        }
    }

    async fn preview(&mut self) {
        let Some(i) = self.plan(Planned::is_open) else { return };
        let desk = self.desk();
        let model = &self.model.plans[i];
        let drafting = desk.drafting(&model.id).await;
        let (before, after) = (&self.model.revision(model.base).picture, Picture::of(drafting.draft.coverage()));
        let preview = desk.plans.preview(&desk.store, &drafting, &[]).await.unwrap();
        judging::previews(&preview, before, &after, &self.features);
        let seen = desk.plans.seen(&drafting).await.unwrap();
        judging::owns(&seen, drafting.place, &after, &self.features);
        judging::locates(&seen.coverages[drafting.place], &after, &mut self.dice);
        self.count("previewed");
    }

    /// Some moment, past or future, or a revision.
    async fn read(&mut self) {
        let desk = self.desk();
        if self.dice.once_in(2) {
            let (from, to) = (self.model.revisions[0].number, self.model.head().number);
            let number = from + self.dice.below((to - from + 1) as usize) as u64;
            let past = desk.atlas.at(Moment::Revision(number)).await.unwrap();
            let told = self.model.revision(number).picture.clone();
            judging::shows(&past.coverages[0], &told, "by its number");
            judging::locates(&past.coverages[0], &told, &mut self.dice);
            judging::owns(&past, 0, &told, &self.features);
        } else {
            let about = self.model.revisions[self.dice.below(self.model.revisions.len())].effective;
            let time = about.unwrap_or_else(Timestamp::now) + SignedDuration::from_millis(self.dice.about(300).into());
            let then = desk.atlas.at(Moment::At(time)).await.unwrap();
            let told = self.model.at(time).clone();
            assert_eq!(then.coverages[0].revision, told.number, "at {time}");
            judging::shows(&then.coverages[0], &told.picture, "at a time");
            judging::locates(&then.coverages[0], &told.picture, &mut self.dice);
        }
        self.count("read");
    }

    /// What a service had in memory is gone; another one begins where it was.
    async fn crash(&mut self) {
        let which = self.dice.below(2);
        let anew = Arc::new(Desk::open(&self.place, self.settings).await);
        let gone = std::mem::replace(&mut self.desks[which], anew);
        // Half of them let go of their store in good order.
        if self.dice.once_in(2) {
            gone.store.close().await;
        }
        drop(gone);
        for i in 0..self.model.plans.len() {
            if self.model.plans[i].is_open() {
                self.holds_plan(i).await;
            }
        }
        self.count("crashed");
    }

    /// The day is over: everything is proved once more, from a store that is opened anew.
    pub(crate) async fn close(mut self) {
        for desk in &self.desks {
            desk.store.close().await;
        }
        // What was published for a moment to come would come into force between the two below.
        let last = self.model.revisions.iter().filter_map(|revision| revision.effective).max();
        while let Some(last) = last
            && Timestamp::now() <= last
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let store = self.place.store().await;
        store.settle().await.unwrap();
        assert_eq!(store.check(None).await.unwrap().defects, []);
        let (head, found) = store.head_coverage(COVERAGE).await.unwrap().unwrap();
        let told = self.model.head();
        assert_eq!(head.number, told.number);
        assert!(Picture::of(&found) == *told.picture);
        // Every revision is what its plan makes of the one before, from the first on.
        let mut now = self.model.revisions[0].coverage.clone();
        for pair in self.model.revisions.windows(2) {
            let [before, after] = pair else { continue };
            now = match self.model.plans.iter().find(|p| p.published == Some(after.number)) {
                Some(plan) => {
                    assert_eq!(plan.base, before.number);
                    replayed(&now, plan.in_force().iter().map(|(_, body)| body))
                }
                None => after.coverage.clone(),
            };
            assert!(Picture::of(&now) == *after.picture, "revision {}", after.number);
        }
        self.count(format!("revisions: {}", self.model.revisions.len()));
        println!("{}: {:?}", if self.place.is_file() { "GeoPackage" } else { "PostGIS" }, self.tally);
        store.close().await;
    }
}
