use std::sync::Arc;

use boundaries::Point;

use super::{Matched, Searcher, Thing, coordinates, fold};
use crate::demo::Random;
use crate::feature::{Feature, Geometry, Value};
use crate::snapshot::tests::three_grids;
use crate::snapshot::{CoverageView, Layer, Snapshot};

const WORDS: [&str; 12] = ["中", "山", "路", "号", "楼", "8", "1", "a", "B", "Ａ", " ", "街道"];

fn some_text(random: &mut Random, most: usize) -> String {
    (0..random.below(most)).map(|_| random.pick(&WORDS)).collect()
}

fn feature(id: String, name: String, address: String) -> Feature {
    Feature {
        id: id.into(),
        geometry: Geometry::Point(Point::new(500, 500)),
        properties: vec![("name".into(), Value::Text(name.into())), ("address".into(), Value::Text(address.into()))],
    }
}

fn city(layers: Vec<(&str, Vec<Feature>)>) -> Snapshot {
    let coverages = vec![Arc::new(CoverageView::new("responsibility".into(), three_grids(), 1, None))];
    let made = layers.into_iter().map(|(name, all)| (name.into(), Arc::new(Layer::new(name, all, &coverages))));
    Snapshot { layers: made.collect(), coverages, ..Snapshot::empty() }
}

#[test]
fn what_is_found_is_what_asking_each_thing_for_itself_finds() {
    let searcher = Searcher::default();
    for seed in 0..60 {
        let mut random = Random::of(seed, "search");
        let mut all = Vec::new();
        for layer in ["building", "party_unit"] {
            let features: Vec<Feature> = (0..40)
                .map(|i| feature(format!("{layer}{i}"), some_text(&mut random, 5), some_text(&mut random, 7)))
                .collect();
            all.push((layer, features));
        }
        let snapshot = city(all);
        for _ in 0..10 {
            let query = some_text(&mut random, 4);
            let folded = fold(&query);
            let terms: Vec<&str> = folded.split(' ').filter(|t| !t.is_empty()).collect();
            let mut expected = Vec::new();
            for (kind, (name, layer)) in
                ["party_unit", "building"].map(|n| (n, snapshot.layer(n).unwrap())).into_iter().enumerate()
            {
                for ix in layer.iter() {
                    let field = |f: &str| fold(layer.value(ix, layer.field(f).unwrap()).text().unwrap());
                    let (id, called, address) = (fold(layer.id(ix)), field("name"), field("address"));
                    let has = |t: &&str| id.contains(*t) || called.contains(*t) || address.contains(*t);
                    if terms.is_empty() || !terms.iter().all(has) {
                        continue;
                    }
                    let rank = [
                        id == folded,
                        called == folded,
                        id.starts_with(&folded),
                        called.starts_with(&folded),
                        id.contains(&folded) || called.contains(&folded),
                        true,
                    ];
                    let rank = rank.iter().position(|is| *is).unwrap();
                    expected.push((rank, kind, id.len() + called.len(), id, name, ix));
                }
            }
            expected.sort();
            let found = searcher.search(&snapshot, None, &query, 15);
            // The areas of this city are s, a, b and c: found by a letter alone.
            let hits: Vec<(&str, usize)> = found
                .hits
                .iter()
                .filter_map(|hit| match hit.thing {
                    Thing::Feature(ix) => Some((&*hit.of, ix)),
                    Thing::Area(_) => None,
                })
                .collect();
            let expected: Vec<(&str, usize)> = expected.iter().map(|(.., name, ix)| (*name, *ix)).collect();
            assert_eq!(hits, expected[..hits.len()], "seed {seed}: {query:?}");
            assert!(found.hits.len() == 15 || hits.len() == expected.len(), "seed {seed}: {query:?}");
            assert_eq!(found.total - (found.total - expected.len()).min(4), expected.len(), "seed {seed}: {query:?}");
        }
    }
}

#[test]
fn a_whole_code_comes_before_a_beginning_and_that_before_a_part() {
    let named = |id: &str, name: &str| feature(id.to_owned(), name.to_owned(), "中山路8号".to_owned());
    let snapshot = city(vec![(
        "building",
        vec![named("x1", "Ｂ座"), named("b", "9号楼"), named("x2", "老b座"), named("b7", "楼")],
    )]);
    let found = Searcher::default().search(&snapshot, None, "B", 10);
    let told: Vec<(&str, Matched)> = found.hits.iter().map(|hit| (&*hit.of, hit.matched)).collect();
    let expected = [
        ("responsibility", Matched::Code),
        ("building", Matched::Code),
        ("building", Matched::CodeBegins),
        ("building", Matched::NameBegins),
        ("building", Matched::Within),
    ];
    assert_eq!(told, expected);
    let found = Searcher::default().search(&snapshot, None, "中山 8号", 2);
    assert_eq!((found.total, found.hits.len(), found.hits[0].matched), (4, 2, Matched::Address));
    assert_eq!(Searcher::default().search(&snapshot, None, " \u{1f} ", 2).total, 0);
}

#[test]
fn numbers_are_read_as_people_paste_them() {
    let told = |lon, lat| Some((lon, lat, true));
    let table = [
        ("117.1,36.6", told(117.1, 36.6)),
        ("117.1 36.6", told(117.1, 36.6)),
        ("36.6，117.1", told(117.1, 36.6)),
        ("36.6N 117.1E", told(117.1, 36.6)),
        ("N36.6, E117.1", told(117.1, 36.6)),
        ("36.6S 70.5W", told(-70.5, -36.6)),
        ("东经117.1 北纬36.6", told(117.1, 36.6)),
        ("北纬36.6°，东经117.1°", told(117.1, 36.6)),
        ("36°36′N 117°6′E", told(117.1, 36.6)),
        ("36°36'0\"N, 117°06'0.0\"E", told(117.1, 36.6)),
        ("36度36分 117度6分", told(117.1, 36.6)),
        ("-70.5 -33.4", Some((-70.5, -33.4, false))),
        ("36.6 50", Some((36.6, 50.0, false))),
        ("117.1", None),
        ("117.1 36.6 5", None),
        ("117.1,236.6", None),
        ("36.6N 37.1N", None),
        ("36°70'N 117°6'E", None),
        ("中山路8号 3号楼", None),
        ("370202001001", None),
        ("1.2.3 4", None),
        ("", None),
    ];
    for (text, expected) in table {
        let read = coordinates(text, true)
            .map(|r| ((r.lon * 1e9).round() / 1e9, (r.lat * 1e9).round() / 1e9, r.is_order_told));
        assert_eq!(read, expected, "{text}");
    }
    let metres = coordinates("501234.5, 4001234.5", false).map(|r| (r.lon, r.lat, r.is_order_told));
    assert_eq!(metres, Some((501_234.5, 4_001_234.5, false)));
    assert_eq!(coordinates("501234N 4001234E", false), None);
}
