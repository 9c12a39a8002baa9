//! The register of changes (变更登记) as authorities file it: one entry for each area and
//! each kind of change that a revision brought to it, with the ground concerned.
//!
//! ```text
//!   a gives ground to a new b ── 拆分 of a and of b      a stays, its line moved ── 边界调整
//!   a goes into b             ── 合并 of a and of b      ... and was badly drawn ── 边界勘误
//!   b is made of several, or of land without an area ── 设立     a goes to several ── 撤销
//! ```
//!
//! Invariant: read off the two states of the boundaries; the lineage is asked only what
//! states can't tell, whether a line was wrong or the city changed. The same revision has
//! the same entries and serials, whatever else is listed with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use boundaries::{AreaId, BuildError, Coverage, Level, Overlay, Owners, Polygon};
use jiff::Timestamp;

use super::crosswalk::{CRUMB_M2, up};
use crate::store::{Descent, Kinship, Origin, Revision};

/// What happened to an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alteration {
    /// It was set up.
    Establish,
    /// It was abolished, its ground went to several or to nobody.
    Abolish,
    /// It went into another, or another into it.
    Merge,
    /// It came out of another, or another out of it.
    Split,
    /// Its boundary with another that stays was moved.
    Boundary,
    /// The line was badly drawn; nothing changed in the city.
    Correction,
    /// It has another name.
    Rename,
    /// It has another code.
    Recode,
    /// It lies below another.
    Reparent,
}

impl Alteration {
    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Establish => "establish",
            Self::Abolish => "abolish",
            Self::Merge => "merge",
            Self::Split => "split",
            Self::Boundary => "boundary_adjustment",
            Self::Correction => "correction",
            Self::Rename => "rename",
            Self::Recode => "recode",
            Self::Reparent => "reparent",
        }
    }

    /// Its name in the register.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Establish => "设立",
            Self::Abolish => "撤销",
            Self::Merge => "合并",
            Self::Split => "拆分",
            Self::Boundary => "边界调整",
            Self::Correction => "边界勘误",
            Self::Rename => "更名",
            Self::Recode => "代码变更",
            Self::Reparent => "隶属变更",
        }
    }
}

/// What is said of an area before a change, or after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its code.
    pub code: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The code of its parent.
    pub parent: Option<Arc<str>>,
    /// Its ground in square metres, with what lies below it.
    pub area_m2: f64,
}

/// An entry of the register.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The number of the revision and that of the entry in it.
    pub serial: String,
    /// The revision.
    pub revision: u64,
    /// From when it is in force; `None` for the first of a coverage.
    pub effective: Option<Timestamp>,
    /// What happened.
    pub alteration: Alteration,
    /// The name of the area's level.
    pub level: Arc<str>,
    /// The area before; `None` where it was not there.
    pub before: Option<Standing>,
    /// The area after; `None` where it is gone.
    pub after: Option<Standing>,
    /// The codes of the others that were concerned, ascending.
    pub others: Vec<Arc<str>>,
    /// The ground that came or went, in square metres.
    pub changed_m2: f64,
    /// Why, in the author's words.
    pub reason: String,
    /// The plan that it was published from.
    pub origin: Option<Origin>,
    /// Who published it.
    pub author: String,
    /// The ground that came or went; all of the area's where none did.
    pub ground: Vec<Polygon>,
}

