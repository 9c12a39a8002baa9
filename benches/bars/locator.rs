//! The locator against rstar and geo, on the demo city of 17,000 grids.
//!
//! Three kinds of points: anywhere in the box around the city, a quarter of them at sea;
//! beside its buildings, where events happen; and beside its borders, which is the worst
//! there can be, for nearly every point then lies in a leaf with borders.

use std::hint::black_box;

use boundaries::{Bounds, Coverage, FaceId, FaceTree, Locator, Point};
use geo::{Contains, LineString, Polygon};
use gridatlas::snapshot::{Atlas, Layer};
use gridatlas::store::Store;
use rstar::{AABB, RTree, RTreeObject};

use crate::city::Random;
use crate::table::{Bar, Table, each_ns, median, median_s, once_s};
use crate::work;

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

/// How far beside a building or a border points fall, in lattice units: about 20 m.
const BESIDE: i32 = 2_000;

fn anywhere(bounds: Bounds, random: &mut Random) -> Point {
    let mut between = |min: i32, max: i32| min + random.below(max.abs_diff(min).into()) as i32;
    Point::new(between(bounds.min.x, bounds.max.x), between(bounds.min.y, bounds.max.y))
}

/// Points within [`BESIDE`] of places drawn from some.
fn beside(places: &[Point], random: &mut Random) -> Vec<Point> {
    let mut near = |p: Point| {
        let box_ = Bounds { min: Point::new(p.x - BESIDE, p.y - BESIDE), max: Point::new(p.x + BESIDE, p.y + BESIDE) };
        anywhere(box_, random)
    };
    let mut draw = Random(5);
    (0..POINTS).map(|_| near(places[draw.below(places.len() as u64) as usize])).collect()
}

/// The middles of the boxes around features.
fn middles(layer: &Layer) -> Vec<Point> {
    let half = |a: i32, b: i32| ((i64::from(a) + i64::from(b)) / 2) as i32;
    let middle = |b: Bounds| Point::new(half(b.min.x, b.max.x), half(b.min.y, b.max.y));
    layer.iter().filter_map(|ix| Some(middle(layer.geometry(ix)?.bounds()))).collect()
}

/// The demo city's coverage and the places of its buildings.
fn demo_city() -> Result<(Coverage, Vec<Point>), String> {
    let store = work::city_store(300_000)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|e| e.to_string())?;
    let atlas = runtime.block_on(async { Atlas::open(Store::open(&store.to_string_lossy()).await?).await });
    let present = atlas.map_err(|e| e.to_string())?.present();
    let coverage = present.coverages.first().ok_or("the store has no coverage")?.coverage.clone();
    Ok((coverage, middles(present.layer("building").ok_or("the store has no buildings")?)))
}

/// Adds the locator's rows.
pub fn rows(table: &mut Table) {
    match demo_city() {
        Ok((coverage, buildings)) => rows_of(table, &coverage, &buildings),
        Err(why) => table.missing("locator", &why),
    }
}

fn rows_of(table: &mut Table, coverage: &Coverage, buildings: &[Point]) {
    let vertices: usize = coverage.borders().map(|(_, b)| 2 * (b.line.len() - 1)).sum();
    eprintln!("city: {} faces, {vertices} vertices of their rings", coverage.faces().count());
    let mut random = Random(2);
    let bounds = coverage.bounds();
    let uniform: Vec<Point> = (0..POINTS).map(|_| anywhere(bounds, &mut random)).collect();
    let urban = beside(buildings, &mut random);
    let corners: Vec<Point> = coverage.borders().flat_map(|(_, b)| b.line.to_vec()).collect();
    let rim = beside(&corners, &mut random);

    let locator = Locator::build(coverage);
    let build_s = median_s(5, || drop(black_box(Locator::build(coverage))));
    table.value("locator: build, s", build_s, Bar::AtMost(0.3));
    table.value("locator: index, MB", locator.bytes() as f64 / 1e6, Bar::AtMost(80.0));

    let reference = Reference::build(coverage);
    for (name, points) in [("anywhere", &uniform), ("beside buildings", &urban), ("beside borders", &rim)] {
        let degrees: Vec<_> = points.iter().map(|p| (p.lon(), p.lat())).collect();
        let mut faces = vec![FaceId::OUTSIDE; points.len()];
        locator.face_at_many(points, &mut faces);
        let differ = |(f, d): (&FaceId, &(f64, f64))| *f != reference.face_at(*d);
        let differing = faces.iter().zip(&degrees).step_by(16).filter(|x| differ(*x)).count();
        // Points on a border: geo gives them to nobody.
        assert!(differing < POINTS / 16 / 1_000, "{differing} points differ from rstar and geo");

        let (mut single_s, mut batch_s, mut reference_s) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..9 {
            single_s.push(once_s(|| points.iter().map(|p| locator.face_at(*p).0 as usize).sum::<usize>()).0);
            batch_s.push(once_s(|| locator.face_at_many(black_box(points), &mut faces)).0);
            let some = degrees.iter().step_by(8);
            reference_s.push(once_s(|| some.map(|d| reference.face_at(*d).0 as usize).sum::<usize>()).0 * 8.0);
        }
        let (single_s, batch_s, reference_s) = (median(single_s), median(batch_s), median(reference_s));
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
        // Beside borders nearly every point needs a side test: the worst there can be, no bar.
        let bar = |ratio: f64| if name == "beside borders" { Bar::None } else { Bar::AtLeast(ratio) };
        put("one at a time", single_s, bar(15.0));
        put("in a batch", batch_s, bar(35.0));

        let owner_s = median_s(3, || {
            black_box(points.iter().filter_map(|p| locator.owner_at(*p)).map(|o| o.0 as usize).sum::<usize>());
        });
        let distance_s = median_s(3, || {
            black_box(points.iter().filter_map(|p| locator.border_distance_m(*p)).sum::<f64>());
        });
        let place_s = median_s(3, || {
            black_box(points.iter().map(|p| locator.place(coverage, *p).touching.len()).sum::<usize>());
        });
        table.value(&format!("locator: owner alone, {name}, ns"), owner_s * 1e9 / POINTS as f64, Bar::None);
        table.value(&format!("locator: owner and distance, {name}, ns"), distance_s * 1e9 / POINTS as f64, Bar::None);
        table.value(&format!("locator: everything, {name}, ns"), place_s * 1e9 / POINTS as f64, Bar::AtMost(2000.0));
    }

    for (name, off, points) in [("1 km", 90_000, 100_000), ("100 km", 9_000_000, 1000)] {
        let south = bounds.min.y - off;
        let sea = Bounds { min: Point::new(bounds.min.x, south - 1_000), max: Point::new(bounds.max.x, south) };
        let outside: Vec<_> = (0..points).map(|_| anywhere(sea, &mut random)).collect();
        let nearest_s = median_s(3, || {
            for p in &outside {
                black_box(locator.nearest_area(coverage, *p));
            }
        });
        table.value(
            &format!("locator: nearest area {name} outside, ns"),
            nearest_s * 1e9 / f64::from(points),
            Bar::None,
        );
    }

    let tree_s = median_s(3, || drop(black_box(FaceTree::build(coverage))));
    let weights_s = median_s(3, || drop(black_box(boundaries::simplify::Weights::build(coverage))));
    table.value("locator: faces into an R-tree, s", tree_s, Bar::None);
    table.value("simplify: weights of all borders, s", weights_s, Bar::AtMost(0.5));
}
