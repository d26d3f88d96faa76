//! The key index of one part, as a file.
//!
//! Duty: from the hash of a key to row and content, with a checksum over every byte, so that what is damaged is found
//! before it is used. Not its duty: which part, and what to do without an index.
//!
//! All numbers little-endian; entries ascend by key and stand in blocks of 512.
//!
//! | section | bytes | what |
//! |---|---|---|
//! | head | 32 | `SLKEYS2\n`, rows, number of columns, shape: what key and content were made of |
//! | fences | 24 a block | high half of its first key, checksum of its high halves, checksum of its rest |
//! | | 8 | checksum of head and fences |
//! | high halves | 8 an entry | first half of the key |
//! | rest | 20 an entry | second half of the key, content, row |
//!
//! A look-up reads the fences, the high halves of the blocks in which a key may lie, and the rest of those in which one
//! does: with many keys one pass over 8 bytes a row, with few keys a few blocks.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::read::data_columns;
use crate::contracts::Contract;
use crate::domain::RowHash;
use crate::edges::files;
use crate::store::StoreError;

const MAGIC: &[u8; 8] = b"SLKEYS2\n";
const HEAD: usize = 32;
const FENCE: usize = 24;
const SUM: usize = 8;
const HIGH: usize = 8;
const REST: usize = 20;
/// Entries of a block.
const BLOCK: usize = 512;
/// Blocks that are read at once.
const RUN: usize = 256;

/// Key and content of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    high: u64,
    low: u64,
    content: u64,
}

impl From<RowHash> for Entry {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    fn from(hash: RowHash) -> Entry {
        Entry {
            high: (hash.key >> 64) as u64,
            low: hash.key as u64,
            content: hash.content,
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().unwrap_or_default())
}

impl Entry {
    pub(super) const BYTES: usize = 24;

    pub(super) fn put(self, out: &mut Vec<u8>) {
        for half in [self.high, self.low, self.content] {
            out.extend_from_slice(&half.to_le_bytes());
        }
    }

    /// From as many bytes as [`Entry::put`] adds.
    pub(super) fn get(bytes: &[u8]) -> Entry {
        Entry {
            high: number(&bytes[..8]),
            low: number(&bytes[8..16]),
            content: number(&bytes[16..24]),
        }
    }
}

/// Says what hashes were made of: an index by another key, or with other columns before the new ones, is of no use. A
/// column that a contract adds at the end leaves hashes as they are.
fn shape(contract: &Contract, columns: usize) -> u64 {
    let delivered: Vec<_> = data_columns(contract).collect();
    let key = contract.key.iter().filter_map(|i| delivered.get(*i).copied());
    let mut text = String::new();
    for (what, of) in key
        .map(|c| ("key", c))
        .chain(delivered.iter().take(columns).map(|c| ("column", *c)))
    {
        text.push_str(&format!("{what} {} {:?}\n", of.name, super::cell_kind(of.kind)));
    }
    xxh3_64(text.as_bytes())
}

/// Writes the index of a part over its rows in their order. It need not survive a crash: nothing is flushed.
pub(super) fn write(path: &Path, contract: &Contract, rows: &[Entry]) -> Result<(), StoreError> {
    files::remove_if_there(path)?;
    Ok(files::write_new(path, &encode(contract, rows))?)
}

fn encode(contract: &Contract, rows: &[Entry]) -> Vec<u8> {
    let order = sorted(rows);
    let blocks = order.len().div_ceil(BLOCK);
    let columns = data_columns(contract).count();
    let mut head = Vec::with_capacity(HEAD + blocks * FENCE + SUM + rows.len() * (HIGH + REST));
    head.extend_from_slice(MAGIC);
    for value in [rows.len() as u64, columns as u64, shape(contract, columns)] {
        head.extend_from_slice(&value.to_le_bytes());
    }
    let mut highs = Vec::with_capacity(rows.len() * HIGH);
    let mut rest = Vec::with_capacity(rows.len() * REST);
    for block in order.chunks(BLOCK) {
        let (from_high, from_rest) = (highs.len(), rest.len());
        for (high, row) in block {
            let entry = rows[*row as usize];
            highs.extend_from_slice(&high.to_le_bytes());
            rest.extend_from_slice(&entry.low.to_le_bytes());
            rest.extend_from_slice(&entry.content.to_le_bytes());
            rest.extend_from_slice(&row.to_le_bytes());
        }
        head.extend_from_slice(&highs[from_high..from_high + HIGH]);
        head.extend_from_slice(&xxh3_64(&highs[from_high..]).to_le_bytes());
        head.extend_from_slice(&xxh3_64(&rest[from_rest..]).to_le_bytes());
    }
    let sum = xxh3_64(&head);
    head.extend_from_slice(&sum.to_le_bytes());
    head.append(&mut highs);
    head.append(&mut rest);
    head
}

/// High half and row by ascending key. Hashes are spread evenly: buckets by their first bits are small enough for a
/// cache.
fn sorted(rows: &[Entry]) -> Vec<(u64, u32)> {
    let bits = rows
        .len()
        .div_ceil(256)
        .next_power_of_two()
        .trailing_zeros()
        .clamp(1, 16);
    let bucket = |row: &Entry| usize::try_from(row.high >> (64 - bits)).unwrap_or_default();
    let mut starts = vec![0_usize; (1 << bits) + 1];
    rows.iter().for_each(|row| starts[bucket(row) + 1] += 1);
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    let mut order = vec![(0, 0); rows.len()];
    let mut next = starts.clone();
    for (number, row) in (0_u32..).zip(rows) {
        let place = &mut next[bucket(row)];
        order[*place] = (row.high, number);
        *place += 1;
    }
    for pair in starts.windows(2) {
        order[pair[0]..pair[1]].sort_unstable_by(|a, b| {
            let low = |row: u32| rows[row as usize].low;
            a.0.cmp(&b.0).then_with(|| (low(a.1), a.1).cmp(&(low(b.1), b.1)))
        });
    }
    order
}

/// Why an index cannot be used: it is missing, damaged, or of another shape.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unusable;

/// Keys to look for, ascending.
pub(super) struct Wanted {
    highs: Vec<u64>,
    lows: Vec<u64>,
    /// Which of the keys given.
    queries: Vec<usize>,
}

impl Wanted {
    pub(super) fn new(keys: &[u128]) -> Wanted {
        let mut sorted: Vec<(u128, usize)> = keys.iter().copied().zip(0..).collect();
        sorted.sort_unstable();
        let halves = |key: u128| Entry::from(RowHash { key, content: 0 });
        Wanted {
            highs: sorted.iter().map(|(key, _)| halves(*key).high).collect(),
            lows: sorted.iter().map(|(key, _)| halves(*key).low).collect(),
            queries: sorted.iter().map(|(_, query)| *query).collect(),
        }
    }
}

/// A row that has a key which was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub(super) query: usize,
    pub(super) row: u32,
    pub(super) content: u64,
}

