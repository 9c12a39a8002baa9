//! `fields=`: which attributes a tile shows.

use std::collections::BTreeSet;

use gridatlas::tiling::{Tiler, Wish};
use tiles::TileCoord;

use super::town::{PLAIN, buildings, keys, list, snapshot, tile, tiles_of, trees};

fn wish(fields: &str) -> Wish<'_> {
    Wish { fields: Some(fields), ..Wish::default() }
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

#[test]
fn a_tile_shows_the_attributes_that_are_chosen_and_its_document_says_so() {
    let city = snapshot(vec![("building", buildings(600)), ("tree", trees(500, 1))]);
    let tiler = Tiler::new(1 << 22);
    let view = &city.coverages[0];
    let cases: [(&str, &str, &[&[&str]]); 7] = [
        ("building", "name", &[&["name"]]),
        ("building", "households, name,name", &[&["name", "households"]]),
        ("building", "floors", &[&["floors"]]),
        ("building", "", &[&[]]),
        ("building,tree", "building.name,tree.age", &[&["name"], &["age"]]),
        ("building,tree", "tree.age", &[&["name", "households"], &["age"]]),
        ("grid,tree", "kind", &[&[], &["kind"]]),
    ];
    for (layers, fields, wanted) in cases {
        let list = list(&city, layers, &wish(fields)).unwrap();
        let json = tiler.tilejson(&city, view, &list, "x");
        let names: Vec<&str> = layers.split(',').collect();
        let mut seen = 0;
        for layer in tiles_of(&city, 14).into_iter().flat_map(|at| tile(&tiler, &city, &list, at)) {
            let place = names.iter().position(|n| *n == layer.name).unwrap();
            if layer.name != "grid" {
                assert_eq!(
                    keys(&layer),
                    set(wanted[place]).union(&set(&["id", "owner"])).cloned().collect(),
                    "{layers} {fields}"
                );
                seen += layer.features.len();
            }
        }
        assert!(seen > 0, "{layers} {fields}");
        for (layer, names) in json["vector_layers"].as_array().unwrap().iter().zip(wanted) {
            if layer["id"] != "grid" {
                let told: BTreeSet<String> = layer["fields"].as_object().unwrap().keys().cloned().collect();
                assert_eq!(told, set(names).union(&set(&["id", "owner"])).cloned().collect(), "{layers} {fields}");
            }
        }
    }
}

#[test]
fn what_no_tile_shows_cant_be_chosen_and_nobody_is_told_that_it_is_there() {
    let city = snapshot(vec![("building", buildings(10)), ("tree", trees(10, 1))]);
    let refused = |layers, fields| list(&city, layers, &wish(fields)).unwrap_err().to_string();
    let known = "there are name, households, floors";
    assert_eq!(refused("building", "name,phone"), format!("building has no phone that tiles show; {known}"));
    assert_eq!(refused("building", "nope"), format!("building has no nope that tiles show; {known}"));
    assert_eq!(refused("building,tree", "building.phone"), format!("building has no phone that tiles show; {known}"));
    let which = "fields: say of which layer age is, as LAYER.age: there are building, tree";
    assert_eq!(refused("building,tree", "age"), which);
    assert_eq!(refused("grid", "code"), "fields: areas have their code, name, parent and kind, always");
}

#[test]
fn one_choice_said_in_two_ways_is_one_tile_in_the_cache() {
    let city = snapshot(vec![("building", buildings(600))]);
    let tiler = Tiler::new(1 << 22);
    let at = tiles_of(&city, 14).into_iter().find(|at| get(&tiler, &city, "name", *at).is_some()).unwrap();
    let first = get(&tiler, &city, "name,households", at);
    let misses = tiler.hits_and_misses().1;
    assert_eq!(get(&tiler, &city, "building.households,name,", at), first);
    assert_eq!(tiler.hits_and_misses().1, misses);
    assert_ne!(get(&tiler, &city, "name", at), first);
}

fn get(tiler: &Tiler, city: &gridatlas::snapshot::Snapshot, fields: &str, at: TileCoord) -> Option<Vec<u8>> {
    let list = list(city, "building", &wish(fields)).unwrap();
    tiler.tile(city, &city.coverages[0], &list, at, PLAIN).unwrap().map(|tile| tile.bytes.to_vec())
}

#[test]
fn whoever_makes_up_choices_pushes_out_no_usual_tile() {
    let city = snapshot(vec![("tree", trees(20_000, 1))]);
    let tiler = Tiler::new(1 << 19);
    let usual = list(&city, "tree", &Wish::default()).unwrap();
    let at = tiles_of(&city, 15).into_iter().find(|at| !tile(&tiler, &city, &usual, *at).is_empty()).unwrap();
    tile(&tiler, &city, &usual, at);
    for fields in ["kind", "age", "height", "kind,age", "kind,height", "age,height", ""] {
        let made_up = list(&city, "tree", &wish(fields)).unwrap();
        tiles_of(&city, 14).into_iter().for_each(|at| drop(tile(&tiler, &city, &made_up, at)));
    }
    let misses = tiler.hits_and_misses().1;
    tile(&tiler, &city, &usual, at);
    assert_eq!(tiler.hits_and_misses().1, misses, "the usual tile is still there");
}
