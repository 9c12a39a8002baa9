//! GeoJSON as a stream: a FeatureCollection, a single Feature or geometry, or one value
//! after another (lines, or a text sequence with record separators).
//!
//! A collection is walked by hand down to its features, and each feature is parsed from
//! a window over the input, so memory holds one feature, not the file.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::bytes::Window;
use super::error::{Cause, Fault};
use super::json::{Object, Text};
use super::raw::{Place, Record, Start};
use crate::crs::{CrsError, Declared};
use crate::feature::{Properties, Value};

/// Members of a collection that are not its features, in bytes together.
const LIMIT_MEMBERS_BYTES: usize = 1 << 30;

/// Where the reader stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Between the features of a collection.
    Features { any_read: bool },
    /// Between values that follow each other.
    Sequence,
    /// Behind the last.
    End,
}

/// A reader of GeoJSON.
pub(super) struct GeoJson {
    window: Window,
    inside: Inside,
    ordinal: u64,
    names: Names,
    /// The only record of a file that is a single Feature or geometry.
    single: Option<Record>,
    /// What its `crs` member says, if it has one.
    pub(super) declared: Option<Result<Declared, CrsError>>,
}

/// What came of parsing at the start of the window.
enum Step<V> {
    Done(V, usize),
    Incomplete,
    Bad(String, usize),
}

fn step<'a, V: Deserialize<'a>>(text: &'a [u8]) -> Step<V> {
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<V>();
    match values.next() {
        // A value that ends where the window does might go on (a number), unless it is closed.
        Some(Ok(value)) => Step::Done(value, values.byte_offset()),
        None => Step::Incomplete,
        Some(Err(error)) if error.is_eof() => Step::Incomplete,
        Some(Err(error)) => {
            let before = text.split(|b| *b == b'\n').take(error.line().saturating_sub(1));
            let line_start: usize = before.map(|line| line.len() + 1).sum();
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            Step::Bad(message, (line_start + error.column()).saturating_sub(1))
        }
    }
}

impl GeoJson {
    /// Opens one value; `crs` before the features is known at once.
    pub(super) fn open_value(mut window: Window) -> Result<Self, Fault> {
        skip_byte_order_mark(&mut window)?;
        let mut reader =
            Self { window, inside: Inside::End, ordinal: 0, names: Names::default(), single: None, declared: None };
        reader.expect(b'{', "a GeoJSON object")?;
        let mut members = String::from("{");
        while let Some(name) = reader.member_name()? {
            if name == "features" {
                reader.expect(b'[', "an array of features")?;
                reader.inside = Inside::Features { any_read: false };
                return Ok(reader);
            }
            let value = reader.member_value(&name)?;
            if members.len() + value.len() > LIMIT_MEMBERS_BYTES {
                return Err(Cause::Limit { what: "a single feature", limit: "1 GiB".into() }.into());
            }
            if members.len() > 1 {
                members.push(',');
            }
            members.push_str(&serde_json::to_string(&name).unwrap_or_default());
            members.push(':');
            members.push_str(&value);
        }
        members.push('}');
        reader.nothing_follows()?;
        let place = Place { ordinal: 1, start: Start::Byte(0) };
        let object = serde_json::from_str::<Object<'_>>(&members).map_err(|e| Fault::at(place, syntax(&e)))?;
        reader.single = Some(record(object, place, &mut reader.names).map_err(|cause| Fault::at(place, cause))?);
        Ok(reader)
    }

    /// Opens values that follow each other.
    pub(super) fn open_sequence(mut window: Window) -> Result<Self, Fault> {
        skip_byte_order_mark(&mut window)?;
        window.count_lines();
        Ok(Self { window, inside: Inside::Sequence, ordinal: 0, names: Names::default(), single: None, declared: None })
    }

    /// The next record; after an error or the end nothing more is to be had.
    pub(super) fn next(&mut self) -> Option<Result<Record, Fault>> {
        if let Some(record) = self.single.take() {
            return Some(Ok(record));
        }
        let outcome = match self.inside {
            Inside::End => return None,
            Inside::Features { any_read } => self.next_in_collection(any_read),
            Inside::Sequence => self.next_in_sequence(),
        };
        if !matches!(outcome, Ok(Some(_))) {
            self.inside = Inside::End;
        }
        outcome.transpose()
    }

