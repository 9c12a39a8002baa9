//! Tiles of a small made-up city, decoded and judged: what shares a border shares its
//! vertices, what meets at a seam meets, and nothing is lost.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "tiling/city.rs"]
mod city;
#[path = "../tiles/tests/support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use boundaries::{Coverage, Level};
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::snapshot::{CoverageView, Layer, Snapshot};
use gridatlas::tiling::{
    AreaTiles, BaseMap, BaseMapKind, Datum, Encoding, Language, LayerList, StyleSettings, TileOptions, Tiler,
    TilingError,
};
use support::{decode, judge_shapes, twice_area};
use tiles::{Scratch, TileCoord, World};

const PLAIN: TileOptions = TileOptions { datum: Datum::Wgs84, encoding: Encoding::Identity };

/// The tiles of a zoom that show any of the city.
fn tiles_of(coverage: &Coverage, z: u8) -> Vec<TileCoord> {
    let b = coverage.bounds();
    let first = TileCoord::of(World::from_e7(b.min.x, b.max.y), z).unwrap();
    let last = TileCoord::of(World::from_e7(b.max.x, b.min.y), z).unwrap();
    (first.y()..=last.y()).flat_map(|y| (first.x()..=last.x()).map(move |x| TileCoord::new(z, x, y).unwrap())).collect()
}

fn on_rim(p: (i32, i32)) -> bool {
    p.0 == -64 || p.0 == 4160 || p.1 == -64 || p.1 == 4160
}

type Edge = ((i32, i32), (i32, i32));

/// How often each edge is walked forth, less how often back, off the rim of the buffer.
fn balance<'a>(rings: impl IntoIterator<Item = &'a Vec<(i32, i32)>>) -> HashMap<Edge, i32> {
    let mut edges: HashMap<Edge, i32> = HashMap::new();
    for ring in rings {
        for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let (edge, way) = if a <= b { ((*a, *b), 1) } else { ((*b, *a), -1) };
            *edges.entry(edge).or_default() += way;
        }
    }
    edges.retain(|(a, b), n| *n != 0 && !(on_rim(*a) && on_rim(*b)));
    edges
}

#[test]
fn neighbours_share_every_vertex_at_every_zoom_and_level() {
    let coverage = city::coverage(24, 24, 7);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    let topmost = Level(0);
    let mut judged = 0;
    for z in 9..=16 {
        for tile in tiles_of(&coverage, z) {
            // The outline of the whole, which only the topmost level has.
            let Some(whole) = tiles.areas(&mut scratch, "city", topmost, tile) else { continue };
            let whole = decode(&whole).unwrap();
            let outline = balance(whole[0].features.iter().flat_map(|f| &f.parts));
            for level in 1..=3 {
                let Some(bytes) = tiles.areas(&mut scratch, "level", Level(level), tile) else { continue };
                let layers = decode(&bytes).unwrap();
                judge_shapes(&layers, 64).unwrap();
                // Every edge inside is walked once each way; what is left is the outline.
                let loose = balance(layers[0].features.iter().flat_map(|f| &f.parts));
                assert_eq!(loose, outline, "level {level} of {tile}");
                let area = |layers: &[support::Layer]| -> i64 {
                    layers[0].features.iter().flat_map(|f| &f.parts).map(|r| twice_area(r)).sum()
                };
                assert_eq!(area(&layers), area(&whole), "level {level} of {tile} covers what the city covers");
                judged += 1;
            }
        }
    }
    assert!(judged > 500, "{judged} layers judged");
}

#[test]
fn no_area_is_missing_from_the_tiles_that_show_it() {
    let coverage = city::coverage(24, 24, 7);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    for level in 0..=3 {
        for z in tiles.lowest_zoom(Level(level))..=14 {
            let mut seen = BTreeSet::new();
            for tile in tiles_of(&coverage, z) {
                let Some(bytes) = tiles.areas(&mut scratch, "level", Level(level), tile) else { continue };
                seen.extend(decode(&bytes).unwrap()[0].features.iter().map(|f| f.text("code").to_owned()));
            }
            let all: BTreeSet<String> =
                coverage.areas().filter(|(_, a)| a.level == Level(level)).map(|(_, a)| a.code.to_string()).collect();
            assert_eq!(seen, all, "level {level} at zoom {z}");
        }
    }
}

