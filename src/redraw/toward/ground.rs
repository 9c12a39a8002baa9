//! Ground: the edits that give each area what it has in the other state.
//!
//! What is said by a merge, a retirement, a split or a carving is said so; all else that
//! hangs together is one transfer of shares. Rounding where old and new lines cross can
//! leave a crumb, so it is looked again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boundaries::{AreaId, BuildError, Coverage, Exchange, Exchanges, Frame, Point, Polygon};
use rustc_hash::FxHashMap;

use super::super::draft::Refused;
use super::super::op::{Kept, Op, Portion, Position};
use super::Way;

/// How often what is left is shared out.
const ROUNDS: usize = 3;
/// How near both ends of an edge are to a segment along which it runs, in metres: two units.
const ALONG_M: f64 = 0.025;

/// Makes the edits.
pub(super) fn give(way: &mut Way<'_>) -> Result<(), Refused> {
    let found = exchanged(way)?;
    merge(way, &found)?;
    let found = exchanged(way)?;
    cut_out(way, &found);
    for _ in 0..ROUNDS {
        let found = exchanged(way)?;
        if found.exchanged.is_empty() {
            return Ok(());
        }
        for cluster in clusters(way, &found) {
            way.make(shares(way, &cluster))?;
        }
    }
    let rest = exchanged(way)?.exchanged;
    if rest.is_empty() {
        return Ok(());
    }
    let codes = rest.iter().flat_map(|e| [code(way.state(), e.from), code(way.goal.coverage, e.to)]).flatten();
    let codes: BTreeSet<Arc<str>> = codes.collect();
    let places = rest.iter().filter_map(|e| e.polygon.shell.first().copied()).collect();
    Err(super::left(codes.into_iter().collect(), places))
}

pub(super) fn tangled(e: BuildError) -> Refused {
    Refused { places: e.place.into_iter().collect(), ..Refused::new("limit", e.reason) }
}

fn code(coverage: &Coverage, id: Option<AreaId>) -> Option<Arc<str>> {
    coverage.area(id?).map(|a| a.code.clone())
}

/// What is still to be given. Land of levels that the other state doesn't speak of stays.
fn exchanged(way: &Way<'_>) -> Result<Exchanges, Refused> {
    let (state, goal) = (way.state(), way.goal);
    let mut found = goal.coverage.exchanged_since(state, goal.tolerance_m).map_err(tangled)?;
    let is_unspoken = |e: &Exchange| {
        let owner = e.from.and_then(|id| state.area(id));
        e.to.is_none()
            && owner.is_some_and(|a| goal.silent.contains(&a.level) && goal.coverage.area_by_code(&a.code).is_some())
    };
    found.exchanged.retain(|e| !is_unspoken(e));
    Ok(found)
}

/// Areas that end with all their ground in one other that was there.
fn merge(way: &mut Way<'_>, found: &Exchanges) -> Result<(), Refused> {
    let mut heirs: BTreeMap<AreaId, BTreeSet<Option<AreaId>>> = BTreeMap::new();
    for (from, to, _) in &found.common {
        if let Some(from) = from {
            heirs.entry(*from).or_default().insert(*to);
        }
    }
    let (state, goal) = (way.state().clone(), way.goal.coverage);
    // By heir and by whether they have its parent: who has another retires into it.
    let mut merged: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
    let mut retired: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    for (from, heirs) in heirs {
        let (Some(area), Some(heir)) = (state.area(from), heirs.first().copied().flatten()) else { continue };
        let is_leaf = state.children(from).is_empty();
        if heirs.len() > 1 || !is_leaf || goal.area_by_code(&area.code).is_some() {
            continue;
        }
        let Some(heir) = goal.area(heir).and_then(|a| state.area_by_code(&a.code)).and_then(|id| state.area(id)) else {
            continue;
        };
        if (heir.parent, heir.level) == (area.parent, area.level) {
            merged.entry(heir.code.clone()).or_default().push(area.code.clone());
        } else {
            retired.push((area.code.clone(), heir.code.clone()));
        }
    }
    for (into, mut codes) in merged {
        codes.sort_unstable();
        codes.push(into.clone());
        let merge = |multipart| Op::Merge { codes: codes.clone(), into: into.clone(), multipart };
        // Where parts between them change hands as well, they may not touch yet.
        if way.make(merge(false)).is_err() {
            way.make(merge(true))?;
        }
    }
    for (code, into) in retired {
        // Where they don't touch, its ground is shared out like other ground.
        let _is_left = way.make(Op::Retire { code, into }).is_err();
    }
    Ok(())
}

