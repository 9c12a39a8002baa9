//! Who is nearest to a place.

use std::sync::Arc;

use boundaries::{Bounds, Point};
use jiff::Timestamp;
use rustc_hash::FxHashSet;

use super::search::{Best, search};
use super::sphere::{RADIUS_M, Spot, haversine_of, metres};
use super::traits::Trait;
use super::workers::{Record, State, Worker, Workers};

/// The most that one query may ask for.
pub const MAX_K: usize = 1_000;

/// What a worker is asked to be, and where to look.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// Where help is needed.
    pub point: Point,
    /// How many to name, at most [`MAX_K`].
    pub k: usize,
    /// Only those of this role.
    pub role: Option<&'a str>,
    /// Only those with this skill.
    pub skill: Option<&'a str>,
    /// Only those on duty, or only those off duty.
    pub on_duty: Option<bool>,
    /// Only those whose present position lies on the ground of this area.
    pub within: Option<&'a str>,
    /// Only those seen within so many seconds: whoever was never seen is not among them.
    pub max_age_s: Option<f64>,
    /// Only those within so many metres.
    pub max_distance_m: Option<f64>,
    /// Only those who have at most so many open events.
    pub max_load: Option<u32>,
    /// How many metres each open event of a worker counts as: whoever has less to do comes
    /// before who is as near. With 0 the distance alone decides.
    pub load_m: f64,
    /// Who comes first.
    pub order: Order,
}

impl Query<'_> {
    /// The nearest `k` of all.
    #[must_use]
    pub fn new(point: Point, k: usize) -> Self {
        Self {
            point,
            k,
            role: None,
            skill: None,
            on_duty: None,
            within: None,
            max_age_s: None,
            max_distance_m: None,
            max_load: None,
            load_m: 0.0,
            order: Order::Distance,
        }
    }
}

/// Who comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The nearest, whoever he is.
    #[default]
    Distance,
    /// Those who answer for the grid of the place, then those who answer for a grid that
    /// shares a border with it, then all others; the nearest first among each of them.
    GridFirst,
}

/// Why somebody is named where he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// He answers for the grid of the place.
    OwnGrid,
    /// He answers for a grid beside it.
    NeighbourGrid,
    /// He is near.
    Distance,
}

impl Why {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnGrid => "own_grid",
            Self::NeighbourGrid => "neighbour_grid",
            Self::Distance => "distance",
        }
    }
}

/// Somebody near. Of equal distances the lesser id comes first.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Who he is: shared with the registry, not copied.
    pub worker: Arc<Worker>,
    /// Where he was last seen.
    pub point: Point,
    /// The code of the area on whose ground that is.
    pub grid: Option<Arc<str>>,
    /// Over the sphere, in metres.
    pub distance_m: f64,
    /// Seconds since he was last seen; `None` where only his home is known.
    pub age_s: Option<f64>,
    /// How many open events are his.
    pub load: u32,
    /// Why he is named.
    pub why: Why,
}

/// What the search needs to know of the ground; one coverage at one revision.
pub trait Ground {
    /// The code of the deepest area that owns a point.
    fn owner(&self, point: Point) -> Option<Arc<str>>;
    /// The codes of the areas of the same level that share a border with an area.
    fn neighbours(&self, code: &str) -> Vec<Arc<str>>;
    /// The box around an area, or `None` where there is no area of that code.
    fn bounds(&self, code: &str) -> Option<Bounds>;
    /// Whether the owner of a point is the area of that code or lies below it.
    fn lies_in(&self, point: Point, code: &str) -> bool;
}

/// Ground without areas.
impl Ground for () {
    fn owner(&self, _: Point) -> Option<Arc<str>> {
        None
    }

    fn neighbours(&self, _: &str) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn bounds(&self, _: &str) -> Option<Bounds> {
        None
    }

    fn lies_in(&self, _: Point, _: &str) -> bool {
        false
    }
}

impl Workers {
    /// The nearest workers that fit the query, at the time `now`, in exact order.
    ///
    /// Exact means: the order that a full scan by haversine gives, or by metres and load
    /// where loads are weighed. An area that the
    /// ground does not know owns nothing, so nobody is in it.
    pub fn nearest(&self, query: &Query<'_>, ground: &impl Ground, now: Timestamp) -> Vec<Found> {
        let area = match query.within.map(|code| ground.bounds(code).map(|bounds| (code, bounds))) {
            Some(None) => return Vec::new(),
            Some(some) => some,
            None => None,
        };
        let own = if query.order == Order::GridFirst { ground.owner(query.point) } else { None };
        let beside = own.as_deref().map_or_else(Vec::new, |code| ground.neighbours(code));
        let tiers = [(Why::OwnGrid, own.into_iter().collect()), (Why::NeighbourGrid, beside)];
        let spot = Spot::at(query.point);
        let k = query.k.min(MAX_K);

        let mut found = {
            let state = self.read();
            let fits = |record: &Record| {
                let point = record.spot.point();
                let recent =
                    query.max_age_s.is_none_or(|limit_s| record.age_s(now).is_some_and(|age_s| age_s <= limit_s));
                let near = query.max_distance_m.is_none_or(|limit_m| metres(spot.haversine(record.spot)) <= limit_m);
                recent
                    && near
                    && query.max_load.is_none_or(|most| record.load <= most)
                    && area.is_none_or(|(code, bounds)| bounds.contains(point) && ground.lies_in(point, code))
            };
            state.nearest(query, k, spot, &tiers, fits, now)
        };
        // Outside the lock: the ground is asked for those alone who are named.
        for one in &mut found {
            one.grid = ground.owner(one.point);
        }
        found
    }
}

