//! Where an edit is worked out: finding what it names, giving ids and codes, and putting
//! the outcome through the same checks, whatever the edit was.

use std::sync::Arc;

use crate::area::{Area, AreaId, Level};
use crate::carry::FreeIds;
use crate::change::Changes;
use crate::coverage::Coverage;
use crate::lattice::{Bounds, Point};
use crate::locator::holds;
use crate::metres::Frame;
use crate::topology::FaceId;

use super::cut::{grown, too_narrow};
use super::draft::Draft;
use super::refusal::{Reason, Refusal};
use super::rules::{NewArea, Rules, Wanted};
use super::verify::{above_mandate, check_slivers, meetings};
use super::{Code, Deed, Edited, Handover, drawn};

/// Areas or pieces of ground that one edit names at most.
pub(super) const MOST_AREAS: usize = 1_000;
/// Faces that a line or ring may come near: a quarter of a large city.
const MOST_FACES: usize = 5_000;

/// The coverage and the rules that an edit is applied to.
pub(super) struct Desk<'a> {
    pub(super) base: &'a Coverage,
    pub(super) rules: &'a Rules<'a>,
}

/// What an edit does to areas, beside their ground.
#[derive(Default)]
pub(super) struct Roster {
    pub(super) put: Vec<(AreaId, Area)>,
    pub(super) drop: Vec<AreaId>,
    pub(super) created: Vec<AreaId>,
    pub(super) given: Vec<Arc<str>>,
}

impl<'a> Desk<'a> {
    /// The area of a code, which may be changed.
    pub(super) fn area(&self, code: &str) -> Result<AreaId, Refusal> {
        let unknown = || Refusal::new(Reason::UnknownArea, format!("no area has the code {code}"));
        let id = self.base.area_by_code(code).ok_or_else(unknown)?;
        self.check_unlocked(id)?;
        Ok(id)
    }

    /// The area of a code whose ground is its own to redraw.
    pub(super) fn leaf(&self, code: &str) -> Result<AreaId, Refusal> {
        let id = self.area(code)?;
        if !self.base.children(id).is_empty() {
            let message = format!("{code} has areas below it: name those");
            return Err(Refusal::new(Reason::HasChildren, message).at(self.place_of(id)).of([id]));
        }
        if self.base.faces_of(id).is_empty() {
            return Err(Refusal::new(Reason::NoGround, format!("{code} has no ground")).of([id]));
        }
        Ok(id)
    }

    /// The areas of some codes, each once.
    pub(super) fn leaves(&self, codes: &[Code]) -> Result<Vec<AreaId>, Refusal> {
        if codes.len() > MOST_AREAS {
            let message = format!("one edit takes on at most {MOST_AREAS} areas: do it in parts");
            return Err(Refusal::new(Reason::Limit, message));
        }
        let mut areas = Vec::with_capacity(codes.len());
        for code in codes {
            let id = self.leaf(code)?;
            if !areas.contains(&id) {
                areas.push(id);
            }
        }
        Ok(areas)
    }

    pub(super) fn check_unlocked(&self, id: AreaId) -> Result<(), Refusal> {
        let locked = self.base.chain(id).into_iter().find(|a| self.rules.locked.contains(a));
        let Some(by) = locked else { return Ok(()) };
        let message = format!("{} is locked: unlock it, or leave it out", self.code(by));
        Err(Refusal::new(Reason::Locked, message).at(self.place_of(id)).of([id]))
    }

    pub(super) fn code(&self, id: AreaId) -> &str {
        self.base.area(id).map_or("", |a| &a.code)
    }

    /// Codes as a person lists them.
    pub(super) fn codes(&self, ids: &[AreaId]) -> String {
        ids.iter().map(|id| self.code(*id)).collect::<Vec<_>>().join(", ")
    }

    /// A place on the outline of an area.
    pub(super) fn place_of(&self, id: AreaId) -> Option<Point> {
        let outer = self.base.face(*self.base.ground(id).first()?)?.outer?;
        self.base.ring_points(outer).first().copied()
    }

