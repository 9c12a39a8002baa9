//! The ways into the boundaries: one publish, two at once, one broken off, a rebase, a way back.

use std::sync::Arc;
use std::time::Duration;

use gridatlas::redraw::{Conflict, Op, PlanError};
use gridatlas::snapshot::{Moment, Snapshot};
use gridatlas::store::{self, Descent, PlanState};
use jiff::{SignedDuration, Timestamp};

use super::judging;
use super::model::Told;
use super::office::{Desk, Office};
use super::picture::{Owner, Picture};
use super::town::{self, COVERAGE};

impl Office {
    /// A plan on the head that may be published: one that there is, or another one.
    async fn ready(&mut self, but: Option<usize>) -> usize {
        let head = self.model.head().number;
        let but = but.map(|i| self.model.plans[i].id.clone());
        let known = self.plan(|p| p.is_open() && p.base == head && p.done > 1 && Some(&p.id) != but.as_ref());
        let i = match known {
            Some(i) => i,
            None => self.renaming().await,
        };
        for (from, to, kind) in [
            (PlanState::Draft, PlanState::Submitted, "submitted"),
            (PlanState::Submitted, PlanState::Approved, "approved"),
        ] {
            if self.model.plans[i].state == from {
                let desk = self.desk();
                let plan = desk.store.plan(&self.model.plans[i].id).await.unwrap().unwrap();
                desk.plans.decide(&desk.store, &plan, "chief", to, String::new()).await.unwrap();
                self.model.plans[i].state = to;
                self.model.plans[i].notes.push(kind);
            }
        }
        i
    }

    /// A new plan that gives a grid another name.
    async fn renaming(&mut self) -> usize {
        self.begin_on_head().await;
        let i = self.model.plans.len() - 1;
        let desk = self.desk();
        let opened = desk.drafting(&self.model.plans[i].id).await;
        let codes: Vec<Arc<str>> = opened.draft.coverage().areas().map(|(_, a)| a.code.clone()).collect();
        let code = self.dice.one_of(&codes).unwrap();
        let name = format!("新{}", self.dice.below(1_000_000)).into();
        let (_, step) = desk.plans.edit(&desk.store, opened, "somebody", Op::Rename { code, name }).await.unwrap();
        self.model.plans[i].edits.push((step.seq, step.body.clone()));
        self.model.plans[i].done = 1;
        i
    }

    pub(crate) async fn publish_one(&mut self) {
        let i = if self.dice.once_in(3) { self.plan(|_| true) } else { None };
        let i = match i {
            Some(i) => i,
            None => self.ready(None).await,
        };
        let desk = self.desk();
        let id = self.model.plans[i].id.clone();
        let effective = match self.dice.below(8) {
            0 | 1 => Some(Timestamp::now() + SignedDuration::from_millis(100 + self.dice.below(900) as i64)),
            2 => Some(Timestamp::now() - SignedDuration::from_secs(3600)),
            _ => None,
        };
        let model = &self.model.plans[i];
        if !model.is_open() {
            let opened = desk.plans.open(&desk.atlas, &desk.store, &id).await.unwrap();
            let again = desk.plans.publish(&desk.atlas, &desk.store, opened, "chief", None, "").await;
            assert!(matches!(again, Err(PlanError::State { .. })), "{again:?}");
            return self.count("publish: it is done");
        }
        let opened = desk.drafting(&id).await;
        let expected = (model.state, model.base == self.model.head().number);
        if self.dice.once_in(8) {
            let would = desk.plans.publication(&desk.store, &opened, "chief", effective, "").await;
            assert!(would.is_err() || expected == (PlanState::Approved, true));
            return self.count("publish: dry run");
        }
        let [one, other] = self.desks.clone();
        let beside = if Arc::ptr_eq(&one, &desk) { other } else { one };
        let (published, seen) = tokio::join!(
            desk.plans.publish(&desk.atlas, &desk.store, opened, "chief", effective, ""),
            readers(&beside)
        );
        match published {
            Ok((published, lineage)) => {
                assert_eq!(expected, (PlanState::Approved, true));
                assert!(published.is_new);
                if let Some(at) = effective {
                    let exact = Timestamp::from_microsecond(at.as_microsecond()).unwrap();
                    assert_eq!(published.revision.effective, Some(exact));
                }
                self.is_published(i, published.revision.number, published.revision.effective).await;
                let told: Vec<_> = desk.store.lineage(COVERAGE).await.unwrap();
                let told: Vec<_> = told.into_iter().filter(|d| d.revision == published.revision.number).collect();
                let ours = |d: &Descent| (d.from.clone(), d.to.clone());
                let (mut told, mut answered): (Vec<_>, Vec<_>) =
                    (told.iter().map(ours).collect(), lineage.iter().map(ours).collect());
                told.sort();
                answered.sort();
                assert_eq!(told, answered);
            }
            Err(PlanError::State { .. }) => assert_ne!(expected.0, PlanState::Approved),
            Err(PlanError::Behind { .. }) => assert!(!expected.1),
            Err(PlanError::Refused(refused)) => {
                assert_eq!(refused.reason, "no_change");
                let plan = &self.model.plans[i];
                assert!(Picture::of(&self.model.outcome(plan)) == *self.model.head().picture);
                self.count("publish: nothing");
            }
            Err(PlanError::Store(store::Error::Refused(why))) => {
                let head = self.model.head().effective;
                let early = effective.is_some_and(|at| at < Timestamp::now() || head.is_some_and(|head| at < head));
                assert!(early, "{why}");
                self.count("publish: too early");
            }
            Err(other) => panic!("{other}"),
        }
        // Whoever read meanwhile saw one revision or the other, and owners that go with it.
        for snapshot in seen {
            let told = self.model.revision(snapshot.coverages[0].revision).picture.clone();
            judging::shows(&snapshot.coverages[0], &told, "read while somebody publishes");
            judging::owns(&snapshot, 0, &told, &self.features);
        }
    }

