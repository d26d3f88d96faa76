//! The manifest of a release: what it holds and what it was made from.
//!
//! Duty: the JSON form, versioned, and the name of a release. Not its duty: writing files.

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::domain::Digest;
use crate::domain::hash::Hasher;

/// Version of this format; a reader refuses what is newer.
pub const MANIFEST_FORMAT: u32 = 1;

/// Everything about a release that is not a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// `r000001-<12 hex digits>`.
    pub release: String,
    /// Number of the committed run, from 1: releases and runs go together.
    pub run: u64,
    pub parent: Option<Parent>,
    /// What the run was given as the present.
    pub as_of: String,
    /// Last arrival that it read.
    pub last_arrival: u64,
    /// Bundle of configuration in landing.
    pub configuration: Digest,
    pub rules_hash: Digest,
    pub contracts_hash: Digest,
    pub measures_hash: Digest,
    pub code_version: String,
    /// Hash of the last ledger entry, printed wherever the books are cited.
    pub ledger_head: String,
    pub ledger_entries: u64,
    /// Names of the blocking checks that passed.
    pub checks: Vec<String>,
    /// Sorted by path.
    pub files: Vec<ReleaseFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    pub release: String,
    pub manifest_sha256: Digest,
}

/// One Parquet file of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFile {
    pub table: String,
    /// Relative to the release, with `/`.
    pub path: String,
    /// `period=2026-Q3`, `month=2026-07`, or empty.
    pub partition: String,
    pub bytes: u64,
    pub rows: u64,
    pub sha256: Digest,
}

impl Manifest {
    /// The name follows from what the release holds and was made from, so that a rebuild gives the same.
    #[must_use]
    pub fn name(&self) -> String {
        let mut hasher = Hasher::new();
        let parent = self
            .parent
            .as_ref()
            .map_or(String::new(), |p| p.manifest_sha256.to_string());
        for part in [
            &parent,
            &self.as_of,
            &self.last_arrival.to_string(),
            &self.configuration.to_string(),
        ] {
            hasher.field(part.as_bytes());
        }
        for file in &self.files {
            hasher
                .field(file.path.as_bytes())
                .field(file.sha256.to_string().as_bytes());
        }
        format!("r{:06}-{}", self.run, hasher.finish().short())
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a manifest; `path` is for messages.
    pub fn parse(path: &str, text: &str) -> Result<Manifest, StoreError> {
        let error = |detail: String| StoreError::Format {
            action: "read the manifest",
            path: path.to_owned(),
            detail,
        };
        let manifest: Manifest = serde_json::from_str(text).map_err(|e| error(e.to_string()))?;
        if manifest.format > MANIFEST_FORMAT {
            return Err(error(format!(
                "it has format {}, this version reads up to {MANIFEST_FORMAT}; use a newer starledger",
                manifest.format
            )));
        }
        Ok(manifest)
    }
}
