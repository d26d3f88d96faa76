//! Hashes of keys and contents of rows.
//!
//! Duty: 128 bits by which a key is found, 64 bits that tell whether two rows of one key say the same. Column by column,
//! as that is how cells lie. Must not: decide anything.

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use super::column::{Cells, Column};
use super::{Batch, Cell, CellKind};

/// What a row is found and compared by, within its feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowHash {
    /// Identifies the key.
    pub key: u128,
    /// Tells whether two rows of one key have the same values.
    pub content: u64,
}

impl Batch {
    /// Hashes of every row, for a key of these columns.
    pub fn hashes(&self, key: &[usize]) -> Vec<RowHash> {
        let mut hashes = match key {
            [only] => self.hashes_of_column(*only),
            several => self.hashes_of_columns(several),
        };
        self.add_contents(&mut hashes);
        hashes
    }

    /// 128 bits that identify the key of a row among the keys of its feed.
    pub fn key_hash(&self, row: usize, key: &[usize]) -> u128 {
        self.hash_key(row, key, &mut Vec::new())
    }

    /// Hash of each cell of a column, that of a key which is this column alone; `None` for null.
    pub fn cell_hashes(&self, column: usize) -> Vec<Option<u128>> {
        let mut hashes = Vec::with_capacity(self.rows());
        self.each_cell_hash(column, |_, hash| hashes.push(hash));
        hashes
    }

    /// Calls with each row and the hash of its cell, as [`Batch::cell_hashes`] has it.
    pub fn each_cell_hash(&self, column: usize, mut call: impl FnMut(usize, Option<u128>)) {
        let column = &self.columns[column];
        let mut bytes = Vec::with_capacity(64);
        for row in 0..self.rows() {
            let hash = column.validity.is_valid(row).then(|| {
                bytes.clear();
                column.identify(row, &mut bytes);
                xxh3_128(&bytes)
            });
            call(row, hash);
        }
    }

    fn hashes_of_column(&self, column: usize) -> Vec<RowHash> {
        // null is the same key wherever it stands
        let null = xxh3_128(&[0]);
        let mut hashes = Vec::with_capacity(self.rows());
        self.each_cell_hash(column, |_, key| {
            hashes.push(RowHash {
                key: key.unwrap_or(null),
                content: 0,
            });
        });
        hashes
    }

    fn hashes_of_columns(&self, key: &[usize]) -> Vec<RowHash> {
        let mut bytes = Vec::with_capacity(256);
        (0..self.rows())
            .map(|row| RowHash {
                key: self.hash_key(row, key, &mut bytes),
                content: 0,
            })
            .collect()
    }

    fn hash_key(&self, row: usize, key: &[usize], bytes: &mut Vec<u8>) -> u128 {
        bytes.clear();
        for column in key {
            self.columns[*column].identify(row, bytes);
        }
        xxh3_128(bytes)
    }

    /// The content of a row is the sum of what its cells say, each hashed for its column. A cell without value adds
    /// nothing: a column that a newer contract adds leaves older hashes as they are.
    fn add_contents(&self, hashes: &mut [RowHash]) {
        for (seed, column) in (1_u64..).zip(&self.columns) {
            let valid = |row| column.validity.is_valid(row);
            let mut add = |row: usize, bytes: &[u8]| {
                let hash: &mut RowHash = &mut hashes[row];
                hash.content = hash.content.wrapping_add(xxh3_64_with_seed(bytes, seed));
            };
            match &column.cells {
                Cells::Text { ends, bytes } => {
                    let mut start = 0;
                    for (row, end) in ends.iter().enumerate() {
                        let end = *end as usize;
                        if valid(row) {
                            add(row, &bytes[start..end]);
                        }
                        start = end;
                    }
                }
                Cells::Int(v) | Cells::Instant(v) => each(v, valid, |row, v| add(row, &v.to_le_bytes())),
                Cells::Dec { units, .. } => each(units, valid, |row, v| add(row, &v.to_le_bytes())),
                Cells::Bool(v) => each(v, valid, |row, v| add(row, &[u8::from(v)])),
                Cells::Date(v) => each(v, valid, |row, v| add(row, &v.to_le_bytes())),
            }
        }
    }
}

