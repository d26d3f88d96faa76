//! What came of reading one file.
//!
//! Duty: shapes, and the counts by which no record is lost. Not its duty: reading, and which version of a key holds.

use std::collections::BTreeSet;

use super::states::count;
use crate::domain::{Digest, Findings, Row, Value};

/// Where a file stands in landing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOrigin {
    /// Number of its arrival; later files have higher ones.
    pub arrival: i64,
    /// As delivered; a label, never a path to open.
    pub file_name: String,
    pub file_hash: Digest,
    /// Size as registered in landing; another size when read sets the file aside.
    pub bytes: u64,
}

/// One file: each of its records is a typed row, rejected (once or more often), or skipped by a named rule.
#[derive(Clone, Debug)]
pub struct FileOutcome {
    pub origin: FileOrigin,
    pub feed: String,
    /// Name of the source.
    pub source: String,
    pub verdict: Verdict,
    /// Records read: rows + rejected records + skipped ones. 0 for a file set aside.
    pub records: i64,
    /// By line.
    pub rows: Vec<TypedRow>,
    /// By line and number.
    pub rejects: Vec<Reject>,
    pub skipped: Vec<Skipped>,
    /// What a person should know: renamed and unknown columns, trimmed values, flagged rows, why it was set aside.
    pub notes: Findings,
    /// Read again for rows that waited; its records are already counted.
    pub again: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Read,
    /// No row of the file is used. The reason begins with the rule's code.
    SetAside {
        reason: String,
    },
}

/// A record whose every value is right by itself and beside the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedRow {
    /// Physical line of the file, from 1.
    pub line: i64,
    /// Delivered columns in the order of the contract.
    pub values: Row,
    /// Values of the key's columns.
    pub key: Vec<Value>,
    /// `row_hash` over `values`.
    pub hash: Digest,
}

/// One thing wrong with one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    pub line: i64,
    /// Counts the findings of the record, from 1.
    pub row_no: i64,
    /// Column of the contract, where it is one column's fault.
    pub column: Option<String>,
    /// Stable code, or the id of the contract's check.
    pub rule: String,
    pub reason: String,
    pub remedy: String,
    /// The record as received, cut at `MAX_RAW_BYTES`: may be personal, so it never enters a release.
    pub raw: Vec<u8>,
}

/// A record that is no data by a declared rule: `skip.preamble`, `skip.header`, `skip.blank`, `skip.totals`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub line: i64,
    pub rule: &'static str,
}

impl FileOutcome {
    /// Number of rejected records, however much is wrong with each.
    pub fn rejected(&self) -> i64 {
        count(self.rejects.iter().filter(|r| r.row_no == 1).count())
    }

    /// Keeps the rows of these lines and nothing else: for a file that is read again because rows of it waited.
    pub fn retain_lines(&mut self, lines: &BTreeSet<i64>) {
        self.rows.retain(|row| lines.contains(&row.line));
        self.rejects.clear();
        self.skipped.clear();
        self.notes.clear();
        self.records = count(self.rows.len());
        self.again = true;
    }

    /// That every record is in exactly one state.
    ///
    /// # Panics
    /// When it is not: that is a mistake in this program.
    pub fn assert_conserved(&self) {
        let mut lines = BTreeSet::new();
        let states = self
            .rows
            .iter()
            .map(|r| r.line)
            .chain(self.skipped.iter().map(|s| s.line));
        let rejected = self.rejects.iter().filter(|r| r.row_no == 1).map(|r| r.line);
        let counted = count(states.chain(rejected).filter(|line| lines.insert(*line)).count());
        let listed = count(self.rows.len()) + count(self.skipped.len()) + self.rejected();
        assert!(
            self.records == listed && counted == listed,
            "{}: {} records, {listed} states on {counted} lines",
            self.origin.file_name,
            self.records
        );
    }
}
