//! The bytes of a file, plain or gzip, read ahead by a thread of its own so that
//! unpacking and parsing overlap.
//!
//! Invariant: memory is bounded by the read-ahead plus what the reader has asked to see
//! in one piece, and that has a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use flate2::read::MultiGzDecoder;

use super::error::Cause;

/// Bytes in one step of the read-ahead.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks read ahead.
const AHEAD: usize = 4;
/// No feature is larger than this: 40 million vertices in text.
const LIMIT_BYTES: usize = 1 << 30;

/// How far a file has been read, in bytes on disk.
#[derive(Clone, Debug)]
pub struct Progress {
    done: Arc<AtomicU64>,
    /// Size of the file.
    pub total_bytes: u64,
}

impl Progress {
    /// Bytes read so far.
    #[must_use]
    pub fn done_bytes(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// Counts what passes through it.
struct Counted<R> {
    inner: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        self.done.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Opens a file, unpacking it if it is gzip by its first bytes.
pub(super) fn open(path: &Path) -> io::Result<(Box<dyn Read + Send>, Progress)> {
    let mut file = File::open(path)?;
    let progress = Progress { done: Arc::default(), total_bytes: file.metadata()?.len() };
    let mut magic = [0; 2];
    let is_gzip = read_up_to(&mut file, &mut magic)? == 2 && magic == [0x1f, 0x8b];
    io::Seek::rewind(&mut file)?;
    let counted = Counted { inner: file, done: Arc::clone(&progress.done) };
    Ok((
        if is_gzip {
            Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, counted)))
        } else {
            Box::new(counted)
        },
        progress,
    ))
}

/// Reads until `into` is full or the input ends.
pub(super) fn read_up_to(from: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// What an error while reading means to a person.
pub(super) fn cause_of(error: io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Cause::CutOff("the compressed data ends before its end".into()),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            Cause::Syntax(format!("the compressed data is corrupt ({error})"))
        }
        _ => Cause::Io(error),
    }
}

/// A window over the input that moves forward and grows on demand.
pub(super) struct Window {
    chunks: Receiver<io::Result<Vec<u8>>>,
    data: Vec<u8>,
    /// Start of what is not consumed yet, in `data`.
    at: usize,
    /// Offset of `data[0]` in the input.
    base: u64,
    has_ended: bool,
    /// Line feeds consumed, where lines are counted at all.
    line_feeds: Option<u64>,
}

impl Window {
    pub(super) fn new(mut input: Box<dyn Read + Send>) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(AHEAD);
        std::thread::Builder::new().name("read ahead".into()).spawn(move || {
            loop {
                let mut chunk = vec![0; CHUNK_BYTES];
                let outcome = read_up_to(&mut input, &mut chunk).map(|n| {
                    chunk.truncate(n);
                    chunk
                });
                let is_last = !matches!(&outcome, Ok(chunk) if chunk.len() == CHUNK_BYTES);
                // The reader is gone: nobody wants the rest.
                if sender.send(outcome).is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Self { chunks, data: Vec::new(), at: 0, base: 0, has_ended: false, line_feeds: None })
    }

    /// What is there and not consumed.
    pub(super) fn rest(&self) -> &[u8] {
        &self.data[self.at..]
    }

    /// Offset in the input of `rest()`.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// From here on `line` is known.
    pub(super) fn count_lines(&mut self) {
        self.line_feeds = Some(0);
    }

    /// The line that `rest` begins in, from 1.
    pub(super) fn line(&self) -> u64 {
        1 + self.line_feeds.unwrap_or(0)
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.data.len());
        if let Some(line_feeds) = &mut self.line_feeds {
            *line_feeds += self.data[self.at..end].iter().filter(|b| **b == b'\n').count() as u64;
        }
        self.at = end;
    }

    /// Makes `rest` at least twice as long, or a chunk longer; false at the end.
    pub(super) fn grow(&mut self) -> Result<bool, Cause> {
        if self.has_ended {
            return Ok(false);
        }
        let before = self.data.len() - self.at;
        if before > LIMIT_BYTES {
            return Err(Cause::Limit { what: "a single feature", limit: "1 GiB".into() });
        }
        self.data.drain(..self.at);
        self.base += self.at as u64;
        self.at = 0;
        while self.data.len() < 2 * before + 1 {
            match self.chunks.recv() {
                Ok(Ok(chunk)) if self.data.is_empty() => self.data = chunk,
                Ok(Ok(chunk)) => self.data.extend_from_slice(&chunk),
                Ok(Err(error)) => return Err(cause_of(error)),
                Err(_) => {
                    self.has_ended = true;
                    break;
                }
            }
        }
        Ok(self.data.len() > before)
    }

    /// The first byte that is no white space (and no record separator), not consumed.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Cause> {
        loop {
            let rest = self.rest();
            let blank = rest.iter().take_while(|b| b.is_ascii_whitespace() || **b == 0x1e).count();
            let found = rest.get(blank).copied();
            self.consume(blank);
            if found.is_some() || !self.grow()? {
                return Ok(found);
            }
        }
    }
}
