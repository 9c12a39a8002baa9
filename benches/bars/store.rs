//! From a store to a snapshot that answers: time, the most memory on the way, and
//! whether what it answers takes longer where more buildings lie in memory.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use boundaries::{Bounds, Point};
use gridatlas::crs::Crs;
use gridatlas::locate::{Detail, Question, Sheets, locate_one};
use gridatlas::snapshot::{Atlas, Snapshot};
use gridatlas::store::Store;
use gridatlas::tiling::{Datum, Encoding, LayerList, TileOptions, Tiler};
use tiles::{TileCoord, World};

use crate::city::Random;
use crate::table::{Bar, Table, median, on_processor_s, once_s, peak_mb, short};
use crate::work;

/// The buildings of a city, and of a very large one.
const CITY: usize = 300_000;
const LARGE: usize = 2_000_000;
/// How often each figure is taken.
const RUNS: usize = 3;
/// Places that are located.
const PLACES: usize = 20_000;

/// Adds the store's rows.
pub fn rows(table: &mut Table) {
    let mut sizes = vec![(CITY, Bar::AtMost(2.0), Bar::AtMost(1_500.0))];
    if is_proof() {
        sizes.push((LARGE, Bar::None, Bar::AtMost(4_000.0)));
    }
    for (buildings, time, memory) in sizes {
        let what = format!("store to snapshot, {buildings} buildings");
        let loaded: Result<Vec<_>, _> = (0..RUNS)
            .map(|_| work::city_store(buildings).and_then(|store| in_its_own_run::<3>("--load", &store)))
            .collect();
        match loaded {
            Ok(runs) => {
                table.value(&format!("{what}, s"), median(runs.iter().map(|r| r[0]).collect()), time);
                table.value(&format!("{what}, peak MB"), median(runs.iter().map(|r| r[1]).collect()), memory);
            }
            Err(why) => table.missing(&what, &why),
        }
    }
    answers(table);
}

/// The long form, which makes a city of 2,000,000 buildings first.
fn is_proof() -> bool {
    std::env::var_os("GRIDATLAS_PROOF").is_some()
}

/// What a process holds once it has loaded a store, in MB; its allocator gives back at
/// once what is free, so that nothing else is counted.
pub fn held_mb(store: &Path) -> Result<f64, String> {
    figures::<3>(this("--load", store)?.env("MIMALLOC_PURGE_DELAY", "0")).map(|[_, _, held_mb]| held_mb)
}

fn in_its_own_run<const N: usize>(what: &str, store: &Path) -> Result<[f64; N], String> {
    figures(&mut this(what, store)?)
}

/// This program, to measure one store in a run of its own.
pub fn this(what: &str, store: &Path) -> Result<Command, String> {
    let mut this = Command::new(std::env::current_exe().map_err(|e| e.to_string())?);
    this.arg(what).arg(store);
    Ok(this)
}

fn figures<const N: usize>(command: &mut Command) -> Result<[f64; N], String> {
    let said = work::run(command)?;
    let figures: Vec<f64> = said.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    figures.try_into().map_err(|_| format!("it said {said}"))
}

/// The rows of both sizes side by side, in turn.
fn answers(table: &mut Table) {
    const WHAT: [&str; 3] = ["tile of areas, µs", "tile of buildings, ns a building", "locate in full, ns"];
    let what = format!("{LARGE} buildings against {CITY}");
    if !is_proof() {
        return table.missing(&what, "takes GRIDATLAS_PROOF=1");
    }
    let both = (|| {
        let stores = [work::city_store(LARGE)?, work::city_store(CITY)?];
        let mut figures = [const { Vec::new() }; 2];
        for _ in 0..RUNS {
            for (store, figures) in stores.iter().zip(&mut figures) {
                figures.push(in_its_own_run::<3>("--answers", store)?);
            }
        }
        Ok::<_, String>(figures)
    })();
    let [large, city] = match both {
        Ok(both) => both,
        Err(why) => return table.missing(&what, &why),
    };
    for (i, name) in WHAT.into_iter().enumerate() {
        let least = |runs: &[[f64; 3]]| runs.iter().map(|r| r[i]).fold(f64::INFINITY, f64::min);
        let (large, city) = (least(&large), least(&city));
        table.ratio(&format!("{name}: {what}"), short(large), short(city), large / city, Bar::AtMost(1.3));
    }
}

fn opened(store: &str) -> Atlas {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { Atlas::open(Store::open(store).await.unwrap()).await.unwrap() })
}

