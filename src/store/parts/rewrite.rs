//! A part written anew without some of its rows.
//!
//! Duty: the rows that stay, in their order, and those that go. Must not: touch the part that is read.

use std::path::Path;

use super::read::{StoredBatch, read_part};
use super::{FeedWriter, FreshPart};
use crate::contracts::Contract;
use crate::store::StoreError;
use crate::store::staging::Staging;

impl Staging {
    /// Writes a part anew without the rows given (ascending), by the contract as it is now: none where no row is left, and
    /// one otherwise, unless the contract's date is another one. Also the rows taken out, in their order.
    pub fn rewrite_without(
        &self,
        contract: &Contract,
        path: &Path,
        rows: &[u32],
    ) -> Result<(Vec<FreshPart>, Vec<StoredBatch>), StoreError> {
        self.check_parents(path)?;
        let mut writer = FeedWriter::new(self, contract)?;
        let mut removed = Vec::new();
        let mut wanted = rows.iter().copied().peekable();
        let mut first = 0_u32;
        for batch in read_part(path, contract, None)? {
            let batch = batch?;
            let end = first.saturating_add(u32::try_from(batch.rows.rows()).unwrap_or(u32::MAX));
            let mut without = Vec::new();
            while let Some(row) = wanted.next_if(|row| *row < end) {
                without.push(row - first);
            }
            first = end;
            if !without.is_empty() {
                let gone: Vec<usize> = without.iter().map(|row| *row as usize).collect();
                removed.push(batch.select(&gone));
            }
            let hashes = batch.rows.hashes(&contract.key);
            writer.write_stored(batch, hashes, &without)?;
        }
        Ok((writer.finish()?, removed))
    }

    /// A part of the parent is trusted by its hash before it is read.
    fn check_parents(&self, path: &Path) -> Result<(), StoreError> {
        let Some(parent) = self.parent() else { return Ok(()) };
        let Ok(relative) = path.strip_prefix(parent.folder()) else {
            return Ok(());
        };
        let mut parts = parent.manifest.files.iter().filter(|f| Path::new(&f.path) == relative);
        parts.try_for_each(|part| self.trust.check(path, part.sha256, part.bytes))
    }
}
