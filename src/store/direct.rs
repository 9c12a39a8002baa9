//! Rows of a GeoPackage as SQLite holds them, read in place.
//!
//! sqlx runs SQLite on a thread of its own and sends each row to ours with a copy of
//! every value, which takes longer than all else that is done to a row: for a city,
//! hundreds of thousands of times. A long answer is therefore read over the same
//! connection and in the same transaction, but by the thread that wants it. rusqlite
//! and sqlx must link the same SQLite, so their versions go together.
//!
//! To lend the connection, sqlx sends a command to its thread, and the borrower may have
//! the connection and give it back before that thread has come to run at all. A borrower
//! that is quick enough would fill the queue of commands and wait for room in it with the
//! connection in its hands, while the thread waits for the connection. So now and then the
//! thread is waited for before it is lent again.
//!
//! This module must not know what is asked.

use std::ops::{Deref, DerefMut};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql};
use sqlx::{Connection as _, Sqlite, SqliteConnection, Transaction};
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

/// Commands that the thread of a connection may have before it.
pub(super) const COMMANDS: usize = 64;
/// How often a connection is lent before its thread is waited for.
const LENT: usize = COMMANDS / 2;

/// A transaction whose connection is lent now and then.
pub(super) struct Lender {
    tx: Transaction<'static, Sqlite>,
    /// How often since its thread was last waited for.
    lent: usize,
}

impl Lender {
    /// Of a transaction that has just begun: its thread has said so, and has nothing before it.
    pub(super) fn new(tx: Transaction<'static, Sqlite>) -> Self {
        Self { tx, lent: 0 }
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        Ok(self.tx.commit().await?)
    }
}

impl Deref for Lender {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.tx
    }
}

impl DerefMut for Lender {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }
}

/// Hands every row of an answer to `each`, on this thread; other tasks of the runtime
/// go on meanwhile.
pub(super) async fn each(
    lender: &mut Lender,
    sql: &str,
    args: &[Arg],
    each: impl FnMut(&Row<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if lender.lent >= LENT {
        lender.tx.ping().await?;
        lender.lent = 0;
    }
    lender.lent += 1;
    let mut lent = lender.tx.lock_handle().await?;
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

    use super::{COMMANDS, Lender, each};

    #[test]
    fn a_connection_can_be_borrowed_any_number_of_times_while_its_thread_hardly_runs() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let is_over = AtomicBool::new(false);
        std::thread::scope(|threads| {
            // Others take the processors from its thread at every moment.
            let hogs = std::thread::available_parallelism().map_or(2, usize::from) * 2;
            for _ in 0..hogs {
                threads.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        std::hint::spin_loop()
                    }
                });
            }
            let done = runtime.block_on(async {
                let options = SqliteConnectOptions::new().in_memory(true).command_buffer_size(COMMANDS);
                let pool = SqlitePool::connect_with(options).await.unwrap();
                let mut lender = Lender::new(pool.begin().await.unwrap());
                let mut rows = 0;
                let borrow = async {
                    for _ in 0..20_000 {
                        let count = |_: &rusqlite::Row<'_>| {
                            rows += 1;
                            Ok(())
                        };
                        each(&mut lender, "select 1", &[], count).await.unwrap();
                    }
                };
                let is_in_time = tokio::time::timeout(Duration::from_secs(120), borrow).await.is_ok();
                (is_in_time, rows)
            });
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(done, (true, 20_000));
        });
    }
}
