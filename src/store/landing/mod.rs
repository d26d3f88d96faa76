//! Landing: what arrived, in which order, and which runs used it.
//!
//! Duty: originals by content hash, one small file per arrival and per run, bundles of configuration,
//! returned mail. It outlives the
//! warehouse: everything in a release can be made again from here. `index` knows what has arrived, `register` takes
//! in what has not. Not its duty: reading what is inside the files.

mod bounces;
mod index;
mod register;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::layout::Layout;
pub use bounces::{BounceRecord, Failure, bounces, record_bounce};
pub use index::{Earlier, Index};
pub use register::{Candidate, Registered, Registrar, register};

use crate::domain::Digest;
use crate::edges::files;

/// One file as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// Sequence, from 1, without gaps.
    pub arrival: u64,
    /// Path relative to the workspace: a label, never opened again.
    pub file_name: String,
    pub source: String,
    pub feed: String,
    pub sha256: Digest,
    pub bytes: u64,
}

/// One committed run: enough to do it again, and to tell whether doing it again gave the same. What came out of it is
/// not in the records of earlier versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// From 1, without gaps.
    pub run: u64,
    pub as_of: String,
    pub last_arrival: u64,
    pub configuration: Digest,
    /// The release it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_sha256: Option<Digest>,
    /// Version of the program that made it: another one may come to another result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_version: Option<String>,
    /// Hash of the parent's manifest: on another parent the result is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_sha256: Option<Digest>,
    /// A hash over the files of each table, so that a difference can be named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, Digest>,
}

/// Configuration texts by path relative to the workspace.
pub type Bundle = BTreeMap<String, String>;

fn numbered<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>, StoreError> {
    let mut out = Vec::new();
    for name in listing(folder)? {
        out.push(one(&folder.join(name))?);
    }
    Ok(out)
}

/// Reads one numbered file.
pub(super) fn one<T: DeserializeOwned>(path: &Path) -> Result<T, StoreError> {
    serde_json::from_str(&files::read_text(path)?).map_err(|e| StoreError::Format {
        action: "read",
        path: path.display().to_string(),
        detail: e.to_string(),
    })
}

/// Names of the numbered files of a folder, in order.
pub(super) fn listing(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = files::list(folder)?;
    names.retain(|n| n.ends_with(".json"));
    Ok(names)
}

/// Makes a folder of landing. Landing holds personal data as it arrived: it is for its owner only.
fn make_folder(layout: &Layout, folder: &Path) -> Result<(), StoreError> {
    files::create_private_dir_all(&layout.landing())?;
    Ok(files::create_dir_all(folder)?)
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// All arrivals in order.
pub fn arrivals(layout: &Layout) -> Result<Vec<Arrival>, StoreError> {
    numbered(&layout.arrivals())
}

/// The arrivals after one, in order: what a release has not read. No other is looked at.
pub fn arrivals_after(layout: &Layout, arrival: u64) -> Result<Vec<Arrival>, StoreError> {
    let mut names = listing(&layout.arrivals())?;
    names.retain(|name| number_of(name) > arrival);
    names.iter().map(|name| one(&layout.arrivals().join(name))).collect()
}

/// Number of the last arrival; 0 when nothing has arrived.
pub fn last_arrival(layout: &Layout) -> Result<u64, StoreError> {
    let names = listing(&layout.arrivals())?;
    Ok(names.last().map_or(0, |name| number_of(name)))
}

/// The number that a file is named by; a foreign name counts as one to be read, so that it is found out.
fn number_of(name: &str) -> u64 {
    name.strip_suffix(".json")
        .and_then(|n| n.parse().ok())
        .unwrap_or(u64::MAX)
}

/// One arrival by its number.
pub fn arrival(layout: &Layout, arrival: u64) -> Result<Arrival, StoreError> {
    one(&arrival_path(layout, arrival))
}

fn arrival_path(layout: &Layout, arrival: u64) -> PathBuf {
    layout.arrivals().join(format!("{arrival:08}.json"))
}

/// Recorded runs in order.
pub fn runs(layout: &Layout) -> Result<Vec<RunRecord>, StoreError> {
    numbered(&layout.runs())
}

/// The record of a run, if it is written down.
pub fn run(layout: &Layout, run: u64) -> Result<Option<RunRecord>, StoreError> {
    let path = run_path(layout, run);
    if files::exists(&path) {
        one(&path).map(Some)
    } else {
        Ok(None)
    }
}

/// Where the record of a run lies.
#[must_use]
pub fn run_path(layout: &Layout, run: u64) -> PathBuf {
    layout.runs().join(format!("{run:08}.json"))
}

/// Keeps a bundle of configuration and returns its hash.
pub fn keep_configuration(layout: &Layout, bundle: &Bundle) -> Result<Digest, StoreError> {
    let bytes = to_json(bundle);
    let hash = Digest::of(&bytes);
    let folder = layout.configurations();
    make_folder(layout, &folder)?;
    let path = configuration_path(layout, hash);
    if !files::exists(&path) {
        files::write_atomic(&path, &bytes)?;
    }
    Ok(hash)
}

/// Where a bundle of configuration lies.
#[must_use]
pub fn configuration_path(layout: &Layout, hash: Digest) -> PathBuf {
    layout.configurations().join(format!("{hash}.json"))
}

/// The hash a bundle would be kept under.
#[must_use]
pub fn configuration_hash(bundle: &Bundle) -> Digest {
    Digest::of(&to_json(bundle))
}

/// A bundle as kept; a changed one is found by its hash.
pub fn configuration(layout: &Layout, hash: Digest) -> Result<Bundle, StoreError> {
    let path = configuration_path(layout, hash);
    let bytes = files::read(&path)?;
    let error = |detail: String| StoreError::Format {
        action: "read the configuration",
        path: path.display().to_string(),
        detail,
    };
    if Digest::of(&bytes) != hash {
        return Err(error(
            "its content does not have the hash it is named by; restore it from a backup".to_owned(),
        ));
    }
    serde_json::from_slice(&bytes).map_err(|e| error(e.to_string()))
}

/// Writes a run down, after its release lies in its place and before the pointer moves. From here on the run has
/// happened: if the program dies, the next start moves the pointer.
pub fn record_run(layout: &Layout, record: &RunRecord) -> Result<(), StoreError> {
    make_folder(layout, &layout.runs())?;
    Ok(files::write_atomic(&run_path(layout, record.run), &to_json(record))?)
}

/// Keys of messages that a server accepted.
pub fn sent_keys(layout: &Layout) -> Result<BTreeSet<String>, StoreError> {
    Ok(files::list(&layout.sent())?.into_iter().collect())
}

/// Remembers beside the warehouse that a message was accepted.
pub fn record_sent(layout: &Layout, message_key: &str, message_id: &str) -> Result<(), StoreError> {
    make_folder(layout, &layout.sent())?;
    Ok(files::write_atomic(
        &layout.sent().join(message_key),
        message_id.as_bytes(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_an_earlier_version_is_read() {
        let digest = Digest::of(b"x");
        let text =
            format!(r#"{{"run": 1, "as_of": "2026-01-01T00:00:00Z", "last_arrival": 2, "configuration": "{digest}"}}"#);
        let record: RunRecord = serde_json::from_str(&text).expect("a record");
        assert_eq!((record.release, record.manifest_sha256), (None, None));
    }
}
