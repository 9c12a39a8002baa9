//! The features of a layer as tiles draw them: on the world grid, in the order of a curve
//! that stays near, so that those of a tile lie beside each other.
//!
//! Invariant: the order follows from the features alone (the curve, then their numbers), so
//! a tile's bytes follow from what is in it. Made once for the rows that a layer's base
//! has; those put since are added as they come.

use boundaries::Point;
use tiles::{GeometryKind, Grid, GridBox, Role, Shape, TileSpace, World};

use super::datum::Datum;
use super::lines::WorldBox;
use crate::snapshot::{GeometryRef, Layer};

/// Footprints looked over together when those of a tile are wanted.
const CHUNK: usize = 64;

/// Set in the end of a ring that is a hole.
const IS_HOLE: u32 = 1 << 31;

/// One feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Footprint {
    /// Its row in the layer.
    pub(super) row: u32,
    /// Its number, which stays when it changes.
    pub(super) number: u32,
    /// Where the curve meets the middle of its box.
    curve: u64,
    pub(super) kind: GeometryKind,
    pub(super) bounds: WorldBox,
    /// Where its parts begin and end in `ends`.
    parts: (u32, u32),
}

impl Footprint {
    /// Its place in the order of drawing.
    pub(super) fn order(&self) -> (u64, u32) {
        (self.curve, self.number)
    }
}

/// Features on the world grid.
#[derive(Clone, Debug, Default)]
pub(super) struct Footprints {
    all: Vec<Footprint>,
    /// The boxes around so many of them at a time.
    boxes: Vec<WorldBox>,
    /// The boxes around so many of those at a time.
    regions: Vec<WorldBox>,
    vertices: Vec<World>,
    /// Where each part begins in `vertices`, and where it ends, [`IS_HOLE`] aside.
    ends: Vec<(u32, u32)>,
}

impl Footprints {
    /// The footprints of some rows of a layer.
    pub(super) fn of(layer: &Layer, rows: impl IntoIterator<Item = usize>, datum: Datum) -> Self {
        let mut made = Self::default();
        for row in rows {
            if let Some(geometry) = layer.geometry(row) {
                made.push(row as u32, layer.number(row), geometry, datum);
            }
        }
        let mut made = made.in_order();
        let around = |chunk: &[Footprint]| chunk.iter().map(|f| f.bounds).fold(WorldBox::EMPTY, WorldBox::union);
        made.boxes = made.all.chunks(CHUNK).map(around).collect();
        let around = |boxes: &[WorldBox]| boxes.iter().copied().fold(WorldBox::EMPTY, WorldBox::union);
        made.regions = made.boxes.chunks(CHUNK).map(around).collect();
        made
    }

    /// The same in the order of drawing, the vertices too: those of a tile are read along.
    fn in_order(mut self) -> Self {
        if self.all.is_sorted_by_key(Footprint::order) {
            return self;
        }
        self.all.sort_unstable_by_key(Footprint::order);
        let mut made = Self {
            all: Vec::with_capacity(self.all.len()),
            boxes: Vec::new(),
            regions: Vec::new(),
            vertices: Vec::with_capacity(self.vertices.len()),
            ends: Vec::with_capacity(self.ends.len()),
        };
        for footprint in &self.all {
            let first_part = made.ends.len() as u32;
            for (from, until) in &self.ends[footprint.parts.0 as usize..footprint.parts.1 as usize] {
                let begin = made.vertices.len() as u32;
                made.vertices.extend_from_slice(&self.vertices[*from as usize..(until & !IS_HOLE) as usize]);
                made.ends.push((begin, made.vertices.len() as u32 | (until & IS_HOLE)));
            }
            made.all.push(Footprint { parts: (first_part, made.ends.len() as u32), ..*footprint });
        }
        made
    }

    fn push(&mut self, row: u32, number: u32, geometry: GeometryRef<'_>, datum: Datum) {
        let (first_part, first_vertex) = (self.ends.len() as u32, self.vertices.len());
        let kind = match geometry {
            GeometryRef::Point(p) => {
                self.part([p], datum, false);
                GeometryKind::Point
            }
            GeometryRef::Lines(parts) => {
                parts.iter().for_each(|part| self.part(bent(part.points, datum), datum, false));
                GeometryKind::Line
            }
            GeometryRef::Polygons(parts) => {
                for part in parts.iter() {
                    let closing = part.points.last().zip(part.points.first());
                    let back = closing.into_iter().flat_map(|(last, first)| datum.between(*last, *first));
                    self.part(bent(part.points, datum).chain(back), datum, part.is_hole);
                }
                GeometryKind::Polygon
            }
        };
        let bounds = WorldBox::around(&self.vertices[first_vertex..]);
        let parts = (first_part, self.ends.len() as u32);
        self.all.push(Footprint { row, number, curve: bounds.middle().curve(), kind, bounds, parts });
    }

    fn part(&mut self, points: impl IntoIterator<Item = Point>, datum: Datum, is_hole: bool) {
        let from = self.vertices.len() as u32;
        self.vertices.extend(points.into_iter().map(|p| datum.project(p)));
        self.ends.push((from, self.vertices.len() as u32 | if is_hole { IS_HOLE } else { 0 }));
    }

    /// Those whose boxes meet one on a grid, in order.
    pub(super) fn meeting(&self, grid: Grid, shown: GridBox) -> impl Iterator<Item = &Footprint> {
        let shown = WorldBox::shown_by(grid, shown);
        let regions = self.boxes.chunks(CHUNK).zip(self.all.chunks(CHUNK * CHUNK)).zip(&self.regions);
        let near = regions.filter(move |(_, around)| around.meets(shown));
        let chunks = near.flat_map(|((boxes, all), _)| boxes.iter().zip(all.chunks(CHUNK)));
        let met = chunks.filter(move |(around, _)| around.meets(shown));
        met.flat_map(|(_, chunk)| chunk).filter(move |f| f.bounds.meets(shown))
    }

    /// Puts one of them into a shape.
    pub(super) fn draw(&self, footprint: &Footprint, shape: &mut Shape, space: &TileSpace) {
        let parts = &self.ends[footprint.parts.0 as usize..footprint.parts.1 as usize];
        for (from, until) in parts {
            let vertices = &self.vertices[*from as usize..(until & !IS_HOLE) as usize];
            let placed = vertices.iter().map(|w| space.locate(*w));
            match footprint.kind {
                GeometryKind::Point => placed.for_each(|p| shape.push_point(p)),
                GeometryKind::Line => shape.push_line(placed),
                GeometryKind::Polygon => {
                    let role = if until & IS_HOLE == 0 { Role::Shell } else { Role::Hole };
                    shape.push_ring(role, placed);
                }
            }
        }
    }
}

/// A line with the vertices that it needs to bend as its datum does.
fn bent(points: &[Point], datum: Datum) -> impl Iterator<Item = Point> {
    let ways = points.iter().enumerate().map(|(i, p)| (i.checked_sub(1).map(|before| points[before]), *p));
    ways.flat_map(move |(before, p)| before.into_iter().flat_map(move |b| datum.between(b, p)).chain([p]))
}
