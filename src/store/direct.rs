//! Rows of a GeoPackage as SQLite holds them, read in place.
//!
//! sqlx runs SQLite on a thread of its own and sends each row to ours with a copy of
//! every value, which takes longer than all else that is done to a row: for a city,
//! hundreds of thousands of times. A long answer is therefore read over the same
//! connection and in the same transaction, but by the thread that wants it. rusqlite
//! and sqlx must link the same SQLite, so their versions go together.
//!
//! This module must not know what is asked.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql};
use sqlx::SqliteConnection;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::Error;
use super::sql::Arg;

impl ToSql for Arg {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Int(i) => i.map_or(ValueRef::Null, ValueRef::Integer),
            Self::Real(r) => r.map_or(ValueRef::Null, ValueRef::Real),
            Self::Bool(b) => b.map_or(ValueRef::Null, |b| ValueRef::Integer(b.into())),
            Self::Text(t) => t.as_ref().map_or(ValueRef::Null, |t| ValueRef::Text(t.as_bytes())),
            Self::Blob(bytes) | Self::Geometry(bytes) => ValueRef::Blob(bytes),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// Hands every row of an answer to `each`, on this thread; other tasks of the runtime
/// go on meanwhile.
pub(super) async fn each(
    connection: &mut SqliteConnection,
    sql: &str,
    args: &[Arg],
    each: impl FnMut(&Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut lent = connection.lock_handle().await?;
    let database = lent.as_raw_handle().as_ptr();
    // SAFETY: the database is open and nobody else's for as long as `lent` is held, and
    // what is made here is dropped before it. It does not close what it does not own.
    let database = unsafe { Connection::from_handle(database) }?;
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => rows(&database, sql, args, each),
        _ => tokio::task::block_in_place(|| rows(&database, sql, args, each)),
    }
}

fn rows(
    database: &Connection,
    sql: &str,
    args: &[Arg],
    mut each: impl FnMut(&Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut statement = database.prepare(sql)?;
    for at in 1..=statement.parameter_count() {
        // `$2` is the second of the values wherever it stands, as it is to PostgreSQL.
        let named = statement.parameter_name(at).and_then(|name| name.get(1..)?.parse().ok());
        statement.raw_bind_parameter(at, args.get(named.unwrap_or(at) - 1))?;
    }
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        each(row)?;
    }
    Ok(())
}
