//! A whole city in its store: how long until it answers, and in how much memory.
//! Not part of the daily tests: `cargo test --release --test store -- --ignored`.

use std::time::Instant;

use boundaries::{Point, Polygon};
use gridatlas::feature::{Feature, Geometry, Value};
use gridatlas::store::{Store, SyncOptions};
use jiff::Timestamp;

use super::city::publication;
use super::places::in_both;
use super::streets::{Plan, Random};

const ALL: SyncOptions = SyncOptions { max_removed_percent: 100.0, dry_run: false };

/// Houses of eight corners, evenly over the city.
fn houses(plan: &Plan, count: usize) -> Vec<Feature> {
    let mut random = Random(11);
    let (wide, high) = (plan.columns as u64 * plan.step as u64, plan.rows as u64 * plan.step as u64);
    (0..count)
        .map(|i| {
            let (x, y) = (plan.origin.x + random.below(wide) as i32, plan.origin.y + random.below(high) as i32);
            let (w, h) = (1000 + random.below(2000) as i32, 1000 + random.below(2000) as i32);
            let corners = [(0, 0), (w / 2, 0), (w / 2, 99), (w, 99), (w, h), (w / 3, h), (w / 3, h - 99), (0, h - 99)];
            let shell = corners.iter().map(|(dx, dy)| Point::new(x + dx, y + dy)).collect();
            Feature {
                id: format!("37020{i:08}").into(),
                geometry: Geometry::Polygons(vec![Polygon { shell, holes: vec![] }]),
                properties: vec![
                    ("name".into(), Value::Text(format!("{}号楼", i % 60).into())),
                    ("address".into(), Value::Text(format!("香港中路{}号", i % 20_000).into())),
                    ("households".into(), Value::Integer(random.below(90) as i64)),
                    ("residents".into(), Value::Integer(random.below(300) as i64)),
                    ("kind".into(), Value::Text(["residential", "office", "school"][i % 3].into())),
                ],
            }
        })
        .collect()
}

/// What the process ever held at most, in MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()).map_or(0, |kb| kb / 1024)
}

#[test]
#[ignore = "takes minutes, and means something only in release"]
fn a_city_of_seventeen_thousand_grids_is_loaded_in_two_seconds() {
    let count: usize = std::env::var("GRIDATLAS_HOUSES").ok().and_then(|n| n.parse().ok()).unwrap_or(300_000);
    if let Ok(location) = std::env::var("GRIDATLAS_LOAD_ONLY") {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            for _ in 0..3 {
                let begun = Instant::now();
                let store = Store::open(&location).await.unwrap();
                let snapshot = store.load(None, Timestamp::now()).await.unwrap();
                let layer = snapshot.layer("building").unwrap();
                let found = (layer.len(), layer.cut(0).len(), snapshot.coverages[0].coverage.areas().count());
                println!("loaded {found:?} in {:.2} s, peak {} MB", begun.elapsed().as_secs_f64(), peak_mb());
                store.close().await;
            }
        });
        return;
    }
    in_both(|place| async move {
        let store = place.store().await;
        let plan = Plan::whole_city(1);
        let begun = Instant::now();
        store.publish(publication("responsibility", None, plan.build())).await.unwrap();
        println!("published in {:.2} s", begun.elapsed().as_secs_f64());
        let houses = houses(&plan, count);
        let begun = Instant::now();
        let counts = store.sync_layer("building", &[], houses.clone(), &ALL).await.unwrap();
        println!("synced {counts:?} in {:.2} s", begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        store.sync_layer("building", &[], houses, &ALL).await.unwrap();
        println!("synced again in {:.2} s", begun.elapsed().as_secs_f64());
        store.close().await;
        let own = "size::a_city_of_seventeen_thousand_grids_is_loaded_in_two_seconds";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", own, "--nocapture"])
            .env("GRIDATLAS_LOAD_ONLY", place.location())
            .status();
        assert!(child.unwrap().success());
    });
}
