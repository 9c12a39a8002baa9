//! How even a scope is, before a plan and after: what each of its grids has, as a mean with
//! its deviation and the ends.
//!
//! Invariant: figures after are those that the same counting gives once the plan is
//! published. The features of the scope are looked at once, not those of the city.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{AreaId, Coverage, Frame};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::figures::{Counting, number};
use crate::snapshot::{Moved, Snapshot};

/// One measure over all grids of a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Measure {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub sd: f64,
    /// The deviation in parts of the mean: 0 where all are equal.
    pub cv: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// The grids of a scope in one state.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evenness {
    /// How many there are.
    pub grids: usize,
    /// How many have fewer households than the target.
    pub below_target: usize,
    /// How many have more.
    pub above_target: usize,
    /// `area_m2`, `buildings`, `households`, `residents`, and every attribute that was asked for.
    #[serde(flatten)]
    pub measures: BTreeMap<Arc<str>, Measure>,
}

/// How even a scope is, before and after.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The code of the scope; `None`: the whole coverage.
    pub scope: Option<Arc<str>>,
    /// Before the plan.
    pub before: Evenness,
    /// After it.
    pub after: Evenness,
}

/// What is counted of every grid beside the attributes that are asked for.
const ALWAYS: [&str; 3] = ["buildings", "households", "residents"];

/// Works out how even a scope is. `snapshot` holds the state before at `place`; `moved` are
/// the buildings that change hands.
pub(super) fn spread(
    (snapshot, place): (&Snapshot, usize),
    (before, after): (&Coverage, &Coverage),
    scope: Option<&Arc<str>>,
    moved: &[Moved],
    counting: &Counting<'_>,
) -> Spread {
    let inside = |graph: &Coverage| scope.map(|code| graph.area_by_code(code));
    let mut tallies = [before, after].map(|graph| Tally::of(graph, inside(graph), counting));
    if let Some(layer) = snapshot.layer("building") {
        let named = ["households", "residents"].into_iter().chain(counting.sums.iter().map(|s| &**s));
        let fields: Vec<Option<usize>> = named.map(|name| layer.field(name)).collect();
        let of = |ix: usize| -> Vec<f64> {
            let summed = fields.iter().map(|field| field.map_or(0.0, |f| number(layer.value(ix, f))));
            std::iter::once(1.0).chain(summed).collect()
        };
        let mut count = |ix: usize| {
            let values = of(ix);
            let owner = layer.owner(ix, place);
            tallies.iter_mut().for_each(|tally| tally.add(owner, &values, 1.0));
        };
        match inside(before) {
            None => layer.iter().for_each(&mut count),
            Some(scope) => scope.iter().flat_map(|id| layer.of_area(place, *id)).for_each(&mut count),
        }
        for m in moved {
            let values = of(m.ix);
            tallies[1].add(m.from, &values, -1.0);
            tallies[1].add(m.to, &values, 1.0);
        }
    }
    let [before, after] = tallies.map(|tally| tally.evenness(counting));
    Spread { scope: scope.cloned(), before, after }
}

/// What each grid has, in rows of equal length: its ground first.
struct Tally {
    places: FxHashMap<AreaId, usize>,
    width: usize,
    sums: Vec<f64>,
}

impl Tally {
    /// The grids of a scope (`None`: all) without anything in them.
    fn of(graph: &Coverage, scope: Option<Option<AreaId>>, counting: &Counting<'_>) -> Self {
        let mut open: Vec<AreaId> = match scope {
            None => graph.areas().filter(|(_, a)| a.parent.is_none()).map(|(id, _)| id).collect(),
            Some(scope) => scope.into_iter().collect(),
        };
        let (mut places, mut sums) = (FxHashMap::default(), Vec::new());
        let width = 1 + ALWAYS.len() + counting.sums.len();
        while let Some(id) = open.pop() {
            let children = graph.children(id);
            open.extend_from_slice(children);
            if children.is_empty() && !graph.faces_of(id).is_empty() {
                places.insert(id, places.len());
                sums.push(ground_m2(graph, id));
                sums.resize(places.len() * width, 0.0);
            }
        }
        Self { places, width, sums }
    }

    fn add(&mut self, owner: Option<AreaId>, values: &[f64], sign: f64) {
        let Some(place) = owner.and_then(|id| self.places.get(&id)) else { return };
        let row = &mut self.sums[place * self.width + 1..(place + 1) * self.width];
        row.iter_mut().zip(values).for_each(|(sum, value)| *sum += sign * value);
    }

    fn evenness(&self, counting: &Counting<'_>) -> Evenness {
        let names = std::iter::once("area_m2").chain(ALWAYS).chain(counting.sums.iter().map(|s| &**s));
        let column = |at: usize| self.sums.iter().skip(at).step_by(self.width).copied();
        let households = || column(1 + 1);
        Evenness {
            grids: self.places.len(),
            below_target: households().filter(|n| *n < counting.target.min as f64).count(),
            above_target: households().filter(|n| *n > counting.target.max as f64).count(),
            measures: names.enumerate().map(|(at, name)| (name.into(), measure(column(at)))).collect(),
        }
    }
}

/// The ground of an area by the scale in the middle of each of its faces: right to a
/// millionth for faces of kilometres, and no vertex is looked at.
fn ground_m2(graph: &Coverage, id: AreaId) -> f64 {
    let faces = graph.faces_of(id).iter().filter_map(|face| graph.face(*face));
    faces.map(|f| f.twice_area as f64 / 2.0 * Frame::between(f.bounds.min, f.bounds.max).unit_area_m2()).sum()
}

fn measure(values: impl Iterator<Item = f64> + Clone) -> Measure {
    let count = values.clone().count();
    if count == 0 {
        return Measure::default();
    }
    let (mean, min, max) = (
        values.clone().sum::<f64>() / count as f64,
        values.clone().fold(f64::INFINITY, f64::min),
        values.clone().fold(f64::NEG_INFINITY, f64::max),
    );
    let sd = (values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / count as f64).sqrt();
    let cv = if mean == 0.0 { 0.0 } else { sd / mean };
    let [mean, sd, cv, min, max] = [mean, sd, cv, min, max].map(|v| (v * 1e4).round() / 1e4);
    Measure { mean, sd, cv, min, max }
}