    /// A line as drawn, brought to the borders of a draft.
    pub(super) fn snapped(&self, draft: &Draft<'_>, line: &[Point]) -> Result<Vec<Point>, Refusal> {
        drawn::snapped(draft, line, self.rules.tolerance_m)
    }

    /// The face that a place belongs to.
    pub(super) fn face_at(&self, p: Point) -> FaceId {
        let mut near = self.base.faces().filter(|(_, f)| f.outer.is_some() && f.bounds.contains(p));
        near.find(|(id, _)| holds(self.base, *id, p)).map_or(FaceId::OUTSIDE, |f| f.0)
    }

    /// All faces but the outside whose boxes come within the tolerance of one of some boxes.
    pub(super) fn faces_near(&self, boxes: &[Bounds]) -> Result<Vec<FaceId>, Refusal> {
        let reach: Vec<Bounds> = boxes.iter().map(|b| grown(*b, self.reach(b.min.y))).collect();
        let is_near = |bounds: Bounds| reach.iter().any(|r| r.meets(bounds));
        let near = self.base.faces().filter(|(_, f)| f.outer.is_some() && is_near(f.bounds));
        let faces: Vec<FaceId> = near.map(|f| f.0).take(MOST_FACES + 1).collect();
        if faces.len() > MOST_FACES {
            let message = format!("more than {MOST_FACES} pieces of ground are concerned: do it in parts");
            return Err(Refusal::new(Reason::Limit, message).at(boxes.first().map(|b| b.min)));
        }
        Ok(faces)
    }

    /// The tolerance in lattice units at a latitude, and a little more.
    pub(super) fn reach(&self, y: i32) -> i32 {
        let frame = Frame::at(y);
        (self.rules.tolerance_m.clamp(0.0, 10.0) / frame.east_m.abs().min(frame.north_m).max(1e-4)) as i32 + 2
    }

    /// Adds an area to be, which comes out of `from`.
    pub(super) fn create(
        &self,
        roster: &mut Roster,
        new: &NewArea,
        (from, parent): (Option<AreaId>, Option<AreaId>),
        level: Level,
    ) -> Result<AreaId, Refusal> {
        let parent = match &new.parent {
            Some(code) => Some(self.area(code)?),
            None => parent,
        };
        if parent.and_then(|p| self.base.area(p)).is_some_and(|p| p.level >= level) {
            return Err(Refusal::new(Reason::WrongParent, "the parent is not of a level above the new area").of(parent));
        }
        let above = parent.and_then(|p| self.base.area(p)).filter(|p| p.level.0 + 1 < level.0);
        if let Some(above) = above.filter(|_| from.is_none() && new.parent.is_none()) {
            let message = format!("the ground is {}'s itself: say which parent below it the new area has", above.code);
            return Err(Refusal::new(Reason::WrongParent, message).of(parent));
        }
        let wanted = Wanted { coverage: self.base, from, parent, level, given: &roster.given };
        let code = new.code.clone().or_else(|| self.rules.codes.next(&wanted));
        let Some(code) = code.filter(|c| !c.is_empty()) else {
            return Err(Refusal::new(Reason::NoCode, "no code is left for the new area: give it one").of(from));
        };
        self.check_code(&code)?;
        if roster.given.contains(&code) {
            let message = format!("several areas would come to have the code {code}: leave the codes open");
            return Err(Refusal::new(Reason::DuplicateCode, message));
        }
        let like = from.and_then(|f| self.base.area(f)).map(|a| a.kind.clone());
        let id = AreaId(self.rules.fresh.area + roster.created.len() as u32);
        roster.given.push(code.clone());
        roster.created.push(id);
        let kind = new.kind.clone().or(like).unwrap_or_else(|| "".into());
        let name = new.name.clone().unwrap_or_else(|| "".into());
        roster.put.push((id, Area { code, name, level, parent, kind, attributes: "{}".into() }));
        Ok(id)
    }

