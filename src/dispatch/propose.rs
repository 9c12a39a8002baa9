//! Many events to many workers: as many as possible are given to somebody, at the least
//! sum of costs, and nobody gets more than he has room for.
//!
//! ```text
//!   event ──cost──▶ worker (room)        shortest ways from one event after another, along
//!         ──────▶ nobody (dearer         which those placed before may move on to the next best
//!                 than all ways)
//! ```
//!
//! Invariant: after each event the plan so far is a cheapest one for the events so far; the
//! prices of workers prove it (no way has a cost below zero once prices are taken off).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

/// Somebody who may get an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who, by a number of the caller's.
    pub worker: u32,
    /// What it costs, below [`COST_LIMIT`]; millimetres do.
    pub cost: u32,
}

/// Costs are below this: in millimetres it is 4,294 km.
pub const COST_LIMIT: u32 = u32::MAX;

/// What it costs to give an event to nobody: more than all the ways of 2^20 events.
const NOBODY: i64 = 1 << 52;

/// For each event the place of the chosen one among its candidates, or `None` where there is
/// no room for it. `room` says how many events a worker may get; whoever is not in it gets
/// none.
#[must_use]
pub fn propose(events: &[Vec<Candidate>], room: &FxHashMap<u32, u32>) -> Vec<Option<usize>> {
    let mut slots: FxHashMap<u32, usize> = FxHashMap::default();
    let mut desks: Vec<Desk> = Vec::new();
    let ways: Vec<Vec<Way>> = events
        .iter()
        .map(|candidates| {
            let ways = candidates.iter().enumerate().filter_map(|(place, candidate)| {
                let room = *room.get(&candidate.worker).filter(|room| **room > 0)?;
                let desk = *slots.entry(candidate.worker).or_insert_with(|| {
                    desks.push(Desk { room: room as usize, price: 0, events: Vec::new() });
                    desks.len() - 1
                });
                Some(Way { desk, cost: candidate.cost.into(), place: Some(place) })
            });
            ways.collect()
        })
        .collect();
    let nobody = desks.len();
    desks.push(Desk { room: events.len(), price: 0, events: Vec::new() });
    let mut plan = Plan { ways, desks, taken: vec![None; events.len()], gains: vec![0; events.len()] };
    for event in 0..events.len() {
        plan.ways[event].push(Way { desk: nobody, cost: NOBODY, place: None });
        plan.place(event);
    }
    (0..events.len()).map(|event| plan.ways[event][plan.taken[event]?].place).collect()
}

/// A way from an event to a worker.
#[derive(Clone, Copy, Debug)]
struct Way {
    desk: usize,
    cost: i64,
    /// Its place among the candidates; `None` for nobody.
    place: Option<usize>,
}

/// A worker, with the events that are his so far.
#[derive(Clone, Debug)]
struct Desk {
    room: usize,
    /// What it is worth to the plan that he is full; never above 0.
    price: i64,
    events: Vec<usize>,
}

#[derive(Debug)]
struct Plan {
    ways: Vec<Vec<Way>>,
    desks: Vec<Desk>,
    /// The way that each event took.
    taken: Vec<Option<usize>>,
    /// The part of each event in the prices: its cost is that and the price of its worker.
    gains: Vec<i64>,
}

