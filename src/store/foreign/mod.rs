//! SQLite files that are not ours: GeoPackages and MBTiles that come in or go out.
//!
//! The store knows what is in its own tables; here any table is read or written as it
//! is. Each file has a thread with a runtime of its own, so that readers and writers of
//! files need not be async, and rows go through a short channel, so that memory stays
//! bounded. It must not know what the rows are for.

mod read;
mod tiles;
mod write;

use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

pub use read::{LayerRow, LayerRows, Srs};
pub use tiles::TilesOut;
pub use write::LayerOut;

/// Rows that go through a channel at once.
const BATCH: usize = 256;
/// Batches that may wait in a channel.
const WAITING: usize = 4;

/// Why a foreign file can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// SQLite says no.
    #[error("{0}")]
    Sqlite(#[from] sqlx::Error),
    /// The file is SQLite, but not what it should be.
    #[error("{0}")]
    Shape(String),
    /// A choice among several layers that has to be made.
    #[error("{0}")]
    Choice(String),
    /// The thread of the file is gone, or could not be started.
    #[error("the file's thread ended early: {0}")]
    Thread(String),
}

/// A name as an identifier of SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Runs a future to its end in a thread of its own.
fn in_thread<T: Send + 'static, F>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<JoinHandle<Result<T, ForeignError>>, ForeignError>
where
    F: Future<Output = Result<T, ForeignError>>,
{
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|e| ForeignError::Thread(e.to_string()))?.block_on(work())
    };
    std::thread::Builder::new().name("foreign file".into()).spawn(run).map_err(|e| ForeignError::Thread(e.to_string()))
}

/// The sending side of a thread that writes, and what became of it.
struct Writing<T> {
    sender: Option<SyncSender<Vec<T>>>,
    batch: Vec<T>,
    thread: Option<JoinHandle<Result<(), ForeignError>>>,
}

impl<T: Send + 'static> Writing<T> {
    fn push(&mut self, row: T) -> Result<(), ForeignError> {
        self.batch.push(row);
        if self.batch.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), ForeignError> {
        let batch = std::mem::take(&mut self.batch);
        match &self.sender {
            Some(sender) if sender.send(batch).is_ok() => Ok(()),
            // The thread is gone, and knows why.
            _ => self.join(),
        }
    }

    fn finish(mut self) -> Result<(), ForeignError> {
        self.flush()?;
        self.join()
    }

    fn join(&mut self) -> Result<(), ForeignError> {
        self.sender = None;
        let gone = || ForeignError::Thread("it has ended before".into());
        let thread = self.thread.take().ok_or_else(gone)?;
        thread.join().map_err(|_| ForeignError::Thread("it panicked".into()))?
    }
}

impl<T> std::fmt::Debug for Writing<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writing").field("waiting", &self.batch.len()).finish_non_exhaustive()
    }
}
