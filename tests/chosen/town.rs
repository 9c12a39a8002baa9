//! A small city with buildings, workers and trees, and its tiles.

use std::collections::BTreeSet;
use std::sync::Arc;

use boundaries::Point;
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::snapshot::{CoverageView, Layer, Snapshot};
use gridatlas::tiling::{Datum, Encoding, LayerList, TileOptions, Tiler, TilingError, Wish};
use tiles::{TileCoord, World};

use super::city;
use super::support::{self, decode};

pub(super) const PLAIN: TileOptions = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Identity };

/// Numbers from a seed.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
}

/// A snapshot of these layers over a city of 12 by 12 grids.
pub(super) fn snapshot(layers: Vec<(&str, Vec<Feature>)>) -> Snapshot {
    let view = Arc::new(CoverageView::new("responsibility".into(), city::coverage(12, 12, 7), 1, None));
    let layers = layers
        .into_iter()
        .map(|(name, features)| (name.into(), Arc::new(Layer::new(name, features, std::slice::from_ref(&view)))))
        .collect();
    Snapshot { coverages: vec![view], layers, ..Snapshot::empty() }
}

/// Points on the ground of the city, some of them in one place.
pub(super) fn trees(count: usize, seed: u64) -> Vec<Feature> {
    let mut dice = Dice(seed);
    (0..count)
        .map(|i| {
            let (x, y) = match dice.below(10) {
                0 => (300_000, 300_000),
                1..=5 => (200_000 + dice.below(40_000), 400_000 + dice.below(40_000)),
                _ => (dice.below(600_000), dice.below(600_000)),
            };
            let mut properties = vec![
                ("kind".into(), Value::Text(["oak", "elm", "fir"][dice.below(3)].into())),
                ("age".into(), Value::Integer(dice.below(90) as i64)),
                ("secret".into(), Value::Text("not said".into())),
            ];
            if dice.below(5) > 0 {
                properties.push(("height".into(), Value::Real(dice.below(300) as f64 / 10.0)));
            }
            let place = Point::new(city::ORIGIN.x + x as i32, city::ORIGIN.y + y as i32);
            Feature { id: format!("t{i}").into(), geometry: Geometry::Point(place), properties }
        })
        .collect()
}

/// Buildings in rows.
pub(super) fn buildings(count: usize) -> Vec<Feature> {
    (0..count as i32)
        .map(|i| {
            let (x, y) = (city::ORIGIN.x + 100_000 + i % 60 * 1_500, city::ORIGIN.y + 100_000 + i / 60 * 1_500);
            let at = |dx, dy| Point::new(x + dx, y + dy);
            let shell = vec![at(0, 0), at(900, 0), at(900, 800), at(0, 800)];
            Feature {
                id: format!("b{i}").into(),
                geometry: Geometry::Polygons(vec![boundaries::Polygon { shell, holes: Vec::new() }]),
                properties: vec![
                    ("phone".into(), Value::Text(format!("138{i:08}").into())),
                    ("name".into(), Value::Text(format!("{}号楼", i % 40).into())),
                    ("households".into(), Value::Integer(i64::from(i % 60))),
                    ("floors".into(), Value::Integer(i64::from(1 + i % 30))),
                ],
            }
        })
        .collect()
}

pub(super) fn list(city: &Snapshot, layers: &str, wish: &Wish<'_>) -> Result<LayerList, TilingError> {
    LayerList::parse(layers, city.coverages[0].levels(), city.layers.keys())?.choosing(wish, city)
}

/// The layers of a tile; none where there is nothing.
pub(super) fn tile(tiler: &Tiler, city: &Snapshot, list: &LayerList, at: TileCoord) -> Vec<support::Layer> {
    let made = tiler.tile(city, &city.coverages[0], list, at, PLAIN).unwrap();
    made.map_or_else(Vec::new, |tile| decode(&tile.bytes).unwrap())
}

/// The tiles of a zoom that show any of the city.
pub(super) fn tiles_of(city: &Snapshot, z: u8) -> Vec<TileCoord> {
    let b = city.coverages[0].coverage.bounds();
    let first = TileCoord::of(World::from_e7(b.min.x, b.max.y), z).unwrap();
    let last = TileCoord::of(World::from_e7(b.max.x, b.min.y), z).unwrap();
    (first.y()..=last.y()).flat_map(|y| (first.x()..=last.x()).map(move |x| TileCoord::new(z, x, y).unwrap())).collect()
}

/// All features of a layer at a zoom that stand in the core of their tile, by tile.
pub(super) fn cores(tiler: &Tiler, city: &Snapshot, list: &LayerList, z: u8) -> Vec<(TileCoord, support::Feature)> {
    let mut found = Vec::new();
    for at in tiles_of(city, z) {
        for layer in tile(tiler, city, list, at) {
            let is_core = |f: &support::Feature| {
                let (x, y) = f.parts[0][0];
                (0..4096).contains(&x) && (0..4096).contains(&y)
            };
            found.extend(layer.features.into_iter().filter(is_core).map(|f| (at, f)));
        }
    }
    found
}

/// The keys that any feature of a layer has.
pub(super) fn keys(layer: &support::Layer) -> BTreeSet<String> {
    layer.features.iter().flat_map(|f| f.tags.keys().cloned()).collect()
}