impl Plan {
    /// Gives one more event to somebody, along the cheapest way.
    fn place(&mut self, first: usize) {
        let mut reached: Vec<Option<Reached>> = vec![None; self.desks.len()];
        let mut queue = BinaryHeap::new();
        let mut seen: Vec<(usize, i64)> = Vec::new();
        let open =
            |plan: &Self, event: usize, so_far: i64, queue: &mut BinaryHeap<_>, reached: &mut [Option<Reached>]| {
                for (ix, way) in plan.ways[event].iter().enumerate() {
                    let cost = so_far + way.cost - plan.gains[event] - plan.desks[way.desk].price;
                    if reached[way.desk].is_none_or(|r| cost < r.cost) {
                        reached[way.desk] = Some(Reached { cost, event, way: ix });
                        queue.push(Reverse((cost, way.desk)));
                    }
                }
            };
        open(self, first, 0, &mut queue, &mut reached);
        let (last, total) = loop {
            // Nobody has room for all, so the queue never runs dry.
            let Some(Reverse((cost, desk))) = queue.pop() else { return };
            if reached[desk].is_none_or(|r| r.cost < cost) {
                continue;
            }
            if self.desks[desk].events.len() < self.desks[desk].room {
                break (desk, cost);
            }
            seen.push((desk, cost));
            for event in self.desks[desk].events.clone() {
                open(self, event, cost, &mut queue, &mut reached);
            }
        };
        self.gains[first] += total;
        for (desk, cost) in seen {
            self.desks[desk].price -= total - cost;
            for event in &self.desks[desk].events {
                self.gains[*event] += total - cost;
            }
        }
        // Back along the way: each who stood on it moves on, and makes room behind.
        let mut desk = last;
        while let Some(Reached { event, way, .. }) = reached[desk] {
            let before = self.taken[event].replace(way).map(|way| self.ways[event][way].desk);
            self.desks[desk].events.push(event);
            let Some(before) = before else { return };
            self.desks[before].events.retain(|other| *other != event);
            desk = before;
        }
    }
}

/// How a worker was reached: from which event, along which of its ways, at what cost.
#[derive(Clone, Copy, Debug)]
struct Reached {
    cost: i64,
    event: usize,
    way: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Random;

    /// Every plan there is: how many get nobody, then the sum of costs.
    fn best(events: &[Vec<Candidate>], room: &mut FxHashMap<u32, u32>) -> (usize, u64) {
        let Some((first, rest)) = events.split_first() else { return (0, 0) };
        let (left, cost) = best(rest, room);
        let mut least = (left + 1, cost);
        for candidate in first {
            let Some(free) = room.get_mut(&candidate.worker).filter(|free| **free > 0) else { continue };
            *free -= 1;
            let (left, cost) = best(rest, room);
            least = least.min((left, cost + u64::from(candidate.cost)));
            *room.entry(candidate.worker).or_default() += 1;
        }
        least
    }

    fn sum(events: &[Vec<Candidate>], room: &FxHashMap<u32, u32>) -> (usize, u64) {
        let chosen = propose(events, room);
        let mut used: FxHashMap<u32, u32> = FxHashMap::default();
        let mut total = (0, 0);
        for (candidates, place) in events.iter().zip(&chosen) {
            match place {
                None => total.0 += 1,
                Some(place) => {
                    total.1 += u64::from(candidates[*place].cost);
                    *used.entry(candidates[*place].worker).or_default() += 1;
                }
            }
        }
        assert!(used.iter().all(|(worker, n)| n <= &room[worker]), "{used:?} {room:?}");
        total
    }

    #[test]
    fn no_plan_gives_more_events_to_somebody_or_costs_less() {
        println!("seed 11");
        let mut random = Random::new(11);
        for _ in 0..4_000 {
            let workers = 1 + random.below(5);
            let mut room: FxHashMap<u32, u32> = (0..workers).map(|w| (w as u32, random.below(3) as u32)).collect();
            let events: Vec<Vec<Candidate>> = (0..random.below(7))
                .map(|_| {
                    let mut some: Vec<Candidate> = Vec::new();
                    for worker in 0..workers as u32 {
                        if random.chance(0.7) {
                            // Few costs, so there are ties; and some that are as high as costs may be.
                            let cost = random.pick(&[1, 2, 3, 5, 8, COST_LIMIT - 1]);
                            some.push(Candidate { worker, cost });
                        }
                    }
                    some
                })
                .collect();
            assert_eq!(sum(&events, &room.clone()), best(&events, &mut room), "{events:?} {room:?}");
        }
    }

    /// ```text
    ///   e0 ─1─ a          e1 can go to a alone: e0 gives way to b
    ///   e0 ─5─ b
    ///   e1 ─2─ a
    /// ```
    #[test]
    fn an_event_gives_way_to_one_that_has_nobody_else() {
        let (a, b) = (0, 1);
        let e0 = vec![Candidate { worker: a, cost: 1 }, Candidate { worker: b, cost: 5 }];
        let e1 = vec![Candidate { worker: a, cost: 2 }];
        let room = FxHashMap::from_iter([(a, 1), (b, 1)]);
        assert_eq!(propose(&[e0, e1], &room), [Some(1), Some(0)]);
    }
}
