//! Several planners at once on two services over one store, against a naive model of it all:
//! plans, edits, undo, locks, decisions, publishes now and later, two at the same time or
//! broken off in the middle, rebases with conflicts, ways back, crashes and reloads.
//!
//! ```text
//!   planners ──▶ service a ──┐
//!            ╲╱              ├──▶ one store        after every step: the same as the model?
//!            ╱╲              │
//!   planners ──▶ service b ──┘
//! ```
//!
//! The model knows a plan as the list of its edits and a revision as the picture that comes
//! of replaying all of them from the first one. It shares no code with what it judges but
//! the edits themselves, which have proofs of their own.

#![allow(clippy::unwrap_used)] // A test may stop where anything fails.

mod dice;
#[allow(dead_code)]
#[path = "../store/places.rs"]
mod places;
mod town;

mod picture;

mod model;

mod drawing;
mod judging;
mod office;
mod publishing;

use office::Office;
use places::in_both;

fn effort() -> (std::ops::Range<u64>, usize) {
    let from = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = from("GRIDATLAS_SEED").unwrap_or(1);
    let is_long = std::env::var_os("GRIDATLAS_PROOF").is_some();
    let (seeds, steps) = if is_long { (24, 600) } else { (2, 120) };
    (first..first + from("GRIDATLAS_SEEDS").unwrap_or(seeds), steps)
}

#[test]
fn several_planners_at_once_never_see_or_leave_anything_but_whole_revisions() {
    let (seeds, steps) = effort();
    for seed in seeds {
        println!("seed {seed}, {steps} steps");
        in_both(|place| async move {
            let mut office = Office::open(place, seed).await;
            for _ in 0..steps {
                office.step().await;
            }
            office.close().await;
        });
    }
}
