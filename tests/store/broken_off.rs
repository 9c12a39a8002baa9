//! Who asked goes away in the middle of it, as a client does that hangs up: what they began
//! is whole or not there, and those who ask next are not the worse for it.

use std::time::{Duration, Instant};

use gridatlas::store::SyncOptions;

use super::city::{buildings, publish_first};
use super::places::in_both;

const ALL: SyncOptions = SyncOptions { max_removed_percent: 100.0, dry_run: false };

#[test]
fn a_write_that_is_broken_off_leaves_the_next_one_alone() {
    let seed = 7u64;
    println!("seed {seed}");
    in_both(|place| async move {
        let (store, beside) = (place.store().await, place.store().await);
        publish_first(&store).await;
        let mut dice = seed;
        let mut within = |most_us: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Duration::from_micros((dice >> 33) % most_us)
        };
        // Machines differ in how long one takes that is left alone; so whatever is broken off
        // is so somewhere in the middle of it.
        let begun = Instant::now();
        store.sync_layer("building", &[], buildings(399), &ALL).await.unwrap();
        let whole_us = u64::try_from(begun.elapsed().as_micros()).unwrap();
        let (mut broken_off, mut round) = (0, 0);
        while broken_off < 30 {
            assert!(round < 1000, "only {broken_off} of {round} were broken off");
            let task = tokio::spawn({
                let store = store.clone();
                async move { store.sync_layer("building", &[], buildings(400 + round), &ALL).await.is_ok() }
            });
            let reader = tokio::spawn({
                let store = store.clone();
                async move { store.load(None, jiff::Timestamp::now()).await.is_ok() }
            });
            tokio::time::sleep(within(whole_us)).await;
            task.abort();
            reader.abort();
            broken_off += i32::from(task.await.is_err());
            // What is answered now is there for everybody.
            let done = store.sync_layer("worker", &[], buildings(round + 1), &ALL).await.unwrap();
            assert_eq!((done.added, done.removed), (1, 0), "round {round}");
            let seen = beside.load(None, jiff::Timestamp::now()).await.unwrap();
            assert_eq!(seen.layer("worker").map(|l| l.len()), Some(round as usize + 1), "round {round}");
            assert_eq!(store.state().await.unwrap(), beside.state().await.unwrap(), "round {round}");
            round += 1;
        }
        assert_eq!(beside.check(None).await.unwrap().defects, []);
    });
}
