//! Degrees as text: the exact decimal of a lattice coordinate, without a float on the way.

/// Writes a lattice coordinate (1e-7 degree) as degrees: at most seven decimals, no
/// trailing zeros. Reading the text back gives the same lattice coordinate.
pub fn push_degrees(out: &mut Vec<u8>, units: i32) {
    let mut digits = itoa::Buffer::new();
    let magnitude = units.unsigned_abs();
    if units < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(digits.format(magnitude / 10_000_000).as_bytes());
    let mut rest = magnitude % 10_000_000;
    if rest == 0 {
        return;
    }
    out.push(b'.');
    let mut unit = 1_000_000;
    while rest > 0 {
        out.push(b'0' + (rest / unit) as u8);
        rest %= unit;
        unit /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_exact_and_short() {
        let text = |units| {
            let mut out = Vec::new();
            push_degrees(&mut out, units);
            String::from_utf8(out).unwrap()
        };
        let cases = [
            (0, "0"),
            (1, "0.0000001"),
            (-1, "-0.0000001"),
            (1_203_000_000, "120.3"),
            (-1_800_000_000, "-180"),
            (360_000_010, "36.000001"),
        ];
        for (units, expected) in cases {
            assert_eq!(text(units), expected);
            let degrees: f64 = expected.parse().unwrap();
            assert_eq!((degrees * 1e7).round() as i32, units);
        }
    }
}