#[test]
fn adjacent_tiles_show_the_same_ground_where_they_overlap() {
    let coverage = city::coverage(24, 24, 7);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    let (mut compared, z) = (0, 12);
    for tile in tiles_of(&coverage, z) {
        let Ok(east) = TileCoord::new(z, tile.x() + 1, tile.y()) else { continue };
        let mut vertices = |t: TileCoord, shift: i32| -> BTreeMap<String, BTreeSet<(i32, i32)>> {
            let Some(bytes) = tiles.areas(&mut scratch, "grid", Level(3), t) else { return BTreeMap::new() };
            let layer = decode(&bytes).unwrap().remove(0);
            // What both tiles hold, short of the rims where each is cut.
            let both = |p: &(i32, i32)| (4096 - 64 < p.0 && p.0 < 4096 + 64) && (-64 < p.1 && p.1 < 4160);
            let of = |f: &support::Feature| {
                f.parts.iter().flatten().map(|p| (p.0 + shift, p.1)).filter(both).collect::<BTreeSet<_>>()
            };
            layer.features.iter().map(|f| (f.text("code").to_owned(), of(f))).filter(|(_, v)| !v.is_empty()).collect()
        };
        let (here, there) = (vertices(tile, 0), vertices(east, 4096));
        assert_eq!(here, there, "between {tile} and {east}");
        compared += here.values().map(BTreeSet::len).sum::<usize>();
    }
    assert!(compared > 100, "{compared} vertices compared");
}

#[test]
fn areas_carry_what_is_promised_of_them() {
    let coverage = city::coverage(24, 24, 7);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let mut scratch = Scratch::default();
    for tile in tiles_of(&coverage, 13) {
        let Some(bytes) = tiles.areas(&mut scratch, "grid", Level(3), tile) else { continue };
        for feature in &decode(&bytes).unwrap()[0].features {
            let id = coverage.area_by_code(feature.text("code")).unwrap();
            let area = coverage.area(id).unwrap();
            assert_eq!(feature.id, Some(u64::from(id.0)));
            assert_eq!(feature.text("name"), &*area.name);
            assert_eq!(feature.text("kind"), &*area.kind);
            assert_eq!(feature.text("parent"), &*coverage.area(area.parent.unwrap()).unwrap().code);
        }
    }
}

#[test]
fn every_area_has_one_name_and_it_stands_in_the_area() {
    let coverage = city::coverage(24, 24, 7);
    let tiles = AreaTiles::new(&coverage, Datum::Wgs84);
    let locator = boundaries::Locator::build(&coverage);
    let mut scratch = Scratch::default();
    for level in 0..=3u8 {
        let z = 14;
        let mut named: BTreeMap<String, u32> = BTreeMap::new();
        for tile in tiles_of(&coverage, z) {
            let Some(bytes) = tiles.labels(&mut scratch, "label", Level(level), tile) else { continue };
            for feature in &decode(&bytes).unwrap()[0].features {
                let (x, y) = feature.parts[0][0];
                if !(0..4096).contains(&x) || !(0..4096).contains(&y) {
                    continue;
                }
                *named.entry(feature.text("code").to_owned()).or_default() += 1;
                let at = city::lattice_point(tile, x, y);
                let owner = coverage.owner_at(locator.face_at(at), Level(level)).unwrap();
                assert_eq!(&*coverage.area(owner).unwrap().code, feature.text("code"));
            }
        }
        let areas = coverage.areas().filter(|(_, a)| a.level == Level(level)).count();
        assert_eq!(named.len(), areas, "level {level}");
        assert!(named.values().all(|n| *n == 1), "level {level}: {named:?}");
    }
}

