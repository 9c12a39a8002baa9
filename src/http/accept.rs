//! Which packing of a tile a client is sent, by its `Accept-Encoding` (RFC 9110, 12.5.3).
//!
//! What the client weighs most goes. Of what it weighs alike gzip goes: brotli saves a tenth
//! to a sixth of the bytes, but packing by it takes 12 times as long, many times what the
//! tile itself does.

use axum::http::{HeaderMap, header};

use crate::tiling::Encoding;

/// What a client says of each packing.
#[derive(Clone, Copy, Debug, Default)]
struct Weights {
    gzip: Option<f32>,
    brotli: Option<f32>,
    identity: Option<f32>,
    any: Option<f32>,
}

/// How a tile is packed for a client; `None` where it takes nothing that there is.
pub(super) fn encoding(request: &HeaderMap) -> Option<Encoding> {
    let lists = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    let mut weights = Weights::default();
    for coding in lists.flat_map(|list| list.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        // A coding whose weight makes no sense is as if it had not been named.
        let Some(weight) = weight(parameters) else { continue };
        let place = match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => &mut weights.gzip,
            "br" => &mut weights.brotli,
            "identity" => &mut weights.identity,
            "*" => &mut weights.any,
            _ => continue,
        };
        *place = Some(weight);
    }
    let of = |named: Option<f32>| named.or(weights.any).unwrap_or(0.0);
    // Unless it is refused, as it is always goes, and is the last choice.
    let plain = match (weights.identity, weights.any) {
        (Some(weight), _) => weight,
        (None, Some(0.0)) => 0.0,
        (None, _) => f32::MIN_POSITIVE,
    };
    let choices =
        [(Encoding::Gzip, of(weights.gzip)), (Encoding::Brotli, of(weights.brotli)), (Encoding::Identity, plain)];
    let best = choices.into_iter().reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.filter(|(_, weight)| *weight > 0.0).map(|(encoding, _)| encoding)
}

/// The weight of a coding, 1 where none is given.
fn weight(parameters: &str) -> Option<f32> {
    let given = parameters.split(';').map(str::trim).find_map(|p| p.strip_prefix("q=").or(p.strip_prefix("Q=")));
    match given {
        None => Some(1.0),
        Some(text) => text.trim().parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q)),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_is_sent_what_it_weighs_most() {
        for (list, wanted) in [
            ("", Some(Encoding::Identity)),
            ("gzip, deflate, br, zstd", Some(Encoding::Gzip)),
            ("br", Some(Encoding::Brotli)),
            ("gzip;q=0.5, br", Some(Encoding::Brotli)),
            ("gzip; q=0.8, BR;q=0.4", Some(Encoding::Gzip)),
            ("x-gzip", Some(Encoding::Gzip)),
            ("*", Some(Encoding::Gzip)),
            ("gzip;q=0, *;q=0.3", Some(Encoding::Brotli)),
            ("br;q=0, gzip;q=0", Some(Encoding::Identity)),
            ("identity, gzip;q=0.5", Some(Encoding::Identity)),
            ("gzip, identity", Some(Encoding::Gzip)),
            ("gzip;q=0.001", Some(Encoding::Gzip)),
            ("gzip;q=many", Some(Encoding::Identity)),
            ("zstd", Some(Encoding::Identity)),
            ("zstd, identity;q=0", None),
            ("*;q=0", None),
            ("*;q=0, br;q=0.1", Some(Encoding::Brotli)),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(list))]);
            assert_eq!(encoding(&headers), wanted, "{list:?}");
        }
        assert_eq!(encoding(&HeaderMap::new()), Some(Encoding::Identity));
    }

    #[test]
    fn a_list_in_several_lines_is_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip;q=0.1"));
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static("br;q=0.2"));
        assert_eq!(encoding(&headers), Some(Encoding::Brotli));
    }
}
