//! A release being built.
//!
//! Duty: the files of a run before they count: written, carried as hard links, taken over from the writers of parts, read
//! back. Not its duty: making them visible (`commit`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::hashed::HashedFile;
use super::layout::Layout;
use super::manifest::ReleaseFile;
use super::parts::{self, FreshPart, KeyIndex};
use super::release::Release;
use super::trust::Trust;
use super::{StoreError, parquet};
use crate::contracts::Contract;
use crate::domain::{Digest, Row, Table, Value};
use crate::edges::files;

/// A release being built; nothing of it can be seen until [`Staging::publish`].
#[derive(Debug)]
pub struct Staging {
    pub(super) layout: Layout,
    pub(super) folder: PathBuf,
    pub(super) parent: Option<Release>,
    rules_hash: String,
    /// By path.
    pub(super) files: BTreeMap<String, ReleaseFile>,
    pub(super) trust: Trust,
    /// Writers that were at work here: their unfinished files have names of their own.
    writers: AtomicU32,
}

fn staging_folder(layout: &Layout, run: u64) -> PathBuf {
    layout.staging().join(format!("run-{run:06}"))
}

/// Removes what a run that failed has staged: on a full disk that is the room which is missing.
pub fn abandon(layout: &Layout, run: u64) -> Result<(), StoreError> {
    Ok(files::remove_tree_if_there(&staging_folder(layout, run))?)
}

/// Where the files of a partition lie, relative to the release.
pub(super) fn folder_of(table: &str, partition: &str) -> String {
    if partition.is_empty() {
        table.to_owned()
    } else {
        format!("{table}/{partition}")
    }
}

impl Staging {
    /// An empty staging folder for a run; what an earlier run left there is removed.
    pub fn begin(
        layout: &Layout,
        run: u64,
        parent: Option<Release>,
        rules_hash: Digest,
    ) -> Result<Staging, StoreError> {
        let folder = staging_folder(layout, run);
        files::remove_tree_if_there(&folder)?;
        files::create_dir_all(&folder)?;
        Ok(Staging {
            layout: layout.clone(),
            folder,
            parent,
            rules_hash: rules_hash.to_string(),
            files: BTreeMap::new(),
            trust: Trust::load(layout),
            writers: AtomicU32::new(0),
        })
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    #[must_use]
    pub fn parent(&self) -> Option<&Release> {
        self.parent.as_ref()
    }

    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    #[must_use]
    pub fn rules_hash(&self) -> &str {
        &self.rules_hash
    }

    /// The key indexes of what is staged and of the parent's parts; shares what is known of their bytes.
    #[must_use]
    pub fn key_index(&self) -> KeyIndex {
        KeyIndex::of_staging(self)
    }

    /// A number that no other writer of this run has.
    pub(super) fn next_writer(&self) -> u32 {
        self.writers.fetch_add(1, Ordering::Relaxed)
    }

    /// Staged files of a table, by path.
    fn of_table<'a>(&'a self, table: &'a str) -> impl Iterator<Item = &'a ReleaseFile> {
        self.files.values().filter(move |f| f.table == table)
    }

    /// The parent's parts of a table that have rows.
    #[must_use]
    pub fn parent_parts(&self, table: &str) -> Vec<ReleaseFile> {
        let parent = self.parent.iter();
        let files = parent.flat_map(|p| p.files_of(table));
        files.filter(|f| f.rows > 0).cloned().collect()
    }

    /// The staged files of a table that have rows, by path.
    #[must_use]
    pub fn files_of(&self, table: &str) -> Vec<ReleaseFile> {
        self.of_table(table).filter(|f| f.rows > 0).cloned().collect()
    }

    /// Paths of the staged files of a table, in order.
    #[must_use]
    pub fn paths(&self, table: &str) -> Vec<PathBuf> {
        self.of_table(table).map(|f| self.folder.join(&f.path)).collect()
    }

    /// Rows of a staged table.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.of_table(table).map(|f| f.rows).sum()
    }

    /// Writes a conforming table, a file for each partition; a table without rows gets one file without rows, so
    /// that a glob over it works.
    pub fn put(&mut self, contract: &Contract, table: &Table) -> Result<(), StoreError> {
        let parts = partitions(contract, table);
        if parts.is_empty() && self.of_table(&contract.name).next().is_none() {
            return self.put_empty(contract);
        }
        parts
            .iter()
            .try_for_each(|(partition, rows)| self.write_file(contract, partition, rows))
    }

    /// Writes an empty file of a table, so that a glob over it works.
    pub fn put_empty(&mut self, contract: &Contract) -> Result<(), StoreError> {
        self.write_file(contract, "", &[])
    }

    /// Carries the parent's files of a table whose partition passes; they are the same files, not copies.
    pub fn carry(&mut self, table: &str, keep: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        self.carry_files(table, |file| keep(&file.partition))
    }

