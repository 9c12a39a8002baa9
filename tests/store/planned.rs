//! A file of what a planner drew becomes a plan that comes to the same: the demo city,
//! redrawn at random, written as any office would write it and taken in again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use boundaries::{Area, AreaId, Bounds, Coverage, Frame, Level, Point, Polygon};
use gridatlas::demo::{City, files, things::Counts};
use gridatlas::exchange::write::{ShapeKind, Table, Writer};
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::import::{self, AreasOptions, AsPlan, Planned, Progress};
use gridatlas::redraw::{Draft, Op, Plans, Settings};
use gridatlas::snapshot::{Atlas, Field, Kind};
use gridatlas::store::{Kinship, Store};
use serde_json::{Value as Json, json};

use super::places::{Place, in_a_file, in_both};
use super::redrawn::Planner;
use super::streets::Random;

const GRIDS: usize = 120;
/// The import's: what is nearer has not changed.
const TOLERANCE_M: f64 = 0.05;
const LEVELS: &str = "city=l0,district=l1,street=l2,community=l3,grid=l4";

/// A store with the demo city in it.
async fn city(place: &Place, folder: &Path) -> Store {
    let city = City::new(GRIDS, 7);
    let written = files::write(&city, Counts::of(GRIDS), folder, |_| {}).unwrap();
    let names = files::NAMES.iter().filter_map(|pair| pair.split_once('='));
    let options = AreasOptions {
        names: names.map(|(level, field)| (level.into(), field.into())).collect(),
        ..AreasOptions::new(files::LEVELS.parse().unwrap())
    };
    let store = place.store().await;
    let report = import::areas(&store, &written.areas, &options, &Progress::silent()).await.unwrap();
    assert!(!report.is_refused(), "{:?}", report.refusals);
    store
}

/// Writes the grids with the codes and names of all that they lie in.
fn write(coverage: &Coverage, path: &Path) {
    let text = |name: String| Field { name: name.into(), kind: Kind::Text };
    let columns: Vec<Field> =
        (0..5).flat_map(|i| [format!("l{i}"), format!("n{i}")]).chain(["kind".into()]).map(text).collect();
    let names: Vec<Arc<str>> = columns.iter().map(|c| c.name.clone()).collect();
    let table = Table { name: "grid".into(), shape: ShapeKind::Polygons, columns };
    let mut writer = Writer::create(path, table).unwrap();
    for (id, area) in coverage.areas().filter(|(id, a)| a.level == Level(4) && !coverage.faces_of(*id).is_empty()) {
        let chain = coverage.chain(id).into_iter().filter_map(|id| coverage.area(id));
        let mut values: Vec<Value> =
            chain.flat_map(|a| [&a.code, &a.name]).map(|text| Value::Text(text.clone())).collect();
        values.push(Value::Text(area.kind.clone()));
        let geometry = Geometry::Polygons(coverage.polygons(id));
        let properties = names.iter().cloned().zip(values).collect();
        writer.write(&Feature { id: area.code.clone(), geometry, properties }).unwrap();
    }
    writer.finish().unwrap();
}

/// How the office's files are taken in.
fn options() -> AreasOptions {
    let names = (0..5).map(|i| (["city", "district", "street", "community", "grid"][i].into(), format!("n{i}")));
    AreasOptions { names: names.collect(), max_removed_percent: 100.0, ..AreasOptions::new(LEVELS.parse().unwrap()) }
}

/// The plan that comes of a file.
async fn as_plan(store: &Store, file: &Path) -> Planned {
    let options = AreasOptions { as_plan: Some(AsPlan::default()), ..options() };
    let report = import::areas(store, file, &options, &Progress::silent()).await.unwrap();
    assert!(!report.is_refused(), "{:?}", report.refusals);
    report.plan.unwrap()
}

/// Name, kind, parent and level.
type Known = (Arc<str>, Arc<str>, Option<Arc<str>>, Level);

