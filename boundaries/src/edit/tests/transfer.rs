//! Ground that goes from one area to another.

use super::yard::{codes, done, line, p, picture, refused, seen, yard};
use crate::edit::{Deed, Edit, Pieces, Reason};

fn inside(to: &str, ring: &[(f64, f64)], multipart: bool) -> Edit {
    Edit::Transfer { to: to.into(), pieces: Pieces::Inside(line(ring)), multipart }
}

/// ```text
///    │ a  ┌┄┆┄┐ b        the compound lies on both sides of the border;
///    │    └┄┆┄┘          what a lacks of it comes to a
/// ```
#[test]
fn the_ground_inside_a_ring_comes_to_the_area_and_the_border_goes_round_it() {
    let ring = [(3.0, 5.0), (6.0, 5.0), (6.0, 7.0), (3.0, 7.0)];
    let edited = done(&yard(), &inside("a", &ring, false));
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaaaabbccccYYYY
         aaaaaabbccccYYYY
         aaaabbbbccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
    assert_eq!((edited.deed, edited.handovers.len()), (Deed::Transfer, 1));
}

#[test]
fn ground_that_does_not_touch_the_area_comes_to_it_only_on_request() {
    let ring = [(5.0, 5.0), (6.0, 5.0), (6.0, 7.0), (5.0, 7.0)];
    let (reason, place, areas) = refused(&yard(), &inside("a", &ring, false));
    assert_eq!((reason, areas), (Reason::NotAdjacent, vec!["a".to_owned()]));
    assert!(place.is_some());
    let edited = done(&yard(), &inside("a", &ring, true));
    assert!(seen(&edited.coverage).contains("aaaababbcccc"), "{}", seen(&edited.coverage));
}

/// ```text
///    a e a       of an area in two parts, one part goes whole to what lies around it
/// ```
#[test]
fn whole_pieces_go_by_a_place_in_them_but_not_the_last() {
    let c = done(&yard(), &Edit::Merge { codes: codes("a e"), into: "e".into(), multipart: true }).coverage;
    let piece = |x, y| Edit::Transfer { to: "b".into(), pieces: Pieces::At(vec![p(x, y)]), multipart: false };
    let edited = done(&c, &piece(2.0, 6.0));
    assert!(seen(&edited.coverage).starts_with("bbbbbbbbcccc"));
    let (reason, _, areas) = refused(&edited.coverage, &piece(5.0, 2.0));
    assert_eq!((reason, areas), (Reason::Emptied, vec!["e".to_owned()]));
    let (reason, ..) = refused(&c, &piece(5.0, 6.0));
    assert_eq!(reason, Reason::NoChange);
    let (reason, place, _) = refused(&c, &piece(5.0, 9.0));
    assert_eq!((reason, place), (Reason::OutsideOutline, Some(p(5.0, 9.0))));
}
