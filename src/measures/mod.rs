//! The measures: exact sums and counts over the facts, in SQL; the only part that grows with the data.
//!
//! Duty: read the statements of `pipelines/measures/`, hold them to the portable subset, have an engine run them.
//! Not its duty: ratios, bands, rules. A measure adds and counts; dividing is the programme's.

pub mod authorised;
pub mod calendar;
mod derive;
pub mod discounts;
pub mod engine;
pub mod lint;
pub mod polars;
pub mod sale_days;
pub mod sale_products;
pub mod trace;
pub mod years;

use std::collections::BTreeSet;

use crate::domain::Findings;

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

    /// Reads one file and holds it to the subset; all findings at once. `columns` are those of the contracts. A measure
    /// whose output has no contract gets one that follows from its statement: its text is given beside it.
    pub fn read(file: &str, sql: &str, columns: &lint::Columns) -> Result<(Measure, Option<String>), Findings> {
        let name = file
            .rsplit('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".sql")
            .to_owned();
        let mut linted = lint::lint(file, sql, columns);
        let mut findings = std::mem::take(&mut linted.findings);
        let measure = Measure {
            name,
            file: file.to_owned(),
            sql: sql.to_owned(),
            tables: linted.tables.clone(),
        };
        let derived = match columns(&measure.output()) {
            Some(_) => None,
            None if findings.is_empty() => derive::contract(&measure, &linted)
                .map_err(|finding| findings.push(*finding))
                .ok(),
            None => None,
        };
        if findings.is_empty() {
            Ok((measure, derived))
        } else {
            Err(findings)
        }
    }
}
