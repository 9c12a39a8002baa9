//! Who asked goes away in the middle of it, as a client does that hangs up: what they began
//! is whole or not there, and those who ask next are not the worse for it.

use std::time::Duration;

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
        let mut broken_off = 0;
        for round in 0..60 {
            let task = tokio::spawn({
                let store = store.clone();
                async move { store.sync_layer("building", &[], buildings(400 + round), &ALL).await.is_ok() }
            });
            let reader = tokio::spawn({
                let store = store.clone();
                async move { store.load(None, jiff::Timestamp::now()).await.is_ok() }
            });
            tokio::time::sleep(within(25_000)).await;
            task.abort();
            reader.abort();
            broken_off += i32::from(task.await.is_err());
            // What is answered now is there for everybody.
            let done = store.sync_layer("worker", &[], buildings(round + 1), &ALL).await.unwrap();
            assert_eq!((done.added, done.removed), (1, 0), "round {round}");
            let seen = beside.load(None, jiff::Timestamp::now()).await.unwrap();
            assert_eq!(seen.layer("worker").map(|l| l.len()), Some(round as usize + 1), "round {round}");
            assert_eq!(store.state().await.unwrap(), beside.state().await.unwrap(), "round {round}");
        }
        assert!(broken_off > 10, "only {broken_off} were broken off");
        assert_eq!(beside.check(None).await.unwrap().defects, []);
    });
}
