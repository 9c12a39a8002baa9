//! Geometry as files hold it: positions in the file's own CRS, not yet on the lattice.
//!
//! Invariant of everything a reader hands out: every number is finite, a ring has three
//! distinct positions or more, a line two positions or more, and nothing is empty. A ring
//! may still be open, cross itself or run in any direction: that is for the import to judge.

use std::fmt;

use boundaries::{Point, Polygon};

use crate::crs::{AxisOrder, Crs, CrsError, Position};
use crate::feature::{Geometry, Properties};

/// One part of an area: the shell first, then its holes. Rings may repeat their first
/// position at the end or not.
pub type RawPolygon = Vec<Vec<Position>>;

/// Where a thing lies, in the CRS of its file.
#[derive(Clone, Debug, PartialEq)]
pub enum RawGeometry {
    /// One place or several.
    Points(Vec<Position>),
    /// One line or several.
    Lines(Vec<Vec<Position>>),
    /// Ground in one part or several.
    Polygons(Vec<RawPolygon>),
}

/// What is wrong with a geometry, structurally: no place to put it on a map.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GeometryError {
    /// A NaN or an infinity.
    #[error("a coordinate is not a finite number ({x}, {y})")]
    NotFinite {
        /// First number.
        x: f64,
        /// Second number.
        y: f64,
    },
    /// A ring that encloses nothing by its very count.
    #[error("a ring has only {distinct} distinct positions near {x}, {y}: it needs 3")]
    RingTooShort {
        /// How many positions differ.
        distinct: usize,
        /// First number of the first position.
        x: f64,
        /// Second number of the first position.
        y: f64,
    },
    /// A line with fewer than two positions.
    #[error("a line has fewer than 2 positions")]
    LineTooShort,
    /// An edge from one end of the world map to the other.
    #[error("an edge from longitude {from} to {to} crosses the antimeridian: cut the geometry there first")]
    Antimeridian {
        /// Longitude of its start, in degrees.
        from: f64,
        /// Longitude of its end, in degrees.
        to: f64,
    },
    /// More than one point where one is meant.
    #[error("it has {0} points: a feature with several points has no one place")]
    SeveralPoints(usize),
    /// Numbers that mean no place in the CRS.
    #[error(transparent)]
    OutOfDomain(#[from] CrsError),
    /// Different kinds of geometry in one, or a kind that is not supported.
    #[error("{0} can't be read")]
    Kind(&'static str),
}

impl RawGeometry {
    /// The kind of geometry, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Points(_) => "point",
            Self::Lines(_) => "line",
            Self::Polygons(_) => "polygon",
        }
    }

    /// All its positions.
    pub fn positions(&self) -> impl Iterator<Item = Position> + '_ {
        let (points, lines, polygons) = match self {
            Self::Points(points) => (Some(points), None, None),
            Self::Lines(lines) => (None, Some(lines), None),
            Self::Polygons(parts) => (None, None, Some(parts)),
        };
        let rings = lines.into_iter().flatten().chain(polygons.into_iter().flatten().flatten());
        points.into_iter().chain(rings).flatten().copied()
    }

    /// Whether it holds no position at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positions().next().is_none()
    }

    /// Checks the invariant of the module; what is empty is not checked here.
    ///
    /// # Errors
    /// The first defect found.
    pub fn check(&self) -> Result<(), GeometryError> {
        if let Some([x, y]) = self.positions().find(|[x, y]| !x.is_finite() || !y.is_finite()) {
            return Err(GeometryError::NotFinite { x, y });
        }
        match self {
            Self::Points(_) => Ok(()),
            Self::Lines(lines) => {
                if lines.iter().any(|line| line.len() < 2) {
                    return Err(GeometryError::LineTooShort);
                }
                Ok(())
            }
            Self::Polygons(parts) => parts.iter().flatten().try_for_each(|ring| check_ring(ring)),
        }
    }

    /// Swaps the two numbers of every position, where the file holds north first.
    pub fn reorder(&mut self, axes: AxisOrder) {
        if axes == AxisOrder::NorthEast {
            self.lines_mut(|line| line.iter_mut().for_each(|p| p.swap(0, 1)));
        }
    }

    /// Puts it on the lattice.
    ///
    /// # Errors
    /// Numbers that mean no place in `crs`, an edge across the antimeridian, or several
    /// points in one feature.
    pub fn into_lattice(mut self, crs: Crs) -> Result<Geometry, GeometryError> {
        let mut outcome = Ok(());
        self.lines_mut(|line| {
            if outcome.is_ok() {
                outcome = to_wgs84_unbroken(line, crs);
            }
        });
        outcome?;
        Ok(match self {
            Self::Points(points) => match points.as_slice() {
                [one] => Geometry::Point(on_lattice(*one)?),
                several => return Err(GeometryError::SeveralPoints(several.len())),
            },
            Self::Lines(lines) => Geometry::Lines(lines.iter().map(|l| line_on_lattice(l)).collect::<Result<_, _>>()?),
            Self::Polygons(parts) => Geometry::Polygons(
                parts.iter().filter_map(|part| polygon_on_lattice(part).transpose()).collect::<Result<_, _>>()?,
            ),
        })
    }

    fn lines_mut(&mut self, mut f: impl FnMut(&mut [Position])) {
        match self {
            // Points of one feature have no edge between them.
            Self::Points(points) => points.iter_mut().for_each(|p| f(std::slice::from_mut(p))),
            Self::Lines(lines) => lines.iter_mut().for_each(|line| f(line)),
            Self::Polygons(parts) => parts.iter_mut().flatten().for_each(|ring| f(ring)),
        }
    }
}

