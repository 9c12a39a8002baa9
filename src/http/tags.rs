//! ETags: what a thing looked like, so that a client need not fetch it twice nor
//! change what another has changed meanwhile.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::problem::{Code, Problem};

/// The tag of some content: the same bytes have the same tag.
pub(super) fn of(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in &hash[..12] {
        tag.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        tag.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    tag.push('"');
    tag
}

/// Whether a list of tags (`If-None-Match`, `If-Match`) names this one, or any. Weak
/// and strong are taken as one: a proxy that packs an answer weakens its tag.
pub(super) fn names(list: &HeaderValue, tag: &str) -> bool {
    let Ok(list) = list.to_str() else { return false };
    list.split(',').map(|t| t.trim()).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
}

/// The answer to a GET of one thing: 304 where the client has it already.
pub(super) fn answer(
    request: &HeaderMap,
    tag: &str,
    kind: &'static str,
    cache: &'static str,
    body: Vec<u8>,
) -> Response {
    let fresh = request.get(header::IF_NONE_MATCH).is_some_and(|known| names(known, tag));
    let mut answer = if fresh { StatusCode::NOT_MODIFIED.into_response() } else { body.into_response() };
    let headers = answer.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if !fresh {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    answer
}

/// Refuses a change whose `If-Match` is missing or names another state than the
/// present one, `None` where there is nothing yet.
pub(super) fn demand(request: &HeaderMap, present: Option<&str>) -> Result<(), Problem> {
    let Some(wanted) = request.get(header::IF_MATCH) else {
        return Err(Problem::new(
            Code::PreconditionRequired,
            "send If-Match with the ETag that was read, or * to change it whatever it is",
        ));
    };
    let matches = match present {
        Some(tag) => names(wanted, tag),
        // Something new can only be meant by `*`.
        None => wanted == "*",
    };
    if matches {
        return Ok(());
    }
    let problem = Problem::new(Code::PreconditionFailed, "read it again: it is not what the If-Match says");
    Err(match present.and_then(|t| HeaderValue::from_str(t).ok()) {
        Some(tag) => problem.header(header::ETAG, tag),
        None => problem,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_the_tag_of_the_present_state() {
        let tag = of(b"present");
        let with = |value: &str| HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_str(value).unwrap())]);
        let code = |headers: &HeaderMap, present| demand(headers, present).map_err(|p| p.code());
        assert_eq!(code(&HeaderMap::new(), Some(&tag)), Err(Code::PreconditionRequired));
        assert_eq!(code(&with(&of(b"past")), Some(&tag)), Err(Code::PreconditionFailed));
        assert_eq!(code(&with(&tag), None), Err(Code::PreconditionFailed));
        for good in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned(), format!("W/{tag}")] {
            assert_eq!(code(&with(&good), Some(&tag)), Ok(()), "{good}");
        }
        assert_eq!(code(&with("*"), None), Ok(()));
    }
}
