//! What runs a measure.
//!
//! Duty: the one trait between the statement and its result. Every engine gives the same numbers, to the last digit;
//! the portable subset is what makes that true.

use std::collections::BTreeMap;
use std::path::PathBuf;

use thiserror::Error;

use crate::domain::Table;

/// Parquet files by table name.
pub type Sources = BTreeMap<String, Vec<PathBuf>>;

#[derive(Debug, Error)]
#[error("{engine} cannot run {what}: {detail}")]
pub struct EngineError {
    pub engine: &'static str,
    pub what: String,
    pub detail: String,
}

/// Runs SQL over Parquet files and returns a small table.
pub trait Engine {
    /// Runs one statement; `what` names it in errors.
    fn run(&self, what: &str, sql: &str, sources: &Sources) -> Result<Table, EngineError>;
}