fn middle(bounds: Bounds) -> Point {
    let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
    Point::new(half(bounds.min.x, bounds.max.x), half(bounds.min.y, bounds.max.y))
}

/// Loads a store and prints the seconds until it answered, the peak in MB, and what is
/// held then.
pub fn load(store: &str) {
    let (seconds, atlas) = once_s(|| {
        let atlas = opened(store);
        let snapshot = atlas.present();
        let view = &snapshot.coverages[0];
        black_box(view.locator.place(&view.coverage, middle(view.coverage.bounds())));
        atlas
    });
    let held_mb = crate::table::held_mb();
    println!("{seconds} {} {held_mb}", peak_mb());
    drop(atlas);
}

/// Loads a store and prints what a tile of areas takes in µs, a tile of buildings in ns
/// for each one drawn, and a place located in full in ns: the least processor time of some rounds.
pub fn answer(store: &str) {
    let atlas = opened(store);
    let snapshot = atlas.present();
    let bounds = snapshot.coverages[0].coverage.bounds();
    let areas = tiles_of("community,street,grid,label_grid", &snapshot, 12..=15);
    let buildings = tiles_of("building", &snapshot, 15..=16);
    let mut random = Random(3);
    let places: Vec<Point> = (0..PLACES)
        .map(|_| {
            Point::new(within(&mut random, bounds.min.x, bounds.max.x), within(&mut random, bounds.min.y, bounds.max.y))
        })
        .collect();
    let question = Question::new(&Sheets::default(), &snapshot, &snapshot.coverages, Crs::Wgs84, Detail::Full);
    let locate_s =
        (0..5).map(|_| on_processor_s(|| places.iter().for_each(|p| drop(black_box(locate_one(&question, *p))))).0);
    let locate_ns = locate_s.fold(f64::INFINITY, f64::min) * 1e9 / PLACES as f64;
    println!("{} {} {locate_ns}", areas.seconds * 1e6 / areas.tiles, buildings.seconds * 1e9 / buildings.features);
}

fn within(random: &mut Random, low: i32, high: i32) -> i32 {
    (i64::from(low) + random.below((i64::from(high) - i64::from(low)) as u64) as i64) as i32
}

struct Made {
    seconds: f64,
    tiles: f64,
    features: f64,
}

/// Makes the tiles around the middle of the city, some of each zoom.
fn tiles_of(layers: &str, snapshot: &Snapshot, zooms: std::ops::RangeInclusive<u8>) -> Made {
    let view = &snapshot.coverages[0];
    let list = LayerList::parse(layers, view.levels(), snapshot.layers.keys()).unwrap();
    // Nothing is kept, so each round makes them all.
    let tiler = Tiler::new(0);
    tiler.prepare(view, Datum::Wgs84, &|| true);
    let middle = middle(view.coverage.bounds());
    let mut coords = Vec::new();
    for z in zooms {
        let at = TileCoord::of(World::from_e7(middle.x, middle.y), z).unwrap();
        for x in at.x() - 4..at.x() + 4 {
            coords.extend((at.y() - 4..at.y() + 4).map(|y| TileCoord::new(z, x, y).unwrap()));
        }
    }
    let options = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Identity };
    let mut made = Made { seconds: f64::INFINITY, tiles: coords.len() as f64, features: 0.0 };
    for _ in 0..5 {
        let (seconds, drawn) = on_processor_s(|| {
            let tiles = coords.iter().filter_map(|c| tiler.tile(snapshot, view, &list, *c, options).unwrap());
            tiles.map(|tile| features_of(&tile.bytes)).sum::<usize>()
        });
        made.seconds = made.seconds.min(seconds);
        made.features = drawn as f64;
    }
    made
}

/// How many features a tile has: messages of field 2 in messages of field 3.
fn features_of(tile: &[u8]) -> usize {
    fields(tile).filter(|(field, _)| *field == 3).map(|(_, l)| fields(l).filter(|(field, _)| *field == 2).count()).sum()
}

/// The fields of a protobuf message, by number; what is no message has no bytes.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    fn varint(from: &mut &[u8]) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = from.split_first()?;
            *from = rest;
            value |= u64::from(byte & 127) << shift;
            if byte & 128 == 0 {
                break;
            }
        }
        Some(value)
    }
    std::iter::from_fn(move || {
        let tag = varint(&mut message)?;
        let value = varint(&mut message)?;
        if tag & 7 != 2 {
            return Some((tag >> 3, &[][..]));
        }
        let (body, rest) = message.split_at_checked(value as usize)?;
        message = rest;
        Some((tag >> 3, body))
    })
}
