//! Numbers that are a place, as people paste them.
//!
//! ```text
//!   117.1,36.6        longitude first, as everywhere here
//!   36.6 117.1        no latitude is over 90: the other way round
//!   36.6N 117.1E      北纬36.6 东经117.1      36°36′0″N 117°6′0″E
//! ```

/// Two numbers of a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Read {
    /// Longitude in degrees, or easting in metres.
    pub lon: f64,
    /// Latitude in degrees, or northing in metres.
    pub lat: f64,
    /// Whether letters said which is which, or one of them can't be a latitude.
    pub is_order_told: bool,
}

/// What a word says of the number beside it.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Lon(f64),
    Lat(f64),
}

/// A number with what is said of it.
#[derive(Clone, Copy)]
struct Number {
    value: f64,
    axis: Option<Axis>,
}

/// Reads a place; `is_geographic` says whether the numbers are degrees.
#[must_use]
pub fn coordinates(text: &str, is_geographic: bool) -> Option<Read> {
    if text.len() > 200 {
        return None;
    }
    let [first, second] = numbers(&super::fold(text))?;
    let sign = |number: Number| match number.axis {
        Some(Axis::Lon(sign) | Axis::Lat(sign)) => number.value * sign,
        None => number.value,
    };
    let is_lat = |number: Number| number.axis.map(|axis| matches!(axis, Axis::Lat(_)));
    let (a, b) = (sign(first), sign(second));
    if (first.axis.is_some() || second.axis.is_some()) && !is_geographic {
        return None;
    }
    let swapped = match (is_lat(first), is_lat(second)) {
        (Some(true), Some(true)) | (Some(false), Some(false)) => return None,
        (Some(true), _) | (_, Some(false)) => Some(true),
        (Some(false), _) | (_, Some(true)) => Some(false),
        (None, None) if is_geographic && b.abs() > 90.0 => Some(true),
        (None, None) if is_geographic && a.abs() > 90.0 => Some(false),
        (None, None) => None,
    };
    let (lon, lat) = if swapped == Some(true) { (b, a) } else { (a, b) };
    let is_on_globe = !is_geographic || (lon.abs() <= 180.0 && lat.abs() <= 90.0);
    (is_on_globe && lon.is_finite() && lat.is_finite()).then_some(Read { lon, lat, is_order_told: swapped.is_some() })
}

/// Exactly two numbers, with the words beside them; nothing else.
fn numbers(text: &str) -> Option<[Number; 2]> {
    let words = [
        ("东经", Axis::Lon(1.0)),
        ("西经", Axis::Lon(-1.0)),
        ("北纬", Axis::Lat(1.0)),
        ("南纬", Axis::Lat(-1.0)),
        ("e", Axis::Lon(1.0)),
        ("w", Axis::Lon(-1.0)),
        ("n", Axis::Lat(1.0)),
        ("s", Axis::Lat(-1.0)),
    ];
    let mut found: Vec<Number> = Vec::new();
    // Said before its number, or after the last one.
    let mut before: Option<Axis> = None;
    // What part of a degree the next number of the same angle is.
    let mut part: Option<f64> = None;
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        if let Some((word, axis)) = words.iter().find(|(word, _)| rest.starts_with(word)) {
            rest = &rest[word.len()..];
            part = None;
            match found.last_mut() {
                Some(last) if last.axis.is_none() && before.is_none() && !is_led(text) => last.axis = Some(*axis),
                _ if before.is_none() => before = Some(*axis),
                _ => return None,
            }
        } else if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') {
            let end = rest[1..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(rest.len(), |end| end + 1);
            let value: f64 = rest[..end].parse().ok()?;
            rest = &rest[end..];
            match (part.take(), found.len()) {
                (Some(share), 1..) if (0.0..60.0).contains(&value) && c.is_ascii_digit() => {
                    if let Some(last) = found.last_mut() {
                        last.value += value * share * if last.value.is_sign_negative() { -1.0 } else { 1.0 };
                    }
                }
                (None, 0..2) => found.push(Number { value, axis: before.take() }),
                _ => return None,
            }
            let sign = rest.trim_start().chars().next();
            let share = match sign {
                Some('°' | '度') => Some(1.0 / 60.0),
                Some('\'' | '′' | '’' | '分') => Some(1.0 / 3600.0),
                Some('"' | '″' | '”' | '秒') => None,
                _ => continue,
            };
            rest = rest.trim_start();
            rest = &rest[sign.map_or(0, char::len_utf8)..];
            let is_next = rest.starts_with(|c: char| c.is_ascii_digit()) || is_minutes(rest);
            part = share.filter(|_| is_next);
        } else if matches!(c, ' ' | ',' | ';' | '、') {
            rest = &rest[c.len_utf8()..];
        } else {
            return None;
        }
    }
    match (found.as_slice(), before) {
        ([first, second], None) => Some([*first, *second]),
        _ => None,
    }
}

/// Whether a text begins with a word, so that each stands before its number.
fn is_led(text: &str) -> bool {
    !text.trim_start().starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
}

/// Whether what follows is a number of minutes or seconds, set apart by a space.
fn is_minutes(rest: &str) -> bool {
    let rest = rest.trim_start();
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    after.len() < rest.len() && after.trim_start().starts_with(['\'', '′', '’', '分', '"', '″', '”', '秒'])
}
