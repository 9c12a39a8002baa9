//! A filter made ready to be asked of many features, one after the other.
//!
//! Names have become places, constants are of the kind that the property holds, and texts
//! that the asker has numbered are judged once each instead of once for each feature.

use std::cmp::Ordering;
use std::sync::Arc;

use super::error::FilterError;
use super::expr::{Constant, Expr, Operator, Test};
use super::like::Pattern;

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Text,
    /// Numbers, whole or not.
    Number,
    /// True or false.
    Bool,
}

/// The properties that can be asked about, each with what it holds. Its place here is its number.
pub type Schema<'s> = [(&'s str, Holds)];

/// The value of a property.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Given<'a> {
    /// Absent.
    Absent,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text, and the number by which the asker knows it; any number that was not given to
    /// [`Predicate::judge`] where it knows it by none.
    Text(u32, &'a str),
}

/// A filter for features of one kind.
#[derive(Clone, Debug)]
pub struct Predicate {
    root: Node,
}

#[derive(Clone, Debug)]
enum Node {
    Test(u32, Check),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
}

#[derive(Clone, Debug)]
enum Check {
    IsNull,
    /// Whether false and true pass.
    Bool([bool; 2]),
    Number(Wanted<Number>),
    Text(Wanted<Arc<str>>, Judged),
    Like(Pattern, Judged),
}

/// What numbers or texts are let through.
#[derive(Clone, Debug)]
enum Wanted<T> {
    Compare(Operator, T),
    In(Vec<T>),
    Between(T, T),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Integer(i64),
    Real(f64),
}

/// The verdicts on numbered texts, a bit for each.
#[derive(Clone, Debug, Default)]
struct Judged {
    bits: Vec<u64>,
    count: u32,
}

impl Judged {
    fn of<'t>(texts: impl Iterator<Item = &'t str>, passes: impl Fn(&str) -> bool) -> Self {
        let mut judged = Self::default();
        for text in texts {
            if judged.count.is_multiple_of(64) {
                judged.bits.push(0);
            }
            let bit = u64::from(passes(text)) << (judged.count % 64);
            *judged.bits.last_mut().expect("one was just pushed for each 64") |= bit;
            judged.count += 1;
        }
        judged
    }

    #[inline]
    fn get(&self, number: u32) -> Option<bool> {
        (number < self.count).then(|| self.bits[number as usize / 64] >> (number % 64) & 1 == 1)
    }
}

impl<T> Wanted<T> {
    /// Whether a value passes that stands so to each constant.
    fn passes(&self, against: impl Fn(&T) -> Ordering) -> bool {
        match self {
            Self::Compare(operator, constant) => operator.holds(against(constant)),
            Self::In(all) => all.iter().any(|constant| against(constant).is_eq()),
            Self::Between(low, high) => against(low).is_ge() && against(high).is_le(),
        }
    }
}

impl Number {
    /// Exact, also where a whole number has more digits than a real one.
    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Real(a), Self::Real(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Integer(a), Self::Real(b)) => whole_against_real(a, b),
            (Self::Real(a), Self::Integer(b)) => whole_against_real(b, a).reverse(),
        }
    }
}

fn whole_against_real(whole: i64, real: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if real >= BEYOND {
        Ordering::Less
    } else if real < -BEYOND {
        Ordering::Greater
    } else {
        // In the range of i64, and the rest behind the point is exact.
        whole.cmp(&(real.trunc() as i64)).then_with(|| 0.0_f64.partial_cmp(&real.fract()).unwrap_or(Ordering::Equal))
    }
}

impl Predicate {
    /// Makes a filter ready for features with these properties.
    ///
    /// # Errors
    ///
    /// A property that is none of these, and a constant of another kind than the property.
    pub fn new(expr: &Expr, schema: &Schema<'_>) -> Result<Self, FilterError> {
        Ok(Self { root: node(expr, schema)? })
    }

    /// Judges texts in advance, numbered from 0 as they come: worth it where more features
    /// will be asked about than there are texts.
    #[must_use]
    pub fn judge<'t, I: Iterator<Item = &'t str>>(mut self, texts: impl Fn() -> I) -> Self {
        self.root.judge(&texts);
        self
    }

    /// Whether a feature is let through, whose properties `of` tells by number.
    #[inline]
    pub fn passes<'v>(&self, of: impl Fn(u32) -> Given<'v>) -> bool {
        self.root.holds(&of) == Some(true)
    }
}

impl Node {
    /// True, false or unknown.
    fn holds<'v>(&self, of: &impl Fn(u32) -> Given<'v>) -> Option<bool> {
        match self {
            Self::Test(property, check) => check.holds(of(*property)),
            Self::Not(inner) => inner.holds(of).map(|b| !b),
            Self::And(all) => settled(all.iter().map(|node| node.holds(of)), false),
            Self::Or(all) => settled(all.iter().map(|node| node.holds(of)), true),
        }
    }

    fn judge<'t, I: Iterator<Item = &'t str>>(&mut self, texts: &impl Fn() -> I) {
        match self {
            Self::Test(_, Check::Text(wanted, judged)) => {
                *judged = Judged::of(texts(), |text| wanted.passes(|constant| text.cmp(constant)));
            }
            Self::Test(_, Check::Like(pattern, judged)) => {
                *judged = Judged::of(texts(), |text| pattern.matches(text));
            }
            Self::Test(..) => {}
            Self::Not(inner) => inner.judge(texts),
            Self::And(all) | Self::Or(all) => all.iter_mut().for_each(|node| node.judge(texts)),
        }
    }
}

