//! Where the dispatch room meets the rest: workers from their layer, ground from a
//! coverage, loads from the events.

use std::sync::Arc;

use boundaries::{AreaId, Bounds, Point};
use rustc_hash::FxHashMap;

use super::nearest::Ground;
use super::workers::{Synced, Worker, Workers};
use crate::snapshot::{CoverageView, GeometryRef, Layer, ValueRef};

impl Ground for CoverageView {
    fn owner(&self, point: Point) -> Option<Arc<str>> {
        self.locator.owner_at(point).and_then(|id| self.coverage.area(id)).map(|area| area.code.clone())
    }

    fn neighbours(&self, code: &str) -> Vec<Arc<str>> {
        let Some(id) = self.coverage.area_by_code(code) else { return Vec::new() };
        let beside = self.coverage.neighbours(id);
        beside.into_iter().filter_map(|(id, _)| self.coverage.area(id)).map(|area| area.code.clone()).collect()
    }

    fn bounds(&self, code: &str) -> Option<Bounds> {
        let mut below = vec![self.coverage.area_by_code(code)?];
        let mut bounds = Bounds::EMPTY;
        while let Some(id) = below.pop() {
            let faces = self.coverage.faces_of(id).iter().filter_map(|f| self.coverage.face(*f));
            bounds = faces.map(|f| f.bounds).fold(bounds, Bounds::union);
            below.extend_from_slice(self.coverage.children(id));
        }
        Some(bounds)
    }

    fn lies_in(&self, point: Point, code: &str) -> bool {
        let parent = |id: &AreaId| self.coverage.area(*id)?.parent;
        std::iter::successors(self.locator.owner_at(point), parent)
            .any(|id| self.coverage.area(id).is_some_and(|area| *area.code == *code))
    }
}

/// Whether an event in that state leaves nothing to be done.
pub(crate) fn is_done(state: &str) -> bool {
    matches!(state, "closed" | "cancelled")
}

impl Workers {
    /// Takes over the `worker` layer: id, `name`, `role`, `skills` and `grids` (parted
    /// by commas), `on_duty` (on, where it is not said), and the place as the first
    /// known. What lies nowhere in particular is left out.
    pub fn sync_layer(&self, layer: &Layer) -> Synced {
        let field = |name| layer.field(name);
        let (name, role, skills) = (field("name"), field("role"), field("skills"));
        let (grids, on_duty) = (field("grids"), field("on_duty"));
        // Roles, skills and codes stand in many rows: one text each will do.
        let mut texts: FxHashMap<&str, Arc<str>> = FxHashMap::default();
        let mut shared = |text| texts.entry(text).or_insert_with(|| text.into()).clone();
        let workers = layer.iter().filter_map(|ix| {
            let text = |field: Option<usize>| field.and_then(|f| layer.value(ix, f).text()).unwrap_or_default();
            let mut list = |field| -> Vec<Arc<str>> {
                text(field).split(',').map(str::trim).filter(|t| !t.is_empty()).map(&mut shared).collect()
            };
            let (skills, grids) = (list(skills), list(grids));
            Some(Worker {
                id: layer.id(ix).into(),
                name: text(name).into(),
                role: shared(text(role)),
                skills,
                grids,
                on_duty: on_duty.is_none_or(|f| is_on(layer.value(ix, f))),
                home: place(layer, ix)?,
            })
        });
        let workers = workers.collect();
        self.sync(workers)
    }

    /// Counts the open events of each worker in the `event` layer: those whose `worker`
    /// he is and whose `state` is neither `closed` nor `cancelled`.
    pub fn sync_loads(&self, events: &Layer) {
        let (worker, state) = (events.field("worker"), events.field("state"));
        let mut loads: FxHashMap<Arc<str>, u32> = FxHashMap::default();
        for ix in events.iter() {
            let text = |field: Option<usize>| field.and_then(|f| events.value(ix, f).text()).unwrap_or_default();
            if !text(worker).is_empty() && !is_done(text(state)) {
                *loads.entry(text(worker).into()).or_default() += 1;
            }
        }
        self.set_loads(&loads);
    }
}

/// A duty as files say it: a boolean, or 1 and 0, or in words.
fn is_on(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Bool(on) => on,
        ValueRef::Integer(n) => n != 0,
        ValueRef::Real(n) => n != 0.0,
        ValueRef::Text(_, text) => !matches!(text.trim(), "" | "0" | "false" | "no" | "off" | "否"),
        ValueRef::Null => true,
    }
}

/// The place of a feature; of one that is no point, the middle of its box.
fn place(layer: &Layer, ix: usize) -> Option<Point> {
    let geometry = layer.geometry(ix)?;
    if let GeometryRef::Point(p) = geometry {
        return Some(p);
    }
    let bounds = geometry.bounds();
    let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
    (!bounds.is_empty()).then(|| Point::new(half(bounds.min.x, bounds.max.x), half(bounds.min.y, bounds.max.y)))
}

#[cfg(test)]
mod tests {
    use boundaries::{Area, BorderId, BorderRecord, Coverage, FaceId, FaceRecord, Level};
    use jiff::Timestamp;

