//! Another line for a border.

use super::yard::{codes, done, line, p, picture, refused, seen, yard};
use crate::edit::{Edit, Keep, NewArea, Reason};

/// ```text
///    a │ b         a ╲ b
///      │     ─▶      │╲         whichever way the line is drawn
///    a │ b         a │╱ b
/// ```
#[test]
fn a_border_takes_the_new_line_in_either_direction() {
    let mut points = line(&[(4.0, 8.0), (6.0, 7.0), (6.0, 5.0), (4.0, 4.0)]);
    for _ in 0..2 {
        let edited = done(&yard(), &Edit::MoveBorder { at: p(4.02, 6.0), line: points.clone() });
        let expected = picture(
            "aaaaabbbccccYYYY
             aaaaaabbccccYYYY
             aaaaaabbccccYYYY
             aaaaabbbccccYYYY",
        );
        assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
        points.reverse();
    }
}

#[test]
fn the_line_must_end_at_the_nodes_and_cross_nothing() {
    let moved = |points: &[(f64, f64)]| Edit::MoveBorder { at: p(4.0, 6.0), line: line(points) };
    let (reason, place, _) = refused(&yard(), &moved(&[(4.0, 8.0), (5.0, 6.0), (4.0, 5.0)]));
    assert_eq!((reason, place), (Reason::LineMisses, Some(p(4.0, 4.0))));
    let (reason, ..) = refused(&yard(), &moved(&[(4.0, 8.0), (9.0, 6.0), (4.0, 4.0)]));
    assert_eq!(reason, Reason::Crossing);
    let (reason, ..) = refused(&yard(), &Edit::MoveBorder { at: p(5.0, 6.0), line: line(&[(4.0, 8.0), (4.0, 4.0)]) });
    assert_eq!(reason, Reason::UnknownBorder);
}

/// ```text
///    ┌────┬────┐
///    │┌─┐ │┌┄┐ │     an island doesn't jump into the neighbour, though nothing
///    │└─┘ │└┄┘ │     would cross
///    └────┴────┘
/// ```
#[test]
fn an_island_stays_in_the_area_around_it() {
    let ring = |x: f64| line(&[(x, 1.0), (x + 1.0, 1.0), (x + 1.0, 3.0), (x, 3.0), (x, 1.0)]);
    let split = Edit::Split { codes: codes("e"), line: ring(5.0), keep: Keep::Largest, new: NewArea::default() };
    let c = done(&yard(), &split).coverage;
    let moved = done(&c, &Edit::MoveBorder { at: p(5.0, 2.0), line: ring(6.0) });
    assert!(seen(&moved.coverage).contains("ddddee2effffffff"));
    let (reason, ..) = refused(&c, &Edit::MoveBorder { at: p(5.0, 2.0), line: ring(10.0) });
    assert_eq!(reason, Reason::Crossing);
}
