//! Verification: is everything still what was published?
//!
//! Duty: every file of every reachable release against its manifest, every manifest against its child and the record
//! of its run, every original and every configuration of landing against its name, arrivals and runs without gaps; no
//! file that does not belong. All findings, not the first. Not its duty: the ledger's chain and the invariants (the
//! pipeline checks them with the ledger's own code).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::StoreError;
use super::landing::{self, Arrival, RunRecord};
use super::layout::Layout;
use super::manifest::Manifest;
use super::release::{Release, changed};
use crate::domain::{Digest, Finding, Findings, Place};
use crate::edges::files;

/// What was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looked {
    pub releases: usize,
    pub files: usize,
    pub originals: usize,
    pub bytes: u64,
}

const REBUILD: &str = "delete the warehouse folder and run again: it is rebuilt from landing, byte for byte";
const RESTORE: &str = "restore it from a backup: without it the warehouse cannot be rebuilt";

/// Checks releases and landing; reads every byte.
pub fn verify(layout: &Layout) -> Result<(Looked, Findings), StoreError> {
    let mut looked = Looked::default();
    let mut findings = Vec::new();
    let runs: Vec<RunRecord> = numbered(&layout.runs(), |r: &RunRecord| r.run, &mut findings)?;
    verify_releases(layout, &runs, &mut looked, &mut findings)?;
    verify_configurations(layout, &runs, &mut findings);
    for arrival in numbered(&layout.arrivals(), |a: &Arrival| a.arrival, &mut findings)? {
        looked.originals += 1;
        let path = layout.original(arrival.sha256);
        let intact = files::exists(&path) && files::hash_file(&path)? == (arrival.sha256, arrival.bytes);
        if !intact {
            findings.push(Finding::error(
                Place::file(path.display().to_string()),
                "landing.changed",
                format!(
                    "the original of arrival {} ({}) is missing or changed",
                    arrival.arrival, arrival.file_name
                ),
                RESTORE,
            ));
        }
    }
    Ok((looked, findings))
}

/// The files of a folder of landing: each can be read, is named by its number, and no number is missing.
fn numbered<T: DeserializeOwned>(
    folder: &Path,
    number: impl Fn(&T) -> u64,
    findings: &mut Findings,
) -> Result<Vec<T>, StoreError> {
    let mut out = Vec::new();
    let mut expected = 1;
    for name in landing::listing(folder)? {
        let path = folder.join(&name);
        let mut problem = |rule: &str, message: String| {
            findings.push(Finding::error(
                Place::file(path.display().to_string()),
                rule,
                message,
                RESTORE,
            ));
        };
        let Some(named) = name.strip_suffix(".json").and_then(|n| n.parse::<u64>().ok()) else {
            problem("landing.foreign-file", "its name is no number".to_owned());
            continue;
        };
        if named != expected {
            problem(
                "landing.gap",
                format!(
                    "number {expected} should come here: files of {} are missing",
                    folder.display()
                ),
            );
        }
        expected = named + 1;
        match landing::one::<T>(&path) {
            Ok(value) if number(&value) == named => out.push(value),
            Ok(value) => problem(
                "landing.changed",
                format!("it says that it is number {}", number(&value)),
            ),
            Err(e) => problem("landing.changed", e.to_string()),
        }
    }
    Ok(out)
}

