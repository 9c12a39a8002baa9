//! A layer as it is read: a large base table that never changes, and the few rows
//! put or removed since.
//!
//! `ix` numbers the rows of one `Layer` value; it means nothing to another one, also
//! not to the same layer after a change. Ids are what lasts.

use std::sync::Arc;

use boundaries::{AreaId, Bounds};
use rayon::prelude::*;
use rstar::{AABB, RTree, RTreeObject};
use rustc_hash::FxHashMap;

use crate::feature::{Feature, Value};

use super::owners::{Owned, Owners, with_descendants};
use super::shapes::{GeometryRef, Shapes};
use super::shares::{Scratch, Share, Verdict, envelope, verdict};
use super::strings::{StringIndex, Sym};
use super::table::{Field, Table, ValueRef};
use super::view::CoverageView;

/// So many rows may stand beside the base before a new base is made.
const LATER_MAX: usize = 2048;

/// Features that are told apart one by one; of more it is said that all may be others.
const MOST_BOXES: usize = 4096;

/// A row's box in the tree.
#[derive(Clone, Copy, Debug)]
struct Boxed {
    bounds: Bounds,
    row: u32,
}

impl RTreeObject for Boxed {
    type Envelope = AABB<[i32; 2]>;
    fn envelope(&self) -> Self::Envelope {
        envelope(self.bounds)
    }
}

/// The rows that a layer has but for those put or removed since: the same memory in all states
/// of the layer until there is a new one.
#[derive(Debug)]
pub struct Base {
    table: Table,
    index: StringIndex,
    tree: RTree<Boxed>,
}

/// A row put since the base was made.
#[derive(Clone, Debug)]
struct Later {
    number: u32,
    id: Arc<str>,
    shape: Shapes,
    bounds: Bounds,
    /// In the order of the fields of the layer that it was put into; fields that
    /// were added after are absent.
    values: Vec<Value>,
    /// The symbol of its first value; the others follow.
    first_sym: u32,
    verdicts: Vec<Verdict>,
}

/// A feature whose owner is another in another state of a coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The row.
    pub ix: usize,
    /// Its owner in the state that the layer is over.
    pub from: Option<AreaId>,
    /// Its owner in the other state.
    pub to: Option<AreaId>,
}

/// The features of one layer.
#[derive(Clone, Debug)]
pub struct Layer {
    name: Arc<str>,
    fields: Arc<[Field]>,
    change: u64,
    base: Arc<Base>,
    owners: Vec<Arc<Owned>>,
    /// One bit for each row of the base that was replaced or removed.
    gone: Arc<Vec<u64>>,
    gone_rows: usize,
    later: Vec<Arc<Later>>,
    later_index: FxHashMap<Arc<str>, u32>,
    next_sym: u32,
}

impl Layer {
    /// Makes a layer of features, numbered from 1 in their order.
    #[must_use]
    pub fn new(name: &str, features: Vec<Feature>, coverages: &[Arc<CoverageView>]) -> Self {
        let mut table = Table::new(Table::fields_of(features.iter().map(|f| &f.properties)));
        for (i, feature) in features.iter().enumerate() {
            if !table.push(i as u32 + 1, feature) {
                break;
            }
        }
        drop(features);
        Self::from_table(name, table, 0, coverages)
    }

    /// Makes a layer of a filled table, whose rows stay in their order. `change` is the number of the store's last
    /// change to it.
    #[must_use]
    pub fn from_table(name: &str, mut table: Table, change: u64, coverages: &[Arc<CoverageView>]) -> Self {
        table.freeze();
        let (index, (tree, owners)) = rayon::join(
            || table.index_of_ids(),
            || {
                rayon::join(
                    || tree_of(&table),
                    || coverages.iter().map(|c| Arc::new(Owners::of(&table, c))).collect::<Vec<_>>(),
                )
            },
        );
        Self {
            name: name.into(),
            fields: table.fields.as_slice().into(),
            change,
            gone: Arc::new(Vec::new()),
            gone_rows: 0,
            later: Vec::new(),
            later_index: FxHashMap::default(),
            next_sym: table.symbols() as u32,
            base: Arc::new(Base { table, index, tree }),
            owners: owners.into_iter().map(|o| Arc::new(Owned::known(o))).collect(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The number of the store's last change to it.
    #[must_use]
    pub fn change(&self) -> u64 {
        self.change
    }

    /// Its fields; a field's place among them is what [`value`](Self::value) takes.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The place of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| &*f.name == name)
    }

    /// How many features it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.base.table.len() - self.gone_rows + self.later.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All its features.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.base.table.len() + self.later.len()).filter(|ix| !self.is_gone(*ix))
    }

    /// The feature of that id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<usize> {
        if let Some(at) = self.later_index.get(id) {
            return Some(self.base.table.len() + *at as usize);
        }
        self.base.index.find(&self.base.table.ids, id).filter(|row| !self.is_gone(*row))
    }