    /// A plan came into the boundaries: everybody has it, and everything follows from it.
    async fn is_published(&mut self, i: usize, number: u64, effective: Option<Timestamp>) {
        let coverage = self.model.outcome(&self.model.plans[i]);
        let picture = Arc::new(Picture::of(&coverage));
        let before = self.model.head().clone();
        assert_eq!(self.model.plans[i].base, before.number);
        let plan = &mut self.model.plans[i];
        plan.state = PlanState::Published;
        plan.published = Some(number);
        plan.notes.push("published");
        self.model.revisions.push(Told { number, effective, coverage, picture: picture.clone() });
        let lineage = self.desks[0].store.lineage(COVERAGE).await.unwrap();
        let lineage: Vec<_> = lineage.into_iter().filter(|d| d.revision == number).collect();
        judging::tells(&lineage, &before.picture, &picture, &mut self.dice);
        self.holds_head().await;
        self.holds_plan(i).await;
        self.count("published");
    }

    /// Both services, the store and one that is opened anew have the head of the model, and what
    /// is in force now.
    async fn holds_head(&mut self) {
        let told = self.model.head().clone();
        let head = self.model.revisions.len().checked_sub(2).map(|i| self.model.revisions[i].effective);
        assert!(head.is_none_or(|before| told.effective >= before), "revisions take effect in their order");
        let desk = self.desk();
        let (revision, coverage) = desk.store.head_coverage(COVERAGE).await.unwrap().unwrap();
        assert_eq!((revision.number, revision.effective), (told.number, told.effective));
        let found = Picture::of(&coverage);
        assert!(found == *told.picture, "the head:\n{}", found.differences(&told.picture));
        for (id, area) in coverage.areas() {
            let first = *self.model.codes.entry(area.code.clone()).or_insert(id);
            assert_eq!(first, id, "the code {} was another's", area.code);
        }
        for desk in &self.desks {
            let before = self.model.at(Timestamp::now()).number;
            desk.atlas.refresh().await.unwrap();
            let present = desk.atlas.present();
            let after = self.model.at(Timestamp::now()).number;
            let number = present.coverages[0].revision;
            assert!((before..=after).contains(&number), "{number} is shown, {before} to {after} are in force");
            let picture = &self.model.revision(number).picture;
            judging::shows(&present.coverages[0], picture, "the present");
            judging::owns(&present, 0, picture, &self.features);
            let anew = desk.store.load_at(&present, Moment::Revision(told.number)).await.unwrap();
            assert!(anew.coverages[0].coverage == coverage, "the graph came back as another");
        }
        for attempt in 0.. {
            desk.store.settle().await.unwrap();
            let report = desk.store.check(None).await.unwrap();
            // A revision may have taken effect in between.
            let is_stale = !report.defects.is_empty() && report.defects.iter().all(|d| d.kind == "stale");
            if !is_stale || attempt > 3 {
                assert_eq!(report.defects, []);
                break;
            }
        }
    }

