//! The areas of a coverage as tile layers.
//!
//! What every tile needs is made once for a coverage: the vertices of each border on
//! the world grid, and for each level, on its first use, the outlines as half-edges
//! with a tree over their boxes. A tile then walks the outlines that meet it. Both
//! sides of a border read the same vertices, so areas share every vertex at every
//! zoom.

use std::sync::OnceLock;

use boundaries::simplify::{MERCATOR_WIDTH_M, Weights, weight_of_units};
use boundaries::{AreaId, Border, BorderId, Bounds, Coverage, FaceId, HalfEdge, Level, Point, UNITS_PER_DEGREE};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use rustc_hash::FxHashMap;
use tiles::{BUFFER, GeometryKind, LayerWriter, Role, Scratch, Shape, TagValue, TileCoord, TileSpace, World};

use super::datum::Datum;
use super::label;
use super::outline::{Outlines, Part, ring_points};

/// The names of the attributes of areas and labels, by key number.
pub(super) const KEYS: [&str; 4] = ["code", "name", "parent", "kind"];
const CODE: u32 = 0;
const NAME: u32 = 1;
const PARENT: u32 = 2;
const KIND: u32 = 3;

/// A side of the average area has at least this many tile units (of 4096) at a
/// level's lowest zoom: 6 pixels of a 512-pixel tile.
const SIDE_AT_LOWEST_ZOOM: f64 = 48.0;

/// A corner is left out where its triangle has less than so many square tile units:
/// one pixel of a 512-pixel tile.
const CORNER_SQUARE_UNITS: f64 = 64.0;

/// And never where it is more than this part of the smaller face beside it, so that
/// small areas keep their shape as long as they can be seen at all.
const CORNER_PART_OF_FACE: f64 = 1.0 / 16.0;

/// Vertices that only bend an edge to its datum are drawn from this zoom on: above it
/// a tile unit is longer than the bend of a kilometre.
const BEND_ZOOM: u8 = 13;

/// Everything that tiles need of one coverage in one datum.
#[derive(Debug)]
pub struct AreaTiles {
    coverage: Coverage,
    /// The vertices of all borders on the world grid, border after border.
    vertices: Vec<World>,
    /// Where each border's vertices begin, by border id, and where the last's end.
    starts: Vec<u32>,
    /// How much each of `vertices` matters.
    vertex_weights: Vec<f32>,
    weights: Weights,
    datum: Datum,
    /// The most that a corner of a border may weigh to be left out, by border id.
    caps: Vec<f32>,
    levels: Vec<OnceLock<LevelTiles>>,
    kinds: Vec<std::sync::Arc<str>>,
    /// The number of each area's kind in `kinds`.
    kind_of: Vec<u32>,
}

#[derive(Debug)]
struct LevelTiles {
    outlines: Outlines,
    /// The boxes of the parts on the lattice. In i64, as the tree adds coordinates up.
    tree: RTree<GeomWithData<Rectangle<[i64; 2]>, u32>>,
    /// Of each area of the level: its largest part, and where its name stands (on first use).
    labels: Vec<(u32, OnceLock<Option<Point>>)>,
    lowest_zoom: u8,
}

impl AreaTiles {
    /// Prepares a coverage for tiles in a datum.
    #[must_use]
    pub fn new(coverage: &Coverage, datum: Datum) -> Self {
        Self::with(coverage, Weights::build(coverage), datum)
    }

    /// Prepares a coverage that came from this one by an edit: weighs only what is new.
    #[must_use]
    pub fn updated(&self, coverage: &Coverage) -> Self {
        Self::with(coverage, self.weights.updated(&self.coverage, coverage), self.datum)
    }

    fn with(coverage: &Coverage, weights: Weights, datum: Datum) -> Self {
        let lines: Vec<_> = (0..coverage.border_slots() as u32).map(BorderId).collect();
        let drawn: Vec<(Vec<World>, Vec<f32>)> =
            lines.par_iter().with_min_len(256).map(|id| draw_line(coverage, &weights, *id, datum)).collect();
        let mut starts = Vec::with_capacity(drawn.len() + 1);
        starts.push(0);
        starts.extend(drawn.iter().scan(0, |total, (line, _)| {
            *total += line.len() as u32;
            Some(*total)
        }));
        let mut vertices = Vec::with_capacity(starts[drawn.len()] as usize);
        let mut vertex_weights = Vec::with_capacity(vertices.capacity());
        for (line, weights) in drawn {
            vertices.extend(line);
            vertex_weights.extend(weights);
        }

        let mut kinds: Vec<std::sync::Arc<str>> = Vec::new();
        let mut known = FxHashMap::default();
        let mut kind_of = vec![0; coverage.area_slots()];
        for (id, area) in coverage.areas() {
            kind_of[id.0 as usize] = *known.entry(area.kind.clone()).or_insert_with(|| {
                kinds.push(area.kind.clone());
                kinds.len() as u32 - 1
            });
        }
        let levels = coverage.levels().iter().map(|_| OnceLock::new()).collect();
        let mut caps = vec![f32::INFINITY; coverage.border_slots()];
        for (id, border) in coverage.borders() {
            caps[id.0 as usize] = cap(coverage, border);
        }
        Self {
            coverage: coverage.clone(),
            vertices,
            starts,
            vertex_weights,
            weights,
            datum,
            caps,
            levels,
            kinds,
            kind_of,
        }
    }

