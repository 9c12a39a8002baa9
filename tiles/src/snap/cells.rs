//! Which segments enter which hot pixels, cell by cell.
//!
//! A cell is a square of whole pixels, about as wide as a segment is long. A segment
//! stands in all cells that it enters, so in one cell is all that concerns its pixels.

use super::meet::{crossing, enters, on_column, on_row};
use crate::grid::{Grid, GridPoint, cut_lines, meets_cut_line};
use crate::world::World;

/// A hot pixel that a segment enters, beside those of its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// The segment, by the number of its first point.
    pub(super) segment: u32,
    pub(super) pixel: GridPoint,
}

/// What makes a pixel hot: two of them in one are two things that come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// The end of lines at that place.
    Node(World),
    /// A vertex inside a line.
    Vertex(u32),
    /// A segment at the side of a tile, or at another segment.
    Cut(u32),
}

/// The points of all lines, and the line of each.
pub(super) struct Cells<'a> {
    pub(super) grid: Grid,
    pub(super) points: &'a [World],
    pub(super) line_of: &'a [u32],
}

/// One cell: its pixels, and room to work in.
#[derive(Default)]
struct Room {
    segments: Vec<u32>,
    sources: Vec<(GridPoint, Source)>,
    /// The hot pixels: with what made them, where that is one thing.
    hot: Vec<(GridPoint, Option<Source>)>,
}

/// How cells are numbered: pixels shifted by `shift`, from `corner` on, `bits` for each axis.
#[derive(Clone, Copy)]
struct Plan {
    shift: u32,
    corner: GridPoint,
    bits: u32,
    segment_bits: u32,
}