    fn next_in_collection(&mut self, any_read: bool) -> Result<Option<Record>, Fault> {
        match self.window.peek()? {
            Some(b']') => {
                self.window.consume(1);
                while let Some(name) = self.member_name()? {
                    let value = self.member_value(&name)?;
                    if name == "crs" && value != "null" {
                        return Err(Cause::Choice(
                            "its crs member stands behind the features, where it is read too late: name the system \
                             with --crs"
                                .into(),
                        )
                        .into());
                    }
                }
                self.nothing_follows()?;
                return Ok(None);
            }
            Some(b',') if any_read => self.window.consume(1),
            Some(_) if !any_read => {}
            Some(other) => return Err(self.unexpected(other, "a comma or the end of the features")),
            None => return Err(self.cut_off()),
        }
        if self.window.peek()?.is_none() {
            return Err(self.cut_off());
        }
        self.inside = Inside::Features { any_read: true };
        let start = Start::Byte(self.window.offset());
        self.feature(start).map(Some)
    }

    fn next_in_sequence(&mut self) -> Result<Option<Record>, Fault> {
        match self.window.peek()? {
            None => Ok(None),
            Some(_) => {
                let start = Start::Line(self.window.line());
                self.feature(start).map(Some)
            }
        }
    }

    /// Parses the feature at the start of the window.
    fn feature(&mut self, start: Start) -> Result<Record, Fault> {
        self.ordinal += 1;
        let place = Place { ordinal: self.ordinal, start };
        loop {
            match step::<Object<'_>>(self.window.rest()) {
                Step::Done(object, length) => {
                    let record = record(object, place, &mut self.names).map_err(|cause| Fault::at(place, cause))?;
                    self.window.consume(length);
                    return Ok(record);
                }
                Step::Incomplete => {
                    if !self.window.grow().map_err(|cause| Fault::at(place, cause))? {
                        return Err(Fault::at(place, Cause::CutOff("it ends inside this feature".into())));
                    }
                }
                Step::Bad(message, at) => {
                    let at = self.window.offset() + at as u64;
                    return Err(Fault::at(place, Cause::Syntax(format!("{message} (at byte {at})"))));
                }
            }
        }
    }

    /// The name of the next member and its colon, or `None` behind the closing brace.
    fn member_name(&mut self) -> Result<Option<String>, Fault> {
        let mut next = self.window.peek()?;
        if next == Some(b',') {
            self.window.consume(1);
            next = self.window.peek()?;
        }
        match next {
            Some(b'}') => {
                self.window.consume(1);
                Ok(None)
            }
            Some(b'"') => {
                let name = self.scalar(|text| match step::<Text<'_>>(text) {
                    Step::Done(Text(name), length) => Step::Done(name.into_owned(), length),
                    Step::Incomplete => Step::Incomplete,
                    Step::Bad(message, at) => Step::Bad(message, at),
                })?;
                self.expect(b':', "a colon")?;
                Ok(Some(name))
            }
            Some(other) => Err(self.unexpected(other, "the name of a member")),
            None => Err(self.cut_off()),
        }
    }

    fn member_value(&mut self, name: &str) -> Result<String, Fault> {
        self.window.peek()?;
        let value = self.scalar(|text| match step::<&RawValue>(text) {
            // A bare number could go on behind the window.
            Step::Done(value, length) if length < text.len() => Step::Done(value.get().to_owned(), length),
            Step::Done(..) | Step::Incomplete => Step::Incomplete,
            Step::Bad(message, at) => Step::Bad(message, at),
        })?;
        if name == "type" && value == "\"Topology\"" {
            return Err(topojson().into());
        }
        if name == "crs" {
            self.declared = declared(&value);
        }
        Ok(value)
    }

    fn scalar(&mut self, read: impl Fn(&[u8]) -> Step<String>) -> Result<String, Fault> {
        loop {
            match read(self.window.rest()) {
                Step::Done(value, length) => {
                    self.window.consume(length);
                    return Ok(value);
                }
                Step::Incomplete => {
                    if !self.window.grow()? {
                        return Err(self.cut_off());
                    }
                }
                Step::Bad(message, at) => {
                    let at = self.window.offset() + at as u64;
                    return Err(Cause::Syntax(format!("it is no JSON: {message} (at byte {at})")).into());
                }
            }
        }
    }

    fn expect(&mut self, byte: u8, what: &str) -> Result<(), Fault> {
        match self.window.peek()? {
            Some(found) if found == byte => {
                self.window.consume(1);
                Ok(())
            }
            Some(other) => Err(self.unexpected(other, what)),
            None => Err(self.cut_off()),
        }
    }

    fn nothing_follows(&mut self) -> Result<(), Fault> {
        match self.window.peek()? {
            None => Ok(()),
            Some(b'{') => Err(Cause::Syntax(format!(
                "a second value begins at byte {}: if it is one feature a line, its ending is .geojsonl",
                self.window.offset()
            ))
            .into()),
            Some(other) => Err(self.unexpected(other, "the end of the file")),
        }
    }

    fn unexpected(&self, found: u8, what: &str) -> Fault {
        let found =
            if found.is_ascii_graphic() { format!("{:?}", char::from(found)) } else { format!("byte {found:#04x}") };
        let at = self.window.offset();
        Cause::Syntax(format!("it is no GeoJSON: {found} at byte {at}, where {what} was expected")).into()
    }

    fn cut_off(&self) -> Fault {
        let after = match self.ordinal {
            0 => "it ends before its first feature".to_owned(),
            n => {
                format!("it ends after feature {n}, at byte {}", self.window.offset() + self.window.rest().len() as u64)
            }
        };
        Cause::CutOff(after).into()
    }
}

