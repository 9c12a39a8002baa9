//! A crosswalk: which part of which area of then lies in which area of now, and the
//! reverse, so that figures of one date can be carried to the boundaries of another.
//!
//! Invariant: compared is the ground of the two dates, however many revisions lie between
//! them: shares of steps multiplied would spread over an area what moved in one corner of
//! it. Where ground remained, the shares of an area sum to 1.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{AreaId, BuildError, Coverage, Level};

use super::figures;
use crate::snapshot::Snapshot;

/// Less ground than this is no more than a line bent where another met it.
pub(super) const CRUMB_M2: f64 = 0.5;

/// An area at one of two dates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Side {
    /// Its code.
    pub code: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// How much of something two areas have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Common {
    /// How much it is.
    pub amount: f64,
    /// Its part of what the area of then has, from 0 to 1.
    pub of_then: f64,
    /// Its part of what the area of now has, from 0 to 1.
    pub of_now: f64,
}

/// What an area of then and one of now have in common; `None` is land without an area of
/// the level.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing {
    /// The area of then.
    pub then: Option<Side>,
    /// The area of now.
    pub now: Option<Side>,
    /// Ground in square metres.
    pub area_m2: Common,
    /// Buildings, each wholly its owner's.
    pub buildings: Common,
    /// Households in them.
    pub households: Common,
}

type Pair = (Option<AreaId>, Option<AreaId>);

/// Ground, buildings and households.
type Amounts = [f64; 3];

/// The crosswalk of a level from one state to another, over the features of the same
/// present: by codes, ascending. `place` is that of the coverage in each.
///
/// # Errors
///
/// Where the boundaries of the two can't be compared.
pub fn crosswalk(
    (then, place_then): (&Snapshot, usize),
    (now, place_now): (&Snapshot, usize),
    level: &str,
) -> Result<Vec<Crossing>, BuildError> {
    let unknown = || BuildError { reason: format!("there is no level {level} in both states"), place: None };
    let graph = |snapshot: &Snapshot, place: usize| snapshot.coverages.get(place).map(|v| v.coverage.clone());
    let (before, after) = graph(then, place_then).zip(graph(now, place_now)).ok_or_else(unknown)?;
    let (level_then, level_now) = before.level(level).zip(after.level(level)).ok_or_else(unknown)?;
    let at = |(a, b): Pair| -> Pair { (up(&before, a, level_then), up(&after, b, level_now)) };

    let mut pairs: BTreeMap<Pair, Amounts> = BTreeMap::new();
    let overlay = after.laid_over(&before, [])?;
    for (owners, m2) in overlay.pieces() {
        pairs.entry(at(owners)).or_default()[0] += m2;
    }
    for (id, _) in before.areas().filter(|(id, _)| !before.faces_of(*id).is_empty()) {
        if !overlay.areas().contains(&id) {
            let own: f64 = before.faces_of(id).iter().map(|f| before.face_area_m2(*f)).sum();
            pairs.entry(at((Some(id), Some(id)))).or_default()[0] += own;
        }
    }
    if let (Some(a), Some(b)) = (then.layer("building"), now.layer("building")) {
        for ix in b.iter() {
            let pair = at((a.owner(ix, place_then), b.owner(ix, place_now)));
            let amounts = pairs.entry(pair).or_default();
            amounts[1] += 1.0;
            amounts[2] += figures::sum(b, "households", &[ix]) as f64;
        }
    }
    pairs.retain(|(a, b), amounts| {
        (a.is_some() || b.is_some()) && (a == b || amounts[0] >= CRUMB_M2 || amounts[1] > 0.0)
    });

    let (mut of_then, mut of_now) = (BTreeMap::<_, Amounts>::new(), BTreeMap::<_, Amounts>::new());
    for ((a, b), amounts) in &pairs {
        for (all, key) in [(&mut of_then, a), (&mut of_now, b)] {
            let sums = all.entry(*key).or_default();
            sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
        }
    }
    let side = |graph: &Coverage, id: Option<AreaId>| {
        let area = graph.area(id?)?;
        Some(Side { code: area.code.clone(), name: area.name.clone() })
    };
    let mut crossings: Vec<Crossing> = pairs
        .iter()
        .map(|((a, b), amounts)| {
            let common = |i: usize| {
                let part = |whole: Option<&Amounts>| whole.map_or(0.0, |w| share(amounts[i], w[i]));
                let of_then = part(a.and_then(|_| of_then.get(a)));
                let of_now = part(b.and_then(|_| of_now.get(b)));
                Common { amount: (amounts[i] * 100.0).round() / 100.0, of_then, of_now }
            };
            let (then, now) = (side(&before, *a), side(&after, *b));
            Crossing { then, now, area_m2: common(0), buildings: common(1), households: common(2) }
        })
        .collect();
    crossings.sort_by(|x, y| (&x.then, &x.now).cmp(&(&y.then, &y.now)));
    Ok(crossings)
}

/// The area of a level that an owner is or lies below.
pub(super) fn up(coverage: &Coverage, owner: Option<AreaId>, level: Level) -> Option<AreaId> {
    coverage.ancestor_at(owner?, level)
}

/// A part of a whole, to a millionth.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole * 1e6).round() / 1e6 } else { 0.0 }
}
