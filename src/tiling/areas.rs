//! The areas of a coverage as tile layers.
//!
//! What every tile needs is made once for a coverage, each on its first use: its lines
//! on the world grid, the lines of a zoom, the ground of a level, and of both together the
//! ground that had to be traced anew. A tile then walks what meets it:
//!
//! ```text
//!   coverage ─▶ lines ─┬─▶ lines of a zoom ─┬─▶ traced ─▶ tile
//!                      └─▶ ground of a level ┘
//! ```
//!
//! An edit makes new only what it touched of each. Both sides of a border read the same
//! vertices, so areas share every vertex at every zoom, and all levels do.

use std::sync::{Arc, OnceLock};

use boundaries::{AreaId, Coverage, HalfEdge, Level};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tiles::{
    Cut, GeometryKind, GridBox, GridPoint, GridPolygon, LayerWriter, Scratch, Shape, TagValue, TileCoord, TileSpace,
};

use super::changed::Changed;
use super::datum::Datum;
use super::ground::{AreaGround, Ground, GroundPart, beside, touched};
use super::lines::Lines;
use super::traced::Traced;
use super::zoom::ZoomLines;
use crate::filter::AreaFilter;

/// The names of the attributes of areas and labels, by key number.
pub(super) const KEYS: [&str; 4] = ["code", "name", "parent", "kind"];
const CODE: u32 = 0;
const NAME: u32 = 1;
const PARENT: u32 = 2;
const KIND: u32 = 3;

/// Zooms that are served, and levels.
const ZOOMS: usize = super::MAX_ZOOM as usize + 1;

/// Everything that tiles need of one coverage in one datum.
#[derive(Debug)]
pub struct AreaTiles {
    pub(super) coverage: Coverage,
    pub(super) datum: Datum,
    pub(super) lines: Lines,
    pub(super) zooms: [OnceLock<Option<ZoomLines>>; ZOOMS],
    pub(super) levels: Vec<LevelTiles>,
    kinds: Arc<Kinds>,
    /// Set once all that [`prepare`](Self::prepare) works out is there.
    whole: OnceLock<()>,
}

/// The kinds of areas, numbered as they are met.
#[derive(Debug)]
struct Kinds {
    names: Vec<Arc<str>>,
    /// The number of each area's kind.
    of: Vec<u32>,
}

#[derive(Debug, Default)]
pub(super) struct LevelTiles {
    pub(super) ground: OnceLock<Ground>,
    traced: [OnceLock<Traced>; ZOOMS],
}

/// What a tile of a level is made of.
struct Sheet<'a> {
    ground: &'a Ground,
    lines: &'a ZoomLines,
    traced: &'a Traced,
    shown: GridBox,
}

impl AreaTiles {
    /// Prepares a coverage for tiles in a datum.
    #[must_use]
    pub fn new(coverage: &Coverage, datum: Datum) -> Self {
        let levels = coverage.levels().iter().map(|_| LevelTiles::default()).collect();
        Self {
            coverage: coverage.clone(),
            datum,
            lines: Lines::draw(coverage, datum),
            zooms: std::array::from_fn(|_| OnceLock::new()),
            levels,
            kinds: Arc::new(Kinds::of(coverage)),
            whole: OnceLock::new(),
        }
    }

