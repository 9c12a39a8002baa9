//! Edits that lead from one state to another that was drawn elsewhere: a file becomes a
//! plan.
//!
//! ```text
//!   recode ─▶ create upper areas ─▶ ground ─▶ reparent ─▶ rename, set ─▶ retire upper areas
//!                                   merge, retire, split, carve, transfer
//! ```
//!
//! One edit for each change that a planner would name; where several areas exchange ground
//! with each other, that is one change.
//!
//! Invariant: the edits are made on a draft, one after the other, as a planner's would be;
//! if they don't lead to the other state, there are none. It must not know files.

mod ground;
mod renamed;

use std::sync::Arc;

use boundaries::{Area, AreaId, Coverage, Level, Point};

use super::codes::CodeBook;
use super::draft::{Draft, Refused, Terms};
use super::op::{New, Op};

/// The state that is to be come to, and what of it is meant.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    /// The state.
    pub coverage: &'a Coverage,
    /// Levels whose own land it doesn't speak of: what they own stays theirs.
    pub silent: &'a [Level],
    /// Lines nearer than this to those that are there are taken for them, in metres.
    pub tolerance_m: f64,
}

/// The draft with the edits that lead to a state, none where it is there already.
/// `told` hears how many were made.
///
/// # Errors
///
/// What of the state no edits lead to, and where.
pub fn toward(draft: Draft, goal: Goal<'_>, terms: &Terms, told: &mut dyn FnMut(usize)) -> Result<Draft, Refused> {
    let mut way = Way { draft, goal, terms, told };
    way.check()?;
    renamed::recode(&mut way)?;
    way.found()?;
    ground::give(&mut way)?;
    way.describe()?;
    way.retire()?;
    Ok(way.draft)
}

/// A draft on its way.
struct Way<'a> {
    draft: Draft,
    goal: Goal<'a>,
    terms: &'a Terms,
    told: &'a mut dyn FnMut(usize),
}

