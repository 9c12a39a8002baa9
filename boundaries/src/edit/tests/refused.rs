//! Bad input: one row an outcome, each with its reason and its place.

use std::collections::BTreeSet;

use super::yard::{codes, done, line, p, refused, yard};
use crate::edit::{Code, Edit, Fresh, Keep, NewArea, Reason, Rules, Suffixes};
use crate::lattice::Point;

fn split(names: &str, line: Vec<Point>) -> Edit {
    Edit::Split { codes: codes(names), line, keep: Keep::Largest, new: NewArea::default() }
}

#[test]
fn a_bad_line_is_refused_with_the_place_that_is_bad() {
    type Place = (f64, f64);
    let rows: &[(&[Place], Reason, Option<Place>)] = &[
        // ends inside
        (&[(5.0, 9.0), (5.0, 6.0)], Reason::LineEndsInside, Some((5.0, 6.0))),
        (&[(5.0, 5.0), (5.0, 6.0)], Reason::LineEndsInside, Some((5.0, 5.0))),
        // misses
        (&[(1.0, 9.0), (1.0, 5.0)], Reason::LineMisses, None),
        (&[(4.0, 4.0), (4.0, 8.0)], Reason::LineMisses, None),
        (&[(5.0, 9.0)], Reason::LineMisses, Some((5.0, 9.0))),
        (&[(5.0, 9.0), (5.0, 9.0)], Reason::LineMisses, Some((5.0, 9.0))),
        (&[], Reason::LineMisses, None),
        // crosses itself
        (&[(4.0, 5.0), (7.0, 5.0), (7.0, 7.0), (6.0, 7.0), (6.0, 3.0)], Reason::LineCrossesItself, Some((6.0, 5.0))),
        // touches itself
        (&[(4.0, 5.0), (7.0, 5.0), (7.0, 7.0), (6.0, 5.0), (5.0, 9.0)], Reason::LineTouchesItself, Some((6.0, 5.0))),
        (&[(4.0, 5.0), (7.0, 5.0), (5.0, 5.0), (5.0, 9.0)], Reason::LineTouchesItself, Some((5.0, 5.0))),
    ];
    for (points, reason, place) in rows {
        let (why, at, _) = refused(&yard(), &split("b", line(points)));
        assert_eq!(why, *reason, "{points:?}");
        if let Some((x, y)) = place {
            assert_eq!(at, Some(p(*x, *y)), "{points:?}");
        }
        assert!(at.is_some() || points.is_empty(), "{points:?}");
    }
}

/// ```text
///    ┌─────────┐
///    │         ┆│      0.1 m beside the border, without a tolerance
///    └─────────┘
/// ```
#[test]
fn a_sliver_is_refused_unless_the_line_snaps_to_the_border() {
    let c = yard();
    let beside = split("b", line(&[(7.99, 4.0), (7.98, 7.0), (8.0, 7.0)]));
    let codes = Suffixes::default();
    let rules = Rules::new(&codes, Fresh::after(&c));
    let refusal = beside.apply(&c, &Rules { tolerance_m: 0.0, ..rules }).unwrap_err();
    assert_eq!(refusal.reason, Reason::Sliver, "{refusal}");
    assert!(refusal.place().is_some());
    assert_eq!(beside.apply(&c, &rules).unwrap_err().reason, Reason::LineMisses);
    let all = Rules { tolerance_m: 0.0, sliver_width_m: 0.0, ..rules };
    assert!(beside.apply(&c, &all).is_ok());
}

#[test]
fn more_than_the_limits_is_refused_at_once() {
    let long: Vec<Point> = (0..100_000).map(|i| Point::new(1_200_000_000 + i, 360_005_000 + i % 2)).collect();
    assert_eq!(refused(&yard(), &split("b", long.clone())).0, Reason::Limit);
    assert_eq!(refused(&yard(), &Edit::Carve { ring: long, new: NewArea::default() }).0, Reason::Limit);
    let many: Vec<Code> = (0..5_000).map(|i| format!("{i}").into()).collect();
    assert_eq!(refused(&yard(), &Edit::Merge { codes: many, into: "a".into(), multipart: false }).0, Reason::Limit);
}