    /// Prepares a coverage that came from this one by an edit: makes new what the edit
    /// touched of all that has been in use. And says where tiles may differ for it.
    #[must_use]
    pub fn updated(&self, coverage: &Coverage) -> (Self, Changed) {
        if coverage.levels() != self.coverage.levels() {
            return (Self::new(coverage, self.datum), Changed::anywhere());
        }
        let difference = coverage.difference(&self.coverage);
        let (lines, changed) = self.lines.updated(&self.coverage, coverage, &difference);
        let levels: Vec<LevelTiles> = self.levels.iter().map(|_| LevelTiles::default()).collect();
        let zooms: [OnceLock<Option<ZoomLines>>; ZOOMS] = std::array::from_fn(|_| OnceLock::new());
        let touched: Vec<_> =
            (0..levels.len()).map(|level| touched(&self.coverage, coverage, &difference, Level(level as u8))).collect();
        for ((old, new), touched) in self.levels.iter().zip(&levels).zip(&touched) {
            if let Some(old) = old.ground.get() {
                new.ground.get_or_init(|| old.updated(coverage, &lines, touched));
            }
        }
        (0..ZOOMS).into_par_iter().with_max_len(1).for_each(|z| {
            let Some(Some(old_zoom)) = self.zooms[z].get() else { return };
            let (zoom, again) = old_zoom.updated(&self.lines, &lines, &changed);
            for (i, (old, new)) in self.levels.iter().zip(&levels).enumerate() {
                let (Some(old), Some(ground)) = (old.traced[z].get(), new.ground.get()) else { continue };
                let mut areas = touched[i].clone();
                for border in again.iter().filter_map(|id| coverage.border(*id)) {
                    areas.extend(beside(coverage, border, Level(i as u8)).into_iter().flatten());
                }
                new.traced[z].get_or_init(|| old.updated(ground, &zoom, &areas));
            }
            zooms[z].get_or_init(|| Some(zoom));
        });
        let kinds = match difference.areas.is_empty() {
            true => self.kinds.clone(),
            false => Arc::new(Kinds::of(coverage)),
        };
        // The names of what was touched are all that there is left to find.
        let whole = self.whole.clone();
        let new = Self { coverage: coverage.clone(), datum: self.datum, lines, zooms, levels, kinds, whole };
        let changed = new.changed_since(self, &difference, &touched);
        (new, changed)
    }

    /// Works out now what the first tiles of each level and zoom would else have to, and where
    /// names stand, on all threads of the pool that it is called in; ends early where it is
    /// no longer wanted.
    pub fn prepare(&self, is_wanted: &(dyn Fn() -> bool + Sync)) {
        let levels = || (0..self.levels.len()).map(|i| Level(i as u8));
        // What is worked out on several threads is so by itself: a thread that waits for others
        // may take up any work of its pool, and must not come to wait for its own.
        let grounds: Vec<_> = levels().take_while(|_| is_wanted()).filter_map(|level| self.ground(level)).collect();
        let lowest = grounds.iter().map(|ground| ground.lowest_zoom()).min().unwrap_or(super::DETAIL_ZOOM);
        // The longest first.
        let zooms: Vec<u8> = (lowest..=super::DETAIL_ZOOM).rev().collect();
        zooms.into_par_iter().with_max_len(1).filter(|_| is_wanted()).for_each(|z| _ = self.zoom(z));
        for (level, ground) in levels().zip(&grounds) {
            for z in (ground.lowest_zoom()..=super::DETAIL_ZOOM).take_while(|_| is_wanted()) {
                self.traced(level, z);
            }
            let areas = ground.areas().par_iter().filter(|_| is_wanted());
            areas.for_each(|area| _ = area.label(&self.coverage));
        }
        if is_wanted() {
            self.whole.get_or_init(|| ());
        }
    }

