//! From one coverage to the next: what an edit changed is worked out again, all else
//! is the same memory in both.
//!
//! Invariant: the outcome equals the one built from all records at once. What it costs
//! follows from the rings of the faces that the changes name. It must not know what an
//! edit means.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::area::{Area, AreaId};
use crate::build::{Out, bucket, check_line, links_around, refuse, survey};
use crate::chunks::Chunked;
use crate::coverage::{BorderRecord, BuildError, Coverage, Entry, FaceRecord};
use crate::lattice::Point;
use crate::topology::{Border, BorderId, FaceId, HalfEdge};

/// What is different in the next coverage. A record whose id is known replaces what
/// stood there; what goes must be left by nobody.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Areas that are new or different.
    pub put_areas: Vec<(AreaId, Area)>,
    /// Areas that go: without ground and without areas below them.
    pub drop_areas: Vec<AreaId>,
    /// Faces that are new or have another owner.
    pub put_faces: Vec<FaceRecord>,
    /// Faces that go.
    pub drop_faces: Vec<FaceId>,
    /// Borders that are new or have another line or other sides.
    pub put_borders: Vec<BorderRecord>,
    /// Borders that go.
    pub drop_borders: Vec<BorderId>,
}

impl Coverage {
    /// The coverage after some changes; this one stays as it is.
    ///
    /// # Errors
    ///
    /// As [`Coverage::build`] of all records together, with the place.
    pub fn with_changes(&self, changes: Changes) -> Result<Self, BuildError> {
        let mut next = self.clone();
        let faces_before = self.faces_around(&changes);
        next.change_areas(&changes)?;
        let nodes = next.change_borders(self, &changes)?;
        let around = next.half_edges_of(self, &faces_before);
        next.relink(&nodes, &around)?;
        next.change_faces(self, &changes, &around)?;
        for id in &changes.drop_areas {
            let left = self.faces_of(*id).iter().find(|f| next.face(**f).is_some_and(|f| f.owner == Some(*id)));
            if let Some(face) = left {
                return refuse(format!("area {} goes, but face {} is still its own", id.0, face.0), None);
            }
        }
        Ok(next)
    }

    /// How many bytes of this coverage are not also in `other`'s memory: the chunks of
    /// the tables and the lines and lists that hang on them.
    #[must_use]
    pub fn bytes_not_shared_with(&self, other: &Self) -> usize {
        let tables = self.areas.bytes_not_shared_with(&other.areas)
            + self.borders.bytes_not_shared_with(&other.borders)
            + self.faces.bytes_not_shared_with(&other.faces);
        let codes: usize = self
            .codes
            .iter()
            .zip(&other.codes)
            .map(|(a, b)| size_of_val(a) + if Arc::ptr_eq(a, b) { 0 } else { size_of_val(&a[..]) })
            .sum();
        let lines: usize = self
            .borders()
            .filter(|(id, b)| other.border(*id).is_none_or(|o| !Arc::ptr_eq(&o.line, &b.line)))
            .map(|(_, b)| size_of_val(&b.line[..]))
            .sum();
        let holes: usize = self
            .faces()
            .filter(|(id, f)| other.face(*id).is_none_or(|o| !Arc::ptr_eq(&o.holes, &f.holes)))
            .map(|(_, f)| size_of_val(&f.holes[..]))
            .sum();
        tables + codes + lines + holes
    }

    /// All faces whose rings may change: those named, and those beside named borders.
    fn faces_around(&self, changes: &Changes) -> BTreeSet<FaceId> {
        let mut faces: BTreeSet<FaceId> = changes.drop_faces.iter().copied().collect();
        faces.extend(changes.put_faces.iter().map(|f| f.id));
        for record in &changes.put_borders {
            faces.extend([record.left, record.right]);
        }
        let gone = changes.drop_borders.iter().copied().chain(changes.put_borders.iter().map(|b| b.id));
        for border in gone.filter_map(|id| self.border(id)) {
            faces.extend([border.left, border.right]);
        }
        faces
    }

    /// Puts the lines in place; gives the nodes whose links may change.
    fn change_borders(&mut self, old: &Self, changes: &Changes) -> Result<BTreeSet<Point>, BuildError> {
        let mut nodes = BTreeSet::new();
        let mut ends = |line: &[Point]| nodes.extend(line.first().into_iter().chain(line.last()));
        for &id in &changes.drop_borders {
            match old.border(id) {
                Some(b) => ends(&b.line),
                None => return refuse(format!("border {} goes, but does not exist", id.0), None),
            }
            set(&mut self.borders, id.0, None);
        }
        let mut named = BTreeSet::new();
        for BorderRecord { id, left, right, line } in changes.put_borders.iter().cloned() {
            check_line(id, &line)?;
            let place = line.first().copied();
            if id.0 >= u32::MAX / 2 || !named.insert(id) {
                return refuse(format!("border {} stands twice or has an id out of range", id.0), place);
            }
            ends(&line);
            let before = old.border(id);
            before.iter().for_each(|b| ends(&b.line));
            // A line that stays the same stays the same memory.
            let line = before.filter(|b| b.line == line).map_or(line, |b| b.line.clone());
            let next = [HalfEdge::new(id, true), HalfEdge::new(id, false)];
            set(&mut self.borders, id.0, Some(Border { line, left, right, next }));
        }
        Ok(nodes)
    }

