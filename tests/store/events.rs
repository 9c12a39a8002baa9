//! Events: kept once, owned by the ground of their time and by that of now.

use std::sync::Arc;

use gridatlas::intake::{Answer, Fault, Intake, Report, Rules};
use gridatlas::snapshot::Atlas;
use gridatlas::steps::{Settings, Steps};
use gridatlas::store::{Error, Event, EventOwner, EventQuery, Owned, Store, SyncOptions};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::city::{at, bent, buildings, coverage, publication, publish_first};
use super::places::in_both;
use super::redrawn::Planner;

pub(crate) fn intake() -> Arc<Intake> {
    let way = Steps::new(&Settings::default(), &TimeZone::UTC).unwrap();
    Arc::new(Intake::new(Rules::default(), way, TimeZone::UTC))
}

/// An event at a place of the small city.
fn event(id: &str, time: Timestamp, x: i32, y: i32) -> Value {
    let p = at(x, y);
    json!({ "source": "hotline", "id": id, "time": time.to_string(), "type": "noise", "lon": p.lon(), "lat": p.lat() })
}

async fn file(atlas: &Atlas, events: &[Value]) -> Vec<Answer> {
    let intake = intake();
    let reports = events.iter().map(|e| Report::read(e.to_string().as_bytes(), &intake.rules().limits)).collect();
    intake.file(atlas, atlas.store().unwrap(), reports).await.unwrap()
}

async fn one(store: &Store, id: &str) -> Event {
    let mut found = store.events_of_id(id, Some("hotline")).await.unwrap();
    assert_eq!(found.len(), 1, "{id}");
    found.pop().unwrap()
}

fn codes(owner: &EventOwner) -> [Vec<&str>; 2] {
    [&owner.filed[..], owner.chain()].map(|chain| chain.iter().map(|link| &*link.code).collect())
}

async fn count(store: &Store, code: &str, owned: Owned) -> u64 {
    let all = (Timestamp::UNIX_EPOCH, Timestamp::now() + SignedDuration::from_hours(1));
    store.count_events("responsibility", code, owned, all).await.unwrap().unwrap()
}

#[test]
fn what_is_sent_twice_is_kept_once_and_other_content_is_a_conflict() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let now = Timestamp::now();
        let (a, b) = (event("a", now, 1500, 500), event("b", now, 2500, 500));
        assert_eq!(
            file(&atlas, &[a.clone(), b.clone(), a.clone()]).await,
            [Answer::Accepted, Answer::Accepted, Answer::Duplicate]
        );
        // The same content, written otherwise.
        let (mut same, mut other) = (a.clone(), a.clone());
        same["crs"] = "wgs84".into();
        assert_eq!(file(&atlas, &[same]).await, [Answer::Duplicate]);
        other["type"] = "smell".into();
        let answer = file(&atlas, &[other, event("c", now, 1500, 600)]).await;
        assert!(matches!(&answer[0], Answer::Rejected(r) if r.fault == Fault::Conflict), "{answer:?}");
        assert_eq!(answer[1], Answer::Accepted);

        let page = store.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.unwrap().unwrap();
        assert_eq!(page.events.iter().map(|e| &*e.id).collect::<Vec<_>>(), ["c", "b", "a"]);
        let kept = one(&store, "b").await;
        assert_eq!(
            (&*kept.kind, &*kept.state, kept.is_open, kept.place),
            ("noise", "collected", true, Some(at(2500, 500)))
        );
        assert_eq!(codes(&kept.owners[0]), [["s0", "g2"], ["s0", "g2"]]);
        // The layer that maps and GIS programs see holds the same.
        let snapshot = store.load(None, Timestamp::now()).await.unwrap();
        let layer = snapshot.layer("event").unwrap();
        assert_eq!((layer.len(), layer.number(layer.find("hotline/b").unwrap())), (3, kept.number as u32));
        let report = store.check(None).await.unwrap();
        assert_eq!((report.defects, report.events, report.features), (vec![], 3, 3));
        // Its features are changed by what is done with the events, and not otherwise.
        let options = SyncOptions { max_removed_percent: 100.0, dry_run: false };
        assert!(matches!(store.sync_layer("event", &[], buildings(3), &options).await, Err(Error::Refused(_))));
        assert!(matches!(store.delete_feature("event", "hotline/b").await, Err(Error::Refused(_))));
    });
}