    /// Works out now what each level's first tile would else have to.
    pub fn prepare(&self) {
        for i in 0..self.levels.len() {
            self.level(Level(i as u8));
        }
    }

    /// The coverage that was prepared.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The lowest zoom at which a level has tiles: where its areas are large enough
    /// to be told apart.
    #[must_use]
    pub fn lowest_zoom(&self, level: Level) -> u8 {
        self.level(level).map_or(0, |l| l.lowest_zoom)
    }

    /// The layer of a level's areas in a tile; `None` where there are none, or below
    /// the level's lowest zoom.
    #[must_use]
    pub fn areas(&self, scratch: &mut Scratch, name: &str, level: Level, tile: TileCoord) -> Option<Vec<u8>> {
        let prepared = self.level(level).filter(|l| l.lowest_zoom <= tile.z())?;
        let space = TileSpace::new(tile);
        let least = least_weight(tile.z());
        let mut writer = LayerWriter::new(scratch, &KEYS, self.texts());
        let mut shape = Shape::new();
        let met = prepared.parts_in(tile, self.datum);
        for parts in met.chunk_by(|a, b| a.area == b.area) {
            shape.clear();
            for part in parts {
                for (i, ring) in prepared.outlines.rings(part).enumerate() {
                    let role = if i == 0 { Role::Shell } else { Role::Hole };
                    shape.push_ring(role, self.ring(ring, least).map(|w| space.locate(w)));
                }
            }
            let area = parts[0].area;
            writer.feature(u64::from(area.0), GeometryKind::Polygon, &shape, self.tags(area));
        }
        writer.finish(name)
    }

    /// The layer of the places for a level's names in a tile.
    #[must_use]
    pub fn labels(&self, scratch: &mut Scratch, name: &str, level: Level, tile: TileCoord) -> Option<Vec<u8>> {
        let prepared = self.level(level).filter(|l| l.lowest_zoom <= tile.z())?;
        let space = TileSpace::new(tile);
        let mut writer = LayerWriter::new(scratch, &KEYS, self.texts());
        let mut shape = Shape::new();
        for part in prepared.parts_in(tile, self.datum) {
            let Some(p) = self.label(prepared, part) else { continue };
            shape.clear();
            shape.push_point(space.locate(self.datum.project(p)));
            writer.feature(u64::from(part.area.0), GeometryKind::Point, &shape, self.tags(part.area));
        }
        writer.finish(name)
    }

    /// Where the name of a part's area stands, if the part is the area's largest.
    fn label(&self, prepared: &LevelTiles, part: &Part) -> Option<Point> {
        let slot = prepared
            .labels
            .binary_search_by_key(&part.area, |(p, _)| prepared.outlines.parts[*p as usize].area)
            .ok()?;
        let (largest, place) = &prepared.labels[slot];
        let largest = &prepared.outlines.parts[*largest as usize];
        if !std::ptr::eq(largest, part) {
            return None;
        }
        *place.get_or_init(|| {
            let rings: Vec<Vec<Point>> =
                prepared.outlines.rings(part).map(|ring| ring_points(&self.coverage, ring).collect()).collect();
            label::interior_point(&rings)
        })
    }

    /// The vertices around a ring that weigh at least `least`, on the world grid.
    fn ring<'a>(&'a self, ring: &'a [HalfEdge], least: f32) -> impl Iterator<Item = World> + 'a {
        ring.iter().flat_map(move |h| {
            let at = h.border().0 as usize;
            let line = &self.vertices[self.starts[at] as usize..self.starts[at + 1] as usize];
            let weights = &self.vertex_weights[self.starts[at] as usize..self.starts[at + 1] as usize];
            let least = least.min(self.caps[at]);
            let (forward, n) = (h.is_forward(), line.len());
            (1..n).filter_map(move |i| {
                let i = if forward { i } else { n - 1 - i };
                (weights[i] >= least).then(|| line[i])
            })
        })
    }

    fn level(&self, level: Level) -> Option<&LevelTiles> {
        Some(self.levels.get(usize::from(level.0))?.get_or_init(|| LevelTiles::new(&self.coverage, level)))
    }

    /// One past the highest text number: codes, names, kinds.
    fn texts(&self) -> usize {
        self.coverage.area_slots() * 2 + self.kinds.len()
    }

