//! The shared store: a PostgreSQL database with PostGIS.
//!
//! Writers take one advisory lock, so their changes are numbered in the order of
//! their commits; readers see one state throughout (repeatable read).

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, Row as _};

use super::geopackage::{migration_error, migrator};
use super::sql::Tx;
use super::{Error, new_epoch};

/// The advisory lock of writers: "grid" in ASCII.
const WRITERS: i64 = 0x6772_6964;

/// Whether a connection that is let go can be used again. Who asks may go away in the middle
/// of anything: a COPY that was broken off leaves answers that nobody waits for, by which
/// the next commit would be taken for done before it is, and a `begin` that was broken off
/// leaves a transaction open. After the first there is no row, or an error; in the second
/// the transaction is older than the statement.
const IS_IDLE: &str = "select now() = statement_timestamp()";

/// A PostGIS database that is open.
#[derive(Clone, Debug)]
pub struct PostGis {
    pool: PgPool,
    location: String,
}

impl PostGis {
    pub(super) async fn connect(location: &str, create: bool) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(location)?;
        let shown = format!(
            "postgres://{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let pool = PgPoolOptions::new()
            .max_connections(6)
            .acquire_timeout(Duration::from_secs(15))
            .after_release(|connection, _| {
                Box::pin(async move {
                    let row = sqlx::raw_sql(IS_IDLE).fetch_optional(connection).await;
                    Ok(matches!(row.map(|row| row.and_then(|row| row.try_get(0).ok())), Ok(Some(true))))
                })
            })
            .connect_with(options.application_name("gridatlas"))
            .await
            .map_err(|source| Error::Database { doing: format!("reach {shown}").into(), source })?;
        let sql = "select to_regclass('meta') is not null and to_regclass('border') is not null";
        let exists: bool = sqlx::query_scalar(sql).fetch_one(&pool).await?;
        if !exists && !create {
            return Err(Error::Missing(shown));
        }
        let migrator = migrator(&[
            (1, "ground", include_str!("../../migrations/postgis/0001_ground.sql")),
            (2, "follow", include_str!("../../migrations/postgis/0002_follow.sql")),
            (3, "redraw", include_str!("../../migrations/postgis/0003_redraw.sql")),
            (4, "history", include_str!("../../migrations/postgis/0004_history.sql")),
            (5, "events", include_str!("../../migrations/postgis/0005_events.sql")),
            (6, "event_counts", include_str!("../../migrations/postgis/0006_event_counts.sql")),
            (7, "event_log", include_str!("../../migrations/postgis/0007_event_log.sql")),
            (8, "event_months", include_str!("../../migrations/postgis/0008_event_months.sql")),
        ]);
        migrator.run(&pool).await.map_err(migration_error)?;
        sqlx::query("insert into meta (key, value) values ('epoch', $1) on conflict do nothing")
            .bind(new_epoch())
            .execute(&pool)
            .await?;
        Ok(Self { pool, location: shown })
    }

    pub(super) fn location(&self) -> &str {
        &self.location
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn reading(&self) -> Result<Tx, Error> {
        Ok(Tx::Pg(self.pool.begin_with("begin isolation level repeatable read read only").await?))
    }

    pub(super) async fn writing(&self) -> Result<Tx, Error> {
        let mut tx = self.pool.begin_with("begin isolation level read committed").await?;
        sqlx::query("set local lock_timeout = '10s'").execute(&mut *tx).await?;
        sqlx::query("select pg_advisory_xact_lock($1)").bind(WRITERS).execute(&mut *tx).await?;
        Ok(Tx::Pg(tx))
    }
}
