//! Where an event lies, and who owns that place: then, and now.

use std::sync::Arc;

use boundaries::{AreaId, Point};
use serde_json::{Value, json};

use super::report::{Fault, Rejected, Said};
use crate::feature::Geometry;
use crate::locate::building;
use crate::snapshot::{CoverageView, DEFAULT_COVERAGE, Snapshot};
use crate::store::NewOwner;
use crate::tiling::interior_point;

/// A worse accuracy says nothing about which grid it may be.
const FARTHEST_M: f64 = 1000.0;
/// Grids that it might be as well, at most.
const MOST_NEAR: usize = 16;

/// Where an event lies, found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) place: Option<Point>,
    pub(super) placed_by: &'static str,
    pub(super) building: Option<String>,
    /// The area that was named, with the name of its coverage.
    area: Option<(Arc<str>, AreaId)>,
}

/// Finds the place that is meant, by the buildings of now and the areas of then.
pub(super) fn find(said: &Said, present: &Snapshot, then: &Snapshot) -> Result<Found, Rejected> {
    let unknown = |reason: String| Rejected::new(Fault::UnknownPlace, reason);
    match said {
        Said::Point(p) => {
            let layer = present.layer(building::LAYER);
            let inside = layer.and_then(|layer| building::at(layer, *p).map(|ix| layer.id(ix).to_owned()));
            Ok(Found { place: Some(*p), placed_by: "point", building: inside, area: None })
        }
        Said::Building(id) => {
            let layer = present.layer(building::LAYER);
            let geometry = layer.and_then(|layer| layer.geometry(layer.find(id)?)).map(|g| g.to_geometry());
            let geometry = geometry.ok_or_else(|| unknown(format!("there is no building {}", short(id))))?;
            let place = Some(inside(&geometry));
            Ok(Found { place, placed_by: "building", building: Some(id.clone()), area: None })
        }
        Said::Area(code, coverage) => {
            let name = coverage.as_deref();
            let view = match name {
                Some(name) => then.coverage(name),
                None => then.coverage(DEFAULT_COVERAGE).or(then.coverages.first()),
            };
            let view = view
                .ok_or_else(|| unknown(format!("there is no coverage {}", short(name.unwrap_or(DEFAULT_COVERAGE)))))?;
            let found = view.coverage.area_by_code(code);
            let area = found.ok_or_else(|| {
                let now = present.coverage(&view.name).filter(|now| now.coverage.area_by_code(code).is_some());
                let since = now.map_or("", |_| "; it came later");
                unknown(format!("no area of {} had the code {} at that time{since}", view.name, short(code)))
            })?;
            let ground = Geometry::Polygons(view.coverage.polygons(area));
            let place = (ground.vertices() > 0).then(|| inside(&ground));
            Ok(Found { place, placed_by: "area", building: None, area: Some((view.name.clone(), area)) })
        }
        Said::Nowhere => Ok(Found { place: None, placed_by: "none", building: None, area: None }),
    }
}

/// What a message shows of what was sent.
pub(super) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A point in a thing: as far inside as can be where it has ground.
fn inside(geometry: &Geometry) -> Point {
    let bounds = geometry.bounds();
    let middle = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
    let centre = Point::new(middle(bounds.min.x, bounds.max.x), middle(bounds.min.y, bounds.max.y));
    match geometry {
        Geometry::Point(p) => *p,
        Geometry::Lines(lines) => lines.first().and_then(|line| line.first()).copied().unwrap_or(centre),
        Geometry::Polygons(parts) => {
            // Of several parts the one that covers most.
            let largest = parts.iter().max_by(|a, b| a.area_m2().total_cmp(&b.area_m2()));
            let rings: Vec<Vec<Point>> = largest.into_iter().flat_map(|p| p.rings()).map(<[Point]>::to_vec).collect();
            interior_point(&rings).unwrap_or(centre)
        }
    }
}

/// The owners of a place in every coverage.
pub(super) fn owners(found: &Found, accuracy_m: Option<f64>, present: &Snapshot, then: &Snapshot) -> Vec<NewOwner> {
    let of = |now: &Arc<CoverageView>| {
        // The first revision reaches back without limit, so there is one of then.
        let then = then.coverage(&now.name).unwrap_or(now);
        let named = found.area.as_ref().filter(|(name, _)| *name == now.name).map(|(_, area)| *area);
        let at = |view: &CoverageView| found.place.and_then(|p| view.locator.owner_at(p));
        let filed = named.or_else(|| at(then));
        let is_kept = named.filter(|area| now.coverage.area(*area).is_some());
        let chain = |view: &CoverageView, id: Option<AreaId>| id.map(|id| view.coverage.chain(id)).unwrap_or_default();
        NewOwner {
            coverage: now.name.clone(),
            revision: then.revision,
            filed: chain(then, filed),
            present: chain(now, is_kept.or_else(|| at(now))),
            is_settled: is_kept.is_some(),
            told: found.place.filter(|_| named.is_none()).and_then(|p| told(then, p, filed, accuracy_m)),
        }
    };
    present.coverages.iter().map(of).collect()
}

/// What else is to be said of a place: who is nearest where nobody owns it, and which others
/// it might be as exact as it is known.
fn told(view: &CoverageView, p: Point, owner: Option<AreaId>, accuracy_m: Option<f64>) -> Option<String> {
    let coverage = &view.coverage;
    let metres = |m: f64| Value::from((m * 1000.0).round() / 1000.0);
    let named = |id: AreaId, distance_m: f64| {
        let area = coverage.area(id)?;
        Some(json!({ "code": area.code, "name": area.name, "distance_m": metres(distance_m) }))
    };
    let mut told = serde_json::Map::new();
    if owner.is_none() {
        let nearest = view.locator.nearest_area(coverage, p);
        told.insert("nearest".to_owned(), nearest.and_then(|n| named(n.area, n.distance_m)).into());
    }
    if let Some(accuracy_m) = accuracy_m {
        let near = view.locator.areas_within(coverage, p, accuracy_m.min(FARTHEST_M));
        let others = near.into_iter().filter(|near| Some(near.area) != owner).take(MOST_NEAR);
        let others: Vec<Value> = others.filter_map(|near| named(near.area, near.distance_m)).collect();
        if !others.is_empty() {
            told.insert("might_be".to_owned(), others.into());
        }
    }
    (!told.is_empty()).then(|| Value::Object(told).to_string())
}
