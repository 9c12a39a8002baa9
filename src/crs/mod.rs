//! Datums and projections: what a position means before it is on the lattice.
//!
//! Everything inside works in WGS-84 degrees; this room is the way in and the way out.
//! In a geographic CRS a [`Position`] is longitude, latitude in degrees; in a projected
//! one it is easting, northing in metres. That order never changes in here: where a
//! file declares another one, [`Declared`] says so and the reader swaps.
//!
//! WGS-84 and CGCS2000 are taken as one (they differ by less than about 1 m, and PROJ
//! does the same). Datums that need a transformation of their own (Xi'an 1980,
//! Beijing 1954) are refused by name.
//!
//! It must not know files, stores or the lattice's users.

mod china;
mod declared;
mod transverse;
mod wkt;

use std::fmt;
use std::str::FromStr;

use boundaries::Point;

pub use declared::{AxisOrder, Declared};
pub use transverse::TransverseMercator;

/// Longitude and latitude in degrees, or easting and northing in metres.
pub type Position = [f64; 2];

/// Half the width of the Web Mercator square, in metres.
const WEB_MERCATOR_EDGE_M: f64 = 20_037_508.342_789_244;
/// Radius of its sphere, in metres.
const WEB_MERCATOR_RADIUS_M: f64 = 6_378_137.0;

/// What the numbers of a position mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Crs {
    /// WGS-84 or CGCS2000, degrees.
    #[default]
    Wgs84,
    /// GCJ-02, the bent degrees of Gaode, Tencent and phones in mainland China.
    Gcj02,
    /// BD-09, the twice bent degrees of Baidu.
    Bd09,
    /// EPSG:3857, metres.
    WebMercator,
    /// Gauss-Krüger, UTM, or another transverse Mercator grid on WGS-84 or CGCS2000, metres.
    TransverseMercator(TransverseMercator),
}

/// Why a CRS or a position in it is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CrsError {
    /// The name is not one that is known.
    #[error(
        "{given:?} is no coordinate system known here: use wgs84, cgcs2000, gcj02, bd09, EPSG:3857, EPSG:4491 to 4554 \
         (Gauss-Krüger) or EPSG:32601 to 32760 (UTM)"
    )]
    Unknown {
        /// What was given.
        given: String,
    },
    /// A definition that can be read, of a system that is not supported.
    #[error("{what}")]
    Unsupported {
        /// What it is and what to do about it.
        what: String,
    },
    /// Numbers that mean no place in the system.
    #[error("{x}, {y} is no place in {crs}")]
    OutOfDomain {
        /// The system.
        crs: Crs,
        /// Longitude or easting as given.
        x: f64,
        /// Latitude or northing as given.
        y: f64,
        /// Which of the positions given it was, from 0.
        index: usize,
    },
}

impl Crs {
    /// Whether positions are degrees.
    #[must_use]
    pub fn is_geographic(self) -> bool {
        matches!(self, Self::Wgs84 | Self::Gcj02 | Self::Bd09)
    }

    /// The system that an EPSG code names, if it is supported.
    #[must_use]
    pub fn from_epsg(code: u32) -> Option<Self> {
        match code {
            4326 | 4490 => Some(Self::Wgs84),
            3857 | 900_913 | 3785 => Some(Self::WebMercator),
            _ => TransverseMercator::from_epsg(code).map(Self::TransverseMercator),
        }
    }

    /// Its EPSG code, where it has one.
    #[must_use]
    pub fn epsg(self) -> Option<u32> {
        match self {
            Self::Wgs84 => Some(4326),
            Self::Gcj02 | Self::Bd09 => None,
            Self::WebMercator => Some(3857),
            Self::TransverseMercator(grid) => grid.epsg(),
        }
    }

    /// Whether a position lies where the system is used: on the globe for degrees, near
    /// the meridian for a grid. What can be computed reaches further.
    #[must_use]
    pub fn is_usual(self, position: Position) -> bool {
        match self {
            Self::TransverseMercator(grid) => grid.is_usual(position),
            _ => self.to_wgs84(position).is_ok(),
        }
    }

    /// A position in this system to WGS-84 degrees.
    ///
    /// # Errors
    /// [`CrsError::OutOfDomain`] for numbers that mean no place.
    pub fn to_wgs84(self, position: Position) -> Result<Position, CrsError> {
        let mut one = [position];
        self.to_wgs84_all(&mut one)?;
        Ok(one[0])
    }

    /// WGS-84 degrees to this system.
    ///
    /// # Errors
    /// [`CrsError::OutOfDomain`] for places that the system doesn't reach.
    pub fn from_wgs84(self, position: Position) -> Result<Position, CrsError> {
        let mut one = [position];
        self.from_wgs84_all(&mut one)?;
        Ok(one[0])
    }