#[test]
fn pages_of_every_query_hold_each_event_once_as_a_plain_filter_finds_them() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let begin = Timestamp::now() - SignedDuration::from_hours(100);
        // Several at the same instant, so that time alone is no order.
        let mut all = Vec::new();
        for i in 0..300i32 {
            let time = begin + SignedDuration::from_mins(i64::from(i * 37 % 60));
            let mut event = event(&format!("e{i}"), time, i * 131 % 7000 - 500, i * 17 % 4000);
            event["type"] = ["noise", "litter", "light"][i as usize % 3].into();
            if i % 5 == 0 {
                let time = (time + SignedDuration::from_secs(60)).to_string();
                event["steps"] = json!([{ "to": "cancelled", "time": time, "actor": "x", "note": "nothing there" }]);
            }
            all.push(event);
        }
        for some in all.chunks(70) {
            assert!(file(&atlas, some).await.iter().all(|a| *a == Answer::Accepted));
        }
        let whole = EventQuery { limit: 1000, ..EventQuery::default() };
        let everything = store.events(&whole).await.unwrap().unwrap().events;
        assert_eq!(everything.len(), 300);
        let within = |code: &str| Some(("responsibility".to_owned(), code.to_owned()));
        let text = |text: &str| Some(text.to_owned());
        let half = Some(begin + SignedDuration::from_mins(30));
        for query in [
            EventQuery { limit: 7, ..EventQuery::default() },
            EventQuery { limit: 7, kind: text("noise"), from: half, ..EventQuery::default() },
            EventQuery { limit: 3, within: within("g8"), ..EventQuery::default() },
            EventQuery { limit: 5, within: within("s1"), owned: Owned::Then, to: half, ..EventQuery::default() },
            EventQuery {
                limit: 4,
                within: within("s2"),
                kind: text("light"),
                state: text("collected"),
                ..EventQuery::default()
            },
            EventQuery { limit: 9, state: text("cancelled"), is_open: Some(false), ..EventQuery::default() },
            EventQuery { limit: 9, is_open: Some(true), source: text("hotline"), ..EventQuery::default() },
        ] {
            let fits = |e: &&Event| {
                let chain = codes(&e.owners[0])[1].join("/");
                query.within.as_ref().is_none_or(|(_, code)| chain.split('/').any(|c| c == code))
                    && query.kind.as_ref().is_none_or(|kind| *kind == e.kind)
                    && query.state.as_ref().is_none_or(|state| *state == e.state)
                    && query.is_open.is_none_or(|open| open == e.is_open)
                    && query.from.is_none_or(|from| e.time >= from)
                    && query.to.is_none_or(|to| e.time < to)
            };
            let expected: Vec<u64> = everything.iter().filter(fits).map(|e| e.number).collect();
            let mut found = Vec::new();
            let mut query = query.clone();
            loop {
                let page = store.events(&query).await.unwrap().unwrap();
                assert!(page.events.len() <= query.limit);
                found.extend(page.events.iter().map(|e| e.number));
                query.after = page.next;
                if query.after.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{query:?}");
            assert!(!found.is_empty(), "{query:?}");
        }
        assert!(store.events(&EventQuery { within: within("nowhere"), ..whole }).await.unwrap().is_none());
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}