fn snapshot(coverage: Coverage, layers: Vec<(&str, Vec<Feature>)>) -> Snapshot {
    let view = Arc::new(CoverageView::new("responsibility".into(), coverage, 1, None));
    let layers = layers
        .into_iter()
        .map(|(name, features)| (name.into(), Arc::new(Layer::new(name, features, std::slice::from_ref(&view)))))
        .collect();
    Snapshot { coverages: vec![view], layers, ..Snapshot::empty() }
}

fn list(snapshot: &Snapshot, text: &str) -> LayerList {
    LayerList::parse(text, snapshot.coverages[0].levels(), snapshot.layers.keys()).unwrap()
}

/// Buildings in one block, each of 20 m, and as many points.
fn crowd(count: usize) -> Vec<Feature> {
    let origin = city::ORIGIN;
    (0..count as i32)
        .map(|i| {
            let (x, y) = (origin.x + (i % 300) * 1_000, origin.y + 100_000 + (i / 300) * 1_000);
            let at = |dx, dy| boundaries::Point::new(x + dx, y + dy);
            let shell = vec![at(0, 0), at(400 + i % 400, 0), at(400 + i % 400, 600), at(0, 600)];
            let polygon = boundaries::Polygon { shell, holes: Vec::new() };
            Feature {
                id: format!("b{i}").into(),
                geometry: Geometry::Polygons(vec![polygon]),
                properties: vec![
                    ("name".into(), Value::Text(format!("{}号楼", i % 40).into())),
                    ("households".into(), Value::Integer(i64::from(i % 60))),
                    ("secret".into(), Value::Text("not for tiles".into())),
                ],
            }
        })
        .collect()
}

#[test]
fn a_request_for_several_layers_gets_each_under_its_name() {
    let city = snapshot(city::coverage(24, 24, 7), vec![("building", crowd(500))]);
    let tiler = Tiler::new(1 << 20);
    let layers = list(&city, "grid,label_grid,building,street");
    let tile = TileCoord::of(World::from_e7(city::ORIGIN.x + 100_000, city::ORIGIN.y + 100_500), 14).unwrap();
    let whole = tiler.tile(&city, &city.coverages[0], &layers, tile, PLAIN).unwrap().unwrap();
    let decoded = decode(&whole.bytes).unwrap();
    judge_shapes(&decoded, 64).unwrap();
    let names: Vec<_> = decoded.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["grid", "label_grid", "building", "street"]);

    let building = &decoded[2].features[0];
    let owner = building.text("owner");
    assert!(city.coverages[0].coverage.area_by_code(owner).is_some(), "{owner}");
    assert!(building.text("id").starts_with('b') && building.text("name").ends_with("号楼"));
    assert!(building.tags.contains_key("households") && !building.tags.contains_key("secret"));

    // Asked again it is the same, from the cache; packed it is the same content under another tag.
    let (_, misses) = tiler.hits_and_misses();
    let again = tiler.tile(&city, &city.coverages[0], &layers, tile, PLAIN).unwrap().unwrap();
    assert_eq!((again, tiler.hits_and_misses().1), (whole.clone(), misses));
    let packed = TileOptions { encoding: Encoding::Gzip, ..PLAIN };
    let packed = tiler.tile(&city, &city.coverages[0], &layers, tile, packed).unwrap().unwrap();
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.bytes[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, whole.bytes);
    assert_ne!(packed.etag, whole.etag);
}

#[test]
fn there_is_no_tile_where_there_is_nothing() {
    let city = snapshot(city::coverage(6, 6, 7), vec![("building", crowd(10))]);
    let tiler = Tiler::new(1 << 20);
    let get = |text: &str, z, x, y| {
        let tile = TileCoord::new(z, x, y).unwrap();
        tiler.tile(&city, &city.coverages[0], &list(&city, text), tile, PLAIN)
    };
    assert_eq!(get("grid,building", 10, 0, 0).unwrap(), None);
    // Below the layer's lowest zoom, though the ground is there.
    assert_eq!(get("building", 0, 0, 0).unwrap(), None);
    assert_eq!(get("grid", 19, 0, 0), Err(TilingError::ZoomTooDeep { z: 19 }));
}

