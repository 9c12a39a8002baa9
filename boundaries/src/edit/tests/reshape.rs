//! Reshaping: pieces that are cut off change sides.

use super::yard::{done, line, picture, refused, seen, yard};
use crate::area::Level;
use crate::edit::{Deed, Edit, Fresh, Reason, Rules, Suffixes};

fn reshape(code: &str, points: &[(f64, f64)], several: bool) -> Edit {
    Edit::Reshape { code: code.into(), line: line(points), several }
}

/// ```text
///    ┌────┬──┐
///    │ a  ●┄┐│          outside a: what the line cuts off comes to a
///    │    ●┄┘│
/// ```
#[test]
fn a_line_outside_the_area_brings_it_ground() {
    let edited = done(&yard(), &reshape("a", &[(4.0, 7.0), (6.0, 7.0), (6.0, 5.0), (4.0, 5.0)], false));
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaaaabbccccYYYY
         aaaaaabbccccYYYY
         aaaabbbbccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
    assert_eq!((edited.deed, edited.touched.len(), edited.handovers.len()), (Deed::Correction, 2, 1));
}

#[test]
fn a_line_inside_the_area_gives_ground_to_the_neighbour_there() {
    let edited = done(&yard(), &reshape("a", &[(4.0, 7.0), (2.0, 7.0), (2.0, 5.0), (4.0, 5.0)], false));
    let expected = picture(
        "aaaabbbbccccYYYY
         aabbbbbbccccYYYY
         aabbbbbbccccYYYY
         aaaabbbbccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
}

#[test]
fn a_line_that_crosses_the_border_does_both() {
    let points = [(4.0, 8.0), (5.0, 7.0), (5.0, 6.0), (3.0, 6.0), (3.0, 5.0), (4.0, 4.0)];
    let edited = done(&yard(), &reshape("a", &points, false));
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaaabbbccccYYYY
         aaabbbbbccccYYYY
         aaabbbbbccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
}

/// ```text
///    │ a  ●┄┐ b
///    ├────┼─┆──        the line runs through b, e and d
///    │ d ●┆┄┘ e
/// ```
#[test]
fn several_neighbours_are_asked_about_and_told_by_name() {
    let points = [(4.0, 6.0), (5.0, 6.0), (5.0, 3.0), (3.0, 3.0), (3.0, 4.0)];
    let (reason, place, areas) = refused(&yard(), &reshape("a", &points, false));
    assert_eq!((reason, areas.join(" ")), (Reason::ThirdArea, "b d e".to_owned()));
    assert!(place.is_some());
    let edited = done(&yard(), &reshape("a", &points, true));
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaabbbbccccYYYY
         aaaaabbbccccYYYY
         aaaaabbbccccYYYY
         dddaaeeeffffffff",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
}

#[test]
fn the_outline_of_the_city_moves_only_with_a_mandate_for_its_level() {
    let c = yard();
    let out = reshape("a", &[(1.0, 8.0), (1.0, 9.0), (3.0, 9.0), (3.0, 8.0)], false);
    let codes = Suffixes::default();
    let rules = Rules::new(&codes, Fresh::after(&c));
    let edited = out.apply(&c, &rules).unwrap();
    edited.coverage.sanity_check().unwrap();
    assert!(edited.coverage.area_m2(edited.touched[0]) > c.area_m2(edited.touched[0]) * 1.1);
    let refusal = out.apply(&c, &Rules { mandate: Level(1), ..rules }).unwrap_err();
    assert_eq!(refusal.reason, Reason::AboveMandate);
}

#[test]
fn a_line_must_end_on_the_outline_of_the_area() {
    for points in [[(4.0, 7.0), (6.0, 7.0), (8.0, 7.0)], [(8.0, 7.0), (6.0, 7.0), (4.0, 6.0)]] {
        let (reason, place, _) = refused(&yard(), &reshape("a", &points, false));
        assert_eq!(reason, Reason::LineMisses);
        assert_eq!(place, Some(super::yard::p(8.0, 7.0)));
    }
}
