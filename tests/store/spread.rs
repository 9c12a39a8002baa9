//! How even a scope is, before a plan and after: against counting grid by grid.

use gridatlas::redraw::{Evenness, sums};
use gridatlas::snapshot::Snapshot;
use gridatlas::store::SyncOptions;
use serde_json::json;

use super::city::{at, buildings, publish_first};
use super::places::in_a_file;
use super::redrawn::Planner;

/// Ground, buildings, households and heights of every grid below some area.
fn counted(snapshot: &Snapshot, scope: Option<&str>) -> Vec<[f64; 4]> {
    let (graph, layer) = (&snapshot.coverages[0].coverage, snapshot.layer("building").unwrap());
    let [households, height] = ["households", "height"].map(|name| layer.field(name).unwrap());
    let is_inside = |id| scope.is_none_or(|s| graph.chain(id).iter().any(|a| *graph.area(*a).unwrap().code == *s));
    let grids = graph.areas().filter(|(id, _)| !graph.faces_of(*id).is_empty() && is_inside(*id));
    grids
        .map(|(id, _)| {
            let rows = layer.of_area(0, id);
            let households: i64 = rows.iter().filter_map(|ix| layer.value(*ix, households).integer()).sum();
            let heights = rows.iter().map(|ix| match layer.value(*ix, height) {
                gridatlas::snapshot::ValueRef::Real(r) => r,
                _ => 0.0,
            });
            [graph.area_m2(id), rows.len() as f64, households as f64, heights.sum()]
        })
        .collect()
}

fn holds(told: &Evenness, counted: &[[f64; 4]]) {
    assert_eq!(told.grids, counted.len());
    for (i, name) in ["area_m2", "buildings", "households", "height"].into_iter().enumerate() {
        let values: Vec<f64> = counted.iter().map(|c| c[i]).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let (min, max) = (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(0.0, f64::max));
        let found = told.measures[name];
        for (found, naive) in
            [(found.mean, mean), (found.sd, sd), (found.cv, sd / mean), (found.min, min), (found.max, max)]
        {
            assert!((found - naive).abs() < 1e-3, "{name}: {found} is {naive}; {told:?}");
        }
    }
    let households = || counted.iter().map(|c| c[2]);
    assert_eq!(told.below_target, households().filter(|n| *n < 300.0).count());
    assert_eq!(told.above_target, households().filter(|n| *n > 500.0).count());
}

#[test]
fn a_spread_is_what_counting_grid_by_grid_gives_before_and_once_it_is_published() {
    in_a_file(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let all = SyncOptions { max_removed_percent: 100.0, dry_run: false };
        store.sync_layer("building", &[], buildings(90), &all).await.unwrap();
        let planner = Planner::new(store, 5).await;
        let degrees = |x: i32, y: i32| json!([at(x, y).lon(), at(x, y).lat()]);
        for (scope, code, into) in [(None, 2, 1), (Some("s1"), 8, 7)] {
            let (x, y) = (code % 6 * 1000, code / 6 * 1000);
            let line = [degrees(x + 400, y - 50), degrees(x + 400, y + 1050)];
            let mut plan = planner.begin_in(scope).await;
            for edit in [
                json!({"op": "split", "code": format!("g{code}"), "line": line}),
                json!({"op": "merge", "codes": [format!("g{into}"), format!("g{}", into - 1)], "into": format!("g{into}")}),
                json!({"op": "move_node", "node": degrees(x + 1000, y + 1000), "to": degrees(x + 700, y + 700)}),
            ] {
                plan = match planner.edited(&plan, &edit).await {
                    Ok(next) => next,
                    // The corner of several streets is not within one.
                    Err(e) if scope.is_some() => {
                        assert!(edit["op"] == "move_node", "{edit}: {e}");
                        plan
                    }
                    Err(e) => panic!("{edit}: {e}"),
                };
            }
            let told = planner.preview(&plan, "height").await;
            assert_eq!(told.spread.scope.as_deref(), scope);
            let heights = told.areas.iter().filter_map(|a| Some(a.after.as_ref()?.sums["height"]));
            assert!(heights.sum::<f64>() > 0.0);
            holds(&told.spread.before, &counted(&planner.atlas.present(), scope));
            planner.publish_plan(plan).await.unwrap();
            holds(&told.spread.after, &counted(&planner.atlas.present(), scope));
            assert_ne!(told.spread.before, told.spread.after);
        }
        let present = planner.atlas.present();
        for (list, right) in [("height, households,height", true), ("", true), ("name", false), ("nope", false)] {
            assert_eq!(sums(&present, list).is_ok(), right, "{list}");
        }
    });
}
