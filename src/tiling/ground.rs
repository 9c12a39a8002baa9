//! The ground of a level's areas: the half-edges around each, and where it lies.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use boundaries::{
    AreaId, Border, BorderId, Bounds, Coverage, Difference, HalfEdge, Level, Outline, Part, Point, Polygon,
};
use rayon::prelude::*;
use tiles::{Grid, GridBox};

use super::label;
use super::lines::{Lines, WorldBox};

/// A side of the average area has at least this many tile units (of 4096) at a
/// level's lowest zoom: 6 pixels of a 512-pixel tile.
const SIDE_AT_LOWEST_ZOOM: f64 = 48.0;

/// Areas looked over together when those of a tile are wanted.
const CHUNK: usize = 64;

/// All areas of one level that have ground.
#[derive(Debug)]
pub(super) struct Ground {
    /// Ascending by area.
    areas: Vec<Arc<AreaGround>>,
    /// The box around each, beside each other: most of them are looked at and no more.
    bounds: Vec<WorldBox>,
    /// The boxes around so many of them at a time.
    boxes: Vec<WorldBox>,
    lowest_zoom: u8,
}

/// The ground of one area.
#[derive(Debug)]
pub(super) struct AreaGround {
    pub(super) area: AreaId,
    pub(super) parts: Vec<GroundPart>,
    pub(super) bounds: WorldBox,
    /// The number of the largest part.
    largest: usize,
    /// Where the name of the area stands, on first use.
    label: OnceLock<Option<Point>>,
}

/// A connected part of an area.
#[derive(Debug)]
pub(super) struct GroundPart {
    outline: Part,
    pub(super) bounds: WorldBox,
    /// Twice its area in square lattice units.
    twice_area: i128,
}

impl GroundPart {
    /// The rings, the shell first, each as the half-edges around it.
    pub(super) fn rings(&self) -> impl Iterator<Item = &[HalfEdge]> {
        std::iter::once(&self.outline.shell).chain(&self.outline.holes).map(Vec::as_slice)
    }
}

impl Ground {
    /// The ground of a level's areas.
    pub(super) fn of(coverage: &Coverage, lines: &Lines, level: Level) -> Self {
        let areas = coverage.outlines(level).into_par_iter().with_min_len(64);
        Self::with(coverage, areas.map(|outline| Arc::new(AreaGround::new(coverage, lines, outline))).collect())
    }

    /// The same after an edit that changed the ground of some areas.
    pub(super) fn updated(&self, coverage: &Coverage, lines: &Lines, touched: &BTreeSet<AreaId>) -> Self {
        let mut areas: Vec<Arc<AreaGround>> =
            self.areas.iter().filter(|a| !touched.contains(&a.area)).cloned().collect();
        for outline in touched.iter().filter_map(|id| coverage.outline(*id)) {
            areas.push(Arc::new(AreaGround::new(coverage, lines, outline)));
        }
        areas.sort_by_key(|a| a.area);
        Self::with(coverage, areas)
    }

    fn with(coverage: &Coverage, areas: Vec<Arc<AreaGround>>) -> Self {
        let bounds: Vec<WorldBox> = areas.iter().map(|a| a.bounds).collect();
        let around = |boxes: &[WorldBox]| boxes.iter().copied().fold(WorldBox::EMPTY, WorldBox::union);
        let boxes = bounds.chunks(CHUNK).map(around).collect();
        Self { lowest_zoom: lowest_zoom(&areas, coverage.bounds()), areas, bounds, boxes }
    }

    /// The lowest zoom at which areas of this level can be told apart.
    pub(super) fn lowest_zoom(&self) -> u8 {
        self.lowest_zoom
    }

    /// All areas, ascending.
    pub(super) fn areas(&self) -> &[Arc<AreaGround>] {
        &self.areas
    }

    /// An area's ground.
    pub(super) fn area(&self, id: AreaId) -> Option<&AreaGround> {
        self.areas.binary_search_by_key(&id, |a| a.area).ok().map(|i| &*self.areas[i])
    }

    /// The areas whose boxes meet one on a grid, ascending.
    pub(super) fn meeting(&self, grid: Grid, shown: GridBox) -> impl Iterator<Item = &AreaGround> {
        let shown = WorldBox::shown_by(grid, shown);
        let is_met = move |b: WorldBox| b.meets(shown);
        let chunks = self.areas.chunks(CHUNK).zip(self.bounds.chunks(CHUNK)).zip(&self.boxes);
        let met = chunks.filter(move |(_, around)| is_met(**around)).flat_map(|(chunk, _)| chunk.0.iter().zip(chunk.1));
        met.filter(move |(_, b)| is_met(**b)).map(|(area, _)| &**area)
    }
}

