//! Tiles of areas, judged at every zoom: on a made-up city, on a real one, and on ground as
//! nasty as polygons can make it.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "../tiling/city.rs"]
#[allow(dead_code, reason = "the tests of tiles use more of it")]
mod city;
#[path = "../../tiles/tests/support/mod.rs"]
mod support;

mod edits;
mod grounds;
mod judge;
mod kept;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use boundaries::{Coverage, Level};
use gridatlas::demo::Random;
use gridatlas::tiling::{AreaTiles, Datum};
use judge::{Edge, Sheet};
use tiles::{Scratch, TileCoord, World};

/// The long form of the tests: more of everything.
fn is_proof() -> bool {
    std::env::var_os("GRIDATLAS_PROOF").is_some()
}

/// Columns and rows of the tiles of a zoom that a coverage is in.
fn range(coverage: &Coverage, z: u8) -> [std::ops::RangeInclusive<u32>; 2] {
    let b = coverage.bounds();
    let first = TileCoord::of(World::from_e7(b.min.x, b.max.y), z).unwrap();
    let last = TileCoord::of(World::from_e7(b.max.x, b.min.y), z).unwrap();
    [first.x()..=last.x(), first.y()..=last.y()]
}

/// All tiles of a zoom, or so many of them at random: those at a node of the coverage, so
/// that none is empty.
fn some_tiles(coverage: &Coverage, z: u8, most: usize, random: &mut Random) -> BTreeSet<TileCoord> {
    let [columns, rows] = range(coverage, z);
    if (columns.clone().count() as u64) * (rows.clone().count() as u64) <= most as u64 {
        return columns.flat_map(|x| rows.clone().map(move |y| TileCoord::new(z, x, y).unwrap())).collect();
    }
    let borders: Vec<_> = coverage.borders().map(|(_, b)| b.line[0]).collect();
    (0..most)
        .map(|_| {
            let p = borders[random.below(borders.len())];
            TileCoord::of(World::from_e7(p.x, p.y), z).unwrap()
        })
        .collect()
}

fn sheet(tiles: &AreaTiles, scratch: &mut Scratch, level: u8, tile: TileCoord) -> Option<Sheet> {
    Some(Sheet::read(&tiles.areas(scratch, "level", Level(level), tile)?, tile))
}

/// Judges tiles of all zooms and levels: planar inside, nested by level, one with the
/// tiles beside them, and none without all its areas but those that are told to be gone.
fn judge_all(name: &str, coverage: &Coverage, most: usize, seed: u64) {
    println!("{name}, seed {seed}");
    let mut random = Random::new(seed);
    let tiles = AreaTiles::new(coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    let finest = coverage.finest().0;
    let (mut judged, mut gone) = (0, 0);
    for z in 0..=16 {
        for tile in some_tiles(coverage, z, most, &mut random) {
            let mut above: Option<Sheet> = None;
            for level in 0..=finest {
                let Some(here) = sheet(&tiles, &mut scratch, level, tile) else { continue };
                here.judge_polygons();
                here.judge_planarity();
                gone += tiles.left_out(Level(level), tile, None);
                if let Some(above) = &above {
                    let lower: BTreeSet<Edge> = here.edges_either_way();
                    let lost: Vec<_> = above.edges_either_way().difference(&lower).copied().collect();
                    assert!(lost.is_empty(), "{tile}: level {level} has not what the one above has: {lost:?}");
                }
                for (dx, dy) in [(1, 0), (0, 1)] {
                    let Ok(beside) = TileCoord::new(z, tile.x() + dx, tile.y() + dy) else { continue };
                    let there = sheet(&tiles, &mut scratch, level, beside);
                    let band = judge::band(tile, beside);
                    let there = there.map(|t| t.edges_in(band)).unwrap_or_default();
                    assert_eq!(here.edges_in(band), there, "level {level} between {tile} and {beside}");
                }
                judged += 1;
                above = Some(here);
            }
        }
    }
    println!("{judged} layers judged, {gone} areas told to be gone");
    assert!(judged > 50);
}

#[test]
fn tiles_of_a_made_up_city_are_planar_and_have_their_seams_in_common() {
    let grids = if is_proof() { 17_000 } else { 1_700 };
    judge_all("demo", &grounds::demo(grids, 7), if is_proof() { 40 } else { 6 }, 1);
}

#[test]
fn tiles_of_nasty_ground_are_planar_and_have_their_seams_in_common() {
    for seed in 0..if is_proof() { 40 } else { 4 } {
        judge_all("nasty", &grounds::nasty(120, seed), 5, seed);
    }
}

#[test]
fn tiles_of_a_real_city_are_planar_and_have_their_seams_in_common() {
    let Some(coverage) = grounds::kaohsiung() else { return };
    judge_all("Kaohsiung", &coverage, if is_proof() { 60 } else { 2 }, 3);
}

#[test]
fn an_area_is_in_the_one_tile_of_zoom_0_or_told_to_be_gone() {
    for coverage in [grounds::demo(1_700, 5), grounds::nasty(60, 5), city::coverage(8, 8, 5)] {
        let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
        let mut scratch = Scratch::default();
        let tile = TileCoord::new(0, 0, 0).unwrap();
        for level in 0..=coverage.finest().0 {
            let there = sheet(&tiles, &mut scratch, level, tile).map_or(0, |s| s.features());
            let all = coverage.outlines(Level(level)).len();
            assert_eq!(there + tiles.left_out(Level(level), tile, None) as usize, all, "level {level}");
        }
    }
}

#[test]
fn every_level_covers_the_ground_of_the_one_above_at_every_zoom() {
    // No ground of this city is without a grid, so all levels cover the same.
    let coverage = city::coverage(16, 16, 3);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    let mut random = Random::new(9);
    for z in 0..=16 {
        for tile in some_tiles(&coverage, z, 12, &mut random) {
            let twice: BTreeMap<u8, i64> =
                (0..=3).map(|l| (l, sheet(&tiles, &mut scratch, l, tile).map_or(0, |s| s.twice_area()))).collect();
            assert!(twice.values().all(|a| *a == twice[&0]), "{tile}: {twice:?}");
            let rims: Vec<_> = (0..=3)
                .map(|l| sheet(&tiles, &mut scratch, l, tile).map(|s| s.edges_walked_once()).unwrap_or_default())
                .collect();
            assert!(rims.iter().all(|rim| *rim == rims[0]), "{tile}: what is walked once is the outline of all");
        }
    }
}
