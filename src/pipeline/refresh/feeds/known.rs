//! What other feeds know: the values that a row may refer to.
//!
//! Duty: by table and column, whether a value is there. Not its duty: what becomes of a row that refers to nothing.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::contracts::Contract;
use crate::domain::Batch;
use crate::ingest::keys::KeySet;
use crate::store::StoreError;
use crate::store::manifest::ReleaseFile;
use crate::store::parts::{KeyIndex, read_columns};

/// The values of one column of a feed, by their hashes.
pub(super) enum Known {
    /// All of them: of a small feed, or of a column that is no key by itself.
    All(KeySet),
    /// The column is the key: the key indexes of its parts answer.
    Keys {
        contract: Box<Contract>,
        parts: Vec<ReleaseFile>,
        index: Rc<KeyIndex>,
        ended: KeySet,
    },
}

/// Values that are looked up together.
const AT_ONCE: usize = 256;

/// Rows over which a feed's values are looked up in its key indexes and not held in memory.
const HELD_IN_MEMORY_ROWS: u64 = 1_000_000;

impl Known {
    /// Values of a column in the staged parts of a feed, and in its history: what a snapshot ended is still known.
    pub(super) fn load(
        contract: &Contract,
        column: usize,
        parts: Vec<ReleaseFile>,
        history: &[ReleaseFile],
        index: Rc<KeyIndex>,
    ) -> Result<Known, StoreError> {
        let mut ended = KeySet::default();
        for part in history {
            collect(&index, contract, column, part, &mut ended)?;
        }
        let rows: u64 = parts.iter().map(|p| p.rows).sum();
        if contract.key == [column] && rows > HELD_IN_MEMORY_ROWS {
            return Ok(Known::Keys {
                contract: Box::new(contract.clone()),
                parts,
                index,
                ended,
            });
        }
        for part in &parts {
            collect(&index, contract, column, part, &mut ended)?;
        }
        Ok(Known::All(ended))
    }

    /// Calls with each row of a batch whose cell in the column is not known; null refers to nothing and is known.
    pub(super) fn each_unknown(
        &self,
        batch: &Batch,
        column: usize,
        mut call: impl FnMut(usize),
    ) -> Result<(), StoreError> {
        match self {
            Known::All(all) => {
                // hashing and looking up in turns would wait for memory at every row
                let mut ahead = Vec::with_capacity(AT_ONCE);
                let mut look_up = |ahead: &mut Vec<(usize, u128)>| {
                    for (row, value) in ahead.drain(..) {
                        if !all.contains(&value) {
                            call(row);
                        }
                    }
                };
                batch.each_cell_hash(column, |row, value| {
                    ahead.extend(value.map(|value| (row, value)));
                    if ahead.len() == AT_ONCE {
                        look_up(&mut ahead);
                    }
                });
                look_up(&mut ahead);
            }
            Known::Keys {
                contract,
                parts,
                index,
                ended,
            } => {
                let values = batch.cell_hashes(column);
                let wanted: Vec<u128> = values.iter().flatten().copied().collect();
                let found = index.contains(contract, parts, &wanted)?;
                let unknown = |value: u128| !found.contains(&value) && !ended.contains(&value);
                for (row, value) in values.into_iter().enumerate() {
                    if value.is_some_and(unknown) {
                        call(row);
                    }
                }
            }
        }
        Ok(())
    }
}

fn collect(
    index: &KeyIndex,
    contract: &Contract,
    column: usize,
    part: &ReleaseFile,
    into: &mut KeySet,
) -> Result<(), StoreError> {
    for batch in read_columns(&index.trusted(part)?, contract, &[column])? {
        into.extend(batch?.rows.cell_hashes(column).into_iter().flatten());
    }
    Ok(())
}

/// A reference of a feed to another one.
pub(super) struct Outside {
    /// The column that refers.
    pub(super) column: usize,
    pub(super) table: String,
    pub(super) referenced: String,
    pub(super) known: Rc<Known>,
}

/// Rows with a reference that leads nowhere, and the number of the first one.
pub(super) fn first_unknown(outside: &[Outside], batch: &Batch) -> Result<BTreeMap<usize, usize>, StoreError> {
    let mut first = BTreeMap::new();
    for (number, reference) in outside.iter().enumerate() {
        reference.known.each_unknown(batch, reference.column, |row| {
            first.entry(row).or_insert(number);
        })?;
    }
    Ok(first)
}

/// Values that were known and are not any more, by table and column.
pub(super) type Lost = BTreeMap<(String, String), HashSet<u128>>;
