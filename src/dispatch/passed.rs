//! Who was nearer than the last who is named, and why he is not named himself.

use jiff::Timestamp;

use super::nearest::{Found, Ground, Query};
use super::workers::Workers;

/// The most who are told of.
pub const MOST_PASSED: usize = 100;

/// Somebody who was passed over.
#[derive(Clone, Debug, PartialEq)]
pub struct Passed {
    /// Who he is and where.
    pub found: Found,
    /// What he is not, or what else decided.
    pub reasons: Vec<Reason>,
}

/// What somebody was passed over for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// He is of another role.
    Role,
    /// He lacks the skill.
    Skill,
    /// He is not on duty, or is and should not be.
    Duty,
    /// He is on other ground.
    Within,
    /// He was last seen too long ago, or never.
    Age,
    /// He is too far away.
    Distance,
    /// He has too many open events.
    Load,
    /// Others come first: by their grid, or by what they have to do.
    Order,
}

impl Reason {
    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Skill => "skill",
            Self::Duty => "on_duty",
            Self::Within => "within",
            Self::Age => "max_age_s",
            Self::Distance => "max_distance_m",
            Self::Load => "max_load",
            Self::Order => "order",
        }
    }
}

impl Workers {
    /// Those who are at least as near as the farthest of the `chosen` and not among them;
    /// where fewer were chosen than asked for, the nearest of all others. At most
    /// [`MOST_PASSED`], the nearest first.
    pub fn passed_over(
        &self,
        query: &Query<'_>,
        chosen: &[Found],
        ground: &impl Ground,
        now: Timestamp,
    ) -> Vec<Passed> {
        let farthest_m = chosen.iter().map(|one| one.distance_m).fold(0.0, f64::max);
        let limit_m = (chosen.len() >= query.k).then_some(farthest_m);
        let anyone = Query { max_distance_m: limit_m, ..Query::new(query.point, chosen.len() + MOST_PASSED) };
        let all = self.nearest(&anyone, ground, now);
        let is_chosen = |one: &Found| chosen.iter().any(|c| c.worker.id == one.worker.id);
        let passed = all.into_iter().filter(|one| !is_chosen(one)).take(MOST_PASSED);
        passed.map(|found| Passed { reasons: reasons(query, &found, ground), found }).collect()
    }
}

fn reasons(query: &Query<'_>, one: &Found, ground: &impl Ground) -> Vec<Reason> {
    let worker = &one.worker;
    let fits = [
        (Reason::Role, query.role.is_none_or(|role| *worker.role == *role)),
        (Reason::Skill, query.skill.is_none_or(|skill| worker.skills.iter().any(|s| **s == *skill))),
        (Reason::Duty, query.on_duty.is_none_or(|on| worker.on_duty == on)),
        (Reason::Within, query.within.is_none_or(|code| ground.lies_in(one.point, code))),
        (Reason::Age, query.max_age_s.is_none_or(|limit_s| one.age_s.is_some_and(|age_s| age_s <= limit_s))),
        (Reason::Distance, query.max_distance_m.is_none_or(|limit_m| one.distance_m <= limit_m)),
        (Reason::Load, query.max_load.is_none_or(|most| one.load <= most)),
    ];
    let amiss: Vec<Reason> = fits.into_iter().filter(|(_, fits)| !fits).map(|(reason, _)| reason).collect();
    if amiss.is_empty() { vec![Reason::Order] } else { amiss }
}
