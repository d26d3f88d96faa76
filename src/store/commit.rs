//! Building a release and making it the current one.
//!
//! Duty: staging, hard links for what did not change, read-back, the order of the steps that make a release true.
//! Not its duty: what the checks check (the pipeline hands in their names after they passed).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::landing::{self, RunRecord};
use super::layout::Layout;
use super::manifest::{MANIFEST_FORMAT, Manifest, Parent, ReleaseFile};
use super::release::{Release, changed};
use super::{StoreError, parquet};
use crate::contracts::Contract;
use crate::domain::hash::Hasher;
use crate::domain::{Digest, Finding, Place, Row, Table, Value};
use crate::edges::files;

/// A release being built; nothing of it can be seen until [`Staging::publish`].
#[derive(Debug)]
pub struct Staging {
    layout: Layout,
    folder: PathBuf,
    parent: Option<Release>,
    rules_hash: String,
    files: Vec<ReleaseFile>,
    /// The parent's files whose bytes were found to be those of the manifest, by inode.
    verified: BTreeSet<(u64, Digest)>,
}

/// What a release was made from: goes into its manifest.
#[derive(Clone, Debug)]
pub struct Provenance {
    pub run: u64,
    pub as_of: String,
    pub last_arrival: u64,
    pub configuration: Digest,
    pub rules_hash: Digest,
    pub contracts_hash: Digest,
    pub measures_hash: Digest,
    pub ledger_head: String,
    pub ledger_entries: u64,
    pub checks: Vec<String>,
}

/// How a publication ended.
#[derive(Debug)]
pub enum Published {
    /// A new release is current.
    Release(Box<Release>),
    /// Every file is the parent's: nothing was published.
    Unchanged,
}

/// Hashes what passes through to the file.
struct HashingFile {
    inner: BufWriter<File>,
    hasher: Hasher,
    bytes: u64,
}

impl Write for HashingFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let n = self.inner.write(buffer)?;
        self.hasher.raw(&buffer[..n]);
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

fn staging_folder(layout: &Layout, run: u64) -> PathBuf {
    layout.staging().join(format!("run-{run:06}"))
}

