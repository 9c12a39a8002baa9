//! Sixth step: who owns each face, and what is to be said about it.
//!
//! The deepest area whose polygon a face lies in owns it. Two of one level there are an
//! overlap, none (while areas lie around) is a gap; where those are below the limits
//! they are slivers and go to a neighbour, the one with the longest shared border, by
//! lower code where two are equal.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::area::{Area, AreaId, Level};
use crate::finding::{Finding, FindingKind};
use crate::metres::Frame;

use super::Settings;
use super::claims::Rings;
use super::graph::{Graph, OUTSIDE};
use super::labels::Labels;
use super::measure::{Size, outline, place_in};
use super::mesh::Mesh;

/// What the faces are judged by.
pub(super) struct Bench<'a> {
    pub(super) areas: &'a [Option<&'a Area>],
    pub(super) rings: &'a Rings,
    pub(super) mesh: &'a Mesh,
    pub(super) graph: &'a Graph,
    pub(super) labels: &'a Labels,
    pub(super) settings: &'a Settings,
}

/// A face that is not simply somebody's.
struct Case {
    face: u32,
    size: Size,
    /// Who may have it, the deepest level only; empty for a gap.
    claimants: Vec<AreaId>,
    /// For a gap: the area in whose own polygon it lies.
    within: Option<AreaId>,
}

/// More slivers than this, and nobody would look at them one by one.
const CROWD: usize = 2_000;

/// Areas that a sentence names, of those that claim the same ground.
const NAMED: usize = 8;

/// Who owns what, and what was found.
pub(super) struct Settlement {
    /// The owner of every face.
    pub(super) owners: Vec<Option<AreaId>>,
    /// The faces that were too large to be given away: gaps, overlaps, ground outside
    /// its parent; and the outside itself.
    pub(super) open: Vec<bool>,
    pub(super) findings: Vec<Finding>,
}

/// Whether there are more slivers than can be looked at. Then the polygons were drawn
/// one by one and nearly meet everywhere: they are brought together first, for giving
/// every sliver away would leave borders with twice their vertices.
pub(super) fn is_crowded(bench: &Bench<'_>) -> bool {
    let mut flaws = Flaws::default();
    let mut slivers = 0;
    for face in 1..bench.graph.faces() as u32 {
        let claimants = bench.claimants(face, &mut flaws);
        let deepest = claimants.last().map(|c| c.0);
        if claimants.iter().filter(|c| Some(c.0) == deepest).count() != 1 {
            slivers += usize::from(bench.settings.is_sliver(Size::of_face(bench.mesh, bench.graph, face)));
        }
    }
    slivers > CROWD
}

/// Judges every face.
pub(super) fn settle(bench: &Bench<'_>) -> Settlement {
    let mut findings = Vec::new();
    let mut open = vec![false; bench.graph.faces()];
    open[OUTSIDE as usize] = true;
    let mut owners: Vec<Option<AreaId>> = vec![None; bench.graph.faces()];
    let mut cases = Vec::new();
    let subdivided = bench.subdivided();
    let claimed_levels = bench.claimed_levels();
    let mut flaws = Flaws::default();
    for face in 1..bench.graph.faces() as u32 {
        let claimants = bench.claimants(face, &mut flaws);
        let deepest = claimants.last().map(|c| c.0);
        let at = |level| claimants.iter().filter(move |c| c.0 == level).map(|c| c.1);
        let deep: Vec<AreaId> = deepest.into_iter().flat_map(at).collect();
        match deep[..] {
            [owner] => {
                owners[face as usize] = Some(owner);
                if subdivided[owner.0 as usize] {
                    cases.push(bench.case(face, Vec::new(), Some(owner)));
                }
                if claimants.len() > 1 || bench.has_claimed_above(owner, &claimed_levels) {
                    open[face as usize] |= bench.check_nesting(face, owner, &claimants, &claimed_levels, &mut findings);
                }
            }
            [] => cases.push(bench.case(face, Vec::new(), None)),
            _ => cases.push(bench.case(face, deep, None)),
        }
    }
    bench.report_flaws(flaws, &mut findings);
    bench.decide(cases, &mut owners, &mut open, &mut findings);
    Settlement { owners, open, findings }
}

