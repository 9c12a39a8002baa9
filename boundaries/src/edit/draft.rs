//! The part of the graph that an edit works on: some faces, opened, with all borders
//! around them.
//!
//! ```text
//!      ┌──────┬──────┐      opened faces are *cells*; borders, or pieces of them and of
//!      │ cell │ cell │      drawn lines, are *chains* between cells; a face that is only
//!      ├──────┴──────┤      seen across a border is a cell too, but not opened
//! ```
//!
//! Invariant: every border of an opened face is there as chains, once. So angles around a
//! node are complete as far as opened cells go, and cells can be traced again from them.
//! It must not know what an edit means.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::area::AreaId;
use crate::build::twice_area_along;
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point, by_angle};
use crate::locator::is_crossed;
use crate::topology::{BorderId, FaceId};

/// A piece of ground.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// The face that it is, or was cut out of.
    pub(super) face: FaceId,
    /// Who owned it.
    pub(super) was: Option<AreaId>,
    /// Who owns it.
    pub(super) owner: Option<AreaId>,
    /// Whether it is a piece, not the whole face.
    pub(super) is_piece: bool,
    /// Whether it is what lies around everything.
    pub(super) is_unbounded: bool,
    /// Twice its area.
    pub(super) twice_area: i128,
}

/// A line between two cells.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) line: Arc<[Point]>,
    /// The border that it is or was a piece of; `None` if drawn.
    pub(super) of: Option<BorderId>,
    /// The cells to the left and to the right.
    pub(super) sides: [u32; 2],
}

impl Chain {
    /// The first and second vertex in a direction.
    pub(super) fn start(&self, forward: bool) -> [Point; 2] {
        let n = self.line.len();
        if forward { [self.line[0], self.line[1]] } else { [self.line[n - 1], self.line[n - 2]] }
    }
}

/// A chain walked in one direction: `2 i` forward, `2 i + 1` back.
pub(super) type Half = u32;

/// See the module.
pub(super) struct Draft<'a> {
    pub(super) base: &'a Coverage,
    pub(super) cells: Vec<Cell>,
    pub(super) chains: Vec<Chain>,
    /// The cell of each face that is whole.
    whole: FxHashMap<FaceId, u32>,
    pub(super) opened: FxHashSet<FaceId>,
    pub(super) taken: FxHashSet<BorderId>,
}

impl<'a> Draft<'a> {
    /// A draft with some faces opened.
    pub(super) fn open(base: &'a Coverage, faces: impl IntoIterator<Item = FaceId>) -> Self {
        let mut draft = Self {
            base,
            cells: Vec::new(),
            chains: Vec::new(),
            whole: FxHashMap::default(),
            opened: FxHashSet::default(),
            taken: FxHashSet::default(),
        };
        faces.into_iter().for_each(|f| draft.open_face(f));
        draft
    }

    /// Takes in all borders around a face.
    pub(super) fn open_face(&mut self, face: FaceId) {
        if !self.opened.insert(face) {
            return;
        }
        self.cell_of(face);
        let base = self.base;
        for h in base.rings(face).flat_map(|ring| base.ring(ring)) {
            if let Some(b) = base.border(h.border()).filter(|_| self.taken.insert(h.border())) {
                let sides = [self.cell_of(b.left), self.cell_of(b.right)];
                self.chains.push(Chain { line: b.line.clone(), of: Some(h.border()), sides });
            }
        }
    }

    /// The cell of a face that is whole.
    pub(super) fn cell_of(&mut self, face: FaceId) -> u32 {
        *self.whole.entry(face).or_insert_with(|| {
            let known = self.base.face(face);
            let owner = known.and_then(|f| f.owner);
            self.cells.push(Cell {
                face,
                was: owner,
                owner,
                is_piece: false,
                is_unbounded: face == FaceId::OUTSIDE,
                twice_area: known.map_or(0, |f| f.twice_area),
            });
            self.cells.len() as u32 - 1
        })
    }

    /// Whether all borders of a cell are there.
    pub(super) fn is_open(&self, cell: u32) -> bool {
        self.opened.contains(&self.cells[cell as usize].face)
    }

    /// The cells that there are, without those that were cut up.
    pub(super) fn live_cells(&self) -> Vec<u32> {
        let mut cells: Vec<u32> = self.chains.iter().flat_map(|c| c.sides).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }

    /// The cell to the left of a chain that is walked in some direction.
    pub(super) fn left(&self, h: Half) -> u32 {
        self.chains[h as usize / 2].sides[h as usize % 2]
    }

