//! Transverse Mercator grids on WGS-84 or CGCS2000: Gauss-Krüger zones, UTM, and the
//! grids of cities that took a meridian of their own.
//!
//! Invariant: every value of [`TransverseMercator`] is one that proj4rs accepts. EPSG
//! codes are a layout of numbers (zone, width, with or without the zone in front of the
//! easting), so both directions are computed and no table is carried.

use std::fmt;

use proj4rs::Proj;
use proj4rs::transform::transform;

use super::Position;

/// How far from its central meridian a grid can be computed, in degrees: the whole of
/// China on any meridian in it, with the series still good to far below a millimetre.
const REACH_DEG: f64 = 50.0;
/// The same in metres, at the equator.
const REACH_M: f64 = 6_450_000.0;
/// How far from its central meridian anyone uses a grid, in metres: three times what a
/// 6° zone needs.
const USUAL_REACH_M: f64 = 1_010_000.0;

/// The ellipsoid under a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ellipsoid {
    /// CGCS2000's, which is GRS 80 to all digits that matter.
    Grs80,
    /// WGS-84's.
    Wgs84,
}

/// A transverse Mercator grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TransverseMercator {
    pub(super) ellipsoid: Ellipsoid,
    pub(super) central_meridian_deg: f64,
    pub(super) scale: f64,
    pub(super) false_easting_m: f64,
    pub(super) false_northing_m: f64,
}

impl TransverseMercator {
    /// The grid that an EPSG code names: 4491 to 4554 or UTM on WGS-84.
    pub(super) fn from_epsg(code: u32) -> Option<Self> {
        // (first code, first zone, width in degrees); the first zone's meridian is 75° E.
        let gauss_krueger = |first: u32, zone_in_front: Option<u32>, width: f64| {
            let step = code - first;
            let prefix_m = zone_in_front.map_or(0.0, |zone| f64::from(zone + step) * 1e6);
            Self {
                ellipsoid: Ellipsoid::Grs80,
                central_meridian_deg: 75.0 + width * f64::from(step),
                scale: 1.0,
                false_easting_m: prefix_m + 500_000.0,
                false_northing_m: 0.0,
            }
        };
        let utm = |zone: u32, false_northing_m: f64| Self {
            ellipsoid: Ellipsoid::Wgs84,
            central_meridian_deg: 6.0 * f64::from(zone) - 183.0,
            scale: 0.9996,
            false_easting_m: 500_000.0,
            false_northing_m,
        };
        match code {
            4491..=4501 => Some(gauss_krueger(4491, Some(13), 6.0)),
            4502..=4512 => Some(gauss_krueger(4502, None, 6.0)),
            4513..=4533 => Some(gauss_krueger(4513, Some(25), 3.0)),
            4534..=4554 => Some(gauss_krueger(4534, None, 3.0)),
            32601..=32660 => Some(utm(code - 32600, 0.0)),
            32701..=32760 => Some(utm(code - 32700, 10_000_000.0)),
            _ => None,
        }
    }

    /// The EPSG code whose grid this is. Of the two that share a meridian and no zone in
    /// front (6° and 3°), the 3° one.
    pub(super) fn epsg(&self) -> Option<u32> {
        let with_zone = self.false_easting_m > 1e6;
        let codes = match (self.ellipsoid, with_zone) {
            (Ellipsoid::Wgs84, _) => (32601..=32660).chain(32701..=32760),
            (Ellipsoid::Grs80, true) => (4491..=4501).chain(4513..=4533),
            (Ellipsoid::Grs80, false) => (4534..=4554).chain(4502..=4512),
        };
        codes.into_iter().find(|&code| Self::from_epsg(code).as_ref() == Some(self))
    }

    /// Whether a position lies where the grid is used, not only where it can be computed.
    pub(super) fn is_usual(&self, [easting, northing]: Position) -> bool {
        (easting - self.false_easting_m).abs() <= USUAL_REACH_M
            && (northing - self.false_northing_m).abs() <= 10_000_000.0
    }

