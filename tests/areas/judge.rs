//! What a tile of areas must be, said without a word of how it is made.

use std::collections::{BTreeMap, BTreeSet};

use tiles::TileCoord;

use crate::support::{decode, twice_area};

/// A place on the zoom's grid, the same in every tile of the zoom.
pub(crate) type Place = (i32, i32);
pub(crate) type Edge = (Place, Place);
/// From the north-western corner to the south-eastern.
pub(crate) type Square = (Place, Place);

/// One decoded layer of areas, its vertices on the zoom's grid.
pub(crate) struct Sheet {
    tile: TileCoord,
    rim: Square,
    /// The rings of each area, as they stand in the tile.
    areas: BTreeMap<u64, Vec<Vec<Place>>>,
}

/// The ground that two tiles beside each other both show.
pub(crate) fn band(a: TileCoord, b: TileCoord) -> Square {
    let (a, b) = (shown(a), shown(b));
    ((a.0.0.max(b.0.0), a.0.1.max(b.0.1)), (a.1.0.min(b.1.0), a.1.1.min(b.1.1)))
}

fn shown(tile: TileCoord) -> Square {
    let (x, y) = (tile.x() as i32 * 4096, tile.y() as i32 * 4096);
    ((x - 64, y - 64), (x + 4160, y + 4160))
}

fn is_in(p: Place, (min, max): Square) -> bool {
    min.0 <= p.0 && p.0 <= max.0 && min.1 <= p.1 && p.1 <= max.1
}

/// Whether an edge lies on one of a square's sides.
fn is_on((a, b): Edge, (min, max): Square) -> bool {
    a.0 == b.0 && (a.0 == min.0 || a.0 == max.0) || a.1 == b.1 && (a.1 == min.1 || a.1 == max.1)
}

fn side(a: Place, b: Place, c: Place) -> i64 {
    let of = |p: Place| [i64::from(p.0), i64::from(p.1)];
    let [a, b, c] = [a, b, c].map(of);
    ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])).signum()
}

impl Sheet {
    pub(crate) fn read(bytes: &[u8], tile: TileCoord) -> Self {
        let layers = decode(bytes).unwrap();
        crate::support::judge_shapes(&layers, 64).unwrap();
        let place = |p: &Place| (p.0 + tile.x() as i32 * 4096, p.1 + tile.y() as i32 * 4096);
        let rings = |parts: &Vec<Vec<Place>>| parts.iter().map(|r| r.iter().map(place).collect()).collect();
        let areas = layers[0].features.iter().map(|f| (f.id.unwrap(), rings(&f.parts))).collect();
        Self { tile, rim: shown(tile), areas }
    }

    pub(crate) fn features(&self) -> usize {
        self.areas.len()
    }

    pub(crate) fn twice_area(&self) -> i64 {
        self.areas.values().flatten().map(|ring| self.size(ring)).sum()
    }

    fn size(&self, ring: &[Place]) -> i64 {
        let near: Vec<Place> = ring.iter().map(|p| (p.0 - self.rim.0.0, p.1 - self.rim.0.1)).collect();
        twice_area(&near)
    }

    /// All edges with the area that they are around.
    fn edges(&self) -> impl Iterator<Item = (u64, Edge)> {
        let rings = self.areas.iter().flat_map(|(id, rings)| rings.iter().map(move |r| (*id, r)));
        rings.flat_map(|(id, r)| (0..r.len()).map(move |i| (id, (r[i], r[(i + 1) % r.len()]))))
    }

    /// The edges off the rim, whichever way they are walked.
    pub(crate) fn edges_either_way(&self) -> BTreeSet<Edge> {
        let inside = self.edges().map(|e| e.1).filter(|e| !is_on(*e, self.rim));
        inside.map(|(a, b)| (a.min(b), a.max(b))).collect()
    }

