//! Moving nodes and vertices.

use super::yard::{done, p, picture, refused, seen, yard};
use crate::edit::{Edit, Reason};

/// ```text
///    a │ b           a  ╲ b
///   ───●───    ─▶   ─────●──     all four borders follow
///    d │ e           d  ╱ e
/// ```
#[test]
fn all_borders_at_a_node_follow_it() {
    let edited = done(&yard(), &Edit::MoveNode { node: p(4.01, 4.0), to: p(6.0, 4.0) });
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaaabbbccccYYYY
         aaaaabbbccccYYYY
         aaaaaabbccccYYYY
         ddddddeeffffffff
         dddddeeeffffffff
         dddddeeeffffffff
         ddddeeeeffffffff",
    );
    assert_eq!(seen(&edited.coverage), expected);
    assert_eq!(edited.touched.len(), 4);
    let c = yard();
    for area in edited.touched {
        let gave: f64 = edited.handovers.iter().filter(|h| h.from == Some(area)).map(|h| h.area_m2).sum();
        let got: f64 = edited.handovers.iter().filter(|h| h.to == Some(area)).map(|h| h.area_m2).sum();
        let gained = edited.coverage.area_m2(area) - c.area_m2(area);
        assert!((got - gave - gained).abs() < 1e-3 * gained.abs(), "{got} {gave} {gained}");
    }
}

#[test]
fn a_node_may_not_be_moved_over_a_border_nor_onto_one() {
    for to in [p(9.0, 6.0), p(8.0, 6.0), p(8.0, 8.0)] {
        let (reason, place, _) = refused(&yard(), &Edit::MoveNode { node: p(4.0, 4.0), to });
        assert_eq!(reason, Reason::Crossing, "{to:?}");
        assert!(place.is_some());
    }
}

#[test]
fn a_place_without_a_vertex_is_no_node() {
    let (reason, place, _) = refused(&yard(), &Edit::MoveNode { node: p(5.0, 5.0), to: p(6.0, 4.0) });
    assert_eq!((reason, place), (Reason::UnknownNode, Some(p(5.0, 5.0))));
}
