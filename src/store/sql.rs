//! One statement, two databases: the thin layer that lets everything above it be
//! written once. It knows how each database takes values, geometry and bulk; it must
//! not know what the tables mean.

use std::fmt::Write as _;

use futures::TryStreamExt;
use rusqlite::types::FromSql;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Postgres, Row as _};

use super::{Error, direct};

/// A value on its way into a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Arg {
    Int(Option<i64>),
    Real(Option<f64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Blob(Vec<u8>),
    /// A geometry as this database keeps it: see [`blob`](super::blob).
    Geometry(Vec<u8>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<i64> for Arg {
    fn from(i: i64) -> Self {
        Self::Int(Some(i))
    }
}

impl From<u32> for Arg {
    fn from(i: u32) -> Self {
        Self::Int(Some(i.into()))
    }
}

impl From<Option<u32>> for Arg {
    fn from(i: Option<u32>) -> Self {
        Self::Int(i.map(i64::from))
    }
}

impl From<u64> for Arg {
    fn from(i: u64) -> Self {
        // Numbers of revisions and changes are counted by ones: they don't reach 2^63.
        Self::Int(Some(i as i64))
    }
}

/// A row of an answer.
pub(super) enum Row<'r> {
    Lite(SqliteRow),
    /// One of a long answer, in place: see [`direct`].
    Direct(&'r rusqlite::Row<'r>),
    Pg(PgRow),
}

macro_rules! read {
    ($name:ident, $type:ty, $value:ident => $direct:expr) => {
        /// The value of a column; an error where it is null or of another type.
        pub(super) fn $name(&self, column: usize) -> Result<$type, Error> {
            Ok(match self {
                Self::Lite(row) => row.try_get::<$type, _>(column)?,
                Self::Direct(row) => {
                    let $value = row.get_ref(column)?;
                    $direct.map_err(rusqlite::Error::from)?
                }
                Self::Pg(row) => row.try_get::<$type, _>(column)?,
            })
        }
    };
}

impl Row<'_> {
    read!(int, i64, v => FromSql::column_result(v));
    read!(text, String, v => FromSql::column_result(v));
    read!(str, &str, v => v.as_str());
    read!(blob, &[u8], v => v.as_blob());
    read!(maybe_int, Option<i64>, v => FromSql::column_result(v));
    read!(maybe_real, Option<f64>, v => FromSql::column_result(v));
    read!(maybe_bool, Option<bool>, v => FromSql::column_result(v));
    read!(maybe_text, Option<String>, v => FromSql::column_result(v));
    read!(maybe_str, Option<&str>, v => v.as_str_or_null());

    /// A number that was an id or a number of ours when it was written.
    pub(super) fn id(&self, column: usize) -> Result<u32, Error> {
        self.int(column)?.try_into().map_err(|_| Error::Damaged("an id is out of range".into()))
    }

    /// The same, where there may be none.
    pub(super) fn maybe_id(&self, column: usize) -> Result<Option<u32>, Error> {
        let id = self.maybe_int(column)?.map(u32::try_from).transpose();
        id.map_err(|_| Error::Damaged("an id is out of range".into()))
    }
}

/// A transaction in either database; dropped without [`commit`](Self::commit), it
/// leaves no trace.
pub(super) enum Tx {
    Lite(direct::Lender),
    Pg(sqlx::Transaction<'static, Postgres>),
}

/// How many rows go into one statement of SQLite, and bytes into one message of a COPY.
const ROWS_A_STATEMENT: usize = 500;
const COPY_BYTES: usize = 1 << 20;
/// SQLite's limit on the values of one statement.
const SQLITE_VALUES: usize = 32_766;

impl Tx {
    pub(super) fn is_postgis(&self) -> bool {
        matches!(self, Self::Pg(_))
    }

    /// How an instant, given as RFC 3339 text, is written in a statement.
    pub(super) fn time(&self, place: usize) -> String {
        if self.is_postgis() { format!("cast(${place} as timestamptz)") } else { format!("${place}") }
    }

