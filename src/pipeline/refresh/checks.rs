//! The blocking checks: what must hold of what was written, read back from disk.
//!
//! Duty: a list of named checks; one that fails, and nothing is published. Not its duty: rules of the programme.

use std::collections::BTreeSet;

use super::books::Book;
use super::feeds::history::history_name;
use super::register::counts_of;
use super::{PipelineError, Refresh};
use crate::contracts::Contract;
use crate::domain::{Findings, Row, Table, Value};
use crate::ingest::conservation;
use crate::ledger::{self, INVARIANTS};

/// What the manifest says of a release that passed.
pub(super) struct Passed {
    pub checks: Vec<String>,
    pub ledger_head: String,
    pub ledger_entries: u64,
}

impl Refresh<'_> {
    /// Runs all checks over the staged tables.
    pub(super) fn checks(&mut self, book: &Book) -> Result<Passed, PipelineError> {
        let mut checks = Vec::new();
        let mut findings = self.contract_findings()?;
        checks.push("tables-conform".to_owned());
        findings.extend(self.conservation_findings()?);
        checks.push("records-conserved".to_owned());
        let entries = ledger::table::from_table(&self.table("ledger")?).map_err(|e| PipelineError::Stage {
            what: "the ledger",
            detail: e.to_string(),
        })?;
        findings.extend(self.ledger_findings(&entries, book));
        checks.extend(INVARIANTS.iter().map(|i| i.name.to_owned()));
        if !findings.is_empty() {
            return Err(PipelineError::Integrity(findings));
        }
        let head = ledger::chain::head(&entries).map_err(|e| PipelineError::Stage {
            what: "the ledger",
            detail: e.to_string(),
        })?;
        Ok(Passed {
            checks,
            ledger_head: head.hash.to_string(),
            ledger_entries: u64::try_from(head.entries).unwrap_or(0),
        })
    }

    /// Every output, as read back, against its contract: columns, types, keys, allowed values. Feeds were checked row
    /// by row when they were read.
    fn contract_findings(&self) -> Result<Findings, PipelineError> {
        let mut findings = Vec::new();
        for contract in self.task.config.catalogue.outputs() {
            let mut ranges = Vec::new();
            let mut is_there = false;
            let before = findings.len();
            for part in self.staging.read_back_parts(&contract.name) {
                let (partition, table) = part?;
                is_there = true;
                match crate::contracts::conform(contract, table) {
                    Ok(table) => ranges.extend(range(contract, partition, &table)),
                    Err(found) => findings.extend(found),
                }
            }
            if !is_there {
                findings.push(crate::domain::Finding::error(
                    crate::domain::Place::file(&contract.name),
                    "table-missing",
                    "the table has a contract and was not written",
                    "this is a mistake in the program; nothing was published",
                ));
            } else if findings.len() == before && overlap(contract, ranges) {
                // keys of two files may be alike: only all rows together show it
                let table = self.staging.read_back(&contract.name)?;
                findings.extend(crate::contracts::conform(contract, table).err().unwrap_or_default());
            }
        }
        Ok(findings)
    }

    /// The counts of every file against each other, and against the rows that stand in the tables.
    fn conservation_findings(&self) -> Result<Findings, PipelineError> {
        let files = self.table("files")?;
        let mut counts = Vec::new();
        for row in files.iter() {
            counts.push(counts_of(row)?);
        }
        let mut findings = conservation(&counts);
        let (mut total, mut history) = (0, 0);
        for contract in self.task.config.catalogue.feeds() {
            total += self.staging.rows(&contract.name);
            history += self.staging.rows(&history_name(&contract.name));
        }
        let held = self.table("held")?.rows.len() as u64;
        let quarantined = distinct_records(&self.table("quarantine")?)?;
        let sums = [
            ("current", counts.iter().map(|c| c.current).sum::<i64>(), total),
            ("superseded", counts.iter().map(|c| c.superseded).sum(), history),
            ("held", counts.iter().map(|c| c.held).sum(), held),
            ("quarantined", counts.iter().map(|c| c.quarantined).sum(), quarantined),
        ];
        for (state, counted, stored) in sums {
            if u64::try_from(counted) != Ok(stored) {
                findings.push(crate::domain::Finding::error(
                    crate::domain::Place::file("files"),
                    "records-conserved",
                    format!("the register counts {counted} records as {state}, the tables hold {stored}"),
                    "nothing was published; rebuild from landing, and report the mistake if it stays",
                ));
            }
        }
        Ok(findings)
    }
}

/// Partition, first key, last key of the rows of a file.
type Range = (String, Vec<Value>, Vec<Value>);

fn range(contract: &Contract, partition: &str, table: &Table) -> Option<Range> {
    let key = |row: &Row| -> Vec<Value> { contract.key.iter().map(|i| row[*i].clone()).collect() };
    // partitions that the key tells apart have no key in common
    let is_in_key = contract.partition.is_some_and(|i| contract.key.contains(&i));
    let partition = if is_in_key { partition.to_owned() } else { String::new() };
    Some((partition, key(table.rows.first()?), key(table.rows.last()?)))
}

/// Whether a key may stand in two of these files. Without a key, rows may be alike.
fn overlap(contract: &Contract, mut ranges: Vec<Range>) -> bool {
    ranges.sort();
    let meet = |pair: &[Range]| pair[0].0 == pair[1].0 && pair[0].2 >= pair[1].1;
    !contract.key.is_empty() && ranges.windows(2).any(meet)
}

fn distinct_records(quarantine: &Table) -> Result<u64, PipelineError> {
    let mut records = BTreeSet::new();
    for row in quarantine.iter() {
        records.insert((row.int("arrival")?, row.int("source_line")?));
    }
    Ok(records.len() as u64)
}
