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

/// ```text
///    │ c  │ S× │     the street's own land, of no community: which one is it to be?
/// ```
#[test]
fn a_new_grid_never_comes_straight_below_a_street() {
    let retire = |code: &str, into: &str| Edit::Retire { code: code.into(), into: into.into() };
    let c = done(&yard(), &retire("f", "S")).coverage;
    let at = p(14.0, 2.0);
    let (reason, _, areas) = refused(&c, &Edit::Create { at, new: NewArea::default() });
    assert_eq!((reason, areas), (Reason::WrongParent, vec!["S".to_owned()]));
    let new = NewArea { parent: Some("Y".into()), ..NewArea::default() };
    let edited = done(&c, &Edit::Create { at, new });
    assert_eq!(edited.coverage.area(edited.created[0]).unwrap().parent, c.area_by_code("Y"));
}
