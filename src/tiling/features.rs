//! A layer of features (buildings, party units, workers, events, anything else) as a
//! tile layer.
//!
//! Ground too small to be seen for itself is merged to blocks. A tile has a limit in bytes:
//! where a layer passes it, the largest features go in (points: the earliest), and the first
//! feature says in `left_out` how many had to stay out.

use boundaries::{Bounds, Point};
use tiles::{BUFFER, GeometryKind, Grid, GridBox, LayerWriter, Scratch, Shape, TagValue, TileCoord, TileSpace};

use super::blocks::{Blocks, blocks};
use super::choice::Choice;
use super::datum::Datum;
use super::footprints::{Footprint, Footprints};
use super::shown::{ID, LEFT_OUT, MERGED, OWNER, owner_code, tag};
use crate::snapshot::{CoverageView, GeometryRef, Layer};

/// Things drawn as ground are worth drawing from here on.
const LOWEST_ZOOM_OF_GROUND: u8 = 13;
/// From here on all of it is drawn for itself; before, ground whose box has fewer square tile
/// units than these is merged to blocks: one pixel of a 512-pixel tile.
const WHOLE_ZOOM: u8 = 15;
const LEAST_SQUARE_UNITS: i64 = 64;

/// Points begin between these, by how dense they are.
const LOWEST_ZOOMS_OF_POINTS: std::ops::RangeInclusive<u8> = 8..=14;
/// Tile units that each point has to itself, on average, at the lowest zoom.
const ROOM_OF_A_POINT: f64 = 40.0;

/// A layer's features in one tile.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) left_out: u32,
}

/// The lowest zoom of a layer that lies on the ground of `extent`.
pub(super) fn lowest_zoom(layer: &Layer, extent: Bounds) -> u8 {
    let first = layer.iter().next().and_then(|ix| layer.geometry(ix));
    if !matches!(first, Some(GeometryRef::Point(_))) || extent.is_empty() {
        return LOWEST_ZOOM_OF_GROUND;
    }
    let degrees = |a: i32, b: i32| (f64::from(b) - f64::from(a)) * 1e-7;
    let middle = (f64::from(extent.min.y) + f64::from(extent.max.y)) / 2.0 * 1e-7;
    let ground = degrees(extent.min.x, extent.max.x) * degrees(extent.min.y, extent.max.y) / middle.to_radians().cos();
    let room_at_zoom_0 = (ground / layer.len() as f64).sqrt() / 360.0 * f64::from(tiles::EXTENT);
    let (first, last) = (*LOWEST_ZOOMS_OF_POINTS.start(), *LOWEST_ZOOMS_OF_POINTS.end());
    (first..last).find(|z| room_at_zoom_0 * f64::from(*z).exp2() >= ROOM_OF_A_POINT).unwrap_or(last)
}

/// The box that a feature's box meets where the feature may be in a tile.
pub(super) fn shown_by(tile: TileCoord, datum: Datum) -> Bounds {
    let b = tile.lattice_box(BUFFER);
    let reach = datum.reach_e7();
    Bounds {
        min: Point::new(b.min_lon_e7.saturating_sub(reach), b.min_lat_e7.saturating_sub(reach)),
        max: Point::new(b.max_lon_e7.saturating_add(reach), b.max_lat_e7.saturating_add(reach)),
    }
}

/// What is drawn, and of what.
pub(super) struct Sheet<'a> {
    pub(super) layer: &'a Layer,
    /// The footprints of the layer's base.
    pub(super) footprints: &'a Footprints,
    pub(super) choice: &'a Choice,
    /// A coverage and its place in the snapshot: each feature says the code of its owner there.
    pub(super) owners: Option<(usize, &'a CoverageView)>,
    pub(super) datum: Datum,
}

