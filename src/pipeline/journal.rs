//! The ledger of a release as a journal for outside tools.

use super::PipelineError;
use crate::ledger::{journal, table};
use crate::store::release::Release;

/// The whole ledger in the format that hledger reads.
pub fn journal(release: &Release) -> Result<String, PipelineError> {
    let stage = PipelineError::stage("the ledger");
    let entries = table::from_table(&release.read_table("ledger")?).map_err(|e| stage(e.to_string()))?;
    journal::export(&entries).map_err(|e| stage(e.to_string()))
}
