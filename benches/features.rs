//! Making tiles of the buildings of the demo city past every cache, by zoom; and gathering them
//! into clusters and heat. Seeded; prints a table.
#![allow(clippy::unwrap_used, reason = "a bench may")]

#[path = "../tests/areas/grounds.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod grounds;

use std::sync::Arc;
use std::time::Instant;

use gridatlas::demo::{City, Random, things};
use gridatlas::snapshot::{CoverageView, Layer, Snapshot};
use gridatlas::tiling::{Datum, Encoding, LayerList, TileOptions, Tiler, Wish};
use tiles::{TileCoord, World};

const GRIDS: usize = 17_000;
const BUILDINGS: usize = 300_000;
/// Tiles of one zoom that are measured at most.
const MOST_TILES: usize = 300;
/// The fastest of so many counts: what the work takes when nothing else runs.
const ROUNDS: usize = 5;

fn main() {
    let city = City::new(GRIDS, 7);
    let buildings = things::buildings(&city, BUILDINGS);
    let features: Vec<_> = things::building_features(&city, &buildings).collect();
    let coverage = grounds::demo(GRIDS, 7);
    let view = Arc::new(CoverageView::new("responsibility".into(), coverage, 1, None));
    let layer = Arc::new(Layer::new("building", features, std::slice::from_ref(&view)));
    let layers = [("building".into(), layer.clone())].into();
    let snapshot = Snapshot { coverages: vec![view.clone()], layers, ..Snapshot::empty() };
    // It keeps nothing, so each round makes them all.
    let tiler = Tiler::new(0);
    tiler.prepare(&view, Datum::Wgs84, &|| true);
    let list = |layers: &str, wish: &Wish<'_>| {
        let list = LayerList::parse(layers, view.levels(), snapshot.layers.keys()).unwrap();
        list.choosing(wish, &snapshot).unwrap()
    };
    let plain = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Identity };
    println!("{GRIDS} grids, {BUILDINGS} buildings");
    println!(
        "  {:<34} {:>6} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "layers, zoom", "tiles", "mean ms", "median ms", "p99 ms", "most kB", "left out"
    );
    let few = Wish { fields: Some("name,floors"), ..Wish::default() };
    let clustered = Wish { cluster: Some("on"), sum: Some("households"), ..Wish::default() };
    let warm = Wish { heat: Some("on"), weight: Some("households"), ..Wish::default() };
    let tall = Wish { filter: Some("floors > 20 and kind in ('住宅', '商住')"), ..Wish::default() };
    for (told, layers, wish, zooms) in [
        ("grid,building", "grid,building", Wish::default(), 13..=16),
        ("grid,building fields=name,floors", "grid,building", few, 14..=14),
        ("building", "building", Wish::default(), 13..=16),
        ("building filter", "building", tall, 14..=14),
        ("building clusters", "building", clustered, 8..=15),
        ("building heat", "building", warm, 8..=15),
    ] {
        let list = list(layers, &wish);
        for z in zooms {
            let mut random = Random::of(7, told);
            let mut all: Vec<TileCoord> = (0..MOST_TILES)
                .filter_map(|_| {
                    let p = layer.geometry(random.below(BUILDINGS))?.bounds().min;
                    TileCoord::of(World::from_e7(p.x, p.y), z)
                })
                .collect();
            all.sort_unstable();
            all.dedup();
            let (mut most, mut left_out) = (0, 0);
            let mut times_ms: Vec<f64> = all
                .iter()
                .map(|at| {
                    let one = |_| {
                        let start = Instant::now();
                        let made = tiler.tile(&snapshot, &view, &list, *at, plain).unwrap();
                        let ms = start.elapsed().as_secs_f64() * 1e3;
                        most = most.max(made.as_ref().map_or(0, |tile| tile.bytes.len()));
                        left_out = left_out.max(made.map_or(0, |tile| tile.left_out));
                        ms
                    };
                    (0..ROUNDS).map(one).fold(f64::INFINITY, f64::min)
                })
                .collect();
            times_ms.sort_by(f64::total_cmp);
            let part = |p: usize| times_ms[(times_ms.len() - 1) * p / 100];
            println!(
                "  {:<34} {:>6} {:>10.3} {:>10.3} {:>10.3} {:>10} {left_out:>10}",
                format!("{told} z{z}"),
                times_ms.len(),
                times_ms.iter().sum::<f64>() / times_ms.len() as f64,
                part(50),
                part(99),
                most / 1000,
            );
        }
    }
    gathering(&layer);
}

/// What it takes to gather all of them anew, as after any change.
fn gathering(layer: &Layer) {
    let rows: Vec<usize> = layer.iter().collect();
    let at = |ix: usize| layer.geometry(ix).map(|g| g.bounds().min).map(|p| World::from_e7(p.x, p.y)).unwrap();
    let sites: Vec<tiles::Site> =
        rows.iter().map(|ix| tiles::Site { at: at(*ix), number: layer.number(*ix) }).collect();
    let ones = vec![vec![1.0; sites.len()]];
    let least_s = |work: &dyn Fn()| {
        let one = |_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        };
        (0..ROUNDS).map(one).fold(f64::INFINITY, f64::min)
    };
    let clusters_s = least_s(&|| drop(tiles::Clusters::build(&sites, &ones)));
    let heat_s = least_s(&|| drop(tiles::Heat::build(sites.iter().map(|s| (s.at, 1.0)))));
    println!("  {} points: clusters of all zooms {clusters_s:.3} s, heat {heat_s:.3} s", sites.len());
}
