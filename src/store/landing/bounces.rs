//! Returned mail, as it came back.
//!
//! Duty: one record and one original for each report of a failed delivery, numbered as they were taken in: what a
//! mailbox said must not be asked for twice, and a rebuild must come to the same list of addresses. Not its duty:
//! reading reports, and what follows from them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{StoreError, make_folder, numbered, to_json};
use crate::domain::Digest;
use crate::edges::files;
use crate::store::layout::Layout;

/// What a report said of one message; no address stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BounceRecord {
    /// From 1, without gaps.
    pub bounce: u64,
    /// Hash of the report: the same one again is nothing new.
    pub sha256: Digest,
    /// Path relative to the workspace: a label, never opened again.
    pub file_name: String,
    /// Instant at which it was taken in.
    pub taken_at: String,
    /// What had arrived by then: a contact that arrives later is a new one.
    pub last_arrival: u64,
    pub message_key: String,
    pub failures: Vec<Failure>,
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// SHA-256 of the address, as in the contacts of a release.
    pub address: Digest,
    /// Status of RFC 3463, such as 5.1.1.
    pub status: String,
    /// Refused for good; otherwise for now.
    pub permanent: bool,
}

/// All records in order.
pub fn bounces(layout: &Layout) -> Result<Vec<BounceRecord>, StoreError> {
    numbered(&layout.bounces())
}

/// Keeps a report and its record. The original is written first: a record without one would say more than is known.
pub fn record_bounce(layout: &Layout, record: &BounceRecord, original: &[u8]) -> Result<(), StoreError> {
    let folder = layout.bounces();
    make_folder(layout, &folder)?;
    let name = format!("{:08}", record.bounce);
    files::write_atomic(&folder.join(format!("{name}.eml")), original)?;
    Ok(files::write_atomic(
        &folder.join(format!("{name}.json")),
        &to_json(record),
    )?)
}

impl BounceRecord {
    /// Hashes of the reports that are known.
    #[must_use]
    pub fn hashes(records: &[BounceRecord]) -> BTreeSet<Digest> {
        records.iter().map(|r| r.sha256).collect()
    }
}