/// ```text
///   8 │ 9        an event in the corner that 8 takes from 9:
///     ├─┐        before the publish, after it, and after it of a time before it
///   8 ╎e│ 9
///     ├─┘
/// ```
#[test]
fn an_event_keeps_the_owner_of_its_time_and_gets_that_of_now_whenever_it_comes() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let before = Timestamp::now() - SignedDuration::from_hours(2);
        let taken = (3100, 1450);
        let closed = json!([{ "to": "cancelled", "time": before.to_string(), "actor": "x", "note": "nothing there" }]);
        let mut done = event("closed", before, taken.0, taken.1);
        done["steps"] = closed.clone();
        file(&atlas, &[event("early", before, taken.0, taken.1), done, event("other", before, 500, 500)]).await;

        let (head, next) = bent(&store, 8).await;
        let published = store.publish(publication("responsibility", Some(head), next)).await.unwrap();
        // A batch that was judged by the state before is judged again.
        let now = Timestamp::now();
        file(&atlas, &[event("late", now, taken.0, taken.1), event("of before", before, taken.0, taken.1)]).await;

        let of_9_and_8 = [["s1", "g9"], ["s1", "g8"]];
        for (id, expected) in
            [("early", of_9_and_8), ("closed", of_9_and_8), ("of before", of_9_and_8), ("late", [["s1", "g8"]; 2])]
        {
            let event = one(&store, id).await;
            assert_eq!(codes(&event.owners[0]), expected, "{id}");
            let revision = if id == "late" { published.revision.number } else { head };
            assert_eq!(event.owners[0].revision, revision, "{id}");
            // Who has an open event is told so; of a closed one it is only counted.
            let told: Vec<_> = event.rulings.iter().map(|r| (&*r.kind, r.from.as_deref(), r.to.as_deref())).collect();
            let expected = if id == "early" { vec![("redraw", Some("g9"), Some("g8"))] } else { vec![] };
            assert_eq!(told, expected, "{id}");
        }
        assert_eq!((count(&store, "g9", Owned::Then).await, count(&store, "g9", Owned::Now).await), (3, 0));
        assert_eq!((count(&store, "g8", Owned::Then).await, count(&store, "g8", Owned::Now).await), (1, 4));
        assert_eq!((count(&store, "s1", Owned::Then).await, count(&store, "s1", Owned::Now).await), (4, 4));
        assert_eq!(store.check(None).await.unwrap().defects, []);

        // Another coverage over the same ground owns what had come before it, too; and the
        // way back gives what was taken.
        store.publish(publication("cell", None, coverage(3, 2, None, None))).await.unwrap();
        let event = one(&store, "early").await;
        assert_eq!((event.owners.len(), codes(&event.owners[1])), (2, [Vec::<&str>::new(), vec![]]));
        assert_eq!(codes(&one(&store, "other").await.owners[1]), [["s0", "g0"], ["s0", "g0"]]);
        let (free, area) = store.free_ids("responsibility").await.unwrap();
        let (second, old) = store.head_coverage("responsibility").await.unwrap().unwrap();
        let back = coverage(6, 4, None, Some((&old, free, area)));
        store.publish(publication("responsibility", Some(second.number), back)).await.unwrap();
        let event = one(&store, "early").await;
        assert_eq!(codes(&event.owners[0]), [["s1", "g9"]; 2]);
        assert_eq!(event.rulings.len(), 2);
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}

