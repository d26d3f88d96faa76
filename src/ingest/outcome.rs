//! What came of reading one file.
//!
//! Duty: shapes, and the counts by which no record is lost. Not its duty: reading, and which version of a key holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::states::count;
use crate::domain::{Batch, Digest, Findings};

/// Takes the rows of a file while it is read.
pub trait Sink {
    /// Takes the next rows, in the order of the file: up to [`super::limits::BATCH_ROWS`]. What was taken is of no use
    /// when the file is set aside in the end.
    fn take(&mut self, batch: Batch) -> Result<(), Stopped>;
}

/// The sink takes no more; the file is set aside. Why, the sink knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no more rows are taken")]
pub struct Stopped;

impl Sink for Vec<Batch> {
    fn take(&mut self, batch: Batch) -> Result<(), Stopped> {
        self.push(batch);
        Ok(())
    }
}

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

/// One file: each of its records is a typed row (in the sink), rejected (once or more often), or skipped by a named rule.
#[derive(Clone, Debug)]
pub struct FileOutcome {
    pub origin: FileOrigin,
    pub feed: String,
    /// Name of the source.
    pub source: String,
    pub verdict: Verdict,
    /// Records read: rows + rejected records + skipped ones. 0 for a file set aside.
    pub records: i64,
    /// Rows that the sink took.
    pub rows: i64,
    /// By line and number.
    pub rejects: Vec<Reject>,
    /// Records that are no data by a declared rule: `skip.preamble`, `skip.header`, `skip.blank`, `skip.totals`.
    pub skipped: BTreeMap<&'static str, i64>,
    /// What a person should know: renamed and unknown columns, trimmed values, flagged rows, why it was set aside.
    pub notes: Findings,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Read,
    /// No row of the file is used, also of those that the sink took. The reason begins with the rule's code.
    SetAside {
        reason: String,
    },
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
    /// The record as received, shared by its findings, and cut: at `MAX_RAW_BYTES`, in a file with very many rejects at
    /// `SHORT_RAW_BYTES`. May be personal, so it never enters a release.
    pub raw: Arc<[u8]>,
}

impl FileOutcome {
    /// Number of rejected records, however much is wrong with each.
    pub fn rejected(&self) -> i64 {
        count(self.rejects.iter().filter(|r| r.row_no == 1).count())
    }

    /// Number of records skipped by a rule.
    pub fn skipped_records(&self) -> i64 {
        self.skipped.values().sum()
    }

    /// That every record is in exactly one state.
    ///
    /// # Panics
    /// When it is not: that is a mistake in this program.
    pub fn assert_conserved(&self) {
        let (rejected, skipped) = (self.rejected(), self.skipped_records());
        assert!(
            self.records == self.rows + rejected + skipped,
            "{}: {} records, but {} rows + {rejected} rejected + {skipped} skipped",
            self.origin.file_name,
            self.records,
            self.rows
        );
    }
}
