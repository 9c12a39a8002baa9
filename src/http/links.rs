//! By which address clients reach the service: the beginning of every URL in an answer.
//!
//! It is what the configuration says; else what `Forwarded` or `X-Forwarded-*` say,
//! where the configuration trusts them; else what the request's `Host` says.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};

use super::config::Config;

/// The URL that `/` has for this client, without the slash at its end.
pub(super) fn base_url(config: &Config, request: &Parts) -> String {
    if let Some(url) = &config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let mut seen = Seen::default();
    if config.trust_forwarded {
        seen = forwarded(&request.headers);
    }
    let host = seen.host.or_else(|| text(&request.headers, "host").filter(|h| is_host(h)));
    let host = host.or_else(|| request.uri.authority().map(|a| a.to_string()));
    let scheme = seen.scheme.as_deref().unwrap_or("http");
    format!("{scheme}://{}{}", host.as_deref().unwrap_or("localhost"), seen.prefix.unwrap_or_default())
}

/// The path of the public URL, without the slash at its end: what a proxy may or may
/// not take off before it passes a request on.
pub(super) fn path_prefix(config: &Config) -> String {
    let url = config.public_url.as_deref().and_then(|u| u.parse::<Uri>().ok());
    url.map_or(String::new(), |u| u.path().trim_end_matches('/').to_owned())
}

#[derive(Default)]
struct Seen {
    scheme: Option<String>,
    host: Option<String>,
    prefix: Option<String>,
}

/// What proxies say; the first entry is the one nearest to the client.
fn forwarded(headers: &HeaderMap) -> Seen {
    let mut seen = Seen::default();
    if let Some(first) = text(headers, header::FORWARDED.as_str()) {
        for pair in first.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim().trim_matches('"').to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "proto" => seen.scheme = Some(value),
                "host" => seen.host = Some(value),
                _ => {}
            }
        }
    }
    seen.scheme = seen.scheme.or_else(|| text(headers, "x-forwarded-proto")).filter(|s| s == "http" || s == "https");
    seen.host = seen.host.or_else(|| text(headers, "x-forwarded-host")).filter(|h| is_host(h));
    seen.prefix = text(headers, "x-forwarded-prefix").map(|p| p.trim_end_matches('/').to_owned());
    seen.prefix = seen.prefix.filter(|p| p.starts_with('/') && !p.starts_with("//") && p.chars().all(is_plain));
    seen
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.split(',').next().unwrap_or_default().trim().to_owned()).filter(|v| !v.is_empty())
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~/".contains(c)
}

/// A name or address with a port or without; nothing that could end the authority.
fn is_host(host: &str) -> bool {
    host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(config: &Config, headers: &[(&str, &str)]) -> String {
        let mut request = axum::http::Request::builder().uri("/tiles/grid");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        base_url(config, &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_first_of_configuration_proxy_and_host_that_speaks_decides() {
        let proxy = [
            ("host", "10.0.0.7:8080"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "maps.example.org"),
            ("x-forwarded-prefix", "/atlas/"),
        ];
        let plain = Config::default();
        assert_eq!(base(&plain, &proxy), "http://10.0.0.7:8080");
        let trusting = Config { trust_forwarded: true, ..Config::default() };
        assert_eq!(base(&trusting, &proxy), "https://maps.example.org/atlas");
        let said = Config { public_url: Some("https://a.example/b/".into()), ..Config::default() };
        assert_eq!(base(&said, &proxy), "https://a.example/b");
        assert_eq!(path_prefix(&said), "/b");
        let rfc = [("host", "x"), ("forwarded", r#"for=1.2.3.4;proto=https;host="maps.example.org:444", for=2.2.2.2"#)];
        assert_eq!(base(&trusting, &rfc), "https://maps.example.org:444");
    }

    #[test]
    fn a_header_can_not_smuggle_a_path_or_a_script_into_urls() {
        let trusting = Config { trust_forwarded: true, ..Config::default() };
        let bad = [("host", "good"), ("x-forwarded-host", "evil/\"><script>"), ("x-forwarded-prefix", "//evil")];
        assert_eq!(base(&trusting, &bad), "http://good");
    }
}