impl Record {
    /// Seconds since the last report; a report from a clock that is ahead is new.
    fn age_s(&self, now: Timestamp) -> Option<f64> {
        self.time.map(|time| now.duration_since(time).as_secs_f64().max(0.0))
    }

    fn has(&self, query: &Query<'_>) -> bool {
        query.role.is_none_or(|role| *self.worker.role == *role)
            && query.skill.is_none_or(|skill| self.worker.skills.iter().any(|s| **s == *skill))
    }

    fn found(&self, haversine: f64, why: Why, now: Timestamp) -> Found {
        Found {
            worker: self.worker.clone(),
            point: self.spot.point(),
            grid: None,
            distance_m: metres(haversine),
            age_s: self.age_s(now),
            load: self.load,
            why,
        }
    }
}

impl State {
    fn nearest(
        &self,
        query: &Query<'_>,
        k: usize,
        spot: Spot,
        tiers: &[(Why, Vec<Arc<str>>)],
        fits: impl Fn(&Record) -> bool,
        now: Timestamp,
    ) -> Vec<Found> {
        let asked = query.role.map(Trait::Role).into_iter().chain(query.skill.map(Trait::Skill));
        let Some(wanted) = self.traits.wanted(asked) else { return Vec::new() };
        let by_id = |a: u32, b: u32| {
            let id = |slot| self.record(slot).map(|r| &*r.worker.id);
            id(a).cmp(&id(b))
        };
        // A little farther than asked: `fits` compares the metres themselves.
        let limit =
            query.max_distance_m.map_or(f64::INFINITY, |m| haversine_of(m.max(0.0) / RADIUS_M) * (1.0 + 1e-9) + 1e-30);

        // What decides: the haversine itself, or metres where each open event counts as some.
        let load = |slot| self.record(slot).map_or(0, |r| r.load);
        let weighs = query.load_m > 0.0;
        let cost = |(haversine, slot): (f64, u32)| {
            if weighs { metres(haversine) + query.load_m * f64::from(load(slot)) } else { haversine }
        };
        let in_order = |mut all: Vec<(f64, u32)>| {
            all.sort_by(|a, b| cost(*a).total_cmp(&cost(*b)).then_with(|| by_id(a.1, b.1)));
            all
        };

        let mut found: Vec<((f64, u32), Why)> = Vec::new();
        let mut named = FxHashSet::default();
        for (why, codes) in tiers {
            let mut tier = Vec::new();
            for &slot in codes.iter().filter_map(|code| self.of_grid.get(code)).flatten() {
                let Some(record) = self.record(slot) else { continue };
                let on_duty = query.on_duty.is_none_or(|on| record.worker.on_duty == on);
                if on_duty && record.has(query) && fits(record) && named.insert(slot) {
                    tier.push((spot.haversine(record.spot), slot));
                }
            }
            let room = k - found.len();
            found.extend(in_order(tier).into_iter().take(room).map(|one| (one, *why)));
        }

        let plain = query.within.is_none()
            && query.max_age_s.is_none()
            && query.max_distance_m.is_none()
            && query.max_load.is_none();
        let nearest = |most: usize| {
            let mut rest = Best::new(most, limit, by_id);
            for on_duty in [true, false] {
                if query.on_duty.is_some_and(|wanted| wanted != on_duty) {
                    continue;
                }
                search(&self.duty[usize::from(on_duty)], spot, wanted.mask, &mut rest, |entry| {
                    // Most queries are settled by the entry alone, without another look in memory.
                    (plain && wanted.exact && named.is_empty())
                        || !named.contains(&entry.slot)
                            && self.record(entry.slot).is_some_and(|r| (wanted.exact || r.has(query)) && fits(r))
                });
            }
            rest.into_found()
        };
        let room = k - found.len();
        let rest = if weighs && room > 0 { heaviest_last(room, nearest, in_order, cost) } else { nearest(room) };
        found.extend(rest.into_iter().map(|one| (one, Why::Distance)));
        let told = |((haversine, slot), why)| self.record(slot).map(|r| r.found(haversine, why, now));
        found.into_iter().filter_map(told).collect()
    }
}

/// How many more than asked for are looked at first where loads are weighed.
const BESIDE: usize = 16;

/// The `k` of least cost, where nothing costs less than its distance: ever more of the
/// nearest are looked at, until whoever is farther than all of them costs too much.
fn heaviest_last(
    k: usize,
    nearest: impl Fn(usize) -> Vec<(f64, u32)>,
    in_order: impl Fn(Vec<(f64, u32)>) -> Vec<(f64, u32)>,
    cost: impl Fn((f64, u32)) -> f64,
) -> Vec<(f64, u32)> {
    let mut most = k + BESIDE;
    loop {
        let all = nearest(most);
        let is_all = all.len() < most;
        let farthest_m = all.last().map_or(0.0, |(haversine, _)| metres(*haversine));
        let mut ranked = in_order(all);
        if is_all || ranked.get(k - 1).is_some_and(|one| cost(*one) < farthest_m) {
            ranked.truncate(k);
            return ranked;
        }
        most *= 4;
    }
}
