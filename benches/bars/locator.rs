//! The locator against rstar and geo, on a city of 17,030 faces of about 148 vertices.

use std::hint::black_box;

use boundaries::{Coverage, FaceId, FaceTree, Locator, Point};
use geo::{Contains, LineString, Polygon};
use rstar::{AABB, RTree, RTreeObject};

use crate::city::{Plan, Random, anywhere};
use crate::table::{Bar, Table, each_ns, in_turn_s, median_s};

/// How many points are looked up in a round.
const POINTS: usize = 1 << 20;

/// What anyone would write first: the polygons in an R-tree, and geo's test.
struct Reference {
    tree: RTree<Ground>,
}

struct Ground {
    face: FaceId,
    polygon: Polygon,
    envelope: AABB<[f64; 2]>,
}

impl RTreeObject for Ground {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.envelope
    }
}

impl Reference {
    fn build(coverage: &Coverage) -> Self {
        let line = |h| LineString::from_iter(coverage.ring_points(h).into_iter().map(|p| (p.lon(), p.lat())));
        let ground = |(face, f): (FaceId, &boundaries::Face)| {
            let polygon = Polygon::new(line(f.outer?), f.holes.iter().map(|h| line(*h)).collect());
            let (min, max) = (f.bounds.min, f.bounds.max);
            let envelope = AABB::from_corners([min.lon(), min.lat()], [max.lon(), max.lat()]);
            Some(Ground { face, polygon, envelope })
        };
        Self { tree: RTree::bulk_load(coverage.faces().filter_map(ground).collect()) }
    }

    fn face_at(&self, (lon, lat): (f64, f64)) -> FaceId {
        let at = geo::Point::new(lon, lat);
        let near = self.tree.locate_in_envelope_intersecting(AABB::from_point([lon, lat]));
        near.into_iter().find(|g| g.polygon.contains(&at)).map_or(FaceId::OUTSIDE, |g| g.face)
    }
}

/// Adds the locator's rows.
pub fn rows(table: &mut Table) {
    let plan = Plan::whole_city(1);
    let coverage = plan.build();
    let vertices: usize = coverage.borders().map(|(_, b)| 2 * (b.line.len() - 1)).sum();
    eprintln!("city: {} faces, {vertices} vertices of their rings", coverage.faces().count());
    let mut random = Random(2);
    let uniform: Vec<Point> = (0..POINTS).map(|_| anywhere(&plan, &mut random)).collect();
    // Seven tenths of the points in a tenth of the ground, as events fall.
    let urban: Vec<Point> = (0..POINTS)
        .map(|_| {
            let p = anywhere(&plan, &mut random);
            if random.below(10) >= 7 {
                return p;
            }
            let centre = (plan.origin.x + 65 * plan.step, plan.origin.y + 65 * plan.step);
            Point::new(centre.0 + (p.x - centre.0) * 3 / 10, centre.1 + (p.y - centre.1) * 3 / 10)
        })
        .collect();

    let locator = Locator::build(&coverage);
    let build_s = median_s(5, || drop(black_box(Locator::build(&coverage))));
    table.value("locator: build, s", build_s, Bar::AtMost(0.3));
    table.value("locator: index, MB", locator.bytes() as f64 / 1e6, Bar::AtMost(80.0));

    let reference = Reference::build(&coverage);
    for (name, points) in [("uniform", &uniform), ("urban", &urban)] {
        let degrees: Vec<_> = points.iter().map(|p| (p.lon(), p.lat())).collect();
        let mut faces = vec![FaceId::OUTSIDE; points.len()];
        let (batch_s, _) = in_turn_s(5, || locator.face_at_many(points, &mut faces), || ());
        let differ = |(f, d): (&FaceId, &(f64, f64))| *f != reference.face_at(*d);
        let differing = faces.iter().zip(&degrees).step_by(16).filter(|x| differ(*x)).count();
        assert!(differing < 3, "{differing} points differ from rstar and geo");

        let (single_s, reference_s) = in_turn_s(
            5,
            || _ = black_box(points.iter().map(|p| locator.face_at(*p).0 as usize).sum::<usize>()),
            || _ = black_box(degrees.iter().step_by(8).map(|d| reference.face_at(*d).0 as usize).sum::<usize>()),
        );
        let reference_s = reference_s * 8.0;
        // Each look-up waits for the one before it: what a single request sees.
        let chained_s = median_s(5, || {
            let mut i = 0;
            for _ in 0..points.len() {
                i = (i + 1 + (locator.face_at(points[i]).0 as usize & 1)) & (points.len() - 1);
            }
            black_box(i);
        });
        let mut put = |what: &str, ours_s: f64, bar| {
            table.ratio(
                &format!("locator: {what}, {name}, against rstar + geo"),
                each_ns(ours_s, points.len()),
                each_ns(reference_s, points.len()),
                reference_s / ours_s,
                bar,
            );
        };
        // The reference is not made to wait for itself, so this is for the reader alone.
        put("each waiting for the one before", chained_s, Bar::None);
        put("one at a time", single_s, Bar::AtLeast(15.0));
        put("in a batch", batch_s, Bar::AtLeast(35.0));

        let owner_s = median_s(3, || {
            black_box(points.iter().filter_map(|p| locator.owner_at(*p)).map(|o| o.0 as usize).sum::<usize>());
        });
        let distance_s = median_s(3, || {
            black_box(points.iter().filter_map(|p| locator.border_distance_m(*p)).sum::<f64>());
        });
        let place_s = median_s(3, || {
            black_box(points.iter().map(|p| locator.place(&coverage, *p).touching.len()).sum::<usize>());
        });
        table.value(&format!("locator: owner alone, {name}, ns"), owner_s * 1e9 / POINTS as f64, Bar::None);
        table.value(&format!("locator: owner and distance, {name}, ns"), distance_s * 1e9 / POINTS as f64, Bar::None);
        table.value(&format!("locator: everything, {name}, ns"), place_s * 1e9 / POINTS as f64, Bar::AtMost(2000.0));
    }

    for (name, south, points) in [("1 km", 354_900_000, 100_000), ("100 km", 345_000_000, 1000)] {
        let outside: Vec<_> = (0..points)
            .map(|_| Point::new(1_195_000_000 + random.below(1 << 23) as i32, south + random.below(1 << 16) as i32))
            .collect();
        let nearest_s = median_s(3, || {
            for p in &outside {
                black_box(locator.nearest_area(&coverage, *p));
            }
        });
        table.value(
            &format!("locator: nearest area {name} outside, ns"),
            nearest_s * 1e9 / f64::from(points),
            Bar::None,
        );
    }

    let tree_s = median_s(3, || drop(black_box(FaceTree::build(&coverage))));
    let weights_s = median_s(3, || drop(black_box(boundaries::simplify::Weights::build(&coverage))));
    table.value("locator: faces into an R-tree, s", tree_s, Bar::None);
    table.value("simplify: weights of all borders, s", weights_s, Bar::AtMost(0.5));
}
