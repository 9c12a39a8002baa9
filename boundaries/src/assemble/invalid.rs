//! Which rings cross or touch themselves, looked at as they came.
//!
//! ```text
//!     ┌──╲ ╱──┐        ┌──┐ ┌──┐
//!     │   ╳   │        │   ●   │        a crossing blocks, for what is inside is a
//!     └──╱ ╲──┘        └──┘ └──┘        guess; a touch is a matter of taste
//! ```
//!
//! The other steps tell which rings are worth a look: that keeps clean ones free.

use std::cmp::Ordering;

use crate::finding::{Finding, FindingKind};
use crate::lattice::{Bounds, Point, by_angle};
use crate::pairs::{Crowded, near_pairs};
use crate::polygon::twice_area;
use crate::segment::{cross, crossing, holds};

use super::Settings;
use super::claims::{RingOf, Rings};
use super::measure::Size;

/// Self-crossings of one ring that are measured; a ring with more is no drawing.
const MEASURED: usize = 200;
/// Times that a ring may pass one vertex and each two of its passes are still compared.
const COMPARED: usize = 32;

/// The rings that pass through one of their vertices twice or have no area.
pub(super) fn suspects(rings: &Rings, vertex_of: &[u32], vertices: usize) -> Vec<u32> {
    let mut last_ring = vec![u32::MAX; vertices];
    let mut suspects = Vec::new();
    for ring in 0..rings.of.len() as u32 {
        let range = rings.starts[ring as usize] as usize..rings.starts[ring as usize + 1] as usize;
        let mut twice = false;
        for &v in &vertex_of[range] {
            twice |= std::mem::replace(&mut last_ring[v as usize], ring) == ring;
        }
        if twice || twice_area(rings.points_of(ring)) == 0 {
            suspects.push(ring);
        }
    }
    suspects
}

/// Looks at the suspects and reports each that is at fault, once.
pub(super) fn inspect(rings: &Rings, mut suspects: Vec<u32>, settings: &Settings, findings: &mut Vec<Finding>) {
    suspects.sort_unstable();
    suspects.dedup();
    for ring in suspects {
        findings.extend(look_at(rings.of[ring as usize], rings.points_of(ring), settings));
    }
}

/// Where two of a ring's segments meet although they don't follow each other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Meeting {
    place: Point,
    segments: [usize; 2],
    crosses: bool,
}

fn look_at(of: RingOf, ring: &[Point], settings: &Settings) -> Option<Finding> {
    let what = if of.is_hole { "a hole" } else { "a ring" };
    let report = |blocking: bool, note: String, place: Point| {
        Finding::new(FindingKind::InvalidPolygon, blocking, vec![of.area], note).at(place)
    };
    let mut meetings = match meetings(ring) {
        Ok(meetings) => meetings,
        Err(Crowded(place)) => {
            return Some(report(true, format!("{what} meets itself too often to be counted"), place));
        }
    };
    meetings.sort_unstable();
    meetings.dedup();
    let crossings: Vec<Meeting> = meetings.iter().copied().filter(|m| m.crosses).collect();
    if !crossings.is_empty() {
        let loops = crossings.iter().take(MEASURED).map(|m| (loop_at(ring, *m), m));
        let (size, worst) = loops.max_by(|a, b| a.0.area_m2.total_cmp(&b.0.area_m2))?;
        let small = crossings.len() <= MEASURED && crossings.iter().all(|m| settings.is_sliver(loop_at(ring, *m)));
        let note = match (places(&crossings), small) {
            (1, true) => format!("{what} crosses itself in a loop too small to matter"),
            (n, true) => format!("{what} crosses itself {n} times in loops too small to matter"),
            (1, false) => format!("{what} crosses itself"),
            (n, false) => format!("{what} crosses itself at {n} places"),
        };
        return Some(Finding {
            area_m2: size.area_m2,
            width_m: size.width_m,
            bounds: Bounds::of(meetings.iter().map(|m| m.place)),
            ..report(!small, note, worst.place)
        });
    }
    if twice_area(ring) == 0 {
        let note = format!("{what} has no area: it runs back over itself");
        return Some(report(!of.is_hole, note, ring[0]));
    }
    let first = meetings.first()?;
    let note = match places(&meetings) {
        1 => format!("{what} touches itself"),
        n => format!("{what} touches itself at {n} places"),
    };
    Some(Finding { bounds: Bounds::of(meetings.iter().map(|m| m.place)), ..report(false, note, first.place) })
}

/// How many places meetings, in order, are at.
fn places(meetings: &[Meeting]) -> usize {
    meetings.chunk_by(|a, b| a.place == b.place).count()
}