    fn tags(&self, id: AreaId) -> impl Iterator<Item = (u32, TagValue<'_>)> {
        let slots = self.coverage.area_slots() as u32;
        let kind = self.kind_of[id.0 as usize];
        let area = self.coverage.area(id);
        let code = |id: AreaId| Some(TagValue::Text(id.0, &self.coverage.area(id)?.code));
        [
            (CODE, code(id)),
            (NAME, area.map(|a| TagValue::Text(slots + id.0, &a.name))),
            (PARENT, area.and_then(|a| code(a.parent?))),
            (KIND, self.kinds.get(kind as usize).map(|k| TagValue::Text(2 * slots + kind, k))),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
    }
}

impl LevelTiles {
    fn new(coverage: &Coverage, level: Level) -> Self {
        let outlines = Outlines::trace(coverage, level);
        let boxes = outlines.parts.iter().enumerate().map(|(i, part)| {
            let b = part.bounds;
            GeomWithData::new(
                Rectangle::from_corners([b.min.x, b.min.y].map(i64::from), [b.max.x, b.max.y].map(i64::from)),
                i as u32,
            )
        });
        let tree = RTree::bulk_load(boxes.collect());
        let mut labels: Vec<(u32, OnceLock<Option<Point>>)> = Vec::new();
        for (i, part) in outlines.parts.iter().enumerate() {
            match labels.last_mut().filter(|(p, _)| outlines.parts[*p as usize].area == part.area) {
                Some((largest, _)) if part.twice_area > outlines.parts[*largest as usize].twice_area => {
                    *largest = i as u32;
                }
                Some(_) => {}
                None => labels.push((i as u32, OnceLock::new())),
            }
        }
        let lowest_zoom = lowest_zoom(&outlines.parts, labels.len());
        Self { outlines, tree, labels, lowest_zoom }
    }

    /// The parts whose boxes meet a tile and its buffer, ascending by area.
    fn parts_in(&self, tile: TileCoord, datum: Datum) -> Vec<&Part> {
        let b = tile.lattice_box(BUFFER);
        let reach = i64::from(datum.reach_e7());
        let query = AABB::from_corners(
            [b.min_lon_e7, b.min_lat_e7].map(|v| i64::from(v) - reach),
            [b.max_lon_e7, b.max_lat_e7].map(|v| i64::from(v) + reach),
        );
        let mut met: Vec<u32> = self.tree.locate_in_envelope_intersecting(query).map(|found| found.data).collect();
        met.sort_unstable();
        met.into_iter().map(|i| &self.outlines.parts[i as usize]).collect()
    }
}

/// The vertices of a border on the world grid, with their weights.
fn draw_line(coverage: &Coverage, weights: &Weights, id: BorderId, datum: Datum) -> (Vec<World>, Vec<f32>) {
    let (Some(border), Some(weights)) = (coverage.border(id), weights.of(id)) else { return Default::default() };
    let in_between = weight_of_units(BEND_ZOOM, tiles::EXTENT, CORNER_SQUARE_UNITS);
    let mut drawn = (Vec::with_capacity(border.line.len()), Vec::with_capacity(border.line.len()));
    for (i, (p, weight)) in border.line.iter().zip(weights.iter()).enumerate() {
        if let Some(before) = i.checked_sub(1) {
            for p in datum.between(border.line[before], *p) {
                drawn.0.push(datum.project(p));
                drawn.1.push(in_between);
            }
        }
        drawn.0.push(datum.project(*p));
        drawn.1.push(*weight);
    }
    drawn
}

/// The least weight of a vertex that is drawn at a zoom.
fn least_weight(z: u8) -> f32 {
    if z >= super::DETAIL_ZOOM { 0.0 } else { weight_of_units(z, tiles::EXTENT, CORNER_SQUARE_UNITS) }
}

/// What a corner of a border may weigh at most to be left out, for the sake of the faces at its sides.
fn cap(coverage: &Coverage, border: &Border) -> f32 {
    let unit_m = MERCATOR_WIDTH_M / 360.0 / f64::from(UNITS_PER_DEGREE);
    let stretch = border.line[0].lat().clamp(-85.0, 85.0).to_radians().cos().recip();
    let smaller = [border.left, border.right]
        .into_iter()
        .filter(|face| *face != FaceId::OUTSIDE)
        .filter_map(|face| Some(coverage.face(face)?.twice_area))
        .min();
    smaller.map_or(f32::INFINITY, |twice| (twice as f64 / 2.0 * unit_m * unit_m * stretch * CORNER_PART_OF_FACE) as f32)
}

/// The lowest zoom at which the average area has [`SIDE_AT_LOWEST_ZOOM`].
fn lowest_zoom(parts: &[Part], areas: usize) -> u8 {
    let bounds = parts.iter().map(|p| p.bounds).fold(Bounds::EMPTY, Bounds::union);
    if areas == 0 || bounds.is_empty() {
        return 0;
    }
    let ground: f64 = parts.iter().map(|p| p.twice_area as f64 / 2.0).sum();
    // A square degree is narrower than high on the Mercator plane: measure at the middle.
    let middle = (f64::from(bounds.min.y) + f64::from(bounds.max.y)) / 2.0 * 1e-7;
    let side_degrees = (ground / areas as f64 / middle.to_radians().cos()).sqrt() * 1e-7;
    let side_at_zoom_0 = side_degrees / 360.0 * f64::from(tiles::EXTENT);
    (0..=super::DETAIL_ZOOM)
        .find(|z| side_at_zoom_0 * f64::from(*z).exp2() >= SIDE_AT_LOWEST_ZOOM)
        .unwrap_or(super::DETAIL_ZOOM)
}
