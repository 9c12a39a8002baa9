//! Lines in, lines out, in order, with bounded memory: what carries a million places.
//!
//! ```text
//!   body ─▶ cut into blocks at newlines ─▶ (held, at most so many bytes) ─▶ worked on
//!           side by side ─▶ put back in order ─▶ answer
//! ```
//!
//! A client may send all of its lines before it reads an answer: blocks wait, up to a
//! limit, for it to begin. What is wrong with the first block decides the status;
//! what goes wrong later is the last line, after which the answer breaks off.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};

use super::body::Inbound;
use super::problem::{Code, Problem};

/// Blocks are cut at the first newline after so many bytes.
const BLOCK: usize = 256 << 10;

/// No line may be longer.
const LINE: usize = BLOCK;

/// The media type of JSON lines.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// Answers a block of lines; the number is that of its first line.
pub(super) type Work = Arc<dyn Fn(&[u8], u64, &mut Vec<u8>) + Send + Sync>;

/// What a stream may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Bytes of lines that are held.
    pub(super) held: usize,
    /// How long its client may take to read on.
    pub(super) idle: Duration,
}

struct Block {
    bytes: Vec<u8>,
    first_line: u64,
    /// Gives back the block's part of what may be held once the answer is on its way.
    room: OwnedSemaphorePermit,
}

/// Answers the lines of a body with lines. `slot` is held until the last of them.
pub(super) async fn answer(
    inbound: Inbound,
    work: Work,
    room: Room,
    slot: OwnedSemaphorePermit,
) -> Result<Response, Problem> {
    let (blocks, waiting) = mpsc::unbounded_channel();
    tokio::spawn(cut(inbound, room.held, blocks));
    let side_by_side = std::thread::available_parallelism().map_or(2, usize::from);
    let mut done = UnboundedReceiverStream::new(waiting)
        .map(move |block: Result<Block, Problem>| {
            let work = work.clone();
            async move {
                let block = block?;
                tokio::task::spawn_blocking(move || {
                    let mut out = Vec::new();
                    work(&block.bytes, block.first_line, &mut out);
                    drop(block.room);
                    Bytes::from(out)
                })
                .await
                .map_err(Problem::internal)
            }
        })
        .buffered(side_by_side);

    let first = match done.next().await {
        None => Bytes::new(),
        Some(first) => first?,
    };
    let (answers, body) = mpsc::channel::<Result<Bytes, Problem>>(2);
    tokio::spawn(async move {
        let _slot = slot;
        let mut next: Option<Result<Bytes, Problem>> = Some(Ok(first));
        while let Some(piece) = next {
            let (piece, broken) = match piece {
                Ok(bytes) => (Ok(bytes), None),
                Err(problem) => {
                    let line = serde_json::json!({ "problem": problem.to_json() }).to_string() + "\n";
                    (Ok(Bytes::from(line)), Some(problem))
                }
            };
            // A client that stops reading gives up its slot.
            match tokio::time::timeout(room.idle, answers.send(piece)).await {
                Ok(Ok(())) => {}
                _ => return,
            }
            if let Some(problem) = broken {
                // Breaks the answer off, so that it can't pass for whole.
                let _ = tokio::time::timeout(room.idle, answers.send(Err(problem))).await;
                return;
            }
            next = done.next().await;
        }
    });
    let mut answer = Response::new(Body::from_stream(ReceiverStream::new(body)));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(answer)
}

/// Cuts a body into blocks of whole lines; ends with the body, or with what is wrong.
async fn cut(mut inbound: Inbound, held: usize, blocks: mpsc::UnboundedSender<Result<Block, Problem>>) {
    let room = Arc::new(Semaphore::new(held.clamp(2 * BLOCK, Semaphore::MAX_PERMITS)));
    let most = u32::try_from(held.max(2 * BLOCK)).unwrap_or(u32::MAX);
    let mut rest: Vec<u8> = Vec::with_capacity(2 * BLOCK);
    let mut line = 1;
    loop {
        let piece = match inbound.next().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(problem) => return drop(blocks.send(Err(problem))),
        };
        rest.extend_from_slice(&piece);
        if rest.len() < BLOCK {
            continue;
        }
        let Some(end) = rest.iter().rposition(|b| *b == b'\n') else {
            let detail = format!("a line has more than {LINE} bytes");
            return drop(blocks.send(Err(Problem::new(Code::BodyTooLarge, detail))));
        };
        let mut next = Vec::with_capacity(2 * BLOCK);
        next.extend_from_slice(&rest[end + 1..]);
        rest.truncate(end + 1);
        let bytes = std::mem::replace(&mut rest, next);
        let lines = bytes.iter().filter(|b| **b == b'\n').count() as u64;
        let wanted = u32::try_from(bytes.len()).unwrap_or(u32::MAX).min(most);
        let Ok(permit) = room.clone().acquire_many_owned(wanted).await else { return };
        if blocks.send(Ok(Block { bytes, first_line: line, room: permit })).is_err() {
            return;
        }
        line += lines;
    }
    if !rest.is_empty() {
        let wanted = u32::try_from(rest.len()).unwrap_or(u32::MAX).min(most);
        let Ok(permit) = room.acquire_many_owned(wanted).await else { return };
        // Nobody is left to answer where this fails.
        let _ = blocks.send(Ok(Block { bytes: rest, first_line: line, room: permit }));
    }
}
