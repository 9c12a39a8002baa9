//! Areas that end.

use super::yard::{done, picture, refused, seen, yard};
use crate::area::Level;
use crate::edit::{Edit, Fresh, Reason, Rules, Suffixes};

fn retire(code: &str, into: &str) -> Edit {
    Edit::Retire { code: code.into(), into: into.into() }
}

/// ```text
///    │ c  │ Y │          │    Y   │
///    ├────┴───┤    ─▶    ├────┴───┤     back to the community, and one with its land
/// ```
#[test]
fn the_ground_of_a_retired_area_goes_to_a_neighbour_or_to_one_above_it() {
    let edited = done(&yard(), &retire("c", "Y"));
    assert!(seen(&edited.coverage).starts_with("aaaabbbbYYYYYYYY"));
    let edited = done(&yard(), &retire("a", "d"));
    let expected = picture(
        "ddddbbbbccccYYYY
         ddddbbbbccccYYYY
         ddddbbbbccccYYYY
         ddddbbbbccccYYYY
         ddddeeeeffffffff",
    );
    assert!(seen(&edited.coverage).starts_with(&expected));
}

#[test]
fn it_goes_to_another_community_only_if_the_mandate_reaches_there() {
    let c = yard();
    let codes = Suffixes::default();
    let rules = Rules::new(&codes, Fresh::after(&c));
    assert!(retire("b", "c").apply(&c, &Rules { mandate: Level(1), ..rules }).is_ok());
    let refusal = retire("b", "c").apply(&c, &Rules { mandate: Level(2), ..rules }).unwrap_err();
    assert_eq!(refusal.reason, Reason::AboveMandate);
    assert!(refusal.message.contains("community") && refusal.place().is_some(), "{refusal}");
}

#[test]
fn it_goes_to_nobody_far_off() {
    let (reason, ..) = refused(&yard(), &retire("a", "f"));
    assert_eq!(reason, Reason::NotAdjacent);
    let (reason, ..) = refused(&yard(), &retire("a", "a"));
    assert_eq!(reason, Reason::NoChange);
}
