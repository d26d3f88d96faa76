//! The register of a run: files, quarantine, held rows, conflicts.
//!
//! Duty: what the parent knew, what this run adds, the tables that say so; raw texts go to the private store. Not its
//! duty: deciding a state (ingest does).

use std::collections::{BTreeMap, BTreeSet};

use super::{PipelineError, Refresh, digest};
use crate::contracts::Contract;
use crate::domain::{Digest, Row, RowRef, Table, TableError, Value};
use crate::ingest::resolve::{Held, Quarantined};
use crate::ingest::{FileCounts, Resolution};
use crate::store::private::{self, Class};

/// Columns of `quarantine`, in the order in which rows are built here.
const QUARANTINE: [&str; 11] = [
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
];

/// Columns of `held`.
const HELD: [&str; 7] = [
    "arrival",
    "source_line",
    "feed",
    "source_file",
    "row_hash",
    "missing_table",
    "missing_value",
];

/// Columns of `conflicts`.
const CONFLICTS: [&str; 2] = ["feed", "key_hash"];

/// Feed, arrival and line of a row of `held`.
pub(super) fn held_place(row: &Row) -> Option<(&str, i64, i64)> {
    match (&row[2], &row[0], &row[1]) {
        (Value::Text(feed), Value::Int(arrival), Value::Int(line)) => Some((feed, *arrival, *line)),
        _ => None,
    }
}

/// What the feeds of a run share. Rows have the columns of the constants above.
#[derive(Default)]
pub(super) struct Intake {
    /// By arrival.
    pub(super) register: BTreeMap<i64, FileLine>,
    pub(super) quarantine: Vec<Row>,
    pub(super) held: Vec<Row>,
    pub(super) conflicts: Vec<Row>,
    /// Feeds whose rows changed in this run, and those that lost a key.
    pub(super) changed: BTreeSet<String>,
    pub(super) lost_keys: BTreeSet<String>,
    /// Values of referenced columns, read once.
    pub(super) known: BTreeMap<(String, String), BTreeSet<Value>>,
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

    /// Adds quarantine, held rows and conflicts of a resolution; raw texts go to the private store.
    pub(super) fn keep_rejected(
        &self,
        contract: &Contract,
        resolution: &Resolution,
        intake: &mut Intake,
    ) -> Result<(), PipelineError> {
        let mut raw: BTreeMap<i64, BTreeMap<String, String>> = BTreeMap::new();
        for entry in &resolution.quarantined {
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
        intake
            .held
            .extend(resolution.held.iter().map(|h| held_row(contract, h)));
        intake.conflicts.retain(|row| row[0] != Value::text(&contract.name));
        intake.conflicts.extend(
            resolution
                .conflicted
                .iter()
                .map(|key| vec![contract.name.as_str().into(), (*key).into()]),
        );
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

/// Keys of a feed that are in conflict.
pub(super) fn conflicts_of(rows: &[Row], feed: &str) -> BTreeSet<Digest> {
    rows.iter()
        .filter(|row| row[0] == Value::text(feed))
        .filter_map(|row| Digest::parse(&row[1].to_string()))
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
    ]
}

fn held_row(contract: &Contract, held: &Held) -> Row {
    vec![
        held.arrival.into(),
        held.line.into(),
        contract.name.as_str().into(),
        Value::Text(held.file_name.clone()),
        held.row_hash.into(),
        held.missing_table.as_str().into(),
        held.missing_value.to_string().into(),
    ]
}
