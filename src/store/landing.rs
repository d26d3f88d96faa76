//! Landing: what arrived, in which order, and which runs used it.
//!
//! Duty: originals by content hash, one small file per arrival and per run, bundles of configuration. It outlives the
//! warehouse: everything in a release can be made again from here. Not its duty: reading what is inside the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::layout::Layout;
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

/// One committed run: enough to do it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// From 1, without gaps.
    pub run: u64,
    pub as_of: String,
    pub last_arrival: u64,
    pub configuration: Digest,
}

/// Configuration texts by path relative to the workspace.
pub type Bundle = BTreeMap<String, String>;

fn numbered<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>, StoreError> {
    let mut out = Vec::new();
    for name in files::list(folder)?.iter().filter(|n| n.ends_with(".json")) {
        let path = folder.join(name);
        let text = files::read_text(&path)?;
        out.push(serde_json::from_str(&text).map_err(|e| StoreError::Format {
            action: "read",
            path: path.display().to_string(),
            detail: e.to_string(),
        })?);
    }
    Ok(out)
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

/// Recorded runs in order.
pub fn runs(layout: &Layout) -> Result<Vec<RunRecord>, StoreError> {
    numbered(&layout.runs())
}

/// A file that waits to be taken in.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Relative to the workspace.
    pub file_name: String,
    pub source: String,
    pub feed: String,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// New content, now an arrival.
    New(Arrival),
    /// The content is known, from this arrival on.
    Known { file_name: String, arrival: u64 },
}

/// Takes candidates in, in the order given: keeps a copy of the original and writes the arrival down. The hash is
/// that of the copy, so a file that changes meanwhile is never half of each.
pub fn register(layout: &Layout, candidates: &[Candidate]) -> Result<Vec<Registered>, StoreError> {
    files::create_dir_all(&layout.originals())?;
    files::create_dir_all(&layout.arrivals())?;
    let mut known: BTreeMap<Digest, u64> = BTreeMap::new();
    let mut last = 0;
    for arrival in arrivals(layout)? {
        known.insert(arrival.sha256, arrival.arrival);
        last = last.max(arrival.arrival);
    }
    let mut out = Vec::new();
    for candidate in candidates {
        let from = layout.workspace().join(&candidate.file_name);
        let (hash, _) = files::hash_file(&from)?;
        if let Some(arrival) = known.get(&hash) {
            out.push(Registered::Known {
                file_name: candidate.file_name.clone(),
                arrival: *arrival,
            });
            continue;
        }
        let incoming = layout.originals().join("incoming");
        files::remove_if_there(&incoming)?;
        let (hash, bytes) = files::copy_hashed(&from, &incoming)?;
        files::rename(&incoming, &layout.original(hash))?;
        files::sync_dir(&layout.originals())?;
        last += 1;
        let arrival = Arrival {
            arrival: last,
            file_name: candidate.file_name.clone(),
            source: candidate.source.clone(),
            feed: candidate.feed.clone(),
            sha256: hash,
            bytes,
        };
        files::write_atomic(&layout.arrivals().join(format!("{last:08}.json")), &to_json(&arrival))?;
        known.insert(hash, last);
        out.push(Registered::New(arrival));
    }
    Ok(out)
}

/// Keeps a bundle of configuration and returns its hash.
pub fn keep_configuration(layout: &Layout, bundle: &Bundle) -> Result<Digest, StoreError> {
    let bytes = to_json(bundle);
    let hash = Digest::of(&bytes);
    let folder = layout.configurations();
    files::create_dir_all(&folder)?;
    let path = folder.join(format!("{hash}.json"));
    if !files::exists(&path) {
        files::write_atomic(&path, &bytes)?;
    }
    Ok(hash)
}

/// The hash a bundle would be kept under.
#[must_use]
pub fn configuration_hash(bundle: &Bundle) -> Digest {
    Digest::of(&to_json(bundle))
}

/// A bundle as kept; a changed one is found by its hash.
pub fn configuration(layout: &Layout, hash: Digest) -> Result<Bundle, StoreError> {
    let path = layout.configurations().join(format!("{hash}.json"));
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

/// Writes a run down. From here on it will be done: if the program dies before the release is published, the next
/// start does it again from this record.
pub fn record_run(layout: &Layout, record: &RunRecord) -> Result<(), StoreError> {
    files::create_dir_all(&layout.runs())?;
    Ok(files::write_atomic(
        &layout.runs().join(format!("{:08}.json", record.run)),
        &to_json(record),
    )?)
}

/// Keys of messages that a server accepted.
pub fn sent_keys(layout: &Layout) -> Result<BTreeSet<String>, StoreError> {
    Ok(files::list(&layout.sent())?.into_iter().collect())
}

/// Remembers beside the warehouse that a message was accepted.
pub fn record_sent(layout: &Layout, message_key: &str, message_id: &str) -> Result<(), StoreError> {
    files::create_dir_all(&layout.sent())?;
    Ok(files::write_atomic(
        &layout.sent().join(message_key),
        message_id.as_bytes(),
    )?)
}
