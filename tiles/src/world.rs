//! The world grid: web Mercator in integers, once for all zooms.

use std::f64::consts::PI;

use crate::coord::TileCoord;
use crate::space::EXTENT;

/// A position on the world grid: web Mercator (EPSG:3857) with 2^32 units around the
/// globe (9 mm at the equator), origin at 0°, 0°, x eastwards, y **southwards**.
///
/// Every zoom's tile grid is this one with bits shifted off, so a position has one
/// rounding per zoom, whoever asks and from whichever tile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct World {
    /// Units east of Greenwich.
    pub x: i32,
    /// Units south of the equator.
    pub y: i32,
}

impl World {
    /// The place of a lattice point: longitude and latitude in 1e-7 degree, WGS-84.
    /// Latitudes beyond the Mercator square (85.0511°) go to its rim.
    #[inline]
    #[must_use]
    pub fn from_e7(lon_e7: i32, lat_e7: i32) -> Self {
        // 1.8e9 · 2^32 < 2^63, so x is exact but for its one rounding (halves go east).
        let turn = 3_600_000_000;
        let x = ((i64::from(lon_e7) << 32) + turn / 2).div_euclid(turn);
        // The spherical Mercator ordinate, atanh(sin φ) (Snyder 1987, eq. 7-2a).
        let sin = (f64::from(lat_e7) * (1e-7 * PI / 180.0)).sin();
        let y = -0.5 * ((1.0 + sin) / (1.0 - sin)).ln() * (4_294_967_296.0 / (2.0 * PI));
        // Both casts saturate: 180° east is the last unit, the poles are the rim.
        Self { x: x.min(i64::from(i32::MAX)) as i32, y: y.round() as i32 }
    }

    /// Where a curve that goes through all of a tile before it leaves it meets this place, at
    /// every zoom (Morton 1966).
    #[inline]
    #[must_use]
    pub fn curve(self) -> u64 {
        let from_rim = |v: i32| (v as u32) ^ 1 << 31;
        interleaved(from_rim(self.x), from_rim(self.y))
    }

    /// The same from degrees that are not on the lattice (WGS-84 or another datum's).
    #[inline]
    #[must_use]
    pub fn from_degrees(lon: f64, lat: f64) -> Self {
        Self::from_e7((lon * 1e7).round() as i32, (lat * 1e7).round() as i32)
    }
}

/// The bits of both numbers by turns, the last of `x` last.
pub(crate) fn interleaved(x: u32, y: u32) -> u64 {
    spread(x) | spread(y) << 1
}

/// The bits of a number with a gap before each.
fn spread(n: u32) -> u64 {
    let mut n = u64::from(n);
    for (by, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        n = (n | n << by) & mask;
    }
    n
}

/// A closed box on the lattice, in 1e-7 degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatticeBox {
    /// Western edge.
    pub min_lon_e7: i32,
    /// Southern edge.
    pub min_lat_e7: i32,
    /// Eastern edge.
    pub max_lon_e7: i32,
    /// Northern edge.
    pub max_lat_e7: i32,
}

impl TileCoord {
    /// The ground of this tile grown by `buffer` tile units (of [`EXTENT`]) at each
    /// side: every lattice point that falls into the grown tile lies in the box.
    #[must_use]
    pub fn lattice_box(self, buffer: u32) -> LatticeBox {
        let tiles = f64::from(1u32 << self.z());
        // One unit more, for the rounding to the tile grid.
        let grow = (f64::from(buffer) + 1.0) / f64::from(EXTENT);
        let lon = |column: f64| (column / tiles).clamp(0.0, 1.0) * 360.0 - 180.0;
        let lat = |row: f64| {
            let m = PI * (1.0 - 2.0 * (row / tiles).clamp(0.0, 1.0));
            m.sinh().atan().to_degrees()
        };
        let (x, y) = (f64::from(self.x()), f64::from(self.y()));
        // A row at the rim of the square shows all that is beyond it, too.
        let (first, last) = (self.y() == 0, self.y() + 1 == 1 << self.z());
        LatticeBox {
            min_lon_e7: (lon(x - grow) * 1e7).floor() as i32,
            max_lon_e7: (lon(x + 1.0 + grow) * 1e7).ceil() as i32,
            min_lat_e7: if last { -900_000_000 } else { (lat(y + 1.0 + grow) * 1e7).floor() as i32 },
            max_lat_e7: if first { 900_000_000 } else { (lat(y - grow) * 1e7).ceil() as i32 },
        }
    }

    /// The tile that shows a world position at zoom `z`; `None` below [`MAX_ZOOM`](crate::MAX_ZOOM).
    #[must_use]
    pub fn of(at: World, z: u8) -> Option<Self> {
        let index = |w: i32| ((i64::from(w) + (1 << 31)) >> 32u8.saturating_sub(z)) as u32;
        (z <= crate::MAX_ZOOM).then(|| Self::new(z, index(at.x), index(at.y)).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projection_is_epsg_3857_to_a_unit() {
        // PROJ, EPSG:4326 to EPSG:3857, of a place in Qingdao.
        let (east_m, north_m) = (13_443_711.381_174, 4_367_906.160_280);
        let unit_m = 2.0 * PI * 6_378_137.0 / 4_294_967_296.0;
        let w = World::from_e7(1_207_669_141, 364_874_750);
        assert!((f64::from(w.x) * unit_m - east_m).abs() < 0.02, "{}", f64::from(w.x) * unit_m);
        assert!((-f64::from(w.y) * unit_m - north_m).abs() < 0.02, "{}", -f64::from(w.y) * unit_m);
    }

    #[test]
    fn the_rim_of_the_globe_is_the_rim_of_the_grid() {
        assert_eq!(World::from_e7(-1_800_000_000, 900_000_000), World { x: i32::MIN, y: i32::MIN });
        assert_eq!(World::from_e7(1_800_000_000, -900_000_000), World { x: i32::MAX, y: i32::MAX });
        assert_eq!(World::from_e7(0, 0), World { x: 0, y: 0 });
    }

    #[test]
    fn a_tile_s_box_holds_every_point_that_the_tile_shows() {
        for (z, lon, lat) in
            [(0, 1_203_840_000, 360_672_000), (11, 1_203_840_000, 360_672_000), (18, -1_799_999_999, -850_000_000)]
        {
            let tile = TileCoord::of(World::from_e7(lon, lat), z).unwrap();
            let b = tile.lattice_box(0);
            assert!(
                b.min_lon_e7 <= lon && lon <= b.max_lon_e7 && b.min_lat_e7 <= lat && lat <= b.max_lat_e7,
                "{tile} {b:?}"
            );
        }
    }
}
