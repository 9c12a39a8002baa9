//! Edits of what is known of areas: rename, recode, reparent, set.

use super::yard::{done, refused, seen, yard};
use crate::area::Level;
use crate::edit::{Code, Deed, Edit, Fresh, Reason, Rules, Suffixes};

#[test]
fn a_rename_changes_the_name_alone() {
    let c = yard();
    let edited = done(&c, &Edit::Rename { code: "a".into(), name: "north-west".into() });
    let id = c.area_by_code("a").unwrap();
    assert_eq!(&*edited.coverage.area(id).unwrap().name, "north-west");
    assert_eq!((edited.deed, &edited.touched[..]), (Deed::Description, &[id][..]));
    assert_eq!(seen(&edited.coverage), seen(&c));
    let again = Edit::Rename { code: "a".into(), name: "north-west".into() };
    assert_eq!(refused(&edited.coverage, &again).0, Reason::NoChange);
}

#[test]
fn a_recode_keeps_the_area_and_frees_no_code() {
    let c = yard();
    let id = c.area_by_code("a").unwrap();
    let edited = done(&c, &Edit::Recode { code: "a".into(), to: "a9".into() });
    assert_eq!((edited.coverage.area_by_code("a9"), edited.coverage.area_by_code("a")), (Some(id), None));
    for (to, reason) in [("b", Reason::DuplicateCode), ("X", Reason::DuplicateCode), ("", Reason::NoCode)] {
        assert_eq!(refused(&c, &Edit::Recode { code: "a".into(), to: to.into() }).0, reason, "{to}");
    }
    let used = Suffixes { used: [Code::from("a")].into() };
    let back = Edit::Recode { code: "a9".into(), to: "a".into() };
    let refusal = back.apply(&edited.coverage, &Rules::new(&used, Fresh::after(&edited.coverage))).unwrap_err();
    assert_eq!(refusal.reason, Reason::UsedCode);
}

/// ```text
///    X X ║ Y Y            X ║ Y Y Y
///    a b ║ c        ─▶    a ║ b c         the border of the communities follows
/// ```
#[test]
fn a_reparent_moves_the_borders_of_the_levels_above_with_it() {
    let c = yard();
    let edit = Edit::Reparent { code: "b".into(), parent: "Y".into() };
    let edited = done(&c, &edit);
    let [x, y] = ["X", "Y"].map(|code| c.area_by_code(code).unwrap());
    assert!((edited.coverage.area_m2(x) / c.area_m2(x) - 0.75).abs() < 1e-3);
    assert!((edited.coverage.area_m2(y) / c.area_m2(y) - 1.25).abs() < 1e-3);
    let codes = Suffixes::default();
    let rules = Rules::new(&codes, Fresh::after(&c));
    assert!(edit.apply(&c, &Rules { mandate: Level(1), ..rules }).is_ok());
    assert_eq!(edit.apply(&c, &Rules { mandate: Level(2), ..rules }).unwrap_err().reason, Reason::AboveMandate);
    for parent in ["a", "e"] {
        let edit = Edit::Reparent { code: "b".into(), parent: parent.into() };
        assert_eq!(refused(&c, &edit).0, Reason::WrongParent);
    }
}

#[test]
fn a_set_changes_what_it_names_and_leaves_the_rest() {
    let c = yard();
    let set = |kind: Option<&str>, attributes: Option<&str>| Edit::Set {
        code: "a".into(),
        kind: kind.map(Into::into),
        attributes: attributes.map(Into::into),
    };
    let one = done(&c, &set(Some("dedicated"), None)).coverage;
    let both = done(&one, &set(None, Some("{\"households\":320}"))).coverage;
    let area = both.area(c.area_by_code("a").unwrap()).unwrap();
    assert_eq!((&*area.kind, &*area.attributes), ("dedicated", "{\"households\":320}"));
}
