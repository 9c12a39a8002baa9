//! Edits that draw nothing: lines that move, and descriptions.

use crate::area::{Area, AreaId};
use crate::build::twice_area_along;
use crate::change::Changes;
use crate::lattice::{Bounds, Point};
use crate::metres::Frame;
use crate::topology::BorderId;

use super::desk::{Desk, Roster};
use super::refusal::{Reason, Refusal};
use super::verify::{above_mandate, check_slivers, meetings, strays};
use super::{Code, Deed, Edited, Handover};

impl Desk<'_> {
    /// Puts borders on other lines, between the same faces.
    pub(super) fn move_lines(&self, changes: Changes, deed: Deed) -> Result<Edited, Refusal> {
        let mut owners: Vec<AreaId> = Vec::new();
        let mut handovers: Vec<Handover> = Vec::new();
        for record in &changes.put_borders {
            let [left, right] = [record.left, record.right].map(|f| self.base.face(f).and_then(|f| f.owner));
            let place = record.line.get(record.line.len() / 2).copied();
            if let Some(refusal) = above_mandate((self.base, left), (self.base, right), self.rules) {
                return Err(refusal.at(place));
            }
            owners.extend(left.into_iter().chain(right));
            let gained_m2 = self.base.border(record.id).map_or(0.0, |b| between_m2(&b.line, &record.line));
            let (from, to) = if gained_m2 > 0.0 { (right, left) } else { (left, right) };
            handovers.push(Handover { from, to, area_m2: gained_m2.abs() });
        }
        handovers.retain(|h| h.area_m2 > 0.0);
        owners.sort_unstable();
        owners.dedup();
        owners.iter().try_for_each(|a| self.check_unlocked(*a))?;
        let crossing = |places: Vec<Point>| {
            let message = "a border would cross or touch another, or pass over it: move it less far";
            Refusal::new(Reason::Crossing, message).at(places).of(owners.iter().copied())
        };
        let next = self.base.with_changes(changes.clone()).map_err(|e| crossing(e.place.into_iter().collect()))?;
        let moved: Vec<BorderId> = changes.put_borders.iter().map(|b| b.id).collect();
        let mut places = meetings(self.base, &next, &changes);
        if places.is_empty() {
            places = strays(&next, &moved);
        }
        if !places.is_empty() {
            return Err(crossing(places));
        }
        check_slivers(self.base, &next, &changes, self.rules)?;
        let mut edited = self.edited(next, changes, self.rules.fresh.ids, &Roster::default(), deed, handovers);
        edited.touched = owners;
        Ok(edited)
    }

    /// Changes the description of an area.
    pub(super) fn describe(&self, code: &Code, change: impl FnOnce(Area) -> Area) -> Result<Edited, Refusal> {
        let id = self.area(code)?;
        let unknown = || Refusal::new(Reason::UnknownArea, format!("no area has the code {code}"));
        let before = self.base.area(id).ok_or_else(unknown)?;
        let after = change(Area::clone(before));
        if after == **before {
            let message = format!("{code} is so already");
            return Err(Refusal::new(Reason::NoChange, message).at(self.place_of(id)).of([id]));
        }
        let has_moved = after.parent != before.parent;
        let roster = Roster { put: vec![(id, after)], ..Roster::default() };
        let (next, changes, free) = self.build(Changes::default(), &roster, self.rules.fresh.ids)?;
        if has_moved
            && !self.base.ground(id).is_empty()
            && let Some(refusal) = above_mandate((self.base, Some(id)), (&next, Some(id)), self.rules)
        {
            return Err(refusal.at(self.place_of(id)));
        }
        Ok(self.edited(next, changes, free, &roster, Deed::Description, Vec::new()))
    }
}

/// The ground that the left side gains, on balance, when a border goes from one line to
/// another, in square metres.
fn between_m2(old: &[Point], new: &[Point]) -> f64 {
    let ring: Vec<Point> = new.iter().chain(old.iter().rev()).chain(new.first()).copied().collect();
    let bounds = Bounds::of(ring.iter().copied());
    twice_area_along(&ring, ring[0]) as f64 / 2.0 * Frame::between(bounds.min, bounds.max).unit_area_m2()
}
