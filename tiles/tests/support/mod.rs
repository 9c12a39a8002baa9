//! A reader of vector tiles that judges: it takes only what MVT 2.1 calls valid.
//! Written apart from the writer, from the specification; the fixtures of the
//! specification's authors decide whether it judges right.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Float(f32),
    Double(f64),
    Int(i64),
    Uint(u64),
    Bool(bool),
}

/// A feature; its geometry is a list of points, of lines, or of rings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Feature {
    pub(crate) id: Option<u64>,
    /// 0 unknown, 1 points, 2 lines, 3 polygons.
    pub(crate) kind: u64,
    pub(crate) tags: BTreeMap<String, Value>,
    pub(crate) parts: Vec<Vec<(i32, i32)>>,
}

impl Feature {
    /// The text of an attribute; empty where there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        match self.tags.get(key) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }
}

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) extent: u64,
    pub(crate) features: Vec<Feature>,
}

/// Why a tile is invalid.
pub(crate) type Defect = String;

fn defect<T>(why: impl Into<String>) -> Result<T, Defect> {
    Err(why.into())
}

struct Reader<'a> {
    bytes: &'a [u8],
}

enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Reader<'a> {
    fn varint(&mut self) -> Result<u64, Defect> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let Some((&byte, rest)) = self.bytes.split_first() else { return defect("a varint is cut off") };
            self.bytes = rest;
            if shift == 63 && byte > 1 {
                return defect("a varint has more than 64 bits");
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        defect("a varint has more than ten bytes")
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Defect> {
        if length > self.bytes.len() {
            return defect("a length goes beyond the end");
        }
        let (taken, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<Option<(u64, Field<'a>)>, Defect> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(self.take(8)?.try_into().map_err(|_| "eight bytes")?),
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(usize::try_from(length).map_err(|_| "a length too large")?)?)
            }
            5 => Field::Fixed32(self.take(4)?.try_into().map_err(|_| "four bytes")?),
            other => return defect(format!("wire type {other}")),
        };
        Ok(Some((tag >> 3, field)))
    }
}

fn packed(bytes: &[u8]) -> Result<Vec<u32>, Defect> {
    let mut reader = Reader { bytes };
    let mut all = Vec::new();
    while !reader.bytes.is_empty() {
        all.push(u32::try_from(reader.varint()?).map_err(|_| "a uint32 has more than 32 bits")?);
    }
    Ok(all)
}

fn text(bytes: &[u8]) -> Result<String, Defect> {
    String::from_utf8(bytes.to_vec()).map_err(|_| "text that is not UTF-8".into())
}

/// Reads a tile, or says the first thing that is wrong with it.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Layer>, Defect> {
    let mut reader = Reader { bytes };
    let mut layers: Vec<Layer> = Vec::new();
    while let Some((number, field)) = reader.field()? {
        match (number, field) {
            (3, Field::Bytes(bytes)) => {
                let layer = layer(bytes)?;
                if layers.iter().any(|l| l.name == layer.name) {
                    return defect("two layers of one name");
                }
                layers.push(layer);
            }
            (3, _) => return defect("a layer that is no message"),
            _ => {}
        }
    }
    Ok(layers)
}

