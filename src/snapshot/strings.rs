//! Strings kept once: a pool, and the symbols that stand for its entries.

use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::FxHasher;

/// A string of a layer by number: within one layer, equal symbols are equal strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sym(pub u32);

/// Strings end to end in one buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u64>,
}

impl Strings {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    pub(super) fn push(&mut self, text: &str) -> usize {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u64);
        self.ends.len() - 1
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|i| self.get(i))
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// Which entry of a pool a string is: open addressing over entry numbers, which
/// keeps no string a second time.
#[derive(Clone, Debug, Default)]
pub(super) struct StringIndex {
    /// Entry number plus one; 0 is free. The length is a power of two, at most half full.
    slots: Vec<u32>,
    len: usize,
}

impl StringIndex {
    /// The index of a whole pool; of equal entries the first is found.
    pub(super) fn of(strings: &Strings) -> Self {
        let mut index = Self { slots: vec![0; (strings.len() * 2).next_power_of_two().max(16)], len: 0 };
        for (i, text) in strings.iter().enumerate() {
            if index.find(strings, text).is_none() {
                index.insert(strings, i);
            }
        }
        index
    }

    pub(super) fn find(&self, strings: &Strings, text: &str) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = hash(text) & mask;
        loop {
            let entry = self.slots[at].checked_sub(1)? as usize;
            if strings.get(entry) == Some(text) {
                return Some(entry);
            }
            at = (at + 1) & mask;
        }
    }

    fn insert(&mut self, strings: &Strings, entry: usize) {
        if self.slots.len() < (self.len + 1) * 2 {
            let entries: Vec<u32> = self.slots.iter().copied().filter(|s| *s != 0).collect();
            self.slots = vec![0; ((self.len + 1) * 4).next_power_of_two().max(16)];
            for e in entries {
                self.place(strings, e - 1);
            }
        }
        self.place(strings, entry as u32);
        self.len += 1;
    }

    fn place(&mut self, strings: &Strings, entry: u32) {
        let mask = self.slots.len() - 1;
        let mut at = hash(strings.get(entry as usize).unwrap_or_default()) & mask;
        while self.slots[at] != 0 {
            at = (at + 1) & mask;
        }
        self.slots[at] = entry + 1;
    }
}

/// A pool that is being filled, each string once.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    pub(super) strings: Strings,
    index: StringIndex,
}

impl Interner {
    pub(super) fn intern(&mut self, text: &str) -> Sym {
        let entry = self.index.find(&self.strings, text).unwrap_or_else(|| {
            let entry = self.strings.push(text);
            self.index.insert(&self.strings, entry);
            entry
        });
        Sym(entry as u32)
    }

    /// Gives back what only filling needs. What is interned after stands twice.
    pub(super) fn freeze(&mut self) {
        self.index = StringIndex::default();
        self.strings.shrink();
    }
}

fn hash(text: &str) -> usize {
    // Fx leaves its quality in the upper bits; the slots are taken from the lower.
    BuildHasherDefault::<FxHasher>::default().hash_one(text).rotate_left(26) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_is_interned_once_and_read_back() {
        let mut pool = Interner::default();
        let syms: Vec<Sym> = (0..10_000).map(|i| pool.intern(&format!("street {}", i % 777))).collect();
        assert_eq!(pool.strings.len(), 777);
        for (i, sym) in syms.iter().enumerate() {
            assert_eq!(pool.strings.get(sym.0 as usize), Some(format!("street {}", i % 777).as_str()));
        }
        let index = StringIndex::of(&pool.strings);
        assert_eq!(index.find(&pool.strings, "street 5"), Some(5));
        assert_eq!(index.find(&pool.strings, "nowhere"), None);
        assert_eq!(StringIndex::default().find(&Strings::default(), ""), None);
    }
}
