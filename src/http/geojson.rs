//! Features as GeoJSON (RFC 7946) on the wire, out and in.

use boundaries::{Point, Polygon};
use serde_json::{Map, Value as Json};

use crate::feature::{Feature, Geometry, Value};
use crate::json::{push_bbox, push_geometry, push_text, push_value};

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
