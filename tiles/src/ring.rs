//! Rings in tile units: their signed area, and what rounding leaves to clean up.

use crate::space::TilePoint;

/// Coordinates up to here may be multiplied and added up in i64 without a thought.
const NEAR: i32 = 1 << 20;

/// Twice the signed area of a ring by the surveyor's formula in tile units. With y
/// southwards it is positive where the ring runs clockwise on the screen, which is
/// what MVT 2.1 (4.3.4.4) wants of an outer ring.
#[must_use]
pub fn twice_area(ring: &[TilePoint]) -> i128 {
    let Some((&o, rest)) = ring.split_first() else { return 0 };
    let off = |p: TilePoint| (i128::from(p.x) - i128::from(o.x), i128::from(p.y) - i128::from(o.y));
    rest.windows(2)
        .map(|w| {
            let ((ax, ay), (bx, by)) = (off(w[0]), off(w[1]));
            ax * by - bx * ay
        })
        .sum()
}

/// Twice the signed area of a ring near the tile that needs no cleaning: no point
/// twice in a row, no spike, some area. `None` for every other ring.
pub(crate) fn twice_area_if_clean(ring: &[TilePoint]) -> Option<i64> {
    let (&before_last, &last) = (ring.len() >= 3).then(|| (&ring[ring.len() - 2], &ring[ring.len() - 1]))?;
    let (mut at, mut step) = (last, (last.x.wrapping_sub(before_last.x), last.y.wrapping_sub(before_last.y)));
    let (mut area, mut is_clean, mut far) = (0i64, true, 0u32);
    for p in ring {
        far |= p.x.unsigned_abs() | p.y.unsigned_abs();
        let next = (p.x.wrapping_sub(at.x), p.y.wrapping_sub(at.y));
        let (ux, uy) = (i64::from(step.0), i64::from(step.1));
        let (vx, vy) = (i64::from(next.0), i64::from(next.1));
        // A point twice in a row makes both sides zero, and a spike the second negative.
        let turns = ux.wrapping_mul(vy) != uy.wrapping_mul(vx);
        is_clean &= turns | (ux.wrapping_mul(vx).wrapping_add(uy.wrapping_mul(vy)) > 0);
        area = area.wrapping_add(i64::from(at.x).wrapping_mul(vy)).wrapping_sub(i64::from(at.y).wrapping_mul(vx));
        (at, step) = (*p, next);
    }
    // What wrapped around is far, and not believed.
    (is_clean && far < NEAR as u32 && ring.len() < NEAR as usize && area != 0).then_some(area)
}

/// Takes out of a ring what rounding made superfluous: a point twice in a row and
/// spikes (there and straight back). Points on a straight line stay, neighbours
/// have them too. A ring that encloses nothing is emptied. Gives twice the signed area
/// of what is left, as [`twice_area`] does.
///
/// ```text
///   o────o────o          o────o────o
///   │         │    →     │         │
///   o────o    o          o────o    o      the spike at the bottom goes,
///        ╎╲   │               ╲    │      its foot stays
///        o o──o                o───o
/// ```
pub fn clean_ring(ring: &mut Vec<TilePoint>) -> i128 {
    if let Some(area) = twice_area_if_clean(ring) {
        return i128::from(area);
    }
    let mut kept = 0;
    for i in 0..ring.len() {
        let p = ring[i];
        push_clean(ring, &mut kept, p);
    }
    // The seam: the end may double the start or stand on a spike with it.
    let mut start = 0;
    while kept - start >= 2 {
        let (first, last) = (ring[start], ring[kept - 1]);
        if first == last || (kept - start >= 3 && is_spike(ring[kept - 2], last, first)) {
            kept -= 1;
        } else if kept - start >= 3 && is_spike(last, first, ring[start + 1]) {
            start += 1;
        } else {
            break;
        }
    }
    ring.truncate(kept);
    ring.drain(..start);
    let area = if ring.len() < 3 { 0 } else { twice_area(ring) };
    if area == 0 {
        ring.clear();
    }
    area
}

/// Writes `p` behind the `kept` points at the front of `ring`, undoing what it makes superfluous.
fn push_clean(ring: &mut [TilePoint], kept: &mut usize, p: TilePoint) {
    loop {
        if *kept >= 1 && ring[*kept - 1] == p {
            return;
        }
        if *kept >= 2 && is_spike(ring[*kept - 2], ring[*kept - 1], p) {
            *kept -= 1;
            continue;
        }
        ring[*kept] = p;
        *kept += 1;
        return;
    }
}

/// Whether the way a, b, c turns straight back at b.
fn is_spike(a: TilePoint, b: TilePoint, c: TilePoint) -> bool {
    let (ux, uy) = (i64::from(b.x) - i64::from(a.x), i64::from(b.y) - i64::from(a.y));
    let (vx, vy) = (i64::from(c.x) - i64::from(b.x), i64::from(c.y) - i64::from(b.y));
    // Differences stay below 2^33, their products may not stay below 2^63.
    let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
    product(ux, vy) == product(uy, vx) && product(ux, vx) + product(uy, vy) < 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(points: &[(i32, i32)]) -> Vec<(i32, i32)> {
        let mut ring = points.iter().map(|&(x, y)| TilePoint::new(x, y)).collect();
        clean_ring(&mut ring);
        ring.into_iter().map(|p| (p.x, p.y)).collect()
    }

    #[test]
    fn a_clean_ring_stays_as_it_is() {
        let square = [(0, 0), (5, 0), (10, 0), (10, 10), (0, 10)];
        assert_eq!(cleaned(&square), square);
    }

    #[test]
    fn doubles_and_spikes_go_wherever_they_stand() {
        let square = [(0, 0), (10, 0), (10, 10), (0, 10)];
        assert_eq!(cleaned(&[(0, 0), (10, 0), (10, 0), (10, 10), (0, 10), (0, 0)]), square);
        assert_eq!(cleaned(&[(0, 0), (10, 0), (10, 10), (5, 10), (5, 20), (5, 10), (0, 10)]).len(), 5);
        // A spike across the seam.
        assert_eq!(cleaned(&[(0, -5), (0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]), square);
    }

    #[test]
    fn what_encloses_nothing_is_emptied() {
        assert!(cleaned(&[(0, 0), (10, 0)]).is_empty());
        assert!(cleaned(&[(0, 0), (10, 0), (20, 0), (5, 0)]).is_empty());
        assert!(cleaned(&[]).is_empty());
        assert!(cleaned(&[(3, 3), (3, 3), (3, 3)]).is_empty());
    }

    #[test]
    fn clockwise_on_the_screen_is_positive() {
        let ring: Vec<_> = [(0, 0), (10, 0), (10, 10), (0, 10)].map(|(x, y)| TilePoint::new(x, y)).into();
        assert_eq!(twice_area(&ring), 200);
    }
}
