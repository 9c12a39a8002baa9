//! Counts of events, kept by increments, against counting the events one by one.

use std::collections::BTreeMap;

use gridatlas::demo::Random;
use gridatlas::intake::{Answer, Report};
use gridatlas::snapshot::Atlas;
use gridatlas::store::{Counting, Event, EventQuery, Owned, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::city::{at, bent, publication, publish_first};
use super::events::intake;
use super::places::in_both;

/// The town lies in 24 grids of four streets; a few events lie outside.
const CODES: [&str; 6] = ["s0", "s1", "g8", "g9", "g0", "g15"];

fn some_event(random: &mut Random, i: usize, begin: Timestamp) -> Value {
    let p = at(random.below(6400) as i32 - 200, random.below(4000) as i32);
    let time = begin + SignedDuration::from_secs(random.below(200 * 3600) as i64);
    let mut event = json!({ "source": (["hotline", "app"][random.below(2)]), "id": format!("e{i}"), "lon": p.lon(), "lat": p.lat(),
        "time": time.to_string(), "type": (["noise", "litter", "light"][random.below(3)]) });
    if random.chance(0.4) {
        let time = time + SignedDuration::from_secs(random.below(5000) as i64);
        event["steps"] =
            json!([{ "to": "cancelled", "time": time.to_string(), "actor": "x", "note": "nothing there" }]);
    }
    event
}

async fn file(atlas: &Atlas, events: &[Value]) {
    let intake = intake();
    let reports = events.iter().map(|e| Report::read(e.to_string().as_bytes(), &intake.rules().limits)).collect();
    let answers = intake.file(atlas, atlas.store().unwrap(), reports).await.unwrap();
    assert!(answers.iter().all(|a| matches!(a, Answer::Accepted | Answer::Duplicate)), "{answers:?}");
}

type Counts = BTreeMap<(String, String, String), u64>;

fn naive(all: &[Event], code: &str, owned: Owned, (from, to): (Timestamp, Timestamp)) -> Counts {
    let mut counts = Counts::new();
    for event in all.iter().filter(|e| from <= e.time && e.time < to) {
        let owner = &event.owners[0];
        let chain = if owned == Owned::Then { &owner.filed[..] } else { owner.chain() };
        if chain.iter().any(|link| &*link.code == code) {
            *counts.entry((event.kind.clone(), event.state.clone(), event.source.clone())).or_default() += 1;
        }
    }
    counts
}

/// Compares every area, owner and some periods that begin and end within hours.
async fn agree(store: &Store, begin: Timestamp, seed: u64) {
    let page = EventQuery { limit: 10_000, ..EventQuery::default() };
    let all = store.events(&page).await.unwrap().unwrap().events;
    let second = |random: &mut Random| begin + SignedDuration::from_secs(random.below(200 * 3600) as i64);
    let mut random = Random::of(seed, "periods");
    let mut periods = vec![(Timestamp::UNIX_EPOCH, Timestamp::now() + SignedDuration::from_hours(1))];
    periods.push((begin, begin + SignedDuration::from_secs(600)));
    for _ in 0..4 {
        let (a, b) = (second(&mut random), second(&mut random));
        periods.push((a.min(b), a.max(b)));
    }
    for code in CODES {
        let areas = store.areas_of_code("responsibility", code).await.unwrap();
        for owned in [Owned::Then, Owned::Now] {
            for period in &periods {
                let counting = Counting { coverage: "responsibility", areas: &areas, owned, period: *period };
                let mut counts = Counts::new();
                let add = |c: gridatlas::store::EventCount| {
                    *counts.entry((c.kind, c.state, c.source)).or_default() += c.count;
                };
                store.event_counts(&counting, add).await.unwrap();
                let expected = naive(&all, code, owned, *period);
                assert_eq!(counts, expected, "seed {seed}: {code} {owned:?} {period:?}");
            }
        }
    }
    assert_eq!(store.check(None).await.unwrap().defects, [], "seed {seed}");
}

#[test]
fn counts_kept_by_increments_are_those_of_counting_anew_through_steps_and_redraws() {
    in_both(|place| async move {
        let seed = 7;
        let mut random = Random::of(seed, "counted");
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let begin = Timestamp::now() - SignedDuration::from_hours(300);
        let begin = Timestamp::from_second(begin.as_second()).unwrap();
        let events: Vec<Value> = (0..400).map(|i| some_event(&mut random, i, begin)).collect();
        for some in events.chunks(130) {
            file(&atlas, some).await;
            file(&atlas, &some[..5]).await;
        }
        agree(&store, begin, seed).await;
        // Some are moved on.
        let intake = intake();
        for i in 0..60 {
            let event = store.events_of_id(&format!("e{}", i * 5), None).await.unwrap().pop().unwrap();
            if event.is_open {
                for to in ["filed", "dispatched"].iter().take(1 + i % 2) {
                    let event = store.events_of_id(&event.id, None).await.unwrap().pop().unwrap();
                    let step = serde_json::from_value(json!({ "to": to, "actor": "centre" })).unwrap();
                    intake.step(&store, &atlas.present(), event, &step).await.unwrap();
                }
            }
        }
        agree(&store, begin, seed).await;
        // Ground changes hands, and more come in.
        let (head, next) = bent(&store, 8).await;
        store.publish(publication("responsibility", Some(head), next)).await.unwrap();
        atlas.refresh().await.unwrap();
        agree(&store, begin, seed).await;
        let events: Vec<Value> = (400..500).map(|i| some_event(&mut random, i, begin)).collect();
        file(&atlas, &events).await;
        agree(&store, begin, seed).await;
    });
}