/// Any that says `decisive` settles it; else one that is unknown leaves it unknown.
fn settled(all: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut sum = Some(!decisive);
    for holds in all {
        match holds {
            Some(b) if b == decisive => return Some(decisive),
            None => sum = None,
            Some(_) => {}
        }
    }
    sum
}

impl Check {
    fn holds(&self, given: Given<'_>) -> Option<bool> {
        match (self, given) {
            (Self::IsNull, given) => Some(given == Given::Absent),
            (Self::Bool(passes), Given::Bool(b)) => Some(passes[usize::from(b)]),
            (Self::Number(wanted), Given::Integer(i)) => Some(wanted.passes(|c| Number::Integer(i).order(*c))),
            (Self::Number(wanted), Given::Real(r)) => Some(wanted.passes(|c| Number::Real(r).order(*c))),
            (Self::Text(wanted, judged), Given::Text(number, text)) => {
                Some(judged.get(number).unwrap_or_else(|| wanted.passes(|constant| text.cmp(constant))))
            }
            (Self::Like(pattern, judged), Given::Text(number, text)) => {
                Some(judged.get(number).unwrap_or_else(|| pattern.matches(text)))
            }
            // Absent, or of another kind than all others of its property.
            _ => None,
        }
    }
}

fn node(expr: &Expr, schema: &Schema<'_>) -> Result<Node, FilterError> {
    let all = |all: &[Expr]| all.iter().map(|expr| node(expr, schema)).collect::<Result<Vec<_>, _>>();
    Ok(match expr {
        Expr::Not(inner) => Node::Not(Box::new(node(inner, schema)?)),
        Expr::And(parts) => Node::And(all(parts)?),
        Expr::Or(parts) => Node::Or(all(parts)?),
        Expr::Test { property, position, test, constant_at } => {
            let Some(number) = schema.iter().position(|(name, _)| **name == **property) else {
                let known: Vec<&str> = schema.iter().map(|(name, _)| *name).collect();
                let property: String = property.chars().take(64).collect();
                let why = format!("there is no property {property}; there are {}", known.join(", "));
                return Err(FilterError::new(*position, why));
            };
            let (name, holds) = schema[number];
            let check = check(test, holds).map_err(|why| FilterError::new(*constant_at, format!("{name} {why}")))?;
            Node::Test(number as u32, check)
        }
    })
}

fn check(test: &Test, holds: Holds) -> Result<Check, String> {
    Ok(match (test, holds) {
        (Test::IsNull, _) => Check::IsNull,
        (Test::Like(pattern), Holds::Text) => Check::Like(Pattern::new(pattern), Judged::default()),
        (Test::Like(_), _) => return Err("is no text, and like is for texts".to_owned()),
        (_, Holds::Text) => Check::Text(wanted(test, text_of)?, Judged::default()),
        (_, Holds::Number) => Check::Number(wanted(test, number_of)?),
        (_, Holds::Bool) => {
            let wanted = wanted(test, bool_of)?;
            if !matches!(wanted, Wanted::In(_) | Wanted::Compare(Operator::Equal | Operator::Unequal, _)) {
                return Err("is true or false, and of these neither is less".to_owned());
            }
            Check::Bool([false, true].map(|b| wanted.passes(|constant| b.cmp(constant))))
        }
    })
}

fn wanted<T>(test: &Test, of: impl Fn(&Constant) -> Result<T, String>) -> Result<Wanted<T>, String> {
    Ok(match test {
        Test::Compare(operator, constant) => Wanted::Compare(*operator, of(constant)?),
        Test::Between(low, high) => Wanted::Between(of(low)?, of(high)?),
        Test::In(all) => Wanted::In(all.iter().map(of).collect::<Result<_, _>>()?),
        // Both are tests of their own, which are taken before.
        Test::Like(_) | Test::IsNull => Wanted::In(Vec::new()),
    })
}

fn text_of(constant: &Constant) -> Result<Arc<str>, String> {
    match constant {
        Constant::Text(text) => Ok(text.clone()),
        other => Err(format!("holds text, and {other} is none: put it in single quotes")),
    }
}

fn number_of(constant: &Constant) -> Result<Number, String> {
    match constant {
        Constant::Integer(i) => Ok(Number::Integer(*i)),
        Constant::Real(r) => Ok(Number::Real(*r)),
        other => Err(format!("holds numbers, and {other} is none")),
    }
}

fn bool_of(constant: &Constant) -> Result<bool, String> {
    match constant {
        Constant::Bool(b) => Ok(*b),
        other => Err(format!("is true or false, and {other} is neither")),
    }
}
