//! Making tiles of the areas of the demo city of 17,000 grids: by zoom, in the median and at
//! worst, past every cache; and what an edit makes anew. Seeded; prints a table.
#![allow(clippy::unwrap_used, reason = "a bench may")]

#[path = "../tests/areas/grounds.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod grounds;

use std::time::Instant;

use boundaries::edit::{Edit, Fresh, Rules, Suffixes};
use boundaries::{Coverage, Level, Point};
use gridatlas::demo::Random;
use gridatlas::tiling::{AreaTiles, Datum};
use tiles::{Scratch, TileCoord, World};

const GRIDS: usize = 17_000;
/// From here on every level is drawn: lower than its lowest zoom, where it must be.
const LOWEST_ZOOM: u8 = 8;
/// Tiles of one zoom and level that are measured at most.
const MOST_TILES: usize = 400;
/// The fastest of so many counts: what the work takes when nothing else runs.
const ROUNDS: usize = 5;

fn main() {
    let coverage = grounds::demo(GRIDS, 7);
    let vertices: usize = coverage.borders().map(|(_, b)| b.line.len()).sum();
    let (tiles, lines_s) = timed(|| AreaTiles::new(&coverage, Datum::Wgs84));
    let mut scratch = Scratch::default();
    println!("{GRIDS} grids, {vertices} border vertices: lines and weights {lines_s:.3} s");
    let b = coverage.bounds();
    print!("  first tile of a zoom, with its lines, s:");
    for z in LOWEST_ZOOM..=16 {
        let tile = TileCoord::of(World::from_e7(b.min.x, b.min.y), z).unwrap();
        let all = || (0..=4).for_each(|level| drop(tiles.areas(&mut scratch, "all", Level(level), tile)));
        print!(" z{z} {:.3}", timed(all).1);
    }
    println!();
    println!(
        "  {:<18} {:>6} {:>10} {:>10} {:>10} {:>10}",
        "level, zoom", "tiles", "median ms", "p99 ms", "worst ms", "most bytes"
    );
    let nodes: Vec<Point> = coverage.borders().map(|(_, b)| b.line[0]).collect();
    for (name, level) in [("grid", Level(4)), ("community", Level(3)), ("street", Level(2)), ("city", Level(0))] {
        for z in LOWEST_ZOOM..=16 {
            let mut random = Random::of(7, name);
            let at = |p: Point| TileCoord::of(World::from_e7(p.x, p.y), z).unwrap();
            let mut all: Vec<TileCoord> = (0..MOST_TILES).map(|_| at(nodes[random.below(nodes.len())])).collect();
            all.sort_unstable();
            all.dedup();
            let mut most = 0;
            let mut times_ms: Vec<f64> = all
                .iter()
                .map(|tile| {
                    let one = |_| {
                        let (made, s) = timed(|| tiles.areas(&mut scratch, name, level, *tile));
                        most = most.max(made.map_or(0, |bytes| bytes.len()));
                        s * 1e3
                    };
                    (0..ROUNDS).map(one).fold(f64::INFINITY, f64::min)
                })
                .collect();
            times_ms.sort_by(f64::total_cmp);
            let part = |p: usize| times_ms[(times_ms.len() - 1) * p / 100];
            println!(
                "  {:<18} {:>6} {:>10.3} {:>10.3} {:>10.3} {most:>10}",
                format!("{name} z{z}"),
                times_ms.len(),
                part(50),
                part(99),
                part(100)
            );
        }
    }
    edits(coverage, tiles);
}

/// Moves vertices, one after the other, with the lines of all zooms in use.
fn edits(mut coverage: Coverage, mut tiles: AreaTiles) {
    let mut random = Random::of(7, "edits");
    let (codes, mut fresh) = (Suffixes::default(), Fresh::after(&coverage));
    let mut times_ms = Vec::new();
    while times_ms.len() < 40 {
        let id = boundaries::BorderId(random.below(coverage.border_slots()) as u32);
        let Some(border) = coverage.border(id) else { continue };
        let node = border.line[border.line.len() / 2];
        let to = Point::new(node.x + 40, node.y + 40);
        let Ok(edited) = (Edit::MoveNode { node, to }).apply(&coverage, &Rules::new(&codes, fresh)) else { continue };
        fresh = edited.fresh;
        coverage = edited.coverage;
        let ((updated, _), s) = timed(|| tiles.updated(&coverage));
        tiles = updated;
        times_ms.push(s * 1e3);
    }
    times_ms.sort_by(f64::total_cmp);
    println!(
        "  after an edit, all zooms from {LOWEST_ZOOM} and all levels: median {:.1} ms",
        times_ms[times_ms.len() / 2]
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64())
}