impl AreaGround {
    fn new(coverage: &Coverage, lines: &Lines, outline: Outline) -> Self {
        let area = outline.area;
        let parts: Vec<GroundPart> = outline
            .parts
            .into_iter()
            .map(|outline| {
                let shell = outline.shell.iter().map(|h| lines.bounds(h.border()));
                let twice = |ring: &Vec<HalfEdge>| twice_area(coverage, ring);
                let twice_area = twice(&outline.shell) + outline.holes.iter().map(twice).sum::<i128>();
                GroundPart { bounds: shell.fold(WorldBox::EMPTY, WorldBox::union), twice_area, outline }
            })
            .collect();
        let bounds = parts.iter().map(|p| p.bounds).fold(WorldBox::EMPTY, WorldBox::union);
        // Of parts of one size, the first.
        let largest = (0..parts.len()).max_by_key(|i| (parts[*i].twice_area, std::cmp::Reverse(*i))).unwrap_or(0);
        Self { area, parts, bounds, largest, label: OnceLock::new() }
    }

    /// The borders around it.
    pub(super) fn borders(&self) -> impl Iterator<Item = BorderId> {
        self.parts.iter().flat_map(GroundPart::rings).flatten().map(|h| h.border())
    }

    /// The part in which the name stands.
    pub(super) fn largest(&self) -> Option<&GroundPart> {
        self.parts.get(self.largest)
    }

    /// Whether anybody asked for its name.
    pub(super) fn is_labelled(&self) -> bool {
        self.label.get().is_some()
    }

    /// Where the name stands.
    pub(super) fn label(&self, coverage: &Coverage) -> Option<Point> {
        *self.label.get_or_init(|| {
            let Polygon { shell, holes } = coverage.polygon(&self.largest()?.outline);
            let rings: Vec<Vec<Point>> = std::iter::once(shell).chain(holes).collect();
            label::interior_point(&rings)
        })
    }
}

/// The areas of a level whose half-edges may be others in `new` than in `old`.
pub(super) fn touched(old: &Coverage, new: &Coverage, difference: &Difference, level: Level) -> BTreeSet<AreaId> {
    let mut touched = BTreeSet::new();
    for coverage in [old, new] {
        for border in difference.borders.iter().filter_map(|id| coverage.border(*id)) {
            touched.extend(beside(coverage, border, level).into_iter().flatten());
        }
    }
    // What is in one state only has nothing but changed borders around it.
    let mut told = |[before, after]: [Option<AreaId>; 2]| {
        if before != after {
            touched.extend(before.into_iter().chain(after));
        }
    };
    let faces = difference.faces.iter().filter(|id| [old, new].iter().all(|c| c.face(**id).is_some()));
    faces.for_each(|face| told([old, new].map(|c| c.owner_at(*face, level))));
    // One that was put below another area takes its ground there.
    let areas = difference.areas.iter().filter(|id| [old, new].iter().all(|c| c.area(**id).is_some()));
    areas.for_each(|id| told([old, new].map(|c| c.ancestor_at(*id, level))));
    touched
}

/// The areas of a level that a border parts; none where both sides are of one.
pub(super) fn beside(coverage: &Coverage, border: &Border, level: Level) -> [Option<AreaId>; 2] {
    let [left, right] = [border.left, border.right].map(|face| coverage.owner_at(face, level));
    if left == right { [None; 2] } else { [left, right] }
}

/// Twice the signed area of a ring in square lattice units.
fn twice_area(coverage: &Coverage, ring: &[HalfEdge]) -> i128 {
    let points = ring.iter().flat_map(|h| {
        let line = coverage.border(h.border()).map_or(&[][..], |b| &b.line);
        let (n, forward) = (line.len(), h.is_forward());
        (1..n).map(move |i| if forward { line[i] } else { line[n - 1 - i] })
    });
    let mut first = None;
    let (mut before, mut sum) = ((0, 0), 0);
    for p in points {
        let origin: Point = *first.get_or_insert(p);
        let off = (i128::from(p.x) - i128::from(origin.x), i128::from(p.y) - i128::from(origin.y));
        sum += before.0 * off.1 - off.0 * before.1;
        before = off;
    }
    sum
}

/// The lowest zoom at which the average area has [`SIDE_AT_LOWEST_ZOOM`].
fn lowest_zoom(areas: &[Arc<AreaGround>], bounds: Bounds) -> u8 {
    if areas.is_empty() || bounds.is_empty() {
        return 0;
    }
    let ground: f64 = areas.iter().flat_map(|a| &a.parts).map(|p| p.twice_area as f64 / 2.0).sum();
    // A square degree is narrower than high on the Mercator plane: measure at the middle.
    let middle = (f64::from(bounds.min.y) + f64::from(bounds.max.y)) / 2.0 * 1e-7;
    let side_degrees = (ground / areas.len() as f64 / middle.to_radians().cos()).sqrt() * 1e-7;
    let side_at_zoom_0 = side_degrees / 360.0 * f64::from(tiles::EXTENT);
    (0..=super::DETAIL_ZOOM)
        .find(|z| side_at_zoom_0 * f64::from(*z).exp2() >= SIDE_AT_LOWEST_ZOOM)
        .unwrap_or(super::DETAIL_ZOOM)
}
