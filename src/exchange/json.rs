//! GeoJSON's typed forms: one feature or geometry from a slice of text straight into
//! flat vectors of positions, without a tree of JSON in between.
//!
//! Nesting is bounded: coordinates by their own depth, everything else by being skipped
//! without recursion.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::raw::{RawGeometry, RawPolygon};
use crate::crs::Position;

/// A text that is borrowed where it holds no escapes.
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, s: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(s)))
            }
            fn visit_str<E>(self, s: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(s.to_owned())))
            }
        }
        from.deserialize_str(V)
    }
}

/// `properties`: names and the raw text of their values.
#[derive(Default)]
pub(super) struct RawProperties<'a>(pub(super) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for RawProperties<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = RawProperties<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of properties or null")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(RawProperties::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut all = Vec::with_capacity(8);
                while let Some((Text(name), value)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    all.push((name, value));
                }
                Ok(RawProperties(all))
            }
        }
        from.deserialize_any(V)
    }
}

/// One JSON object with everything that a Feature or a geometry can have.
#[derive(Default)]
pub(super) struct Object<'a> {
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) id: Option<&'a RawValue>,
    pub(super) properties: RawProperties<'a>,
    /// Of a Feature: absent, null, or an object.
    pub(super) geometry: Option<Box<Object<'a>>>,
    pub(super) coordinates: Nested,
    pub(super) geometries: Vec<Object<'a>>,
    /// Whether it has features of its own, which are not read here.
    pub(super) is_collection: bool,
    pub(super) crs: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a GeoJSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut object = Object::default();
                while let Some(Text(name)) = map.next_key()? {
                    match name.as_ref() {
                        "type" => object.kind = Some(map.next_value::<Text<'de>>()?.0),
                        "id" => object.id = Some(map.next_value()?),
                        "properties" => object.properties = map.next_value()?,
                        "geometry" => object.geometry = map.next_value()?,
                        "coordinates" => object.coordinates = map.next_value()?,
                        "geometries" => object.geometries = map.next_value()?,
                        "crs" => object.crs = Some(map.next_value()?),
                        "features" => {
                            object.is_collection = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(object)
            }
        }
        from.deserialize_map(V)
    }
}

impl Object<'_> {
    /// Reads a geometry object; `None` where it is empty.
    pub(super) fn into_geometry(self) -> Result<Option<RawGeometry>, String> {
        let kind = self.kind.as_deref().unwrap_or("");
        let geometry = match (kind, self.coordinates) {
            ("Point" | "MultiPoint" | "LineString" | "MultiLineString" | "Polygon" | "MultiPolygon", Nested::Empty) => {
                return Ok(None);
            }
            ("Point", Nested::Position(p)) => RawGeometry::Points(vec![p]),
            ("MultiPoint", Nested::Line(points)) => RawGeometry::Points(points),
            ("LineString", Nested::Line(line)) => RawGeometry::Lines(vec![line]),
            ("MultiLineString", Nested::Lines(lines)) => RawGeometry::Lines(lines),
            ("Polygon", Nested::Lines(rings)) => RawGeometry::Polygons(vec![rings]),
            ("MultiPolygon", Nested::Polygons(parts)) => RawGeometry::Polygons(parts),
            ("GeometryCollection", _) => return one_kind(self.geometries),
            ("", _) => return Err("a geometry without a type".into()),
            (kind, Nested::Empty) => return Err(format!("{kind:?} is no geometry")),
            (kind, _) => return Err(format!("the coordinates of a {kind} are nested to the wrong depth")),
        };
        Ok((!geometry.is_empty()).then_some(geometry))
    }
}

/// A collection is read where all its members are of one kind.
fn one_kind(members: Vec<Object<'_>>) -> Result<Option<RawGeometry>, String> {
    let mut whole = None;
    for member in members {
        let Some(part) = member.into_geometry()? else { continue };
        match (&mut whole, part) {
            (None, part) => whole = Some(part),
            (Some(RawGeometry::Points(all)), RawGeometry::Points(more)) => all.extend(more),
            (Some(RawGeometry::Lines(all)), RawGeometry::Lines(more)) => all.extend(more),
            (Some(RawGeometry::Polygons(all)), RawGeometry::Polygons(more)) => all.extend(more),
            _ => return Err("a GeometryCollection of different kinds can't be read".into()),
        }
    }
    Ok(whole)
}

