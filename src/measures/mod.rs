//! The measures: exact sums and counts over the facts, in SQL; the only part that grows with the data.
//!
//! Duty: read the statements of `pipelines/measures/`, hold them to the portable subset, have an engine run them.
//! Not its duty: ratios, bands, rules. A measure adds and counts; dividing is the programme's.

pub mod authorised;
pub mod calendar;
pub mod engine;
pub mod lint;
pub mod polars;
pub mod trace;
pub mod years;

use std::collections::BTreeSet;

use crate::domain::{Finding, Findings, Place};

/// One measure: a file of `pipelines/measures/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// File name without `.sql`; the output table is `measures_<name>`.
    pub name: String,
    /// Path for messages.
    pub file: String,
    pub sql: String,
    /// Tables that the statement reads.
    pub tables: BTreeSet<String>,
}

impl Measure {
    /// Name of the output table, and of its contract.
    #[must_use]
    pub fn output(&self) -> String {
        format!("measures_{}", self.name)
    }

    /// Reads one file and holds it to the subset; all findings at once. `columns` are those of the
    /// contracts.
    pub fn read(file: &str, sql: &str, columns: &lint::Columns) -> Result<Measure, Findings> {
        let name = file
            .rsplit('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".sql")
            .to_owned();
        let (tables, mut findings) = lint::lint(file, sql, columns);
        if columns(&format!("measures_{name}")).is_none() {
            findings.push(Finding::error(
                Place::file(file),
                "measure.contract",
                format!("there is no contract for the output measures_{name}"),
                format!("add schemas/measures_{name}.odcs.yaml: it says the grain and the types of the result"),
            ));
        }
        if findings.is_empty() {
            Ok(Measure {
                name,
                file: file.to_owned(),
                sql: sql.to_owned(),
                tables,
            })
        } else {
            Err(findings)
        }
    }
}
