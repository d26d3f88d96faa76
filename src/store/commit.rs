//! Making a staged release the current one.
//!
//! Duty: the order of the steps that make a release true, its manifest and its record. Not its duty: what is staged
//! (`staging`), what the checks check (the pipeline hands in their names after they passed).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::StoreError;
use super::landing::{self, RunRecord};
use super::layout::Layout;
use super::manifest::{MANIFEST_FORMAT, Manifest, Parent, ReleaseFile};
use super::parts;
use super::release::Release;
use crate::domain::hash::Hasher;
use crate::domain::{Digest, Finding, Place};
use crate::edges::files;

pub use super::staging::{Staging, abandon};

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

impl Staging {
    /// Whether every file is the parent's and no parent's file is missing.
    fn unchanged(&self) -> bool {
        let Some(parent) = &self.parent else { return false };
        let theirs: BTreeMap<&str, Digest> = parent.manifest.files.iter().map(|f| (&*f.path, f.sha256)).collect();
        self.files.len() == theirs.len() && self.files.values().all(|f| theirs.get(&*f.path) == Some(&f.sha256))
    }

    /// Makes the staged release the current one. Up to the run record nothing has happened; from there on the next
    /// start finishes what a crash leaves undone.
    /// A replay is given the record it follows. It publishes also what is the parent to the last byte, as its run
    /// number is taken, and it must come to what the record says.
    pub fn publish(mut self, provenance: Provenance, replay: Option<&RunRecord>) -> Result<Published, StoreError> {
        if self.unchanged() && replay.is_none() {
            parts::keep_indexes(&self.layout, &self.folder, self.files.values())?;
            self.trust.keep(&self.layout, &self.folder, self.files.keys());
            files::remove_tree_if_there(&self.folder)?;
            return Ok(Published::Unchanged);
        }
        self.verify_new_files()?;
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
            files: std::mem::take(&mut self.files).into_values().collect(),
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
        parts::keep_indexes(&self.layout, &self.folder, manifest.files.iter())?;
        files::create_dir_all(&self.layout.manifests())?;
        files::create_dir_all(&self.layout.releases())?;
        files::write_atomic(&self.layout.manifest(&release), text.as_bytes())?;
        files::rename(&self.folder, &self.layout.release(&release))?;
        files::sync_dir(&self.layout.releases())?;
        if replay != Some(&record) {
            landing::record_run(&self.layout, &record)?;
        }
        point_current(&self.layout, &release)?;
        let release = Release::open(&self.layout, &release)?;
        let paths = release.manifest.files.iter().map(|f| &f.path);
        self.trust.keep(&self.layout, release.folder(), paths);
        Ok(Published::Release(Box::new(release)))
    }

    /// Every file that no run has read yet is hashed again from disk, and every folder is flushed.
    fn verify_new_files(&self) -> Result<(), StoreError> {
        let mut folders: BTreeSet<PathBuf> = BTreeSet::from([self.folder.clone()]);
        for file in self.files.values() {
            let path = self.folder.join(&file.path);
            let mut folder = path.parent();
            while let Some(f) = folder.filter(|f| f.starts_with(&self.folder)) {
                folders.insert(f.to_owned());
                folder = f.parent();
            }
            self.trust.check(&path, file.sha256, file.bytes)?;
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