fn to_wgs84_unbroken(line: &mut [Position], crs: Crs) -> Result<(), GeometryError> {
    crs.to_wgs84_all(line)?;
    match line.windows(2).find(|edge| (edge[0][0] - edge[1][0]).abs() > 180.0) {
        Some(edge) => Err(GeometryError::Antimeridian { from: edge[0][0], to: edge[1][0] }),
        None => Ok(()),
    }
}

fn on_lattice([lon, lat]: Position) -> Result<Point, CrsError> {
    Crs::Wgs84.to_lattice([lon, lat])
}

fn line_on_lattice(line: &[Position]) -> Result<Vec<Point>, CrsError> {
    line.iter().copied().map(on_lattice).collect()
}

fn polygon_on_lattice(part: &RawPolygon) -> Result<Option<Polygon>, CrsError> {
    let mut rings = part.iter().map(|ring| line_on_lattice(ring));
    let Some(shell) = rings.next() else { return Ok(None) };
    Ok(Some(Polygon { shell: shell?, holes: rings.collect::<Result<_, _>>()? }))
}

fn check_ring(ring: &[Position]) -> Result<(), GeometryError> {
    // Nearly every ring shows three distinct positions at its start.
    let mut distinct: Vec<Position> = Vec::with_capacity(3);
    for p in ring {
        if !distinct.contains(p) {
            distinct.push(*p);
            if distinct.len() == 3 {
                return Ok(());
            }
        }
    }
    let [x, y] = ring.first().copied().unwrap_or([f64::NAN; 2]);
    Err(GeometryError::RingTooShort { distinct: distinct.len(), x, y })
}

/// One feature as its file holds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it stands in the file.
    pub place: Place,
    /// Its attributes.
    pub properties: Properties,
    /// Where it lies; `None` where the file says nothing.
    pub geometry: Option<RawGeometry>,
}

/// Where in a file a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which record it is, from 1.
    pub ordinal: u64,
    /// Where it starts.
    pub start: Start,
}

/// Where something starts in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a byte of the (uncompressed) file, from 0.
    Byte(u64),
    /// In a line of the file, from 1.
    Line(u64),
    /// At a row with this key.
    Row(i64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "feature {} ", self.ordinal)?;
        match self.start {
            Start::Byte(byte) => write!(f, "(at byte {byte})"),
            Start::Line(line) => write!(f, "(line {line})"),
            Start::Row(row) => write!(f, "(row {row})"),
        }
    }
}
