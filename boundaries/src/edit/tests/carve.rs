//! Dedicated areas out of base ones.

use super::yard::{done, line, picture, refused, seen, yard};
use crate::edit::{Edit, NewArea, Reason};

fn carve(ring: &[(f64, f64)], code: &str) -> Edit {
    Edit::Carve { ring: line(ring), new: NewArea { code: Some(code.into()), ..NewArea::default() } }
}

/// ```text
///    │ a ┌┄┼┄┐ b │
///    ├───┆─┼─┆───┤     out of four at once
///    │ d └┄┼┄┘ e │
/// ```
#[test]
fn a_ring_carves_an_area_out_of_all_that_it_meets() {
    let ring = [(3.0, 3.0), (6.0, 3.0), (6.0, 5.0), (3.0, 5.0)];
    let edited = done(&yard(), &carve(&ring, "n"));
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaabbbbccccYYYY
         aaaabbbbccccYYYY
         aaannnbbccccYYYY
         dddnnneeffffffff
         ddddeeeeffffffff
         ddddeeeeffffffff
         ddddeeeeffffffff",
    );
    assert_eq!(seen(&edited.coverage), expected);
    let c = &edited.coverage;
    assert_eq!(c.area(edited.created[0]).unwrap().parent, c.area_by_code("X"));
    assert_eq!(edited.handovers.len(), 4);
}

#[test]
fn a_ring_may_run_along_borders() {
    let ring = [(6.0, 4.0), (8.0, 4.0), (8.0, 8.0), (6.0, 8.0)];
    let edited = done(&yard(), &carve(&ring, "n"));
    assert!(seen(&edited.coverage).starts_with("aaaabbnncccc"));
}

#[test]
fn land_can_be_carved_too() {
    let ring = [(13.0, 5.0), (15.0, 5.0), (15.0, 7.0), (13.0, 7.0)];
    let edited = done(&yard(), &carve(&ring, "n"));
    assert!(seen(&edited.coverage).contains("aaaabbbbccccYnnY"));
    let c = &edited.coverage;
    assert_eq!(c.area(edited.created[0]).unwrap().parent, c.area_by_code("Y"));
}

#[test]
fn a_ring_over_the_outline_or_around_a_whole_area_is_refused() {
    let (reason, place, _) = refused(&yard(), &carve(&[(1.0, 7.0), (3.0, 7.0), (3.0, 9.0), (1.0, 9.0)], "n"));
    assert_eq!(reason, Reason::OutsideOutline);
    assert!(place.is_some());
    let (reason, _, areas) = refused(&yard(), &carve(&[(3.0, 3.0), (8.0, 3.0), (8.0, 8.0), (3.0, 8.0)], "n"));
    assert_eq!((reason, areas), (Reason::Emptied, vec!["b".to_owned()]));
}
