//! Parts: the Parquet files of a feed, one for each month and run.
//!
//! Duty: write rows as batches on a thread of their own, find rows by key without reading parts, read parts back, write
//! one anew without some of its rows, make one of many small ones. A run adds parts beside those of its parent and touches
//! only those from which it takes rows away. Must not: decide which rows those are.
//!
//! | what | where | lives as long as |
//! |---|---|---|
//! | part being written | `staging/<run>/<table>/<partition>/partial-*` | its writer |
//! | part of this run | `staging/<run>/<table>/<partition>/<table>-<hash>.parquet` | the run, then the release |
//! | its key index | `staging/<run>/.keys/<hash>.keys` | the run, then moved |
//! | key index of a published part | `store/index/<hash>.keys` | a release that has the part; a cache |

mod columns;
mod compact;
mod encode;
mod index;
mod read;
mod rewrite;
mod route;
mod sidecar;
mod writer;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod tests;

pub use encode::FreshPart;
pub use index::{Hit, KeyIndex};
pub use read::{PartReader, StoredBatch, cell_kind, read_columns, read_part};
pub use route::RowPlace;
pub use writer::FeedWriter;

pub(super) use index::{keep_indexes, retain_indexes};

use std::path::{Path, PathBuf};

use super::StoreError;
use super::manifest::ReleaseFile;
use crate::domain::Digest;
use crate::edges::files;

/// Where the key indexes of parts of a run are until it is published.
fn fresh_indexes(staging: &Path) -> PathBuf {
    staging.join(".keys")
}

fn index_name(part: Digest) -> String {
    format!("{part}.keys")
}

/// Removes a part of this run with its key index.
pub(super) fn remove(staging: &Path, file: &ReleaseFile) -> Result<(), StoreError> {
    files::remove_if_there(&staging.join(&file.path))?;
    Ok(files::remove_if_there(
        &fresh_indexes(staging).join(index_name(file.sha256)),
    )?)
}
