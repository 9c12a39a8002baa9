//! Splits: the line, the pieces, and who keeps the code.

use super::yard::{codes, done, line, p, picture, seen, yard};
use crate::edit::{Deed, Edit, Keep, NewArea};

fn split(names: &str, points: &[(f64, f64)], keep: Keep) -> Edit {
    Edit::Split { codes: codes(names), line: line(points), keep, new: NewArea::default() }
}

/// ```text
///    ┌────┬─╎──┬       the line runs on into e, which is not named
///    │ a  │2╎b │
///    ├────┼─╎──┼
///    │ d  │ ╎e │
/// ```
#[test]
fn the_largest_piece_keeps_the_code_and_areas_not_named_stay_whole() {
    let edited = done(&yard(), &split("b", &[(5.0, 9.0), (5.0, 2.0)], Keep::Largest));
    let expected = picture(
        "aaaa2bbbccccYYYY
         aaaa2bbbccccYYYY
         aaaa2bbbccccYYYY
         aaaa2bbbccccYYYY
         ddddeeeeffffffff
         ddddeeeeffffffff
         ddddeeeeffffffff
         ddddeeeeffffffff",
    );
    assert_eq!(seen(&edited.coverage), expected);
    let c = &edited.coverage;
    let new = c.area(edited.created[0]).unwrap();
    let old = c.area(c.area_by_code("b").unwrap()).unwrap();
    assert_eq!((&*new.code, new.parent, new.level), ("b-2", old.parent, old.level));
    assert_eq!((edited.deed, edited.removed.len(), edited.touched.len()), (Deed::Split, 0, 2));
    let ground_m2 = edited.handovers[0].area_m2;
    assert!((ground_m2 / c.area_m2(edited.created[0]) - 1.0).abs() < 1e-3, "{ground_m2}");
}

#[test]
fn the_planner_says_which_side_of_the_line_keeps_the_code() {
    for (keep, points, new_is_west) in [
        (Keep::Left, [(5.0, 3.5), (5.0, 9.0)], false),
        (Keep::Right, [(5.0, 3.5), (5.0, 9.0)], true),
        (Keep::Left, [(5.0, 9.0), (5.0, 3.5)], true),
        (Keep::Right, [(5.0, 9.0), (5.0, 3.5)], false),
    ] {
        let row = if new_is_west { "aaaa2bbbcccc" } else { "aaaab222cccc" };
        assert!(seen(&done(&yard(), &split("b", &points, keep)).coverage).starts_with(row), "{keep:?} {points:?}");
    }
}

/// ```text
///  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌     through four, of which two are named
/// ```
#[test]
fn one_line_cuts_several_areas_at_once() {
    let edited = done(&yard(), &split("a c", &[(-1.0, 7.0), (17.0, 7.0)], Keep::Largest));
    let expected = picture(
        "2222bbbb2222YYYY
         aaaabbbbccccYYYY
         aaaabbbbccccYYYY
         aaaabbbbccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
    let named: Vec<_> = edited.created.iter().map(|a| edited.coverage.area(*a).unwrap().code.to_string()).collect();
    assert_eq!(named, ["a-2", "c-2"]);
}

/// ```text
///    ┌────────┐
///    │ f ┌─┐  │     a closed line inside the area
///    │   └─┘  │
///    └────────┘
/// ```
#[test]
fn a_closed_line_cuts_off_an_island() {
    let ring = [(10.0, 1.0), (12.0, 1.0), (12.0, 3.0), (10.0, 3.0), (10.0, 1.0)];
    let edited = done(&yard(), &split("f", &ring, Keep::Largest));
    let expected = picture(
        "ddddeeeeffffffff
         ddddeeeeff22ffff
         ddddeeeeff22ffff
         ddddeeeeffffffff",
    );
    assert!(seen(&edited.coverage).ends_with(&expected), "{}", seen(&edited.coverage));
}

#[test]
fn a_line_that_comes_and_goes_makes_an_area_of_every_piece_and_codes_run_north() {
    let zigzag = [(3.5, 5.0), (9.0, 5.0), (9.0, 6.0), (3.0, 6.0), (3.0, 7.0), (9.0, 7.0)];
    let edited = done(&yard(), &split("b", &zigzag, Keep::Left));
    let expected = picture(
        "aaaa4444ccccYYYY
         aaaa3333ccccYYYY
         aaaabbbbccccYYYY
         aaaa2222ccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
}

/// ```text
///      ●╌╌╌╌     drawn 0.3 m beside the node: the line begins at it
/// ```
#[test]
fn a_line_near_a_node_goes_through_it_and_leaves_no_other_vertex() {
    let edited = done(&yard(), &split("b", &[(4.02, 4.02), (6.0, 6.5), (8.0, 7.98)], Keep::Left));
    let c = &edited.coverage;
    let drawn = c.borders().find(|(_, b)| b.line.contains(&p(6.0, 6.5))).unwrap().1;
    assert_eq!([drawn.line[0], drawn.line[2]], [p(4.0, 4.0), p(8.0, 8.0)]);
    assert_eq!(c.borders().map(|(_, b)| b.line.len()).sum::<usize>(), {
        let before = yard();
        before.borders().map(|(_, b)| b.line.len()).sum::<usize>() + 3
    });
}

#[test]
fn the_new_area_is_as_the_planner_says() {
    let new = NewArea {
        code: Some("b7".into()),
        name: Some("seventh".into()),
        kind: Some("dedicated".into()),
        ..NewArea::default()
    };
    let edit = Edit::Split { codes: codes("b"), line: line(&[(5.0, 9.0), (5.0, 3.0)]), keep: Keep::Largest, new };
    let edited = done(&yard(), &edit);
    let area = edited.coverage.area(edited.created[0]).unwrap();
    assert_eq!((&*area.code, &*area.name, &*area.kind), ("b7", "seventh", "dedicated"));
}
