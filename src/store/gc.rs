//! Collecting old releases.
//!
//! Duty: remove folders of releases that nobody needs; keep the current one, its latest ancestors, those that closed a
//! period, and whatever is young. Manifests stay for ever: the chain of releases can always be read. Not its duty:
//! landing, from which anything can be made again.

use std::collections::BTreeSet;

use super::StoreError;
use super::layout::Layout;
use super::release::Release;
use crate::domain::Instant;
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
    let settled = settled(layout)?;
    let recent = names.len().saturating_sub(keep.ancestors);
    let mut removed = Vec::new();
    for name in &names[..recent] {
        let age = now.utc() - files::modified(&layout.release(name))?.utc();
        if settled.contains(name) || age < chrono::TimeDelta::days(i64::from(keep.days)) {
            continue;
        }
        files::remove_tree_if_there(&layout.release(name))?;
        removed.push(name.clone());
    }
    Ok(removed)
}

/// Releases that a period was closed in.
fn settled(layout: &Layout) -> Result<BTreeSet<String>, StoreError> {
    let base = layout.warehouse().join("settled");
    let mut out = BTreeSet::new();
    for calendar in files::list(&base)? {
        for period in files::list(&base.join(&calendar))? {
            if let Some(target) = files::read_link(&base.join(&calendar).join(&period))? {
                out.insert(target.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
        }
    }
    Ok(out)
}