impl Cells<'_> {
    pub(super) fn segment(&self, s: u32) -> [World; 2] {
        [self.points[s as usize], self.points[s as usize + 1]]
    }

    /// The numbers of all segments: of all points that are not the last of their line.
    fn segments(&self) -> impl Iterator<Item = u32> {
        (1..self.points.len()).filter(|i| self.line_of[i - 1] == self.line_of[*i]).map(|i| i as u32 - 1)
    }

    /// Finds the hits of the segments of wanted lines, and which of these lines met something.
    pub(super) fn visit(&self, wanted: &[bool], hits: &mut Vec<Hit>, met: &mut [bool]) {
        let Some(plan) = self.plan() else { return };
        let mut entries = Vec::with_capacity(self.points.len() * 2);
        for s in self.segments() {
            self.enter_cells(plan, s, &mut entries);
        }
        entries.sort_unstable();
        let mut room = Room::default();
        let cell_of = |entry: &u64| entry >> plan.segment_bits;
        for group in entries.chunk_by(|a, b| cell_of(a) == cell_of(b)) {
            room.segments.clear();
            room.segments.extend(group.iter().map(|entry| (entry & ((1 << plan.segment_bits) - 1)) as u32));
            if room.segments.iter().any(|s| wanted[self.line_of[*s as usize] as usize]) {
                self.look(plan.cell(cell_of(&group[0])), &mut room, wanted, hits, met);
            }
        }
    }

    /// Cells about as wide as segments are long on average, as few as can be numbered.
    fn plan(&self) -> Option<Plan> {
        let (mut min, mut max) = ([i32::MAX; 2], [i32::MIN; 2]);
        for p in self.points {
            min = [min[0].min(p.x), min[1].min(p.y)];
            max = [max[0].max(p.x), max[1].max(p.y)];
        }
        let corner = self.grid.round(World { x: min[0], y: min[1] });
        let last = self.grid.round(World { x: max[0], y: max[1] });
        let (mut length, mut count) = (0u64, 0u64);
        for s in self.segments() {
            let [a, b] = self.segment(s);
            length += u64::from(a.x.abs_diff(b.x).max(a.y.abs_diff(b.y)));
            count += 1;
        }
        let mean = length / count.max(1) / self.grid.unit() as u64;
        if count == 0 {
            return None;
        }
        let segment_bits = (self.points.len() as u64).ilog2() + 1;
        let bits = (64 - segment_bits) / 2;
        let side = last.x.abs_diff(corner.x).max(last.y.abs_diff(corner.y));
        let least_shift = (side.checked_ilog2().map_or(0, |b| b + 1)).saturating_sub(bits);
        let shift = mean.checked_ilog2().map_or(0, |b| b + 1).max(least_shift);
        Some(Plan { shift, corner, bits, segment_bits })
    }

    /// Puts a segment down in every cell that it enters; one too many does no harm.
    fn enter_cells(&self, plan: Plan, s: u32, entries: &mut Vec<u64>) {
        let [a, b] = self.segment(s);
        let [p, q] = [a, b].map(|w| plan.cell_of(self.grid.round(w)));
        let mut put = |x: u32, y: u32| entries.push(plan.entry(x, y, s));
        let (left, right) = (p.0.min(q.0), p.0.max(q.0));
        let (top, bottom) = (p.1.min(q.1), p.1.max(q.1));
        if left == right || top == bottom {
            for y in top..=bottom {
                (left..=right).for_each(|x| put(x, y));
            }
            return;
        }
        let (dx, dy) = (i64::from(b.x) - i64::from(a.x), i64::from(b.y) - i64::from(a.y));
        for y in top..=bottom {
            // Where the segment is at the upper and the lower side of this row of cells.
            let rows = [y, y + 1].map(|row| self.grid.middle(plan.pixel(row, plan.corner.y)) - self.grid.half());
            let at = rows.map(|row| {
                let row = row.clamp(i64::from(a.y.min(b.y)), i64::from(a.y.max(b.y)));
                let along = i128::from(dx) * i128::from(row - i64::from(a.y));
                i64::from(a.x) + along.div_euclid(i128::from(dy)) as i64
            });
            let column = |w: i64| plan.column(self.grid.pixel(w)).clamp(left, right);
            (column(at[0].min(at[1]) - 1)..=column(at[0].max(at[1]) + 1)).for_each(|x| put(x, y));
        }
    }

    /// Looks at one cell, whose segments stand in `room`.
    fn look(
        &self,
        [low, high]: [GridPoint; 2],
        room: &mut Room,
        wanted: &[bool],
        hits: &mut Vec<Hit>,
        met: &mut [bool],
    ) {
        let in_cell = |p: GridPoint| low.x <= p.x && p.x <= high.x && low.y <= p.y && p.y <= high.y;
        room.sources.clear();
        for &s in &room.segments {
            let segment = self.segment(s);
            let [p, q] = segment.map(|w| self.grid.round(w));
            for (at, pixel) in [(s, p), (s + 1, q)] {
                if in_cell(pixel) {
                    room.sources.push((pixel, self.source(at)));
                }
            }
            let mut put = |pixel: Option<GridPoint>| {
                if let Some(pixel) = pixel.filter(|p| in_cell(*p)) {
                    room.sources.push((pixel, Source::Cut(s)));
                }
            };
            let within = |p: i32, q: i32, low: i32, high: i32| (p.min(q).max(low), p.max(q).min(high));
            let (left, right) = within(p.x, q.x, low.x, high.x);
            if meets_cut_line(left, right) {
                cut_lines(left, right).for_each(|x| put(on_column(self.grid, segment, x)));
            }
            let (top, bottom) = within(p.y, q.y, low.y, high.y);
            if meets_cut_line(top, bottom) {
                cut_lines(top, bottom).for_each(|y| put(on_row(self.grid, segment, y)));
            }
        }
        // In a cell of one pixel that is hot already there is nothing to be found out.
        if low != high || room.sources.is_empty() {
            self.cross(room, in_cell);
        }
        room.sources.sort_unstable();
        room.hot.clear();
        for same in room.sources.chunk_by(|a, b| a.0 == b.0) {
            let is_one = same.iter().all(|(_, source)| *source == same[0].1);
            room.hot.push((same[0].0, is_one.then_some(same[0].1)));
        }
        for &s in &room.segments {
            let line = self.line_of[s as usize] as usize;
            if !wanted[line] {
                continue;
            }
            let segment = self.segment(s);
            let ends = segment.map(|w| self.grid.round(w));
            for &(pixel, source) in &room.hot {
                if ends.contains(&pixel) {
                    met[line] |= source.is_none();
                } else if ends[0] != ends[1] && enters(self.grid, segment, pixel) {
                    hits.push(Hit { segment: s, pixel });
                    met[line] |= source != Some(Source::Cut(s));
                }
            }
        }
    }

    /// Finds where segments of a cell cross. Lines that were drawn without crossings may
    /// have got some: what is straight on the lattice is bent on the Mercator plane.
    fn cross(&self, room: &mut Room, in_cell: impl Fn(GridPoint) -> bool) {
        for (i, &s) in room.segments.iter().enumerate() {
            let one = self.segment(s);
            for &t in &room.segments[i + 1..] {
                if t == s + 1 && self.line_of[s as usize] == self.line_of[t as usize] {
                    continue;
                }
                if let Some(pixel) = crossing(self.grid, one, self.segment(t)).filter(|p| in_cell(*p)) {
                    room.sources.extend([(pixel, Source::Cut(s)), (pixel, Source::Cut(t))]);
                }
            }
        }
    }

    fn source(&self, at: u32) -> Source {
        let i = at as usize;
        let is_inside = |j: Option<usize>| j.and_then(|j| self.line_of.get(j)) == Some(&self.line_of[i]);
        if is_inside(i.checked_sub(1)) && is_inside(Some(i + 1)) {
            Source::Vertex(at)
        } else {
            Source::Node(self.points[i])
        }
    }
}

impl Plan {
    fn column(self, x: i32) -> u32 {
        // Beyond the corner only by the margin of a row.
        (x.max(self.corner.x) - self.corner.x) as u32 >> self.shift
    }

    fn cell_of(self, p: GridPoint) -> (u32, u32) {
        (self.column(p.x), (p.y - self.corner.y) as u32 >> self.shift)
    }

    /// The first pixel of a column or row of cells.
    fn pixel(self, cell: u32, corner: i32) -> i32 {
        (i64::from(corner) + (i64::from(cell) << self.shift)).min(i64::from(i32::MAX)) as i32
    }

    fn entry(self, x: u32, y: u32, segment: u32) -> u64 {
        ((u64::from(y) << self.bits | u64::from(x)) << self.segment_bits) | u64::from(segment)
    }

    /// The first and the last pixel of a cell.
    fn cell(self, number: u64) -> [GridPoint; 2] {
        let (x, y) = ((number & ((1 << self.bits) - 1)) as u32, (number >> self.bits) as u32);
        let low = GridPoint::new(self.pixel(x, self.corner.x), self.pixel(y, self.corner.y));
        let last = (1 << self.shift) - 1;
        [low, GridPoint::new(low.x.saturating_add(last), low.y.saturating_add(last))]
    }
}
