//! What seems to have happened to coordinates that make no sense: the two commonest
//! mistakes, recognised by the numbers alone.

use std::fmt;

use crate::crs::{Crs, Position};

/// A box around positions in some CRS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extent {
    /// Least first and second number.
    pub min: Position,
    /// Greatest first and second number.
    pub max: Position,
}

impl Extent {
    /// The box around nothing.
    pub const EMPTY: Self = Self { min: [f64::INFINITY; 2], max: [f64::NEG_INFINITY; 2] };

    /// This box grown to hold a position.
    #[must_use]
    pub fn with(self, [x, y]: Position) -> Self {
        Self { min: [self.min[0].min(x), self.min[1].min(y)], max: [self.max[0].max(x), self.max[1].max(y)] }
    }

    /// The box around some positions.
    #[must_use]
    pub fn of(positions: impl IntoIterator<Item = Position>) -> Self {
        positions.into_iter().fold(Self::EMPTY, Self::with)
    }

    /// Whether both corners of the box lie between the corners of another; an empty box
    /// lies nowhere.
    fn lies_in(self, min: Position, max: Position) -> bool {
        self.min[0] <= self.max[0] && (0..2).all(|i| min[i] <= self.min[i] && self.max[i] <= max[i])
    }

    fn swapped(self) -> Self {
        Self { min: [self.min[1], self.min[0]], max: [self.max[1], self.max[0]] }
    }
}

/// China with a margin, in degrees: the only place where this service has its customers,
/// and so the only one whose swapped image is called a mistake rather than a place.
const CHINA: (Position, Position) = ([72.0, 3.0], [136.0, 54.5]);

/// What seems to have happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Hint {
    /// Latitude stands before longitude, or northing before easting.
    Swapped,
    /// The numbers are metres; the systems that they would fit.
    Projected(Vec<Crs>),
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Swapped => f.write_str(
                "the two coordinates seem to be swapped: the file must hold longitude (or easting) first, then latitude",
            ),
            Self::Projected(systems) => {
                f.write_str("the coordinates are metres, not degrees: name their system with --crs")?;
                let mut names = systems.iter().take(3).map(Crs::to_string);
                if let Some(first) = names.next() {
                    write!(f, " (they would fit {first}")?;
                    names.try_for_each(|name| write!(f, " or {name}"))?;
                    f.write_str(")")?;
                }
                Ok(())
            }
        }
    }
}

/// Either of the two mistakes.
#[must_use]
pub fn suspect(extent: Extent, crs: Crs) -> Option<Hint> {
    suspect_projected(extent, crs).or_else(|| suspect_swapped(extent, crs))
}

/// Whether the two numbers seem to stand in the wrong order: as they stand they make no
/// sense (or lie outside China), swapped they lie in it.
#[must_use]
pub fn suspect_swapped(extent: Extent, crs: Crs) -> Option<Hint> {
    let swapped = extent.swapped();
    let is_mistake = if crs.is_geographic() {
        !extent.lies_in(CHINA.0, CHINA.1) && swapped.lies_in(CHINA.0, CHINA.1)
            || extent.max[1].abs().max(extent.min[1].abs()) > 90.0 && swapped.lies_in([-180.0, -90.0], [180.0, 90.0])
    } else {
        let is_usual = |e: Extent| e.min[0] <= e.max[0] && crs.is_usual(e.min) && crs.is_usual(e.max);
        !is_usual(extent) && is_usual(swapped)
    };
    is_mistake.then_some(Hint::Swapped)
}

/// Whether the numbers seem to be metres where degrees are expected, and which systems
/// they would fit.
#[must_use]
pub fn suspect_projected(extent: Extent, crs: Crs) -> Option<Hint> {
    let farthest = extent.min.iter().chain(&extent.max).fold(0.0_f64, |far, x| far.max(x.abs()));
    if !crs.is_geographic() || !farthest.is_finite() || farthest <= 400.0 {
        return None;
    }
    let mid = [(extent.min[0] + extent.max[0]) / 2.0, (extent.min[1] + extent.max[1]) / 2.0];
    // Gauss-Krüger with the zone in front of the easting says which zone it is; without,
    // any meridian fits. Web Mercator overlaps the zones 13 to 15 of it.
    let zone = (mid[0] / 1e6).floor();
    let is_easting = |east: f64| (150_000.0..=850_000.0).contains(&east);
    let is_northing = (300_000.0..=6_100_000.0).contains(&mid[1]);
    let code = match zone {
        _ if !is_northing || !is_easting(mid[0] - zone * 1e6) => None,
        z if (13.0..=23.0).contains(&z) => Some(4491 + z as u32 - 13),
        z if (25.0..=45.0).contains(&z) => Some(4513 + z as u32 - 25),
        // The grid of the meridian through the middle of the country's east, as an example.
        0.0 => Some(4549),
        _ => None,
    };
    let in_china = |crs: &Crs| crs.to_wgs84(mid).is_ok_and(|at| Extent::EMPTY.with(at).lies_in(CHINA.0, CHINA.1));
    let guesses = code.and_then(Crs::from_epsg).into_iter().chain([Crs::WebMercator]);
    Some(Hint::Projected(guesses.filter(in_china).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(crs: &str, places: &[Position]) -> Extent {
        let crs: Crs = crs.parse().unwrap();
        Extent::of(places.iter().map(|p| crs.from_wgs84(*p).unwrap()))
    }

    const QINGDAO: [Position; 2] = [[120.1, 35.9], [120.6, 36.4]];
    const KASHGAR: [Position; 2] = [[75.9, 39.4], [76.1, 39.6]];

    #[test]
    fn coordinates_in_order_raise_no_suspicion() {
        for places in [QINGDAO, KASHGAR, [[-74.1, 40.6], [-73.9, 40.8]]] {
            assert_eq!(suspect(Extent::of(places), Crs::Wgs84), None);
        }
        let grid = "EPSG:4549".parse().unwrap();
        assert_eq!(suspect(around("EPSG:4549", &QINGDAO), grid), None);
        assert_eq!(suspect(Extent::EMPTY, Crs::Wgs84), None);
    }

    #[test]
    fn swapped_coordinates_are_recognised_even_where_both_orders_are_on_the_globe() {
        for places in [QINGDAO, KASHGAR] {
            assert_eq!(suspect(Extent::of(places).swapped(), Crs::Wgs84), Some(Hint::Swapped));
        }
        let grid = "EPSG:4549".parse().unwrap();
        assert_eq!(suspect(around("EPSG:4549", &QINGDAO).swapped(), grid), Some(Hint::Swapped));
    }

    #[test]
    fn metres_taken_for_degrees_are_recognised_with_the_systems_they_fit() {
        for (crs, named) in [("EPSG:4549", "EPSG:4549"), ("EPSG:4528", "EPSG:4528"), ("EPSG:3857", "EPSG:3857")] {
            let hint = suspect(around(crs, &QINGDAO), Crs::Wgs84).unwrap().to_string();
            assert!(hint.contains("metres") && hint.contains(named), "{crs}: {hint}");
        }
    }
}
