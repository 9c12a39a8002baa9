use super::*;
use crate::assemble::{Settings, assemble};
use crate::samples::{City, Dice, area, levels};

fn city(side: i32, seed: u64) -> Coverage {
    let city = City::clean(side, &mut Dice::seeded(seed));
    assemble(city.levels, city.areas, city.claims, &Settings::default()).coverage.unwrap()
}

/// The coverage built from all records of another at once.
fn rebuilt(c: &Coverage) -> Coverage {
    let areas = c.areas().map(|(id, a)| (id, Area::clone(a)));
    let faces = c.faces().filter(|f| f.0 != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner });
    let borders = c.borders().map(|(id, b)| BorderRecord { id, left: b.left, right: b.right, line: b.line.clone() });
    Coverage::build(c.levels.clone(), areas, faces, borders).unwrap()
}

fn record(c: &Coverage, id: BorderId) -> BorderRecord {
    let b = c.border(id).unwrap();
    BorderRecord { id, left: b.left, right: b.right, line: b.line.clone() }
}

/// Bends a border: its middle vertex goes to the middle between its neighbours.
fn bend(c: &Coverage, id: BorderId) -> Option<Changes> {
    let mut record = record(c, id);
    if record.line.len() < 4 {
        return None;
    }
    let mut line = record.line.to_vec();
    let i = line.len() / 2;
    let mean = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
    let p = Point::new(mean(line[i - 1].x, line[i + 1].x), mean(line[i - 1].y, line[i + 1].y));
    line[i] = p;
    record.line = line.into();
    Some(Changes { put_borders: vec![record], ..Changes::default() })
}

/// ```text
///    ●───────┐          ●───────┐
///    │       │          │ ╲  new│       between two vertices of one ring, node or not
///    │ face  │   ─▶     │   ╲   │
///    └───────●          └─────╲─●
/// ```
fn split(c: &Coverage, face: FaceId, dice: &mut Dice) -> Option<Changes> {
    let ring: Vec<HalfEdge> = c.ring(c.face(face)?.outer?).collect();
    let (i, j) = (dice.below(ring.len() as u64) as usize, dice.below(ring.len() as u64) as usize);
    let (i, j) = (i.min(j), i.max(j));
    let start = |h: HalfEdge| {
        let line = &c.border(h.border()).unwrap().line;
        if h.is_forward() { line[0] } else { line[line.len() - 1] }
    };
    let (from, to) = (start(ring[i]), start(ring[j]));
    if from == to {
        return None;
    }
    let new_face = FaceId(c.face_slots() as u32);
    let new_area = AreaId(c.area_slots() as u32);
    let owner = c.face(face)?.owner?;
    let above = c.area(owner)?;
    let mut changes = Changes {
        put_areas: vec![(new_area, area(&format!("N{}", new_area.0), above.level.0, above.parent))],
        put_faces: vec![FaceRecord { id: new_face, owner: Some(new_area) }],
        put_borders: vec![BorderRecord {
            id: BorderId(c.border_slots() as u32),
            left: face,
            right: new_face,
            line: Arc::from([from, to]),
        }],
        ..Changes::default()
    };
    // The ring from `to` on to `from` and the new line back stays: what runs from `from` to `to` is new.
    for h in &ring[i..j] {
        let mut record = record(c, h.border());
        if h.is_forward() {
            record.left = new_face;
        } else {
            record.right = new_face;
        }
        changes.put_borders.push(record);
    }
    Some(changes)
}

/// Takes a border away: the face at its right goes to the one at its left.
fn merge(c: &Coverage, id: BorderId) -> Option<Changes> {
    let b = c.border(id)?;
    let (keep, gone) = (b.left, b.right);
    if keep == FaceId::OUTSIDE || gone == FaceId::OUTSIDE || keep == gone {
        return None;
    }
    let around: BTreeSet<BorderId> = c.rings(gone).flat_map(|r| c.ring(r)).map(HalfEdge::border).collect();
    let mut changes = Changes { drop_faces: vec![gone], ..Changes::default() };
    for id in around {
        let mut record = record(c, id);
        for side in [&mut record.left, &mut record.right] {
            if *side == gone {
                *side = keep;
            }
        }
        if record.left == record.right {
            changes.drop_borders.push(id);
        } else {
            changes.put_borders.push(record);
        }
    }
    let owner = c.face(gone)?.owner?;
    if c.faces_of(owner).len() == 1 && c.children(owner).is_empty() {
        changes.drop_areas.push(owner);
    }
    Some(changes)
}