struct Fence {
    first: u64,
    highs: u64,
    rest: u64,
}

/// An open index whose fences are in order.
pub(super) struct Sidecar {
    file: File,
    rows: usize,
    fences: Vec<Fence>,
}

impl Sidecar {
    /// Opens the index of a part with so many rows.
    pub(super) fn open(path: &Path, rows: u64, contract: &Contract) -> Result<Sidecar, Unusable> {
        let file = File::open(path).map_err(|_| Unusable)?;
        let rows = usize::try_from(rows).map_err(|_| Unusable)?;
        let head = HEAD + rows.div_ceil(BLOCK) * FENCE;
        let whole = head + SUM + rows * (HIGH + REST);
        if file.metadata().map_err(|_| Unusable)?.len() != whole as u64 {
            return Err(Unusable);
        }
        let mut bytes = vec![0; head + SUM];
        file.read_exact_at(&mut bytes, 0).map_err(|_| Unusable)?;
        let (head, sum) = bytes.split_at(head);
        let columns = usize::try_from(number(&head[16..24])).map_err(|_| Unusable)?;
        let usable = number(sum) == xxh3_64(head)
            && head.starts_with(MAGIC)
            && number(&head[8..16]) == rows as u64
            && columns <= data_columns(contract).count()
            && number(&head[24..32]) == shape(contract, columns);
        if !usable {
            return Err(Unusable);
        }
        let fence = |bytes: &[u8]| Fence {
            first: number(&bytes[..8]),
            highs: number(&bytes[8..16]),
            rest: number(&bytes[16..]),
        };
        let fences = head[HEAD..].chunks_exact(FENCE).map(fence).collect();
        Ok(Sidecar { file, rows, fences })
    }

