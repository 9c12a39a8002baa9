//! What became of areas between two dates and with each revision: the crosswalk against a
//! naive one, the register against what planners did.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use boundaries::{Coverage, Frame};
use geo::{Area as _, BooleanOps as _};
use gridatlas::redraw::{Crossing, crosswalk};
use gridatlas::snapshot::Moment;
use gridatlas::store::{Store, SyncOptions};
use serde_json::{Value as Json, json};

use super::city::{ORIGIN, buildings, publish_first};
use super::places::{Place, in_a_file, in_both};
use super::redrawn::Planner;

const ALL: SyncOptions = SyncOptions { max_removed_percent: 100.0, dry_run: false };

/// The ground of the areas of a level as another library's polygons, in metres.
fn shapes(coverage: &Coverage, level: &str) -> Vec<(Arc<str>, geo::MultiPolygon<f64>)> {
    let frame = Frame::at(ORIGIN.y);
    let metres = |ring: &[boundaries::Point]| -> geo::LineString<f64> {
        ring.iter().map(|p| frame.offset(ORIGIN, *p)).collect()
    };
    let level = coverage.level(level).unwrap();
    let of_level = coverage.areas().filter(|(_, a)| a.level == level);
    of_level
        .map(|(id, area)| {
            let parts = coverage.polygons(id).into_iter();
            let parts = parts.map(|p| geo::Polygon::new(metres(&p.shell), p.holes.iter().map(|h| metres(h)).collect()));
            (area.code.clone(), parts.collect())
        })
        .collect()
}

type Pair = (Arc<str>, Arc<str>);

/// Ground in common, every area of then clipped by every one of now.
fn clipped(then: &Coverage, now: &Coverage, level: &str) -> BTreeMap<Pair, f64> {
    let now = shapes(now, level);
    let mut common = BTreeMap::new();
    for (a, old) in shapes(then, level) {
        for (b, new) in &now {
            let m2 = old.intersection(new).unsigned_area();
            if m2 > 1.0 {
                common.insert((a.clone(), b.clone()), m2);
            }
        }
    }
    common
}

fn pair(c: &Crossing) -> Option<Pair> {
    Some((c.then.as_ref()?.code.clone(), c.now.as_ref()?.code.clone()))
}

#[test]
fn a_crosswalk_over_many_revisions_is_what_clipping_finds_and_its_shares_sum_to_one() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        store.sync_layer("building", &[], buildings(300), &ALL).await.unwrap();
        let mut planner = Planner::new(store.clone(), 77).await;
        let mut published = 0;
        while published < 25 {
            published += usize::from(planner.redraw().await.is_some());
        }
        let present = planner.atlas.present();
        for (from, to) in [(1, published as u64 + 1), (9, 14), (20, 6), (7, 7)] {
            let then = store.load_at(&present, Moment::Revision(from)).await.unwrap();
            let now = store.load_at(&present, Moment::Revision(to)).await.unwrap();
            for level in ["grid", "street"] {
                let ours = crosswalk((&then, 0), (&now, 0), level).unwrap();
                let naive = clipped(&then.coverages[0].coverage, &now.coverages[0].coverage, level);
                let by_pair: BTreeMap<Pair, &Crossing> = ours.iter().filter_map(|c| Some((pair(c)?, c))).collect();
                for (pair, m2) in &naive {
                    let found =
                        by_pair.get(pair).unwrap_or_else(|| panic!("{from} to {to}: {pair:?}, {m2} m², is missing"));
                    assert!((found.area_m2.amount - m2).abs() < 0.5 + 1e-4 * m2, "{pair:?}: {found:?} is {m2}");
                }
                let mut sums: BTreeMap<(bool, Arc<str>), [f64; 3]> = BTreeMap::new();
                for c in &ours {
                    let known = pair(c).is_none_or(|p| naive.contains_key(&p) || c.area_m2.amount < 1.1);
                    assert!(known, "{from} to {to}: {c:?}");
                    for (is_now, side) in [(false, &c.then), (true, &c.now)] {
                        let Some(side) = side else { continue };
                        let sum = sums.entry((is_now, side.code.clone())).or_default();
                        for (sum, common) in sum.iter_mut().zip([c.area_m2, c.buildings, c.households]) {
                            *sum += if is_now { common.of_now } else { common.of_then };
                        }
                    }
                }
                // Whoever had buildings or households has them all somewhere.
                for (side, sum) in sums {
                    assert!((sum[0] - 1.0).abs() < 1e-4, "{side:?}: {sum:?}");
                    assert!(sum[1..].iter().all(|s| *s == 0.0 || (s - 1.0).abs() < 1e-4), "{side:?}: {sum:?}");
                }
                let counted: f64 = ours.iter().map(|c| c.buildings.amount).sum();
                let owned = (0..300).filter(|ix| then.layer("building").unwrap().owner(*ix, 0).is_some()).count();
                assert!(counted >= owned as f64, "{counted} of {owned}");
            }
        }
    });
}

