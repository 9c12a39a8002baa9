//! Edits against what anyone would say of a place: inside the ring or not, of this area or
//! that; and what a coverage shares with the one before it.

use super::*;
use crate::metres::Frame;
use crate::polygon::Polygon;
use crate::samples::even_odd;

/// Whether a place is further from a line than it may have been snapped.
fn is_clear(line: &[Point], p: Point) -> bool {
    let frame = Frame::at(p.y);
    line.windows(2).all(|w| frame.distance_to_segment_2(p, w[0], w[1]) > 4.0)
}

/// Compares the owners of random places after an edit with what `expected` makes of the
/// code before and of whether the place is inside the ring.
fn agree(c: &Coverage, after: &Coverage, ring: &[Point], dice: &mut Dice, expected: impl Fn(&str, bool) -> String) {
    let trees = [FaceTree::build(c), FaceTree::build(after)];
    let code = |c: &Coverage, tree: &FaceTree, p: Point| {
        let owner = c.face(tree.face_at(c, p)).and_then(|f| f.owner);
        owner.map_or_else(String::new, |o| c.area(o).unwrap().code.to_string())
    };
    let b = crate::Bounds::of(ring.iter().copied());
    let reach = (b.max.x - b.min.x).max(b.max.y - b.min.y).max(CELL);
    let polygon = Polygon { shell: ring.to_vec(), holes: vec![] };
    for _ in 0..60 {
        let p = Point::new(ring[0].x + dice.about(reach), ring[0].y + dice.about(reach));
        let was = code(c, &trees[0], p);
        if is_clear(ring, p) && !was.is_empty() {
            assert_eq!(code(after, &trees[1], p), expected(&was, even_odd(&polygon, p)), "{p:?} was {was}'s");
        }
    }
}

#[test]
fn what_lies_inside_a_ring_and_nothing_else_changes_hands() {
    let mut dice = Dice::seeded(31);
    let c = city(7, &mut dice);
    let mut done = 0;
    for round in 0..effort(60, 0).0 {
        let mut drawn = ring(vertex(&c, &mut dice), CELL, &mut dice);
        drawn.push(drawn[0]);
        let tree = FaceTree::build(&c);
        let Some(own) = c.face(tree.face_at(&c, place(&c, &mut dice))).and_then(|f| f.owner) else { continue };
        let own = c.area(own).unwrap().code.clone();
        let edit = match round % 3 {
            0 => Edit::Carve { ring: drawn.clone(), new: NewArea { code: Some("new".into()), ..NewArea::default() } },
            1 => Edit::Transfer { to: own.clone(), pieces: Pieces::Inside(drawn.clone()), multipart: true },
            _ => {
                let Some(at) = c.face(tree.face_at(&c, drawn[0])).and_then(|f| f.owner) else { continue };
                let new = NewArea { code: Some("new".into()), ..NewArea::default() };
                let codes = vec![c.area(at).unwrap().code.clone()];
                Edit::Split { codes, line: drawn.clone(), keep: Keep::Largest, new }
            }
        };
        let suffixes = Suffixes::default();
        let Ok(edited) = edit.apply(&c, &Rules::new(&suffixes, Fresh::after(&c))) else { continue };
        done += 1;
        agree(&c, &edited.coverage, &drawn, &mut dice, |was, is_inside| match &edit {
            Edit::Carve { .. } if is_inside => "new".into(),
            Edit::Transfer { .. } if is_inside => own.to_string(),
            // Of the two parts the smaller is new, whichever side of the ring it is on.
            Edit::Split { codes, .. } if *codes[0] == *was => {
                let area = |code: &str| edited.coverage.area_m2(edited.coverage.area_by_code(code).unwrap());
                let ring_m2 = Polygon { shell: drawn.clone(), holes: vec![] }.area_m2();
                let new_is_inside = area("new") < ring_m2 + 1.0;
                if is_inside == new_is_inside { "new".into() } else { was.to_owned() }
            }
            _ => was.to_owned(),
        });
    }
    assert!(done >= 15, "{done} done");
}

#[test]
fn a_local_edit_shares_nearly_everything_with_the_coverage_before() {
    let mut dice = Dice::seeded(32);
    let c = city(40, &mut dice);
    let all = c.bytes_not_shared_with(&Coverage::empty(c.levels().into()));
    let mut most = 0;
    for _ in 0..20 {
        let edit = random_edit(&c, CELL, &mut dice);
        let suffixes = Suffixes::default();
        if let Ok(edited) = edit.apply(&c, &Rules::new(&suffixes, Fresh::after(&c))) {
            most = most.max(edited.coverage.bytes_not_shared_with(&c));
        }
    }
    assert!(most > 0 && most < all / 5, "{most} of {all}");
}
