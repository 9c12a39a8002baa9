//! Drawing lines into opened faces.
//!
//! ```text
//!        ╎ dropped: in no opened face
//!   ┌────●────┐
//!   │    │run │          a line is broken where it meets borders; its *runs* between
//!   │ ●──● ●──┤          those places lie in one face each; runs in opened faces stay,
//!   │ │border │          what runs along a border or elsewhere is dropped
//!   └─┴──●────┘
//!        ╎
//! ```
//!
//! Invariant: a border goes through the ends of runs that stay and else through its own
//! vertices only, so lines that are dropped leave no trace.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::assemble::{Broken, break_over};
use crate::lattice::{Bounds, Point, by_angle};
use crate::pairs::{Crowded, near_pairs};
use crate::segment::{Segment, cross, near_pixel};
use crate::west::look_west;

use super::draft::{Chain, Draft};
use super::refusal::{Reason, Refusal};

/// Crossings of a drawn line with borders: some for every area that one edit takes on.
const MOST_CROSSINGS: usize = 20_000;

/// A part of a drawn line between two places where it meets borders.
struct Run {
    line: Vec<Point>,
    /// Whether it begins and ends at a border (or is closed).
    is_whole: bool,
    /// The opened cell that it lies in.
    cell: Option<u32>,
}

/// What became of the lines.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// Each line with every vertex that it goes through now.
    pub(super) paths: Vec<Vec<Point>>,
    /// The chains that were drawn, from here on.
    pub(super) first: usize,
    /// Where each stretch of a line begins that lies in no opened face.
    pub(super) elsewhere: Vec<Point>,
}

/// An end of a border's segment, seen from a vertex of a drawn line that it meets there.
struct Out {
    to: Point,
    left: u32,
}

/// The chains that are broken, by number, with the vertices that they would go through.
type Bent = FxHashMap<usize, Vec<Point>>;

type Outs = FxHashMap<Point, Vec<Out>>;

