//! A plan on its way, killed right before each call that would change what others see: every
//! write to or sync of the store's files, every message to its database. Whatever it is,
//! the plan and the boundaries are whole, what was acknowledged is there, and whoever asks
//! again gets what they wanted, once.
//!
//! The calls are counted by a library that is loaded into the built program (`stop.c`), so
//! the program itself knows nothing of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use gridatlas::store::{Plan, PlanState, Store};
use serde_json::{Value, json};

use super::places::Place;
use super::planned::{Served, approve, begin, cut, edit, edits_file, found_town, plan};
use super::support::Run;

/// Builds the library that stops; `None` with a word where it can't be.
fn stopper() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        if !cfg!(target_os = "linux") {
            println!("skipped: calls are counted on Linux alone");
            return None;
        }
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stop-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rough/stop.c");
        let mut cc = Command::new("cc");
        cc.args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", source, "-ldl", "-o"]).arg(&library);
        let built = cc.status().unwrap();
        assert!(built.success(), "cc {source}");
        Some(library)
    };
    BUILT.get_or_init(build).as_deref()
}

/// Calls before which the program is killed, of so many that there are.
fn stops(calls: usize) -> Vec<usize> {
    if std::env::var_os("GRIDATLAS_PROOF").is_some() {
        return (1..=calls).collect();
    }
    // Some from everywhere, and the last ones: those of the commit.
    let some = (1..=8).map(|i| i * calls / 9 + 1);
    let mut all: Vec<usize> = some.chain(calls.saturating_sub(2)..=calls).filter(|at| *at <= calls).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The program with the library loaded; it counts as soon as `at` is there.
fn watched(place: &Place, args: &[&str]) -> Option<(Command, PathBuf, PathBuf)> {
    let (at, count) = (place.folder().join("stop-at"), place.folder().join("stop-count"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridatlas"));
    command.args(args).args(["--store", place.store()]).env_remove("GRIDATLAS_STORE");
    command.env("LD_PRELOAD", stopper()?).env("STOP_AT", &at).env("STOP_COUNT", &count);
    match place.port() {
        Some(port) => command.env("STOP_PORT", port.to_string()),
        None => command.env("STOP_PATH", place.store()),
    };
    Some((command, at, count))
}

/// Runs a command that is killed before a call; gives what it came to, and how many calls
/// it made if it ended.
fn stopped(place: &Place, args: &[&str], before: usize) -> Option<(Run, usize)> {
    let (mut command, at, count) = watched(place, args)?;
    std::fs::write(at, before.to_string()).unwrap();
    let done = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let run = Run { code: done.status.code().unwrap_or(-1), out: out.into_owned(), err: err.into_owned() };
    let calls = std::fs::read_to_string(count).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    Some((run, calls))
}

/// A plan and the boundaries, as a store that is opened anew has them.
struct Found {
    plan: Plan,
    /// The digests of the revisions.
    revisions: Vec<String>,
    lineage: usize,
}

impl Found {
    fn in_store(place: &Place, plan: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = Store::open(place.store()).await.unwrap();
            let report = store.check(None).await.unwrap();
            assert_eq!(report.defects, []);
            let found = Self {
                plan: store.plan(plan).await.unwrap().unwrap(),
                revisions: store.revisions().await.unwrap().into_iter().map(|r| r.digest).collect(),
                lineage: store.lineage("responsibility").await.unwrap().len(),
            };
            store.close().await;
            found
        })
    }

    fn edits(&self) -> Vec<&str> {
        self.plan.edits.iter().map(|e| &*e.body).collect()
    }
}

/// Tells a story of every call before which `args` can be stopped. `look` gets the place
/// after it, and whether the program had said that it was done.
fn at_each_call(begun: &Place, args: &dyn Fn(&Place) -> Vec<String>, look: &dyn Fn(&Place, bool)) {
    let run = |place: &Place, before: usize| {
        let args = args(place);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        stopped(place, &args, before)
    };
    let whole = begun.copy();
    let Some((done, calls)) = run(&whole, usize::MAX >> 1) else { return };
    done.ended(0);
    look(&whole, true);
    whole.discard();
    assert!(calls > 5, "only {calls} calls were seen");
    let mut killed = 0;
    for before in stops(calls) {
        let place = begun.copy();
        let (run, _) = run(&place, before).unwrap();
        println!("{} before call {before} of {calls}: {}", place.store(), run.code);
        assert!([-1, 0].contains(&run.code), "{run:?}");
        killed += usize::from(run.code == -1);
        look(&place, run.code == 0);
        place.discard();
    }
    assert!(killed > 5, "{killed} were killed");
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|s| (*s).to_owned()).collect()
}

