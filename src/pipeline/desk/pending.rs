//! Corrections between the desk and the next run.
//!
//! Duty: what was delivered and no release has read; where a corrected record stands once it has arrived. Must not:
//! write.

use std::collections::BTreeMap;

use super::records::{Correction, Desk, RecordId, Rejected};
use super::{DECISIONS, FOLDER, KIND, MAX_FILE_BYTES, settle};
use crate::domain::Digest;
use crate::edges::files;
use crate::ingest::plain;
use crate::pipeline::PipelineError;
use crate::store::layout::Layout;
use crate::store::release::Release;
use crate::store::{StoreError, landing};

/// A correction that waits for the next run.
pub struct Pending {
    pub decision_id: String,
    /// Delivery of decisions that names it.
    pub file: String,
}

/// Corrections that no release has read, by subject: those of the folder, and those of arrivals behind the release.
pub fn pending(layout: &Layout, release: &Release, desk: &Desk) -> Result<BTreeMap<String, Pending>, PipelineError> {
    let mut texts: Vec<(String, Vec<u8>)> = Vec::new();
    let folder = layout.workspace().join(FOLDER);
    for name in files::list(&folder).map_err(StoreError::from)? {
        let is_ours = name.starts_with("decisions-") && name.ends_with(".csv");
        if is_ours && files::identity(&folder.join(&name)).map_err(StoreError::from)?.0 <= MAX_FILE_BYTES {
            let bytes = files::read(&folder.join(&name)).map_err(StoreError::from)?;
            texts.push((format!("{FOLDER}/{name}"), bytes));
        }
    }
    for arrival in landing::arrivals(layout)? {
        let is_new = arrival.arrival > release.manifest.last_arrival;
        if is_new && arrival.feed == DECISIONS && settle::is_correction(&arrival.file_name) {
            let bytes = files::read(&layout.original(arrival.sha256)).map_err(StoreError::from)?;
            texts.push((arrival.file_name, bytes));
        }
    }
    let mut out = BTreeMap::new();
    for (file, text) in texts {
        for (decision_id, subject) in decisions_of(&text) {
            if !desk.corrections.contains_key(&decision_id) {
                let file = file.clone();
                out.insert(subject, Pending { decision_id, file });
            }
        }
    }
    Ok(out)
}

/// Identifier and subject of the corrections of a delivery of decisions.
fn decisions_of(text: &[u8]) -> Vec<(String, String)> {
    let records = plain::records(text).unwrap_or_default();
    let Some((header, rows)) = records.split_first() else {
        return Vec::new();
    };
    let at = |name: &str| header.fields.iter().position(|f| f == name);
    let (Some(id), Some(kind), Some(subject)) = (at("decision_id"), at("kind"), at("subject")) else {
        return Vec::new();
    };
    let of = |record: &plain::Record| {
        let field = |i: usize| record.fields.get(i).cloned();
        let is_correction = field(kind).is_some_and(|k| k == KIND);
        is_correction.then(|| Some((field(id)?, field(subject)?))).flatten()
    };
    rows.iter().filter_map(of).collect()
}

/// The record that stands for a corrected one, with its file, once it has arrived.
pub fn stands_for(
    layout: &Layout,
    desk: &Desk,
    rejected: &Rejected,
    correction: &Correction,
) -> Result<Option<(RecordId, String)>, PipelineError> {
    for (arrival, file) in &desk.files {
        if file.feed != rejected.feed || !settle::is_correction(&file.file_name) {
            continue;
        }
        let Some(hash) = Digest::parse(&file.file_hash) else {
            continue;
        };
        let text = files::read(&layout.original(hash)).map_err(StoreError::from)?;
        let found = settle::digests(&text)
            .into_iter()
            .find(|(digest, _)| Some(*digest) == correction.corrected);
        if let Some((_, line)) = found {
            let id = RecordId {
                arrival: *arrival,
                line,
            };
            return Ok(Some((id, file.file_name.clone())));
        }
    }
    Ok(None)
}