    pub(crate) async fn publish_two_at_once(&mut self) {
        let first = self.ready(None).await;
        let second = self.ready(Some(first)).await;
        let [a, b] = self.desks.clone();
        let ids = [first, second].map(|i| self.model.plans[i].id.clone());
        let [x, y] = [a.drafting(&ids[0]).await, b.drafting(&ids[1]).await];
        let (x, y) = tokio::join!(
            tokio::spawn(async move { a.plans.publish(&a.atlas, &a.store, x, "chief", None, "").await }),
            tokio::spawn(async move { b.plans.publish(&b.atlas, &b.store, y, "chief", None, "").await }),
        );
        let (x, y) = (x.unwrap(), y.unwrap());
        let is_nothing = |r: &Result<_, PlanError>| matches!(r, Err(PlanError::Refused(r)) if r.reason == "no_change");
        if is_nothing(&x) || is_nothing(&y) {
            // What changes nothing does not compete.
            for (i, outcome) in [(first, &x), (second, &y)] {
                if let Ok((published, _)) = outcome {
                    self.is_published(i, published.revision.number, published.revision.effective).await;
                }
            }
            return;
        }
        let (won, lost, published) = match (x, y) {
            (Ok(won), Err(lost)) => (first, lost, won.0),
            (Err(lost), Ok(won)) => (second, lost, won.0),
            (x, y) => panic!("exactly one wins: {x:?}, {y:?}"),
        };
        assert!(matches!(lost, PlanError::Behind { .. }), "{lost}");
        self.is_published(won, published.revision.number, published.revision.effective).await;
        self.holds_plan(if won == first { second } else { first }).await;
        self.count("two at once");
    }

    /// Whoever publishes goes away in the middle of it.
    pub(crate) async fn publish_and_break_off(&mut self) {
        let i = self.ready(None).await;
        let desk = self.desk();
        let opened = desk.drafting(&self.model.plans[i].id).await;
        let task = tokio::spawn({
            let desk = desk.clone();
            async move { desk.plans.publish(&desk.atlas, &desk.store, opened, "chief", None, "").await.is_ok() }
        });
        let most_us = if self.place.is_file() { 12_000 } else { 60_000 };
        tokio::time::sleep(Duration::from_micros(self.dice.below(most_us) as u64)).await;
        task.abort();
        let ended = task.await;
        // The next who writes waits until it is over.
        desk.store.settle().await.unwrap();
        let head = desk.store.head(COVERAGE).await.unwrap().unwrap();
        if head.number == self.model.head().number {
            assert!(!matches!(ended, Ok(true)), "what was answered is gone");
            self.holds_plan(i).await;
            self.holds_head().await;
            self.count("broken off: nothing");
        } else {
            self.is_published(i, head.number, head.effective).await;
            self.count("broken off: done");
        }
    }

