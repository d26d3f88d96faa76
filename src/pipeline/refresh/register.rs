//! The register of a run: files, quarantine, held rows, conflicts.
//!
//! Duty: what the parent knew, what this run adds, the tables that say so; raw texts go to the private store. Not its
//! duty: deciding a state (ingest does).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{PipelineError, Refresh, digest};
use crate::contracts::Contract;
use crate::domain::{Date, Digest, Row, RowRef, Table, TableError, Value};
use crate::ingest::{FileCounts, Reject};
use crate::store::private::{self, Class};

/// Columns of `quarantine`, in the order in which rows are built here.
pub(super) const QUARANTINE: [&str; 12] = [
    "arrival",
    "source_line",
    "row_no",
    "feed",
    "source_file",
    "column_name",
    "rule",
    "reason",
    "remedy",
    "row_hash",
    "raw_hash",
    "resolved_by",
];

/// Columns of `held`.
const HELD: [&str; 10] = [
    "arrival",
    "source_line",
    "feed",
    "source_file",
    "row_hash",
    "missing_table",
    "missing_value",
    "missing_column",
    "held_since",
    "record",
];

/// Places of columns in a row of `held`.
pub(super) const HELD_MISSING_TABLE: usize = 5;
pub(super) const HELD_MISSING_VALUE: usize = 6;

/// Columns of `conflicts`.
const CONFLICTS: [&str; 3] = ["feed", "key_hash", "highest_order"];

/// One finding of one record that is not used. Key: arrival, line, row_no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quarantined {
    pub(super) arrival: i64,
    pub(super) file_name: Arc<str>,
    pub(super) line: i64,
    /// Counts the findings of the record, from 1.
    pub(super) row_no: i64,
    pub(super) column: Option<String>,
    pub(super) rule: String,
    pub(super) reason: String,
    pub(super) remedy: String,
    /// Of the typed row; `None` when the record never was one.
    pub(super) row_hash: Option<Digest>,
    /// The record as received; of a typed row a JSON object of its texts. May be personal, so it never enters a release.
    pub(super) raw: Vec<u8>,
}

impl Quarantined {
    pub(super) fn of_reject(arrival: i64, file_name: &Arc<str>, reject: Reject) -> Quarantined {
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
            raw: reject.raw.to_vec(),
        }
    }
}

/// A row that waits for what it refers to. Key: arrival, line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldRow {
    pub(super) arrival: i64,
    pub(super) line: i64,
    pub(super) file_name: Arc<str>,
    pub(super) row_hash: Digest,
    /// The first unknown reference in the order of the contract's columns.
    pub(super) missing_table: String,
    pub(super) missing_column: String,
    pub(super) missing_value: String,
    /// Its values as a JSON object; personal ones as tokens.
    pub(super) record: String,
}

/// A held row as it was stored.
pub(super) struct StoredHeld {
    pub(super) held: HeldRow,
    pub(super) since: Option<Date>,
}

impl HeldRow {
    /// From a row of `held`; `None` for one of a version that kept no values.
    pub(super) fn of_row(row: &Row) -> Option<StoredHeld> {
        let (Value::Int(arrival), Value::Int(line), Value::Text(file_name)) = (&row[0], &row[1], &row[3]) else {
            return None;
        };
        let text = |i: usize| match &row[i] {
            Value::Text(text) => Some(text.to_string()),
            _ => None,
        };
        let since = match &row[8] {
            Value::Date(date) => Some(*date),
            _ => None,
        };
        let held = HeldRow {
            arrival: *arrival,
            line: *line,
            file_name: Arc::clone(file_name),
            row_hash: Digest::parse(&text(4)?)?,
            missing_table: text(5)?,
            missing_value: text(6)?,
            missing_column: text(7)?,
            record: text(9)?,
        };
        Some(StoredHeld { held, since })
    }
}

/// Feed of a row of `held`.
pub(super) fn held_feed(row: &Row) -> Option<&str> {
    match &row[2] {
        Value::Text(feed) => Some(feed),
        _ => None,
    }
}

/// A row of `held`.
pub(super) fn held_row(contract: &Contract, held: &HeldRow, since: Date) -> Row {
    vec![
        held.arrival.into(),
        held.line.into(),
        contract.name.as_str().into(),
        Value::Text(Arc::clone(&held.file_name)),
        held.row_hash.into(),
        held.missing_table.as_str().into(),
        held.missing_value.as_str().into(),
        held.missing_column.as_str().into(),
        since.into(),
        held.record.as_str().into(),
    ]
}

/// What the feeds of a run share. Rows have the columns of the constants above.
#[derive(Default)]
pub(super) struct Intake {
    /// By arrival.
    pub(super) register: BTreeMap<i64, FileLine>,
    pub(super) quarantine: Vec<Row>,
    pub(super) held: Vec<Row>,
    pub(super) conflicts: Vec<Row>,
}

/// A line of the table `files`.
pub(super) struct FileLine {
    pub(super) feed: String,
    pub(super) source: String,
    pub(super) file_name: String,
    pub(super) file_hash: String,
    pub(super) bytes: i64,
    pub(super) state: &'static str,
    pub(super) reason: Option<String>,
    pub(super) counts: FileCounts,
}

/// Counts of a row of the table `files`.
pub(super) fn counts_of(row: RowRef<'_>) -> Result<FileCounts, TableError> {
    Ok(FileCounts {
        arrival: row.int("arrival")?,
        records: row.int("records")?,
        current: row.int("current")?,
        superseded: row.int("superseded")?,
        duplicate: row.int("duplicate")?,
        quarantined: row.int("quarantined")?,
        held: row.int("held")?,
        skipped: row.int("skipped")?,
    })
}