    /// Carries those of the parent's files of a table that pass.
    pub fn carry_files(&mut self, table: &str, keep: impl Fn(&ReleaseFile) -> bool) -> Result<(), StoreError> {
        let Some(parent) = self.parent.clone() else {
            return Ok(());
        };
        for file in parent.files_of(table).filter(|f| keep(f)) {
            // the file of an empty table would stand beside real partitions
            if file.rows == 0 && file.partition.is_empty() {
                continue;
            }
            self.link(&parent, file)?;
        }
        Ok(())
    }

    /// Takes a part into the release.
    pub fn adopt(&mut self, part: FreshPart) -> Result<(), StoreError> {
        if self.files.contains_key(&part.file.path) {
            return Ok(());
        }
        // the parent may have the same rows: then it is the parent's file, so that nothing changed
        if let Some(parent) = self.parent_with(&part.file) {
            files::remove_if_there(&self.folder.join(&part.file.path))?;
            return self.link(&parent, &part.file);
        }
        self.files.insert(part.file.path.clone(), part.file);
        Ok(())
    }

    /// Removes a part that is not taken.
    pub fn discard(&mut self, part: FreshPart) -> Result<(), StoreError> {
        let FreshPart { file } = part;
        if self.files.contains_key(&file.path) {
            return Ok(());
        }
        parts::remove(&self.folder, &file)
    }

    /// Takes a staged file out of the release again.
    pub(super) fn withdraw(&mut self, file: &ReleaseFile) -> Result<(), StoreError> {
        self.files.remove(&file.path);
        parts::remove(&self.folder, file)
    }

    /// The parent, if it has exactly this file.
    fn parent_with(&self, file: &ReleaseFile) -> Option<Release> {
        let parent = self.parent.as_ref()?;
        parent.manifest.files.contains(file).then(|| parent.clone())
    }

    fn link(&mut self, parent: &Release, file: &ReleaseFile) -> Result<(), StoreError> {
        if self.files.contains_key(&file.path) {
            return Ok(());
        }
        let from = parent.path_of(file);
        self.trust.check(&from, file.sha256, file.bytes)?;
        let to = self.folder.join(&file.path);
        files::create_scratch_dir_all(to.parent().unwrap_or(&self.folder))?;
        files::hard_link(&from, &to)?;
        self.files.insert(file.path.clone(), file.clone());
        Ok(())
    }

    fn write_file(&mut self, contract: &Contract, partition: &str, rows: &[&Row]) -> Result<(), StoreError> {
        let table = &contract.name;
        let folder = folder_of(table, partition);
        files::create_scratch_dir_all(&self.folder.join(&folder))?;
        let partial = self
            .folder
            .join(&folder)
            .join(format!("partial-{}", self.next_writer()));
        let sink = HashedFile::create(&partial)?;
        let mut sink = parquet::write(sink, &partial, contract, rows, &self.rules_hash)?;
        let (sha256, bytes) = sink.complete()?;
        let file = ReleaseFile {
            table: table.clone(),
            path: format!("{folder}/{table}-{}.parquet", sha256.short()),
            partition: partition.to_owned(),
            bytes,
            rows: rows.len() as u64,
            sha256,
        };
        if let Some(parent) = self.parent_with(&file) {
            return self.link(&parent, &file);
        }
        sink.seal(&self.folder.join(&file.path))?;
        self.files.insert(file.path.clone(), file);
        Ok(())
    }

    /// Reads a staged table back from disk, its files by path: what the blocking checks look at.
    pub fn read_back(&self, table: &str) -> Result<Table, StoreError> {
        let mut parts = self.read_back_parts(table);
        parts.try_fold(Table::new(table, &[]), |out, part| Ok(parquet::joined(out, part?.1)))
    }

    /// Reads the files of a staged table back from disk, one after the other, by path: each with its partition.
    pub fn read_back_parts<'a>(
        &'a self,
        table: &'a str,
    ) -> impl Iterator<Item = Result<(&'a str, Table), StoreError>> + 'a {
        self.of_table(table).map(move |file| {
            let path = self.folder.join(&file.path);
            self.trust.check(&path, file.sha256, file.bytes)?;
            let part = parquet::read(&path, table)?;
            if part.rows.len() as u64 != file.rows {
                let finding = super::release::changed(&path.display().to_string());
                return Err(StoreError::Integrity(Box::new(finding)));
            }
            Ok((file.partition.as_str(), part))
        })
    }
}

/// Rows by partition folder (`period=2026-Q3`); a table without a partition column has one part, named "".
fn partitions<'a>(contract: &Contract, table: &'a Table) -> BTreeMap<String, Vec<&'a Row>> {
    let mut parts: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in &table.rows {
        let name = contract.partition.map_or(String::new(), |i| {
            let value = match &row[i] {
                Value::Null => "none".to_owned(),
                other => other.to_string(),
            };
            format!("{}={value}", contract.columns[i].name)
        });
        parts.entry(name).or_default().push(row);
    }
    parts
}