#[test]
fn edits_that_are_killed_anywhere_are_there_whole_or_not_at_all() {
    for place in Place::both() {
        found_town(&place);
        let first = json!({ "op": "rename", "code": "g20", "name": "老" });
        let id = begin(&place, std::slice::from_ref(&first));
        let more = [cut("g00", 0), json!({ "op": "merge", "codes": ["g10", "g00"], "into": "g10" }), cut("g31", 3)];
        let all = place.copy();
        edit(&all, &id, &more).ended(0);
        let all = Found::in_store(&all, &id);
        let args = |place: &Place| strings(&["plan", "edit", &id, &edits_file(place, &more)]);
        at_each_call(&place, &args, &|place, done| {
            let found = Found::in_store(place, &id);
            let made = found.edits().len();
            assert!(!done || made == 4);
            assert_eq!(found.edits(), all.edits()[..made]);
            assert!(made >= 1 && found.plan.done == made && found.plan.state == PlanState::Draft);
            assert_eq!(found.revisions.len(), 1);
            if made < 4 {
                edit(place, &id, &more[made - 1..]).ended(0);
            }
            assert_eq!(Found::in_store(place, &id).edits(), all.edits());
        });
    }
}

#[test]
fn a_publish_that_is_killed_anywhere_is_there_whole_or_not_at_all_and_never_twice() {
    for place in Place::both() {
        found_town(&place);
        let id = begin(&place, &[cut("g00", 0), json!({ "op": "rename", "code": "g11", "name": "新" })]);
        approve(&place, &id);
        let before = Found::in_store(&place, &id);
        let after = place.copy();
        plan(&after, &["publish", &id]).ended(0);
        let after = Found::in_store(&after, &id);
        at_each_call(&place, &|_| strings(&["plan", "publish", &id]), &|place, done| {
            let found = Found::in_store(place, &id);
            let is_new = found.revisions.len() == 2;
            assert!(is_new || !done);
            let whole = if is_new { &after } else { &before };
            assert_eq!((&found.revisions, found.lineage), (&whole.revisions, whole.lineage));
            assert_eq!((found.plan.state, found.plan.published), (whole.plan.state, whole.plan.published));
            assert_eq!(found.edits(), before.edits());
            let again = plan(place, &["publish", &id]).ended(i32::from(is_new));
            assert!(!is_new || again.err.contains("published"), "{again:?}");
            let found = Found::in_store(place, &id);
            assert_eq!((&found.revisions, found.lineage), (&after.revisions, after.lineage));
            assert_eq!(found.plan.published, Some(2));
        });
    }
}

#[test]
fn a_way_back_that_is_killed_anywhere_is_gone_whole_or_not_at_all() {
    for place in Place::both() {
        found_town(&place);
        let id = begin(&place, &[cut("g00", 0)]);
        approve(&place, &id);
        plan(&place, &["publish", &id]).ended(0);
        at_each_call(&place, &|_| strings(&["plan", "rollback", "1"]), &|place, done| {
            let is_back = Found::in_store(place, &id).revisions.len() == 3;
            assert!(is_back || !done);
            let again = plan(place, &["rollback", "1"]).ended(i32::from(is_back));
            assert!(!is_back || again.err.contains("no_change"), "{again:?}");
            let revisions = Found::in_store(place, &id).revisions;
            assert_eq!((revisions.len(), &revisions[2]), (3, &revisions[0]));
        });
    }
}