    /// How a column that is an instant is read as RFC 3339 text.
    pub(super) fn time_text(&self, column: &str) -> String {
        if self.is_postgis() {
            format!("to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        } else {
            column.to_owned()
        }
    }

    /// How a column of geometry is read as the bytes that [`blob`](super::blob) reads.
    pub(super) fn geometry_bytes(&self, column: &str) -> String {
        if self.is_postgis() { format!("ST_AsEWKB({column})") } else { column.to_owned() }
    }

    /// Runs a statement; says how many rows it touched.
    pub(super) async fn run(&mut self, sql: impl Into<String>, args: Vec<Arg>) -> Result<u64, Error> {
        let sql = AssertSqlSafe(sql.into());
        Ok(match self {
            Self::Lite(tx) => sqlx::query_with(sql, lite(args)?).execute(&mut **tx).await?.rows_affected(),
            Self::Pg(tx) => sqlx::query_with(sql, pg(args)?).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Runs statements that take no values and answer nothing.
    pub(super) async fn script(&mut self, sql: impl Into<String>) -> Result<(), Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.into()));
        match self {
            Self::Lite(tx) => sql.execute(&mut **tx).await.map(drop)?,
            Self::Pg(tx) => sql.execute(&mut **tx).await.map(drop)?,
        }
        Ok(())
    }

    /// Hands every row of an answer to `each`, as they come.
    pub(super) async fn each(
        &mut self,
        sql: impl Into<String>,
        args: Vec<Arg>,
        mut each: impl FnMut(Row<'_>) -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let sql = sql.into();
        match self {
            Self::Lite(tx) => direct::each(tx, &sql, &args, |row| each(Row::Direct(row))).await,
            Self::Pg(tx) => {
                // Not kept: a layer's table may be made anew, with other types, by another process.
                let query = sqlx::query_with(AssertSqlSafe(sql), pg(args)?).persistent(false);
                let mut rows = query.fetch(&mut **tx);
                while let Some(row) = rows.try_next().await? {
                    each(Row::Pg(row))?;
                }
                Ok(())
            }
        }
    }

    /// All rows of a short answer.
    pub(super) async fn rows(&mut self, sql: impl Into<String>, args: Vec<Arg>) -> Result<Vec<Row<'static>>, Error> {
        let sql = AssertSqlSafe(sql.into());
        Ok(match self {
            Self::Lite(tx) => {
                let rows = sqlx::query_with(sql, lite(args)?).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Lite).collect()
            }
            Self::Pg(tx) => {
                let rows = sqlx::query_with(sql, pg(args)?).persistent(false).fetch_all(&mut **tx).await?;
                rows.into_iter().map(Row::Pg).collect()
            }
        })
    }

    /// The first row of an answer.
    pub(super) async fn row(&mut self, sql: impl Into<String>, args: Vec<Arg>) -> Result<Option<Row<'static>>, Error> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// The places of so many values, from the `first` on, in a statement that names each value
    /// once and in order. SQLite looks for every one by name, through all the names before it, so
    /// there they have none.
    pub(super) fn places(&self, first: usize, count: usize) -> String {
        let place = |n| if self.is_postgis() { format!("${n}") } else { "?".to_owned() };
        (first..first + count).map(place).collect::<Vec<_>>().join(", ")
    }

    /// Inserts many rows: by statements of many rows in SQLite, by COPY in PostgreSQL.
    /// Every row holds a value for every column.
    pub(super) async fn insert_many(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: impl IntoIterator<Item = Vec<Arg>>,
    ) -> Result<(), Error> {
        let names: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
        let into = format!("{} ({})", quoted(table), names.join(", "));
        match self {
            Self::Lite(tx) => {
                let at_once = (SQLITE_VALUES / columns.len().max(1)).clamp(1, ROWS_A_STATEMENT);
                let mut rows = rows.into_iter();
                let mut full = String::new();
                loop {
                    let some: Vec<Vec<Arg>> = rows.by_ref().take(at_once).collect();
                    if some.is_empty() {
                        return Ok(());
                    }
                    let count = some.len();
                    let sql = if count == at_once && !full.is_empty() {
                        full.clone()
                    } else {
                        let one = format!("({})", vec!["?"; columns.len()].join(", "));
                        format!("insert into {into} values {}", vec![one; count].join(", "))
                    };
                    if count == at_once && full.is_empty() {
                        full.clone_from(&sql);
                    }
                    let args = lite(some.into_iter().flatten())?;
                    // Only the statement that comes again and again is worth keeping.
                    sqlx::query_with(AssertSqlSafe(sql), args).persistent(count == at_once).execute(&mut **tx).await?;
                }
            }
            Self::Pg(tx) => {
                let mut copy = tx.copy_in_raw(&format!("copy {into} from stdin")).await?;
                let mut buffer = String::with_capacity(COPY_BYTES + 4096);
                for row in rows {
                    copy_row(&row, &mut buffer);
                    if buffer.len() >= COPY_BYTES {
                        copy.send(buffer.as_bytes()).await?;
                        buffer.clear();
                    }
                }
                copy.send(buffer.as_bytes()).await?;
                copy.finish().await?;
                Ok(())
            }
        }
    }