fn layer(bytes: &[u8]) -> Result<Layer, Defect> {
    let mut reader = Reader { bytes };
    let (mut name, mut version, mut extent) = (None, None, 4096);
    let (mut features, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
    while let Some((number, field)) = reader.field()? {
        match (number, field) {
            (1, Field::Bytes(bytes)) => name = Some(text(bytes)?),
            (2, Field::Bytes(bytes)) => features.push(bytes),
            (3, Field::Bytes(bytes)) => keys.push(text(bytes)?),
            (4, Field::Bytes(bytes)) => values.push(value(bytes)?),
            (5, Field::Varint(v)) => extent = v,
            (15, Field::Varint(v)) => version = Some(v),
            (1..=5 | 15, _) => return defect(format!("field {number} of a layer has the wrong type")),
            _ => {}
        }
    }
    let Some(name) = name.filter(|n| !n.is_empty()) else { return defect("a layer without a name") };
    match version {
        Some(1 | 2) => {}
        None => return defect("a layer without a version"),
        Some(v) => return defect(format!("version {v}")),
    }
    let features = features.into_iter().map(|bytes| feature(bytes, &keys, &values)).collect::<Result<_, _>>()?;
    Ok(Layer { name, extent, features })
}

fn value(bytes: &[u8]) -> Result<Value, Defect> {
    let mut reader = Reader { bytes };
    let mut found = None;
    while let Some((number, field)) = reader.field()? {
        let value = match (number, field) {
            (1, Field::Bytes(bytes)) => Value::Text(text(bytes)?),
            (2, Field::Fixed32(bytes)) => Value::Float(f32::from_le_bytes(bytes)),
            (3, Field::Fixed64(bytes)) => Value::Double(f64::from_le_bytes(bytes)),
            (4, Field::Varint(v)) => Value::Int(v as i64),
            (5, Field::Varint(v)) => Value::Uint(v),
            (6, Field::Varint(v)) => Value::Int((v >> 1) as i64 ^ -((v & 1) as i64)),
            (7, Field::Varint(v)) => Value::Bool(v != 0),
            _ => return defect(format!("a value of a kind that is not in the specification: {number}")),
        };
        if found.replace(value).is_some() {
            return defect("two values in one");
        }
    }
    found.ok_or_else(|| "a value without one".into())
}

fn feature(bytes: &[u8], keys: &[String], values: &[Value]) -> Result<Feature, Defect> {
    let mut reader = Reader { bytes };
    let (mut id, mut kind, mut tags, mut geometry) = (None, None, Vec::new(), None);
    while let Some((number, field)) = reader.field()? {
        match (number, field) {
            (1, Field::Varint(v)) => id = Some(v),
            (2, Field::Bytes(bytes)) => tags.extend(packed(bytes)?),
            (2, Field::Varint(v)) => tags.push(v as u32),
            (3, Field::Varint(v)) => kind = Some(v),
            (4, Field::Bytes(_)) if geometry.is_some() => return defect("two geometries"),
            (4, Field::Bytes(bytes)) => geometry = Some(packed(bytes)?),
            (1..=4, _) => return defect(format!("field {number} of a feature has the wrong type")),
            _ => {}
        }
    }
    let Some(kind) = kind.filter(|k| *k <= 3) else { return defect("a feature without a known type") };
    let Some(geometry) = geometry else { return defect("a feature without geometry") };
    if tags.len() % 2 != 0 {
        return defect("an odd number of tags");
    }
    let mut by_name = BTreeMap::new();
    for pair in tags.chunks(2) {
        let (Some(key), Some(value)) = (keys.get(pair[0] as usize), values.get(pair[1] as usize)) else {
            return defect("a tag without its key or value");
        };
        by_name.insert(key.clone(), value.clone());
    }
    let parts = if kind == 0 { Vec::new() } else { parts(&geometry, kind)? };
    Ok(Feature { id, kind, tags: by_name, parts })
}

fn parts(commands: &[u32], kind: u64) -> Result<Vec<Vec<(i32, i32)>>, Defect> {
    const MOVE: u32 = 1;
    const LINE: u32 = 2;
    const CLOSE: u32 = 7;
    let mut parts: Vec<Vec<(i32, i32)>> = Vec::new();
    let (mut at, mut i, mut before) = ((0i32, 0i32), 0, 0);
    while i < commands.len() {
        let (command, count) = (commands[i] & 7, (commands[i] >> 3) as usize);
        i += 1;
        let follows = match (kind, command) {
            (1, MOVE) => before == 0,
            (2, MOVE) => before == 0 || before == LINE,
            (3, MOVE) => before == 0 || before == CLOSE,
            (2 | 3, LINE) => before == MOVE,
            (3, CLOSE) => before == LINE,
            _ => false,
        };
        if !follows {
            return defect(format!("command {command} after {before} in geometry of type {kind}"));
        }
        before = command;
        if command == CLOSE {
            if count != 1 {
                return defect(format!("a ring is closed {count} times"));
            }
            continue;
        }
        let least = if command == LINE && kind == 3 { 2 } else { 1 };
        if count < least || (command == MOVE && kind != 1 && count != 1) {
            return defect(format!("command {command} with count {count}"));
        }
        if count > (commands.len() - i) / 2 {
            return defect("a count goes beyond the end");
        }
        for pair in commands[i..i + 2 * count].chunks(2) {
            let unzigzag = |v: u32| (v >> 1) as i32 ^ -((v & 1) as i32);
            let step = (unzigzag(pair[0]), unzigzag(pair[1]));
            if command == LINE && step == (0, 0) {
                return defect("a point twice in a row");
            }
            at = (at.0.wrapping_add(step.0), at.1.wrapping_add(step.1));
            match parts.last_mut().filter(|_| command == LINE) {
                Some(part) => part.push(at),
                None => parts.push(vec![at]),
            }
        }
        i += 2 * count;
    }
    let ends_with = match kind {
        1 => MOVE,
        2 => LINE,
        _ => CLOSE,
    };
    if before != ends_with {
        return defect("geometry that ends in the middle");
    }
    Ok(parts)
}

/// Twice the signed area of a ring by the surveyor's formula, y southwards.
pub(crate) fn twice_area(ring: &[(i32, i32)]) -> i64 {
    ring.iter()
        .zip(ring.iter().cycle().skip(1))
        .map(|(a, b)| i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1))
        .sum()
}

/// What the specification asks of polygons beyond what [`decode`] looks at, and what
/// we ask of a tile: rings have area, the first is an outer one, nothing lies beyond
/// the buffer.
pub(crate) fn judge_shapes(layers: &[Layer], buffer: i32) -> Result<(), Defect> {
    for layer in layers {
        let (min, max) = (-buffer, layer.extent as i32 + buffer);
        for feature in &layer.features {
            let beyond = feature.parts.iter().flatten().find(|p| p.0 < min || p.0 > max || p.1 < min || p.1 > max);
            if let Some(p) = beyond {
                return defect(format!("{} {:?} has a vertex beyond the buffer: {p:?}", layer.name, feature.id));
            }
            if feature.kind == 3 {
                for (i, ring) in feature.parts.iter().enumerate() {
                    let area = twice_area(ring);
                    if area == 0 || (i == 0 && area < 0) {
                        return defect(format!("{} {:?} ring {i} has area {area}", layer.name, feature.id));
                    }
                }
            }
        }
        let mut ids: Vec<_> = layer.features.iter().filter_map(|f| f.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|w| w[0] == w[1]) || ids.len() != layer.features.len() {
            return defect(format!("{} has features without an id of their own", layer.name));
        }
    }
    Ok(())
}