    /// Whether all that its tiles need has been worked out, names that an edit touched aside.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.get().is_some()
    }

    /// The same for some zooms and levels alone, names left out.
    pub(super) fn prepare_some(&self, levels: &[Level], zooms: std::ops::RangeInclusive<u8>) {
        levels.iter().for_each(|level| _ = self.ground(*level));
        zooms.clone().rev().collect::<Vec<_>>().into_par_iter().with_max_len(1).for_each(|z| _ = self.zoom(z));
        for level in levels {
            zooms.clone().for_each(|z| _ = self.traced(*level, z));
        }
    }

    /// Whether it is known from where on a level is seen.
    pub(super) fn knows_ground(&self, level: Level) -> bool {
        self.levels.get(usize::from(level.0)).is_none_or(|tiles| tiles.ground.get().is_some())
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
        self.ground(level).map_or(0, Ground::lowest_zoom)
    }

    /// The layer of a level's areas in a tile; `None` where there are none. Below the
    /// level's lowest zoom too it can be had: it shows areas nobody could tell apart.
    #[must_use]
    pub fn areas(&self, scratch: &mut Scratch, name: &str, level: Level, tile: TileCoord) -> Option<Vec<u8>> {
        self.areas_passing(scratch, name, level, tile, None)
    }

    /// The same of those areas alone that a filter lets through.
    #[must_use]
    pub fn areas_passing(
        &self,
        scratch: &mut Scratch,
        name: &str,
        level: Level,
        tile: TileCoord,
        filter: Option<&AreaFilter>,
    ) -> Option<Vec<u8>> {
        let sheet = self.sheet(level, tile)?;
        let mut writer = LayerWriter::new(scratch, &KEYS, self.texts());
        let mut shape = Shape::new();
        for area in sheet.ground.meeting(sheet.lines.grid(), sheet.shown) {
            if !self.is_let_through(filter, area) {
                continue;
            }
            shape.clear();
            sheet.draw(area, &mut shape, tile);
            writer.feature(u64::from(area.area.0), GeometryKind::Polygon, &shape, self.tags(area.area));
        }
        writer.finish(name)
    }

    fn is_let_through(&self, filter: Option<&AreaFilter>, area: &AreaGround) -> bool {
        filter.is_none_or(|filter| filter.passes(&self.coverage, area.area))
    }

    /// How many of a level's areas are not in a tile because nothing is left of them at
    /// its zoom.
    #[must_use]
    pub fn left_out(&self, level: Level, tile: TileCoord, filter: Option<&AreaFilter>) -> u32 {
        let Some(sheet) = self.sheet(level, tile).filter(|sheet| sheet.traced.loses_any()) else { return 0 };
        let met = sheet.ground.meeting(sheet.lines.grid(), sheet.shown);
        let is_lost = |area: &&AreaGround| sheet.traced.get(area.area).is_some_and(<[_]>::is_empty);
        met.filter(is_lost).filter(|area| self.is_let_through(filter, area)).count() as u32
    }

    /// The layer of the places for a level's names in a tile.
    #[must_use]
    pub fn labels(&self, scratch: &mut Scratch, name: &str, level: Level, tile: TileCoord) -> Option<Vec<u8>> {
        self.labels_passing(scratch, name, level, tile, None)
    }

    /// The same of those areas alone that a filter lets through.
    #[must_use]
    pub fn labels_passing(
        &self,
        scratch: &mut Scratch,
        name: &str,
        level: Level,
        tile: TileCoord,
        filter: Option<&AreaFilter>,
    ) -> Option<Vec<u8>> {
        let sheet = self.sheet(level, tile)?;
        let space = TileSpace::new(tile);
        let mut writer = LayerWriter::new(scratch, &KEYS, self.texts());
        let mut shape = Shape::new();
        for area in sheet.ground.meeting(sheet.lines.grid(), sheet.shown) {
            let is_shown = |part: &GroundPart| part.bounds.on(sheet.lines.grid()).meets(sheet.shown);
            if !area.largest().is_some_and(is_shown) || !self.is_let_through(filter, area) {
                continue;
            }
            let Some(p) = area.label(&self.coverage) else { continue };
            shape.clear();
            shape.push_point(space.locate(self.datum.project(p)));
            writer.feature(u64::from(area.area.0), GeometryKind::Point, &shape, self.tags(area.area));
        }
        writer.finish(name)
    }

    fn sheet(&self, level: Level, tile: TileCoord) -> Option<Sheet<'_>> {
        let (ground, lines) = (self.ground(level)?, self.zoom(tile.z())?);
        Some(Sheet { ground, lines, traced: self.traced(level, tile.z())?, shown: GridBox::of_tile(tile) })
    }

    fn zoom(&self, z: u8) -> Option<&ZoomLines> {
        self.zooms.get(usize::from(z))?.get_or_init(|| ZoomLines::draw(&self.lines, z)).as_ref()
    }

    fn ground(&self, level: Level) -> Option<&Ground> {
        let tiles = self.levels.get(usize::from(level.0))?;
        Some(tiles.ground.get_or_init(|| Ground::of(&self.coverage, &self.lines, level)))
    }

    fn traced(&self, level: Level, z: u8) -> Option<&Traced> {
        let (ground, lines) = (self.ground(level)?, self.zoom(z)?);
        let traced = self.levels.get(usize::from(level.0))?.traced.get(usize::from(z))?;
        Some(traced.get_or_init(|| Traced::of(ground, lines)))
    }

    /// One past the highest text number: codes, names, kinds.
    fn texts(&self) -> usize {
        self.coverage.area_slots() * 2 + self.kinds.names.len()
    }

    fn tags(&self, id: AreaId) -> impl Iterator<Item = (u32, TagValue<'_>)> {
        let slots = self.coverage.area_slots() as u32;
        let kind = self.kinds.of[id.0 as usize];
        let area = self.coverage.area(id);
        let code = |id: AreaId| Some(TagValue::Text(id.0, &self.coverage.area(id)?.code));
        [
            (CODE, code(id)),
            (NAME, area.map(|a| TagValue::Text(slots + id.0, &a.name))),
            (PARENT, area.and_then(|a| code(a.parent?))),
            (KIND, self.kinds.names.get(kind as usize).map(|k| TagValue::Text(2 * slots + kind, k))),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
    }
}

