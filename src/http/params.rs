//! The query and the path of a request, strictly: what is unknown, missing, given twice or no
//! text at all is a problem that names the parameter.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// The parameters of the query as a `T`, whose serde form denies unknown fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if !is_text(query) {
            return Err(Problem::new(Code::BadParameter, "the query is not UTF-8"));
        }
        let read = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| explain(&rejection.body_text()))?;
        Ok(Self(read.0))
    }
}

/// The parts of the path that stand for something.
#[derive(Clone, Debug)]
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|path| Self(path.0)).map_err(|rejection| match rejection.status().is_server_error() {
            true => Problem::internal(rejection.body_text()),
            false => Problem::new(Code::BadParameter, "the path is not UTF-8").caused_by(rejection.body_text()),
        })
    }
}

/// Whether percent-encoded text is UTF-8 once decoded. Broken escapes stand for themselves.
pub(super) fn is_text(encoded: &str) -> bool {
    if !encoded.contains('%') {
        return true;
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        let escaped = (b == b'%').then(|| after.get(..2)).flatten();
        let byte = escaped.and_then(|h| u8::from_str_radix(std::str::from_utf8(h).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(b));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// Makes a problem of what serde says of a query.
fn explain(text: &str) -> Problem {
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let between_ticks = |after: &str| {
        let rest = &text[text.find(after)? + after.len()..];
        Some(rest[..rest.find('`')?].to_owned())
    };
    if let Some(name) = between_ticks("unknown field `") {
        let known: Vec<_> = text.split_once("expected").map_or("", |(_, k)| k).split('`').skip(1).step_by(2).collect();
        let detail = if known.is_empty() {
            format!("{name} is not known here, and neither is any other parameter")
        } else {
            format!("{name} is not known here; known are {}", known.join(", "))
        };
        return Problem::new(Code::UnknownParameter, detail).with("parameter", name).with("known", known);
    }
    if let Some(name) = between_ticks("missing field `") {
        return Problem::new(Code::MissingParameter, format!("{name} is missing")).with("parameter", name);
    }
    if let Some(name) = between_ticks("duplicate field `") {
        return Problem::new(Code::BadParameter, format!("{name} is given twice")).with("parameter", name);
    }
    match text.split_once(": ") {
        Some((name, reason)) => {
            Problem::new(Code::BadParameter, format!("{name}: {reason}")).with("parameter", name.to_owned())
        }
        None => Problem::new(Code::BadParameter, text),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading matters here")]
    struct Wanted {
        lon: f64,
        k: Option<u8>,
    }

    fn problem(query: &str) -> (Code, serde_json::Value) {
        let uri = format!("/?{query}").parse().unwrap();
        let problem = explain(&Query::<Wanted>::try_from_uri(&uri).unwrap_err().body_text());
        (problem.code(), problem.to_json())
    }

    #[test]
    fn an_unknown_parameter_is_named_with_those_that_are_known() {
        let (code, json) = problem("lon=1&lat=2");
        assert_eq!(code, Code::UnknownParameter);
        assert_eq!(json["parameter"], "lat");
        assert_eq!(json["known"], serde_json::json!(["lon", "k"]));
    }

    #[test]
    fn missing_doubled_and_malformed_parameters_are_named() {
        assert_eq!(problem("k=1").1["parameter"], "lon");
        assert_eq!(problem("k=1").0, Code::MissingParameter);
        assert_eq!(problem("lon=1&lon=2").1["parameter"], "lon");
        assert_eq!(problem("lon=east").1["parameter"], "lon");
        assert_eq!(problem("lon=1&k=300").1["parameter"], "k");
    }

    #[test]
    fn escapes_that_are_no_text_are_seen() {
        assert!(is_text("q=%E7%BD%91&r=100%"));
        assert!(!is_text("q=%ff"));
    }
}
