//! The body of a request, piece by piece: inflated, counted and timed.
//!
//! Invariant: no more is held than one piece as it arrived and what a small slice of
//! it inflates to, so a bomb is refused after at most one limit and a slice. The
//! limits hold for the bytes as sent and, apart, for the bytes once inflated.

use std::io::Write as _;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt as _;

use super::config::Limits;
use super::problem::{Code, Problem};

/// How much of a compressed piece is inflated at once: gzip inflates at most 1,032
/// times, so this is at most some 4 MB.
const SLICE: usize = 4096;

/// What a body may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Bytes as sent.
    pub(super) sent: u64,
    /// Bytes once inflated.
    pub(super) inflated: u64,
    /// How long the next piece may take.
    pub(super) idle: Duration,
}

/// A whole body, within the limits of one that is held.
pub(super) async fn whole(limits: &Limits, headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let idle = Duration::from_secs(limits.idle_s);
    let bounds = Bounds { sent: limits.body_bytes, inflated: limits.inflated_bytes, idle };
    Inbound::new(headers, body, bounds)?.whole().await
}

/// A body that is being read.
pub(super) struct Inbound {
    body: Body,
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    bounds: Bounds,
    sent: u64,
    inflated: u64,
    /// What has arrived and is yet to be inflated.
    waiting: Bytes,
}

impl Inbound {
    /// Begins to read. A declared length over the limit is refused unread.
    pub(super) fn new(headers: &HeaderMap, body: Body, bounds: Bounds) -> Result<Self, Problem> {
        let gzip = match headers.get(header::CONTENT_ENCODING).map(|v| v.as_bytes().to_ascii_lowercase()) {
            None => None,
            Some(coding) if coding == b"identity" => None,
            Some(coding) if coding == b"gzip" || coding == b"x-gzip" => Some(MultiGzDecoder::new(Vec::new())),
            Some(_) => {
                return Err(Problem::new(Code::UnsupportedMediaType, "the only Content-Encoding that is read is gzip"));
            }
        };
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        let limit = if gzip.is_some() { bounds.sent } else { bounds.sent.min(bounds.inflated) };
        if declared.is_some_and(|length| length > limit) {
            return Err(too_large(limit, "as sent"));
        }
        Ok(Self { body, gzip, bounds, sent: 0, inflated: 0, waiting: Bytes::new() })
    }

    /// The next piece, inflated; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if !self.waiting.is_empty() {
                let piece = self.inflate_a_slice()?;
                if piece.is_empty() {
                    continue;
                }
                return Ok(Some(piece));
            }
            let frame = tokio::time::timeout(self.bounds.idle, self.body.frame())
                .await
                .map_err(|_| Problem::new(Code::SlowRequest, "the next piece of the body did not arrive in time"))?;
            let Some(frame) = frame else { return self.end() };
            let frame = frame.map_err(|e| Problem::new(Code::BadRequest, "the body broke off").caused_by(e))?;
            let Ok(data) = frame.into_data() else { continue };
            self.sent += data.len() as u64;
            if self.sent > self.bounds.sent {
                return Err(too_large(self.bounds.sent, "as sent"));
            }
            if self.gzip.is_some() {
                self.waiting = data;
            } else {
                self.count(data.len())?;
                if !data.is_empty() {
                    return Ok(Some(data));
                }
            }
        }
    }

    /// All of it.
    pub(super) async fn whole(mut self) -> Result<Vec<u8>, Problem> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    fn inflate_a_slice(&mut self) -> Result<Bytes, Problem> {
        let slice = self.waiting.split_to(SLICE.min(self.waiting.len()));
        let Some(gzip) = self.gzip.as_mut() else { return Ok(slice) };
        gzip.write_all(&slice).and_then(|()| gzip.flush()).map_err(not_gzip)?;
        let piece = std::mem::take(gzip.get_mut());
        self.count(piece.len())?;
        Ok(piece.into())
    }

    fn end(&mut self) -> Result<Option<Bytes>, Problem> {
        let Some(mut gzip) = self.gzip.take() else { return Ok(None) };
        if self.sent == 0 {
            return Ok(None);
        }
        // A body that was cut off fails its checksum here.
        gzip.try_finish().map_err(not_gzip)?;
        let piece = std::mem::take(gzip.get_mut());
        self.count(piece.len())?;
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    fn count(&mut self, more: usize) -> Result<(), Problem> {
        self.inflated += more as u64;
        if self.inflated > self.bounds.inflated {
            return Err(too_large(self.bounds.inflated, "once inflated"));
        }
        Ok(())
    }
}

fn too_large(limit: u64, when: &str) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body may have {limit} bytes {when}")).with("limit", limit)
}

fn not_gzip(cause: std::io::Error) -> Problem {
    Problem::new(Code::BadBody, "the body is not whole gzip, as its Content-Encoding says").caused_by(cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(data).unwrap();
        packed.finish().unwrap()
    }

    async fn read(coding: &'static str, body: Vec<u8>, limit: u64) -> Result<Vec<u8>, Code> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        let bounds = Bounds { sent: limit, inflated: limit, idle: Duration::from_secs(5) };
        let inbound = Inbound::new(&headers, Body::from(body), bounds).map_err(|p| p.code())?;
        inbound.whole().await.map_err(|p| p.code())
    }

    #[tokio::test]
    async fn a_packed_body_reads_as_what_was_packed() {
        let data: Vec<u8> = (0..100_000u32).flat_map(|i| (i * 7).to_le_bytes()).collect();
        assert_eq!(read("gzip", gzip(&data), 1 << 20).await.unwrap(), data);
        assert_eq!(read("identity", data.clone(), 1 << 20).await.unwrap(), data);
        let two = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(read("gzip", two, 1 << 20).await.unwrap(), b"one two");
    }

    #[tokio::test]
    async fn a_bomb_is_refused_for_what_it_inflates_to() {
        let bomb = gzip(&vec![0; 50_000_000]);
        assert!(bomb.len() < 60_000);
        assert_eq!(read("gzip", bomb, 1 << 20).await, Err(Code::BodyTooLarge));
    }

    #[tokio::test]
    async fn bodies_that_are_not_what_they_say_are_refused() {
        let mut cut = gzip(b"something that is long enough to be cut");
        cut.truncate(cut.len() - 9);
        assert_eq!(read("gzip", cut, 1000).await, Err(Code::BadBody));
        assert_eq!(read("gzip", b"plain".to_vec(), 1000).await, Err(Code::BadBody));
        assert_eq!(read("br", b"plain".to_vec(), 1000).await, Err(Code::UnsupportedMediaType));
        assert_eq!(read("identity", vec![0; 1001], 1000).await, Err(Code::BodyTooLarge));
    }
}
