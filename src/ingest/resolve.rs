//! Which version of each key is current, when every row of a feed has equal order (`mode = "append"`).
//!
//! Duty: duplicates, conflicts, references, and the change of every file's counts. Not its duty: reading files,
//! storing rows. The result is a function of the set of rows: neither the order of rows nor that of files shows in
//! it, but for the lineage (arrival, file, line), which is that of the earliest delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::outcome::{FileOutcome, Reject};
use super::references::{self, Missing};
use super::states::{FileCounts, count};
use crate::contracts::Contract;
use crate::contracts::model::Reference;
use crate::domain::table::row_hash;
use crate::domain::{Digest, Row, Value};

/// A current row with its lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRow {
    pub arrival: i64,
    pub file_name: Arc<str>,
    pub line: i64,
    pub hash: Digest,
    /// Delivered columns in the order of the contract.
    pub values: Row,
}

/// One finding of one record that is not used. Key: arrival, line, row_no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    pub arrival: i64,
    pub file_name: Arc<str>,
    pub line: i64,
    /// Counts the findings of the record, from 1.
    pub row_no: i64,
    pub column: Option<String>,
    pub rule: String,
    pub reason: String,
    pub remedy: String,
    /// Of the typed row; `None` when the record never was one.
    pub row_hash: Option<Digest>,
    /// The record as received; of a conflict its values, separated by `|`, in the order of the contract. May be
    /// personal, so it never enters a release.
    pub raw: Vec<u8>,
}

/// A row that waits for a key it refers to. Key: arrival, line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub arrival: i64,
    pub file_name: Arc<str>,
    pub line: i64,
    pub row_hash: Digest,
    pub key: Vec<Value>,
    /// The first unknown reference in the order of the contract's columns.
    pub missing_table: String,
    pub missing_value: Value,
}

/// The feed after this delivery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// By key.
    pub current: Vec<StoredRow>,
    /// By arrival, line and number: rejected records of the files given, and keys in conflict.
    pub quarantined: Vec<Quarantined>,
    /// By arrival and line.
    pub held: Vec<Held>,
    /// By arrival: what to add to the counts of that file so far, nothing for a new one.
    pub changes: BTreeMap<i64, FileCounts>,
    /// Keys that were current and are not any more, in order.
    pub removed: Vec<Vec<Value>>,
    /// `row_hash` of every key that is in conflict, the ones given included: to be given again next time.
    pub conflicted: BTreeSet<Digest>,
}

/// One delivery of a key.
struct Version {
    key: Vec<Value>,
    row: StoredRow,
    /// The key was current before, by this row or by an equal one.
    was_current: bool,
}

/// Resolves a feed: `current` is its state so far, `incoming` the files newly read and those read again for rows held.
/// `references` tells whether another table has a value in a column; references to the feed itself are looked up in
/// this result. `conflicted` holds the keys that were in conflict before.
pub fn resolve(
    contract: &Contract,
    current: Vec<StoredRow>,
    incoming: Vec<FileOutcome>,
    references: &dyn Fn(&Reference, &Value) -> bool,
    conflicted: &BTreeSet<Digest>,
) -> Resolution {
    let mut resolution = Resolution {
        conflicted: conflicted.clone(),
        ..Resolution::default()
    };
    let mut versions = stored_versions(contract, current);
    for file in incoming {
        take_file(file, &mut versions, &mut resolution);
    }
    for version in &versions {
        let before = i64::from(version.was_current);
        resolution.change(version.row.arrival).current -= before;
    }
    versions.sort_by(|a, b| (&a.key, a.row.arrival, a.row.line).cmp(&(&b.key, b.row.arrival, b.row.line)));
    let candidates = one_each(contract, versions, &mut resolution);
    hold_or_keep(contract, candidates, references, &mut resolution);
    resolution.removed.sort();
    resolution.quarantined.sort_by_key(|q| (q.arrival, q.line, q.row_no));
    resolution.held.sort_by_key(|h| (h.arrival, h.line));
    resolution
}

impl Resolution {
    fn change(&mut self, arrival: i64) -> &mut FileCounts {
        self.changes
            .entry(arrival)
            .or_insert_with(|| FileCounts::of_arrival(arrival))
    }
}

fn key_of(contract: &Contract, values: &[Value]) -> Vec<Value> {
    contract.key.iter().map(|i| values[*i].clone()).collect()
}

fn stored_versions(contract: &Contract, current: Vec<StoredRow>) -> Vec<Version> {
    let version = |row: StoredRow| Version {
        key: key_of(contract, &row.values),
        row,
        was_current: true,
    };
    current.into_iter().map(version).collect()
}