    /// The rows with these keys.
    pub(super) fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, Unusable> {
        // places of entries with their keys, by places
        let mut candidates: Vec<(usize, usize)> = Vec::new();
        let ranges = self.ranges(&wanted.highs);
        let blocks: Vec<usize> = ranges.iter().map(|(block, ..)| *block).collect();
        let highs = HEAD + self.fences.len() * FENCE + SUM;
        let mut values = Vec::with_capacity(BLOCK);
        let mut ranges = ranges.into_iter();
        self.read(
            highs,
            HIGH,
            &blocks,
            |f| f.highs,
            |block, bytes| {
                values.clear();
                values.extend(bytes.chunks_exact(HIGH).map(number));
                if let Some((_, from, to)) = ranges.next() {
                    intersect(&values, &wanted.highs[..to], from, |entry, key| {
                        candidates.push((block * BLOCK + entry, key));
                    });
                }
            },
        )?;
        let mut found = Vec::with_capacity(candidates.len());
        let mut blocks: Vec<usize> = candidates.iter().map(|(entry, _)| entry / BLOCK).collect();
        blocks.dedup();
        let mut candidates = candidates.into_iter().peekable();
        self.read(
            highs + self.rows * HIGH,
            REST,
            &blocks,
            |f| f.rest,
            |block, bytes| {
                while let Some((entry, key)) = candidates.next_if(|(entry, _)| entry / BLOCK == block) {
                    let entry = &bytes[entry % BLOCK * REST..][..REST];
                    if number(&entry[..8]) == wanted.lows[key] {
                        found.push(Found {
                            query: wanted.queries[key],
                            content: number(&entry[8..16]),
                            row: u32::from_le_bytes(entry[16..].try_into().unwrap_or_default()),
                        });
                    }
                }
            },
        )?;
        Ok(found)
    }

    /// Blocks in which keys may lie, with the range of those keys. A key that a block begins with may also end the block
    /// before it.
    fn ranges(&self, keys: &[u64]) -> Vec<(usize, usize, usize)> {
        let mut out = Vec::new();
        let mut from = 0;
        for (block, fence) in self.fences.iter().enumerate() {
            from += gallop(&keys[from..], |key| *key < fence.first);
            let to = match self.fences.get(block + 1) {
                Some(next) => from + gallop(&keys[from..], |key| *key <= next.first),
                None => keys.len(),
            };
            if from < to {
                out.push((block, from, to));
            } else if from == keys.len() {
                break;
            }
        }
        out
    }

    /// Reads blocks (ascending) of a section, several at once where they are neighbours; each is checked by its sum.
    fn read(
        &self,
        section: usize,
        entry: usize,
        blocks: &[usize],
        sum: impl Fn(&Fence) -> u64,
        mut each: impl FnMut(usize, &[u8]),
    ) -> Result<(), Unusable> {
        let mut bytes = Vec::new();
        for run in blocks.chunk_by(|a, b| *b == a + 1).flat_map(|run| run.chunks(RUN)) {
            let (first, last) = (run[0], run[run.len() - 1]);
            let end = self.rows.min((last + 1) * BLOCK);
            bytes.resize((end - first * BLOCK) * entry, 0);
            let at = section + first * BLOCK * entry;
            self.file.read_exact_at(&mut bytes, at as u64).map_err(|_| Unusable)?;
            for (block, bytes) in run.iter().zip(bytes.chunks(BLOCK * entry)) {
                if xxh3_64(bytes) != sum(&self.fences[*block]) {
                    return Err(Unusable);
                }
                each(*block, bytes);
            }
        }
        Ok(())
    }
}

/// Calls for every pair of equal values; both ascend. Keys count from `from`.
fn intersect(entries: &[u64], keys: &[u64], from: usize, mut each: impl FnMut(usize, usize)) {
    let (mut entry, mut key) = (0, from);
    while entry < entries.len() && key < keys.len() {
        match entries[entry].cmp(&keys[key]) {
            std::cmp::Ordering::Less => entry += gallop(&entries[entry..], |v| *v < keys[key]),
            std::cmp::Ordering::Greater => key += gallop(&keys[key..], |v| *v < entries[entry]),
            std::cmp::Ordering::Equal => {
                let same = keys[key..].iter().take_while(|v| **v == entries[entry]).count();
                (key..key + same).for_each(|key| each(entry, key));
                entry += 1;
            }
        }
    }
}

/// How many values at the beginning pass, which few or many may.
fn gallop(values: &[u64], passes: impl Fn(&u64) -> bool) -> usize {
    let mut step = 1;
    while step <= values.len() && passes(&values[step - 1]) {
        step *= 2;
    }
    let (from, to) = (step / 2, values.len().min(step));
    from + values[from..to].partition_point(passes)
}

#[cfg(test)]
#[path = "sidecar_tests.rs"]
mod tests;
