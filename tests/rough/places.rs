//! Where a story is told: a fresh GeoPackage, and a fresh database of the cluster that
//! GRIDATLAS_TEST_POSTGRES names.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A store that is not there yet, and a folder for files; both gone when the test is over.
pub(crate) struct Place {
    store: String,
    folder: tempfile::TempDir,
}

impl Place {
    /// A GeoPackage.
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { store: folder.path().join("city.gpkg").to_str().unwrap().to_owned(), folder }
    }

    /// A database, where there is a cluster.
    pub(crate) fn database() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(cluster) = std::env::var("GRIDATLAS_TEST_POSTGRES") else {
            println!("skipped for PostGIS: GRIDATLAS_TEST_POSTGRES names no cluster");
            return None;
        };
        let name = format!("rough_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect(&cluster).await.unwrap();
            connection.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
            connection.close().await.unwrap();
        });
        let (server, _) = cluster.rsplit_once('/').unwrap();
        Some(Self { store: format!("{server}/{name}"), folder: tempfile::tempdir().unwrap() })
    }

    /// One of each.
    pub(crate) fn both() -> impl Iterator<Item = Self> {
        std::iter::once(Self::file()).chain(std::iter::once_with(Self::database).flatten())
    }

    /// What `--store` takes.
    pub(crate) fn store(&self) -> &str {
        &self.store
    }

    /// Where files of the test may lie.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}
