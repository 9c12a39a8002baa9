use std::sync::Arc;

use boundaries::Point;

use super::{Party, Unit, quantile};
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::tests::three_grids;
use crate::snapshot::{CoverageView, Layer, Snapshot};

#[test]
fn a_quantile_lies_between_two_values_where_it_falls_there() {
    let table: [(&[f64], f64, Option<f64>); 6] = [
        (&[], 0.5, None),
        (&[7.0], 0.9, Some(7.0)),
        (&[1.0, 3.0], 0.5, Some(2.0)),
        (&[1.0, 2.0, 10.0], 0.5, Some(2.0)),
        (&[0.0, 10.0, 20.0], 0.9, Some(18.0)),
        (&[1.0, 2.0], 1.0, Some(2.0)),
    ];
    for (values, share, expected) in table {
        assert_eq!(quantile(values, share), expected, "{share} of {values:?}");
    }
}

/// ```text
///   c ── b1 ── g ── h          the branch takes two grids along; x and y are each
///    └── b2                    the other's parent, and the parent of z is none
/// ```
#[test]
fn units_are_told_as_trees_with_what_is_missing() {
    let unit = |id: &str, tier: &str, parent: &str, tied_to: &str| {
        let text = |t: &str| Value::Text(t.into());
        Feature {
            id: id.into(),
            geometry: Geometry::Point(Point::new(500, 500)),
            properties: vec![
                ("tier".into(), text(tier)),
                ("parent".into(), if parent.is_empty() { Value::Null } else { text(parent) }),
                ("tied_to".into(), text(tied_to)),
                ("members".into(), Value::Integer(2)),
            ],
        }
    };
    let view = Arc::new(CoverageView::new("responsibility".into(), three_grids(), 1, None));
    let coverages = vec![view.clone()];
    let units = vec![
        unit("h", "household", "g", "a"),
        unit("g", "group", "b1", "a"),
        unit("b2", "branch", "c", "b"),
        unit("b1", "branch", "c", "a, b"),
        unit("c", "committee", "", "s"),
        unit("x", "group", "y", "a"),
        unit("y", "group", "x", "a"),
        unit("z", "group", "nobody", "a"),
    ];
    let layer = Arc::new(Layer::new("party_unit", units, &coverages));
    let layers = [("party_unit".into(), layer)].into();
    let snapshot = Snapshot { coverages, layers, ..Snapshot::empty() };
    let of = |code: &str| Party::of(&snapshot, 0, &view, view.coverage.area_by_code(code).unwrap());
    fn shape(units: &[Unit]) -> String {
        units.iter().map(|u| format!("{}({})", u.id, shape(&u.units))).collect::<Vec<_>>().join(" ")
    }
    let street = of("s");
    assert_eq!(shape(street.tree.as_ref().unwrap()), "c(b1(g(h())) b2()) z() x(y())");
    assert_eq!((street.units, street.members, street.by_tier["group"]), (8, 16, 4));
    assert_eq!(street.gaps.grids_without_branch.first, ["c".into()]);
    assert_eq!(street.gaps.communities_without_committee.count, 0);
    assert_eq!(street.gaps.units_without_parent.first, ["z".into()]);
    let grid = of("b");
    assert_eq!(shape(grid.tree.as_ref().unwrap()), "b1() b2()");
    assert_eq!(grid.tree.unwrap()[0].parent.as_deref(), Some("c"));
}
