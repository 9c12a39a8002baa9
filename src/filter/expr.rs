//! What a filter says: a tree of tests, and its one way to be written.

use std::fmt;
use std::sync::Arc;

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another finite number.
    Real(f64),
    /// Text.
    Text(Arc<str>),
}

/// How a value and a constant are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Whether it holds where the value stands so to the constant.
    #[must_use]
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// What is asked of one property.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// How it stands to a constant.
    Compare(Operator, Constant),
    /// Whether it is one of these.
    In(Vec<Constant>),
    /// Whether it lies between two, both included.
    Between(Constant, Constant),
    /// Whether it is text of a pattern: `%` is any text, `_` any character, `\` makes the next
    /// character stand for itself.
    Like(Arc<str>),
    /// Whether it is absent.
    IsNull,
}

/// A condition. Positions are those of the text that it was read from, in characters from 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Of one property.
    Test {
        /// Its name.
        property: Arc<str>,
        /// Where it stands.
        position: usize,
        /// What is asked of it.
        test: Test,
        /// Where the first constant stands.
        constant_at: usize,
    },
    /// The other way round.
    Not(Box<Expr>),
    /// All of two or more.
    And(Vec<Expr>),
    /// Any of two or more.
    Or(Vec<Expr>),
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Integer(i) => write!(f, "{i}"),
            // With its point or exponent, so that it is read back as what it is.
            Self::Real(r) => write!(f, "{r:?}"),
            Self::Text(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}

/// The one way in which a filter is written: what is the same but for spaces, the case of words
/// and superfluous parentheses is written the same.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test { property, test, .. } => {
                write!(f, "\"{}\" ", property.replace('"', "\"\""))?;
                match test {
                    Test::Compare(operator, constant) => write!(f, "{} {constant}", operator.sign()),
                    Test::In(all) => {
                        f.write_str("in (")?;
                        for (i, constant) in all.iter().enumerate() {
                            write!(f, "{}{constant}", if i > 0 { ", " } else { "" })?;
                        }
                        f.write_str(")")
                    }
                    Test::Between(low, high) => write!(f, "between {low} and {high}"),
                    Test::Like(pattern) => write!(f, "like '{}'", pattern.replace('\'', "''")),
                    Test::IsNull => f.write_str("is null"),
                }
            }
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::And(all) => joined(f, all, " and "),
            Self::Or(all) => joined(f, all, " or "),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, all: &[Expr], word: &str) -> fmt::Result {
    for (i, expr) in all.iter().enumerate() {
        write!(f, "{}({expr})", if i > 0 { word } else { "" })?;
    }
    Ok(())
}
