//! The embedded store: one GeoPackage file, by SQLite.
//!
//! WAL, so that readers and the one writer don't wait for each other; a commit is on
//! the disk before it is reported (synchronous=FULL). The R-trees of the layers are
//! written by us in the same transaction as the rows, without the triggers of the
//! GeoPackage extension: those call functions that are no part of SQLite. A GIS
//! program reads a store; to edit, it takes an export.

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr as _, SqlitePool};

use super::direct::{COMMANDS, Lender};
use super::sql::Tx;
use super::{Error, new_epoch};

/// How long a writer waits for another before it is refused.
const BUSY: Duration = Duration::from_secs(10);
/// `GPKG`, and version 1.3.
const APPLICATION_ID: i64 = 0x4750_4b47;
const VERSION: i64 = 10_300;

/// A GeoPackage that is open.
#[derive(Clone, Debug)]
pub struct GeoPackage {
    pool: SqlitePool,
    location: String,
}

pub(super) fn migrator(steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(steps.iter().map(migration).collect())
}

impl GeoPackage {
    pub(super) async fn connect(location: &str, create: bool) -> Result<Self, Error> {
        let path = Path::new(location);
        let exists = path.exists();
        if !exists && !create {
            return Err(Error::Missing(location.into()));
        }
        if path.is_dir() {
            return Err(Error::NotAStore { place: location.into(), reason: "it is a directory".into() });
        }
        let mut options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            // 32 MB of pages that are written: those that are read lie in the mapped file.
            .pragma("cache_size", "-32768")
            .pragma("mmap_size", "1073741824")
            .pragma("temp_store", "memory")
            // After a large import the journal gives its room back.
            .pragma("journal_size_limit", "67108864")
            .row_buffer_size(512)
            .command_buffer_size(COMMANDS);
        let found = if exists { look_at(path, location).await? } else { Found::default() };
        if !found.is_marked {
            // Both must stand before the first page is written. They are not set again: that
            // would be a write, and to read a store takes no room on its disk.
            options = options
                .pragma("application_id", APPLICATION_ID.to_string())
                .pragma("user_version", VERSION.to_string());
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_with(options)
            .await
            .map_err(|e| at(location, e.into()))?;
        let migrator = migrator(&[
            (1, "ground", include_str!("../../migrations/geopackage/0001_ground.sql")),
            (2, "follow", include_str!("../../migrations/geopackage/0002_follow.sql")),
            (3, "redraw", include_str!("../../migrations/geopackage/0003_redraw.sql")),
            (4, "history", include_str!("../../migrations/geopackage/0004_history.sql")),
            (5, "events", include_str!("../../migrations/geopackage/0005_events.sql")),
            (6, "event_counts", include_str!("../../migrations/geopackage/0006_event_counts.sql")),
            (7, "event_log", include_str!("../../migrations/geopackage/0007_event_log.sql")),
            (8, "event_months", include_str!("../../migrations/geopackage/0008_event_months.sql")),
        ]);
        migrate(&pool, &migrator).await.map_err(|e| at(location, e))?;
        // Asked for first: an insert waits for whoever is writing, and a reader must not.
        let epoch: i64 = sqlx::query_scalar("select count(*) from meta where key = 'epoch'").fetch_one(&pool).await?;
        if epoch == 0 {
            sqlx::query("insert into meta (key, value) values ('epoch', $1) on conflict do nothing")
                .bind(new_epoch())
                .execute(&pool)
                .await?;
        }
        Ok(Self { pool, location: location.into() })
    }

    pub(super) fn location(&self) -> &str {
        &self.location
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn reading(&self) -> Result<Tx, Error> {
        Ok(Tx::Lite(Lender::new(self.pool.begin().await?)))
    }

    pub(super) async fn writing(&self) -> Result<Tx, Error> {
        // Immediate: the lock is taken now, not at the first write, when it is too late to wait.
        Ok(Tx::Lite(Lender::new(self.pool.begin_with("begin immediate").await?)))
    }
}

/// What a file holds before anything is written to it.
#[derive(Clone, Copy, Default)]
struct Found {
    /// It is marked as a GeoPackage of our version.
    is_marked: bool,
}

/// Looks at a file before anything is written to it, so that a foreign database is
/// refused as it was found.
async fn look_at(path: &Path, location: &str) -> Result<Found, Error> {
    let not = |reason: &str| Error::NotAStore { place: location.into(), reason: reason.into() };
    let head = std::fs::File::open(path).and_then(|mut file| {
        let mut head = [0u8; 100];
        let read = std::io::Read::read(&mut file, &mut head)?;
        Ok((head, read))
    });
    let (head, read) = head.map_err(|e| not(&e.to_string()))?;
    if read == 0 {
        // What a crash right after creating leaves, or `mktemp`: nothing to lose.
        return Ok(Found::default());
    }
    if read < 100 || !head.starts_with(b"SQLite format 3\0") {
        return Err(not("it is no SQLite database"));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
    let pool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(|e| at(location, e.into()))?;
    // The table of migrations is made first, on its own.
    let sql = "select (select count(*) from sqlite_master where tbl_name <> '_sqlx_migrations'), \
               (select count(*) from sqlite_master where name in ('meta', 'border', 'revision')), \
               (select application_id from pragma_application_id), (select user_version from pragma_user_version)";
    let found: Result<(i64, i64, i64, i64), _> = sqlx::query_as(sql).fetch_one(&pool).await;
    pool.close().await;
    let (tables, ours, application, version) = found.map_err(|e| at(location, e.into()))?;
    if tables != 0 && ours != 3 {
        return Err(not("it is a database, or a GeoPackage, of something else"));
    }
    Ok(Found { is_marked: (application, version) == (APPLICATION_ID, VERSION) })
}

/// Brings the tables up to date. Two processes may make the same file at once, and what is
/// asked of a file before its lock is held is not true any more once it is: so all steps are
/// one transaction under it. A file that has all of them is not locked: a reader doesn't wait
/// for whoever is writing.
async fn migrate(pool: &SqlitePool, steps: &Migrator) -> Result<(), Error> {
    let sql = "select count(*) from sqlite_master where name = '_sqlx_migrations'";
    let begun: i64 = sqlx::query_scalar(sql).fetch_one(pool).await?;
    let done: i64 = match begun {
        0 => 0,
        _ => sqlx::query_scalar("select count(*) from _sqlx_migrations").fetch_one(pool).await?,
    };
    if done >= steps.iter().count() as i64 {
        return steps.run(pool).await.map_err(migration_error);
    }
    let mut tx = pool.begin_with("begin immediate").await?;
    steps.run(&mut *tx).await.map_err(migration_error)?;
    Ok(tx.commit().await?)
}

fn at(location: &str, e: Error) -> Error {
    match e {
        Error::NotAStore { reason, .. } => Error::NotAStore { place: location.into(), reason },
        other => other,
    }
}

pub(super) fn migration_error(e: sqlx::migrate::MigrateError) -> Error {
    match e {
        sqlx::migrate::MigrateError::Execute(e) | sqlx::migrate::MigrateError::ExecuteMigration(e, _) => e.into(),
        sqlx::migrate::MigrateError::VersionMissing(v) => {
            Error::Refused(format!("the store was written by a newer version (its migration {v} is not known here)"))
        }
        other => Error::Damaged(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use crate::feature::{Feature, Geometry};
    use crate::store::{Error, Store, SyncOptions};
    use boundaries::Point;

    #[test]
    fn a_full_disk_is_said_and_nothing_is_half_written() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("city.gpkg");
        let path = path.to_str().unwrap();
        let features = (0..20_000).map(|i| Feature {
            id: format!("feature {i}").into(),
            geometry: Geometry::Point(Point::new(i, i)),
            properties: vec![],
        });
        let features: Vec<Feature> = features.collect();
        let options = SyncOptions { max_removed_percent: 10.0, dry_run: false };
        runtime.block_on(async {
            let store = Store::open_or_create(path).await.unwrap();
            let before = store.state().await.unwrap();
            // SQLite answers beyond its limit of pages just as it does on a full disk.
            if let Store::GeoPackage(file) = &store {
                let mut all = Vec::new();
                for _ in 0..file.pool.options().get_max_connections() {
                    let mut one = file.pool.acquire().await.unwrap();
                    sqlx::query("pragma max_page_count = 150").execute(&mut *one).await.unwrap();
                    all.push(one);
                }
            }
            let full = store.sync_layer("tree", &[], features.clone(), &options).await;
            assert!(matches!(full, Err(Error::Full)), "{full:?}");
            store.close().await;
            let store = Store::open(path).await.unwrap();
            assert_eq!(store.state().await.unwrap(), before);
            assert!(store.layers().await.unwrap().is_empty());
            assert_eq!(store.sync_layer("tree", &[], features, &options).await.unwrap().added, 20_000);
        });
    }
}
