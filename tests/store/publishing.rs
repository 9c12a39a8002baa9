//! Revisions: the identical graph, its history, and what is derived from it.

use std::sync::Arc;

use boundaries::Coverage;
use gridatlas::snapshot::Moment;
use gridatlas::store::{Error, digest};
use jiff::{SignedDuration, Timestamp};

use super::city::{at, bent, coverage, ids, publication, publish_first};
use super::places::in_both;

fn same(a: &Coverage, b: &Coverage) {
    assert_eq!(digest(a), digest(b));
    assert_eq!(ids(a), ids(b));
    assert!(a.borders().eq(b.borders()));
    assert!(a.faces().eq(b.faces()));
    assert!(a.areas().eq(b.areas()));
}

#[test]
fn what_is_published_comes_back_as_the_identical_graph() {
    in_both(|place| async move {
        let store = place.store().await;
        assert!(store.head("responsibility").await.unwrap().is_none());
        let first = coverage(6, 4, None, None);
        let published = store.publish(publication("responsibility", None, first.clone())).await.unwrap();
        assert!(published.is_new);
        assert_eq!(published.touched.len(), 28);
        let (revision, back) = store.head_coverage("responsibility").await.unwrap().unwrap();
        assert_eq!(revision, published.revision);
        same(&first, &back);

        // Once more, by another process.
        store.close().await;
        let store = place.store().await;
        let (_, back) = store.head_coverage("responsibility").await.unwrap().unwrap();
        same(&first, &back);
        assert_eq!(store.check(None).await.unwrap().defects, []);
    });
}

#[test]
fn a_change_writes_what_it_touches_and_history_stays() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let first = store.head_coverage("responsibility").await.unwrap().unwrap().1;
        let (head, second) = bent(&store, 8).await;
        let published = store.publish(publication("responsibility", Some(head), second.clone())).await.unwrap();
        let touched: Vec<&str> = published.touched.iter().map(|c| &**c).collect();
        // Both lie in s1, whose outline is what it was.
        assert_eq!(touched, ["g8", "g9"]);
        // One border changed: its row ended and another began.
        assert_eq!(published.rows, 2);

        let held_at = |moment| {
            let store = store.clone();
            async move { store.coverage("responsibility", moment).await.unwrap().unwrap().1 }
        };
        same(&first, &held_at(Moment::Revision(1)).await);
        same(&second, &held_at(Moment::Revision(2)).await);
        same(&second, &held_at(Moment::At(Timestamp::now())).await);
        // The first revision reaches back without limit.
        same(&first, &held_at(Moment::At("1949-10-01T00:00:00Z".parse().unwrap())).await);
        assert_eq!(store.check(None).await.unwrap().defects, []);

        // What is equal to the head makes no revision.
        let again = store.publish(publication("responsibility", Some(2), second)).await.unwrap();
        assert!(!again.is_new);
        assert_eq!(store.revisions().await.unwrap().len(), 2);
    });
}

#[test]
fn a_state_made_from_another_is_the_one_read_anew_and_shares_what_did_not_change() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let mut states = vec![store.load(None, Timestamp::now()).await.unwrap()];
        // A border bends; it bends back and another one bends; a row of blocks goes.
        for (wide, bent) in [(6, Some(8)), (6, Some(14)), (5, None)] {
            let (head, old) = store.head_coverage("responsibility").await.unwrap().unwrap();
            let (free, area) = store.free_ids("responsibility").await.unwrap();
            let next = coverage(wide, 4, bent, Some((&old, free, area)));
            store.publish(publication("responsibility", Some(head.number), next)).await.unwrap();
            states.push(store.load(None, Timestamp::now()).await.unwrap());
        }
        // From each to each: one step or several, forwards and back.
        for held in &states {
            for anew in &states {
                let moment = Moment::Revision(anew.coverages[0].revision);
                let made = store.load_at(held, moment).await.unwrap();
                let (made, held, anew) = (&made.coverages[0], &held.coverages[0], &anew.coverages[0]);
                assert_eq!((made.revision, made.effective), (anew.revision, anew.effective));
                same(&made.coverage, &anew.coverage);
                assert_eq!(made.coverage.sanity_check(), Ok(()));
                for (x, y) in (-100..6200).step_by(97).flat_map(|x| (-100..4200).step_by(89).map(move |y| (x, y))) {
                    let p = at(x, y);
                    assert_eq!(made.locator.place(&made.coverage, p), anew.locator.place(&anew.coverage, p), "{p:?}");
                }
                // A line that both states have is the memory of the one that was held: it was not read.
                let held_line = |id| held.coverage.border(id).map(|b| &b.line);
                for (id, border) in made.coverage.borders() {
                    let same = held_line(id).filter(|line| **line == border.line);
                    assert!(same.is_none_or(|line| Arc::ptr_eq(line, &border.line)), "border {}", id.0);
                }
            }
        }
    });
}

#[test]
fn a_scheduled_revision_is_the_head_at_once_and_in_force_at_its_time() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let (head, second) = bent(&store, 8).await;
        let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
        let mut plan = publication("responsibility", Some(head), second);
        plan.effective = Some(tomorrow);
        store.publish(plan.clone()).await.unwrap();
        assert_eq!(store.head("responsibility").await.unwrap().unwrap().number, 2);
        let now = store.load(None, Timestamp::now()).await.unwrap();
        assert_eq!(now.coverages[0].revision, 1);
        let then = store.load(None, tomorrow).await.unwrap();
        assert_eq!(then.coverages[0].revision, 2);
        assert_eq!(store.check(None).await.unwrap().defects, []);

        // Nothing is back-dated.
        let third = coverage(6, 4, Some(2), None);
        for effective in [Timestamp::now() + SignedDuration::from_hours(1), Timestamp::UNIX_EPOCH] {
            let early = gridatlas::store::Publication {
                expected: Some(2),
                base: None,
                plan: None,
                lineage: Vec::new(),
                effective: Some(effective),
                next: third.clone(),
                ..plan.clone()
            };
            assert!(matches!(store.publish(early).await, Err(Error::Refused(_))));
        }
    });
}

#[test]
fn a_coverage_lies_over_another_with_revisions_of_its_own() {
    in_both(|place| async move {
        let store = place.store().await;
        store.publish(publication("cell", None, coverage(3, 2, None, None))).await.unwrap();
        publish_first(&store).await;
        let snapshot = store.load(None, Timestamp::now()).await.unwrap();
        let found: Vec<_> = snapshot.coverages.iter().map(|c| (&*c.name, c.revision)).collect();
        assert_eq!(found, [("responsibility", 2), ("cell", 1)]);
        assert_eq!(snapshot.revision, 2);
    });
}