#[test]
fn changes_one_after_the_other_equal_a_coverage_built_from_all_records() {
    for seed in 0..8 {
        let mut dice = Dice::seeded(seed);
        let mut c = city(5, seed);
        let mut made = [0; 3];
        for _ in 0..150 {
            let border = BorderId(dice.below(c.border_slots() as u64) as u32);
            let kind = dice.below(3) as usize;
            let changes = match kind {
                0 => c.border(border).and_then(|_| bend(&c, border)),
                1 => split(&c, FaceId(dice.below(c.face_slots() as u64) as u32), &mut dice),
                _ => merge(&c, border),
            };
            let Some(changes) = changes else { continue };
            // What is drawn at random may contradict itself: then it is refused, both ways alike.
            let Ok(next) = c.with_changes(changes) else { continue };
            assert_eq!(next, rebuilt(&next), "seed {seed}");
            made[kind] += 1;
            c = next;
        }
        assert!(made.iter().all(|m| *m > 2), "{made:?}");
    }
}

#[test]
fn an_edit_copies_what_it_touches_and_shares_the_rest() {
    let c = city(60, 1);
    let all = c.bytes_not_shared_with(&Coverage::empty(levels(&["district", "grid"])));
    // A border between two grids in the middle.
    let middle = c.borders().map(|b| b.0).find(|id| {
        let b = c.border(*id).unwrap();
        b.left != FaceId::OUTSIDE && b.right != FaceId::OUTSIDE && id.0 as usize > c.border_slots() / 2
    });
    let next = c.with_changes(bend(&c, middle.unwrap()).unwrap()).unwrap();
    assert_eq!(next, rebuilt(&next));
    let tables = [c.area_slots(), c.border_slots(), c.face_slots()];
    let spines = 8 * tables.map(|n| n.div_ceil(64)).iter().sum::<usize>() + 8 * 1024;
    let own = next.bytes_not_shared_with(&c) - spines;
    println!("{own} bytes of {all} beside spines of {spines}");
    assert!(own < all / 50 && own < 20_000, "{own} of {all}");
    assert_eq!(c.bytes_not_shared_with(&c.clone()), spines);
}

#[test]
fn changes_that_leave_a_contradiction_are_refused_and_change_nothing() {
    let c = city(4, 2);
    let before = c.clone();
    let (id, b) = c.borders().find(|(_, b)| b.left.0 > 0 && b.right.0 > 0).unwrap();
    let owner = c.face(b.left).unwrap().owner.unwrap();
    let mut line = b.line.to_vec();
    line.insert(1, Point::new(i32::MIN, i32::MAX));
    let off_the_globe = BorderRecord { line: line.into(), ..record(&c, id) };
    let refused = [
        Changes { drop_borders: vec![id], ..Changes::default() },
        Changes { drop_faces: vec![b.left], ..Changes::default() },
        Changes { drop_areas: vec![owner], ..Changes::default() },
        Changes { drop_areas: vec![AreaId(0)], ..Changes::default() },
        Changes { put_faces: vec![FaceRecord { id: b.left, owner: Some(AreaId(9_999)) }], ..Changes::default() },
        Changes { put_borders: vec![BorderRecord { left: FaceId(9_999), ..record(&c, id) }], ..Changes::default() },
        Changes { put_borders: vec![off_the_globe], ..Changes::default() },
        Changes { put_areas: vec![(AreaId(900), area("D0", 0, None))], ..Changes::default() },
        Changes { put_areas: vec![(AreaId(900), area("new", 1, Some(AreaId(901))))], ..Changes::default() },
    ];
    for changes in refused {
        assert!(c.with_changes(changes.clone()).is_err(), "{changes:?}");
        assert_eq!(c, before);
    }
}