/// Counts a file's records and takes its rows and rejects.
fn take_file(file: FileOutcome, versions: &mut Vec<Version>, resolution: &mut Resolution) {
    let arrival = file.origin.arrival;
    let name: Arc<str> = file.origin.file_name.as_str().into();
    let rejected = file.rejected();
    let change = resolution.change(arrival);
    if file.again {
        // they are counted already, as held
        change.held -= count(file.rows.len());
    } else {
        change.records += file.records;
        change.skipped += count(file.skipped.len());
        change.quarantined += rejected;
    }
    resolution.quarantined.extend(
        file.rejects
            .into_iter()
            .map(|reject| quarantined(arrival, &name, reject)),
    );
    versions.extend(file.rows.into_iter().map(|row| Version {
        key: row.key,
        row: StoredRow {
            arrival,
            file_name: Arc::clone(&name),
            line: row.line,
            hash: row.hash,
            values: row.values,
        },
        was_current: false,
    }));
}

fn quarantined(arrival: i64, file_name: &Arc<str>, reject: Reject) -> Quarantined {
    Quarantined {
        arrival,
        file_name: Arc::clone(file_name),
        line: reject.line,
        row_no: reject.row_no,
        column: reject.column,
        rule: reject.rule,
        reason: reject.reason,
        remedy: reject.remedy,
        row_hash: None,
        raw: reject.raw,
    }
}

/// Leaves the earliest delivery of each key whose deliveries all agree; the others become duplicates or conflicts.
fn one_each(contract: &Contract, versions: Vec<Version>, resolution: &mut Resolution) -> Vec<Version> {
    let mut candidates = Vec::new();
    let mut group: Vec<Version> = Vec::new();
    for version in versions {
        if group.first().is_some_and(|first| first.key != version.key) {
            candidates.extend(settle(contract, std::mem::take(&mut group), resolution));
        }
        group.push(version);
    }
    candidates.extend(settle(contract, group, resolution));
    candidates
}

/// Decides the deliveries of one key, the earliest first.
fn settle(contract: &Contract, group: Vec<Version>, resolution: &mut Resolution) -> Option<Version> {
    let first = group.first()?;
    let key_hash = row_hash(&first.key);
    let disagree = group.iter().any(|v| v.row.hash != first.row.hash);
    if disagree || resolution.conflicted.contains(&key_hash) {
        resolution.conflicted.insert(key_hash);
        for version in &group {
            resolution.change(version.row.arrival).quarantined += 1;
            resolution.quarantined.push(conflict(contract, version, &group));
        }
        if group.iter().any(|v| v.was_current) {
            resolution.removed.push(first.key.clone());
        }
        return None;
    }
    let mut group = group.into_iter();
    let mut kept = group.next()?;
    for duplicate in group {
        kept.was_current |= duplicate.was_current;
        resolution.change(duplicate.row.arrival).duplicate += 1;
    }
    Some(kept)
}

fn conflict(contract: &Contract, version: &Version, group: &[Version]) -> Quarantined {
    let others: Vec<&Version> = group.iter().filter(|v| v.row.hash != version.row.hash).collect();
    let elsewhere = match others.as_slice() {
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
                other.row.file_name, other.row.line, other.row.arrival
            )
        }
    };
    let names: Vec<&str> = contract
        .key
        .iter()
        .map(|i| contract.columns[*i].name.as_str())
        .collect();
    let raw: Vec<String> = version.row.values.iter().map(Value::to_string).collect();
    Quarantined {
        arrival: version.row.arrival,
        file_name: Arc::clone(&version.row.file_name),
        line: version.row.line,
        row_no: 1,
        column: None,
        rule: "key.conflict".to_owned(),
        reason: format!(
            "the same key ({}) stands with other values {elsewhere}",
            names.join(", ")
        ),
        remedy: "find out which record is right, and deliver it under a key of its own".to_owned(),
        row_hash: Some(version.row.hash),
        raw: raw.join("|").into_bytes(),
    }
}

/// Rows whose references are all known are current, the others wait.
fn hold_or_keep(
    contract: &Contract,
    candidates: Vec<Version>,
    known: &dyn Fn(&Reference, &Value) -> bool,
    resolution: &mut Resolution,
) {
    let rows: Vec<&Row> = candidates.iter().map(|c| &c.row.values).collect();
    let missing = references::missing(contract, &rows, known);
    for (version, missing) in candidates.into_iter().zip(missing) {
        let change = resolution.change(version.row.arrival);
        match missing {
            None => {
                change.current += 1;
                resolution.current.push(version.row);
            }
            Some(missing) => {
                change.held += 1;
                if version.was_current {
                    resolution.removed.push(version.key.clone());
                }
                resolution.held.push(held(version, missing));
            }
        }
    }
}

fn held(version: Version, missing: Missing) -> Held {
    Held {
        arrival: version.row.arrival,
        file_name: version.row.file_name,
        line: version.row.line,
        row_hash: version.row.hash,
        key: version.key,
        missing_table: missing.table,
        missing_value: missing.value,
    }
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
