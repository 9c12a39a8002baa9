//! Codes of new areas in the order in which people read a map.
//!
//! ```text
//!   ┌────┬────┬────┐
//!   │ 1  │ 2  │ 3  │  the halves that a line cuts off, or that several edits did,
//!   ├╌╌╌╌┼╌╌╌╌┼╌╌╌╌┤  from west to east whatever order they came in
//!   │ g0 │ g1 │ g2 │
//!   └────┴────┴────┘
//! ```

use gridatlas::redraw::{Drafting, Layout, PlanError};
use serde_json::{Value as Json, json};

use super::city::{at, publish_first};
use super::places::{in_a_file, in_both};
use super::redrawn::Planner;

fn degrees(x: i32, y: i32) -> Json {
    json!([at(x, y).lon(), at(x, y).lat()])
}

/// Cuts the northern half off some grids of the lowest row.
fn halved(codes: &[&str], numbering: Option<&str>) -> Json {
    let line = [degrees(-50, 500), degrees(6050, 500)];
    let mut edit = json!({"op": "split", "codes": codes, "line": line, "keep": "right"});
    if let Some(numbering) = numbering {
        edit["numbering"] = numbering.into();
    }
    edit
}

/// Who owns the middles of the northern halves, from west to east.
fn owners(drafting: &Drafting, count: i32) -> Vec<String> {
    let view = drafting.draft.view();
    let owner = |x: i32| view.locator.owner_at(at(x * 1000 + 500, 750)).and_then(|id| view.coverage.area(id));
    (0..count).map(|x| owner(x).map_or_else(String::new, |a| a.code.to_string())).collect()
}

fn reason(refused: Result<Drafting, PlanError>) -> String {
    match refused {
        Err(PlanError::Refused(refused)) => refused.reason.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_through_several_grids_numbers_what_it_cuts_off_from_west_to_east_on_request() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let planner = Planner::of_city(store, 1, Layout::Numbered { digits: 3 }).await;
        let codes = ["g2", "g0", "g3", "g1"];
        let plan = planner.begin().await;
        let as_it_comes = planner.edited(&plan, &halved(&codes, None)).await.unwrap();
        assert_eq!(owners(&as_it_comes, 4), ["s0002", "s0004", "s0001", "s0003"]);
        let plan = planner.begin().await;
        let numbered = planner.edited(&plan, &halved(&codes, Some("west_east"))).await.unwrap();
        let expected = ["s0001", "s0002", "s0003", "s0004"];
        assert_eq!(owners(&numbered, 4), expected);
        // Made again from its text it is the same.
        assert_eq!(owners(&planner.opened_again(&numbered).await, 4), expected);
    });
}

#[test]
fn what_a_plan_made_is_numbered_anew_before_publishing_and_what_was_published_is_not() {
    in_a_file(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        for layout in [Layout::Numbered { digits: 2 }, Layout::Suffix] {
            let planner = Planner::of_city(store.clone(), 1, layout).await;
            let mut plan = planner.begin().await;
            for code in ["g4", "g1", "g3"] {
                plan = planner.edited(&plan, &halved(&[code], None)).await.unwrap();
            }
            // A hole: what g1 gave off goes back.
            let given = owners(&plan, 5)[1].clone();
            plan = planner.edited(&plan, &json!({"op": "merge", "codes": ["g1", given], "into": "g1"})).await.unwrap();
            let renumbered = planner.edited(&plan, &json!({"op": "renumber"})).await;
            match layout {
                Layout::Numbered { .. } => {
                    let renumbered = renumbered.unwrap();
                    assert_eq!(owners(&renumbered, 5), ["g0", "g1", "g2", "s001", "s002"]);
                    assert_eq!(owners(&planner.opened_again(&renumbered).await, 5), owners(&renumbered, 5));
                    let again = planner.edited(&renumbered, &json!({"op": "renumber"})).await;
                    assert_eq!(reason(again), "nothing_new");
                    let one = planner.edited(&renumbered, &json!({"op": "renumber", "codes": ["g0"]})).await;
                    assert_eq!(reason(one), "published_area");
                    let none = planner.edited(&renumbered, &json!({"op": "renumber", "codes": ["nope"]})).await;
                    assert_eq!(reason(none), "unknown_area");
                }
                // Each has the only code that its layout has for it.
                Layout::Suffix => assert_eq!(reason(renumbered), "nothing_new"),
            }
        }
    });
}

#[test]
fn numbers_go_by_rows_from_north_to_south_and_skip_what_was_ever_used() {
    in_a_file(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let mut planner = Planner::of_city(store, 1, Layout::Numbered { digits: 2 }).await;
        let half = |x: i32, y: i32| {
            json!({"op": "split", "code": format!("g{x}"), "line": [degrees(x * 1000 - 50, y), degrees(x * 1000 + 1050, y)],
                "keep": "right"})
        };
        // s001 is published, and gone again.
        planner.publish(&[half(0, 500)]).await.unwrap();
        planner.publish(&[json!({"op": "merge", "codes": ["g0", "s001"], "into": "g0"})]).await.unwrap();
        let mut plan = planner.begin().await;
        // Three slices of two grids, the lowest first: two rows, for the upper ones overlap in height.
        for edit in [half(1, 250), half(0, 550), half(1, 600)] {
            let edit = match edit["code"].as_str() {
                // The second cut of g1 is of what the first left in the north.
                Some("g1") if plan.draft.steps().len() == 2 => {
                    json!({"op": "split", "code": "s002", "line": edit["line"], "keep": "right"})
                }
                _ => edit,
            };
            plan = planner.edited(&plan, &edit).await.unwrap();
        }
        let plan = planner.edited(&plan, &json!({"op": "renumber", "numbering": "west_east"})).await.unwrap();
        let view = plan.draft.view();
        let owner =
            |x: i32, y: i32| view.coverage.area(view.locator.owner_at(at(x, y)).unwrap()).unwrap().code.to_string();
        assert_eq!([owner(500, 800), owner(1500, 800), owner(1500, 400)], ["s002", "s003", "s004"]);
        assert_eq!([owner(500, 100), owner(1500, 100)], ["g0", "g1"]);
    });
}