impl Way<'_> {
    fn state(&self) -> &Coverage {
        self.draft.coverage()
    }

    /// Makes one more edit; without it all stays as it is.
    fn make(&mut self, op: Op) -> Result<(), Refused> {
        let seq = self.draft.steps().last().map_or(1, |step| step.seq + 1);
        self.draft = self.draft.anew(seq, op, self.terms)?;
        (self.told)(self.draft.steps().len());
        Ok(())
    }

    /// What edits can't do.
    fn check(&self) -> Result<(), Refused> {
        let (state, goal) = (self.state(), self.goal.coverage);
        if state.levels() != goal.levels() {
            let message = format!(
                "a plan leaves the levels as they are, {}: not {}",
                state.levels().join(", "),
                goal.levels().join(", ")
            );
            return Err(Refused::new("other_levels", message));
        }
        let book: &CodeBook = &self.terms.codes;
        let (mut moved, mut used) = (Vec::new(), Vec::new());
        for (_, area) in goal.areas() {
            match state.area_by_code(&area.code).and_then(|id| state.area(id)) {
                Some(before) if before.level != area.level => moved.push(area.code.clone()),
                None if book.is_taken(&area.code) => used.push(area.code.clone()),
                _ => {}
            }
        }
        for (reason, codes, what) in [
            ("other_level", moved, "would be of another level, which no edit does"),
            ("used_code", used, "had another meaning once, and codes are never given again"),
        ] {
            if !codes.is_empty() {
                let named: Vec<&str> = codes.iter().take(10).map(|c| &**c).collect();
                let more = if codes.len() > 10 { format!(" and {} more", codes.len() - 10) } else { String::new() };
                let message = format!("{}{more} {what}", named.join(", "));
                return Err(Refused { areas: codes, ..Refused::new(reason, message) });
            }
        }
        Ok(())
    }

    /// The areas of a level of one state, by code, that another has not.
    fn lacks<'c>(has: &'c Coverage, other: &Coverage, level: Level) -> Vec<(AreaId, &'c Arc<Area>)> {
        let mut lacking: Vec<_> =
            has.areas().filter(|(_, a)| a.level == level && other.area_by_code(&a.code).is_none()).collect();
        lacking.sort_by(|a, b| a.1.code.cmp(&b.1.code));
        lacking
    }

    fn levels(&self) -> impl DoubleEndedIterator<Item = Level> + use<> {
        (0..self.goal.coverage.levels().len() as u8).map(Level)
    }

    /// Makes the areas above the finest level that are new, from above.
    fn found(&mut self) -> Result<(), Refused> {
        let (goal, finest) = (self.goal.coverage, self.goal.coverage.finest());
        for level in self.levels().filter(|l| *l < finest) {
            for (id, _) in Self::lacks(goal, self.state(), level) {
                let level = Some(goal.levels()[usize::from(level.0)].clone());
                self.make(Op::Create { at: None, level, new: self.what_is_new(id), given: Vec::new() })?;
            }
        }
        Ok(())
    }

    /// What is known of an area to be.
    fn what_is_new(&self, id: AreaId) -> New {
        let goal = self.goal.coverage;
        let Some(area) = goal.area(id) else { return New::default() };
        let parent = area.parent.and_then(|p| goal.area(p)).map(|p| p.code.clone());
        New { code: Some(area.code.clone()), name: Some(area.name.clone()), kind: Some(area.kind.clone()), parent }
    }

    /// Puts areas below their parents, from above, and changes what else is known of them.
    fn describe(&mut self) -> Result<(), Refused> {
        let goal = self.goal.coverage;
        let mut areas: Vec<&Arc<Area>> = goal.areas().map(|(_, a)| a).collect();
        areas.sort_by(|a, b| (a.level, &a.code).cmp(&(b.level, &b.code)));
        for area in &areas {
            let before = self.before(area)?;
            let parent = |c: &Coverage, p: Option<AreaId>| p.and_then(|p| c.area(p)).map(|p| p.code.clone());
            let (was, is) = (parent(self.state(), before.parent), parent(goal, area.parent));
            match is {
                Some(parent) if was.as_ref() != Some(&parent) => {
                    self.make(Op::Reparent { code: area.code.clone(), parent })?;
                }
                None if was.is_some() => {
                    let message = format!("{} would have no parent, which no edit does", area.code);
                    return Err(Refused { areas: vec![area.code.clone()], ..Refused::new("wrong_parent", message) });
                }
                _ => {}
            }
        }
        for area in areas {
            let before = self.before(area)?;
            let code = area.code.clone();
            if before.name != area.name {
                self.make(Op::Rename { code: code.clone(), name: area.name.clone() })?;
            }
            let kind = (before.kind != area.kind).then(|| area.kind.clone());
            let attributes = (before.attributes != area.attributes).then(|| serde_json::from_str(&area.attributes));
            let attributes = attributes.transpose().map_err(|e| Refused::new("bad_edit", e.to_string()))?;
            if kind.is_some() || attributes.is_some() {
                self.make(Op::Set { code, kind, attributes })?;
            }
        }
        Ok(())
    }

    fn before(&self, area: &Area) -> Result<Arc<Area>, Refused> {
        let found = self.state().area_by_code(&area.code).and_then(|id| self.state().area(id)).cloned();
        found.ok_or_else(|| Refused {
            areas: vec![area.code.clone()],
            ..Refused::new("difference_left", format!("no edit makes {}", area.code))
        })
    }

    /// Ends the areas above the finest level that are gone, from below.
    fn retire(&mut self) -> Result<(), Refused> {
        for level in self.levels().rev() {
            let gone: Vec<(AreaId, Arc<str>)> = Self::lacks(self.state(), self.goal.coverage, level)
                .into_iter()
                .map(|(id, area)| (id, area.code.clone()))
                .collect();
            for (id, code) in gone {
                let state = self.state();
                let parent = state.area(id).and_then(|a| a.parent);
                let other = || state.areas().map(|(other, _)| other).find(|other| *other != id);
                let into = parent.or_else(other).and_then(|into| state.area(into)).map(|a| a.code.clone());
                let Some(into) = into else { continue };
                self.make(Op::Retire { code, into })?;
            }
        }
        Ok(())
    }
}

/// A refusal for ground that no edit gives.
fn left(areas: Vec<Arc<str>>, places: Vec<Point>) -> Refused {
    let message = format!("no edits lead to the ground that {} should have", areas.join(", "));
    Refused { areas, places, ..Refused::new("difference_left", message) }
}