/// Whatever is known of the areas with ground, by code.
fn known(coverage: &Coverage) -> BTreeMap<Arc<str>, Known> {
    let with_ground = coverage.areas().filter(|(id, _)| !coverage.ground(*id).is_empty());
    let parent = |a: &Area| a.parent.and_then(|p| coverage.area(p)).map(|p| p.code.clone());
    with_ground.map(|(_, a)| (a.code.clone(), (a.name.clone(), a.kind.clone(), parent(a), a.level))).collect()
}

/// Holds a plan's state against what was drawn; gives how many vertices of outlines there
/// are, and how many are in one of the two only.
fn assert_same(drawn: &Coverage, planned: &Coverage) -> (usize, usize) {
    assert_eq!(planned.sanity_check(), Ok(()));
    assert_eq!(known(drawn), known(planned));
    assert_eq!(planned.exchanged_since(drawn, TOLERANCE_M).unwrap().exchanged, []);
    let (mut all, mut off) = (0, 0);
    for code in known(drawn).keys() {
        let outline = |c: &Coverage| c.polygons(c.area_by_code(code).unwrap());
        let points = |polygons: &[Polygon]| -> BTreeSet<Point> {
            polygons.iter().flat_map(Polygon::rings).flatten().copied().collect()
        };
        let (one, other) = (outline(drawn), outline(planned));
        assert_eq!(one.len(), other.len(), "{code} lies in other parts");
        let (one, other) = (points(&one), points(&other));
        all += one.len();
        off += one.symmetric_difference(&other).count();
        for p in one.symmetric_difference(&other) {
            let far = |c: &Coverage| {
                let segments = c.borders().flat_map(|(_, b)| b.line.windows(2));
                segments.map(|w| Frame::at(p.y).distance_to_segment_2(*p, w[0], w[1])).fold(f64::INFINITY, f64::min)
            };
            assert!(far(drawn).max(far(planned)).sqrt() <= TOLERANCE_M, "{p:?} of {code}");
        }
    }
    (all, off)
}

async fn opened(store: &Store, id: &str) -> Draft {
    let atlas = Atlas::open(store.clone()).await.unwrap();
    Plans::new(Settings::default()).open(&atlas, store, id).await.unwrap().draft
}

fn degrees(p: Point) -> Json {
    json!([p.lon(), p.lat()])
}

/// One edit, or several that belong together, of the kind that is asked for.
fn edits(coverage: &Coverage, kind: u64, dice: &mut Random) -> Vec<Json> {
    let code = |id: AreaId| coverage.area(id).unwrap().code.clone();
    let of_level = |level: u8| -> Vec<AreaId> {
        coverage
            .areas()
            .filter(|(id, a)| a.level == Level(level) && !coverage.ground(*id).is_empty())
            .map(|a| a.0)
            .collect()
    };
    let mut pick = |all: &[AreaId]| all[dice.below(all.len() as u64) as usize];
    let (grid, community, street) = (pick(&of_level(4)), pick(&of_level(3)), pick(&of_level(2)));
    let beside: Vec<AreaId> = coverage.neighbours(grid).into_iter().map(|n| n.0).collect();
    let other = if beside.is_empty() { grid } else { pick(&beside) };
    let any = pick(&[grid, community, street]);
    let face = coverage.face(coverage.faces_of(grid)[0]).unwrap();
    let Bounds { min, max } = face.bounds;
    let x = min.x + (max.x - min.x) / 2;
    let ring = coverage.ring_points(face.outer.unwrap());
    let node = ring[dice.below(ring.len() as u64) as usize];
    let step = |p: Point, dx: i32, dy: i32| Point::new(p.x + dx, p.y + dy);
    let word = dice.below(1 << 40);
    let (dx, dy) = (300 + dice.below(300) as i32, dice.below(300) as i32);
    let square = [step(node, -dx, -400), step(node, 400, -dx), step(node, dx, 400), step(node, -400, dx)];
    let square: Vec<Json> = square.map(degrees).to_vec();
    vec![match kind {
        0 => json!({"op": "split", "code": code(grid), "new": {"name": format!("新{word}"), "kind": "专属网格"},
            "line": [degrees(Point::new(x, min.y - 50)), degrees(Point::new(x + 37, max.y + 50))]}),
        1 => json!({"op": "merge", "codes": [code(grid), code(other)], "into": code(grid)}),
        2 => json!({"op": "retire", "code": code(grid), "into": code(other)}),
        3 => json!({"op": "rename", "code": code(any), "name": format!("名{word}")}),
        4 => json!({"op": "recode", "code": code(any), "to": format!("n{word}")}),
        5 => json!({"op": "reparent", "code": code(grid), "parent": code(community)}),
        6 => json!({"op": "set", "code": code(grid), "kind": format!("类{}", word % 9)}),
        7 => json!({"op": "transfer", "to": code(other), "ring": square}),
        8 => json!({"op": "carve", "ring": square, "new": {"name": format!("院{word}")}}),
        9 => json!({"op": "move_node", "node": degrees(node), "to": degrees(step(node, dx, dy))}),
        10 => json!({"op": "reparent", "code": code(community), "parent": code(street)}),
        _ => {
            let new = format!("c{word}");
            return vec![
                json!({"op": "create", "level": "community", "new": {"code": new, "name": "新社区", "parent": code(street)}}),
                json!({"op": "reparent", "code": code(grid), "parent": new}),
                json!({"op": "reparent", "code": code(other), "parent": new}),
            ];
        }
    }]
}