/// Removes what a run that failed has staged: on a full disk that is the room which is missing.
pub fn abandon(layout: &Layout, run: u64) -> Result<(), StoreError> {
    Ok(files::remove_tree_if_there(&staging_folder(layout, run))?)
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
            files: Vec::new(),
            verified: BTreeSet::new(),
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

    /// Paths of the staged files of a table.
    #[must_use]
    pub fn paths(&self, table: &str) -> Vec<PathBuf> {
        self.files
            .iter()
            .filter(|f| f.table == table)
            .map(|f| self.folder.join(&f.path))
            .collect()
    }

    /// Rows of a staged table.
    #[must_use]
    pub fn rows(&self, table: &str) -> u64 {
        self.files.iter().filter(|f| f.table == table).map(|f| f.rows).sum()
    }

    /// Writes a conforming table, a file for each partition; a table without rows gets one file without rows, so
    /// that a glob over it works.
    pub fn put(&mut self, contract: &Contract, table: &Table) -> Result<(), StoreError> {
        let parts = partitions(contract, table);
        let none_yet = !self.files.iter().any(|f| f.table == contract.name);
        if parts.is_empty() && none_yet {
            return self.write_file(contract, "", &[]);
        }
        parts
            .iter()
            .try_for_each(|(partition, rows)| self.write_file(contract, partition, rows))
    }

    /// Carries the parent's files of a table whose partition passes; they are the same files, not copies.
    pub fn carry(&mut self, table: &str, keep: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        let Some(parent) = self.parent.clone() else {
            return Ok(());
        };
        for file in parent.files_of(table).filter(|f| keep(&f.partition)) {
            // the file of an empty table would stand beside real partitions
            if file.rows == 0 && file.partition.is_empty() {
                continue;
            }
            self.link(&parent, file)?;
        }
        Ok(())
    }

    fn link(&mut self, parent: &Release, file: &ReleaseFile) -> Result<(), StoreError> {
        let from = parent.path_of(file);
        // what is carried is computed on and published again: once in a run its bytes are looked at
        let (bytes, inode) = files::identity(&from)?;
        let known = (inode, file.sha256);
        if !self.verified.contains(&known) {
            if bytes != file.bytes || files::hash_file(&from)? != (file.sha256, file.bytes) {
                return Err(StoreError::Integrity(Box::new(changed(&from.display().to_string()))));
            }
            self.verified.insert(known);
        }
        let to = self.folder.join(&file.path);
        files::create_scratch_dir_all(to.parent().unwrap_or(&self.folder))?;
        files::hard_link(&from, &to)?;
        self.files.push(file.clone());
        Ok(())
    }

    fn write_file(&mut self, contract: &Contract, partition: &str, rows: &[&Row]) -> Result<(), StoreError> {
        let table = &contract.name;
        let folder = if partition.is_empty() {
            table.clone()
        } else {
            format!("{table}/{partition}")
        };
        let directory = self.folder.join(&folder);
        files::create_scratch_dir_all(&directory)?;
        let partial = directory.join("partial");
        let sink = HashingFile {
            inner: BufWriter::new(files::create_new(&partial)?),
            hasher: Hasher::new(),
            bytes: 0,
        };
        let mut sink = parquet::write(sink, &partial, contract, rows, &self.rules_hash)?;
        let io = |source| {
            StoreError::File(files::FileError {
                action: "write",
                path: partial.clone(),
                source,
            })
        };
        sink.flush().map_err(io)?;
        let hash = sink.hasher.finish();
        let name = format!("{table}-{}.parquet", hash.short());
        let file = ReleaseFile {
            table: table.clone(),
            path: format!("{folder}/{name}"),
            partition: partition.to_owned(),
            bytes: sink.bytes,
            rows: rows.len() as u64,
            sha256: hash,
        };
        let same = self.parent.as_ref().is_some_and(|p| p.manifest.files.contains(&file));
        if same {
            drop(sink);
            files::remove_if_there(&partial)?;
            if let Some(parent) = self.parent.clone() {
                self.link(&parent, &file)?;
            }
            return Ok(());
        }
        files::seal(sink.inner.get_ref(), &partial)?;
        files::rename(&partial, &self.folder.join(&file.path))?;
        self.files.push(file);
        Ok(())
    }

    /// Reads a staged table back from disk: what the blocking checks look at.
    pub fn read_back(&self, table: &str) -> Result<Table, StoreError> {
        let mut out: Option<Table> = None;
        for file in self.files.iter().filter(|f| f.table == table) {
            let path = self.folder.join(&file.path);
            let (hash, bytes) = files::hash_file(&path)?;
            if hash != file.sha256 || bytes != file.bytes {
                return Err(StoreError::Integrity(Box::new(changed(&path.display().to_string()))));
            }
            let part = parquet::read(&path, table)?;
            if part.rows.len() as u64 != file.rows {
                return Err(StoreError::Integrity(Box::new(changed(&path.display().to_string()))));
            }
            match &mut out {
                None => out = Some(part),
                Some(all) => all.rows.extend(part.rows),
            }
        }
        Ok(out.unwrap_or_else(|| Table::new(table, &[])))
    }

    /// Whether every file is the parent's and no parent's file is missing.
    fn unchanged(&self) -> bool {
        let Some(parent) = &self.parent else { return false };
        let paths = |files: &[ReleaseFile]| -> BTreeSet<(String, Digest)> {
            files.iter().map(|f| (f.path.clone(), f.sha256)).collect()
        };
        paths(&self.files) == paths(&parent.manifest.files)
    }

    /// Makes the staged release the current one. Up to the run record nothing has happened; from there on the next
    /// start finishes what a crash leaves undone.
    /// A replay is given the record it follows. It publishes also what is the parent to the last byte, as its run
    /// number is taken, and it must come to what the record says.
    pub fn publish(mut self, provenance: Provenance, replay: Option<&RunRecord>) -> Result<Published, StoreError> {
        if self.unchanged() && replay.is_none() {
            files::remove_tree_if_there(&self.folder)?;
            return Ok(Published::Unchanged);
        }
        self.verify_new_files()?;
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        let parent = match &self.parent {
            None => None,
            Some(p) => Some(Parent {
                release: p.name().to_owned(),
                manifest_sha256: Digest::of(&files::read(&self.layout.manifest(p.name()))?),
            }),
        };
        let mut manifest = Manifest {
            format: MANIFEST_FORMAT,
            release: String::new(),
            run: provenance.run,
            parent,
            as_of: provenance.as_of.clone(),
            last_arrival: provenance.last_arrival,
            configuration: provenance.configuration,
            rules_hash: provenance.rules_hash,
            contracts_hash: provenance.contracts_hash,
            measures_hash: provenance.measures_hash,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            ledger_head: provenance.ledger_head,
            ledger_entries: provenance.ledger_entries,
            checks: provenance.checks,
            files: std::mem::take(&mut self.files),
        };
        manifest.release = manifest.name();
        let release = manifest.release.clone();

        let text = manifest.to_json();
        let record = RunRecord {
            run: provenance.run,
            as_of: provenance.as_of,
            last_arrival: provenance.last_arrival,
            configuration: provenance.configuration,
            release: Some(release.clone()),
            manifest_sha256: Some(Digest::of(text.as_bytes())),
            code_version: Some(manifest.code_version.clone()),
            parent_sha256: manifest.parent.as_ref().map(|p| p.manifest_sha256),
            tables: table_hashes(&manifest.files),
        };
        if let Some(recorded) = replay {
            compare(&self.layout, recorded, &record)?;
        }
        files::create_dir_all(&self.layout.manifests())?;
        files::create_dir_all(&self.layout.releases())?;
        files::write_atomic(&self.layout.manifest(&release), text.as_bytes())?;
        files::rename(&self.folder, &self.layout.release(&release))?;
        files::sync_dir(&self.layout.releases())?;
        if replay != Some(&record) {
            landing::record_run(&self.layout, &record)?;
        }
        point_current(&self.layout, &release)?;
        Ok(Published::Release(Box::new(Release::open(&self.layout, &release)?)))
    }

    /// Every file that is not the parent's is hashed again from disk, and every folder is flushed.
    fn verify_new_files(&self) -> Result<(), StoreError> {
        let mut folders: BTreeSet<PathBuf> = BTreeSet::from([self.folder.clone()]);
        for file in &self.files {
            let path = self.folder.join(&file.path);
            let mut folder = path.parent();
            while let Some(f) = folder.filter(|f| f.starts_with(&self.folder)) {
                folders.insert(f.to_owned());
                folder = f.parent();
            }
            if self.parent.as_ref().is_some_and(|p| p.manifest.files.contains(file)) {
                continue;
            }
            if files::hash_file(&path)? != (file.sha256, file.bytes) {
                return Err(StoreError::Integrity(Box::new(changed(&path.display().to_string()))));
            }
        }
        folders
            .iter()
            .rev()
            .try_for_each(|f| files::sync_dir(f))
            .map_err(Into::into)
    }
}