#[test]
fn a_crowded_tile_stays_within_its_limit_and_says_what_it_left_out() {
    let city = snapshot(city::coverage(6, 6, 7), vec![("building", crowd(60_000))]);
    let tiler = Tiler::new(1 << 24);
    let tile = TileCoord::of(World::from_e7(city::ORIGIN.x + 150_000, city::ORIGIN.y + 200_000), 14).unwrap();
    let options = TileOptions { encoding: Encoding::Gzip, ..PLAIN };
    let packed = tiler.tile(&city, &city.coverages[0], &list(&city, "grid,building"), tile, options).unwrap().unwrap();
    assert!(packed.bytes.len() <= gridatlas::tiling::MAX_TILE_BYTES, "{} bytes", packed.bytes.len());
    let plain = tiler.tile(&city, &city.coverages[0], &list(&city, "grid,building"), tile, PLAIN).unwrap().unwrap();
    let layers = decode(&plain.bytes).unwrap();
    let building = &layers[1].features;
    assert!(plain.left_out > 0);
    assert_eq!(building[0].tags["left_out"], support::Value::Uint(u64::from(plain.left_out)));
    assert!(building[1..].iter().all(|f| !f.tags.contains_key("left_out")));
    // The largest are the ones that stay.
    let size = |f: &support::Feature| twice_area(&f.parts[0]);
    assert!(building.iter().map(size).min().unwrap() >= 1);
    // And the areas are all there.
    assert_eq!(layers[0].name, "grid");
}

#[test]
fn another_datum_moves_everything_by_hundreds_of_metres_and_keeps_it_whole() {
    let coverage = city::coverage(8, 8, 7);
    for (datum, metres) in [(Datum::Gcj02, 400.0..530.0), (Datum::Bd09, 900.0..1300.0)] {
        moved_and_whole(&coverage, datum, metres);
    }
}

fn moved_and_whole(coverage: &Coverage, datum: Datum, metres: std::ops::Range<f64>) {
    let (plain, bent) = (AreaTiles::new(coverage, Datum::Wgs84), AreaTiles::new(coverage, datum));
    let mut scratch = Scratch::default();
    let z = 14;
    let unit_m = 40_075_016.7 / 4096.0 / f64::from(1 << z) * 0.81;
    let mut offsets = Vec::new();
    for tile in tiles_of(coverage, z) {
        let mut labels = |tiles: &AreaTiles| -> BTreeMap<u64, (i32, i32)> {
            let Some(bytes) = tiles.labels(&mut scratch, "label", Level(3), tile) else { return BTreeMap::new() };
            decode(&bytes).unwrap()[0].features.iter().map(|f| (f.id.unwrap(), f.parts[0][0])).collect()
        };
        let (here, there) = (labels(&plain), labels(&bent));
        for (id, p) in &here {
            let Some(q) = there.get(id) else { continue };
            offsets.push(f64::from(p.0 - q.0).hypot(f64::from(p.1 - q.1)) * unit_m);
        }
        if let (Some(whole), Some(grid)) =
            (bent.areas(&mut scratch, "city", Level(0), tile), bent.areas(&mut scratch, "grid", Level(3), tile))
        {
            let of = |bytes: &[u8]| balance(decode(bytes).unwrap()[0].features.iter().flat_map(|f| &f.parts));
            assert_eq!(of(&grid), of(&whole), "{tile}");
        }
    }
    assert!(offsets.len() > 10 && offsets.iter().all(|m| metres.contains(m)), "{datum:?}: {offsets:?}");
}

