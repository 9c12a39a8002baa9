//! What goes on while the city is watched: workers that walk, events that come in and
//! are worked off.
//!
//! Both are told the time and say what happened; whoever drives them carries it to the
//! registry and to the store.

use std::collections::VecDeque;
use std::sync::Arc;

use boundaries::{Frame, Point};
use jiff::{SignedDuration, Timestamp};

use serde_json::{Value as Json, json};

use super::Random;
use super::things::Events;
use crate::dispatch::{Position, Recorded, Seen, Workers};
use crate::feature::{Feature, Geometry, Value};

/// Each worker reports once in so many steps.
const EVERY: usize = 10;
/// How far from where they were first seen workers stray, in metres.
const STRAY_M: f64 = 400.0;
/// Metres a second on foot, and on a scooter.
const PACES_M: [f64; 2] = [1.3, 5.5];

/// Somebody who walks from place to place.
#[derive(Clone, Debug)]
struct Walker {
    id: Arc<str>,
    home: Point,
    at: Point,
    to: Point,
    pace_m: f64,
}

/// Workers on their rounds.
#[derive(Clone, Debug)]
pub struct Walk {
    walkers: Vec<Walker>,
    random: Random,
    turn: usize,
}

impl Walk {
    /// Those on duty set out from where they are.
    #[must_use]
    pub fn new(mut seen: Vec<Seen>, seed: u64) -> Self {
        seen.retain(|s| s.worker.on_duty);
        seen.sort_unstable_by(|a, b| a.worker.id.cmp(&b.worker.id));
        let mut random = Random::of(seed, "walk");
        let walkers = seen.into_iter().map(|s| Walker {
            id: s.worker.id.clone(),
            home: s.worker.home,
            at: s.point,
            to: s.point,
            pace_m: random.pick(&PACES_M),
        });
        Self { walkers: walkers.collect(), random, turn: 0 }
    }

    /// One second passes: a tenth of them has walked for ten and reports.
    pub fn step(&mut self, workers: &Workers, now: Timestamp) -> Recorded {
        let random = &mut self.random;
        let turn = self.turn % EVERY;
        self.turn += 1;
        let reporting = self.walkers.iter_mut().skip(turn).step_by(EVERY);
        let batch: Vec<_> = reporting
            .map(|walker| {
                walker.advance(EVERY as f64, random);
                Position { id: &walker.id, point: walker.at, time: now }
            })
            .collect();
        workers.record(&batch, now)
    }
}

impl Walker {
    fn advance(&mut self, seconds: f64, random: &mut Random) {
        let frame = Frame::at(self.at.y);
        let (east, north) = frame.offset(self.at, self.to);
        let (left, step) = (east.hypot(north), self.pace_m * seconds);
        if left > step {
            self.at = moved(self.at, frame, east * step / left, north * step / left);
            return;
        }
        self.at = self.to;
        let angle = random.between(0.0, std::f64::consts::TAU);
        let stray = STRAY_M * random.unit();
        self.to = moved(self.home, frame, angle.cos() * stray, angle.sin() * stray);
    }
}

/// The point so many metres east and north; the same one where that is off the globe.
fn moved(p: Point, frame: Frame, east_m: f64, north_m: f64) -> Point {
    let lon = p.lon() + east_m / frame.east_m * 1e-7;
    let lat = p.lat() + north_m / frame.north_m * 1e-7;
    Point::from_degrees(lon, lat).unwrap_or(p)
}

/// How an event goes through its states, and how many seconds each takes at least.
const STEPS: [(&str, i64); 6] =
    [("collected", 5), ("filed", 10), ("dispatched", 30), ("handled", 30), ("fed_back", 20), ("closed", 0)];
/// How many open events are gone on with.
const WORKED_ON: usize = 1_000;

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// An event, as its source sends it.
    Reported(Json),
    /// An event goes a step on.
    Moved {
        /// Its source.
        source: Arc<str>,
        /// Its id there.
        id: Arc<str>,
        /// The step, as whoever does it sends it.
        step: Json,
    },
}

/// Events that come in while the city is watched, under ids of their own: `L` and the
/// milliseconds of their time.
#[derive(Clone, Debug)]
pub struct Stream {
    random: Random,
    open: VecDeque<(Timestamp, usize, Feature)>,
}

