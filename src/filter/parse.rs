//! From text to an [`Expr`], by recursive descent.
//!
//! ```text
//!   or     = and ("or" and)*
//!   and    = not ("and" not)*
//!   not    = "not" not | "(" or ")" | test
//!   test   = name sign constant
//!          | name ["not"] "in" "(" constant ("," constant)* ")"
//!          | name ["not"] "like" text
//!          | name ["not"] "between" constant "and" constant
//!          | name "is" ["not"] "null"
//! ```

use std::str::FromStr;
use std::sync::Arc;

use super::error::FilterError;
use super::expr::{Constant, Expr, Test};
use super::token::{Token, tokens};

/// Bytes of a filter, at most.
pub const MAX_LENGTH: usize = 4096;
/// How deep parentheses and `not` may stand in each other.
pub const MAX_DEPTH: usize = 32;
/// Tests in a filter, at most.
pub const MAX_TESTS: usize = 64;
/// Constants in one `in`, at most.
pub const MAX_LISTED: usize = 256;

/// Words that are no names unless they stand in quotes.
const RESERVED: [&str; 10] = ["and", "or", "not", "in", "like", "between", "is", "null", "true", "false"];

impl FromStr for Expr {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_LENGTH {
            let why = format!("a filter has at most {MAX_LENGTH} bytes, this one has {}", text.len());
            return Err(FilterError::new(1, why));
        }
        let tokens = tokens(text)?;
        let mut reader = Reader { tokens: &tokens, at: 0, end: text.chars().count() + 1, depth: 0, tests: 0 };
        let expr = reader.or()?;
        match reader.tokens.get(reader.at) {
            None => Ok(expr),
            Some((position, token)) => Err(FilterError::new(
                *position,
                format!("the filter should end before {}, or go on with and, or", token.told()),
            )),
        }
    }
}

struct Reader<'t> {
    tokens: &'t [(usize, Token)],
    at: usize,
    /// The place behind the text.
    end: usize,
    depth: usize,
    tests: usize,
}

impl Reader<'_> {
    fn or(&mut self) -> Result<Expr, FilterError> {
        let mut all = vec![self.and()?];
        while self.word("or") {
            all.push(self.and()?);
        }
        Ok(one_or(all, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, FilterError> {
        let mut all = vec![self.not()?];
        while self.word("and") {
            all.push(self.not()?);
        }
        Ok(one_or(all, Expr::And))
    }

    fn not(&mut self) -> Result<Expr, FilterError> {
        let position = self.position();
        if self.word("not") {
            self.deeper(position)?;
            let inner = self.not()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.take(&Token::Open) {
            self.deeper(position)?;
            let inner = self.or()?;
            self.demand(&Token::Close, ")")?;
            self.depth -= 1;
            return Ok(inner);
        }
        self.test()
    }

    fn deeper(&mut self, position: usize) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(FilterError::new(position, format!("parentheses and not stand at most {MAX_DEPTH} deep")));
        }
        Ok(())
    }

    fn test(&mut self) -> Result<Expr, FilterError> {
        let position = self.position();
        let property: Arc<str> = match self.next() {
            Some(Token::Quoted(name)) => name.as_str().into(),
            Some(Token::Word(word)) if !is_reserved(word) => word.as_str().into(),
            Some(other) => {
                let why = format!("a property should stand here, not {}", other.told());
                return Err(FilterError::new(position, why));
            }
            None => return Err(FilterError::new(position, "a property should stand here, and the filter ends")),
        };
        self.tests += 1;
        if self.tests > MAX_TESTS {
            return Err(FilterError::new(position, format!("a filter has at most {MAX_TESTS} tests")));
        }
        if let Some(Token::Sign(operator)) = self.peek() {
            let operator = *operator;
            self.at += 1;
            let constant_at = self.position();
            let test = Test::Compare(operator, self.constant()?);
            return Ok(Expr::Test { property, position, test, constant_at });
        }
        if self.word("is") {
            let negated = self.word("not");
            let constant_at = self.position();
            if !self.word("null") {
                return Err(FilterError::new(constant_at, "null or not null should stand here"));
            }
            return Ok(turned(negated, Expr::Test { property, position, test: Test::IsNull, constant_at }));
        }
        let negated = self.word("not");
        let verb_at = self.position();
        let (test, constant_at) = if self.word("in") {
            self.demand(&Token::Open, "(")?;
            let constant_at = self.position();
            let mut all = vec![self.constant()?];
            while self.take(&Token::Comma) {
                let position = self.position();
                all.push(self.constant()?);
                if all.len() > MAX_LISTED {
                    return Err(FilterError::new(position, format!("in lists at most {MAX_LISTED} constants")));
                }
            }
            self.demand(&Token::Close, ")")?;
            (Test::In(all), constant_at)
        } else if self.word("like") {
            let constant_at = self.position();
            let Some(Token::Text(pattern)) = self.next() else {
                return Err(FilterError::new(constant_at, "a pattern in single quotes should stand here"));
            };
            (Test::Like(pattern.as_str().into()), constant_at)
        } else if self.word("between") {
            let constant_at = self.position();
            let low = self.constant()?;
            if !self.word("and") {
                return Err(FilterError::new(self.position(), "and should stand here, and the upper end"));
            }
            (Test::Between(low, self.constant()?), constant_at)
        } else {
            let why = "=, <>, <, <=, >, >=, in, like, between or is null should stand here";
            return Err(FilterError::new(verb_at, why));
        };
        Ok(turned(negated, Expr::Test { property, position, test, constant_at }))
    }

    fn constant(&mut self) -> Result<Constant, FilterError> {
        let position = self.position();
        Ok(match self.next() {
            Some(Token::Text(text)) => Constant::Text(text.as_str().into()),
            Some(Token::Integer(i)) => Constant::Integer(*i),
            Some(Token::Real(r)) => Constant::Real(*r),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Constant::Bool(true),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Constant::Bool(false),
            Some(other) => {
                let why = format!("a number, 'text', true or false should stand here, not {}", other.told());
                return Err(FilterError::new(position, why));
            }
            None => return Err(FilterError::new(position, "a constant should stand here, and the filter ends")),
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn next(&mut self) -> Option<&Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).map(|(_, token)| token)
    }

    /// Where the next token stands.
    fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(position, _)| *position)
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_there = self.peek() == Some(token);
        self.at += usize::from(is_there);
        is_there
    }

    fn demand(&mut self, token: &Token, told: &str) -> Result<(), FilterError> {
        let position = self.position();
        self.take(token).then_some(()).ok_or_else(|| FilterError::new(position, format!("{told} should stand here")))
    }

    /// Takes a word of the language, in any case of letters.
    fn word(&mut self, wanted: &str) -> bool {
        let is_there = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        self.at += usize::from(is_there);
        is_there
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

fn turned(negated: bool, expr: Expr) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

fn one_or(mut all: Vec<Expr>, many: impl FnOnce(Vec<Expr>) -> Expr) -> Expr {
    match (all.len(), all.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            all.extend(last);
            many(all)
        }
    }
}