    /// The half-edges now around each of the faces, ascending.
    fn half_edges_of(&self, old: &Self, faces: &BTreeSet<FaceId>) -> BTreeMap<FaceId, Vec<HalfEdge>> {
        let mut around: BTreeMap<FaceId, Vec<HalfEdge>> = faces.iter().map(|f| (*f, Vec::new())).collect();
        let mut borders: Vec<BorderId> = Vec::new();
        for &face in faces {
            borders.extend(old.rings(face).flat_map(|ring| old.ring(ring)).map(HalfEdge::border));
        }
        // New borders are those that the old coverage lacks or had with other sides.
        borders.extend(self.changed_borders(old));
        borders.sort_unstable();
        borders.dedup();
        for id in borders {
            for h in [HalfEdge::new(id, true), HalfEdge::new(id, false)] {
                if let Some(own) = self.face_left_of(h).and_then(|f| around.get_mut(&f)) {
                    own.push(h);
                }
            }
        }
        around
    }

    /// The borders in chunks that the old coverage doesn't share.
    fn changed_borders(&self, old: &Self) -> Vec<BorderId> {
        self.borders.not_shared_with(&old.borders).map(|i| BorderId(i as u32)).collect()
    }

    fn relink(&mut self, nodes: &BTreeSet<Point>, around: &BTreeMap<FaceId, Vec<HalfEdge>>) -> Result<(), BuildError> {
        let mut outs: FxHashMap<Point, Vec<Out>> = FxHashMap::default();
        let mut half_edges: Vec<HalfEdge> = around.values().flatten().flat_map(|h| [*h, h.twin()]).collect();
        half_edges.sort_unstable();
        half_edges.dedup();
        for h in half_edges {
            let Some(b) = self.border(h.border()) else { continue };
            let node = if h.is_forward() { b.line[0] } else { b.line[b.line.len() - 1] };
            if nodes.contains(&node) {
                outs.entry(node).or_default().push(Out::of(h, b));
            }
        }
        // Borders at a node that bound none of the faces around are found by turning on.
        for (node, outs) in &mut outs {
            self.complete(*node, outs);
        }
        for node in nodes {
            let Some(outs) = outs.get_mut(node) else { continue };
            for (arriving, leaving) in links_around(outs)? {
                let side = usize::from(!arriving.is_forward());
                let index = arriving.border().0 as usize;
                // Writing copies a chunk: only where something changes.
                if self.borders.get(index).and_then(Option::as_ref).is_some_and(|b| b.next[side] != leaving)
                    && let Some(Some(border)) = self.borders.get_mut(index)
                {
                    border.next[side] = leaving;
                }
            }
        }
        Ok(())
    }

    /// Adds the half-edges that leave a node between others that are known, by the links
    /// that they had.
    fn complete(&self, node: Point, outs: &mut Vec<Out>) {
        let mut i = 0;
        while i < outs.len() {
            let arriving = outs[i].h.twin();
            if let Some(h) = self.next(arriving)
                && let Some(b) = self.border(h.border())
                && (if h.is_forward() { b.line[0] } else { b.line[b.line.len() - 1] }) == node
                && outs.iter().all(|o| o.h != h)
            {
                outs.push(Out::of(h, b));
            }
            i += 1;
        }
    }

    fn change_faces(
        &mut self,
        old: &Self,
        changes: &Changes,
        around: &BTreeMap<FaceId, Vec<HalfEdge>>,
    ) -> Result<(), BuildError> {
        let mut owners: BTreeMap<FaceId, Option<Option<AreaId>>> =
            around.keys().map(|f| (*f, old.face(*f).map(|f| f.owner))).collect();
        for face in &changes.drop_faces {
            owners.insert(*face, None);
        }
        for record in &changes.put_faces {
            owners.insert(record.id, Some(record.owner));
        }
        let mut recount = BTreeSet::new();
        for (&id, &owner) in &owners {
            let own = around.get(&id).map_or(&[][..], |own| own);
            let Some(owner) = owner else {
                if let Some(h) = own.first() {
                    let place = self.border(h.border()).map(|b| b.line[0]);
                    return refuse(format!("border {} has a face, {}, that does not exist", h.border().0, id.0), place);
                }
                recount.extend(old.face(id).and_then(|f| f.owner).map(|o| (o, id)));
                set(&mut self.faces, id.0, None);
                continue;
            };
            if id == FaceId::OUTSIDE && owner.is_some() {
                return refuse("the outside has an owner", None);
            }
            let borders = &self.borders;
            let face = survey(id, owner, own, &|b| borders.get(b.0 as usize)?.as_ref())?;
            if old.face(id) == Some(&face) {
                continue;
            }
            if old.face(id).map(|f| f.owner) != Some(owner) {
                recount.extend(old.face(id).and_then(|f| f.owner).map(|o| (o, id)));
                recount.extend(owner.map(|o| (o, id)));
            }
            set(&mut self.faces, id.0, Some(face));
        }
        self.recount(&recount)
    }