/// The entries of one revision: what differs between `before` (`None`: nothing was there)
/// and `after`. `lineage` is that of the revision.
///
/// # Errors
///
/// Where the boundaries of the two can't be compared.
pub fn register(
    revision: &Revision,
    before: Option<&Coverage>,
    after: &Coverage,
    lineage: &[Descent],
    origin: Option<&Origin>,
) -> Result<Vec<Entry>, BuildError> {
    let nothing = Coverage::empty(after.levels().into());
    let before = before.unwrap_or(&nothing);
    // Whoever was put below another takes its ground there, though no line moved.
    let moved = before.areas().filter(|(id, a)| after.area(*id).is_some_and(|b| a.parent != b.parent));
    let below = |id: AreaId| before.ground(id).into_iter().filter_map(|face| before.face(face)?.owner);
    let moved: BTreeSet<AreaId> = moved.flat_map(|(id, _)| below(id)).collect();
    let overlay = after.laid_over(before, moved)?;
    let book = Book { revision, before, after, overlay, lineage, origin };
    let mut entries = Vec::new();
    let mut names: Vec<&Arc<str>> = before.levels().iter().chain(after.levels()).collect();
    names.dedup();
    let mut seen = BTreeSet::new();
    for name in names.into_iter().filter(|name| seen.insert((*name).clone())) {
        book.level(name, &mut entries)?;
    }
    for (i, entry) in entries.iter_mut().enumerate() {
        entry.serial = format!("{:06}-{:04}", revision.number, i + 1);
    }
    Ok(entries)
}

struct Book<'a> {
    revision: &'a Revision,
    before: &'a Coverage,
    after: &'a Coverage,
    overlay: Overlay,
    lineage: &'a [Descent],
    origin: Option<&'a Origin>,
}

/// Ground that went from one area of a level to another, as a correction or not.
type Moved = (Option<AreaId>, Option<AreaId>, bool);

/// What an entry is put together from: the places of its moves.
type Concerned = BTreeMap<(AreaId, Alteration), Vec<usize>>;

