//! Where the story is told: a fresh GeoPackage, and a fresh database of the cluster
//! that GRIDATLAS_TEST_POSTGRES names.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};

use gridatlas::store::Store;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

/// A place of its own for one test, gone when the test is over.
pub(crate) struct Place {
    location: String,
    _folder: tempfile::TempDir,
}

impl Place {
    /// What `--store` takes.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    pub(crate) async fn store(&self) -> Store {
        Store::open_or_create(&self.location).await.unwrap()
    }

    pub(crate) fn is_file(&self) -> bool {
        !self.location.starts_with("postgres://")
    }
}

/// Tells a story to both stores, one after the other.
pub(crate) fn in_both<F: Future<Output = ()>>(story: impl Fn(Place) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        story(geopackage()).await;
        match std::env::var("GRIDATLAS_TEST_POSTGRES") {
            Ok(cluster) => story(postgis(&cluster).await).await,
            Err(_) => println!("skipped for PostGIS: GRIDATLAS_TEST_POSTGRES names no cluster"),
        }
    });
}

/// Tells a story to the GeoPackage alone.
pub(crate) fn in_a_file<F: Future<Output = ()>>(story: impl Fn(Place) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(story(geopackage()));
}

fn geopackage() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place { location: folder.path().join("city.gpkg").to_str().unwrap().to_owned(), _folder: folder }
}

async fn postgis(cluster: &str) -> Place {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("story_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(cluster).await.unwrap();
    connection.execute(AssertSqlSafe(format!("create database {name}"))).await.unwrap();
    connection.close().await.unwrap();
    let (server, _) = cluster.rsplit_once('/').unwrap();
    Place { location: format!("{server}/{name}"), _folder: tempfile::tempdir().unwrap() }
}
