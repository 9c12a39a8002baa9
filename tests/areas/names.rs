//! The places of names: one an area, the same in every tile and at every zoom.

use std::collections::{BTreeMap, BTreeSet};

use boundaries::Level;
use gridatlas::tiling::{AreaTiles, Datum};
use tiles::{Scratch, TileCoord};

use super::city;
use super::range;
use super::support::decode;

#[test]
fn an_area_has_one_name_in_the_world_at_each_zoom_and_it_stays_where_it_is() {
    let coverage = city::coverage(12, 12, 7);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    for level in (0..4).map(Level) {
        let all: BTreeSet<u64> =
            coverage.areas().filter(|(_, a)| a.level == level).map(|(id, _)| u64::from(id.0)).collect();
        // From the deepest zoom upwards: where each stood one zoom deeper.
        let mut deeper: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
        for z in (tiles.lowest_zoom(level)..=15).rev() {
            let (mut places, mut in_cores) = (BTreeMap::<u64, (i64, i64)>::new(), BTreeMap::<u64, u32>::new());
            let [columns, rows] = range(&coverage, z);
            for at in columns.flat_map(|x| rows.clone().map(move |y| TileCoord::new(z, x, y).unwrap())) {
                let Some(bytes) = tiles.labels(&mut scratch, "names", level, at) else { continue };
                for feature in &decode(&bytes).unwrap()[0].features {
                    let (x, y) = feature.parts[0][0];
                    let place = (i64::from(x) + i64::from(at.x()) * 4096, i64::from(y) + i64::from(at.y()) * 4096);
                    let id = feature.id.unwrap();
                    assert_eq!(*places.entry(id).or_insert(place), place, "{id} in {at} and beside it");
                    if (0..4096).contains(&x) && (0..4096).contains(&y) {
                        *in_cores.entry(id).or_default() += 1;
                    }
                }
            }
            assert_eq!(in_cores.keys().copied().collect::<BTreeSet<_>>(), all, "{level:?} at zoom {z}");
            assert!(in_cores.values().all(|n| *n == 1), "{level:?} at zoom {z}: {in_cores:?}");
            for (id, (x, y)) in &deeper {
                // Rounded once from the same place: half a unit here is one there.
                let (dx, dy) = (places[id].0 * 2 - x, places[id].1 * 2 - y);
                assert!((-1..=1).contains(&dx) && (-1..=1).contains(&dy), "{id} at zoom {z} moved by {dx}, {dy}");
            }
            deeper = places;
        }
    }
}
