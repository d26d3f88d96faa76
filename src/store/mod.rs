//! The release store: how results become visible, all at once or not at all.
//!
//! Duty: immutable releases, one pointer, landing with its arrivals and runs, recovery, verification. Not its duty:
//! what the tables mean; it writes what it is given by the contract it is given.
//!
//! | step | what | killed right after it |
//! |---|---|---|
//! | lock | one writer; two would race for the pointer | the kernel frees it |
//! | arrivals | original renamed into place, then its arrival | an original without arrival is found again by its hash; an arrival without run waits for the next one |
//! | configuration | bundle under its hash | a bundle that no run names harms nobody |
//! | staging | tables under `staging/<run>`, on the same file system so that a rename is enough; unchanged ones are hard links, their bytes checked first: by their hash, or as nothing about the file changed since it was hashed | staging is removed |
//! | read back | new files are hashed again from disk and checked, files and folders flushed | staging is removed |
//! | key indexes | those of the parts staged go to `store/index`: a cache beside the releases | those that no release has are removed |
//! | manifest | `manifests/<name>.json` | no release, no record: the manifest is removed, staging too |
//! | rename | staging becomes `releases/<name>` | no record, not reachable: both are removed; nothing has happened |
//! | run record | `landing/runs/<n>.json` with release and manifest hash: **the commit** | manifest and folder are complete and durable, as they came first: the pointer is moved, nothing is computed |
//! | pointer | rename of `current`; readers see the old or the new | done; `settled/` follows from the books at the next start |
//!
//! A record whose release is not there (the warehouse was deleted) is replayed: same steps, and the result must be
//! what the record says. By another version it may differ: then the record is written anew, again before the pointer.
//! Killed between rename and new record, the old record does not fit the manifest: the release is removed and the
//! replay begins again. An arrival that no recorded run has read may be read by a run at another present than the
//! one that died: that run has not happened.

pub mod commit;
pub mod gc;
mod hashed;
pub mod landing;
pub mod layout;
pub mod lock;
pub mod manifest;
pub mod operations;
pub mod parquet;
pub mod parts;
pub mod private;
pub mod recover;
pub mod release;
pub mod seen;
mod staging;
mod trust;
pub mod verify;

use thiserror::Error;

use crate::domain::Finding;
use crate::edges::files::FileError;

/// What can go wrong in storage.
#[derive(Debug, Error)]
pub enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("cannot {action} {path}: {detail}")]
    Format {
        action: &'static str,
        path: String,
        detail: String,
    },
    #[error("{} is not what was published", .0.place)]
    Integrity(Box<Finding>),
    #[error("the operations database does not answer: {0}; {remedy}", remedy = operations::remedy(.0))]
    Operations(#[from] rusqlite::Error),
    #[error("another run holds the lock: {0}")]
    Locked(String),
    #[error("a table is not what its contract says: {} findings", .0.len())]
    Contract(Vec<Finding>),
}
