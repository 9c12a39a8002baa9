//! Encoding a tile of areas: this crate against the `mvt` crate, on the same features
//! in the same run. Seeded; prints one row with the ratio.

#![allow(unreachable_pub, reason = "shared with the table of all bars")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mvt::{GeomData, GeomEncoder, GeomType};
use tiles::{GeometryKind, LayerWriter, Role, Scratch, Shape, TagValue, TilePoint};

const POLYGONS: usize = 1_023;
const VERTICES: usize = 73;
const ROUNDS: usize = 60;
const KEYS: [&str; 4] = ["code", "name", "parent", "kind"];

struct Area {
    ring: Vec<TilePoint>,
    texts: [(u32, String); 4],
}

fn areas() -> Vec<Area> {
    let kinds = ["base", "dedicated"];
    (0..POLYGONS)
        .map(|i| {
            let (x, y) = ((i % 32) as f64 * 128.0 + 64.0, (i / 32) as f64 * 128.0 + 64.0);
            let ring = (0..VERTICES)
                .map(|j| {
                    let turn = std::f64::consts::TAU * j as f64 / VERTICES as f64;
                    let r = 56.0 + 8.0 * (turn * 9.0 + i as f64).sin();
                    TilePoint::new((x + r * turn.cos()) as i32, (y + r * turn.sin()) as i32)
                })
                .collect();
            let text = |at: usize, text: String| (at as u32, text);
            let texts = [
                text(i, format!("370202001{i:06}")),
                text(POLYGONS + i, format!("第{i}网格")),
                text(2 * POLYGONS + i / 10, format!("370202001{:03}", i / 10)),
                text(3 * POLYGONS + i % 2, kinds[i % 2].to_owned()),
            ];
            Area { ring, texts }
        })
        .collect()
}

fn ours(areas: &[Area], scratch: &mut Scratch, shape: &mut Shape) -> Vec<u8> {
    let mut writer = LayerWriter::new(scratch, &KEYS, 3 * POLYGONS + 2);
    for (i, area) in areas.iter().enumerate() {
        shape.clear();
        // Cut, cleaned and wound besides: that is more than the other writer does.
        shape.push_ring(Role::Shell, area.ring.iter().copied());
        let tags = area.texts.iter().enumerate().map(|(k, (number, text))| (k as u32, TagValue::Text(*number, text)));
        writer.feature(i as u64, GeometryKind::Polygon, shape, tags);
    }
    writer.finish("grid").unwrap_or_default()
}

fn geometry(area: &Area) -> Result<GeomData, mvt::Error> {
    let mut geometry = GeomEncoder::<f64>::new(GeomType::Polygon);
    for p in &area.ring {
        geometry.add_point(f64::from(p.x), f64::from(p.y))?;
    }
    geometry.encode()
}

fn theirs(areas: &[Area]) -> Result<Vec<u8>, mvt::Error> {
    let mut tile = mvt::Tile::new(4096);
    let mut layer = tile.create_layer("grid");
    for (i, area) in areas.iter().enumerate() {
        let mut feature = layer.into_feature(geometry(area)?);
        feature.set_id(i as u64);
        for (key, (_, text)) in KEYS.iter().zip(&area.texts) {
            feature.add_tag_string(key, text);
        }
        layer = feature.into_layer();
    }
    tile.add_layer(layer)?;
    tile.to_bytes()
}

/// The fastest of some rounds: what the work takes when nothing else runs.
fn fastest(mut work: impl FnMut() -> Vec<u8>) -> (Duration, usize) {
    let mut bytes = 0;
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            bytes = black_box(work()).len();
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    (best, bytes)
}

/// Milliseconds that a tile takes this crate and the other.
pub fn measured_ms() -> (f64, f64) {
    let areas = areas();
    let (mut scratch, mut shape) = (Scratch::default(), Shape::new());
    let (own, own_bytes) = fastest(|| ours(&areas, &mut scratch, &mut shape));
    let (other, other_bytes) = fastest(|| theirs(&areas).unwrap_or_default());
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    println!("tile of {POLYGONS} polygons of {VERTICES} vertices, 4 attributes");
    println!("  {:<28} {:>9} {:>10}", "writer", "ms", "bytes");
    println!("  {:<28} {:>9.3} {:>10}", "tiles (cut, clean, encode)", ms(own), own_bytes);
    println!("  {:<28} {:>9.3} {:>10}", "mvt 0.15 (encode)", ms(other), other_bytes);
    (ms(own), ms(other))
}

#[allow(dead_code, reason = "the table of all bars measures it too, from a main of its own")]
fn main() {
    let (own_ms, other_ms) = measured_ms();
    println!("  ratio {:.1} (at least 4)", other_ms / own_ms);
}
