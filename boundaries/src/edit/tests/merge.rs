//! Merges: what goes, what stays, and who may not.

use super::yard::{codes, done, p, picture, refused, seen, yard};
use crate::edit::{Deed, Edit, Reason};

fn merge(names: &str, into: &str, multipart: bool) -> Edit {
    Edit::Merge { codes: codes(names), into: into.into(), multipart }
}

/// ```text
///    ┌────┬────┐          ┌─────────┐
///    │ a  │ b  │    ─▶    │    b    │     the border between, and the node at its
///    └────┴────┘          └─────────┘     northern end, are gone
/// ```
#[test]
fn a_merge_takes_the_border_between_and_the_nodes_that_it_made() {
    let c = yard();
    let edited = done(&c, &merge("a b", "b", false));
    assert!(seen(&edited.coverage).starts_with("bbbbbbbbcccc"));
    assert_eq!(edited.coverage.borders().count(), c.borders().count() - 2);
    assert_eq!(edited.removed, [c.area_by_code("a").unwrap()]);
    assert_eq!(edited.coverage.area_by_code("a"), None);
    assert_eq!(edited.deed, Deed::Merge);
}

#[test]
fn many_merge_at_once_if_they_hang_together() {
    let edited = done(&yard(), &merge("a b d e", "e", false));
    let row = "eeeeeeeeffffffff";
    assert!(seen(&edited.coverage).ends_with(&picture(row)));
    assert_eq!(edited.removed.len(), 3);
}

/// ```text
///    ┌────┬────┐
///    │ a  │    │     a and e meet in a node: that is no border
///    ├────┼────┤
///    │    │ e  │
/// ```
#[test]
fn areas_that_meet_in_a_node_alone_merge_only_on_request() {
    let (reason, place, areas) = refused(&yard(), &merge("a e", "e", false));
    assert_eq!((reason, areas), (Reason::NotAdjacent, vec!["a".to_owned()]));
    assert_eq!(place, Some(p(4.0, 8.0)), "a place on the outline of a");
    let edited = done(&yard(), &merge("a e", "e", true));
    let expected = picture(
        "eeeebbbbccccYYYY
         eeeebbbbccccYYYY
         eeeebbbbccccYYYY
         eeeebbbbccccYYYY
         ddddeeeeffffffff",
    );
    assert!(seen(&edited.coverage).starts_with(&expected));
}

#[test]
fn areas_of_two_communities_do_not_merge() {
    let (reason, _, areas) = refused(&yard(), &merge("b c", "b", false));
    assert_eq!((reason, areas), (Reason::OtherParent, vec!["c".to_owned()]));
}
