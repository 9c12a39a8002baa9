//! Random edits of a real city, one after another.

use std::collections::BTreeMap;
use std::time::Instant;

use boundaries::edit::{Code, Edit, Edited, Fresh, Keep, NewArea, Pieces, Rules, Suffixes};
use boundaries::{AreaId, Border, BorderRecord, Coverage, FaceId, FaceRecord, Level, Point, Settings, assemble};

use super::{kaohsiung, save};

/// The splitmix64 generator (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    /// A place so many units about another.
    fn near(&mut self, p: Point, reach: i32) -> Point {
        let mut about = || self.below(2 * reach as u64 + 1) as i32 - reach;
        Point::new(p.x + about(), p.y + about())
    }
}

/// A grid that has ground, with the middle and the size of the box around it.
fn grid(c: &Coverage, random: &mut Random) -> (AreaId, Point, i32) {
    loop {
        let id = AreaId(random.below(c.area_slots() as u64) as u32);
        let Some(face) = c.faces_of(id).first().and_then(|f| c.face(*f)) else { continue };
        let (min, max) = (face.bounds.min, face.bounds.max);
        let middle = Point::new(min.x + (max.x - min.x) / 2, min.y + (max.y - min.y) / 2);
        return (id, middle, (max.x - min.x).max(max.y - min.y));
    }
}

fn stroke(middle: Point, size: i32, random: &mut Random) -> Vec<Point> {
    let end = random.near(Point::new(0, 0), size);
    let at = |i: i32| Point::new(middle.x + end.x / 4 * i, middle.y + end.y / 4 * i);
    (-4..=4).map(|i| random.near(at(i), size / 40 + 1)).collect()
}

fn ring(middle: Point, size: i32, random: &mut Random) -> Vec<Point> {
    let r = size / 20 + random.below(size as u64 / 4 + 1) as i32;
    let corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)];
    corners.map(|(x, y)| random.near(Point::new(middle.x + x * r, middle.y + y * r), r / 5)).to_vec()
}

fn edit(c: &Coverage, random: &mut Random) -> Edit {
    let (id, middle, size) = grid(c, random);
    let code = |id: AreaId| -> Code { c.area(id).unwrap().code.clone() };
    let beside = c.neighbours(id).first().map_or(id, |n| n.0);
    let face = c.face(c.faces_of(id)[0]).unwrap();
    let line = c.border(face.outer.unwrap().border()).unwrap().line.clone();
    let (own, new, keep) = (code(id), NewArea::default(), Keep::Largest);
    match random.below(10) {
        0..=2 => {
            let codes = if random.below(3) == 0 { vec![own, code(beside)] } else { vec![own] };
            Edit::Split { codes, line: stroke(middle, size, random), keep, new }
        }
        3..=4 => Edit::Merge { codes: vec![own.clone(), code(beside)], into: own, multipart: false },
        5 => {
            let line = vec![line[0], random.near(line[line.len() / 2], size / 6), line[line.len() - 1]];
            Edit::Reshape { code: own, line, several: true }
        }
        6 => Edit::MoveNode { node: line[0], to: random.near(line[0], size / 20) },
        7 => Edit::Carve { ring: ring(line[line.len() / 2], size, random), new },
        8 => {
            let pieces = Pieces::Inside(ring(line[line.len() / 2], size / 2, random));
            Edit::Transfer { to: own, pieces, multipart: false }
        }
        _ => Edit::Retire { code: own, into: code(beside) },
    }
}

/// Twice the ground of the city in square units. Exact.
fn twice_ground(c: &Coverage) -> i128 {
    c.faces().map(|(_, face)| face.twice_area).sum()
}