impl Book<'_> {
    fn level(&self, name: &Arc<str>, entries: &mut Vec<Entry>) -> Result<(), BuildError> {
        let [old, new] = [self.before, self.after].map(|c| c.level(name));
        let at = |(a, b): Owners| -> (Option<AreaId>, Option<AreaId>) {
            (old.and_then(|l| up(self.before, a, l)), new.and_then(|l| up(self.after, b, l)))
        };
        let key = |owners: Owners| -> Option<Moved> {
            let (from, to) = at(owners);
            (from != to).then(|| (from, to, self.is_correction(owners)))
        };
        let mut moves = if self.overlay.pieces().any(|(owners, _)| key(owners).is_some()) {
            self.overlay.by(key)?
        } else {
            Vec::new()
        };
        moves.retain(|(_, m2, _)| *m2 >= CRUMB_M2);

        let of_level = |coverage: &Coverage, level: Option<Level>| -> BTreeSet<AreaId> {
            coverage.areas().filter(|(_, a)| Some(a.level) == level).map(|(id, _)| id).collect()
        };
        let (were, are) = (of_level(self.before, old), of_level(self.after, new));
        let mut concerned = Concerned::new();
        for id in are.difference(&were) {
            concerned.insert((*id, self.origin_of(*id, &were, &are, &moves)), Vec::new());
        }
        for id in were.difference(&are) {
            concerned.insert((*id, self.end_of(*id, &were, &are, &moves)), Vec::new());
        }
        let made_or_gone: BTreeMap<AreaId, Alteration> = concerned.keys().copied().collect();
        for (i, ((from, to, correction), ..)) in moves.iter().enumerate() {
            let own = |id: &AreaId| made_or_gone.get(id).copied();
            for (id, other) in [(from, to), (to, from)] {
                let Some(id) = id else { continue };
                // What happens to one that stays follows from what became of the other.
                let others =
                    other.as_ref().and_then(own).filter(|a| matches!(a, Alteration::Split | Alteration::Merge));
                let moved = if *correction { Alteration::Correction } else { Alteration::Boundary };
                let alteration = own(id).or(others).unwrap_or(moved);
                concerned.entry((*id, alteration)).or_default().push(i);
            }
        }
        for id in were.intersection(&are) {
            for alteration in self.described(*id) {
                concerned.entry((*id, alteration)).or_default();
            }
        }
        let mut all: Vec<_> = concerned.into_iter().collect();
        let code = |id: AreaId| self.before.area(id).or_else(|| self.after.area(id)).map(|a| a.code.clone());
        all.sort_by_cached_key(|((id, alteration), _)| (code(*id), *alteration));
        for ((id, alteration), places) in all {
            let own = places.iter().filter_map(|i| moves.get(*i));
            let (mut ground, mut others, mut changed_m2) = (Vec::new(), BTreeSet::new(), 0.0);
            for ((from, to, _), m2, polygons) in own {
                let other = if *from == Some(id) { *to } else { *from };
                others.extend(other.and_then(code));
                changed_m2 += m2;
                ground.extend_from_slice(polygons);
            }
            if ground.is_empty() {
                let stands = if self.after.area(id).is_some() { self.after } else { self.before };
                ground = stands.polygons(id);
            }
            entries.push(Entry {
                serial: String::new(),
                revision: self.revision.number,
                effective: self.revision.effective,
                alteration,
                level: name.clone(),
                before: standing(self.before, id),
                after: standing(self.after, id),
                others: others.into_iter().collect(),
                changed_m2: (changed_m2 * 100.0).round() / 100.0,
                reason: self.revision.summary.clone(),
                origin: self.origin.cloned(),
                author: self.revision.author.clone(),
                ground,
            });
        }
        Ok(())
    }

    /// How an area came to be: out of one that stays, or in another way.
    fn origin_of(
        &self,
        id: AreaId,
        were: &BTreeSet<AreaId>,
        are: &BTreeSet<AreaId>,
        moves: &[(Moved, f64, Vec<Polygon>)],
    ) -> Alteration {
        let givers: BTreeSet<Option<AreaId>> =
            moves.iter().filter(|((_, to, _), ..)| *to == Some(id)).map(|((from, ..), ..)| *from).collect();
        match givers.into_iter().collect::<Vec<_>>().as_slice() {
            [Some(one)] if were.contains(one) && are.contains(one) => Alteration::Split,
            _ => Alteration::Establish,
        }
    }

    /// How an area ended: in one that was there and stays, or in another way.
    fn end_of(
        &self,
        id: AreaId,
        were: &BTreeSet<AreaId>,
        are: &BTreeSet<AreaId>,
        moves: &[(Moved, f64, Vec<Polygon>)],
    ) -> Alteration {
        let takers: BTreeSet<Option<AreaId>> =
            moves.iter().filter(|((from, ..), ..)| *from == Some(id)).map(|((_, to, _), ..)| *to).collect();
        match takers.into_iter().collect::<Vec<_>>().as_slice() {
            [Some(one)] if were.contains(one) && are.contains(one) => Alteration::Merge,
            _ => Alteration::Abolish,
        }
    }

    /// What is said of an area that stays, where that is something else.
    fn described(&self, id: AreaId) -> Vec<Alteration> {
        let Some((a, b)) = self.before.area(id).zip(self.after.area(id)) else { return Vec::new() };
        let differs = [
            (a.name != b.name, Alteration::Rename),
            (a.code != b.code, Alteration::Recode),
            (a.parent != b.parent, Alteration::Reparent),
        ];
        differs.into_iter().filter(|(differs, _)| *differs).map(|(_, alteration)| alteration).collect()
    }

    /// Whether the lineage has ground of these owners as a line drawn better.
    fn is_correction(&self, (a, b): Owners) -> bool {
        let code = |coverage: &Coverage, id: Option<AreaId>| coverage.area(id?).map(|area| area.code.clone());
        let Some((from, to)) = code(self.before, a).zip(code(self.after, b)) else { return false };
        self.lineage.iter().any(|d| d.kind == Kinship::Correction && d.from == from && d.to == to)
    }
}

fn standing(coverage: &Coverage, id: AreaId) -> Option<Standing> {
    let area = coverage.area(id)?;
    Some(Standing {
        code: area.code.clone(),
        name: area.name.clone(),
        parent: area.parent.and_then(|p| coverage.area(p)).map(|p| p.code.clone()),
        area_m2: (coverage.area_m2(id) * 100.0).round() / 100.0,
    })
}
