//! Where a story is told: a fresh GeoPackage, and a fresh database of the cluster that
//! GRIDATLAS_TEST_POSTGRES names.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
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
        if std::env::var(CLUSTER).is_err() {
            println!("skipped for PostGIS: {CLUSTER} names no cluster");
            return None;
        }
        let name = fresh_name();
        ask_cluster(&format!("create database {name}"));
        Some(Self { store: url_of(&name), folder: tempfile::tempdir().unwrap() })
    }

    /// Another place with the same content as this one, which nobody may have open.
    pub(crate) fn copy(&self) -> Self {
        if self.port().is_none() {
            let copy = Self::file();
            std::fs::copy(&self.store, &copy.store).unwrap();
            return copy;
        }
        let (name, template) = (fresh_name(), self.store.rsplit_once('/').unwrap().1);
        ask_cluster(&format!("create database {name} template {template}"));
        Self { store: url_of(&name), folder: tempfile::tempdir().unwrap() }
    }

    /// Gives its room back before the cluster goes.
    pub(crate) fn discard(self) {
        if self.port().is_some() {
            let (_, name) = self.store.rsplit_once('/').unwrap();
            ask_cluster(&format!("drop database {name} with (force)"));
        }
    }

    /// The port of its database; a file has none.
    pub(crate) fn port(&self) -> Option<u16> {
        let options: PgConnectOptions = self.store.strip_prefix("postgres").and_then(|_| self.store.parse().ok())?;
        Some(options.get_port())
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

/// What names the cluster.
const CLUSTER: &str = "GRIDATLAS_TEST_POSTGRES";

fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("rough_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn url_of(name: &str) -> String {
    let cluster = std::env::var(CLUSTER).unwrap();
    format!("{}/{name}", cluster.rsplit_once('/').unwrap().0)
}

fn ask_cluster(sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&std::env::var(CLUSTER).unwrap()).await.unwrap();
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    });
}
