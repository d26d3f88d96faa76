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

    /// Which of the values are known, in the order given; null refers to nothing and is known.
    pub(super) fn has(&self, values: &[Option<u128>]) -> Result<Vec<bool>, StoreError> {
        match self {
            Known::All(all) => Ok(values.iter().map(|v| v.is_none_or(|v| all.contains(&v))).collect()),
            Known::Keys {
                contract,
                parts,
                index,
                ended,
            } => {
                let wanted: Vec<u128> = values.iter().flatten().copied().collect();
                let found = index.contains(contract, parts, &wanted)?;
                let known = |v: &Option<u128>| v.is_none_or(|v| found.contains(&v) || ended.contains(&v));
                Ok(values.iter().map(known).collect())
            }
        }
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

/// By row: the first reference that leads nowhere.
pub(super) fn first_unknown(outside: &[Outside], batch: &Batch) -> Result<Vec<Option<u16>>, StoreError> {
    let mut first = vec![None; batch.rows()];
    for (number, reference) in (0_u16..).zip(outside) {
        let known = reference.known.has(&batch.cell_hashes(reference.column))?;
        for (first, known) in first.iter_mut().zip(known) {
            if !known && first.is_none() {
                *first = Some(number);
            }
        }
    }
    Ok(first)
}

/// Values that were known and are not any more, by table and column.
pub(super) type Lost = BTreeMap<(String, String), HashSet<u128>>;
