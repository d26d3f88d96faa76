//! The release store: how results become visible, all at once or not at all.
//!
//! Duty: immutable releases, one pointer, landing with its arrivals and runs, recovery, verification. Not its duty:
//! what the tables mean; it writes what it is given by the contract it is given.
//!
//! | step | what | why |
//! |---|---|---|
//! | lock | one writer | two runs would race for the pointer |
//! | staging | tables under `staging/<run>` on the same file system | a rename must be enough |
//! | carry | unchanged partitions are hard links of the parent's | cost follows the change |
//! | read back | every new file is read and hashed again, the checks run on what was read | a bad disk is found before the pointer moves |
//! | run record | `landing/runs/<n>.json` | a rebuild replays it; from here on the run will happen |
//! | publish | manifest, rename of staging, rename of `current` | readers see the old or the new |

pub mod commit;
pub mod gc;
pub mod landing;
pub mod layout;
pub mod lock;
pub mod manifest;
pub mod operations;
pub mod parquet;
pub mod private;
pub mod recover;
pub mod release;
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
    #[error("{0}")]
    Integrity(Box<Finding>),
    #[error("the operations database does not answer: {0}")]
    Operations(#[from] rusqlite::Error),
    #[error("another run holds the lock: {0}")]
    Locked(String),
    #[error("{} tables are not what their contracts say", .0.len())]
    Contract(Vec<Finding>),
}
