//! Plans over a socket and a store: edited, seen, decided, published, rebased.
//!
//! ```text
//!   36.2 ┌───────┬───────┐
//!        │  g1   │  g2   │     town t over both; building b1 at 120.05, b2 at 120.15
//!   36.0 └───────┴───────┘
//!      120.0   120.1   120.2
//! ```

use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json as j};

use super::stored::{Kept, serve};
use super::{get, problem};

pub(super) struct Answer {
    pub(super) status: u16,
    tag: String,
    pub(super) body: Json,
}

pub(super) async fn send(kept: &Kept, method: Method, path: &str, tag: Option<&str>, body: Json) -> Answer {
    let mut request = kept.send(method, path).header("content-type", "application/json").body(body.to_string());
    if let Some(tag) = tag {
        request = request.header("if-match", tag);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let tag = answer.headers().get("etag").map_or(String::new(), |t| t.to_str().unwrap().to_owned());
    Answer { status, tag, body: answer.json().await.unwrap() }
}

pub(super) async fn post(kept: &Kept, path: &str, body: Json) -> Answer {
    send(kept, Method::POST, path, None, body).await
}

pub(super) async fn read(kept: &Kept, path: &str) -> Json {
    let answer = get(&kept.city, path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

pub(super) async fn owner(kept: &Kept, place: &str) -> Json {
    read(kept, &format!("locate?{place}")).await["owners"][0]["code"].clone()
}

/// A line down the middle of g1.
pub(super) fn cut_g1() -> Json {
    j!({"op": "split", "code": "g1", "line": [[120.04, 35.9], [120.04, 36.3]], "new": {"name": "西网格"}})
}

pub(super) async fn plan(kept: &Kept, name: &str) -> String {
    let made = post(kept, "plans", j!({"name": name, "author": "李"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.body["state"], &made.body["edits"]), (&j!("draft"), &j!([])));
    made.body["id"].as_str().unwrap().to_owned()
}

/// Takes a draft through to the boundaries; gives the answer of the publish.
pub(super) async fn publish(kept: &Kept, id: &str) -> Answer {
    for (step, author) in [("submit", "李"), ("approve", "王")] {
        let done = send(kept, Method::POST, &format!("plans/{id}/{step}"), Some("*"), j!({"author": author})).await;
        assert_eq!(done.status, 200, "{step}: {}", done.body);
    }
    send(kept, Method::POST, &format!("plans/{id}/publish"), Some("*"), j!({"author": "王"})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_edited_seen_undone_and_published_and_only_then_in_force() {
    let kept = Kept::new().await;
    let id = plan(&kept, "二分").await;
    let made = post(&kept, &format!("plans/{id}/edits"), cut_g1()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((&made.body["seq"], &made.body["created"], &made.body["removed"]), (&j!(1), &j!(["g1-2"]), &j!([])));
    let areas = made.body["areas"].as_array().unwrap();
    assert_eq!(areas.iter().map(|a| a["code"].as_str().unwrap()).collect::<Vec<_>>(), ["g1", "g1-2"]);
    // The larger part, with b1, keeps the code.
    assert_eq!((&areas[0]["before"]["buildings"], &areas[0]["after"]["buildings"]), (&j!(1), &j!(1)));
    assert_eq!((&areas[1]["before"], &areas[1]["after"]["buildings"]), (&Json::Null, &j!(0)));
    let sizes = [&areas[0]["before"], &areas[0]["after"], &areas[1]["after"]].map(|f| f["area_m2"].as_f64().unwrap());
    assert!((sizes[0] - sizes[1] - sizes[2]).abs() < 1.0 && sizes[2] > 0.0, "{sizes:?}");

    // Seen with plan=, and nowhere else.
    let west = "lon=120.02&lat=36.1";
    assert_eq!(owner(&kept, west).await, "g1");
    assert_eq!(owner(&kept, &format!("{west}&plan={id}")).await, "g1-2");
    let drawn = get(&kept.city, &format!("areas/g1-2?plan={id}")).send().await.unwrap();
    assert_eq!((drawn.status(), &drawn.headers()["cache-control"]), (StatusCode::OK, &"no-store".parse().unwrap()));
    assert_eq!(drawn.json::<Json>().await.unwrap()["properties"]["name"], "西网格");
    let tile = |query: &str| get(&kept.city, &format!("tiles/grid/14/13654/6425{query}")).send();
    let (now, then) = (tile("").await.unwrap(), tile(&format!("?plan={id}")).await.unwrap());
    assert_ne!(now.bytes().await.unwrap(), then.bytes().await.unwrap());

    let undone = send(&kept, Method::DELETE, &format!("plans/{id}/edits/last"), None, j!({})).await;
    assert_eq!((undone.status, &undone.body["edits"][0]["undone"]), (200, &j!(true)));
    assert_eq!(owner(&kept, &format!("{west}&plan={id}")).await, "g1");
    assert_eq!(post(&kept, &format!("plans/{id}/redo"), j!({})).await.status, 200);
    assert_eq!(owner(&kept, &format!("{west}&plan={id}")).await, "g1-2");
    assert_eq!(post(&kept, &format!("plans/{id}/redo"), j!({})).await.status, 422);

    // A building changes hands with the ground it stands on.
    let given = j!({"op": "transfer", "to": "g2", "pieces": [[120.05, 36.1]]});
    let refused = post(&kept, &format!("plans/{id}/edits"), given).await;
    assert_eq!((refused.status, &refused.body["reason"]), (422, &j!("emptied")), "{}", refused.body);
    let line = j!([[120.1, 36.09], [120.043, 36.09], [120.043, 36.11], [120.1, 36.11]]);
    let bent = post(&kept, &format!("plans/{id}/edits"), j!({"op": "reshape", "code": "g2", "line": line})).await;
    assert_eq!(bent.status, 201, "{}", bent.body);
    let preview = read(&kept, &format!("plans/{id}/preview")).await;
    assert_eq!(preview["moved"]["building"][0]["id"], "b1", "{preview:#}");
    assert_eq!(
        (&preview["moved"]["building"][0]["from"], &preview["moved"]["building"][0]["to"]),
        (&j!("g1"), &j!("g2"))
    );
    assert_eq!(preview["moved"]["worker"][0]["id"], "w1");
    assert_eq!(preview["neighbours"]["gained"], j!([["g1", "g1-2"]]));
    let figures = |code: &str| {
        let area = preview["areas"].as_array().unwrap().iter().find(|a| a["code"] == code).unwrap();
        (area["after"]["buildings"].clone(), area["after"]["households"].clone())
    };
    assert_eq!((figures("g2"), figures("g1")), ((j!(2), j!(24)), (j!(0), j!(0))));
    let map = read(&kept, &format!("plans/{id}/preview?format=geojson")).await;
    assert_eq!((&map["type"], &map["features"][0]["properties"]["to"]), (&j!("FeatureCollection"), &j!("g2")));

    let tag = get(&kept.city, &format!("plans/{id}")).send().await.unwrap().headers()["etag"].clone();
    let path = format!("plans/{id}/submit");
    assert_eq!(send(&kept, Method::POST, &path, None, j!({})).await.status, 428);
    assert_eq!(send(&kept, Method::POST, &path, Some("\"p1.1\""), j!({})).await.status, 412);
    let submitted = send(&kept, Method::POST, &path, tag.to_str().ok(), j!({"author": "李"})).await;
    assert_eq!((submitted.status, &submitted.body["state"]), (200, &j!("submitted")));
    assert_eq!(post(&kept, &format!("plans/{id}/edits"), cut_g1()).await.body["code"], "wrong_state");
    let path = format!("plans/{id}/approve");
    let own = send(&kept, Method::POST, &path, Some(&submitted.tag), j!({"author": "李"})).await;
    assert_eq!((own.status, &own.body["code"]), (422, &j!("own_plan")));
    let early = send(&kept, Method::POST, &format!("plans/{id}/publish"), Some("*"), j!({})).await;
    assert_eq!((early.status, &early.body["code"]), (409, &j!("wrong_state")));
    assert_eq!(send(&kept, Method::POST, &path, Some(&submitted.tag), j!({"author": "王"})).await.status, 200);
    let would = send(&kept, Method::POST, &format!("plans/{id}/publish?dry_run=true"), Some("*"), j!({})).await;
    assert_eq!((would.status, &would.body["touched"]), (200, &j!(["g1", "g1-2", "g2", "t"])));
    assert_eq!(owner(&kept, west).await, "g1");
    let published = send(&kept, Method::POST, &format!("plans/{id}/publish"), Some("*"), j!({"author": "王"})).await;
    assert_eq!((published.status, &published.body["revision"]), (200, &j!(2)), "{}", published.body);
    // The outline of t has a vertex more where the cut begins and ends.
    assert_eq!(published.body["touched"], j!(["g1", "g1-2", "g2", "t"]));

    assert_eq!(owner(&kept, west).await, "g1-2");
    assert_eq!(owner(&kept, &format!("{west}&rev=1")).await, "g1");
    let building = read(&kept, "layers/building/features/b1").await;
    assert_eq!(building["owners"][0]["code"], "g2");
    let done = read(&kept, &format!("plans/{id}")).await;
    assert_eq!((&done["state"], &done["published"]), (&j!("published"), &j!(2)));
    let kinds: Vec<_> = done["notes"].as_array().unwrap().iter().map(|n| n["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["submitted", "approved", "published"]);
    let lineage = read(&kept, "lineage?code=g1-2").await;
    let from_g1: Vec<_> = lineage["ancestors"].as_array().unwrap().iter().filter(|d| d["to"] == "g1-2").collect();
    assert_eq!((from_g1.len(), &from_g1[0]["from"], &from_g1[0]["kind"]), (1, &j!("g1"), &j!("split")));
    assert!((from_g1[0]["area_share"].as_f64().unwrap() - 0.4).abs() < 0.01);
    let became = read(&kept, "lineage?code=g1").await;
    let became: Vec<_> = became["descendants"].as_array().unwrap().iter().filter(|d| d["from"] == "g1").collect();
    let shares: f64 = became.iter().map(|d| d["area_share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-4, "{became:?}");
    let kinds: Vec<_> = became.iter().map(|d| (d["to"].as_str().unwrap(), d["kind"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("g1", "split"), ("g1-2", "split"), ("g2", "transfer")]);

    let filed = read(&kept, "revisions/2/changes?level=grid").await;
    let filed: Vec<_> = filed["changes"].as_array().unwrap().iter().map(|c| (c["kind"].as_str().unwrap(), c)).collect();
    assert_eq!(
        filed.iter().map(|f| f.0).collect::<Vec<_>>(),
        ["split", "boundary_adjustment", "split", "boundary_adjustment"]
    );
    assert_eq!((&filed[2].1["before"], &filed[2].1["after"]["name"]), (&Json::Null, &j!("西网格")), "{filed:?}");
    assert_eq!(
        (&filed[0].1["author"], &filed[0].1["approver"], &filed[0].1["kind_zh"]),
        (&j!("李"), &j!("王"), &j!("拆分"))
    );
    let map = read(&kept, "revisions/2/changes?format=geojson").await;
    assert_eq!(map["features"][0]["geometry"]["type"], "Polygon", "{map}");
    assert_eq!(read(&kept, "revisions/1/changes").await["changes"], j!([]));
    assert_eq!(problem(get(&kept.city, "revisions/9/changes")).await.0, 404);
    assert_eq!(problem(get(&kept.city, &format!("plans/{id}/preview?sum=nope"))).await.0, 400);

    // All of it is there after a restart.
    kept.city.stop().await;
    let city = serve(&kept.folder).await;
    let kept = Kept { folder: kept.folder, city };
    assert_eq!(owner(&kept, west).await, "g1-2");
    assert_eq!(read(&kept, &format!("plans/{id}")).await["edits"].as_array().unwrap().len(), 2);
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_plans_the_second_is_rebased_or_told_whose_work_it_touches() {
    let kept = Kept::new().await;
    let [first, second, third] = [plan(&kept, "a").await, plan(&kept, "b").await, plan(&kept, "c").await];
    assert_eq!(post(&kept, &format!("plans/{first}/edits"), cut_g1()).await.status, 201);
    let in_g2 = j!({"op": "split", "code": "g2", "line": [[120.16, 35.9], [120.16, 36.3]]});
    assert_eq!(post(&kept, &format!("plans/{second}/edits"), in_g2).await.status, 201);
    let renamed = j!({"op": "rename", "code": "g1", "name": "东网格"});
    assert_eq!(post(&kept, &format!("plans/{third}/edits"), renamed).await.status, 201);
    assert_eq!(publish(&kept, &first).await.status, 200);

    let behind = publish(&kept, &second).await;
    assert_eq!((behind.status, &behind.body["code"], &behind.body["head"]), (409, &j!("behind"), &j!(2)));
    let rebased = send(&kept, Method::POST, &format!("plans/{second}/rebase"), Some("*"), j!({})).await;
    assert_eq!(
        (rebased.status, &rebased.body["base"], &rebased.body["state"]),
        (200, &j!(2), &j!("approved")),
        "{}",
        rebased.body
    );
    let published = send(&kept, Method::POST, &format!("plans/{second}/publish"), Some("*"), j!({})).await;
    assert_eq!((published.status, &published.body["revision"]), (200, &j!(3)), "{}", published.body);
    for (place, code) in [("120.02", "g1-2"), ("120.05", "g1"), ("120.15", "g2"), ("120.18", "g2-2")] {
        assert_eq!(owner(&kept, &format!("lon={place}&lat=36.1")).await, code, "{place}");
    }

    let path = format!("plans/{third}/rebase");
    let told = send(&kept, Method::POST, &path, Some("*"), j!({})).await;
    assert_eq!((told.status, &told.body["code"]), (409, &j!("conflicts")), "{}", told.body);
    let conflict = &told.body["conflicts"][0];
    assert_eq!((&conflict["seq"], &conflict["codes"], &conflict["revision"]), (&j!(1), &j!(["g1"]), &j!(2)));
    assert_eq!((&conflict["author"], &conflict["place"]["type"]), (&j!("王"), &j!("Point")));
    assert_eq!(read(&kept, &format!("plans/{third}")).await["base"], 1);
    let accepted = send(&kept, Method::POST, &path, Some("*"), j!({"accept": [1]})).await;
    assert_eq!((accepted.status, &accepted.body["base"]), (200, &j!(3)), "{}", accepted.body);
    assert_eq!(publish(&kept, &third).await.status, 200);
    assert_eq!(read(&kept, "areas/g1").await["properties"]["name"], "东网格");
    kept.city.stop().await;
}

/// ```text
///   g1 ┆ g1-2 │ g2     published by somebody else: the cut through g1
/// ```
#[tokio::test(flavor = "multi_thread")]
async fn an_approval_does_not_outlive_what_it_was_given_to() {
    let kept = Kept::new().await;
    let by = |id: &str, step: &str, body: Json| {
        let path = format!("plans/{id}/{step}");
        let kept = &kept;
        async move { send(kept, Method::POST, &path, Some("*"), body).await }
    };
    let [cut, kept_whole, accepted, dropped, taken_back] = [
        plan(&kept, "a").await,
        plan(&kept, "b").await,
        plan(&kept, "c").await,
        plan(&kept, "d").await,
        plan(&kept, "e").await,
    ];
    assert_eq!(post(&kept, &format!("plans/{cut}/edits"), cut_g1()).await.status, 201);
    let rename = |code: &str| j!({"op": "rename", "code": code, "name": "新名"});
    for (id, codes) in
        [(&kept_whole, &["g2"][..]), (&accepted, &["g1"]), (&dropped, &["g1", "g2"]), (&taken_back, &["g2"])]
    {
        for code in codes {
            assert_eq!(post(&kept, &format!("plans/{id}/edits"), rename(code)).await.status, 201);
        }
        assert_eq!(by(id, "submit", j!({"author": "李"})).await.status, 200);
        assert_eq!(by(id, "approve", j!({"author": "王"})).await.status, 200);
    }
    assert_eq!(publish(&kept, &cut).await.status, 200);

    for (id, how, state) in [
        (&kept_whole, j!({}), "approved"),
        (&accepted, j!({"accept": [1]}), "submitted"),
        (&dropped, j!({"drop": [1]}), "submitted"),
    ] {
        let unknown = by(id, "rebase", j!({"drop": [7]})).await;
        assert_eq!((unknown.status, &unknown.body["reason"]), (422, &j!("unknown_edit")), "{}", unknown.body);
        let rebased = by(id, "rebase", how.clone()).await;
        assert_eq!((rebased.status, &rebased.body["state"]), (200, &j!(state)), "{how}: {}", rebased.body);
        let note = rebased.body["notes"].as_array().unwrap().last().unwrap()["note"].to_string();
        assert_eq!(note.contains("lapsed"), state == "submitted", "{note}");
        assert_eq!(note.contains("1 edits dropped"), how["drop"].is_array(), "{note}");
    }
    for id in [&accepted, &dropped] {
        let early = by(id, "publish", j!({})).await;
        assert_eq!((early.status, &early.body["code"]), (409, &j!("wrong_state")));
        assert_eq!(by(id, "approve", j!({"author": "李"})).await.body["code"], "own_plan");
        assert_eq!(by(id, "approve", j!({"author": "王"})).await.status, 200);
    }
    let nothing = by(&dropped, "rebase", j!({"drop": [2]})).await;
    assert_eq!((nothing.status, &nothing.body["reason"]), (422, &j!("no_change")));

    // What was handed in is changed by nobody, but can be taken back.
    for (method, path) in
        [(Method::POST, "edits"), (Method::DELETE, "edits/last"), (Method::POST, "redo"), (Method::POST, "locks")]
    {
        let body = if path == "locks" { j!({"codes": ["g1"]}) } else { rename("g1") };
        let answer = send(&kept, method, &format!("plans/{taken_back}/{path}"), None, body).await;
        assert_eq!((answer.status, &answer.body["code"]), (409, &j!("wrong_state")), "{path}");
    }
    let back = by(&taken_back, "withdraw", j!({"author": "李", "note": "还要改"})).await;
    assert_eq!((back.status, &back.body["state"]), (200, &j!("draft")), "{}", back.body);
    assert_eq!(by(&taken_back, "withdraw", j!({})).await.status, 409);
    assert_eq!(by(&taken_back, "publish", j!({})).await.body["code"], "wrong_state");
    let undone = send(&kept, Method::DELETE, &format!("plans/{taken_back}/edits/last"), None, j!({})).await;
    assert_eq!(undone.status, 200);
    kept.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plan_can_not_do_is_said_with_the_place_and_changes_nothing() {
    let kept = Kept::new().await;
    let id = plan(&kept, "x").await;
    let edits = format!("plans/{id}/edits");
    for (edit, status, says) in [
        (j!({"op": "split", "code": "g1", "line": [[121.0, 36.0], [121.0, 36.1]]}), 422, "line_misses"),
        (j!({"op": "split", "code": "nope", "line": [[120.0, 36.1], [120.1, 36.1]]}), 422, "unknown_area"),
        (j!({"op": "split", "code": "t", "line": [[120.05, 35.9], [120.05, 36.3]]}), 422, "has_children"),
        (j!({"op": "merge", "codes": ["g1", "t"], "into": "g1"}), 422, "has_children"),
        (j!({"op": "recode", "code": "g1", "to": "g2"}), 422, "duplicate_code"),
        (j!({"op": "transfer", "to": "g1", "building": "b77"}), 422, "unknown_building"),
        (j!({"op": "split", "code": "g1", "line": [[120.05, 35.9], [120.05, 136.3]]}), 422, "bad_edit"),
        (j!({"op": "explode"}), 400, ""),
        (j!([1]), 400, ""),
    ] {
        let answer = post(&kept, &edits, edit.clone()).await;
        assert_eq!(answer.status, status, "{edit}: {}", answer.body);
        if status == 422 {
            assert_eq!(answer.body["reason"], says, "{edit}: {}", answer.body);
        }
        if says == "line_misses" {
            assert_eq!(answer.body["place"]["type"], "Point");
        }
    }
    let locked = post(&kept, &format!("plans/{id}/locks"), j!({"codes": ["g1"]})).await;
    assert_eq!((locked.status, &locked.body["locked"]), (200, &j!(["g1"])));
    assert_eq!(post(&kept, &edits, cut_g1()).await.body["reason"], "locked");
    assert_eq!(read(&kept, &format!("plans/{id}")).await["edits"], j!([]));

    let scoped = post(&kept, "plans", j!({"name": "y", "scope": "g2"})).await;
    let path = format!("plans/{}/edits", scoped.body["id"].as_str().unwrap());
    assert_eq!(post(&kept, &path, cut_g1()).await.body["reason"], "outside_scope");

    assert_eq!(problem(get(&kept.city, "plans/p99")).await.1["code"], "unknown_plan");
    assert_eq!(problem(get(&kept.city, "locate?lon=120&lat=36&plan=p99")).await.0, 404);
    assert_eq!(post(&kept, "plans", j!({"name": "z", "scope": "nope"})).await.status, 422);
    assert_eq!(post(&kept, "plans", j!({"name": "z", "base": 9})).await.status, 422);
    assert_eq!(post(&kept, &format!("plans/{id}/comments"), j!({})).await.status, 400);
    let said =
        post(&kept, &format!("plans/{id}/comments"), j!({"note": "这里", "author": "王", "place": [120.05, 36.1]}))
            .await;
    assert_eq!((said.status, &said.body["notes"][0]["place"]["coordinates"]), (201, &j!([120.05, 36.1])));
    kept.city.stop().await;
}
