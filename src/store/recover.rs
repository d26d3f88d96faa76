//! Recovery at start: what a killed run left behind goes away.
//!
//! Duty: committed means reachable from `current` by parent; everything else under `store/` is removed. Runs under
//! the lock. Not its duty: finishing a recorded run (the pipeline does it again from its record).

use std::collections::BTreeSet;

use super::StoreError;
use super::layout::Layout;
use super::manifest::Manifest;
use super::release::Release;
use crate::edges::files;

/// What was removed, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub removed: Vec<String>,
}

/// Removes staging, unreachable releases and manifests, and half-written files of landing.
pub fn recover(layout: &Layout) -> Result<Recovered, StoreError> {
    let mut removed = Vec::new();
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
    for folder in [
        layout.originals(),
        layout.arrivals(),
        layout.runs(),
        layout.configurations(),
        layout.sent(),
    ] {
        for name in files::list(&folder)?
            .iter()
            .filter(|n| n.ends_with(".partial") || *n == "incoming")
        {
            files::remove_if_there(&folder.join(name))?;
            removed.push(name.clone());
        }
    }
    files::remove_if_there(&layout.warehouse().join("current.new"))?;
    Ok(Recovered { removed })
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
