//! The lie of the land: a coast with a bay, ten districts, and where people live.
//!
//! Everything is reckoned on a plane of metres around one place. A smaller city is the
//! same drawing on a smaller scale, with grids of the same size.

use boundaries::Point;

use super::Random;

/// A place in metres east and north of the middle of the drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct At {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl At {
    pub(super) fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    pub(super) fn to(self, other: Self) -> Self {
        Self::new(other.x - self.x, other.y - self.y)
    }

    pub(super) fn plus(self, other: Self, times: f64) -> Self {
        Self::new(self.x + other.x * times, self.y + other.y * times)
    }

    pub(super) fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }

    pub(super) fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    pub(super) fn length(self) -> f64 {
        self.x.hypot(self.y)
    }

    pub(super) fn distance(self, other: Self) -> f64 {
        self.to(other).length()
    }
}

const MIDDLE_LON: f64 = 120.25;
const MIDDLE_LAT: f64 = 36.35;
/// Metres of a degree of latitude there, and of longitude.
const NORTH_M: f64 = 110_966.0;
const EAST_M: f64 = 89_784.0;

/// The metres of a longitude and a latitude in degrees.
fn metres(lon: f64, lat: f64) -> At {
    At::new((lon - MIDDLE_LON) * EAST_M, (lat - MIDDLE_LAT) * NORTH_M)
}

/// The lattice point of a place.
pub(super) fn lattice(at: At) -> Point {
    let unit = f64::from(boundaries::UNITS_PER_DEGREE);
    // The drawing is some 200 km across: no coordinate is near the end of an i32.
    Point::new(
        ((MIDDLE_LON + at.x / EAST_M) * unit).round() as i32,
        ((MIDDLE_LAT + at.y / NORTH_M) * unit).round() as i32,
    )
}

/// A district: its code and name are the public ones, all else is invented.
#[derive(Clone, Copy, Debug)]
pub(super) struct District {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    pub(super) middle: At,
    /// Of 17,000 grids.
    pub(super) grids: f64,
    /// How far its core spreads, in metres.
    pub(super) spread_m: f64,
}

/// The districts in the order of their codes.
pub(super) fn districts() -> [District; 10] {
    let of = |code, name, lon, lat, grids, spread_km: f64| District {
        code,
        name,
        middle: metres(lon, lat),
        grids,
        spread_m: spread_km * 1_000.0,
    };
    [
        of("370202", "市南区", 120.385, 36.070, 900.0, 2.4),
        of("370203", "市北区", 120.370, 36.105, 1_700.0, 3.0),
        of("370211", "黄岛区", 120.080, 35.960, 3_000.0, 8.0),
        of("370212", "崂山区", 120.480, 36.120, 1_100.0, 4.5),
        of("370213", "李沧区", 120.420, 36.165, 1_300.0, 3.2),
        of("370214", "城阳区", 120.385, 36.290, 1_900.0, 6.0),
        of("370215", "即墨区", 120.460, 36.420, 2_300.0, 7.0),
        of("370281", "胶州市", 120.020, 36.270, 1_700.0, 6.5),
        of("370283", "平度市", 119.960, 36.780, 1_900.0, 7.5),
        of("370285", "莱西市", 120.520, 36.880, 1_200.0, 6.5),
    ]
}

/// One drawing.
#[derive(Clone, Debug)]
pub(super) struct Land {
    /// Metres here for a metre of the drawing of 17,000 grids.
    pub(super) scale: f64,
    /// Amplitude and phase of the waves of the outline, from the second up.
    waves: Vec<(f64, f64)>,
    pub(super) districts: [District; 10],
    towns: Vec<Vec<At>>,
}

impl Land {
    /// The land for so many grids.
    pub(super) fn new(grids: usize, seed: u64) -> Self {
        let mut random = Random::of(seed, "land");
        let waves = (2..60)
            .map(|f| {
                let amplitude = 0.28 / f64::from(f).powf(1.15) * random.between(0.3, 1.0);
                (amplitude, random.between(0.0, std::f64::consts::TAU))
            })
            .collect();
        let districts = districts();
        let towns = districts
            .iter()
            .map(|d| {
                (0..14).map(|_| d.middle.plus(At::new(random.normal(), random.normal()), d.spread_m * 2.5)).collect()
            })
            .collect();
        Self { scale: (grids as f64 / 17_000.0).sqrt(), waves, districts, towns }
    }

    /// The place of a place of the drawing.
    pub(super) fn scaled(&self, at: At) -> At {
        At::new(at.x * self.scale, at.y * self.scale)
    }

    /// Half the width and height of a box around it.
    pub(super) fn reach(&self) -> At {
        At::new(95_000.0 * self.scale, 115_000.0 * self.scale)
    }

    /// Whether a place is land, at any scale.
    pub(super) fn is_land(&self, at: At) -> bool {
        let at = At::new(at.x / self.scale, at.y / self.scale);
        if self.districts.iter().any(|d| d.middle.distance(at) < d.spread_m * 1.5) {
            return true;
        }
        let from = metres(120.22, 36.35).to(at);
        let (x, y) = (from.x / 55_000.0, from.y / 68_000.0);
        let angle = y.atan2(x);
        let wave = |stretch: f64, skip: usize| -> f64 {
            let waves = self.waves.iter().enumerate().skip(skip);
            waves.map(|(i, (a, phase))| a * ((i as f64 + 2.0) * angle * stretch + phase).sin()).sum()
        };
        if x.hypot(y) > 1.0 + wave(1.0, 0) {
            return false;
        }
        // A bay that opens to the sea in the south, its shore as ragged as the coast.
        let (head, mouth) = (metres(120.245, 36.13), metres(120.31, 35.2));
        let along = head.to(mouth);
        let t = (head.to(at).dot(along) / along.dot(along)).clamp(0.0, 1.0);
        let ragged = 1.0 + 1.5 * wave(3.0, 4);
        let bay = at.distance(head) < 11_500.0 * ragged;
        let channel = at.distance(head.plus(along, t)) < 5_000.0 * ragged;
        !(bay || channel)
    }

    /// Draws a place where somebody might live: towns dense, countryside sparse. It may
    /// be in the sea.
    pub(super) fn draw(&self, random: &mut Random) -> At {
        let place = random.unit();
        let total: f64 = self.districts.iter().map(|d| d.grids).sum();
        let mut share = random.unit() * total;
        let chosen = self.districts.iter().position(|d| {
            share -= d.grids;
            share < 0.0
        });
        let chosen = chosen.unwrap_or(0);
        let district = &self.districts[chosen];
        let bell = At::new(random.normal(), random.normal());
        let at = if place < 0.50 {
            district.middle.plus(bell, district.spread_m)
        } else if place < 0.78 {
            random.pick(&self.towns[chosen]).plus(bell, 1_300.0)
        } else {
            let reach = self.reach();
            return At::new(random.between(-reach.x, reach.x), random.between(-reach.y, reach.y));
        };
        self.scaled(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cores_are_land_and_the_mouth_of_the_bay_is_sea_at_every_scale() {
        for grids in [200, 1_700, 17_000] {
            let land = Land::new(grids, 1);
            for d in land.districts {
                assert!(land.is_land(land.scaled(d.middle)), "{}", d.name);
            }
            assert!(!land.is_land(land.scaled(metres(120.27, 35.9))));
        }
    }
}
