//! One place as clients write it: `{"lon":120.1,"lat":36.2,"crs":"gcj02","id":"a"}`.
//!
//! A line of the plain shape (the known members, no escapes in texts) is read by hand;
//! any other by serde_json. Invariant: where both read a line they read the same.

use std::borrow::Cow;

use boundaries::Point;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::crs::{Crs, CrsError};

/// A place that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked<'a> {
    /// Longitude in degrees, or easting in metres.
    pub lon: f64,
    /// Latitude in degrees, or northing in metres.
    pub lat: f64,
    /// The datum or projection, where the line says one.
    pub crs: Option<Cow<'a, str>>,
    /// What the asker calls it, as JSON: a string or a number.
    pub id: Option<&'a str>,
}

/// Why a line is no place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// It is not the JSON that it should be.
    #[error("{0}")]
    NotRead(String),
    /// Its CRS is not known.
    #[error("{0}")]
    UnknownCrs(String),
    /// Its numbers mean no place.
    #[error("{0}")]
    NoPlace(String),
}

impl<'a> Asked<'a> {
    /// Reads one JSON object.
    ///
    /// # Errors
    ///
    /// Where it is not JSON, has members that are not known, or lacks a coordinate.
    pub fn read(line: &'a str) -> Result<Self, Refused> {
        match plain(line.as_bytes(), line) {
            Some(asked) => Ok(asked),
            None => general(line),
        }
    }

    /// The lattice point; `crs` is what holds where the line says none.
    ///
    /// # Errors
    ///
    /// Where the CRS is not known or the numbers mean no place in it.
    #[inline]
    pub fn point(&self, crs: Crs) -> Result<Point, Refused> {
        let crs = match &self.crs {
            None => crs,
            Some(name) => name.parse().map_err(|e: CrsError| Refused::UnknownCrs(e.to_string()))?,
        };
        let placed = if crs == Crs::Wgs84 { Point::from_degrees(self.lon, self.lat) } else { None };
        match placed {
            Some(p) => Ok(p),
            None => crs.to_lattice([self.lon, self.lat]).map_err(|e| Refused::NoPlace(e.to_string())),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow, alias = "x")]
    lon: &'a RawValue,
    #[serde(borrow, alias = "y")]
    lat: &'a RawValue,
    #[serde(borrow)]
    crs: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// Reads a line of any shape.
fn general(line: &str) -> Result<Asked<'_>, Refused> {
    let wire: Wire<'_> = serde_json::from_str(line).map_err(|e| Refused::NotRead(e.to_string()))?;
    let id = wire.id.map(RawValue::get).filter(|id| *id != "null");
    if id.is_some_and(|id| id.starts_with(['{', '[', 't', 'f'])) {
        return Err(Refused::NotRead("id must be a string or a number".to_owned()));
    }
    Ok(Asked { lon: number("lon", wire.lon)?, lat: number("lat", wire.lat)?, crs: wire.crs, id })
}

/// Reads a raw JSON value as a number. What is too large is infinite, and so no place.
pub(super) fn number(name: &str, raw: &RawValue) -> Result<f64, Refused> {
    let text = raw.get();
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return Err(Refused::NotRead(format!("{name} must be a number")));
    }
    fast_float2::parse(text).map_err(|_| Refused::NotRead(format!("{name} must be a number")))
}

/// Reads a line of the plain shape; `None` sends it to [`general`].
fn plain<'a>(b: &'a [u8], line: &'a str) -> Option<Asked<'a>> {
    let (mut lon, mut lat, mut crs, mut id) = (None, None, None, None);
    let mut at = skip(b, 0);
    if *b.get(at)? != b'{' {
        return None;
    }
    at = skip(b, at + 1);
    loop {
        let (name, after) = string(b, at)?;
        at = skip(b, after);
        if *b.get(at)? != b':' {
            return None;
        }
        at = skip(b, at + 1);
        match name {
            b"lon" | b"x" if lon.is_none() => (lon, at) = degree(b, at)?,
            b"lat" | b"y" if lat.is_none() => (lat, at) = degree(b, at)?,
            b"crs" if crs.is_none() => {
                let (_, after) = string(b, at)?;
                crs = Some(Cow::Borrowed(line.get(at + 1..after - 1)?));
                at = after;
            }
            b"id" if id.is_none() => {
                let after = if b[at..].first() == Some(&b'"') { string(b, at)?.1 } else { numeral(b, at)? };
                id = Some(line.get(at..after)?);
                at = after;
            }
            _ => return None,
        }
        at = skip(b, at);
        match *b.get(at)? {
            b',' => at = skip(b, at + 1),
            b'}' => break,
            _ => return None,
        }
    }
    (skip(b, at + 1) == b.len()).then_some(())?;
    Some(Asked { lon: lon?, lat: lat?, crs, id })
}

#[inline]
fn skip(b: &[u8], mut at: usize) -> usize {
    while at < b.len() && matches!(b[at], b' ' | b'\t' | b'\r' | b'\n') {
        at += 1;
    }
    at
}