impl Draft<'_> {
    /// Draws lines (closed where the first point is also the last) into the opened faces.
    /// Several lines may meet in their ends, and nowhere else.
    ///
    /// # Errors
    ///
    /// A line that ends inside an opened face, or that the lattice can't tell apart from
    /// what lies beside it.
    pub(super) fn cut(&mut self, lines: &[Vec<Point>]) -> Result<Cut, Refusal> {
        let (paths, broken) = self.break_lines(lines)?;
        let outs = self.outs(&paths, &broken);
        let joints = joints(&paths);
        let mut runs = Vec::new();
        for path in &paths {
            runs.extend(cut_at(path, &outs, &joints));
        }
        for run in &mut runs {
            run.cell = self.cell_along(&run.line, &outs);
        }
        let kept = |r: &&Run| r.cell.is_some();
        let loose: Vec<Point> = runs.iter().filter(kept).filter_map(|r| dangling(r, &outs, &joints)).collect();
        if !loose.is_empty() {
            let message = "the line ends inside an area: draw it on, to a border or beyond";
            return Err(Refusal::new(Reason::LineEndsInside, message).at(loose));
        }
        let elsewhere = runs.iter().filter(|r| r.cell.is_none()).map(|r| r.line[r.line.len() / 2]).collect();
        runs.retain(|r| r.cell.is_some());
        let ends = runs.iter().flat_map(|r| [r.line[0], r.line[r.line.len() - 1]]);
        let nodes: FxHashSet<Point> = ends.filter(|p| outs.contains_key(p)).collect();
        self.cut_chains(&nodes, &broken);
        let first = self.chains.len();
        let mut cells: Vec<u32> = runs.iter().filter_map(|r| r.cell).collect();
        self.chains.extend(runs.into_iter().filter_map(|run| {
            let cell = run.cell?;
            Some(Chain { line: run.line.into(), of: None, sides: [cell; 2] })
        }));
        cells.sort_unstable();
        cells.dedup();
        cells.into_iter().for_each(|cell| self.trace(cell));
        Ok(Cut { paths, first, elsewhere })
    }

    /// Breaks the lines where they meet chains; gives their paths, and for each chain that
    /// is broken where it would go.
    fn break_lines(&self, lines: &[Vec<Point>]) -> Result<(Vec<Vec<Point>>, Bent), Refusal> {
        let reach = grown(Bounds::of(lines.iter().flatten().copied()), 2);
        let (mut segments, mut from): (Vec<Segment>, Vec<(usize, usize)>) = (Vec::new(), Vec::new());
        for (c, chain) in self.chains.iter().enumerate() {
            for (i, w) in chain.line.windows(2).enumerate() {
                if Bounds::of([w[0], w[1]]).meets(reach) {
                    segments.push([w[0], w[1]]);
                    from.push((c, i));
                }
            }
        }
        let drawn: Vec<Segment> = lines.iter().flat_map(|l| l.windows(2)).map(|w| [w[0], w[1]]).collect();
        check_crossings(&segments, &drawn)?;
        let Broken { graph, drawn } = break_over(&segments, &drawn).map_err(|place| too_narrow([place]))?;
        let mut broken = Bent::default();
        // From the last on, so that the numbers of segments before stay right.
        for (segment, walk) in graph.into_iter().rev() {
            let (c, i) = from[segment];
            let line = broken.entry(c).or_insert_with(|| self.chains[c].line.to_vec());
            line.splice(i + 1..i + 1, walk[1..walk.len() - 1].iter().copied());
        }
        let mut walks = drawn.into_iter();
        let mut paths = Vec::with_capacity(lines.len());
        for line in lines {
            let mut path: Vec<Point> = Vec::with_capacity(line.len());
            path.extend(line.first());
            for walk in walks.by_ref().take(line.len().saturating_sub(1)) {
                path.extend(&walk[1..]);
            }
            paths.push(path);
        }
        Ok((paths, broken))
    }

    /// The directions in which borders leave the vertices of the paths that they meet.
    fn outs(&self, paths: &[Vec<Point>], broken: &Bent) -> Outs {
        let drawn: FxHashSet<Point> = paths.iter().flatten().copied().collect();
        let reach = Bounds::of(drawn.iter().copied());
        let mut outs = Outs::default();
        for (c, chain) in self.chains.iter().enumerate() {
            let line = broken.get(&c).map_or(&chain.line[..], |l| l);
            let [left, right] = chain.sides;
            for w in line.windows(2) {
                for (from, to, left) in [(w[0], w[1], left), (w[1], w[0], right)] {
                    if reach.contains(from) && drawn.contains(&from) {
                        outs.entry(from).or_default().push(Out { to, left });
                    }
                }
            }
        }
        for (node, around) in &mut outs {
            around.sort_unstable_by(|a, b| by_angle(*node, a.to, b.to));
        }
        outs
    }

    /// The opened cell that a run lies in, if it lies in one.
    fn cell_along(&self, run: &[Point], outs: &Outs) -> Option<u32> {
        let last = run.len() - 1;
        let beside = |node: Point, to: Point| {
            let around = outs.get(&node)?;
            // The sector begins at the last border that comes no later than the run.
            let i = around.partition_point(|o| by_angle(node, o.to, to).is_lt());
            Some(around[(i + around.len() - 1) % around.len()].left)
        };
        let cell = beside(run[0], run[1]).or_else(|| beside(run[last], run[last - 1]));
        cell.or_else(|| self.cell_west_of(run[0])).filter(|c| self.is_open(*c))
    }

    /// The cell of a place on no border, by what is seen to its west. If that is not an
    /// opened one, the place is in none.
    fn cell_west_of(&self, place: Point) -> Option<u32> {
        let (mut segments, mut of) = (Vec::new(), Vec::new());
        for chain in &self.chains {
            for w in chain.line.windows(2).filter(|w| w[0].y.min(w[1].y) <= place.y && w[0].x.min(w[1].x) <= place.x) {
                segments.push([w[0], w[1]]);
                of.push(chain.sides);
            }
        }
        match look_west(&segments, &[place]).first().copied().flatten() {
            Some(seen) => Some(of[seen.segment][usize::from(!seen.left)]),
            None => (0..self.cells.len() as u32).find(|c| self.cells[*c as usize].is_unbounded),
        }
    }

    /// Cuts the chains at the nodes; each goes through these and its own vertices only.
    ///
    /// Once the line is gone again, a vertex that was put in must go and one that was there
    /// must stay, though a straight line may pass within a unit of either. The directions of
    /// the pieces tell them apart: they run on through the former and against each other at
    /// the latter.
    fn cut_chains(&mut self, nodes: &FxHashSet<Point>, broken: &Bent) {
        let reach = Bounds::of(nodes.iter().copied());
        let mut pieces = Vec::with_capacity(self.chains.len());
        for (c, chain) in std::mem::take(&mut self.chains).into_iter().enumerate() {
            let is_node = |p: &Point| reach.contains(*p) && nodes.contains(p);
            let line = broken.get(&c).map_or(&chain.line[..], |l| l);
            let inner = &line[1..line.len() - 1];
            if !inner.iter().any(is_node) {
                pieces.push(chain);
                continue;
            }
            let own: FxHashSet<Point> = chain.line.iter().copied().collect();
            let line: Vec<Point> = line.iter().copied().filter(|p| own.contains(p) || is_node(p)).collect();
            let last = line.len() - 1;
            let stays = |i: usize| own.contains(&line[i]) && near_pixel([line[i - 1], line[i + 1]], line[i], 2);
            let turns = (1..last).filter(|i| is_node(&line[*i]) && stays(*i)).count();
            // Around a closed border the directions can change an even number of times only.
            let may_turn = line[0] != line[last] || turns % 2 == 0;
            let (mut from, mut is_turned) = (0, false);
            for i in 1..=last {
                if i < last && !is_node(&line[i]) {
                    continue;
                }
                let mut piece = Chain { line: line[from..=i].into(), ..chain.clone() };
                if is_turned {
                    piece.line = piece.line.iter().rev().copied().collect();
                    piece.sides.reverse();
                }
                pieces.push(piece);
                is_turned ^= may_turn && i < last && stays(i);
                from = i;
            }
        }
        self.chains = pieces;
    }
}