#[test]
fn a_city_that_was_redrawn_at_random_comes_back_from_its_file_as_a_plan() {
    let (seeds, count) = if std::env::var_os("GRIDATLAS_PROOF").is_some() { (40, 40) } else { (3, 24) };
    in_both(|place| async move {
        let folder = tempfile::tempdir().unwrap();
        let store = city(&place, folder.path()).await;
        let planner = Planner::new(store.clone(), 0).await;
        let (mut all, mut off) = (0, 0);
        for seed in 0..seeds {
            println!("seed {seed}");
            let mut dice = Random(seed);
            let mut drafting = planner.begin().await;
            for _ in 0..count {
                for edit in edits(drafting.draft.coverage(), dice.below(12), &mut dice) {
                    drafting = planner.edited(&drafting, &edit).await.unwrap_or(drafting);
                }
            }
            let drawn = drafting.draft.coverage();
            let file = folder.path().join("redrawn.geojson");
            write(drawn, &file);
            let made = as_plan(&store, &file).await;
            println!("{} edits, as a plan {:?}", drafting.draft.steps().len(), made.edits);
            assert!(made.count() <= 2 * drafting.draft.steps().len(), "{:?}", made.edits);
            let (some, apart) = assert_same(drawn, opened(&store, &made.id.unwrap()).await.coverage());
            (all, off) = (all + some, off + apart);
        }
        println!("{off} of {all} vertices are others");
        assert!(off * 200 < all, "{off} of {all}");
    });
}