/// Rows of a register or lineage as the program wrote them, by column.
fn exported(place: &Place, args: &[&str], name: &str) -> Vec<BTreeMap<String, String>> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join(name);
    let run = Command::new(env!("CARGO_BIN_EXE_gridatlas"))
        .arg("export")
        .args(args)
        .args(["--store", place.location(), "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    if args.contains(&"--dry-run") {
        assert!(!out.exists());
        return Vec::new();
    }
    if name.ends_with(".csv") {
        let mut reader = csv::Reader::from_path(out).unwrap();
        return reader.deserialize().map(Result::unwrap).collect();
    }
    let all: Json = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let features = all["features"].as_array().unwrap().iter();
    let mut rows = Vec::new();
    for feature in features {
        let text = |v: &Json| {
            v.as_str().map_or_else(|| if v.is_null() { String::new() } else { v.to_string() }, str::to_owned)
        };
        let mut row: BTreeMap<String, String> =
            feature["properties"].as_object().unwrap().iter().map(|(k, v)| (k.clone(), text(v))).collect();
        row.insert("geometry".into(), feature["geometry"].to_string());
        rows.push(row);
    }
    rows
}

/// What a register says happened: kind, level, code before and after.
fn told(rows: &[BTreeMap<String, String>]) -> Vec<String> {
    let said = |r: &BTreeMap<String, String>| {
        format!("{} {} {}>{} {}", r["kind"], r["level"], r["code_before"], r["code_after"], r["others"])
    };
    let mut all: Vec<String> = rows.iter().map(|r| said(r).trim_end().to_owned()).collect();
    all.sort();
    all
}

async fn planner(store: &Store) -> Planner {
    publish_first(store).await;
    Planner::new(store.clone(), 1).await
}

/// Degrees of a place in the city of blocks.
fn at(x: i32, y: i32) -> Json {
    let p = super::city::at(x, y);
    json!([p.lon(), p.lat()])
}

