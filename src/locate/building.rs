//! The building that a place lies in.

use boundaries::{Bounds, Point, orient};

use crate::json::push_text;
use crate::snapshot::{GeometryRef, Layer, ValueRef};

/// The layer that buildings are looked for in.
pub(crate) const LAYER: &str = "building";

/// The building on whose ground `p` lies; the one with the lowest id where several do.
pub(crate) fn at(layer: &Layer, p: Point) -> Option<usize> {
    let here = Bounds { min: p, max: p };
    layer.within(here).filter(|ix| holds(layer, *ix, p)).min_by(|a, b| layer.id(*a).cmp(layer.id(*b)))
}

fn holds(layer: &Layer, ix: usize, p: Point) -> bool {
    let Some(GeometryRef::Polygons(parts)) = layer.geometry(ix) else { return false };
    parts.iter().fold(false, |inside, part| inside != is_in(part.points, p))
}

/// Whether a ring holds a point, by the half-open rule of coverages: a point on an
/// edge belongs to its east, on a horizontal edge to its north.
fn is_in(ring: &[Point], p: Point) -> bool {
    let Some(last) = ring.last() else { return false };
    let mut inside = false;
    let mut from = *last;
    for to in ring {
        let (low, high) = if from.y < to.y { (from, *to) } else { (*to, from) };
        // The edge crosses the point's latitude at or west of the point.
        if low.y <= p.y && p.y < high.y && orient(low, high, p).is_le() {
            inside = !inside;
        }
        from = *to;
    }
    inside
}

/// Appends `{"id":...,"name":...}`: what is known of a building.
pub(super) fn push(out: &mut Vec<u8>, layer: &Layer, ix: usize) {
    out.extend_from_slice(b"{\"id\":");
    push_text(out, layer.id(ix));
    for (i, field) in layer.fields().iter().enumerate() {
        let value = layer.value(ix, i);
        if value == ValueRef::Null || &*field.name == "id" {
            continue;
        }
        out.push(b',');
        push_text(out, &field.name);
        out.push(b':');
        match value {
            ValueRef::Null => out.extend_from_slice(b"null"),
            ValueRef::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
            ValueRef::Integer(n) => out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes()),
            ValueRef::Real(r) => out.extend_from_slice(ryu::Buffer::new().format(r).as_bytes()),
            ValueRef::Text(_, text) => push_text(out, text),
        }
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```text
    ///   0──10──20
    ///   │ a │ b │     each point belongs to exactly one
    ///   └───┴───┘
    /// ```
    #[test]
    fn a_point_on_a_shared_wall_is_in_one_of_the_two() {
        let square = |x: i32| [(x, 0), (x + 10, 0), (x + 10, 10), (x, 10)].map(|(x, y)| Point::new(x, y));
        let (a, b) = (square(0), square(10));
        for y in 0..10 {
            for x in 0..20 {
                let p = Point::new(x, y);
                assert_ne!(is_in(&a, p), is_in(&b, p), "{p:?}");
                assert_eq!(is_in(&b, p), x >= 10);
            }
        }
        assert!(!is_in(&a, Point::new(3, 10)));
        assert!(is_in(&a, Point::new(3, 0)));
    }
}
