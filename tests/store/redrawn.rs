//! A planner who redraws the small city at random, plan by plan, as people do through the
//! service: what comes of it has a lineage.

use std::sync::Arc;

use boundaries::{AreaId, Bounds, Coverage, Point};
use gridatlas::redraw::{Drafting, Layout, Op, PlanError, Plans, Preview, Settings};
use gridatlas::snapshot::Atlas;
use gridatlas::store::{NewPlan, Published, Store};
use serde_json::{Value as Json, json};

use super::streets::Random;

/// The one who redraws.
pub(crate) struct Planner {
    pub(crate) store: Store,
    pub(crate) atlas: Atlas,
    plans: Plans,
    dice: Random,
}

impl Planner {
    pub(crate) async fn new(store: Store, seed: u64) -> Self {
        println!("the planner's seed is {seed}");
        Self::of_city(store, seed, Layout::default()).await
    }

    /// The same in a city whose codes are laid out so.
    pub(crate) async fn of_city(store: Store, seed: u64, codes: Layout) -> Self {
        let settings = Settings { approval: false, codes, ..Settings::default() };
        let atlas = Atlas::open(store.clone()).await.unwrap();
        Self { store, atlas, plans: Plans::new(settings), dice: Random(seed) }
    }

    /// Publishes the edits as one plan; those that can't be made are left out. `None` where
    /// none could be, or where they come to nothing.
    pub(crate) async fn publish(&mut self, edits: &[Json]) -> Option<Published> {
        let mut drafting = self.begin().await;
        for edit in edits {
            if let Ok(next) = self.edited(&drafting, edit).await {
                drafting = next;
            }
        }
        if drafting.draft.steps().is_empty() {
            return None;
        }
        self.publish_plan(drafting).await
    }

    /// Publishes a plan; `None` where it comes to nothing.
    pub(crate) async fn publish_plan(&self, drafting: Drafting) -> Option<Published> {
        let note = format!("{} edits", drafting.draft.steps().len());
        let done = self.plans.publish(&self.atlas, &self.store, drafting, "王", None, &note).await.unwrap().0;
        done.is_new.then_some(done)
    }

    /// A plan without edits.
    pub(crate) async fn begin(&self) -> Drafting {
        self.begin_in(None).await
    }

    /// The same below one area.
    pub(crate) async fn begin_in(&self, scope: Option<&str>) -> Drafting {
        let new = NewPlan {
            coverage: "responsibility".into(),
            name: "调整".into(),
            author: "李".into(),
            scope: scope.map(str::to_owned),
            base: None,
            effective: None,
        };
        let plan = self.plans.create(&self.atlas, &self.store, new).await.unwrap();
        self.plans.open(&self.atlas, &self.store, &plan.id).await.unwrap()
    }

    /// The plan with one more edit.
    pub(crate) async fn edited(&self, drafting: &Drafting, edit: &Json) -> Result<Drafting, PlanError> {
        let op = Op::read(&edit.to_string()).unwrap();
        Ok(self.plans.edit(&self.store, drafting.clone(), "李", op).await?.0)
    }

    /// What the plan would change, with attributes summed.
    pub(crate) async fn preview(&self, drafting: &Drafting, sum: &str) -> Preview {
        let sums = gridatlas::redraw::sums(&drafting.snapshot, sum).unwrap();
        self.plans.preview(&self.store, drafting, &sums).await.unwrap()
    }

    /// The plan as a service that knows nothing of it yet makes it from its edits.
    pub(crate) async fn opened_again(&self, drafting: &Drafting) -> Drafting {
        let plans = Plans::new(*self.plans.settings());
        plans.open(&self.atlas, &self.store, &drafting.plan.id).await.unwrap()
    }

    /// A plan of up to three edits drawn at random.
    pub(crate) async fn drawn(&mut self) -> Drafting {
        let coverage = self.atlas.present().coverages[0].coverage.clone();
        let mut drafting = self.begin().await;
        for _ in 0..1 + self.dice.below(3) {
            let edit = self.edit(&coverage);
            if let Ok(next) = self.edited(&drafting, &edit).await {
                drafting = next;
            }
        }
        drafting
    }

    /// Publishes a plan of one to three edits drawn at random.
    pub(crate) async fn redraw(&mut self) -> Option<Published> {
        let coverage = self.atlas.present().coverages[0].coverage.clone();
        let count = 1 + self.dice.below(3);
        let edits: Vec<Json> = (0..count).map(|_| self.edit(&coverage)).collect();
        self.publish(&edits).await
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.dice.below(all.len() as u64) as usize].clone()
    }

    fn edit(&mut self, coverage: &Coverage) -> Json {
        let code = |id: AreaId| coverage.area(id).unwrap().code.clone();
        let leaves: Vec<AreaId> =
            coverage.areas().map(|a| a.0).filter(|id| !coverage.faces_of(*id).is_empty()).collect();
        let streets: Vec<AreaId> = coverage.areas().filter(|(_, a)| a.parent.is_none()).map(|a| a.0).collect();
        let one = self.pick(&leaves);
        let beside: Vec<AreaId> = coverage.neighbours(one).into_iter().map(|n| n.0).collect();
        let other = if beside.is_empty() { one } else { self.pick(&beside) };
        let faces = coverage.ground(one).into_iter().filter_map(|f| coverage.face(f));
        let Bounds { min, max } = faces.map(|f| f.bounds).fold(Bounds::EMPTY, Bounds::union);
        let x = min.x + self.dice.below((max.x - min.x).max(1) as u64) as i32;
        let y = min.y + self.dice.below((max.y - min.y).max(1) as u64) as i32;
        let degrees = |x: i32, y: i32| json!([Point::new(x, y).lon(), Point::new(x, y).lat()]);
        let word: u64 = self.dice.below(1 << 40);
        match self.dice.below(9) {
            0 | 1 => json!({"op": "split", "code": code(one), "keep": "left",
                "line": [degrees(x, min.y - 50), degrees(x + 37, max.y + 50)]}),
            2 => {
                json!({"op": "split", "code": code(one), "line": [degrees(min.x - 50, y), degrees(max.x + 50, y + 11)]})
            }
            3 => json!({"op": "merge", "codes": [code(one), code(other)], "into": code(one)}),
            4 => json!({"op": "retire", "code": code(one), "into": code(other)}),
            5 => json!({"op": "rename", "code": code(one), "name": format!("网格{word}")}),
            6 => json!({"op": "recode", "code": code(one), "to": format!("n{word}")}),
            7 => json!({"op": "reparent", "code": code(one), "parent": code(self.pick(&streets))}),
            _ => {
                let rings: Vec<Point> = coverage
                    .faces_of(one)
                    .iter()
                    .filter_map(|f| coverage.face(*f)?.outer)
                    .flat_map(|h| coverage.ring_points(h))
                    .collect();
                let node = self.pick(&rings);
                let (dx, dy) = (self.dice.below(300) as i32 - 150, self.dice.below(300) as i32 - 150);
                json!({"op": "move_node", "node": degrees(node.x, node.y), "to": degrees(node.x + dx, node.y + dy),
                    "correction": word.is_multiple_of(2)})
            }
        }
    }
}

/// Every code that stands in one of some states, ascending.
pub(crate) fn codes<'a>(states: impl IntoIterator<Item = &'a Coverage>) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = states.into_iter().flat_map(|c| c.areas().map(|(_, a)| a.code.clone())).collect();
    all.sort_unstable();
    all.dedup();
    all
}
