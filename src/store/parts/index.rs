//! The key indexes of many parts: where keys lie, without reading the parts.
//!
//! Duty: look-ups over parts of a run and of its parent; an index that is missing or cannot be used is made again from
//! its part. Must not: decide anything, trust an index that is not whole.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::read::{PartReader, read_part};
use super::sidecar::{self, Entry, Found, Sidecar, Unusable, Wanted};
use super::{fresh_indexes, index_name};
use crate::contracts::Contract;
use crate::domain::Digest;
use crate::edges::files;
use crate::store::StoreError;
use crate::store::layout::Layout;
use crate::store::manifest::ReleaseFile;
use crate::store::staging::Staging;
use crate::store::trust::Trust;

/// A stored row with a key that was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Which of the keys given.
    pub query: usize,
    /// Which of the parts given.
    pub part: u32,
    pub row: u32,
    pub content: u64,
}

/// The indexes that a run uses.
#[derive(Clone, Debug)]
pub struct KeyIndex {
    /// Of published parts.
    folder: PathBuf,
    /// Of parts of this run, and those made again in it.
    fresh: PathBuf,
    staging: PathBuf,
    parent: Option<PathBuf>,
    trust: Trust,
}

impl KeyIndex {
    /// The indexes of a run: parts are those of its staging folder and of the parent release.
    #[must_use]
    pub fn new(layout: &Layout, staging: &Path, parent: Option<&Path>) -> KeyIndex {
        KeyIndex {
            folder: layout.key_indexes(),
            fresh: fresh_indexes(staging),
            staging: staging.to_owned(),
            parent: parent.map(Path::to_owned),
            trust: Trust::load(layout),
        }
    }

    /// The same, with what the run knows of the bytes of files.
    pub(in crate::store) fn of_staging(staging: &Staging) -> KeyIndex {
        KeyIndex {
            trust: staging.trust.clone(),
            ..KeyIndex::new(
                staging.layout(),
                staging.folder(),
                staging.parent().map(crate::store::release::Release::folder),
            )
        }
    }

    /// Where a part lies: staged, or in the parent release.
    #[must_use]
    pub fn path_of(&self, part: &ReleaseFile) -> PathBuf {
        let staged = self.staging.join(&part.path);
        match &self.parent {
            Some(parent) if !files::exists(&staged) => parent.join(&part.path),
            _ => staged,
        }
    }

    /// Reads a part, or the rows of it whose ascending numbers are given. The parent's are trusted by their hash first.
    pub fn read(
        &self,
        contract: &Contract,
        part: &ReleaseFile,
        rows: Option<&[u32]>,
    ) -> Result<PartReader, StoreError> {
        read_part(&self.trusted(part)?, contract, rows)
    }

    /// Where a part lies whose bytes are those that were published.
    pub fn trusted(&self, part: &ReleaseFile) -> Result<PathBuf, StoreError> {
        let path = self.path_of(part);
        // what is staged was looked at when it was linked, or comes from this run
        if !path.starts_with(&self.staging) {
            self.trust.check(&path, part.sha256, part.bytes)?;
        }
        Ok(path)
    }

    /// Rows of the parts with the keys given, part after part. `contract` says what the key is, should an index be
    /// missing. Best with many keys at once: with many, each call passes over 8 bytes of every row.
    pub fn lookup(&self, contract: &Contract, parts: &[ReleaseFile], keys: &[u128]) -> Result<Vec<Hit>, StoreError> {
        let mut hits = Vec::new();
        if keys.is_empty() {
            return Ok(hits);
        }
        let wanted = Wanted::new(keys);
        let all = each_part(parts, |part| self.find(contract, part, &wanted));
        for ((number, part), found) in (0_u32..).zip(parts).zip(all) {
            let found = match found {
                Ok(found) => found,
                Err(Unusable) => {
                    self.rebuild(contract, part)?;
                    self.find(contract, part, &wanted)
                        .map_err(|Unusable| StoreError::Format {
                            action: "read",
                            path: self.fresh.join(index_name(part.sha256)).display().to_string(),
                            detail: "a key index that was just written is damaged: check the disk".to_owned(),
                        })?
                }
            };
            hits.extend(found.into_iter().map(|found| Hit {
                query: found.query,
                part: number,
                row: found.row,
                content: found.content,
            }));
        }
        Ok(hits)
    }