    use super::*;
    use crate::dispatch::{Order, Query, Why};
    use crate::feature::{Feature, Geometry, Value};

    const NOW: Timestamp = Timestamp::constant(1_750_000_000, 0);

    /// ```text
    ///  (0,10)──────(10,10)─────(20,10)
    ///    │    g1     │     g2     │      both in c
    ///  (0,0)───────(10,0)──────(20,0)
    /// ```
    fn two_grids() -> CoverageView {
        let area = |code: &str, level, parent| Area {
            code: code.into(),
            name: code.into(),
            level: Level(level),
            parent,
            kind: "".into(),
            attributes: "{}".into(),
        };
        let line = |points: &[(i32, i32)]| points.iter().map(|&(x, y)| Point::new(x, y)).collect();
        let coverage = Coverage::build(
            Arc::from(["community".into(), "grid".into()]),
            [
                (AreaId(0), area("c", 0, None)),
                (AreaId(1), area("g1", 1, Some(AreaId(0)))),
                (AreaId(2), area("g2", 1, Some(AreaId(0)))),
            ],
            [1, 2].map(|i| FaceRecord { id: FaceId(i), owner: Some(AreaId(i)) }),
            [
                (0, 1, 0, &[(10, 10), (0, 10), (0, 0), (10, 0)][..]),
                (1, 2, 0, &[(10, 0), (20, 0), (20, 10), (10, 10)]),
                (2, 1, 2, &[(10, 0), (10, 10)]),
            ]
            .map(|(id, l, r, p)| BorderRecord {
                id: BorderId(id),
                left: FaceId(l),
                right: FaceId(r),
                line: line(p),
            }),
        );
        CoverageView::new("responsibility".into(), coverage.unwrap(), 1, None)
    }

    fn feature(id: &str, at: (i32, i32), properties: &[(&str, Value)]) -> Feature {
        Feature {
            id: id.into(),
            geometry: Geometry::Point(Point::new(at.0, at.1)),
            properties: properties.iter().map(|(n, v)| (Arc::from(*n), v.clone())).collect(),
        }
    }

    #[test]
    fn a_layer_of_workers_is_found_by_what_it_says_of_them() {
        let text = |t: &str| Value::Text(t.into());
        let view = Arc::new(two_grids());
        let features = vec![
            feature(
                "a",
                (4, 5),
                &[("role", text("medic")), ("skills", text("first_aid, english")), ("grids", text("g2"))],
            ),
            feature("d", (2, 5), &[("role", text("warden")), ("grids", text("g1"))]),
            feature("b", (14, 5), &[("role", text("medic")), ("skills", text("")), ("on_duty", Value::Bool(false))]),
            feature("c", (16, 5), &[("role", text("police")), ("on_duty", Value::Integer(1))]),
        ];
        let workers = Workers::new();
        workers.sync_layer(&Layer::new("worker", features, std::slice::from_ref(&view)));
        assert_eq!(workers.len(), 4);

        let ids = |query: &Query<'_>| -> Vec<_> {
            workers.nearest(query, &*view, NOW).into_iter().map(|f| f.worker.id.to_string()).collect()
        };
        let at = Query::new(Point::new(15, 5), 9);
        assert_eq!(ids(&at), ["b", "c", "a", "d"]);
        assert_eq!(ids(&Query { role: Some("medic"), ..at.clone() }), ["b", "a"]);
        assert_eq!(ids(&Query { skill: Some("english"), ..at.clone() }), ["a"]);
        assert_eq!(ids(&Query { on_duty: Some(true), ..at.clone() }), ["c", "a", "d"]);
        assert_eq!(ids(&Query { within: Some("g2"), ..at.clone() }), ["b", "c"]);
        assert_eq!(ids(&Query { within: Some("c"), ..at.clone() }), ["b", "c", "a", "d"]);
        assert!(ids(&Query { within: Some("nowhere"), ..at.clone() }).is_empty());

        let own = workers.nearest(&Query { order: Order::GridFirst, ..at }, &*view, NOW);
        assert_eq!((&*own[0].worker.id, own[0].why, own[0].grid.as_deref()), ("a", Why::OwnGrid, Some("g1")));
        assert_eq!((&*own[1].worker.id, own[1].why, own[1].grid.as_deref()), ("d", Why::NeighbourGrid, Some("g1")));
        assert_eq!((&*own[2].worker.id, own[2].why, own[2].grid.as_deref()), ("b", Why::Distance, Some("g2")));
    }

    #[test]
    fn open_events_are_the_load_of_their_worker() {
        let event = |id, worker: &str, state: &str| {
            feature(id, (1, 1), &[("worker", Value::Text(worker.into())), ("state", Value::Text(state.into()))])
        };
        let workers = Workers::new();
        workers.sync_layer(&Layer::new("worker", vec![feature("a", (1, 1), &[])], &[]));
        let events = vec![event("1", "a", "filed"), event("2", "a", "closed"), event("3", "b", "filed")];
        workers.sync_loads(&Layer::new("event", events, &[]));
        assert_eq!(workers.seen("a").map(|s| s.load), Some(1));
    }
}
