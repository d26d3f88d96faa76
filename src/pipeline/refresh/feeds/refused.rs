//! Rows that stand no more for what they say.
//!
//! Duty: what a changed contract finds wrong with stored rows, rows of one key that contradict each other; both as records
//! of the quarantine. Not its duty: finding them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pass::Pass;
use super::record::{data_columns, row_digest, to_json};
use super::state::{Conflicting, Refusal};
use crate::contracts::model::CheckSeverity;
use crate::contracts::{Contract, check};
use crate::domain::{Batch, Digest, Row, Value};

use super::super::register::Quarantined;

impl Pass<'_> {
    /// Quarantines a row that was current, for what the contract finds now.
    pub(super) fn refuse(&mut self, row: &Row, arrival: i64, file_name: &Arc<str>, line: i64, found: Vec<Refusal>) {
        for (row_no, (column, rule, reason, remedy)) in (1..).zip(found) {
            self.quarantined.push(Quarantined {
                arrival,
                file_name: Arc::clone(file_name),
                line,
                row_no,
                column,
                rule,
                reason,
                remedy,
                row_hash: Some(row_digest(self.contract, row)),
                raw: to_json(self.contract, row).into_bytes(),
            });
        }
    }

    /// Every row in conflict names another one with other values.
    pub(super) fn tell_conflicts(&mut self) {
        let mut by_key: BTreeMap<u128, Vec<Conflicting>> = BTreeMap::new();
        for one in std::mem::take(&mut self.conflicting) {
            by_key.entry(one.key).or_default().push(one);
        }
        for mut group in by_key.into_values() {
            group.sort_by_key(|one| (one.arrival, one.line));
            let digests: Vec<Digest> = group.iter().map(|one| row_digest(self.contract, &one.row)).collect();
            for (one, digest) in group.iter().zip(&digests) {
                let others: Vec<&Conflicting> = group
                    .iter()
                    .zip(&digests)
                    .filter(|(_, d)| *d != digest)
                    .map(|(other, _)| other)
                    .collect();
                self.quarantined.push(conflict(self.contract, one, *digest, &others));
            }
        }
    }
}

/// What the contract finds wrong with a stored row.
pub(super) fn refusals(stored: &Contract, row: &Row) -> Vec<Refusal> {
    let of_value = |i: usize, v: check::Violation| {
        let rule = format!("value.{}", v.rule);
        (Some(stored.columns[i].name.clone()), rule, v.message, v.remedy)
    };
    let mut found: Vec<Refusal> = data_columns(stored)
        .iter()
        .zip(row)
        .enumerate()
        .filter_map(|(i, (column, value))| Some(of_value(i, check::value(column, value).err()?)))
        .collect();
    found.extend(
        check::money_decimals_values(stored, row)
            .into_iter()
            .map(|(i, v)| of_value(i, v)),
    );
    for failed in check::row_values(stored, row) {
        if failed.severity == CheckSeverity::Reject {
            let remedy = "correct the record, or the check of the contract".to_owned();
            let column = stored.columns[failed.left].name.clone();
            found.push((Some(column), failed.id.clone(), failed.description.clone(), remedy));
        }
    }
    found
}

fn conflict(contract: &Contract, one: &Conflicting, digest: Digest, others: &[&Conflicting]) -> Quarantined {
    let elsewhere = match others {
        [] => "in files read earlier".to_owned(),
        [other, rest @ ..] => {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            let was = if other.was_current {
                ", which was current before"
            } else {
                ""
            };
            format!(
                "in {} line {} (arrival {}){was}{more}",
                other.file_name, other.line, other.arrival
            )
        }
    };
    let names: Vec<&str> = contract
        .key
        .iter()
        .map(|i| contract.columns[*i].name.as_str())
        .collect();
    Quarantined {
        arrival: one.arrival,
        file_name: Arc::clone(&one.file_name),
        line: one.line,
        row_no: 1,
        column: None,
        rule: "key.conflict".to_owned(),
        reason: format!("the same key ({}) stands with other values {elsewhere}", names.join(", ")),
        remedy: "find out which record is right, and deliver it by a source that supersedes (mode upsert), or under a key of its own".to_owned(),
        row_hash: Some(digest),
        raw: to_json(contract, &one.row).into_bytes(),
    }
}

pub(super) fn key_hash(empty: &Batch, contract: &Contract, row: &Row) -> u128 {
    let mut batch = empty.clone();
    batch.push_row(1, row);
    batch.key_hash(0, &contract.key)
}

/// The key of a feed's conflict as it is stored.
pub(super) fn conflict_row(feed: &str, key: u128, order: Option<i64>) -> Row {
    vec![feed.into(), Value::text(format!("{key:032x}")), order.into()]
}
