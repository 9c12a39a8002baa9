//! Why a store did not do what it was asked.

use std::borrow::Cow;

/// Why a store did not do what it was asked. Whatever it is, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing at that place.
    #[error("there is no store at {0}")]
    Missing(String),
    /// Something is there, but no store of ours.
    #[error("{place} is not a Gridatlas store: {reason}")]
    NotAStore {
        /// Where it was looked for.
        place: String,
        /// What is there instead.
        reason: String,
    },
    /// Another process held the store for too long.
    #[error("another process is writing to the store; nothing was changed, try again when it is done")]
    Busy,
    /// There is no room left.
    #[error("no room is left on the disk of the store; nothing was changed")]
    Full,
    /// The boundaries are no longer what the change was made for.
    #[error(
        "coverage {coverage} has moved on: the change was made for {expected}, but {head} is published; nothing was changed"
    )]
    Moved {
        /// The coverage.
        coverage: String,
        /// The revision that the change was made for.
        expected: String,
        /// The revision that is the head, with its author and time.
        head: String,
    },
    /// More would vanish than is allowed.
    #[error(
        "{removed} of {before} {what} would be removed, more than the {allowed_percent} % that are allowed; nothing was changed"
    )]
    TooManyRemoved {
        /// What kind of thing.
        what: String,
        /// How many would vanish.
        removed: usize,
        /// How many there are.
        before: usize,
        /// The limit, in percent.
        allowed_percent: f64,
    },
    /// Somebody changed it since it was read.
    #[error("{0} was changed meanwhile; nothing was changed, read it again")]
    Stale(String),
    /// The request makes no sense for this store.
    #[error("{0}; nothing was changed")]
    Refused(String),
    /// What the store holds is not what was written.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The database refused.
    #[error("the store could not {doing}: {source}")]
    Database {
        /// What was being done.
        doing: Cow<'static, str>,
        /// What the database said.
        source: sqlx::Error,
    },
}

impl Error {
    /// What an error code of a database means to us, if anything; `said` is its message.
    fn of_code(code: &str, said: impl Fn() -> String) -> Option<Self> {
        Some(match code {
            // SQLite: busy, locked, and busy's extended codes.
            "5" | "6" | "261" | "517" | "773" => Self::Busy,
            // PostgreSQL: lock not available.
            "55P03" => Self::Busy,
            // SQLite: full. PostgreSQL: disk full.
            "13" | "53100" => Self::Full,
            // SQLite: a write that the file system cut short, or memory shared through a file that
            // could not grow, is a full disk or a quota.
            "778" | "4874" => Self::Full,
            // SQLite: the file is no database, or one whose pages contradict each other.
            "26" => Self::NotAStore { place: "the file".into(), reason: "it is no SQLite database".into() },
            "11" | "267" | "523" | "779" => Self::Damaged(said()),
            _ => return None,
        })
    }
}

impl From<sqlx::Error> for Error {
    fn from(source: sqlx::Error) -> Self {
        let code = source.as_database_error().and_then(|e| e.code());
        let known = code.and_then(|code| Self::of_code(&code, || source.to_string()));
        known.unwrap_or_else(|| Self::Database { doing: "answer".into(), source })
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        let code = source.sqlite_error().map(|e| e.extended_code.to_string());
        let known = code.and_then(|code| Self::of_code(&code, || source.to_string()));
        let source = sqlx::Error::AnyDriverError(Box::new(source));
        known.unwrap_or_else(|| Self::Database { doing: "answer".into(), source })
    }
}

impl From<boundaries::BuildError> for Error {
    fn from(e: boundaries::BuildError) -> Self {
        Self::Damaged(e.to_string())
    }
}
