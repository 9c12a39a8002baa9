//! Geometries as GeoJSON (RFC 7946), straight from the lattice: exterior rings run
//! counter-clockwise, rings repeat their first point at the end.

use boundaries::{Bounds, Point, Polygon};
use serde_json::{Map, Value as Json};

use crate::feature::{Feature, Geometry, Value};
use crate::locate::{push_degrees, push_text};

fn push_point(out: &mut Vec<u8>, p: Point) {
    out.push(b'[');
    push_degrees(out, p.x);
    out.push(b',');
    push_degrees(out, p.y);
    out.push(b']');
}

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
pub(super) fn push_polygons(out: &mut Vec<u8>, polygons: &[Polygon]) {
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
pub(super) fn push_geometry(out: &mut Vec<u8>, geometry: &Geometry) {
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
pub(super) fn push_bbox(out: &mut Vec<u8>, bounds: Bounds) {
    if bounds.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"bbox\":");
    push_list(out, [bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y], push_degrees);
}

/// Appends a value of an attribute.
pub(super) fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Value::Integer(i) => out.extend_from_slice(itoa::Buffer::new().format(*i).as_bytes()),
        Value::Real(r) if r.is_finite() => out.extend_from_slice(ryu::Buffer::new().format_finite(*r).as_bytes()),
        Value::Real(_) => out.extend_from_slice(b"null"),
        Value::Text(text) => push_text(out, text),
    }
}

/// A feature as a GeoJSON Feature; `more` are further members of the object, each
/// beginning with a comma.
pub(super) fn feature(feature: &Feature, more: &[u8]) -> Vec<u8> {
    let mut out = b"{\"type\":\"Feature\",\"id\":".to_vec();
    push_text(&mut out, &feature.id);
    push_bbox(&mut out, feature.geometry.bounds());
    out.extend_from_slice(b",\"geometry\":");
    push_geometry(&mut out, &feature.geometry);
    out.extend_from_slice(b",\"properties\":{");
    for (i, (name, value)) in feature.properties.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_text(&mut out, name);
        out.push(b':');
        push_value(&mut out, value);
    }
    out.push(b'}');
    out.extend_from_slice(more);
    out.push(b'}');
    out
}

/// Reads a GeoJSON Feature in WGS-84, for the thing of that id.
///
/// # Errors
///
/// What is wrong with it, for people.
pub(super) fn read_feature(id: &str, text: &[u8]) -> Result<Feature, String> {
    let object: Map<String, Json> = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    if object.get("type").and_then(Json::as_str) != Some("Feature") {
        return Err("it is no GeoJSON Feature".to_owned());
    }
    match object.get("id") {
        None | Some(Json::Null) => {}
        Some(Json::String(own)) if own == id => {}
        Some(Json::Number(own)) if own.to_string() == id => {}
        Some(own) => return Err(format!("its id is {own}, the path says {id}")),
    }
    let geometry = object.get("geometry").ok_or("it has no geometry")?;
    let properties = match object.get("properties") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Object(all)) => all.iter().map(|(name, value)| (name.as_str().into(), value_of(value))).collect(),
        Some(_) => return Err("its properties are no object".to_owned()),
    };
    Ok(Feature { id: id.into(), geometry: geometry_of(geometry)?, properties })
}

fn value_of(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(i) => Value::Integer(i),
            None => n.as_f64().map_or(Value::Null, Value::Real),
        },
        Json::String(text) => Value::Text(text.as_str().into()),
        nested => Value::Text(nested.to_string().into()),
    }
}

