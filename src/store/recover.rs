//! Recovery at start: what a killed run left behind goes away.
//!
//! Duty: a recorded run whose release lies complete in its place becomes the current one; committed means reachable
//! from `current` by parent, everything else under `store/` is removed. Runs under the lock. Not its duty: doing a
//! recorded run again whose release is not there (the pipeline does).

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::layout::Layout;
use super::manifest::Manifest;
use super::release::Release;
use super::{StoreError, commit, gc, landing};
use crate::domain::Digest;
use crate::edges::files;

/// What was removed, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Releases that a run had recorded and not yet pointed at.
    pub finished: Vec<String>,
    pub removed: Vec<String>,
}

/// Finishes recorded runs; removes staging, unreachable releases and manifests, key indexes that were theirs, and
/// half-written files.
pub fn recover(layout: &Layout) -> Result<Recovered, StoreError> {
    let mut removed = Vec::new();
    let mut finished = Vec::new();
    // before anything is removed: what is recorded and complete is no rubbish
    while let Some(release) = recorded_next(layout)? {
        commit::point_current(layout, &release)?;
        finished.push(release);
    }
    let reachable = reachable(layout)?;
    for name in files::list(&layout.staging())? {
        files::remove_tree_if_there(&layout.staging().join(&name))?;
        removed.push(format!("staging/{name}"));
    }
    for name in files::list(&layout.releases())? {
        if !reachable.contains(&name) {
            files::remove_tree_if_there(&layout.release(&name))?;
            removed.push(format!("releases/{name}"));
        }
    }
    for name in files::list(&layout.manifests())? {
        if !name.strip_suffix(".json").is_some_and(|n| reachable.contains(n)) {
            files::remove_if_there(&layout.manifests().join(&name))?;
            removed.push(format!("manifests/{name}"));
        }
    }
    if !removed.is_empty() {
        gc::retain_indexes(layout)?;
    }
    let private = layout.private();
    let mut folders: Vec<PathBuf> = files::list(&private)?.iter().map(|n| private.join(n)).collect();
    folders.retain(|f| f.is_dir());
    folders.extend([
        layout.originals(),
        layout.arrivals(),
        layout.runs(),
        layout.configurations(),
        layout.sent(),
    ]);
    for folder in folders {
        for name in files::list(&folder)?
            .iter()
            .filter(|n| n.ends_with(".partial") || *n == "incoming")
        {
            files::remove_if_there(&folder.join(name))?;
            removed.push(name.clone());
        }
    }
    files::remove_if_there(&layout.warehouse().join("current.new"))?;
    Ok(Recovered { finished, removed })
}

/// The release of the run after the current one, if that run is written down and its release is complete: manifest
/// as recorded, child of the current release, every file there with its length. (Their bytes were flushed before the
/// folder got its name.)
fn recorded_next(layout: &Layout) -> Result<Option<String>, StoreError> {
    let current = Release::current(layout)?;
    let next = current.as_ref().map_or(0, |r| r.manifest.run) + 1;
    let Some(record) = landing::run(layout, next)? else {
        return Ok(None);
    };
    let (Some(name), Some(hash)) = (record.release, record.manifest_sha256) else {
        return Ok(None);
    };
    let path = layout.manifest(&name);
    if !files::exists(&path) || !files::exists(&layout.release(&name)) {
        return Ok(None);
    }
    let bytes = files::read(&path)?;
    if Digest::of(&bytes) != hash {
        return Ok(None);
    }
    let manifest = Manifest::parse(&path.display().to_string(), &String::from_utf8_lossy(&bytes))?;
    let parent = manifest.parent.as_ref().map(|p| p.release.as_str());
    if manifest.run != next || manifest.release != name || parent != current.as_ref().map(Release::name) {
        return Ok(None);
    }
    for file in &manifest.files {
        let path = layout.release(&name).join(&file.path);
        if !files::exists(&path) || files::identity(&path)?.0 != file.bytes {
            return Ok(None);
        }
    }
    Ok(Some(name))
}

/// Releases from `current` back through its parents, as far as manifests go.
pub fn reachable(layout: &Layout) -> Result<BTreeSet<String>, StoreError> {
    let mut names = BTreeSet::new();
    let Some(current) = Release::current(layout)? else {
        return Ok(names);
    };
    let mut manifest = current.manifest;
    loop {
        names.insert(manifest.release.clone());
        let Some(parent) = &manifest.parent else {
            return Ok(names);
        };
        let path = layout.manifest(&parent.release);
        manifest = Manifest::parse(&path.display().to_string(), &files::read_text(&path)?)?;
    }
}