    /// Which of the keys some part has.
    pub fn contains(
        &self,
        contract: &Contract,
        parts: &[ReleaseFile],
        keys: &[u128],
    ) -> Result<HashSet<u128>, StoreError> {
        let hits = self.lookup(contract, parts, keys)?;
        Ok(hits.into_iter().map(|hit| keys[hit.query]).collect())
    }

    fn find(&self, contract: &Contract, part: &ReleaseFile, wanted: &Wanted) -> Result<Vec<Found>, Unusable> {
        let name = index_name(part.sha256);
        let find = |folder: &Path| Sidecar::open(&folder.join(&name), part.rows, contract)?.find(wanted);
        find(&self.fresh).or_else(|Unusable| find(&self.folder))
    }

    /// Makes the index of a part from the part. It becomes that of the workspace when the run is published.
    fn rebuild(&self, contract: &Contract, part: &ReleaseFile) -> Result<(), StoreError> {
        let mut rows: Vec<Entry> = Vec::with_capacity(usize::try_from(part.rows).unwrap_or_default());
        for batch in self.read(contract, part, None)? {
            rows.extend(batch?.rows.hashes(&contract.key).into_iter().map(Entry::from));
        }
        files::create_scratch_dir_all(&self.fresh)?;
        sidecar::write(&self.fresh.join(index_name(part.sha256)), contract, &rows)
    }
}

/// Rows of parts from which on several threads look through them.
const MANY_ROWS: u64 = if cfg!(test) { 1_000 } else { 1_000_000 };

/// What a function says of each part, in their order.
fn each_part<T: Send>(parts: &[ReleaseFile], look: impl Fn(&ReleaseFile) -> T + Sync) -> Vec<T> {
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(parts.len());
    if rows < MANY_ROWS || threads < 2 {
        return parts.iter().map(look).collect();
    }
    let share = parts.len().div_ceil(threads);
    let look = &look;
    std::thread::scope(|scope| {
        let running: Vec<_> = parts
            .chunks(share)
            .map(|share| scope.spawn(move || share.iter().map(look).collect::<Vec<T>>()))
            .collect();
        let joined = running.into_iter().map(|thread| match thread.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    })
}

/// Moves the indexes of these parts from a staging folder to those of the workspace; nothing of them is left in it.
pub(in crate::store) fn keep_indexes<'a>(
    layout: &Layout,
    staging: &Path,
    parts: impl Iterator<Item = &'a ReleaseFile>,
) -> Result<(), StoreError> {
    let fresh = fresh_indexes(staging);
    let made = files::list(&fresh)?;
    if !made.is_empty() {
        let folder = layout.key_indexes();
        files::create_scratch_dir_all(&folder)?;
        let wanted: BTreeSet<String> = parts.map(|part| index_name(part.sha256)).collect();
        for name in made.iter().filter(|name| wanted.contains(*name)) {
            files::rename(&fresh.join(name), &folder.join(name))?;
        }
    }
    Ok(files::remove_tree_if_there(&fresh)?)
}

/// Removes the indexes of all parts but these.
pub(in crate::store) fn retain_indexes(layout: &Layout, parts: &BTreeSet<Digest>) -> Result<(), StoreError> {
    let folder = layout.key_indexes();
    let kept: BTreeSet<String> = parts.iter().copied().map(index_name).collect();
    for name in files::list(&folder)?.iter().filter(|name| !kept.contains(*name)) {
        files::remove_if_there(&folder.join(name))?;
    }
    Ok(())
}
