//! The words, signs and constants of a filter, each with its place.

use super::error::FilterError;
use super::expr::Operator;

/// A piece of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or a word of the language: letters, digits, `_`, `:` and `.`.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// Text in single quotes.
    Text(String),
    Integer(i64),
    Real(f64),
    Sign(Operator),
    Open,
    Close,
    Comma,
}

impl Token {
    /// How a message names it.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Quoted(name) => format!("\"{name}\""),
            Self::Text(text) => format!("'{text}'"),
            Self::Integer(i) => i.to_string(),
            Self::Real(r) => r.to_string(),
            Self::Sign(_) => "a comparison".to_owned(),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
            Self::Comma => ",".to_owned(),
        }
    }
}

/// Cuts a text into tokens, each with the place of its first character, from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let all: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = all.get(at) {
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let begin = at;
        let token = match c {
            '(' | ')' | ',' => {
                at += 1;
                match c {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Comma,
                }
            }
            '=' | '<' | '>' => Token::Sign(sign(&all, &mut at)),
            '\'' => Token::Text(quoted(&all, &mut at)?),
            '"' => Token::Quoted(quoted(&all, &mut at)?),
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => number(&all, &mut at)?,
            c if c.is_alphabetic() || matches!(c, '_' | ':') => {
                let is_part = |c: &char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.');
                at += all[at..].iter().take_while(|c| is_part(c)).count();
                Token::Word(all[begin..at].iter().collect())
            }
            other => return Err(FilterError::new(at + 1, format!("{other:?} has no meaning here"))),
        };
        found.push((begin + 1, token));
    }
    Ok(found)
}

fn sign(all: &[char], at: &mut usize) -> Operator {
    let (sign, length) = match (all[*at], all.get(*at + 1)) {
        ('<', Some('>')) => (Operator::Unequal, 2),
        ('<', Some('=')) => (Operator::AtMost, 2),
        ('>', Some('=')) => (Operator::AtLeast, 2),
        ('<', _) => (Operator::Less, 1),
        ('>', _) => (Operator::Greater, 1),
        _ => (Operator::Equal, 1),
    };
    *at += length;
    sign
}

/// What stands in quotes; a quote twice stands for itself.
fn quoted(all: &[char], at: &mut usize) -> Result<String, FilterError> {
    let (begin, quote) = (*at, all[*at]);
    let mut text = String::new();
    *at += 1;
    loop {
        match (all.get(*at), all.get(*at + 1)) {
            (Some(c), Some(next)) if *c == quote && *next == quote => {
                text.push(quote);
                *at += 2;
            }
            (Some(c), _) if *c == quote => {
                *at += 1;
                return Ok(text);
            }
            (Some(c), _) => {
                text.push(*c);
                *at += 1;
            }
            (None, _) => return Err(FilterError::new(begin + 1, format!("what begins with {quote} has no end"))),
        }
    }
}

/// A number: whole ones that fit are kept whole.
fn number(all: &[char], at: &mut usize) -> Result<Token, FilterError> {
    let begin = *at;
    let mut is_after_exponent = false;
    while let Some(c) = all.get(*at) {
        let is_sign = matches!(c, '-' | '+') && (*at == begin || is_after_exponent);
        if !(c.is_ascii_alphanumeric() || *c == '.' || is_sign) {
            break;
        }
        is_after_exponent = matches!(c, 'e' | 'E');
        *at += 1;
    }
    let text: String = all[begin..*at].iter().collect();
    if let Ok(whole) = text.parse() {
        return Ok(Token::Integer(whole));
    }
    let starts_like_one = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    match text.parse::<f64>() {
        Ok(real) if real.is_finite() && starts_like_one => Ok(Token::Real(real)),
        _ => Err(FilterError::new(begin + 1, format!("{text} is no number"))),
    }
}