/// Moves the pointer that readers follow.
pub(super) fn point_current(layout: &Layout, release: &str) -> Result<(), StoreError> {
    Ok(files::point_link(
        &layout.current(),
        &Path::new("store").join("releases").join(release),
    )?)
}

/// A hash over paths and hashes of the files of each table.
fn table_hashes(files: &[ReleaseFile]) -> BTreeMap<String, Digest> {
    let mut hashers: BTreeMap<String, Hasher> = BTreeMap::new();
    for file in files {
        hashers
            .entry(file.table.clone())
            .or_default()
            .field(file.path.as_bytes())
            .field(file.sha256.to_string().as_bytes());
    }
    hashers.into_iter().map(|(table, h)| (table, h.finish())).collect()
}

/// A run done again by the same version on the same parent must come to the same bytes. Another version, or another
/// parent as an earlier run was done again by another version, may come to something else: the record is then
/// written anew.
fn compare(layout: &Layout, recorded: &RunRecord, made: &RunRecord) -> Result<(), StoreError> {
    let comparable = recorded.manifest_sha256.is_some()
        && recorded.code_version == made.code_version
        && recorded.parent_sha256 == made.parent_sha256;
    if !comparable || recorded.manifest_sha256 == made.manifest_sha256 {
        return Ok(());
    }
    let tables: BTreeSet<&String> = recorded.tables.keys().chain(made.tables.keys()).collect();
    let what = tables
        .into_iter()
        .find(|t| recorded.tables.get(*t) != made.tables.get(*t))
        .map_or("no table differs, the manifest does".to_owned(), |t| {
            format!("the first table that differs is {t}")
        });
    Err(StoreError::Integrity(Box::new(Finding::error(
        Place::file(landing::run_path(layout, recorded.run).display().to_string()),
        "replay.differs",
        format!(
            "run {} was done again and did not come to what was published; {what}",
            recorded.run
        ),
        "restore the warehouse from a backup, or landing if a file of it was changed; to accept what comes out now, \
         remove manifest_sha256 from this record and run again",
    ))))
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

/// Points `settled/<calendar>/<period>` at the release that closed each period. `closed` maps a closed period to the
/// release in which it was closed; a link that points elsewhere is pointed anew.
pub fn point_settled(layout: &Layout, calendar: &str, closed: &BTreeMap<String, String>) -> Result<(), StoreError> {
    let folder = layout.settled(calendar);
    for (period, release) in closed {
        files::create_dir_all(&folder)?;
        let link = folder.join(period);
        let target = Path::new("..").join("..").join("store").join("releases").join(release);
        if files::read_link(&link)?.as_deref() != Some(&target) {
            files::point_link(&link, &target)?;
        }
    }
    Ok(())
}