/// Faces where a polygon contradicts itself.
#[derive(Default)]
struct Flaws {
    /// In a hole, but outside the shell.
    holes_outside: Vec<(AreaId, u32)>,
    /// In two holes of one polygon.
    holes_overlap: Vec<(AreaId, u32)>,
    /// In two polygons of one area.
    parts_overlap: Vec<(AreaId, u32)>,
}

impl Bench<'_> {
    fn area(&self, id: AreaId) -> Option<&Area> {
        self.areas.get(id.0 as usize).copied().flatten()
    }

    fn code(&self, id: AreaId) -> &str {
        self.area(id).map_or("", |a| &a.code)
    }

    fn chain(&self, id: AreaId) -> impl Iterator<Item = AreaId> + '_ {
        std::iter::successors(Some(id), |id| self.area(*id)?.parent)
    }

    /// The areas whose polygons a face lies in, by level, each once.
    fn claimants(&self, face: u32, flaws: &mut Flaws) -> Vec<(Level, AreaId)> {
        let label = self.labels.of(face);
        let mut claimants: Vec<(Level, AreaId)> = Vec::new();
        for polygon in label.chunk_by(|a, b| self.rings.of[*a as usize].claim == self.rings.of[*b as usize].claim) {
            let of = self.rings.of[polygon[0] as usize];
            let holes = polygon.len() - usize::from(!of.is_hole);
            if of.is_hole {
                flaws.holes_outside.push((of.area, face));
            } else if holes == 0 {
                claimants.push((of.level, of.area));
            } else if holes > 1 {
                flaws.holes_overlap.push((of.area, face));
            }
        }
        claimants.sort_unstable();
        claimants.dedup_by(|a, b| {
            let same = a == b;
            if same {
                flaws.parts_overlap.push((a.1, face));
            }
            same
        });
        claimants
    }

    /// Whether an area has areas below it with polygons of their own.
    fn subdivided(&self) -> Vec<bool> {
        let mut subdivided = vec![false; self.areas.len()];
        for of in &self.rings.of {
            for above in self.chain(of.area).skip(1) {
                subdivided[above.0 as usize] = true;
            }
        }
        subdivided
    }

    fn claimed_levels(&self) -> [bool; 256] {
        let mut claimed = [false; 256];
        self.rings.of.iter().for_each(|r| claimed[usize::from(r.level.0)] = true);
        claimed
    }

    fn has_claimed_above(&self, owner: AreaId, claimed: &[bool; 256]) -> bool {
        self.chain(owner).skip(1).any(|a| self.area(a).is_some_and(|a| claimed[usize::from(a.level.0)]))
    }

    fn case(&self, face: u32, claimants: Vec<AreaId>, within: Option<AreaId>) -> Case {
        Case { face, size: Size::of_face(self.mesh, self.graph, face), claimants, within }
    }

    fn finding(&self, kind: FindingKind, blocking: bool, face: u32, size: Size, owners: Vec<AreaId>) -> Finding {
        Finding {
            place: Some(place_in(self.mesh, self.graph, face)),
            bounds: size.bounds,
            area_m2: size.area_m2,
            width_m: size.width_m,
            outline: outline(self.mesh, self.graph, face),
            ..Finding::new(kind, blocking, owners, "")
        }
    }

    /// Looks whether the areas above the owner hold the face too, and nobody else of
    /// their level. Says whether there is ground that is not in order, and not narrow.
    fn check_nesting(
        &self,
        face: u32,
        owner: AreaId,
        claimants: &[(Level, AreaId)],
        claimed: &[bool; 256],
        findings: &mut Vec<Finding>,
    ) -> bool {
        let mut open = false;
        for above in self.chain(owner).skip(1) {
            let Some(level) = self.area(above).map(|a| a.level).filter(|l| claimed[usize::from(l.0)]) else { continue };
            let there: Vec<AreaId> = claimants.iter().filter(|c| c.0 == level).map(|c| c.1).collect();
            if there == [above] {
                continue;
            }
            let size = Size::of_face(self.mesh, self.graph, face);
            let small = self.settings.is_sliver(size);
            open |= !small;
            let (code, above_code) = (self.code(owner), self.code(above));
            if there.contains(&above) {
                let blocking = !small && !self.settings.accept_overlap;
                let kind = if small { FindingKind::Sliver } else { FindingKind::Overlap };
                let note =
                    format!("{} areas above claim the same ground; it goes to {code} in {above_code}", there.len());
                findings.push(Finding { note, ..self.finding(kind, blocking, face, size, there) });
            } else {
                let note = format!("{code} reaches out of {above_code}, which it belongs to");
                let owners = [owner, above].into_iter().chain(there).collect();
                findings.push(Finding { note, ..self.finding(FindingKind::OutsideParent, !small, face, size, owners) });
            }
        }
        open
    }

    fn report_flaws(&self, flaws: Flaws, findings: &mut Vec<Finding>) {
        let kinds = [
            (flaws.holes_outside, true, "has a hole that lies outside its shell"),
            (flaws.holes_overlap, false, "has holes that overlap"),
            (flaws.parts_overlap, false, "has parts that overlap"),
        ];
        for (mut faces, blocks, what) in kinds {
            faces.sort_unstable();
            faces.dedup();
            for group in faces.chunk_by(|a, b| a.0 == b.0) {
                let sizes = group.iter().map(|(_, f)| (Size::of_face(self.mesh, self.graph, *f), *f));
                let sizes: Vec<(Size, u32)> = sizes.filter(|(s, _)| !self.settings.is_sliver(*s)).collect();
                let Some(largest) = sizes.iter().max_by(|a, b| a.0.area_m2.total_cmp(&b.0.area_m2)) else { continue };
                let note = format!("{} {what}", self.code(group[0].0));
                let owners = vec![group[0].0];
                let finding = self.finding(FindingKind::InvalidPolygon, blocks, largest.1, largest.0, owners);
                findings.push(Finding { note, ..finding });
            }
        }
    }

    /// Gives the slivers away and reports all cases.
    fn decide(&self, cases: Vec<Case>, owners: &mut [Option<AreaId>], open: &mut [bool], findings: &mut Vec<Finding>) {
        let (mut slivers, large): (Vec<Case>, Vec<Case>) =
            cases.into_iter().partition(|c| self.settings.is_sliver(c.size));
        for case in large {
            open[case.face as usize] = true;
            findings.push(self.large(&case, owners));
        }
        let mut given_away = Vec::new();
        // A sliver beside another waits for it: rounds, until nobody is given anything.
        while !slivers.is_empty() {
            let given: Vec<Option<AreaId>> = slivers.iter().map(|c| self.receiver(c, owners)).collect();
            if given.iter().all(Option::is_none) {
                break;
            }
            let mut left = Vec::new();
            for (case, to) in slivers.into_iter().zip(given) {
                match to {
                    Some(to) => {
                        owners[case.face as usize] = Some(to);
                        given_away.push((case, to));
                    }
                    None => left.push(case),
                }
            }
            slivers = left;
        }
        for case in slivers {
            match self.lowest(&case.claimants) {
                Some(to) => {
                    owners[case.face as usize] = Some(to);
                    given_away.push((case, to));
                }
                None => {
                    open[case.face as usize] = true;
                    findings.push(self.gap(&case, owners));
                }
            }
        }
        findings.extend(self.list(&given_away, owners));
    }

    fn lowest(&self, claimants: &[AreaId]) -> Option<AreaId> {
        claimants.iter().copied().min_by(|a, b| self.code(*a).cmp(self.code(*b)).then(a.cmp(b)))
    }

    fn gap(&self, case: &Case, owners: &[Option<AreaId>]) -> Finding {
        let note = match case.within {
            Some(area) => format!("no area below {} claims this ground, so it stays its own", self.code(area)),
            None => "nobody claims this ground, though areas lie around it".to_owned(),
        };
        let owners = case.within.map_or_else(|| self.around(case.face, owners), |area| vec![area]);
        Finding { note, ..self.finding(FindingKind::Gap, self.settings.refuse_gap, case.face, case.size, owners) }
    }

    fn large(&self, case: &Case, owners: &mut [Option<AreaId>]) -> Finding {
        let Some(to) = self.lowest(&case.claimants) else { return self.gap(case, owners) };
        owners[case.face as usize] = Some(to);
        let accepted = self.settings.accept_overlap;
        // Of copies piled up by the thousand, a few names say enough.
        let mut codes: Vec<Cow<'_, str>> = case.claimants.iter().take(NAMED).map(|c| self.code(*c).into()).collect();
        if let Some(more) = case.claimants.len().checked_sub(NAMED).filter(|more| *more > 0) {
            codes.push(format!("{more} more").into());
        }
        let outcome = if accepted { format!("; it goes to {}", self.code(to)) } else { String::new() };
        let note = format!("{} claim the same ground{outcome}", codes.join(" and "));
        let receiver_first = self.receiver_first(case, to);
        Finding { note, ..self.finding(FindingKind::Overlap, !accepted, case.face, case.size, receiver_first) }
    }

    fn receiver_first(&self, case: &Case, to: AreaId) -> Vec<AreaId> {
        let others = case.claimants.iter().chain(&case.within).copied().filter(|a| *a != to);
        std::iter::once(to).chain(others).collect()
    }

    /// Lists what was given away: one by one, or, where that is a crowd, by who was concerned.
    fn list(&self, given: &[(Case, AreaId)], owners: &[Option<AreaId>]) -> Vec<Finding> {
        let concerned = |case: &Case, to: AreaId| {
            let mut all = self.receiver_first(case, to);
            if case.claimants.is_empty() {
                all.extend(self.around(case.face, owners).into_iter().filter(|a| *a != to && Some(*a) != case.within));
            }
            all
        };
        let sliver = |case: &Case, owners| self.finding(FindingKind::Sliver, false, case.face, case.size, owners);
        if given.len() <= CROWD {
            let one = |(case, to): &(Case, AreaId)| {
                let what = if case.claimants.is_empty() { "a narrow gap" } else { "a narrow overlap" };
                let note = format!("{what} was given to {}", self.code(*to));
                Finding { note, ..sliver(case, concerned(case, *to)) }
            };
            return given.iter().map(one).collect();
        }
        let mut groups: BTreeMap<Vec<AreaId>, Vec<&Case>> = BTreeMap::new();
        given.iter().for_each(|(case, to)| groups.entry(concerned(case, *to)).or_default().push(case));
        let group = |(owners, cases): (Vec<AreaId>, Vec<&Case>)| {
            let largest = cases.iter().max_by(|a, b| a.size.area_m2.total_cmp(&b.size.area_m2))?;
            let to = owners.first().map_or("", |to| self.code(*to));
            let note = match cases.len() {
                1 => format!("a narrow strip was given to {to}"),
                n => format!("{n} narrow strips were given to {to}; the largest is shown"),
            };
            Some(Finding {
                note,
                area_m2: cases.iter().map(|c| c.size.area_m2).sum(),
                width_m: cases.iter().map(|c| c.size.width_m).fold(0.0, f64::max),
                bounds: cases.iter().fold(largest.size.bounds, |all, c| all.union(c.size.bounds)),
                ..sliver(largest, owners)
            })
        };
        groups.into_iter().filter_map(group).collect()
    }

    /// Who owns the ground around a face, ascending.
    fn around(&self, face: u32, owners: &[Option<AreaId>]) -> Vec<AreaId> {
        let beyond = self.graph.around(face).filter_map(|h| owners[self.graph.face[h as usize ^ 1] as usize]);
        let mut around: Vec<AreaId> = beyond.collect();
        around.sort_unstable();
        around.dedup();
        around
    }

    /// Who shares the longest border with a sliver, of those who may have it.
    fn receiver(&self, case: &Case, owners: &[Option<AreaId>]) -> Option<AreaId> {
        let mut shared_m: BTreeMap<AreaId, f64> = BTreeMap::new();
        for h in self.graph.around(case.face) {
            let beyond = self.graph.face[h as usize ^ 1];
            if beyond == OUTSIDE {
                continue;
            }
            let Some(owner) = owners[beyond as usize] else { continue };
            let may = match (case.within, case.claimants.is_empty()) {
                (Some(area), _) => (owner != area && self.chain(owner).any(|a| a == area)).then_some(owner),
                (None, true) => Some(owner),
                (None, false) => self.chain(owner).find(|a| case.claimants.contains(a)),
            };
            if let Some(to) = may {
                let [a, b] = self.mesh.segment(h as usize / 2);
                *shared_m.entry(to).or_default() += Frame::between(a, b).distance_m(a, b);
            }
        }
        let longest = shared_m.values().copied().fold(0.0, f64::max);
        // Lengths are summed in the order of the walk: a millimetre apart is equal.
        let nearly: Vec<AreaId> = shared_m.into_iter().filter(|s| s.1 >= longest - 1e-3).map(|s| s.0).collect();
        self.lowest(&nearly)
    }
}
