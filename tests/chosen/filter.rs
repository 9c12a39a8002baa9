//! `filter=`: which features and areas a tile shows.

use std::collections::BTreeSet;

use gridatlas::snapshot::Snapshot;
use gridatlas::tiling::{Tiler, Wish};

use super::support::{Feature, Value};
use super::town::{buildings, list, snapshot, tile, tiles_of, trees};

fn wish(filter: &str) -> Wish<'_> {
    Wish { filter: Some(filter), ..Wish::default() }
}

/// All features of a list at a zoom, by id.
fn seen(city: &Snapshot, layers: &str, wish: &Wish<'_>) -> Vec<Feature> {
    let tiler = Tiler::new(1 << 22);
    let list = list(city, layers, wish).unwrap();
    let all = tiles_of(city, 15).into_iter().flat_map(|at| tile(&tiler, city, &list, at));
    all.flat_map(|layer| layer.features).collect()
}

fn ids(features: &[Feature], passes: impl Fn(&Feature) -> bool) -> BTreeSet<u64> {
    features.iter().filter(|f| passes(f)).map(|f| f.id.unwrap()).collect()
}

fn number(feature: &Feature, key: &str) -> Option<f64> {
    match feature.tags.get(key)? {
        Value::Uint(u) => Some(*u as f64),
        Value::Double(d) => Some(*d),
        _ => None,
    }
}

#[test]
fn a_filtered_tile_holds_what_passes_and_nothing_else() {
    let city = snapshot(vec![("tree", trees(2_000, 3)), ("building", buildings(900))]);
    let trees = seen(&city, "tree", &Wish::default());
    let owner = trees.iter().map(|f| f.text("owner")).find(|code| !code.is_empty()).unwrap().to_owned();
    let by_owner = format!("owner = '{owner}' and id <> 't1'");
    type Passes<'p> = &'p dyn Fn(&Feature) -> bool;
    let cases: [(&str, Passes<'_>); 5] = [
        ("kind = 'oak'", &|f| f.text("kind") == "oak"),
        ("age between 10 and 20 or kind in ('elm', 'ash')", &|f| {
            (10.0..=20.0).contains(&number(f, "age").unwrap()) || f.text("kind") == "elm"
        }),
        ("height is null", &|f| !f.tags.contains_key("height")),
        ("not height > 12.5", &|f| number(f, "height").is_some_and(|h| h <= 12.5)),
        (&by_owner, &|f| f.tags.contains_key("owner") && f.text("owner") == owner && f.text("id") != "t1"),
    ];
    for (filter, passes) in cases {
        let wanted = ids(&trees, passes);
        assert!(!wanted.is_empty() && wanted.len() < 2_000, "{filter}");
        assert_eq!(ids(&seen(&city, "tree", &wish(filter)), |_| true), wanted, "{filter}");
    }
    // What is not shown can be asked for all the same, as long as it may be shown.
    let few = Wish { fields: Some("name"), filter: Some("floors > 20"), ..Wish::default() };
    let tall = seen(&city, "building", &few);
    assert!(!tall.is_empty() && tall.iter().all(|f| !f.tags.contains_key("floors")));
}

#[test]
fn areas_and_their_names_are_filtered_alike() {
    let city = snapshot(Vec::new());
    let dedicated = seen(&city, "grid,label_grid", &wish("kind = 'dedicated' and level = 'grid'"));
    let all = seen(&city, "grid", &Wish::default());
    let wanted = ids(&all, |f| f.text("kind") == "dedicated");
    assert!(!wanted.is_empty() && wanted.len() < ids(&all, |_| true).len());
    for is_point in [true, false] {
        assert_eq!(ids(&dedicated, |f| (f.parts[0].len() == 1) == is_point), wanted);
    }
    let parent = all[0].text("parent").to_owned();
    let under = seen(&city, "grid", &wish(&format!("parent = '{parent}'")));
    assert_eq!(ids(&under, |_| true), ids(&all, |f| f.text("parent") == parent));
}

#[test]
fn a_filter_that_no_layer_or_not_every_layer_understands_is_refused_with_its_place() {
    let city = snapshot(vec![("tree", trees(10, 3)), ("building", buildings(10))]);
    let refused = |layers, filter| list(&city, layers, &wish(filter)).unwrap_err().to_string();
    let known = "there are name, households, floors, id, owner";
    assert_eq!(
        refused("building", "name = 'a' and phone like '138%'"),
        format!("filter: building, at character 16: there is no property phone; {known}")
    );
    assert_eq!(
        refused("tree,building", "kind = 'oak'"),
        format!("filter: building, at character 1: there is no property kind; {known}")
    );
    assert_eq!(
        refused("grid,tree", "age = 1"),
        "filter: grid, at character 1: there is no property age; there are code, name, kind, level, parent"
    );
    assert_eq!(refused("tree", "age = "), "filter: at character 7: a constant should stand here, and the filter ends");
}

#[test]
fn one_filter_said_in_two_ways_is_one_tile_in_the_cache() {
    let city = snapshot(vec![("tree", trees(500, 3))]);
    let tiler = Tiler::new(1 << 22);
    let of = |filter| list(&city, "tree", &wish(filter)).unwrap();
    let at = tiles_of(&city, 14)[0];
    tile(&tiler, &city, &of("age > 5 and kind = 'oak'"), at);
    let misses = tiler.hits_and_misses().1;
    tile(&tiler, &city, &of("(\"age\">5)  AND kind='oak'"), at);
    assert_eq!(tiler.hits_and_misses().1, misses);
    tile(&tiler, &city, &of("age > 6 and kind = 'oak'"), at);
    assert!(tiler.hits_and_misses().1 > misses);
}
