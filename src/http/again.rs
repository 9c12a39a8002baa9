//! Answers that are given again: a tile that was answered is answered to whoever asks for it in
//! the same words, before any route is looked for.
//!
//! Most requests of a map are for tiles that others have asked for. What such an answer takes is
//! then a look into one table: the routes, the parameters and what goes around every handler made
//! it once, and it is given as they made it, header by header.
//!
//! Invariant: an answer is given again only for a request that differs from the first in nothing
//! that an answer depends on, and while the snapshot that it was read from is the present one.

use std::sync::{Arc, Weak};
use std::time::Instant;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::metrics;
use crate::snapshot::Snapshot;

/// The share of the memory for tiles that goes to answers: one part in so many. Most of their
/// bytes are those of tiles that are kept anyway.
const SHARE: u64 = 8;

/// About what an answer weighs; it only sizes the table.
const ITEM_BYTES: u64 = 8_192;

/// What an answer to a GET of a tile may depend on besides its path and how it is packed: whoever
/// sends one of these goes by the routes.
const MATTERS: [HeaderName; 6] =
    [header::IF_NONE_MATCH, header::IF_MATCH, header::ORIGIN, header::AUTHORIZATION, header::COOKIE, header::EXPECT];

/// Put by a handler into an answer that may be given again while the snapshot is the present one.
#[derive(Clone, Debug)]
pub(super) struct Repeatable {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) bytes: Bytes,
    pub(super) left_out: u32,
}

/// What a request says as far as the answer depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Words {
    path: Box<str>,
    packing: Option<HeaderValue>,
}

#[derive(Clone, Debug)]
struct Given {
    snapshot: Weak<Snapshot>,
    headers: HeaderMap,
    bytes: Bytes,
    left_out: u32,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<Words, Given> for ByBytes {
    fn weight(&self, words: &Words, given: &Given) -> u64 {
        // What the headers take besides, roughly.
        (words.path.len() + given.bytes.len()) as u64 + 1_000
    }
}

/// The answers that were given.
#[derive(Debug)]
pub(super) struct Answers(Cache<Words, Given, ByBytes>);

impl Answers {
    /// Divides the memory for tiles: the answers, and what is left of it.
    pub(super) fn of(tile_cache_bytes: u64) -> (Self, u64) {
        let bytes = tile_cache_bytes / SHARE;
        let items = (bytes / ITEM_BYTES).clamp(64, 1 << 20) as usize;
        (Self(Cache::with_weighter(items, bytes, ByBytes)), tile_cache_bytes - bytes)
    }

    /// What a request says, where its answer may be one that was given: a GET of a tile without
    /// anything chosen.
    pub(super) fn words<B>(request: &Request<B>) -> Option<Words> {
        let (path, headers) = (request.uri().path(), request.headers());
        let is_plain = *request.method() == Method::GET
            && path.starts_with("/tiles/")
            && request.uri().query().is_none()
            && !MATTERS.iter().any(|name| headers.contains_key(name));
        let mut packings = headers.get_all(header::ACCEPT_ENCODING).iter();
        let packing = packings.next().cloned();
        (is_plain && packings.next().is_none()).then(|| Words { path: path.into(), packing })
    }

    /// The answer that was given to these words, if it was read from this very snapshot.
    pub(super) fn get(&self, words: &Words, present: &Arc<Snapshot>, begun: Instant) -> Option<Response> {
        let given = self.0.get(words)?;
        if !std::ptr::eq(given.snapshot.as_ptr(), Arc::as_ptr(present)) {
            return None;
        }
        metrics::count_again(given.bytes.len(), given.left_out, begun.elapsed());
        let mut answer = Response::new(Body::from(given.bytes));
        *answer.headers_mut() = given.headers;
        Some(answer)
    }

    /// How many answers were given again.
    #[cfg(test)]
    pub(super) fn again(&self) -> u64 {
        self.0.hits()
    }

    /// Takes note of an answer, if it may be given again.
    pub(super) fn note(&self, words: Words, answer: &mut Response) {
        let repeatable = answer.extensions_mut().remove::<Repeatable>();
        if let (StatusCode::OK, Some(Repeatable { snapshot, bytes, left_out })) = (answer.status(), repeatable) {
            let snapshot = Arc::downgrade(&snapshot);
            self.0.insert(words, Given { snapshot, headers: answer.headers().clone(), bytes, left_out });
        }
    }
}
