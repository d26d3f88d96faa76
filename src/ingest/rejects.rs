//! The rejected records of one file, in bounded memory.
//!
//! Duty: what is kept of each, and when there are too many. Not its duty: why a record is rejected.

use std::sync::Arc;

use super::fault::Fault;
use super::limits::{MAX_RAW_BYTES, MAX_REJECTED, REJECTS_BYTES, SHORT_RAW_BYTES};
use super::outcome::Reject;
use crate::contracts::Column;

/// What is wrong with a record, each with its column where it is one column's fault.
pub(super) type Faults = Vec<(Option<usize>, Fault)>;

pub(super) struct Rejects {
    /// By line and number.
    pub list: Vec<Reject>,
    pub records: i64,
    /// Raw text that may still be kept.
    left: usize,
}

impl Rejects {
    pub(super) fn new() -> Rejects {
        Rejects {
            list: Vec::new(),
            records: 0,
            left: REJECTS_BYTES,
        }
    }

    /// Adds a record with everything that is wrong with it; an error refuses the file.
    pub(super) fn add(&mut self, line: u64, raw: &[u8], mut faults: Faults, columns: &[Column]) -> Result<(), Fault> {
        self.records += 1;
        if self.records > MAX_REJECTED {
            let reason =
                format!("more than {MAX_REJECTED} records are rejected; what comes after line {line} was not read");
            let remedy = "correct the file or its source and deliver it again";
            return Err(Fault::new("file.rejects", reason, remedy));
        }
        let mut length = raw.len().min(MAX_RAW_BYTES);
        if length > self.left {
            self.left = 0;
            length = length.min(SHORT_RAW_BYTES);
            faults.truncate(1);
        } else {
            self.left -= length;
        }
        let raw: Arc<[u8]> = raw[..length].into();
        for (row_no, (column, fault)) in (1..).zip(faults) {
            self.list.push(Reject {
                line: signed(line),
                row_no,
                column: column.map(|i| columns[i].name.clone()),
                rule: fault.rule.into_owned(),
                reason: fault.reason,
                remedy: fault.remedy,
                raw: raw.clone(),
            });
        }
        Ok(())
    }
}

/// Lines are stored as signed integers.
pub(super) fn signed(line: u64) -> i64 {
    i64::try_from(line).unwrap_or(i64::MAX)
}