fn each<T: Copy>(values: &[T], valid: impl Fn(usize) -> bool, mut add: impl FnMut(usize, T)) {
    for (row, value) in values.iter().enumerate() {
        if valid(row) {
            add(row, *value);
        }
    }
}

impl Column {
    /// Adds bytes that identify the cell among those of its column; null and empty differ.
    fn identify(&self, row: usize, out: &mut Vec<u8>) {
        if !self.validity.is_valid(row) {
            return out.push(0);
        }
        match &self.cells {
            Cells::Text { ends, bytes } => {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                out.extend_from_slice(&(ends[row] - start + 1).to_le_bytes());
                out.extend_from_slice(&bytes[start as usize..ends[row] as usize]);
            }
            Cells::Int(v) | Cells::Instant(v) => {
                out.push(1);
                out.extend_from_slice(&v[row].to_le_bytes());
            }
            Cells::Dec { units, .. } => {
                out.push(1);
                out.extend_from_slice(&units[row].to_le_bytes());
            }
            Cells::Bool(v) => out.push(1 + u8::from(v[row])),
            Cells::Date(v) => {
                out.push(1);
                out.extend_from_slice(&v[row].to_le_bytes());
            }
        }
    }
}

/// Hash of a text, as [`Batch::cell_hashes`] has it.
#[must_use]
pub fn text_hash(text: &str) -> u128 {
    let mut column = Column::new(CellKind::Text);
    column.push(Cell::Text(text));
    let mut bytes = Vec::new();
    column.identify(0, &mut bytes);
    xxh3_128(&bytes)
}

#[cfg(test)]
mod tests {
    use super::super::tests::batch;
    use super::*;
    use crate::domain::Value;

    #[test]
    fn hashes_are_of_values() {
        let batch = batch();
        let other = batch.select(&[1, 2]);
        assert_eq!(batch.hashes(&[0])[1..], other.hashes(&[0]));
        let by = |column: usize| batch.hashes(&[column]).iter().map(|h| h.key).collect::<Vec<_>>();
        assert_ne!(by(0)[1], by(0)[2], "null is not empty");
        assert_eq!(by(1)[0], by(1)[1], "1.50 is 1.5");
        assert_eq!(batch.cell_hashes(0), [Some(by(0)[0]), None, Some(by(0)[2])]);
        assert_eq!((0..3).map(|row| batch.key_hash(row, &[0])).collect::<Vec<_>>(), by(0));
        assert_eq!(by(0)[0], text_hash("a"));
        let both: Vec<u128> = batch.hashes(&[0, 1]).iter().map(|h| h.key).collect();
        assert_eq!((0..3).map(|row| batch.key_hash(row, &[0, 1])).collect::<Vec<_>>(), both);
    }

    #[test]
    fn contents_differ_with_any_cell_and_its_column() {
        let text = CellKind::Text;
        let content = |cells: &[Value]| {
            let mut batch = Batch::new(&vec![text; cells.len()]);
            batch.push_row(1, cells);
            batch.hashes(&[0])[0].content
        };
        let (a, b, null) = (Value::text("a"), Value::text("b"), Value::Null);
        let rows = [
            content(&[a.clone(), b.clone()]),
            content(&[b.clone(), a.clone()]),
            content(&[a.clone(), a.clone()]),
            content(&[b.clone(), b.clone()]),
            content(&[a.clone(), null.clone()]),
            content(&[null.clone(), a.clone()]),
            content(&[a.clone(), Value::text("")]),
            content(&[null.clone(), null.clone()]),
        ];
        let different: std::collections::HashSet<u64> = rows.into_iter().collect();
        assert_eq!(different.len(), rows.len());
        assert_eq!(
            content(std::slice::from_ref(&a)),
            content(&[a, null]),
            "a column that is added"
        );
    }
}
