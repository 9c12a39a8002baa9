//! The `worker` layer with everybody where he was last seen, for maps.
//!
//! Invariant: same workers, same numbers and same attributes as the layer it was made
//! from; only the places differ. It lags at most [`LAG_S`] behind the reports, so that
//! a hundred thousand reports a second make no more layers than one. It must not know
//! tiles.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use jiff::Timestamp;

use super::workers::Workers;
use crate::feature::Geometry;
use crate::snapshot::{CoverageView, Layer, Table};

/// For so many seconds a layer is good enough.
pub const LAG_S: i64 = 2;

/// The last such layer that was made.
#[derive(Debug, Default)]
pub struct Standing {
    last: Mutex<Option<Made>>,
}

#[derive(Debug)]
struct Made {
    of: Weak<Layer>,
    reports: u64,
    at: Timestamp,
    layer: Arc<Layer>,
}

impl Standing {
    /// A layer of workers as it is on the ground at the time `now`. `coverages` are
    /// those of the layer's snapshot: who owns a place is worked out for the new one.
    pub fn layer(
        &self,
        workers: &Workers,
        layer: &Arc<Layer>,
        coverages: &[Arc<CoverageView>],
        now: Timestamp,
    ) -> Arc<Layer> {
        // Held while it is made: whoever else asks wants the same one.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let reports = workers.reports();
        if let Some(made) = &*last
            && std::ptr::eq(made.of.as_ptr(), Arc::as_ptr(layer))
            && (made.reports == reports || (0..LAG_S).contains(&(now.as_second() - made.at.as_second())))
        {
            return made.layer.clone();
        }
        let made = if reports == 0 { layer.clone() } else { Arc::new(moved(workers, layer, coverages)) };
        *last = Some(Made { of: Arc::downgrade(layer), reports, at: now, layer: made.clone() });
        made
    }
}

fn moved(workers: &Workers, layer: &Layer, coverages: &[Arc<CoverageView>]) -> Layer {
    let mut table = Table::new(layer.fields().to_vec());
    for ix in layer.iter() {
        let Some(mut feature) = layer.feature(ix) else { continue };
        // Where nobody has seen him he stands where the layer has him.
        if let Some(seen) = workers.seen(layer.id(ix)).filter(|seen| seen.time.is_some()) {
            feature.geometry = Geometry::Point(seen.point);
        }
        // One vertex a worker: the table that the layer came from had room for as many.
        table.push(layer.number(ix), &feature);
    }
    Layer::from_table(layer.name(), table, layer.change(), coverages)
}

#[cfg(test)]
mod tests {
    use boundaries::Point;

    use super::*;
    use crate::dispatch::Position;
    use crate::feature::{Feature, Value};
    use crate::snapshot::GeometryRef;

    fn at(x: i32) -> Point {
        Point::new(1_204_000_000 + x, 361_000_000)
    }

    fn worker(id: &str, x: i32) -> Feature {
        Feature {
            id: id.into(),
            geometry: Geometry::Point(at(x)),
            properties: vec![("name".into(), Value::Text(format!("name of {id}").into()))],
        }
    }

    fn place(layer: &Layer, id: &str) -> Option<Point> {
        match layer.geometry(layer.find(id)?) {
            Some(GeometryRef::Point(p)) => Some(p),
            _ => None,
        }
    }

    #[test]
    fn a_worker_is_drawn_where_he_was_last_seen_and_else_where_the_layer_has_him() {
        let layer = Arc::new(Layer::new("worker", vec![worker("a", 0), worker("b", 500)], &[]));
        let (workers, standing) = (Workers::new(), Standing::default());
        workers.sync_layer(&layer);
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let drawn = standing.layer(&workers, &layer, &[], now);
        assert!(Arc::ptr_eq(&drawn, &layer), "nobody has moved");

        let report = |x, time: Timestamp| workers.record(&[Position { id: "a", point: at(x), time }], now);
        report(7_000, now);
        let soon = now + jiff::SignedDuration::from_secs(LAG_S);
        let drawn = standing.layer(&workers, &layer, &[], soon);
        assert_eq!((place(&drawn, "a"), place(&drawn, "b")), (Some(at(7_000)), Some(at(500))));
        let same = |ix| (drawn.number(ix), drawn.feature(ix).unwrap().properties);
        for ix in layer.iter() {
            let there = drawn.find(layer.id(ix)).unwrap();
            assert_eq!(same(there), (layer.number(ix), layer.feature(ix).unwrap().properties));
        }

        report(9_000, soon);
        let lagging = standing.layer(&workers, &layer, &[], soon);
        assert!(Arc::ptr_eq(&lagging, &drawn), "two in a moment are one");
        let later = soon + jiff::SignedDuration::from_secs(LAG_S);
        assert_eq!(place(&standing.layer(&workers, &layer, &[], later), "a"), Some(at(9_000)));
    }

    #[test]
    fn a_changed_layer_is_drawn_at_once() {
        let (workers, standing) = (Workers::new(), Standing::default());
        let now: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
        let before = Arc::new(Layer::new("worker", vec![worker("a", 0)], &[]));
        workers.sync_layer(&before);
        standing.layer(&workers, &before, &[], now);
        let after = Arc::new(Layer::new("worker", vec![worker("a", 0), worker("b", 9)], &[]));
        workers.sync_layer(&after);
        assert_eq!(standing.layer(&workers, &after, &[], now).len(), 2);
    }
}
