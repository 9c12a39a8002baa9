//! Events of many months: filed in any order, and found by area, time, type and state.

use std::time::{Duration, Instant};

use gridatlas::intake::{Answer, Report};
use gridatlas::snapshot::Atlas;
use gridatlas::store::{EventQuery, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _};

use super::city::{at, publish_first};
use super::events::intake;
use super::places::in_both;

const TYPES: [&str; 5] = ["noise", "litter", "light", "water", "road"];
/// 14 months of 30 days.
const MINUTES: u64 = 14 * 30 * 24 * 60;

/// SplitMix64: the n-th draw of a seed.
fn draw(n: u64) -> u64 {
    let z = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The n-th of many events: anywhere in the small city, any minute of 14 months, all but one
/// of a hundred done with.
fn nth(begin: Timestamp, n: u64) -> Value {
    let dice = |salt: u64, sides: u64| draw(n * 8 + salt) % sides;
    let time = begin + SignedDuration::from_mins(dice(0, MINUTES) as i64);
    let p = at(dice(1, 6000) as i32, dice(2, 4000) as i32);
    let mut event = json!({ "source": "hotline", "id": format!("e{n}"), "time": time.to_string(),
                            "type": TYPES[dice(3, 5) as usize], "lon": p.lon(), "lat": p.lat(),
                            "description": "路灯不亮，请派人查看" });
    if dice(4, 100) > 0 {
        let time = (time + SignedDuration::from_mins(30)).to_string();
        event["steps"] = json!([{ "to": "cancelled", "time": time, "actor": "x", "note": "nothing there" }]);
    }
    event
}

async fn file(store: &Store, atlas: &Atlas, events: Vec<Value>) {
    let intake = intake();
    let reports = events.iter().map(|e| Report::read(e.to_string().as_bytes(), &intake.rules().limits)).collect();
    let answers = intake.file(atlas, store, reports).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Answer::Accepted));
}

/// Prints what pages and intake cost; `GRIDATLAS_PROOF` makes it many enough to mean something.
#[test]
fn pages_of_a_year_cost_what_is_on_them() {
    if std::env::var_os("GRIDATLAS_PROOF").is_none() {
        println!("skipped: figures are worth something with GRIDATLAS_PROOF alone");
        return;
    }
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let begin: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
        let mut rate = Duration::MAX;
        for batch in 0..200 {
            let events = (batch * 1000..(batch + 1) * 1000).map(|n| nth(begin, n)).collect();
            let start = Instant::now();
            file(&store, &atlas, events).await;
            if batch >= 20 {
                rate = rate.min(start.elapsed());
            }
            if batch % 50 == 49 {
                println!("{} batch {batch}: {:?}", place.location(), start.elapsed());
            }
        }
        println!("{}: best batch of 1000 {rate:?}", place.location());
        let at = |days: i64| Some(begin + SignedDuration::from_hours(days * 24));
        let base = EventQuery { limit: 100, ..EventQuery::default() };
        let within = |code: &str| Some(("responsibility".to_owned(), code.to_owned()));
        let text = |text: &str| Some(text.to_owned());
        for (name, query) in [
            ("newest", base.clone()),
            ("month", EventQuery { from: at(190), to: at(220), ..base.clone() }),
            ("cursor", EventQuery { after: at(200).map(|t| (t, 5)), ..base.clone() }),
            ("type", EventQuery { kind: text("light"), ..base.clone() }),
            ("type month", EventQuery { kind: text("light"), from: at(190), to: at(220), ..base.clone() }),
            ("state", EventQuery { state: text("collected"), ..base.clone() }),
            ("no such state", EventQuery { state: text("parked"), ..base.clone() }),
            ("street", EventQuery { within: within("s1"), ..base.clone() }),
            ("grid month", EventQuery { within: within("g8"), from: at(190), to: at(220), ..base.clone() }),
            ("grid cursor", EventQuery { within: within("g8"), after: at(200).map(|t| (t, 5)), ..base.clone() }),
            ("grid type", EventQuery { within: within("g8"), kind: text("road"), ..base.clone() }),
        ] {
            let mut best = Duration::MAX;
            let mut count = 0;
            for _ in 0..7 {
                let start = Instant::now();
                count = store.events(&query).await.unwrap().unwrap().events.len();
                best = best.min(start.elapsed());
            }
            println!("{:>16} {count:>4} {best:?}", name);
        }
        let mut best = Duration::MAX;
        for n in 0..9u64 {
            let start = Instant::now();
            assert_eq!(store.events_of_id(&format!("e{}", n * 20_000), None).await.unwrap().len(), 1);
            best = best.min(start.elapsed());
        }
        println!("           by id {best:?}");
    });
}

/// ```text
///   two services:   a  2031-01 2031-02 ...        partitions are made by whoever comes first
///                   b  2031-01 2031-02 ...
/// ```
#[test]
fn months_are_made_by_whoever_comes_first_and_an_old_one_can_be_detached() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let other = Store::open(place.location()).await.unwrap();
        let begin: Timestamp = "2020-01-15T00:00:00Z".parse().unwrap();
        let closed = |id: String, month: i64| {
            let time = begin + SignedDuration::from_hours(month * 30 * 24);
            let p = at(1500, 500);
            let steps = json!([{ "to": "cancelled", "time": time.to_string(), "actor": "x", "note": "nothing there" }]);
            json!({ "source": "hotline", "id": id, "time": time.to_string(), "type": "noise", "lon": p.lon(),
                    "lat": p.lat(), "steps": steps })
        };
        let (one, two) = (Atlas::open(store.clone()).await.unwrap(), Atlas::open(other.clone()).await.unwrap());
        let work = async |store: &Store, atlas: &Atlas, name: &str| {
            for month in 0..6 {
                file(store, atlas, vec![closed(format!("{name}{month}"), month)]).await;
            }
        };
        tokio::join!(work(&store, &one, "a"), work(&other, &two, "b"));
        let all = EventQuery { limit: 100, ..EventQuery::default() };
        assert_eq!(store.events(&all).await.unwrap().unwrap().events.len(), 12);
        assert_eq!(store.check(None).await.unwrap().defects, []);
        if place.is_file() {
            return;
        }
        let mut raw = sqlx::PgConnection::connect(place.location()).await.unwrap();
        raw.execute("select event_month_detach('2020-01-01')").await.unwrap();
        assert!(raw.execute("select event_month_detach('2020-01-01')").await.is_err());
        let kept: i64 = sqlx::query_scalar("select count(*) from event_archive.event_entry_2020_01")
            .fetch_one(&mut raw)
            .await
            .unwrap();
        raw.close().await.unwrap();
        assert_eq!(kept, 2);
        // It is no longer found, and still not taken for new; what comes late is.
        assert_eq!(store.events(&all).await.unwrap().unwrap().events.len(), 10);
        assert_eq!(store.happened(0, 100).await.unwrap().len(), 10);
        let intake = intake();
        let again = Report::read(closed("a0".to_owned(), 0).to_string().as_bytes(), &intake.rules().limits);
        assert_eq!(intake.file(&one, &store, vec![again]).await.unwrap(), [Answer::Duplicate]);
        file(&store, &one, vec![closed("late".to_owned(), 0)]).await;
        assert_eq!(store.events(&all).await.unwrap().unwrap().events.len(), 11);
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}