impl Refresh<'_> {
    /// The parent's register, quarantine, held rows and conflicts: what this run adds to.
    pub(super) fn intake_of_parent(&self) -> Result<Intake, PipelineError> {
        let mut intake = Intake::default();
        for row in self.parent_table("files")?.iter() {
            let counts = counts_of(row)?;
            let line = FileLine {
                feed: row.text("feed")?.to_owned(),
                source: row.text("source")?.to_owned(),
                file_name: row.text("file_name")?.to_owned(),
                file_hash: row.text("file_hash")?.to_owned(),
                bytes: row.int("bytes")?,
                state: if row.text("state")? == "read" {
                    "read"
                } else {
                    "set_aside"
                },
                reason: row.opt_text("reason")?.map(ToOwned::to_owned),
                counts,
            };
            intake.register.insert(counts.arrival, line);
        }
        intake.quarantine = self.known_rows("quarantine", &QUARANTINE)?;
        intake.held = self.known_rows("held", &HELD)?;
        intake.conflicts = self.known_rows("conflicts", &CONFLICTS)?;
        Ok(intake)
    }

    /// Rows of a parent's table with the columns of this version, by name; a column that it did not have is null.
    fn known_rows(&self, name: &str, columns: &[&str]) -> Result<Vec<Row>, PipelineError> {
        let table = self.parent_table(name)?;
        let places: Vec<Option<usize>> = columns.iter().map(|c| table.column(c)).collect();
        let row = |row: &Row| {
            places
                .iter()
                .map(|p| p.map_or(Value::Null, |i| row[i].clone()))
                .collect()
        };
        Ok(table.rows.iter().map(row).collect())
    }

    /// Adds rows to the quarantine; raw texts go to the private store.
    pub(super) fn keep_quarantined(
        &self,
        contract: &Contract,
        quarantined: &[Quarantined],
        intake: &mut Intake,
    ) -> Result<(), PipelineError> {
        let mut raw: BTreeMap<i64, BTreeMap<String, String>> = BTreeMap::new();
        for entry in quarantined {
            let text = String::from_utf8_lossy(&entry.raw).into_owned();
            let hash = digest(&text);
            intake.quarantine.push(quarantine_row(contract, entry, hash));
            raw.entry(entry.arrival).or_default().insert(hash.to_string(), text);
        }
        if !self.task.dry {
            for (arrival, texts) in raw {
                let mut all = private::texts(self.task.layout, Class::Raw, [arrival])?;
                all.extend(texts);
                private::put_texts(self.task.layout, Class::Raw, arrival, &all)?;
            }
        }
        Ok(())
    }

    /// Stages `files`, `quarantine`, `held` and `conflicts`.
    pub(super) fn stage_register(&mut self, intake: Intake) -> Result<(), PipelineError> {
        let mut files = Table::new(
            "files",
            &[
                "arrival",
                "feed",
                "source",
                "file_name",
                "file_hash",
                "bytes",
                "state",
                "reason",
                "records",
                "current",
                "superseded",
                "duplicate",
                "quarantined",
                "held",
                "skipped",
            ],
        );
        for (arrival, line) in intake.register {
            let c = line.counts;
            let mut row: Row = vec![
                arrival.into(),
                line.feed.into(),
                line.source.into(),
                line.file_name.into(),
                line.file_hash.into(),
                line.bytes.into(),
                line.state.into(),
                line.reason.into(),
            ];
            row.extend(
                [
                    c.records,
                    c.current,
                    c.superseded,
                    c.duplicate,
                    c.quarantined,
                    c.held,
                    c.skipped,
                ]
                .map(Value::Int),
            );
            files.push(row);
        }
        self.put(files)?;
        let tables: [(&str, &[&str], Vec<Row>); 3] = [
            ("quarantine", &QUARANTINE, intake.quarantine),
            ("held", &HELD, intake.held),
            ("conflicts", &CONFLICTS, intake.conflicts),
        ];
        for (name, columns, rows) in tables {
            let mut table = Table::new(name, columns);
            table.rows = rows;
            self.put(table)?;
        }
        Ok(())
    }
}

/// Keys of a feed that are in conflict, each with the highest order of its versions.
pub(super) fn conflicts_of(rows: &[Row], feed: &str) -> BTreeMap<u128, Option<i64>> {
    let of_feed = rows.iter().filter(|row| row[0] == Value::text(feed));
    of_feed
        .filter_map(|row| {
            let key = u128::from_str_radix(&row[1].to_string(), 16).ok()?;
            let order = match &row[2] {
                Value::Int(order) => Some(*order),
                _ => None,
            };
            Some((key, order))
        })
        .collect()
}

fn quarantine_row(contract: &Contract, entry: &Quarantined, raw: Digest) -> Row {
    vec![
        entry.arrival.into(),
        entry.line.into(),
        entry.row_no.into(),
        contract.name.as_str().into(),
        Value::Text(entry.file_name.clone()),
        entry.column.as_deref().into(),
        entry.rule.as_str().into(),
        entry.reason.as_str().into(),
        entry.remedy.as_str().into(),
        // a record that never became a typed row is known by its raw text
        entry.row_hash.unwrap_or(raw).into(),
        raw.into(),
        Value::Null,
    ]
}
