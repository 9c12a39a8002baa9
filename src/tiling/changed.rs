//! Where tiles of areas are others than before an edit.
//!
//! A level's picture differs where an edge between two of its areas came, went or moved,
//! where ground changed hands, and where an area is called otherwise. Ground that an area
//! gained or lost lies within the edges that it gained and lost, and these hang together:
//!
//! ```text
//!    o────old────o        boxes around single edges may leave out the ground between,
//!    │ · · · · · │        that around all that meet does not
//!    o~~~~new~~~~o
//! ```
//!
//! Invariant: a tile that none of the boxes meets has the same bytes in both states.
//! Boxes are kept by zoom, as what is drawn differs from zoom to zoom.

use std::collections::BTreeSet;

use boundaries::{AreaId, BorderId, Bounds, Coverage, Difference, FaceId, HalfEdge, Level};
use tiles::{GridBox, TileCoord, World};

use super::areas::AreaTiles;
use super::ground::{AreaGround, Ground};
use super::lines::WorldBox;
use super::zoom::ZoomLines;

/// With more boxes than these, one around all of them is as good.
const MOST_BOXES: usize = 512;

/// Units around a line in which others are put on the grid with it.
const AROUND: i32 = 2;

/// Where the tiles of a coverage may differ from those of an earlier state.
#[derive(Debug)]
pub struct Changed {
    levels: Vec<OfLevel>,
    ground: Option<Vec<Bounds>>,
}

#[derive(Debug, Default)]
struct OfLevel {
    /// By zoom; `None` where nothing is known, because not both states were drawn there.
    areas: Vec<Option<Vec<GridBox>>>,
    /// Where names stood or stand; `None` where nothing is known.
    names: Option<Vec<World>>,
    /// On the lattice, around all of these; `None` where anything that is seen isn't known.
    ground: Option<Vec<Bounds>>,
}

impl Changed {
    /// What is known of states that have nothing to do with each other.
    pub(super) fn anywhere() -> Self {
        Self { levels: Vec::new(), ground: None }
    }

    /// Boxes on the lattice within which everything lies that is drawn otherwise, at whatever
    /// zoom that is seen, give or take two units of the zoom's tiles; `None` where that is not known.
    #[must_use]
    pub fn ground(&self) -> Option<&[Bounds]> {
        self.ground.as_deref()
    }

    /// Whether the areas of a level in a tile may be others.
    #[must_use]
    pub fn areas(&self, level: Level, tile: TileCoord) -> bool {
        let of_zoom = self.levels.get(usize::from(level.0)).and_then(|l| l.areas.get(usize::from(tile.z())));
        let shown = GridBox::of_tile(tile);
        of_zoom.and_then(Option::as_ref).is_none_or(|boxes| boxes.iter().any(|b| b.meets(shown)))
    }

    /// Whether the names of a level in a tile may be others.
    #[must_use]
    pub fn names(&self, level: Level, tile: TileCoord) -> bool {
        let names = self.levels.get(usize::from(level.0)).and_then(|l| l.names.as_ref());
        let grid = tiles::Grid::of(tile.z());
        let shown = GridBox::of_tile(tile);
        match (names, grid) {
            (Some(places), Some(grid)) => places.iter().any(|p| shown.contains(grid.round(*p))),
            _ => true,
        }
    }
}

impl AreaTiles {
    /// Where tiles may differ from those of an earlier state; what this one has not drawn
    /// yet is not known to be the same. `touched` are the areas, by level, whose ground may differ.
    pub(super) fn changed_since(&self, old: &Self, difference: &Difference, touched: &[BTreeSet<AreaId>]) -> Changed {
        let of_level = |(level, touched)| self.level_since(old, Level(level as u8), difference, touched);
        let mut levels: Vec<OfLevel> = touched.iter().enumerate().map(of_level).collect();
        let grounds: Option<Vec<Vec<Bounds>>> = levels.iter_mut().map(|level| level.ground.take()).collect();
        Changed { levels, ground: grounds.map(|all| boundaries::together(all.concat())) }
    }

