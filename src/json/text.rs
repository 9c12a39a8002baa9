//! Numbers and text as JSON, straight into bytes.

use boundaries::UNITS_PER_DEGREE;

/// Appends a coordinate of the lattice in degrees: exact, without trailing zeros.
pub(crate) fn push_degrees(out: &mut Vec<u8>, units: i32) {
    if units < 0 {
        out.push(b'-');
    }
    let units = units.unsigned_abs();
    let (degrees, mut rest) = (units / UNITS_PER_DEGREE as u32, units % UNITS_PER_DEGREE as u32);
    out.extend_from_slice(itoa::Buffer::new().format(degrees).as_bytes());
    if rest == 0 {
        return;
    }
    let mut digits = [b'0'; 8];
    for digit in digits[1..].iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    digits[0] = b'.';
    let used = digits.iter().rposition(|d| *d != b'0').map_or(0, |last| last + 1);
    out.extend_from_slice(&digits[..used]);
}

/// Appends a length in metres, to the millimetre; what is no finite length is `null`.
pub(crate) fn push_metres(out: &mut Vec<u8>, metres: f64) {
    let mm = (metres * 1000.0).round();
    if !(0.0..1e15).contains(&mm) {
        out.extend_from_slice(b"null");
        return;
    }
    let mm = mm as u64;
    out.extend_from_slice(itoa::Buffer::new().format(mm / 1000).as_bytes());
    let rest = mm % 1000;
    if rest > 0 {
        let digits = [b'.', b'0' + (rest / 100) as u8, b'0' + (rest / 10 % 10) as u8, b'0' + (rest % 10) as u8];
        let used = digits.iter().rposition(|d| *d != b'0').map_or(0, |last| last + 1);
        out.extend_from_slice(&digits[..used]);
    }
}

/// Appends text as a JSON string.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (i, b) in text.bytes().enumerate() {
        if b >= 0x20 && b != b'"' && b != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..i]);
        plain = i + 1;
        match b {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn degrees_are_the_shortest_decimals_and_read_back_exactly() {
        for (units, text) in [
            (1_201_234_567, "120.1234567"),
            (-5, "-0.0000005"),
            (0, "0"),
            (-1_800_000_000, "-180"),
            (360_500_000, "36.05"),
        ] {
            assert_eq!(written(|out| push_degrees(out, units)), text);
        }
        let mut units: i32 = -1_800_000_000;
        while units < 1_799_000_000 {
            let text = written(|out| push_degrees(out, units));
            assert_eq!(text, (f64::from(units) / 1e7).to_string());
            units += 999_983;
        }
    }

    #[test]
    fn lengths_are_rounded_to_the_millimetre() {
        for (metres, text) in [(12.3456, "12.346"), (0.0, "0"), (7.1, "7.1"), (0.0004, "0"), (f64::INFINITY, "null")] {
            assert_eq!(written(|out| push_metres(out, metres)), text);
        }
    }

    #[test]
    fn text_is_what_serde_json_makes_of_it() {
        for text in ["", "网格 1", "a\"b\\c\nd\te\u{1}f", "\r\u{8}"] {
            let read: String = serde_json::from_slice(written(|out| push_text(out, text)).as_bytes()).unwrap();
            assert_eq!(read, text);
        }
    }
}
