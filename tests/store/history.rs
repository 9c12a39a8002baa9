//! What became of one area: told from its own rows, as every revision would tell it.

use std::sync::Arc;

use boundaries::Coverage;
use gridatlas::snapshot::Moment;
use gridatlas::store::{Descent, Past, Store, Told};
use sqlx::{Connection as _, Executor as _};

use super::city::publish_first;
use super::places::{in_a_file, in_both};
use super::redrawn::{Planner, codes};

fn told(coverage: &Coverage, code: &str) -> Option<Told> {
    let id = coverage.area_by_code(code)?;
    let area = coverage.area(id)?;
    Some(Told {
        name: area.name.clone(),
        level: coverage.levels().get(usize::from(area.level.0)).cloned(),
        parent: area.parent.and_then(|p| coverage.area(p)).map(|p| p.code.clone()),
        kind: area.kind.clone(),
        area_m2: coverage.area_m2(id),
    })
}

/// Equal but for the rounding of square metres.
fn alike(a: Option<&Told>, b: Option<&Told>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            (a.area_m2 - b.area_m2).abs() < 0.02
                && Told { area_m2: 0.0, ..a.clone() } == Told { area_m2: 0.0, ..b.clone() }
        }
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Holds a history against every revision of the coverage: what the last entry up to it
/// says is what its graph says, and no entry says what the one before says.
fn holds(history: &[Past], states: &[(u64, Coverage)], code: &str) {
    assert!(history.windows(2).all(|w| w[0].revision < w[1].revision && w[0].told != w[1].told), "{code}: {history:?}");
    for (number, coverage) in states {
        let last = history.iter().rev().find(|past| past.revision <= *number);
        let (said, is) = (last.and_then(|past| past.told.as_ref()), told(coverage, code));
        assert!(alike(said, is.as_ref()), "{code} at {number}: {said:?} is {is:?}");
    }
}

async fn states(store: &Store) -> Vec<(u64, Coverage)> {
    let mut states = Vec::new();
    for revision in store.revisions().await.unwrap() {
        let moment = Moment::Revision(revision.number);
        states.push((revision.number, store.coverage("responsibility", moment).await.unwrap().unwrap().1));
    }
    states
}

/// Ancestors, or descendants, by following every descent one by one: ground that came with a
/// revision came from what its giver was before it.
fn followed(all: &[Descent], code: &str, backward: bool) -> Vec<Descent> {
    let ends = |d: &Descent| if backward { (d.to.clone(), d.from.clone()) } else { (d.from.clone(), d.to.clone()) };
    let (mut found, mut open) = (vec![false; all.len()], vec![(Arc::<str>::from(code), None)]);
    while let Some((code, bound)) = open.pop() {
        for (at, descent) in all.iter().enumerate() {
            let (near, far) = ends(descent);
            let is_in_time = bound.is_none_or(|n| if backward { descent.revision < n } else { descent.revision > n });
            if near == code && is_in_time {
                found[at] = true;
                if far != code {
                    open.push((far, Some(descent.revision)));
                }
            }
        }
    }
    all.iter().zip(found).filter(|(_, found)| *found).map(|(d, _)| d.clone()).collect()
}

#[test]
fn the_history_of_every_area_is_what_the_revisions_say_one_by_one() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let mut planner = Planner::new(store.clone(), 31).await;
        let mut published = 0;
        while published < 40 {
            published += usize::from(planner.redraw().await.is_some());
        }
        let states = states(&store).await;
        let codes = codes(states.iter().map(|(_, c)| c));
        assert!(codes.len() > 50, "{} codes", codes.len());
        let mut entries = 0;
        for code in &codes {
            let history = store.history("responsibility", code).await.unwrap();
            entries += history.len();
            holds(&history, &states, code);
        }
        assert!(entries > 100, "{entries} entries");
        assert_eq!(store.history("responsibility", "nope").await.unwrap(), []);
        assert_eq!(store.history("cell", "g1").await.unwrap(), []);
        // The kinds are those of the lineage.
        let lineage = store.lineage("responsibility").await.unwrap();
        let split = lineage.iter().find(|d| d.kind.name() == "split" && d.from != d.to).unwrap();
        let of_it = store.history("responsibility", &split.to).await.unwrap();
        // And kin are found along their own rows as by following all of them.
        let mut distant = 0;
        for code in &codes {
            let kin = store.kin("responsibility", code).await.unwrap();
            assert!(kin.complete);
            assert_eq!(kin.ancestors, followed(&lineage, code, true), "{code}");
            assert_eq!(kin.descendants, followed(&lineage, code, false), "{code}");
            distant += kin.ancestors.iter().filter(|d| *d.to != **code).count();
        }
        assert!(distant > 10, "{distant} descents lie further back than one step");
        for revision in 1..=41 {
            let with: Vec<Descent> = lineage.iter().filter(|d| d.revision == revision).cloned().collect();
            assert_eq!(store.lineage_with("responsibility", revision).await.unwrap(), with);
        }
        assert!(of_it[0].revision == split.revision && of_it[0].kinds.contains(&split.kind), "{of_it:?}");
    });
}

#[test]
fn a_history_is_read_from_the_rows_of_its_area_whatever_else_the_store_holds() {
    in_a_file(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        let mut planner = Planner::new(store.clone(), 7).await;
        let line = [[120.300_01, 35.99], [120.300_01, 36.01]];
        planner.publish(&[serde_json::json!({"op": "split", "code": "g0", "line": line})]).await.unwrap();
        let states = states(&store).await;
        store.close().await;
        // Without the borders of any other area no revision can be made any more.
        let mut raw = sqlx::SqliteConnection::connect(place.location()).await.unwrap();
        let others = "delete from border where \"left\" not in (select id from face where area in \
            (select id from area where code in ('g0', 'g0-2'))) and \"right\" not in (select id from face where area in \
            (select id from area where code in ('g0', 'g0-2')))";
        assert!(raw.execute(others).await.unwrap().rows_affected() > 30);
        raw.close().await.unwrap();
        let store = place.store().await;
        assert!(store.head_coverage("responsibility").await.is_err());
        for code in ["g0", "g0-2"] {
            let history = store.history("responsibility", code).await.unwrap();
            holds(&history, &states, code);
            assert_eq!(history.last().unwrap().revision, 2);
        }
    });
}
