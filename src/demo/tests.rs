//! The demo city is a valid city, and always the same one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use boundaries::{Area, AreaId, Assembly, Claim, FindingKind, Level, Locator, Settings, assemble};
use rustc_hash::FxHashSet;
use sha2::{Digest, Sha256};

use super::things::{Counts, Events, areas, building_features, buildings, party_units, workers};
use super::{City, files};
use crate::feature::{Feature, Geometry, Value};

/// The city as an import would see it: areas of every level, claims of the grids.
fn assembled(city: &City) -> Assembly {
    let area = |code: &str, name: &str, level, parent| Area {
        code: code.into(),
        name: name.into(),
        level: Level(level),
        parent,
        kind: "".into(),
        attributes: "{}".into(),
    };
    let mut all = vec![(AreaId(0), area(&city.whole.code, &city.whole.name, 0, None))];
    let mut begin = 0;
    for (level, units) in [(1, &city.districts), (2, &city.streets), (3, &city.communities)] {
        let first = all.len();
        for unit in units {
            let parent = AreaId((begin + unit.parent) as u32);
            all.push((AreaId(all.len() as u32), area(&unit.code, &unit.name, level, Some(parent))));
        }
        begin = first;
    }
    let mut claims = Vec::new();
    for grid in &city.grids {
        let id = AreaId(all.len() as u32);
        all.push((id, area(&grid.code, &grid.name, 4, Some(AreaId((begin + grid.community) as u32)))));
        claims.extend(grid.parts.iter().map(|polygon| Claim { area: id, polygon: polygon.clone() }));
    }
    let levels: Vec<Arc<str>> = ["city", "district", "street", "community", "grid"].map(Arc::from).to_vec();
    assemble(levels.into(), all, claims, &Settings::default())
}

fn kinds(assembly: &Assembly) -> BTreeMap<FindingKind, usize> {
    let mut kinds = BTreeMap::new();
    for finding in &assembly.findings {
        *kinds.entry(finding.kind).or_default() += 1;
    }
    kinds
}

#[test]
fn a_city_is_a_coverage_without_findings_but_its_far_parts() {
    for (grids, seed) in [(400, 1), (400, 2), (1_700, 1), (3_000, 3)] {
        println!("seed {seed}, {grids} grids");
        let city = City::new(grids, seed);
        let assembly = assembled(&city);
        let far_parts: usize = city.grids.iter().map(|g| g.parts.len() - 1).sum();
        assert!(far_parts > 0);
        let mut kinds = kinds(&assembly);
        let detached = kinds.remove(&FindingKind::DetachedPart).unwrap_or_default();
        assert!(detached >= far_parts, "{detached} of {far_parts}");
        assert_eq!(kinds, BTreeMap::new(), "{:?}", assembly.findings.first());

        let coverage = assembly.coverage.unwrap();
        assert_eq!(coverage.sanity_check(), Ok(()));
        let owned = coverage.areas().filter(|(id, _)| !coverage.faces_of(*id).is_empty()).count();
        assert_eq!(owned, grids, "every grid has ground, and nobody else has ground of his own");
    }
}

#[test]
fn a_city_has_as_many_grids_as_asked_for_with_codes_in_the_real_form() {
    for grids in [40, 41, 200, 1_700] {
        let city = City::new(grids, 7);
        assert_eq!(city.grids.len(), grids);
        let codes: FxHashSet<_> = city.grids.iter().map(|g| g.code.as_str()).collect();
        assert_eq!(codes.len(), grids);
        for grid in &city.grids {
            let [community, street, district] = city.above(grid);
            assert_eq!(grid.code.len(), 15);
            assert_eq!(grid.code[..12], community.code);
            assert_eq!(grid.code[..9], street.code);
            assert_eq!(grid.code[..6], district.code);
            assert!(grid.code.bytes().all(|b| b.is_ascii_digit()));
        }
        assert!(city.grids.is_sorted_by(|a, b| a.code < b.code));
    }
}

/// The digest of all files of a city.
fn digest(city: &City, counts: Counts, folder: &Path) -> Vec<u8> {
    let files = files::write(city, counts, folder, |_| {}).unwrap();
    let mut digest = Sha256::new();
    for path in std::iter::once(&files.areas).chain(files.layers.iter().map(|l| &l.path)) {
        digest.update(std::fs::read(path).unwrap());
    }
    digest.finalize().to_vec()
}

#[test]
fn the_same_seed_is_the_same_city_and_another_seed_another() {
    let [a, b, c] = [1, 1, 2].map(|seed| {
        let folder = tempfile::tempdir().unwrap();
        digest(&City::new(300, seed), Counts::of(300), folder.path())
    });
    assert_eq!(a, b);
    assert_ne!(a, c);
}

#[test]
fn everything_is_there_in_the_number_asked_for_under_ids_of_its_own() {
    let city = City::new(500, 5);
    let counts = Counts::of(500);
    let built = buildings(&city, counts.buildings);
    let units = party_units(&city, &built);
    let layers: [(usize, Vec<Feature>); 5] = [
        (500, areas(&city).collect()),
        (counts.buildings, building_features(&city, &built).collect()),
        (units.len(), units.clone()),
        (counts.workers, workers(&city, counts.workers).collect()),
        (counts.events, Events::new(&city, counts.workers).past(counts.events).collect()),
    ];
    for (count, features) in &layers {
        assert_eq!(features.len(), *count);
        let ids: FxHashSet<_> = features.iter().map(|f| f.id.clone()).collect();
        assert_eq!(ids.len(), *count);
    }
    // Every unit but a committee hangs below another, of the tier above it.
    let text = |f: &Feature, name: &str| {
        f.properties.iter().find(|(n, _)| **n == *name).and_then(|(_, v)| match v {
            Value::Text(t) => Some(t.clone()),
            _ => None,
        })
    };
    let tiers: BTreeMap<_, _> = units.iter().map(|u| (u.id.clone(), text(u, "tier").unwrap())).collect();
    for unit in &units {
        let above = text(unit, "parent").map(|p| tiers[&p].clone());
        match &*text(unit, "tier").unwrap() {
            "committee" => assert_eq!(above, None),
            "branch" => assert_eq!(above.as_deref(), Some("committee")),
            "group" => assert!(matches!(above.as_deref(), Some("branch" | "committee"))),
            "household" => assert_eq!(above.as_deref(), Some("group")),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn most_buildings_lie_in_their_own_grid_and_a_few_are_cut() {
    let city = City::new(800, 3);
    let assembly = assembled(&city);
    let coverage = assembly.coverage.unwrap();
    let locator = Locator::build(&coverage);
    let built = buildings(&city, 14_000);
    let (mut whole, mut cut) = (0, 0);
    for (building, feature) in built.iter().zip(building_features(&city, &built)) {
        let Geometry::Polygons(parts) = feature.geometry else { panic!("a building is ground") };
        let owners: FxHashSet<_> = parts[0].shell.iter().map(|p| locator.owner_at(*p)).collect();
        let own = coverage.area_by_code(&city.grids[building.grid].code);
        match owners.len() {
            1 if owners.contains(&own) => whole += 1,
            1 => {}
            _ => cut += 1,
        }
    }
    println!("{whole} whole, {cut} cut of {}", built.len());
    assert!(whole * 100 > built.len() * 93, "{whole} of {}", built.len());
    assert!(cut > 0 && cut * 100 < built.len() * 6, "{cut} of {}", built.len());
}