    /// Puts the faces that changed hands into the lists of their owners, old and new.
    fn recount(&mut self, faces: &BTreeSet<(AreaId, FaceId)>) -> Result<(), BuildError> {
        let mut by_area: BTreeMap<AreaId, Vec<FaceId>> = BTreeMap::new();
        for (area, face) in faces {
            by_area.entry(*area).or_default().push(*face);
        }
        for (area, changed) in by_area {
            let mut own: BTreeSet<FaceId> = self.faces_of(area).iter().copied().collect();
            for face in changed {
                if self.face(face).is_some_and(|f| f.owner == Some(area)) {
                    own.insert(face);
                } else {
                    own.remove(&face);
                }
            }
            match self.areas.get_mut(area.0 as usize) {
                Some(Some(entry)) => entry.faces = own.into_iter().collect(),
                _ if own.is_empty() => {}
                _ => return refuse(format!("a face is owned by area {} that does not exist", area.0), None),
            }
        }
        Ok(())
    }

    fn change_areas(&mut self, changes: &Changes) -> Result<(), BuildError> {
        for &id in &changes.drop_areas {
            let Some(area) = self.area(id).cloned() else { continue };
            self.unlist(id, &area);
            set(&mut self.areas, id.0, None);
        }
        for (id, area) in &changes.put_areas {
            if usize::from(area.level.0) >= self.levels.len() {
                return refuse(format!("area {} has a level that the coverage lacks", area.code), None);
            }
            let before = self.areas.get(id.0 as usize).cloned().flatten();
            if let Some(before) = &before {
                self.unlist(*id, &before.area);
            }
            let (faces, children) = before.map_or_else(Default::default, |b| (b.faces, b.children));
            set(&mut self.areas, id.0, Some(Entry { area: Arc::new(area.clone()), faces, children }));
        }
        // Listed once all are in their places, so the order of the changes has no say.
        for (id, area) in &changes.put_areas {
            if let Some(parent) = area.parent {
                let Some(Some(entry)) = self.areas.get_mut(parent.0 as usize) else {
                    return refuse(format!("area {} has a parent that does not exist", area.code), None);
                };
                let mut children: BTreeSet<AreaId> = entry.children.iter().copied().collect();
                children.insert(*id);
                entry.children = children.into_iter().collect();
            }
            if self.area_by_code(&area.code).is_some_and(|other| other != *id) {
                return refuse(format!("the code {} is given twice", area.code), None);
            }
            let ids = Arc::make_mut(&mut self.codes[bucket(&area.code)]);
            ids.push(*id);
            ids.sort_unstable();
            ids.dedup();
        }
        self.check_levels(changes)
    }

    /// Takes an area off the lists of its parent and its code.
    fn unlist(&mut self, id: AreaId, area: &Area) {
        Arc::make_mut(&mut self.codes[bucket(&area.code)]).retain(|other| *other != id);
        if let Some(parent) = area.parent
            && let Some(Some(entry)) = self.areas.get_mut(parent.0 as usize)
        {
            entry.children = entry.children.iter().copied().filter(|c| *c != id).collect();
        }
    }

    fn check_levels(&self, changes: &Changes) -> Result<(), BuildError> {
        for (id, area) in &changes.put_areas {
            let wrong = |child: &Area, parent: &Area| child.level <= parent.level;
            let above = area.parent.and_then(|p| self.area(p));
            let below = self.children(*id).iter().filter_map(|c| self.area(*c));
            if above.is_some_and(|p| wrong(area, p)) || below.into_iter().any(|c| wrong(c, area)) {
                return refuse(format!("area {} is not between its parent and those below it", area.code), None);
            }
        }
        for id in &changes.drop_areas {
            if self.areas().any(|(_, a)| a.parent == Some(*id)) {
                return refuse(format!("area {} goes, but others lie below it", id.0), None);
            }
        }
        Ok(())
    }
}

/// Puts an item at `index`, growing the table with holes as needed.
fn set<T: Clone>(table: &mut Chunked<Option<T>>, index: u32, item: Option<T>) {
    while table.len() <= index as usize {
        table.push(None);
    }
    if let Some(place) = table.get_mut(index as usize) {
        *place = item;
    }
}

#[cfg(test)]
mod tests;