/// The content of a string without escapes that begins at `at`, and where it ends.
#[inline]
fn string(b: &[u8], at: usize) -> Option<(&[u8], usize)> {
    if *b.get(at)? != b'"' {
        return None;
    }
    let mut end = at + 1;
    loop {
        match *b.get(end)? {
            b'"' => return Some((&b[at + 1..end], end + 1)),
            b'\\' | 0..0x20 => return None,
            _ => end += 1,
        }
    }
}

/// Where the JSON number ends that begins at `at`; JSON's grammar, nothing wider.
#[inline]
fn numeral(b: &[u8], at: usize) -> Option<usize> {
    let digits = |mut i: usize| {
        let begin = i;
        while i < b.len() && b[i].is_ascii_digit() {
            i += 1;
        }
        (i > begin).then_some(i)
    };
    let mut i = at + usize::from(*b.get(at)? == b'-');
    i = if *b.get(i)? == b'0' { i + 1 } else { digits(i)? };
    if b.get(i) == Some(&b'.') {
        i = digits(i + 1)?;
    }
    if matches!(b.get(i), Some(b'e' | b'E')) {
        i += 1 + usize::from(matches!(b.get(i + 1), Some(b'+' | b'-')));
        i = digits(i)?;
    }
    Some(i)
}

#[inline]
fn degree(b: &[u8], at: usize) -> Option<(Option<f64>, usize)> {
    let end = numeral(b, at)?;
    Some((Some(fast_float2::parse(&b[at..end]).ok()?), end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_plain_shape_is_read_by_hand() {
        let line = r#"{"lon":120.1234567,"lat":-36.5,"crs":"gcj02","id":"网 1"}"#;
        let asked = plain(line.as_bytes(), line).unwrap();
        assert_eq!((asked.lon, asked.lat), (120.123_456_7, -36.5));
        assert_eq!((asked.crs.as_deref(), asked.id), (Some("gcj02"), Some("\"网 1\"")));
        let line = " { \"y\" : 1 , \"x\":2e1,\"id\":-7 } \r";
        let asked = plain(line.as_bytes(), line).unwrap();
        assert_eq!((asked.lon, asked.lat, asked.id), (20.0, 1.0, Some("-7")));
    }

    #[test]
    fn what_is_no_place_is_refused_with_a_reason() {
        for (line, reason) in [
            ("", "EOF"),
            ("[1,2]", "expected struct"),
            (r#"{"lon":1}"#, "lat"),
            (r#"{"lon":1,"lat":2,"lno":3}"#, "lno"),
            (r#"{"lon":"1","lat":2}"#, "lon must be a number"),
            (r#"{"lon":null,"lat":2}"#, "lon must be a number"),
            (r#"{"lon":NaN,"lat":2}"#, "expected value"),
            (r#"{"lon":01,"lat":2}"#, ""),
            (r#"{"lon":1.,"lat":2}"#, ""),
            (r#"{"lon":+1,"lat":2}"#, ""),
            (r#"{"lon":1,"lat":2}}"#, "trailing"),
            (r#"{"lon":1,"lat":2,"lon":3}"#, "duplicate"),
            (r#"{"lon":1,"lat":2,"id":{}}"#, "id must be"),
        ] {
            let refused = Asked::read(line).unwrap_err().to_string();
            assert!(refused.contains(reason), "{line}: {refused}");
        }
        let deep = format!(r#"{{"lon":1,"lat":2,"id":{}"#, "[".repeat(100_000));
        assert!(Asked::read(&deep).is_err());
    }

    #[test]
    fn places_off_the_globe_and_unknown_datums_are_told_apart() {
        let place = |line: &str| Asked::read(line).and_then(|a| a.point(Crs::Wgs84));
        assert_eq!(place(r#"{"lon":120,"lat":36}"#), Ok(Point::new(1_200_000_000, 360_000_000)));
        for line in [r#"{"lon":181,"lat":2}"#, r#"{"lon":1e400,"lat":2}"#, r#"{"lon":1,"lat":-90.1}"#] {
            assert!(matches!(place(line), Err(Refused::NoPlace(_))), "{line}");
        }
        assert!(matches!(place(r#"{"lon":1,"lat":2,"crs":"mars"}"#), Err(Refused::UnknownCrs(_))));
    }

    fn member() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| f.to_string()),
            (-180.0..180.0f64).prop_map(|f| format!("{f:.7}")),
            "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
            "[-+]?[0-9.eE]{1,6}",
        ];
        let value = prop_oneof![3 => number, 1 => "\"[a-z0-9 \\\\\"é网]{0,5}\"", 1 => Just("null".to_owned())];
        let name = prop_oneof![3 => "lon|lat", 1 => "x|y|crs|id|lno"];
        let space = "[ \t]{0,2}";
        (name, space, space, value)
            .prop_map(|(name, before, after, value)| format!("\"{name}\"{before}:{after}{value}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn by_hand_and_by_serde_a_line_reads_the_same(
            members in prop::collection::vec(member(), 1..5), open in "[ ]?\\{[ ]?", close in "[ ]?\\}[ \r]?",
        ) {
            let line = format!("{open}{}{close}", members.join(","));
            if let Some(asked) = plain(line.as_bytes(), &line) {
                prop_assert_eq!(Ok(asked), general(&line), "{}", line);
            }
        }
    }
}
