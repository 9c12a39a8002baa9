//! Rules above the map, as events come in.

use std::sync::Arc;

use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::intake::{Answer, Intake, Report, Rules};
use gridatlas::routing::Routing;
use gridatlas::snapshot::Atlas;
use gridatlas::steps::{Settings, Steps};
use gridatlas::store::SyncOptions;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::city::{at, bent, publication, publish_first};
use super::places::in_both;

#[test]
fn a_rule_gives_an_event_to_its_area_and_a_redraw_leaves_it_there() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let lamp = |id: &str, owner: &str| Feature {
            id: id.into(),
            geometry: Geometry::Point(at(100, 100)),
            properties: vec![("owner".into(), Value::Text(owner.into()))],
        };
        let options = SyncOptions { max_removed_percent: 0.0, dry_run: false };
        let lamps = vec![lamp("L1", "lighting company"), lamp("L2", "g3")];
        store.sync_layer("facility", &[], lamps, &options).await.unwrap();
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let rules = json!([
            { "rule": "parts", "type": "part.", "to": { "asset_owner": { "layer": "facility", "named_by": "facility" } } },
            { "rule": "gone", "type": "old", "to": { "area": "g99" } }
        ]);
        let routing = Routing::new(&serde_json::from_value::<Vec<_>>(rules).unwrap()).unwrap();
        let way = Steps::new(&Settings::default(), &TimeZone::UTC).unwrap();
        let intake = Arc::new(Intake::new(Rules::default(), way, TimeZone::UTC).routed(routing));
        let p = at(3100, 1450);
        let event = |id: &str, kind: &str, facility: &str| {
            json!({ "source": "patrol", "id": id, "time": Timestamp::now().to_string(), "type": kind, "lon": p.lon(),
                "lat": p.lat(), "attributes": { "facility": facility } })
        };
        let events = [
            event("body", "part.lamp", "L1"),
            event("area", "part.lamp", "L2"),
            event("unknown", "part.lamp", "L3"),
            event("gone", "old", ""),
        ];
        let reports = events.iter().map(|e| Report::read(e.to_string().as_bytes(), &intake.rules().limits)).collect();
        let answers = intake.file(&atlas, &store, reports).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Answer::Accepted), "{answers:?}");

        let (head, next) = bent(&store, 8).await;
        let told = async |id: &str| {
            let event = store.events_of_id(id, None).await.unwrap().pop().unwrap();
            let owner = &event.owners[0];
            let told: serde_json::Value =
                owner.told.as_deref().map(|t| serde_json::from_str(t).unwrap()).unwrap_or_default();
            let code = |chain: &[gridatlas::store::EventLink]| chain.last().unwrap().code.to_string();
            (code(&owner.filed), code(owner.chain()), owner.is_settled, told["routed"].clone())
        };
        let of = |filed: &str, now: &str, settled, routed| (filed.to_owned(), now.to_owned(), settled, routed);
        let by = |owner: serde_json::Value| {
            let mut told = json!({ "rule": "parts" });
            told.as_object_mut().unwrap().extend(owner.as_object().unwrap().clone());
            told
        };
        let company = by(json!({ "body": "lighting company" }));
        assert_eq!(told("body").await, of("g9", "g9", false, company.clone()));
        assert_eq!(told("area").await, of("g3", "g3", true, by(json!({ "area": "g3" }))));
        assert_eq!(told("unknown").await, of("g9", "g9", false, serde_json::Value::Null));
        let gone = json!({ "rule": "gone", "area": "g99", "unknown": true });
        assert_eq!(told("gone").await, of("g9", "g9", false, gone));

        store.publish(publication("responsibility", Some(head), next)).await.unwrap();
        assert_eq!(told("body").await, of("g9", "g8", false, company));
        assert_eq!(told("area").await, of("g3", "g3", true, by(json!({ "area": "g3" }))));
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}
