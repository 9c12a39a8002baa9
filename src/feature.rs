//! One thing of a layer (a building, a party unit, a worker, an event, or anything
//! else with a place) as it travels between files, stores and the wire.

use std::sync::Arc;

use boundaries::{Bounds, Point, Polygon};

/// What an attribute holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Known to be absent.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other finite number.
    Real(f64),
    /// Text; nested JSON is kept as its text.
    Text(Arc<str>),
}

/// Where a thing lies, on the lattice (WGS-84).
#[derive(Clone, Debug, PartialEq)]
pub enum Geometry {
    /// A place.
    Point(Point),
    /// One line or several.
    Lines(Vec<Vec<Point>>),
    /// Ground in one part or several.
    Polygons(Vec<Polygon>),
}

impl Geometry {
    /// The box around it.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        match self {
            Self::Point(p) => Bounds::EMPTY.with(*p),
            Self::Lines(lines) => Bounds::of(lines.iter().flatten().copied()),
            Self::Polygons(parts) => parts.iter().map(Polygon::bounds).fold(Bounds::EMPTY, Bounds::union),
        }
    }

    /// How many vertices it has.
    #[must_use]
    pub fn vertices(&self) -> usize {
        match self {
            Self::Point(_) => 1,
            Self::Lines(lines) => lines.iter().map(Vec::len).sum(),
            Self::Polygons(parts) => parts.iter().flat_map(Polygon::rings).map(<[Point]>::len).sum(),
        }
    }
}

/// Attributes by name, in the order in which they came.
pub type Properties = Vec<(Arc<str>, Value)>;

/// A thing with an id that is unique in its layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Unique in its layer.
    pub id: Arc<str>,
    /// Where it lies.
    pub geometry: Geometry,
    /// What is known of it.
    pub properties: Properties,
}
