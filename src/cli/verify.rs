//! `verify`: is everything still what was published?

use serde_json::json;

use super::output::json_findings;
use super::{CommandResult, Session};
use crate::pipeline::{PipelineError, verify as verifying};

#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn verify(session: &Session, _: &Args) -> CommandResult {
    let (looked, findings) = verifying::verify(&session.layout)?;
    if !findings.is_empty() {
        return Err(PipelineError::Integrity(findings));
    }
    if session.output.json {
        session.output.value(&json!({
            "in_order": true, "releases": looked.releases, "files": looked.files, "originals": looked.originals,
            "bytes": looked.bytes, "findings": json_findings(&findings),
        }));
    } else {
        session.output.line(&format!(
            "in order: {} releases, {} files ({} bytes), {} originals, the ledger's chain and invariants",
            looked.releases, looked.files, looked.bytes, looked.originals
        ));
    }
    Ok(())
}
