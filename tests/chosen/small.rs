//! Ground that is too small to be seen: merged to blocks, or left out and counted.

use std::collections::{BTreeMap, BTreeSet};

use boundaries::{Point, Polygon};
use gridatlas::feature::{Feature, Geometry, Value as Attribute};
use gridatlas::tiling::{Tiler, Wish};

use super::city;
use super::support::{self, Value, judge_shapes};
use super::town::{Dice, list, snapshot, tile, tiles_of};

/// Sheds of 4 m, close together in a strip and far apart around it.
fn sheds(count: usize, seed: u64) -> Vec<Feature> {
    let mut dice = Dice(seed);
    (0..count)
        .map(|i| {
            let (wide, high) = if i % 4 == 0 { (600_000, 600_000) } else { (400_000, 9_000) };
            let (x, y) = (city::ORIGIN.x + dice.below(wide) as i32, city::ORIGIN.y + dice.below(high) as i32);
            let at = |dx, dy| Point::new(x + dx, y + dy);
            let shell = vec![at(0, 0), at(360, 0), at(360, 360), at(0, 360)];
            Feature {
                id: format!("s{i}").into(),
                geometry: Geometry::Polygons(vec![Polygon { shell, holes: Vec::new() }]),
                properties: vec![("kind".into(), Attribute::Text("shed".into()))],
            }
        })
        .collect()
}

fn count(feature: &support::Feature, key: &str) -> u64 {
    if let Some(Value::Uint(n)) = feature.tags.get(key) { *n } else { 0 }
}

/// Whether a place is in the ground of a feature, by parity.
fn holds(feature: &support::Feature, (x, y): (f64, f64)) -> bool {
    let edges = feature.parts.iter().flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)));
    let crossed = edges.filter(|(a, b)| {
        let (ay, by) = (f64::from(a.1), f64::from(b.1));
        (ay > y) != (by > y) && x < f64::from(b.0 - a.0) * (y - ay) / (by - ay) + f64::from(a.0)
    });
    crossed.count() % 2 == 1
}

#[test]
fn all_that_is_small_is_merged_or_counted_and_blocks_are_the_same_in_every_tile() {
    let city = snapshot(vec![("shed", sheds(12_000, 4))]);
    let tiler = Tiler::new(1 << 22);
    let list = list(&city, "shed", &Wish::default()).unwrap();
    let options = super::town::PLAIN;
    for z in [13, 14] {
        let mut squares: BTreeMap<(i64, i64), bool> = BTreeMap::new();
        let (mut merged, mut left_out, mut again) = (0, 0, 0);
        for at in tiles_of(&city, z) {
            let Some(made) = tiler.tile(&city, &city.coverages[0], &list, at, options).unwrap() else { continue };
            let layers = tile(&tiler, &city, &list, at);
            judge_shapes(&layers, 64).unwrap();
            let [blocks] = &layers[0].features[..] else { panic!("{at}: everything is one feature") };
            merged += count(blocks, "merged");
            left_out += count(blocks, "left_out");
            assert_eq!(count(blocks, "left_out"), u64::from(made.left_out));
            for (row, column) in (-4..260).flat_map(|r| (-4..260).map(move |c| (r, c))) {
                let middle = (f64::from(column * 16 + 8), f64::from(row * 16 + 8));
                let is_filled = holds(blocks, middle);
                let square = (i64::from(at.y()) * 256 + i64::from(row), i64::from(at.x()) * 256 + i64::from(column));
                if let Some(there) = squares.insert(square, is_filled) {
                    assert_eq!(there, is_filled, "{at}: {square:?} in one tile and not in another");
                    again += 1;
                }
            }
        }
        let filled: BTreeSet<_> = squares.iter().filter(|(_, is)| **is).collect();
        assert!(filled.len() > 100 && again > 1_000 && merged > 7_000 && left_out > 0, "{z}: {merged}, {left_out}");
        assert!(merged > 3 * left_out, "zoom {z}: {merged} are merged, {left_out} left out");
    }
}

#[test]
fn from_zoom_15_on_each_is_there_for_itself() {
    let city = snapshot(vec![("shed", sheds(500, 4))]);
    let tiler = Tiler::new(1 << 22);
    let list = list(&city, "shed", &Wish::default()).unwrap();
    let mut ids = BTreeSet::new();
    for at in tiles_of(&city, 15) {
        for f in tile(&tiler, &city, &list, at).iter().flat_map(|layer| &layer.features) {
            assert!(!f.tags.contains_key("merged"));
            ids.insert(f.text("id").to_owned());
        }
    }
    assert_eq!(ids.len(), 500);
}