/// `coordinates`, of whatever depth they turn out to be.
#[derive(Debug, Default, PartialEq)]
pub(super) enum Nested {
    #[default]
    Empty,
    Position(Position),
    Line(Vec<Position>),
    Lines(Vec<Vec<Position>>),
    Polygons(Vec<RawPolygon>),
}

/// The first thing in an array decides what the array is.
enum First {
    Number(f64),
    Array(Nested),
}

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Nested;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of coordinates")
            }
            fn visit_unit<E>(self) -> Result<Nested, E> {
                Ok(Nested::Empty)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Nested, A::Error> {
                // Recursion by way of `First`, which serde_json cuts at 128; what is
                // deeper than polygons is refused on the way back.
                loop {
                    return match seq.next_element::<First>()? {
                        None => Ok(Nested::Empty),
                        Some(First::Number(x)) => rest_of_position(x, seq).map(Nested::Position),
                        Some(First::Array(Nested::Empty)) => continue,
                        Some(First::Array(Nested::Position(first))) => {
                            let mut line = Vec::with_capacity(16);
                            line.push(first);
                            while let Some(Pair(p)) = seq.next_element()? {
                                line.push(p);
                            }
                            Ok(Nested::Line(line))
                        }
                        Some(First::Array(Nested::Line(first))) => {
                            let mut lines = vec![first];
                            while let Some(Line(line)) = seq.next_element()? {
                                lines.extend((!line.is_empty()).then_some(line));
                            }
                            Ok(Nested::Lines(lines))
                        }
                        Some(First::Array(Nested::Lines(first))) => {
                            let mut parts = vec![first];
                            while let Some(Lines(part)) = seq.next_element()? {
                                parts.extend((!part.is_empty()).then_some(part));
                            }
                            Ok(Nested::Polygons(parts))
                        }
                        Some(First::Array(Nested::Polygons(_))) => {
                            Err(de::Error::custom("coordinates nested deeper than a MultiPolygon"))
                        }
                    };
                }
            }
        }
        from.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = First;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or an array of coordinates")
            }
            fn visit_f64<E>(self, x: f64) -> Result<First, E> {
                Ok(First::Number(x))
            }
            fn visit_i64<E>(self, x: i64) -> Result<First, E> {
                Ok(First::Number(x as f64))
            }
            fn visit_u64<E>(self, x: u64) -> Result<First, E> {
                Ok(First::Number(x as f64))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<First, A::Error> {
                Nested::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(First::Array)
            }
        }
        from.deserialize_any(V)
    }
}

/// `[x, y, ...]`; what follows y (height, measure) is dropped.
struct Pair(Position);

impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Pair;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a position of two numbers")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Pair, A::Error> {
                let x = seq.next_element()?.ok_or_else(|| de::Error::custom("a position without numbers"))?;
                rest_of_position(x, seq).map(Pair)
            }
        }
        from.deserialize_seq(V)
    }
}

fn rest_of_position<'de, A: SeqAccess<'de>>(x: f64, mut seq: A) -> Result<Position, A::Error> {
    let y = seq.next_element()?.ok_or_else(|| de::Error::custom("a position with one number"))?;
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok([x, y])
}

struct Line(Vec<Position>);

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Line;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of positions")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Line, A::Error> {
                let mut line = Vec::with_capacity(16);
                while let Some(Pair(p)) = seq.next_element()? {
                    line.push(p);
                }
                Ok(Line(line))
            }
        }
        from.deserialize_seq(V)
    }
}

struct Lines(Vec<Vec<Position>>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Lines;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of rings")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some(Line(line)) = seq.next_element()? {
                    lines.extend((!line.is_empty()).then_some(line));
                }
                Ok(Lines(lines))
            }
        }
        from.deserialize_seq(V)
    }
}
