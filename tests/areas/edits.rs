//! Tiles that followed edits are those of a coverage that is seen for the first time.

use boundaries::edit::{Edit, Fresh, Keep, NewArea, Pieces, Rules, Suffixes};
use boundaries::{AreaId, Coverage, Level, Point};
use gridatlas::demo::Random;
use gridatlas::tiling::{AreaTiles, Datum};
use tiles::{Scratch, TileCoord, World};

use crate::{city, grounds, is_proof};

/// An area with ground, the middle of it and its size.
fn place(c: &Coverage, random: &mut Random) -> (AreaId, Point, i32) {
    loop {
        let id = AreaId(random.below(c.area_slots()) as u32);
        let Some(face) = c.faces_of(id).first().and_then(|f| c.face(*f)) else { continue };
        let (min, max) = (face.bounds.min, face.bounds.max);
        let middle = Point::new(min.x + (max.x - min.x) / 2, min.y + (max.y - min.y) / 2);
        return (id, middle, (max.x - min.x).max(max.y - min.y));
    }
}

pub(crate) fn edit(c: &Coverage, random: &mut Random) -> (Edit, Point) {
    let (id, middle, size) = place(c, random);
    let mut near = |p: Point, reach: i32| {
        let mut about = || random.below(2 * reach.max(1) as usize + 1) as i32 - reach.max(1);
        Point::new(p.x + about(), p.y + about())
    };
    let code = |id: AreaId| c.area(id).unwrap().code.clone();
    let beside = c.neighbours(id).first().map_or(id, |n| n.0);
    let line = c.border(c.face(c.faces_of(id)[0]).unwrap().outer.unwrap().border()).unwrap().line.clone();
    let ring =
        |r: i32| [(-1, -1), (1, -1), (1, 1), (-1, 1)].map(|(x, y)| Point::new(middle.x + x * r, middle.y + y * r));
    let (a, b) = (near(middle, size), near(middle, size / 4));
    let across = vec![a, b, Point::new(middle.x + (middle.x - a.x), middle.y + (middle.y - a.y))];
    let (node, to) = (line[line.len() / 2], near(line[line.len() / 2], size / 15));
    let new = NewArea::default();
    let edit = match random.below(9) {
        0..=2 => Edit::Split { codes: vec![code(id)], line: across, keep: Keep::Largest, new },
        3 => Edit::Merge { codes: vec![code(id), code(beside)], into: code(id), multipart: false },
        4 | 5 => Edit::MoveNode { node, to },
        6 => Edit::Carve { ring: ring(size / 12 + 2).to_vec(), new },
        7 => Edit::Transfer { to: code(beside), pieces: Pieces::Inside(ring(size / 3 + 2).to_vec()), multipart: true },
        _ => Edit::Reparent { code: code(id), parent: code(c.area(beside).unwrap().parent.unwrap_or(id)) },
    };
    (edit, middle)
}

/// Edits a coverage and compares, after every so many, the tiles around the last edits.
fn follow(name: &str, mut c: Coverage, edits: usize, every: usize, seed: u64) {
    println!("{name}, seed {seed}");
    let mut random = Random::new(seed);
    let mut scratch = Scratch::default();
    let mut tiles = AreaTiles::new(&c, Datum::Wgs84);
    tiles.prepare(&|| true);
    let mut codes = Suffixes::default();
    let mut fresh = Fresh::after(&c);
    let (mut done, mut compared, mut places) = (0, 0, Vec::new());
    while done < edits {
        let (edit, at) = edit(&c, &mut random);
        let Ok(edited) = edit.apply(&c, &Rules::new(&codes, fresh)) else { continue };
        codes.used.extend(edited.removed.iter().map(|a| c.area(*a).unwrap().code.clone()));
        fresh = edited.fresh;
        c = edited.coverage;
        tiles = tiles.updated(&c).0;
        places.push(at);
        done += 1;
        if done % every != 0 {
            continue;
        }
        let anew = AreaTiles::new(&c, Datum::Wgs84);
        for at in places.drain(..) {
            for z in 0..=17 {
                let tile = TileCoord::of(World::from_e7(at.x, at.y), z).unwrap();
                for level in (0..=c.finest().0).map(Level) {
                    let mut of = |tiles: &AreaTiles| tiles.areas(&mut scratch, "areas", level, tile);
                    assert!(of(&tiles) == of(&anew), "{level:?} of {tile} after {done} edits, the last {edit:?}");
                    assert_eq!(tiles.left_out(level, tile, None), anew.left_out(level, tile, None));
                    let mut of = |tiles: &AreaTiles| tiles.labels(&mut scratch, "names", level, tile);
                    assert!(of(&tiles) == of(&anew), "names of {level:?} of {tile} after {done} edits");
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} tiles compared");
}

#[test]
fn tiles_after_edits_are_byte_for_byte_those_made_anew() {
    let (edits, every) = if is_proof() { (400, 5) } else { (40, 2) };
    follow("a small city", city::coverage(12, 12, 7), edits, every, 1);
    follow("demo", grounds::demo(400, 7), edits, every, 2);
}

#[test]
fn tiles_after_edits_of_nasty_ground_are_byte_for_byte_those_made_anew() {
    for seed in 0..if is_proof() { 10 } else { 2 } {
        follow("nasty", grounds::nasty(80, seed), if is_proof() { 100 } else { 15 }, 1, seed);
    }
}

#[test]
fn tiles_after_edits_of_a_real_city_are_byte_for_byte_those_made_anew() {
    let Some(coverage) = grounds::kaohsiung() else { return };
    let (edits, every) = if is_proof() { (200, 20) } else { (10, 10) };
    follow("Kaohsiung", coverage, edits, every, 4);
}