    /// The id of a feature; empty where there is no such `ix`.
    #[must_use]
    pub fn id(&self, ix: usize) -> &str {
        self.later(ix).map_or_else(|| self.base.table.id(ix).unwrap_or_default(), |l| &l.id)
    }

    /// The integer that stands for a feature in tiles: it stays when the feature changes.
    #[must_use]
    pub fn number(&self, ix: usize) -> u32 {
        self.later(ix).map_or_else(|| self.base.table.number(ix).unwrap_or_default(), |l| l.number)
    }

    /// Where a feature lies.
    #[must_use]
    pub fn geometry(&self, ix: usize) -> Option<GeometryRef<'_>> {
        self.later(ix).map_or_else(|| self.base.table.geometry(ix), |l| l.shape.get(0))
    }

    /// A value of a feature.
    #[inline]
    #[must_use]
    pub fn value(&self, ix: usize, field: usize) -> ValueRef<'_> {
        let Some(later) = self.later(ix) else { return self.base.table.value(ix, field) };
        match later.values.get(field) {
            None | Some(Value::Null) => ValueRef::Null,
            Some(Value::Bool(b)) => ValueRef::Bool(*b),
            Some(Value::Integer(i)) => ValueRef::Integer(*i),
            Some(Value::Real(r)) => ValueRef::Real(*r),
            Some(Value::Text(t)) => ValueRef::Text(Sym(later.first_sym + field as u32), t),
        }
    }

    /// One past the highest symbol of its texts: the size of a table indexed by symbol.
    #[must_use]
    pub fn symbols(&self) -> usize {
        self.next_sym as usize
    }

    /// The texts of its values by symbol, but for those put since its base was made.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.base.table.texts()
    }

    /// A feature that stands on its own; absent values are left out.
    #[must_use]
    pub fn feature(&self, ix: usize) -> Option<Feature> {
        if self.later(ix).is_none() {
            return self.base.table.feature(ix);
        }
        let properties = self
            .fields
            .iter()
            .enumerate()
            .map(|(i, f)| (f.name.clone(), self.value(ix, i).to_value()))
            .filter(|(_, value)| *value != Value::Null)
            .collect();
        Some(Feature { id: self.id(ix).into(), geometry: self.geometry(ix)?.to_geometry(), properties })
    }

    /// The rows that states of this layer have in common.
    #[must_use]
    pub fn base(&self) -> &Arc<Base> {
        &self.base
    }

    /// The rows of the base, also those that are gone.
    #[must_use]
    pub fn base_rows(&self) -> std::ops::Range<usize> {
        0..self.base.table.len()
    }

    /// Whether a row is there, and was not replaced or removed.
    #[inline]
    #[must_use]
    pub fn has(&self, ix: usize) -> bool {
        ix < self.base.table.len() + self.later.len() && !self.is_gone(ix)
    }

    /// The features put since the base was made whose boxes meet `bounds`.
    pub fn later_within(&self, bounds: Bounds) -> impl Iterator<Item = usize> {
        let begin = self.base.table.len();
        let later = self.later.iter().enumerate().filter(move |(_, l)| l.bounds.meets(bounds));
        later.map(move |(i, _)| begin + i)
    }

    /// The features whose boxes meet `bounds`.
    pub fn within(&self, bounds: Bounds) -> impl Iterator<Item = usize> {
        let base = self.base.tree.locate_in_envelope_intersecting(envelope(bounds)).map(|b| b.row as usize);
        base.filter(|row| !self.is_gone(*row)).chain(self.later_within(bounds))
    }

    /// The features of an area and of all areas below it. `coverage` is the place of
    /// the coverage in [`Snapshot::coverages`](super::Snapshot::coverages).
    #[must_use]
    pub fn of_area(&self, coverage: usize, area: AreaId) -> Vec<usize> {
        let Some(owners) = self.owners_in(coverage) else { return Vec::new() };
        let mut areas = with_descendants(&owners.view.coverage, area);
        let mut found: Vec<usize> = areas
            .iter()
            .flat_map(|a| owners.rows_of(*a))
            .map(|row| *row as usize)
            .filter(|row| !self.is_gone(*row))
            .collect();
        areas.sort_unstable();
        let begin = self.base.table.len();
        found.extend(
            (0..self.later.len())
                .map(|i| begin + i)
                .filter(|ix| self.owner(*ix, coverage).is_some_and(|owner| areas.binary_search(&owner).is_ok())),
        );
        found.sort_unstable();
        found
    }

    /// The area that a feature belongs to: the one with the largest share of its
    /// ground; `None` where nobody owns any of it.
    #[must_use]
    pub fn owner(&self, ix: usize, coverage: usize) -> Option<AreaId> {
        match self.later(ix) {
            Some(later) => later.verdicts.get(coverage)?.owner,
            None => self.owners_in(coverage)?.owner(ix),
        }
    }

    /// The shares of a feature that a border cuts, largest first; empty for one that
    /// lies wholly in one area.
    #[must_use]
    pub fn shares(&self, ix: usize, coverage: usize) -> &[Share] {
        match self.later(ix) {
            Some(later) => later.verdicts.get(coverage).map_or(&[], |v| &v.shares),
            None => self.owners_in(coverage).map_or(&[], |o| o.shares(ix)),
        }
    }

    /// The features that a border of the coverage cuts.
    #[must_use]
    pub fn cut(&self, coverage: usize) -> Vec<usize> {
        let base = self.owners_in(coverage).into_iter().flat_map(|o| o.cut()).filter(|row| !self.is_gone(*row));
        let begin = self.base.table.len();
        let later = (begin..begin + self.later.len()).filter(|ix| !self.shares(*ix, coverage).is_empty());
        base.chain(later).collect()
    }

    /// The layer after some features were put (each with its number) and some ids
    /// removed. Costs what was put, not what the layer holds.
    #[must_use]
    pub fn updated(&self, change: u64, put: &[(u32, Feature)], removed: &[Arc<str>]) -> Self {
        let mut next = self.clone();
        next.change = change;
        let gone = Arc::make_mut(&mut next.gone);
        gone.resize(self.base.table.len().div_ceil(64), 0);
        let mut scratch = Scratch::default();
        let mut fields = self.fields.to_vec();
        for id in removed.iter().map(|id| &**id).chain(put.iter().map(|(_, f)| &*f.id)) {
            if let Some(row) = self.base.index.find(&self.base.table.ids, id) {
                let (word, bit) = (&mut gone[row / 64], 1 << (row % 64));
                next.gone_rows += usize::from(*word & bit == 0);
                *word |= bit;
            }
            if let Some(at) = next.later_index.remove(id) {
                next.later.swap_remove(at as usize);
                if let Some(moved) = next.later.get(at as usize) {
                    next.later_index.insert(moved.id.clone(), at);
                }
            }
        }
        for (number, feature) in put {
            let mut values = vec![Value::Null; fields.len()];
            for (name, value) in &feature.properties {
                match fields.iter().position(|f| f.name == *name) {
                    Some(i) => values[i] = value.clone(),
                    None => {
                        let kind = super::table::Kind::of(value).unwrap_or(super::table::Kind::Text);
                        fields.push(Field { name: name.clone(), kind });
                        values.push(value.clone());
                    }
                }
            }
            let shape = Shapes::of(&feature.geometry);
            let verdicts =
                self.owners.iter().filter_map(|o| Some(verdict(&o.view, shape.get(0)?, &mut scratch))).collect();
            let (first_sym, count) = (next.next_sym, values.len() as u32);
            let bounds = feature.geometry.bounds();
            let later = Later { number: *number, id: feature.id.clone(), shape, bounds, values, first_sym, verdicts };
            next.next_sym += count;
            // Of two puts of one id in one change the last holds.
            match next.later_index.get(&feature.id) {
                Some(at) => next.later[*at as usize] = Arc::new(later),
                None => {
                    next.later_index.insert(feature.id.clone(), next.later.len() as u32);
                    next.later.push(Arc::new(later));
                }
            }
        }
        next.fields = fields.into();
        next
    }

    /// Boxes around the features that are others than in an earlier state of the layer, in
    /// either of the two: put, removed, with another owner or one of another code. `None`
    /// where all of them may be: after a new base, or one more field.
    #[must_use]
    pub fn changed_since(&self, before: &Self) -> Option<Vec<Bounds>> {
        let same_places = self.owners.len() == before.owners.len()
            && self.owners.iter().zip(&before.owners).all(|(new, old)| new.view.name == old.view.name);
        if !Arc::ptr_eq(&self.base, &before.base) || self.fields != before.fields || !same_places {
            return None;
        }
        let mut rows = Vec::new();
        let later = [self, before].into_iter().flat_map(|layer| &layer.later);
        let mut seen: FxHashMap<*const Later, &Arc<Later>> = FxHashMap::default();
        for later in later {
            if seen.remove(&Arc::as_ptr(later)).is_none() {
                seen.insert(Arc::as_ptr(later), later);
            }
        }
        let mut later: Vec<Bounds> = seen.into_values().map(|later| later.bounds).collect();
        for word in 0..self.gone.len().max(before.gone.len()) {
            let [new, old] = [self, before].map(|layer| layer.gone.get(word).copied().unwrap_or_default());
            let mut differ = new ^ old;
            while differ != 0 {
                rows.push(word * 64 + differ.trailing_zeros() as usize);
                differ &= differ - 1;
            }
        }
        for (place, (new, old)) in self.owners.iter().zip(&before.owners).enumerate() {
            if Arc::ptr_eq(new, old) {
                continue;
            }
            let [new, old] = [self.owners_in(place)?, before.owners_in(place)?];
            rows.extend((0..self.base.table.len()).filter(|row| new.owner(*row) != old.owner(*row)));
            let code = |owners: &Owners, id| owners.view.coverage.area(id).map(|area| area.code.clone());
            let difference = new.view.coverage.difference(&old.view.coverage);
            for id in difference.areas.into_iter().filter(|id| code(new, *id) != code(old, *id)) {
                rows.extend(new.rows_of(id).iter().map(|row| *row as usize));
                let owned = self.later.iter().filter(|l| l.verdicts.get(place).is_some_and(|v| v.owner == Some(id)));
                later.extend(owned.map(|l| l.bounds));
            }
        }
        rows.sort_unstable();
        rows.dedup();
        if rows.len() + later.len() > MOST_BOXES {
            return None;
        }
        let boxes = rows.into_iter().filter_map(|row| Some(self.base.table.geometry(row)?.bounds()));
        Some(boxes.chain(later).filter(|b| !b.is_empty()).collect())
    }

    /// The ids of the features that were put or removed since an earlier state of the layer,
    /// ascending. `None` where all may have been: after a new base.
    #[must_use]
    pub fn put_since(&self, before: &Self) -> Option<Vec<Arc<str>>> {
        if !Arc::ptr_eq(&self.base, &before.base) {
            return None;
        }
        let is_same = |later: &Arc<Later>, other: &Self| {
            let at = other.later_index.get(&later.id).and_then(|at| other.later.get(*at as usize));
            at.is_some_and(|same| Arc::ptr_eq(same, later))
        };
        let pairs = [(self, before), (before, self)];
        let of = |(one, other): (&Self, &Self)| -> Vec<Arc<str>> {
            one.later.iter().filter(|later| !is_same(later, other)).map(|later| later.id.clone()).collect()
        };
        let mut ids: Vec<Arc<str>> = pairs.into_iter().flat_map(of).collect();
        for (word, gone) in self.gone.iter().enumerate() {
            let mut new = gone & !before.gone.get(word).copied().unwrap_or_default();
            while new != 0 {
                let row = word * 64 + new.trailing_zeros() as usize;
                ids.extend(self.base.table.id(row).map(Arc::from));
                new &= new - 1;
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }

    /// Whether its owners are those of these very coverages.
    #[must_use]
    pub fn is_over(&self, coverages: &[Arc<CoverageView>]) -> bool {
        self.owners.len() == coverages.len()
            && self.owners.iter().zip(coverages).all(|(o, view)| Arc::ptr_eq(&o.view, view))
    }

    /// Whether so much was put and removed that a new base is due.
    #[must_use]
    pub fn is_ragged(&self) -> bool {
        let aside = self.later.len() + self.gone_rows;
        aside > LATER_MAX.max(self.base.table.len() / 8) || self.later.len() > 2 * LATER_MAX
    }

    /// The same layer with a new base of all its rows. Costs what the layer holds:
    /// to be done aside.
    #[must_use]
    pub fn compacted(&self) -> Self {
        let mut table = Table::new(self.fields.to_vec());
        for ix in self.iter() {
            if let Some(feature) = self.feature(ix) {
                table.push(self.number(ix), &feature);
            }
        }
        let views: Vec<_> = self.owners.iter().map(|o| o.view.clone()).collect();
        Self::from_table(&self.name, table.along_curve(), self.change, &views)
    }

    /// The same features over other coverages. Owners are worked out when they are first
    /// asked for: where a coverage is another state of one that is known, again on ground that
    /// changed hands; where it is the very same, not at all.
    #[must_use]
    pub fn reowned(&self, coverages: &[Arc<CoverageView>]) -> Self {
        if self.is_over(coverages) {
            return self.clone();
        }
        let owners = coverages.iter().map(|view| match self.owners.iter().find(|o| o.view.name == view.name) {
            Some(same) if Arc::ptr_eq(&same.view, view) => same.clone(),
            other => Arc::new(Owned::later(view, other.map(|o| &**o))),
        });
        let owners = owners.collect();
        // Few, as a rule: all of them are judged again.
        let mut scratch = Scratch::default();
        let later = self.later.iter().map(|later| {
            let judged = coverages.iter().filter_map(|view| Some(verdict(view, later.shape.get(0)?, &mut scratch)));
            let verdicts = judged.collect();
            Arc::new(Later { verdicts, ..(**later).clone() })
        });
        let later = later.collect();
        Self { owners, later, ..self.clone() }
    }

    /// The same layer with its owners worked out, and without those that they came from: for
    /// a state that stays.
    #[must_use]
    pub fn settled(self) -> Self {
        let known = |place: usize| Some(Arc::new(Owned::known(self.owners_of(place)?.clone())));
        let owners = (0..self.owners.len()).filter_map(known).collect();
        Self { owners, ..self }
    }

    fn owners_in(&self, coverage: usize) -> Option<&Owners> {
        self.owners_of(coverage).map(|owners| &**owners)
    }

    fn owners_of(&self, coverage: usize) -> Option<&Arc<Owners>> {
        let tree = &self.base.tree;
        let near =
            |ground: Bounds| tree.locate_in_envelope_intersecting(envelope(ground)).map(|b| b.row as usize).collect();
        Some(self.owners.get(coverage)?.made(&self.base.table, near))
    }

    /// The features that another state of a coverage gives another owner: each with the
    /// owner that it has and the one that it would have. Costs what lies near ground that
    /// differs.
    #[must_use]
    pub fn moved(&self, coverage: usize, view: &CoverageView) -> Vec<Moved> {
        let Some(owners) = self.owners.get(coverage) else { return Vec::new() };
        let ground = view.coverage.changed_ground(&owners.view.coverage);
        let mut near: Vec<usize> = ground.into_iter().flat_map(|bounds| self.within(bounds)).collect();
        near.sort_unstable();
        near.dedup();
        let mut scratch = Scratch::default();
        let moved = near.into_iter().filter_map(|ix| {
            let from = self.owner(ix, coverage);
            let to = verdict(view, self.geometry(ix)?, &mut scratch).owner;
            (from != to).then_some(Moved { ix, from, to })
        });
        moved.collect()
    }

    fn later(&self, ix: usize) -> Option<&Later> {
        self.later.get(ix.checked_sub(self.base.table.len())?).map(|l| &**l)
    }

    fn is_gone(&self, ix: usize) -> bool {
        self.gone.get(ix / 64).is_some_and(|word| word >> (ix % 64) & 1 == 1) && ix < self.base.table.len()
    }
}

fn tree_of(table: &Table) -> RTree<Boxed> {
    let boxes = (0..table.len())
        .into_par_iter()
        .filter_map(|row| Some(Boxed { bounds: table.geometry(row)?.bounds(), row: row as u32 }))
        .filter(|b| !b.bounds.is_empty())
        .collect();
    RTree::bulk_load(boxes)
}
