//! Plans that meet: published at once, made on what others changed, given the same codes.
//!
//! ```text
//!   ┌───┬───┬───────┐
//!   │g1 ┆g1 │  g2   │      two planners cut g1, and both new grids would be g1-2
//!   └───┴───┴───────┘
//! ```

use reqwest::Method;
use serde_json::{Value as Json, json as j};

use super::plans::{Answer, cut_g1, owner, plan, post, publish, read, send};
use super::stored::{Kept, serve};

fn rename(code: &str, name: &str) -> Json {
    j!({"op": "rename", "code": code, "name": name})
}

async fn edited(kept: &Kept, edits: &[Json]) -> String {
    let id = plan(kept, "x").await;
    for edit in edits {
        let made = post(kept, &format!("plans/{id}/edits"), edit.clone()).await;
        assert_eq!(made.status, 201, "{edit}: {}", made.body);
    }
    id
}

async fn by(kept: &Kept, id: &str, step: &str, body: Json) -> Answer {
    send(kept, Method::POST, &format!("plans/{id}/{step}"), Some("*"), body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_plans_published_at_once_one_wins_and_the_other_is_behind() {
    let kept = Kept::new().await;
    for round in 0..8u64 {
        let name = format!("{round}");
        let ids = [edited(&kept, &[rename("g1", &name)]).await, edited(&kept, &[rename("g2", &name)]).await];
        for id in &ids {
            assert_eq!(by(&kept, id, "submit", j!({"author": "李"})).await.status, 200);
            assert_eq!(by(&kept, id, "approve", j!({"author": "王"})).await.status, 200);
        }
        let (one, other) = tokio::join!(by(&kept, &ids[0], "publish", j!({})), by(&kept, &ids[1], "publish", j!({})));
        let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
        assert_eq!((won.status, won.body["revision"].as_u64()), (200, Some(round + 2)), "{}", won.body);
        assert_eq!((lost.status, &lost.body["code"]), (409, &j!("behind")), "{}", lost.body);
        assert_eq!((&lost.body["base"], &lost.body["head"]), (&j!(round + 1), &j!(round + 2)));
    }
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_leaves_everything_as_it_is_is_not_published() {
    let kept = Kept::new().await;
    let merged = j!({"op": "merge", "codes": ["g1", "g1-2"], "into": "g1"});
    for edits in [&[][..], &[cut_g1(), merged]] {
        let id = edited(&kept, edits).await;
        let nothing = publish(&kept, &id).await;
        assert_eq!((nothing.status, &nothing.body["reason"]), (422, &j!("no_change")), "{}", nothing.body);
        assert_eq!(read(&kept, &format!("plans/{id}")).await["state"], "approved");
    }
    assert_eq!(read(&kept, "revisions").await["revisions"].as_array().unwrap().len(), 1);
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_codes_others_came_to_use_is_still_what_it_was_and_gets_others_when_it_insists() {
    let kept = Kept::new().await;
    let first = edited(&kept, &[cut_g1()]).await;
    let across = j!({"op": "split", "code": "g1", "line": [[119.9, 36.12], [120.11, 36.12]]});
    let second = edited(&kept, &[across, rename("g2", "东")]).await;
    assert_eq!(publish(&kept, &first).await.status, 200);
    // Also for a service that has not seen it before.
    kept.city.stop().await;
    let city = serve(&kept.folder).await;
    let kept = Kept { folder: kept.folder, city };
    let preview = read(&kept, &format!("plans/{second}/preview")).await;
    assert_eq!(preview["areas"][1]["code"], "g1-2", "{preview:#}");
    let told = by(&kept, &second, "rebase", j!({})).await;
    assert_eq!((told.status, &told.body["conflicts"][0]["seq"]), (409, &j!(1)), "{}", told.body);
    assert_eq!(told.body["conflicts"].as_array().unwrap().len(), 1);
    let accepted = by(&kept, &second, "rebase", j!({"accept": [1]})).await;
    assert_eq!((accepted.status, &accepted.body["base"]), (200, &j!(2)), "{}", accepted.body);
    assert_eq!(accepted.body["edits"][0]["edit"]["given"], j!(["g1-3"]), "{}", accepted.body);
    assert_eq!(publish(&kept, &second).await.status, 200);
    for (place, code) in [("120.02", "g1-2"), ("120.06", "g1-3"), ("120.15", "g2")] {
        assert_eq!(owner(&kept, &format!("lon={place}&lat=36.15")).await, code);
    }
    assert_eq!(owner(&kept, "lon=120.06&lat=36.05").await, "g1");
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_into_several_has_the_same_codes_whenever_it_is_made_again() {
    let kept = Kept::new().await;
    let through = j!({"op": "split", "codes": ["g1", "g2"], "line": [[119.9, 36.1], [120.3, 36.1]]});
    let id = edited(&kept, &[through]).await;
    let edit = read(&kept, &format!("plans/{id}")).await["edits"][0]["edit"].clone();
    let mut given: Vec<_> = edit["given"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
    given.sort_unstable();
    assert_eq!(given, ["g1-2", "g2-2"], "{edit}");
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_locked_after_it_was_edited_is_no_conflict() {
    let kept = Kept::new().await;
    let other = edited(&kept, &[rename("g2", "东")]).await;
    let id = edited(&kept, &[cut_g1()]).await;
    assert_eq!(post(&kept, &format!("plans/{id}/locks"), j!({"codes": ["g1"]})).await.status, 200);
    assert_eq!(publish(&kept, &other).await.status, 200);
    let rebased = by(&kept, &id, "rebase", j!({})).await;
    assert_eq!((rebased.status, &rebased.body["base"]), (200, &j!(2)), "{}", rebased.body);
    assert_eq!(post(&kept, &format!("plans/{id}/edits"), rename("g1", "x")).await.body["reason"], "locked");
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_of_a_plan_is_an_area_of_its_base() {
    let kept = Kept::new().await;
    let cut = edited(&kept, &[cut_g1()]).await;
    assert_eq!(publish(&kept, &cut).await.status, 200);
    let scoped = |base: Json| post(&kept, "plans", j!({"name": "x", "scope": "g1-2", "base": base}));
    assert_eq!(scoped(j!(1)).await.body["reason"], "unknown_area");
    for base in [j!(2), Json::Null] {
        let made = scoped(base).await;
        assert_eq!((made.status, &made.body["base"]), (201, &j!(2)), "{}", made.body);
    }
    kept.city.stop().await;
}

/// ```text
///   ┌─────┬──┬──────┐
///   │ g1  │t │  g2  │      t owns a strip itself, and all of it goes on lying in t
///   └─────┴──┴──────┘
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn what_changes_hands_below_an_area_still_counts_in_it() {
    let kept = Kept::new().await;
    let strip = j!({"op": "split", "code": "g1", "line": [[120.08, 35.9], [120.08, 36.3]]});
    let ring = j!([[120.03, 36.08], [120.07, 36.08], [120.07, 36.12], [120.03, 36.12]]);
    let given = j!({"op": "transfer", "to": "g2", "ring": ring, "multipart": true});
    let id = edited(&kept, &[strip, j!({"op": "retire", "code": "g1-2", "into": "t"}), given]).await;
    let preview = read(&kept, &format!("plans/{id}/preview")).await;
    assert_eq!(preview["moved"]["building"][0]["to"], "g2", "{preview:#}");
    let after: Vec<_> =
        preview["areas"].as_array().unwrap().iter().map(|a| (&a["code"], &a["after"]["buildings"])).collect();
    assert_eq!(after, [(&j!("g1"), &j!(0)), (&j!("g2"), &j!(2)), (&j!("t"), &j!(2))]);
    kept.city.stop().await;
}

/// ```text
///   ┌─────┬──┬──────┐
///   │ g1  │t │  g2  │      the strip becomes t's own, and a grid again later
///   └─────┴──┴──────┘
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn ground_that_goes_to_an_area_above_and_comes_back_is_told() {
    let kept = Kept::new().await;
    let strip = j!({"op": "split", "code": "g1", "line": [[120.08, 35.9], [120.08, 36.3]]});
    let up = edited(&kept, &[strip, j!({"op": "retire", "code": "g1-2", "into": "t"})]).await;
    let answer = publish(&kept, &up).await;
    let told = |answer: &Answer| -> Vec<(String, f64)> {
        let rows = answer.body["lineage"].as_array().unwrap();
        let pair = |d: &Json| format!("{} {} {}", d["from"], d["to"], d["kind"]).replace('"', "");
        rows.iter().map(|d| (pair(d), (d["area_share"].as_f64().unwrap() * 100.0).round())).collect()
    };
    assert_eq!(told(&answer), [("g1 t transfer".to_owned(), 20.0), ("g1 g1 split".to_owned(), 80.0)]);
    let again = j!({"op": "create", "at": [120.09, 36.1], "new": {"parent": "t"}});
    let back = publish(&kept, &edited(&kept, &[again]).await).await;
    assert_eq!(told(&back), [("t t-2 split".to_owned(), 100.0)]);
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_is_a_revision_of_its_own_and_gives_no_code_again() {
    let kept = Kept::new().await;
    assert_eq!(publish(&kept, &edited(&kept, &[cut_g1()]).await).await.status, 200);
    let back = |to: &str, tag: Option<&'static str>| {
        let (path, kept) = (format!("revisions/{to}"), &kept);
        async move { send(kept, Method::POST, &path, tag, j!({"author": "王"})).await }
    };
    for (to, tag, status, code) in [
        ("1/rollback", None, 428, "precondition_required"),
        ("1/rollback", Some("\"1\""), 412, "precondition_failed"),
        ("9/rollback", Some("*"), 404, "unknown_revision"),
        ("2/rollback", Some("*"), 422, "edit_refused"),
    ] {
        let refused = back(to, tag).await;
        assert_eq!((refused.status, &refused.body["code"]), (status, &j!(code)), "{to}: {}", refused.body);
    }
    let would = back("1/rollback?dry_run=true", Some("\"2\"")).await;
    assert_eq!((would.status, &would.body["touched"]), (200, &j!(["g1", "g1-2", "t"])), "{}", would.body);
    assert_eq!(owner(&kept, "lon=120.02&lat=36.1").await, "g1-2");
    let done = back("1/rollback", Some("\"2\"")).await;
    assert_eq!((done.status, &done.body["revision"]), (200, &j!(3)), "{}", done.body);
    let merged = done.body["lineage"].as_array().unwrap().iter().find(|d| d["from"] == "g1-2").unwrap();
    assert_eq!((&merged["to"], &merged["kind"]), (&j!("g1"), &j!("merge")));
    assert_eq!(owner(&kept, "lon=120.02&lat=36.1").await, "g1");
    assert_eq!(owner(&kept, "lon=120.02&lat=36.1&rev=2").await, "g1-2");
    let all = read(&kept, "revisions").await["revisions"].clone();
    assert_eq!((&all[2]["digest"], &all[2]["author"]), (&all[0]["digest"], &j!("王")));
    let made = post(&kept, &format!("plans/{}/edits", plan(&kept, "x").await), cut_g1()).await;
    assert_eq!(made.body["created"], j!(["g1-3"]));
    kept.city.stop().await;
}