impl Stream {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: Random::of(seed, "stream"), open: VecDeque::new() }
    }

    /// What happens now: somebody reports something, or an earlier event goes a step on.
    pub fn step(&mut self, events: &mut Events<'_>, workers: &Workers, now: Timestamp) -> Happening {
        let due = self.open.front().is_some_and(|(due, ..)| *due <= now);
        if due
            && self.random.chance(0.75)
            && let Some((_, step, feature)) = self.open.pop_front()
        {
            let (state, takes_s) = STEPS[step];
            let mut done = json!({ "to": state, "time": now.to_string(), "actor": "demo" });
            if state == "dispatched"
                && let Some(worker) = events.worker_near(&feature, workers, now)
            {
                done["worker"] = (*worker).into();
            }
            let (source, id) = (text(&feature, "source"), feature.id.clone());
            if step + 1 < STEPS.len() {
                self.wait(now, takes_s, step + 1, feature);
            }
            return Happening::Moved { source, id, step: done };
        }
        let feature = events.happen(&format!("L{}", now.as_millisecond()), now);
        let said = reported(&feature);
        self.wait(now, STEPS[0].1, 1, feature);
        Happening::Reported(said)
    }

    fn wait(&mut self, now: Timestamp, seconds: i64, step: usize, feature: Feature) {
        let due = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
        let at = self.open.partition_point(|(other, ..)| *other <= due);
        self.open.insert(at, (due, step, feature));
        // Should more come in than is worked off, the last are left as they are.
        self.open.truncate(WORKED_ON);
    }
}

fn text(feature: &Feature, name: &str) -> Arc<str> {
    let value = feature.properties.iter().find(|(n, _)| **n == *name).map(|(_, value)| value);
    match value {
        Some(Value::Text(text)) => text.clone(),
        _ => "".into(),
    }
}

/// An event as its source sends it.
fn reported(feature: &Feature) -> Json {
    let mut said = json!({ "id": *feature.id });
    for name in ["source", "type", "time", "description", "address"] {
        said[name] = (*text(feature, name)).into();
    }
    if let Geometry::Point(p) = feature.geometry {
        (said["lon"], said["lat"]) = (p.lon().into(), p.lat().into());
    }
    said
}

#[cfg(test)]
mod tests {
    use super::super::City;
    use super::*;
    use crate::dispatch::{Worker, distance_m};

    const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);

    fn crew() -> Workers {
        let workers = Workers::new();
        let worker = |i: i32| Worker {
            id: format!("W{i}").into(),
            name: "".into(),
            role: "grid_worker".into(),
            skills: vec![],
            grids: vec![],
            on_duty: i % 2 == 0,
            home: Point::new(1_203_000_000 + i * 10_000, 361_000_000),
        };
        workers.sync((0..40).map(worker).collect());
        workers
    }

    #[test]
    fn those_on_duty_walk_about_their_homes_and_the_others_stay() {
        let workers = crew();
        let mut walk = Walk::new(workers.all_seen(), 1);
        for second in 0..600 {
            let recorded = walk.step(&workers, NOW + SignedDuration::from_secs(second));
            assert_eq!((recorded.accepted, recorded.stale, recorded.unknown), (2, 0, 0));
        }
        for seen in workers.all_seen() {
            let strayed_m = distance_m(seen.point, seen.worker.home);
            assert_eq!(seen.time.is_some(), seen.worker.on_duty);
            assert_eq!(strayed_m > 0.0, seen.worker.on_duty);
            assert!(strayed_m < STRAY_M * 1.1);
        }
    }

    #[test]
    fn events_come_in_and_are_worked_off() {
        let (city, workers) = (City::new(100, 1), crew());
        let mut events = Events::new(&city, 40);
        let mut stream = Stream::new(1);
        let mut last = std::collections::BTreeMap::new();
        for second in 0..2_000 {
            match stream.step(&mut events, &workers, NOW + SignedDuration::from_secs(second)) {
                Happening::Reported(said) => {
                    let id = said["id"].as_str().unwrap().to_owned();
                    assert!(id.starts_with('L') && said["lon"].is_number());
                    assert_eq!(last.insert(id, "collected".to_owned()), None);
                }
                Happening::Moved { id, step, .. } => {
                    assert_eq!(step["to"] == "dispatched", step["worker"].is_string());
                    // Only what was reported goes on, and no state comes twice.
                    let before = last.insert(id.to_string(), step["to"].as_str().unwrap().to_owned()).unwrap();
                    assert_ne!(before, step["to"].as_str().unwrap());
                }
            }
        }
        let closed = last.values().filter(|s| *s == "closed").count();
        assert!(last.len() > 200 && closed > 100, "{closed} of {}", last.len());
    }
}
