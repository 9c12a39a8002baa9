//! What a file says of its own coordinates: a name, an EPSG code or a WKT definition,
//! and the order of the axes that goes with it.
//!
//! By the letter, EPSG defines 4326 and 4490 as latitude, longitude and the Gauss-Krüger
//! zones of CGCS2000 as north, east; `urn:ogc:def:crs:EPSG::n`, the `http` form and WKT
//! with AXIS members mean that order, the plain `EPSG:n` means none. By practice GeoJSON,
//! Shapefile, FlatGeobuf and GeoPackage hold east, north whatever they declare, as GDAL
//! reads and writes them. So the declared order is kept here as a *possibility*, and
//! [`Declared::order_for`] takes it only where the numbers fit no other way.

use super::{Crs, CrsError, Position, china, wkt};

/// Which number of a position comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisOrder {
    /// Longitude or easting first.
    #[default]
    EastNorth,
    /// Latitude or northing first.
    NorthEast,
}

/// A CRS as a file declares it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Declared {
    /// The system.
    pub crs: Crs,
    /// The order that the declaration means by the letter.
    pub axes: AxisOrder,
}

impl Declared {
    /// From `wgs84`, `EPSG:4490`, `urn:ogc:def:crs:EPSG::4490`, `urn:ogc:def:crs:OGC:1.3:CRS84`,
    /// `http://www.opengis.net/def/crs/EPSG/0/4490`, in any case.
    ///
    /// # Errors
    /// [`CrsError::Unknown`] for any other name.
    pub fn from_name(given: &str) -> Result<Self, CrsError> {
        let name = given.trim().to_ascii_lowercase();
        let east_north = |crs| Ok(Self { crs, axes: AxisOrder::EastNorth });
        let unknown = || CrsError::Unknown { given: given.chars().take(80).collect() };
        match name.as_str() {
            "wgs84" | "wgs-84" | "cgcs2000" | "crs84" | "ogc:crs84" => return east_north(Crs::Wgs84),
            "gcj02" | "gcj-02" => return east_north(Crs::Gcj02),
            "bd09" | "bd-09" => return east_north(Crs::Bd09),
            _ => {}
        }
        if name.starts_with("urn:ogc:def:crs:ogc:") && name.ends_with(":crs84") || name.ends_with("/ogc/1.3/crs84") {
            return east_north(Crs::Wgs84);
        }
        if let Some(code) = name.strip_prefix("epsg:") {
            return code.parse().ok().and_then(Crs::from_epsg).map_or_else(|| Err(unknown()), east_north);
        }
        let is_epsg = name.starts_with("urn:ogc:def:crs:epsg:")
            || name.starts_with("urn:x-ogc:def:crs:epsg:")
            || name.contains("/def/crs/epsg/");
        let code = name.rsplit([':', '/']).next().and_then(|code| code.parse::<u32>().ok());
        match code {
            Some(code) if is_epsg => Self::from_epsg_by_letter(code).ok_or_else(unknown),
            _ => Err(unknown()),
        }
    }

    /// From the text of a `.prj` file or another WKT definition, version 1, 2 or ESRI's.
    ///
    /// # Errors
    /// What the definition is and why it can't be used, or that it is no WKT.
    pub fn from_wkt(text: &str) -> Result<Self, CrsError> {
        wkt::read(text)
    }

    /// A code with the axes that EPSG defines for it.
    pub(super) fn from_epsg_by_letter(code: u32) -> Option<Self> {
        let axes = match code {
            4326 | 4490..=4554 => AxisOrder::NorthEast,
            _ => AxisOrder::EastNorth,
        };
        Crs::from_epsg(code).map(|crs| Self { crs, axes })
    }

    /// The order in which a file's numbers are to be read, given some of its positions
    /// (`[first, second]` as they stand): east, north unless the declaration means the
    /// other order *and* one of the positions makes sense only in it.
    #[must_use]
    pub fn order_for(&self, sample: &[Position]) -> AxisOrder {
        let makes_sense =
            |p: Position| self.crs.is_usual(p) && !(self.crs.is_geographic() && china::is_outside_china(p));
        let decides = |&[first, second]: &Position| !makes_sense([first, second]) && makes_sense([second, first]);
        match self.axes {
            AxisOrder::NorthEast if sample.iter().any(decides) => AxisOrder::NorthEast,
            _ => AxisOrder::EastNorth,
        }
    }
}