    /// The lattice point nearest to a position in this system.
    ///
    /// # Errors
    /// [`CrsError::OutOfDomain`] for numbers that mean no place.
    pub fn to_lattice(self, position: Position) -> Result<Point, CrsError> {
        let [lon, lat] = self.to_wgs84(position)?;
        Point::from_degrees(lon, lat).ok_or_else(|| self.refuse(position, 0))
    }

    /// Positions in this system to WGS-84 degrees, in place. On an error the slice
    /// holds an unspecified mixture.
    ///
    /// # Errors
    /// [`CrsError::OutOfDomain`] for the first that means no place.
    pub fn to_wgs84_all(self, positions: &mut [Position]) -> Result<(), CrsError> {
        match self {
            Self::Wgs84 => self.each(positions, is_on_globe, |p| p),
            Self::Gcj02 => self.each(positions, is_on_globe, china::wgs84_from_gcj02),
            Self::Bd09 => self.each(positions, is_on_globe, |p| china::wgs84_from_gcj02(china::gcj02_from_bd09(p))),
            Self::WebMercator => self.each(positions, is_in_web_mercator, degrees_from_web_mercator),
            Self::TransverseMercator(grid) => grid.unproject(positions).map_err(|(index, at)| self.refuse(at, index)),
        }
    }

    /// WGS-84 degrees to this system, in place. On an error the slice holds an
    /// unspecified mixture.
    ///
    /// # Errors
    /// [`CrsError::OutOfDomain`] for the first place that the system doesn't reach.
    pub fn from_wgs84_all(self, positions: &mut [Position]) -> Result<(), CrsError> {
        match self {
            Self::Wgs84 => self.each(positions, is_on_globe, |p| p),
            Self::Gcj02 => self.each(positions, is_on_globe, china::gcj02_from_wgs84),
            Self::Bd09 => self.each(positions, is_on_globe, |p| china::bd09_from_gcj02(china::gcj02_from_wgs84(p))),
            Self::WebMercator => {
                // The square ends at atan(sinh(π)) = 85.0511...°.
                self.each(positions, |p| is_on_globe(p) && p[1].abs() < 85.051_129, web_mercator_from_degrees)
            }
            Self::TransverseMercator(grid) => grid.project(positions).map_err(|(index, at)| self.refuse(at, index)),
        }
    }

    fn each(
        self,
        positions: &mut [Position],
        is_in_domain: impl Fn(Position) -> bool,
        convert: impl Fn(Position) -> Position,
    ) -> Result<(), CrsError> {
        for (index, p) in positions.iter_mut().enumerate() {
            if !is_in_domain(*p) {
                return Err(self.refuse(*p, index));
            }
            *p = convert(*p);
        }
        Ok(())
    }

    fn refuse(self, [x, y]: Position, index: usize) -> CrsError {
        CrsError::OutOfDomain { crs: self, x, y, index }
    }
}

/// Also false for what is not finite.
fn is_on_globe([lon, lat]: Position) -> bool {
    (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)
}

fn is_in_web_mercator([x, y]: Position) -> bool {
    // A millimetre for those who round their square up.
    x.abs() <= WEB_MERCATOR_EDGE_M + 1e-3 && y.abs() <= WEB_MERCATOR_EDGE_M + 1e-3
}

fn degrees_from_web_mercator([x, y]: Position) -> Position {
    let lon = (x / WEB_MERCATOR_RADIUS_M).to_degrees().clamp(-180.0, 180.0);
    [lon, (y / WEB_MERCATOR_RADIUS_M).sinh().atan().to_degrees()]
}

fn web_mercator_from_degrees([lon, lat]: Position) -> Position {
    [WEB_MERCATOR_RADIUS_M * lon.to_radians(), WEB_MERCATOR_RADIUS_M * lat.to_radians().tan().asinh()]
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wgs84 => f.write_str("wgs84"),
            Self::Gcj02 => f.write_str("gcj02"),
            Self::Bd09 => f.write_str("bd09"),
            Self::WebMercator => f.write_str("EPSG:3857"),
            Self::TransverseMercator(grid) => grid.fmt(f),
        }
    }
}

impl FromStr for Crs {
    type Err = CrsError;

    /// `wgs84`, `cgcs2000`, `gcj02`, `bd09`, `EPSG:n` or a URN, in any case.
    fn from_str(given: &str) -> Result<Self, CrsError> {
        Declared::from_name(given).map(|declared| declared.crs)
    }
}

#[cfg(test)]
mod tests;