fn skip_byte_order_mark(window: &mut Window) -> Result<(), Fault> {
    window.peek()?;
    if window.rest().starts_with(b"\xef\xbb\xbf") {
        window.consume(3);
    }
    Ok(())
}

fn syntax(error: &serde_json::Error) -> Cause {
    Cause::Syntax(error.to_string())
}

fn topojson() -> Cause {
    Cause::Unsupported("it is TopoJSON, which is not read: convert it to GeoJSON first (topo2geo)".into())
}

/// The system that a `crs` member names; null names none.
fn declared(member: &str) -> Option<Result<Declared, CrsError>> {
    #[derive(Deserialize)]
    struct Member {
        properties: Option<Name>,
    }
    #[derive(Deserialize)]
    struct Name {
        name: Option<String>,
        code: Option<u32>,
    }
    let Ok(member) = serde_json::from_str::<Option<Member>>(member) else {
        return Some(Err(CrsError::Unknown { given: "the crs member".into() }));
    };
    let name = member?.properties;
    let name = name.and_then(|n| n.name.or_else(|| n.code.map(|code| format!("EPSG:{code}"))));
    Some(Declared::from_name(&name.unwrap_or_default()))
}

fn record(object: Object<'_>, place: Place, names: &mut Names) -> Result<Record, Cause> {
    match object.kind.as_deref() {
        Some("Feature") => {}
        Some("FeatureCollection") if object.is_collection => {
            return Err(Cause::WrongEnding {
                expected: "one feature a line",
                found: "a FeatureCollection: its ending is .geojson",
            });
        }
        Some("Topology") => return Err(topojson()),
        None => return Err(Cause::Syntax("it is no GeoJSON: an object without \"type\"".into())),
        Some(_) => {
            let geometry = object.into_geometry().map_err(Cause::Syntax)?;
            return Ok(Record { place, properties: Vec::new(), geometry });
        }
    }
    let mut properties = Properties::with_capacity(object.properties.0.len() + 1);
    for (i, (name, raw)) in object.properties.0.iter().enumerate() {
        properties.push((names.intern(i, name), value(raw.get()).map_err(|m| Cause::Syntax(format!("{name}: {m}")))?));
    }
    if let Some(id) = object.id
        && !object.properties.0.iter().any(|(name, _)| name == "id")
    {
        properties.push((names.intern(properties.len(), "id"), value(id.get()).map_err(Cause::Syntax)?));
    }
    let geometry = match object.geometry {
        Some(geometry) => geometry.into_geometry().map_err(Cause::Syntax)?,
        None => None,
    };
    Ok(Record { place, properties, geometry })
}

/// A property from the text of its JSON, which is valid.
fn value(raw: &str) -> Result<Value, String> {
    let inner = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"'));
    Ok(match (inner, raw) {
        (Some(plain), _) if !plain.contains('\\') => Value::Text(plain.into()),
        (Some(_), _) => Value::Text(serde_json::from_str::<String>(raw).map_err(|e| e.to_string())?.into()),
        (None, "null") => Value::Null,
        (None, "true") => Value::Bool(true),
        (None, "false") => Value::Bool(false),
        (None, nested) if nested.starts_with(['{', '[']) => Value::Text(nested.into()),
        (None, number) => match number.parse::<i64>() {
            Ok(whole) => Value::Integer(whole),
            Err(_) => match number.parse::<f64>() {
                Ok(real) if real.is_finite() => Value::Real(real),
                _ => return Err(format!("the number {number} is out of range")),
            },
        },
    })
}

/// Names of properties, each kept once: records of one file nearly always have the same
/// ones in the same order.
#[derive(Default)]
pub(super) struct Names(Vec<Arc<str>>);

impl Names {
    /// The shared form of a name that stands `i`th in its record.
    pub(super) fn intern(&mut self, i: usize, name: &str) -> Arc<str> {
        if let Some(same) =
            self.0.get(i).filter(|n| n.as_ref() == name).or_else(|| self.0.iter().find(|n| n.as_ref() == name))
        {
            return Arc::clone(same);
        }
        let new: Arc<str> = name.into();
        // Names that never repeat (a file that misuses them as data) are not worth keeping.
        if self.0.len() < 1024 {
            self.0.push(Arc::clone(&new));
        }
        new
    }
}
