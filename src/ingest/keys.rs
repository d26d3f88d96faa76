//! The keys of the rows that a run has taken so far.
//!
//! Duty: from a key's hash to the newest row of the run that has it, in few bytes a row. Not its duty: rows, and keys
//! of earlier runs.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashTable;

/// Takes a part of a hash for the hash: keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut half = [0; 8];
            half[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(half);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = slot(key);
    }
}

/// A set of hashes of keys or values.
pub type KeySet = HashSet<u128, BuildHasherDefault<KeyHasher>>;

/// A map by hashes of keys or values.
pub type KeyMap<V> = HashMap<u128, V, BuildHasherDefault<KeyHasher>>;

/// A row of this run, numbered in the order in which rows were taken.
pub type FreshId = u32;

/// Newest row of each key, and the hashes of every row.
#[derive(Default)]
pub struct FreshKeys {
    table: HashTable<FreshId>,
    keys: Vec<u128>,
    contents: Vec<u64>,
}

/// The half of a key's hash by which the table is entered; the whole hash decides.
#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
fn slot(key: u128) -> u64 {
    key as u64
}

impl FreshKeys {
    /// Makes room for so many more rows, so that nothing is moved while they come.
    pub fn reserve(&mut self, rows: usize) {
        let keys = &self.keys;
        self.table.reserve(rows, |id| slot(keys[*id as usize]));
        self.keys.reserve_exact(rows);
        self.contents.reserve_exact(rows);
    }

    /// Looks at the places of keys that are about to be asked for. They lie anywhere in the table: one after the other a
    /// row waits for memory each time, together they wait at the same time.
    pub fn warm(&self, keys: impl Iterator<Item = u128>) {
        let there = keys.filter(|key| self.table.find(slot(*key), |_| true).is_some());
        std::hint::black_box(there.count());
    }

    pub fn newest(&self, key: u128) -> Option<FreshId> {
        self.table.find(slot(key), |id| self.keys[*id as usize] == key).copied()
    }

    /// Takes a row; it is the newest of its key now.
    ///
    /// # Panics
    /// With more than 4 billion rows in one run of one feed.
    pub fn take(&mut self, key: u128, content: u64) -> FreshId {
        let id = FreshId::try_from(self.keys.len()).expect("fewer than 4 billion rows in a run");
        self.keys.push(key);
        self.contents.push(content);
        let keys = &self.keys;
        match self.table.find_mut(slot(key), |id| keys[*id as usize] == key) {
            Some(newest) => *newest = id,
            None => {
                self.table.insert_unique(slot(key), id, |id| slot(keys[*id as usize]));
            }
        }
        id
    }

    /// The key has no current row any more.
    pub fn forget(&mut self, key: u128) {
        let keys = &self.keys;
        if let Ok(entry) = self.table.find_entry(slot(key), |id| keys[*id as usize] == key) {
            entry.remove();
        }
    }

    pub fn key(&self, id: FreshId) -> u128 {
        self.keys[id as usize]
    }

    pub fn content(&self, id: FreshId) -> u64 {
        self.contents[id as usize]
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Rows that are the newest of their key, in no order.
    pub fn current(&self) -> impl Iterator<Item = FreshId> + '_ {
        self.table.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_row_of_a_key_is_found() {
        let mut keys = FreshKeys::default();
        // equal low halves: the table alone does not tell them apart
        let (a, b) = (7_u128, 7 | (1 << 100));
        assert_eq!((keys.take(a, 1), keys.take(b, 2), keys.take(a, 3)), (0, 1, 2));
        assert_eq!((keys.newest(a), keys.newest(b)), (Some(2), Some(1)));
        assert_eq!((keys.content(0), keys.key(1), keys.len()), (1, b, 3));
        keys.forget(a);
        assert_eq!((keys.newest(a), keys.newest(b)), (None, Some(1)));
        for key in 0..10_000 {
            keys.take(key << 64 | (key % 10), 0);
        }
        assert!((0..10_000).all(|key| keys.newest(key << 64 | (key % 10)).is_some()));
        assert_eq!(keys.current().count(), 10_001);
    }
}