#[test]
fn a_place_may_be_a_building_an_area_an_address_or_outside_and_is_told_how_sure_it_is() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let options = SyncOptions { max_removed_percent: 0.0, dry_run: false };
        store.sync_layer("building", &[], buildings(100), &options).await.unwrap();
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let now = Timestamp::now();
        let with = |id: &str, members: Value| {
            let mut event = json!({ "source": "hotline", "id": id, "time": now.to_string(), "type": "noise" });
            event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            event
        };
        let mut near = event("near", now, 1990, 500);
        near["accuracy_m"] = 5.0.into();
        let answers = file(
            &atlas,
            &[
                near,
                event("outside", now, -500, 500),
                with("in a building", json!({ "building": "b1" })),
                with("in a street", json!({ "area": "s2" })),
                with("by address", json!({ "address": "中山路 8 号" })),
                with("retired", json!({ "area": "g99" })),
                with("nowhere", json!({ "description": "help" })),
            ],
        )
        .await;
        assert!(answers[..5].iter().all(|a| *a == Answer::Accepted), "{answers:?}");
        for answer in &answers[5..] {
            assert!(matches!(answer, Answer::Rejected(r) if r.fault == Fault::UnknownPlace), "{answer:?}");
        }
        let told = |event: &Event| -> Value {
            event.owners[0].told.as_deref().map_or(Value::Null, |told| serde_json::from_str(told).unwrap())
        };
        let near = one(&store, "near").await;
        assert_eq!(codes(&near.owners[0])[0], ["s0", "g1"]);
        assert_eq!(told(&near)["might_be"][0]["code"], "g2");
        let outside = one(&store, "outside").await;
        assert!(outside.owners[0].filed.is_empty());
        assert_eq!(told(&outside)["nearest"]["code"], "g0");
        let building = one(&store, "in a building").await;
        assert_eq!((&*building.placed_by, building.building.as_deref()), ("building", Some("b1")));
        assert_eq!(codes(&building.owners[0])[0].len(), 2);
        assert_eq!(codes(&one(&store, "in a street").await.owners[0]), [["s2"], ["s2"]]);
        let unplaced = EventQuery { is_placed: Some(false), limit: 10, ..EventQuery::default() };
        let unplaced = store.events(&unplaced).await.unwrap().unwrap().events;
        assert_eq!(unplaced.iter().map(|e| (&*e.id, &*e.placed_by)).collect::<Vec<_>>(), [("by address", "none")]);
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}

#[test]
fn owners_follow_any_redraw_and_a_preview_counts_what_the_month_will_have() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let mut planner = Planner::new(store.clone(), 20_261_124).await;
        let now = Timestamp::now();
        let all: Vec<Value> = (0..400i32)
            .map(|i| {
                let ago = SignedDuration::from_hours(i64::from(i * 7 % 1200));
                event(&format!("e{i}"), now - ago, i * 137 % 6200 - 100, i * 211 % 4100 - 50)
            })
            .collect();
        file(&planner.atlas, &all).await;
        // One that was decided against the ground, and one that is an area's.
        let (intake, way) = (intake(), json!({ "code": "g3", "reason": "agreed", "actor": "x" }));
        let verdict = serde_json::from_value(way).unwrap();
        intake.settle(&planner.atlas, &store, &one(&store, "e7").await, &verdict).await.unwrap();
        let street =
            json!({ "source": "hotline", "id": "street", "time": now.to_string(), "type": "noise", "area": "s1" });
        file(&planner.atlas, &[street]).await;

        let month = (now - SignedDuration::from_hours(30 * 24), now + SignedDuration::from_hours(1));
        let count = async |code: &str| {
            store.count_events("responsibility", code, Owned::Now, month).await.unwrap().unwrap_or(0) as i64
        };
        let (mut published, mut compared) = (0, 0);
        for round in 0..40 {
            let plan = planner.drawn().await;
            let preview = planner.preview(&plan, "").await;
            for area in preview.areas.iter().filter_map(|area| Some((&area.code, area.before.as_ref()?))) {
                // A code that is new may have been another area's.
                if area.0.starts_with('g') || area.0.starts_with('s') {
                    assert_eq!(area.1.events_month, Some(count(area.0).await), "{round}: {} before", area.0);
                }
            }
            if plan.draft.steps().is_empty() || planner.publish_plan(plan).await.is_none() {
                continue;
            }
            published += 1;
            let report = store.check(None).await.unwrap();
            assert_eq!((report.defects, report.events), (vec![], 401), "round {round}");
            for area in preview.areas.iter().filter_map(|area| Some((&area.code, area.after.as_ref()?))) {
                assert_eq!(area.1.events_month, Some(count(area.0).await), "{round}: {} after", area.0);
                compared += 1;
            }
        }
        assert!(published > 15 && compared > 40, "{published} {compared}");
    });
}
