//! A small hand-drawn coverage, and a picture of who owns what.
//!
//! ```text
//!   8 ┌────┬────┬────┬────┐
//!     │ a  │ b  │ c  │ Y  │     one unit is 1,000 on the lattice, some 10 m;
//!   4 ├────┼────┼────┴────┤     street S holds the communities X (a, b, d, e)
//!     │ d  │ e  │    f    │     and Y (c, f, and land without a grid)
//!   0 └────┴────┴─────────┘
//!     0    4    8    12   16
//! ```

use std::sync::Arc;

use crate::area::AreaId;
use crate::assemble::{Claim, Settings, assemble};
use crate::coverage::Coverage;
use crate::edit::{Edit, Edited, Fresh, Reason, Refusal, Rules, Suffixes};
use crate::lattice::Point;
use crate::locator::FaceTree;
use crate::polygon::Polygon;
use crate::samples::{area, levels};

/// A place in the yard.
pub(super) fn p(x: f64, y: f64) -> Point {
    Point::new(1_200_000_000 + (x * 1_000.0) as i32, 360_000_000 + (y * 1_000.0) as i32)
}

pub(super) fn line(points: &[(f64, f64)]) -> Vec<Point> {
    points.iter().map(|(x, y)| p(*x, *y)).collect()
}

pub(super) fn codes(codes: &str) -> Vec<Arc<str>> {
    codes.split_whitespace().map(Arc::from).collect()
}

pub(super) fn yard() -> Coverage {
    let rows = [
        ("S", 0, None, (0, 0, 16, 8)),
        ("X", 1, Some(0), (0, 0, 8, 8)),
        ("Y", 1, Some(0), (8, 0, 16, 8)),
        ("a", 2, Some(1), (0, 4, 4, 8)),
        ("b", 2, Some(1), (4, 4, 8, 8)),
        ("c", 2, Some(2), (8, 4, 12, 8)),
        ("d", 2, Some(1), (0, 0, 4, 4)),
        ("e", 2, Some(1), (4, 0, 8, 4)),
        ("f", 2, Some(2), (8, 0, 16, 4)),
    ];
    let areas =
        rows.iter().zip(0..).map(|((code, level, parent, _), i)| (AreaId(i), area(code, *level, parent.map(AreaId))));
    let claims = rows.iter().zip(0..).map(|((.., (w, s, e, n)), i)| {
        let shell = [(w, s), (e, s), (e, n), (w, n)].map(|(x, y): (&i32, &i32)| p(f64::from(*x), f64::from(*y)));
        Claim { area: AreaId(i), polygon: Polygon { shell: shell.to_vec(), holes: vec![] } }
    });
    let levels = levels(&["street", "community", "grid"]);
    assemble(levels, areas.collect(), claims.collect(), &Settings::default()).coverage.unwrap()
}

/// Who owns the middle of each square of the yard: the last letter of the code, a dot
/// outside; the northernmost row first.
pub(super) fn seen(c: &Coverage) -> String {
    let tree = FaceTree::build(c);
    let letter = |x: i32, y: i32| {
        let face = tree.face_at(c, p(f64::from(x) + 0.5, f64::from(y) + 0.5));
        let owner = c.face(face).and_then(|f| f.owner).and_then(|o| c.area(o));
        owner.and_then(|a| a.code.chars().last()).unwrap_or('.')
    };
    (0..8).rev().map(|y| (0..16).map(|x| letter(x, y)).chain(['\n']).collect::<String>()).collect()
}

/// The picture in a test, without its margin.
pub(super) fn picture(text: &str) -> String {
    text.lines().map(str::trim).filter(|l| !l.is_empty()).flat_map(|l| [l, "\n"]).collect()
}

pub(super) fn try_edit(c: &Coverage, edit: &Edit) -> Result<Edited, Refusal> {
    edit.apply(c, &Rules::new(&Suffixes::default(), Fresh::after(c)))
}

/// The outcome of an edit that must succeed, checked.
pub(super) fn done(c: &Coverage, edit: &Edit) -> Edited {
    let edited = try_edit(c, edit).unwrap_or_else(|refusal| panic!("{refusal}"));
    edited.coverage.sanity_check().unwrap_or_else(|defects| panic!("{defects:?}"));
    edited
}

/// The refusal of an edit that must not succeed.
pub(super) fn refused(c: &Coverage, edit: &Edit) -> (Reason, Option<Point>, Vec<String>) {
    let refusal = try_edit(c, edit).map(|e| seen(&e.coverage)).unwrap_err();
    assert!(!refusal.message.is_empty());
    let code = |a: &AreaId| c.area(*a).map_or_else(String::new, |a| a.code.to_string());
    let areas = refusal.areas.iter().map(code).collect();
    (refusal.reason, refusal.place(), areas)
}
