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

use super::sql::Tx;
use super::{Error, new_epoch};

/// How long a writer waits for another before it is refused.
const BUSY: Duration = Duration::from_secs(10);
/// `GPKG`, and version 1.3.
const APPLICATION_ID: i64 = 0x4750_4b47;
const VERSION: &str = "10300";

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
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            // Both must stand before the first page is written.
            .pragma("application_id", APPLICATION_ID.to_string())
            .pragma("user_version", VERSION)
            .pragma("cache_size", "-65536")
            .pragma("mmap_size", "1073741824")
            .pragma("temp_store", "memory")
            // After a large import the journal gives its room back.
            .pragma("journal_size_limit", "67108864")
            .row_buffer_size(512);
        if exists {
            must_be_ours(path, location).await?;
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
        ]);
        // Two processes may make the same file at once: then one finds it half made, and
        // made when it looks again.
        let mut left = 5;
        while let Err(e) = migrator.run(&pool).await {
            left -= 1;
            if left == 0 || exists {
                return Err(at(location, migration_error(e)));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        sqlx::query("insert into meta (key, value) values ('epoch', $1) on conflict do nothing")
            .bind(new_epoch())
            .execute(&pool)
            .await?;
        Ok(Self { pool, location: location.into() })
    }

    pub(super) fn location(&self) -> &str {
        &self.location
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn reading(&self) -> Result<Tx, Error> {
        Ok(Tx::Lite(self.pool.begin().await?))
    }

    pub(super) async fn writing(&self) -> Result<Tx, Error> {
        // Immediate: the lock is taken now, not at the first write, when it is too late to wait.
        Ok(Tx::Lite(self.pool.begin_with("begin immediate").await?))
    }
}

/// Looks at a file before anything is written to it, so that a foreign database is
/// refused as it was found.
async fn must_be_ours(path: &Path, location: &str) -> Result<(), Error> {
    let not = |reason: &str| Error::NotAStore { place: location.into(), reason: reason.into() };
    let head = std::fs::File::open(path).and_then(|mut file| {
        let mut head = [0u8; 100];
        let read = std::io::Read::read(&mut file, &mut head)?;
        Ok((head, read))
    });
    let (head, read) = head.map_err(|e| not(&e.to_string()))?;
    if read == 0 {
        // What a crash right after creating leaves, or `mktemp`: nothing to lose.
        return Ok(());
    }
    if read < 100 || !head.starts_with(b"SQLite format 3\0") {
        return Err(not("it is no SQLite database"));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(BUSY);
    let pool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(|e| at(location, e.into()))?;
    let sql = "select (select count(*) from sqlite_master), \
               (select count(*) from sqlite_master where name in ('meta', 'border', 'revision'))";
    let found: Result<(i64, i64), _> = sqlx::query_as(sql).fetch_one(&pool).await;
    pool.close().await;
    match found.map_err(|e| at(location, e.into()))? {
        (0, _) | (_, 3) => Ok(()),
        _ => Err(not("it is a database, or a GeoPackage, of something else")),
    }
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