#[test]
fn a_pyramid_has_every_tile_that_has_anything_once() {
    let city = snapshot(city::coverage(12, 12, 7), vec![("building", crowd(2_000))]);
    let tiler = Tiler::new(1 << 20);
    let layers = list(&city, "grid,building");
    let view = &city.coverages[0];
    let mut pyramid = tiler.pyramid(&city, view, &layers, 0..=15, PLAIN);
    let (left, mut looked_at, mut all) = (pyramid.left(), 0, Vec::new());
    while let Some(batch) = pyramid.next_batch().unwrap() {
        looked_at += batch.looked_at;
        all.extend(batch.tiles);
    }
    assert_eq!((looked_at, pyramid.left()), (left, 0));
    let order =
        |at: &TileCoord| pmtiles::TileId::from(pmtiles::TileCoord::new(at.z(), at.x(), at.y()).unwrap()).value();
    assert!(all.windows(2).all(|w| order(&w[0].0) < order(&w[1].0)), "in the order of PMTiles");
    let addresses: BTreeSet<_> = all.iter().map(|(at, _)| *at).collect();
    assert_eq!(addresses.len(), all.len());
    for (at, tile) in &all {
        assert_eq!(tiler.tile(&city, view, &layers, *at, PLAIN).unwrap().as_ref(), Some(tile));
        // Nothing lies around the ones that are there but what is there itself.
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            let (x, y) = (at.x().wrapping_add_signed(dx), at.y().wrapping_add_signed(dy));
            let Ok(beside) = TileCoord::new(at.z(), x, y) else { continue };
            if !addresses.contains(&beside) {
                assert_eq!(tiler.tile(&city, view, &layers, beside, PLAIN).unwrap(), None, "{beside}");
            }
        }
    }
    assert!(all.len() > 50, "{}", all.len());
}

#[test]
fn a_style_has_every_level_and_layer_and_nothing_left_to_fill_in() {
    let city = snapshot(city::coverage(8, 8, 7), vec![("building", crowd(10)), ("tree pit", crowd(3))]);
    let tiler = Tiler::new(1 << 20);
    let view = &city.coverages[0];
    let base_map = BaseMap {
        kind: BaseMapKind::Raster,
        url: "https://example.org/{z}/{x}/{y}.png".into(),
        datum: Datum::Gcj02,
        attribution: "Example".into(),
    };
    for name in Tiler::style_names() {
        for base_map in [None, Some(&base_map)] {
            let language = if base_map.is_some() { Language::English } else { Language::Chinese };
            let settings = StyleSettings { base_url: "https://city.example/map", base_map, language };
            let style = tiler.style(&city, view, &name, &settings).unwrap();
            let text = style.to_string();
            assert_eq!(text.contains("Grid "), base_map.is_some());
            assert!(
                !text.contains("{Level}")
                    && !text.contains("\"$")
                    && !text.contains("{level}")
                    && !text.contains("{layer}"),
                "{text}"
            );
            assert!(style.get("glyphs").is_none() && style.get("sprite").is_none());
            let layers = style["layers"].as_array().unwrap();
            let ids: BTreeSet<_> = layers.iter().map(|l| l["id"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), layers.len(), "each layer has an id of its own");
            for wanted in ["city-line", "grid-line", "street-name", "grid-ground", "building-ground"] {
                assert!(ids.contains(wanted), "{wanted} of {ids:?}");
            }
            assert_eq!(ids.contains("tree pit-point"), name.starts_with("atlas") || name.starts_with("planning"));
            for layer in layers.iter().filter(|l| l["type"] != "background") {
                assert!(style["sources"].get(layer["source"].as_str().unwrap()).is_some(), "{layer}");
                assert!(no_nulls(&layer["paint"]) && no_nulls(&layer["layout"]), "{layer}");
            }
            let url = style["sources"]["areas"]["tiles"][0].as_str().unwrap();
            assert!(url.starts_with("https://city.example/map/tiles/city,street,community,grid,label_city,"), "{url}");
            assert_eq!(url.ends_with("/{z}/{x}/{y}?datum=gcj02"), base_map.is_some(), "{url}");
            assert_eq!(ids.contains("base-raster"), base_map.is_some());
            if let Ok(folder) = std::env::var("GRIDATLAS_TEST_STYLES") {
                let file = format!("{folder}/{name}{}.json", if base_map.is_some() { "-base" } else { "" });
                std::fs::write(file, &text).unwrap();
            }
        }
    }
    let nope =
        tiler.style(&city, view, "nope", &StyleSettings { base_url: "", base_map: None, language: Language::Chinese });
    assert!(
        nope.unwrap_err().to_string().starts_with("there is no style nope; there are atlas, atlas-dark, portraits,")
    );
}