    fn start(&self, h: Half) -> [Point; 2] {
        self.chains[h as usize / 2].start(h.is_multiple_of(2))
    }

    /// Traces an opened cell again after lines have been drawn in it: its pieces take its
    /// place.
    pub(super) fn trace(&mut self, cell: u32) {
        let halves: Vec<Half> = (0..self.chains.len() as u32 * 2).filter(|h| self.left(*h) == cell).collect();
        let next = self.link(&halves);
        let mut seen: FxHashSet<Half> = FxHashSet::default();
        let (mut shells, mut holes) = (Vec::new(), Vec::new());
        for &seed in &halves {
            if seen.contains(&seed) {
                continue;
            }
            let origin = self.start(seed)[0];
            let (mut cycle, mut twice_area, mut h) = (Vec::new(), 0i128, seed);
            while seen.insert(h) {
                cycle.push(h);
                let along = twice_area_along(&self.chains[h as usize / 2].line, origin);
                twice_area += if h.is_multiple_of(2) { along } else { -along };
                h = next.get(&h).copied().unwrap_or(seed);
            }
            if twice_area > 0 { &mut shells } else { &mut holes }.push((cycle, twice_area));
        }
        let of = self.cells[cell as usize].clone();
        let first = self.cells.len() as u32;
        for (cycle, twice_area) in &shells {
            let piece = Cell { is_piece: true, is_unbounded: false, twice_area: *twice_area, ..of.clone() };
            self.cells.push(piece);
            self.settle(cycle, self.cells.len() as u32 - 1);
        }
        for (cycle, hole_2) in &holes {
            let at =
                if shells.len() == 1 && !of.is_unbounded { Some(0) } else { self.around(&shells, cycle, -*hole_2) };
            if let Some(i) = at {
                self.cells[first as usize + i].twice_area += hole_2;
                self.settle(cycle, first + i as u32);
            }
            // What lies in no piece lies in the unbounded rest, which keeps its number.
        }
    }

    fn settle(&mut self, cycle: &[Half], cell: u32) {
        for &h in cycle {
            self.chains[h as usize / 2].sides[h as usize % 2] = cell;
        }
    }

    /// For each half that arrives at a node, the one that leaves it next clockwise.
    fn link(&self, halves: &[Half]) -> FxHashMap<Half, Half> {
        let mut outs: Vec<(Point, Half)> = Vec::with_capacity(halves.len() * 2);
        for &h in halves {
            outs.extend([h, h ^ 1].map(|h| (self.start(h)[0], h)));
        }
        outs.sort_unstable();
        outs.dedup();
        let mut next = FxHashMap::default();
        for around in outs.chunk_by_mut(|a, b| a.0 == b.0) {
            around.sort_unstable_by(|a, b| by_angle(a.0, self.start(a.1)[1], self.start(b.1)[1]));
            for (i, out) in around.iter().enumerate() {
                next.insert(out.1 ^ 1, around[(i + around.len() - 1) % around.len()].1);
            }
        }
        next
    }

    /// The smallest shell around a hole that is larger than it: a hole meets no shell but
    /// those inside it, which are smaller.
    fn around(&self, shells: &[(Vec<Half>, i128)], hole: &[Half], hole_2: i128) -> Option<usize> {
        let place = hole.iter().map(|h| self.start(*h)[0]).min()?;
        let holds = |shell: &[Half]| {
            let lines = shell.iter().map(|h| &self.chains[*h as usize / 2].line);
            lines.flat_map(|l| l.windows(2)).filter(|w| is_crossed(w[0], w[1], place)).count() % 2 == 1
        };
        let larger = shells.iter().enumerate().filter(|(_, s)| s.1 > hole_2 && holds(&s.0));
        larger.min_by_key(|(_, s)| s.1).map(|(i, _)| i)
    }

    /// The boxes around the chains of each cell.
    pub(super) fn bounds(&self) -> Vec<Bounds> {
        let mut bounds = vec![Bounds::EMPTY; self.cells.len()];
        for chain in &self.chains {
            let own = Bounds::of(chain.line.iter().copied());
            for cell in chain.sides {
                bounds[cell as usize] = bounds[cell as usize].union(own);
            }
        }
        bounds
    }

    /// A vertex on the rim of a cell, for pointing at it: the middle one of its longest chain.
    pub(super) fn place(&self, cell: u32) -> Option<Point> {
        let own = self.chains.iter().filter(|c| c.sides.contains(&cell));
        own.max_by_key(|c| c.line.len()).map(|c| c.line[c.line.len() / 2])
    }
}