/// The places where open lines end that another one ends in as well.
fn joints(paths: &[Vec<Point>]) -> FxHashSet<Point> {
    let (mut met, mut joints) = (FxHashSet::default(), FxHashSet::default());
    for path in paths.iter().filter(|p| p.first() != p.last()) {
        let ends = path.first().into_iter().chain(path.last());
        joints.extend(ends.copied().filter(|p| !met.insert(*p)));
    }
    joints
}

/// The end of a run that hangs inside a face.
fn dangling(run: &Run, outs: &Outs, joints: &FxHashSet<Point>) -> Option<Point> {
    let ends = [run.line[0], run.line[run.line.len() - 1]];
    let is_held = |p: &Point| outs.contains_key(p) || joints.contains(p);
    if run.is_whole { None } else { ends.into_iter().find(|p| !is_held(p)) }
}

/// Cuts a path where it meets borders, leaving out what runs along them.
fn cut_at(path: &[Point], outs: &Outs, joints: &FxHashSet<Point>) -> Vec<Run> {
    let mut path = path.to_vec();
    let is_closed = path.len() > 2 && path[0] == path[path.len() - 1];
    if let Some(i) = path.iter().position(|p| outs.contains_key(p)).filter(|i| is_closed && *i > 0) {
        path.pop();
        path.rotate_left(i);
        path.push(path[0]);
    }
    let mut runs = Vec::new();
    let mut from = 0;
    for i in 1..path.len() {
        if i + 1 < path.len() && !outs.contains_key(&path[i]) {
            continue;
        }
        let along = i == from + 1 && outs.get(&path[from]).is_some_and(|o| o.iter().any(|o| o.to == path[i]));
        if !along {
            let line = path[from..=i].to_vec();
            let is_whole = [line[0], line[line.len() - 1]].iter().all(|p| outs.contains_key(p) || joints.contains(p))
                || (is_closed && line.len() == path.len());
            runs.push(Run { line, is_whole, cell: None });
        }
        from = i;
    }
    runs
}

/// Refuses lines that cross borders more often than any plan needs.
fn check_crossings(borders: &[Segment], drawn: &[Segment]) -> Result<(), Refusal> {
    let all: Vec<Segment> = borders.iter().chain(drawn).copied().collect();
    let first = borders.len();
    let crossed = AtomicUsize::new(0);
    let looks_on = |i| i >= first && crossed.load(Relaxed) <= MOST_CROSSINGS;
    let places = near_pairs(&all, [0, 0], &looks_on, &|i, j, out: &mut Vec<Point>| {
        if i < first && j >= first && cross(all[i], all[j]) && crossed.fetch_add(1, Relaxed) == MOST_CROSSINGS {
            out.push(all[j][0]);
        }
    });
    // Crowded: there is a place at least.
    let places = places.unwrap_or_else(|Crowded(place)| vec![place]);
    if places.is_empty() {
        return Ok(());
    }
    let message = format!("the line crosses borders more than {MOST_CROSSINGS} times: draw it in parts");
    Err(Refusal::new(Reason::Limit, message).at(places))
}

pub(super) fn too_narrow(places: impl IntoIterator<Item = Point>) -> Refusal {
    let message =
        "borders would lie closer together here than the lattice of 1 cm can tell apart: draw the line elsewhere";
    Refusal::new(Reason::TooNarrow, message).at(places)
}

/// A box that reaches further by some units.
pub(super) fn grown(b: Bounds, units: i32) -> Bounds {
    if b.is_empty() {
        return b;
    }
    let min = Point::new(b.min.x.saturating_sub(units), b.min.y.saturating_sub(units));
    Bounds { min, max: Point::new(b.max.x.saturating_add(units), b.max.y.saturating_add(units)) }
}