    /// Degrees to metres, in place; the place and index of the first out of reach.
    pub(super) fn project(&self, positions: &mut [Position]) -> Result<(), (usize, Position)> {
        let (degrees, grid) = self.pair().ok_or((0, [f64::NAN; 2]))?;
        for (index, p) in positions.iter_mut().enumerate() {
            let [lon, lat] = *p;
            let from_meridian = (lon - self.central_meridian_deg).abs();
            let is_reached = from_meridian.min((360.0 - from_meridian).abs()) <= REACH_DEG && lat.abs() < 89.0;
            let mut point = (lon.to_radians(), lat.to_radians());
            if !is_reached || transform(&degrees, &grid, &mut point).is_err() {
                return Err((index, *p));
            }
            *p = [point.0, point.1];
        }
        Ok(())
    }

    /// Metres to degrees, in place; the place and index of the first out of reach.
    pub(super) fn unproject(&self, positions: &mut [Position]) -> Result<(), (usize, Position)> {
        let (degrees, grid) = self.pair().ok_or((0, [f64::NAN; 2]))?;
        for (index, p) in positions.iter_mut().enumerate() {
            let [easting, northing] = *p;
            // A pole is 10,002 km from the equator.
            let is_reached = (easting - self.false_easting_m).abs() <= REACH_M
                && (northing - self.false_northing_m).abs() <= 10_000_000.0;
            let mut point = (easting, northing);
            if !is_reached || transform(&grid, &degrees, &mut point).is_err() {
                return Err((index, *p));
            }
            *p = [point.0.to_degrees(), point.1.to_degrees()];
        }
        Ok(())
    }

    /// The geographic and the projected side for proj4rs. Neither names a datum, so
    /// nothing is shifted between them.
    fn pair(&self) -> Option<(Proj, Proj)> {
        let ellipsoid = match self.ellipsoid {
            Ellipsoid::Grs80 => "GRS80",
            Ellipsoid::Wgs84 => "WGS84",
        };
        let grid = format!(
            "+proj=tmerc +lat_0=0 +lon_0={} +k={} +x_0={} +y_0={} +ellps={ellipsoid} +units=m +no_defs",
            self.central_meridian_deg, self.scale, self.false_easting_m, self.false_northing_m
        );
        let degrees = format!("+proj=longlat +ellps={ellipsoid} +no_defs");
        Some((Proj::from_proj_string(&degrees).ok()?, Proj::from_proj_string(&grid).ok()?))
    }
}

impl fmt::Display for TransverseMercator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epsg() {
            Some(code) => write!(f, "EPSG:{code}"),
            None => write!(
                f,
                "transverse Mercator (central meridian {}°, false easting {} m)",
                self.central_meridian_deg, self.false_easting_m
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_names_a_grid_and_is_found_again() {
        for code in (4491..=4554).chain(32601..=32660).chain(32701..=32760) {
            let grid = TransverseMercator::from_epsg(code).unwrap();
            let found = grid.epsg().unwrap();
            // 6° zones without a number in front are 3° zones of the same meridian.
            assert_eq!(TransverseMercator::from_epsg(found), Some(grid), "{code}");
            if !(4502..=4512).contains(&code) {
                assert_eq!(found, code);
            }
        }
    }

    #[test]
    fn zones_lie_on_their_meridians() {
        let meridian = |code| TransverseMercator::from_epsg(code).map(|g| (g.central_meridian_deg, g.false_easting_m));
        assert_eq!(meridian(4491), Some((75.0, 13_500_000.0)));
        assert_eq!(meridian(4501), Some((135.0, 23_500_000.0)));
        assert_eq!(meridian(4512), Some((135.0, 500_000.0)));
        assert_eq!(meridian(4528), Some((120.0, 40_500_000.0)));
        assert_eq!(meridian(4549), Some((120.0, 500_000.0)));
        assert_eq!(meridian(4554), Some((135.0, 500_000.0)));
        assert_eq!(meridian(32651), Some((123.0, 500_000.0)));
    }
}
