//! A vector in shared chunks: the persistent array under every table of a coverage.
//!
//! A clone shares all chunks; writing an item copies the one chunk that it lies in
//! (and the spine of pointers, 8 bytes a chunk). So what an edit costs follows from
//! what it touches, and everything else is the same memory in both versions.

use std::sync::Arc;

/// Items in one chunk: small enough that copying one is nothing, large enough
/// that the spine of a whole city fits a few kilobytes.
const CHUNK: usize = 64;

/// A persistent vector: cheap to clone, cheap to change in few places.
#[derive(Clone, Debug)]
pub struct Chunked<T> {
    chunks: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Chunked<T> {
    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item at `index`.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index / CHUNK)?.get(index % CHUNK)
    }

    /// The items in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Puts an item at the end.
    pub fn push(&mut self, item: T) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        let last = self.chunks.len() - 1;
        Arc::make_mut(&mut self.chunks[last]).push(item);
        self.len += 1;
    }

    /// The item at `index`, to be changed; copies its chunk if another version shares it.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        Arc::make_mut(self.chunks.get_mut(index / CHUNK)?).get_mut(index % CHUNK)
    }

    /// The indices of the items in chunks that this version does not share with `other`.
    pub fn not_shared_with(&self, other: &Self) -> impl Iterator<Item = usize> {
        let own = self.chunks.iter().enumerate();
        own.filter(|(i, chunk)| !other.chunks.get(*i).is_some_and(|o| Arc::ptr_eq(o, chunk)))
            .flat_map(|(i, chunk)| i * CHUNK..i * CHUNK + chunk.len())
    }

    /// How many bytes of chunks this version does not share with `other`, items
    /// themselves taken at their size, plus its spine.
    #[must_use]
    pub fn bytes_not_shared_with(&self, other: &Self) -> usize {
        let own = self
            .chunks
            .iter()
            .enumerate()
            .filter(|(i, chunk)| !other.chunks.get(*i).is_some_and(|o| Arc::ptr_eq(o, chunk)))
            .map(|(_, chunk)| chunk.len() * size_of::<T>())
            .sum::<usize>();
        own + self.chunks.len() * size_of::<Arc<Vec<T>>>()
    }
}

impl<T: Clone> FromIterator<T> for Chunked<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut all = Self::default();
        for item in items {
            all.push(item);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_copies_one_chunk_and_leaves_the_other_version_alone() {
        let before: Chunked<u64> = (0..1000).collect();
        let mut after = before.clone();
        *after.get_mut(500).unwrap() = 7;
        assert_eq!(before.get(500), Some(&500));
        assert_eq!(after.get(500), Some(&7));
        let spine = 1000usize.div_ceil(CHUNK) * 8;
        assert_eq!(after.bytes_not_shared_with(&before), CHUNK * 8 + spine);
        assert_eq!(after.iter().count(), 1000);
    }
}