    pub(crate) async fn rebase(&mut self) {
        let head = self.model.head().number;
        let behind = self.plan(|p| p.is_open() && p.base != head && p.done > 0);
        let Some(i) = behind.or_else(|| self.plan(|p| p.is_open())) else { return };
        let (mut drop, mut accept): (Vec<u64>, Vec<u64>) = Default::default();
        let plan = self.model.plans[i].clone();
        let was_behind = plan.base != head;
        let [base, theirs] = [plan.base, head].map(|n| self.model.revision(n).picture.clone());
        let ours = Picture::of(&self.model.outcome(&plan));
        for attempt in 0.. {
            let desk = self.desk();
            let opened = desk.drafting(&plan.id).await;
            let rebased = desk.plans.rebase(&desk.atlas, &desk.store, opened, "somebody", &drop, &accept).await;
            match rebased {
                Ok(drafting) => {
                    let model = &mut self.model.plans[i];
                    if was_behind {
                        model.edits.truncate(model.done);
                        model.edits.retain(|(seq, _)| !drop.contains(seq));
                        model.done = model.edits.len();
                        // Who insists on an edit whose codes others took gets others.
                        let again = drafting.plan.edits.iter().filter(|edit| accept.contains(&edit.seq));
                        for edit in again {
                            let ours = model.edits.iter_mut().find(|(seq, _)| *seq == edit.seq).unwrap();
                            judging::is_but_for_codes(&ours.1, &edit.body);
                            ours.1 = edit.body.clone();
                        }
                        model.base = head;
                        model.notes.push("rebased");
                        if attempt > 0 && model.state == PlanState::Approved {
                            model.state = PlanState::Submitted;
                        }
                    }
                    let is_plain = attempt == 0;
                    judging::is_plan(&drafting.plan, model);
                    if is_plain {
                        let merged = Picture::of(drafting.draft.coverage());
                        self.are_both(&base, &ours, &theirs, &merged);
                    }
                    self.holds_plan(i).await;
                    return self.count(if is_plain { "rebased" } else { "rebased: not all" });
                }
                Err(PlanError::Conflicts(all)) => {
                    self.names_conflicts(i, &all);
                    self.holds_plan(i).await;
                    for conflict in all {
                        // What can't be kept the first time is left out the next.
                        if accept.contains(&conflict.seq) || self.dice.once_in(2) {
                            accept.retain(|seq| *seq != conflict.seq);
                            drop.push(conflict.seq);
                        } else {
                            accept.push(conflict.seq);
                        }
                    }
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn names_conflicts(&self, i: usize, all: &[Conflict]) {
        let plan = &self.model.plans[i];
        assert!(!all.is_empty());
        for conflict in all {
            assert!(plan.in_force().iter().any(|(seq, _)| *seq == conflict.seq), "{conflict:?}");
            assert!(!conflict.reason.is_empty());
            let by = conflict.revision.as_ref().map(|(number, _)| *number);
            assert!(by.is_none_or(|number| number > plan.base && number <= self.model.head().number), "{conflict:?}");
        }
    }

    /// Where all edits went through by themselves, everybody's work is in the outcome.
    fn are_both(&mut self, base: &Picture, ours: &Picture, theirs: &Picture, merged: &Picture) {
        for _ in 0..80 {
            let p = town::place(&mut self.dice);
            let owners = [base, ours, theirs, merged].map(|picture| picture.owner(p));
            if owners.contains(&Owner::Unsure) {
                continue;
            }
            let [base, ours, theirs, merged] = owners;
            assert!(ours == base || theirs == base, "{p:?}: {base:?} became {ours:?} here and {theirs:?} there");
            assert_eq!(merged, if ours == base { theirs } else { ours }, "{p:?}");
        }
    }

    /// An earlier revision becomes the head again, as a new one.
    pub(crate) async fn go_back(&mut self) {
        let earlier = self.model.revisions[self.dice.below(self.model.revisions.len())].clone();
        let head = self.model.head().clone();
        let desk = self.desk();
        let all = desk.store.revisions().await.unwrap();
        let to = all.iter().find(|r| r.number == earlier.number).unwrap();
        let would = desk.plans.rollback(&desk.atlas, &desk.store, to, "chief", None, "").await;
        let published = match desk.plans.roll_back(&desk.atlas, &desk.store, to, "chief", None, "").await {
            Ok((published, _)) => published,
            Err(PlanError::Refused(refused)) if refused.reason == "no_change" => {
                assert!(*earlier.picture == *head.picture);
                return self.count("way back: none");
            }
            Err(other) => panic!("{other}"),
        };
        let (number, effective) = (published.revision.number, published.revision.effective);
        let lineage = desk.store.lineage(COVERAGE).await.unwrap();
        let lineage: Vec<_> = lineage.into_iter().filter(|d| d.revision == number).collect();
        judging::tells(&lineage, &head.picture, &earlier.picture, &mut self.dice);
        self.model.revisions.push(Told { number, effective, ..earlier });
        self.holds_head().await;
        let again = desk.store.publish(would.unwrap()).await;
        assert!(matches!(again, Err(store::Error::Moved { .. })), "{again:?}");
        self.count("way back");
    }
}

/// What somebody reads at another service meanwhile.
async fn readers(desk: &Desk) -> Vec<Arc<Snapshot>> {
    let mut seen = Vec::new();
    for _ in 0..4 {
        desk.atlas.refresh().await.unwrap();
        seen.push(desk.atlas.present());
        tokio::task::yield_now().await;
    }
    seen
}
