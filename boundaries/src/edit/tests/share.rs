//! Ground that is shared out among several.

use super::yard::{codes, done, line, p, picture, refused, seen, yard};
use super::*;
use crate::polygon::Polygon;

fn to(receiver: Receiver, rings: &[&[(f64, f64)]]) -> Share {
    let mut rings = rings.iter().map(|r| line(r));
    Share { to: receiver, polygons: vec![Polygon { shell: rings.next().unwrap(), holes: rings.collect() }] }
}

fn area(code: &str) -> Receiver {
    Receiver::Area(code.into())
}

fn new(code: &str) -> Receiver {
    Receiver::New(NewArea { code: Some(code.into()), ..NewArea::default() })
}

fn share(shares: Vec<Share>, ends: &str) -> Edit {
    Edit::Share { shares, ends: codes(ends) }
}

/// ```text
///    │ a │ b │        │ a │n│ b │     lines that meet inside a face, not on a border
///    ├───┼───┤   ─▶   ├───┴─┤───┤
///    │ d │ e │        │  a  │ e │
/// ```
#[test]
fn pieces_that_meet_inside_an_area_go_to_whom_they_are_drawn_for() {
    let edited = done(
        &yard(),
        &share(
            vec![
                to(new("n"), &[&[(5.0, 5.0), (7.0, 5.0), (7.0, 7.0), (5.0, 7.0)]]),
                to(area("a"), &[&[(7.0, 5.0), (8.0, 5.0), (8.0, 7.0), (7.0, 7.0)]]),
                to(area("e"), &[&[(5.0, 3.0), (5.0, 5.0), (7.0, 5.0), (8.0, 5.0), (8.0, 3.0)]]),
            ],
            "",
        ),
    );
    let expected = picture(
        "aaaabbbbccccYYYY
         aaaabnnaccccYYYY
         aaaabnnaccccYYYY
         aaaabeeeccccYYYY
         ddddeeeeffffffff",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
    let n = edited.coverage.area_by_code("n").unwrap();
    assert_eq!(edited.coverage.area(n).unwrap().parent, yard().area_by_code("X"));
}

/// ```text
///    │ a ┌────┐ b │     a ring around another: what lies in the hole stays whose it is
///    │   │┌──┐│   │
///    │   │└──┘│   │
///    │   └────┘   │
/// ```
#[test]
fn a_hole_is_left_alone() {
    let ring: &[(f64, f64)] = &[(2.0, 4.0), (7.0, 4.0), (7.0, 8.0), (2.0, 8.0)];
    let hole: &[(f64, f64)] = &[(5.0, 5.0), (6.0, 5.0), (6.0, 7.0), (5.0, 7.0)];
    let edited = done(&yard(), &share(vec![to(new("n"), &[ring, hole])], ""));
    let expected = picture(
        "aannnnnbccccYYYY
         aannnbnbccccYYYY
         aannnbnbccccYYYY
         aannnnnbccccYYYY",
    );
    assert!(seen(&edited.coverage).starts_with(&expected), "{}", seen(&edited.coverage));
}

/// ```text
///      ┌┄┄┄┐
///    ──┼───┼──       a piece beyond the outline comes to a, a piece inside goes to nobody
///    a └┄┄┄┘
/// ```
#[test]
fn the_outline_moves_where_ground_is_taken_in_or_left_to_nobody() {
    let edited = done(
        &yard(),
        &share(
            vec![
                to(area("a"), &[&[(1.0, 8.0), (3.0, 8.0), (3.0, 10.0), (1.0, 10.0)]]),
                to(Receiver::Nobody, &[&[(5.0, 6.0), (7.0, 6.0), (7.0, 8.0), (5.0, 8.0)]]),
            ],
            "",
        ),
    );
    assert!(seen(&edited.coverage).starts_with("aaaab..bcccc"), "{}", seen(&edited.coverage));
    let a = edited.coverage.area_by_code("a").unwrap();
    assert!(
        edited.coverage.outline(a).is_some_and(|o| edited.coverage.polygons_of(&o)[0].bounds().max == p(4.0, 10.0))
    );
}

/// ```text
///    │ a │ b │   ─▶   │ b │ a │     each is left without what it had, and has the other's
/// ```
#[test]
fn two_areas_change_places_and_a_third_ends() {
    let square = |x: f64, y: f64| [(x, y), (x + 4.0, y), (x + 4.0, y + 4.0), (x, y + 4.0)];
    let swap = |more: Vec<Share>, ends| {
        let mut shares = vec![to(area("b"), &[&square(0.0, 4.0)]), to(area("a"), &[&square(4.0, 4.0)])];
        shares.extend(more);
        share(shares, ends)
    };
    let edited = done(&yard(), &swap(vec![to(area("e"), &[&square(0.0, 0.0)])], "d"));
    assert!(seen(&edited.coverage).starts_with("bbbbaaaacccc"), "{}", seen(&edited.coverage));
    assert!(seen(&edited.coverage).ends_with("eeeeeeeeffffffff\n"), "{}", seen(&edited.coverage));
    assert_eq!(edited.removed, vec![yard().area_by_code("d").unwrap()]);

    let (reason, _, areas) = refused(&yard(), &swap(vec![], "d"));
    assert_eq!((reason, areas), (Reason::Owned, vec!["d".to_owned()]));
    let half = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)];
    let (reason, _, areas) = refused(&yard(), &swap(vec![to(area("e"), &[&half])], ""));
    assert_eq!((reason, areas), (Reason::Emptied, vec!["d".to_owned()]));
}