/// New areas out of one that stays: split off by one line, or carved out as an island.
/// What can't be said so is left.
fn cut_out(way: &mut Way<'_>, found: &Exchanges) {
    let goal = way.goal.coverage;
    let mut of_new: BTreeMap<AreaId, Vec<&Exchange>> = BTreeMap::new();
    for e in &found.exchanged {
        if let Some(to) =
            e.to.filter(|to| code(goal, Some(*to)).is_some_and(|c| way.state().area_by_code(&c).is_none()))
        {
            of_new.entry(to).or_default().push(e);
        }
    }
    let base = way.state().clone();
    let stays = |from: &AreaId| code(&base, Some(*from)).is_some_and(|c| goal.area_by_code(&c).is_some());
    for (id, pieces) in of_new {
        let is_grid = goal.area(id).is_some_and(|a| a.level == goal.finest());
        if !is_grid || !pieces.iter().all(|p| p.from.as_ref().is_some_and(stays)) {
            continue;
        }
        let whole = match pieces.as_slice() {
            [piece] => Some(piece.polygon.clone()),
            several => grown_together(&goal.polygons(id), several),
        };
        let Some(whole) = whole.filter(|w| w.holes.is_empty()) else { continue };
        let from = match pieces.as_slice() {
            [piece] => piece.from.filter(|from| base.children(*from).is_empty()),
            _ => None,
        };
        let new = way.what_is_new(id);
        let op = match from.and_then(|from| Some((from, inner_line(&base, from, &whole)?))) {
            Some((from, line)) => Op::Split {
                code: code(&base, Some(from)),
                codes: None,
                line: positions(&line),
                keep: Kept::Right,
                exact: true,
                numbering: None,
                new,
                given: Vec::new(),
            },
            None => Op::Carve { ring: positions(&whole.shell), exact: true, new, given: Vec::new() },
        };
        let _is_left = way.make(op).is_err();
    }
}

/// The one polygon that pieces make together, where no vertex of it was brought to a
/// line that was there.
fn grown_together(polygons: &[Polygon], pieces: &[&Exchange]) -> Option<Polygon> {
    let [polygon] = polygons else { return None };
    let known: BTreeSet<Point> = pieces.iter().flat_map(|p| p.polygon.rings()).flatten().copied().collect();
    polygon.shell.iter().all(|p| known.contains(p)).then(|| polygon.clone())
}

/// The one line along which a piece is cut from an area, the piece at its left; `None`
/// where its outline leaves that of the area not at all or several times.
fn inner_line(base: &Coverage, area: AreaId, piece: &Polygon) -> Option<Vec<Point>> {
    let rim = base.faces_of(area).iter().flat_map(|f| base.rings(*f)).flat_map(|r| base.ring(r));
    let lines: Vec<&[Point]> = rim.filter_map(|h| base.border(h.border())).map(|b| &*b.line).collect();
    let ring = &piece.shell;
    let frame = Frame::at(ring.first()?.y);
    let near = |p: Point, w: &[Point]| frame.distance_to_segment_2(p, w[0], w[1]) <= ALONG_M * ALONG_M;
    let runs_along = |a: Point, b: Point| {
        let both = |w: &[Point]| near(a, w) && near(b, w);
        lines.iter().any(|line| line.windows(2).any(both))
    };
    let n = ring.len();
    let inner: Vec<bool> = (0..n).map(|i| !runs_along(ring[i], ring[(i + 1) % n])).collect();
    let starts: Vec<usize> = (0..n).filter(|i| inner[*i] && !inner[(i + n - 1) % n]).collect();
    let [start] = starts.as_slice() else { return None };
    let length = (0..n).take_while(|i| inner[(start + i) % n]).count();
    Some((0..=length).map(|i| ring[(start + i) % n]).collect())
}