#[test]
fn the_register_files_each_kind_of_change_with_both_sides_and_the_ground() {
    in_a_file(|place| async move {
        let store = place.store().await;
        let mut planner = planner(&store).await;
        let ring = [at(5700, 1300), at(6000, 1300), at(6000, 1600), at(5700, 1600)];
        let cases: [(&str, Json, &[&str]); 9] = [
            (
                "split",
                json!({"op": "split", "code": "g0", "line": [at(400, -50), at(400, 1050)]}),
                &["split grid >g0-2 g0", "split grid g0>g0 g0-2"],
            ),
            (
                "merge",
                json!({"op": "merge", "codes": ["g1", "g2"], "into": "g1"}),
                &["merge grid g1>g1 g2", "merge grid g2> g1"],
            ),
            ("moved", json!({"op": "move_node", "node": at(4000, 1000), "to": at(4100, 1000)}), &[]),
            (
                "corrected",
                json!({"op": "move_node", "node": at(2000, 3000), "to": at(2100, 3000), "correction": true}),
                &[],
            ),
            ("renamed", json!({"op": "rename", "code": "g20", "name": "海棠"}), &["rename grid g20>g20"]),
            ("recoded", json!({"op": "recode", "code": "g21", "to": "x21"}), &["recode grid g21>x21"]),
            (
                "reparented",
                json!({"op": "reparent", "code": "g6", "parent": "s0"}),
                &["boundary_adjustment street s0>s0 s1", "boundary_adjustment street s1>s1 s0", "reparent grid g6>g6"],
            ),
            ("carved", json!({"op": "carve", "ring": ring, "new": {"name": "医院"}}), &[]),
            (
                "retired",
                json!({"op": "retire", "code": "g23", "into": "g22"}),
                &["merge grid g22>g22 g23", "merge grid g23> g22"],
            ),
        ];
        let mut revision = 1;
        for (what, edit, expected) in cases {
            planner.publish(&[edit]).await.unwrap_or_else(|| panic!("{what} was refused"));
            revision += 1;
            let all = exported(&place, &["changes"], "changes.geojson");
            let rows: Vec<_> = all.into_iter().filter(|r| r["revision"] == revision.to_string()).collect();
            let found = told(&rows);
            match what {
                "moved" => assert!(
                    !found.is_empty() && found.iter().all(|f| f.starts_with("boundary_adjustment")),
                    "{found:?}"
                ),
                "corrected" => {
                    assert!(!found.is_empty() && found.iter().all(|f| f.starts_with("correction")), "{found:?}")
                }
                "carved" => assert_eq!(found.len(), 2, "{found:?}"),
                _ => assert_eq!(found, expected, "{what}"),
            }
            for row in &rows {
                assert!(row["geometry"].contains("Polygon"), "{row:?}");
                assert_eq!((row["author"].as_str(), row["reason"].as_str()), ("李", "1 edits"));
                assert!(
                    row["serial"].starts_with(&format!("{revision:06}-")) && row["plan"].starts_with('p'),
                    "{row:?}"
                );
                assert!(row["in_force"].ends_with("+08:00"), "{row:?}");
            }
        }
        let rows = exported(&place, &["changes", "--level", "grid"], "changes.csv");
        let split = rows.iter().find(|r| r["kind_zh"] == "拆分" && r["code_before"] == "g0").unwrap();
        let m2 = |column: &str| split[column].parse::<f64>().unwrap();
        assert!((m2("area_before_m2") - m2("area_after_m2") - m2("changed_m2")).abs() < 0.02, "{split:?}");
        assert_eq!((split["parent_before"].as_str(), split["parent_after"].as_str()), ("s0", "s0"));
        assert_eq!(rows.iter().filter(|r| r["revision"] == "1" && r["kind_zh"] == "设立").count(), 24);
        // The first revision is in force since ever, so a register with a beginning lacks it.
        let later = exported(&place, &["changes", "--from", "2020-01-01", "--level", "grid"], "changes.csv");
        assert_eq!(later.len(), rows.len() - 24);
        assert!(exported(&place, &["changes", "--to", "2020-01-01"], "c.csv").iter().all(|r| r["revision"] == "1"));
        exported(&place, &["changes", "--dry-run"], "changes.csv");

        // Areas as they were, by date and by number.
        let areas =
            |args: &[&str]| exported(&place, &[&["areas", "--level", "grid"], args].concat(), "areas.csv").len();
        assert_eq!((areas(&["--at", "2020-01-01"]), areas(&["--rev", "2"]), areas(&["--rev", "3"])), (24, 25, 24));

        let lineage = store.lineage("responsibility").await.unwrap();
        let rows = exported(&place, &["lineage"], "lineage.geojson");
        assert_eq!(rows.len(), lineage.len());
        for row in &rows {
            assert!(row["geometry"].contains("Polygon"), "{row:?}");
        }
        assert_eq!(exported(&place, &["lineage"], "lineage.csv").len(), lineage.len());
        exported(&place, &["lineage"], "lineage.geojson");
        exported(&place, &["lineage", "--dry-run"], "lineage.gpkg");
        let table = exported(&place, &["crosswalk", "--from", "2020-01-01", "--to", "2999-01-01"], "crosswalk.csv");
        let of_g2: Vec<_> = table.iter().filter(|r| r["code_then"] == "g2").collect();
        assert_eq!((of_g2.len(), of_g2[0]["code_now"].as_str()), (1, "g1"), "{of_g2:?}");
        assert_eq!(of_g2[0]["area_share_of_then"], "1");
    });
}
