//! Which files were found to hold what was published.
//!
//! Duty: a file is hashed before it is used, and again only when inode, length or time of its last change are not what
//! they were then. What a run has found is kept in the operations database for the next one: a cache, and losing it
//! costs time alone. Not its duty: `verify`, which hashes everything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::StoreError;
use super::layout::Layout;
use super::operations::Operations;
use super::release::changed;
use crate::domain::Digest;
use crate::edges::files::{self, FileError};

/// What tells a file that was hashed from one that was changed since. (Not the time of the last change to its inode: a
/// further hard link moves that.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) inode: u64,
    pub(super) bytes: u64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub(super) modified: i64,
}

impl Identity {
    fn of(path: &Path) -> Result<Identity, FileError> {
        let (bytes, inode) = files::identity(path)?;
        let modified = files::modified(path)?.micros();
        Ok(Identity { inode, bytes, modified })
    }
}

/// Hashes of files as they were last seen; clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    known: Arc<Mutex<BTreeMap<Identity, Digest>>>,
}

impl Trust {
    /// What earlier runs found; nothing where the database is missing or does not answer.
    pub(super) fn load(layout: &Layout) -> Trust {
        let known = Operations::hashed_files(&layout.operations()).unwrap_or_else(|e| {
            tracing::debug!(error = %e, "files are hashed again");
            BTreeMap::new()
        });
        Trust {
            known: Arc::new(Mutex::new(known)),
        }
    }

    /// Whether a file holds these bytes; another one is an integrity error.
    pub(super) fn check(&self, path: &Path, sha256: Digest, bytes: u64) -> Result<(), StoreError> {
        let other = || StoreError::Integrity(Box::new(changed(&path.display().to_string())));
        // looked at before it is hashed: what is written in between is seen next time
        let seen = Identity::of(path)?;
        if seen.bytes != bytes {
            return Err(other());
        }
        if self.known().get(&seen) == Some(&sha256) {
            return Ok(());
        }
        if files::hash_file(path)? != (sha256, bytes) {
            return Err(other());
        }
        self.known().insert(seen, sha256);
        Ok(())
    }

    /// Keeps for the next run what is known of these files of a folder, and nothing else. A failure costs that run time.
    pub(super) fn keep<'a>(&self, layout: &Layout, folder: &Path, paths: impl Iterator<Item = &'a String>) {
        let known = self.known();
        let kept: BTreeMap<Identity, Digest> = paths
            .filter_map(|path| Identity::of(&folder.join(path)).ok())
            .filter_map(|seen| known.get(&seen).map(|hash| (seen, *hash)))
            .collect();
        if let Err(e) = Operations::open(&layout.operations()).and_then(|mut o| o.keep_hashed_files(&kept)) {
            tracing::debug!(error = %e, "the next run hashes files again");
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<Identity, Digest>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn touch(path: &Path, seconds: u64) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = fs::File::options().write(true).open(path).expect("the file");
        file.set_modified(time).expect("its time");
    }

    #[test]
    fn a_file_is_hashed_once_until_it_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(folder.path());
        let path = folder.path().join("part");
        fs::write(&path, b"abc").expect("written");
        touch(&path, 1_000);
        let hash = Digest::of(b"abc");
        let trust = Trust::load(&layout);
        trust.check(&path, hash, 3).expect("as published");
        assert!(trust.check(&path, hash, 4).is_err(), "another length");
        assert!(trust.check(&path, Digest::of(b"x"), 3).is_err(), "another hash");
        trust.keep(&layout, folder.path(), ["part".to_owned()].iter());
        // the same bytes under another name are the same file
        let link = folder.path().join("link");
        files::hard_link(&path, &link).expect("linked");
        // a byte changes and the time does not: only `verify` sees that, so it tells whether the file was hashed
        fs::write(&path, b"abd").expect("written");
        touch(&path, 1_000);
        let next = Trust::load(&layout);
        next.check(&link, hash, 3).expect("not hashed again");
        touch(&path, 1_001);
        assert!(next.check(&link, hash, 3).is_err(), "hashed again");
        assert!(Trust::default().check(&link, hash, 3).is_err());
    }

    #[test]
    fn a_lost_or_broken_cache_costs_time_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(folder.path());
        let path = folder.path().join("part");
        fs::write(&path, b"abc").expect("written");
        assert!(Trust::load(&layout).known().is_empty());
        assert!(!files::exists(&layout.operations()), "looking writes nothing");
        files::create_dir_all(&layout.warehouse()).expect("a folder");
        fs::write(layout.operations(), "no database ".repeat(1000)).expect("written");
        let trust = Trust::load(&layout);
        trust.check(&path, Digest::of(b"abc"), 3).expect("as published");
        trust.keep(&layout, folder.path(), ["part".to_owned()].iter());
    }
}
