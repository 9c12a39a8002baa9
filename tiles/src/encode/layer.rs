//! One layer of a tile: its features, and the tables of keys and values behind them.

use rustc_hash::FxHashMap;

use super::geometry::{self, GeometryKind};
use super::wire::{FIXED64, LENGTH, bytes_field, field, varint, varint_field, varint_len, varint32, zigzag64};
use crate::shape::Shape;
use crate::space::EXTENT;

/// Field numbers of vector_tile.proto 2.1.
mod number {
    pub(super) const TILE_LAYER: u32 = 3;
    pub(super) const LAYER_NAME: u32 = 1;
    pub(super) const LAYER_FEATURE: u32 = 2;
    pub(super) const LAYER_KEY: u32 = 3;
    pub(super) const LAYER_VALUE: u32 = 4;
    pub(super) const LAYER_EXTENT: u32 = 5;
    pub(super) const LAYER_VERSION: u32 = 15;
    pub(super) const FEATURE_ID: u32 = 1;
    pub(super) const FEATURE_TAGS: u32 = 2;
    pub(super) const FEATURE_TYPE: u32 = 3;
    pub(super) const FEATURE_GEOMETRY: u32 = 4;
    pub(super) const VALUE_TEXT: u32 = 1;
    pub(super) const VALUE_DOUBLE: u32 = 3;
    pub(super) const VALUE_UINT: u32 = 5;
    pub(super) const VALUE_SINT: u32 = 6;
    pub(super) const VALUE_BOOL: u32 = 7;
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TagValue<'t> {
    /// Text, and the number by which the caller knows it: equal numbers, equal texts.
    Text(u32, &'t str),
    /// Text that no other feature of the layer has: it has no number and is not looked for.
    Unique(&'t str),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Real(f64),
    /// True or false.
    Bool(bool),
}

/// The memory that a [`LayerWriter`] works in; keep it and give it to the next one.
///
/// Texts are found by the caller's number in a plain array, without hashing. An
/// entry counts only if it carries the current turn, so a new layer need not clear it.
#[derive(Debug, Default)]
pub struct Scratch {
    turn: u32,
    /// By text number: the turn in which it was last used, and its index in that layer.
    text_slots: Vec<(u32, u32)>,
    /// By the caller's key number: its index in the layer, or [`ABSENT`].
    key_slots: Vec<u32>,
    /// The table of values as it will be written.
    values: Vec<u8>,
    value_count: u32,
    numbers: FxHashMap<(u8, u64), u32>,
    message: Vec<u8>,
    features: Vec<u8>,
    tags: Vec<u8>,
    commands: Vec<u8>,
}

/// Not in the layer's table yet.
const ABSENT: u32 = u32::MAX;

/// Writes one layer. Features stand in the order in which they are added.
#[derive(Debug)]
pub struct LayerWriter<'s> {
    scratch: &'s mut Scratch,
    names: &'s [&'s str],
    /// The keys in the order of their first use, by the caller's number.
    keys: Vec<u32>,
    features: usize,
}

impl<'s> LayerWriter<'s> {
    /// A layer whose features have the keys `names` and texts numbered below `texts`.
    #[must_use]
    pub fn new(scratch: &'s mut Scratch, names: &'s [&'s str], texts: usize) -> Self {
        scratch.turn = scratch.turn.wrapping_add(1);
        if scratch.turn == 0 {
            // Turns have begun anew: what the old ones left would look current.
            scratch.text_slots.clear();
            scratch.turn = 1;
        }
        if scratch.text_slots.len() < texts {
            scratch.text_slots.resize(texts, (0, 0));
        }
        scratch.key_slots.clear();
        scratch.key_slots.resize(names.len(), ABSENT);
        scratch.values.clear();
        scratch.value_count = 0;
        scratch.numbers.clear();
        scratch.features.clear();
        Self { scratch, names, keys: Vec::new(), features: 0 }
    }

    /// Adds a feature; one without parts is left out, as is a tag whose key or text
    /// number is beyond what [`new`](Self::new) was told. Whether it was added.
    pub fn feature<'t>(
        &mut self,
        id: u64,
        kind: GeometryKind,
        shape: &Shape,
        tags: impl IntoIterator<Item = (u32, TagValue<'t>)>,
    ) -> bool {
        if shape.is_empty() {
            return false;
        }
        self.scratch.tags.clear();
        for (key, value) in tags {
            let Some(key) = self.key(key) else { continue };
            let Some(value) = self.value(value) else { continue };
            varint32(&mut self.scratch.tags, key);
            varint32(&mut self.scratch.tags, value);
        }
        let s = &mut *self.scratch;
        s.commands.clear();
        geometry::write(&mut s.commands, kind, shape);

        let packed = |bytes: &[u8]| 1 + varint_len(bytes.len() as u64) + bytes.len();
        let tags = if s.tags.is_empty() { 0 } else { packed(&s.tags) };
        let length = 1 + varint_len(id) + tags + 2 + packed(&s.commands);
        let out = &mut s.features;
        field(out, number::LAYER_FEATURE, LENGTH);
        varint(out, length as u64);
        varint_field(out, number::FEATURE_ID, id);
        if !s.tags.is_empty() {
            bytes_field(out, number::FEATURE_TAGS, &s.tags);
        }
        varint_field(out, number::FEATURE_TYPE, kind as u64);
        bytes_field(out, number::FEATURE_GEOMETRY, &s.commands);
        self.features += 1;
        true
    }

    /// How many features were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.features
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.features == 0
    }