/// Whether an edit changed a border that has nothing beyond it: then the whole may have grown.
fn is_at_the_rim(before: &Coverage, edited: &Edited) -> bool {
    let is_rim = |left: FaceId, right: FaceId| left == FaceId::OUTSIDE || right == FaceId::OUTSIDE;
    let dropped = edited.changes.drop_borders.iter().filter_map(|id| before.border(*id));
    dropped.into_iter().any(|b: &Border| is_rim(b.left, b.right))
        || edited.changes.put_borders.iter().any(|b| is_rim(b.left, b.right))
}

/// The same coverage in memory of its own.
fn apart(c: &Coverage) -> Coverage {
    let areas = c.areas().map(|(id, area)| (id, (**area).clone()));
    let faces = c.faces().filter(|f| f.0 != FaceId::OUTSIDE).map(|(id, f)| FaceRecord { id, owner: f.owner });
    let line = |b: &Border| b.line.iter().copied().collect();
    let borders = c.borders().map(|(id, b)| BorderRecord { id, left: b.left, right: b.right, line: line(b) });
    Coverage::build(c.levels().into(), areas, faces, borders).unwrap()
}

#[test]
fn random_edits_of_a_real_city_keep_it_valid_and_undo_by_themselves() {
    let Some((names, areas, claims)) = kaohsiung() else { return };
    let mut c = assemble(names, areas, claims, &Settings::default()).coverage.unwrap();
    let is_long = std::env::var_os("GRIDATLAS_PROOF").is_some();
    let (edits, every) = if is_long { (5_000, 100) } else { (500, 250) };
    let seed = 20;
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut codes = Suffixes::default();
    let mut fresh = Fresh::after(&c);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    let mut times_ms = Vec::new();
    let mut undo = Vec::new();
    let (mut done, mut given_back) = (0, 0);
    while done < edits {
        let edit = edit(&c, &mut random);
        let rules = Rules::new(&codes, fresh);
        let begin = Instant::now();
        let edited = match edit.apply(&c, &rules) {
            Ok(edited) => edited,
            Err(refusal) => {
                *refused.entry(refusal.reason.name()).or_default() += 1;
                continue;
            }
        };
        times_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        if let Edit::Split { codes: split, .. } = &edit
            && let [code] = &split[..]
        {
            // As if it had not been, and on with another.
            let after = &edited.coverage;
            let mut all: Vec<Code> = edited.created.iter().map(|a| after.area(*a).unwrap().code.clone()).collect();
            all.push(code.clone());
            let merge = Edit::Merge { codes: all, into: code.clone(), multipart: true };
            let merged = merge.apply(after, &Rules { fresh: edited.fresh, ..rules }).unwrap();
            for (id, border) in c.borders() {
                assert_eq!(merged.coverage.border(id), Some(border), "border {} by {edit:?}", id.0);
            }
            assert!(merged.coverage == c, "{edit:?}");
            given_back += 1;
        }
        if !is_at_the_rim(&c, &edited) {
            assert_eq!(twice_ground(&edited.coverage), twice_ground(&c), "{edit:?}");
        }
        codes.used.extend(edited.removed.iter().map(|a| c.area(*a).unwrap().code.clone()));
        fresh = edited.fresh;
        c = edited.coverage;
        done += 1;
        if done % (edits / 4) == 1 {
            undo.push((c.clone(), apart(&c)));
        }
        if done % every == 0
            && let Err(defects) = c.sanity_check()
        {
            panic!("after {done} edits, the last {edit:?}: {defects:?}");
        }
    }
    // To undo is to have the earlier state again: whatever came after left it as it was.
    assert_eq!(undo.len(), 4);
    for (kept, then) in &undo {
        assert!(kept == then, "an earlier state is another one now");
    }
    times_ms.sort_by(f64::total_cmp);
    let at = |part: usize| times_ms[times_ms.len() * part / 100];
    println!("{done} done, {given_back} splits given back, refused {refused:?}");
    println!("middle {:.3} ms, p99 {:.3} ms", at(50), at(99));
    assert!(given_back > edits / 20);
    for level in 0..5 {
        save(&c, &c.outlines(Level(level)), 20 + level);
    }
}
