//! The `mvt` crate, an independent writer, makes a tile of the same content.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod support;

use mvt::{GeomEncoder, GeomType};
use support::{Feature, Layer, Value};
use tiles::{GeometryKind, LayerWriter, Role, Scratch, Shape, TagValue, TilePoint};

const KEYS: [&str; 5] = ["name", "households", "height", "dedicated", "depth"];

/// Numbers that look random, the same at every run.
fn seeded(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

fn ours() -> Vec<u8> {
    let mut random = seeded(7);
    let texts: Vec<String> = (0..20).map(|i| format!("网格 {i}")).collect();
    let mut scratch = Scratch::default();
    let mut tile = Vec::new();
    for (name, kind) in [("a", GeometryKind::Point), ("b", GeometryKind::Line), ("c", GeometryKind::Polygon)] {
        let mut writer = LayerWriter::new(&mut scratch, &KEYS, texts.len());
        let mut shape = Shape::new();
        for id in 0..50 {
            shape.clear();
            let (x, y) = (random(4000) as i32, random(4000) as i32);
            let at = |dx, dy| TilePoint::new(x + dx, y + dy);
            match kind {
                GeometryKind::Point => (0..=random(3) as i32).for_each(|i| shape.push_point(at(i, 2 * i))),
                GeometryKind::Line => {
                    (0..=random(3) as i32).for_each(|i| shape.push_line([at(i, 0), at(i, 9), at(9, i)]))
                }
                GeometryKind::Polygon => {
                    shape.push_ring(Role::Shell, [at(0, 0), at(90, 0), at(90, 90), at(0, 90)]);
                    shape.push_ring(Role::Hole, [at(10, 10), at(20, 10), at(20, 20)]);
                    shape.push_ring(Role::Shell, [at(100, 0), at(100, 40), at(140, 0)]);
                }
            }
            let text = random(20) as u32;
            let tags = [
                (0, TagValue::Text(text, &texts[text as usize])),
                (1, TagValue::Integer(random(900) as i64)),
                (2, TagValue::Real(random(900) as f64 / 8.0)),
                (3, TagValue::Bool(random(2) == 1)),
                (4, TagValue::Integer(-(random(900) as i64) - 1)),
            ];
            writer.feature(id, kind, &shape, tags.into_iter().take(1 + random(5) as usize));
        }
        tile.extend(writer.finish(name).unwrap());
    }
    tile
}

fn rebuilt(layers: &[Layer]) -> Vec<u8> {
    let mut tile = mvt::Tile::new(4096);
    for layer in layers {
        let mut out = tile.create_layer(&layer.name);
        for Feature { id, kind, tags, parts } in &layer.features {
            let kind = [GeomType::Point, GeomType::Linestring, GeomType::Polygon][*kind as usize - 1];
            let mut geometry = GeomEncoder::<f64>::new(kind);
            for (i, part) in parts.iter().enumerate() {
                if i > 0 && kind != GeomType::Point {
                    geometry.complete_geom().unwrap();
                }
                for p in part {
                    geometry.add_point(f64::from(p.0), f64::from(p.1)).unwrap();
                }
            }
            let mut feature = out.into_feature(geometry.encode().unwrap());
            feature.set_id(id.unwrap());
            for (key, value) in tags {
                match value {
                    Value::Text(text) => feature.add_tag_string(key, text),
                    Value::Double(d) => feature.add_tag_double(key, *d),
                    Value::Uint(u) => feature.add_tag_uint(key, *u),
                    Value::Int(i) => feature.add_tag_sint(key, *i),
                    Value::Bool(b) => feature.add_tag_bool(key, *b),
                    Value::Float(f) => feature.add_tag_float(key, *f),
                }
            }
            out = feature.into_layer();
        }
        tile.add_layer(out).unwrap();
    }
    tile.to_bytes().unwrap()
}

#[test]
fn another_writer_makes_a_tile_of_the_same_content() {
    let layers = support::decode(&ours()).unwrap();
    support::judge_shapes(&layers, 64).unwrap();
    assert_eq!(layers.iter().map(|l| l.features.len()).sum::<usize>(), 150);
    let theirs = support::decode(&rebuilt(&layers)).unwrap();
    assert_eq!(theirs, layers);
}
