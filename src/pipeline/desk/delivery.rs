//! Corrected records as files of the corrections folder.
//!
//! Duty: one delivery a feed and one of decisions, each named by its content, in the contracts' own form. Must not:
//! decide what is delivered.

use std::collections::BTreeSet;
use std::path::Path;

use super::replay::{Chosen, Order, Replayed};
use super::trial::{self, Wrong};
use super::{DECISIONS, FOLDER, KIND, OUTCOME};
use crate::contracts::Contract;
use crate::domain::Digest;
use crate::domain::hash::Hasher;
use crate::edges::files;
use crate::ingest::plain;
use crate::ingest::source::data_columns;
use crate::pipeline::PipelineError;
use crate::pipeline::config::Config;
use crate::store::StoreError;
use crate::store::layout::Layout;

/// Writes the deliveries, the decisions last: a decision never arrives before the record it is about.
pub(super) fn write(
    layout: &Layout,
    config: &Config,
    order: &Order<'_>,
    deliveries: &[(&Contract, Vec<Chosen<'_>>)],
    replayed: &mut Replayed,
) -> Result<(), PipelineError> {
    let contract = config.contract(DECISIONS);
    let source = trial::source_of(&config.sources, DECISIONS)?;
    let chosen: Vec<&Chosen<'_>> = deliveries.iter().flat_map(|(_, chosen)| chosen).collect();
    let decisions: Vec<String> = chosen.iter().map(|c| decision(contract, order, c)).collect();
    let header = header_of(contract);
    if let Some(first) = decisions.first() {
        let wrong = trial::try_record(source, contract, &header, first);
        if !wrong.is_empty() {
            let said: Vec<String> = wrong.iter().map(said_of).collect();
            return Err(PipelineError::Usage(format!(
                "the decision would be rejected: {}; give other words for --by, --role or --reason",
                said.join("; ")
            )));
        }
    }
    // records may be personal
    let folder = layout.workspace().join(FOLDER);
    files::create_private_dir_all(&folder).map_err(StoreError::from)?;
    for (contract, chosen) in deliveries {
        let mut text = header_of(contract) + "\n";
        // the same record twice is one delivery
        let lines: BTreeSet<&str> = chosen.iter().map(|c| c.line.as_str()).collect();
        let mut left = lines.clone();
        for line in chosen.iter().map(|c| c.line.as_str()).filter(|line| left.remove(line)) {
            text.push_str(line);
            text.push('\n');
        }
        let name = format!("{}-{}.csv", contract.name, Digest::of(text.as_bytes()).short());
        deliver(&folder.join(&name), &text)?;
        let delivered = (format!("{FOLDER}/{name}"), contract.name.clone(), lines.len());
        replayed.written.push(delivered);
    }
    let mut ids = Hasher::new();
    for one in &chosen {
        ids.field(one.decision_id().as_bytes());
    }
    let name = format!("{DECISIONS}-{}.csv", ids.finish().short());
    deliver(&folder.join(&name), &format!("{header}\n{}\n", decisions.join("\n")))?;
    replayed.decisions = Some(format!("{FOLDER}/{name}"));
    replayed.corrected = chosen.len();
    Ok(())
}

pub(in crate::pipeline) fn said_of(wrong: &Wrong) -> String {
    match &wrong.column {
        Some(column) => format!("{column} {}", wrong.reason),
        None => wrong.reason.clone(),
    }
}

pub(in crate::pipeline) fn header_of(contract: &Contract) -> String {
    plain::line(data_columns(contract).iter().map(|c| c.name.as_str()))
}

/// Names come from contents: a file of the name is there with the same content.
pub(in crate::pipeline) fn deliver(path: &Path, text: &str) -> Result<(), PipelineError> {
    if !files::exists(path) {
        files::write_atomic(path, text.as_bytes()).map_err(StoreError::from)?;
    }
    Ok(())
}

/// The row of `decisions` for a corrected record; columns that a workspace added stay empty.
fn decision(contract: &Contract, order: &Order<'_>, chosen: &Chosen<'_>) -> String {
    let (id, subject) = (chosen.decision_id(), chosen.rejected.subject().to_string());
    let (corrected, at) = (chosen.digest().to_string(), order.now.to_string());
    let value = |name: &str| match name {
        "decision_id" => id.as_str(),
        "kind" => KIND,
        "subject" => subject.as_str(),
        "subject_hash" => corrected.as_str(),
        "outcome" => OUTCOME,
        "reason" => order.reason,
        "by" => order.by,
        "role" => order.role,
        "decided_at" => at.as_str(),
        _ => "",
    };
    plain::line(data_columns(contract).iter().map(|c| value(&c.name)))
}
