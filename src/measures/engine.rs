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

/// A part of a result: rows whose text in a column, one that the statement groups by, is at least `from` and below `until`.
/// The parts of a result together are the result, and each is made in less memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    pub column: &'static str,
    pub from: Option<String>,
    /// Exclusive.
    pub until: Option<String>,
}

/// Runs SQL over Parquet files and returns a small table.
pub trait Engine {
    /// Runs one statement; `what` names it in errors.
    fn run(&self, what: &str, sql: &str, sources: &Sources) -> Result<Table, EngineError>;
}
