//! What is put together: the areas of the file and those of the levels that the file
//! does not speak of, with the ground that each claims.

use std::sync::Arc;

use boundaries::{Area, AreaId, Claim, Coverage, Level, area_ids};
use rustc_hash::FxHashMap;

use super::draft::{self, Defect, Draft};
use super::parents;

/// Areas and claims, ready to be assembled.
#[derive(Debug)]
pub(super) struct Plan {
    /// The areas with their ids: those that the coverage already gave, where the code is known.
    pub areas: Vec<(AreaId, Area)>,
    /// The ground that they claim.
    pub claims: Vec<Claim>,
    /// Where in the file an area stands.
    pub features: FxHashMap<AreaId, Arc<str>>,
    /// What is wrong with parents and codes.
    pub defects: Vec<Defect>,
}

impl Plan {
    /// Joins the draft of a file with what `old` has at the levels that the file leaves
    /// alone. `levels` is the order of levels after the import.
    #[must_use]
    pub(super) fn new(
        draft: Draft,
        levels: &[Arc<str>],
        old: Option<&Coverage>,
        inside: Option<Level>,
        first_free: u32,
    ) -> Self {
        // The draft's levels and those of `old` are all among `levels`: it was merged from them.
        let rank = |name: &str| Level(levels.iter().position(|l| &**l == name).unwrap_or_default() as u8);
        let ranks: Vec<Level> = draft.levels().fields().iter().map(|f| rank(&f.level)).collect();
        let ids = area_ids(draft.areas.iter().map(|a| &*a.code), old, first_free);
        let mut plan =
            Self { areas: Vec::new(), claims: Vec::new(), features: FxHashMap::default(), defects: Vec::new() };

        let by_place = match (old, inside) {
            (Some(old), Some(level)) => parents::by_place(&draft, old, level),
            _ => FxHashMap::default(),
        };
        // Where the coverage keeps levels above the ones named, every area needs a parent there.
        let has_above = old.is_some() && ranks[0] > Level(0);
        for (area, &id) in draft.areas.iter().zip(&ids) {
            let parent = match area.parent {
                Some(at) => Some(ids[at]),
                None if by_place.is_empty() => old.and_then(|old| parent_as_before(old, &area.code, &draft)),
                None => by_place.get(&area.code).copied(),
            };
            if parent.is_none() && area.level == 0 && has_above {
                let above = &levels[usize::from(ranks[0].0) - 1];
                let how = if inside.is_some() {
                    format!("it lies in no {above}")
                } else {
                    format!("name its {above} in --levels, or use --inside {above}")
                };
                plan.defects.push(missing_parent(area, &how));
            }
            plan.features.insert(id, area.feature.clone());
            plan.areas.push((
                id,
                Area {
                    code: area.code.clone(),
                    name: area.name.clone(),
                    level: ranks[area.level],
                    parent,
                    kind: area.kind.clone(),
                    attributes: area.attributes.clone(),
                },
            ));
        }
        if let Some(old) = old {
            plan.keep(old, &draft, &ids, &rank);
        }
        for (area, &id) in draft.areas.into_iter().zip(&ids) {
            plan.claims.extend(area.parts.into_iter().map(|polygon| Claim { area: id, polygon }));
        }
        plan
    }

    /// Takes over the areas of `old` at levels that the draft does not name, with their ground.
    fn keep(&mut self, old: &Coverage, draft: &Draft, ids: &[AreaId], rank: &dyn Fn(&str) -> Level) {
        let level_name = |level: Level| &old.levels()[usize::from(level.0)];
        let is_named = |level: Level| draft.levels().names(level_name(level));
        for (id, area) in old.areas().filter(|(_, a)| !is_named(a.level)) {
            if let Some(at) = draft.by_code(&area.code) {
                let taken = &draft.areas[at];
                self.defects.push(Defect {
                    kind: "duplicate_code",
                    code: area.code.clone(),
                    features: vec![taken.feature.clone()],
                    note: format!("the code {} is already that of a {}", area.code, level_name(area.level)),
                });
                continue;
            }
            let mut kept = Area { level: rank(level_name(area.level)), ..(**area).clone() };
            if let Some(parent) = area.parent.and_then(|p| old.area(p)).filter(|p| is_named(p.level)) {
                kept.parent = draft.by_code(&parent.code).map(|at| ids[at]);
                if kept.parent.is_none() {
                    self.defects.push(Defect {
                        kind: "missing_parent",
                        code: area.code.clone(),
                        features: Vec::new(),
                        note: format!("{} lies in {}, which the file does not have", area.code, parent.code),
                    });
                }
            }
            self.claims.extend(old.polygons(id).into_iter().map(|polygon| Claim { area: id, polygon }));
            self.areas.push((id, kept));
        }
    }
}

/// The parent that an area of this code had, if that is not of a level that the file names.
fn parent_as_before(old: &Coverage, code: &str, draft: &Draft) -> Option<AreaId> {
    let parent = old.area(old.area_by_code(code)?)?.parent?;
    let level = old.area(parent)?.level;
    (!draft.levels().names(&old.levels()[usize::from(level.0)])).then_some(parent)
}

fn missing_parent(area: &draft::Area, how: &str) -> Defect {
    Defect {
        kind: "missing_parent",
        code: area.code.clone(),
        features: vec![area.feature.clone()],
        note: format!("{} has no parent: {how}", area.code),
    }
}
