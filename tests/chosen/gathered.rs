//! `cluster=` and `heat=`: features gathered on the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gridatlas::feature::{Feature, Geometry};
use gridatlas::snapshot::{Layer, Snapshot};
use gridatlas::tiling::{Tiler, Wish};

use super::support::{self, Value};
use super::town::{buildings, cores, list, snapshot, tile, tiles_of, trees};

fn number(feature: &support::Feature, key: &str) -> Option<f64> {
    match feature.tags.get(key)? {
        Value::Uint(u) => Some(*u as f64),
        Value::Int(i) => Some(*i as f64),
        Value::Double(d) => Some(*d),
        _ => None,
    }
}

/// The features that pass, how many points they stand for, and the sum of a key.
fn totals(features: &[support::Feature], count: &str, sum: &str) -> (f64, f64) {
    let points = features.iter().map(|f| number(f, count).unwrap_or(1.0)).sum();
    (points, features.iter().map(|f| number(f, sum).or(number(f, "age")).unwrap_or(0.0)).sum())
}

fn ages(city: &Snapshot) -> f64 {
    let layer = &city.layers["tree"];
    let age = layer.field("age").unwrap();
    layer.iter().map(|ix| layer.value(ix, age).integer().unwrap() as f64).sum()
}

#[test]
fn counts_and_sums_add_up_to_the_whole_at_every_zoom_and_no_cluster_is_twice() {
    let city = snapshot(vec![("tree", trees(3_000, 5))]);
    let tiler = Tiler::new(1 << 22);
    let wish = Wish { cluster: Some("on"), sum: Some("age"), ..Wish::default() };
    let list = list(&city, "tree", &wish).unwrap();
    let total = ages(&city);
    let mut clusters_before = 0;
    for z in 0..=16 {
        let found = cores(&tiler, &city, &list, z);
        let features: Vec<support::Feature> = found.iter().map(|(_, f)| f.clone()).collect();
        assert_eq!(totals(&features, "point_count", "sum_age"), (3_000.0, total), "zoom {z}");
        let ids: BTreeSet<u64> = features.iter().map(|f| f.id.unwrap()).collect();
        assert_eq!(ids.len(), features.len(), "zoom {z}: an id is there twice");
        assert!(features.len() >= clusters_before, "zoom {z}: deeper zooms show more");
        clusters_before = features.len();
        for f in &features {
            let is_cluster = f.tags.get("cluster") == Some(&Value::Bool(true));
            let keys: BTreeSet<&str> = f.tags.keys().map(String::as_str).collect();
            if is_cluster {
                assert_eq!(keys, ["cluster", "point_count", "expansion_zoom", "sum_age"].into());
                let expands = number(f, "expansion_zoom").unwrap();
                assert!(f64::from(z) < expands && expands <= 16.0);
            } else {
                assert!(keys.contains("id") && keys.contains("kind") && !keys.contains("point_count"));
            }
        }
        assert_eq!(features.iter().any(|f| f.tags.contains_key("cluster")), z <= 15, "zoom {z}");
        if z == 3 {
            assert_eq!(features.len(), 1, "far away all are one");
        }
    }
}

#[test]
fn neighbouring_tiles_show_a_cluster_at_their_seam_alike() {
    let city = snapshot(vec![("tree", trees(5_000, 6))]);
    let tiler = Tiler::new(1 << 22);
    let list = list(&city, "tree", &Wish { cluster: Some("tree"), ..Wish::default() }).unwrap();
    let mut in_buffers = 0;
    for z in [11, 13, 14, 15] {
        let mut seen: BTreeMap<u64, (i64, i64, support::Feature)> = BTreeMap::new();
        for at in tiles_of(&city, z) {
            for f in tile(&tiler, &city, &list, at).into_iter().flat_map(|layer| layer.features) {
                let (x, y) = f.parts[0][0];
                let (x, y) = (i64::from(x) + i64::from(at.x()) * 4096, i64::from(y) + i64::from(at.y()) * 4096);
                let id = f.id.unwrap();
                if let Some((x0, y0, other)) = seen.get(&id) {
                    assert_eq!((*x0, *y0, &other.tags), (x, y, &f.tags), "zoom {z}");
                    in_buffers += 1;
                }
                seen.insert(id, (x, y, f));
            }
        }
    }
    assert!(in_buffers > 10, "{in_buffers}");
}

#[test]
fn a_filter_decides_who_is_gathered() {
    let city = snapshot(vec![("tree", trees(2_000, 7))]);
    let layer = &city.layers["tree"];
    let (kind, age) = (layer.field("kind").unwrap(), layer.field("age").unwrap());
    let oaks: Vec<usize> = layer.iter().filter(|ix| layer.value(*ix, kind).text() == Some("oak")).collect();
    let sum: f64 = oaks.iter().map(|ix| layer.value(*ix, age).integer().unwrap() as f64).sum();
    let tiler = Tiler::new(1 << 22);
    let filter = Some("kind = 'oak'");
    let clustered = Wish { cluster: Some("on"), sum: Some("age"), filter, ..Wish::default() };
    let warm = Wish { heat: Some("on"), weight: Some("tree.age"), filter, ..Wish::default() };
    for (wish, count, key) in [(clustered, "point_count", "sum_age"), (warm, "count", "weight")] {
        let list = list(&city, "tree", &wish).unwrap();
        for z in [5, 12, 14, 18] {
            let found: Vec<_> = cores(&tiler, &city, &list, z).into_iter().map(|(_, f)| f).collect();
            assert_eq!(totals(&found, count, key), (oaks.len() as f64, sum), "zoom {z}, {key}");
        }
    }
}