/// Releases from the current one back through its parents; a manifest that cannot be read ends the chain.
fn verify_releases(
    layout: &Layout,
    runs: &[RunRecord],
    looked: &mut Looked,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut seen: BTreeSet<(u64, Digest)> = BTreeSet::new();
    let current = match Release::current(layout) {
        Err(StoreError::Integrity(finding)) => {
            findings.push(*finding);
            return Ok(());
        }
        other => other?,
    };
    let mut next = current.map(|r| (r.name().to_owned(), None));
    while let Some((name, expected)) = next.take() {
        looked.releases += 1;
        let path = layout.manifest(&name);
        let place = path.display().to_string();
        let read = files::read(&path).map_err(StoreError::from).and_then(|bytes| {
            Ok((
                Digest::of(&bytes),
                Manifest::parse(&place, &String::from_utf8_lossy(&bytes))?,
            ))
        });
        let (hash, manifest) = match read {
            Ok(read) => read,
            Err(e) => {
                findings.push(Finding::error(
                    Place::file(place),
                    "release.manifest",
                    format!("the manifest of a release cannot be read: {e}"),
                    REBUILD,
                ));
                return Ok(());
            }
        };
        let record = runs.iter().find(|r| r.run == manifest.run);
        let recorded = record.and_then(|r| r.manifest_sha256);
        if manifest.name() != name
            || manifest.release != name
            || expected.is_some_and(|e| e != hash)
            || recorded.is_some_and(|r| r != hash)
        {
            findings.push(changed(&place));
        }
        match record {
            None => findings.push(Finding::error(
                Place::file(landing::run_path(layout, manifest.run).display().to_string()),
                "landing.run-missing",
                format!("release {name} was made by run {}, which has no record", manifest.run),
                RESTORE,
            )),
            Some(record) if !agrees(record, &manifest) => findings.push(Finding::error(
                Place::file(landing::run_path(layout, manifest.run).display().to_string()),
                "landing.changed",
                format!("the record of the run is not what release {name} says of it"),
                RESTORE,
            )),
            Some(_) => {}
        }
        verify_files(layout, &manifest, looked, &mut seen, findings)?;
        next = manifest.parent.map(|p| (p.release, Some(p.manifest_sha256)));
    }
    Ok(())
}

/// Whether a record says of its run what the manifest says.
fn agrees(record: &RunRecord, manifest: &Manifest) -> bool {
    record.as_of == manifest.as_of
        && record.last_arrival == manifest.last_arrival
        && record.configuration == manifest.configuration
        && record.release.as_ref().is_none_or(|r| *r == manifest.release)
}

fn verify_configurations(layout: &Layout, runs: &[RunRecord], findings: &mut Findings) {
    let named: BTreeMap<Digest, u64> = runs.iter().rev().map(|r| (r.configuration, r.run)).collect();
    for (hash, run) in named {
        if let Err(e) = landing::configuration(layout, hash) {
            findings.push(Finding::error(
                Place::file(landing::configuration_path(layout, hash).display().to_string()),
                "landing.configuration",
                format!("the configuration of run {run} is missing or changed: {e}"),
                RESTORE,
            ));
        }
    }
}

fn verify_files(
    layout: &Layout,
    manifest: &Manifest,
    looked: &mut Looked,
    seen: &mut BTreeSet<(u64, Digest)>,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let folder = layout.release(&manifest.release);
    // a release that was collected keeps its manifest only
    if !files::exists(&folder) {
        return Ok(());
    }
    let mut expected: BTreeSet<&str> = BTreeSet::new();
    for file in &manifest.files {
        expected.insert(&file.path);
        looked.files += 1;
        let path = folder.join(&file.path);
        if !files::exists(&path) {
            findings.push(Finding::error(
                Place::file(path.display().to_string()),
                "release.file-missing",
                "the file is in the manifest and not in the folder",
                REBUILD,
            ));
            continue;
        }
        let (bytes, inode) = files::identity(&path)?;
        // carried files are the same inode: once read, once judged
        if seen.contains(&(inode, file.sha256)) {
            continue;
        }
        if bytes == file.bytes && files::hash_file(&path)?.0 == file.sha256 {
            seen.insert((inode, file.sha256));
            looked.bytes += bytes;
        } else {
            findings.push(changed(&path.display().to_string()));
        }
    }
    for (path, _) in files::walk(&folder)? {
        if !expected.contains(path.as_str()) {
            findings.push(Finding::error(
                Place::file(folder.join(&path).display().to_string()),
                "release.foreign-file",
                "the file stands in a release and not in its manifest",
                "remove it: readers that glob the folder would count it",
            ));
        }
    }
    Ok(())
}