    /// Deletes the rows whose `column` is one of `keys`.
    pub(super) async fn delete_many(&mut self, table: &str, column: &str, keys: &[i64]) -> Result<(), Error> {
        for keys in keys.chunks(ROWS_A_STATEMENT) {
            let places: Vec<String> = (1..=keys.len()).map(|i| format!("${i}")).collect();
            let sql = format!("delete from {} where {} in ({})", quoted(table), quoted(column), places.join(", "));
            self.run(sql, keys.iter().map(|k| Arg::from(*k)).collect()).await?;
        }
        Ok(())
    }

    /// Deletes the rows whose `columns` hold one of `keys`, few among many.
    pub(super) async fn delete_rows(
        &mut self,
        table: &str,
        columns: &[&str],
        keys: Vec<Vec<Arg>>,
    ) -> Result<(), Error> {
        let mut keys = keys.into_iter();
        let names: Vec<String> = columns.iter().map(|c| quoted(c)).collect();
        loop {
            let some: Vec<Vec<Arg>> = keys.by_ref().take(ROWS_A_STATEMENT).collect();
            if some.is_empty() {
                return Ok(());
            }
            let width = columns.len();
            let key = |i: usize| {
                let places: Vec<String> = (i * width + 1..=(i + 1) * width).map(|at| format!("${at}")).collect();
                format!("({})", places.join(", "))
            };
            let values: Vec<String> = (0..some.len()).map(key).collect();
            let sql =
                format!("delete from {} where ({}) in (values {})", quoted(table), names.join(", "), values.join(", "));
            self.run(sql, some.into_iter().flatten().collect()).await?;
        }
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Lite(tx) => tx.commit().await?,
            Self::Pg(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

/// A name as an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn lite(args: impl IntoIterator<Item = Arg>) -> Result<SqliteArguments, Error> {
    use sqlx::Arguments as _;
    let mut all = SqliteArguments::default();
    for arg in args {
        match arg {
            Arg::Int(v) => all.add(v),
            Arg::Real(v) => all.add(v),
            Arg::Bool(v) => all.add(v),
            Arg::Text(v) => all.add(v),
            Arg::Blob(v) | Arg::Geometry(v) => all.add(v),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(all)
}

fn pg(args: impl IntoIterator<Item = Arg>) -> Result<PgArguments, Error> {
    use sqlx::Arguments as _;
    let mut all = PgArguments::default();
    for arg in args {
        match arg {
            Arg::Int(v) => all.add(v),
            Arg::Real(v) => all.add(v),
            Arg::Bool(v) => all.add(v),
            Arg::Text(v) => all.add(v),
            Arg::Blob(v) | Arg::Geometry(v) => all.add(v),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(all)
}

/// One row in PostgreSQL's text form of COPY.
fn copy_row(row: &[Arg], out: &mut String) {
    // Writing to a String can't fail.
    for (i, arg) in row.iter().enumerate() {
        if i > 0 {
            out.push('\t');
        }
        match arg {
            Arg::Int(Some(v)) => drop(write!(out, "{v}")),
            Arg::Real(Some(v)) => drop(write!(out, "{v}")),
            Arg::Bool(Some(v)) => out.push(if *v { 't' } else { 'f' }),
            Arg::Text(Some(text)) => {
                for c in text.chars() {
                    match c {
                        '\\' => out.push_str("\\\\"),
                        '\t' => out.push_str("\\t"),
                        '\n' => out.push_str("\\n"),
                        '\r' => out.push_str("\\r"),
                        c => out.push(c),
                    }
                }
            }
            Arg::Blob(bytes) => {
                out.push_str("\\\\x");
                hex(bytes, out);
            }
            Arg::Geometry(bytes) => hex(bytes, out),
            Arg::Int(None) | Arg::Real(None) | Arg::Bool(None) | Arg::Text(None) => out.push_str("\\N"),
        }
    }
    out.push('\n');
}

pub(super) fn hex(bytes: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)].into());
        out.push(DIGITS[usize::from(byte & 15)].into());
    }
}