/// ```text
///    ╲╱╲╱╲╱      to and fro, or all over itself: found before pairs are counted
///    ╱╲╱╲╱╲
/// ```
#[test]
fn a_line_all_over_itself_or_off_the_globe_is_refused() {
    let to_and_fro = (0..10_000).map(|i| p(if i % 2 == 0 { -3.0 } else { 19.0 }, 5.0)).collect();
    assert_eq!(refused(&yard(), &split("b", to_and_fro)).0, Reason::LineTouchesItself);
    let tangle = (0..10_000).map(|i| {
        let turn = f64::from(i) * 2.4;
        let about = |by: f64| (by * (9.0e6 + f64::from(i))) as i32;
        Point::new(1_200_006_000 + about(turn.cos()), 360_006_000 + about(turn.sin()))
    });
    assert_eq!(refused(&yard(), &split("b", tangle.collect())).0, Reason::LineCrossesItself);
    for far in [Point::new(i32::MIN, i32::MIN), Point::new(i32::MAX, 0), Point::new(0, 900_000_001)] {
        assert_eq!(refused(&yard(), &split("b", vec![p(5.0, 5.0), far])), (Reason::OffGlobe, Some(far), vec![]));
    }
}

#[test]
fn ids_that_the_caller_takes_for_free_are_not_given_if_they_are_in_use() {
    let c = yard();
    let suffixes = Suffixes::default();
    let ids = crate::FreeIds { border: 0, face: 1 };
    let edit = split("b", line(&[(5.0, 9.0), (5.0, 3.0)]));
    let edited = edit.apply(&c, &Rules::new(&suffixes, Fresh { ids, area: 0 })).unwrap();
    assert_eq!(edited.coverage, done(&c, &edit).coverage);
}

#[test]
fn who_is_unknown_locked_or_not_at_the_lowest_level_is_not_redrawn() {
    let c = yard();
    let across = line(&[(5.0, 9.0), (5.0, 3.0)]);
    assert_eq!(refused(&c, &split("q", across.clone())).0, Reason::UnknownArea);
    assert_eq!(refused(&c, &split("X", across.clone())).0, Reason::HasChildren);
    assert_eq!(refused(&c, &split("", across.clone())).0, Reason::LineMisses);
    let suffixes = Suffixes::default();
    for locked in ["b", "X", "S"] {
        let locked: BTreeSet<_> = c.area_by_code(locked).into_iter().collect();
        let rules = Rules { locked: &locked, ..Rules::new(&suffixes, Fresh::after(&c)) };
        let into_b = Edit::Reshape {
            code: "a".into(),
            line: line(&[(4.0, 7.0), (6.0, 7.0), (6.0, 5.0), (4.0, 5.0)]),
            several: false,
        };
        let merged = Edit::Merge { codes: codes("a b"), into: "a".into(), multipart: false };
        let renamed = Edit::Rename { code: "b".into(), name: "other".into() };
        let moved = Edit::MoveNode { node: p(4.0, 4.0), to: p(5.0, 5.0) };
        for edit in [split("b", across.clone()), into_b, merged, renamed, moved] {
            let refusal = edit.apply(&c, &rules).unwrap_err();
            assert_eq!(refusal.reason, Reason::Locked, "{edit:?}");
            assert!(refusal.place().is_some());
        }
    }
}

#[test]
fn codes_are_given_once() {
    let c = yard();
    let across = line(&[(5.0, 9.0), (5.0, 3.0)]);
    let with = |code: &str| Edit::Split {
        codes: codes("b"),
        line: across.clone(),
        keep: Keep::Largest,
        new: NewArea { code: Some(code.into()), ..NewArea::default() },
    };
    assert_eq!(refused(&c, &with("f")).0, Reason::DuplicateCode);
    assert_eq!(refused(&c, &with("")).0, Reason::NoCode);
    let used = Suffixes { used: [Code::from("b-2"), Code::from("old")].into() };
    let rules = Rules::new(&used, Fresh::after(&c));
    assert_eq!(with("old").apply(&c, &rules).unwrap_err().reason, Reason::UsedCode);
    let edited = split("b", across).apply(&c, &rules).unwrap();
    assert_eq!(&*edited.coverage.area(edited.created[0]).unwrap().code, "b-3");
    let two = Edit::Split {
        codes: codes("a b"),
        line: line(&[(-1.0, 7.0), (9.0, 7.0)]),
        keep: Keep::Largest,
        new: NewArea { code: Some("n".into()), ..NewArea::default() },
    };
    assert_eq!(refused(&c, &two).0, Reason::DuplicateCode);
}

#[test]
fn what_is_given_after_an_edit_is_free_after_it() {
    let c = yard();
    let edited = done(&c, &split("b", line(&[(5.0, 9.0), (5.0, 3.0)])));
    let after = Fresh::after(&edited.coverage);
    assert_eq!(edited.fresh.area, after.area);
    assert!(edited.fresh.ids.border >= after.ids.border && edited.fresh.ids.face >= after.ids.face);
    assert_eq!(edited.changes.put_areas.len(), 1);
    assert_eq!(c.with_changes(edited.changes.clone()).unwrap(), edited.coverage);
}
