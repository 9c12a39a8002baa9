//! What a publish costs the tiles that are kept: the time until it is known which of them
//! are other ones now, and how many are made again though they are the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::edit::{Edit, Fresh, Keep, NewArea, Rules, Suffixes};
use boundaries::{AreaId, Bounds, Coverage, Point};
use gridatlas::demo::Random;
use gridatlas::snapshot::{CoverageView, Snapshot};
use gridatlas::tiling::{Datum, Encoding, LayerList, TileOptions, Tiler};
use tiles::{TileCoord, World};

use crate::grounds;
use crate::table::{Bar, Table, median, once_s};

const GRIDS: usize = 17_000;
const SPLITS: usize = 20;
/// Tiles that are kept of each zoom, at most: those around the split and others.
const TILES: usize = 400;
const ZOOMS: [u8; 4] = [9, 11, 13, 15];

pub fn rows(table: &mut Table) {
    let coverage = grounds::demo(GRIDS, 7);
    let view = |coverage, number| Arc::new(CoverageView::new("responsibility".into(), coverage, number, None));
    let mut city = Snapshot { coverages: vec![view(coverage, 1)], ..Snapshot::empty() };
    let tiler = Tiler::new(1 << 30);
    let (prepared_s, ()) = once_s(|| tiler.prepare(&city.coverages[0], Datum::Wgs84, &|| true));
    table.value("changed: all lines, ground and names of 17,000 grids, in s", prepared_s, Bar::None);

    let mut random = Random::of(7, "splits");
    let (mut times_ms, mut changed, mut again, mut kept) = (Vec::new(), 0, 0, 0);
    while times_ms.len() < SPLITS {
        let Some((coverage, at)) = split(&city.coverages[0].coverage, &mut random) else { continue };
        let tiles = tiles_around(&city.coverages[0].coverage, at, &mut random);
        let before = tags(&tiler, &city, &tiles);
        let number = city.coverages[0].revision + 1;
        let next = Snapshot { coverages: vec![view(coverage, number)], ..city.clone() };
        times_ms.push(once_s(|| drop(tiler.follow(&city, &next))).0 * 1e3);
        let so_far = tiler.hits_and_misses().1;
        let after = tags(&tiler, &next, &tiles);
        // Each that is made again misses as a tile and as a layer.
        again += (tiler.hits_and_misses().1 - so_far) as usize / 2;
        changed += before.iter().zip(&after).filter(|(old, new)| old != new).count();
        kept += tiles.len();
        city = next;
    }
    let worst_ms = times_ms.iter().copied().fold(0.0, f64::max);
    table.value(
        "changed: a split of one grid, until the changed tiles are known, in ms",
        median(times_ms),
        Bar::AtMost(20.0),
    );
    table.value("changed: the longest of these, in ms", worst_ms, Bar::AtMost(20.0));
    let others = (again - changed.min(again)) as f64 / (kept - changed) as f64 * 100.0;
    eprintln!("of {kept} tiles {changed} are other ones and {again} were made again");
    table.value("changed: tiles made again though they are the same, in % of all such", others, Bar::AtMost(2.0));
}

/// Cuts some grid in two.
fn split(coverage: &Coverage, random: &mut Random) -> Option<(Coverage, Point)> {
    let id = AreaId(random.below(coverage.area_slots()) as u32);
    let area = coverage.area(id).filter(|area| area.level == coverage.finest())?;
    let b = coverage
        .ground(id)
        .iter()
        .filter_map(|f| coverage.face(*f))
        .map(|f| f.bounds)
        .fold(Bounds::EMPTY, Bounds::union);
    let y = b.min.y + (b.max.y - b.min.y) / 2;
    let line = vec![Point::new(b.min.x - 100, y), Point::new(b.max.x + 100, y)];
    let codes = vec![area.code.clone()];
    let edit = Edit::Split { codes, line, keep: Keep::Largest, new: NewArea::default() };
    let used = Suffixes::default();
    let edited = edit.apply(coverage, &Rules::new(&used, Fresh::after(coverage))).ok()?;
    Some((edited.coverage, Point::new(b.min.x, y)))
}

/// The tiles of some zooms around a place, and others anywhere.
fn tiles_around(coverage: &Coverage, at: Point, random: &mut Random) -> Vec<TileCoord> {
    let b = coverage.bounds();
    let within = |random: &mut Random, low: i32, high: i32| low + random.below((high - low) as usize) as i32;
    let mut tiles = BTreeSet::new();
    for z in ZOOMS {
        let middle = TileCoord::of(World::from_e7(at.x, at.y), z).unwrap();
        for (dx, dy) in (-2..=2).flat_map(|dx| (-2..=2).map(move |dy| (dx, dy))) {
            tiles.insert(
                TileCoord::new(z, middle.x().wrapping_add_signed(dx), middle.y().wrapping_add_signed(dy)).unwrap(),
            );
        }
        for _ in 0..TILES {
            let [x, y] = [within(random, b.min.x, b.max.x), within(random, b.min.y, b.max.y)];
            tiles.insert(TileCoord::of(World::from_e7(x, y), z).unwrap());
        }
    }
    tiles.into_iter().collect()
}

/// The tags of grids and of their names, tile by tile.
fn tags(tiler: &Tiler, city: &Snapshot, tiles: &[TileCoord]) -> Vec<Option<Arc<str>>> {
    let view = &city.coverages[0];
    let options = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Identity };
    let mut tags = Vec::new();
    for layer in ["grid", "label_grid"] {
        let list = LayerList::parse(layer, view.levels(), []).unwrap();
        tags.extend(tiles.iter().map(|t| tiler.tile(city, view, &list, *t, options).unwrap().map(|t| t.etag)));
    }
    tags
}