    /// The edges off the rim that have an area at one side only.
    pub(crate) fn edges_walked_once(&self) -> BTreeSet<Edge> {
        let all: BTreeSet<Edge> = self.edges().map(|e| e.1).filter(|e| !is_on(*e, self.rim)).collect();
        all.iter().copied().filter(|(a, b)| !all.contains(&(*b, *a))).collect()
    }

    /// The edges of each area in a square and off its sides.
    pub(crate) fn edges_in(&self, square: Square) -> BTreeSet<(u64, Edge)> {
        self.edges().filter(|(_, e)| is_in(e.0, square) && is_in(e.1, square) && !is_on(*e, square)).collect()
    }

    /// Shells clockwise on the screen, each followed by its holes, which lie in it; rings
    /// that pass no place twice.
    pub(crate) fn judge_polygons(&self) {
        for (id, rings) in &self.areas {
            let mut shell: &[Place] = &[];
            for ring in rings {
                let places: BTreeSet<_> = ring.iter().collect();
                assert_eq!(places.len(), ring.len(), "{}: area {id} passes a place twice: {ring:?}", self.tile);
                if self.size(ring) > 0 {
                    shell = ring;
                    continue;
                }
                assert!(!shell.is_empty(), "{}: area {id} begins with a hole", self.tile);
                let middle = (ring[0].0 + ring[1].0, ring[0].1 + ring[1].1);
                assert!(holds(shell, middle), "{}: a hole of area {id} is not in its shell", self.tile);
            }
        }
    }

    /// Edges meet in their ends only, and have at most one area at each side.
    pub(crate) fn judge_planarity(&self) {
        let mut sides: BTreeSet<Edge> = BTreeSet::new();
        for (id, edge) in self.edges() {
            assert!(sides.insert(edge), "{}: two areas, one of them {id}, have the edge {edge:?}", self.tile);
        }
        // A square of cells; edges that meet do so in a cell that both enter.
        const CELL: i32 = 96;
        let cell = |p: Place| ((p.0 - self.rim.0.0) / CELL, (p.1 - self.rim.0.1) / CELL);
        let mut cells: BTreeMap<(i32, i32), Vec<Edge>> = BTreeMap::new();
        let mut all: Vec<Edge> = sides.iter().map(|(a, b)| (*a.min(b), *a.max(b))).collect();
        all.sort_unstable();
        all.dedup();
        for edge in all {
            let (p, q) = (cell(edge.0), cell(edge.1));
            for x in p.0.min(q.0)..=p.0.max(q.0) {
                for y in p.1.min(q.1)..=p.1.max(q.1) {
                    cells.entry((x, y)).or_default().push(edge);
                }
            }
        }
        for edges in cells.values() {
            for (i, e) in edges.iter().enumerate() {
                for f in &edges[..i] {
                    assert!(!meet(*e, *f), "{}: {e:?} and {f:?} meet between their ends", self.tile);
                }
            }
        }
    }
}

/// Whether two edges have a place in common that is not an end of both.
fn meet(e: Edge, f: Edge) -> bool {
    let holds = |(a, b): Edge, p: Place| {
        p != a && p != b && is_in(p, ((a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1)))) && side(a, b, p) == 0
    };
    let cross = side(e.0, e.1, f.0) * side(e.0, e.1, f.1) < 0 && side(f.0, f.1, e.0) * side(f.0, f.1, e.1) < 0;
    cross || holds(e, f.0) || holds(e, f.1) || holds(f, e.0) || holds(f, e.1)
}

/// Whether a ring holds a place in half units.
fn holds(ring: &[Place], (x, y): Place) -> bool {
    let mut inside = false;
    for (i, b) in ring.iter().enumerate() {
        let a = ring[(i + ring.len() - 1) % ring.len()];
        let (low, high) = if a.1 <= b.1 { (a, *b) } else { (*b, a) };
        let [low, high] = [low, high].map(|p| (p.0 * 2, p.1 * 2));
        inside ^= low.1 <= y && y < high.1 && side(low, high, (x, y)) < 0;
    }
    inside
}
