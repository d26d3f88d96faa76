//! Verification: is everything still what was published?
//!
//! Duty: every file of every reachable release against its manifest, every manifest against its child, every
//! original of landing against its name; no file that does not belong. All findings, not the first. Not its duty:
//! the ledger's chain and the invariants (the pipeline checks them with the ledger's own code).

use std::collections::BTreeSet;

use super::landing;
use super::layout::Layout;
use super::manifest::Manifest;
use super::release::changed;
use super::{StoreError, recover};
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

/// Checks releases and landing; reads every byte.
pub fn verify(layout: &Layout) -> Result<(Looked, Findings), StoreError> {
    let mut looked = Looked::default();
    let mut findings = Vec::new();
    let mut seen: BTreeSet<(u64, Digest)> = BTreeSet::new();
    for name in recover::reachable(layout)? {
        looked.releases += 1;
        let path = layout.manifest(&name);
        let text = files::read_text(&path)?;
        let manifest = Manifest::parse(&path.display().to_string(), &text)?;
        if manifest.name() != name || manifest.release != name {
            findings.push(changed(&path.display().to_string()));
        }
        verify_parent(layout, &manifest, &mut findings)?;
        verify_files(layout, &manifest, &mut looked, &mut seen, &mut findings)?;
    }
    for arrival in landing::arrivals(layout)? {
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
                "restore it from a backup: without it the warehouse cannot be rebuilt",
            ));
        }
    }
    Ok((looked, findings))
}

fn verify_parent(layout: &Layout, manifest: &Manifest, findings: &mut Findings) -> Result<(), StoreError> {
    if let Some(parent) = &manifest.parent {
        let path = layout.manifest(&parent.release);
        if Digest::of(&files::read(&path)?) != parent.manifest_sha256 {
            findings.push(changed(&path.display().to_string()));
        }
    }
    Ok(())
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
                "delete the warehouse folder and run again: it is rebuilt from landing, byte for byte",
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