    /// Refuses a code that is or was another's.
    pub(super) fn check_code(&self, code: &str) -> Result<(), Refusal> {
        if let Some(other) = self.base.area_by_code(code) {
            let message = format!("the code {code} is in use: give another");
            return Err(Refusal::new(Reason::DuplicateCode, message).at(self.place_of(other)).of([other]));
        }
        if self.rules.codes.was_used(code) {
            let message = format!("the code {code} was in use before, and codes are never given again: give another");
            return Err(Refusal::new(Reason::UsedCode, message));
        }
        Ok(())
    }

    /// Closes a draft whose cells have their owners, and checks the outcome.
    pub(super) fn finish(&self, mut draft: Draft<'_>, roster: Roster, deed: Deed) -> Result<Edited, Refusal> {
        let mut handovers: Vec<(Handover, Option<Point>)> = Vec::new();
        let bounds = draft.bounds();
        for cell in draft.live_cells() {
            let c = &draft.cells[cell as usize];
            if c.was == c.owner {
                continue;
            }
            for area in [c.was, c.owner].into_iter().flatten().filter(|a| self.base.area(*a).is_some()) {
                self.check_unlocked(area)?;
            }
            let Bounds { min, max } = bounds[cell as usize];
            let area_m2 = c.twice_area as f64 / 2.0 * Frame::between(min, max).unit_area_m2();
            handovers.push((Handover { from: c.was, to: c.owner, area_m2 }, draft.place(cell)));
        }
        let roster = &roster;
        let mut build = |straighten| {
            let closed = draft.close(self.rules.fresh.ids, straighten);
            self.build(closed.changes, roster, closed.free)
        };
        // The lines as they are, should straightening bring one too near to another.
        let built = build(true).or_else(|_| build(false))?;
        let (next, changes, free) = built;
        for (handover, place) in &handovers {
            if let Some(refusal) = above_mandate((self.base, handover.from), (&next, handover.to), self.rules) {
                return Err(refusal.at(*place));
            }
            let emptied = handover.from.filter(|a| !roster.drop.contains(a));
            if let Some(area) = emptied.filter(|a| next.faces_of(*a).is_empty() && next.children(*a).is_empty()) {
                let message = format!("{} would have no ground left: merge or retire it instead", self.code(area));
                return Err(Refusal::new(Reason::Emptied, message).at(*place).of([area]));
            }
        }
        check_slivers(self.base, &next, &changes, self.rules)?;
        let handovers = handovers.into_iter().map(|h| h.0).collect();
        Ok(self.edited(next, changes, free, roster, deed, handovers))
    }

    /// Makes the next coverage and refuses it where lines meet that may not.
    pub(super) fn build(
        &self,
        changes: Changes,
        roster: &Roster,
        free: FreeIds,
    ) -> Result<(Coverage, Changes, FreeIds), Refusal> {
        let changes = Changes { put_areas: roster.put.clone(), drop_areas: roster.drop.clone(), ..changes };
        let next = self.base.with_changes(changes.clone()).map_err(|e| {
            let refusal = too_narrow(e.place);
            Refusal { message: format!("{} ({})", refusal.message, e.reason), ..refusal }
        })?;
        let places = meetings(self.base, &next, &changes);
        if places.is_empty() { Ok((next, changes, free)) } else { Err(too_narrow(places)) }
    }

    /// Puts together what an edit comes to.
    pub(super) fn edited(
        &self,
        coverage: Coverage,
        changes: Changes,
        ids: FreeIds,
        roster: &Roster,
        deed: Deed,
        handovers: Vec<Handover>,
    ) -> Edited {
        let owners = handovers.iter().flat_map(|h| h.from.into_iter().chain(h.to));
        let named = roster.put.iter().map(|p| p.0).chain(roster.drop.iter().copied());
        let mut touched: Vec<AreaId> = owners.chain(named).collect();
        let mut removed = roster.drop.clone();
        touched.sort_unstable();
        touched.dedup();
        removed.sort_unstable();
        let area = self.rules.fresh.area + roster.created.len() as u32;
        let fresh = super::Fresh { ids, area };
        Edited { coverage, deed, created: roster.created.clone(), removed, touched, handovers, changes, fresh }
    }
}