/// Whether every value of an expression was found; `null` is one only to compare with.
fn no_nulls(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Array(all) => {
            all.first() == Some(&"!=".into()) || all.iter().all(|v| !v.is_null() && no_nulls(v))
        }
        serde_json::Value::Object(all) => all.values().all(|v| !v.is_null() && no_nulls(v)),
        _ => true,
    }
}

/// All tiles of some zooms, as they come from this maker.
fn all_tiles(tiler: &Tiler, city: &Snapshot) -> Vec<Option<Arc<str>>> {
    let layers = list(city, "grid,label_grid,street,building");
    let coverage = &city.coverages[0].coverage;
    let tiles = [10, 12, 14, 15].into_iter().flat_map(|z| tiles_of(coverage, z));
    let options = TileOptions { encoding: Encoding::Gzip, ..PLAIN };
    let tag = |tile| tiler.tile(city, &city.coverages[0], &layers, tile, options).unwrap().map(|t| t.etag);
    tiles.map(tag).collect()
}

#[test]
fn after_a_change_only_tiles_that_it_touched_are_made_again() {
    use boundaries::edit::{Edit, Fresh, Keep, NewArea, Rules, Suffixes};
    let first = snapshot(city::coverage(24, 24, 7), vec![("building", crowd(2_000))]);
    let tiler = Tiler::new(64 << 20);
    let before = all_tiles(&tiler, &first);
    let made = tiler.hits_and_misses().1;

    // A grid is cut in two under some buildings.
    let coverage = &first.coverages[0].coverage;
    let (y, x) = (city::ORIGIN.y + 103_000, city::ORIGIN.x);
    let line = vec![boundaries::Point::new(x - 20_000, y), boundaries::Point::new(x + 70_000, y)];
    let split = Edit::Split { codes: vec!["3700000002".into()], line, keep: Keep::Largest, new: NewArea::default() };
    let codes = Suffixes::default();
    let edited = split.apply(coverage, &Rules::new(&codes, Fresh::after(coverage))).unwrap();
    let view = Arc::new(first.coverages[0].updated(edited.coverage, 2, None));
    let coverages = vec![view];
    let layer = Arc::new(first.layers["building"].reowned(&coverages));
    let second = Snapshot { coverages, layers: [("building".into(), layer)].into(), ..first.clone() };

    // And a building is put.
    let one = crowd(1_500).pop().unwrap();
    let moved = Geometry::Point(boundaries::Point::new(city::ORIGIN.x + 555_000, city::ORIGIN.y + 555_000));
    let layer = second.layers["building"].updated(3, &[(1_500, Feature { geometry: moved, ..one })], &[]);
    let third = Snapshot { layers: [("building".into(), Arc::new(layer))].into(), ..second.clone() };

    let mut states = [before, Vec::new(), Vec::new()];
    for (i, (old, new)) in [(&first, &second), (&second, &third)].into_iter().enumerate() {
        tiler.follow(old, new);
        let so_far = tiler.hits_and_misses().1;
        states[i + 1] = all_tiles(&tiler, new);
        let again = tiler.hits_and_misses().1 - so_far;
        assert_eq!(states[i + 1], all_tiles(&Tiler::new(1 << 20), new), "a tile was kept that is another now");
        let changed = states[i].iter().zip(&states[i + 1]).filter(|(old, new)| old != new).count();
        assert!(changed > 0);
        println!("step {i}: {changed} of {} tiles changed, {again} made of {made}", states[i].len());
        assert!(again * 8 < made, "{again} layers and tiles of {made} were made again");
    }
    // What was there first is still known as it was.
    let so_far = tiler.hits_and_misses().1;
    assert_eq!(all_tiles(&tiler, &first), states[0]);
    assert_eq!(tiler.hits_and_misses().1, so_far);
}