#[test]
fn a_change_comes_back_as_the_edit_that_a_planner_would_make() {
    in_a_file(|place| async move {
        let folder = tempfile::tempdir().unwrap();
        let store = city(&place, folder.path()).await;
        let planner = Planner::new(store.clone(), 0).await;
        let begun = planner.begin().await;
        let file = folder.path().join("redrawn.geojson");
        write(begun.draft.coverage(), &file);
        let nothing = as_plan(&store, &file).await;
        assert_eq!((nothing.count(), nothing.id), (0, None));
        let mut dice = Random(3);
        for kind in 0..12 {
            let (drafting, asked) = loop {
                let asked = edits(begun.draft.coverage(), kind, &mut dice);
                let mut drafting = planner.begin().await;
                let mut done = true;
                for edit in &asked {
                    match planner.edited(&drafting, edit).await {
                        Ok(next) => drafting = next,
                        Err(_) => done = false,
                    }
                }
                let changed =
                    drafting.draft.coverage().touched(begun.draft.coverage()).len() > 1 || kind == 3 || kind == 6;
                if done && changed {
                    break (drafting, asked);
                }
            };
            write(drafting.draft.coverage(), &file);
            let made = as_plan(&store, &file).await;
            let ops = |all: &[Json]| -> Vec<String> { all.iter().map(|e| e["op"].as_str().unwrap().into()).collect() };
            let mut expected: Vec<String> = ops(&asked);
            expected.sort();
            let mut found: Vec<String> =
                made.edits.iter().flat_map(|(op, n)| std::iter::repeat_n((*op).to_owned(), *n)).collect();
            // Of a retirement into a neighbour of the same community, and of a line that moved, only
            // the outcome is seen.
            for op in found.iter_mut().chain(&mut expected) {
                if ["retire", "move_node"].contains(&op.as_str()) {
                    *op = if op == "retire" { "merge".into() } else { "transfer".into() };
                }
            }
            assert_eq!(found, expected, "{asked:?}");
            let draft = opened(&store, &made.id.unwrap()).await;
            assert_same(drafting.draft.coverage(), draft.coverage());
            for step in draft.steps() {
                assert!(Op::read(&step.body).is_ok());
            }
        }
    });
}

#[test]
fn an_import_says_what_became_of_areas_and_whether_it_only_corrects_them() {
    in_both(|place| async move {
        let folder = tempfile::tempdir().unwrap();
        let store = city(&place, folder.path()).await;
        let planner = Planner::new(store.clone(), 0).await;
        let begun = planner.begin().await;
        let as_it_was = folder.path().join("was.geojson");
        write(begun.draft.coverage(), &as_it_was);
        let coverage = begun.draft.coverage();
        let owner = |face| coverage.face(face).and_then(|f| f.owner);
        let inner =
            coverage.borders().filter_map(|(_, b)| owner(b.left).filter(|_| owner(b.right).is_some()).zip(Some(b)));
        let mut drafting = begun.clone();
        for (to, border) in inner {
            let ring = [(-4000, -4000), (4000, -4000), (4000, 4000), (-4000, 4000), (-4000, -4000)];
            let ring = ring.map(|(dx, dy)| degrees(Point::new(border.line[0].x + dx, border.line[0].y + dy)));
            let edit = json!({"op": "transfer", "to": coverage.area(to).unwrap().code, "ring": ring});
            if let Ok(drawn) = planner.edited(&begun, &edit).await {
                drafting = drawn;
                break;
            }
        }
        let redrawn = folder.path().join("redrawn.geojson");
        write(drafting.draft.coverage(), &redrawn);
        let exchanged_m2: f64 = {
            let base = &drafting.draft.base().coverage;
            drafting
                .draft
                .coverage()
                .exchanged_since(base, TOLERANCE_M)
                .unwrap()
                .exchanged
                .iter()
                .map(|e| e.polygon.area_m2())
                .sum()
        };
        assert!(exchanged_m2 > 1.0);
        for (file, correction, kind) in [(&redrawn, true, Kinship::Correction), (&as_it_was, false, Kinship::Transfer)]
        {
            let options = AreasOptions { correction, ..options() };
            let report = import::areas(&store, file, &options, &Progress::silent()).await.unwrap();
            let told = store.lineage_with("responsibility", report.revision.unwrap()).await.unwrap();
            assert!(!told.is_empty() && told.iter().all(|d| d.kind == kind), "{told:?}");
            let moved_m2: f64 = told.iter().filter(|d| d.from != d.to).map(|d| d.area_m2).sum();
            // Shares are told to a millionth of an area, and crumbs below half a square metre are not.
            assert!((moved_m2 / exchanged_m2 - 1.0).abs() < 0.01, "{moved_m2} of {exchanged_m2}");
        }
        assert!(store.lineage_with("responsibility", 1).await.unwrap().is_empty());
    });
}