#[test]
fn shares_that_make_no_sense_are_refused_with_a_place() {
    let square = |x: f64| [(x, 5.0), (x + 2.0, 5.0), (x + 2.0, 7.0), (x, 7.0)];
    let one = |ring: &[(f64, f64)]| share(vec![to(area("a"), &[ring])], "");
    let bow = [(5.0, 5.0), (7.0, 7.0), (7.0, 5.0), (5.0, 7.0)];
    let cases = [
        (share(vec![to(area("a"), &[&square(5.0)]), to(area("c"), &[&square(6.0)])], ""), Reason::Crossing),
        (share(vec![to(area("a"), &[&square(5.0)]), to(area("c"), &[&square(5.0)])], ""), Reason::Owned),
        (one(&square(1.0)), Reason::NoChange),
        (one(&bow), Reason::LineCrossesItself),
        (one(&square(5.0)[..2]), Reason::LineTouchesItself),
        (share(vec![to(area("nobody"), &[&square(5.0)])], ""), Reason::UnknownArea),
        (share(vec![to(new("b"), &[&square(5.0)])], ""), Reason::DuplicateCode),
    ];
    for (edit, expected) in cases {
        let (reason, place, _) = refused(&yard(), &edit);
        assert_eq!(reason, expected, "{edit:?}");
        assert!(place.is_some() || expected == Reason::UnknownArea, "{edit:?}");
    }
    let far = Polygon { shell: vec![Point::new(1_900_000_000, 0), p(0.0, 0.0), p(1.0, 1.0)], holes: vec![] };
    let edit = Edit::Share { shares: vec![Share { to: area("a"), polygons: vec![far] }], ends: vec![] };
    assert_eq!(refused(&yard(), &edit).0, Reason::OffGlobe);
}

/// All that changed hands between two states, as one edit.
fn all_at_once(old: &Coverage, new: &Coverage, tolerance_m: f64) -> Option<Edit> {
    let found = new.exchanged_since(old, tolerance_m).unwrap();
    let code = |c: &Coverage, id: AreaId| c.area(id).unwrap().code.clone();
    let mut shares: std::collections::BTreeMap<Option<Code>, Vec<Polygon>> = std::collections::BTreeMap::new();
    for e in found.exchanged {
        shares.entry(e.to.map(|id| code(new, id))).or_default().push(e.polygon);
    }
    let shares = shares.into_iter().map(|(to, polygons)| {
        let receiver = |code: Code| match old.area_by_code(&code) {
            Some(_) => Receiver::Area(code),
            None => {
                let area = new.area(new.area_by_code(&code).unwrap()).unwrap();
                let parent = area.parent.map(|p| self::code(new, p));
                Receiver::New(NewArea {
                    code: Some(code),
                    name: Some(area.name.clone()),
                    kind: Some(area.kind.clone()),
                    parent,
                })
            }
        };
        Share { to: to.map_or(Receiver::Nobody, receiver), polygons }
    });
    let shares: Vec<Share> = shares.collect();
    let ended = old.areas().filter(|(id, a)| !old.faces_of(*id).is_empty() && new.area_by_code(&a.code).is_none());
    let ends = ended.map(|(_, a)| a.code.clone()).collect();
    (!shares.is_empty()).then_some(Edit::Share { shares, ends })
}

