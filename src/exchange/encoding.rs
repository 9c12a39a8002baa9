//! Text of unknown encoding: UTF-8 where everything is UTF-8, else what Chinese offices
//! have: GBK.

use std::borrow::Cow;

use encoding_rs::Encoding;

/// The encoding that a label names: `UTF-8`, `GBK`, `936`, `CP936`, `ANSI 936`, `ISO-8859-1` ...
pub(super) fn named(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_start_matches('\u{feff}').to_lowercase();
    let digits: String = label.chars().filter(char::is_ascii_digit).collect();
    Some(match digits.as_str() {
        "936" | "54936" | "18030" | "2312" => encoding_rs::GB18030,
        "950" => encoding_rs::BIG5,
        "932" => encoding_rs::SHIFT_JIS,
        "949" => encoding_rs::EUC_KR,
        "1252" | "88591" => encoding_rs::WINDOWS_1252,
        "65001" => encoding_rs::UTF_8,
        _ => return Encoding::for_label(label.as_bytes()),
    })
}

/// Watches bytes go by and says at the end whether they are UTF-8.
#[derive(Default)]
pub(super) struct Guess {
    is_not_utf8: bool,
}

impl Guess {
    /// One text. `may_be_cut` where it may end inside a character (a field of fixed width).
    pub(super) fn see(&mut self, text: &[u8], may_be_cut: bool) {
        self.is_not_utf8 |= match std::str::from_utf8(text) {
            Ok(_) => false,
            Err(error) => !(may_be_cut && error.error_len().is_none()),
        };
    }

    pub(super) fn conclude(&self) -> &'static Encoding {
        // GB 18030 reads everything that GBK and GB 2312 do.
        if self.is_not_utf8 { encoding_rs::GB18030 } else { encoding_rs::UTF_8 }
    }
}

/// Decodes a text; `None` where the bytes mean nothing in the encoding.
pub(super) fn decode<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Option<Cow<'a, str>> {
    encoding.decode_without_bom_handling_and_without_replacement(bytes)
}

/// Decodes a text that may have been cut inside its last character, which is dropped.
pub(super) fn decode_cut<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Option<Cow<'a, str>> {
    (0..4.min(bytes.len() + 1)).find_map(|cut| decode(&bytes[..bytes.len() - cut], encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_cpg_files_are_known() {
        for (label, name) in [
            ("UTF-8", "UTF-8"),
            ("utf8\r\n", "UTF-8"),
            ("GBK", "GBK"),
            ("936", "gb18030"),
            ("CP936", "gb18030"),
            ("GB18030", "gb18030"),
            ("GB2312", "gb18030"),
            ("ANSI 1252", "windows-1252"),
            ("ISO-8859-1", "windows-1252"),
            ("ISO 88591", "windows-1252"),
            ("Big5", "Big5"),
            ("65001", "UTF-8"),
        ] {
            assert_eq!(named(label).map(Encoding::name), Some(name), "{label}");
        }
        assert_eq!(named("klingon"), None);
    }

    #[test]
    fn text_that_is_not_utf8_is_taken_for_gbk() {
        let gbk = [0xca, 0xd0, 0xc4, 0xcf, 0xc7, 0xf8];
        let mut guess = Guess::default();
        guess.see(b"plain", false);
        assert_eq!(guess.conclude(), encoding_rs::UTF_8);
        guess.see(&gbk, false);
        assert_eq!(decode(&gbk, guess.conclude()).unwrap(), "市南区");
    }

    #[test]
    fn a_character_cut_at_the_end_of_a_field_is_dropped() {
        let mut guess = Guess::default();
        guess.see(&"市南".as_bytes()[..5], true);
        assert_eq!(guess.conclude(), encoding_rs::UTF_8);
        assert_eq!(decode_cut(&"市南".as_bytes()[..5], encoding_rs::UTF_8).unwrap(), "市");
    }
}