impl Kinds {
    fn of(coverage: &Coverage) -> Self {
        let mut known: FxHashMap<&str, u32> = FxHashMap::default();
        let mut kinds = Self { names: Vec::new(), of: vec![0; coverage.area_slots()] };
        for (id, area) in coverage.areas() {
            kinds.of[id.0 as usize] = *known.entry(&area.kind).or_insert_with(|| {
                kinds.names.push(area.kind.clone());
                kinds.names.len() as u32 - 1
            });
        }
        kinds
    }
}

impl Sheet<'_> {
    /// What of an area's ground is in the tile.
    fn draw(&self, area: &AreaGround, shape: &mut Shape, tile: TileCoord) {
        let traced = self.traced.get(area.area);
        if let Some([(bounds, polygon)]) = traced
            && self.shown.holds(*bounds)
        {
            return shape.push_polygon(polygon, tile);
        }
        if let (None, [part]) = (traced, area.parts.as_slice()) {
            let bounds = part.bounds.on(self.lines.grid());
            let mut rings = part.rings();
            if let (true, Some(shell), None) = (self.shown.holds(bounds), rings.next(), rings.next()) {
                return shape.push_traced(|points| self.lines.put_ring(shell, tile, points));
            }
        }
        // In the order of what is in the tile: what is done to an area beyond it must not change it.
        let mut pieces = self.pieces(area);
        pieces.sort_by_cached_key(|polygon| polygon.shell.iter().min().copied());
        pieces.iter().for_each(|polygon| shape.push_polygon(polygon, tile));
    }

    /// The same for an area that is cut, of several parts, with holes or traced.
    fn pieces(&self, area: &AreaGround) -> Vec<GridPolygon> {
        let mut pieces = Vec::new();
        if let Some(traced) = self.traced.get(area.area) {
            for (bounds, polygon) in traced {
                if self.shown.holds(*bounds) {
                    pieces.push(polygon.clone());
                } else if self.shown.meets(*bounds) {
                    let mut cut = Cut::at(self.shown);
                    polygon.rings().for_each(|ring| push_edges(&mut cut, ring));
                    pieces.extend(cut.finish_touching());
                }
            }
            return pieces;
        }
        for part in &area.parts {
            let bounds = part.bounds.on(self.lines.grid());
            if self.shown.holds(bounds) {
                let mut rings = part.rings().map(|ring| self.lines.ring(ring).collect::<Vec<_>>());
                let shell = rings.next().unwrap_or_default();
                let mut holes: Vec<_> = rings.collect();
                holes.sort_by_cached_key(|hole| hole.iter().min().copied());
                pieces.push(GridPolygon { shell, holes });
            } else if self.shown.meets(bounds) {
                pieces.extend(self.cut(part));
            }
        }
        pieces
    }

    /// A part whose half-edges say what it is, cut down to the tile.
    fn cut(&self, part: &GroundPart) -> Vec<GridPolygon> {
        let mut cut = Cut::at(self.shown);
        for ring in part.rings() {
            for h in ring.iter().rev() {
                self.push_line(&mut cut, *h);
            }
            cut.end_ring();
        }
        cut.finish()
    }

    /// The edges of a half-edge, walked back: tiles want the ground to the right on the screen.
    fn push_line(&self, cut: &mut Cut, h: HalfEdge) {
        let line = self.lines.line(h.border());
        let (Some(&first), Some(&last)) = (line.first(), line.last()) else { return };
        let bounds = self.lines.bounds(h.border());
        if cut.is_within(bounds) {
            return match h.is_forward() {
                true => cut.push_within(line.iter().rev().copied()),
                false => cut.push_within(line.iter().copied()),
            };
        }
        match (cut.is_beyond(bounds), h.is_forward()) {
            (true, true) => cut.push_beyond(last, first),
            (true, false) => cut.push_beyond(first, last),
            (false, true) => line.windows(2).rev().for_each(|w| cut.push(w[1], w[0])),
            (false, false) => line.windows(2).for_each(|w| cut.push(w[0], w[1])),
        }
    }
}

fn push_edges(cut: &mut Cut, ring: &[GridPoint]) {
    let Some(&(mut at)) = ring.last() else { return };
    for &p in ring {
        cut.push(at, p);
        at = p;
    }
    cut.end_ring();
}
