//! The two obfuscated datums of Chinese map services, to WGS-84 and back.
//!
//! GCJ-02 (Gaode, Tencent, phones in mainland China) bends WGS-84 by 100 to 700 m;
//! BD-09 (Baidu) bends GCJ-02 once more. Neither has a published inverse: the
//! inverses here are fixed-point iterations of the forward formulas.
//!
//! Formulas and constants: the public reimplementations (eviltransform, gcoord,
//! coordtransform) agree on them to the last digit. All angles in degrees, longitude
//! first. Invariant: `inverse(forward(p))` is `p` within 1e-11 degree.

use std::f64::consts::PI;

use super::Position;

/// Semi-major axis of the Krasovsky 1940 ellipsoid, in metres.
const KRASOVSKY_A_M: f64 = 6_378_245.0;
/// Its first eccentricity, squared.
const KRASOVSKY_E2: f64 = 0.006_693_421_622_965_943;
/// Degrees to the angle that BD-09's ripple runs on.
const RIPPLE: f64 = PI * 3000.0 / 180.0;

/// Rounds of the fixed-point iterations: 4 leave 0.2 µm, the rest is margin.
const ROUNDS: usize = 8;
/// Stop when a round moves less than this, in degrees (0.1 nm).
const STILL: f64 = 1e-15;

/// Whether GCJ-02 leaves a place alone: outside this box it is WGS-84.
///
/// The box is the one every common implementation uses. It is cruder than the border:
/// Taiwan, Korea and Mongolia lie inside it and are bent too.
pub(super) fn is_outside_china([lon, lat]: Position) -> bool {
    !(72.004..=137.8347).contains(&lon) || !(0.8293..=55.8271).contains(&lat)
}

/// WGS-84 to GCJ-02; outside the box nothing changes.
pub(super) fn gcj02_from_wgs84(wgs84: Position) -> Position {
    if is_outside_china(wgs84) { wgs84 } else { bent(wgs84) }
}

/// GCJ-02 to WGS-84. Which side of the box a place lies on is judged by the place
/// as given, so within a kilometre of the box's rim the two directions may disagree.
pub(super) fn wgs84_from_gcj02(gcj02: Position) -> Position {
    if is_outside_china(gcj02) { gcj02 } else { fixed_point(gcj02, gcj02, bent) }
}

/// GCJ-02 to BD-09.
pub(super) fn bd09_from_gcj02([lon, lat]: Position) -> Position {
    let radius = lon.hypot(lat) + 0.000_02 * (lat * RIPPLE).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * RIPPLE).cos();
    [radius * angle.cos() + 0.0065, radius * angle.sin() + 0.006]
}

/// BD-09 to GCJ-02.
pub(super) fn gcj02_from_bd09(bd09: Position) -> Position {
    fixed_point(bd09, [bd09[0] - 0.0065, bd09[1] - 0.006], bd09_from_gcj02)
}

/// Solves `forward(p) = target`, starting at `start`. Both shifts vary slowly (their
/// Jacobians differ from one by less than 0.01), so each round gains two digits.
fn fixed_point(target: Position, start: Position, forward: impl Fn(Position) -> Position) -> Position {
    let mut p = start;
    for _ in 0..ROUNDS {
        let at = forward(p);
        let miss = [target[0] - at[0], target[1] - at[1]];
        p = [p[0] + miss[0], p[1] + miss[1]];
        if miss[0].abs() < STILL && miss[1].abs() < STILL {
            break;
        }
    }
    p
}

/// The bend of GCJ-02, wherever the place is.
fn bent([lon, lat]: Position) -> Position {
    let (x, y) = (lon - 105.0, lat - 35.0);
    let ripple = (20.0 * (6.0 * x * PI).sin() + 20.0 * (2.0 * x * PI).sin()) * 2.0 / 3.0;
    let root = x.abs().sqrt();
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + ripple
        + (20.0 * (y * PI).sin() + 40.0 * (y / 3.0 * PI).sin()) * 2.0 / 3.0
        + (160.0 * (y / 12.0 * PI).sin() + 320.0 * (y * PI / 30.0).sin()) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + ripple
        + (20.0 * (x * PI).sin() + 40.0 * (x / 3.0 * PI).sin()) * 2.0 / 3.0
        + (150.0 * (x / 12.0 * PI).sin() + 300.0 * (x / 30.0 * PI).sin()) * 2.0 / 3.0;
    let phi = lat.to_radians();
    let w2 = 1.0 - KRASOVSKY_E2 * phi.sin().powi(2);
    let w = w2.sqrt();
    let meridian_radius_m = KRASOVSKY_A_M * (1.0 - KRASOVSKY_E2) / (w2 * w);
    let parallel_radius_m = KRASOVSKY_A_M / w * phi.cos();
    [lon + (east / parallel_radius_m).to_degrees(), lat + (north / meridian_radius_m).to_degrees()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_from_both_datums_within_a_micrometre() {
        for i in 0..40 {
            for j in 0..30 {
                let wgs84 = [73.5 + f64::from(i) * 1.537, 3.1 + f64::from(j) * 1.713];
                let gcj02 = gcj02_from_wgs84(wgs84);
                let bd09 = bd09_from_gcj02(gcj02);
                let back = wgs84_from_gcj02(gcj02_from_bd09(bd09));
                assert!((back[0] - wgs84[0]).abs() < 1e-11, "{wgs84:?} {back:?}");
                assert!((back[1] - wgs84[1]).abs() < 1e-11, "{wgs84:?} {back:?}");
            }
        }
    }

    #[test]
    fn outside_the_box_gcj02_is_wgs84() {
        for p in [[-74.0, 40.7], [139.7, 35.7], [103.8, -1.3], [37.6, 55.75]] {
            assert_eq!(gcj02_from_wgs84(p), p);
            assert_eq!(wgs84_from_gcj02(p), p);
        }
    }
}
