//! Layers: syncs that touch what differs, single features, owners and shares.

use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::snapshot::{Field, Kind};
use gridatlas::store::{Error, SyncCounts, SyncOptions};
use jiff::Timestamp;

use super::city::{area, at, bent, buildings, coverage, publication, publish_first};
use super::places::in_both;

const TENTH: SyncOptions = SyncOptions { max_removed_percent: 10.0, dry_run: false };

#[test]
fn a_sync_counts_and_touches_what_differs() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let mut all = buildings(100);
        let sync = async |all: &[Feature], options: &SyncOptions| {
            store.sync_layer("building", &[], all.to_vec(), options).await
        };
        let counts = |added, changed, removed, unchanged, cut| SyncCounts { added, changed, removed, unchanged, cut };
        let dry = SyncOptions { dry_run: true, ..TENTH };
        assert_eq!(sync(&all, &dry).await.unwrap(), counts(100, 0, 0, 0, 25));
        assert!(store.layers().await.unwrap().is_empty());
        assert_eq!(sync(&all, &TENTH).await.unwrap(), counts(100, 0, 0, 0, 25));
        let before = store.state().await.unwrap();
        assert_eq!(sync(&all, &TENTH).await.unwrap(), counts(0, 0, 0, 100, 25));
        assert_eq!(store.state().await.unwrap(), before, "an equal file changes nothing");

        all.truncate(95);
        all[7].properties[1].1 = Value::Integer(-1);
        all[8].geometry = Geometry::Point(at(10, 10));
        let mut added = all[0].clone();
        added.id = "new".into();
        all.push(added);
        assert_eq!(sync(&all, &TENTH).await.unwrap(), counts(1, 2, 5, 93, 24));
        let snapshot = store.load(None, Timestamp::now()).await.unwrap();
        let layer = snapshot.layer("building").unwrap();
        assert_eq!(layer.len(), 96);
        for feature in &all {
            assert_eq!(layer.feature(layer.find(&feature.id).unwrap()).as_ref(), Some(feature));
        }
        // Numbers are never given twice: b99 had 100.
        assert_eq!(layer.number(layer.find("new").unwrap()), 101);

        let refused = sync(&all[..80], &TENTH).await;
        assert!(matches!(refused, Err(Error::TooManyRemoved { removed: 16, before: 96, .. })), "{refused:?}");
        let twice = vec![all[0].clone(), all[0].clone()];
        assert!(matches!(sync(&twice, &TENTH).await, Err(Error::Refused(_))));
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}

#[test]
fn a_field_grows_as_wide_as_its_values_and_takes_any_name() {
    in_both(|place| async move {
        let store = place.store().await;
        let one = |id: &str, values: Vec<(&str, Value)>| Feature {
            id: id.into(),
            geometry: Geometry::Point(at(1, 1)),
            properties: values.into_iter().map(|(n, v)| (n.into(), v)).collect(),
        };
        let first =
            one("1", vec![("owner", Value::Integer(5)), ("ID", Value::Text("x".into())), ("名称", Value::Bool(true))]);
        store.sync_layer("area", &[], vec![first.clone()], &TENTH).await.unwrap();
        let second = one("2", vec![("owner", Value::Text("nobody".into())), ("geom", Value::Real(0.5))]);
        let counts = store.sync_layer("area", &[], vec![first, second], &TENTH).await.unwrap();
        assert_eq!((counts.added, counts.unchanged + counts.changed), (1, 1));
        let snapshot = store.load(None, Timestamp::now()).await.unwrap();
        let layer = snapshot.layer("area").unwrap();
        let value =
            |id: &str, field: &str| layer.value(layer.find(id).unwrap(), layer.field(field).unwrap()).to_value();
        assert_eq!(value("1", "owner"), Value::Text("5".into()));
        assert_eq!(value("2", "owner"), Value::Text("nobody".into()));
        assert_eq!(value("1", "名称"), Value::Bool(true));
        assert_eq!(value("2", "geom"), Value::Real(0.5));
        assert_eq!(value("2", "ID"), Value::Null);
    });
}

#[test]
fn one_feature_is_put_and_deleted_and_its_snapshot_follows() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        store.create_layer("building", &[Field { name: "name".into(), kind: Kind::Text }]).await.unwrap();
        let before = store.load(None, Timestamp::now()).await.unwrap();
        let [a, b] = <[Feature; 2]>::try_from(buildings(2)).unwrap();
        assert!(store.put_feature("building", a.clone(), &before).await.unwrap().0);
        assert!(store.put_feature("building", b.clone(), &before).await.unwrap().0);
        let mut moved = a.clone();
        moved.geometry = Geometry::Point(at(2500, 500));
        assert!(!store.put_feature("building", moved.clone(), &before).await.unwrap().0);
        assert!(store.delete_feature("building", "b1").await.unwrap().is_some());
        assert!(store.delete_feature("building", "b1").await.unwrap().is_none());
        let mut wrong = a;
        wrong.properties = vec![("households".into(), Value::Text("many".into()))];
        assert!(matches!(store.put_feature("building", wrong, &before).await, Err(Error::Refused(_))));

        let followed = store.load(Some(&before), Timestamp::now()).await.unwrap();
        let anew = store.load(None, Timestamp::now()).await.unwrap();
        for snapshot in [followed, anew] {
            let layer = snapshot.layer("building").unwrap();
            assert_eq!(layer.len(), 1);
            let ix = layer.find("b0").unwrap();
            assert_eq!(layer.feature(ix).unwrap().geometry, moved.geometry);
            assert_eq!(layer.owner(ix, 0), Some(area(&snapshot.coverages[0].coverage, "g2")));
        }
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}

#[test]
fn owners_follow_the_boundaries_in_the_transaction_that_changes_them() {
    in_both(|place| async move {
        let store = place.store().await;
        let all = buildings(300);
        // Before there is any ground, nobody owns anything.
        store.sync_layer("building", &[], all, &TENTH).await.unwrap();
        publish_first(&store).await;
        assert_eq!(store.check(None).await.unwrap().defects, []);
        let (head, second) = bent(&store, 8).await;
        store.publish(publication("responsibility", Some(head), second)).await.unwrap();
        store.publish(publication("cell", None, coverage(3, 2, None, None))).await.unwrap();
        let report = store.check(None).await.unwrap();
        assert_eq!(report.defects, []);
        assert_eq!((report.features, report.revisions), (300, 3));

        let snapshot = store.load(None, Timestamp::now()).await.unwrap();
        let layer = snapshot.layer("building").unwrap();
        // b15 stands where grid 9 was and 8 now is: at 3,200 east, 1,400 north.
        let ix = layer.iter().find(|ix| layer.geometry(*ix).unwrap().bounds().min == at(3200, 1400)).unwrap();
        assert_eq!(layer.owner(ix, 0), Some(area(&snapshot.coverages[0].coverage, "g8")));
        let cut: f64 = layer.shares(ix, 0).iter().map(|s| s.share).sum();
        assert!(layer.shares(ix, 0).is_empty() || (cut - 1.0).abs() < 1e-5);
    });
}