    /// The bytes written for features so far: the layer will be a little longer.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.scratch.features.len() + self.scratch.values.len()
    }

    /// The layer as it stands in a tile; `None` without features, as a layer has at
    /// least one.
    #[must_use]
    pub fn finish(self, name: &str) -> Option<Vec<u8>> {
        if self.features == 0 {
            return None;
        }
        let s = self.scratch;
        let mut keys = Vec::new();
        for k in &self.keys {
            bytes_field(&mut keys, number::LAYER_KEY, self.names[*k as usize].as_bytes());
        }
        let name_length = 1 + varint_len(name.len() as u64) + name.len();
        let length =
            2 + name_length + s.features.len() + keys.len() + s.values.len() + 1 + varint_len(u64::from(EXTENT));
        let mut out = Vec::with_capacity(length + 6);
        field(&mut out, number::TILE_LAYER, LENGTH);
        varint(&mut out, length as u64);
        varint_field(&mut out, number::LAYER_VERSION, 2);
        bytes_field(&mut out, number::LAYER_NAME, name.as_bytes());
        out.extend_from_slice(&s.features);
        out.extend_from_slice(&keys);
        out.extend_from_slice(&s.values);
        varint_field(&mut out, number::LAYER_EXTENT, u64::from(EXTENT));
        Some(out)
    }

    fn key(&mut self, key: u32) -> Option<u32> {
        let slot = self.scratch.key_slots.get_mut(key as usize)?;
        if *slot == ABSENT {
            *slot = self.keys.len() as u32;
            self.keys.push(key);
        }
        Some(*slot)
    }

    fn value(&mut self, value: TagValue<'_>) -> Option<u32> {
        match value {
            TagValue::Text(at, text) => {
                let s = &mut *self.scratch;
                let slot = s.text_slots.get_mut(at as usize)?;
                if slot.0 != s.turn {
                    *slot = (s.turn, s.value_count);
                    s.value_count += 1;
                    text_value(&mut s.values, text);
                }
                Some(slot.1)
            }
            TagValue::Unique(text) => {
                let s = &mut *self.scratch;
                text_value(&mut s.values, text);
                s.value_count += 1;
                Some(s.value_count - 1)
            }
            TagValue::Integer(i) => Some(self.number(0, i as u64, |out| match u64::try_from(i) {
                Ok(u) => varint_field(out, number::VALUE_UINT, u),
                Err(_) => varint_field(out, number::VALUE_SINT, zigzag64(i)),
            })),
            TagValue::Real(r) => Some(self.number(1, r.to_bits(), |out| {
                field(out, number::VALUE_DOUBLE, FIXED64);
                out.extend_from_slice(&r.to_le_bytes());
            })),
            TagValue::Bool(b) => {
                Some(self.number(2, u64::from(b), |out| varint_field(out, number::VALUE_BOOL, u64::from(b))))
            }
        }
    }

    /// The index of a value that is no text; written when it is first seen.
    fn number(&mut self, kind: u8, bits: u64, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        let s = &mut *self.scratch;
        *s.numbers.entry((kind, bits)).or_insert_with(|| {
            s.message.clear();
            write(&mut s.message);
            bytes_field(&mut s.values, number::LAYER_VALUE, &s.message);
            s.value_count += 1;
            s.value_count - 1
        })
    }
}

/// Writes a text into the table of values.
fn text_value(values: &mut Vec<u8>, text: &str) {
    let length = 1 + varint_len(text.len() as u64) + text.len();
    values.reserve(length + 6);
    field(values, number::LAYER_VALUE, LENGTH);
    varint(values, length as u64);
    bytes_field(values, number::VALUE_TEXT, text.as_bytes());
}
