//! The past and the future, asked for by date: once it is held, it takes no store.

use std::sync::Arc;

use gridatlas::snapshot::{Atlas, Moment};
use gridatlas::store::SyncOptions;
use jiff::{SignedDuration, Timestamp};

use super::city::{bent, buildings, publication, publish_first};
use super::places::in_both;
use super::redrawn::Planner;

#[test]
fn a_past_that_was_asked_for_is_answered_again_when_the_store_is_gone() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let all = SyncOptions { max_removed_percent: 100.0, dry_run: false };
        store.sync_layer("building", &[], buildings(60), &all).await.unwrap();
        let mut planner = Planner::new(store.clone(), 3).await;
        let mut effective = vec![Timestamp::UNIX_EPOCH];
        while effective.len() < 12 {
            if let Some(published) = planner.redraw().await {
                effective.push(published.revision.effective.unwrap());
            }
        }
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let held: Vec<u64> = vec![1, 4, 9, 11, 12];
        let mut first = Vec::new();
        for number in &held {
            first.push(atlas.at(Moment::Revision(*number)).await.unwrap());
        }
        // Each is what the store makes of it by itself.
        for (number, seen) in held.iter().zip(&first) {
            let naive = store.load_at(&planner.atlas.present(), Moment::Revision(*number)).await.unwrap();
            assert_eq!(seen.coverages[0].coverage, naive.coverages[0].coverage);
            let (a, b) = (seen.layer("building").unwrap(), naive.layer("building").unwrap());
            assert!(a.iter().all(|ix| a.owner(ix, 0) == b.owner(ix, 0) && a.shares(ix, 0) == b.shares(ix, 0)));
        }
        store.close().await;
        for (number, seen) in held.iter().zip(&first) {
            for moment in [Moment::Revision(*number), Moment::At(effective[*number as usize - 1])] {
                let again = atlas.at(moment).await.unwrap();
                assert_eq!(again.revision, *number);
                assert!(Arc::ptr_eq(&again.coverages[0], &seen.coverages[0]), "{moment:?}");
            }
        }
        assert!(atlas.at(Moment::Revision(7)).await.is_err());
        let (states, bytes) = atlas.past();
        assert!(states == held.len() - 1 && bytes > 0, "{states} states, {bytes} bytes");
    });
}

#[test]
fn a_moment_to_come_is_what_is_scheduled_and_what_others_just_published_is_found() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let atlas = Atlas::open(store.clone()).await.unwrap();
        let (head, next) = bent(&store, 8).await;
        let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
        let mut plan = publication("responsibility", Some(head), next);
        plan.effective = Some(tomorrow);
        store.publish(plan).await.unwrap();
        // The atlas has not looked since.
        assert_eq!(atlas.at(Moment::Revision(2)).await.unwrap().coverages[0].revision, 2);
        assert_eq!(atlas.present().revision, 1);
        assert_eq!(atlas.at(Moment::At(tomorrow)).await.unwrap().revision, 2);
        assert_eq!(atlas.at(Moment::At(tomorrow - SignedDuration::from_secs(1))).await.unwrap().revision, 1);
        assert_eq!(atlas.at(Moment::Revision(99)).await.unwrap().coverages[0].revision, 2);
    });
}
