//! Geometries and values as GeoJSON (RFC 7946), straight from the lattice: exterior
//! rings run counter-clockwise, rings repeat their first point at the end.

use boundaries::{Bounds, Point, Polygon};

use super::text::{push_degrees, push_text};
use crate::feature::{Geometry, Value};

fn push_point(out: &mut Vec<u8>, p: Point) {
    out.push(b'[');
    push_degrees(out, p.x);
    out.push(b',');
    push_degrees(out, p.y);
    out.push(b']');
}

/// Appends an array, each item by `push`.
fn push_list<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, mut push: impl FnMut(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

/// Twice the signed area of a ring, as near as a float comes: its sign is the direction.
fn turns_left(ring: &[Point]) -> bool {
    let Some(first) = ring.first() else { return true };
    let off = |p: Point| (f64::from(p.x) - f64::from(first.x), f64::from(p.y) - f64::from(first.y));
    let twice: f64 = ring
        .windows(2)
        .map(|w| {
            let ((ax, ay), (bx, by)) = (off(w[0]), off(w[1]));
            ax * by - bx * ay
        })
        .sum();
    twice >= 0.0
}

fn push_ring(out: &mut Vec<u8>, ring: &[Point], is_shell: bool) {
    let ring = match ring {
        [rest @ .., last] if rest.first() == Some(last) => rest,
        whole => whole,
    };
    let close = |i: usize| ring[i % ring.len()];
    if ring.is_empty() {
        return out.extend_from_slice(b"[]");
    }
    let n = ring.len();
    if turns_left(ring) == is_shell {
        push_list(out, (0..=n).map(close), push_point);
    } else {
        push_list(out, (0..=n).map(|i| close(n - i)), push_point);
    }
}

fn push_polygon(out: &mut Vec<u8>, polygon: &Polygon) {
    push_list(out, polygon.rings().enumerate(), |out, (i, ring)| push_ring(out, ring, i == 0));
}

/// Appends ground: a Polygon where it has one part, `null` where it has none.
pub(crate) fn push_polygons(out: &mut Vec<u8>, polygons: &[Polygon]) {
    match polygons {
        [] => out.extend_from_slice(b"null"),
        [one] => {
            out.extend_from_slice(b"{\"type\":\"Polygon\",\"coordinates\":");
            push_polygon(out, one);
            out.push(b'}');
        }
        several => {
            out.extend_from_slice(b"{\"type\":\"MultiPolygon\",\"coordinates\":");
            push_list(out, several, push_polygon);
            out.push(b'}');
        }
    }
}

/// Appends a geometry.
pub(crate) fn push_geometry(out: &mut Vec<u8>, geometry: &Geometry) {
    match geometry {
        Geometry::Point(p) => {
            out.extend_from_slice(b"{\"type\":\"Point\",\"coordinates\":");
            push_point(out, *p);
            out.push(b'}');
        }
        Geometry::Lines(lines) => {
            let push_line = |out: &mut Vec<u8>, line: &Vec<Point>| push_list(out, line.iter().copied(), push_point);
            match lines.as_slice() {
                [one] => {
                    out.extend_from_slice(b"{\"type\":\"LineString\",\"coordinates\":");
                    push_line(out, one);
                }
                several => {
                    out.extend_from_slice(b"{\"type\":\"MultiLineString\",\"coordinates\":");
                    push_list(out, several, push_line);
                }
            }
            out.push(b'}');
        }
        Geometry::Polygons(polygons) => push_polygons(out, polygons),
    }
}

/// Appends `,"bbox":[west,south,east,north]`, or nothing for an empty box.
pub(crate) fn push_bbox(out: &mut Vec<u8>, bounds: Bounds) {
    if bounds.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"bbox\":");
    push_list(out, [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y], push_degrees);
}

/// Appends a value of an attribute.
pub(crate) fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Integer(i) => out.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes()),
        Value::Real(r) if r.is_finite() => out.extend_from_slice(ryu::Buffer::new().format_finite(*r).as_bytes()),
        Value::Real(_) => out.extend_from_slice(b"null"),
        Value::Text(text) => push_text(out, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_turned_as_the_standard_says() {
        let p = |x, y| Point::new(x * 10_000_000, y * 10_000_000);
        let mut out = Vec::new();
        push_polygons(&mut out, &[Polygon { shell: vec![p(0, 0), p(0, 1), p(1, 1)], holes: Vec::new() }]);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[0,0]]]}"#);
    }
}