#[test]
fn heat_is_in_no_tile_twice_and_buildings_give_off_theirs() {
    let city = snapshot(vec![("building", buildings(900)), ("tree", trees(1_000, 8))]);
    let tiler = Tiler::new(1 << 22);
    let wish = Wish { heat: Some("on"), weight: Some("building.households"), ..Wish::default() };
    let list = list(&city, "building,tree", &wish).unwrap();
    let households: f64 = (0..900).map(|i| f64::from(i % 60)).sum();
    for z in [0, 4, 10, 13, 16] {
        let (mut weight, mut count, mut most) = (0.0, 0.0, 0);
        for at in tiles_of(&city, z) {
            for layer in tile(&tiler, &city, &list, at) {
                most = most.max(layer.features.len());
                for f in &layer.features {
                    let (x, y) = f.parts[0][0];
                    assert!((0..4096).contains(&x) && (0..4096).contains(&y));
                    count += number(f, "count").unwrap();
                    weight += number(f, "weight").unwrap();
                }
            }
        }
        // Trees have no weight of their own: each counts for one.
        assert_eq!((count, weight), (1_900.0, households + 1_000.0), "zoom {z}");
        assert!(most <= 4096, "zoom {z}: {most} warm places in a tile");
    }
}

#[test]
fn a_point_that_comes_is_seen_in_every_cluster_that_it_joins() {
    let first = snapshot(vec![("tree", trees(800, 9))]);
    let tiler = Tiler::new(1 << 22);
    let wish = Wish { cluster: Some("on"), sum: Some("age"), ..Wish::default() };
    let total = |city: &Snapshot, z| {
        let list = list(city, "tree", &wish).unwrap();
        let found: Vec<_> = cores(&tiler, city, &list, z).into_iter().map(|(_, f)| f).collect();
        totals(&found, "point_count", "sum_age")
    };
    let before: Vec<_> = (8..=16).map(|z| total(&first, z)).collect();
    let one = trees(1, 77).pop().unwrap();
    let place =
        Geometry::Point(boundaries::Point::new(super::city::ORIGIN.x + 299_000, super::city::ORIGIN.y + 299_000));
    let put = Feature { id: "new".into(), geometry: place, ..one };
    let layer: Layer = first.layers["tree"].updated(2, &[(5_000, put)], &[]);
    let second = Snapshot { layers: [("tree".into(), Arc::new(layer))].into(), ..first.clone() };
    tiler.follow(&first, &second);
    let more = ages(&second) - ages(&first);
    for (z, (count, sum)) in (8..=16).zip(before) {
        assert_eq!(total(&second, z), (count + 1.0, sum + more), "zoom {z}");
        assert_eq!(total(&first, z), (count, sum), "zoom {z}, as it was");
    }
}

#[test]
fn what_cant_be_gathered_is_refused_and_the_document_tells_what_can() {
    let city = snapshot(vec![("tree", trees(10, 1)), ("building", buildings(10))]);
    let refused = |layers, wish: Wish<'_>| list(&city, layers, &wish).unwrap_err().to_string();
    let wish = Wish::default();
    let on = Some("on");
    for (layers, wish, part) in [
        ("tree", Wish { sum: Some("age"), ..wish }, "say cluster=on"),
        ("tree", Wish { weight: Some("age"), ..wish }, "say heat=on"),
        ("tree", Wish { cluster: on, sum: Some("kind"), ..wish }, "kind holds no numbers"),
        ("building", Wish { cluster: on, sum: Some("phone"), ..wish }, "no phone that tiles show"),
        ("tree", Wish { cluster: on, heat: on, ..wish }, "not both"),
        ("tree", Wish { cluster: Some("building"), ..wish }, "neither on, off nor a layer"),
        ("grid", Wish { heat: on, ..wish }, "no layer of features"),
        ("tree,building", Wish { cluster: Some("tree"), sum: Some("building.households"), ..wish }, "say cluster=on"),
    ] {
        let why = refused(layers, wish);
        assert!(why.contains(part), "{layers}: {why}");
    }
    let tiler = Tiler::new(1 << 20);
    let told = |wish: Wish<'_>| {
        let list = list(&city, "tree", &wish).unwrap();
        let json = tiler.tilejson(&city, &city.coverages[0], &list, "x");
        let layer = &json["vector_layers"][0];
        assert_eq!(layer["minzoom"], 0);
        layer["fields"].as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    let clusters = told(Wish { cluster: on, fields: Some("kind"), sum: Some("age,height"), ..wish });
    assert_eq!(clusters, "cluster expansion_zoom id kind owner point_count sum_age sum_height");
    assert_eq!(told(Wish { heat: on, ..wish }), "count weight");
}
