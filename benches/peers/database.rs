//! The city in PostGIS: imported as anyone would, then laid out as is best for ST_AsMVT
//! (geometry in EPSG:3857, with an index).

use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use crate::work;

/// What is made of the imported tables.
const LAID_OUT: &str = "
    create table grid_3857 as
        select code, name, parent, kind, st_transform(geom, 3857)::geometry(Geometry, 3857) as geom from responsibility_grid;
    create table building_3857 as
        select id, name, floors, st_transform(geom, 3857)::geometry(Geometry, 3857) as geom from building;
    create index on grid_3857 using gist (geom);
    create index on building_3857 using gist (geom);
    vacuum analyze grid_3857;
    vacuum analyze building_3857;";

/// The URL of a database with the city, made on the first call.
pub async fn city() -> Result<String, String> {
    let cluster = std::env::var("GRIDATLAS_TEST_POSTGRES")
        .map_err(|_| "it wants a PostgreSQL beside it: setup/with-postgres.sh".to_owned())?;
    let base = cluster.rsplit_once('/').map_or(&*cluster, |(base, _)| base);
    let url = format!("{base}/peers");
    let failed = |e: sqlx::Error| e.to_string();
    let mut connection = PgConnection::connect(&cluster).await.map_err(failed)?;
    let there = sqlx::query("select 1 from pg_database where datname = 'peers'").fetch_optional(&mut connection).await;
    if there.map_err(failed)?.is_some() {
        return Ok(url);
    }
    connection.execute("create database peers").await.map_err(failed)?;
    let mut city = PgConnection::connect(&url).await.map_err(failed)?;
    city.execute("create extension postgis").await.map_err(failed)?;
    let files = work::city_files(crate::BUILDINGS)?;
    work::run(&mut work::import_areas(&files, url.as_ref()))?;
    work::run(&mut work::import_layer(&files, url.as_ref(), "building"))?;
    for statement in LAID_OUT.split(';').filter(|s| !s.trim().is_empty()) {
        city.execute(statement).await.map_err(failed)?;
    }
    Ok(url)
}

/// A connection, and the file in which the system counts the processor time of the process
/// that answers it.
pub async fn connected(url: &str) -> Result<(PgConnection, String), String> {
    let mut connection = PgConnection::connect(url).await.map_err(|e| e.to_string())?;
    connection.execute("set max_parallel_workers_per_gather = 0; set jit = off").await.map_err(|e| e.to_string())?;
    let row = connection.fetch_one("select pg_backend_pid()").await.map_err(|e| e.to_string())?;
    let process: i32 = row.get(0);
    Ok((connection, format!("/proc/{process}/schedstat")))
}

/// Milliseconds of processor time that a process has taken so far.
pub fn processor_ms(schedstat: &str) -> f64 {
    let stat = std::fs::read_to_string(schedstat).unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or_default() / 1e6
}