#[test]
fn a_rebase_that_is_killed_anywhere_leaves_the_plan_on_one_base_or_the_other() {
    for place in Place::both() {
        found_town(&place);
        let other = begin(&place, &[cut("g30", 3)]);
        let id = begin(&place, &[cut("g00", 0), json!({ "op": "rename", "code": "g30", "name": "新" }), cut("g02", 0)]);
        [&other, &id].iter().for_each(|id| approve(&place, id));
        plan(&place, &["publish", &other]).ended(0);
        let before = Found::in_store(&place, &id);
        let args = ["plan", "rebase", &id, "--drop", "2"];
        at_each_call(&place, &|_| strings(&args), &|place, done| {
            let found = Found::in_store(place, &id);
            if found.plan.base == 1 {
                assert!(!done && found.plan == before.plan);
                plan(place, &args[1..]).ended(0);
            }
            let found = Found::in_store(place, &id);
            assert_eq!((found.plan.base, found.plan.state, found.plan.done), (2, PlanState::Submitted, 2));
            assert_eq!(found.edits(), [before.edits()[0], before.edits()[2]]);
        });
    }
}

#[test]
fn a_service_that_is_killed_anywhere_loses_nothing_that_it_has_answered() {
    let is_long = std::env::var_os("GRIDATLAS_PROOF").is_some();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for place in Place::both() {
        found_town(&place);
        let ready = begin(&place, &[cut("g00", 0)]);
        approve(&place, &ready);
        let draft = begin(&place, &[]);
        let edits = [cut("g11", 1), json!({ "op": "rename", "code": "g11-2", "name": "新" }), cut("g22", 2)];
        let (mut before, mut killed) = (1, 0);
        loop {
            let place = place.copy();
            let Some((command, at, _)) = watched(&place, &["serve", "--listen", "127.0.0.1:0"]) else { return };
            let served = Served::start(command);
            std::fs::write(at, before.to_string()).unwrap();
            let (answered, published) = runtime.block_on(async {
                let mut answered = 0;
                for edit in &edits {
                    let Some((status, body)) = served.post(&format!("plans/{draft}/edits"), edit).await else { break };
                    assert_eq!(status, 201, "{body}");
                    answered += 1;
                }
                (answered, served.post(&format!("plans/{ready}/publish"), &json!({})).await)
            });
            served.end();
            assert!(published.as_ref().is_none_or(|(status, _)| *status == 200), "{published:?}");
            println!("{} before call {before}: {answered} edits, {:?}", place.store(), published.is_some());
            let found = Found::in_store(&place, &draft);
            assert!((answered..=answered + 1).contains(&found.edits().len()), "{answered} were answered");
            let of_ready = Found::in_store(&place, &ready);
            let is_new = of_ready.revisions.len() == 2;
            assert_eq!(is_new, of_ready.plan.published == Some(2));
            assert!(is_new || published.is_none());

            // Another service takes over.
            let served = Served::serve(&place);
            runtime.block_on(async {
                for edit in &edits[found.edits().len()..] {
                    let (status, body) = served.post(&format!("plans/{draft}/edits"), edit).await.unwrap();
                    assert_eq!(status, 201, "{body}");
                }
                let (status, body) = served.post(&format!("plans/{ready}/publish"), &json!({})).await.unwrap();
                let expected = if is_new { (409, &json!("wrong_state")) } else { (200, &Value::Null) };
                assert_eq!((status, &body["code"]), expected, "{body}");
            });
            served.end();
            let done = Found::in_store(&place, &draft);
            assert_eq!((done.edits().len(), done.revisions.len()), (3, 2));
            place.discard();
            if published.is_some() {
                break;
            }
            killed += 1;
            before = if is_long { before + 1 } else { before + before / 2 + 3 };
        }
        assert!(killed > 5, "{killed} were killed");
    }
}
