//! A state of the boundaries as anyone would draw it: areas with their rings, no graph.
//! Who owns what is worked out from the rings, slowly and in another way than by the graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use boundaries::{Coverage, Point};
use gridatlas::feature::{Feature, Geometry};

/// An area as it is drawn and described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) level: u8,
    pub(crate) name: Arc<str>,
    pub(crate) kind: Arc<str>,
    pub(crate) attributes: Arc<str>,
    pub(crate) parent: Option<Arc<str>>,
    /// Shells and holes, each from its least point, in order: parity tells what they enclose.
    pub(crate) rings: Vec<Vec<Point>>,
}

/// A state of the boundaries: the areas by code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture(pub(crate) BTreeMap<Arc<str>, Drawn>);

/// Who owns something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Area(Arc<str>),
    Nobody,
    /// It lies on a border, or halves are so alike that rounding decides.
    Unsure,
}

impl Owner {
    /// Whether an answer may be right.
    pub(crate) fn may_be(&self, code: Option<&str>) -> bool {
        match self {
            Self::Area(own) => code == Some(own),
            Self::Nobody => code.is_none(),
            Self::Unsure => true,
        }
    }
}

impl Picture {
    pub(crate) fn of(coverage: &Coverage) -> Self {
        let code = |id| coverage.area(id).map(|a| a.code.clone());
        let drawn = coverage.areas().map(|(id, a)| {
            let parts = coverage.polygons(id);
            let mut rings: Vec<Vec<Point>> = parts.iter().flat_map(|p| p.rings()).map(from_least).collect();
            rings.sort();
            let parent = a.parent.and_then(code);
            let (name, kind, attributes) = (a.name.clone(), a.kind.clone(), a.attributes.clone());
            (a.code.clone(), Drawn { level: a.level.0, name, kind, attributes, parent, rings })
        });
        Self(drawn.collect())
    }

    /// What is different in another picture, for people.
    pub(crate) fn differences(&self, other: &Self) -> String {
        let codes: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let differ = codes.into_iter().filter(|code| self.0.get(*code) != other.0.get(*code));
        let said = differ.map(|c| format!("{c}: {:?}\n   not {:?}", self.0.get(c), other.0.get(c)));
        said.collect::<Vec<_>>().join("\n")
    }

    /// The finest area around a place.
    pub(crate) fn owner(&self, p: Point) -> Owner {
        let mut found: Option<(&Arc<str>, &Drawn)> = None;
        for (code, drawn) in &self.0 {
            if drawn.rings.iter().any(|ring| is_on(ring, p)) {
                return Owner::Unsure;
            }
            let crossed = drawn.rings.iter().flat_map(|ring| sides(ring)).filter(|(a, b)| is_crossed(*a, *b, p));
            if crossed.count() % 2 == 1 && found.is_none_or(|(_, f)| f.level < drawn.level) {
                found = Some((code, drawn));
            }
        }
        found.map_or(Owner::Nobody, |(code, _)| Owner::Area(code.clone()))
    }

    /// The area itself, its parent, the parent's parent.
    pub(crate) fn chain(&self, code: &str) -> Vec<Arc<str>> {
        let mut chain = Vec::new();
        let mut next = self.0.get_key_value(code).map(|(code, _)| code.clone());
        while let Some(code) = next {
            next = self.0.get(&code).and_then(|drawn| drawn.parent.clone());
            chain.push(code);
        }
        chain
    }

    /// Who owns a thing: a place, or the most of a box.
    pub(crate) fn owner_of(&self, feature: &Feature) -> Owner {
        let bounds = feature.geometry.bounds();
        if let Geometry::Point(p) = feature.geometry {
            return self.owner(p);
        }
        let whole = f64::from(bounds.max.x - bounds.min.x) * f64::from(bounds.max.y - bounds.min.y);
        let overlap = |drawn: &Drawn| drawn.rings.iter().map(|ring| twice_within(ring, bounds)).sum::<f64>() / 2.0;
        let mut own: BTreeMap<&str, f64> = self.0.iter().map(|(code, d)| (&**code, overlap(d) / whole)).collect();
        // What lies below is not an area's own.
        for (code, drawn) in &self.0 {
            if let Some(parent) = &drawn.parent {
                let part = overlap(drawn) / whole;
                *own.entry(parent).or_default() -= part;
                assert!(own.contains_key(&**code));
            }
        }
        let mut shares: Vec<(f64, &str)> = own.into_iter().map(|(code, share)| (share, code)).collect();
        shares.sort_by(|a, b| b.0.total_cmp(&a.0));
        match shares.as_slice() {
            [(first, _), (second, _), ..] if first - second < 1e-4 => Owner::Unsure,
            [(first, code), ..] if *first > 0.5 => Owner::Area((*code).into()),
            _ => Owner::Unsure,
        }
    }
}

fn from_least(ring: &[Point]) -> Vec<Point> {
    let mut ring = ring.to_vec();
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    let least = (0..ring.len()).min_by_key(|i| ring[*i]).unwrap_or(0);
    ring.rotate_left(least);
    ring
}

fn sides(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    (0..ring.len()).map(|i| (ring[i], ring[(i + 1) % ring.len()]))
}

fn turn(a: Point, b: Point, p: Point) -> i64 {
    let [ax, ay, bx, by, px, py] = [a.x, a.y, b.x, b.y, p.x, p.y].map(i64::from);
    (bx - ax) * (py - ay) - (by - ay) * (px - ax)
}

fn is_on(ring: &[Point], p: Point) -> bool {
    sides(ring).any(|(a, b)| {
        let within = |a: i32, b: i32, p: i32| a.min(b) <= p && p <= a.max(b);
        within(a.x, b.x, p.x) && within(a.y, b.y, p.y) && turn(a, b, p) == 0
    })
}

/// Whether a ray eastwards from the place crosses a side.
fn is_crossed(a: Point, b: Point, p: Point) -> bool {
    (a.y > p.y) != (b.y > p.y) && (turn(a, b, p) > 0) == (b.y > a.y)
}

/// Twice the signed ground of a ring within a box, by cutting off what lies beyond each side.
fn twice_within(ring: &[Point], b: boundaries::Bounds) -> f64 {
    let from = |p: &Point| [f64::from(p.x - b.min.x), f64::from(p.y - b.min.y)];
    let mut points: Vec<[f64; 2]> = ring.iter().map(from).collect();
    let (wide, high) = (f64::from(b.max.x - b.min.x), f64::from(b.max.y - b.min.y));
    for (axis, limit, sign) in [(0, 0.0, 1.0), (0, wide, -1.0), (1, 0.0, 1.0), (1, high, -1.0)] {
        let depth = |p: &[f64; 2]| (p[axis] - limit) * sign;
        let mut kept = Vec::with_capacity(points.len() + 4);
        for i in 0..points.len() {
            let (p, q) = (points[i], points[(i + 1) % points.len()]);
            let (at_p, at_q) = (depth(&p), depth(&q));
            if at_p >= 0.0 {
                kept.push(p);
            }
            if (at_p >= 0.0) != (at_q >= 0.0) {
                let t = at_p / (at_p - at_q);
                kept.push([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]);
            }
        }
        points = kept;
    }
    (0..points.len()).map(|i| (points[i], points[(i + 1) % points.len()])).map(|(p, q)| p[0] * q[1] - q[0] * p[1]).sum()
}
