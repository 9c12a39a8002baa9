//! Areas above the finest level, made and ended.

use super::yard::{done, refused, seen, yard};
use crate::edit::{Edit, NewArea, Reason};

fn found(level: &str, code: &str, parent: Option<&str>) -> Edit {
    let new = NewArea { code: Some(code.into()), parent: parent.map(Into::into), ..NewArea::default() };
    Edit::Found { level: level.into(), new }
}

#[test]
fn a_community_begins_without_ground_and_gets_that_of_the_grids_put_below_it() {
    let c = yard();
    let edited = done(&c, &found("community", "Z", Some("S")));
    let z = edited.coverage.area_by_code("Z").unwrap();
    assert_eq!((edited.created, edited.coverage.ground(z).len()), (vec![z], 0));
    let moved = done(&edited.coverage, &Edit::Reparent { code: "f".into(), parent: "Z".into() }).coverage;
    let f = moved.area_by_code("f").unwrap();
    assert_eq!(moved.ground(z), moved.faces_of(f));
}

#[test]
fn an_area_that_has_neither_ground_nor_areas_below_it_ends_as_it_is() {
    let c = done(&yard(), &found("community", "Z", Some("S"))).coverage;
    let edited = done(&c, &Edit::Retire { code: "Z".into(), into: "X".into() });
    assert_eq!((edited.coverage.area_by_code("Z"), seen(&edited.coverage)), (None, seen(&yard())));
    let (reason, ..) = refused(&c, &Edit::Retire { code: "X".into(), into: "Z".into() });
    assert_eq!(reason, Reason::HasChildren);
}

#[test]
fn grids_are_not_founded_and_every_other_area_has_a_parent_above_it() {
    for (level, parent) in [("grid", Some("X")), ("county", None), ("community", None), ("community", Some("X"))] {
        let (reason, ..) = refused(&yard(), &found(level, "Z", parent));
        assert_eq!(reason, Reason::WrongParent, "{level}");
    }
    let (reason, ..) = refused(&yard(), &found("community", "Y", Some("S")));
    assert_eq!(reason, Reason::DuplicateCode);
}