    fn level_since(&self, old: &Self, level: Level, difference: &Difference, touched: &BTreeSet<AreaId>) -> OfLevel {
        let at = usize::from(level.0);
        let [before, after] = [old, self].map(|tiles| tiles.levels.get(at).and_then(|l| l.ground.get()));
        let (Some(before), Some(after)) = (before, after) else { return OfLevel::default() };
        let states = [(old, before), (self, after)];
        let renamed = renamed(&old.coverage, &self.coverage, difference, level);

        let ground_of = |id: &AreaId| states.map(|(_, ground)| ground.area(*id)).into_iter().flatten();
        let whole: Vec<WorldBox> = renamed.iter().flat_map(ground_of).map(|area| area.bounds).collect();

        let suspects = self.suspects(old, level, difference);
        let mut drawn: BTreeSet<BorderId> = renamed.iter().flat_map(ground_of).flat_map(AreaGround::borders).collect();
        let areas: Vec<Option<Vec<GridBox>>> = (old.zooms.iter().zip(&self.zooms))
            .map(|(before, after)| {
                let (before, after) = (before.get()?.as_ref()?, after.get()?.as_ref()?);
                let mut boxes: Vec<GridBox> = whole.iter().map(|b| b.on(after.grid())).collect();
                boxes.extend(moved(level, [(old, before), (self, after)], &suspects, &mut drawn));
                Some(together(boxes))
            })
            .collect();

        let is_named = before.areas().iter().any(|area| area.is_labelled());
        let names = is_named.then(|| {
            let place = |(tiles, ground): (&Self, &Ground), id: AreaId| {
                ground.area(id).and_then(|area| area.label(&tiles.coverage))
            };
            let mut places = Vec::new();
            for &id in touched.union(&renamed) {
                let [before, after] = states.map(|state| place(state, id));
                if before != after || renamed.contains(&id) {
                    places.extend(before.into_iter().chain(after));
                }
            }
            places
        });

        let lowest = before.lowest_zoom().min(after.lowest_zoom());
        let is_known =
            areas.iter().take(usize::from(super::DETAIL_ZOOM) + 1).skip(usize::from(lowest)).all(Option::is_some);
        let ground = names.as_ref().filter(|_| is_known).map(|places| {
            let around = |(tiles, _): (&Self, &Ground), id| {
                tiles.coverage.border(id).map(|border| Bounds::of(border.line.iter().copied()))
            };
            let lines = drawn.iter().flat_map(|id| states.map(|state| around(state, *id))).flatten();
            lines.chain(places.iter().map(|p| Bounds::of([*p]))).collect()
        });
        let names = names.map(|places| places.into_iter().map(|p| self.datum.project(p)).collect());
        OfLevel { areas, names, ground }
    }

    /// The borders whose lines may part other areas of a level than before, or run otherwise.
    fn suspects(&self, old: &Self, level: Level, difference: &Difference) -> BTreeSet<BorderId> {
        let mut borders: BTreeSet<BorderId> = difference.borders.iter().copied().collect();
        let states = [old, self].map(|tiles| &tiles.coverage);
        // An area that was put below another took its ground there.
        let moved = difference.areas.iter().filter(|id| {
            let [before, after] = states.map(|coverage| coverage.ancestor_at(**id, level));
            before != after
        });
        let grounds = moved.flat_map(|id| states.map(|coverage| coverage.ground(*id))).flatten();
        for face in grounds.chain(difference.faces.iter().copied()) {
            let [before, after] = states.map(|coverage| coverage.owner_at(face, level));
            if before != after {
                borders.extend(states.into_iter().flat_map(|coverage| around(coverage, face)));
            }
        }
        borders
    }
}

/// The borders around a face; none where there is no such face.
fn around(coverage: &Coverage, face: FaceId) -> impl Iterator<Item = BorderId> {
    let rings = coverage.face(face).is_some().then(|| coverage.rings(face)).into_iter().flatten();
    rings.flat_map(|ring| coverage.ring(ring)).map(HalfEdge::border)
}

/// The areas of a level that both states have, and that tiles call otherwise.
fn renamed(old: &Coverage, new: &Coverage, difference: &Difference, level: Level) -> BTreeSet<AreaId> {
    // A tile names the parent's code as well.
    let children = difference.areas.iter().flat_map(|id| new.children(*id)).copied();
    let called = |coverage: &Coverage, id: AreaId| {
        let area = coverage.area(id).filter(|area| area.level == level)?;
        let parent = area.parent.and_then(|p| coverage.area(p)).map(|p| p.code.clone());
        Some((area.code.clone(), area.name.clone(), area.kind.clone(), parent))
    };
    let is_renamed = |id: &AreaId| matches!((called(old, *id), called(new, *id)), (Some(a), Some(b)) if a != b);
    difference.areas.iter().copied().chain(children).filter(is_renamed).collect()
}

/// Boxes around the lines between areas of a level that are drawn otherwise at a zoom; their
/// borders are put with the others.
fn moved(
    level: Level,
    states: [(&AreaTiles, &ZoomLines); 2],
    suspects: &BTreeSet<BorderId>,
    borders: &mut BTreeSet<BorderId>,
) -> Vec<GridBox> {
    let [(_, before), (_, after)] = states;
    let others = after.other_than(before);
    let mut boxes = Vec::new();
    for &id in suspects.iter().chain(others.iter().filter(|id| !suspects.contains(id))) {
        let [old, new] = states.map(|(tiles, lines)| {
            let border = tiles.coverage.border(id)?;
            let sides = [border.left, border.right].map(|face| tiles.coverage.owner_at(face, level));
            let bounds = tiles.lines.bounds(id);
            (sides[0] != sides[1]).then_some((sides, bounds, lines.line(id)))
        });
        if old == new {
            continue;
        }
        borders.insert(id);
        for (_, bounds, line) in old.into_iter().chain(new) {
            let drawn = GridBox::around(line.iter().copied());
            boxes.push(bounds.on(after.grid()).union(drawn).grown(AROUND));
        }
    }
    boxes
}

/// Boxes that meet become one.
fn together(mut boxes: Vec<GridBox>) -> Vec<GridBox> {
    if boxes.len() > MOST_BOXES {
        return vec![boxes.into_iter().fold(GridBox::EMPTY, GridBox::union)];
    }
    let mut apart: Vec<GridBox> = Vec::new();
    while let Some(mut grown) = boxes.pop() {
        while let Some(i) = apart.iter().position(|b| b.meets(grown)) {
            grown = grown.union(apart.swap_remove(i));
        }
        apart.push(grown);
    }
    apart
}
