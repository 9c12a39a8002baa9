//! From a draft back to records: cells of one owner grow together, what is left between
//! others becomes borders, and whatever is as it was keeps its id.
//!
//! ```text
//!     a ●──┬──● b          a border that ended in the inside of another left a vertex
//!          │         ─▶    there; once it is gone, the vertex goes where the line runs
//!          │               within a unit of it without it: a split that is merged
//!     a ●─────● b          again gives back the line as it was
//! ```

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::carry::FreeIds;
use crate::change::Changes;
use crate::coverage::{BorderRecord, FaceRecord};
use crate::lattice::Point;
use crate::levels::Regions;
use crate::segment::near_pixel;
use crate::topology::{BorderId, FaceId, HalfEdge};

use super::draft::{Draft, Half};

/// A border to be.
struct Path {
    line: Vec<Point>,
    /// The border whose id it takes, if that is still free: the lowest it has a piece of.
    of: Option<BorderId>,
    sides: [u32; 2],
}

/// What a draft comes to.
pub(super) struct Closed {
    pub(super) changes: Changes,
    pub(super) free: FreeIds,
}

impl Draft<'_> {
    /// Closes the draft. `straighten` says whether vertices that nodes left behind go.
    pub(super) fn close(&mut self, free: FreeIds, straighten: bool) -> Closed {
        let mut groups = self.grow_together();
        let group: Vec<u32> = (0..self.cells.len() as u32).map(|c| groups.find(c)).collect();
        let mut free = free;
        let (faces, mut changes) = self.name_faces(&group, &mut free);
        let kept: Vec<u32> = (0..self.chains.len() as u32)
            .filter(|c| {
                let [left, right] = self.chains[*c as usize].sides;
                group[left as usize] != group[right as usize]
            })
            .collect();
        let paths = self.paths(&kept, straighten);
        self.name_borders(paths, &faces, &mut free, &mut changes);
        Closed { changes, free }
    }

    /// Joins cells of one owner, opening those that are joined.
    fn grow_together(&mut self) -> Regions {
        let mut chain = 0;
        while let Some(c) = self.chains.get(chain) {
            let sides = c.sides;
            let [left, right] = sides.map(|s| &self.cells[s as usize]);
            if left.owner == right.owner {
                let whole = [left, right].map(|c| (!c.is_piece).then_some(c.face));
                whole.into_iter().flatten().for_each(|f| self.open_face(f));
            }
            chain += 1;
        }
        let mut groups = Regions((0..self.cells.len() as u32).collect());
        for c in &self.chains {
            let [left, right] = c.sides;
            if self.cells[left as usize].owner == self.cells[right as usize].owner {
                groups.join(left, right);
            }
        }
        groups
    }

    /// Gives each group of cells a face: the lowest one of its owner's that it holds a piece
    /// of, else the lowest of others', else a fresh one. Of several groups with pieces of
    /// one face the one with the largest gets it.
    fn name_faces(&self, group: &[u32], free: &mut FreeIds) -> (Vec<FaceId>, Changes) {
        // Cells that were cut up are nobody's side any more.
        let live = self.live_cells();
        let mut claims: Vec<_> = live
            .iter()
            .map(|&c| (c, &self.cells[c as usize]))
            .filter(|(_, cell)| cell.is_unbounded || cell.face != FaceId::OUTSIDE)
            .map(|(c, cell)| {
                let moved = !cell.is_unbounded && cell.owner != cell.was;
                (!cell.is_unbounded, moved, cell.face, Reverse(cell.twice_area), c)
            })
            .collect();
        claims.sort_unstable();
        let mut names: FxHashMap<u32, FaceId> = FxHashMap::default();
        let mut given: FxHashSet<FaceId> = FxHashSet::default();
        for (_, _, face, _, cell) in claims {
            let group = group[cell as usize];
            if !given.contains(&face) && !names.contains_key(&group) {
                names.insert(group, face);
                given.insert(face);
            }
        }
        let mut changes = Changes::default();
        let mut owners: FxHashMap<u32, u32> = FxHashMap::default();
        for &c in &live {
            owners.entry(group[c as usize]).or_insert(c);
        }
        let mut order: Vec<(u32, u32)> = owners.into_iter().collect();
        order.sort_unstable_by_key(|o| o.1);
        for (group, cell) in order {
            let owner = self.cells[cell as usize].owner;
            let id = *names.entry(group).or_insert_with(|| {
                free.face += 1;
                FaceId(free.face - 1)
            });
            let before = self.base.face(id).filter(|_| given.contains(&id));
            if id != FaceId::OUTSIDE && before.is_none_or(|f| f.owner != owner) {
                changes.put_faces.push(FaceRecord { id, owner });
            }
        }
        let mut gone: Vec<FaceId> = self.opened.iter().copied().filter(|f| !given.contains(f)).collect();
        gone.sort_unstable();
        changes.drop_faces = gone;
        let faces = group.iter().map(|g| names.get(g).copied().unwrap_or(FaceId::OUTSIDE)).collect();
        (faces, changes)
    }

    /// The longest paths through nodes where nothing else ends.
    fn paths(&self, kept: &[u32], straighten: bool) -> Vec<Path> {
        let mut outs: FxHashMap<Point, Vec<Half>> = FxHashMap::default();
        for &c in kept {
            for h in [2 * c, 2 * c + 1] {
                outs.entry(self.node(h)).or_default().push(h);
            }
        }
        let crowded = self.crowded(&outs);
        // The half that goes on from where `h` ends, where just one does.
        let onward = |h: Half| match outs.get(&self.node(h ^ 1)).map(|o| &o[..]) {
            Some([a, b]) if !crowded.contains(&self.node(h ^ 1)) => Some(if *a == h ^ 1 { *b } else { *a }),
            _ => None,
        };
        let mut used: FxHashSet<u32> = FxHashSet::default();
        let mut paths = Vec::new();
        let mut walk = |start: Half, paths: &mut Vec<Path>| {
            if !used.insert(start / 2) {
                return;
            }
            let mut halves = vec![start];
            let mut last = start;
            while let Some(h) = onward(last).filter(|h| used.insert(h / 2)) {
                halves.push(h);
                last = h;
            }
            let is_round = onward(last) == Some(start);
            paths.push(self.path(&halves, is_round, straighten));
        };
        // From nodes first; what is left then is closed.
        for &c in kept {
            for h in [2 * c, 2 * c + 1] {
                if onward(h ^ 1).is_none() {
                    walk(h, &mut paths);
                }
            }
        }
        kept.iter().for_each(|c| walk(2 * c, &mut paths));
        paths
    }

    fn node(&self, h: Half) -> Point {
        self.chains[h as usize / 2].start(h.is_multiple_of(2))[0]
    }

    /// The places where just two kept ends meet here, but borders that are not in the draft
    /// end as well.
    fn crowded(&self, outs: &FxHashMap<Point, Vec<Half>>) -> FxHashSet<Point> {
        let mut crowded = FxHashSet::default();
        for &id in &self.taken {
            let Some(b) = self.base.border(id) else { continue };
            for (start, node) in
                [(HalfEdge::new(id, true), b.line[0]), (HalfEdge::new(id, false), b.line[b.line.len() - 1])]
            {
                if outs.get(&node).is_none_or(|o| o.len() != 2) {
                    continue;
                }
                let turn = |h: &HalfEdge| self.base.next(h.twin()).filter(|n| *n != start);
                if std::iter::successors(Some(start), turn).any(|h| !self.taken.contains(&h.border())) {
                    crowded.insert(node);
                }
            }
        }
        crowded
    }

    /// Joins the chains of a path into one line, that runs as the lowest border in it did.
    fn path(&self, halves: &[Half], is_round: bool, straighten: bool) -> Path {
        let chain = |h: &Half| &self.chains[*h as usize / 2];
        // Of the pieces of one border the first, which was not turned.
        let lowest = halves.iter().filter(|h| chain(h).of.is_some()).min_by_key(|h| (chain(h).of, **h));
        let of = lowest.and_then(|h| chain(h).of);
        let sides = [self.left(halves[0]), self.left(halves[0] ^ 1)];
        if let [only] = halves
            && (!is_round || self.is_seat(*only, *only))
            && of.and_then(|id| self.base.border(id)).is_some_and(|b| b.line == chain(only).line)
        {
            return Path { line: chain(only).line.to_vec(), of, sides: chain(only).sides };
        }
        let mut line: Vec<(Point, bool)> = Vec::new();
        for (i, h) in halves.iter().enumerate() {
            let own = &chain(h).line;
            if let Some(last) = line.last_mut() {
                last.1 = self.is_joint(halves[i - 1], *h);
            }
            let skip = usize::from(i > 0);
            let n = own.len();
            line.extend((skip..n).map(|k| (if h.is_multiple_of(2) { own[k] } else { own[n - 1 - k] }, false)));
        }
        if is_round {
            line.pop();
            let last = halves[halves.len() - 1];
            line[0].1 = of.is_some() && self.is_joint(last, halves[0]);
            // What is no joint is first, so that joints lie between others.
            let first = line.iter().position(|v| !v.1).unwrap_or(0);
            line.rotate_left(first);
            line.push((line[0].0, false));
        }
        let mut line = if straighten { straightened(line) } else { line.into_iter().map(|v| v.0).collect() };
        if is_round {
            // A closed border sits on its westernmost, then southernmost vertex.
            line.pop();
            let seat = (0..line.len()).min_by_key(|i| line[*i]).unwrap_or(0);
            line.rotate_left(seat);
            line.push(line[0]);
        }
        let n = line.len();
        let turn = match lowest {
            Some(h) => !h.is_multiple_of(2),
            None => (line[n - 1], line[n - 2]) < (line[0], line[1]),
        };
        if turn {
            line.reverse();
            return Path { line, of, sides: [sides[1], sides[0]] };
        }
        Path { line, of, sides }
    }

    /// Whether the vertex through which `b` follows `a` is there for a node that is gone: they
    /// run on through it, and it is no seat.
    fn is_joint(&self, a: Half, b: Half) -> bool {
        a % 2 == b % 2 && !self.is_seat(a, b)
    }

    /// Whether `b` follows `a` through the seat of the closed border that both are of, where
    /// no other border ended.
    fn is_seat(&self, a: Half, b: Half) -> bool {
        let [one, other] = [a, b].map(|h| self.chains[h as usize / 2].of);
        let Some(id) = one.filter(|_| one == other) else { return false };
        let alone = [true, false].map(|f| HalfEdge::new(id, f)).into_iter().all(|h| self.base.next(h) == Some(h));
        alone && self.base.border(id).is_some_and(|own| own.line[0] == self.node(b))
    }

    fn name_borders(&self, paths: Vec<Path>, faces: &[FaceId], free: &mut FreeIds, changes: &mut Changes) {
        let mut given: FxHashSet<BorderId> = FxHashSet::default();
        for path in paths {
            let known = path.of.filter(|id| given.insert(*id));
            let id = known.unwrap_or_else(|| {
                free.border += 1;
                BorderId(free.border - 1)
            });
            let [left, right] = path.sides.map(|s| faces[s as usize]);
            let before = self.base.border(id).filter(|_| known.is_some());
            if before.is_none_or(|b| b.left != left || b.right != right || *b.line != *path.line) {
                changes.put_borders.push(BorderRecord { id, left, right, line: path.line.into() });
            }
        }
        let mut gone: Vec<BorderId> = self.taken.iter().copied().filter(|b| !given.contains(b)).collect();
        gone.sort_unstable();
        changes.drop_borders = gone;
    }
}

/// Takes out joints that the line passes within a unit without them: all between two
/// other vertices at once where it can be, else one by one.
fn straightened(mut line: Vec<(Point, bool)>) -> Vec<Point> {
    loop {
        let before = line.len();
        let mut from = 0;
        let mut kept = vec![true; line.len()];
        for i in 1..line.len() {
            if line[i].1 {
                continue;
            }
            // Each may have been rounded twice, the second of two onto what the first had bent.
            let times = if i - from > 2 { 3 } else { 2 };
            if (from + 1..i).all(|j| near_pixel([line[from].0, line[i].0], line[j].0, times)) {
                (from + 1..i).for_each(|j| kept[j] = false);
            }
            from = i;
        }
        let one = (1..line.len().saturating_sub(1))
            .find(|&i| line[i].1 && kept[i] && near_pixel([line[i - 1].0, line[i + 1].0], line[i].0, 2));
        if kept.iter().all(|k| *k)
            && let Some(i) = one
        {
            kept[i] = false;
        }
        let mut keep = kept.into_iter();
        line.retain(|_| keep.next().unwrap_or(true));
        if line.len() == before {
            return line.into_iter().map(|v| v.0).collect();
        }
    }
}
