//! A running service beside an import.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gridatlas::feature::Geometry;
use gridatlas::snapshot::{Atlas, Moment};
use gridatlas::store::SyncOptions;
use jiff::{SignedDuration, Timestamp};

use super::city::{area, at, bent, buildings, publication, publish_first};
use super::places::in_both;

const ALL: SyncOptions = SyncOptions { max_removed_percent: 100.0, dry_run: false };

/// A clock that stands still when nothing runs, as on a machine that is busy with other
/// things: 100 beats are a second at least, and more where all else is late, too.
fn beating() -> (tokio::task::JoinHandle<()>, impl Fn() -> u64) {
    let beats = Arc::new(AtomicU64::new(0));
    let clock = tokio::spawn({
        let beats = beats.clone();
        async move {
            loop {
                tokio::time::sleep(Duration::from_millis(10)).await;
                beats.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    (clock, move || beats.load(Ordering::Relaxed))
}

#[test]
fn a_running_service_notices_within_two_seconds_and_swaps_whole() {
    in_both(|place| async move {
        let beside = place.store().await;
        publish_first(&beside).await;
        beside.sync_layer("building", &[], buildings(50), &ALL).await.unwrap();
        beside.sync_layer("worker", &[], buildings(5), &ALL).await.unwrap();
        let atlas = Arc::new(Atlas::open(place.store().await).await.unwrap());
        let follower = tokio::spawn({
            let atlas = atlas.clone();
            async move { atlas.follow().await }
        });
        let (clock, beats) = beating();
        let mut swaps = atlas.swaps();
        let mut swapped = async || {
            let since = beats();
            tokio::time::timeout(Duration::from_secs(60), swaps.changed()).await.unwrap().unwrap();
            assert!(beats() - since < 200, "{} beats", beats() - since);
        };

        let before = atlas.present();
        let mut moved = buildings(50);
        moved[3].geometry = Geometry::Point(at(5500, 3500));
        beside.sync_layer("building", &[], moved, &ALL).await.unwrap();
        swapped().await;
        let after = atlas.present();
        let layer = after.layer("building").unwrap();
        let owner = layer.owner(layer.find("b3").unwrap(), 0);
        assert_eq!(owner, Some(area(&after.coverages[0].coverage, "g23")));
        // What did not change is the same memory.
        assert!(Arc::ptr_eq(&before.coverages[0], &after.coverages[0]));
        assert!(Arc::ptr_eq(&before.layers["worker"], &after.layers["worker"]));
        assert_ne!(before.layer("building").unwrap().change(), layer.change());

        let (head, second) = bent(&beside, 8).await;
        beside.publish(publication("responsibility", Some(head), second)).await.unwrap();
        swapped().await;
        let present = atlas.present();
        assert_eq!(present.coverages[0].revision, 2);
        // Whoever asked before keeps what they have; the past is answered.
        assert_eq!(after.coverages[0].revision, 1);
        let past = atlas.at(Moment::Revision(1)).await.unwrap();
        assert_eq!(past.coverages[0].revision, 1);
        assert!(Arc::ptr_eq(&past, &atlas.at(Moment::Revision(1)).await.unwrap()));
        assert!(Arc::ptr_eq(&present, &atlas.at(Moment::Revision(2)).await.unwrap()));
        let layer = past.layer("building").unwrap();
        let owner = layer.owner(layer.find("b3").unwrap(), 0);
        assert_eq!(owner, Some(area(&past.coverages[0].coverage, "g23")));

        // A scheduled revision takes effect by itself.
        let (head, third) = bent(&beside, 14).await;
        let mut plan = publication("responsibility", Some(head), third);
        plan.effective = Some(Timestamp::now() + SignedDuration::from_millis(2500));
        beside.publish(plan).await.unwrap();
        swapped().await;
        assert_eq!(atlas.present().coverages[0].revision, 2);
        let since = beats();
        while atlas.present().coverages[0].revision == 2 {
            assert!(beats() - since < 450, "it is not in effect");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let since = beats();
        while !beside.check(None).await.unwrap().defects.is_empty() {
            assert!(beats() - since < 1000, "{:?}", beside.check(None).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        clock.abort();
        follower.abort();
    });
}

#[test]
fn a_layer_followed_change_by_change_is_the_layer_read_anew() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(place.store().await).await.unwrap();
        for round in 0..6 {
            let mut all = buildings(40);
            all.retain(|f| !f.id.ends_with(&round.to_string()));
            for f in all.iter_mut().skip(round).step_by(5) {
                f.geometry = Geometry::Point(at(round as i32 * 900, 100));
            }
            store.sync_layer("building", &[], all.clone(), &ALL).await.unwrap();
            assert!(atlas.refresh().await.unwrap());
            assert!(!atlas.refresh().await.unwrap());
            let (followed, anew) = (atlas.present(), store.load(None, Timestamp::now()).await.unwrap());
            let (a, b) = (followed.layer("building").unwrap(), anew.layer("building").unwrap());
            assert_eq!((a.len(), b.len()), (all.len(), all.len()));
            for f in &all {
                let (i, j) = (a.find(&f.id).unwrap(), b.find(&f.id).unwrap());
                assert_eq!((a.feature(i).as_ref(), a.number(i)), (Some(f), b.number(j)));
                assert_eq!((a.owner(i, 0), a.shares(i, 0)), (b.owner(j, 0), b.shares(j, 0)));
            }
        }
    });
}