fn code(c: &Coverage, id: AreaId) -> Code {
    c.area(id).unwrap().code.clone()
}

/// The ground of each area that has some, by code.
fn grounds(c: &Coverage) -> std::collections::BTreeMap<Code, Vec<Polygon>> {
    let own = c.areas().filter(|(id, _)| !c.faces_of(*id).is_empty());
    own.map(|(id, a)| (a.code.clone(), c.polygons(id))).collect()
}

/// How many vertices of areas there are in `new`, and how many are in one of the two only.
fn apart(new: &Coverage, again: &Coverage, most_units: f64) -> (usize, usize) {
    let (wanted, got) = (grounds(new), grounds(again));
    assert!(wanted.keys().eq(got.keys()));
    let (mut vertices, mut off) = (0, 0);
    let even = crate::metres::Frame { east_m: 1.0, north_m: 1.0 };
    for (code, polygons) in &wanted {
        let points =
            |all: &[Polygon]| -> BTreeSet<Point> { all.iter().flat_map(Polygon::rings).flatten().copied().collect() };
        let (wanted, got) = (points(polygons), points(&got[code]));
        vertices += wanted.len();
        for p in wanted.symmetric_difference(&got) {
            off += 1;
            let other = if wanted.contains(p) { again } else { new };
            let mut segments = other.borders().flat_map(|(_, b)| b.line.windows(2));
            let near = segments.any(|w| even.distance_to_segment_2(*p, w[0], w[1]) <= most_units * most_units);
            assert!(near, "{p:?} of {code}");
        }
    }
    (vertices, off)
}

#[test]
fn what_random_edits_exchanged_is_found_and_given_again() {
    let (seeds, edits) = (effort(6, 0).0, 12);
    // Exactly: but where lines of the two states crossed each other, to the unit. With a
    // tolerance of 0.05 m: what was moved less has not changed.
    for (tolerance_m, most_units, most_off) in [(0.0, 2.0, 0.005), (0.05, 6.0, 0.02)] {
        let (mut vertices, mut off) = (0, 0);
        for seed in 300..300 + seeds {
            let mut dice = Dice::seeded(seed);
            let old = city(7, &mut dice);
            assert!(old.exchanged_since(&old.clone(), tolerance_m).unwrap().exchanged.is_empty());
            let (mut new, mut fresh, used) = (old.clone(), Fresh::after(&old), Suffixes::default());
            for _ in 0..edits {
                let edit = random_edit(&new, CELL, &mut dice);
                if let Ok(edited) = edit.apply(&new, &Rules::new(&used, fresh)) {
                    (new, fresh) = (edited.coverage, edited.fresh);
                }
            }
            let Some(edit) = all_at_once(&old, &new, tolerance_m) else { continue };
            let again = edit.apply(&old, &Rules::new(&Suffixes::default(), Fresh::after(&old)));
            let again = again.unwrap_or_else(|refusal| panic!("seed {seed}: {refusal} {edit:?}"));
            check(&old, &edit, &again, &mut dice);
            let left = again.coverage.exchanged_since(&new, tolerance_m.max(0.03)).unwrap().exchanged;
            assert!(left.is_empty(), "seed {seed}: {left:?}");
            let (some, apart) = apart(&new, &again.coverage, most_units);
            (vertices, off) = (vertices + some, off + apart);
        }
        println!("within {tolerance_m} m: {off} of {vertices} vertices are others");
        assert!((off as f64) < most_off * vertices as f64, "{off} of {vertices}");
    }
}
