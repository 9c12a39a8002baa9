//! What planners get wrong: each is refused with its reason and its place, over HTTP and by
//! the command line alike, and nothing is changed.

use serde_json::{Value, json};

use super::places::Place;
use super::planned::{Served, approve, begin, cut, edits_file, found_town, plan};
use super::support::gridatlas;

/// A place so many steps from the corner of the town.
fn at(x: f64, y: f64) -> [f64; 2] {
    [120.3 + x * 0.002, 36.0 + y * 0.002]
}

fn split(code: &str, line: &[[f64; 2]]) -> Value {
    json!({ "op": "split", "code": code, "line": line })
}

/// ```text
///   g02 g12 g22 g32   s2
///   g01 g11 g21 g31   s1     g21 is locked
///   g00 g10 g20 g30   s0
/// ```
fn bad_edits() -> Vec<(Value, &'static str)> {
    let ring = |x: f64, y: f64, dx: f64, dy: f64| json!([at(x, y), at(x + dx, y), at(x + dx, y + dy), at(x, y + dy)]);
    let long: Vec<_> = (0..100_000).map(|i| at(0.5 + f64::from(i % 2) * 1e-4, f64::from(i) * 1e-5)).collect();
    let longer: Vec<_> = (0..100_001).map(|_| at(0.0, 0.0)).collect();
    let many: Vec<String> = (0..5_000).map(|i| format!("c{i}")).collect();
    let rename = |code: &str, name: &str| json!({ "op": "rename", "code": code, "name": name });
    let new_code = |code: &str| json!({ "op": "split", "code": "g00", "line": [at(0.4, -1.0), at(0.4, 2.0)], "new": { "code": code } });
    vec![
        // A line that misses, ends inside, touches itself, crosses itself.
        (split("g00", &[at(9.0, 0.0), at(9.0, 1.0)]), "line_misses"),
        (split("g00", &[at(0.4, 0.2), at(0.4, 0.8)]), "line_ends_inside"),
        (split("g00", &[at(-0.5, 0.5), at(0.7, 0.5), at(0.7, 0.7), at(0.4, 0.5), at(0.4, 2.0)]), "line_touches_itself"),
        (
            split("g00", &[at(-0.5, 0.5), at(0.7, 0.5), at(0.7, 0.7), at(0.4, 0.7), at(0.4, -1.0)]),
            "line_crosses_itself",
        ),
        // 0.1 m by 20 m.
        (json!({ "op": "carve", "ring": ring(0.3, 0.3, 0.1, 0.000_45) }), "sliver"),
        // Over the outline.
        (json!({ "op": "carve", "ring": ring(-0.5, 0.2, 1.0, 0.5) }), "outside_outline"),
        (json!({ "op": "transfer", "to": "g00", "ring": ring(-0.5, 0.8, 1.0, 0.5) }), "outside_outline"),
        (json!({ "op": "create", "at": at(-3.0, 0.0), "new": { "parent": "s0" } }), "outside_outline"),
        (json!({ "op": "create", "at": at(0.5, 0.5), "new": { "parent": "s0" } }), "owned"),
        // Grids that don't touch, of different communities; nobody's, somebody's, a locked one.
        (json!({ "op": "merge", "codes": ["g00", "g20"], "into": "g00" }), "not_adjacent"),
        (json!({ "op": "merge", "codes": ["g00", "g01"], "into": "g00" }), "other_parent"),
        (json!({ "op": "merge", "codes": ["g00", "nobody"], "into": "g00" }), "unknown_area"),
        (json!({ "op": "merge", "codes": many, "into": "g00" }), "limit"),
        (split("nobody", &[at(0.4, -1.0), at(0.4, 2.0)]), "unknown_area"),
        (split("s0", &[at(0.4, -1.0), at(0.4, 2.0)]), "has_children"),
        (split("g21", &[at(2.4, 0.5), at(2.4, 2.5)]), "locked"),
        (rename("g21", "x"), "locked"),
        (json!({ "op": "retire", "code": "g21", "into": "g11" }), "locked"),
        (json!({ "op": "recode", "code": "g00", "to": "g10" }), "duplicate_code"),
        (new_code("g10"), "duplicate_code"),
        (new_code(""), "no_code"),
        (json!({ "op": "reparent", "code": "g00", "parent": "g10" }), "wrong_parent"),
        (json!({ "op": "set", "code": "g00" }), "no_change"),
        // Too much, and what is no place.
        (split("g00", &long), "limit"),
        (split("g00", &longer), "bad_edit"),
        (split("g00", &[at(0.4, 0.0), [120.3, 91.0]]), "bad_edit"),
        (split("g00", &[]), "line_misses"),
        (json!({ "op": "split", "line": [at(0.0, 0.0), at(1.0, 1.0)] }), "bad_edit"),
        (json!({ "op": "transfer", "to": "g00" }), "bad_edit"),
        (json!({ "op": "transfer", "to": "g00", "building": "b999" }), "unknown_building"),
        (rename("g00", &"长".repeat(400)), "bad_edit"),
        (rename("g00", "two\nlines"), "bad_edit"),
        (new_code(&"c".repeat(300)), "bad_edit"),
        (json!({ "op": "set", "code": "g00", "attributes": { "text": "x".repeat(70_000) } }), "bad_edit"),
    ]
}

