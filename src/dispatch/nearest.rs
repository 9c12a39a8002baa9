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
    /// Those who answer for the grid of the place, the nearest first; then all others,
    /// the nearest first.
    GridFirst,
}

/// Why somebody is named where he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// He answers for the grid of the place.
    OwnGrid,
    /// He is near.
    Distance,
}

impl Why {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OwnGrid => "own_grid",
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
    /// Exact means: the order that a full scan by haversine gives. An area that the
    /// ground does not know owns nothing, so nobody is in it.
    pub fn nearest(&self, query: &Query<'_>, ground: &impl Ground, now: Timestamp) -> Vec<Found> {
        let area = match query.within.map(|code| ground.bounds(code).map(|bounds| (code, bounds))) {
            Some(None) => return Vec::new(),
            Some(some) => some,
            None => None,
        };
        let own = if query.order == Order::GridFirst { ground.owner(query.point) } else { None };
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
                    && area.is_none_or(|(code, bounds)| bounds.contains(point) && ground.lies_in(point, code))
            };
            state.nearest(query, k, spot, own.as_deref(), fits, now)
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
        own: Option<&str>,
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

        let mut first = Best::new(k, limit, by_id);
        let mut named = FxHashSet::default();
        for &slot in own.and_then(|code| self.of_grid.get(code)).map_or(&[][..], Vec::as_slice) {
            let Some(record) = self.record(slot) else { continue };
            if query.on_duty.is_none_or(|on| record.worker.on_duty == on) && record.has(query) && fits(record) {
                first.offer(spot.haversine(record.spot), slot);
                named.insert(slot);
            }
        }
        let first = first.into_found();

        let plain = query.within.is_none() && query.max_age_s.is_none() && query.max_distance_m.is_none();
        let mut rest = Best::new(k - first.len(), limit, by_id);
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
        let found = |(haversine, slot): (f64, u32), why| self.record(slot).map(|r| r.found(haversine, why, now));
        first
            .into_iter()
            .filter_map(|one| found(one, Why::OwnGrid))
            .chain(rest.into_found().into_iter().filter_map(|one| found(one, Why::Distance)))
            .collect()
    }
}
