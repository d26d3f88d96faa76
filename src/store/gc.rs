//! Collecting old releases.
//!
//! Duty: remove folders of releases that nobody needs, with the key indexes of their parts; keep the current one, its
//! latest ancestors, those that closed a period, and whatever is young. Manifests stay for ever: the chain of releases
//! can always be read. Not its duty: landing, from which anything can be made again.

use std::collections::BTreeSet;

use super::StoreError;
use super::layout::Layout;
use super::manifest::Manifest;
use super::parts;
use super::release::Release;
use crate::domain::{Instant, TableError};
use crate::edges::files;

/// What to keep.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Ancestors of the current release.
    pub ancestors: usize,
    /// Releases published in so many days before now.
    pub days: u32,
}

/// Removes what need not be kept and returns the names, oldest first. The caller holds the lock.
pub fn collect(layout: &Layout, keep: Keep, now: Instant) -> Result<Vec<String>, StoreError> {
    let Some(current) = Release::current(layout)? else {
        return Ok(Vec::new());
    };
    // names sort by their run number
    let mut names: Vec<String> = files::list(&layout.releases())?;
    names.retain(|name| name.as_str() < current.name());
    let settled = settled(&current)?;
    let recent = names.len().saturating_sub(keep.ancestors);
    let mut removed = Vec::new();
    for name in &names[..recent] {
        let age = now.utc() - files::modified(&layout.release(name))?.utc();
        let closed_one = name.split('-').next().is_some_and(|run| settled.contains(run));
        if closed_one || age < chrono::TimeDelta::days(i64::from(keep.days)) {
            continue;
        }
        // all at once: a release that has lost some of its files would be taken for a damaged one
        files::create_dir_all(&layout.staging())?;
        let doomed = layout.staging().join(name);
        files::remove_tree_if_there(&doomed)?;
        files::rename(&layout.release(name), &doomed)?;
        files::sync_dir(&layout.releases())?;
        files::remove_tree_if_there(&doomed)?;
        removed.push(name.clone());
    }
    if !removed.is_empty() {
        retain_indexes(layout)?;
    }
    Ok(removed)
}

/// Removes key indexes of parts that no release has any more.
pub(super) fn retain_indexes(layout: &Layout) -> Result<(), StoreError> {
    let mut kept = BTreeSet::new();
    for name in files::list(&layout.releases())? {
        let path = layout.manifest(&name);
        let manifest = Manifest::parse(&path.display().to_string(), &files::read_text(&path)?)?;
        kept.extend(manifest.files.iter().map(|file| file.sha256));
    }
    parts::retain_indexes(layout, &kept)
}

/// What the names of the releases begin with in which periods were closed. The books say it; the links under
/// `settled/` follow from them and may be missing.
fn settled(current: &Release) -> Result<BTreeSet<String>, StoreError> {
    let error = |e: TableError| StoreError::Format {
        action: "read the periods of",
        path: current.folder().display().to_string(),
        detail: e.to_string(),
    };
    let mut out = BTreeSet::new();
    for row in current.read_table("periods")?.iter() {
        if row.text("status").map_err(error)? == "closed" {
            out.insert(format!("r{:06}", row.int("closed_run").map_err(error)?));
        }
    }
    Ok(out)
}