fn meetings(ring: &[Point]) -> Result<Vec<Meeting>, Crowded> {
    let n = ring.len();
    let segments: Vec<[Point; 2]> = (0..n).map(|i| [ring[i], ring[(i + 1) % n]]).collect();
    let mut meetings = near_pairs(&segments, [0, 0], &|_| true, &|i, j, out: &mut Vec<Meeting>| {
        let (e, f) = (segments[i], segments[j]);
        if cross(e, f) {
            out.push(Meeting { place: crossing(e, f), segments: [i, j], crosses: true });
            return;
        }
        // Ends that both have are passes of the ring through one vertex.
        for (v, other) in [(e[0], f), (e[1], f), (f[0], e), (f[1], e)] {
            if !other.contains(&v) && holds(other, v) {
                let crosses = passes_cross(v, pass(ring, i, v), pass(ring, j, v));
                out.push(Meeting { place: v, segments: [i, j], crosses });
            }
        }
    })?;
    let mut order: Vec<(Point, usize)> = ring.iter().copied().enumerate().map(|(i, p)| (p, i)).collect();
    order.sort_unstable();
    for passes in order.chunk_by(|a, b| a.0 == b.0).filter(|p| p.len() > 1) {
        let meet = |a: usize, b: usize, crosses| Meeting { place: passes[0].0, segments: [a, b - 1], crosses };
        if passes.len() > COMPARED {
            let (a, b, crosses) = tangled(ring, passes);
            meetings.push(meet(a, b, crosses));
            continue;
        }
        for (i, &(v, a)) in passes.iter().enumerate() {
            for &(_, b) in &passes[i + 1..] {
                meetings.push(meet(a, b, passes_cross(v, pass(ring, a, v), pass(ring, b, v))));
            }
        }
    }
    Ok(meetings)
}

/// Of very many passes through one vertex, two that cross, or any two where none do. Going
/// round the vertex, passes that don't cross open and close like brackets.
fn tangled(ring: &[Point], passes: &[(Point, usize)]) -> (usize, usize, bool) {
    let v = passes[0].0;
    let mut ways: Vec<(Point, usize)> = passes.iter().flat_map(|&(_, i)| pass(ring, i, v).map(|to| (to, i))).collect();
    ways.sort_by(|a, b| by_angle(v, a.0, b.0));
    // Ways that share a direction run together, which counts as touching.
    let mut shared: Vec<usize> = ways
        .chunk_by(|a, b| by_angle(v, a.0, b.0).is_eq())
        .filter(|same| same.len() > 1)
        .flat_map(|same| same.iter().map(|w| w.1))
        .collect();
    shared.sort_unstable();
    let mut open: Vec<usize> = Vec::new();
    let mut is_open = vec![false; ring.len()];
    for &(_, i) in ways.iter().filter(|w| shared.binary_search(&w.1).is_err()) {
        if !std::mem::replace(&mut is_open[i], true) {
            open.push(i);
        } else if let Some(last) = open.pop().filter(|last| *last != i) {
            return (last.min(i), last.max(i), true);
        }
    }
    (passes[0].1, passes[1].1, false)
}

/// Whence and whither the ring passes through `v`, which lies on its segment `i`.
fn pass(ring: &[Point], i: usize, v: Point) -> [Point; 2] {
    let n = ring.len();
    let (a, b) = (ring[i], ring[(i + 1) % n]);
    if v == a {
        [ring[(i + n - 1) % n], b]
    } else if v == b {
        [a, ring[(i + 2) % n]]
    } else {
        [a, b]
    }
}

/// Whether two ways through `v` cross: one goes in and out on different sides of the
/// other. Ways that share a direction run together and count as touching.
fn passes_cross(v: Point, [a, b]: [Point; 2], [c, d]: [Point; 2]) -> bool {
    let same = |p: Point, q: Point| by_angle(v, p, q) == Ordering::Equal;
    if same(a, c) || same(a, d) || same(b, c) || same(b, d) || same(a, b) || same(c, d) {
        return false;
    }
    // Counter-clockwise from a: is p met before b?
    let between = |p: Point| {
        let less = |x: Point, y: Point| by_angle(v, x, y) == Ordering::Less;
        if less(a, b) { less(a, p) && less(p, b) } else { less(a, p) || less(p, b) }
    };
    between(c) != between(d)
}

/// The lesser of the two loops that a crossing makes of a ring.
fn loop_at(ring: &[Point], meeting: Meeting) -> Size {
    let [i, j] = meeting.segments;
    let inner = std::iter::once(meeting.place).chain(ring[i + 1..=j].iter().copied());
    let outer = std::iter::once(meeting.place).chain(ring[j + 1..].iter().copied()).chain(ring[..=i].iter().copied());
    let (a, b) = (Size::of_ring(&inner.collect::<Vec<_>>()), Size::of_ring(&outer.collect::<Vec<_>>()));
    if a.area_m2 <= b.area_m2 { a } else { b }
}
