//! Tiles that an edit is not told to change are the same before it and after.

use boundaries::edit::{Fresh, Rules, Suffixes};
use boundaries::{Coverage, Level};
use gridatlas::demo::Random;
use gridatlas::tiling::{AreaTiles, Datum};
use tiles::{Scratch, TileCoord};

use crate::{city, edits, grounds, is_proof, range};

/// Zooms of which all tiles are compared.
const ZOOMS: std::ops::RangeInclusive<u8> = 4..=15;

/// Edits a coverage, and after each compares all tiles of all levels with those before.
fn follow(name: &str, mut c: Coverage, edits: usize, seed: u64) {
    println!("{name}, seed {seed}");
    let mut random = Random::new(seed);
    let mut scratch = Scratch::default();
    let mut tiles = AreaTiles::new(&c, Datum::Wgs84);
    let mut codes = Suffixes::default();
    let mut fresh = Fresh::after(&c);
    let (mut done, mut seen, mut told, mut changed) = (0, 0, 0, 0);
    let all: Vec<TileCoord> = ZOOMS
        .flat_map(|z| {
            let [columns, rows] = range(&c, z);
            columns.flat_map(move |x| rows.clone().map(move |y| TileCoord::new(z, x, y).unwrap()))
        })
        .collect();
    let mut drawn = |tiles: &AreaTiles| -> Vec<[Option<Vec<u8>>; 2]> {
        let mut both = Vec::new();
        for tile in &all {
            for level in (0..=tiles.coverage().finest().0).map(Level) {
                let areas = tiles.areas(&mut scratch, "areas", level, *tile);
                both.push([areas, tiles.labels(&mut scratch, "names", level, *tile)]);
            }
        }
        both
    };
    let mut before = drawn(&tiles);
    while done < edits {
        let (edit, _) = edits::edit(&c, &mut random);
        let Ok(edited) = edit.apply(&c, &Rules::new(&codes, fresh)) else { continue };
        codes.used.extend(edited.removed.iter().map(|a| c.area(*a).unwrap().code.clone()));
        fresh = edited.fresh;
        c = edited.coverage;
        let (next, changes) = tiles.updated(&c);
        tiles = next;
        let after = drawn(&tiles);
        done += 1;
        let levels = (0..=c.finest().0).map(Level);
        let places = all.iter().flat_map(|tile| levels.clone().map(move |level| (tile, level)));
        for (((tile, level), old), new) in places.zip(&before).zip(&after) {
            let may = [changes.areas(level, *tile), changes.names(level, *tile)];
            for i in 0..2 {
                seen += 1;
                told += usize::from(may[i]);
                changed += usize::from(old[i] != new[i]);
                let what = ["areas", "names"][i];
                assert!(
                    may[i] || old[i] == new[i],
                    "{what} of {level:?} in {tile} after {done} edits, the last {edit:?}"
                );
            }
        }
        before = after;
    }
    println!("{seen} layers: {told} told to change, {changed} did");
    assert!(changed > edits, "hardly anything changed");
    // What is told to change and doesn't is made once more for nothing.
    assert!(told < 2 * changed, "{told} layers told to change, and {changed} did");
}

#[test]
fn a_tile_that_is_not_told_to_change_stays_as_it_is() {
    let edits = if is_proof() { 300 } else { 20 };
    follow("a small city", city::coverage(12, 12, 7), edits, 1);
    follow("demo", grounds::demo(300, 7), edits, 2);
}

#[test]
fn a_tile_of_nasty_ground_that_is_not_told_to_change_stays_as_it_is() {
    for seed in 0..if is_proof() { 10 } else { 2 } {
        follow("nasty", grounds::nasty(80, seed), if is_proof() { 100 } else { 15 }, seed);
    }
}