fn geometry_of(json: &Json) -> Result<Geometry, String> {
    let kind = json.get("type").and_then(Json::as_str).ok_or("its geometry has no type")?;
    let coordinates = json.get("coordinates").ok_or("its geometry has no coordinates")?;
    Ok(match kind {
        "Point" => Geometry::Point(point_of(coordinates)?),
        "LineString" => Geometry::Lines(vec![line_of(coordinates)?]),
        "MultiLineString" => Geometry::Lines(list(coordinates)?.iter().map(line_of).collect::<Result<_, _>>()?),
        "Polygon" => Geometry::Polygons(vec![polygon_of(coordinates)?]),
        "MultiPolygon" => Geometry::Polygons(list(coordinates)?.iter().map(polygon_of).collect::<Result<_, _>>()?),
        other => return Err(format!("geometries of type {other} are not kept")),
    })
}

fn list(json: &Json) -> Result<&[Json], String> {
    json.as_array().map(Vec::as_slice).ok_or_else(|| "its coordinates are not nested as its type says".to_owned())
}

fn point_of(json: &Json) -> Result<Point, String> {
    let numbers = list(json)?;
    let (Some(lon), Some(lat)) = (numbers.first().and_then(Json::as_f64), numbers.get(1).and_then(Json::as_f64)) else {
        return Err("a position is not two numbers".to_owned());
    };
    Point::from_degrees(lon, lat).ok_or_else(|| format!("{lon}, {lat} is not a place on the globe"))
}

fn line_of(json: &Json) -> Result<Vec<Point>, String> {
    let mut line = list(json)?.iter().map(point_of).collect::<Result<Vec<_>, _>>()?;
    line.dedup();
    if line.len() < 2 { Err("a line has fewer than two places".to_owned()) } else { Ok(line) }
}

fn polygon_of(json: &Json) -> Result<Polygon, String> {
    let mut rings = list(json)?.iter().map(|ring| {
        let mut ring = line_of(ring)?;
        if ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() < 3 { Err("a ring has fewer than three places".to_owned()) } else { Ok(ring) }
    });
    let shell = rings.next().ok_or("a polygon has no ring")??;
    Ok(Polygon { shell, holes: rings.collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_reads_back_as_it_was_written() {
        for geometry in [
            r#"{"type":"Point","coordinates":[120.1234567,-36.5]}"#,
            r#"{"type":"MultiLineString","coordinates":[[[1,2],[3,4]],[[5,6],[7,8],[9,0]]]}"#,
            r#"{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,2],[6,1],[5,1]]]}"#,
        ] {
            let text = format!(
                r#"{{"type":"Feature","id":"x","geometry":{geometry},"properties":{{"n":3,"r":0.5,"t":"网","b":true,"z":null,"j":[1]}}}}"#
            );
            let read = read_feature("x", text.as_bytes()).unwrap();
            let again = feature(&read, b"");
            assert_eq!(read_feature("x", &again).unwrap(), read);
            assert!(String::from_utf8(again).unwrap().contains(geometry), "{geometry}");
        }
    }

    #[test]
    fn rings_are_turned_as_the_standard_says() {
        let p = |x, y| Point::new(x * 10_000_000, y * 10_000_000);
        let mut out = Vec::new();
        push_polygons(&mut out, &[Polygon { shell: vec![p(0, 0), p(0, 1), p(1, 1)], holes: Vec::new() }]);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[0,0]]]}"#);
    }

    #[test]
    fn what_is_no_feature_is_refused() {
        for (text, reason) in [
            ("{", "EOF"),
            ("{}", "no GeoJSON Feature"),
            (r#"{"type":"Feature"}"#, "no geometry"),
            (r#"{"type":"Feature","id":"y","geometry":null}"#, "the path says x"),
            (r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[181,0]}}"#, "181"),
            (r#"{"type":"Feature","geometry":{"type":"Point","coordinates":["1",0]}}"#, "two numbers"),
            (r#"{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,0]]]}}"#, "three"),
            (r#"{"type":"Feature","geometry":{"type":"Polygon","coordinates":[]}}"#, "no ring"),
            (r#"{"type":"Feature","geometry":{"type":"GeometryCollection","coordinates":[]}}"#, "not kept"),
        ] {
            let refused = read_feature("x", text.as_bytes()).unwrap_err();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
    }
}