/// A request that makes no sense: method, path, If-Match, body; and the status and code of the answer.
type Asked<'a> = (&'a str, String, Option<&'a str>, Value, u16, &'a str);

/// What can't be read as an edit at all.
fn unreadable() -> Vec<String> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
    let line = |coordinate: &str| format!(r#"{{"op":"split","code":"g00","line":[[120.3,{coordinate}],[120.3,36]]}}"#);
    vec![
        line("NaN"),
        line("-Infinity"),
        line("1e999"),
        line("\"36\""),
        line("null"),
        format!(r#"{{"op":"split","code":"g00","line":{deep}}}"#),
        format!(r#"{{"op":"set","code":"g00","attributes":{nested}}}"#),
        r#"{"op":"explode"}"#.to_owned(),
        r#"{"op":"rename","code":"g00","name":"x","why":1}"#.to_owned(),
        r#"{"op":"rename","code":"g00""#.to_owned(),
    ]
}

/// Reasons that have no place: nothing is there.
const NOWHERE: [&str; 8] =
    ["unknown_area", "bad_edit", "limit", "no_code", "unknown_building", "wrong_parent", "no_change", "line_misses"];

#[test]
fn a_bad_edit_is_refused_alike_by_the_service_and_the_command_line_and_changes_nothing() {
    let place = Place::file();
    found_town(&place);
    let id = begin(&place, &[]);
    let served = Served::serve(&place);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let post = |path: String, body: String| runtime.block_on(served.post_text(&path, body)).unwrap();
    assert_eq!(post(format!("plans/{id}/locks"), json!({ "codes": ["g21"] }).to_string()).0, 200);
    let before = plan(&place, &["show", &id, "--json"]).ended(0).json();
    let mut wrong = Vec::new();
    for (edit, reason) in bad_edits() {
        let (status, body) = post(format!("plans/{id}/edits"), edit.to_string());
        let is_said = (status, &body["code"], &body["reason"]) == (422, &json!("edit_refused"), &json!(reason));
        let in_words = body["detail"].as_str().is_some_and(|said| said.len() > 10);
        let is_placed = body["place"]["type"] == "Point" || NOWHERE.contains(&reason);
        if !(is_said && in_words && is_placed) {
            wrong.push(format!("not {reason}: {:.200}: {body}", edit.to_string()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for text in unreadable() {
        let (status, body) = post(format!("plans/{id}/edits"), text.clone());
        assert_eq!((status, &body["code"]), (400, &json!("bad_body")), "{}: {body}", &text[..40]);
    }
    served.end();
    for (edit, reason) in bad_edits() {
        for more in [&[][..], &["--dry-run"]] {
            let file = edits_file(&place, std::slice::from_ref(&edit));
            let refused = plan(&place, &[&["edit", &id, &file], more].concat()).ended(1);
            assert!(refused.err.contains(&format!("edit 1 of 1: {reason}: ")), "{reason}: {}", refused.err);
            assert!(refused.err.contains(" at 1") || NOWHERE.contains(&reason), "{}", refused.err);
        }
    }
    let file = place.folder().join("unreadable.json");
    for text in unreadable() {
        std::fs::write(&file, &text).unwrap();
        let refused = plan(&place, &["edit", &id, file.to_str().unwrap()]).ended(2);
        assert!(refused.err.contains("unreadable.json") && !refused.err.contains("panicked"), "{}", refused.err);
    }
    let after = plan(&place, &["show", &id, "--json"]).ended(0).json();
    assert_eq!(before, after);

    // What doesn't touch is merged where that is asked for.
    let apart = json!({ "op": "merge", "codes": ["g00", "g20"], "into": "g00", "multipart": true });
    plan(&place, &["edit", &id, &edits_file(&place, &[apart])]).ended(0);
    gridatlas(["check", "--store", place.store()]).ended(0);
}

#[test]
fn a_plan_that_can_not_go_on_its_way_says_why_and_stays() {
    let place = Place::file();
    found_town(&place);
    let areas = place.folder().join("areas.geojson");
    let cells = ["import", "areas", areas.to_str().unwrap(), "--coverage", "cell", "--levels", "s=s,g=g"];
    gridatlas(cells.iter().chain(&["--store", place.store()])).ended(0);
    let done = begin(&place, &[cut("g00", 0)]);
    let late = begin(&place, &[cut("g30", 3)]);
    let cell = plan(&place, &["new", "of cells", "--coverage", "cell"]).ended(0).out.trim().to_owned();
    [&done, &late].iter().for_each(|id| approve(&place, id));
    plan(&place, &["publish", &done, "--effective", "2199-01-01"]).ended(0);
    let draft = begin(&place, &[cut("g11", 1)]);
    let ready = begin(&place, &[cut("g22", 2)]);
    approve(&place, &ready);

    let served = Served::serve(&place);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let ask = |method: &str, path: &str, tag: Option<&str>, body: &Value| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = reqwest::Client::new().request(method, format!("{}{path}", served.url));
        if let Some(tag) = tag {
            request = request.header("if-match", tag);
        }
        let request = request.header("content-type", "application/json").body(body.to_string());
        runtime.block_on(async {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        })
    };
    let everything = || {
        let of = |path: &str| ask("GET", path, None, &Value::Null).1;
        [of("plans"), of("revisions"), of(&format!("plans/{draft}")), of(&format!("plans/{ready}"))]
    };
    let before = everything();
    let any = Some("*");
    let note = json!({ "note": "x".repeat(10_001) });
    let effective = |when: &str| json!({ "effective": when });
    let rows: Vec<Asked<'_>> = vec![
        // Published already.
        ("POST", format!("plans/{done}/publish"), any, json!({}), 409, "wrong_state"),
        ("POST", format!("plans/{done}/edits"), None, cut("g01", 0), 409, "wrong_state"),
        ("POST", format!("plans/{done}/rebase"), any, json!({}), 409, "wrong_state"),
        ("POST", format!("plans/{done}/refuse"), any, json!({}), 409, "wrong_state"),
        ("POST", format!("plans/{done}/withdraw"), any, json!({}), 409, "wrong_state"),
        ("DELETE", format!("plans/{done}/edits/last"), None, Value::Null, 409, "wrong_state"),
        ("POST", format!("plans/{late}/publish"), any, json!({}), 409, "behind"),
        // Without a tag, with one of another state, of another plan.
        ("POST", format!("plans/{ready}/publish"), None, json!({}), 428, "precondition_required"),
        ("POST", format!("plans/{ready}/publish"), Some("\"p5.1\""), json!({}), 412, "precondition_failed"),
        ("POST", format!("plans/{ready}/publish"), Some("\"p1.5\""), json!({}), 412, "precondition_failed"),
        ("POST", format!("plans/{draft}/edits"), Some("\"p4.77\""), cut("g01", 0), 412, "precondition_failed"),
        ("DELETE", format!("plans/{draft}/edits/last"), Some("p4.2"), Value::Null, 412, "precondition_failed"),
        // In force before what is published is, long ago, or never.
        ("POST", format!("plans/{ready}/publish"), any, effective("2198-12-31"), 422, "unprocessable"),
        ("POST", format!("plans/{ready}/publish"), any, effective("2001-01-01"), 422, "unprocessable"),
        ("POST", format!("plans/{ready}/publish"), any, effective("soon"), 400, "bad_body"),
        ("POST", format!("plans/{ready}/publish?dry_run=maybe"), any, json!({}), 400, "bad_parameter"),
        ("POST", "plans".into(), None, json!({ "name": "x", "effective": "2026-02-30" }), 400, "bad_body"),
        // Of another coverage.
        ("GET", format!("areas?level=g&plan={cell}&coverage=responsibility"), None, Value::Null, 400, "bad_parameter"),
        ("GET", format!("areas/g00?plan={draft}&coverage=cell"), None, Value::Null, 400, "bad_parameter"),
        (
            "GET",
            format!("locate?lon=120.301&lat=36.001&plan={cell}&coverage=responsibility"),
            None,
            Value::Null,
            400,
            "bad_parameter",
        ),
        ("GET", format!("areas/g00?plan={draft}&at=2026-01-01"), None, Value::Null, 400, "bad_parameter"),
        ("POST", "plans".into(), None, json!({ "name": "x", "coverage": "moon" }), 404, "unknown_coverage"),
        ("POST", "plans".into(), None, json!({ "name": "x", "coverage": "cell", "base": 1 }), 422, "unprocessable"),
        // More than anybody says.
        ("POST", "plans".into(), None, json!({ "name": "x".repeat(10_001) }), 400, "bad_body"),
        ("POST", "plans".into(), None, json!({ "name": "x", "author": "x".repeat(10_001) }), 400, "bad_body"),
        ("POST", format!("plans/{draft}/comments"), None, note.clone(), 400, "bad_body"),
        ("POST", format!("plans/{draft}/submit"), any, note, 400, "bad_body"),
        (
            "POST",
            format!("plans/{draft}/comments"),
            None,
            json!({ "note": "x", "place": [200, 36] }),
            400,
            "bad_position",
        ),
        ("POST", format!("plans/{draft}/comments"), None, json!({ "note": " " }), 400, "bad_body"),
        ("POST", format!("plans/{draft}/locks"), None, json!({ "codes": ["nobody"] }), 404, "unknown_area"),
        ("POST", format!("plans/{draft}/rebase"), any, json!({ "drop": [9] }), 422, "edit_refused"),
        // Out of turn, or nobody's.
        ("POST", format!("plans/{draft}/approve"), any, json!({}), 409, "wrong_state"),
        ("POST", format!("plans/{draft}/publish"), any, json!({}), 409, "wrong_state"),
        ("POST", format!("plans/{draft}/redo"), None, Value::Null, 422, "unprocessable"),
        ("POST", "plans/p99/publish".into(), any, json!({}), 404, "unknown_plan"),
        ("GET", "plans/%ff".into(), None, Value::Null, 400, "bad_parameter"),
    ];
    for (method, path, tag, body, status, code) in rows {
        let (got, answer) = ask(method, &path, tag, &body);
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{method} {path} {tag:?}: {answer}");
        assert!(answer["detail"].as_str().is_some_and(|said| said.len() > 10), "{path}: {answer}");
    }
    assert_eq!(everything(), before);
    // A draft of cells is read as one of cells where nothing else is said.
    assert_eq!(ask("GET", &format!("areas?level=g&plan={cell}"), None, &Value::Null).0, 200);
    served.end();

    for (args, code, says) in [
        (&["publish", &*done][..], 1, "published"),
        (&["publish", &*late], 1, "rebase it"),
        (&["publish", &*ready, "--effective", "2198-12-31"], 1, "takes effect"),
        (&["publish", &*ready, "--effective", "2001-01-01"], 1, "takes effect"),
        (&["publish", &*ready, "--effective", "soon"], 2, "soon"),
        (&["publish", &*draft], 1, "approved first"),
        (&["approve", &*draft], 1, "submitted"),
        (&["withdraw", &*draft], 1, "handed in"),
        (&["rebase", &*draft, "--drop", "9"], 1, "no edit 9"),
        (&["redo", &*draft], 1, "no edit to redo"),
        (&["publish", "p99"], 2, "p99"),
        (&["new", "x", "--scope", "nobody"], 1, "unknown_area"),
        (&["new", "x", "--coverage", "moon"], 1, "moon"),
    ] {
        let refused = plan(&place, args).ended(code);
        assert!(refused.err.contains(says), "{args:?}: {}", refused.err);
    }
    let served = Served::serve(&place);
    let now: Vec<Value> = runtime.block_on(async {
        let mut all = Vec::new();
        for path in ["plans".to_owned(), "revisions".into(), format!("plans/{draft}"), format!("plans/{ready}")] {
            let answer = reqwest::get(format!("{}{path}", served.url)).await.unwrap();
            all.push(answer.json().await.unwrap());
        }
        all
    });
    assert_eq!(now, before);
    served.end();
}

#[test]
fn a_plan_of_too_many_edits_takes_no_more() {
    let place = Place::file();
    found_town(&place);
    let id = begin(&place, &[json!({ "op": "rename", "code": "g00", "name": "0" })]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // As if somebody had been at it for a year.
    runtime.block_on(async {
        use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
        let mut store = sqlx::sqlite::SqliteConnectOptions::new().filename(place.store()).connect().await.unwrap();
        let more = "with recursive n (i) as (select 2 union all select i + 1 from n where i < 10000) insert into plan_edit \
                    select plan, i, author, at, replace(body, '\"0\"', '\"' || i || '\"') from plan_edit, n";
        store.execute(more).await.unwrap();
        store.execute("update plan set edits_done = 10000").await.unwrap();
        store.close().await.unwrap();
    });
    let one_more = [json!({ "op": "rename", "code": "g00", "name": "last" })];
    let refused = plan(&place, &["edit", &id, &edits_file(&place, &one_more)]).ended(1);
    assert!(refused.err.contains("at most 10000 edits"), "{}", refused.err);
    let undone = plan(&place, &["undo", &id, "--json"]).ended(0).json();
    assert_eq!(undone["edits"].as_array().unwrap().len(), 10_000);
    plan(&place, &["edit", &id, &edits_file(&place, &one_more)]).ended(0);
}
