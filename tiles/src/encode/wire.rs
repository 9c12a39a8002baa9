//! Protobuf as far as a vector tile needs it: varints, lengths, fixed doubles.

/// Wire types (protobuf encoding, "message structure").
pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const LENGTH: u32 = 2;

/// Writes `v` seven bits a byte, low bits first.
#[inline]
pub(super) fn varint(out: &mut Vec<u8>, mut v: u64) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// The same for what is mostly small: tile coordinates' differences.
#[inline]
pub(super) fn varint32(out: &mut Vec<u8>, v: u32) {
    if v < 0x80 {
        out.push(v as u8);
    } else if v < 0x4000 {
        out.extend_from_slice(&[v as u8 | 0x80, (v >> 7) as u8]);
    } else {
        varint(out, u64::from(v));
    }
}

/// How many bytes [`varint`] writes.
pub(super) fn varint_len(v: u64) -> usize {
    (64 - (v | 1).leading_zeros() as usize).div_ceil(7)
}

/// Small numbers of either sign as small unsigned numbers.
#[inline]
pub(super) fn zigzag32(v: i32) -> u32 {
    ((v << 1) ^ (v >> 31)) as u32
}

/// The same in 64 bits.
pub(super) fn zigzag64(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)) as u64
}

/// A field's number and wire type.
pub(super) fn field(out: &mut Vec<u8>, number: u32, wire_type: u32) {
    varint32(out, number << 3 | wire_type);
}

/// A field that holds bytes.
pub(super) fn bytes_field(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    field(out, number, LENGTH);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A field that holds a number.
pub(super) fn varint_field(out: &mut Vec<u8>, number: u32, v: u64) {
    field(out, number, VARINT);
    varint(out, v);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_the_length_that_is_said() {
        for bits in 0..64 {
            for v in [(1u64 << bits) - 1, 1 << bits] {
                let mut out = Vec::new();
                varint(&mut out, v);
                assert_eq!(out.len(), varint_len(v), "{v}");
                if let Ok(small) = u32::try_from(v) {
                    let mut short = Vec::new();
                    varint32(&mut short, small);
                    assert_eq!(short, out);
                }
            }
        }
    }

    #[test]
    fn zigzag_is_the_protobuf_table() {
        assert_eq!([0, -1, 1, -2, i32::MAX, i32::MIN].map(zigzag32), [0, 1, 2, 3, u32::MAX - 1, u32::MAX]);
        assert_eq!([0, -1, 1, i64::MIN].map(zigzag64), [0, 1, 2, u64::MAX]);
    }
}
