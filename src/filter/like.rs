//! Patterns: `%` is any text, `_` any character.

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// Any text, also none.
    Any,
    /// One character, whichever.
    One,
    /// This character.
    Char(char),
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            pieces.push(match c {
                '%' if pieces.last() == Some(&Piece::Any) => continue,
                '%' => Piece::Any,
                '_' => Piece::One,
                // At the end of the pattern it stands for itself.
                '\\' => Piece::Char(chars.next().unwrap_or('\\')),
                c => Piece::Char(c),
            });
        }
        Self(pieces)
    }

    /// Whether a text is of this pattern. The last `%` alone is ever tried again, so the work
    /// is at most the product of both lengths.
    pub(super) fn matches(&self, text: &str) -> bool {
        let pieces = &self.0;
        let mut rest = text.chars();
        let mut at = 0;
        let mut again: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let here = rest.clone();
            match (pieces.get(at), rest.next()) {
                (None, None) => return true,
                (Some(Piece::Any), _) => {
                    at += 1;
                    again = Some((at, here.clone()));
                    rest = here;
                    continue;
                }
                (Some(Piece::One), Some(_)) => {
                    at += 1;
                    continue;
                }
                (Some(Piece::Char(wanted)), Some(c)) if *wanted == c => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            // One character more goes to the last `%`.
            let Some((after, tried)) = &mut again else { return false };
            if tried.next().is_none() {
                return false;
            }
            at = *after;
            rest = tried.clone();
        }
    }
}