fn positions(points: &[Point]) -> Vec<Position> {
    points.iter().map(|p| [p.lon(), p.lat()]).collect()
}

/// The exchanges that hang together: by a vertex, by an area that ends or begins, or by one
/// that keeps nothing of what it had.
fn clusters(way: &Way<'_>, found: &Exchanges) -> Vec<Vec<Exchange>> {
    let (state, goal) = (way.state(), way.goal.coverage);
    #[derive(PartialEq, Eq, Hash)]
    enum Tie {
        Vertex(Point),
        From(AreaId),
        To(AreaId),
    }
    let keeps: BTreeSet<AreaId> = found
        .common
        .iter()
        .filter_map(|(from, to, _)| from.filter(|from| code(state, Some(*from)) == code(goal, *to)))
        .collect();
    let mut first: FxHashMap<Tie, usize> = FxHashMap::default();
    let mut group: Vec<usize> = (0..found.exchanged.len()).collect();
    fn find(group: &mut [usize], mut i: usize) -> usize {
        while group[i] != i {
            group[i] = group[group[i]];
            i = group[i];
        }
        i
    }
    for (i, e) in found.exchanged.iter().enumerate() {
        let mut ties: Vec<Tie> = e.polygon.rings().flatten().map(|p| Tie::Vertex(*p)).collect();
        // An area by its id in the state that the edits are made on, where it is there.
        let to =
            e.to.map(|to| code(goal, Some(to)).and_then(|c| state.area_by_code(&c)).map_or(Tie::To(to), Tie::From));
        let is_tied = |tie: &Tie| !matches!(tie, Tie::From(id) if keeps.contains(id));
        ties.extend(e.from.map(Tie::From).into_iter().chain(to).filter(is_tied));
        for tie in ties {
            let other = *first.entry(tie).or_insert(i);
            let (a, b) = (find(&mut group, i), find(&mut group, other));
            group[a.max(b)] = a.min(b);
        }
    }
    let mut clusters: BTreeMap<usize, Vec<Exchange>> = BTreeMap::new();
    for (i, e) in found.exchanged.iter().enumerate() {
        clusters.entry(find(&mut group, i)).or_default().push(e.clone());
    }
    clusters.into_values().collect()
}

/// One transfer of all that hangs together.
fn shares(way: &Way<'_>, cluster: &[Exchange]) -> Op {
    let (state, goal) = (way.state(), way.goal.coverage);
    let mut by_receiver: BTreeMap<Option<AreaId>, Vec<Vec<Vec<Position>>>> = BTreeMap::new();
    for e in cluster {
        by_receiver.entry(e.to).or_default().push(e.polygon.rings().map(positions).collect());
    }
    let portion = |(to, polygons): (Option<AreaId>, _)| {
        let known = code(goal, to).filter(|c| state.area_by_code(c).is_some());
        let new = to.filter(|_| known.is_none()).map(|id| way.what_is_new(id));
        Portion { to: known, new, polygons }
    };
    let ends: BTreeSet<Arc<str>> = cluster
        .iter()
        .filter_map(|e| e.from.filter(|id| state.children(*id).is_empty()))
        .filter_map(|id| code(state, Some(id)))
        .filter(|c| goal.area_by_code(c).is_none())
        .collect();
    Op::Transfer {
        to: None,
        pieces: None,
        ring: None,
        building: None,
        multipart: false,
        shares: Some(by_receiver.into_iter().map(portion).collect()),
        ends: ends.into_iter().collect(),
        given: Vec::new(),
    }
}
