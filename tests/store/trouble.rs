//! What goes wrong leaves the store as it was, and says what went wrong.

use std::time::Duration;

use gridatlas::store::{Error, Store, SyncOptions, digest};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::city::{bent, buildings, coverage, publication, publish_first};
use super::places::{in_a_file, in_both};

const ALL: SyncOptions = SyncOptions { max_removed_percent: 100.0, dry_run: false };

#[test]
fn of_two_imports_one_wins_and_the_other_is_told_why_not() {
    in_both(|place| async move {
        let (one, two) = (place.store().await, place.store().await);
        publish_first(&one).await;
        let (head, mine) = bent(&one, 3).await;
        let (_, theirs) = bent(&two, 9).await;
        let (a, b) = tokio::join!(
            one.publish(publication("responsibility", Some(head), mine.clone())),
            two.publish(publication("responsibility", Some(head), theirs.clone())),
        );
        let (won, lost) = if a.is_ok() { (mine, b) } else { (theirs, a) };
        let lost = lost.unwrap_err();
        assert!(matches!(lost, Error::Moved { .. }));
        let said = lost.to_string();
        assert!(said.contains("revision 1") && said.contains("revision 2 by planner"), "{said}");
        let (_, back) = one.head_coverage("responsibility").await.unwrap().unwrap();
        assert_eq!(digest(&back), digest(&won));
        assert_eq!(one.check(None).await.unwrap().defects, []);
    });
}

#[test]
fn a_publish_that_is_broken_off_anywhere_leaves_no_trace() {
    // The story behind it: a publish writes eight tables; a process that is killed
    // between two of them must not leave a revision whose borders are half there.
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        store.sync_layer("building", &[], buildings(200), &ALL).await.unwrap();
        let before = store.state().await.unwrap();
        let (_, first) = store.head_coverage("responsibility").await.unwrap().unwrap();
        let (head, next) = bent(&store, 8).await;
        for after_ms in [0, 1, 2, 4, 8, 15, 25] {
            let publish = store.publish(publication("responsibility", Some(head), next.clone()));
            let whole = tokio::time::timeout(Duration::from_millis(after_ms), publish).await;
            if whole.is_ok() {
                break;
            }
            let fresh = place.store().await;
            assert_eq!(fresh.check(None).await.unwrap().defects, [], "broken off after {after_ms} ms");
            let (_, stands) = fresh.head_coverage("responsibility").await.unwrap().unwrap();
            if fresh.state().await.unwrap() != before {
                // The commit was on its way when its caller went away: then all of it is there.
                assert_eq!(digest(&stands), digest(&next));
                break;
            }
            assert_eq!(digest(&stands), digest(&first), "broken off after {after_ms} ms");
        }
    });
}

#[test]
fn what_is_no_store_is_refused_as_it_was_found() {
    in_a_file(|place| async move {
        assert!(matches!(Store::open(place.location()).await, Err(Error::Missing(_))));
        let folder = std::path::Path::new(place.location()).parent().unwrap();
        let text = folder.join("notes.gpkg");
        std::fs::write(&text, "this is no database, and longer than a header of SQLite would be: ".repeat(4)).unwrap();
        let bytes = std::fs::read(&text).unwrap();
        assert!(matches!(Store::open_or_create(text.to_str().unwrap()).await, Err(Error::NotAStore { .. })));
        assert_eq!(std::fs::read(&text).unwrap(), bytes);

        let foreign = folder.join("foreign.gpkg");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
        let mut connection = options.connect().await.unwrap();
        connection.execute("create table gpkg_contents (a)").await.unwrap();
        connection.close().await.unwrap();
        let bytes = std::fs::read(&foreign).unwrap();
        assert!(matches!(Store::open_or_create(foreign.to_str().unwrap()).await, Err(Error::NotAStore { .. })));
        assert_eq!(std::fs::read(&foreign).unwrap(), bytes);
    });
}

#[test]
fn a_tampered_store_is_found_out() {
    in_both(|place| async move {
        let store = place.store().await;
        publish_first(&store).await;
        store.sync_layer("building", &[], buildings(40), &ALL).await.unwrap();
        store.close().await;
        let cases = [
            ("derived", "delete from responsibility_grid where code = 'g3'"),
            ("derived", "update responsibility_street set name = 'x' where code = 's1'"),
            ("owner", "update building set owner = 'g0' where id = 'b7'"),
            ("digest", "update area set name = 'x' where code = 'g5'"),
        ];
        for (kind, sql) in cases {
            run(&place, sql).await;
            let store = place.store().await;
            let report = store.check(None).await.unwrap();
            assert!(report.defects.iter().any(|d| d.kind == kind), "{sql}: {:?}", report.defects);
            store.close().await;
        }
        let store = place.store().await;
        assert!(matches!(store.head_coverage("responsibility").await, Err(Error::Damaged(_))));
    });
}

async fn run(place: &super::places::Place, sql: &'static str) {
    if place.is_file() {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(place.location());
        let mut connection = options.connect().await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = sqlx::PgConnection::connect(place.location()).await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
    }
}

#[test]
fn a_name_that_no_table_could_have_is_refused() {
    in_both(|place| async move {
        let store = place.store().await;
        let next = coverage(2, 2, None, None);
        let bad = publication("Robert'); drop table area;--", None, next);
        assert!(matches!(store.publish(bad).await, Err(Error::Refused(_))));
        assert!(matches!(store.create_layer("a b", &[]).await, Err(Error::Refused(_))));
    });
}
