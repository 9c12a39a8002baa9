//! Areas of land without a grid.

use super::yard::{done, p, refused, seen, yard};
use crate::edit::{Edit, NewArea, Reason};

/// ```text
///    │ c  │ Y×│   ─▶   │ c  │ 2 │     the land of community Y becomes its grid
/// ```
#[test]
fn land_becomes_an_area_below_whoever_owned_it() {
    let c = yard();
    let edited = done(&c, &Edit::Create { at: p(14.0, 6.0), new: NewArea::default() });
    assert!(seen(&edited.coverage).starts_with("aaaabbbbcccc2222"));
    let area = edited.coverage.area(edited.created[0]).unwrap();
    assert_eq!((area.parent, area.level, &*area.code), (c.area_by_code("Y"), c.finest(), "Y-2"));
}

#[test]
fn ground_that_a_grid_owns_and_the_outside_are_no_land() {
    let (reason, _, areas) = refused(&yard(), &Edit::Create { at: p(1.0, 6.0), new: NewArea::default() });
    assert_eq!((reason, areas), (Reason::Owned, vec!["a".to_owned()]));
    let (reason, place, _) = refused(&yard(), &Edit::Create { at: p(1.0, 9.0), new: NewArea::default() });
    assert_eq!((reason, place), (Reason::OutsideOutline, Some(p(1.0, 9.0))));
}
