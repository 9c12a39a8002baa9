//! Making tiles of a city of 17,000 grids: by zoom, the crowded middle and the median.
//! Seeded; prints a table.
#![allow(clippy::unwrap_used, reason = "a bench may")]

#[path = "../tests/tiling/city.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod city;

use std::time::Instant;

use boundaries::Level;
use gridatlas::tiling::{AreaTiles, Datum};
use tiles::{Scratch, TileCoord, World};

const COLUMNS: i32 = 130;
const ROWS: i32 = 131;
/// The fastest of so many counts: what the work takes when nothing else runs.
const ROUNDS: usize = 7;

fn main() {
    let coverage = city::coverage(COLUMNS, ROWS, 7);
    let vertices: usize = coverage.borders().map(|(_, b)| b.line.len()).sum();
    let start = Instant::now();
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let ready_s = start.elapsed().as_secs_f64();
    let start = Instant::now();
    tiles.prepare();
    let outlines_s = start.elapsed().as_secs_f64();
    println!(
        "{} grids, {vertices} border vertices: lines and weights {ready_s:.3} s, outlines of 4 levels {outlines_s:.3} s",
        COLUMNS * ROWS
    );
    println!("  {:<18} {:>6} {:>10} {:>10} {:>10}", "level, zoom", "tiles", "median ms", "worst ms", "most bytes");
    let mut scratch = Scratch::default();
    let b = coverage.bounds();
    for (name, level) in [("grid", Level(3)), ("community", Level(2)), ("street", Level(1))] {
        for z in tiles.lowest_zoom(level)..=16 {
            let first = TileCoord::of(World::from_e7(b.min.x, b.max.y), z).unwrap();
            let last = TileCoord::of(World::from_e7(b.max.x, b.min.y), z).unwrap();
            let mut times = Vec::new();
            let mut most = 0;
            let step = ((last.x() - first.x() + 1) / 12).max(1) as usize;
            for x in (first.x()..=last.x()).step_by(step) {
                for y in (first.y()..=last.y()).step_by(step) {
                    let tile = TileCoord::new(z, x, y).unwrap();
                    let mut fastest = f64::INFINITY;
                    for _ in 0..ROUNDS {
                        let start = Instant::now();
                        let made = tiles.areas(&mut scratch, name, level, tile);
                        fastest = fastest.min(start.elapsed().as_secs_f64() * 1e3);
                        most = most.max(made.map_or(0, |bytes| bytes.len()));
                    }
                    times.push(fastest);
                }
            }
            times.sort_by(f64::total_cmp);
            let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
            println!("  {:<18} {:>6} {median:>10.2} {worst:>10.2} {most:>10}", format!("{name} z{z}"), times.len());
        }
    }
}
