//! Taking in what was drawn: simple lines, brought to the vertices and borders that they
//! nearly meet.
//!
//! ```text
//!    ● vertex                 ●
//!   ╱ ─ ─ ○ drawn      ─▶    ╱│╲      a drawn vertex goes to the nearest vertex within the
//!  ●                        ● ○ ●     tolerance, else onto the nearest border; and a drawn
//!                                     line goes through the vertices that it nearly meets
//! ```
//!
//! Invariant: what comes out neither touches nor crosses itself, and only drawn vertices
//! have moved.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustc_hash::FxHashSet;

use crate::lattice::{Bounds, Point};
use crate::near::Near;
use crate::pairs::{Crowded, near_pairs};
use crate::segment::{Segment, cross, holds};

use super::cut::grown;
use super::draft::Draft;
use super::refusal::{Reason, Refusal};

/// Vertices of one drawn line: far more than a pointer draws or a building has.
const MOST_VERTICES: usize = 10_000;
/// Places after which a check stops looking for more.
const MOST_PLACES: usize = 100;

/// Checks a line as drawn: repeated points are dropped.
///
/// # Errors
///
/// Too many points, too few, or a line that touches or crosses itself. That its last point
/// is its first is allowed.
pub(super) fn line(points: &[Point]) -> Result<Vec<Point>, Refusal> {
    if points.len() > MOST_VERTICES {
        let message = format!("a drawn line has at most {MOST_VERTICES} vertices: simplify it or draw it in parts");
        return Err(Refusal::new(Reason::Limit, message).at(points.first().copied()));
    }
    let mut line = points.to_vec();
    line.dedup();
    if line.len() < 2 {
        let message = "a line needs two points that differ";
        return Err(Refusal::new(Reason::LineMisses, message).at(line.first().copied()));
    }
    check_simple(&line)?;
    Ok(line)
}

/// Checks a ring as drawn; gives it counter-clockwise, its first point repeated at the end.
pub(super) fn ring(points: &[Point]) -> Result<Vec<Point>, Refusal> {
    let mut closed = points.to_vec();
    closed.extend(points.first().filter(|p| Some(*p) != points.last()));
    let mut ring = line(&closed)?;
    let twice_area = crate::build::twice_area_along(&ring, ring[0]);
    if ring.len() < 4 || twice_area == 0 {
        let message = "a ring needs three points that are not in line";
        return Err(Refusal::new(Reason::LineMisses, message).at(ring.first().copied()));
    }
    if twice_area < 0 {
        ring.reverse();
    }
    Ok(ring)
}

/// What was drawn meets itself or the borders so often that nobody looks through it.
fn tangled(Crowded(place): Crowded) -> Refusal {
    Refusal::new(Reason::Limit, "the line meets too much on its way: draw a simpler one").at([place])
}

fn check_simple(line: &[Point]) -> Result<(), Refusal> {
    let segments: Vec<Segment> = line.windows(2).map(|w| [w[0], w[1]]).collect();
    let n = segments.len();
    let is_closed = line[0] == line[n];
    // A line that goes to and fro lies over itself everywhere: that is seen without pairs.
    let mut met = FxHashSet::default();
    let again = line[..n].iter().chain(line.last().filter(|_| !is_closed)).find(|p| !met.insert(**p));
    if let Some(p) = again {
        return Err(touches_itself([*p]));
    }
    let found = AtomicUsize::new(0);
    let looks_on = |_| found.load(Relaxed) <= MOST_PLACES;
    let mut places = near_pairs(&segments, [0, 0], &looks_on, &|i, j, out: &mut Vec<(bool, Point)>| {
        let before = out.len();
        let (e, f) = (segments[i], segments[j]);
        let shared = if j == i + 1 { Some(f[0]) } else { (is_closed && i == 0 && j + 1 == n).then_some(e[0]) };
        let touch = e.into_iter().filter(|p| holds(f, *p)).chain(f.into_iter().filter(|p| holds(e, *p)));
        out.extend(touch.filter(|p| n > 1 && Some(*p) != shared).map(|p| (true, p)));
        if cross(e, f) {
            out.push((false, crate::segment::crossing(e, f)));
        }
        found.fetch_add(out.len() - before, Relaxed);
    })
    .map_err(tangled)?;
    places.sort_unstable();
    places.dedup();
    let Some((touches, _)) = places.first().copied() else { return Ok(()) };
    let places = places.into_iter().filter(|p| p.0 == touches).map(|p| p.1);
    if touches {
        return Err(touches_itself(places));
    }
    let message = "the line crosses itself: draw it without the loop";
    Err(Refusal::new(Reason::LineCrossesItself, message).at(places))
}

fn touches_itself(places: impl IntoIterator<Item = Point>) -> Refusal {
    let message = "the line touches itself: draw it apart, or as several lines";
    Refusal::new(Reason::LineTouchesItself, message).at(places)
}

/// Brings a line to the vertices and borders of a draft that it nearly meets.
pub(super) fn snapped(draft: &Draft<'_>, line: &[Point], tolerance_m: f64) -> Result<Vec<Point>, Refusal> {
    let bounds = Bounds::of(line.iter().copied());
    let Some(near) = Near::within(tolerance_m, bounds) else { return Ok(line.to_vec()) };
    let reach = grown(bounds, near.margin[0].max(near.margin[1]));
    let segments = draft.chains.iter().flat_map(|c| c.line.windows(2)).map(|w| [w[0], w[1]]);
    let borders: Vec<Segment> = segments.filter(|s| Bounds::of(*s).meets(reach)).collect();

    let mut moved = line.to_vec();
    for (i, to) in near.targets(line, &borders).map_err(tangled)? {
        moved[i] = to;
    }
    if line[0] == line[line.len() - 1] {
        moved[line.len() - 1] = moved[0];
    }
    moved.dedup();
    let mut through = led_through(&moved, &borders, near)?;
    // A vertex that was passed to and fro is left out.
    while let Some(i) = (2..through.len()).find(|i| through[i - 2] == through[*i]) {
        through.drain(i - 1..=i);
    }
    if through.len() < 2 {
        let message = "the line is shorter than the tolerance within which it snaps: draw it longer";
        return Err(Refusal::new(Reason::LineMisses, message).at(line.first().copied()));
    }
    check_simple(&through)?;
    Ok(through)
}

/// The line with the vertices in it that it passes within the tolerance.
fn led_through(line: &[Point], borders: &[Segment], near: Near) -> Result<Vec<Point>, Refusal> {
    let steps: Vec<Segment> = line.windows(2).map(|w| [w[0], w[1]]).collect();
    let passed = near.passed(&steps, borders).map_err(tangled)?;
    let mut through = Vec::with_capacity(line.len() + passed.len());
    let mut passed = passed.into_iter().peekable();
    for (i, p) in line.iter().enumerate() {
        through.push(*p);
        while let Some((_, q)) = passed.next_if(|f| f.0 == i) {
            through.push(q);
        }
    }
    through.dedup();
    Ok(through)
}