/// Draws a layer into a tile, in at most `limit` bytes.
pub(super) fn draw(scratch: &mut Scratch, sheet: &Sheet<'_>, tile: TileCoord, limit: usize) -> Drawn {
    let Sheet { layer, footprints, choice, owners, datum } = *sheet;
    // It was made ready once before, when it was chosen.
    let (Some(grid), Ok(filter)) = (Grid::of(tile.z()), choice.of_features(layer, owners)) else {
        return Drawn::default();
    };
    let shown = GridBox::of_tile(tile);
    let later = Footprints::of(layer, layer.later_within(shown_by(tile, datum)), datum);
    let is_let_through = |f: &&Footprint| filter.as_ref().is_none_or(|filter| filter.passes(f.row as usize));
    let old = footprints.meeting(grid, shown).filter(|f| layer.has(f.row as usize)).map(|f| (footprints, f));
    let new = later.meeting(grid, shown).map(|f| (&later, f));
    let mut found: Vec<(&Footprints, &Footprint)> = old.chain(new).filter(|(_, f)| is_let_through(f)).collect();
    found.sort_by_key(|(_, f)| f.order());

    let met = found.len();
    let mut merged = Blocks::default();
    if tile.z() < WHOLE_ZOOM {
        let least = (LEAST_SQUARE_UNITS * grid.unit() * grid.unit()) as u64;
        let is_small = |f: &Footprint| f.kind == GeometryKind::Polygon && f.bounds.area() < least;
        merged = blocks(grid, shown, found.iter().map(|(_, f)| *f).filter(|f| is_small(f)));
        found.retain(|(_, f)| !is_small(f));
    }
    let fields = choice.shown_fields(layer);
    let mut names: Vec<&str> = fields.iter().map(|f| &*layer.fields()[*f].name).collect();
    let special = names.len() as u32;
    names.extend([ID, OWNER, LEFT_OUT, MERGED]);
    // Texts are numbered: the layer's symbols, then the owners' codes.
    let codes_from = layer.symbols();
    let texts = codes_from + owners.map_or(0, |(_, view)| view.coverage.area_slots());

    let space = TileSpace::new(tile);
    let (mut shape, mut tags) = (Shape::new(), Vec::with_capacity(names.len()));
    // All of them as a rule; else the largest as far as there is room, and how many that is is
    // known before the first, which says it.
    let mut pass = Pass::All;
    loop {
        let left_out = (met - found.len()) as u32 - merged.merged;
        let mut writer = LayerWriter::new(scratch, &names, texts);
        let mut told = (left_out > 0).then_some(left_out);
        let mut room_for = None;
        if !merged.polygons.is_empty() {
            shape.clear();
            merged.polygons.iter().for_each(|polygon| shape.push_polygon(polygon, tile));
            tags.clear();
            tags.extend(told.take().map(|n| (special + 2, TagValue::Integer(n.into()))));
            tags.push((special + 3, TagValue::Integer(merged.merged.into())));
            writer.feature(merged.number.into(), GeometryKind::Polygon, &shape, tags.iter().copied());
        }
        for (i, (of, footprint)) in found.iter().enumerate() {
            if writer.bytes() > limit && pass != Pass::Kept {
                room_for = Some(i);
                break;
            }
            shape.clear();
            of.draw(footprint, &mut shape, &space);
            if shape.is_empty() {
                continue;
            }
            let row = footprint.row as usize;
            tags.clear();
            for (key, field) in (0..).zip(&fields) {
                if let Some(value) = tag(layer.value(row, *field)) {
                    tags.push((key, value));
                }
            }
            tags.push((special, TagValue::Unique(layer.id(row))));
            if let Some((slot, code)) = owner_code(layer, row, owners) {
                tags.push((special + 1, TagValue::Text((codes_from + slot) as u32, code)));
            }
            tags.extend(told.take().map(|n| (special + 2, TagValue::Integer(n.into()))));
            writer.feature(u64::from(footprint.number), footprint.kind, &shape, tags.iter().copied());
        }
        match (pass, room_for) {
            (_, None) => return Drawn { bytes: writer.finish(layer.name()), left_out },
            (Pass::All, Some(_)) => {
                found.sort_unstable_by_key(|(_, f)| rank(f));
                pass = Pass::Largest;
            }
            (Pass::Largest | Pass::Kept, Some(most)) => {
                found.truncate(most);
                found.sort_by_key(|(_, f)| f.order());
                pass = Pass::Kept;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// In the order of the curve, as if there were room for all.
    All,
    /// The largest first, to see how many there is room for.
    Largest,
    /// Those alone.
    Kept,
}

/// The place of a feature in the queue: ground by the size of its box, the largest
/// first, then lines, then points.
fn rank(footprint: &Footprint) -> (u64, u32) {
    let size = match footprint.kind {
        GeometryKind::Point => 0,
        GeometryKind::Line | GeometryKind::Polygon => footprint.bounds.area().saturating_add(1),
    };
    (u64::MAX - size, footprint.number)
}
