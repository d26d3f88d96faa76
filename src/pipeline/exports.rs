//! The books of a release in the forms of other tools.
//!
//! Duty: which tables an export is made of. Not its duty: the forms (`exports`), writing files.

pub mod credit_notes;
pub mod finance;

use super::PipelineError;
use crate::domain::Period;
pub use crate::exports::erp::Chart as ErpChart;
use crate::exports::{beancount, erp, hledger};
use crate::ledger::{Entry, table};
use crate::store::release::Release;

/// A form of the journal.
#[derive(Clone, Debug)]
pub enum Form {
    Hledger,
    Beancount,
    /// For an ERP: account codes of a chart, entries of one posting period or of all.
    Csv(Box<ErpChart>, Option<Period>),
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn stage(e: impl ToString) -> PipelineError {
    PipelineError::stage("the ledger")(e.to_string())
}

fn entries(release: &Release) -> Result<Vec<Entry>, PipelineError> {
    table::from_table(&release.read_table("ledger")?).map_err(stage)
}

/// The ledger as a journal.
pub fn journal(release: &Release, form: &Form) -> Result<String, PipelineError> {
    let entries = entries(release)?;
    match form {
        Form::Hledger => hledger::export(&entries),
        Form::Beancount => beancount::export(&entries),
        Form::Csv(chart, period) => erp::export(&entries, chart, *period),
    }
    .map_err(stage)
}
