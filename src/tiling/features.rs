//! A layer of features (buildings, party units, workers, events, anything else) as a
//! tile layer.
//!
//! A tile has a limit in bytes. Where a layer passes it, the largest features go in
//! first (points: the earliest), and the first feature says in `left_out` how many
//! had to stay out.

use boundaries::{Bounds, Point};
use tiles::{BUFFER, GeometryKind, LayerWriter, Role, Scratch, Shape, TagValue, TileCoord, TileSpace};

use super::choice::Choice;
use super::datum::Datum;
use super::shown::{ID, LEFT_OUT, OWNER, owner_code, tag};
use crate::snapshot::{CoverageView, GeometryRef, Layer};

/// Things drawn as ground are worth drawing from here on.
const LOWEST_ZOOM_OF_GROUND: u8 = 13;
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

/// Draws a layer into a tile, in at most `limit` bytes. `owners` is a coverage and its
/// place in the snapshot: each feature says the code of its owner there.
pub(super) fn draw(
    scratch: &mut Scratch,
    layer: &Layer,
    choice: &Choice,
    owners: Option<(usize, &CoverageView)>,
    tile: TileCoord,
    datum: Datum,
    limit: usize,
) -> Drawn {
    // It was made ready once before, when it was chosen.
    let Ok(filter) = choice.of_features(layer, owners) else { return Drawn::default() };
    let is_let_through = |ix: &usize| filter.as_ref().is_none_or(|filter| filter.passes(*ix));
    let mut found: Vec<(u64, u32, usize)> = layer
        .within(shown_by(tile, datum))
        .filter(is_let_through)
        .map(|ix| (rank(layer.geometry(ix)), layer.number(ix), ix))
        .collect();
    found.sort_unstable();

    let fields = choice.shown_fields(layer);
    let mut names: Vec<&str> = fields.iter().map(|f| &*layer.fields()[*f].name).collect();
    let [id_key, owner_key, left_out_key] = [0, 1, 2].map(|i| (names.len() + i) as u32);
    names.extend([ID, OWNER, LEFT_OUT]);
    // Texts are numbered: the layer's symbols, then the owners' codes, then the ids.
    let (codes_from, slots) = (layer.symbols(), owners.map_or(0, |(_, view)| view.coverage.area_slots()));
    let ids_from = codes_from + slots;
    let texts = ids_from + found.iter().map(|(_, _, ix)| ix + 1).max().unwrap_or(0);

    let space = TileSpace::new(tile);
    let mut shape = Shape::new();
    let tags = |ix: usize, left_out: Option<u32>| {
        let owner = owner_code(layer, ix, owners).map(|(slot, code)| TagValue::Text((codes_from + slot) as u32, code));
        let id = TagValue::Text((ids_from + ix) as u32, layer.id(ix));
        let of_field = |(key, field): (usize, &usize)| tag(layer.value(ix, *field)).map(|value| (key as u32, value));
        fields.iter().enumerate().filter_map(of_field).collect::<Vec<_>>().into_iter().chain(
            [
                Some((id_key, id)),
                owner.map(|o| (owner_key, o)),
                left_out.map(|n| (left_out_key, TagValue::Integer(n.into()))),
            ]
            .into_iter()
            .flatten(),
        )
    };

    // Without a word about what is left out first: as a rule, nothing is.
    let mut keep = found.len();
    for attempt in 0..2 {
        let left_out = (found.len() - keep) as u32;
        let mut writer = LayerWriter::new(scratch, &names, texts);
        let mut first = Some(left_out).filter(|n| *n > 0);
        for (written, &(_, _, ix)) in found[..keep].iter().enumerate() {
            if writer.bytes() > limit && attempt == 0 {
                keep = written;
                break;
            }
            shape.clear();
            let Some(geometry) = layer.geometry(ix) else { continue };
            let kind = outline(&mut shape, geometry, datum, &space);
            if writer.feature(u64::from(layer.number(ix)), kind, &shape, tags(ix, first)) {
                first = None;
            }
        }
        if keep == found.len() || attempt == 1 {
            return Drawn { bytes: writer.finish(layer.name()), left_out };
        }
    }
    Drawn::default()
}

/// The place of a feature in the queue: ground by the size of its box, the largest
/// first, then lines, then points.
fn rank(geometry: Option<GeometryRef<'_>>) -> u64 {
    match geometry {
        Some(GeometryRef::Point(_)) | None => u64::MAX,
        Some(other) => {
            let b = other.bounds();
            let side = |a: i32, b: i32| (i64::from(b) - i64::from(a)).max(0) as u64;
            (u64::MAX - 1).saturating_sub(side(b.min.x, b.max.x).saturating_mul(side(b.min.y, b.max.y)))
        }
    }
}

/// Puts a geometry into a shape.
fn outline(shape: &mut Shape, geometry: GeometryRef<'_>, datum: Datum, space: &TileSpace) -> GeometryKind {
    let locate = |p: Point| space.locate(datum.project(p));
    let along = |points: &[Point]| -> Vec<_> {
        let ways = points.iter().enumerate().map(|(i, p)| (i.checked_sub(1).map(|before| points[before]), *p));
        ways.flat_map(|(before, p)| before.into_iter().flat_map(move |b| datum.between(b, p)).chain([p]))
            .map(locate)
            .collect()
    };
    match geometry {
        GeometryRef::Point(p) => {
            shape.push_point(locate(p));
            GeometryKind::Point
        }
        GeometryRef::Lines(parts) => {
            parts.iter().for_each(|part| shape.push_line(along(part.points)));
            GeometryKind::Line
        }
        GeometryRef::Polygons(parts) => {
            for part in parts.iter() {
                let role = if part.is_hole { Role::Hole } else { Role::Shell };
                let closing = part.points.last().zip(part.points.first());
                let back = closing.into_iter().flat_map(|(last, first)| datum.between(*last, *first)).map(locate);
                shape.push_ring(role, along(part.points).into_iter().chain(back));
            }
            GeometryKind::Polygon
        }
    }
}
