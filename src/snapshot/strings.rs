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

    /// The same strings in another order.
    pub(super) fn arranged(&self, order: &[u32]) -> Self {
        let mut arranged = Self { text: String::with_capacity(self.text.len()), ends: Vec::with_capacity(order.len()) };
        order.iter().filter_map(|i| self.get(*i as usize)).for_each(|text| _ = arranged.push(text));
        arranged
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
    slots: Vec<Slot>,
    len: usize,
}

/// Entry number plus one, 0 is free, and the hash of its string: whoever looks for
/// another string or for room need not fetch this one from far away.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    entry: u32,
    hash: u32,
}

impl StringIndex {
    /// The index of a whole pool; of equal entries the first is found.
    pub(super) fn of(strings: &Strings) -> Self {
        let mut index = Self::default();
        index.grow(strings.len());
        for (i, text) in strings.iter().enumerate() {
            index.find_or_insert(strings, text, i);
        }
        index
    }

    pub(super) fn find(&self, strings: &Strings, text: &str) -> Option<usize> {
        self.slot(strings, text, hash(text)).ok()
    }

    /// The entry that is this string; `entry` is put there where there is none yet.
    fn find_or_insert(&mut self, strings: &Strings, text: &str, entry: usize) -> usize {
        if self.slots.len() < (self.len + 1) * 2 {
            self.grow(self.slots.len());
        }
        let hash = hash(text);
        self.slot(strings, text, hash).unwrap_or_else(|free| {
            self.slots[free] = Slot { entry: entry as u32 + 1, hash };
            self.len += 1;
            entry
        })
    }

    /// The entry that is this string, or the free slot where it belongs.
    fn slot(&self, strings: &Strings, text: &str, hash: u32) -> Result<usize, usize> {
        let Some(mask) = self.slots.len().checked_sub(1) else { return Err(0) };
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            let Some(entry) = slot.entry.checked_sub(1) else { return Err(at) };
            if slot.hash == hash && strings.get(entry as usize) == Some(text) {
                return Ok(entry as usize);
            }
            at = (at + 1) & mask;
        }
    }

    /// Makes room for so many strings: a power of two of slots, half of them free at
    /// least, and with them the slot that ends each search.
    fn grow(&mut self, strings: usize) {
        let count = (strings * 2).next_power_of_two().max(16);
        let before = std::mem::replace(&mut self.slots, vec![Slot::default(); count]);
        for slot in before.into_iter().filter(|slot| slot.entry != 0) {
            let mut at = slot.hash as usize & (count - 1);
            while self.slots[at].entry != 0 {
                at = (at + 1) & (count - 1);
            }
            self.slots[at] = slot;
        }
    }
}

/// A pool that is being filled, each string once.
#[derive(Clone, Debug, Default)]
pub(super) struct Interner {
    pub(super) strings: Strings,
    index: StringIndex,
}

impl Interner {
    /// A pool that is not filled any more.
    pub(super) fn of(strings: Strings) -> Self {
        Self { strings, index: StringIndex::default() }
    }

    pub(super) fn intern(&mut self, text: &str) -> Sym {
        let next = self.strings.len();
        let entry = self.index.find_or_insert(&self.strings, text, next);
        if entry == next {
            self.strings.push(text);
        }
        Sym(entry as u32)
    }

    /// Gives back what only filling needs. What is interned after stands twice.
    pub(super) fn freeze(&mut self) {
        self.index = StringIndex::default();
        self.strings.shrink();
    }
}

fn hash(text: &str) -> u32 {
    // Fx turns its good bits down to the lower half.
    BuildHasherDefault::<FxHasher>::default().hash_one(text) as u32
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
