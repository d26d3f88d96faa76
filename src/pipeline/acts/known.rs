//! Acts so far.
//!
//! Duty: rows of `decisions` of a release, and those that were delivered since, in the order of time. Must not: judge
//! them.

use crate::domain::time::parse_date;
use crate::domain::{Date, Digest, Instant, Table};
use crate::edges::files;
use crate::ingest::plain;
use crate::pipeline::PipelineError;
use crate::pipeline::desk::{DECISIONS, FOLDER, MAX_FILE_BYTES, settle};
use crate::store::layout::Layout;
use crate::store::release::Release;
use crate::store::{StoreError, landing};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    pub decision_id: String,
    pub kind: String,
    pub subject: String,
    pub outcome: String,
    pub effective_on: Option<Date>,
    pub subject_hash: Option<Digest>,
    /// With its currency.
    pub amount: Option<String>,
    pub reason: String,
    pub by: String,
    pub role: String,
    pub decided_at: Instant,
    /// Waits for the next run.
    pub pending: bool,
}

/// All acts of some kinds, in the order of time.
pub(super) fn acts(layout: &Layout, release: &Release, kinds: &[&str]) -> Result<Vec<Act>, PipelineError> {
    let mut acts = of_release(&release.read_table(DECISIONS)?)?;
    let known: std::collections::BTreeSet<String> = acts.iter().map(|a| a.decision_id.clone()).collect();
    let mut waiting: Vec<Act> = delivered(layout, release)?
        .iter()
        .flat_map(|text| of_text(text))
        .collect();
    waiting.retain(|act| !known.contains(&act.decision_id));
    waiting.sort_by(|a, b| a.decision_id.cmp(&b.decision_id));
    waiting.dedup_by(|a, b| a.decision_id == b.decision_id);
    acts.append(&mut waiting);
    acts.retain(|act| kinds.contains(&act.kind.as_str()));
    acts.sort_by(|a, b| (a.decided_at, &a.decision_id).cmp(&(b.decided_at, &b.decision_id)));
    Ok(acts)
}

fn of_release(decisions: &Table) -> Result<Vec<Act>, PipelineError> {
    let mut acts = Vec::new();
    for row in decisions.iter() {
        acts.push(Act {
            decision_id: row.text("decision_id")?.to_owned(),
            kind: row.text("kind")?.to_owned(),
            subject: row.text("subject")?.to_owned(),
            outcome: row.text("outcome")?.to_owned(),
            effective_on: row.opt_date("effective_on")?,
            subject_hash: row.opt_text("subject_hash")?.and_then(Digest::parse),
            amount: row
                .opt_dec("amount")?
                .zip(row.opt_text("currency")?)
                .map(|(amount, currency)| format!("{amount} {currency}")),
            reason: row.text("reason")?.to_owned(),
            by: row.text("by")?.to_owned(),
            role: row.text("role")?.to_owned(),
            decided_at: row.instant("decided_at")?,
            pending: false,
        });
    }
    Ok(acts)
}

/// Deliveries of decisions that this program wrote and the release has not read: those of the folder, and those of
/// arrivals behind the release.
fn delivered(layout: &Layout, release: &Release) -> Result<Vec<Vec<u8>>, PipelineError> {
    let mut texts = Vec::new();
    let folder = layout.workspace().join(FOLDER);
    for name in files::list(&folder).map_err(StoreError::from)? {
        let is_ours = name.starts_with("decisions-") && name.ends_with(".csv");
        if is_ours && files::identity(&folder.join(&name)).map_err(StoreError::from)?.0 <= MAX_FILE_BYTES {
            texts.push(files::read(&folder.join(&name)).map_err(StoreError::from)?);
        }
    }
    for arrival in landing::arrivals(layout)? {
        let is_new = arrival.arrival > release.manifest.last_arrival;
        if is_new && arrival.feed == DECISIONS && settle::is_correction(&arrival.file_name) {
            texts.push(files::read(&layout.original(arrival.sha256)).map_err(StoreError::from)?);
        }
    }
    Ok(texts)
}

/// The acts of one delivery; rows that the next run will reject are none.
fn of_text(text: &[u8]) -> Vec<Act> {
    let records = plain::records(text).unwrap_or_default();
    let Some((header, rows)) = records.split_first() else {
        return Vec::new();
    };
    let act = |record: &plain::Record| {
        let field = |name: &str| {
            let at = header.fields.iter().position(|f| f == name)?;
            record.fields.get(at).cloned()
        };
        Some(Act {
            decision_id: field("decision_id")?,
            kind: field("kind")?,
            subject: field("subject")?,
            outcome: field("outcome")?,
            effective_on: parse_date(&field("effective_on")?),
            subject_hash: field("subject_hash").and_then(|hash| Digest::parse(&hash)),
            amount: field("amount")
                .filter(|amount| !amount.is_empty())
                .zip(field("currency"))
                .map(|(amount, currency)| format!("{amount} {currency}")),
            reason: field("reason")?,
            by: field("by")?,
            role: field("role")?,
            decided_at: Instant::parse(&field("decided_at")?).ok()?,
            pending: true,
        })
    };
    rows.iter().filter_map(act).collect()
}
